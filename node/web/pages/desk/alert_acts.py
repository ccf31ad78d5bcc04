"""What is done with an alert after it was published: each act on a page of its own, which says beforehand who will see
it and what cannot be undone. The button on that page is the second press; nothing is typed to confirm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import custody
from node.alert_forms import parse_moment
from node.alert_terms import ANSWER_KINDS, ATTRIBUTIONS, RESULTS
from node.desk import alert_life as acts
from node.desk.alert_life import Author
from node.errors import RefusedError
from node.models import contacts
from node.people import NETWORK
from node.web import desk
from node.web.desk import Fields, Session
from node.web.pages.desk import alerts
from node.web.pages.desk.alerts import AlertView
from node.web.site import site_of

ASKED = (acts.CORRECT, acts.CLOSE, acts.ANSWER)
"""They wait for another person's word."""
SIGNED = (acts.ENDORSE, acts.UNENDORSE)
_TEXTS = (acts.NEWS, acts.UPDATE)
_MOST_DELIVERED = 300


@dataclass(frozen=True, slots=True)
class ActPage:
    """One act, before it is done."""

    act: str
    alert: AlertView
    members: tuple[tuple[str, str], ...]
    """(did, name) of those who may be custodians."""
    kinds: tuple[str, ...] = ANSWER_KINDS
    results: tuple[str, ...] = RESULTS
    attributions: tuple[str, ...] = ATTRIBUTIONS


async def form(request: Request) -> Response:
    """One act, to be confirmed."""
    session = await _session(request)
    return session if isinstance(session, Response) else await _show(request, session)


async def take(request: Request) -> Response:
    """Do it, or ask for it."""
    session = await _session(request)
    if isinstance(session, Response):
        return session
    act, name = request.path_params["act"], request.path_params["page"]
    if act not in _DOING:
        return desk.refused(request, session, "there is no such act", 404)
    work = partial(_do, request=request, session=session, name=name, act=act)
    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _show(request, session, error.reasons)
    if act in ASKED:
        return desk.go(request, "/desk/approvals")
    return desk.go(request, f"{alerts.LIST}/{name}" if act != acts.WITHDRAW else f"/desk/withdrawals/{name}")


def author_of(request: Request, session: Session, connection: Connection) -> Author:
    """Who acts."""
    site, organisation = site_of(request), session.organisation
    return Author(
        connection, organisation, site.keyring.organisation(organisation.did), session.person.id,
        session.secrets.get(NETWORK, ()), site.clock(),
    )  # fmt: skip


async def _session(request: Request) -> Session | Response:
    """What cannot be taken back wants a second factor that is fresh; what only asks another for their word does not."""
    act = request.path_params["act"]
    session = await desk.signed_in(request, fresh_factor=act not in ASKED)
    if isinstance(session, Response):
        return session
    may = alerts.may_sign(session.person) if act in SIGNED else alerts.may_write(session.person)
    return session if may else desk.refused(request, session, "your roles do not allow this", 403)


async def _show(request: Request, session: Session, problem: tuple[str, ...] = ()) -> Response:
    act = request.path_params["act"]
    found = await alerts.view_of(request, session)
    if isinstance(found, Response):
        return found
    if act in _TEXTS or (act not in found.acts and not problem):
        return desk.refused(request, session, "this cannot be done with this alert as it stands", 409)
    members = await site_of(request).database.read(partial(_members, session=session)) if act == acts.ENTRUST else ()
    return desk.page(
        request, session, session.organisation, "desk/alert_act.html", page=ActPage(act, found, members),
        problem=problem, typed=session.fields, most_to=_MOST_DELIVERED, least=custody.LEAST, most=custody.MOST,
        status=409 if problem else 200,
    )  # fmt: skip


def _members(connection: Connection, session: Session) -> tuple[tuple[str, str], ...]:
    found = contacts.members_of(connection, session.organisation.did)
    return tuple((each.did, each.name) for each in found if each.frozen is None)


def _do(connection: Connection, request: Request, session: Session, name: str, act: str) -> object:
    return _DOING[act](author_of(request, session, connection), name, session.fields)


def _correct(mine: Author, name: str, given: Fields) -> object:
    return acts.ask_words(mine, name, acts.CORRECT, given.one("text"))


def _close(mine: Author, name: str, given: Fields) -> object:
    result, attribution = given.one("result"), given.one("attribution")
    return acts.ask_words(mine, name, acts.CLOSE, given.one("text"), result=result, attribution=attribution)


def _answer(mine: Author, name: str, given: Fields) -> object:
    return acts.ask_answer(mine, name, given.one("by"), given.one("kind"), _day(given.one("day")), given.one("text"))


def _open(mine: Author, name: str, given: Fields) -> object:
    try:
        closes = parse_moment(given.one("closes"))
    except ValueError as error:
        raise RefusedError("until: write a date") from error
    return acts.open_sign_on(mine, name, closes)


def _deliver(mine: Author, name: str, given: Fields) -> object:
    return acts.deliver(mine, name, given.one("to"))


def _entrust(mine: Author, name: str, given: Fields) -> object:
    threshold = given.one("threshold")
    return acts.entrust(mine, name, given.all("member"), int(threshold) if threshold in ("2", "3") else 0)


def _withdraw(mine: Author, name: str, given: Fields) -> object:
    return acts.withdraw(mine, name)


def _endorse(mine: Author, name: str, given: Fields) -> object:
    acts.endorse(mine, name, withheld=given.one("withheld") == "yes")
    return None


def _unendorse(mine: Author, name: str, given: Fields) -> object:
    return acts.unendorse(mine, name)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise RefusedError("date: write the day of the answer") from error


_DOING: Mapping[str, Callable[[Author, str, Fields], object]] = MappingProxyType(
    {
        acts.CORRECT: _correct, acts.CLOSE: _close, acts.ANSWER: _answer, acts.OPEN: _open, acts.DELIVER: _deliver,
        acts.ENTRUST: _entrust, acts.WITHDRAW: _withdraw, acts.ENDORSE: _endorse, acts.UNENDORSE: _unendorse,
    }
)  # fmt: skip

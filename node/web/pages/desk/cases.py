"""Cases at the desk: what waits, what is open, and one case with everything that may be done next, by whom.

Only case workers come here, with a second factor; the list shows titles because their session opens them. What others
approve is looked at elsewhere (`approvals`): nothing of a case but its public text leaves this room.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import cases as rules
from node import consents
from node.case_terms import STATES, STEPS, Step
from node.cases import Case, No
from node.desk import cases as desk_cases
from node.desk import casework, requests
from node.desk.cases import Opened, Room
from node.desk.casework import Seat
from node.errors import ProtocolError, RefusedError
from node.models import approvals as approval_rows
from node.models import cases as rows
from node.models import documents
from node.people import CASES, NETWORK
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import case_forms
from node.web.site import site_of

T = TypeVar("T")
_TITLE = 90


@dataclass(frozen=True, slots=True)
class CaseCard:
    """One case in a list."""

    path: str
    title: str
    language: str
    state: str
    due: datetime | None
    overdue: bool
    imminent: bool


@dataclass(frozen=True, slots=True)
class ActView:
    """One line of the table, as it is now."""

    act: str
    roles: tuple[str, ...]
    mine: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """What became of asking others."""

    state: str
    yes: int
    needed: int
    sister: bool
    review_by: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case, opened."""

    case: Case
    version: int
    path: str
    title: str
    overdue: bool
    acts: tuple[ActView, ...]
    standings: dict[str, consents.Standing]
    names: dict[str, tuple[str, ...]]
    """Form → the part of the address of each that there is."""
    thread: tuple[requests.Word, ...]
    answerable: bool
    approval: ApprovalView | None
    alert_path: str
    correctable: bool


async def index(request: Request) -> Response:
    """Every case that this session opens."""
    session = await desk.signed_in(request, act="cases")
    if isinstance(session, Response):
        return session
    site, secrets = site_of(request), session.secrets.get(CASES, ())
    listing = await site.database.read(
        lambda connection: desk_cases.list_cases(connection, session.organisation.did, secrets)
    )
    now = site.clock()
    cards = [_card(each.case, now) for each in listing.opened]
    waiting = [each for each in cards if each.overdue or each.state == rules.REQUEST]
    ended = (rules.CLOSED, rules.LESSONS, rules.WITHDRAWN, "declined", "referred")
    opened = [each for each in cards if each not in waiting and each.state not in ended]
    return desk.page(
        request, session, session.organisation, "desk/cases.html", opens=bool(secrets),
        waiting=sorted(waiting, key=lambda each: not each.overdue), unreadable=len(listing.unreadable),
        opened=[
            (state, [each for each in opened if each.state == state])
            for state in STATES if any(each.state == state for each in opened)
        ],
        closed=[each for each in cards if each not in waiting and each.state in ended],
    )  # fmt: skip


async def one(request: Request) -> Response:
    """One case."""
    session = await desk.signed_in(request, act="cases")
    return session if isinstance(session, Response) else await show(request, session)


async def answer(request: Request) -> Response:
    """Answer whoever asked."""
    session = await desk.signed_in(request, act="cases")
    if isinstance(session, Response):
        return session
    name, text = request.path_params["case"], session.fields.typed("words")
    version = version_of(session)
    done = await attempt(
        request, session, lambda connection, seat: casework.answer(connection, seat, name, version, text)
    )
    if isinstance(done, RefusedError):
        return await show(request, session, problem=done, said=text)
    return done if isinstance(done, Response) else desk.go(request, f"/desk/cases/{name}")


async def show(
    request: Request, session: Session, *, problem: RefusedError | None = None, said: str = ""
) -> Response:
    """The page of a case, with what was refused above it."""
    name = request.path_params["case"]
    found = await attempt(request, session, lambda connection, seat: _view(connection, seat, name))
    if isinstance(found, RefusedError):
        return desk.refused(request, session, str(found), 404)
    if isinstance(found, Response):
        return found
    return desk.page(
        request, session, session.organisation, "desk/case.html", view=found, problem=reasons(problem), said=said,
        status=409 if problem else 200,
    )  # fmt: skip


async def attempt(
    request: Request, session: Session, work: Callable[[Connection, Seat], T]
) -> T | RefusedError | Response:
    """Do something with a case, in one transaction; what a rule refuses comes back as it is."""
    site = site_of(request)
    try:
        return await site.database.write(partial(_seated, request, session, work))
    except RefusedError as error:
        return error
    except ProtocolError:
        return desk.refused(request, session, "this session does not open this case", 404)


def reasons(problem: RefusedError | None) -> tuple[str, ...]:
    """Each rule that said no."""
    return problem.reasons if problem is not None else ()


def version_of(session: Session) -> int:
    """The version of the case that the form was made of."""
    given = session.fields.one("version")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def title_of(case: Case) -> str:
    """A short title: the headline, or the first words of whoever asked."""
    found = case.texts[0].headline if case.texts and case.texts[0].headline else case.ask.what
    line = " ".join(found.split())
    return line if len(line) <= _TITLE else line[:_TITLE].rsplit(" ", 1)[0] + " …"


def act_of(case: Case, line: Step, seat: Seat) -> ActView:
    """Whether somebody may do this now, and what is missing."""
    mine = bool(seat.person.counting & set(line.who))
    found = rules.decide(case, line.act, seat.who(line.act, case.state), seat.now, note="-") if mine else None
    return ActView(line.act, line.who, mine, found.reasons if isinstance(found, No) else ())


def _seated(
    request: Request, session: Session, work: Callable[[Connection, Seat], T], connection: Connection
) -> T:
    site, org = site_of(request), session.organisation
    recipient = site.case_room(connection, org.did)
    if recipient is None or not session.secrets.get(CASES):
        raise RefusedError("this session does not open it: ask somebody in the room to let you in")
    room = Room(recipient, session.secrets[CASES])
    key, network = site.keyring.organisation(org.did), session.secrets.get(NETWORK, ())
    return work(connection, Seat(org, key, session.person, room, network, site.clock()))


def _view(connection: Connection, seat: Seat, name: str) -> CaseView:
    held = casework.current(connection, seat, name)
    case, org = held.case, seat.organisation.did
    lines = [each for each in STEPS if each.before == case.state and each.act not in casework.ELSEWHERE]
    about = [person.about() for person in case.people]
    page = documents.page_name(case.alert) if case.alert else ""
    folder = "/desk/network" if case.strategy == "network-only" else "/alerts"
    return CaseView(
        case=case, version=held.version, path=f"/desk/cases/{name}", title=title_of(case),
        overdue=rules.awaited(case, seat.now),
        acts=tuple(act_of(case, line, seat) for line in lines if line.who != ("clock",)),
        standings={each.subject: each for each in consents.effective(about, case.consents, seat.now)},
        names=_names(case), thread=requests.thread(connection, org, name, seat.room.secrets),
        answerable=rows.request_of(connection, org, name) is not None,
        approval=_approval(connection, org, held), alert_path=f"{folder}/{page}" if page else "",
        correctable=bool(case.alert) and case.state in rules.SHOWN,
    )  # fmt: skip


def _names(case: Case) -> dict[str, tuple[str, ...]]:
    return {
        form: tuple(case_forms.name_of(form, number, each) for number, each in enumerate(getattr(case, part.into)))
        for form, part in case_forms.PARTS.items()
        if part.empty is not None
    }


def _approval(connection: Connection, org: str, held: Opened) -> ApprovalView | None:
    versions = approval_rows.of_thread(connection, org, held.case.id)
    waits = next((each for each in versions if each.request.state in ("waiting", "ready")), None)
    row = waits or casework.request_of(connection, org, held.case)
    if row is None:
        return None
    yes = sum(each.verdict == "yes" for each in approval_rows.words_of(connection, org, row.request.id))
    asked = row.request
    outcome = row.outcome if asked.state == "refused" else ""
    return ApprovalView(asked.state, yes, asked.needed, asked.sister, row.review_by, outcome)


def _card(case: Case, now: datetime) -> CaseCard:
    language = case.texts[0].language if case.texts and case.texts[0].headline else case.ask.language
    return CaseCard(
        f"/desk/cases/{case.id}", title_of(case), language, case.state, case.due, rules.awaited(case, now),
        case.imminent,
    )  # fmt: skip

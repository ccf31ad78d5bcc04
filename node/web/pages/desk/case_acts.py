"""What is done with a case: each act on a page of its own, which says who will see it before it is done.

Asking for approval shows the text exactly as it will be read, beside what stays inside.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import alerts as alert_rules
from node import cases as rules
from node.alert_terms import ATTRIBUTIONS
from node.alerts import Alert, Place
from node.case_documents import sealed_words
from node.case_terms import CASE_WORKER, NETWORK_ONLY, step
from node.cases import Case
from node.desk import casework
from node.desk.casework import Seat
from node.errors import RefusedError
from node.models import networks as network_rows
from node.models import people
from node.models.organisations import Organisation
from node.people import Person
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import cases
from node.web.pages.desk.cases import ActView

CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class ActPage:
    """One act, before it is done."""

    act: ActView
    case: Case
    version: int
    back: str
    reason: bool
    """Whether it wants words: why, or the correction."""
    attributions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A text as it will be read, in one language."""

    language: str
    content: str


@dataclass(frozen=True, slots=True)
class AskPage:
    """Everything that is looked at before others are asked."""

    act: ActView
    case: Case
    version: int
    back: str
    previews: tuple[Preview, ...]
    problem: tuple[str, ...]
    """Why it cannot be read as an alert yet."""
    inside: tuple[tuple[str, str], ...]
    """(field, words) of what stays here."""
    colleagues: tuple[Person, ...]
    networks: tuple[tuple[str, dict[str, str]], ...]
    """(digest, names) to choose from, where it is for members and we are in several."""


async def form(request: Request) -> Response:
    """One act, to be confirmed."""
    session = await _session(request)
    return session if isinstance(session, Response) else await _show(request, session)


async def take(request: Request) -> Response:
    """Do it."""
    session = await _session(request)
    if isinstance(session, Response):
        return session
    name, act = request.path_params["case"], request.path_params["act"]
    version, given = cases.version_of(session), session.fields

    def work(connection: Connection, seat: Seat) -> None:
        if act == "submit":
            casework.ask(
                connection, seat, name, version, concerned=given.all("concerned"), spread=given.one("spread") == "yes",
                networks=given.all("network"),
            )
        elif act == CORRECT:
            casework.correct(connection, seat, name, version, given.one("note"))
        else:
            casework.act(connection, seat, name, version, act, given.one("note")[:4_000], given.one("attribution"))

    done = await cases.attempt(request, session, work)
    if isinstance(done, RefusedError):
        return await _show(request, session, done)
    return done if isinstance(done, Response) else desk.go(request, f"/desk/cases/{name}")


async def _session(request: Request) -> Session | Response:
    """What is told to everyone and cannot be unsaid wants a second factor that is fresh."""
    told = request.path_params["act"] in (CORRECT, "close")
    return await desk.signed_in(request, act="cases", fresh_factor=told)


async def _show(request: Request, session: Session, problem: RefusedError | None = None) -> Response:
    act = request.path_params["act"]
    work = partial(_asking if act == "submit" else _confirming, request.path_params["case"], act)
    found = await cases.attempt(request, session, work)
    if isinstance(found, RefusedError):
        return desk.refused(request, session, str(found), 404)
    if isinstance(found, Response):
        return found
    template = "desk/case_ask.html" if isinstance(found, AskPage) else "desk/case_act.html"
    return desk.page(
        request, session, session.organisation, template, view=found, problem=cases.reasons(problem),
        note=session.fields.typed("note"), status=409 if problem else 200,
    )  # fmt: skip


def _confirming(name: str, act: str, connection: Connection, seat: Seat) -> ActPage:
    held = casework.current(connection, seat, name)
    back = f"/desk/cases/{name}"
    if act == CORRECT:
        if not held.case.alert or held.case.state not in rules.SHOWN:
            raise RefusedError("B3: nothing of this case stands in public")
        view = ActView(CORRECT, (CASE_WORKER,), True, ())
        return ActPage(view, held.case, held.version, back, True, ())
    line = step(held.case.state, act)
    if line is None or act in casework.ELSEWHERE:
        raise RefusedError("there is no such act in this state")
    attributions = ATTRIBUTIONS if act == "close" and held.case.alert else ()
    return ActPage(
        cases.act_of(held.case, line, seat), held.case, held.version, back, "reason_given" in line.conditions,
        attributions,
    )  # fmt: skip


def _asking(name: str, act: str, connection: Connection, seat: Seat) -> AskPage:
    held = casework.current(connection, seat, name)
    line = step(held.case.state, act)
    if line is None:
        raise RefusedError("there is no such act in this state")
    problem: tuple[str, ...] = ()
    seen: tuple[Preview, ...] = ()
    try:
        alert = alert_rules.parse_input(rules.public_alert(held.case, seat.now))
        seen = previews(alert, seat.organisation, seat.now)
    except RefusedError as error:
        problem = error.reasons
    everybody = people.active(connection, seat.organisation.did, "approver")
    return AskPage(
        cases.act_of(held.case, line, seat), held.case, held.version, f"/desk/cases/{name}", seen, problem,
        tuple((field.partition("[")[0], text) for field, text in sealed_words(held.case) if text.strip()),
        tuple(each for each in everybody if each.id != seat.person.id),
        _networks(connection, seat.organisation.did) if held.case.strategy == NETWORK_ONLY else (),
    )  # fmt: skip


def _networks(connection: Connection, org: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """Those that we are in; nothing to choose where there is one."""
    ours = [
        (each.network, each.names) for each in network_rows.all_of(connection, org)
        if org in network_rows.state_of(connection, org, each.network).members
    ]  # fmt: skip
    return tuple(ours) if len(ours) > 1 else ()


def previews(alert: Alert, org: Organisation, now: datetime) -> tuple[Preview, ...]:
    """The Notes that will be published, word for word but for their number and address.

    Raises:
        RefusedError: a text is longer than peers take.
    """
    note_ids = {text.language: org.at(f"/objects/preview-{text.language}") for text in alert.texts()}
    found = []
    for language, note_id in note_ids.items():
        place = Place(
            note_id=note_id, actor_id=org.uri, author_name=org.name, page_url=f"{org.origin}/alerts/",
            reference="–", sister_urls=(), published=now, updated=None, to=(), cc=(),
            translation_of=None if language == alert.text.language else note_ids[alert.text.language],
            translations=tuple(each for each in note_ids.items() if each[0] != language),
        )  # fmt: skip
        found.append(Preview(language, str(alert_rules.render(alert, language, place)["content"])))
    return tuple(found)

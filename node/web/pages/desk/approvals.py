"""Looking at what waits, and saying yes or no: one tick for each thing that was looked at, and what changed since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import approvals as rules
from node.alerts import parse_input
from node.approvals import Word
from node.desk import approvals as acts
from node.errors import RefusedError
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject
from node.media import JPEG
from node.models import approvals as rows
from node.models import contacts
from node.people import APPROVALS, NETWORK
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of

T = TypeVar("T")
_DONE = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request in a list."""

    path: str
    state: str
    made: datetime
    yes: int
    needed: int
    sister: bool
    urgent: bool
    mine: bool
    review_by: datetime | None
    outcome: str
    held: datetime | None
    """It is not sent before this moment."""
    sendable: bool
    """That moment has come: somebody must send it."""


@dataclass(frozen=True, slots=True)
class SisterView:
    """A sister's request in a list."""

    path: str
    name: str
    sent: datetime
    urgent: bool
    review: bool
    answered: bool


async def index(request: Request) -> Response:
    """What waits here, what sisters ask, and what was settled lately."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, secrets = site_of(request), secrets_of(session)

    def read(connection: Connection) -> dict[str, Any]:
        org = session.organisation.did
        names = {member.did: member.name for member in contacts.members_of(connection, org, all_states=True)}
        asked = acts.sister_requests(connection, session.organisation, secrets, site.clock())
        found = rows.of_state(connection, org, *rules.STATES)
        waits = [row for row in found if row.request.state == rules.WAITING or row.held]
        settled = [row for row in found if row not in waits]
        return {
            "waiting": [_waiting(connection, session, row, site.clock()) for row in waits],
            "settled": [_waiting(connection, session, row, site.clock()) for row in settled[:_DONE]],
            "sisters": [_asked(each, names) for each in asked],
        }

    found = await site.database.read(read)
    return desk.page(request, session, session.organisation, "desk/approvals.html", **found)


async def one(request: Request) -> Response:
    """One request, to be looked at."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    return session if isinstance(session, Response) else await _show(request, session)


async def picture(request: Request) -> Response:
    """One picture of what waits, for this session."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    if isinstance(session, Response):
        return session
    work = partial(
        acts.picture, organisation=session.organisation, name=request.path_params["request"],
        number=request.path_params["number"], secrets=secrets_of(session),
    )  # fmt: skip
    try:
        full, small = await site_of(request).database.read(work)
    except RefusedError:
        return desk.refused(request, session, "no such picture here", 404)
    return _bytes((small if request.path_params["size"] == "small" else full).raw)


async def speak(request: Request) -> Response:
    """Yes, no, an emergency; or what was held back is sent."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, name, fields = site_of(request), request.path_params["request"], session.fields
    if fields.one("emergency"):
        work: Callable[[Connection], object] = partial(
            acts.override, organisation=session.organisation, key=site.keyring.organisation(session.organisation.did),
            person=session.person, name=name, reason=fields.one("reason"), secrets=secrets_of(session),
            now=site.clock(), fresh=True,
        )  # fmt: skip
    elif fields.one("send"):
        work = partial(
            acts.send_held, organisation=session.organisation, person=session.person, name=name,
            secrets=secrets_of(session), now=site.clock(), fresh=True,
        )  # fmt: skip
    else:
        work = partial(
            acts.speak, organisation=session.organisation, person=session.person, name=name, word=_word(session),
            secrets=secrets_of(session), now=site.clock(), fresh=True,
        )  # fmt: skip
    done = await _try(request, session, work)
    return done if isinstance(done, Response) else desk.go(request, "/desk/approvals")


async def sister(request: Request) -> Response:
    """A sister's request, to be looked at."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    if isinstance(session, Response):
        return session
    found = await _sister(request, session)
    if found is None:
        return desk.refused(request, session, "no such request here", 404)
    here = request.scope["path"]
    small = [f"{here}/pictures/{number}" if raw else "" for number, raw in enumerate(found.thumbnails, 1)]
    return _page(
        request, session, found.shown, changed={}, digest=found.digest, request_state=rules.WAITING,
        review=found.review, may_speak=not found.answered, may_override=False, urgent=found.urgent, replaces="",
        small=small, full=[],
    )  # fmt: skip


async def sister_picture(request: Request) -> Response:
    """A thumbnail that a sister sent."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    if isinstance(session, Response):
        return session
    found, number = await _sister(request, session), request.path_params["number"]
    if found is None or not 0 < number <= len(found.thumbnails) or not found.thumbnails[number - 1]:
        return desk.refused(request, session, "no such picture here", 404)
    return _bytes(found.thumbnails[number - 1])


async def answer_sister(request: Request) -> Response:
    """Our word for a sister."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, found = site_of(request), await _sister(request, session)
    if found is None:
        return desk.refused(request, session, "no such request here", 404)
    work = partial(
        acts.answer_sister, organisation=session.organisation,
        key=site.keyring.organisation(session.organisation.did), person=session.person, letter_id=found.letter,
        word=_word(session), secrets=secrets_of(session), now=site.clock(), fresh=True,
    )  # fmt: skip
    done = await _try(request, session, work)
    if isinstance(done, Response):
        return done
    return desk.go(request, "/desk/approvals")


async def _show(request: Request, session: Session) -> Response:
    name = request.path_params["request"]
    work = partial(
        acts.look, organisation=session.organisation, person=session.person, name=name, secrets=secrets_of(session)
    )
    brief = await _try(request, session, work)
    if isinstance(brief, Response):
        return brief
    asked, own = brief.row.request, session.organisation.did
    said = {(each.org, each.by) for each in brief.words}
    mine = asked.author == session.person.id
    hurry = asked.urgent and bool(said) and not rules.is_presumed(brief.shown)
    waits = asked.state == rules.WAITING and not mine and session.person.id not in asked.subjects
    return _page(
        request, session, brief.shown, changed=brief.changed, digest=asked.digest, request_state=asked.state, review="",
        small=_paths(brief, "small"), full=_paths(brief, "full"),
        may_speak=waits and (own, session.person.id) not in said,
        may_override=asked.state == rules.WAITING and hurry, urgent=asked.urgent,
        replaces=brief.row.replaces,
    )  # fmt: skip


def _page(request: Request, session: Session, shown: JsonObject, **views: Any) -> Response:
    """What whoever asks sent, read as an alert: a sister's words are a stranger's until they are."""
    if shown.get("restate"):
        said = _said(shown)
        return desk.page(request, session, session.organisation, "desk/approval_restate.html", said=said, **views)
    try:
        alert = parse_input(shown)
    except RefusedError as error:
        return desk.refused(request, session, f"what was sent cannot be read as an alert: {error}")
    return desk.page(
        request, session, session.organisation, "desk/approval.html", alert=alert, beside=rules.also_public(shown),
        **views,
    )  # fmt: skip


def _said(shown: JsonObject) -> dict[str, str]:
    """Words that are to stand above an alert, with what they stand above; nothing but texts."""
    names = ("restate", "headline", "language", "text", "result", "attribution", "audience", "by", "day")
    return {name: str(shown.get(name, ""))[: rules.MAX_REASON * 10] for name in names}


def _paths(brief: acts.Brief, size: str) -> list[str]:
    """Where this session finds the pictures; nowhere once it is settled."""
    number = 0 if brief.row.package is None else len(brief.shown.get("media") or ())
    return [f"/desk/approvals/{brief.row.request.id}/{size}/{at}" for at in range(1, number + 1)]


def _bytes(raw: bytes) -> Response:
    """A picture for one session: kept by nobody, and nothing but a picture."""
    answer = desk.inert(Response(raw, media_type=JPEG))
    answer.headers["content-security-policy"] = "default-src 'none'; sandbox"
    answer.headers["x-content-type-options"] = "nosniff"
    return answer


async def _sister(request: Request, session: Session) -> acts.SisterRequest | None:
    site, token, author = site_of(request), request.path_params["token"], request.path_params["did"]
    wanted = str(ids.Portable(author, f"/letters/{token}"))
    found = await site.database.read(
        lambda connection: acts.sister_requests(connection, session.organisation, secrets_of(session), site.clock())
    )
    return next((each for each in found if each.letter == wanted), None)


def _waiting(connection: Connection, session: Session, row: rows.Row, now: datetime) -> Waiting:
    asked = row.request
    words = rows.words_of(connection, session.organisation.did, asked.id)
    return Waiting(
        path=f"/desk/approvals/{asked.id}", state=asked.state, made=asked.made,
        yes=sum(each.verdict == rules.YES for each in words), needed=asked.needed, sister=asked.sister,
        urgent=asked.urgent, mine=asked.author == session.person.id, review_by=row.review_by, outcome=row.outcome,
        held=row.due if row.held or asked.state == rules.WAITING else None,
        sendable=row.held and row.due is not None and row.due <= now,
    )  # fmt: skip


def _asked(asked: acts.SisterRequest, names: dict[str, str]) -> SisterView:
    path = f"/desk/sisters/{asked.letter.rpartition('/')[2]}/{asked.author}"
    name = names.get(asked.author, asked.author)
    return SisterView(path, name, asked.sent, asked.urgent, bool(asked.review), asked.answered)


def _word(session: Session) -> Word:
    fields = session.fields
    verdict = rules.YES if fields.one("word") == rules.YES else rules.NO
    ticks = frozenset(tick for tick in rules.TICKS if fields.one(f"tick-{tick}"))
    return Word("", "", verdict, fields.one("digest"), ticks, fields.one("reason")[: rules.MAX_REASON], datetime.min)


def secrets_of(session: Session) -> tuple[str, ...]:
    """What this session opens of what waits: it rests with the network while nobody is in the other room."""
    return (*session.secrets.get(APPROVALS, ()), *session.secrets.get(NETWORK, ()))


async def _try(request: Request, session: Session, work: Callable[[Connection], T]) -> T | Response:
    try:
        return await desk.write(request, session, work)
    except RefusedError as error:
        return desk.refused(request, session, str(error))

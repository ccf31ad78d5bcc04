"""Replies that are held for review, in the browser: neutral lines first, every text closed until somebody opens it.

Nothing here is fetched from elsewhere, and no address that a stranger gave is a link. What leaves (a case, a file, a
report) and what cannot be taken back has a page of its own that says who will see it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import replies as rules
from node import reply_reviews
from node.desk import replies as acts
from node.desk import reply_exports as exports
from node.desk.replies import Line, Opened
from node.errors import RefusedError
from node.federation.replies import FULL
from node.models import alerts, documents, people
from node.people import APPROVALS, Person
from node.web import desk
from node.web.desk import Session
from node.web.pages.public import missing_page
from node.web.site import site_of

_PAGE = "/desk/replies"
_FRESH = frozenset({"destroy", "export"})
_WAYS = ("case", "report", "block", "export", "destroy")


@dataclass(frozen=True, slots=True)
class AboutView:
    """What a reply answers. Its path is empty where that is not shown here any more, or where it mentions us only."""

    headline: str
    language: str
    path: str
    mention: bool


@dataclass(frozen=True, slots=True)
class LineView:
    """One reply in a list."""

    path: str
    about: AboutView
    hour: datetime
    state: str
    suspect: bool
    asked: bool
    deleted: bool
    due: datetime | None


@dataclass(frozen=True, slots=True)
class ReplyView:
    """One reply, with what colleagues said of it."""

    line: LineView
    version: int
    opened: Opened
    said: tuple[tuple[str, str, datetime], ...]
    """(name, verdict, hour)."""
    asked: str
    """The name of the colleague who is asked to look."""
    destroy: tuple[str, ...]
    """Names of those who want it destroyed."""
    mine: bool
    """Whoever is in session is asked to look at it."""
    wanted: bool
    """Whoever is in session wants it destroyed already."""
    colleagues: tuple[Person, ...]


async def index(request: Request) -> Response:
    """What is held, and who is blocked."""
    session = await desk.signed_in(request, act=acts.ACT)
    return session if isinstance(session, Response) else await _index(request, session)


async def unblock(request: Request) -> Response:
    """Take somebody's replies again."""
    session = await desk.signed_in(request, act=acts.ACT)
    if isinstance(session, Response):
        return session
    work = partial(acts.unblock, by=session.person, tag=session.fields.one("tag"), now=site_of(request).clock())
    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _index(request, session, problem="; ".join(error.reasons))
    return desk.go(request, _PAGE)


async def one(request: Request) -> Response:
    """One reply; its text is closed."""
    session = await desk.signed_in(request, act=acts.ACT)
    return session if isinstance(session, Response) else await _one(request, session)


async def act(request: Request) -> Response:
    """What is done without a page of its own: a verdict, asking a colleague, keeping as evidence."""
    session = await desk.signed_in(request, act=acts.ACT)
    if isinstance(session, Response):
        return session
    fields, name = session.fields, request.path_params["reply"]
    chosen = fields.one("act")
    work: Callable[..., Any]
    if chosen == "ask":
        work = partial(acts.ask, whom=fields.one("person"))
    elif chosen == "evidence":
        work = acts.keep
    else:
        work = partial(acts.judge, verdict=chosen)
    try:
        await desk.write(request, session, partial(work, **_who(request, session)))
    except RefusedError as error:
        return await _one(request, session, problem="; ".join(error.reasons))
    return desk.go(request, _PAGE if chosen in (reply_reviews.HARMLESS, reply_reviews.SPAM) else f"{_PAGE}/{name}")


async def way_form(request: Request) -> Response:
    """What an act will do and who will see it, before it is done."""
    way = request.path_params["way"]
    session = await desk.signed_in(request, act=acts.ACT, fresh_factor=way in _FRESH)
    return session if isinstance(session, Response) else await _way(request, session, way)


async def take_way(request: Request) -> Response:
    """Do it."""
    way = request.path_params["way"]
    session = await desk.signed_in(request, act=acts.ACT, fresh_factor=way in _FRESH)
    if isinstance(session, Response):
        return session
    if way not in _WAYS:
        return desk.inert(missing_page(site_of(request), request, session.organisation, 404))
    try:
        return await _DO[way](request, session)
    except RefusedError as error:
        return await _way(request, session, way, problem="; ".join(error.reasons))


# --- the acts with a page of their own ----------------------------------------------------------------------------


async def _case(request: Request, session: Session) -> Response:
    case = await desk.write(request, session, partial(exports.begin_case, **_who(request, session)))
    return desk.go(request, f"/desk/cases/{case}" if session.person.may("cases") else _here(request))


async def _report(request: Request, session: Session) -> Response:
    organisation = session.organisation
    key = site_of(request).keyring.organisation(organisation.did)
    work = partial(exports.report, organisation=organisation, key=key, **_who(request, session))
    await desk.write(request, session, work)
    return desk.go(request, _here(request))


async def _block(request: Request, session: Session) -> Response:
    whom = session.fields.one("whom")
    if whom not in ("author", "host"):
        raise RefusedError("choose whom to block")

    def work(connection: Connection) -> None:
        held = acts.open_reply(connection, session.person.org, request.path_params["reply"], _secrets(session))
        blocked = held.blocks[whom]
        acts.block(connection, session.person, blocked, site_of(request).clock())

    await desk.write(request, session, work)
    return desk.go(request, _PAGE)


async def _export(request: Request, session: Session) -> Response:
    recipient = session.fields.one("recipient")
    if not recipient and not session.fields.one("sure"):
        raise RefusedError("give an age key, or tick that the file may be read by anybody who has it")
    work = partial(exports.export, recipient=recipient, **_who(request, session))
    name, data = await desk.write(request, session, work)
    kept = f'attachment; filename="{name}"'
    return desk.inert(Response(data, headers={"content-disposition": kept}, media_type="application/octet-stream"))


async def _destroy(request: Request, session: Session) -> Response:
    gone = await desk.write(request, session, partial(acts.destroy, **_who(request, session)))
    if gone:
        await site_of(request).database.scrub()
    return desk.go(request, _PAGE if gone else _here(request))


_DO: Mapping[str, Callable[[Request, Session], Awaitable[Response]]] = MappingProxyType(
    {"case": _case, "report": _report, "block": _block, "export": _export, "destroy": _destroy}
)


def _who(request: Request, session: Session) -> dict[str, Any]:
    version = session.fields.one("version")
    return {
        "by": session.person, "secrets": _secrets(session), "name": request.path_params["reply"],
        "version": int(version) if version.isdecimal() and len(version) < 10 else 0, "now": site_of(request).clock(),
    }  # fmt: skip


def _secrets(session: Session) -> tuple[str, ...]:
    return session.secrets.get(APPROVALS, ())


def _here(request: Request) -> str:
    return f"{_PAGE}/{request.path_params['reply']}"


# --- what is shown ------------------------------------------------------------------------------------------------


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    person, secrets = session.person, _secrets(session)

    def read(connection: Connection) -> dict[str, Any]:
        found = acts.board(connection, person, secrets)
        return {
            "mine": [_line(connection, person.org, each) for each in found.mine],
            "groups": [
                (state, [_line(connection, person.org, each) for each in found.by_state[state]])
                for state in rules.STATES
            ],
            "counts": found.counts,
            "blocked": acts.blocked(connection, person.org, secrets),
            "dropped": documents.counted(connection, person.org).get(FULL, 0),
        }

    shown = await site_of(request).database.read(read)
    return desk.page(
        request, session, session.organisation, "desk/replies.html", status=409 if problem else 200, problem=problem,
        opens=bool(secrets), **shown,
    )  # fmt: skip


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    try:
        view = await _read(request, session)
    except RefusedError as error:
        return await _index(request, session, problem="; ".join(error.reasons))
    return desk.page(
        request, session, session.organisation, "desk/reply.html", status=409 if problem else 200, problem=problem,
        view=view, verdicts=reply_reviews.VERDICTS, ways=_ways(view),
    )  # fmt: skip


async def _way(request: Request, session: Session, way: str, *, problem: str = "") -> Response:
    view = None
    with suppress(RefusedError):
        view = await _read(request, session)
    if view is None or way not in _ways(view):
        return desk.inert(missing_page(site_of(request), request, session.organisation, 404))
    return desk.page(
        request, session, session.organisation, "desk/reply_way.html", status=409 if problem else 200, problem=problem,
        view=view, way=way, typed=session.fields,
    )  # fmt: skip


def _ways(view: ReplyView) -> tuple[str, ...]:
    """What may be done from the page of this reply."""
    evidence, case = view.line.state == rules.EVIDENCE, view.opened.review.case
    hidden = {"export": not evidence, "case": bool(case), "destroy": view.wanted}
    return tuple(way for way in _WAYS if not hidden.get(way))


async def _read(request: Request, session: Session) -> ReplyView:
    person, secrets = session.person, _secrets(session)

    def read(connection: Connection) -> ReplyView:
        held = acts.open_reply(connection, person.org, request.path_params["reply"], secrets)
        names = {each.id: each.name for each in people.all_of(connection, person.org)}
        asked = held.review.asked
        return ReplyView(
            line=_line(connection, person.org, Line(held.row, held.suspect, asked == person.id)),
            version=held.row.version, opened=held,
            said=tuple((names.get(each.by, ""), each.verdict, each.hour) for each in held.review.verdicts),
            asked=names.get(asked, ""), destroy=tuple(names.get(each, "") for each in held.review.destroy),
            mine=asked == person.id, wanted=person.id in held.review.destroy,
            colleagues=acts.colleagues(connection, person),
        )  # fmt: skip

    return await site_of(request).database.read(read)


def _line(connection: Connection, org: str, line: Line) -> LineView:
    row = line.row
    found = alerts.find(connection, org, row.about) if row.about else None
    about = (
        AboutView(found.headline, found.language, f"/alerts/{found.page}", False)
        if found is not None
        else AboutView("", "", "", not row.about)
    )
    return LineView(
        f"{_PAGE}/{row.name}", about, row.hour, row.state, line.suspect, row.asked, row.deleted, row.due
    )

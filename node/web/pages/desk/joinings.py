"""Requests to join a network, in the browser of a sponsor: who asks, until when an answer is promised, and the answer.

Everybody in session whose keys open it reads it; coordinators answer, with a fresh second factor.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import joinings as rules
from node.desk import joinings as acts
from node.desk.joinings import Waiting
from node.desk.networks import Desk
from node.errors import RefusedError
from node.joinings import Asking
from node.models import contacts
from node.models import networks as network_rows
from node.people import COORDINATOR, NETWORK
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of

_PAGE = "/desk/joinings"


@dataclass(frozen=True, slots=True)
class JoiningCard:
    """One in the list."""

    path: str
    name: str
    """Who asks; empty where this session does not open it."""
    due: datetime
    overdue: bool
    answered: datetime | None
    by: str
    """Who answered first."""


@dataclass(frozen=True, slots=True)
class JoiningView:
    """One, whole."""

    card: JoiningCard
    network: dict[str, str]
    asked: datetime
    host: str
    """On whose page it was asked; empty where it was on ours."""
    asking: Asking | None
    sponsors: tuple[str, ...]
    ours: bool
    """Whether it is ours to answer."""


def cards(connection: Connection, session: Session, now: datetime) -> list[JoiningCard]:
    """Every one that is here, as far as this session opens it."""
    secrets = session.secrets.get(NETWORK, ())
    found = acts.current(connection, session.organisation, secrets)
    return [_card(connection, session, each, now) for each in found]


async def one(request: Request) -> Response:
    """One request to join."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _one(request, session)


async def answer(request: Request) -> Response:
    """Invite, or decline."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True)
    if isinstance(session, Response):
        return session
    name, fields, site = request.path_params["joining"], session.fields, site_of(request)

    def work(connection: Connection) -> object:
        key = site.keyring.organisation(session.organisation.did)
        mine = Desk(connection, session.organisation, key, site.clock())
        if fields.one("do") == "invite":
            return acts.invite(mine, name, fields.one("words"))
        return acts.decline(mine, name, fields.one("reason"), fields.one("words"))

    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _one(request, session, problem="; ".join(error.reasons))
    return desk.go(request, f"{_PAGE}/{name}")


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    view = await site_of(request).database.read(
        partial(_view, session=session, name=request.path_params["joining"], now=site_of(request).clock())
    )
    if view is None:
        return desk.refused(request, session, "no such request to join here", 404)
    return desk.page(
        request, session, session.organisation, "desk/joining.html", status=409 if problem else 200, problem=problem,
        view=view, may_act=COORDINATOR in session.person.counting, reasons=rules.REASONS, most=rules.MAX_WORDS,
        typed=session.fields,
    )  # fmt: skip


def _view(connection: Connection, *, session: Session, name: str, now: datetime) -> JoiningView | None:
    found = acts.find(connection, session.organisation, name, session.secrets.get(NETWORK, ()))
    if found is None:
        return None
    row = found.row
    joined = network_rows.find(connection, session.organisation.did, row.network)
    return JoiningView(
        _card(connection, session, found, now), joined.names if joined else {}, row.asked,
        "" if found.here else _named(connection, session, row.host), found.asking,
        tuple(_named(connection, session, did) for did in row.sponsors), row.sealed is not None,
    )  # fmt: skip


def _card(connection: Connection, session: Session, each: Waiting, now: datetime) -> JoiningCard:
    return JoiningCard(
        f"{_PAGE}/{each.row.id}", each.asking.name if each.asking else "", each.row.due, each.is_overdue(now),
        each.row.answered, _named(connection, session, each.row.by),
    )  # fmt: skip


def _named(connection: Connection, session: Session, did: str) -> str:
    if did == session.organisation.did or not did:
        return session.organisation.name if did else ""
    member = contacts.member(connection, session.organisation.did, did)
    return member.name if member is not None else did

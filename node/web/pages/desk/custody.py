"""What we are custodians of: wanting an alert withdrawn in its author's place, when the author cannot any more."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk import custody
from node.errors import RefusedError
from node.models import contacts, documents
from node.people import APPROVALS, NETWORK
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of

_PAGE = "/desk/custody"


@dataclass(frozen=True, slots=True)
class Entrusted:
    """One alert that its author left with us."""

    about: str
    page: str
    """The last part of its public page's address."""
    author: str
    threshold: int
    wanting: tuple[tuple[str, str], ...]
    """Who wants it withdrawn, and why."""
    ours: bool
    """We have said so."""
    withdrawn: bool


async def index(request: Request) -> Response:
    """Everything that lies with us, and who wants what withdrawn."""
    session = await desk.signed_in(request, act="approve")
    return session if isinstance(session, Response) else await _index(request, session)


async def release(request: Request) -> Response:
    """We want it withdrawn: asked with a tick, a reason, and a fresh second factor."""
    session = await desk.signed_in(request, act="approve", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, fields, organisation = site_of(request), session.fields, session.organisation
    if not fields.one("sure"):
        return await _index(request, session, problem="tick that you want it withdrawn")
    work = partial(
        custody.release, organisation=organisation, key=site.keyring.organisation(organisation.did),
        name=fields.one("about"), secret=_secrets(session), why=fields.one("why"), now=site.clock(),
        dead_after=timedelta(seconds=site.settings.dead_after), author_asked=bool(fields.one("asked")),
        person=session.person.id,
    )  # fmt: skip
    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _index(request, session, problem="; ".join(error.reasons))
    return desk.go(request, _PAGE)


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    organisation = session.organisation

    def read(connection: Connection) -> list[Entrusted]:
        members = contacts.members_of(connection, organisation.did, all_states=True)
        names = {each.did: each.name for each in members} | {organisation.did: organisation.name}
        held = custody.held_by(connection, organisation, _secrets(session))
        return [_view(each, names, organisation.did) for each in held]

    found = await site_of(request).database.read(read)
    status = 409 if problem else 200
    views: dict[str, Any] = {"entrusted": found, "problem": problem}
    return desk.page(request, session, organisation, "desk/custody.html", status=status, **views)


def _view(held: custody.Held, names: dict[str, str], own: str) -> Entrusted:
    words = {each.by: each.why for each in held.asked}
    return Entrusted(
        about=held.about, page=documents.page_name(held.about), author=names.get(held.author, held.author),
        threshold=held.deposits[0].threshold,
        wanting=tuple((names.get(did, did), words.get(did, "")) for did in held.wanting),
        ours=own in held.wanting, withdrawn=held.withdrawn,
    )  # fmt: skip


def _secrets(session: Session) -> tuple[str, ...]:
    """What lies with us rests with the network while nobody is in the other room."""
    return (*session.secrets.get(APPROVALS, ()), *session.secrets.get(NETWORK, ()))

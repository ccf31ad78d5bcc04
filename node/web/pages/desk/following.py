"""Accounts that we follow, at the desk; of those who follow us, one number.

Coordinators follow and unfollow. To follow calls the other server, outside of any transaction.
"""

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk import members
from node.desk.members import Followed
from node.errors import NodeError, RefusedError
from node.models import contacts
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import acting
from node.web.site import site_of

_PAGE = "/desk/following"


async def index(request: Request) -> Response:
    """Whom we follow, and the form to follow another."""
    session = await desk.signed_in(request, act="trust")
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Follow or unfollow."""
    session = await desk.signed_in(request, act="trust", fresh_factor=True)
    if isinstance(session, Response):
        return session
    try:
        await _take(request, session)
    except NodeError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    return desk.go(request, _PAGE)


async def _take(request: Request, session: Session) -> None:
    site, organisation, now = site_of(request), session.organisation, site_of(request).clock()
    key, name = site.keyring.organisation(organisation.did), session.fields.one("name")[:500]
    match session.fields.one("do"):
        case "follow" if name:
            actor = await acting.call(members.find_actor(site.discovery, organisation, name))
            await acting.do(
                request, session, "trust", "follow", organisation.did,
                lambda connection: members.ask(connection, organisation, key, actor, now),
            )  # fmt: skip
        case "unfollow":
            await acting.do(
                request, session, "trust", "unfollow", organisation.did,
                lambda connection: members.unfollow(connection, organisation, key, name, now),
            )  # fmt: skip
        case _:
            raise RefusedError("write a handle, such as @alerts@host, or an address")


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    organisation = session.organisation

    def read(connection: Connection) -> dict[str, Any]:
        followed: tuple[Followed, ...] = members.followed(connection, organisation)
        return {"followed": followed, "followers": contacts.count_followers(connection, organisation.did)}

    shown = await site_of(request).database.read(read)
    return desk.page(
        request, session, organisation, "desk/following.html", status=409 if problem else 200, problem=problem,
        fresh=acting.is_fresh(request, session), typed=session.fields, **shown,
    )  # fmt: skip

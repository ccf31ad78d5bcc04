"""Keeping a place on this node for another organisation: what that means, the link to hand over, and who lives here."""

from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk import hosting
from node.errors import RefusedError
from node.models import hostings, organisations
from node.models.hostings import Hosting
from node.models.organisations import ORGANISATION, Organisation
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of


async def index(request: Request) -> Response:
    """The places that are kept, and the form for another."""
    session = await desk.signed_in(request, act="people")
    return session if isinstance(session, Response) else await _show(request, session)


async def take(request: Request) -> Response:
    """Keep a place, or keep it no longer."""
    session = await desk.signed_in(request, act="people", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, org, given = site_of(request), session.organisation, session.fields
    if given.one("drop"):
        host = given.one("drop")
        await desk.write(request, session, lambda connection: hostings.drop(connection, org.did, host))
        return desk.go(request, "/desk/hosting")
    work = partial(
        hosting.keep_place, organisation=org, by=session.person, host=given.one("host"), now=site.clock(),
        loopback=site.settings.loopback_allowed,
    )  # fmt: skip
    try:
        made = await desk.write(request, session, work)
    except RefusedError as error:
        return await _show(request, session, problem=str(error))
    return await _show(request, session, made=made[0])


async def _show(request: Request, session: Session, *, problem: str = "", made: str = "") -> Response:
    site, org = site_of(request), session.organisation.did

    def read(connection: Connection) -> tuple[tuple[Hosting, ...], tuple[Organisation, ...]]:
        living = tuple(each for each in organisations.all_of(connection) if each.kind == ORGANISATION)
        return hostings.of(connection, org, site.clock()), living

    kept, living = await site.database.read(read)
    return desk.page(
        request, session, session.organisation, "desk/hosting.html", kept=kept, living=living, problem=problem,
        made=made, status=409 if problem else 200,
    )  # fmt: skip

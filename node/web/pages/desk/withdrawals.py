"""What became of withdrawals, for their author's own people: which server took them, signed for them, or is silent."""

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk import withdrawals
from node.desk.withdrawals import Board
from node.errors import RefusedError
from node.models import withdrawals as rows
from node.web import desk
from node.web.pages.public import missing_page
from node.web.site import site_of
from node.withdrawals import counts


async def index(request: Request) -> Response:
    """What was withdrawn, newest first; no word of what it said."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    org = session.organisation.did
    found = await site_of(request).database.read(lambda connection: rows.newest(connection, org))
    return desk.page(request, session, session.organisation, "desk/withdrawals.html", withdrawn=found)


async def board(request: Request) -> Response:
    """The board of one withdrawal."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    organisation, name = session.organisation, request.path_params["page"]

    def read(connection: Connection) -> Board | None:
        try:
            return withdrawals.board(connection, organisation, name)
        except RefusedError:
            return None

    found = await site_of(request).database.read(read) if ":" not in name else None
    if found is None:
        return desk.inert(missing_page(site_of(request), request, organisation, 404))
    return desk.page(
        request, session, organisation, "desk/withdrawal.html", board=found, counts=counts(found.servers)
    )

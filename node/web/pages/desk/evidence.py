"""Evidence, refusals and reports at the desk: each with its rule or kind, and a sentence of what to do.

Coordinators read it. Of what was refused the type, the rule and the host stand here, never what it said.
"""

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk import evidence as acts
from node.models import documents, sightings
from node.models.organisations import Organisation
from node.web import desk
from node.web.pages.public import missing_page
from node.web.site import site_of

_PAGE = "/desk/evidence"
_MOST_PAGES = 10_000

_Reader = Callable[[Connection, Organisation, int], tuple[tuple[Any, ...], bool]]


async def index(request: Request) -> Response:
    """What was seen of members' logs and hosts that should not be."""
    return await _list(request, "seen", acts.seen, _PAGE)


async def refusals(request: Request) -> Response:
    """What others sent and this node refused."""
    return await _list(request, "refusals", acts.refusals, f"{_PAGE}/refusals")


async def reports(request: Request) -> Response:
    """What other servers report."""
    return await _list(request, "reports", acts.reports, f"{_PAGE}/reports")


async def document(request: Request) -> Response:
    """One piece of evidence as JSON, to be handed on: it names no text."""
    session = await desk.signed_in(request, act="trust")
    if isinstance(session, Response):
        return session
    org, number = session.organisation.did, request.path_params["number"]
    found = await site_of(request).database.read(
        lambda connection: documents.one_evidence(connection, org, min(number, 2**53))
    )
    if found is None or not found.document:
        return desk.inert(missing_page(site_of(request), request, session.organisation, 404))
    value = orjson.loads(found.document) | {"proven": found.proven, "by": found.by or org}
    raw = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    headers = {"content-disposition": f'attachment; filename="evidence-{found.id}.json"'}
    return desk.inert(Response(raw, headers=headers, media_type="application/json"))


async def _list(request: Request, what: str, read: _Reader, path: str) -> Response:
    session = await desk.signed_in(request, act="trust")
    if isinstance(session, Response):
        return session
    organisation, number = session.organisation, request.path_params.get("number", 1)
    if not 1 <= number <= _MOST_PAGES:
        return desk.inert(missing_page(site_of(request), request, organisation, 404))

    def look(connection: Connection) -> dict[str, Any]:
        found, more = read(connection, organisation, number)
        return {
            "found": found, "total": sightings.total(connection, organisation.did),
            "older": f"{path}/page/{number + 1}" if more else "",
        }  # fmt: skip

    shown = await site_of(request).database.read(look)
    if number > 1 and not shown["found"]:
        return desk.inert(missing_page(site_of(request), request, organisation, 404))
    newer = "" if number == 1 else path if number == 2 else f"{path}/page/{number - 1}"
    return desk.page(request, session, organisation, "desk/evidence.html", what=what, newer=newer, **shown)

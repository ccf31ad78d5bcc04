"""Pictures by digest, for anybody who asks: only while an object that is shown needs them.

The answer is what it says it is and nothing else: the type that its bytes showed when they were taken in, no guessing,
and a policy that lets nothing in it run. Its name is its digest, so it never changes; but it may be withdrawn, so a
cache in between asks again after five minutes, and a reader's own after a day.

Spec: FEP-ef61; RFC 9110 §13.1.2
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import log
from node.federation.protocol import digests
from node.media import Medium, is_name
from node.models import media, organisations
from node.web.site import Site, problem, site_of

_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "cache-control": "public, max-age=86400, s-maxage=300, immutable, no-transform",
        "content-security-policy": "default-src 'none'; sandbox",
    }
)


async def get_file(request: Request) -> Response:
    """One file: 410 when what it belonged to is gone, 404 for anything else that is not shown here."""
    site, digest = site_of(request), request.path_params["digest"]
    if not is_name(digest):
        return problem(404, "not here")
    medium, gone = await site.database.read(lambda connection: _find(connection, digest))
    if medium is None:
        return problem(410 if gone else 404, "not here")
    headers = {**_HEADERS, "etag": f'"{digest}"'}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    raw = await asyncio.to_thread(site.storage.get, digest)
    if raw is None or await asyncio.to_thread(digests.multibase, raw) != digest:
        await _lost(site, digest)
        return problem(404, "not here")
    return Response(raw, headers=headers, media_type=medium.media_type)


def _find(connection: Connection, digest: str) -> tuple[Medium | None, bool]:
    gone = False
    for organisation in organisations.all_of(connection):
        found = media.shown(connection, organisation.did, digest)
        if found is not None:
            return found, False
        gone = gone or media.was_shown(connection, organisation.did, digest)
    return None, gone


async def _lost(site: Site, digest: str) -> None:
    """The disk lost or changed it: it is fetched again."""
    log.warning("media.lost", digest=digest)

    def write(connection: Connection) -> None:
        site.storage.remove(digest)
        for organisation in organisations.all_of(connection):
            media.miss(connection, organisation.did, digest, site.clock())

    await site.database.write(write)

"""Bringing an organisation back on an empty node, from a backup: for whoever has the link that `serve` printed.

Rules, in order:
1. The link is that of the set-up, on a node where nobody lives; a place that is kept for another organisation is none.
   A form comes from a page of ours (Origin).
2. The backup goes into a file without a name, is opened through a pipe, and is read into a folder of its own. What is
   in it is shown before anything is put in place.
3. Somebody in it answers at the address at which this page was opened: else nobody could sign in.
4. It is put in place when the process begins anew (`desk/restoring`). Publishing is on hold then, and no alert is
   shown, until the members said what was withdrawn meanwhile.
"""

import asyncio
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response

from node.desk import restoring
from node.desk.restoring import Restored
from node.errors import NodeError, ProtocolError, RefusedError
from node.web import desk
from node.web.middleware import FORM_POLICY
from node.web.pages import public, setup
from node.web.pages.desk import acting
from node.web.setups import SetUp
from node.web.site import site_of
from node.web.uploads import read_upload

MAX_BACKUP = 8 * 1024**3
"""Bytes of one backup."""
_FILE, _OPENER = "backup", "opener"


async def form(request: Request) -> Response:
    """Where the file is chosen; or what is in the one that came."""
    found = await _found(request)
    if found is None:
        return await setup.missing(request)
    return _page(request, found)


async def take(request: Request) -> Response:
    """Take the file in, or say what is to become of it."""
    found = await _found(request)
    if found is None:
        return await setup.missing(request)
    try:
        setup.check_origin(request)
        if request.headers.get("content-type", "").startswith("multipart/"):
            return await _take_file(request, found)
        fields = await desk.read_form(request)
        return await (_go_on(request, found) if fields.one("do") == "go-on" else _drop(request, found))
    except ProtocolError as error:
        return _page(request, found, error.reason, error.status)
    except NodeError as error:
        return _page(request, found, acting.reason_of(error), 409)


async def _take_file(request: Request, found: SetUp) -> Response:
    site = site_of(request)
    if site.settings.database_url:
        raise RefusedError("this node is on PostgreSQL: whoever looks after the machine puts its backups back")
    if site.packing.locked():
        raise RefusedError("a backup is just being read: wait until it is done")
    async with site.packing:
        found.restored = ()  # whatever comes of this one, what lay there before is not there any more
        fields, file = await read_upload(request, site.settings.data, _FILE, MAX_BACKUP)
        with file:
            found.restored = await asyncio.to_thread(_open, request, file, fields.get(_OPENER, ""))
    return desk.go(request, f"/setup/{request.path_params['token']}/restore")


def _open(request: Request, file: BinaryIO, opener: str) -> tuple[Restored, ...]:
    site, host = site_of(request), request.headers.get("host", "").lower()
    found = restoring.open_sealed(site.settings, file, opener.strip(), site.clock())
    origins = [each.origin for each in found]
    if host not in (each.partition("://")[2] for each in origins):
        restoring.give_up(site.settings)
        raise RefusedError(f"the organisation of this backup answers at another address ({'; '.join(origins)})")
    return found


async def _go_on(request: Request, found: SetUp) -> Response:
    """It is put in place while the process begins anew; whoever asks meanwhile waits at the socket."""
    site, done = site_of(request), found.restored
    if not done:
        raise RefusedError("begin again: what was typed is not here any more")
    await asyncio.to_thread(restoring.confirm, site.settings)
    site.setups.close(request.path_params["token"])
    site.renew()
    return _page(request, found, template="setup/restored.html")


async def _drop(request: Request, found: SetUp) -> Response:
    found.restored = ()
    await asyncio.to_thread(restoring.give_up, site_of(request).settings)
    return desk.go(request, f"/setup/{request.path_params['token']}/restore")


async def _found(request: Request) -> SetUp | None:
    site = site_of(request)
    found = site.setups.find(request.path_params["token"])
    if found is None or found.host or await site.organisations():
        return None
    return found


def _page(
    request: Request, found: SetUp, problem: str = "", status: int = 200, template: str = "setup/restore.html"
) -> Response:
    answer = public.show(
        site_of(request), request, None, template, "", noindex=True, status=status, session=None,
        problem=(problem,) if problem else (), base=f"/setup/{request.path_params['token']}", found=found.restored,
    )  # fmt: skip
    answer.headers["content-security-policy"] = FORM_POLICY
    return desk.inert(answer)

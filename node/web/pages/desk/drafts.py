"""Keeping what is typed, while it is typed: asked by the desk's script, or by a button; and letting it go."""

from starlette.requests import Request
from starlette.responses import Response

from node.errors import RefusedError
from node.web import desk, drafts

_KEPT, _NONE, _ENDED = 204, 404, 409


async def keep(request: Request) -> Response:
    """Keep the fields of a form; says nothing back but whether it was kept."""
    session = await desk.signed_in(request, limit=drafts.LIMIT)
    if isinstance(session, Response):
        return session
    try:
        kept = await drafts.keep(request, session, request.path_params["form"])
    except RefusedError:
        return desk.inert(Response(status_code=_ENDED))
    return desk.inert(Response(status_code=_KEPT if kept else _NONE))


async def drop(request: Request) -> Response:
    """Let a draft go, and begin with an empty form."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    form = request.path_params["form"]
    await drafts.drop(request, session, form)
    return desk.go(request, f"/desk/{form}")

"""What everybody gets from an organisation that its people have locked: a page that says nothing, and no inbox.

Only what it takes to open it again is left: signing in with a second factor, disabling somebody, and the page for it.
Other organisations of the same node are shown as ever; the node sends and takes in nothing for anybody while one of
them is locked, for their keys share one memory.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from node.web import desk
from node.web.pages import public
from node.web.site import Site

_LEFT = (
    "/desk/sign-in", "/desk/sign-in/shared", "/desk/sign-out", "/desk/factor", "/desk/lock", "/desk/unlock", "/healthz",
)  # fmt: skip
UNLOCK = "/desk/unlock"
_LATER = "3600"


class Shutter:
    """In front of every page while somebody is locked; else it costs one look at an empty set."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say nothing."""
        if scope["type"] != "http" or not self.site.locks.any:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        path: str = scope["path"]
        if request.method == "POST" and path.endswith("/inbox"):
            answer: Response = PlainTextResponse("later\n", 503, {"retry-after": _LATER})
        elif not self.site.locks.closes(request.headers.get("host", "").lower()) or _is_left(path):
            await self.app(scope, receive, send)
            return
        elif path == "/desk" and request.method == "GET":
            answer = desk.go(request, UNLOCK)
        else:
            answer = public.show(self.site, request, None, "errors/closed.html", "", noindex=True, status=503)
            answer.headers["retry-after"] = _LATER
            answer.headers["cache-control"] = "no-store"
        await answer(scope, receive, send)


def _is_left(path: str) -> bool:
    return path in _LEFT or path.startswith(("/static/", "/desk/people"))

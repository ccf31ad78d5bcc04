"""Pure ASGI, around every request: headers that make a page inert, and an answer when our own code fails.

Nothing here, and nothing behind it, writes an address or a user agent anywhere.
"""

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node import log
from node.web import views
from node.web.site import Site

_CSP = (
    b"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FORM_POLICY = _CSP.replace(b"form-action 'none'", b"form-action 'self'").decode()
"""For the page that has a form; an answer that brings this header keeps it."""
SCRIPT_POLICY = FORM_POLICY + "; script-src 'self'; connect-src 'self'"
"""For the pages of whoever is in session, which have the desk's one script; they work without it."""
_POLICY = b"content-security-policy"
_REFERRER = b"referrer-policy"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (_REFERRER, b"no-referrer"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Frame:
    """Adds the headers, and turns an unexpected error into a 500 with one log entry."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def framed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = list(message.get("headers", ()))
                brought = {name for name, _ in given} & {_POLICY, _REFERRER}
                ours = ((_POLICY, _CSP), *_HEADERS)
                message["headers"] = [*given, *(each for each in ours if each[0] not in brought)]
            await send(message)

        try:
            await self.app(scope, receive, framed)
        except ClientDisconnect:
            return  # they hung up before all was said: no bug of ours, and nobody is left to be answered
        except Exception as error:  # noqa: BLE001 - the one place where our own bugs are caught
            # Not the path: it may hold a token that lets somebody in, or say what somebody reads.
            log.error("web.failed", exception=error, page=getattr(scope.get("endpoint"), "__qualname__", ""))
            if not started:
                kind, body = _failure(scope)
                headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
                await framed({"type": "http.response.start", "status": 500, "headers": headers})
                await framed({"type": "http.response.body", "body": body})


def _failure(scope: Scope) -> tuple[bytes, bytes]:
    """Type and body of a 500: a page for who asked for pages, which needs nothing but the catalogues."""
    given, site = Headers(scope=scope), getattr(scope["app"].state, "site", None)
    if not isinstance(site, Site) or "text/html" not in given.get("accept", ""):
        return b"text/plain", b"The node failed; the operator can see why.\n"
    locale = site.languages.negotiate(given.get("accept-language"), None)
    return b"text/html; charset=utf-8", site.renderer.page("errors/failure.html", locale, views.Frame("", "", "/"))

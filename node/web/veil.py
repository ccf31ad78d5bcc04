"""After a restore: nothing that was said is shown before members told what was taken back meanwhile.

A backup remembers texts that were withdrawn after it was made. Until the members were asked, or a day has passed, every
address under which a text may stand answers 503; whoever we are, and what members need to talk to us, stays there.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from node.web.pages import public
from node.web.site import is_veiled, site_of

Endpoint = Callable[[Request], Awaitable[Response]]


def veiled(endpoint: Endpoint) -> Endpoint:
    """An endpoint that shows texts, behind the veil."""

    async def behind(request: Request) -> Response:
        site = site_of(request)
        if not await is_veiled(site):
            return await endpoint(request)
        organisation = await site.organisation(request)
        answer = public.show(site, request, organisation, "errors/later.html", "", noindex=True, status=503)
        answer.headers["retry-after"] = "600"
        answer.headers["cache-control"] = "no-store"
        return answer

    return behind

"""Where something is handed in confidentially and a number opens what became of it: what such pages have in common.

What is handed in is sealed before it is written anywhere, never logged, and shown to nobody on the way. Whoever asks
for an answer is heard at the same pace whether the number is right or wrong, and no address is looked at.
"""

import asyncio
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import receipts
from node.errors import ProtocolError
from node.models import cases
from node.models.organisations import Organisation
from node.receipts import Opening, Receipt
from node.web.middleware import FORM_POLICY
from node.web.pages import public
from node.web.site import Counter, Site, site_of
from node.web.uploads import parse_form, read_body

_MAX_FORM = 128 * 1024


async def new_receipt(site: Site, organisation: Organisation) -> Receipt:
    """A number, and what is kept of it."""
    make = partial(cases.make_salt, org=organisation.did, size=receipts.SALT)
    salt = await site.database.write(make)
    return await asyncio.to_thread(receipts.generate, salt)


async def opening_of(site: Site, counter: Counter, organisation: Organisation, number: str) -> Opening:
    """What a number makes: one at a time, each at the same pace, right or wrong."""
    await asyncio.sleep(counter.patience.wait(site.clock()))
    salt = await site.database.read(lambda connection: cases.salt(connection, organisation.did))
    return await asyncio.to_thread(receipts.derive, number, salt or bytes(receipts.SALT))


async def fields_of(request: Request, limit: int = _MAX_FORM) -> dict[str, str]:
    """What was written, as text.

    Raises:
        ProtocolError: 4xx, naming the rule.
    """
    body = await read_body(request, limit)
    given = parse_form(request.headers.get("content-type", ""), body)
    try:
        return {name: value.decode() for name, value in given.items()}
    except UnicodeDecodeError as error:
        raise ProtocolError("a form is UTF-8", spec="RFC 7578 §5.1.2") from error


def language_of(site: Site, request: Request, organisation: Organisation) -> str:
    """The language that somebody reads: an answer is best in it."""
    return public.locale_of(site, request, organisation).reader


def show(
    request: Request, organisation: Organisation, template: str, status: int = 200, nav: str = "request", **views: Any
) -> Response:
    """A page that no cache and no index keeps."""
    site = site_of(request)
    channels = organisation.safe_channels or site.settings.safe_channels
    answer = public.show(
        site, request, organisation, template, nav, noindex=True, status=status, channels=channels, **views
    )
    answer.headers["content-security-policy"] = FORM_POLICY
    answer.headers["cache-control"] = "no-store"
    if status == 429:
        answer.headers["retry-after"] = "60"
    return answer

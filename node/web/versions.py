"""Answers that say whether they changed: `ETag`, `Last-Modified`, and 304 to whoever has it already.

The tag is the digest of the bytes. The moment is when this process first gave out these bytes under this address, and
not a time from their content: a withdrawn alert makes the content older, and a reader would be told that nothing
changed. It is rounded down to ten minutes, and not told at all before they are over, for within them two versions would
bear one moment.

Spec: RFC 9110 §8.8, §13.1
"""

import hashlib
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

from node.alert_terms import rounded

_MOST = 2_000
"""Addresses that are remembered, by digest, for anybody makes them up; the one not asked for longest is forgotten
first."""


class Versions:
    """Which bytes were given out last under each address, and since when."""

    def __init__(self) -> None:
        self._since: OrderedDict[bytes, tuple[str, datetime]] = OrderedDict()

    def answer(self, request: Request, body: bytes, kind: str, now: datetime) -> Response:
        """The bytes, or 304."""
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        address = f"{request.headers.get('host', '')} {request.url.path}?{request.url.query}"
        since = self._changed(hashlib.sha256(address.encode()).digest(), tag, now)
        if since is not None:
            headers["last-modified"] = format_datetime(since, usegmt=True)
        if _has_it(request, tag, since):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=kind)

    def _changed(self, address: bytes, tag: str, now: datetime) -> datetime | None:
        held = self._since.pop(address, None)
        since = held[1] if held is not None and held[0] == tag else now
        self._since[address] = (tag, since)
        while len(self._since) > _MOST:
            self._since.popitem(last=False)
        return rounded(since) if rounded(since) < rounded(now) else None


def _has_it(request: Request, tag: str, since: datetime | None) -> bool:
    """Spec: RFC 9110 §13.2.2 (`If-None-Match` alone counts where there is one)."""
    wanted = request.headers.get("if-none-match")
    if wanted is not None:
        return wanted.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in wanted.split(","))
    try:
        held = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (ValueError, TypeError, OverflowError):
        return False
    return since is not None and since <= (held if held.tzinfo else held.replace(tzinfo=UTC))

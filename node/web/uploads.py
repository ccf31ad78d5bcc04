"""What anybody may hand in through a page: one file, within bounds of size, time and number.

Rules of `Uploads`, in order: at most twenty a minute; at most eight being received; one being read at a time, the
others wait for it. Rules of `read_body`: at most `limit` bytes within two minutes; what is longer is heard out, up to
8 MiB, for a browser shows an answer only when all it had to say was taken.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from starlette.requests import ClientDisconnect, Request

from node.errors import ProtocolError

A_MINUTE = 20
_RECEIVED = 8
_PATIENCE = 120.0
_HEARD_OUT = 8 * 1024 * 1024
_MAX_PARTS = 8
_BOUNDARY = re.compile(r"""multipart/form-data;.*\bboundary=(?:"([^"]{1,70})"|([!-~]{1,70}?))(?:;.*)?""", re.I)
_NAME = re.compile(rb"""\bname="([^"\r\n]{0,40})\"""")
_FORM = "RFC 7578 §4"
_MINUTE = timedelta(minutes=1)


class Uploads:
    """How many are under way; one for each site."""

    def __init__(self) -> None:
        self._begun: deque[datetime] = deque()
        self._received = 0
        self._reading = asyncio.Lock()

    @asynccontextmanager
    async def place(self, now: datetime) -> AsyncIterator[None]:
        """Room for one more.

        Raises:
            ProtocolError: 429, later there will be.

        Spec: RFC 6585 §4
        """
        while self._begun and not now - _MINUTE < self._begun[0] <= now:
            self._begun.popleft()
        if len(self._begun) >= A_MINUTE or self._received >= _RECEIVED:
            raise ProtocolError("too many files at once", spec="RFC 6585 §4", status=429)
        self._begun.append(now)
        self._received += 1
        try:
            yield
        finally:
            self._received -= 1

    def turn(self) -> asyncio.Lock:
        """To be held while a file is read and taken in: one at a time."""
        return self._reading


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a form.

    Raises:
        ProtocolError: 413 or 408.
    """
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(_PATIENCE):
            while size <= _HEARD_OUT:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                size += len(message.get("body", b""))
                if size <= limit:
                    body += message.get("body", b"")
                if not message.get("more_body", False):
                    break
    except TimeoutError as error:
        raise ProtocolError("the file came too slowly", spec="RFC 9110 §15.5.9", status=408) from error
    if size > limit:
        raise ProtocolError(f"more than {limit} bytes", spec="RFC 9110 §15.5.14", status=413)
    return bytes(body)


def parse_form(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a form by name; of two with one name the first that is not empty.

    Raises:
        ProtocolError: not multipart/form-data, or cut off.

    Spec: RFC 7578 §4, RFC 2046 §5.1.1
    """
    found = _BOUNDARY.fullmatch(content_type.strip())
    if found is None:
        raise ProtocolError("a form is multipart/form-data", spec=_FORM, status=415)
    mark = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
    first, *parts = (b"\r\n" + body).split(mark, _MAX_PARTS + 1)
    if len(parts) < 2 or len(parts) > _MAX_PARTS + 1 or not parts[-1].startswith(b"--"):
        raise ProtocolError("a form that is cut off, or has too many fields", spec=_FORM)
    fields: dict[str, bytes] = {}
    for part in parts[:-1]:
        head, blank, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None:
            raise ProtocolError("a field without a name", spec=_FORM)
        key = name[1].decode("latin-1")
        fields[key] = fields.get(key) or value
    return fields

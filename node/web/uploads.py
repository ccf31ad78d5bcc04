"""What anybody may hand in through a page: one file, within bounds of size, time and number.

Rules of `Uploads`, in order: at most twenty a minute; at most eight being received; one being read at a time, the
others wait for it. Rules of `read_body`: at most `limit` bytes within two minutes; what is longer is heard out, up to
8 MiB, for a browser shows an answer only when all it had to say was taken. `read_upload` is for one large file, which
never stands in memory.
"""

import asyncio
import re
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from starlette.requests import ClientDisconnect, Request

from node.errors import ProtocolError, RefusedError

A_MINUTE = 20
_RECEIVED = 8
_PATIENCE = 120.0
_HEARD_OUT = 8 * 1024 * 1024
_MAX_PARTS = 8
_MAX_TEXT, _MAX_HEAD = 4_096, 8_192
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


async def read_upload(
    request: Request, folder: Path, name: str, limit: int, patience: float = 3600.0
) -> tuple[dict[str, str], BinaryIO]:
    """A form with one large file, which goes to the disk as it comes.

    Args:
        folder: where a file without a name is made for it.
        name: the field that is the file; the others are short texts.
        patience: seconds that all of it may take; between two pieces of it two minutes.

    Returns:
        The other fields, and the file at its start; the caller closes it.

    Raises:
        ProtocolError: 413, 408 or 415, or it is no form.
        RefusedError: the disk is full.

    Spec: RFC 7578 §4
    """
    boundary = _BOUNDARY.fullmatch(request.headers.get("content-type", "").strip())
    if boundary is None:
        raise ProtocolError("a form is multipart/form-data", spec=_FORM, status=415)
    with ExitStack() as stack:
        file = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile(dir=folder)))
        reader = _UploadReader(boundary[1] or boundary[2], name, file)
        try:
            async with asyncio.timeout(patience):
                await _pass_on(request, reader, limit)
        except TimeoutError as error:
            raise ProtocolError("the file came too slowly", spec="RFC 9110 §15.5.9", status=408) from error
        except OSError as error:
            raise RefusedError("there is not enough room on the disk for this file") from error
        if not reader.whole:
            raise ProtocolError("a form that is cut off, or has too many fields", spec=_FORM)
        file.seek(0)
        stack.pop_all()
    return reader.fields, file


async def _pass_on(request: Request, reader: "_UploadReader", limit: int) -> None:
    size = 0
    while True:
        async with asyncio.timeout(_PATIENCE):
            message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise ProtocolError(f"more than {limit} bytes", spec="RFC 9110 §15.5.14", status=413)
        if piece:
            await asyncio.to_thread(reader.write, piece)
        if not message.get("more_body", False):
            return


class _UploadReader:
    """Sorts the pieces of a form, however they are cut: one field into a file, the others into memory.

    Spec: RFC 2046 §5.1.1
    """

    def __init__(self, boundary: str, name: str, file: BinaryIO) -> None:
        self.fields: dict[str, str] = {}
        self.whole = False
        """The form came to its end."""
        self._name, self._file = name, file
        self._mark = b"\r\n--" + boundary.encode("latin-1")
        self._rest = bytearray(b"\r\n")
        self._step: Callable[[], bool] = self._before
        self._field, self._value = "", bytearray()

    def write(self, piece: bytes) -> None:
        """Take in the next bytes.

        Raises:
            ProtocolError: a field without a name, or too much of anything but the file.
        """
        self._rest += piece
        while self._step():
            pass

    def _before(self) -> bool:
        """What stands before the first field is nobody's."""
        return self._until_mark(lambda data: None)

    def _inside(self) -> bool:
        """The value of a field."""
        if not self._until_mark(self._take):
            return False
        if self._field != self._name:
            self.fields[self._field] = self._value.decode("utf-8", "replace")
        return True

    def _after_mark(self) -> bool:
        """Either two hyphens, and that was all; or another field."""
        if len(self._rest) < 2:
            return False
        self.whole = self._rest.startswith(b"--")
        self._step = self._ended if self.whole else self._head
        return True

    def _head(self) -> bool:
        at = self._rest.find(b"\r\n\r\n", 0, _MAX_HEAD)
        if at < 0 and len(self._rest) < _MAX_HEAD:
            return False
        found = _NAME.search(bytes(self._rest[: max(at, 0)]))
        if found is None or len(self.fields) >= _MAX_PARTS:
            raise ProtocolError("a field without a name, or too many", spec=_FORM)
        self._field, self._value = found[1].decode("latin-1"), bytearray()
        del self._rest[: at + 4]
        self._step = self._inside
        return True

    def _ended(self) -> bool:
        """What stands after the last field is nobody's."""
        self._rest.clear()
        return False

    def _until_mark(self, take: Callable[[bytes], None]) -> bool:
        """Give on what cannot be part of the mark any more; whether the mark came."""
        at = self._rest.find(self._mark)
        here = at if at >= 0 else max(0, len(self._rest) - len(self._mark) + 1)
        take(bytes(self._rest[:here]))
        del self._rest[: here + (len(self._mark) if at >= 0 else 0)]
        if at >= 0:
            self._step = self._after_mark
        return at >= 0

    def _take(self, data: bytes) -> None:
        if self._field == self._name:
            self._file.write(data)
        elif len(self._value) + len(data) > _MAX_TEXT:
            raise ProtocolError(f"more than {_MAX_TEXT} bytes", spec="RFC 9110 §15.5.14", status=413)
        else:
            self._value += data


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

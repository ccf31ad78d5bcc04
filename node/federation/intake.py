"""What the door lets in, written down: many rows with one flush, and never more of strangers than there is room for.

A row of somebody we know is kept whatever comes. A row whose key must be asked for can be made by anybody: there is
room for so many in ten minutes. What was refused stays visible to the operator, a few a second.
"""

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from node import letters, log, posts, replies
from node.errors import ProtocolError
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import Request, parse_document
from node.federation.protocol.verification import Claim
from node.models import queues
from node.models.base import Database
from node.models.queues import Incoming

_LINGER = 0.002
_AT_HAND_BYTES = 8 * 1024 * 1024
_REFUSALS_A_SECOND = 20
_REFUSED_BYTES_AN_HOUR = 32 * 1024 * 1024
_UNPROVED_WINDOW = 600
_MAX_UNPROVED = 5_000
_MAX_UNPROVED_BYTES = 128 * 1024 * 1024
_PRIVATE_HEADERS = frozenset({"user-agent", "forwarded", "x-forwarded-for", "x-real-ip", "cookie", "authorization"})


class Intake:
    """Writes down what came, and what was refused."""

    def __init__(self, database: Database, stirred: Callable[[], None], lease: timedelta) -> None:
        self._database = database
        self._stirred = stirred
        self._lease = lease
        self._arrived: list[tuple[Incoming, Activity | None]] = []
        self._at_hand: deque[tuple[Incoming, Activity | None]] = deque()
        self._at_hand_bytes = 0
        self.working = False
        """A worker in this process takes what is at hand."""
        self.behind = True
        """Rows wait in the database that are not at hand; they come first."""
        self._flush: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._allowance = (0, 0)
        self._refused_bytes = (0, 0)
        self._unproved = (0, 0, 0)

    def keep(self, row: Incoming, activity: Activity) -> Awaitable[None]:
        """Write rows together: whoever arrives while one flush is under way waits for the next.

        Returns:
            What is to be awaited: then the row is on the disk.
        """
        self._arrived.append((row, activity if self.working else None))
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.create_future()
            if self._writing is None or self._writing.done():
                self._writing = loop.create_task(self._write())
        return asyncio.shield(self._flush)

    async def drain(self) -> None:
        """Finish what is being written."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)

    def take(self, most: int) -> list[tuple[Incoming, Activity | None]]:
        """What was kept just now, claimed and read already, oldest first."""
        taken: list[tuple[Incoming, Activity | None]] = []
        while self._at_hand and len(taken) < most:
            row, activity = self._at_hand.popleft()
            self._at_hand_bytes -= len(row.body)
            taken.append((row, activity))
        return taken

    async def _write(self) -> None:
        await asyncio.sleep(_LINGER)
        while self._flush is not None:
            arrived, waiter = self._arrived, self._flush
            self._arrived, self._flush = [], None
            # With room for them the worker gets the rows as they are; else, and until it has caught up, it finds them
            # in the database, in the order they came.
            at_hand = self.working and not self.behind and self._at_hand_bytes < _AT_HAND_BYTES
            rows = [row for row, _ in arrived]
            try:
                kept = await self._database.write(
                    partial(queues.keep, rows=rows, lease=self._lease if at_hand else None)
                )
            except Exception as error:  # noqa: BLE001 - everybody who waits hears why
                waiter.set_exception(error)
                continue
            waiter.set_result(None)
            for (row, activity), number in zip(arrived, kept, strict=False):
                if number:
                    self._at_hand.append((replace(row, id=number, attempts=1), activity))
                    self._at_hand_bytes += len(row.body)
            self.behind = self.behind or not at_hand
            self._stirred()

    def check_room(self, size: int, now: datetime) -> None:
        """There is room for another row whose key must be asked for.

        Raises:
            ProtocolError: 503, later there will be room; peers that we know are not held up.
        """
        window, rows, held = self._unproved
        if window != int(now.timestamp()) // _UNPROVED_WINDOW:
            window, rows, held = int(now.timestamp()) // _UNPROVED_WINDOW, 0, 0
        if rows >= _MAX_UNPROVED or held + size > _MAX_UNPROVED_BYTES:
            raise ProtocolError("too many unknown keys came just now", spec="RFC 9110 §15.6.4", status=503)
        self._unproved = (window, rows + 1, held + size)

    async def note_refusal(self, request: Request, org: str, error: ProtocolError, now: datetime) -> None:
        """What was refused at the door stays visible to the operator: at most twenty a second, bodies up to 64 kB, and
        32 MB of them an hour; past that only the rule.
        """
        second = int(now.timestamp())
        used = self._allowance[1] + 1 if self._allowance[0] == second else 1
        self._allowance = (second, used)
        if used > _REFUSALS_A_SECOND:
            return
        log.info("inbox.refused", status=error.status, rule=error.spec, reason=error.reason)
        hour = second // 3600
        size = self._refused_bytes[1] if self._refused_bytes[0] == hour else 0
        body = request.body[: 64 * 1024] if size < _REFUSED_BYTES_AN_HOUR and not is_private(request.body) else b""
        self._refused_bytes = (hour, size + len(body))
        row = Incoming(0, org, now, "", hashlib.sha256(request.body).digest(), body, "", "", None, "")
        await self._database.write(lambda connection: queues.note_refused(connection, row, error.spec, error.reason))


def is_private(body: bytes) -> bool:
    """Whether a body brings words that are not for everyone, or for review, and so is not kept past its judgement."""
    if letters.OBJECT.encode() in body:
        return True  # a letter is kept by those it is for, or by nobody
    if b"Create" not in body and b"Update" not in body:
        return False
    try:
        activity = parse_activity(parse_document(body))
    except ProtocolError:
        return False
    return posts.is_private(activity) or replies.leaves_no_row(activity)


def check_content_type(request: Request) -> None:
    """An inbox takes ActivityStreams and nothing else.

    Raises:
        ProtocolError: 415.

    Spec: AP §7
    """
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind not in ("application/activity+json", "application/ld+json"):
        raise ProtocolError("an inbox takes application/activity+json", spec="AP §3.2", status=415)


def kept_request(request: Request, claim: Claim) -> bytes:
    """The part of a request that its signature covers: enough to verify it later, and nothing else.

    Raises:
        ProtocolError: 401, the signature covers a header that we do not write down.
    """
    names = {"signature", "signature-input", "host", "date", "digest", "content-digest", "content-type"}
    covered = getattr(claim, "names", ()) or getattr(claim, "components", ())
    names |= {name.strip('"').partition('"')[0] for name in covered}
    if names & _PRIVATE_HEADERS:
        raise ProtocolError("the signature covers a header that is not kept here", spec="RFC 9421 §7.2", status=401)
    headers = [[name, value] for name, value in request.headers if name in names]
    return json.dumps([request.method, request.target, request.scheme, headers]).encode()


def restored_request(row: Incoming) -> Request:
    """The request again, as far as it was kept."""
    method, target, scheme, headers = json.loads(row.request or b"[]")
    return Request(method, target, tuple((name, value) for name, value in headers), row.body, scheme)

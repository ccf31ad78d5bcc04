"""Sending prepared requests as fast as they are answered: keep-alive connections, one request on each at a time."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httptools

CONNECTIONS = 64
DEADLINE = 120.0


@dataclass(slots=True)
class Sent:
    """What came of a run of requests."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    said: str = ""
    """What the first answer that was no success said."""

    def check(self, wanted: int) -> None:
        """Every one of `wanted` requests was taken.

        Raises:
            AssertionError: one was not; a rate of refusals is not what is measured.
        """
        if self.statuses != Counter({202: wanted}):
            raise AssertionError(f"{wanted} sent, answered {dict(self.statuses)}: {self.said}")


class _Lane(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], sent: Sent, done: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._sent = sent
        self._done = done
        self._began = 0.0
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def begin(self) -> None:
        """Send the next request, or leave."""
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._began = time.monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._sent.times.append(time.monotonic() - self._began)
        self._sent.statuses[status] += 1
        if status != 202 and not self._sent.said:
            self._sent.said = self._body.decode(errors="replace")
        self._body = b""
        self.begin()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def send(host: str, port: int, requests: Sequence[bytes], connections: int = CONNECTIONS) -> Sent:
    """Send every request once; connections stand before the clock starts.

    Raises:
        TimeoutError: not all was answered in time.
    """
    loop = asyncio.get_running_loop()
    sent, rest = Sent(), iter(requests)
    lanes: list[_Lane] = []
    ends: list[asyncio.Future[None]] = []
    for _ in range(min(connections, len(requests))):
        end: asyncio.Future[None] = loop.create_future()
        lane = _Lane(rest, sent, end)
        await loop.create_connection(lambda lane=lane: lane, host, port)  # type: ignore[misc]
        lanes.append(lane)
        ends.append(end)
    began = time.monotonic()
    for lane in lanes:
        lane.begin()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*ends)
    sent.seconds = time.monotonic() - began
    return sent

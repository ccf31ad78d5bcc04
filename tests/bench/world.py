"""A hundred invented servers on 127.0.0.0/8, in this process: they serve their actor, take what they get, count it.

What arrives is not checked: the tests do that, and here it would cost more than sending it. As cheap as Python allows,
so that the node is what is measured.
"""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

import httptools
import orjson

from node.federation.protocol.messages import JsonObject
from tests.bench import posts
from tests.bench.posts import Author, Workshop
from tests.support.processes import free_port

_TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class World:
    """The servers and what came to them. Made by `open_world`, ended by `close`."""

    authors: tuple[Author, ...]
    workshop: Workshop
    arrivals: list[float] = field(default_factory=list)
    """When each POST was there, by the monotonic clock."""
    follows: list[tuple[Author, JsonObject]] = field(default_factory=list)
    """Follows that came while `listening`."""
    listening: bool = False
    servers: list[asyncio.Server] = field(default_factory=list)

    def took(self, author: Author, body: bytes) -> None:
        """A POST came."""
        self.arrivals.append(time.monotonic())
        if self.listening:
            value = orjson.loads(body)
            if value.get("type") == "Follow":
                self.follows.append((author, value))

    def close(self) -> None:
        """Stop serving and signing."""
        for server in self.servers:
            server.close()
        self.workshop.close()


class _Peer(asyncio.Protocol):
    """One connection to one invented server."""

    def __init__(self, world: World, author: Author, document: bytes) -> None:
        self._world = world
        self._author = author
        self._document = document
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        assert self._transport is not None
        if self._parser.get_method() == b"POST":
            self._world.took(self._author, b"".join(self._body))
            self._transport.write(_TAKEN)
        else:
            self._transport.write(self._document if self._path == b"/users/exercise" else _MISSING)
        self._body.clear()


async def open_world(count: int, keys: int) -> World:
    """Start `count` servers with one actor each; so many keys are dealt out in turn."""
    workshop = Workshop()
    pems = workshop.make_keys(keys)
    addresses = [f"127.20.{number // 200}.{number % 200 + 1}" for number in range(count)]
    port = free_port(addresses[0])
    authors = tuple(Author(f"{address}:{port}", pems[number % len(pems)]) for number, address in enumerate(addresses))
    world = World(authors, workshop)
    loop = asyncio.get_running_loop()
    for author, address in zip(authors, addresses, strict=True):
        body = posts.document(author)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = head.encode() + body
        world.servers.append(await loop.create_server(partial(_Peer, world, author, answer), address, port))
    return world

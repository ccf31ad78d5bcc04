"""Whole nodes in one process: each with its own data directory, clock and real sockets on an address of its own.

A `Network` starts and stops them, makes members of them, and waits, with a bound, for what should become true. Every
byte that a node is sent and every byte that it answers is kept, so that a test can look for what must not be there.
"""

import asyncio
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import uvicorn
from sqlalchemy import Connection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node import alerts as rules
from node import recovery
from node.app import Node
from node.desk import alerts as alert_desk
from node.desk import members as member_desk
from node.desk import pictures as picture_desk
from node.desk import trust as trust_desk
from node.desk.alerts import Said
from node.federation import commit, letterbox, outbox
from node.federation.mirror import Report
from node.federation.protocol import integrity_proofs, keys, verification
from node.federation.protocol.activities import AS2, PUBLIC, parse_activity
from node.federation.protocol.actors import DATA_INTEGRITY
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import parse_document
from node.federation.protocol.verification import Carrier
from node.kinds import Surroundings
from node.media import Medium
from node.models import contacts, logs, organisations, queues, setup
from node.models.base import Database
from node.models.contacts import Member
from node.models.keyring import Keyring, write_private
from node.models.organisations import Organisation
from node.models.views import View
from node.settings import Settings
from tests.support.pictures import developed

_T = TypeVar("_T")

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LOOPBACK = ip_network("127.0.0.0/8")
EXAMPLE = json.loads((Path(__file__).parent.parent / "vectors" / "alert-ar.json").read_text())
SETTLE = 20.0
"""Seconds that a thing may take to become true among nodes."""
_PAUSE = 0.02
_KEYS = 12


class Clock:
    """Runs on from a fixed moment; `forward` jumps ahead."""

    def __init__(self, start: datetime = NOON) -> None:
        self._start = start
        self._began = time.monotonic()
        self._stopped = 0.0

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=(self._stopped or time.monotonic()) - self._began)

    def forward(self, by: timedelta) -> None:
        """Later, at once."""
        self._start += by

    def stop(self) -> None:
        """Stand still: sessions and second factors stay fresh, however long a test looks."""
        self._stopped = time.monotonic()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that a server was asked, whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end; header names in lower case, cookies a line each."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Recorder:
    """Pure ASGI: keeps what went in and what came out."""

    def __init__(self, app: ASGIApp, kept: list[Exchange]) -> None:
        self.app = app
        self.kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, answer, status = bytearray(), bytearray(), 0

        async def heard() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def said(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))
            await send(message)

        await self.app(scope, heard, said)
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode()
        self.kept.append(Exchange(scope["method"], path, headers, bytes(body), status, bytes(answer)))


class Served:
    """An ASGI application on sockets of its own, in this event loop."""

    def __init__(self, app: ASGIApp, places: list[tuple[str, int]]) -> None:
        self.exchanges: list[Exchange] = []
        self.sockets = [bound(place) for place in places]
        config = uvicorn.Config(
            Recorder(app, self.exchanges), http="httptools", lifespan="off", log_config=None, access_log=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=self.sockets))

    async def ready(self) -> None:
        """Returns when it answers."""
        await wait_until(lambda: self._server.started, "the server has started")

    async def stop(self) -> None:
        """Close the sockets and every connection."""
        self._server.should_exit = True
        await self._task


class _Server(uvicorn.Server):
    """A server that leaves signals to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class House:
    """One node with its organisations. `organisation` is the first, and what is done is done as that one."""

    def __init__(self, network: "Network", data: Path, places: list[tuple[str, int]]) -> None:
        self.network = network
        self.clock = network.clock
        self.data = data
        self.places = places
        self.settings = Settings(data=data, allow_networks=(LOOPBACK,), sync_interval=network.interval)
        self.exchanges: list[Exchange] = []
        self._node: Node | None = None
        self._served: Served | None = None
        self.organisations = self.node.organisations()
        self.organisation = self.organisations[0]
        self.did = self.organisation.did

    @property
    def node(self) -> Node:
        """The node; opened when it is first needed."""
        if self._node is None:
            self._node = Node.open(self.settings, clock=self.clock)
        return self._node

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._served is not None

    @property
    def key(self) -> OrganisationKey:
        """The key of the first organisation."""
        return self.node.keyring.organisation(self.did)

    @property
    def origin(self) -> str:
        """Where the first organisation speaks from."""
        return self.organisation.origin

    async def start(self, *, workers: bool = True) -> None:
        """Serve, with all workers."""
        served = Served(self.node.web(), self.places)
        await served.ready()
        served.exchanges.extend(self.exchanges)
        self.exchanges = served.exchanges
        self._served = served
        await self.node.start(workers=workers)

    async def stop(self) -> None:
        """Leave the network, keep the data; it may be started again."""
        served, self._served = self._served, None
        node, self._node = self._node, None
        if served is not None:
            await served.stop()
        if node is not None:
            await node.stop()

    def act_as(self, number: int) -> "House":
        """The same node, with another of its organisations as the one that acts."""
        other = copy(self)
        other.organisation = self.organisations[number]
        other.did = other.organisation.did
        return other

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """Ask the database."""
        return self.node.database.read_now(work)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """One transaction."""
        return await self.node.database.write(work)

    # --- what an operator does ------------------------------------------------------------------------------------

    async def publish(self, **changes: Any) -> Said:
        """Publish the example with these fields changed; its pictures lie in the network's folder."""
        alert = rules.parse_input(example(**changes))
        said = await self.write(
            lambda connection: alert_desk.publish(
                connection, self.organisation, self.key, alert, self.clock(), loopback=True,
                pictures=self._keep(connection, alert),
            )
        )  # fmt: skip
        self.node.delivery.wake()
        return said

    async def update(self, name: str, **changes: Any) -> Said:
        """Publish the example with these fields changed in place of an alert."""
        alert = rules.parse_input(example(**changes))
        said = await self.write(
            lambda connection: alert_desk.update(
                connection, self.organisation, self.key, name, alert, self.clock(), loopback=True,
                pictures=self._keep(connection, alert),
            )
        )  # fmt: skip
        self.node.delivery.wake()
        return said

    def _keep(self, connection: Connection, alert: rules.Alert) -> tuple[tuple[Medium, Medium], ...]:
        """Made anew in this process, for a process of its own takes longer than the rest of a test."""
        made = [developed((self.network.folder / shot.file).read_bytes()) for shot in alert.media]
        return picture_desk.keep(connection, self.organisation, self.node.storage, made, self.clock())

    async def correct(self, name: str, reason: str) -> Said:
        """Mark an alert as corrected."""
        return await self._act(alert_desk.correct, name, reason)

    async def close(self, name: str, outcome: str) -> Said:
        """Close an alert."""
        return await self._act(alert_desk.close, name, outcome)

    async def withdraw(self, name: str) -> Said:
        """Take an alert back."""
        return await self._act(alert_desk.withdraw, name)

    async def _act(self, act: Callable[..., Said], *words: str) -> Said:
        said = await self.write(
            lambda connection: act(connection, self.organisation, self.key, *words, self.clock())
        )
        self.node.delivery.wake()
        return said

    async def pin(self, other: "House", did: str | None = None) -> member_desk.Pinned:
        """Make another node's organisation a member, over the network."""
        return await member_desk.add(
            self.node.database, self.node.discovery, self.organisation, other.organisation.address, did, self.clock()
        )

    async def pin_row(self, other: Organisation, origin: str = "") -> None:
        """Make an organisation a member that nobody here can call."""
        member = Member(
            did=other.did, uri=other.uri, handle=other.address, name=other.name,
            inbox=(origin or other.origin) + "/inbox", recovery=other.recovery, listed=True, state=contacts.MEMBER,
            frozen_epoch=None, frozen_sequence=None, successor=None, pinned=self.clock(), synced=self.clock(),
        )  # fmt: skip
        await self.write(lambda connection: contacts.pin(connection, self.did, member))
        await self.node.inbox.refresh()

    async def freeze(self, did: str, after: int) -> int:
        """Believe nothing of a member past this entry; returns how many texts came back."""
        _, back = await self.write(
            lambda connection: trust_desk.freeze(connection, self.organisation, did, after, self.clock())
        )
        return back

    async def sync(self, other: "House") -> Report:
        """Compare heads with a member and catch up."""
        member = self.member(other.did)
        assert member is not None
        return await self.node.mirror.sync(self.organisation, member)

    async def take(self, raw: bytes) -> commit.Committed:
        """Commit one entry as a bundle would bring it."""
        verified = verification.verify_activity(parse_activity(parse_document(raw)), Carrier(None, replica=True))

        def work(connection: Connection) -> commit.Committed:
            view = View(connection, self.organisation)
            done = commit.commit(view, verified, Surroundings(self.clock(), "file:test"), pass_on=False)
            view.flush()
            return done

        return await self.write(work)

    # --- what can be seen -----------------------------------------------------------------------------------------

    def member(self, did: str) -> Member | None:
        """A pinned member."""
        return self.read(lambda connection: contacts.member(connection, self.did, did))

    def head(self, did: str) -> tuple[int, int]:
        """(epoch, sequence) of the log of this did here; (0, 0) where there is none."""
        found = self.read(lambda connection: logs.head(connection, self.did, did))
        return found.order if found else (0, 0)

    def entries(self, did: str) -> tuple[logs.Entry, ...]:
        """Every entry kept of this did."""
        return self.read(lambda connection: logs.read(connection, self.did, did, (0, 0), 10_000))

    def received(self) -> dict[str, int]:
        """How many incoming activities came to what."""
        return self.read(lambda connection: queues.counts(connection, self.did))

    async def get(self, path: str, *, host: int = 0, **headers: str) -> Answer:
        """GET a path of this node; `_` in a header's name stands for `-`."""
        where, port = self.places[host]
        return await self.network.get(f"http://{where}:{port}{path}", **headers)

    async def holds(self, said: Said) -> bool:
        """Whether this node shows the page of an alert."""
        return (await self.get(page_of(said))).status == 200

    def files(self) -> bytes:
        """Every byte of the database's files."""
        return b"".join(path.read_bytes() for path in sorted(self.data.glob("node.sqlite*")))


class Network:
    """Houses, one clock, and a client. As a context manager it stops whatever runs."""

    def __init__(self, folder: Path, *, interval: float = 3600) -> None:
        """`interval`: seconds between two comparisons of heads; nodes compare them at their start anyway."""
        self.folder = folder
        self.interval = interval
        self.clock = Clock()
        self.houses: list[House] = []
        self.others: list[Served] = []
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(house.stop() for house in self.houses), *(each.stop() for each in self.others))
        if self._client is not None:
            await self._client.close()

    async def house(self, *handles: str, start: bool = True, at: str = "") -> House:
        """A new node with these organisations; `at` a name of this machine, where its address will not do."""
        hosts = [at or f"127.77.{len(self.houses) + 1}.{index + 1}" for index in range(len(handles))]
        places = [(host, free_port(host)) for host in hosts]
        data = self.folder / handles[0]
        for handle, place in zip(handles, places, strict=True):
            _make(data, handle, place, self.clock())
        made = House(self, data, places)
        self.houses.append(made)
        if start:
            await made.start()
        return made

    async def members(self, *handles: str) -> list[House]:
        """New nodes, all members of each other, who have compared heads."""
        made = [await self.house(handle) for handle in handles]
        await self.befriend(*made)
        return made

    async def copy(self, house: House, name: str) -> House:
        """A copy of a node's data with its keys, as a thief or a snapshot has it; it does not serve.

        It begins to work with `node.start`.
        """
        running = house.running
        await house.stop()
        shutil.copytree(house.data, self.folder / name)
        if running:
            await house.start()
        made = House(self, self.folder / name, house.places)
        self.houses.append(made)
        return made

    async def befriend(self, *houses: House) -> None:
        """Make all of them members of each other, with equal heads."""
        pairs = [(house, other) for house in houses for other in houses if other is not house]
        await asyncio.gather(*(house.pin(other) for house, other in pairs))
        await asyncio.gather(*(house.sync(other) for house, other in pairs))

    async def get(self, url: str, **headers: str) -> Answer:
        """GET, no redirect followed."""
        return await self.request("GET", url, b"", {name.replace("_", "-"): value for name, value in headers.items()})

    async def request(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Any request."""
        assert self._client is not None
        async with self._client.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
            names = {name.lower(): value for name, value in answer.headers.items()}
            if "set-cookie" in names:
                names["set-cookie"] = "\n".join(answer.headers.getall("set-cookie"))
            return Answer(answer.status, names, await answer.read())


async def wait_until(check: Callable[[], Any], what: str, seconds: float = SETTLE) -> Any:
    """Ask again until the answer is true, and give it back; `check` may be async.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"still not true after {seconds:g} s: {what}")
        await asyncio.sleep(_PAUSE)


def example(**changes: Any) -> dict[str, Any]:
    """The example alert with these fields changed; an actual one names a country."""
    value = deepcopy(EXAMPLE) | changes
    if value["status"] == "actual" and value["country"] == "XX":
        value["country"] = "IQ"
    return value


def page_of(said: Said) -> str:
    """The path of an alert's page, the same on every node."""
    return "/alerts/" + said.url.rpartition("/")[2]


def path_of(uri: str) -> str:
    """The path of a gateway id, the same on every node."""
    return "/" + uri.split("/", 3)[3]


def said_by(
    house: House, kind: str, thing: Any, /, *, position: tuple[int, int, str] | None = None, **more: Any
) -> bytes:
    """An activity of an organisation, proved, that its node would not say. `position`: epoch, sequence, previous."""
    organisation = house.organisation
    activity = {
        "@context": [AS2, DATA_INTEGRITY, dict(outbox.LOG_TERMS)],
        "id": organisation.at(f"/activities/{outbox.token()}"),
        "type": kind,
        "actor": organisation.uri,
        "object": thing,
        "to": [PUBLIC],
        **more,
    }
    if position is not None:
        epoch, sequence, previous = position
        activity["log"] = {"epoch": epoch, "sequence": sequence, "previous": previous, "nonce": outbox.token()}
    return json.dumps(
        integrity_proofs.sign(activity, house.key, outbox.log_method(house.key), house.clock())
    ).encode()


def free_port(host: str) -> int:
    """A port that nobody used on this address a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def bound(place: tuple[str, int]) -> socket.socket:
    """A listening socket."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(place)
    made.listen(256)
    made.setblocking(False)
    return made


@cache
def rsa_pem(number: int) -> bytes:
    """An RSA key; made once, for making one takes longer than most tests."""
    return keys.private_pem(keys.generate_rsa_key())


@cache
def _empty_database() -> bytes:
    folder = Path(tempfile.mkdtemp())
    try:
        database = Database(f"sqlite:///{folder / 'node.sqlite'}")
        setup.migrate(database)
        database.close()
        return (folder / "node.sqlite").read_bytes()
    finally:
        shutil.rmtree(folder)


def _make(data: Path, handle: str, place: tuple[str, int], now: datetime) -> None:
    """An organisation in a data directory, as `tadamun init` makes it."""
    settings = Settings(data=data)
    if not data.exists():
        settings.data.mkdir(mode=0o700)
        (settings.data / "node.sqlite").write_bytes(_empty_database())
        settings.keys.mkdir(mode=0o700)
        write_private(settings.keys / "application.rsa.pem", rsa_pem(0))
        write_private(settings.keys / "alerts.rsa.pem", rsa_pem(0))
    key = keys.generate_organisation_key()
    number = 1 + place[1] % (_KEYS - 1)
    write_private(settings.keys / f"{key.multikey}.ed25519.pem", keys.private_pem(key.private))
    write_private(settings.keys / f"{key.multikey}.rsa.pem", rsa_pem(number))
    spare = recovery.generate()
    made = Organisation(
        did=key.did, handle=handle, name=f"Exercise organisation {handle}", summary="", language="ar", country="",
        origin=f"http://{place[0]}:{place[1]}", recovery=recovery.commitment(spare), hold="", made=now,
    )  # fmt: skip
    (data.parent / f"{handle}.sheet").write_text("\n".join(recovery.render_lines(spare)), "utf-8")
    public = keys.load_private_pem(rsa_pem(number)).public_key()

    def begin(connection: Connection) -> None:
        organisations.add(connection, made)
        letterbox.begin(connection, Keyring(settings.keys), made, now)
        outbox.publish_actor(connection, made, key, public, now)

    database = Database(settings.url)
    database.write_now(begin)
    database.close()

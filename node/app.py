"""One node, put together: settings in, an ASGI application and its workers out. Many may live in one process."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from starlette.applications import Starlette

from node import __version__, log
from node.desk import case_clock
from node.desk.assembly import Assembly
from node.desk.convener import Convener
from node.desk.doorkeeper import Doorkeeper
from node.desk.publisher import Publisher
from node.desk.search_fill import Indexer
from node.desk.sign_in import Reception
from node.errors import ConfigurationError
from node.federation.delivery import DeliveryWorker
from node.federation.discovery import Discovery
from node.federation.fetcher import Fetcher, Resolve
from node.federation.greeter import Greeter
from node.federation.inbox import Inbox
from node.federation.letterbox import Letterbox
from node.federation.media import Porter
from node.federation.mirror import Mirror
from node.federation.protocol.addressing import Policy
from node.federation.relays import Relays
from node.federation.witness import Witness
from node.models import (
    approvals,
    deliveries,
    documents,
    drafts,
    hostings,
    organisations,
    queues,
    replies,
    rooms,
    schema,
    sessions,
)
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import ORGANISATION, Organisation
from node.models.storage import Disk
from node.people import CASES
from node.settings import Settings
from node.web import mirroring
from node.web.languages import Languages
from node.web.mirroring import Written
from node.web.render import Compiled, Renderer
from node.web.routes import build
from node.web.setups import SetUps
from node.web.site import CaseRoom, Locks, Site, stay

_PRUNE = 3600.0


def utc_now() -> datetime:
    """The clock of a node that runs in the world."""
    return datetime.now(UTC)


class Node:
    """One node. `start` runs its workers in the current event loop, `stop` ends them within ten seconds."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime] = utc_now, resolve: Resolve | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.database = Database(settings.url)
        self.keyring = Keyring(settings.keys)
        self.policy = Policy(settings.allow_networks)
        self.fetcher = Fetcher(self.policy, settings.socks_proxy or None, f"tadamun/{__version__}", resolve=resolve)
        own = self.organisations()
        origin = own[0].origin if own else ""
        self.discovery = Discovery(self.database, self.fetcher, self.keyring, self.policy, origin, clock)
        self.delivery = DeliveryWorker(
            self.database, self.fetcher, self.keyring, clock,
            concurrency=settings.delivery_concurrency, per_host=settings.host_concurrency,
        )  # fmt: skip
        self.inbox = Inbox(
            self.database, self.keyring, self.discovery, clock, self.delivery.heard, self.delivery.wake,
            Greeter(requests=settings.requests, channels=settings.safe_channels),
        )  # fmt: skip
        self.mirror = Mirror(
            self.database, self.discovery, self.keyring, clock, self.delivery.wake, interval=settings.sync_interval
        )
        self.relays = Relays(
            self.database, self.discovery, self.keyring, clock, self.delivery.wake,
            dead_after=timedelta(seconds=settings.dead_after),
        )  # fmt: skip
        self.storage = Disk(settings.media)
        self.porter = Porter(
            self.database, self.storage, self.discovery, clock, wall=time.time, limit=settings.media_limit
        )
        self.witness = Witness(self.database, self.keyring, clock, self.delivery.wake)
        self.letterbox = Letterbox(self.database, self.discovery, self.keyring, clock, self.delivery.wake)
        self.publisher = Publisher(self.database, self.keyring, self.storage, clock, self.delivery.wake)
        self.assembly = Assembly(self.database, self.discovery, self.keyring, clock, self.delivery.wake)
        self.convener = Convener(self.database, self.keyring, clock, self.delivery.wake)
        self.doorkeeper = Doorkeeper(self.database, self.keyring, clock, self.delivery.wake)
        self.indexer = Indexer(self.database)
        self.reception = Reception()
        self.case_room: CaseRoom = partial(rooms.recipient, room=CASES)
        """To whom confidential requests are sealed."""
        self._compiled = Compiled()
        self.setups = SetUps()
        self.locks = Locks(own)
        self.renew: Callable[[], None] = stay
        """What `serve` puts here begins the process anew."""
        self._workers: list[asyncio.Task[None]] = []

    @classmethod
    def open(
        cls, settings: Settings, *, clock: Callable[[], datetime] = utc_now, resolve: Resolve | None = None
    ) -> "Node":
        """Open an existing node.

        Raises:
            ConfigurationError: there is none, or its schema is not this version's.
        """
        if not settings.database_url and not (settings.data / "node.sqlite").exists():
            raise ConfigurationError(f"there is no node in {settings.data}: run 'tadamun init', or name it with --data")
        database = Database(settings.url)
        try:
            schema.check(database)
        finally:
            database.close()
        return cls(settings, clock=clock, resolve=resolve)

    def organisations(self) -> tuple[Organisation, ...]:
        """Everybody who lives here."""
        return self.database.read_now(organisations.all_of)

    def organisation(self, handle: str | None = None) -> Organisation:
        """One organisation by handle; without one, the first made.

        Raises:
            ConfigurationError: there is none.
        """
        found = self.organisations()
        if not found:
            raise ConfigurationError("no organisation lives on this node yet: run 'tadamun init'")
        if handle is None:
            return found[0]
        for each in found:
            if handle in (each.handle, each.did, each.address):
                return each
        raise ConfigurationError(f"no organisation {handle!r} on this node")

    def web(self) -> Starlette:
        """The ASGI application."""
        languages = Languages(digits=self.settings.digits)
        site = Site(
            settings=self.settings,
            database=self.database,
            keyring=self.keyring,
            storage=self.storage,
            inbox=self.inbox,
            discovery=self.discovery,
            mirror=self.mirror,
            languages=languages,
            renderer=Renderer(languages, self._compiled),
            clock=self.clock,
            reception=self.reception,
            case_room=self.case_room,
            setups=self.setups,
            locks=self.locks,
            renew=lambda: self.renew(),
            write_copy=lambda organisation, folder: self.write_copy(organisation, folder, colons=False),
        )
        return build(site)

    async def write_copy(
        self, organisation: Organisation, folder: Path, *, colons: bool, tell: Callable[[int], None] = mirroring.quiet
    ) -> Written:
        """Write the whole public site of an organisation into a folder (`web/mirroring`)."""
        site, key = self.web().state.site, self.keyring.organisation(organisation.did)
        if not isinstance(site, Site):
            raise TypeError("the application has no site")
        return await mirroring.write(site, organisation, key, folder, self.clock(), colons=colons, tell=tell)

    async def start(self, *, workers: bool = True) -> None:
        """Begin to work; returns when the node is ready to take requests."""
        await self.inbox.refresh()
        if not workers or self.locks.any or self._mute():
            return
        now = self.clock()
        await self.database.write(lambda connection: queues.release(connection, now))
        await self.delivery.start()
        shells = (
            self.inbox, self.delivery, self.mirror, self.relays, self.witness, self.letterbox, self.publisher,
            self.porter, self.assembly, self.convener, self.doorkeeper, self.indexer,
        )  # fmt: skip
        for work in (*(each.run for each in shells), self._prune):
            self._workers.append(asyncio.create_task(self._guard(work.__qualname__, work)))

    def _mute(self) -> bool:
        """Whether somebody who lives here cannot speak, after a restore without keys: then nothing is sent for anybody
        before they went on under their recovery key.
        """
        speaking = (each for each in self.organisations() if each.kind == ORGANISATION and not each.successor)
        mute = [each.did for each in speaking if not self.keyring.has(each.did)]
        if mute:
            log.warning("node.mute", note="keys are missing: the desk leads to the recovery sheet", dids=len(mute))
        return bool(mute)

    async def stop(self) -> None:
        """Finish what is claimed, write down how it ended, let go of everything."""
        working = set(self._workers)
        while working:
            for task in working:
                task.cancel()
            # Python 3.11's wait_for swallows a cancellation that comes just as it wakes: who is left is told again.
            _, working = await asyncio.wait(working, timeout=0.2)
        await self.inbox.drain()
        await self.delivery.stop()
        await self.fetcher.close()
        self.database.close()

    async def close(self) -> None:
        """Let go, for commands that ran no workers."""
        await self.fetcher.close()
        self.delivery.close()
        self.database.close()

    async def _guard(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """A worker that fails is started again; the traceback stands once in the log."""
        while True:
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the one in each worker's loop
                log.error("worker.failed", exception=error, worker=name)
                await asyncio.sleep(1)

    async def _prune(self) -> None:
        unscrubbed = False
        while True:
            now = self.clock()
            await self.database.write(partial(queues.prune, now=now))
            await self.database.write(partial(deliveries.prune, now=now))
            await self.database.write(partial(documents.forget_dead, now=now))
            await self.database.write(partial(approvals.stale, now=now))
            await self.database.write(partial(sessions.prune, now=now))
            await self.database.write(partial(drafts.prune, now=now))
            await self.database.write(partial(hostings.prune, now=now))
            unscrubbed = bool(await self.database.write(partial(replies.prune, now=now))) or unscrubbed
            unscrubbed = await case_clock.run(self.database, self.keyring, now, unscrubbed=unscrubbed)
            await asyncio.sleep(_PRUNE)

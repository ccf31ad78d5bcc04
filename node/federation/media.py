"""Pictures come by digest from whoever has them: the author's host first, then other members in turn.

Only what a shown object of ours or of a pinned member needs is asked for, so nobody makes us fetch for strangers. Every
answer is bounded in size and time, and counts only when its size, its digest and its first bytes are those that were
signed: what a host brings instead is dropped, and kept as evidence. The worker also destroys what no text needs any
more, and mends what a stop left between disk and rows.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from node import evidence, log
from node import media as rules
from node.errors import FetchError, ProtocolError
from node.evidence import Evidence
from node.federation import saving
from node.federation.discovery import Discovery
from node.federation.protocol import ids
from node.media import Medium
from node.models import contacts, documents, media, organisations
from node.models.base import Database
from node.models.media import Wanted
from node.models.organisations import Organisation
from node.models.storage import Storage
from node.models.views import View

_T = TypeVar("_T")
_PACE = 0.5
_AT_ONCE = 8
"""Files under way at once."""
_OTHERS = 4
"""Members asked for one file in one go, beside its author's host and who brought the alert."""
_WAITS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
MOST_TRIES = 60
"""About two weeks; then nobody is asked any more, and `doctor` says what is not here."""
SHARE = 4
"""One member's pictures may take this part of the room."""
_FULL = timedelta(hours=1)
_SWEEP = 3600.0
_STRAY = 600.0
"""Seconds that a file may lie here before a row must know it."""
_FAULT = "a picture whose bytes are not those that its author signed"


@dataclass(frozen=True, slots=True)
class Round:
    """What there is to do."""

    due: tuple[tuple[Organisation, Wanted], ...]
    doomed: bool


class Porter:
    """The worker of one node.

    Args:
        wall: seconds since 1970, as the disk counts them.
        limit: bytes that others' pictures may take here.
    """

    def __init__(
        self, database: Database, storage: Storage, discovery: Discovery, clock: Callable[[], datetime],
        *, wall: Callable[[], float], limit: int,
    ) -> None:  # fmt: skip
        self._database = database
        self._storage = storage
        self._discovery = discovery
        self._clock = clock
        self._wall = wall
        self._limit = limit
        self._under_way: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Fetch what is due twice a second, sweep each hour, until cancelled. Who is slow holds up nobody else."""
        due, loop = 0.0, asyncio.get_running_loop()
        self._under_way.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                if loop.time() >= due:
                    await self.sweep()
                    due = loop.time() + _SWEEP
                found = await self._database.read(partial(_look, now=self._clock()))
                if found.doomed:
                    await self._database.write(self._bury)
                for organisation, wanted in found.due:
                    name = (organisation.did, wanted.medium.digest)
                    if name not in self._under_way and len(self._under_way) < _AT_ONCE:
                        self._under_way.add(name)
                        group.create_task(self._fetch(organisation, wanted))
                await asyncio.sleep(_PACE)

    async def sweep(self) -> None:
        """Hold the rows against the disk: what is doomed goes, what nobody knows goes, what is missing is wanted."""
        await self._database.write(self._sweep)
        await self._database.write(self._bury)

    def _sweep(self, connection: Connection) -> None:
        now = self._clock()
        for organisation in organisations.all_of(connection):
            media.sweep(connection, organisation.did, now)
        gone = [medium.digest for medium in media.held(connection) if not self._storage.has(medium.digest)]
        for organisation in organisations.all_of(connection) if gone else ():
            for digest in gone:
                media.miss(connection, organisation.did, digest, now)
        # After a restore the rows are behind the disk, until the log is pulled back.
        whole = not any(each.hold and not each.successor for each in organisations.all_of(connection))
        removed = self._storage.remove_strays(media.names(connection), self._wall() - _STRAY) if whole else 0
        if gone or removed:
            log.warning("media.swept", missing=len(gone), strays=removed)

    def _bury(self, connection: Connection) -> None:
        """Rows and bytes of what is doomed, within one transaction: whoever publishes the same picture waits."""
        for digest in media.doomed(connection):
            if media.bury(connection, digest):
                self._storage.remove(digest)

    async def _fetch(self, organisation: Organisation, wanted: Wanted) -> None:
        try:
            wait = await self._bring(organisation, wanted)
        finally:
            self._under_way.discard((organisation.did, wanted.medium.digest))
        if wait is not None:
            name, due = wanted.medium.digest, self._clock() + wait
            await self._database.write(partial(media.postpone, org=organisation.did, digest=name, due=due))

    async def _bring(self, organisation: Organisation, wanted: Wanted) -> timedelta | None:
        """Get one file; how long to wait before the next try, `None` when it is here."""
        held = await self._in_thread(partial(self._storage.get, wanted.medium.digest))
        if held is not None and await self._take(organisation, wanted, held, ""):
            return None  # another organisation of this node has it, or a row before this one had
        if not await self._database.read(partial(self._has_room, organisation, wanted)):
            return _FULL
        for origin in await self._database.read(partial(_hosts, organisation, wanted)):
            raw = await self._ask(wanted.medium, origin)
            if raw is not None and await self._take(organisation, wanted, raw, ids.host_of(origin + "/")):
                return None
        return _WAITS[min(wanted.tries, len(_WAITS) - 1)]

    async def _ask(self, medium: Medium, origin: str) -> bytes | None:
        """One host for one file."""
        try:
            answer = await self._discovery.fetcher.get(
                origin + rules.path(medium.digest), accept=rules.ACCEPT, content_types=rules.is_picture,
                signer=self._discovery.sign, limit=rules.MAX_BYTES,
            )  # fmt: skip
        except FetchError:
            return None
        return answer.body

    async def _take(self, organisation: Organisation, wanted: Wanted, raw: bytes, host: str) -> bool:
        """Bytes that hold go onto the disk, then into the row; what does not hold is told of its host."""
        try:
            await self._in_thread(partial(rules.check, raw, wanted.medium))
        except ProtocolError as error:
            log.warning("media.refused", host=host, reason=error.reason)
            if host:
                seen = Evidence(evidence.FORGED, wanted.did, host, _FAULT)
                await self._database.write(partial(self._note, organisation, seen))
            else:
                await self._database.write(lambda connection: self._storage.remove(wanted.medium.digest))
            return False

        def write(connection: Connection) -> None:
            if media.is_wanted(connection, organisation.did, wanted.medium.digest) is not None:
                self._storage.put(wanted.medium.digest, raw)
                media.hold(connection, organisation.did, wanted.medium, self._clock())

        await self._database.write(write)
        return True

    def _note(self, organisation: Organisation, seen: Evidence, connection: Connection) -> None:
        view = View(connection, organisation)
        view.count("pictures with other bytes than were signed")
        saving.keep_evidence(view, seen, self._clock())
        view.flush()

    def _has_room(self, organisation: Organisation, wanted: Wanted, connection: Connection) -> bool:
        org, size = organisation.did, wanted.medium.size
        if wanted.did == org:
            return True
        share = media.room_taken(connection, org, wanted.did) + size <= self._limit // SHARE
        return share and media.room_taken(connection, org) + size <= self._limit

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def _look(connection: Connection, now: datetime) -> Round:
    due = tuple(
        (organisation, wanted)
        for organisation in organisations.all_of(connection)
        for wanted in media.due(connection, organisation.did, now, 2 * _AT_ONCE, MOST_TRIES)
    )
    return Round(due, bool(media.doomed(connection)))


def _hosts(organisation: Organisation, wanted: Wanted, connection: Connection) -> tuple[str, ...]:
    """Whom to ask, in turn: the author, who brought the alert, some others at random."""
    members = contacts.members_of(connection, organisation.did)
    author = contacts.member(connection, organisation.did, wanted.did)
    held = documents.stored(connection, organisation.did, wanted.object_id)
    by_host = {ids.host_of(member.uri): ids.origin_of_location(member.uri) for member in members}
    others = sorted(set(by_host.values()))
    some = random.SystemRandom().sample(others, min(_OTHERS, len(others)))
    first = [ids.origin_of_location(author.uri)] if author is not None else []
    brought = [by_host[held.via]] if held is not None and held.via in by_host else []
    return tuple(dict.fromkeys([*first, *brought, *some]))

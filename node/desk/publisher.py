"""The worker that publishes what got enough words, when its moment has come. Nobody needs to be at a desk for it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from node import log
from node.desk import approvals
from node.errors import ConfigurationError
from node.models import approvals as rows
from node.models import organisations
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.storage import Storage

_PAUSE = 1.0


class Publisher:
    """One for each node."""

    def __init__(
        self, database: Database, keyring: Keyring, storage: Storage, clock: Callable[[], datetime],
        stirred: Callable[[], None],
    ) -> None:  # fmt: skip
        self._database = database
        self._keyring = keyring
        self._storage = storage
        self._clock = clock
        self._stirred = stirred
        self._unscrubbed = False

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await self.work_once()
            if self._unscrubbed:
                self._unscrubbed = not await self._database.scrub()
            await asyncio.sleep(_PAUSE)

    async def work_once(self) -> int:
        """Publish what is due; returns how much that was."""
        now = self._clock()
        if not await self._database.read(partial(rows.due, now=now)):
            return 0
        done = await self._database.write(self._publish)
        self._unscrubbed = True  # SQLite's write-ahead log holds what opened the text, and the text sealed to it
        if done:
            log.info("approvals.published", alerts=done)
            self._stirred()
        return done

    def _publish(self, connection: Connection) -> int:
        now, done = self._clock(), 0
        for org, row in rows.due(connection, now):
            organisation = organisations.get(connection, org)
            if organisation is None or organisation.hold or organisation.locked is not None:
                continue
            try:
                key = self._keyring.organisation(org)
            except ConfigurationError:
                continue  # its keys are not on this machine any more
            done += approvals.publish_due(connection, organisation, key, row, self._storage, now) is not None
        return done

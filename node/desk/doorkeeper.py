"""The worker behind the door of a network: tells the other sponsors what was answered, deletes what is over, and tells
of the members that are not named, where enough of them are others than before.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from node import log
from node.desk import directory
from node.desk import joinings as desk
from node.desk.networks import Desk
from node.errors import ConfigurationError, NodeError
from node.federation import joinings
from node.models import fronts, networks, organisations
from node.models import joinings as rows
from node.models.base import Database
from node.models.joinings import Joining
from node.models.keyring import Keyring

_PAUSE = 1.0
_ANYWAY = 600.0


class Doorkeeper:
    """One for each node."""

    def __init__(
        self, database: Database, keyring: Keyring, clock: Callable[[], datetime], stirred: Callable[[], None]
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred
        self._unscrubbed = False
        self._told: dict[tuple[str, str], int] = {}
        """(org, network) → how many acts there were when it was looked at."""

    async def run(self) -> None:
        """Look where something was written, else every ten minutes, until cancelled."""
        await self._database.follow(self.work_once, _PAUSE, lambda now: now + _ANYWAY)

    async def work_once(self) -> None:
        """Tell, and delete."""
        now = self._clock()
        for org, row in await self._database.read(rows.untold):
            try:
                await self._database.write(partial(self._tell, org=org, row=row, now=now))
                self._stirred()
            except NodeError as error:
                log.info("joinings.not_told", org=org, reason=error)
        if await self._database.read(lambda connection: rows.is_due(connection, now)):
            gone = await self._database.write(lambda connection: rows.forget(connection, now, joinings.LETTERS))
            log.info("joinings.deleted", requests=gone)
            self._unscrubbed = True
        for org, network in await self._database.read(fronts.all_of):
            count = await self._database.read(partial(networks.count_of, org=org, network=network))
            if self._told.get((org, network)) != count:
                self._told[org, network] = count
                await self._database.write(partial(_retell, org=org, network=network))
        if self._unscrubbed:
            self._unscrubbed = not await self._database.scrub()

    def _tell(self, connection: Connection, *, org: str, row: Joining, now: datetime) -> None:
        organisation = organisations.get(connection, org)
        try:
            key = self._keyring.organisation(org)
        except ConfigurationError:
            organisation = None  # its keys are not on this machine any more
        if organisation is None:
            rows.mark_told(connection, org, row.id)
        else:
            desk.tell(Desk(connection, organisation, key, now), row)


def _retell(connection: Connection, *, org: str, network: str) -> None:
    state = networks.state_of(connection, org, network)
    if directory.is_inside(state, org):
        directory.retell(connection, org, state)

"""The worker of hosted working groups: it announces, takes back, moves, and keeps other hosts able to go on.

It looks once a second where something was written. What another host would need is sent once there is a follower and
again when they changed, at most every ten minutes, and once after a start.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial

import orjson
from sqlalchemy import Connection

from node import log
from node.desk import group_hosts
from node.desk.group_hosts import Hosting
from node.errors import ConfigurationError, NodeError
from node.models import organisations
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import GROUP, Organisation

_PAUSE = 1.0
_ANYWAY = 60.0
_HANDOVER = 600.0


class Convener:
    """One for each node."""

    def __init__(
        self, database: Database, keyring: Keyring, clock: Callable[[], datetime], stirred: Callable[[], None]
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred
        self._handed: dict[tuple[str, str], tuple[str, float]] = {}
        """(actor, host) → what it was sent last, and when it may be sent again."""

    async def run(self) -> None:
        """Look, until cancelled."""
        await self._database.follow(self.work_once, _PAUSE, lambda now: now + _ANYWAY)

    async def work_once(self) -> None:
        """Do what is to be done as each actor of a group here."""
        for parent, actor in await self._database.read(_actors):
            try:
                self._keyring.organisation(actor.did)
                await self._tend(parent, actor)
            except ConfigurationError:
                continue  # its keys are not on this machine any more
            except NodeError as error:
                log.info("group.not_done", actor=actor.did, reason=error)

    async def _tend(self, parent: Organisation, actor: Organisation) -> None:
        def at(connection: Connection) -> Hosting:
            return Hosting(connection, parent, actor, self._keyring, self._clock())

        if await self._database.write(lambda connection: group_hosts.tend(at(connection))):
            self._stirred()
        now = asyncio.get_running_loop().time()
        wanted = await self._database.read(lambda connection: group_hosts.handovers(at(connection)))
        for member, inboxes in wanted.items():
            digest = hashlib.sha256(orjson.dumps(inboxes)).hexdigest()
            last, again = self._handed.get((actor.did, member), ("", 0.0))
            if digest == last or now < again or (not inboxes and not last):
                continue
            send = partial(_hand_over, at=at, member=member, inboxes=inboxes)
            if await self._database.write(send):
                self._handed[actor.did, member] = (digest, now + _HANDOVER)
                self._stirred()


def _hand_over(
    connection: Connection, *, at: Callable[[Connection], Hosting], member: str, inboxes: list[str]
) -> bool:
    return group_hosts.hand_over(at(connection), member, inboxes)


def _actors(connection: Connection) -> list[tuple[Organisation, Organisation]]:
    everybody = {each.did: each for each in organisations.all_of(connection)}
    hosted = [each for each in everybody.values() if each.kind == GROUP and not each.successor]
    return [(everybody[each.parent], each) for each in hosted if each.parent in everybody]

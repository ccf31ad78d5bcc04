"""What was seen is told: evidence goes to the members, signed by us, so that no one node's eyes are needed.

A testimony is sent from one to one and stands in no log: it may name members who are named to nobody else. It goes to
every member but the accused. So many a day, and so many about one did, for who makes faults must not make traffic.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import evidence, log
from node.errors import ConfigurationError
from node.federation import outbox
from node.federation.protocol import ids, integrity_proofs
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY, timestamp
from node.federation.protocol.messages import JsonObject
from node.models import contacts, documents, organisations
from node.models.base import Database
from node.models.deliveries import Lane
from node.models.documents import Finding
from node.models.keyring import Keyring
from node.models.organisations import Organisation

MOST_A_DAY = 50
_ROUND = 20
_PAUSE = 5.0


class Witness:
    """The worker that tells."""

    def __init__(
        self, database: Database, keyring: Keyring, clock: Callable[[], datetime], stirred: Callable[[], None]
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred

    async def run(self) -> None:
        """Tell what is new every few seconds, until cancelled."""
        while True:
            await self.work_once()
            await asyncio.sleep(_PAUSE)

    async def work_once(self) -> int:
        """Tell a few pieces of evidence; returns how many."""
        if not await self._database.read(self._anything):
            return 0
        told = await self._database.write(self._tell_all)
        if told:
            log.info("evidence.told", pieces=told)
            self._stirred()
        return told

    def _anything(self, connection: Connection) -> bool:
        return any(documents.untold_evidence(connection, each.did, 1) for each in organisations.all_of(connection))

    def _tell_all(self, connection: Connection) -> int:
        return sum(self._tell(connection, each) for each in organisations.all_of(connection))

    def _tell(self, connection: Connection, organisation: Organisation) -> int:
        now = self._clock()
        today = documents.told_since(connection, organisation.did, now - timedelta(days=1))
        room = max(0, MOST_A_DAY - today)
        found = documents.untold_evidence(connection, organisation.did, min(_ROUND, room)) if room else ()
        for each in found:
            self._send(connection, organisation, each, now)
        documents.mark_told(connection, [each.id for each in found])
        return len(found)

    def _send(self, connection: Connection, organisation: Organisation, found: Finding, now: datetime) -> None:
        seen = evidence.read(found.document)
        if seen is None or organisation.successor:
            return
        try:
            key = self._keyring.organisation(organisation.did)
        except ConfigurationError:
            return  # its keys are not on this machine any more
        bare: JsonObject = {
            "@context": [AS2, DATA_INTEGRITY, dict(evidence.TERMS)],
            **seen.value(),
            "attributedTo": organisation.uri,
            "published": timestamp(found.made),
        }
        signed = integrity_proofs.sign(bare, key, outbox.log_method(key), now)
        for member in contacts.members_of(connection, organisation.did):
            if member.did != found.did and ids.host_of(member.uri) != found.via:
                outbox.send(
                    connection, organisation, key, evidence.TYPE, signed, to=member.uri, inbox=member.inbox, now=now,
                    lane=Lane.MEMBER, terms=evidence.TERMS,
                )  # fmt: skip

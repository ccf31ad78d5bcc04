"""The letters' own round: keys that change every month, and asking others for letters that did not reach us.

Rules: an organisation has one key that letters to it are sealed to; after thirty days a new one takes its place, by an
Update of its actor document; thirty-five days later the old secret is destroyed, and what is still sealed to it stays
so for ever. A node that was away changes its key when it is back, so that what waited for it can be opened.

Each member is asked at the start, and some of them every hour, for letters that it holds and that are for us too.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import log
from node.effects import ReplyLetter
from node.errors import ConfigurationError, NodeError, ProtocolError
from node.federation import commit, letters, outbox
from node.federation.discovery import Discovery
from node.federation.protocol import http_signatures, ids, spread, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import MAX_ENTRY, Request
from node.federation.protocol.verification import Carrier
from node.kinds import Surroundings
from node.models import contacts, organisations, rooms
from node.models import letters as rows
from node.models.base import Database
from node.models.contacts import Member
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.views import View

MONTH = timedelta(days=30)
GRACE = timedelta(days=35)
_EVERY = 3600.0
_PAUSE = 5.0
_PATIENCE = 60.0
"""Seconds for one member in one round: who answers slowly holds up neither the others nor the change of keys."""
_MOST = 500
"""Letters that one member may bring in one round."""


def rotate(connection: Connection, keyring: Keyring, organisation: Organisation, now: datetime) -> bool:
    """Change the key that letters are sealed to where it is a month old, or where there is none; says whether it did.

    The file is there before the row, and the row before anybody hears of it.
    """
    current = rows.current_key(connection, organisation.did)
    groups = organisation.kind == organisations.GROUP  # nothing is sealed to one
    if groups or organisation.successor or organisation.hold or (current is not None and now - current.made < MONTH):
        return False
    begin(connection, keyring, organisation, now)
    key, rsa = keyring.organisation(organisation.did), keyring.rsa(organisation.did).public_key()
    outbox.publish_actor(connection, organisation, key, rsa, now)
    return True


def begin(connection: Connection, keyring: Keyring, organisation: Organisation, now: datetime) -> None:
    """A new key; the next actor document that is published names it. And a room for what members send."""
    rooms.ensure_network_room(connection, organisation.did, keyring, now)
    rows.add_key(connection, organisation.did, keyring.add_sealing(organisation.did).public, now)


def destroy_old(connection: Connection, keyring: Keyring, org: str, now: datetime) -> int:
    """Destroy the secrets of keys that were replaced long enough ago."""
    old = [key for key in rows.keys_of(connection, org) if key.replaced is not None and now - key.replaced > GRACE]
    for key in old:
        keyring.destroy_sealing(org, key.public)
        rows.drop_key(connection, org, key.public)
    return len(old)


class Letterbox:
    """The worker of one node."""

    def __init__(
        self, database: Database, discovery: Discovery, keyring: Keyring, clock: Callable[[], datetime],
        stirred: Callable[[], None],
    ) -> None:  # fmt: skip
        self._database = database
        self._discovery = discovery
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred
        self.patience = _PATIENCE

    async def run(self) -> None:
        """Look after keys, and ask members, until cancelled."""
        loop = asyncio.get_running_loop()
        due, whole = 0.0, True
        while True:
            if loop.time() >= due:
                due = loop.time() + _EVERY * (0.75 + random.random() / 2)
                await self.tend()
                await self.ask_round(whole=whole)
                whole = False
            await asyncio.sleep(_PAUSE)

    async def tend(self) -> None:
        """Change keys that are old, destroy those that nobody seals to any more, forget old envelopes."""
        now = self._clock()
        changed = await self._database.write(lambda connection: self._tend(connection, now))
        if changed:
            log.info("letters.keys_changed", organisations=changed)
            self._stirred()

    def _tend(self, connection: Connection, now: datetime) -> int:
        changed = 0
        for organisation in organisations.all_of(connection):
            try:
                changed += rotate(connection, self._keyring, organisation, now)
            except ConfigurationError:
                continue  # its keys are not on this machine any more
            destroy_old(connection, self._keyring, organisation.did, now)
        rows.forget_envelopes(connection, now)
        return changed

    async def ask_round(self, *, whole: bool) -> int:
        """Ask members for letters, all of them or ln N + 2; returns how many came."""
        came = 0
        for organisation, members in await self._database.read(_pairs):
            chosen = list(members) if whole else spread.choose(members, (), random.SystemRandom())
            for member in chosen:
                try:
                    async with asyncio.timeout(self.patience):
                        came += await self.ask(organisation, member)
                except NodeError as error:
                    log.info("letters.not_asked", host=ids.host_of(member.uri), reason=error)
                except TimeoutError:
                    log.info("letters.slow", host=ids.host_of(member.uri))
        if came:
            log.info("letters.fetched", letters=came)
            self._stirred()
        return came

    async def ask(self, organisation: Organisation, member: Member) -> int:
        """Fetch the letters for us that one member holds and we do not; returns how many there were.

        Raises:
            FetchError, ProtocolError: it does not answer, or not as it should.
        """
        sign = self._signer(organisation)
        _, document = await self._discovery.fetcher.get_json(f"{member.uri}/letters", signer=sign)
        held = document.value.get("held")
        named = [each for each in held[:_MOST] if isinstance(each, str)] if isinstance(held, list) else []
        here = await self._database.read(lambda connection: rows.known(connection, organisation.did, named))
        came = 0
        for name in named:
            found = ids.portable(name)
            if name in here or found is None:
                continue
            url = found.at(ids.origin_of_location(member.uri))
            _, envelope = await self._discovery.fetcher.get_json(url, signer=sign, limit=MAX_ENTRY)
            came += await self._take(organisation, parse_activity(envelope), ids.host_of(member.uri))
        return came

    def _signer(self, organisation: Organisation) -> Callable[[Request], tuple[tuple[str, str], ...]]:
        def sign(request: Request) -> tuple[tuple[str, str], ...]:
            key_id = organisation.uri + "#main-key"
            return http_signatures.sign(request, self._keyring.rsa(organisation.did), key_id, self._clock())

        return sign

    async def _take(self, organisation: Organisation, activity: Activity, via: str) -> int:
        try:
            verified = verification.verify_activity(activity, Carrier(None, replica=True))
        except ProtocolError as error:
            log.info("letters.refused", host=via, rule=error.spec)
            return 0
        if activity.did is None or activity.type != verification.SEALED:
            return 0
        secrets = await self._database.read(
            lambda connection: letters.secrets_of(connection, self._keyring, organisation.did)
        )
        loop = asyncio.get_running_loop()
        opened = await loop.run_in_executor(None, letters.open_all, activity, {organisation.did: secrets})
        around = Surroundings(self._clock(), via, letter=opened.get(organisation.did))

        def write(connection: Connection) -> int:
            if rows.find(connection, organisation.did, activity.id) is not None:
                return 0
            view = View(connection, organisation)
            done = commit.commit(view, verified, around)
            key = self._keyring.organisation(organisation.did)
            for reply in done.replies:
                if isinstance(reply, ReplyLetter):
                    outbox.answer(view, key, reply, around)
            view.flush()
            return int(rows.find(connection, organisation.did, activity.id) is not None)

        return await self._database.write(write)


def _pairs(connection: Connection) -> list[tuple[Organisation, tuple[Member, ...]]]:
    return [
        (organisation, contacts.members_of(connection, organisation.did))
        for organisation in organisations.all_of(connection)
        if not organisation.successor
    ]

"""The worker behind `@alerts`: followers and boosts, whose server answers, and carrying on for those whose does not.

Each round is: judge what came, look at what is new in the database, ask the servers whose turn it is (outside of any
transaction), tell the members what changed, carry on or take back. Which node carries what is decided in `node/relays`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import orjson
from sqlalchemy import Connection

from node import alerts as alert_rules
from node import log, relay_notes
from node import relays as rules
from node.boosts import PATH, Voice
from node.effects import Accept, Decision, Ignore
from node.errors import NodeError
from node.federation import boosts, outbox
from node.federation.discovery import Discovery
from node.federation.protocol import ids
from node.federation.protocol.activities import Activity
from node.federation.protocol.messages import JsonObject
from node.models import boosts as boost_rows
from node.models import contacts, documents, organisations, relays
from node.models.alerts import AlertRecord
from node.models.base import Database
from node.models.contacts import Member
from node.models.deliveries import Lane
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.relays import Copy
from node.relay_notes import Carriage
from node.relays import Facts, Notice

_PACE = 1.0
"""Seconds between two looks at what is new."""
PROBE = timedelta(minutes=10)
"""How often a member's server is asked whether it is there, when it did not answer last."""
CALM = timedelta(hours=1)
"""And when it did; a comparison of heads is an answer too."""
_ASKED = 8
"""Servers asked at once."""
_PAUSE = timedelta(seconds=2)
"""Between two notices of ours, at least: their order is told by the second."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What one organisation knows of its members' servers at one moment."""

    organisation: Organisation
    voice: Voice
    members: dict[str, Member]
    origins: dict[str, relays.Origin]
    notices: dict[str, Notice]
    copies: dict[str, Copy]
    dead: frozenset[str]
    willing: bool
    dead_after: timedelta
    now: datetime

    @property
    def alive(self) -> frozenset[str]:
        """The members whose server answered last, and we."""
        answering = (did for did in self.members if did in self.origins and self.origins[did].failing_since is None)
        return frozenset({*answering, self.organisation.did})

    def noticed(self, author: str) -> frozenset[str]:
        """Who says that this member's server is gone."""
        latest = self.now - self.dead_after
        said = {
            did
            for did, notice in self.notices.items()
            if did != author and author in notice.unreachable and notice.unreachable[author] <= latest
        }
        return frozenset(said & self.members.keys()) | ({self.organisation.did} if author in self.dead else frozenset())


class Relays:
    """The worker of one node."""

    def __init__(
        self, database: Database, discovery: Discovery, keyring: Keyring, clock: Callable[[], datetime],
        stirred: Callable[[], None], *, dead_after: timedelta,
    ) -> None:  # fmt: skip
        self._database = database
        self._discovery = discovery
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred
        self._dead_after = dead_after
        self._said: dict[str, tuple[datetime, JsonObject]] = {}
        """For each organisation, when it said its last notice, and what."""

    async def run(self) -> None:
        """Round after round, until cancelled."""
        await asyncio.get_running_loop().run_in_executor(None, lambda: self._keyring.alerts)
        while True:
            await self.work_once()
            await asyncio.sleep(_PACE)

    async def work_once(self) -> None:
        """One round."""
        for organisation, voice in await self._database.read(boost_rows.voices):
            await self._probe(organisation)
            if organisation.veiled_until is not None and organisation.veiled_until > self._clock():
                continue  # restored: what it remembers may have been withdrawn
            owed = await self._database.write(partial(self._round, organisation, voice))
            if owed:
                self._stirred()

    def _round(self, organisation: Organisation, voice: Voice, connection: Connection) -> int:
        now = self._clock()
        organisations.take_turn(connection, organisation.did)  # where several processes work, one does this
        owed = boosts.take(connection, voice, now, partial(_take_notice, connection, organisation, now))
        boosts.plan(connection, organisation, voice, now)
        owed += boosts.say_due(connection, organisation, voice, now)
        scene = self._scene(connection, organisation, voice, now)
        owed += _carry_on(connection, scene) + _look_after(connection, scene)
        return owed + self._tell(connection, scene)

    # --- whose server answers -------------------------------------------------------------------------------------

    async def _probe(self, organisation: Organisation) -> None:
        """Ask every member's server whose turn it is for its proven actor document."""
        now = self._clock()

        def read(connection: Connection) -> list[Member]:
            asked = relays.origins_of(connection, organisation.did)
            members = contacts.members_of(connection, organisation.did)
            return [
                each
                for each in members
                # Of a frozen member, another organisation's too, no actor document is taken: it could not answer.
                if not contacts.frozen_anywhere(connection, each.did)
                and _is_due(each, asked.get(each.did), now)
            ]

        due = await self._database.read(read)
        few = asyncio.Semaphore(_ASKED)
        answers = await asyncio.gather(*(self._answers(each, few) for each in due))

        def write(connection: Connection) -> None:
            for member, answered in zip(due, answers, strict=True):
                relays.note_probe(connection, organisation.did, member.did, answered, now)

        if due:
            await self._database.write(write)

    async def _answers(self, member: Member, few: asyncio.Semaphore) -> bool:
        async with few:
            try:
                await self._discovery.actor(member.uri, fresh=True)
            except NodeError as error:
                log.info("relay.no_answer", host=ids.host_of(member.uri), reason=error)
                return False
            return True

    def _scene(self, connection: Connection, organisation: Organisation, voice: Voice, now: datetime) -> Scene:
        org = organisation.did
        members = {each.did: each for each in contacts.members_of(connection, org) if each.frozen is None}
        origins = relays.origins_of(connection, org)
        failing = {
            did: origin.failing_since
            for did, origin in origins.items()
            if did in members and origin.failing_since is not None
        }
        for did, since in list(failing.items()):
            if relays.spoke_itself(connection, org, did, ids.host_of(members[did].uri), since):
                relays.note_probe(connection, org, did, True, now)
                del failing[did]
        answering = frozenset(
            did for did in members if did in origins and did not in failing and origins[did].checked > now - 2 * CALM
        )
        relays.forget_notices(connection, org, now - rules.VALID)
        return Scene(
            organisation=organisation,
            voice=voice,
            members=members,
            origins=relays.origins_of(connection, org),
            notices=relays.notices_of(connection, org, now - rules.VALID),
            copies=relays.copies_of(connection, org),
            dead=rules.dead(failing, answering, now, self._dead_after),
            willing=bool(boost_rows.asked_for(connection, org)),
            dead_after=self._dead_after,
            now=now,
        )

    # --- what members tell each other -----------------------------------------------------------------------------

    def _tell(self, connection: Connection, scene: Scene) -> int:
        """Say our notice when it changed, and again before it expires; nothing while there is nothing to say."""
        copies = relays.copies_of(connection, scene.organisation.did)
        unreachable = {
            did: scene.origins[did].failing_since or scene.now for did in scene.dead if did in scene.origins
        }
        notice = Notice(scene.organisation.did, scene.now, unreachable, frozenset(copies), scene.willing)
        said = rules.render(notice)
        last = self._said.get(scene.organisation.did)
        silent = not unreachable and not copies
        if last is None and silent:
            return 0
        if last is not None and scene.now - last[0] < (_PAUSE if last[1] != said else rules.REPEAT):
            return 0
        if last is not None and last[1] == said and silent:
            return 0
        self._said[scene.organisation.did] = (scene.now, said)
        key = self._keyring.organisation(scene.organisation.did)
        told = [member for did, member in scene.members.items() if did in scene.alive]
        for member in told:
            place = ids.origin_of_location(member.uri) + PATH
            outbox.send(
                connection, scene.organisation, key, rules.TYPE, place,
                to=member.uri, inbox=place + "/inbox", now=scene.now, lane=Lane.MEMBER, extra=said,
            )  # fmt: skip
        return len(told)


def _is_due(member: Member, last: relays.Origin | None, now: datetime) -> bool:
    """Whether it is time to ask a member's server whether it is there."""
    if last is None:
        return True
    if last.failing_since is not None:
        return last.checked <= now - PROBE
    heard = max(last.checked, member.synced) if member.synced is not None else last.checked
    return heard <= now - CALM


def _take_notice(connection: Connection, organisation: Organisation, now: datetime, activity: Activity) -> Decision:
    """A notice counts from pinned members that are not frozen, and from nobody else."""
    if activity.type != rules.TYPE or activity.did is None:
        return Ignore(f"@alerts knows no {activity.type}")
    member = contacts.member(connection, organisation.did, activity.did)
    if member is None or member.state != contacts.MEMBER or member.frozen is not None:
        return Ignore("a notice by somebody who is no member")
    relays.save_notice(connection, organisation.did, rules.parse(activity, now))
    return Accept()


def _carry_on(connection: Connection, scene: Scene) -> int:
    """Judge every alert of a member whose server is gone."""
    org, count = scene.organisation.did, 0
    for author in scene.members:
        others = frozenset(scene.members) - {author}
        noticed, origin = scene.noticed(author), scene.origins.get(author)
        enough = author in scene.dead and rules.enough(noticed, others)
        if origin is None or not enough:
            if origin is not None and origin.enough_since is not None:
                relays.set_enough(connection, org, author, None)
            continue
        if origin.enough_since is None:
            relays.set_enough(connection, org, author, scene.now)
        for record in boost_rows.of_author(connection, org, author, scene.now):
            facts = _facts(scene, record, others, noticed, origin.enough_since or scene.now)
            if isinstance(rules.decide(facts), rules.Carry):
                count += _publish(connection, scene, record)
    return count


def _facts(
    scene: Scene, record: AlertRecord, others: frozenset[str], noticed: frozenset[str], since: datetime | None
) -> Facts:
    own, name = scene.organisation.did, record.object_id
    carried = {did for did, notice in scene.notices.items() if name in notice.carried}
    willing = {did for did, notice in scene.notices.items() if notice.willing}
    return Facts(
        alert=name,
        own=own,
        members=others,
        noticed=noticed,
        alive=scene.alive,
        willing=frozenset(willing | ({own} if scene.willing else set())),
        carried=frozenset(carried | ({own} if name in scene.copies else set())),
        enough_since=since,
        now=scene.now,
    )


def _look_after(connection: Connection, scene: Scene) -> int:
    """What becomes of our copies: the author withdrew, changed or is back; another carries with more right."""
    count = 0
    for copy in scene.copies.values():
        record = boost_rows.record_of(connection, scene.organisation.did, copy.object_id)
        back = copy.did in scene.members and copy.did in scene.alive
        others = frozenset(scene.members) - {copy.did}
        if record is None or copy.did not in scene.members or not scene.willing or _is_over(record, scene.now):
            _take_back(connection, scene, copy)
        elif back:
            _take_back(connection, scene, copy)
            boosts.later(connection, scene.organisation, scene.voice, record, scene.now)
        elif isinstance(rules.decide(_facts(scene, record, others, frozenset(), None)), rules.Drop):
            _take_back(connection, scene, copy)
        elif _version(record) != copy.version:
            _change(connection, scene, record, copy)
        else:
            continue
        count += 1
    return count


def _publish(connection: Connection, scene: Scene, record: AlertRecord) -> int:
    if not boosts.covers(connection, scene.organisation, record, scene.now):
        return 0
    note_id = scene.voice.at(f"/notes/{outbox.token()}")
    note = _render(connection, scene, record, note_id, scene.now, None)
    if note is None:
        return 0
    _say(connection, scene, "Create", note)
    copy = Copy(record.object_id, record.did, note_id, _version(record), relay_notes.served(note), scene.now)
    relays.save_copy(connection, scene.organisation.did, copy)
    log.info("relay.carried", did=record.did, alert=record.object_id)
    return 1


def _change(connection: Connection, scene: Scene, record: AlertRecord, copy: Copy) -> None:
    note = _render(connection, scene, record, copy.id, copy.since, scene.now)
    if note is None:  # the author does not agree any more
        _take_back(connection, scene, copy)
        return
    _say(connection, scene, "Update", note)
    changed = Copy(copy.object_id, copy.did, copy.id, _version(record), relay_notes.served(note), copy.since)
    relays.save_copy(connection, scene.organisation.did, changed)


def _take_back(connection: Connection, scene: Scene, copy: Copy) -> None:
    _say(connection, scene, "Delete", {"id": copy.id, "type": "Tombstone", "formerType": "Note"})
    relays.drop_copy(connection, scene.organisation.did, copy.object_id)
    log.info("relay.taken_back", did=copy.did, alert=copy.object_id)


def _say(connection: Connection, scene: Scene, kind: str, thing: JsonObject) -> None:
    name = scene.voice.at(f"/activities/{outbox.token()}")
    activity = relay_notes.render_activity(kind, scene.voice, name, thing, scene.now)
    boosts.say(connection, scene.voice, activity, scene.now)


def _render(
    connection: Connection, scene: Scene, record: AlertRecord, note_id: str, since: datetime, updated: datetime | None
) -> JsonObject | None:
    """The copy, or `None` where the author did not agree to one."""
    held = documents.stored(connection, scene.organisation.did, record.object_id)
    found = ids.portable(record.object_id)
    if held is None or held.raw is None or found is None:
        return None
    alert = alert_rules.parse(orjson.loads(held.raw))
    if not alert.republishable or alert.is_drill:
        return None
    origin = scene.organisation.origin
    carriage = Carriage(
        voice=scene.voice,
        note_id=note_id,
        author=scene.members[record.did].name,
        carrier=scene.organisation.name,
        page_url=f"{origin}/alerts/{record.page}",
        proof_url=found.at(origin),
        since=since,
        updated=updated,
    )
    return relay_notes.render(alert, carriage)


def _is_over(record: AlertRecord, now: datetime) -> bool:
    """Whether it is old information, on which nobody should act."""
    return record.expires is not None and record.expires <= now


def _version(record: AlertRecord) -> str:
    return f"{record.updated or record.published:%Y-%m-%dT%H:%M:%SZ}"

"""What others deliver: the door, and the worker behind it.

At the door, in order: content type, HTTP signature (syntax, coverage, date, digest), JSON, origins; a copy of an entry
we hold is waved through; key known: verified on the spot, 401 with the rule if bad; key unknown: kept and 202. The door
calls nobody. 202 is said when the row is on the disk.

The worker fetches missing keys outside any transaction, verifies, and hands batches to `commit`.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

from sqlalchemy import Connection

from node import evidence, log, posts, replies
from node.effects import Accept, Decision, Greet, HoldReply, Ignore, Refuse, StoreActor
from node.errors import FetchError, NodeError, ProtocolError
from node.evidence import Evidence
from node.federation import commit, letters, outbox
from node.federation.discovery import Discovery
from node.federation.greeter import Greeter
from node.federation.intake import Intake, check_content_type, is_private, kept_request, restored_request
from node.federation.protocol import digests, ids, integrity_proofs, messages, verification
from node.federation.protocol.activities import MAX_ID, Activity, parse_activity
from node.federation.protocol.actors import Actor
from node.federation.protocol.keys import PublicKey
from node.federation.protocol.messages import Request, parse_document
from node.federation.protocol.verification import SEALED, Carrier, Verified
from node.federation.quotas import Quotas
from node.federation.replies import ReplyKeeper, forget_stranger, forgets_sender
from node.federation.stale_keys import StaleKeys
from node.kinds import Surroundings
from node.letters import Letter
from node.models import contacts, documents, logs, organisations, queues
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.queues import Incoming, Settled
from node.models.views import View

_PACE = 0.05
"""Seconds from the start of one batch to the start of the next, at least."""
_BATCH = 200
_LEASE = timedelta(minutes=5)
_FETCHING, _FETCHING_ONE = 16, 4
_ATTEMPTS = 6
_SEEN = 20_000
_LARGE = 32 * 1024
"""Bytes of a body whose proof is checked off the event loop: a canonical form can be made to take 0.3 s."""
_REREAD = 0.5
"""Seconds until the database is asked what the command line or another process changed."""
_REREAD_ANYWAY = 5.0
"""Seconds until it is asked though its files look untouched."""


@dataclass(frozen=True, slots=True)
class Ready:
    """One incoming activity, verified, waiting to be judged."""

    row: Incoming
    verified: Verified
    sender: Actor | None = None
    target: Actor | None = None
    letters: Mapping[str, Letter] = field(default_factory=dict)
    """What was in the envelope, by our did that could open it."""


class Inbox:
    """The door and the worker of one node."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        discovery: Discovery,
        clock: Callable[[], datetime],
        heard: Callable[[str], None],
        stirred: Callable[[], None],
        greeter: Greeter,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._discovery = discovery
        self._clock = clock
        self._heard = heard
        self._stirred = stirred
        self._greeter = greeter
        self._keeper = ReplyKeeper()
        self._unscrubbed = False
        self._pinned: dict[str, tuple[str, ...]] = {}
        self._own: dict[str, Organisation] = {}
        self._wake = asyncio.Event()
        self._intake = Intake(database, self._wake.set, _LEASE)
        self._quotas = Quotas()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fetching = asyncio.Semaphore(_FETCHING)
        self._stale = StaleKeys(database, discovery, self._fetching)
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # --- the door -------------------------------------------------------------------------------------------------

    async def receive(self, request: Request, org: str) -> None:
        """Take one POST, or refuse it.

        Args:
            org: the did whose inbox it came to; empty for the shared inbox.

        Raises:
            ProtocolError: 4xx, naming the rule.

        Spec: AP §7, §5.2
        """
        now = self._clock()
        try:
            admitted = await self._admit(request, org, now)
        except ProtocolError as error:
            await self._intake.note_refusal(request, org, error, now)
            raise
        if admitted is None:
            return
        kept = self._intake.keep(*admitted)
        del request, admitted  # sixty-four that wait for one flush would hold a megabyte of parsed text between them
        await kept

    async def _admit(self, request: Request, org: str, now: datetime) -> tuple[Incoming, Activity] | None:
        check_content_type(request)
        request = replace(request, scheme=self._scheme(request))
        claim = verification.check_request(request, now)
        activity = parse_activity(parse_document(request.body))
        if activity.did in self._own:
            raise ProtocolError("our own words do not come from outside", spec="Tadamun wire §3", status=403)
        if claim is None:
            return await self._admit_alone(request, activity, org, now), activity
        if await self._is_held(activity):
            return None
        key_id = ids.canonical(claim.key_id)
        if len(key_id) > MAX_ID:
            raise ProtocolError("a key id too long to be kept", spec="RFC 9421 §2.3", status=401)
        key = self._discovery.cached_key(key_id) or await self._discovery.known_key(key_id)
        if key is None:
            if activity.type == "Delete" and activity.object_id == activity.actor and activity.did is None:
                return None  # Mastodon tells everybody of every deleted account: of one we never knew, nothing is left
            kept = kept_request(request, claim)
            return self._unproved_row(request, activity, org, now, claim.key_id, kept), activity
        try:
            verification.verify_request(request, claim, key)
        except ProtocolError:
            if self._stale.is_due(key, now):
                self._spawn(self._stale.refresh(key, claim.key_id))
            raise
        await self._check_carrier(key.owner, activity)
        self._quotas.take(ids.origin(key.owner), len(request.body), now)
        signed: bytes | None = None
        if replies.leaves_no_row(activity):
            with suppress(ProtocolError):  # what was signed and is not written down is no evidence either
                signed = kept_request(request, claim)
        return self._row(request, activity, org, now, claim.key_id, key.owner, signed), activity

    async def _admit_alone(self, request: Request, activity: Activity, org: str, now: datetime) -> Incoming:
        """Without an HTTP signature its own proof must do. A did is its own key: verified here, nobody is asked."""
        proof = integrity_proofs.check(activity.value)  # 401 where there is no proof either
        if activity.did is None:
            return self._unproved_row(request, activity, org, now, "", None)
        verification.check_fresh(proof, now)
        await _verify(activity, Carrier(activity.actor))
        return self._row(request, activity, org, now, "", activity.actor, None)

    def _scheme(self, request: Request) -> str:
        """How the world speaks to the host asked for. What was signed for another node is not replayed here.

        A proxy in front of the node takes TLS away; the signature is over the address that the peer saw.
        """
        host = (request.header("host") or "").lower()
        for organisation in self._own.values():
            if organisation.host == host:
                return organisation.origin.partition("://")[0]
        raise ProtocolError("signed for another host", spec="RFC 9421 §7.2.5", status=401)

    async def known_key(self, key_id: str) -> PublicKey | None:
        """A key that stands in an actor document we hold; calls nobody."""
        return await self._discovery.known_key(ids.canonical(key_id))

    async def _check_carrier(self, owner: str, activity: Activity) -> None:
        if owner == activity.actor:
            return
        if not await self._may_forward(owner, activity):
            raise ProtocolError("the key's owner is not the actor", spec="FEP-fe34", status=401)

    async def _may_forward(self, owner: str, activity: Activity) -> bool:
        found = ids.portable(owner)
        if found is None or activity.did is None:
            return False
        if found.did not in self._pinned or activity.did not in self._pinned:
            await self.refresh()
        return found.did in self._pinned and activity.did in self._pinned

    async def _is_held(self, activity: Activity) -> bool:
        """Copies of a rumour are dropped before any signature is checked. A rumour is passed on byte for byte: to
        compare bytes costs a stranger's long text nothing, its canonical form could cost a quarter of a second.
        """
        if activity.position is None or activity.did not in self._pinned:
            return False
        digest = hashlib.sha256(activity.raw).digest()
        if digest in self._seen:
            return True
        orgs = self._pinned[activity.did]

        def look(connection: Connection) -> bool:
            return all(
                (entry := logs.by_activity(connection, org, activity.id)) is not None and entry.raw == activity.raw
                for org in orgs
            )

        held = await self._database.read(look)
        if held:
            self._see(digest)
        return held

    def _see(self, digest: bytes) -> None:
        self._seen[digest] = None
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _row(
        self, request: Request, activity: Activity, org: str, now: datetime, key_id: str, signer: str,
        kept: bytes | None,
    ) -> Incoming:  # fmt: skip
        # A forged copy that comes first must not stand in the way of the true one: what is not proved yet is told
        # apart by what shall prove it.
        proof = b"" if signer else kept or b"unsigned"
        # Without an HTTP signature the same words in other white space are the same words: no replay by respelling.
        body = digests.jcs(activity.value) if signer and not key_id else request.body
        return Incoming(
            id=0,
            org=org,
            received=now,
            activity_id=activity.id,
            digest=hashlib.sha256(proof + body).digest(),
            body=request.body,
            key_id=key_id,
            signer=signer,
            request=kept,
            via=ids.host_of(key_id) if key_id else "",
        )

    def _unproved_row(
        self, request: Request, activity: Activity, org: str, now: datetime, key_id: str, kept: bytes | None
    ) -> Incoming:
        """A row whose key must be asked for. Anybody can make such rows: there is room for so many in ten minutes.

        Raises:
            ProtocolError: 503, later there will be room; peers that we know are not held up.
        """
        self._intake.check_room(len(request.body), now)
        return self._row(request, activity, org, now, key_id, "", kept)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the worker -----------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Read again who lives here and who is pinned."""

        def read(connection: Connection) -> tuple[dict[str, tuple[str, ...]], tuple[Organisation, ...]]:
            return contacts.pinned_anywhere(connection), organisations.all_of(connection)

        self._pinned, own = await self._database.read(read)
        self._own = {organisation.did: organisation for organisation in own}

    def wake(self) -> None:
        """Something was put into the queue."""
        self._wake.set()

    async def run(self) -> None:
        """Judge what waits, until cancelled."""
        loop = asyncio.get_running_loop()
        soon, due = 0.0, 0.0
        seen: object = None
        self._intake.working = True
        while True:
            now, stamp = loop.time(), self._database.stamp()
            if now >= due or (now >= soon and (stamp != seen or self._unscrubbed)):
                seen = stamp
                await self.refresh()
                await self._scrub()
                soon, due = loop.time() + _REREAD, loop.time() + _REREAD_ANYWAY
            begun = loop.time()
            woken = self._wake.is_set()
            self._wake.clear()  # before the look, or a row that comes between the two would wait for the next
            if await self.work_once(look_first=not woken) == 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _REREAD)
            else:
                # The first one is judged at once; under load each batch waits for company, which halves its cost.
                await asyncio.sleep(max(0.0, begun + _PACE - loop.time()))

    async def _scrub(self) -> None:
        """Private words were deleted: SQLite's write-ahead log holds them still."""
        if self._unscrubbed:
            self._unscrubbed = False  # what is deleted while it is under way is for the next time
            done = await self._database.scrub()
            self._unscrubbed = self._unscrubbed or not done

    async def drain(self) -> None:
        """Finish every task under way."""
        await self._intake.drain()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def work_once(self, *, look_first: bool = False) -> int:
        """Judge one batch; returns how many rows there were."""
        rows = self._intake.take(_BATCH) or await self._claim(look_first=look_first)
        ready: list[Ready] = []
        settled: list[Settled] = []
        for row, known in rows:
            try:
                activity = known or parse_activity(parse_document(row.body))
                if _needs_calls(row, activity):
                    self._spawn(self._fetch_and_judge(row))
                    continue
                ready.append(Ready(row, verification.verify_activity(activity, self._carrier(row, activity))))
            except ProtocolError as error:
                settled.append(_refused(row, error))
                await self._suspect(row, known, error)
        if ready or settled:
            await self._judge(ready, settled)
        return len(rows)

    async def _suspect(self, row: Incoming, activity: Activity | None, error: ProtocolError) -> None:
        """A member brought words of another that their author did not sign: remembered, without the words."""
        carrier = ids.portable(row.signer) if row.signer else None
        if activity is None or activity.did is None or carrier is None or carrier.did == activity.did:
            return
        orgs = [org for org in self._pinned.get(activity.did, ()) if org in self._pinned.get(carrier.did, ())]
        note = f"an entry that does not hold, {digests.multibase(row.body)[:20]}…: {error}"[: evidence.MAX_NOTE]
        seen = Evidence(evidence.FORGED, activity.did, row.via, note)

        def write(connection: Connection) -> None:
            for org in orgs:
                documents.keep_evidence(connection, org, seen, self._clock())

        if orgs:
            await self._database.write(write)

    async def _claim(self, *, look_first: bool) -> list[tuple[Incoming, Activity | None]]:
        """Rows from the database: what another process kept, what came while we were behind, what was postponed."""
        now = self._clock()
        if (look_first or not self._intake.behind) and not await self._database.read(partial(queues.is_due, now=now)):
            self._intake.behind = False
            return []
        rows = await self._database.write(lambda connection: queues.claim(connection, now, _BATCH, _LEASE))
        self._intake.behind = len(rows) == _BATCH
        return [(row, None) for row in rows]

    def _carrier(self, row: Incoming, activity: Activity) -> Carrier:
        found = ids.portable(row.signer) if row.signer else None
        return Carrier(
            owner=row.signer or None,
            pinned=found is not None and found.did in self._pinned,
            author_pinned=activity.did is not None and activity.did in self._pinned,
        )

    async def _fetch_and_judge(self, row: Incoming) -> None:
        """One row that needs others asked: its key, the sender of a Follow, the target of a Move.

        Who waits for a slow host waits in that host's own queue, and holds no place that others need.
        """
        place = self._places.get(row.via) or asyncio.Semaphore(_FETCHING_ONE)
        self._places[row.via] = place
        async with place, self._fetching:
            try:
                ready = await self._fetch(row)
            except FetchError as error:
                await self._postpone(row, error)
                return
            except ProtocolError as error:
                await self._judge([], [_refused(row, error)])
                return
            except Exception as error:  # noqa: BLE001 - our own bug; left waiting it would come back for ever
                log.error("inbox.failed", exception=error)
                failed = Settled(row.id, queues.FAILED, "", type(error).__name__, is_private(row.body))
                await self._judge([], [failed])
                return
        await self._judge([ready], [])

    async def _fetch(self, row: Incoming) -> Ready:
        activity = parse_activity(parse_document(row.body))
        if row.request is not None:
            row = await self._verify_late(row)
        if row.signer:
            verified = await _verify(activity, self._carrier(row, activity))
        else:
            verified = await self._verify_alone(activity)
        sender = target = None
        if activity.type == SEALED:
            return Ready(row, verified, letters=await self._open(activity))
        if activity.type == "Follow":
            sender = await self._follower(activity)
        if activity.type == "Succeed":
            sender = await self._discovery.actor(str(messages.id_of(activity.value.get("actor"))))
        if activity.type == "Move":
            target = await self._target(activity)
        return Ready(row, verified, sender, target)

    async def _open(self, activity: Activity) -> dict[str, Letter]:
        def read(connection: Connection) -> dict[str, tuple[str, ...]]:
            return {did: letters.secrets_of(connection, self._keyring, did) for did in self._own}

        secrets = await self._database.read(read)
        return await asyncio.get_running_loop().run_in_executor(None, letters.open_all, activity, secrets)

    async def _verify_late(self, row: Incoming) -> Incoming:
        request = restored_request(row)
        claim = verification.check_request(request, row.received)
        if claim is None:
            raise ProtocolError("no signature", spec="RFC 9421 §3.2", status=401)
        key = await self._key(claim.key_id)
        verification.verify_request(request, claim, key)
        return replace(row, signer=key.owner)

    async def _verify_alone(self, activity: Activity) -> Verified:
        proof = integrity_proofs.check(activity.value)
        if activity.did is not None:
            verified = await _verify(activity, Carrier(activity.actor))
            verification.check_fresh(proof, self._clock())
            return verified
        return verification.verify_proof_alone(activity, await self._key(proof.method), self._clock())

    async def _key(self, key_id: str) -> PublicKey:
        """A key, asked for by one at a time: the others find what the first learned, or that there was nothing."""
        name = ids.canonical(key_id)
        lock = self._asking.get(name) or asyncio.Lock()
        self._asking[name] = lock
        async with lock:
            return await self._discovery.key(key_id)

    async def _follower(self, activity: Activity) -> Actor:
        """Who follows. A portable actor names its own gateways: the one we would deliver to must answer for it, or
        anybody could have us POST to anyone (FEP-ef61).
        """
        place = str(messages.id_of(activity.value.get("actor")))
        found = await self._discovery.actor(place, fresh=activity.did is not None)
        if ids.origin_of_location(place) != ids.origin_of_location(found.inbox):
            raise ProtocolError("the host of the inbox does not answer for the actor", spec="FEP-ef61", status=403)
        return found

    async def _target(self, activity: Activity) -> Actor | None:
        target = messages.id_of(activity.value.get("target"))
        followed = await self._database.read(
            lambda connection: any(
                contacts.following(connection, org, activity.actor) is not None for org in self._own
            )
        )
        if target is None or not followed:
            return None
        try:
            return await self._discovery.actor(target, fresh=True)
        except NodeError as error:
            if isinstance(error, FetchError) and error.retryable:
                raise
            log.info("move.target_unread", reason=error)
            return None

    async def _postpone(self, row: Incoming, error: FetchError) -> None:
        now = self._clock()
        if not error.retryable or row.attempts >= _ATTEMPTS:
            failed = Settled(row.id, queues.FAILED, "RFC 9421 §3.2", error.reason, is_private(row.body))
            await self._judge([], [failed])
            return
        due = now + max(timedelta(seconds=5 * 4**row.attempts), timedelta(seconds=error.retry_after))
        await self._database.write(lambda connection: queues.postpone(connection, [row.id], due))

    async def _judge(self, ready: Sequence[Ready], settled: Sequence[Settled]) -> None:
        try:
            forgot = await self._database.write(lambda connection: self._commit(connection, ready, settled))
        except Exception as error:  # noqa: BLE001 - the one place where our own bugs are caught
            if len(ready) > 1:
                log.warning("inbox.batch_split", count=len(ready), kind=type(error).__name__)
                await self._judge([], settled)
                for item in ready:
                    await self._judge([item], [])
                return
            log.error("inbox.failed", exception=error)
            now = self._clock()
            failed = [
                Settled(item.row.id, queues.FAILED, "", type(error).__name__, is_private(item.row.body))
                for item in ready
            ]
            await self._database.write(lambda connection: queues.settle(connection, failed, now))
            return
        self._unscrubbed = self._unscrubbed or forgot
        for item in ready:
            if replies.leaves_no_row(item.verified.activity):
                self._discovery.forget(item.verified.activity.actor)
        for host in {item.row.via for item in ready if item.row.via}:
            self._heard(host)
        self._stirred()

    def _commit(self, connection: Connection, ready: Sequence[Ready], settled: Sequence[Settled]) -> bool:
        """Write it all down; returns whether private words were deleted."""
        now = self._clock()
        results = {item.row.id: Settled(item.row.id, queues.IGNORED, "", "no organisation here") for item in ready}
        gone: set[int] = set()
        for organisation in organisations.all_of(connection):
            mine = [item for item in ready if item.row.org in ("", organisation.did)]
            if not mine:
                continue
            view = View(connection, organisation)
            view.preload([item.verified.activity for item in mine])
            for item in mine:
                outcome = self._commit_one(view, item, now)
                results[item.row.id] = _better(results[item.row.id], _settled(item.row.id, outcome))
                if forgets_sender(item.verified.activity, outcome):
                    gone.add(item.row.id)
            view.flush()
        for item in ready:
            if item.row.id in gone:
                forget_stranger(connection, item.verified.activity.actor)
            elif posts.is_private(item.verified.activity):
                gone.add(item.row.id)
        done = [replace(each, forget=each.forget or each.id in gone) for each in (*settled, *results.values())]
        queues.settle(connection, done, now)
        return any(each.forget for each in done)

    def _commit_one(self, view: View, item: Ready, now: datetime) -> Decision:
        forwarder = ids.portable(item.verified.forwarder) if item.verified.forwarder else None
        if forwarder is not None and view.member(forwarder.did) is None:
            return Ignore("forwarded by one who is no member of this organisation")
        if item.verified.activity.type == "Follow" and item.verified.activity.object_id != view.organisation.actor:
            return Ignore("not this organisation")
        around = Surroundings(
            now, item.row.via, target=item.target, sender=item.sender, letter=item.letters.get(view.org)
        )
        done = commit.commit(view, item.verified, around)
        if item.verified.activity.type == SEALED:
            queues.forget(view.connection, [item.verified.activity.id])  # kept by its kind's rule alone
        for reply in done.replies:
            if isinstance(reply, Greet):
                self._greeter.answer(view, self._keyring.organisation(view.org), reply, now)
            elif isinstance(reply, HoldReply):
                self._keeper.hold(view, reply, item.row, now)
            else:
                outbox.answer(view, self._keyring.organisation(view.org), reply, around)
        if any(isinstance(effect, StoreActor) for effect in _effects(done.decision)):
            self._discovery.forget(item.verified.activity.actor)
        return done.decision


def _needs_calls(row: Incoming, activity: Activity) -> bool:
    """Whether others must be asked first, or the work is too long for the event loop."""
    return not row.signer or activity.type in ("Move", "Follow", "Succeed", SEALED) or len(row.body) > _LARGE


async def _verify(activity: Activity, carrier: Carrier) -> Verified:
    """A long text's proof is checked in a thread, so that nobody waits at the door for it."""
    if len(activity.raw) <= _LARGE:
        return verification.verify_activity(activity, carrier)
    return await asyncio.get_running_loop().run_in_executor(None, verification.verify_activity, activity, carrier)


def _refused(row: Incoming, error: ProtocolError) -> Settled:
    return Settled(row.id, queues.REFUSED, error.spec, error.reason, is_private(row.body))


def _effects(decision: Decision) -> tuple[object, ...]:
    return decision.effects if isinstance(decision, Accept) else ()


def _settled(row: int, decision: Decision) -> Settled:
    match decision:
        case Accept():
            return Settled(row, queues.ACCEPTED)
        case Ignore(reason):
            return Settled(row, queues.IGNORED, "", reason)
        case Refuse(reason, spec):
            return Settled(row, queues.REFUSED, spec, reason)


def _better(first: Settled, second: Settled) -> Settled:
    order = (queues.IGNORED, queues.REFUSED, queues.ACCEPTED)
    return second if order.index(second.state) >= order.index(first.state) else first

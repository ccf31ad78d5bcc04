"""What others deliver: the door, and the worker behind it.

At the door, in order: content type, HTTP signature (syntax, coverage, date, digest), JSON, origins; a copy of an entry
we hold is waved through; key known: verified on the spot, 401 with the rule if bad; key unknown: kept and 202. The door
calls nobody. 202 is said when the row is on the disk.

The worker fetches missing keys outside any transaction, verifies, and hands batches to `commit`.
"""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import log
from node.effects import Accept, Decision, Ignore, Refuse, StoreActor
from node.errors import FetchError, NodeError, ProtocolError
from node.federation import commit, outbox
from node.federation.discovery import Discovery
from node.federation.protocol import ids, integrity_proofs, messages, replicas, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.actors import Actor
from node.federation.protocol.keys import PublicKey
from node.federation.protocol.messages import Request, parse_document
from node.federation.protocol.verification import Carrier, Claim, Verified
from node.kinds import Surroundings
from node.models import contacts, logs, organisations, queues
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.queues import Incoming, Settled
from node.models.views import View

_LINGER = 0.002
_BATCH = 200
_LEASE = timedelta(minutes=5)
_REFRESH = timedelta(minutes=10)
_FETCHING = 16
_ATTEMPTS = 6
_SEEN = 20_000
_REFUSALS_A_SECOND = 20
_PRIVATE_HEADERS = frozenset({"user-agent", "forwarded", "x-forwarded-for", "x-real-ip", "cookie", "authorization"})


@dataclass(frozen=True, slots=True)
class Ready:
    """One incoming activity, verified, waiting to be judged."""

    row: Incoming
    verified: Verified
    sender: Actor | None = None
    target: Actor | None = None


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
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._discovery = discovery
        self._clock = clock
        self._heard = heard
        self._stirred = stirred
        self._pinned: dict[str, tuple[str, ...]] = {}
        self._own: dict[str, Organisation] = {}
        self._arrived: list[Incoming] = []
        self._flush: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()
        self._refreshed: OrderedDict[str, datetime] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fetching = asyncio.Semaphore(_FETCHING)
        self._allowance = (0.0, 0)

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
            row = await self._admit(request, org, now)
        except ProtocolError as error:
            await self._note_refusal(request, org, error, now)
            raise
        if row is not None:
            await self._keep(row)

    async def _admit(self, request: Request, org: str, now: datetime) -> Incoming | None:
        _check_content_type(request)
        self._check_host(request)
        claim = verification.check_request(request, now)
        activity = parse_activity(parse_document(request.body))
        if activity.did in self._own:
            raise ProtocolError("our own words do not come from outside", spec="Tadamun wire §3", status=403)
        if claim is None:
            integrity_proofs.check(activity.value)  # 401 where there is no proof either
            return self._row(request, activity, org, now, "", "", None)
        if await self._is_held(activity):
            return None
        key_id = ids.canonical(claim.key_id)
        key = self._discovery.cached_key(key_id) or await self._discovery.known_key(key_id)
        if key is None:
            if activity.type == "Delete" and activity.object_id == activity.actor:
                return None  # Mastodon tells everybody of every deleted account: of one we never knew, nothing is left
            return self._row(request, activity, org, now, claim.key_id, "", _kept_request(request, claim))
        try:
            verification.verify_request(request, claim, key)
        except ProtocolError:
            self._refresh(claim.key_id, now)
            raise
        await self._check_carrier(key.owner, activity)
        return self._row(request, activity, org, now, claim.key_id, key.owner, None)

    def _check_host(self, request: Request) -> None:
        """A signature is for one host: what was signed for another node is not replayed here."""
        host = (request.header("host") or "").lower()
        if host not in {organisation.host for organisation in self._own.values()}:
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
        """Copies of a rumour are dropped by header, before any signature is checked."""
        if activity.position is None or activity.did not in self._pinned:
            return False
        header = replicas.header_of(activity)
        digest = header.digest
        if digest in self._seen:
            return True
        orgs = self._pinned[activity.did]

        def look(connection: Connection) -> bool:
            return all(
                (entry := logs.find(connection, org, header)) is not None and entry.state != logs.STUB
                for org in orgs
            )

        held = await self._database.read(look)
        if held:
            self._see(digest)
        return held

    def _see(self, digest: str) -> None:
        self._seen[digest] = None
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _row(
        self, request: Request, activity: Activity, org: str, now: datetime, key_id: str, signer: str,
        kept: bytes | None,
    ) -> Incoming:  # fmt: skip
        return Incoming(
            id=0,
            org=org,
            received=now,
            activity_id=activity.id,
            digest=hashlib.sha256(request.body).digest(),
            body=request.body,
            key_id=key_id,
            signer=signer,
            request=kept,
            via=ids.host_of(key_id) if key_id else "",
        )

    async def _keep(self, row: Incoming) -> None:
        """Write rows together: everybody who arrives within two milliseconds waits for one flush."""
        self._arrived.append(row)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().create_future()
            self._spawn(self._write())
        await asyncio.shield(self._flush)

    async def _write(self) -> None:
        await asyncio.sleep(_LINGER)
        rows, waiter = self._arrived, self._flush
        self._arrived, self._flush = [], None
        try:
            await self._database.write(lambda connection: queues.keep(connection, rows))
        except Exception as error:  # noqa: BLE001 - everybody who waits hears why
            if waiter is not None:
                waiter.set_exception(error)
            return
        if waiter is not None:
            waiter.set_result(None)
        self._wake.set()

    async def _note_refusal(self, request: Request, org: str, error: ProtocolError, now: datetime) -> None:
        """What was refused at the door stays visible to the operator: at most twenty a second, bodies up to 64 kB."""
        second, used = self._allowance
        stamp = float(int(now.timestamp()))
        used = used + 1 if second == stamp else 1
        self._allowance = (stamp, used)
        log.info("inbox.refused", status=error.status, rule=error.spec, reason=error.reason)
        if used > _REFUSALS_A_SECOND:
            return
        body = request.body[: 64 * 1024]
        row = Incoming(0, org, now, "", hashlib.sha256(request.body).digest(), body, "", "", None, "")
        await self._database.write(lambda connection: queues.note_refused(connection, row, error.spec, error.reason))

    def _refresh(self, key_id: str, now: datetime) -> None:
        """One refresh of a key that failed, at most every ten minutes; the peer tries again by itself."""
        last = self._refreshed.get(key_id)
        if last is not None and now - last < _REFRESH:
            return
        self._refreshed[key_id] = now
        if len(self._refreshed) > _SEEN:
            self._refreshed.popitem(last=False)
        self._spawn(self._refresh_key(key_id))

    async def _refresh_key(self, key_id: str) -> None:
        async with self._fetching:
            try:
                await self._discovery.refresh_key(key_id)
            except NodeError as error:
                log.info("key.refresh_failed", reason=error)

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
        await self.refresh()
        while True:
            if await self.work_once() == 0:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), 0.5)
                except TimeoutError:
                    await self.refresh()

    async def drain(self) -> None:
        """Finish every task under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def work_once(self) -> int:
        """Judge one batch; returns how many rows were claimed."""
        now = self._clock()
        rows = await self._database.write(lambda connection: queues.claim(connection, now, _BATCH, _LEASE))
        ready: list[Ready] = []
        settled: list[Settled] = []
        for row in rows:
            if self._needs_calls(row):
                self._spawn(self._fetch_and_judge(row))
                continue
            self._prepare(row, ready, settled)
        if ready or settled:
            await self._judge(ready, settled)
        return len(rows)

    def _needs_calls(self, row: Incoming) -> bool:
        if not row.signer:
            return True
        head = row.body[:4096]
        return b'"Move"' in row.body or b'"Follow"' in head or b'"Succeed"' in row.body

    def _prepare(self, row: Incoming, ready: list[Ready], settled: list[Settled]) -> None:
        try:
            activity = parse_activity(parse_document(row.body))
            ready.append(Ready(row, verification.verify_activity(activity, self._carrier(row, activity))))
        except ProtocolError as error:
            settled.append(Settled(row.id, queues.REFUSED, error.spec, error.reason))

    def _carrier(self, row: Incoming, activity: Activity) -> Carrier:
        found = ids.portable(row.signer) if row.signer else None
        return Carrier(
            owner=row.signer or None,
            pinned=found is not None and found.did in self._pinned,
            author_pinned=activity.did is not None and activity.did in self._pinned,
        )

    async def _fetch_and_judge(self, row: Incoming) -> None:
        """One row that needs others asked: its key, the sender of a Follow, the target of a Move."""
        async with self._fetching:
            try:
                ready = await self._fetch(row)
            except FetchError as error:
                await self._postpone(row, error)
                return
            except ProtocolError as error:
                await self._judge([], [Settled(row.id, queues.REFUSED, error.spec, error.reason)])
                return
        await self._judge([ready], [])

    async def _fetch(self, row: Incoming) -> Ready:
        activity = parse_activity(parse_document(row.body))
        if row.request is not None:
            row = await self._verify_late(row)
        if row.signer:
            verified = verification.verify_activity(activity, self._carrier(row, activity))
        else:
            verified = await self._verify_alone(activity)
        sender = target = None
        if activity.type in ("Follow", "Succeed"):
            sender = await self._discovery.actor(str(messages.id_of(activity.value.get("actor"))))
        if activity.type == "Move":
            target = await self._target(activity)
        return Ready(row, verified, sender, target)

    async def _verify_late(self, row: Incoming) -> Incoming:
        request = _restored_request(row)
        claim = verification.check_request(request, row.received)
        if claim is None:
            raise ProtocolError("no signature", spec="RFC 9421 §3.2", status=401)
        key = await self._discovery.key(claim.key_id)
        verification.verify_request(request, claim, key)
        return replace(row, signer=key.owner)

    async def _verify_alone(self, activity: Activity) -> Verified:
        proof = integrity_proofs.check(activity.value)
        if activity.did is not None:
            verified = verification.verify_activity(activity, Carrier(activity.actor))
            verification.check_fresh(proof, self._clock())
            return verified
        return verification.verify_proof_alone(activity, await self._discovery.key(proof.method), self._clock())

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
            log.info("move.target_unread", reason=error)
            return None

    async def _postpone(self, row: Incoming, error: FetchError) -> None:
        now = self._clock()
        if not error.retryable or row.attempts >= _ATTEMPTS:
            await self._judge([], [Settled(row.id, queues.FAILED, "RFC 9421 §3.2", error.reason)])
            return
        due = now + max(timedelta(seconds=5 * 4**row.attempts), timedelta(seconds=error.retry_after))
        await self._database.write(lambda connection: queues.postpone(connection, [row.id], due))

    async def _judge(self, ready: Sequence[Ready], settled: Sequence[Settled]) -> None:
        try:
            await self._database.write(lambda connection: self._commit(connection, ready, settled))
        except Exception as error:  # noqa: BLE001 - the one place where our own bugs are caught
            if len(ready) > 1:
                log.warning("inbox.batch_split", count=len(ready), kind=type(error).__name__)
                await self._judge([], settled)
                for item in ready:
                    await self._judge([item], [])
                return
            log.error("inbox.failed", exception=error)
            now = self._clock()
            failed = [Settled(item.row.id, queues.FAILED, "", type(error).__name__) for item in ready]
            await self._database.write(lambda connection: queues.settle(connection, failed, now))
            return
        for host in {item.row.via for item in ready if item.row.via}:
            self._heard(host)
        self._stirred()

    def _commit(self, connection: Connection, ready: Sequence[Ready], settled: Sequence[Settled]) -> None:
        now = self._clock()
        results = {item.row.id: Settled(item.row.id, queues.IGNORED, "", "no organisation here") for item in ready}
        for organisation in organisations.all_of(connection):
            mine = [item for item in ready if item.row.org in ("", organisation.did)]
            if not mine:
                continue
            view = View(connection, organisation)
            view.preload(item.verified.activity for item in mine)
            for item in mine:
                outcome = self._commit_one(view, item, now)
                results[item.row.id] = _better(results[item.row.id], _settled(item.row.id, outcome))
            view.flush()
        queues.settle(connection, [*settled, *results.values()], now)

    def _commit_one(self, view: View, item: Ready, now: datetime) -> Decision:
        forwarder = ids.portable(item.verified.forwarder) if item.verified.forwarder else None
        if forwarder is not None and view.member(forwarder.did) is None:
            return Ignore("forwarded by one who is no member of this organisation")
        if item.verified.activity.type == "Follow" and item.verified.activity.object_id != view.organisation.actor:
            return Ignore("not this organisation")
        around = Surroundings(now, item.row.via, target=item.target, sender=item.sender)
        done = commit.commit(view, item.verified, around)
        for reply in done.replies:
            outbox.answer(view, self._keyring.organisation(view.org), reply, around)
        if any(isinstance(effect, StoreActor) for effect in _effects(done.decision)):
            self._discovery.forget(item.verified.activity.actor)
        return done.decision


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


def _check_content_type(request: Request) -> None:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind not in ("application/activity+json", "application/ld+json"):
        raise ProtocolError("an inbox takes application/activity+json", spec="AP §3.2", status=415)


def _kept_request(request: Request, claim: Claim) -> bytes:
    """The part of a request that its signature covers: enough to verify it later, and nothing else.

    Raises:
        ProtocolError: 401, the signature covers a header that we do not write down.
    """
    names = {"signature", "signature-input", "host", "date", "digest", "content-digest", "content-type"}
    covered = getattr(claim, "names", ()) or getattr(claim, "components", ())
    names |= {name.strip('"').partition('"')[0] for name in covered}
    if names & _PRIVATE_HEADERS:
        raise ProtocolError("the signature covers a header that is not kept here", spec="RFC 9421 §7.2", status=401)
    headers = [[name, value] for name, value in request.headers if name in names]
    return json.dumps([request.method, request.target, request.scheme, headers]).encode()


def _restored_request(row: Incoming) -> Request:
    method, target, scheme, headers = json.loads(row.request or b"[]")
    return Request(method, target, tuple((name, value) for name, value in headers), row.body, scheme)

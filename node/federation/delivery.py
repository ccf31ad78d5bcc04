"""Bringing what we owe to where it is owed: claim, sign, POST, settle or postpone.

One delivery an inbox; alerts first, members before followers; a few at once to one host, none to a host that keeps
failing until its breaker half-opens; RFC 9421 after a 400 or 401, then the other proof form, each remembered for the
host when it works. A claimed delivery that dies with the process is handed back at the next start: peers tell copies by
id.
"""

import asyncio
import random
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import boosts, log
from node.errors import FetchError, NodeError, RefusedError
from node.federation.fetcher import Fetcher
from node.federation.protocol import actors, http_signatures, message_signatures, retry
from node.federation.protocol.messages import ACTIVITY_JSON, Request
from node.models import boosts as boost_rows
from node.models import contacts, deliveries
from node.models.base import Database
from node.models.deliveries import Delivery, HostState, Lane, Outcome
from node.models.keyring import Keyring

_LEASE = timedelta(seconds=60)
_UNSIGNED = timedelta(minutes=5)
_SETTLE = 0.02
_POLL = 0.25
"""Seconds until the database is asked what another process (the command line) has queued."""
_LEAST = 32
"""Ordinary deliveries are claimed so many at a time at least, while others are under way: each claim is a flush."""
_TOGETHER = 16
"""Signed in one go; the first of a batch are under way while the rest is signed."""
_PAYLOADS = 64
_HOSTS = 5_000
CAVAGE, RFC9421 = "cavage", "rfc9421"
_NO_ANSWER, _NEVER = 599, 422
"""What counts as the status where there is none: nobody answered, so later may help; it must not be called."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One delivery, ready to go."""

    delivery: Delivery
    body: bytes
    headers: tuple[tuple[str, str], ...]
    scheme: str
    form: str


class DeliveryWorker:
    """The worker of one node."""

    def __init__(
        self, database: Database, fetcher: Fetcher, keyring: Keyring, clock: Callable[[], datetime], *,
        concurrency: int = 192, per_host: int = 8,
    ) -> None:  # fmt: skip
        self._database = database
        self._fetcher = fetcher
        self._keyring = keyring
        self._clock = clock
        self._concurrency = concurrency
        self._reserved = concurrency // 4
        self._per_host = per_host
        self._underway: Counter[str] = Counter()
        self._count = 0
        self._full = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._outcomes: list[Outcome] = []
        self._changed: dict[str, HostState] = {}
        self._hosts: OrderedDict[str, HostState] = OrderedDict()
        self._uris: dict[str, str] = {}
        self._bodies: OrderedDict[int, tuple[bytes, bytes]] = OrderedDict()
        self._signers = ThreadPoolExecutor(2, thread_name_prefix="signer")
        self._wake = asyncio.Event()
        self._settling: asyncio.Task[None] | None = None
        self._stopping = False

    def wake(self) -> None:
        """Something was queued."""
        self._wake.set()

    def heard(self, host: str) -> None:
        """A host spoke to us: if it was left alone, it gets at once what it missed."""
        state = self._hosts.get(host)
        if state is not None and state.failures:
            self._hosts[host] = replace(state, failures=0, closed_until=None)
            self._spawn(self._greet(host))

    async def start(self) -> None:
        """Hand back what a process that died had claimed, and remember which hosts are in trouble."""
        now = self._clock()

        def begin(connection: Connection) -> dict[str, HostState]:
            deliveries.release(connection, None, now)
            return deliveries.host_states(connection, deliveries.closed_hosts(connection))

        self._hosts.update(await self._database.write(begin))

    async def run(self) -> None:
        """Deliver, until cancelled."""
        while not self._stopping:
            self._wake.clear()
            if await self.work_once() == 0:
                try:
                    await asyncio.wait_for(self._wake.wait(), _POLL)
                except TimeoutError:
                    continue

    async def stop(self) -> None:
        """Finish what is under way and write down how it ended."""
        self._stopping = True
        self._wake.set()
        while self._tasks or self._outcomes:
            if self._tasks:
                await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._settle()
        self.close()

    def close(self) -> None:
        """Let go of the signing thread, for commands that deliver nothing."""
        self._signers.shutdown()

    async def work_once(self) -> int:
        """Claim one batch and set it going; returns how many deliveries that were.

        A quarter of the room is kept for alerts: slow hosts that owe us an answer to something else never fill it.
        """
        room = self._concurrency - self._count
        ordinary = room - self._reserved
        few = ordinary < min(_LEAST, self._concurrency - self._reserved)
        worst, limit = (Lane.ALERT, room) if few else (Lane.OTHER, ordinary)
        busy = [host for host, count in self._underway.items() if count >= self._limit(host)]
        now = self._clock()

        def claim(connection: Connection) -> tuple[Delivery, ...]:
            found = deliveries.claim(connection, now, limit, _LEASE, busy, worst)
            missing = {item.payload for item in found} - self._bodies.keys()
            if missing:
                self._remember(deliveries.bodies(connection, missing))
            unknown = {item.host for item in found} - self._hosts.keys()
            if unknown:
                self._hosts.update(deliveries.host_states(connection, unknown))
            return found

        self._full = few
        if limit <= 0 or not await self._database.read(lambda connection: deliveries.is_due(connection, now, worst)):
            return 0
        claimed = await self._database.write(claim)
        self._full = few or len(claimed) == limit
        chosen, surplus = self._choose(claimed)
        if surplus:
            due = now + timedelta(milliseconds=300)
            await self._database.write(lambda connection: deliveries.release(connection, surplus, due))
        if chosen:
            self._spawn(self._send_all(chosen, now))
        return len(chosen)

    async def _send_all(self, chosen: Sequence[Delivery], now: datetime) -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, len(chosen), _TOGETHER):
            part = chosen[start : start + _TOGETHER]
            signed, unsigned = await loop.run_in_executor(self._signers, self._sign_all, part)
            for each in signed:
                self._spawn(self._deliver(each))
            if unsigned:
                await self._put_off(unsigned, now)

    async def _put_off(self, unsigned: Sequence[Delivery], now: datetime) -> None:
        """What cannot be signed (a key file is missing, a text was destroyed meanwhile) keeps nothing else waiting."""
        for item in unsigned:
            self._leave(item.host)
        rows = [item.id for item in unsigned]
        await self._database.write(lambda connection: deliveries.release(connection, rows, now + _UNSIGNED))

    def _choose(self, claimed: Sequence[Delivery]) -> tuple[list[Delivery], list[int]]:
        chosen: list[Delivery] = []
        surplus: list[int] = []
        for item in claimed:
            if self._underway[item.host] < self._limit(item.host):
                self._enter(item.host)
                chosen.append(item)
            else:
                surplus.append(item.id)
        return chosen, surplus

    def _enter(self, host: str) -> None:
        self._underway[host] += 1
        self._count += 1

    def _leave(self, host: str) -> None:
        self._underway[host] -= 1
        self._count -= 1
        if not self._underway[host]:
            del self._underway[host]
        if self._full and self._count <= self._concurrency - self._reserved - _LEAST:
            self._wake.set()

    def _limit(self, host: str) -> int:
        """One probe at a time to a host that failed last."""
        return 1 if self._state(host).failures else self._per_host

    def _state(self, host: str) -> HostState:
        return self._hosts.get(host) or HostState(host)

    def _remember(self, found: dict[int, tuple[bytes, bytes]]) -> None:
        self._bodies.update(found)
        while len(self._bodies) > _PAYLOADS:
            self._bodies.popitem(last=False)

    def _sign_all(self, chosen: Sequence[Delivery]) -> tuple[list[Signed], list[Delivery]]:
        """Sign a batch off the event loop: one RSA signature is 215 µs, half of what a delivery costs."""
        now = self._clock()
        signed: list[Signed] = []
        unsigned: list[Delivery] = []
        for item in chosen:
            state = self._state(item.host)
            try:
                signed.append(self._sign(item, state.scheme, state.form or item.form, now))
            except NodeError as error:
                log.warning("delivery.unsigned", host=item.host, reason=error)
                unsigned.append(item)
            except Exception as error:  # noqa: BLE001 - our own bug; what it hits is put off, and nothing with it
                log.error("delivery.unsigned", host=item.host, exception=error)
                unsigned.append(item)
        return signed, unsigned

    def _sign(self, item: Delivery, scheme: str, form: str, now: datetime) -> Signed:
        bodies = self._bodies.get(item.payload)
        if bodies is None:
            found = self._database.read_now(lambda connection: deliveries.bodies(connection, [item.payload]))
            if item.payload not in found:
                raise RefusedError("its text was destroyed")
            bodies = found[item.payload]
        body = bodies[0] if form == "log" else bodies[1]
        place = item.inbox.partition("://")
        _, slash, path = place[2].partition("/")
        fixed = (("host", item.host), ("content-type", ACTIVITY_JSON))
        request = Request("POST", slash + path, fixed, body, place[0])
        key_id = self._uri(item.org) + "#main-key"
        sign = message_signatures.sign if scheme == RFC9421 else http_signatures.sign
        private = self._keyring.alerts if boosts.is_voice(item.org) else self._keyring.rsa(item.org)
        extra = sign(request, private, key_id, now)
        return Signed(item, body, (("Content-Type", ACTIVITY_JSON), *extra), scheme, form)

    def _uri(self, org: str) -> str:
        if org not in self._uris:
            self._uris[org] = self._database.read_now(lambda connection: _uri_of(connection, org))
        return self._uris[org]

    async def _deliver(self, signed: Signed) -> None:
        item = signed.delivery
        try:
            answer = await self._fetcher.post(item.inbox, signed.body, signed.headers)
            status, waited = answer.status, answer.retry_after
        except FetchError as error:
            status, waited = error.status or (_NO_ANSWER if error.retryable else _NEVER), error.retry_after
        except NodeError:
            status, waited = _NEVER, 0.0
        finally:
            self._leave(item.host)
        await self._judge(signed, status, waited)

    async def _judge(self, signed: Signed, status: int, waited: float) -> None:
        item, now = signed.delivery, self._clock()
        state = self._state(item.host)
        result = retry.outcome(status, waited, item.attempts)
        if result.kind is retry.Kind.REFUSED_SIGNATURE and not self._stopping:
            other = _other_way(signed)
            if other is not None:
                again = await asyncio.get_running_loop().run_in_executor(
                    self._signers, self._sign, item, *other, now
                )
                self._enter(item.host)
                await self._deliver(again)
                return
        if result.kind is retry.Kind.DONE:
            if state.failures or signed.scheme != state.scheme or signed.form != (state.form or item.form):
                form = signed.form if signed.form != item.form else ""
                self._learn(HostState(item.host, scheme=signed.scheme, form=form))
            self._outcomes.append(Outcome(item.id, deliveries.DONE, status, now))
        else:
            await self._failed(signed, result, status, state, now)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.get_running_loop().create_task(self._settle_soon())
            self._tasks.add(self._settling)
            self._settling.add_done_callback(self._tasks.discard)

    async def _failed(
        self, signed: Signed, result: retry.Outcome, status: int, state: HostState, now: datetime
    ) -> None:
        item = signed.delivery
        if status >= 500:
            failures = state.failures + 1
            closed = retry.breaker(failures)
            self._learn(replace(state, failures=failures, closed_until=now + closed if closed else None))
        wait = retry.delay(item.attempts, random.random(), item.patience)
        if result.kind is retry.Kind.GONE:
            await self._give_up(item.inbox, now)
        if result.kind in (retry.Kind.GONE, retry.Kind.FAILED) or wait is None:
            log.info("delivery.failed", host=item.host, status=status, attempts=item.attempts)
            self._outcomes.append(Outcome(item.id, deliveries.FAILED, status, now))
            return
        due = now + max(wait, result.retry_after)
        self._outcomes.append(Outcome(item.id, deliveries.WAITING, status, due))

    async def _give_up(self, inbox: str, now: datetime) -> None:
        def write(connection: Connection) -> None:
            deliveries.give_up_inbox(connection, inbox, now)
            contacts.remove_inbox(connection, inbox)

        await self._database.write(write)

    def _learn(self, state: HostState) -> None:
        self._hosts[state.host] = state
        self._changed[state.host] = state
        if len(self._hosts) > _HOSTS:
            self._hosts.popitem(last=False)

    async def _settle_soon(self) -> None:
        """Until nothing is left: what ends while the last batch is written starts no other of these."""
        while self._outcomes or self._changed:
            await asyncio.sleep(_SETTLE)
            await self._settle()

    async def _settle(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        changed, self._changed = self._changed, {}
        now = self._clock()

        def write(connection: Connection) -> None:
            deliveries.settle(connection, outcomes, now)
            deliveries.save_hosts(connection, changed.values(), now)

        if outcomes or changed:
            await self._database.write(write)
            self._wake.set()

    async def _greet(self, host: str) -> None:
        now = self._clock()
        freed = await self._database.write(lambda connection: deliveries.greet(connection, host, now))
        if freed:
            log.info("delivery.host_is_back", host=host, waiting=freed)
            self._wake.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _uri_of(connection: Connection, org: str) -> str:
    """Who speaks: an organisation, or the `@alerts` of a host."""
    if boosts.is_voice(org):
        return boost_rows.uri_of(connection, org)
    return actors.actor_uri(org, deliveries.origin_of(connection, org))


def _other_way(signed: Signed) -> tuple[str, str] | None:
    """What to try after a refused signature: RFC 9421, then the other proof form, then nothing."""
    if signed.scheme == CAVAGE:
        return RFC9421, signed.form
    if signed.form == signed.delivery.form:
        return CAVAGE, "follower" if signed.form == "log" else "log"
    return None

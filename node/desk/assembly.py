"""The worker that carries out what acts of a network say: pins follow membership, and what is missing is asked for.

Once a second where something was written, else now and then. Rules, in order:

1. whoever is a member of a network that we are a member of is pinned here, at the address in its acceptance, if what
   answers there is that did; so are candidates for whom we vouched, and, while we are one, the members on the sheet. A
   pin that a hand made is left alone;
   The actors of its working groups are pinned too, so that their logs outlive their hosts;
2. a pin that a network brought goes when no network has it any more, also when it is we who left or were removed;
   while we or they are candidates, it stays;
3. where enough vouched for a candidate, but none of them had seen it, we say it again if we are one of them;
4. where a member's key was succeeded, the pin that a network brought is that of the new did; the old one is left to
   the succession in its log;
5. who asks for acts gets those that it lacks, if it is a member, a few times a minute; what others name and we lack is
   asked for.
"""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from node import governance, log, members
from node import letters as letter_rules
from node.desk import members as pins
from node.desk import networks as desk
from node.desk.networks import Desk
from node.errors import ConfigurationError, NodeError
from node.federation import letters, outbox
from node.federation.discovery import Discovery
from node.members import Ledger, State
from node.models import contacts, organisations
from node.models import networks as rows
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import Organisation

_PAUSE = 1.0
_ANYWAY = 30.0
_AGAIN = 60.0
"""Seconds until a member that could not be reached is tried again."""
_SOON = 2.0
"""Seconds without anything new until what is still missing is asked for again."""
_ASK = 3600.0
_ASKED = 2
_ANSWERS = 5
"""Times that one member is sent what it lacks within a minute."""


class Assembly:
    """One for each node."""

    def __init__(
        self, database: Database, discovery: Discovery, keyring: Keyring, clock: Callable[[], datetime],
        stirred: Callable[[], None],
    ) -> None:  # fmt: skip
        self._database = database
        self._discovery = discovery
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred
        self._tried: dict[tuple[str, str], float] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._missed: dict[tuple[str, str], tuple[float, float]] = {}
        """When was asked for what is missing, and when something came since."""
        self._answered: dict[tuple[str, str, str], list[float]] = {}
        self._again: dict[tuple[str, str], float] = {}
        """When a network is looked at again though nothing of it has changed: once after the start, and while somebody
        could not be pinned. Not in a row: a row that is written is a reason to look."""

    async def run(self) -> None:
        """Look, until cancelled."""
        await self._database.follow(
            self.work_once, _PAUSE, lambda now: max(now + _SOON, min(now + _ANYWAY, *self._again.values(), math.inf))
        )

    async def work_once(self) -> None:
        """Carry out what is new in every network of every organisation here."""
        now = asyncio.get_running_loop().time()
        for org, network, changed in await self._database.read(_all):
            await self._answer(org, network, now)
            if changed or now >= self._again.get((org, network), 0.0):
                self._again[org, network] = math.inf
                self._again[org, network] = now + await self._follow(org, network, now, changed=changed)
            if now >= self._asked.get((org, network), 0.0):
                self._asked[org, network] = now + _ASK * (0.75 + random.random() / 2)
                await self._ask(org, network)

    async def _follow(self, org: str, network: str, now: float, *, changed: bool) -> float:
        """Pin and unpin, and ask for what is missing; says in how many seconds to look again, without an end where all
        is done.
        """
        if changed:  # first of all, so that what is written while we look is looked at again
            await self._database.write(lambda connection: rows.mark(connection, org, network, dirty=False))

        def read(connection: Connection) -> tuple[Any, ...]:
            return *_look(connection, org, network), *_pins(connection, org), *_wanted(connection, org)

        organisation, state, pinned, brought, wanted, waits, groups = await self._database.read(read)
        if organisation is None:
            return math.inf
        handed = {old: new for old, new in state.heirs.items() if old in brought and org in state.members}
        if handed:
            await self._database.write(lambda connection: rows.hand_over(connection, org, handed))
            brought -= handed.keys()
        done = True
        for did in sorted(wanted.keys() - pinned):
            kind = contacts.GROUP if did in groups else contacts.ORGANISATION
            done = await self._pin(organisation, did, wanted[did], now, kind) and done
        for did in () if waits is None else sorted(brought - wanted.keys() - waits):
            await self._database.write(partial(_unpin, organisation=organisation, did=did))
        again = math.inf if done else _AGAIN
        if state.missing:
            again = min(again, _SOON)
            if self._may_ask((org, network), now, changed=changed):
                await self._ask(org, network)
        await self._vouch_again(organisation, network, state)
        return again

    async def _pin(self, organisation: Organisation, did: str, handle: str, now: float, kind: str) -> bool:
        """Pin one; says whether it need not be tried again."""
        name = (organisation.did, did)
        if now < self._tried.get(name, 0.0):
            return False
        self._tried[name] = now + _AGAIN
        try:
            await desk.pin(self._database, self._discovery, organisation, did, handle, self._clock(), kind)
        except NodeError as error:
            log.info("network.not_pinned", did=did, reason=error)
            return False
        self._tried.pop(name, None)
        self._stirred()
        return True

    async def _vouch_again(self, organisation: Organisation, network: str, state: State) -> None:
        for did, (accepted, voices) in state.candidates.items():
            others = sum(each.state == members.MEMBER for each in state.members.values())
            if voices >= min(state.rules.sponsors, others):
                await self._act(organisation, partial(_again, network=network, accepted=accepted, did=did))

    async def _answer(self, org: str, network: str, now: float) -> None:
        """Whoever asks again and again for the whole history gets it a few times a minute."""
        found = await self._database.read(lambda connection: _answerable(connection, org, network))
        asks = tuple(each for each in found if self._may_answer((org, network, each[0]), now))
        if not asks:
            return
        organisation = await self._database.read(lambda connection: organisations.get(connection, org))
        if organisation is not None:
            await self._act(organisation, lambda mine: _send_lacking(mine, network, asks))

    def _may_answer(self, who: tuple[str, str, str], now: float) -> bool:
        times = [each for each in self._answered.get(who, ()) if each > now - _AGAIN]
        self._answered[who] = times
        if len(times) >= _ANSWERS:
            return False
        times.append(now)
        return True

    def _may_ask(self, which: tuple[str, str], now: float, *, changed: bool) -> bool:
        """What was asked for comes in many letters: while they come, nobody is asked again, but a minute at most."""
        asked, came = self._missed.get(which, (-math.inf, -math.inf))
        came = now if changed and asked > -math.inf else came
        again = now - asked >= _AGAIN or now - came >= _SOON
        self._missed[which] = (now, now) if again else (asked, came)
        return again

    async def _ask(self, org: str, network: str) -> None:
        organisation, state = await self._database.read(lambda connection: _look(connection, org, network))
        if organisation is not None:
            await self._act(organisation, lambda mine: _ask_some(mine, network, state))

    async def _act(self, organisation: Organisation, work: Callable[[Desk], object]) -> None:
        try:
            key = self._keyring.organisation(organisation.did)
        except ConfigurationError:
            return  # its keys are not on this machine any more
        try:
            await self._database.write(
                lambda connection: work(Desk(connection, organisation, key, self._clock()))
            )
        except NodeError as error:
            log.info("network.not_done", org=organisation.did, reason=error)
            return
        self._stirred()


def _all(connection: Connection) -> list[tuple[str, str, bool]]:
    dirty = set(rows.dirty(connection))
    return [
        (organisation.did, each.network, (organisation.did, each.network) in dirty)
        for organisation in organisations.all_of(connection)
        if not organisation.successor
        for each in rows.all_of(connection, organisation.did)
    ]


def _look(connection: Connection, org: str, network: str) -> tuple[Organisation | None, State]:
    return organisations.get(connection, org), rows.ledger_of(connection, org, network).state()


def _pins(connection: Connection, org: str) -> tuple[frozenset[str], frozenset[str]]:
    return (
        frozenset(each.did for each in contacts.members_of(connection, org, groups=True)), rows.pinned(connection, org)
    )  # fmt: skip


def _wanted(connection: Connection, org: str) -> tuple[dict[str, str], frozenset[str] | None, frozenset[str]]:
    """Whom to pin, did → where it is found; whose pin stays besides, or nothing where no pin may go yet; and which of
    all these are actors of working groups.
    """
    found: dict[str, str] = {}
    groups: dict[str, str] = {}
    waits: set[str] = set()
    unsure = False
    for each in rows.all_of(connection, org):
        ledger = rows.ledger_of(connection, org, each.network)
        state = ledger.state()
        if org in state.members:
            found |= {did: standing.handle for did, standing in state.members.items()}
            waits |= set(state.candidates)
            found |= _vouched_for(ledger, state, org)
            groups |= {host.did: host.handle for each in state.groups.values() for host in each.hosts if host.did}
        elif org in state.candidates or state.missing:
            found |= each.sheet
            unsure = True
    for own in (org, *(each.did for each in organisations.hosted(connection, org))):
        found.pop(own, None)
        groups.pop(own, None)
    groups = {did: handle for did, handle in groups.items() if did not in found}  # whoever claims another's did
    return found | groups, None if unsure else frozenset(waits), frozenset(groups)


def _vouched_for(ledger: Ledger, state: State, org: str) -> dict[str, str]:
    """Candidates for whom we gave our word: they are to be sent the whole history once they are in."""
    ours = {act.about for act in ledger.acts if act.author == org and act.kind == governance.SPONSOR}
    accepted = {digest: did for did, (digest, _) in state.candidates.items() if digest in ours}
    return {accepted[act.digest]: str(act.says["handle"]) for act in ledger.acts if act.digest in accepted}


def _unpin(connection: Connection, organisation: Organisation, did: str) -> None:
    rows.set_pinned(connection, organisation.did, did, held=False)
    if contacts.member(connection, organisation.did, did) is not None:
        pins.remove(connection, organisation, did)


def _again(mine: Desk, network: str, accepted: str, did: str) -> None:
    ledger = rows.ledger_of(mine.connection, mine.own, network)
    vouched = (act for act in ledger.acts if act.kind == governance.SPONSOR and act.about == accepted)
    if any(act.author == mine.own for act in vouched) and did in ledger.state().candidates:
        desk.say(mine, network, governance.SPONSOR, {"about": accepted}, ledger, extra=[did])


def _answerable(connection: Connection, org: str, network: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Who asked, and can be sealed to by now."""
    asks = rows.asks_of(connection, org, network)
    reached = desk.reachable(connection, org, {did for did, _ in asks}) if asks else ()
    return tuple(each for each in asks if each[0] in reached)


def _send_lacking(mine: Desk, network: str, asks: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    """To members what they lack; who is no member gets nothing, and is forgotten."""
    ledger = rows.ledger_of(mine.connection, mine.own, network)
    state = ledger.state()
    inside = {*state.members, *(ledger.acts[0].founders if ledger.acts else ())}
    followed = contacts.successors(mine.connection, mine.own)
    inside |= {new for old, new in followed.items() if old in inside}  # its act may not have come yet
    rows.clear_asks(mine.connection, mine.own, network, [did for did, _ in asks])
    for did, heads in asks:
        if did not in inside:
            continue
        desk.tell(mine, network, ledger.beyond(heads), {did})
        if rows.missing(mine.connection, mine.own, heads):
            _ask_some(mine, network, state, [did])


def _ask_some(mine: Desk, network: str, state: State, whom: Sequence[str] = ()) -> None:
    reached = desk.reachable(mine.connection, mine.own, set(whom or state.members))
    for did in random.SystemRandom().sample(reached, min(_ASKED, len(reached))):
        letters.send(
            mine.connection, mine.organisation, mine.key, letter_rules.GOVERNANCE_ASK, network,
            {"heads": list(state.heads)[: governance.MAX_SEEN]}, [did], mine.now, token=outbox.token(),
        )  # fmt: skip



"""Networks of many members and many years: what it costs to work out who belongs, to say one thing more, to catch up.

The acts are signed and read as any others. What a new process needs is measured in one; catching up is measured between
two nodes in this process, from asking until both have the same state, by sealed letters over real sockets.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from node import governance as acts
from node.federation.protocol import integrity_proofs
from node.federation.protocol.keys import OrganisationKey, generate_organisation_key
from node.governance import Act
from node.members import Ledger
from node.models import networks as rows
from node.models.base import Database
from tests.bench import machine
from tests.bench.table import grid
from tests.support.network import House, Network, wait_until

_HEAD = (
    "members", "years", "acts", "check ms", "keep ms", "read ms", "build ms", "state ms", "one more ms", "look ms",
    "MB memory", "MB disk", "catch-up s", "bound by",
)  # fmt: skip
_RULES = {"sponsors": 2, "quorum": [1, 2], "kinds": ["organisation"], "voters": ["organisation"], "blocks": False}
_YEAR = 300
"""Acts a year besides those by which members join."""
_MORE = 15
_LETTER = 30
"""Acts that fit into one."""
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Scale:
    """One network, measured."""

    members: int
    years: int
    acts: int
    check: float
    """Milliseconds: the proofs of all."""
    keep: float
    read: float
    """Milliseconds: rows to acts, in a new process."""
    build: float
    state: float
    more: float
    """Milliseconds: one more act kept, flushed, and the state after it."""
    look: float
    memory: float
    disk: float
    caught: float
    """Seconds: all of it from another node, by letters."""

    def cells(self) -> tuple[str, ...]:
        """As text."""
        return (
            f"{self.members}", f"{self.years}", f"{self.acts:,}", f"{self.check:,.0f}", f"{self.keep:,.0f}",
            f"{self.read:,.0f}", f"{self.build:,.0f}", f"{self.state:,.1f}", f"{self.more:,.1f}", f"{self.look:,.2f}",
            f"{self.memory:,.1f}", f"{self.disk:,.1f}", f"{self.caught:,.1f}", self.bound,
        )  # fmt: skip

    @property
    def bound(self) -> str:
        """What most of a catch-up goes into."""
        parts = {
            "proofs": self.check, "rows": self.keep, "the ledger": self.build + self.state,
        }  # fmt: skip
        rest = self.caught * 1000 - sum(parts.values())
        name, most = max((parts | {"letters": rest}).items(), key=lambda each: each[1])
        return f"{name}, {most / max(1.0, self.caught * 10):.0f} %"


def render(scales: Sequence[Scale]) -> str:
    """As a table."""
    return grid(_HEAD, [each.cells() for each in scales], range(len(_HEAD) - 1))


class _Pen:
    """Writes one act after the other, each in view of all before."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.network = ""
        self.values: list[dict[str, Any]] = []
        self._last: tuple[str, ...] = ()
        self._numbers: dict[str, int] = {}

    def say(self, key: OrganisationKey, act: str, /, **says: Any) -> str:
        """Sign an act; returns its digest."""
        number = self._numbers[key.did] = self._numbers.get(key.did, 0) + 1
        moment = self.now + timedelta(seconds=len(self.values))
        value = acts.render(self.network, act, key.did, number, self._last, says, moment)
        self.values.append(integrity_proofs.sign(value, key, f"{key.did}#{key.multikey}", moment))
        self._last = (acts.digest_of(value),)
        return self._last[0]

    def accept(self, key: OrganisationKey, about: str) -> str:
        """Somebody would be a member."""
        return self.say(
            key, acts.ACCEPT, about=about, name="Exercise organisation", kind="organisation", country="IQ",
            handle="@exercise@127.77.99.1:9", listed=False,
        )  # fmt: skip


def write(keys: Sequence[OrganisationKey], years: int, now: datetime) -> _Pen:
    """A network of these: the first two found it, the others are vouched for by two, all vote, for so many years."""
    chance, pen = random.Random(300), _Pen(now)
    founders = [each.did for each in keys[:2]]
    pen.network = pen.say(keys[0], acts.FOUND, name={"en": "EXERCISE"}, charter="", founders=founders, rules=_RULES)
    for each in keys[:2]:
        pen.accept(each, pen.network)
    for at, each in enumerate(keys[2:], 2):
        one, two = chance.sample(keys[:at], 2)
        until = acts.stamp(now + timedelta(days=60))
        accepted = pen.accept(each, pen.say(one, acts.INVITE, who="", expires=until))
        for sponsor in (one, two):
            pen.say(sponsor, acts.SPONSOR, about=accepted)
    _decide(pen, keys[:2], acts.ROLL, [each.did for each in keys[2:]])
    end = len(pen.values) + years * _YEAR
    while len(pen.values) < end:
        whole = chance.random() < 0.2 and end - len(pen.values) > len(keys)
        _decide(pen, chance.sample(keys, len(keys) // 2 + 1 if whole else 8), acts.ADOPT, [])
    return pen


def _decide(pen: _Pen, voters: Sequence[OrganisationKey], subject: str, names: list[str]) -> None:
    proposal = pen.say(voters[0], acts.PROPOSE, subject=subject, names=names, text="", grounds="")
    for each in voters:
        pen.say(each, acts.VOTE, about=proposal, choice="yes", reason="")
    pen.say(voters[0], acts.CLOSE, about=proposal)


async def measure(folder: Path, members: int, years: int) -> Scale:
    """One network, on two nodes of its own."""
    async with Network(folder) as net:
        one, two = await net.members("one", "two")
        keys = [one.key, two.key, *(generate_organisation_key() for _ in range(members - 2))]
        pen = write(keys, years, net.clock())
        given, check = _timed(lambda: [acts.parse(value) for value in pen.values])
        before = _size(one)
        _, keep = _timed(lambda: one.node.database.write_now(lambda connection: _keep(connection, one, pen, given)))
        disk = _size(one) - before
        cold = _cold(one, pen.network)
        more, look = _further(one, keys[0], pen)
        await _quiet(one)
        caught = await _caught(one, two, pen)
        return Scale(
            members, years, len(given), check, keep, cold["read"], cold["build"], cold["state"], more, look,
            cold["memory"], disk, caught,
        )  # fmt: skip


def _keep(connection: Any, house: House, pen: _Pen, given: Sequence[Act]) -> None:
    rows.know(connection, house.did, pen.network, {"en": "EXERCISE"}, house.clock())
    for at in range(0, len(given), _LETTER):
        rows.add_all(connection, house.did, pen.network, given[at : at + _LETTER], house.clock())
    if len(rows.acts_of(connection, house.did, pen.network)) != len(given):
        raise AssertionError("an act was not kept")


def _size(house: House) -> float:
    """MB of the database, its write-ahead log written back."""
    house.node.database._scrub()
    return (house.data / "node.sqlite").stat().st_size / 1e6


def _cold(house: House, network: str) -> dict[str, float]:
    """What a new process needs, as a command is one."""
    words = [sys.executable, "-m", "tests.bench.assembly_runs", house.settings.url, house.did, network]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _further(house: House, key: OrganisationKey, pen: _Pen) -> tuple[float, float]:
    """Milliseconds of one more act, and of a look at what is kept; the median."""

    def add(act: Act) -> Callable[[Any], int]:
        def work(connection: Any) -> int:
            rows.add(connection, house.did, act, house.clock())
            return len(rows.state_of(connection, house.did, pen.network).members)

        return work

    def look() -> int:
        return house.read(lambda connection: len(rows.state_of(connection, house.did, pen.network).members))

    look()
    more, looks = [], []
    for _ in range(_MORE):
        pen.say(key, acts.INVITE, who="", expires=acts.stamp(pen.now))
        made = acts.parse(pen.values[-1])
        more.append(_timed(lambda made=made: house.node.database.write_now(add(made)))[1])  # type: ignore[misc]
        looks.append(_timed(look)[1])
    return statistics.median(more), statistics.median(looks)


async def _quiet(house: House) -> None:
    """Once the assembly has looked at what is new: made-up members cannot be reached, and that takes it a while."""
    await wait_until(lambda: not house.read(rows.dirty), "nothing is left to look at", _PATIENCE)


async def _caught(one: House, two: House, pen: _Pen) -> float:
    """Seconds from asking until an empty node has everything."""
    count = len(pen.values)
    await two.write(lambda connection: rows.know(connection, two.did, pen.network, {"en": "EXERCISE"}, two.clock()))
    began = time.monotonic()
    await one.write(lambda connection: rows.ask(connection, one.did, pen.network, two.did, ()))
    held = select(func.count()).select_from(rows.acts).where(rows.acts.c.org == two.did)
    await wait_until(
        lambda: two.read(lambda connection: connection.execute(held).scalar_one()) >= count, "all is there", _PATIENCE
    )
    same = [house.read(lambda c, did=house.did: rows.state_of(c, did, pen.network).digest) for house in (one, two)]  # type: ignore[misc]
    if same[0] != same[1]:
        raise AssertionError("two nodes with the same acts have two states")
    return time.monotonic() - began


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    found = work()
    return found, (time.perf_counter() - began) * 1000


def main(url: str, org: str, network: str) -> None:
    """In a process of its own: what it needs from the rows to the state, and what it then holds."""
    database = Database(url)
    database.read_now(lambda connection: rows.find(connection, org, network))
    before = machine.memory(os.getpid()).rss
    ledger, both = _timed(lambda: database.read_now(lambda connection: rows.ledger_of(connection, org, network)))
    _, state = _timed(ledger.state)
    memory = machine.memory(os.getpid()).rss - before
    _, build = _timed(lambda: Ledger(network, ledger.acts))
    print(json.dumps({"read": both - build, "build": build, "state": state, "memory": memory}))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

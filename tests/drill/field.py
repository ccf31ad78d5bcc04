"""Nodes for a drill: each `tadamun serve` in a network namespace, all members of each other, on one shared clock.

Beside each node stands an office, which opens the same data directory with the project's own functions, as the command
line does. What is true stands here too: every alert that was published, by whom and with which words; what a survivor
shows is compared with it.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection

from node import alerts as rules
from node.app import Node as Office
from node.desk import alerts as desk
from node.desk import members
from node.desk.alerts import Said
from node.federation.protocol.keys import OrganisationKey
from node.models import alerts, logs
from node.models.organisations import Organisation
from node.settings import load
from tests.drill import wires
from tests.drill.clock import SharedClock
from tests.drill.table import Row
from tests.drill.wires import Wires
from tests.support.network import example
from tests.support.powerloss import Disk
from tests.support.processes import Node

_T = TypeVar("_T")

PORT = 8100
PATIENCE = 120.0
"""Seconds for what needs a comparison of heads: they are 60 s apart, give or take a quarter."""
_ALLOWED = {"TADAMUN_ALLOW_NETWORKS": f"127.0.0.0/8,::1/128,{wires.NETWORK}"}
_PAUSE = 0.02
_TOGETHER = 3


class Drilled(Node):
    """A node in a namespace of its own, on the shared clock, and perhaps on a disk that may lose its power."""

    def __init__(self, data: Path, number: int, clock: SharedClock) -> None:
        super().__init__(data, wires.address(number), PORT, handle=f"org{number}")
        self.prefix = wires.prefix(number)
        self.clock = clock
        self.disk: Disk | None = None
        self.extra: dict[str, str] = {}
        """Further settings, for its next start."""

    def environment(self) -> dict[str, str]:
        """Of each of its commands."""
        return self._environment()

    def _environment(self) -> dict[str, str]:
        disk = self.disk.environment() if self.disk else {}
        clock = self.clock.environment()
        loaded = ":".join(each["LD_PRELOAD"] for each in (disk, clock) if each)
        return super()._environment() | _ALLOWED | disk | clock | {"LD_PRELOAD": loaded} | self.extra


@dataclass(slots=True)
class Place:
    """One node of the field, with its office."""

    number: int
    node: Drilled
    office: Office
    organisation: Organisation
    key: OrganisationKey
    running: bool = True
    honest: bool = True
    """Whether it is still what its organisation runs."""

    @property
    def did(self) -> str:
        """Of its organisation."""
        return self.organisation.did

    def close(self) -> None:
        """Close the office."""
        self.office.delivery.close()
        self.office.database.close()

    def open(self, clock: SharedClock) -> None:
        """Open the office again."""
        self.office = Office.open(load(self.node.data, _ALLOWED), clock=clock)

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """Read the node's rows, also when it does not run."""
        return self.office.database.read_now(work)

    def heads(self) -> dict[str, tuple[int, int]]:
        """How far it holds each log."""
        found = self.read(lambda connection: logs.head_table(connection, self.did))
        return {did: head.order for did, head in found.items()}

    def holds(self, name: str) -> bool:
        """Whether `tadamun alert list` would show this alert: the same row is read."""
        return self.read(lambda connection: alerts.find(connection, self.did, name)) is not None

    def via(self, name: str) -> str:
        """The host that brought it; empty where it is not held."""
        found = self.read(lambda connection: alerts.find(connection, self.did, name))
        return found.via if found else ""

    def received(self) -> set[str]:
        """Every alert that stands in a log here, shown or not."""
        found: set[str] = set()
        for did in self.heads():
            entries = self.read(partial(_whole_log, org=self.did, did=did))
            found |= {str(entry.object_id) for entry in entries if entry.type == "Create"}
        return found


@dataclass(slots=True)
class Field:
    """All of it. Made by `opened`."""

    folder: Path
    wires: Wires
    clock: SharedClock
    chance: Random
    places: list[Place] = field(default_factory=list)
    truth: dict[str, tuple[str, str]] = field(default_factory=dict)
    """portable id → the did of its author and the headline, of all that was ever published."""
    begun: set[tuple[str, str]] = field(default_factory=set)
    """The author and the headline of what was to be published, whether or not it came to be promised."""
    _sent: list[int] = field(default_factory=list)
    _count: int = 0

    # --- what is done ---------------------------------------------------------------------------------------------

    def publish(self, place: Place) -> str:
        """An exercise in one language; returns its portable id once it is promised."""
        headline = self.headline(place)
        said = self.say(place, headline)
        self.truth[said.portable_id] = (place.did, headline)
        return said.portable_id

    def headline(self, place: Place) -> str:
        """Words that are said once."""
        self._count += 1
        return f"EXERCISE {self._count} of {place.node.handle}"

    def say(self, place: Place, headline: str) -> Said:
        """What `tadamun alert publish` does; it returns when the alert is committed."""
        now = self.clock()
        alert = rules.parse_input(exercise(headline, now))
        return place.office.database.write_now(
            lambda connection: desk.publish(connection, place.organisation, place.key, alert, now, loopback=True)
        )

    def seize(self, places: Sequence[Place], *, silent: bool = True) -> None:
        """SIGKILL, all at once, and nobody answers for them; `silent`: not even their machine, which refuses calls."""
        for place in places:
            os.kill(place.node.pid, signal.SIGKILL)
        if silent:
            self.wires.cut_off(place.number for place in places)
        for place in places:
            place.node.kill()
            place.running = False

    def start(self, places: Sequence[Place]) -> None:
        """Start what does not run."""
        with ThreadPoolExecutor(_TOGETHER) as pool:
            list(pool.map(lambda place: place.node.start(), [place for place in places if not place.running]))
        for place in places:
            place.running = True

    def mend(self) -> None:
        """The network is whole, every honest node runs, and all come to hold the same."""
        self.wires.heal()
        honest = self.honest()
        for place in honest:
            if place.running and place.node.extra:
                place.node.stop()
                place.running = False
            place.node.extra = {}
        self.start(honest)
        self.settle()

    def settle(self) -> None:
        """All honest nodes hold the same of each other."""
        honest = self.honest()
        dids = {place.did for place in honest}

        def found(place: Place) -> dict[str, tuple[int, int]]:
            return {did: order for did, order in place.heads().items() if did in dids}

        until(lambda: same([found(place) for place in honest]), "all nodes hold the same", tail=self.differences)

    def honest(self) -> list[Place]:
        """The nodes that their organisations run."""
        return [place for place in self.places if place.honest]

    # --- what came of it ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Count bytes from now on."""
        self._sent = self.wires.sent()

    def wait_held(self, names: Collection[str], places: Sequence[Place], seconds: float = PATIENCE) -> float:
        """Until each of these places holds each of these alerts; returns how long that took."""
        began = time.monotonic()
        missing = [(place, name) for place in places for name in names]

        def arrived() -> bool:
            missing[:] = [(place, name) for place, name in missing if not place.holds(name)]
            return not missing

        until(arrived, "every survivor holds every alert", seconds, self.differences)
        return time.monotonic() - began

    def row(
        self, case: str, names: Collection[str], survivors: Sequence[Place], seconds: float, remarks: str = "",
        *, sent: Sequence[int] | None = None,
    ) -> Row:  # fmt: skip
        """Ask every survivor with `tadamun alert list --json`, and compare with what is true."""
        after = sent or self.wires.sent()
        used = [(late - early) / 1000 for late, early in zip(after, self._sent, strict=True)]
        with ThreadPoolExecutor(_TOGETHER) as pool:
            lists = list(pool.map(lambda place: place.node.cli("alert", "list", json=True), survivors))
        received = set().union(*(place.received() for place in survivors)) & self.truth.keys()
        proved = [{each["portable_id"] for each in found if each["verified"]} for found in lists]
        return Row(
            case=case,
            nodes=len(self.places),
            left=len(survivors),
            published=len(names),
            held=min(len(held & set(names)) for held in proved),
            lost=len(set().union(*(received - held for held in proved))),
            false=sum(self.is_false(each) for found in lists for each in found),
            seconds=seconds,
            sent=used,
            remarks=remarks,
        )

    def is_false(self, shown: dict[str, Any]) -> bool:
        """Whether a survivor shows as proved what its author did not say, or not so."""
        if not shown["verified"]:
            return False
        said = shown["author"], shown["headline"]
        return self.truth.get(shown["portable_id"], said if said in self.begun else None) != said

    def differences(self) -> str:
        """Who holds how much of whose log, for a failure's text."""
        numbers = {place.did: place.number for place in self.places}
        lines = []
        for place in self.places:
            heads = {numbers.get(did, -1): order for did, order in place.heads().items()}
            lines.append(f"{place.number:3} {'runs' if place.running else 'down'} {sorted(heads.items())}")
        return "\n".join(lines)


def exercise(headline: str, now: Any) -> dict[str, Any]:
    """The example in its main language only, with dates that lie ahead."""
    value = example(status="exercise", translations={}, headline=headline)
    value["deadline"] = f"{now + timedelta(days=60):%Y-%m-%dT%H:%M:%SZ}"
    value["expires"] = f"{now + timedelta(days=80):%Y-%m-%dT%H:%M:%SZ}"
    value["consent"] = value["consent"] | {"valid_until": f"{now + timedelta(days=90):%Y-%m-%d}"}
    return value


def until(
    check: Callable[[], object], what: str, seconds: float = PATIENCE, tail: Callable[[], str] = str, *,
    pause: float = _PAUSE,
) -> None:  # fmt: skip
    """Ask again until it is so.

    Raises:
        AssertionError: it was not so in time.
    """
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {seconds:g} s: {what}\n{tail()}")
        time.sleep(pause)


def same(values: Sequence[object]) -> bool:
    """Whether all are equal."""
    return all(value == values[0] for value in values)


@contextmanager
def opened(folder: Path, laid: Wires, seed: int) -> Iterator[Field]:
    """Make a node in each namespace, pin everybody to everybody, wait until all hold all logs.

    Raises:
        Missing: there is no C compiler.
    """
    made = Field(folder, laid, SharedClock.made(folder), Random(seed))
    nodes = [Drilled(folder / f"org{number}", number, made.clock) for number in range(laid.size)]
    try:
        with ThreadPoolExecutor(_TOGETHER) as pool:
            list(pool.map(_begin, nodes))
        for number, node in enumerate(nodes):
            office = Office.open(load(node.data, _ALLOWED), clock=made.clock)
            organisation = office.organisation()
            key = office.keyring.organisation(organisation.did)
            made.places.append(Place(number, node, office, organisation, key))
        asyncio.run(_pin_all(made))
        until(lambda: all(len(place.heads()) == laid.size for place in made.places), "every node holds every log")
        yield made
    finally:
        for place in made.places:
            if place.running and place.honest:
                place.node.kill()
            place.close()


def _begin(node: Node) -> None:
    node.init()
    node.start()


def _whole_log(connection: Connection, *, org: str, did: str) -> tuple[logs.Entry, ...]:
    return logs.read(connection, org, did, (0, 0), 100_000)


async def _pin_all(made: Field) -> None:
    """What `tadamun member add` does, everywhere for everybody."""
    for place in made.places:
        office = place.office
        for other in made.places:
            if other is not place:
                handle, did = other.organisation.address, other.did
                await members.add(
                    office.database, office.discovery, place.organisation, handle, did, made.clock()
                )
        await office.fetcher.close()


"""How an alert goes round among 10 to 1000 nodes: `python -m tests.drill.simulation`. Virtual time, no network.

The rules are the product's own: `spread.choose` and `spread.fan_out` say who is told, `retry.delay` when a lost
delivery is tried again; a push goes from the author to every member first, each first sight passes the entry on, and
every 60 s, give or take a quarter, a node compares heads with all members where they are few, else with ln N + 2. What
is made up is the world: how long a message takes, how many are lost, how many nodes are dead, how many members the
author reaches.

The closed form beside it (`expected`). Each of N nodes that hears an entry tells k of m others, a share a of the nodes
is alive. The share s of the living that hears it, once it has caught on, solves 1 - s = (1 - k/m)^(a N s), which for
many nodes is e^(-k a s); it dies out among the first with a probability of q = (1 - a (1 - q))^k. With k = ln N + c,
nobody dead, that leaves e^-c nodes in all, whatever N is. What is left, a comparison of heads brings.
"""

import argparse
import heapq
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from node.federation.protocol import retry, spread

ENTRY = 13.4
"""kB of an entry on the wire."""
DUPLICATE = 0.2
"""kB of the answer to it."""
ALL = 10**9
_INTERVAL = 60.0
_FEW, _AT_ONCE = 6, 4
_CONNECT = 5.0
"""Seconds after which a call to a host that is silent is given up."""
_WORK = 0.15
"""Seconds from an entry's arrival until it is judged and what it sets off is signed, queued rows being polled."""
_END = 3600.0


@dataclass(frozen=True, slots=True)
class World:
    """What is made up."""

    nodes: int
    reached: int = ALL
    """How many members the author can reach."""
    extra: int = spread.EXTRA
    """c of the fan-out ln N + c."""
    dead: float = 0.0
    """Share of the others that is silent."""
    loss: float = 0.0
    """Share of messages that is lost; a lost delivery is tried again if `retries`."""
    retries: bool = True
    latency: float = 0.15
    """Median seconds of one way; the spread is log-normal."""
    spread: float = 0.8
    """σ of its logarithm."""
    catch_up: bool = True

    @property
    def fan_out(self) -> int:
        """To how many others a node passes an entry on, that knows all but itself, the author and the bringer."""
        return self.told_of(self.nodes - 3)

    def told_of(self, others: int) -> int:
        """The product's rule, with this c."""
        return spread.fan_out(others, self.extra)


@dataclass(slots=True)
class Outcome:
    """How one alert went round."""

    world: World
    rumour: list[float] = field(default_factory=list)
    """Seconds until each living node had it by push or rumour, in order; those that never had it are not in it."""
    last: float = math.inf
    """Seconds until every living node had it."""
    alive: int = 0
    sent: float = 0.0
    """kB that went over all wires."""
    origin: float = 0.0
    """kB of them that the author sent."""

    @property
    def coverage(self) -> float:
        """The share of living nodes that push and rumour alone have reached."""
        return len(self.rumour) / self.alive

    @property
    def each(self) -> float:
        """kB that a node sent, the author aside."""
        return (self.sent - self.origin) / max(self.alive - 1, 1)


class Run:
    """One alert in one world. Node 0 is its author."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = Random(seed)
        everyone = range(world.nodes)
        self.dead = set(self.chance.sample(everyone[1:], round(world.dead * (world.nodes - 1))))
        living = [node for node in everyone[1:] if node not in self.dead]
        self.reached = set(self.chance.sample(living, min(world.reached, len(living))))
        self.held: dict[int, float] = {}
        self.sent = [0.0] * world.nodes
        self._queue: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0
        self._owed = 0
        self._rumoured: dict[int, float] = {0: 0.0}

    def __call__(self) -> Outcome:
        """Until every living node has it, or an hour has passed."""
        living = self.world.nodes - len(self.dead)
        outcome = Outcome(self.world, alive=living)
        self.held[0] = 0.0
        for node in self.chance.sample(range(1, self.world.nodes), self.world.nodes - 1):
            self._send(0.0, 0, node, 1)
        if self.world.catch_up:
            for node in set(range(1, self.world.nodes)) - self.dead:
                self._begin_comparing(node)
        while self._queue and (len(self.held) < living or self._owed):
            now, _, event = heapq.heappop(self._queue)
            if now > _END:
                break
            event(now)
        outcome.rumour = sorted(self._rumoured.values())
        outcome.last = max(self.held.values()) if len(self.held) == living else math.inf
        outcome.sent, outcome.origin = sum(self.sent), self.sent[0]
        return outcome

    def _at(self, when: float, event: Callable[[float], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, event))

    def _one_way(self) -> float:
        return self.chance.lognormvariate(math.log(self.world.latency), self.world.spread)

    def _meets(self, one: int, other: int) -> bool:
        """Whether anything passes between the two."""
        if one in self.dead or other in self.dead:
            return False
        return 0 not in (one, other) or (one or other) in self.reached

    # --- push and rumour ------------------------------------------------------------------------------------------

    def _send(self, now: float, sender: int, to: int, attempt: int) -> None:
        if not self._meets(sender, to):
            return
        self.sent[sender] += ENTRY
        self._owed += 1
        lost = self.chance.random() < self.world.loss
        self._at(now + self._one_way(), lambda when: self._arrive(when, sender, to, attempt, lost))

    def _arrive(self, now: float, sender: int, to: int, attempt: int, lost: bool) -> None:
        self._owed -= 1
        if lost:
            wait = retry.delay(attempt, self.chance.random()) if self.world.retries else None
            if wait is not None and now + wait.total_seconds() < _END:
                self._owed += 1
                self._at(now + wait.total_seconds(), lambda when: self._again(when, sender, to, attempt + 1))
            return
        self.sent[to] += DUPLICATE
        self._rumoured[to] = min(now, self._rumoured.get(to, now))
        if to not in self.held:
            self.held[to] = now
            for other in self._chosen(to, sender):
                self._send(now + _WORK, to, other, 1)

    def _again(self, now: float, sender: int, to: int, attempt: int) -> None:
        self._owed -= 1
        self._send(now, sender, to, attempt)

    def _chosen(self, node: int, bringer: int) -> list[int]:
        """The product's rule."""
        others = [other for other in range(self.world.nodes) if other != node]
        told = {0, bringer}
        return spread.choose(others, told, self.chance, self.world.extra)

    # --- catch-up -------------------------------------------------------------------------------------------------

    def _begin_comparing(self, node: int) -> None:
        """Somewhere between two rounds, as it is when an alert comes."""
        self._at(self.chance.uniform(0, self._pause()), lambda when: self._round(when, node))

    def _pause(self) -> float:
        return _INTERVAL * (0.75 + self.chance.random() / 2)

    def _round(self, now: float, node: int) -> None:
        """All members where they are few, else as many as a rumour goes to; a few at once."""
        if node in self.held:
            return
        members = [other for other in range(self.world.nodes) if other != node]
        left = members if len(members) <= _FEW else spread.choose(members, (), self.chance)
        self.chance.shuffle(left)
        lanes = [min(_AT_ONCE, len(left))]
        following = now + self._pause()
        for _ in range(lanes[0]):
            self._compare(now, node, left, lanes, following)

    def _compare(self, now: float, node: int, left: list[int], lanes: list[int], following: float) -> None:
        if node in self.held:
            return
        if not left:
            lanes[0] -= 1
            if not lanes[0]:
                self._at(max(now, following), lambda when: self._round(when, node))
            return
        asked = left.pop()
        if not self._meets(node, asked):
            self._at(now + _CONNECT, lambda when: self._compare(when, node, left, lanes, following))
            return
        answered = now + self._one_way() + self._one_way()
        if self.held.get(asked, math.inf) <= answered:
            self._at(answered + 2 * self.world.latency, lambda when: self._pulled(when, node, asked))
        self._at(answered, lambda when: self._compare(when, node, left, lanes, following))

    def _pulled(self, now: float, node: int, asked: int) -> None:
        """What is caught up with is not passed on."""
        if node not in self.held:
            self.sent[asked] += ENTRY
            self.held[node] = now


def run(world: World, runs: int, seed: int) -> list[Outcome]:
    """So many alerts, each in a world of its own; the same seed gives the same."""
    return [Run(world, seed * 100_003 + number)() for number in range(runs)]


def expected(world: World) -> float:
    """The mean share of living nodes that push and rumour reach, by the closed form."""
    if world.reached >= world.nodes - 1:
        return 1.0
    others, alive = world.nodes - 3, (1 - world.dead)
    arrives = 1.0 if world.retries else 1 - world.loss
    heard, dies = 1.0, 0.0
    for _ in range(500):
        heard = 1 - (1 - world.fan_out * arrives / others) ** (heard * alive * (world.nodes - 1))
        dies = (1 - alive * arrives * (1 - dies)) ** world.fan_out
    return (1 - (1 - arrives * (1 - dies)) ** world.reached) * heard


# --- what is printed ----------------------------------------------------------------------------------------------

_HEAD = (
    "N", "c", "k", "author reaches", "dead", "loss", "by rumour alone", "closed form", "all by rumour",
    "rumour s p50", "worst", "with catch-up s p50", "worst", "kB sent each", "k x 13.4", "kB author",
)  # fmt: skip


def table(seed: int, sizes: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Against N and c: coverage, time, bytes. `sizes`: how many nodes, and how many alerts are simulated."""
    rows = [_HEAD]
    for nodes, runs in sizes:
        worlds = [World(nodes, reached=1, extra=extra) for extra in range(5)]
        worlds += [World(nodes, reached=3), World(nodes), World(nodes, loss=0.05)]
        worlds += [World(nodes, reached=1, dead=0.3), World(nodes, reached=1, dead=0.6)]
        worlds += [World(nodes, reached=1, dead=0.6, loss=0.05)]
        rows += [cells(run(world, runs, seed)) for world in worlds]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    padded = [[text.rjust(width) for text, width in zip(row, widths, strict=True)] for row in rows]
    shown = ["| " + " | ".join(row) + " |" for row in padded]
    yield shown[0]
    yield "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|"
    yield from shown[1:]


def cells(found: Sequence[Outcome]) -> tuple[str, ...]:
    """One row of the table."""
    world = found[0].world
    last, done = [each.rumour[-1] for each in found], [each.last for each in found]
    return (
        str(world.nodes),
        str(world.extra),
        str(world.fan_out),
        "all" if world.reached >= world.nodes - 1 else str(world.reached),
        f"{world.dead:.0%}",
        f"{world.loss:.0%}",
        f"{statistics.mean(each.coverage for each in found):.2%}",
        f"{expected(world):.2%}",
        f"{sum(each.coverage == 1 for each in found) / len(found):.0%}",
        f"{statistics.median(last):.1f}",
        f"{max(last):.1f}",
        f"{statistics.median(done):.1f}",
        f"{max(done):.1f}",
        f"{statistics.mean(each.each for each in found):.1f}",
        f"{world.fan_out * ENTRY:.1f}",
        f"{statistics.mean(each.origin for each in found):.0f}",
    )


def curve(world: World, runs: int, seed: int) -> Iterator[str]:
    """The share of living nodes that has the alert, over time, as bars."""
    found = run(world, runs, seed)
    times = sorted(moment for each in found for moment in each.rumour)
    total = sum(each.alive for each in found)
    reached = "all" if world.reached >= world.nodes - 1 else str(world.reached)
    yield f"N = {world.nodes}, the author reaches {reached}, {world.dead:.0%} dead: who has it by push and rumour"
    for tenth in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30):
        share = sum(moment <= tenth / 5 for moment in times) / total
        yield f"{tenth / 5:5.1f} s  {'#' * round(share * 60):60}  {share:7.2%}"


def law(seed: int) -> Iterator[str]:
    """What the numbers follow."""
    yield "Living nodes that the rumour misses, an alert; in brackets N e^-k (e^-c, but for the rounding of ln N):"
    for nodes, runs in ((90, 1000), (300, 300)):
        parts = []
        for extra in range(5):
            world = World(nodes, reached=1, extra=extra, catch_up=False)
            missed = statistics.mean(each.alive - len(each.rumour) for each in run(world, runs, seed))
            parts.append(f"c = {extra}: {missed:.3f} ({nodes * math.exp(-world.fan_out):.3f})")
        yield f"  N = {nodes:3}  " + "   ".join(parts)
    yield "kB a node sends an alert: 13.4 k + 0.2 (k + 1), k = ln N + c; the author: 13.4 for each member reached."


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill.simulation", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few alerts, and no network of 1000")
    given = parser.parse_args()
    sizes = ((10, 50), (90, 20)) if given.quick else ((10, 1000), (90, 300), (300, 60), (1000, 12))
    for text in table(given.seed, sizes):
        print(text)
    for world in (World(90, reached=1), World(90, reached=1, dead=0.6), World(300, reached=1), World(90)):
        print()
        for text in curve(world, 40, given.seed):
            print(text)
    if not given.quick:
        print()
        for text in law(given.seed):
            print(text)


if __name__ == "__main__":
    main()

"""What may happen to nodes: blocked, cut in two, killed, seized, away, without power. One row each.

Each case begins with a network that is whole and holds the same everywhere, and may leave a wreck: the next one mends
it.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType

from node.models import deliveries
from tests.drill.field import Field, Place
from tests.drill.power import power_loss
from tests.drill.table import Row, added
from tests.drill.thief import stolen_key
from tests.drill.villain import malicious

Case = Callable[[Field], Row]

_IDLE = 180.0
"""Seconds: three rounds of comparing heads."""
_TALK = 15.0
"""Seconds that a cut lasts: long enough for deliveries to fail three times."""


def one_link(field: Field) -> Row:
    """(a) The origin reaches one member only."""
    origin, friend, *others = field.chance.sample(field.places, len(field.places))
    field.wires.block([origin.number], [place.number for place in others])
    field.begin()
    name = field.publish(origin)
    seconds = field.wait_held([name], field.places)
    told = _via(field, name, origin)
    assert told == [friend.number]
    return field.row("a: origin reaches one member", [name], field.places, seconds, "the rest by rumour")


def split(field: Field) -> Row:
    """(b) The network is cut in two halves, alerts are published on both sides, and it is whole again."""
    places = field.chance.sample(field.places, len(field.places))
    halves = places[: len(places) // 2], places[len(places) // 2 :]
    field.wires.block(*([place.number for place in half] for half in halves))
    field.begin()
    said = [[field.publish(place) for place in half[:3]] for half in halves]
    for half, names in zip(halves, said, strict=True):
        field.wait_held(names, half)
    for half, names in zip(halves, said[::-1], strict=True):
        assert not any(place.holds(name) for place in half for name in names)
    time.sleep(_TALK)
    field.wires.heal()
    names = said[0] + said[1]
    seconds = field.wait_held(names, field.places)
    return field.row("b: two halves, healed", names, field.places, seconds, f"cut for {_TALK:g} s, time since healed")


def first_delivery(field: Field) -> Row:
    """(c) The origin is killed after its first delivery to a member.

    It delivers to one inbox after the other here: to all at once, all would have it before anybody can be killed.
    """
    origin = field.chance.choice(field.places)
    others = [place for place in field.places if place is not origin]
    origin.node.stop()
    origin.running = False
    origin.node.extra = {"TADAMUN_DELIVERY_CONCURRENCY": "1"}
    field.start([origin])
    field.begin()
    name = field.publish(origin)
    began = time.monotonic()
    while not any(place.holds(name) for place in others):
        assert time.monotonic() < began + 30, "nobody was told"
    field.seize([origin])
    field.wait_held([name], others)
    seconds = time.monotonic() - began
    told = len(_via(field, name, origin))
    return field.row("c: origin killed after its first delivery", [name], others, seconds, f"{told} told by the origin")


def seized(field: Field) -> Row:
    """(d) Six in ten are seized at once, the origin among them: at the publication, and twice a moment later."""
    rows = []
    for delay in (0.0, 0.15, 0.3):
        if rows:
            field.mend()
        rows.append(_seize_most(field, delay))
    return added("d: 60 % seized at once, three times", rows)


def _seize_most(field: Field, delay: float) -> Row:
    victims = field.chance.sample(field.places, round(0.6 * len(field.places)))
    survivors = [place for place in field.places if place not in victims]
    field.begin()
    name = field.publish(victims[0])
    began = time.monotonic()
    time.sleep(delay)
    field.seize(victims)
    time.sleep(0.3)  # what has come in is judged
    had = sum(place.holds(name) for place in survivors)
    seconds = 0.0
    if had:
        field.wait_held([name], survivors)
        seconds = time.monotonic() - began
    remarks = f"after {delay:g} s {had} of {len(survivors)} had it"
    return field.row("", [name], survivors, seconds, remarks)


def away(field: Field) -> Row:
    """(e) A node is away for 30 days, each with an alert; then it catches up."""
    absent = field.chance.choice(field.places)
    others = [place for place in field.places if place is not absent]
    field.seize([absent], silent=False)
    field.begin()
    names = []
    for day in range(30):
        names.append(field.publish(others[day % len(others)]))
        field.wait_held(names[-1:], others)
        field.clock.forward(timedelta(days=1))
        time.sleep(0.2)
    owed = Counter()
    for place in others:
        owed.update(place.read(partial(deliveries.counts, org=place.did)))
    assert not absent.holds(names[0])
    began = time.monotonic()
    field.start([absent])
    field.wait_held(names, [absent])
    seconds = time.monotonic() - began
    remarks = f"time since its start; deliveries to it given up: {owed[deliveries.FAILED]}"
    return field.row("e: a node away for 30 days", names, field.places, seconds, remarks)


def idle(field: Field) -> Row:
    """(i) Nothing happens: what the nodes say to each other all the same."""
    field.settle()
    field.begin()
    before = field.wires.sent()
    time.sleep(_IDLE)
    used = [late - early for late, early in zip(field.wires.sent(), before, strict=True)]
    hour = sum(used) / len(used) * 3600 / _IDLE / 1000
    remarks = f"for {_IDLE:g} s: {hour:,.0f} kB sent an hour by each node"
    return field.row("i: nothing happens", [], field.places, 0.0, remarks)


def _via(field: Field, name: str, origin: Place) -> list[int]:
    """Who was told of an alert by its origin."""
    found = []
    for place in field.places:
        if place is not origin and place.via(name) == origin.organisation.host:
            found.append(place.number)
    return found


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "i": idle, "a": one_link, "b": split, "c": first_delivery, "d": seized, "h": power_loss, "e": away,
        "f": malicious, "g": stolen_key,
    }  # fmt: skip
)
"""In this order: time goes on in one, and trust ends in the last."""

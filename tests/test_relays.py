"""Who carries on for a member whose server is gone: one of those who noticed, whatever order the news comes in."""

import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import relays
from node.errors import NodeError, ProtocolError
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.messages import Document
from node.relays import PATIENCE, VALID, Carry, Drop, Facts, Keep, Notice, Stand, Wait, decide, rank

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
ALERT = f"ap+ef61://{DID}/objects/a1"
ALL = sorted(("b", "c", "d", "e"), key=lambda did: rank(ALERT, did))
"""Four members and their order for this alert."""
FIRST, SECOND, THIRD, LAST = ALL


def facts(own=FIRST, **changes):
    everybody = frozenset(ALL)
    return replace(
        Facts(
            alert=ALERT,
            own=own,
            members=everybody - {own},
            noticed=everybody,
            alive=everybody,
            willing=everybody,
            carried=frozenset(),
            enough_since=NOW - PATIENCE,
            now=NOW,
        ),
        **changes,
    )


def some(*dids):
    return frozenset(dids)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (facts(), Carry()),
        (facts(enough_since=NOW), Wait(NOW + PATIENCE)),
        (facts(SECOND), Wait(NOW + PATIENCE)),
        (facts(SECOND, enough_since=NOW - 2 * PATIENCE), Carry()),
        (facts(LAST), Wait(NOW + 3 * PATIENCE)),
        (facts(SECOND, alive=some(SECOND, THIRD, LAST)), Carry()),
        (facts(SECOND, willing=some(SECOND, THIRD)), Carry()),
        (facts(SECOND, noticed=some(SECOND, THIRD, LAST)), Carry()),
        (facts(noticed=some(SECOND, THIRD, LAST)), Stand("not ours to carry: we reach the author, or pass nothing on")),
        (facts(willing=some(SECOND)), Stand("not ours to carry: we reach the author, or pass nothing on")),
        (facts(noticed=some(FIRST, SECOND)), Stand("too few have noticed")),
        (facts(noticed=some(FIRST, SECOND, "stranger", "other")), Stand("too few have noticed")),
        (facts(enough_since=None), Stand("too few have noticed")),
        (facts(members=some(SECOND), noticed=some(FIRST, SECOND)), Carry()),
        (facts(members=some(), noticed=some(FIRST)), Carry()),
        (facts(carried=some(LAST)), Stand("carried by another member")),
        (facts(carried=some("stranger"), alive=some(*ALL, "stranger")), Carry()),
        (facts(carried=some(LAST), alive=some(FIRST, SECOND, THIRD)), Carry()),
        (facts(carried=some(FIRST)), Keep()),
        (facts(carried=some(FIRST), noticed=some(), enough_since=None), Keep()),
        (facts(carried=some(FIRST, SECOND)), Keep()),
        (facts(SECOND, carried=some(FIRST, SECOND)), Drop(FIRST)),
        (facts(LAST, carried=some(SECOND, THIRD, LAST)), Drop(SECOND)),
        (facts(SECOND, carried=some(FIRST, SECOND), alive=some(SECOND, THIRD)), Keep()),
    ],
)
def test_the_rules(given, verdict):
    assert decide(given) == verdict


def test_the_order_is_another_for_each_alert():
    orders = {tuple(sorted(ALL, key=lambda did: rank(f"{ALERT}{n}", did))) for n in range(50)}
    assert len(orders) > 5
    assert len({order[0] for order in orders}) == 4


@pytest.mark.parametrize(
    ("failing", "answering", "gone"),
    [
        ({"b": 7}, some("c"), some("b")),
        ({"b": 5}, some("c"), some()),
        ({"b": 7, "c": 5}, some("d"), some("b")),
        ({"b": 7, "c": 7}, some(), some()),
        ({"b": 7}, some(), some("b")),
    ],
)
def test_where_nobody_answers_it_is_we_who_are_cut_off(failing, answering, gone):
    since = {did: NOW - timedelta(hours=hours) for did, hours in failing.items()}
    assert relays.dead(since, answering, NOW, timedelta(hours=6)) == gone


@dataclass
class Node:
    """One node in a network made of nothing but the rule."""

    did: str
    noticed: bool
    willing: bool
    carries: bool = False
    held: dict = field(default_factory=dict)
    enough_since: datetime | None = None
    published: int = 0

    def notice(self):
        return (self.noticed, self.carries, self.willing)

    def look(self, everybody, now):
        own, held = some(self.did), self.held.items()
        members = frozenset(everybody) - own
        noticed = frozenset(did for did, said in held if said[0]) | (own if self.noticed else some())
        if not self.noticed or not relays.enough(noticed, members):
            self.enough_since = None
        else:
            self.enough_since = self.enough_since or now
        verdict = decide(
            Facts(
                alert=ALERT,
                own=self.did,
                members=members,
                noticed=noticed,
                alive=frozenset(everybody),
                willing=frozenset(did for did, said in held if said[2]) | (own if self.willing else some()),
                carried=frozenset(did for did, said in held if said[1]) | (own if self.carries else some()),
                enough_since=self.enough_since,
                now=now,
            )
        )
        if isinstance(verdict, Carry):
            self.carries, self.published = True, self.published + 1
        if isinstance(verdict, Drop):
            self.carries = False


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 9),
    noticed=st.lists(st.booleans(), min_size=9, max_size=9),
    willing=st.lists(st.booleans(), min_size=9, max_size=9),
    lost=st.floats(0, 1),
    rounds=st.integers(1, 40),
)
def test_a_network_that_was_split_any_way_heals_to_one_copy_at_most(seed, size, noticed, willing, lost, rounds):
    chance = random.Random(seed)
    nodes = [Node(f"did{n}", noticed[n], willing[n]) for n in range(size)]
    everybody = [node.did for node in nodes]
    now = NOW
    for _ in range(rounds):  # news is lost, comes late, comes twice; everybody looks when it likes
        now += timedelta(minutes=chance.randint(0, 9))
        old = {node.did: node.notice() for node in nodes}
        for node in chance.sample(nodes, chance.randint(0, size)):
            node.look(everybody, now)
        for sender, receiver in permutations(nodes, 2):
            if chance.random() > lost:
                receiver.held[sender.did] = chance.choice((old[sender.did], sender.notice()))
    for _ in range(size * 2 + 2):  # it heals: every notice arrives
        now += PATIENCE
        for node in chance.sample(nodes, size):
            node.held = {other.did: other.notice() for other in nodes if other is not node}
            node.look(everybody, now)
    carriers = [node.did for node in nodes if node.carries]
    assert len(carriers) <= 1
    able = [node for node in nodes if node.noticed and node.willing]
    if able and sum(node.noticed for node in nodes) >= min(3, size):
        assert len(carriers) == 1


@given(st.permutations(ALL))
def test_where_everybody_knows_everything_one_speaks_and_no_second(order):
    nodes = {did: Node(did, True, True) for did in ALL}
    now = NOW
    for _ in range(60):
        now += timedelta(minutes=1)
        for did in order:
            for other in ALL:
                if other != did:
                    nodes[did].held[other] = nodes[other].notice()
            nodes[did].look(ALL, now)
    assert {did: node.published for did, node in nodes.items()} == {did: int(did == FIRST) for did in ALL}


def said(**changes):
    notice = Notice(DID, NOW, {DID: NOW - timedelta(hours=7)}, some(ALERT), True)
    actor = f"https://org1.example/.well-known/apgateway/{DID}/actor"
    value = {"id": actor + "/n", "type": "Notice", "actor": actor, "published": "2026-11-20T10:00:00Z"}
    value |= relays.render(notice)
    value |= changes
    return notice, parse_activity(Document(b"", {name: each for name, each in value.items() if each is not None}))


def test_a_moment_is_read_in_any_zone():
    notice = relays.parse(said(unreachable={DID: "2026-11-20T06:00:00+03:00"})[1], NOW)
    assert notice.unreachable == {DID: NOW - timedelta(hours=7)}
    assert notice.unreachable[DID].tzinfo is UTC


def test_a_notice_comes_back_as_it_was():
    notice, activity = said()
    assert relays.parse(activity, NOW) == notice
    assert relays.parse(activity, NOW + VALID) == notice


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Note"},
        {"published": None},
        {"published": "2026-11-20T07:59:59Z"},
        {"published": "2026-11-20T10:11:00Z"},
        {"published": "2026-11-20T10:00:00"},
        {"published": "yesterday"},
        {"unreachable": None},
        {"unreachable": [DID]},
        {"unreachable": {"did:key:z6MkX": "2026-11-20T03:00:00Z"}},
        {"unreachable": {DID: 7}},
        {"unreachable": {DID: "2026-11-20T11:00:00Z"}},
        {"unreachable": {DID: "0001-01-01T00:00:00Z"}},
        {"unreachable": {DID: "0001-01-01T00:00:00+14:00"}},
        {"carried": None},
        {"carried": {}},
        {"carried": [7]},
        {"carried": ["https://org1.example/1"]},
        {"carried": [ALERT] * 501},
        {"willing": "yes"},
        {"willing": 1},
    ],
)
def test_a_notice_with_one_thing_broken_is_refused(changes):
    with pytest.raises(ProtocolError):
        relays.parse(said(**changes)[1], NOW)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=60), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["published", "unreachable", "carried", "willing"]), ANYTHING)
def test_a_notice_with_a_part_replaced_is_read_or_refused(name, value):
    with suppress(NodeError):
        relays.parse(said(**{name: value})[1], NOW)

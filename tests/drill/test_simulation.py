import math
from random import Random

import pytest

from node.federation.protocol import spread
from tests.drill.simulation import DUPLICATE, ENTRY, Run, World, expected, run


def mean(found):
    return sum(each.coverage for each in found) / len(found)


def test_the_same_seed_gives_the_same_and_another_seed_does_not():
    world = World(90, reached=1, dead=0.3, loss=0.05)
    assert run(world, 3, 1) == run(world, 3, 1)
    assert run(world, 3, 1) != run(world, 3, 2)


def test_who_is_told_is_chosen_by_the_rule_of_the_product():
    world = World(90, reached=1)
    simulated = Run(world, 1)
    simulated.chance = Random(7)
    others = [other for other in range(90) if other != 5]
    assert simulated._chosen(5, 9) == spread.choose(others, {0, 9}, Random(7))
    assert len(simulated._chosen(5, 9)) == world.fan_out == spread.fan_out(87)


@pytest.mark.parametrize(
    "world",
    [
        World(10, reached=1, extra=0, catch_up=False),
        World(90, reached=1, dead=0.3, catch_up=False),
        World(90, reached=1, dead=0.6, catch_up=False),
        World(90, reached=3, dead=0.6, catch_up=False),
        World(90, reached=1, dead=0.6, loss=0.2, retries=False, catch_up=False),
        World(300, reached=1, dead=0.6, catch_up=False),
        World(300, reached=1, extra=0, dead=0.5, catch_up=False),
    ],
)
def test_a_rumour_reaches_as_many_as_the_closed_form_says(world):
    runs = 40_000 // world.nodes if world.nodes < 50 else 12_000 // world.nodes
    assert mean(run(world, runs, 1)) == pytest.approx(expected(world), abs=0.04)


def test_a_rumour_misses_e_to_the_minus_c_nodes_whatever_their_number():
    for nodes in (90, 300):
        world = World(nodes, reached=1, extra=0, catch_up=False)
        found = run(world, 20_000 // nodes, 1)
        missed = sum(each.alive - len(each.rumour) for each in found) / len(found)
        assert missed == pytest.approx(nodes * math.exp(-world.fan_out), rel=0.35)


def test_a_node_sends_k_entries_and_the_author_one_to_each_member_it_reaches():
    for outcome in run(World(90), 3, 1):
        k = outcome.world.fan_out
        assert outcome.coverage == 1
        assert outcome.each == pytest.approx(k * ENTRY + (k + 1) * DUPLICATE, rel=0.01)
        assert outcome.origin == pytest.approx(89 * ENTRY)


def test_what_the_rumour_misses_a_comparison_of_heads_brings_within_two_rounds():
    found = run(World(90, reached=1, extra=0), 20, 1)
    assert any(each.coverage < 1 for each in found)
    assert all(each.last < 150 for each in found)


def test_without_any_rumour_the_comparison_of_heads_alone_brings_it_to_all():
    world = World(30, reached=1, extra=-5)
    assert world.fan_out == 0
    (found,) = run(world, 1, 1)
    assert len(found.rumour) == 2
    assert found.last < 300

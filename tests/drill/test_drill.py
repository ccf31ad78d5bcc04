from random import SystemRandom

import pytest

from tests.drill.__main__ import crowd_drill, drill
from tests.drill.cases import CASES
from tests.drill.table import Row, added, render
from tests.drill.wires import Missing

NODES, CROWD = 12, 90


def row(**changes):
    fields = {
        "case": "a", "nodes": 3, "left": 2, "published": 1, "held": 1, "lost": 0, "false": 0, "seconds": 1.0,
        "sent": [1.0, 2.0], "remarks": "x",
    }  # fmt: skip
    return Row(**fields | changes)


@pytest.mark.parametrize("broken", [{"lost": 1}, {"false": 1}])
def test_a_lost_or_false_alert_fails_a_drill(broken):
    row().check()
    with pytest.raises(AssertionError, match=r"1 (false )?alerts"):
        row(**broken).check()
    with pytest.raises(AssertionError, match=r"1 (false )?alerts"):
        added("b", [row(), row(**broken)]).check()


def test_the_table_ends_in_the_two_numbers_that_must_be_zero():
    end = render([row(lost=1), row(lost=2, false=4)]).splitlines()[-1]
    assert end == "Lost, of what any survivor received: 3. False shown as true: 4."


@pytest.mark.drill
def test_nothing_received_is_lost_and_nothing_false_is_shown(capsys):
    seed, rows = SystemRandom().randrange(10**6), []
    try:
        for found in drill(NODES, tuple(CASES), seed):
            rows.append(found)
    except Missing as error:
        pytest.skip(str(error))
    finally:
        with capsys.disabled():
            print(f"\nseed {seed}\n{render(rows)}" if rows else "")
    assert len(rows) == len(CASES)
    for each in rows:
        each.check()


@pytest.mark.drill
def test_one_node_of_ninety_is_enough(capsys):
    seed, rows = SystemRandom().randrange(10**6), []
    try:
        crowd_drill(CROWD, seed, rows)
    finally:
        with capsys.disabled():
            print(f"\nseed {seed}\n{render(rows)}" if rows else "")
    assert [each.left for each in rows] == [CROWD, CROWD - round(0.6 * CROWD), 1]
    for each in rows:
        each.check()
        assert each.held == each.published

import math
import random

import pytest

from node.federation.protocol import spread


@pytest.mark.parametrize(("others", "wanted"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 4), (11, 4), (89, 6), (299, 8)])
def test_the_fan_out_is_ln_n_and_two_more(others: int, wanted: int):
    assert spread.fan_out(others) == wanted
    assert others < 4 or spread.fan_out(others) == round(math.log(others + 1)) + spread.EXTRA


def test_nobody_is_told_twice_and_neither_the_author_nor_who_brought_it():
    others = [f"member {number}" for number in range(30)]
    chance = random.Random(7)
    for _ in range(200):
        chosen = spread.choose(others, others[:2], chance)
        assert len(chosen) == len(set(chosen)) == spread.fan_out(28)
        assert not set(chosen) & set(others[:2])


def test_with_nobody_left_nobody_is_told():
    assert spread.choose(["author"], ["author"], random.Random(1)) == []

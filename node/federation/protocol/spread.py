"""How a rumour goes round: to how many others, and to which. Arithmetic only, so that a simulation runs the same rules.

With a fan-out of ln N + c an entry misses a given node of N with a probability of about e^-(ln N + c); what the rumour
misses, the next comparison of heads brings.
"""

import math
from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")

EXTRA = 2
"""c: what is sent beyond ln N."""


class Chance(Protocol):
    """What `random.Random` and its kin can do."""

    def sample(self, population: Sequence[T], k: int) -> list[T]:
        """So many of them, each once."""


def fan_out(others: int, extra: int = EXTRA) -> int:
    """To how many of so many others an entry is passed on.

    Spec: Tadamun design §4
    """
    return max(0, min(others, round(math.log(others + 1)) + extra)) if others > 0 else 0


def choose(
    others: Sequence[T], not_these: Collection[T], chance: Chance, extra: int = EXTRA
) -> list[T]:
    """Who is told: some of the others at random, but not the author nor who brought it.

    Args:
        others: every other member, the author and the bringer among them.
    """
    left = [other for other in others if other not in not_these]
    return chance.sample(left, fan_out(len(left), extra))

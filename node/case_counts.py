"""Numbers about cases that may be told: never so small that they point at somebody.

Rules: R13 a count under five is not shown, only that there are fewer than five; a place with a single case stands in
no table. If only one count of a table is hidden, the next smallest is hidden too, or a total would give it away. R12
kinds of violation that tell of sexual violence, honour, orientation or health are not told apart in counts under five,
and their being hidden is not shown either.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from node.case_alerts import SENSITIVE_TYPES
from node.case_documents import Case

LEAST = 5
HIDDEN = -1
"""Fewer than five."""


def by_country(cases: Iterable[Case]) -> Mapping[str, int]:
    """Cases by country."""
    found = Counter(case.grading.country for case in cases if case.grading.country)
    return _told({name: number for name, number in found.items() if number > 1})


def by_violation(cases: Iterable[Case]) -> Mapping[str, int]:
    """Cases by kind of violation."""
    found = Counter(name for case in cases for name in set(case.grading.violation_types))
    return _told({name: number for name, number in found.items() if number >= LEAST or name not in SENSITIVE_TYPES})


def _told(found: Mapping[str, int]) -> Mapping[str, int]:
    told = {name: number if number >= LEAST else HIDDEN for name, number in sorted(found.items())}
    hidden = [name for name, number in told.items() if number == HIDDEN]
    if len(hidden) == 1 and len(told) > 1:
        told[min((name for name in told if name not in hidden), key=lambda name: told[name])] = HIDDEN
    return told

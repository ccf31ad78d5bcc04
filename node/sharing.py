"""A secret among several people, so that any k of n have it and any k−1 know nothing of it.

Replicated sharing: for each group of k people the secret is the XOR of k random parts, one for each of the group. k−1
people lack at least one part of every group, and every secret is then as likely as any other. With at most five people
there are at most ten groups and six parts for one person; that is one line of arithmetic that can be read, where
polynomials over a field would need a library to be trusted.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

KEY_SIZE = 32
Parts = Mapping[str, bytes]
"""Group → one person's part of it; a group is named by its members' numbers, as `0-2`."""


def split(key: bytes, count: int, threshold: int, random: Callable[[int], bytes]) -> tuple[Parts, ...]:
    """Part a key among so many people, numbered from 0.

    Args:
        random: gives so many bytes that nobody can foretell.
    """
    parts: list[dict[str, bytes]] = [{} for _ in range(count)]
    for group in combinations(range(count), threshold):
        last = key
        for number in group[:-1]:
            part = random(len(key))
            parts[number][name_of(group)] = part
            last = _xor(last, part)
        parts[group[-1]][name_of(group)] = last
    return tuple(parts)


def join(parts: Mapping[int, Parts], threshold: int) -> bytes | None:
    """The key, where enough people gave their parts; `None` where they did not.

    Args:
        parts: number of a person → what they hold.
    """
    for group in combinations(sorted(parts), threshold):
        found = [parts[number].get(name_of(group), b"") for number in group]
        if all(len(each) == KEY_SIZE for each in found):
            key = bytes(KEY_SIZE)
            for each in found:
                key = _xor(key, each)
            return key
    return None


def name_of(group: Sequence[int]) -> str:
    """How a group is named."""
    return "-".join(str(number) for number in group)


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))

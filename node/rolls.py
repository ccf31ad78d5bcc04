"""Lists that every node works out for itself: who counts, up to which entry, and that each organisation counts once.

Signatures under an alert and affirmations of a charter are entries of many logs. What arrives is kept one by one; who
stands on a list is worked out anew from all that is held, so that nodes with the same entries show the same list, in
whatever order they came.

Rules, in order:
1. an entry counts as far as the heads reach, and one that came twice counts once;
2. its organisation is a member here or succeeded by one, or ourselves; past a freeze it does not count;
3. an organisation stands on a list once, and so does one that succeeded another: its own last word counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from node.errors import ProtocolError
from node.federation.protocol import digests
from node.federation.protocol.activities import MAX_EPOCH

Place = tuple[int, int, str]
"""Epoch, sequence and header digest of an entry; the digest is empty where it is not known."""
_NOWHERE: Place = (0, 0, "")
_SPEC = "Tadamun log §3"


@dataclass(frozen=True, slots=True)
class Standing:
    """An organisation whose word counts on this node: ourselves, a member, or one that a member succeeded."""

    listed: bool
    """It agreed that others name it as a member of the network."""
    frozen: tuple[int, int] | None = None
    successor: str | None = None


class Word(Protocol):
    """One organisation's entry."""

    @property
    def id(self) -> str:
        """Canonical id of the object."""

    @property
    def did(self) -> str:
        """Whose it is."""

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands in that log."""


W = TypeVar("W", bound=Word)


def parse_place(value: Any) -> Place:
    """Read a place that somebody else wrote.

    Raises:
        ProtocolError: it is not `[epoch, sequence, digest]`.
    """
    if not isinstance(value, list) or len(value) != 3:
        raise ProtocolError("heads: [epoch, sequence, digest]", spec=_SPEC)
    epoch, sequence, digest = value
    if type(epoch) is not int or type(sequence) is not int or not 0 < epoch <= MAX_EPOCH or not 0 <= sequence < 2**53:
        raise ProtocolError("heads: [epoch, sequence, digest]", spec=_SPEC)
    return epoch, sequence, digests.check_multibase(digest)


def within(words: Iterable[W], heads: Mapping[str, Place]) -> tuple[W, ...]:
    """What the heads reach, each once, in the logs' order."""
    counted = [each for each in words if each.order <= heads.get(each.did, _NOWHERE)[:2]]
    return tuple({each.id: each for each in sorted(counted, key=lambda each: (each.order, each.id))}.values())


def counts(word: Word, roll: Mapping[str, Standing]) -> bool:
    """Whether its organisation counts here, and counted when it said this."""
    standing = roll.get(word.did)
    return standing is not None and (standing.frozen is None or word.order <= standing.frozen)


def final(did: str, roll: Mapping[str, Standing]) -> str:
    """Who speaks for this organisation by now."""
    for _ in roll:
        standing = roll.get(did)
        if standing is None or standing.successor is None:
            break
        did = standing.successor
    return did


def last_words(words: Iterable[W], roll: Mapping[str, Standing]) -> dict[str, W]:
    """Organisation by now → its last word; what it said itself goes before what it took over."""
    found: dict[str, W] = {}
    for each in words:
        name = final(each.did, roll)
        if name not in found or _rank(each, name) > _rank(found[name], name):
            found[name] = each
    return found


def _rank(each: Word, name: str) -> tuple[bool, tuple[int, int], str]:
    return each.did == name, each.order, each.id

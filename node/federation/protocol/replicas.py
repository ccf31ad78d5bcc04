"""The log's rules: headers, digests, order, forks, stubs, and the line that counts.

Each public activity carries `log: {epoch, sequence, previous, nonce}`. `content` is the SHA-256 of JCS(activity without
top-level `proof` and `signature`); the *header* is {did, epoch, sequence, previous, content} and `previous` is the
digest of the header before. Sequence goes on over epochs; of two headers with one sequence the higher epoch is the
main line. All here is arithmetic on headers: who signed them was checked by `verification`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from node.errors import ProtocolError, ReplicaError
from node.federation.protocol import digests, ids
from node.federation.protocol.activities import MAX_EPOCH, Activity
from node.federation.protocol.messages import JsonObject

_SPEC = "Tadamun log §3"
_UNCOUNTED = ("proof", "signature")


@dataclass(frozen=True, slots=True)
class Header:
    """One link of an organisation's chain."""

    did: str
    epoch: int
    sequence: int
    previous: str | None
    content: str

    @property
    def digest(self) -> str:
        """What the next entry's `previous` must be."""
        return digests.multibase(digests.jcs(self.value()))

    @property
    def order(self) -> tuple[int, int]:
        """Positions compare by epoch, then sequence."""
        return self.epoch, self.sequence

    def value(self) -> JsonObject:
        """The header as it is hashed, and as a stub travels."""
        return {
            "did": self.did,
            "epoch": self.epoch,
            "sequence": self.sequence,
            "previous": self.previous,
            "content": self.content,
        }


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain without gaps."""

    epoch: int
    sequence: int
    digest: str

    @property
    def order(self) -> tuple[int, int]:
        """Positions compare by epoch, then sequence."""
        return self.epoch, self.sequence


@dataclass(frozen=True, slots=True)
class Position:
    """The place the next entry of our own log takes."""

    epoch: int
    sequence: int
    previous: str | None


class Fit(StrEnum):
    """How an entry sits in the log we hold."""

    NEXT = "next"
    KNOWN = "known"
    GAP = "gap"
    FORK = "fork"
    EPOCH = "epoch"
    """A later epoch that branches off below our head: the other branch is passed over."""


def content_digest(value: JsonObject) -> str:
    """The digest of what an activity says, proofs left out.

    Spec: Tadamun log §3
    """
    return digests.multibase(digests.jcs({name: item for name, item in value.items() if name not in _UNCOUNTED}))


def header_of(activity: Activity) -> Header:
    """The header of an entry.

    Raises:
        ProtocolError: the activity is no log entry.
    """
    did = activity.did
    if did is None or activity.position is None:
        raise ProtocolError("not a log entry", spec=_SPEC)
    if activity.position.previous is not None:
        digests.check_multibase(activity.position.previous)
    place = activity.position
    return Header(did, place.epoch, place.sequence, place.previous, content_digest(activity.value))


def parse_stub(value: Any) -> Header:
    """Read the bare header that stands for a withdrawn entry.

    Raises:
        ProtocolError: not a header.
    """
    if not isinstance(value, dict) or set(value) != {"did", "epoch", "sequence", "previous", "content"}:
        raise ProtocolError("a stub is a bare header", spec=_SPEC)
    did, epoch, sequence, previous, content = (
        value[name] for name in ("did", "epoch", "sequence", "previous", "content")
    )
    if not isinstance(did, str) or not ids.is_did(did):
        raise ProtocolError("a stub without a did", spec=_SPEC)
    if type(epoch) is not int or type(sequence) is not int or not 1 <= epoch <= MAX_EPOCH or sequence < 1:
        raise ProtocolError("a stub without a position", spec=_SPEC)
    if (previous is None) != (sequence == 1):
        raise ProtocolError("a stub without previous", spec=_SPEC)
    if previous is not None:
        digests.check_multibase(previous)
    return Header(did, epoch, sequence, previous, digests.check_multibase(content))


def next_position(head: Head | None, *, new_epoch: bool = False) -> Position:
    """Where our own next entry stands."""
    if head is None:
        return Position(1, 1, None)
    return Position(head.epoch + new_epoch, head.sequence + 1, head.digest)


def fit(header: Header, head: Head | None, known: Iterable[Header]) -> Fit:
    """How a header sits beside the chain we hold.

    Args:
        known: the headers we hold for this did with the same sequence.
    """
    beside = tuple(known)
    if header in beside:
        return Fit.KNOWN
    if head is None:
        return Fit.NEXT if header.sequence == 1 else Fit.GAP
    if header.sequence == head.sequence + 1 and header.previous == head.digest and header.epoch >= head.epoch:
        return Fit.NEXT
    if header.epoch > head.epoch and header.sequence <= head.sequence:
        return Fit.EPOCH
    if any(other.epoch == header.epoch for other in beside):
        return Fit.FORK
    if header.sequence <= head.sequence or (
        header.sequence == head.sequence + 1 and header.previous != head.digest and header.epoch == head.epoch
    ):
        return Fit.FORK
    return Fit.GAP


def main_line(headers: Iterable[Header]) -> tuple[Header, ...]:
    """The chain that counts, from entry 1 up to the first gap.

    Where several headers claim one sequence and link to the chain so far, the line that reaches the highest epoch wins,
    then the longest, then the smaller digest: every node that holds the same headers finds the same line.
    """
    children: dict[str | None, list[tuple[str, Header]]] = {}
    for header in headers:
        children.setdefault(header.previous, []).append((header.digest, header))
    best: dict[str, tuple[int, int, str]] = {}
    order = [item for branch in children.values() for item in branch]
    for digest, header in sorted(order, key=lambda item: -item[1].sequence):
        reach = (header.epoch, header.sequence, digest)
        for child_digest, child in children.get(digest, ()):
            if child.sequence == header.sequence + 1 and child.epoch >= header.epoch:
                reach = max(reach, best[child_digest], key=_rank)
        best[digest] = reach
    line: list[Header] = []
    previous: str | None = None
    while True:
        options = [
            (digest, header)
            for digest, header in children.get(previous, ())
            if header.sequence == len(line) + 1 and (not line or header.epoch >= line[-1].epoch)
        ]
        if not options:
            return tuple(line)
        previous, chosen = max(options, key=lambda item: _rank(best[item[0]]))
        line.append(chosen)


def _rank(reach: tuple[int, int, str]) -> tuple[int, int, tuple[int, ...]]:
    epoch, sequence, digest = reach
    return epoch, sequence, tuple(-ord(letter) for letter in digest)


def check_withdrawn(header: Header, withdrawals: Mapping[tuple[int, int], str]) -> None:
    """A stub may stand only where a later signed Delete names its place and content.

    Args:
        withdrawals: (epoch, sequence) → content digest, from the author's verified Deletes.

    Raises:
        ReplicaError: no Delete names it: somebody withheld the text.
    """
    if withdrawals.get(header.order) != header.content:
        raise ReplicaError(f"entry {header.epoch}/{header.sequence} was withheld: no Delete by its author names it")


def anchored(stubs: Iterable[Header], followed: Iterable[str]) -> tuple[Header, ...]:
    """The stubs that a signed entry vouches for. A stub bears no proof: it counts only as the `previous` of a signed
    entry, or of a stub that does; else any member could invent another's history.

    Args:
        followed: the `previous` of every signed entry at hand.
    """
    by_digest = {header.digest: header for header in stubs}
    found: list[Header] = []
    wanted = list(followed)
    while wanted:
        header = by_digest.pop(wanted.pop(), None)
        if header is not None:
            found.append(header)
            if header.previous is not None:
                wanted.append(header.previous)
    return tuple(sorted(found, key=lambda header: header.order))


def root_digest(heads: Mapping[str, Head]) -> str:
    """One digest over a whole head table; equal tables have equal roots."""
    return digests.multibase(
        digests.jcs({did: [head.epoch, head.sequence, head.digest] for did, head in heads.items()})
    )

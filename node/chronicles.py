"""The acts of one network in an order in which each follows what its author had seen; what cannot follow yet waits.

The order is that of this node, and nothing may depend on it. A past is an integer: bit n stands for the n-th act here.
"""

from bisect import bisect_left
from collections.abc import Iterable, Set
from copy import copy
from typing import Any, Self

from node.governance import FOUND, Act


class Chronicle:
    """Once made it stays as it is, so that several may read it at once; `take` makes another.

    What derives from it says in `_judge` what an act comes to by its own past, which never changes. `take` copies every
    table, down to lists in a dict: so a table's values are lists, or are never changed.
    """

    def __init__(self, network: str) -> None:
        self.network = network
        self.acts: list[Act] = []
        self._at: dict[str, int] = {}
        self._past: list[int] = []
        self._own: dict[str, list[int]] = {}
        """Author → its acts, of those that count on (rule 1 of `members`)."""
        self._levels: dict[str, list[int]] = {}
        """Author → the same by their numbers, all of one number as a past holds them."""
        self._ends: dict[str, None] = {}
        self._waits: dict[str, Act] = {}

    def take(self, acts: Iterable[Act]) -> Self:
        """The chronicle of these and of all that are here: the same, whichever came first. This one stays as it is."""
        fresh = [act for act in acts if act.network == self.network and not self.holds(act.digest)]
        if not fresh:
            return self
        found = copy(self)
        for name, value in vars(self).items():
            setattr(found, name, _apart(value))
        found._take(fresh)
        return found

    def holds(self, digest: str) -> bool:
        """Whether an act is here, be it that it waits for others."""
        return digest in self._at or digest in self._waits

    def is_within(self, digests: Set[str]) -> bool:
        """Whether nothing else is here than these."""
        return self._at.keys() <= digests and self._waits.keys() <= digests

    @property
    def waiting(self) -> tuple[Act, ...]:
        """The acts that wait for others."""
        return tuple(self._waits.values())

    def __len__(self) -> int:
        """How many are here, with those that wait."""
        return len(self._at) + len(self._waits)

    def beyond(self, heads: Iterable[str]) -> tuple[Act, ...]:
        """The acts that somebody lacks whose view ends with these; each follows what it has seen."""
        held = 0
        for each in heads:
            at = self._at.get(each)
            if at is not None:
                held |= self._past[at] | (1 << at)
        return tuple(act for at, act in enumerate(self.acts) if not held >> at & 1)

    def _take(self, acts: Iterable[Act]) -> None:
        given = self._waits | {act.digest: act for act in acts if act.network == self.network}
        lacks = {digest: sum(each not in self._at for each in act.seen) for digest, act in given.items()}
        follow: dict[str, list[str]] = {}
        for digest, act in given.items():
            for each in act.seen:
                if each in given:
                    follow.setdefault(each, []).append(digest)
        ready = sorted((digest for digest, count in lacks.items() if count == 0), reverse=True)
        while ready:
            digest = ready.pop()
            self._append(given.pop(digest))
            for after in follow.get(digest, ()):
                lacks[after] -= 1
                if lacks[after] == 0:
                    ready.append(after)
        self._waits = given

    def _append(self, act: Act) -> None:
        past = 0
        for each in act.seen:
            past |= self._past[self._at[each]] | (1 << self._at[each])
            self._ends.pop(each, None)
        index = len(self.acts)
        self._at[act.digest] = index
        self._ends[act.digest] = None
        self.acts.append(act)
        self._past.append(past)
        counts = self._follows(act, past)
        if counts:
            self._own.setdefault(act.author, []).append(index)
            levels = self._levels.setdefault(act.author, [])
            if act.number > len(levels):
                levels.append(0)
            levels[act.number - 1] |= 1 << index
        self._judge(act, index, past, counts=counts)

    def _judge(self, act: Act, index: int, past: int, *, counts: bool) -> None:
        """Work out what an act comes to.

        Args:
            counts: its author's act before it is in its past.
        """
        raise NotImplementedError

    def _follows(self, act: Act, past: int) -> bool:
        if act.kind == FOUND:
            return act.digest == self.network
        return act.number == 1 + self._counted(act.author, past)

    def _counted(self, author: str, past: int) -> int:
        """How far an author had counted: who has seen one of its acts has seen all before it."""
        levels = self._levels.get(author, [])
        return bisect_left(levels, True, key=lambda level: not level & past)

    def _missing(self) -> tuple[str, ...]:
        named = {each for act in self._waits.values() for each in act.seen}
        return tuple(sorted(each for each in named if not self.holds(each)))


def _apart(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: list(each) if isinstance(each, list) else each for key, each in value.items()}
    return list(value) if isinstance(value, list) else value

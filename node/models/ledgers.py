"""Ledgers that are kept, so that what follows from a network's acts is worked out once and not for each act and page.

A ledger never changes, and which one fits is told by what a connection sees, never by what was done before: after a
transaction that was undone, beside a process that wrote, or in a view that is older, each finds the ledger of just the
acts it sees, or takes the nearest one further. Losing one costs time and nothing else.
"""

from collections.abc import Set

from node.members import Ledger

_NETWORKS = 16
_EACH = 6


class Shelf:
    """One for each database. Threads may race for it: what is put here last may be lost, and is made again."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[tuple[str, Ledger], ...]] = {}

    def stamped(self, network: str, stamp: str) -> Ledger | None:
        """The ledger of the acts that bore this stamp."""
        return next((ledger for each, ledger in self._held.get(network, ()) if each == stamp), None)

    def nearest(self, network: str, digests: Set[str]) -> Ledger:
        """The one that holds most of these acts, and no other."""
        fitting = (ledger for _, ledger in self._held.get(network, ()) if ledger.is_within(digests))
        return max(fitting, key=len, default=Ledger(network))

    def put(self, stamp: str, ledger: Ledger) -> None:
        """Keep one, before the others of its network; the oldest go."""
        others = (each for each in self._held.get(ledger.network, ()) if each[0] != stamp)
        held = {name: each for name, each in self._held.items() if name != ledger.network}
        held[ledger.network] = ((stamp, ledger), *others)[:_EACH]
        self._held = dict(list(held.items())[-_NETWORKS:])

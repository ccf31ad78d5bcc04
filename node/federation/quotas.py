"""How much one peer may bring: a bucket for each, of activities and of bytes, that refills by the second.

A peer is the origin of the owner of a key whose signature held (FEP-fe34: a did, or a host), so that nobody uses up
another's room. A peer that floods meets its own bound long before it slows anybody else; it hears 429 and when to come
again, and loses nothing.
"""

from collections import OrderedDict
from datetime import datetime

from node.errors import ProtocolError

BURST, REFILL = 5_000, 10.0
"""Activities at once, and a second."""
BURST_BYTES, REFILL_BYTES = 64 * 1024 * 1024, 256 * 1024.0
_PEERS = 5_000


class Quotas:
    """The buckets of one node; those not heard of for longest are forgotten, which only fills them up."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float, float]] = OrderedDict()

    def take(self, peer: str, size: int, now: datetime) -> None:
        """Count one activity of so many bytes.

        Raises:
            ProtocolError: 429, the peer brought too much lately.

        Spec: RFC 6585 §4
        """
        moment = now.timestamp()
        left, left_bytes, last = self._buckets.get(peer, (float(BURST), float(BURST_BYTES), moment))
        passed = max(0.0, moment - last)
        left = min(BURST, left + passed * REFILL) - 1
        left_bytes = min(BURST_BYTES, left_bytes + passed * REFILL_BYTES) - size
        if left < 0 or left_bytes < 0:
            raise ProtocolError("more than one peer may bring: come again in a minute", spec="RFC 6585 §4", status=429)
        self._buckets[peer] = (left, left_bytes, max(moment, last))
        self._buckets.move_to_end(peer)
        if len(self._buckets) > _PEERS:
            self._buckets.popitem(last=False)

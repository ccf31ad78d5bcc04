from datetime import UTC, datetime, timedelta

import pytest

from node.errors import ProtocolError
from node.federation import quotas
from node.federation.quotas import Quotas

NOON = datetime(2026, 11, 20, 11, tzinfo=UTC)


def test_a_peer_that_floods_meets_its_own_bound_and_nobody_elses():
    held = Quotas()
    for _ in range(quotas.BURST):
        held.take("flood.example", 100, NOON)
    with pytest.raises(ProtocolError) as refused:
        held.take("flood.example", 100, NOON)
    assert refused.value.status == 429
    held.take("other.example", 100, NOON)


def test_the_bound_is_one_of_bytes_too():
    held = Quotas()
    held.take("flood.example", quotas.BURST_BYTES, NOON)
    with pytest.raises(ProtocolError):
        held.take("flood.example", 1, NOON)
    held.take("flood.example", int(quotas.REFILL_BYTES) * 5, NOON + timedelta(seconds=5))


def test_what_was_refused_is_not_counted_and_time_refills():
    held = Quotas()
    for _ in range(quotas.BURST):
        held.take("flood.example", 0, NOON)
    for _ in range(100):
        with pytest.raises(ProtocolError):
            held.take("flood.example", 0, NOON)
    for _ in range(int(quotas.REFILL)):
        held.take("flood.example", 0, NOON + timedelta(seconds=1))
    with pytest.raises(ProtocolError):
        held.take("flood.example", 0, NOON + timedelta(seconds=1))


def test_a_clock_that_goes_back_gives_nothing():
    held = Quotas()
    held.take("peer.example", quotas.BURST_BYTES, NOON)
    with pytest.raises(ProtocolError):
        held.take("peer.example", 1, NOON - timedelta(days=1))

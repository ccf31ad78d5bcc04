"""The state that a chain of alerts shows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from node.models.alerts import Chain
from node.web import stories
from tests.models.samples import NOW
from tests.models.test_alerts import FIRST, news

SOON, LATE = NOW + timedelta(days=1), NOW + timedelta(days=90)
NEWS = news(1, expires=LATE)


@pytest.mark.parametrize(
    ("part", "chain", "now", "state"),
    [
        (FIRST, Chain(FIRST), NOW, "current"),
        (FIRST, Chain(FIRST), NOW + timedelta(days=31), "expired"),
        (FIRST, Chain(FIRST, (NEWS,)), NOW + timedelta(days=31), "current"),
        (FIRST, Chain(FIRST, (NEWS,)), LATE, "expired"),
        (FIRST, Chain(FIRST, (news(1, expires=SOON),)), SOON, "expired"),
        (FIRST, Chain(FIRST, (news(1, expires=SOON), news(2, expires=LATE))), SOON, "current"),
        (NEWS, Chain(replace(FIRST, state="closed"), (NEWS,)), NOW, "closed"),
        (NEWS, Chain(replace(FIRST, state="corrected"), (NEWS,)), NOW, "current"),
        (replace(NEWS, state="corrected"), Chain(FIRST, (NEWS,)), NOW, "corrected"),
        (replace(FIRST, updated=NOW), Chain(FIRST), NOW, "updated"),
        (replace(FIRST, state="closed"), Chain(replace(FIRST, state="closed")), LATE, "closed"),
    ],
)
def test_a_chain_is_closed_with_its_first_alert_and_lives_as_long_as_its_newest_part(part, chain, now, state):
    assert stories.state_of(part, chain, now) == state

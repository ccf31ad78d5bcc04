"""When the node tries again, and when it stops."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.protocol.retry import Kind, Outcome, breaker, delay, outcome, patience, seconds_to_wait

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WEEK = 7 * 24 * 3600.0


def test_the_first_try_again_comes_after_about_five_seconds() -> None:
    assert delay(1, 0.5) == timedelta(seconds=5)
    assert delay(1, 0) == timedelta(seconds=4)
    assert delay(1, 1) == timedelta(seconds=6)


def test_delays_double_up_to_a_day_and_end_after_about_two_weeks() -> None:
    delays = []
    while (wait := delay(len(delays) + 1, 0.5)) is not None:
        delays.append(wait)
        assert len(delays) < 100
    assert delays[1:4] == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]
    assert delays == sorted(delays)
    assert delays[-1] == timedelta(days=1)
    assert timedelta(days=13) < sum(delays, timedelta()) < timedelta(days=15)
    assert delay(10**9, 0.5) is None


def test_what_takes_a_text_back_is_tried_for_a_month() -> None:
    delays = []
    while (wait := delay(len(delays) + 1, 0.5, patience(withdraws=True))) is not None:
        delays.append(wait)
        assert len(delays) < 100
    assert timedelta(days=30) < sum(delays, timedelta()) < timedelta(days=32)
    assert patience(withdraws=False) < patience(withdraws=True)


def test_the_breaker_opens_at_the_fifth_failure_and_grows_to_an_hour() -> None:
    assert [breaker(failures) for failures in (0, 4, 5, 6, 7)] == [
        None,
        None,
        timedelta(seconds=30),
        timedelta(seconds=60),
        timedelta(seconds=120),
    ]
    assert breaker(50) == breaker(10**9) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Kind.DONE),
        (201, Kind.DONE),
        (202, Kind.DONE),
        (204, Kind.DONE),
        (301, Kind.FAILED),
        (307, Kind.FAILED),
        (308, Kind.FAILED),
        (400, Kind.REFUSED_SIGNATURE),
        (401, Kind.REFUSED_SIGNATURE),
        (403, Kind.FAILED),
        (404, Kind.POSTPONED),
        (405, Kind.FAILED),
        (406, Kind.FAILED),
        (408, Kind.POSTPONED),
        (410, Kind.GONE),
        (413, Kind.FAILED),
        (422, Kind.FAILED),
        (425, Kind.POSTPONED),
        (429, Kind.POSTPONED),
        (500, Kind.POSTPONED),
        (503, Kind.POSTPONED),
        (599, Kind.POSTPONED),
    ],
)
def test_a_status_means_this(status: int, kind: Kind) -> None:
    assert outcome(status).kind is kind


def test_a_404_is_final_at_the_fourth_attempt() -> None:
    kinds = [outcome(404, attempt=attempt).kind for attempt in (1, 2, 3, 4)]
    assert kinds == [Kind.POSTPONED] * 3 + [Kind.FAILED]


def test_a_postponed_delivery_carries_the_wait_the_peer_asked_for() -> None:
    assert outcome(429, 90) == Outcome(Kind.POSTPONED, timedelta(seconds=90))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("-5", 0),
        ("soon", 0),
        ("1.5", 0),
        ("١٢٠", 0),
        ("9" * 5000, WEEK),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 20 Nov 2026 12:01:00 -0000", 60),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 20 Nov 2099 12:00:00 GMT", WEEK),
        ("Fri, 99 Nov 2026 12:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_within_a_week(header: str | None, seconds: float) -> None:
    assert seconds_to_wait(header, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_breaks_anything(header: str) -> None:
    assert 0 <= seconds_to_wait(header, NOW) <= WEEK

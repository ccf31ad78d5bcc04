"""When to try again: delays, the circuit breaker of a host, and what an HTTP status means for a delivery.

Most things are tried for two weeks. What takes a text back is tried for thirty days: an alert that comes two weeks late
helps nobody, a withdrawal that comes four weeks late still takes a name off a page.

Rules of a status, in order: 2xx is done; 410 is gone; 400 and 401 may be the signature's form; 408, 425,
429 and 5xx are postponed; 404 is postponed a few times (a new actor may not be served yet), then final; all
else is final, a redirect too, for a signed POST is never sent on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(days=1)
LAST_ATTEMPT = 28
"""5 s doubled up to a day, then daily: the 28th attempt comes about 14 days after the first."""
LAST_ATTEMPT_TO_WITHDRAW = 45
"""For what takes a text back: the 45th attempt comes about 31 days after the first."""
LONGEST_WAIT = timedelta(days=7)
"""The most that a peer's Retry-After may ask of us."""

BREAKER_OPENS = 5
_BREAKER_FIRST = timedelta(seconds=30)
_BREAKER_LONGEST = timedelta(hours=1)
_TRIES_OF_404 = 4


class Kind(Enum):
    """What one attempt came to."""

    DONE = "done"
    GONE = "gone"
    """The inbox is gone for good; whoever it belonged to can be forgotten."""
    REFUSED_SIGNATURE = "refused_signature"
    """Try the other form of signature once, then count it as failed."""
    POSTPONED = "postponed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one answer means. `retry_after` is zero where the peer asked for no wait."""

    kind: Kind
    retry_after: timedelta = timedelta(0)


def delay(attempt: int, jitter: float, last: int = LAST_ATTEMPT) -> timedelta | None:
    """How long to wait after this many failed attempts; `None`: give up.

    Args:
        attempt: attempts made so far, from 1.
        jitter: 0 to 1, chosen by the caller; the wait is between 0.8 and 1.2 of the rule.
        last: how many attempts are made.
    """
    if attempt >= last:
        return None
    return _doubled(FIRST_DELAY, LONGEST_DELAY, attempt - 1) * (0.8 + 0.4 * jitter)


def patience(*, withdraws: bool) -> int:
    """How many attempts are made: more where it takes a text back."""
    return LAST_ATTEMPT_TO_WITHDRAW if withdraws else LAST_ATTEMPT


def breaker(failures: int) -> timedelta | None:
    """How long a host is left alone after this many failures in a row; `None`: not at all."""
    if failures < BREAKER_OPENS:
        return None
    return _doubled(_BREAKER_FIRST, _BREAKER_LONGEST, failures - BREAKER_OPENS)


def outcome(status: int, retry_after: float = 0, attempt: int = 1) -> Outcome:
    """What the peer's answer to a delivery means.

    Args:
        retry_after: seconds, as `seconds_to_wait` reads them.
        attempt: attempts made so far, this one included.

    Spec: RFC 9110 §15
    """
    if 200 <= status < 300:
        return Outcome(Kind.DONE)
    if status == 410:
        return Outcome(Kind.GONE)
    if status in (400, 401):
        return Outcome(Kind.REFUSED_SIGNATURE)
    if is_passing(status) or (status == 404 and attempt < _TRIES_OF_404):
        return Outcome(Kind.POSTPONED, timedelta(seconds=retry_after))
    return Outcome(Kind.FAILED)


def is_passing(status: int) -> bool:
    """Whether a later try may meet a better status."""
    return status in (408, 425, 429) or status >= 500


def seconds_to_wait(retry_after: str | None, now: datetime) -> float:
    """Read a Retry-After header: seconds or an HTTP date, at most seven days; 0 where it is unreadable.

    Spec: RFC 9110 §10.2.3
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        wait = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return 0
        wait = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return min(max(wait, 0.0), LONGEST_WAIT.total_seconds())


def _doubled(first: timedelta, longest: timedelta, times: int) -> timedelta:
    # The exponent is bounded before the power is taken: failures are counted without end.
    factor: int = 1 << min(max(times, 0), 30)
    return min(first * factor, longest)

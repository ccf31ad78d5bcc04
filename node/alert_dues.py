"""What an alert of ours asks of us after it was published.

Rules, in order; what is closed asks for nothing:

1. *expired*: it is old information; close it, or tell news with a later date;
2. *expires*: that comes within a week;
3. *deadline*: offices were to act by a day that has passed, and none of their answers was logged;
4. *answers*: offices are asked, and none of their answers was logged for two weeks;
5. *silent*: nothing new was told for two weeks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

EXPIRED, EXPIRES, DEADLINE, ANSWERS, SILENT = "expired", "expires", "deadline", "answers", "silent"
DUES = (EXPIRED, EXPIRES, DEADLINE, ANSWERS, SILENT)
SOON = timedelta(days=7)
LONG = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an alert that stands."""

    closed: bool
    told: datetime
    """When something of it was told last."""
    expires: datetime | None = None
    deadline: datetime | None = None
    asked: int = 0
    """Offices that are asked to act."""
    answered: int = 0
    """Answers that were logged."""


def dues(standing: Standing, now: datetime) -> tuple[str, ...]:
    """What is due, of `DUES`."""
    if standing.closed:
        return ()
    found = []
    if standing.expires is not None and standing.expires <= now + SOON:
        found.append(EXPIRED if standing.expires <= now else EXPIRES)
    waits = standing.asked and not standing.answered
    if waits and standing.deadline is not None and standing.deadline <= now:
        found.append(DEADLINE)
    elif waits and standing.told <= now - LONG:
        found.append(ANSWERS)
    if standing.told <= now - LONG and EXPIRED not in found:
        found.append(SILENT)
    return tuple(found)

"""Moments as they are kept where nobody needs the minute: who has the disk learns less."""

from datetime import datetime


def hour_of(moment: datetime) -> datetime:
    """The hour that it is in."""
    return moment.replace(minute=0, second=0, microsecond=0)

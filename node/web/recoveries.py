"""Going on under the recovery key, at the desk: what was typed and drawn so far, in memory alone.

One for each session, for half an hour: then the key of the sheet is let go of, and the sheet is typed again. It goes
with the process as well.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from node.recovery import RecoveryKey
from node.web.sheets import Sheets

PATIENCE = timedelta(minutes=30)


@dataclass(slots=True)
class Recovery:
    """One going on, under way."""

    spare: RecoveryKey = field(repr=False)
    """The key of the sheet, which becomes the organisation's own."""
    after: int
    """The last entry of the old log that counts."""
    until: datetime
    sheets: Sheets = field(default_factory=Sheets, repr=False)
    """Those of the NEXT recovery key."""
    printed: bool = False


class Recoveries:
    """Every one that is under way on one node, by the digest of its session."""

    def __init__(self) -> None:
        self._open: dict[str, Recovery] = {}

    def begin(self, session: str, spare: RecoveryKey, after: int, now: datetime) -> Recovery:
        """The sheet was typed, and is the right one."""
        self.forget(now)
        self._open[session] = Recovery(spare, after, now + PATIENCE)
        return self._open[session]

    def find(self, session: str, now: datetime) -> Recovery | None:
        """What this session began."""
        self.forget(now)
        return self._open.get(session)

    def close(self, session: str) -> None:
        """It is done, or not wanted after all."""
        self._open.pop(session, None)

    def forget(self, now: datetime) -> None:
        """Let go of those that nobody finished."""
        self._open = {name: each for name, each in self._open.items() if each.until > now}

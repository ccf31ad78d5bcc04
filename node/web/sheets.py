"""Recovery sheets that are not on paper yet: drawn, shown once, and copied back line by line.

They are held in memory alone. Once somebody has copied the wanted lines back from paper, only the commitment to the
key is left.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from node import paper, recovery, recovery_parts
from node.errors import RefusedError
from node.paper import check_line
from node.recovery import RecoveryKey
from node.recovery_parts import Part

WHOLE, PARTS = "whole", "parts"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet to print."""

    name: str
    """A, B or C; empty for a whole one."""
    text: str = field(repr=False)
    qr: Markup = field(repr=False)
    """The same lines as a drawing (SVG) of ours."""
    lines: tuple[str, ...] = field(repr=False)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The text for a page of any width: its lines joined, but for those that are a list, a fact or the key."""
        kept = [block for block in self.text.replace(paper.RULE, "\n").split("\n\n") if block.strip()]
        return tuple(_joined(block.strip("\n")) for block in kept)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line that somebody copies back from paper."""

    sheet: int
    number: int
    """From 1."""
    of: int
    name: str
    """The sheet's."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose sheets they are: what is printed on them besides the key."""

    name: str
    address: str
    did: str
    language: str


@dataclass(slots=True)
class Sheets:
    """The sheets of one recovery key, from the moment they are drawn until they are on paper."""

    shown: tuple[Sheet, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    commitment: str = ""
    """To the recovery key; there once the sheets were copied back."""
    _promise: str = ""

    def draw(self, form: str, bearer: Bearer, now: datetime) -> None:
        """Make a recovery key, and the sheets of it.

        Args:
            form: `whole`, or `parts` of which two of three are needed.

        Raises:
            RefusedError: neither.
        """
        if form not in (WHOLE, PARTS):
            raise RefusedError("choose one whole sheet, or three parts of which two are needed")
        spare = recovery.generate()
        self.shown = (_whole if form == WHOLE else _parts)(spare, bearer, now)
        self.wanted, self._promise, self.commitment = _choose(self.shown), recovery.commitment(spare), ""

    def copied(self, typed: tuple[str, ...]) -> None:
        """Somebody copied the wanted lines back: the sheets are on paper, and leave this machine's memory.

        Raises:
            RefusedError: for each line that is not what stands on the sheet, in the order of the lines.
        """
        faults = []
        for each, text in zip(self.wanted, typed, strict=True):
            try:
                check_line(text, each.number, self.shown[each.sheet].lines)
            except RefusedError as error:
                faults.append(f"line {each.name}{each.number}: {error}")
        if faults or not self.wanted:
            raise RefusedError(*(faults or ["print the sheet first"]))
        self.commitment, self.shown, self.wanted = self._promise, (), ()


def _joined(block: str) -> str:
    found = ""
    for line in block.split("\n"):
        own = not found or line.startswith(("- ", paper.LEFT_TO_RIGHT)) or ": " in line[:16]
        found += line if not found else f"\n{line}" if own else f" {line.strip()}"
    return found


def _whole(spare: RecoveryKey, bearer: Bearer, now: datetime) -> tuple[Sheet, ...]:
    text = recovery.render_sheet(spare, bearer.name, bearer.address, bearer.did, now, bearer.language)
    return (Sheet("", text, Markup(recovery.render_qr_svg(spare)), recovery.render_lines(spare)),)


def _parts(spare: RecoveryKey, bearer: Bearer, now: datetime) -> tuple[Sheet, ...]:
    def one(part: Part) -> Sheet:
        text = recovery_parts.render_sheet(part, bearer.name, bearer.address, bearer.did, now, bearer.language)
        return Sheet(part.name, text, Markup(paper.drawing(part.lines)), part.lines)

    return tuple(one(each) for each in recovery_parts.split(spare, secrets.token_bytes))


def _choose(sheets: tuple[Sheet, ...]) -> tuple[Wanted, ...]:
    """Two lines of a whole sheet, one of each part: enough to see that it is on paper and can be read."""
    chosen = []
    for at, sheet in enumerate(sheets):
        count = 2 if len(sheets) == 1 else 1
        numbers = sorted(_draw(len(sheet.lines), count, secrets.randbelow))
        chosen += [Wanted(at, number, len(sheet.lines), sheet.name) for number in numbers]
    return tuple(chosen)


def _draw(among: int, count: int, below: Callable[[int], int]) -> list[int]:
    left = list(range(1, among + 1))
    return [left.pop(below(len(left))) for _ in range(count)]

"""Setting up an organisation in the browser: what was said so far, and the sheets that are not on paper yet.

It is held in memory alone and goes with the process. Nothing is made, and no key touches the disk, before the recovery
sheet was copied back from paper; then the organisation is made in one step, and the recovery key is let go of.

One link is one set-up. Whoever opens an empty node is told its link by `serve`; an organisation that keeps a place for
another on its node gets one at its desk (`models/hostings`).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from node import paper, people_keys, recovery, recovery_parts
from node.desk.founding import Founding
from node.errors import RefusedError
from node.federation.protocol import keys
from node.federation.protocol.keys import OrganisationKey
from node.paper import check_line
from node.recovery import RecoveryKey
from node.recovery_parts import Part

WHOLE, PARTS = "whole", "parts"
_MOST = 20


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


@dataclass(slots=True)
class SetUp:
    """One set-up, under way."""

    host: str = ""
    """The host name that it is for; empty: whichever the node is opened at."""
    asked: Founding | None = None
    key: OrganisationKey | None = field(default=None, repr=False)
    """The organisation's own, which goes into the keyring when it is made."""
    sheets: tuple[Sheet, ...] = field(default=(), repr=False)
    wanted: tuple[Wanted, ...] = ()
    commitment: str = ""
    """To the recovery key; there once the sheet was copied back."""
    _promise: str = ""
    done: bool = False

    def describe(self, asked: Founding) -> None:
        """What the organisation is. Sheets that bear other words are no use any more."""
        if asked != self.asked:
            self.asked, self.sheets, self.wanted, self.commitment = asked, (), (), ""

    def draw(self, form: str, now: datetime) -> None:
        """Make a recovery key, and the sheets of it.

        Args:
            form: `whole`, or `parts` of which two of three are needed.

        Raises:
            RefusedError: neither.
        """
        if self.asked is None or form not in (WHOLE, PARTS):
            raise RefusedError("choose one whole sheet, or three parts of which two are needed")
        spare = recovery.generate()
        self.key = self.key or keys.generate_organisation_key()
        self.sheets = _whole(spare, self.asked, self.key, now) if form == WHOLE else _parts(
            spare, self.asked, self.key, now
        )
        self.wanted, self._promise, self.commitment = _choose(self.sheets), recovery.commitment(spare), ""

    def copied(self, typed: tuple[str, ...]) -> None:
        """Somebody copied the wanted lines back: the sheets are on paper, and leave this machine's memory.

        Raises:
            RefusedError: for each line that is not what stands on the sheet, in the order of the lines.
        """
        faults = []
        for each, text in zip(self.wanted, typed, strict=True):
            try:
                check_line(text, each.number, self.sheets[each.sheet].lines)
            except RefusedError as error:
                faults.append(f"line {each.name}{each.number}: {error}")
        if faults or not self.wanted:
            raise RefusedError(*(faults or ["print the sheet first"]))
        self.commitment, self.sheets, self.wanted = self._promise, (), ()


class SetUps:
    """Every set-up that is under way on one node, by the digest of its link."""

    def __init__(self) -> None:
        self._open: dict[str, SetUp] = {}

    def begin(self) -> str:
        """A link for whoever started an empty node; returns its token."""
        token = people_keys.new_token()
        self._open[people_keys.digest(token)] = SetUp()
        return token

    def admit(self, digest: str, host: str) -> SetUp:
        """The set-up of a place that is kept here; it begins when its link is opened first."""
        if digest not in self._open and len(self._open) >= _MOST:
            raise RefusedError("too many organisations are being set up here at once: wait until one is done")
        return self._open.setdefault(digest, SetUp(host=host))

    def find(self, token: str) -> SetUp | None:
        """The set-up behind a link."""
        return self._open.get(people_keys.digest(token))

    def close(self, token: str) -> None:
        """It is done: the link opens nothing any more."""
        self._open.pop(people_keys.digest(token), None)


def _joined(block: str) -> str:
    found = ""
    for line in block.split("\n"):
        own = not found or line.startswith(("- ", paper.LEFT_TO_RIGHT)) or ": " in line[:16]
        found += line if not found else f"\n{line}" if own else f" {line.strip()}"
    return found


def _whole(spare: RecoveryKey, asked: Founding, key: OrganisationKey, now: datetime) -> tuple[Sheet, ...]:
    text = recovery.render_sheet(spare, asked.name, asked.address, key.did, now, asked.language)
    return (Sheet("", text, Markup(recovery.render_qr_svg(spare)), recovery.render_lines(spare)),)


def _parts(spare: RecoveryKey, asked: Founding, key: OrganisationKey, now: datetime) -> tuple[Sheet, ...]:
    def one(part: Part) -> Sheet:
        text = recovery_parts.render_sheet(part, asked.name, asked.address, key.did, now, asked.language)
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

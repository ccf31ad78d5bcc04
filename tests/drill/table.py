"""What each case of a drill came to, as one table, and the two numbers that must be zero."""

from collections.abc import Sequence
from dataclasses import dataclass

_HEAD = (
    "case", "nodes", "left", "published", "held and proved", "lost", "false", "s to last", "kB sent each", "most kB",
    "remarks",
)  # fmt: skip
_NUMBERS = range(1, 10)


@dataclass(frozen=True, slots=True)
class Row:
    """One case."""

    case: str
    nodes: int
    left: int
    """Survivors: the nodes that are asked in the end."""
    published: int
    """Alerts whose publication was promised to whoever published them."""
    held: int
    """How many of those the survivor with the fewest holds, the proof verified as it is asked."""
    lost: int
    """Alerts that some survivor had received and some survivor does not hold."""
    false: int
    """Alerts that a survivor shows as proved and that their author did not say so."""
    seconds: float
    """From the publication, or from when the network was whole again, to the last survivor."""
    sent: Sequence[float]
    """kB that each node put on the wire meanwhile."""
    remarks: str = ""

    def cells(self) -> tuple[str, ...]:
        """As text."""
        mean = sum(self.sent) / len(self.sent) if self.sent else 0.0
        numbers = (self.nodes, self.left, self.published, self.held, self.lost, self.false)
        return (
            self.case,
            *(str(number) for number in numbers),
            f"{self.seconds:.2f}",
            f"{mean:,.0f}",
            f"{max(self.sent, default=0.0):,.0f}",
            self.remarks,
        )

    def check(self) -> None:
        """What was promised of every case.

        Raises:
            AssertionError: something was lost, or something false was shown.
        """
        assert self.lost == 0, f"{self.case}: {self.lost} alerts that a survivor had received are lost"
        assert self.false == 0, f"{self.case}: {self.false} false alerts are shown as true"


def added(case: str, rows: Sequence[Row]) -> Row:
    """Several runs of one case as one row: numbers are added, the longest time and the fewest survivors are kept."""
    return Row(
        case=case,
        nodes=rows[0].nodes,
        left=min(row.left for row in rows),
        published=sum(row.published for row in rows),
        held=sum(row.held for row in rows),
        lost=sum(row.lost for row in rows),
        false=sum(row.false for row in rows),
        seconds=max(row.seconds for row in rows),
        sent=[sum(each) for each in zip(*(row.sent for row in rows), strict=True)],
        remarks="; ".join(row.remarks for row in rows),
    )


def render(rows: Sequence[Row]) -> str:
    """The table, as text for a terminal and for Markdown alike, and under it the two numbers that matter."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown = ["| " + " | ".join(_padded(line, widths)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    lost, false = sum(row.lost for row in rows), sum(row.false for row in rows)
    end = f"Lost, of what any survivor received: {lost}. False shown as true: {false}."
    return "\n".join([shown[0], rule, *shown[1:], "", end])


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]

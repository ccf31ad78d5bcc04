"""What was measured, against what was promised, as one table."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

_HEAD = ("what", "count", "rate/s", "CPU µs each", "p50 ms", "p99 ms", "target", "reached")


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised; `None` where nothing was."""

    rate: float | None = None
    """At least so many a second."""
    cpu: float | None = None
    """At most so many CPU µs each."""
    megabytes: float | None = None
    """At most so much resident memory."""
    p99: float | None = None
    """At most so many milliseconds for 99 of 100."""

    def __str__(self) -> str:
        parts = []
        if self.cpu is not None:
            parts.append(f"≤ {self.cpu:,.0f} µs")
        if self.rate is not None:
            parts.append(f"≥ {self.rate:,.0f}/s")
        if self.megabytes is not None:
            parts.append(f"≤ {self.megabytes:,.0f} MB")
        if self.p99 is not None:
            parts.append(f"p99 ≤ {self.p99:,.0f} ms")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    count: int = 0
    seconds: float = 0.0
    """Of wall clock, for all of them."""
    cpu: float | None = None
    """CPU seconds, for all of them."""
    times: Sequence[float] = ()
    """Seconds that single ones took."""
    megabytes: float | None = None
    target: Target = Target()

    @property
    def rate(self) -> float | None:
        """How many a second."""
        return self.count / self.seconds if self.seconds else None

    @property
    def cpu_each(self) -> float | None:
        """CPU µs of one."""
        return self.cpu / self.count * 1e6 if self.cpu is not None and self.count else None

    @property
    def slowest(self) -> float | None:
        """Milliseconds that 99 of 100 take at most."""
        if not self.times:
            return None
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * 0.99))] * 1000

    @property
    def reached(self) -> str:
        """`yes`, or what was missed; empty where nothing was promised."""
        checks = (
            ("rate", self.target.rate, self.rate, 1),
            ("CPU", self.target.cpu, self.cpu_each, -1),
            ("memory", self.target.megabytes, self.megabytes, -1),
            ("p99", self.target.p99, self.slowest, -1),
        )
        judged = [
            (name, (found - wanted) * sign >= 0)
            for name, wanted, found, sign in checks
            if wanted is not None and found is not None
        ]
        missed = [name for name, held in judged if not held]
        if not judged:
            return ""
        return f"no ({', '.join(missed)})" if missed else "yes"

    def cells(self) -> tuple[str, ...]:
        """As text."""
        return (
            self.what,
            f"{self.count:,}" if self.count else "",
            _number(self.rate),
            _number(self.cpu_each),
            _milliseconds(self.times, 0.50),
            _milliseconds(self.times, 0.99),
            str(self.target),
            self.reached,
        )


def render(rows: Sequence[Row]) -> str:
    """The table, as text for a terminal and for Markdown alike."""
    return grid(_HEAD, [row.cells() for row in rows], range(1, 6))


def grid(head: Sequence[str], lines: Sequence[Sequence[str]], right: Container[int] = ()) -> str:
    """Any table of cells; numbers stand to the right in the columns that are named so."""
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    shown = [_line(line, widths, right) for line in (head, *lines)]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


def _line(cells: Sequence[str], widths: Sequence[int], right: Container[int]) -> str:
    padded = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _milliseconds(times: Sequence[float], part: float) -> str:
    if not times:
        return ""
    ranked = sorted(times)
    return f"{ranked[min(len(ranked) - 1, int(part * len(ranked)))] * 1000:,.1f}"

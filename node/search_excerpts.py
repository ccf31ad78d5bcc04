"""Where a text answers a query, as a reader is shown it: a few words around the first place, cut between words.

What is marked are whole words of the text as it was written, with their tashkeel: a mark inside an Arabic word would
break its letters apart. Nothing that turns direction is left, so an excerpt stands in one element and disturbs nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from node.alert_bidi import harmless
from node.folding import folded
from node.search import Query

BEFORE, ROOM = 60, 220
"""Characters before the first place, and in all."""
_MORE = "…"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text."""

    text: str
    hit: bool = False


def marked(query: Query, text: str) -> tuple[Piece, ...]:
    """A whole line with what answers."""
    line = _line(text)
    return tuple(_pieces(line, query.spans(folded(line))))


def excerpt(query: Query, fields: Iterable[str]) -> tuple[Piece, ...]:
    """Some words of the field that has the most terms, the earlier of two; the first words where none has any."""
    lines = [line for line in map(_line, fields) if line]
    if not lines:
        return ()
    texts = [folded(line) for line in lines]
    best = max(range(len(lines)), key=lambda at: (query.count(texts[at].text), -at))
    return tuple(_around(lines[best], query.spans(texts[best])))


def _around(line: str, hits: tuple[tuple[int, int], ...]) -> Iterable[Piece]:
    first = hits[0][0] if hits else 0
    start = _between(line, max(0, first - BEFORE), first)
    end = len(line) if len(line) - start <= ROOM else line.rfind(" ", first, start + ROOM)
    end = end if end > first else min(len(line), start + ROOM)
    if start:
        yield Piece(_MORE)
    yield from _pieces(line[start:end], [(a - start, b - start) for a, b in hits if b <= end])
    if end < len(line):
        yield Piece(_MORE)


def _between(line: str, wanted: int, first: int) -> int:
    """The beginning of a word near there; of one that has no end, the place of the hit."""
    if wanted == 0:
        return 0
    space = line.find(" ", wanted, first)
    return space + 1 if space >= 0 else first


def _pieces(line: str, hits: Iterable[tuple[int, int]]) -> Iterable[Piece]:
    end = 0
    for start, stop in hits:
        if start > end:
            yield Piece(line[end:start])
        yield Piece(line[start:stop], hit=True)
        end = stop
    if end < len(line):
        yield Piece(line[end:])


def _line(text: str) -> str:
    return " ".join(harmless(text, isolates=False).split())

"""What differs between two texts: article by article in each language, and word by word within an article.

Articles are paired by their numbers: an article that moved to another number was removed here and added there. Nothing
is judged: whether a change matters is for those who affirm.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from node.charter_texts import Article, CharterText, Version

Kind = Literal["added", "removed", "changed", "same"]
Step = Literal["same", "removed", "added"]
_WORDS = re.compile(r"\A\s+|(?:\w+|[^\w\s])\s*")
_EFFORT = 3_000_000
"""Pairs of words that one comparison of texts may look at; where it is used up, a part is told as replaced whole."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words, and whether both texts have them."""

    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a text in one language: title, preamble, or an article."""

    part: str
    """The article's number; `title`, `preamble`."""
    kind: Kind
    heading: tuple[Piece, ...]
    text: tuple[Piece, ...]


def compare(old: CharterText, new: CharterText) -> dict[str, tuple[Difference, ...]]:
    """Language → its parts in the new text's order, each removed one where it stood; of both texts' languages."""
    languages = sorted(old.versions.keys() | new.versions.keys())
    empty, pen = Version("", "", ()), _Pen(_EFFORT)
    return {each: _compare(old.versions.get(each, empty), new.versions.get(each, empty), pen) for each in languages}


def words_of(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces of both strings, in reading order."""
    return _Pen(_EFFORT).mark(old, new)


@dataclass(slots=True)
class _Pen:
    """Marks words, until its effort is used up."""

    effort: int

    def mark(self, old: str, new: str) -> tuple[Piece, ...]:
        if old == new:
            return (Piece("same", new),) if new else ()
        before, after = _WORDS.findall(old), _WORDS.findall(new)
        self.effort -= len(before) * len(after)
        if self.effort < 0:
            return tuple(_filled(Piece("removed", old), Piece("added", new)))
        pieces: list[Piece] = []
        for step, i1, i2, j1, j2 in SequenceMatcher(None, before, after).get_opcodes():
            gone, come = "".join(before[i1:i2]), "".join(after[j1:j2])
            both = _filled(Piece("removed", gone), Piece("added", come))
            pieces += [Piece("same", come)] if step == "equal" else both
        return tuple(pieces)


def _compare(old: Version, new: Version, pen: _Pen) -> tuple[Difference, ...]:
    found = [
        _difference("title", Article("", "", old.title), Article("", "", new.title), pen),
        _difference("preamble", Article("", "", old.preamble), Article("", "", new.preamble), pen),
    ]
    before = {each.number: each for each in old.articles}
    after = {each.number: each for each in new.articles}
    for number in _order([*before], [*after]):
        found.append(_difference(number, before.get(number), after.get(number), pen))
    return tuple(found)


def _order(old: list[str], new: list[str]) -> Iterator[str]:
    """The new order, each removed article where it stood."""
    kept = set(new)
    follows: dict[str, list[str]] = {}
    last = ""
    for number in old:
        if number in kept:
            last = number
        else:
            follows.setdefault(last, []).append(number)
    yield from follows.get("", [])
    for number in new:
        yield number
        yield from follows.get(number, [])


def _difference(part: str, old: Article | None, new: Article | None, pen: _Pen) -> Difference:
    before, after = old or Article(part, "", ""), new or Article(part, "", "")
    kind: Kind = "same"
    if (before.heading, before.text) != (after.heading, after.text):
        kind = "changed"
        if not before.text or not after.text:
            kind = "added" if after.text else "removed"
    return Difference(part, kind, pen.mark(before.heading, after.heading), pen.mark(before.text, after.text))


def _filled(*pieces: Piece) -> list[Piece]:
    return [each for each in pieces if each.text]

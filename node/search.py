"""What a search asks for, whether a text answers it, and where.

A query is read once. Rules of `parse`, in order:

1. it has up to 200 characters and 8 terms; what is more is left out, and `cut` says so;
2. what stands in quotation marks stays together, word for word;
3. what is held together by `-`, `_`, `.`, `/`, `:` or `@` (a reference code, a handle) stays together, and is found
   whole where it has a digit, a point or an `@`; an apostrophe parts words (l'avocat);
4. each other word is a term; one of one letter is none;
5. words of the field that mean the same are one term (`search_words`).

A text answers where it has every term. A word is found at the beginning of a word; in Arabic, also after the prefixes
و ف · ب ل ك · ال لل, in that order, where three letters (after the article two) are left; and a query loses its own
article where three are left. So المحامي finds والمحامية and محامي; كريم loses no letter, and finds no ريم. The price,
on the other side: ريم finds كريم too. Everything is compared folded (`folding`).

`signature` is what a table keeps of a text so that most texts need not be read: a bit for the first three, one for the
first four, and one for the first six letters of every form of every word. It says "perhaps" or "no", and "no" never
wrongly.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from node import search_words
from node.folding import ARABIC, Folded, fold, words

MAX_LENGTH = 200
MAX_TERMS = 8
BITS = 4096
VERSION = 1
"""Of the folding and of signatures: what was made by another is made anew."""
PARTED = " | "
"""Between two fields of a text, so that no phrase reaches over."""
_QUOTED = re.compile('["“”„«»]([^"“”„«»]*)["“”„«»]')
_APART = re.compile(r"[^\w\-./:@]+|_+")
_TOGETHER = re.compile(r"[^\W_]+(?:[\-./:@]+[^\W_]+)*")
_CODE = re.compile(r"[\d.@]")
_PREFIXES = tuple(
    (and_ + to, 2 if to.endswith("ل") and len(to) > 1 else 3)
    for and_ in ("و", "ف", "")
    for to in ("بال", "لال", "كال", "ال", "لل", "ب", "ل", "ك", "")
    if and_ or to
)
"""What may stand before a word that is found all the same, and how many letters are then left at least."""
_PREFIXED = f"(?:{'|'.join(f'{prefix}(?=[^ ]{{{least}}})' for prefix, least in _PREFIXES)}|)"
_BY_LETTER = MappingProxyType(
    {letter: tuple(each for each in _PREFIXES if each[0][0] == letter) for letter in "وفبلكا"}
)
"""The same by the letter that each begins with."""
_ARTICLE = re.compile("[وف]?(?:[بلك]?ال|لل)(?=.{3})")
_BEGINNINGS = (3, 4, 6)


@dataclass(frozen=True)
class Needle:
    """One way in which a term may stand in a text."""

    said: tuple[str, ...]
    """Folded words, side by side."""
    whole: bool = False
    """The last word ends where it ends."""
    loose: bool = False
    """Each word may have the article."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Where it stands in a folded text; what matches begins at a space."""
        first, *others = self.said
        article = f"(?:{search_words.ARTICLE})?" if self.loose else ""
        parts = [(_PREFIXED if ARABIC.match(first) else "") + re.escape(first)]
        parts += [(article if ARABIC.match(word) else "") + re.escape(word) for word in others]
        return re.compile(" " + " ".join(parts) + ("(?= )" if self.whole else ""))

    def stands(self, text: str) -> bool:
        """Whether a folded text has it."""
        return self.said[0] in text and self.pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class Term:
    """What must be there, in one of these ways."""

    needles: tuple[Needle, ...]

    def stands(self, text: str) -> bool:
        """Whether a folded text has it."""
        return any(needle.stands(text) for needle in self.needles)


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for, read."""

    written: str
    """As it was typed, at most `MAX_LENGTH` characters of it."""
    terms: tuple[Term, ...] = ()
    cut: bool = False
    """More was typed than is looked for."""

    def fits(self, text: str) -> bool:
        """Whether a folded text (`text_of`) has every term; nothing fits a query without terms."""
        return bool(self.terms) and all(term.stands(text) for term in self.terms)

    def count(self, text: str) -> int:
        """How many terms a folded text has."""
        return sum(term.stands(text) for term in self.terms)

    def spans(self, text: Folded) -> tuple[tuple[int, int], ...]:
        """The words that answer, as (start, end) in what was written, in their order and apart from each other."""
        found = sorted(
            text.span(match.start(), match.end())
            for term in self.terms for needle in term.needles for match in needle.pattern.finditer(text.text)
        )  # fmt: skip
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return tuple(merged)


def parse(written: str) -> Query:
    """Read a query; what cannot be looked for has no terms."""
    written = written.strip()
    kept = written[:MAX_LENGTH]
    terms = list(_terms(kept))
    return Query(kept, tuple(terms[:MAX_TERMS]), len(written) > MAX_LENGTH or len(terms) > MAX_TERMS)


def text_of(fields: Iterable[str]) -> str:
    """What is kept of the fields of one thing to be searched: its words, folded."""
    return " " + PARTED.join(" ".join(words(field)) for field in fields if field) + " "


def signature(text: str) -> bytes:
    """What a table keeps of a folded text, in hexadecimal digits, the last bit first of all."""
    bits = bytearray(BITS // 8)
    for beginning in {each for word in set(text.split()) for form in _forms(word) for each in _beginnings(form)}:
        bit = _bit(beginning)
        bits[-1 - bit // 8] |= 1 << bit % 8
    return bits.hex().encode()


def places(needle: Needle) -> tuple[tuple[int, tuple[bytes, ...]], ...]:
    """What must be in the signature of a text that has this: (which digit, counted from 1; the digits it may be)."""
    bits = 0
    for beginning in {each for word in needle.said for each in _beginnings(word)}:
        bits |= 1 << _bit(beginning)
    found = []
    for digit in range(BITS // 4):
        wanted = bits >> 4 * digit & 15
        if wanted:
            fitting = tuple(f"{each:x}".encode() for each in range(16) if each & wanted == wanted)
            found.append((BITS // 4 - digit, fitting))
    return tuple(found)


def _terms(written: str) -> Iterator[Term]:
    end = 0
    for quoted in _QUOTED.finditer(written):
        yield from _plain(written[end : quoted.start()])
        if said := tuple(words(quoted[1])):
            yield Term((Needle(said, whole=True),))
        end = quoted.end()
    yield from _plain(written[end:])


def _plain(written: str) -> Iterator[Term]:
    """Terms of what is not quoted; words that follow each other may name one thing."""
    chunks = [found for part in _APART.split(fold(written)) for found in _TOGETHER.findall(part)]
    at = 0
    while at < len(chunks):
        length = next((n for n in range(search_words.LONGEST, 0, -1) if _names(chunks[at : at + n], n)), 0)
        if length:
            names = search_words.same(tuple(chunks[at : at + length]))
            yield Term(tuple(Needle(name, whole=_is_short(name), loose=True) for name in names))
        elif (needle := _needle(chunks[at])) is not None:
            yield Term((needle,))
        at += max(1, length)


def _names(chunks: list[str], length: int) -> bool:
    return len(chunks) == length and bool(search_words.same(tuple(chunks)))


def _is_short(name: tuple[str, ...]) -> bool:
    """The beginning of too many other words."""
    return len(name) == 1 and len(name[0]) < 5


def _needle(chunk: str) -> Needle | None:
    said = tuple(words(chunk))
    if len(said) > 1:
        return Needle(said, whole=_CODE.search(chunk) is not None)
    word = _ARTICLE.sub("", chunk, count=1) if _ARTICLE.match(chunk) else chunk
    return Needle((word,)) if len(word) > 1 else None


def _forms(word: str) -> Iterator[str]:
    """A word of a text, and what is left of it after each prefix that a query may pass over."""
    yield word
    for prefix, least in _BY_LETTER.get(word[0], ()):
        if word.startswith(prefix) and len(word) - len(prefix) >= least:
            yield word[len(prefix) :]


def _beginnings(word: str) -> list[str]:
    """What has bits of one form: its beginnings are those of every longer word too."""
    return [word[:length] for length in _BEGINNINGS if len(word) >= length]


def _bit(beginning: str) -> int:
    return zlib.crc32(beginning.encode()) % BITS

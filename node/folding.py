"""Text as a search sees it: what people type for the same word in different ways becomes one.

Rules, in order:

1. NFKD: presentation forms, ligatures and full-width letters become plain ones; accents and hamzas stand apart;
2. case is folded;
3. marks go: Latin accents, tashkeel (U+064B-0655, U+0670), and with them the hamza above or below its carrier, so that
   أ إ آ are ا, ؤ is و and ئ is ي; tatweel; zero-width characters and marks of direction; letters of transliteration
   (ʿ ʾ);
4. letters that keyboards exchange become one: ٱ ا · ى ی ي · ة ە ھ ه · ک ك; the Kurdish ێ is ي, ۆ is و, ڵ is ل, ڕ is ر;
5. Arabic-Indic and Persian digits become Latin ones; œ æ ø ł đ ı are written out;
6. what is neither letter nor digit parts words.

Everything goes letter by letter, so that a place in the folded text leads back to one in the text as it was written.

Spec: UAX #15, UAX #44 §5.7.4
"""

import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType

_SAME = MappingProxyType({
    "ٱ": "ا", "ٴ": "", "ى": "ي", "ی": "ي", "ې": "ي", "ۍ": "ي", "ێ": "ي", "ے": "ي", "ة": "ه", "ە": "ه", "ھ": "ه",
    "ہ": "ه", "ۃ": "ه", "ک": "ك", "ڪ": "ك", "ۆ": "و", "ۇ": "و", "ڵ": "ل", "ڕ": "ر", "ـ": "",
    "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "þ": "th",
    "ʼ": "", "ʾ": "", "ʿ": "", "ˈ": "", "‐": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    "\u00ad": "", "\u061c": "", "\u180e": "", "\ufeff": "",
})  # fmt: skip
_INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10))
"""Joiners, marks and isolates of direction, variation selectors."""
_BLOCKS = (range(0x300, 0x3100), range(0xA600, 0xAC00), range(0xFB00, 0xFF00))
"""Where marks stand; what stands on higher planes keeps its own."""
_DIGITS = MappingProxyType({chr(first + value): str(value) for first in (0x660, 0x6F0) for value in range(10)})
_TABLE = MappingProxyType(
    {code: "" for block in _BLOCKS for code in block if unicodedata.combining(chr(code))}
    | dict.fromkeys(_INVISIBLE, "")
    | {ord(letter): plain for letter, plain in (_SAME | _DIGITS).items()}
)
_WORD = re.compile(r"[^\W_]+")
ARABIC = re.compile(r"[\u0621-\u06ff]")
"""A letter that Arabic prefixes may stand before, once it is folded."""


def fold(text: str) -> str:
    """The text by the rules above, before it is parted into words."""
    return unicodedata.normalize("NFKD", text).casefold().translate(_TABLE)


def words(text: str) -> list[str]:
    """The folded words of a text, in their order."""
    return _WORD.findall(fold(text))


@dataclass(frozen=True, slots=True)
class Folded:
    """A text with the way back to what was written."""

    text: str
    """Its words, one space before and after each."""
    spans: tuple[tuple[int, int], ...]
    """For each word where it stands in what was written: tashkeel and tatweel after its last letter are its own."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the words stand that a match in `text` touches. It begins at the space before the first of them."""
        first = self.text.count(" ", 0, start + 1) - 1
        last = self.text[:end].rstrip(" ").count(" ") - 1
        return self.spans[first][0], self.spans[max(first, last)][1]


def folded(written: str) -> Folded:
    """Fold a text and keep the way back."""
    letters: list[str] = []
    places: list[int] = []
    plains = {letter: fold(letter) for letter in set(written)}
    for place, letter in enumerate(written):
        plain = plains[letter]
        letters.append(plain)
        places.extend([place] * len(plain))
    whole = "".join(letters)
    spans = []
    for found in _WORD.finditer(whole):
        end = places[found.end() - 1] + 1
        while end < len(written) and not letters[end] and not written[end].isspace():
            end += 1
        spans.append((places[found.start()], end))
    return Folded("".join(f" {each}" for each in _WORD.findall(whole)) + " ", tuple(spans))

"""Direction that survives the wire: Mastodon strips `dir` and `lang`, so it must come from the characters
themselves.

`harmless` and `titled` are for texts that leave without HTML (feeds, CAP, messengers).

Two means. *Isolates* (U+2068 … U+2069) around names, codes, addresses and stretches of Latin in a
right-to-left text, so that none of them pulls its neighbours over. *A leading mark* (U+200F or U+200E) on a
line whose first strong character runs against its language, for readers give each line the direction of
that character.

Spec: UAX #9 §3.3.1 (P2, P3), §2.4
"""

import html
import re
import unicodedata

from node.alert_terms import is_rtl

FSI, PDI = "\u2068", "\u2069"
_OPENING = "\u2066\u2067\u2068"
_ISOLATES = re.compile("[\u2066-\u2069]")
_UNFIT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e]")
"""Controls, lone surrogates, two noncharacters; embeddings and overrides."""
_RLM, _LRM = "\u200f", "\u200e"
_LETTER = "A-Za-zÀ-ÖØ-öø-ɏ"
_LATIN = re.compile(rf"[{_LETTER}0-9]+(?:[ .,:/@&'’_+#?=%~()-]{{1,3}}[{_LETTER}0-9]+)*")


def isolate(text: str) -> str:
    """Text that keeps its own direction whatever stands around it."""
    return f"{FSI}{text}{PDI}" if text else ""


def escape(text: str, language: str) -> str:
    """Text as HTML; in a right-to-left language with its Latin stretches isolated. Existing isolates are
    kept whole."""
    if is_rtl(language) and FSI not in text:
        text = _LATIN.sub(_isolated, text)
    return html.escape(text, quote=True)


def mark(line: str, language: str) -> str:
    """What must stand in front of the line so that its first strong character does not turn it the wrong way.

    The standard passes over isolates when it looks for that character; browsers look into them. Where
    either way of reading would go wrong, there is a mark.
    """
    rtl = is_rtl(language)
    if first_strong(line) == rtl == first_strong(line.replace(FSI, "").replace(PDI, "")):
        return ""
    return _RLM if rtl else _LRM


def titled(name: str, headline: str, language: str) -> str:
    """One line: who speaks, then what is said. It keeps its direction in a list of lines of any direction."""
    name, headline = (" ".join(harmless(text, isolates=False).split()) for text in (name, headline))
    line = f"{isolate(name)}: {headline}" if name else headline
    return mark(line, language) + line


def harmless(text: str, *, isolates: bool = True) -> str:
    """Somebody's text without what turns the text after it around, and without what XML cannot hold.

    Args:
        isolates: keep them, closed on each line; without, they go too.

    Spec: XML 1.0 §2.2; UAX #9 §2.1-2.6
    """
    text = _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(_closed(line) if isolates else _ISOLATES.sub("", line) for line in text.split("\n"))


def _closed(line: str) -> str:
    """The line with each isolate closed, and none closed that was not open."""
    kept, depth = [], 0
    for letter in line:
        if letter == PDI and depth == 0:
            continue
        depth += (letter in _OPENING) - (letter == PDI)
        kept.append(letter)
    return "".join(kept) + PDI * depth


def first_strong(line: str) -> bool | None:
    """Whether the first strong character runs from right to left; `None` without one. Isolates are passed
    over.

    Spec: UAX #9 §3.3.1 (P2)
    """
    depth = 0
    for letter in line:
        if letter == FSI:
            depth += 1
        elif letter == PDI:
            depth = max(0, depth - 1)
        elif depth == 0 and unicodedata.bidirectional(letter) in ("L", "R", "AL"):
            return unicodedata.bidirectional(letter) != "L"
    return None


def _isolated(match: re.Match[str]) -> str:
    # Bare numbers sit well in Arabic as they are; an isolate would only set them apart from their unit.
    return isolate(match[0]) if re.search(f"[{_LETTER}]", match[0]) else match[0]

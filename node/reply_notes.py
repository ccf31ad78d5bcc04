"""What a reply says, as plain text; and whether it looks like a threat. Nothing of it is ever fetched.

Rules, in order:
1. HTML becomes text: paragraphs and line breaks stay, a link's address stands behind its words where it is another;
2. control characters and marks that turn text around go;
3. pictures, videos and files are a list of addresses with what their sender says of them;
4. everything is bounded; what has another shape than expected is left out and breaks nothing.

The hint is a list of words and nothing more: it finds threats that are none and misses others. Only how far a text is
closed hangs on it.
"""

import re
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from node.alert_forms import clean
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.messages import JsonObject, as_list, id_of, parse_document

_MAX_TEXT = 20_000
_MAX_LINE = 1_000
_MAX_ATTACHMENTS = 20
_MAX_CHOICES = 20
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_BLOCKS = frozenset({"p", "li", "blockquote", "ul", "ol", "pre"})
_TAGS = frozenset({"a", "br", *_BLOCKS})
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_BARE = re.compile(r"^https?://(www\.)?|/$")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture, a video or a file that a reply names."""

    address: str
    said: str
    """What its sender says of it."""


@dataclass(frozen=True, slots=True)
class Words:
    """One version of a reply, cleaned."""

    text: str
    language: str
    """Empty where it is not said."""
    warning: str
    """The line that its sender put before it."""
    attachments: tuple[Attachment, ...]
    page: str
    """Where it stands on its own server: an address to write down, never a link."""

    @property
    def suspect(self) -> bool:
        """Whether it may hold a threat."""
        said = (self.text, self.warning, *(each.said for each in self.attachments))
        return any(may_threaten(each) for each in said)


def parse(raw: bytes) -> Words:
    """What an activity says that brought a reply.

    Args:
        raw: the bytes as they came.

    Raises:
        ProtocolError: it is no activity.
    """
    note = parse_activity(parse_document(raw)).object or {}
    content, language = _content(note)
    choices = [_line(each.get("name")) for name in ("oneOf", "anyOf") for each in _objects(note.get(name))]
    listed = "\n".join(f"– {each}" for each in choices[:_MAX_CHOICES] if each)
    parts = [_line(note.get("name")), plain(content), listed]
    return Words(
        text="\n\n".join(each for each in parts if each),
        language=language,
        warning=_line(plain(note["summary"])) if isinstance(note.get("summary"), str) else "",
        attachments=tuple(_attachment(each) for each in _objects(note.get("attachment"))[:_MAX_ATTACHMENTS]),
        page=_address(note.get("url")) or _line(note.get("id")),
    )


def author_of(raw: bytes) -> str:
    """The id of the activity's actor, as it writes it itself."""
    return id_of(parse_document(raw).value.get("actor")) or ""


def plain(html: str) -> str:
    """Foreign HTML as text."""
    # What the first leaves is well-formed, so that the second cannot be made to take long.
    tidy = nh3.clean(
        html, tags=set(_TAGS), clean_content_tags={"script", "style"}, attributes={"*": set(), "a": {"href"}},
        url_schemes={"http", "https"}, link_rel=None,
    )  # fmt: skip
    reader = _Text()
    reader.feed(tidy)
    reader.close()
    lines = clean("".join(reader.parts)).split("\n")
    text = "\n".join(_SPACES.sub(" ", line).strip() for line in lines)
    return _EMPTY_LINES.sub("\n\n", text).strip()[:_MAX_TEXT]


class _Text(HTMLParser):
    """Tags that make lines become lines; links show where they lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._href = ""
        self._from = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A line begins, or a link."""
        if tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self.parts.append("\n\n")
        elif tag == "a":
            self._href, self._from = dict(attrs).get("href") or "", len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        """A line ends, or a link says where it leads."""
        if tag in _BLOCKS:
            self.parts.append("\n\n")
        elif tag == "a" and self._href:
            said = "".join(self.parts[self._from :]).strip()
            if not said.startswith(("@", "#")) and _BARE.sub("", said) != _BARE.sub("", self._href):
                self.parts.append(f" ({self._href})")
            self._href = ""

    def handle_data(self, data: str) -> None:
        """Words."""
        self.parts.append(data.replace("\n", " "))


def _content(note: JsonObject) -> tuple[str, str]:
    """The text and its language: `content`, and the one language that `contentMap` names for it."""
    content, by_language = note.get("content"), note.get("contentMap")
    found = {
        name: text
        for name, text in (by_language.items() if isinstance(by_language, dict) else ())
        if isinstance(text, str) and _LANGUAGE.fullmatch(name)
    }
    if not isinstance(content, str):
        return next(((text, name) for name, text in found.items()), ("", ""))
    return content, next((name for name, text in found.items() if text == content), "")


def _attachment(value: JsonObject) -> Attachment:
    said = value.get("name") if isinstance(value.get("name"), str) else value.get("summary")
    return Attachment(_address(value.get("url")) or _address(value.get("href")), _line(said))


def _address(value: object) -> str:
    """The first address: a text, or a Link with `href`."""
    first = next(iter(as_list(value)), None)
    return _line(first.get("href") if isinstance(first, dict) else first)


def _objects(value: object) -> list[JsonObject]:
    return [each for each in as_list(value)[:100] if isinstance(each, dict)]


def _line(value: object) -> str:
    return " ".join(clean(value[: 4 * _MAX_LINE]).split())[:_MAX_LINE] if isinstance(value, str) else ""


# --- the hint -----------------------------------------------------------------------------------------------------

_ENGLISH = (
    r"kill|murder|\bdie\b|\bdead\b|\brape|shoot|behead|\bburn|slaughter|\bhang\b|\bbomb|\bacid\b|find you",
    r"where you live|watch your back|your (family|children|kids|daughter|home|house|address)|you will (pay|regret)",
    r"traitor|whore|\bslut",
)
_FRENCH = (
    r"\btu(e|er|erai|erons|eront)\b|\bmorte?\b|mourir|\bviol(er|erai|erons|ee|ees)\b|egorg|brul|pend(re|u)",
    r"ou tu habites|ta famille|tes enfants|on va te|\bputain|\bpute\b|traitre",
)
_SPANISH = (
    r"\bmat(ar|are|aremos|amos)\b|\bmuer(e|te|ta|to)\b|\bmorir|\bviol(ar|are|aremos)|degoll|quemar|donde vives",
    r"tu familia|tus hijos|\bputa\b|traidor",
)
_ARABIC = (
    r"قتل|ذبح|اغتصا?ب|نغتصب|(نعرف|اعرف) (بيت|عنوان|وين|اين)|دمك|\bموت|تموت|رصاص|حرق|اعدام|شنق",
    r"خاين|خائن|عاهر|قحب|شرموط|عائلتك|اهلك|اولادك",
)
_CENTRAL_KURDISH = (
    r"کوش|کوژ|سەر.?بڕ|\bمردن|دەمر|ماڵت|ماڵەکەت|منداڵ|دەستدرێژی|سووتان|دەسووت|خۆفرۆش|خیانەت|قەحبە|سۆزانی",
)
_FORMS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": None, "\u200c": None})
_THREAT = re.compile(
    "|".join((*_ENGLISH, *_FRENCH, *_SPANISH, *_ARABIC, *_CENTRAL_KURDISH)).translate(_FORMS)
)


def may_threaten(text: str) -> bool:
    """Whether a text holds words that threats hold."""
    bare = unicodedata.normalize("NFD", text[:_MAX_TEXT].casefold())
    bare = "".join(each for each in bare if not unicodedata.combining(each) or each in "\u0654\u0655")
    return _THREAT.search(unicodedata.normalize("NFC", bare).translate(_FORMS)) is not None

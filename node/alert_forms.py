"""Reading an operator's JSON field by field, collecting every complaint instead of stopping at the first.

Decides what a text, a date, a code or a choice looks like; which fields an alert has is decided in
`alert_input`. A field that fails is reported once and read on as an empty value, for nothing is built
unless `finish` finds no complaint. Texts lose control characters and the invisible marks that turn text
around (they could make a sentence read otherwise than it was approved); what direction needs, the software
adds itself.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from node.errors import RefusedError
from node.federation.protocol.messages import JsonObject

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,9}")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOWHEN = datetime(1, 1, 1, tzinfo=UTC)
_ABSENT = object()
EXAMPLE_MOMENT = "2027-01-15 or 2027-01-15T12:00:00Z"


def latin_digits(text: str) -> str:
    """A number, a day or a code as it was typed, with ASCII digits: keyboards of our readers have others too."""
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


def clean(text: str) -> str:
    """One spelling of a text: NFC, `\\n` line ends, no control characters, no marks that turn text around.

    Spec: UAX #9 §2 (the explicit directional formatting characters)
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return "".join(
        letter
        for letter in text
        if letter == "\n" or (letter not in _TURNING and unicodedata.category(letter) not in ("Cc", "Cs"))
    ).strip()


def parse_moment(text: str) -> datetime:
    """An RFC 3339 time, or a date that means its whole day in UTC. Arabic digits are read as well.

    Raises:
        ValueError: it is neither.

    Spec: RFC 3339 §5.6
    """
    text = latin_digits(text.strip()).upper()
    if _DATE.fullmatch(text):
        text += "T23:59:59Z"
    if not _MOMENT.fullmatch(text):
        raise ValueError("neither a date nor a time with its zone")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no such year") from error


class Form:
    """A JSON object being read. `path` is where it stands in the file, for complaints."""

    def __init__(self, value: JsonObject, path: str = "", reasons: list[str] | None = None) -> None:
        self._value = value
        self._path = path
        self._reasons: list[str] = [] if reasons is None else reasons
        self._known: set[str] = set()
        self._children: list[Form] = []
        self._free = False

    def fail(self, name: str, reason: str) -> None:
        """Complain about one field (or about the whole object, for the empty name)."""
        self._reasons.append(f"{self._where(name)}: {reason}")

    def has(self, name: str) -> bool:
        """Whether the field stands there with a value; `null` is no value."""
        self._known.add(name)
        return self._value.get(name) is not None

    def anything(self, name: str, default: Any = None) -> Any:
        """The value as it is."""
        return self._value[name] if self.has(name) else default

    def rest(self) -> JsonObject:
        """Every field not asked for so far: they are the organisation's own and no mistake."""
        self._free = True
        return {name: value for name, value in self._value.items() if name not in self._known}

    def text(
        self, name: str, limit: int, *, default: str | None = None, lines: bool = True, hint: str = "a text"
    ) -> str:
        """A text of up to `limit` characters; with a default it may be missing or empty."""
        if not self.has(name):
            return self._missing(name, hint) if default is None else default
        text = self._text(name, self._value[name], limit, lines=lines)
        if not text and default is None and isinstance(self._value[name], str):
            self.fail(name, f"empty; write {hint}")
        return text

    def texts(self, name: str, count: int, limit: int, *, required: bool = False) -> tuple[str, ...]:
        """A list of up to `count` texts."""
        items = self._list(name, count, required=required)
        texts = tuple(self._text(f"{name}[{number}]", item, limit) for number, item in enumerate(items))
        for number, (item, text) in enumerate(zip(items, texts, strict=True)):
            if isinstance(item, str) and not text:
                self.fail(f"{name}[{number}]", "empty; write a text or leave it out")
        return texts

    def choice(self, name: str, allowed: Collection[str], *, default: str | None = None) -> str:
        """One of a closed list."""
        offer = f"one of {', '.join(allowed)}"
        if not self.has(name):
            return self._missing(name, offer) if default is None else default
        value = self._value[name]
        if isinstance(value, str) and value in allowed:
            return value
        self.fail(name, f"{_shown(value)} is not known; write {offer}")
        return ""

    def slug(self, name: str, *, example: str) -> str:
        """A short English word from an open list; empty where it is missing."""
        return self._slug(name, self._value[name], example) if self.has(name) else ""

    def slugs(self, name: str, count: int, *, example: str) -> tuple[str, ...]:
        """A list of short English words."""
        items = self._list(name, count, required=False)
        return tuple(self._slug(f"{name}[{number}]", item, example) for number, item in enumerate(items))

    def code(self, name: str, known: Collection[str]) -> str:
        """A country's alpha-2 code.

        Spec: ISO 3166-1
        """
        hint = "a two-letter country code such as IQ (XX in exercises)"
        if not self.has(name):
            return self._missing(name, hint)
        value = self._value[name]
        if isinstance(value, str) and value.upper() in known:
            return value.upper()
        self.fail(name, f"{_shown(value)} is no country; write {hint}")
        return ""

    def language(self, name: str, *, default: str | None = None) -> str:
        """A language tag.

        Spec: RFC 5646 §2.1
        """
        if not self.has(name):
            return self._missing(name, "a language such as ar") if default is None else default
        return self._language(name, self._value[name])

    def flag(self, name: str) -> bool:
        """True or false; false where it is missing."""
        if not self.has(name):
            return False
        if not isinstance(self._value[name], bool):
            self.fail(name, "write true or false")
        return self._value[name] is True

    def moment(self, name: str) -> datetime:
        """A required time."""
        found = self.optional_moment(name)
        if not self.has(name):
            self._missing(name, EXAMPLE_MOMENT)
        return found or _NOWHEN

    def optional_moment(self, name: str) -> datetime | None:
        """A time that may be missing."""
        if not self.has(name):
            return None
        try:
            return parse_moment(self._value[name] if isinstance(self._value[name], str) else "")
        except ValueError:
            self.fail(name, f"{_shown(self._value[name])} is no date; write {EXAMPLE_MOMENT}")
            return None

    def form(self, name: str, *, hint: str = "") -> "Form":
        """An object inside; an empty one where it is missing or something else."""
        value = self.anything(name)
        if isinstance(value, dict):
            return self._child(name, value)
        self.fail(name, f"{'missing' if value is None else 'not an object'}{'; ' if hint else ''}{hint}")
        return Form({}, self._where(name), [])

    def forms(self, name: str, count: int, *, required: bool = False) -> Iterator["Form"]:
        """A list of objects."""
        for number, item in enumerate(self._list(name, count, required=required)):
            if isinstance(item, dict):
                yield self._child(f"{name}[{number}]", item)
            else:
                self.fail(f"{name}[{number}]", 'write an object {"…": …}')

    def named_forms(self, name: str, count: int) -> Iterator[tuple[str, "Form"]]:
        """An object whose fields are language tags, each with an object."""
        value = self.anything(name, {})
        if not isinstance(value, dict) or len(value) > count:
            self.fail(name, f"write an object of up to {count} languages")
            return
        for key, item in value.items():
            language = self._language(f"{name}.{key[:40]}", key)
            if isinstance(item, dict):
                yield language, self._child(f"{name}.{key[:40]}", item)
            else:
                self.fail(
                    f"{name}.{key[:40]}", "write an object with headline, narrative, link_to_work, demands"
                )

    def finish(self) -> None:
        """Complain about fields nobody asked for, then about everything.

        Raises:
            RefusedError: there was at least one complaint.
        """
        self._unknown()
        if self._reasons:
            raise RefusedError(*self._reasons)

    def _unknown(self) -> None:
        for name in () if self._free else self._value:
            if name not in self._known:
                near = get_close_matches(name[:60], sorted(self._known), n=2, cutoff=0.6)
                advice = f"did you mean {' or '.join(near)}?" if near else "leave it out"
                self.fail(name[:60], f"no such field; {advice}")
        for child in self._children:
            child._unknown()

    def _child(self, name: str, value: JsonObject) -> "Form":
        child = Form(value, self._where(name), self._reasons)
        self._children.append(child)
        return child

    def _where(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path and name else self._path or name

    def _missing(self, name: str, hint: str) -> str:
        self.fail(name, f"missing; write {hint}")
        return ""

    def _list(self, name: str, count: int, *, required: bool) -> list[Any]:
        value = self.anything(name, [])
        if not isinstance(value, list):
            self.fail(name, "write a list […]")
            return []
        if required and not value:
            self.fail(name, "missing; write at least one")
        if len(value) > count:
            self.fail(name, f"{len(value)} written, {count} allowed")
            return []
        return value

    def _text(self, name: str, value: Any, limit: int, *, lines: bool = True) -> str:
        if not isinstance(value, str):
            self.fail(name, f"{_shown(value)} is no text; write it in quotation marks")
            return ""
        text = clean(value)
        if len(text) > limit:
            self.fail(name, f"{len(text)} characters, {limit} allowed")
            return ""
        return text if lines else " ".join(text.split())

    def _slug(self, name: str, value: Any, example: str) -> str:
        if isinstance(value, str) and len(value) <= 60 and _SLUG.fullmatch(value):
            return value
        self.fail(name, f"{_shown(value)}: write a short English word such as {example} (a-z, 0-9, hyphens)")
        return ""

    def _language(self, name: str, value: Any) -> str:
        if isinstance(value, str) and _LANGUAGE.fullmatch(value):
            first, hyphen, rest = value.partition("-")
            return first.lower() + hyphen + rest
        self.fail(name, f"{_shown(value)} is no language tag; write e.g. ar, en or ckb")
        return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"

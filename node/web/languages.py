"""The languages of the pages: which one a reader gets, and how words, dates, numbers and names look in it.

Rules, in order:
1. A reader's own choice (`?lang=`) wins, where we have that language.
2. Else the best of `Accept-Language` that we have; a region falls back to its language: `ar-IQ` gets `ar`.
3. Else the main language of the organisation whose pages are read, where we have it, for many live on one node.
4. Else the first language of the list: Arabic.

A *frame* (`ckb`) is a language whose catalogue holds only the words that we are sure of. Its readers get the rest in a
language that they choose: `?lang=ckb.ar`, `?lang=ckb.fr`; not everybody who reads Sorani reads Arabic. Without a choice
it is their browser's next language that we have, else rules 3 and 4. Nearly all of such a page stands in the fall-back,
so `<html lang dir>` are the fall-back's, or a screen reader would read Arabic as Kurdish; the few words of the frame
stand in elements of their own language. Nobody gets a frame who did not ask for it.

Texts come from gettext catalogues (`locale/*/LC_MESSAGES`), dates and territory names from CLDR. Words of
closed vocabularies (severity, urgency …) stand in the catalogue under their code, with the vocabulary as
context. This is the only file that knows Babel. `python -m node.web.languages` compiles the catalogues again.
"""

import gettext
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import babel
from babel import dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

from node.web.accept import primary, ranges

CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "messages"
FRAMES = frozenset({"ckb"})
"""Languages whose catalogue is only a frame; one that was filled in is taken off here."""

_CLDR: Mapping[str, str] = MappingProxyType({"ar": "ar_IQ", "en": "en_GB", "es": "es_419"})
"""Which regional form of CLDR's data we take: the Levantine month names, the day before the month, and the Spanish that
most of its readers in the networks write: 1,234 and not 1.234."""

_SECOND_MONTHS: Mapping[str, str] = MappingProxyType({"ar": "ar"})
"""Languages that write two month names with a stroke between, and where the second one comes from."""

_EASTERN = MappingProxyType(dict(zip(map(ord, "0123456789,"), "٠١٢٣٤٥٦٧٨٩٬", strict=True)))
_DIGITS: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "ar": _EASTERN,
        "ckb": _EASTERN,
        "fa": MappingProxyType(dict(zip(map(ord, "0123456789,"), "۰۱۲۳۴۵۶۷۸۹٬", strict=True))),
    }
)
"""A language's own digits and the mark between its thousands, for nodes with the setting `digits = "native"`."""

_RULE = re.compile(r"[A-Z]\d+")
_NAMED = ("consent-level", "case-act", "case-state", "role", "room", "case-field", "tick", "phase")
"""Vocabularies whose codes refusals name."""
_COUNTED = re.compile(r"(?<![A-Za-z0-9.\-/_])\d+(?:,\d{3})*(?![A-Za-z0-9\-/_]|\.\d)", re.ASCII)
"""A number in one of our texts that is not part of a code or of a name: `AGPL-3.0`, `2026-11-20` and `A4` are."""


@dataclass(frozen=True, slots=True)
class Locale:
    """One language as templates see it."""

    code: str
    """BCP 47, as it stands in `<html lang>`; of a frame its fall-back's."""

    catalogue: gettext.NullTranslations = field(repr=False)
    cldr: babel.Locale = field(repr=False)
    months: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Pairs (CLDR's name, the name we print) for January to December; empty where nothing is replaced."""

    frame: str = ""
    """The frame whose reader this is, else empty."""

    digits: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What is printed for a Latin digit; empty where that is the digit itself."""

    @property
    def key(self) -> str:
        """What `?lang=` calls it."""
        return f"{self.frame}.{self.code}" if self.frame else self.code

    @property
    def reader(self) -> str:
        """The language that the reader asked for: what a text is best in that exists in several."""
        return self.frame or self.code

    @property
    def dir(self) -> str:
        """`rtl` or `ltr`, for `<html dir>`."""
        return str(self.cldr.text_direction)

    @property
    def own_name(self) -> str:
        """The language's name in itself, for the switch."""
        return _own_name(self.cldr)

    def gettext(self, message: str) -> str:
        """The text in this language; the English text itself where the catalogue lacks it."""
        return self._printed(self.catalogue.gettext(message))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The form for this number: Arabic has six."""
        return self._printed(self.catalogue.ngettext(singular, plural, n))

    def pgettext(self, context: str, message: str) -> str:
        """The text of one context."""
        return self._printed(self.catalogue.pgettext(context, message))

    def npgettext(self, context: str, singular: str, plural: str, n: int) -> str:
        """The form for this number in one context."""
        return self._printed(self.catalogue.npgettext(context, singular, plural, n))

    def label(self, vocabulary: str, code: str) -> str:
        """The word for a code of a closed vocabulary; the code itself where we do not know it."""
        return self._printed(self.catalogue.pgettext(vocabulary, code))

    def knows(self, vocabulary: str, code: str) -> bool:
        """Whether the catalogue has a word for this code."""
        return bool(code) and self.catalogue.pgettext(vocabulary, code) != code

    def refusal(self, text: str) -> tuple["Said", ...]:
        """What a page says for a refusal: the sentence, then each of what it names, `sentence (this; that)`.

        The catalogue knows a sentence whole, or without what is in brackets, or without the number of its rule. What is
        named may be a refusal again, or a code of a vocabulary. Where nothing is known it stays as it came.
        """
        if not self.knows("refusal", text) and text.endswith(")"):
            head, _, named = text.partition(" (")
            if found := self._refusal(head):
                return found, *(self._named(each) for each in named[:-1].split("; "))
        return (self._refusal(text) or Said(text, known=False),)

    def _refusal(self, text: str) -> "Said | None":
        if self.knows("refusal", text):
            return Said(self.label("refusal", text))
        number, _, rest = text.partition(": ")
        if _RULE.fullmatch(number) and self.knows("refusal", rest):
            return Said(f"{number}: {self.label('refusal', rest)}")
        return None

    def _named(self, text: str) -> "Said":
        found = next((each for each in _NAMED if self.knows(each, text)), None)
        return self._refusal(text) or (Said(text, known=False) if found is None else Said(self.label(found, text)))

    def best(self, languages: Iterable[str]) -> str:
        """Which of a text's languages its reader gets: the own, else the page's, else the first.

        Raises:
            IndexError: the text has no language.
        """
        there = tuple(languages)
        return next((code for code in (self.reader, self.code) if code in there), there[0])

    @property
    def offer(self) -> str:
        """What the link says that makes this language a frame's fall-back."""
        return self.gettext("What is not translated yet: show it in English")

    def colon(self, label: str) -> Markup:
        """A label before what it names: French has a space before the colon."""
        return Markup(self.gettext("%(label)s:")) % {"label": label}

    def number(self, n: int) -> str:
        """A whole number with this language's separators, in the node's digits."""
        return numbers.format_decimal(n, locale=self.cldr).translate(self.digits)

    def numeral(self, text: str | int) -> str:
        """A number that counts nothing (a year, an article's number): digits without separators."""
        return str(text).translate(self.digits)

    def format_date(self, moment: datetime) -> str:
        """The day in UTC, the month by name, and by both its names in Arabic.

        Raises:
            ValueError: the datetime has no zone, so nobody knows which day it is.
        """
        day = _in_utc(moment)
        text: str = dates.format_date(day.date(), format="long", locale=self.cldr)
        if self.months:
            text = text.replace(*self.months[day.month - 1])
        return text.translate(self.digits)

    def format_datetime(self, moment: datetime) -> str:
        """Day and time of day in UTC, and says that it is UTC."""
        day = _in_utc(moment)
        pattern = self.gettext("%(date)s, %(time)s UTC")
        return pattern % {"date": self.format_date(day), "time": f"{day:%H:%M}".translate(self.digits)}

    def country(self, code: str) -> str:
        """The name of an ISO 3166-1 alpha-2 code (`XX`: exercises); the catalogue's goes before CLDR's."""
        if self.knows("country", code):
            return self.label("country", code)
        name: str = self.cldr.territories.get(code, code)
        return name

    def language_name(self, code: str) -> str:
        """A language's name in this language (`ckb`, `pt-BR`); the code itself where CLDR has none."""
        name: str | None = self.cldr.languages.get(code.replace("-", "_"))
        if name is None:
            name = self.cldr.languages.get(code.partition("-")[0].lower(), code)
        return name

    def _printed(self, text: str) -> str:
        return _COUNTED.sub(lambda found: found[0].translate(self.digits), text) if self.digits else text


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of what a page says for a refusal."""

    text: str
    known: bool = True
    """Whether it is of the catalogue; else it stands in an element of its own."""


@dataclass(frozen=True, slots=True)
class Door:
    """A link to the same page for readers of another language."""

    key: str
    """What `?lang=` calls it."""
    code: str
    dir: str
    text: str
    whole: bool = True
    """Whether the page there really is in this language."""


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages a node's pages exist in."""

    available: tuple[str, ...] = ("ar", "en", "fr", "es", "ckb")
    digits: str = "latin"
    """`latin`, or `native`: Arabic pages count in ٠١٢."""
    locales: Mapping[str, Locale] = field(init=False, repr=False)
    """The whole ones, by code, in their order."""
    framed: Mapping[str, Locale] = field(init=False, repr=False)
    """A frame with each of its fall-backs, by key: `ckb.ar`."""

    def __post_init__(self) -> None:
        """Load every catalogue once.

        Raises:
            OSError: a language has no compiled catalogue.
        """
        whole = {code: self._load(code) for code in self.available if code not in FRAMES}
        framed = (_frame(code, locale) for code in self.frames for locale in whole.values())
        object.__setattr__(self, "locales", MappingProxyType(whole))
        object.__setattr__(self, "framed", MappingProxyType({locale.key: locale for locale in framed}))

    @property
    def whole(self) -> tuple[str, ...]:
        """The languages that every text exists in."""
        return tuple(self.locales)

    @property
    def frames(self) -> tuple[str, ...]:
        """The languages that are only a frame."""
        return tuple(code for code in self.available if code in FRAMES)

    @property
    def default(self) -> Locale:
        """What a reader gets who asks for nothing we have, of an organisation whose language we do not have."""
        return next(iter(self.locales.values()))

    def every(self) -> tuple[Locale, ...]:
        """All that a page may be asked for in."""
        return (*self.locales.values(), *self.framed.values())

    def negotiate(self, accept_language: str | None, choice: str | None, home: str = "") -> Locale:
        """The reader's language. Never refuses: a page in another language is better than none.

        Args:
            home: the main language of the organisation whose page it is.

        Spec: RFC 9110 §12.5.4, RFC 4647 §3.4
        """
        wanted = self._wanted(accept_language or "", primary(home))
        name, _, rest = (self.chosen(choice) or wanted[0]).partition(".")
        if name in self.locales:
            return self.locales[name]
        return self.framed[f"{name}.{rest or next(code for code in wanted if code in self.locales)}"]

    def countries(self, code: str) -> tuple[str, ...]:
        """What a country is called in each of them."""
        return tuple(locale.country(code) for locale in self.locales.values())

    def chosen(self, choice: str | None) -> str | None:
        """What stands in `?lang=` if we have it, else nothing: what `Frame.choice` may carry on."""
        return choice if choice in self.locales or choice in self.framed or choice in self.frames else None

    def doors(self, locale: Locale, *, frames: bool = True) -> tuple[Door, ...]:
        """The switch: every language but the one that the reader has."""
        doors = [Door(code, code, other.dir, other.own_name) for code, other in self.locales.items()]
        if frames:
            doors += [Door(code, code, *_named(code), whole=False) for code in self.frames]
        return tuple(door for door in doors if door.code != locale.reader)

    def fallbacks(self, locale: Locale) -> tuple[Door, ...]:
        """For the reader of a frame: the other languages that the rest may stand in. Nothing for all others."""
        others = [each for each in self.framed.values() if each.frame == locale.frame and each.code != locale.code]
        return tuple(Door(each.key, each.code, each.dir, self.locales[each.code].offer) for each in others)

    def _wanted(self, header: str, home: str) -> tuple[str, ...]:
        """What we have, best first: the header's, then the organisation's, then the list's, then what was refused."""
        excluded: set[str] = set()
        found: list[str] = []
        for language, quality in ranges(header):
            if quality == 0:
                excluded.add(language)
            elif language == "*":
                break
            elif language in self.available:
                found.append(language)
        order = (home, *self.locales) if home in self.locales else self.whole
        return tuple(dict.fromkeys((*found, *(code for code in order if code not in excluded), *order)))

    def _load(self, code: str) -> Locale:
        catalogue = _catalogue(code)
        digits = _DIGITS.get(code) if self.digits == "native" else None
        cldr = babel.Locale.parse(_CLDR.get(code, code), sep="_")
        second = _SECOND_MONTHS.get(code)
        months = _double(cldr, babel.Locale.parse(second)) if second else ()
        return Locale(code, catalogue, cldr, months, digits=digits or MappingProxyType({}))


def compile_catalogue(source: bytes, code: str) -> bytes:
    """The `.mo` form of a `.po` file."""
    catalogue = read_po(BytesIO(source), locale=code, abort_invalid=True)
    target = BytesIO()
    write_mo(target, catalogue)
    return target.getvalue()


def compile_all(root: Path = CATALOGUES) -> tuple[Path, ...]:
    """Write every `.mo` next to its `.po`; returns what was written."""
    written = []
    for source in sorted(root.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        target = source.with_suffix(".mo")
        target.write_bytes(compile_catalogue(source.read_bytes(), source.parent.parent.name))
        written.append(target)
    return tuple(written)


def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, localedir=CATALOGUES, languages=[code])


def _frame(code: str, rest: Locale) -> Locale:
    """What a reader of a frame sees: its words, and the rest in the fall-back."""
    catalogue = _catalogue(code)
    catalogue.add_fallback(rest.catalogue)
    return replace(rest, catalogue=catalogue, frame=code)


def _named(code: str) -> tuple[str, str]:
    """Direction and own name of a language."""
    cldr = babel.Locale.parse(code)
    return str(cldr.text_direction), _own_name(cldr)


def _own_name(cldr: babel.Locale) -> str:
    """As it begins a line: CLDR writes `français`."""
    name: str = cldr.languages[cldr.language]
    return name[:1].upper() + name[1:]


def _double(first: babel.Locale, second: babel.Locale) -> tuple[tuple[str, str], ...]:
    ours, theirs = (locale.months["format"]["wide"] for locale in (first, second))
    return tuple((ours[month], f"{ours[month]}/{theirs[month]}") for month in range(1, 13))


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone cannot be shown")
    return moment.astimezone(UTC)


if __name__ == "__main__":
    compile_all()

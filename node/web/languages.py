"""The languages of the public pages: which one a reader gets, and how words, dates and names look in it.

Rules, in order:
1. A reader's own choice (`?lang=`) wins, where we have that language.
2. Else the best of `Accept-Language` that we have; a region falls back to its language: `ar-IQ` gets `ar`.
3. Else the first language of the list: Arabic, unless a node was set up otherwise.

Texts come from gettext catalogues (`locale/*/LC_MESSAGES`), dates and territory names from CLDR. Words of
closed vocabularies (severity, urgency …) stand in the catalogue under their code, with the vocabulary as
context. This is the only file that knows Babel. `python -m node.web.languages` compiles the catalogues again.
"""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import babel
from babel import dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "messages"
_HEADER_LIMIT = 1000
"""Characters of an `Accept-Language` that we look at: browsers send under 200."""

_CLDR: Mapping[str, str] = MappingProxyType({"ar": "ar_IQ", "en": "en_GB"})
"""Which regional form of CLDR's data we take: the Levantine month names, the day before the month."""

_SECOND_MONTHS: Mapping[str, str] = MappingProxyType({"ar": "ar"})
"""Languages that write two month names with a stroke between, and where the second one comes from."""


@dataclass(frozen=True, slots=True)
class Locale:
    """One language as templates see it."""

    code: str
    """BCP 47, as it stands in `<html lang>`."""

    catalogue: gettext.NullTranslations = field(repr=False)
    cldr: babel.Locale = field(repr=False)
    months: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Pairs (CLDR's name, the name we print) for January to December; empty where nothing is replaced."""

    @property
    def dir(self) -> str:
        """`rtl` or `ltr`, for `<html dir>`."""
        return str(self.cldr.text_direction)

    @property
    def own_name(self) -> str:
        """The language's name in itself, for the switch."""
        name: str = self.cldr.languages[self.cldr.language]
        return name

    def gettext(self, message: str) -> str:
        """The text in this language; the English text itself where the catalogue lacks it."""
        return self.catalogue.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The form for this number: Arabic has six."""
        return self.catalogue.ngettext(singular, plural, n)

    def pgettext(self, context: str, message: str) -> str:
        """The text of one context."""
        return self.catalogue.pgettext(context, message)

    def npgettext(self, context: str, singular: str, plural: str, n: int) -> str:
        """The form for this number in one context."""
        return self.catalogue.npgettext(context, singular, plural, n)

    def label(self, vocabulary: str, code: str) -> str:
        """The word for a code of a closed vocabulary; the code itself where we do not know it."""
        return self.catalogue.pgettext(vocabulary, code)

    def knows(self, vocabulary: str, code: str) -> bool:
        """Whether the catalogue has a word for this code."""
        return bool(code) and self.label(vocabulary, code) != code

    def number(self, n: int) -> str:
        """A whole number with this language's separators, in Latin digits."""
        return numbers.format_decimal(n, locale=self.cldr)

    def format_date(self, moment: datetime) -> str:
        """The day in UTC, the month by name, and by both its names in Arabic.

        Raises:
            ValueError: the datetime has no zone, so nobody knows which day it is.
        """
        day = _in_utc(moment)
        text: str = dates.format_date(day.date(), format="long", locale=self.cldr)
        if not self.months:
            return text
        name, printed = self.months[day.month - 1]
        return text.replace(name, printed)

    def format_datetime(self, moment: datetime) -> str:
        """Day and time of day in UTC, and says that it is UTC."""
        day = _in_utc(moment)
        pattern = self.gettext("%(date)s, %(time)s UTC")
        return pattern % {"date": self.format_date(day), "time": f"{day:%H:%M}"}

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


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages a node's pages exist in, the first one being its own."""

    available: tuple[str, ...] = ("ar", "en")
    locales: Mapping[str, Locale] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Load every catalogue once.

        Raises:
            OSError: a language has no compiled catalogue.
        """
        loaded = {code: _load(code) for code in self.available}
        object.__setattr__(self, "locales", MappingProxyType(loaded))

    @property
    def default(self) -> Locale:
        """What a reader gets who asks for nothing we have."""
        return self.locales[self.available[0]]

    def negotiate(self, accept_language: str | None, choice: str | None) -> Locale:
        """The reader's language. Never refuses: a page in another language is better than none.

        Spec: RFC 9110 §12.5.4, RFC 4647 §3.4
        """
        chosen = self.chosen(choice)
        if chosen is not None:
            return self.locales[chosen]
        excluded: set[str] = set()
        for language, quality in _ranges(accept_language or ""):
            if quality == 0:
                excluded.add(language)
            elif language in self.locales:
                return self.locales[language]
            elif language == "*":
                break
        return next((self.locales[code] for code in self.available if code not in excluded), self.default)

    def countries(self, code: str) -> tuple[str, ...]:
        """What a country is called in each of them."""
        return tuple(locale.country(code) for locale in self.locales.values())

    def chosen(self, choice: str | None) -> str | None:
        """The code in `?lang=` if we have that language, else nothing: what `Frame.choice` may carry on."""
        return choice if choice in self.locales else None


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


def _load(code: str) -> Locale:
    catalogue = gettext.translation(DOMAIN, localedir=CATALOGUES, languages=[code])
    cldr = babel.Locale.parse(_CLDR.get(code, code), sep="_")
    second = _SECOND_MONTHS.get(code)
    return Locale(code, catalogue, cldr, _double(cldr, babel.Locale.parse(second)) if second else ())


def _double(first: babel.Locale, second: babel.Locale) -> tuple[tuple[str, str], ...]:
    ours, theirs = (locale.months["format"]["wide"] for locale in (first, second))
    return tuple((ours[month], f"{ours[month]}/{theirs[month]}") for month in range(1, 13))


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone cannot be shown")
    return moment.astimezone(UTC)


def _ranges(header: str) -> list[tuple[str, float]]:
    """(language, quality): exclusions first, then the best first; equals keep the header's order."""
    found = []
    for part in header[:_HEADER_LIMIT].split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language:
            found.append((language, _quality(parameters)))
    return sorted(found, key=lambda item: (item[1] != 0, -item[1]))


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.001
    return quality if 0 <= quality <= 1 else 0.001


if __name__ == "__main__":
    compile_all()

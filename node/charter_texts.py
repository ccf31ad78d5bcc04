"""The text of a charter: the same numbered articles in one language or several, with one digest over all of it.

A text is a JSON value, `{language: {"title", "preamble", "articles": [{"number", "heading", "text"}]}}`. A draft is the
same value; what freezes it is its digest: base58btc multihash of SHA-256 of its JCS form, so that one changed letter in
one language makes another text.

Rules of `parse`, in order:
1. one to twenty languages, and in each a title and one to 150 articles; nothing else stands in it;
2. every string is as it will be read: NFC, without control characters and without marks that turn text around, which
   could make an article read otherwise than it was affirmed (UAX #9 §2);
3. an article has a number ("3", "3.2", "3a"), and none twice; every language has the same numbers in the same order;
4. each string and the whole are within bounds.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.alert_bidi import escape, mark
from node.alert_forms import clean
from node.citations import NUMBER
from node.errors import ProtocolError
from node.federation.protocol import digests
from node.federation.protocol.messages import JsonObject

MAX_LANGUAGES = 20
MAX_ARTICLES = 150
MAX_TITLE = 300
MAX_PREAMBLE = 20_000
MAX_ARTICLE = 20_000
MAX_BYTES = 120 * 1024
"""Of the whole, in its JCS form."""
MAX_CONTENT = 100 * 1024
"""Bytes of one language as HTML."""
_UNTIDY = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_SPEC = "Tadamun charters 1"


@dataclass(frozen=True, slots=True)
class Article:
    """One article in one language."""

    number: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """A charter in one language."""

    title: str
    preamble: str
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class CharterText:
    """A text in all its languages, read."""

    versions: Mapping[str, Version]
    digest: str
    value: JsonObject
    """The JSON value that the digest is of. Not to be changed."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of its articles: the same in every language."""
        return tuple(each.number for each in next(iter(self.versions.values())).articles)

    def language(self, wanted: str) -> str:
        """The language that is wanted if it is there, else the first."""
        return wanted if wanted in self.versions else next(iter(self.versions))


def tidy(value: Any) -> Any:
    """The same value with every string as rule 2 wants it: for what somebody of ours typed, never for what came."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: tidy(item) for name, item in value.items()}
    return [tidy(item) for item in value] if isinstance(value, list) else value


def is_tidy(text: str) -> bool:
    """Whether `clean` would leave it as it is, found out without making it anew: a charter is read at every look."""
    return text == text.strip() and unicodedata.is_normalized("NFC", text) and _UNTIDY.search(text) is None


def parse(value: Any) -> CharterText:
    """Read a text.

    Raises:
        ProtocolError: naming the rule of this module that broke, and where.
    """
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_LANGUAGES:
        raise _refused(f"a text has 1 to {MAX_LANGUAGES} languages: {{language: {{title, preamble, articles}}}}")
    versions = {}
    for language in sorted(value):
        if _LANGUAGE.fullmatch(language) is None:
            raise _refused(f"{language[:20]!r} is no language code, such as ar or en")
        versions[language] = _version(value[language], language)
    _check_numbers(versions)
    raw = digests.jcs(value)
    if len(raw) > MAX_BYTES:
        raise _refused(f"{len(raw)} bytes, {MAX_BYTES} are carried: shorten it, or make an addendum of a part")
    return CharterText(versions, digests.multibase(raw), value)


def render_content(text: CharterText, language: str) -> str:
    """One language as HTML that every server keeps, with its direction in its characters.

    Raises:
        ProtocolError: it is longer than peers take.
    """
    version = text.versions[language]
    blocks = [_strong(version.title, language), *_paragraphs(version.preamble, language)]
    for article in version.articles:
        number = f"{article.number}. {article.heading}" if article.heading else f"{article.number}."
        blocks += [_strong(number, language), *_paragraphs(article.text, language)]
    content = "".join(f"<p>{block}</p>" for block in blocks)
    if len(content.encode()) > MAX_CONTENT:
        raise _refused(f"{language}: {len(content.encode())} bytes as HTML, {MAX_CONTENT} are carried; shorten it")
    return content


def _version(value: Any, language: str) -> Version:
    _check_members(value, ("title", "preamble", "articles"), language)
    articles = value.get("articles")
    if not isinstance(articles, list) or not 0 < len(articles) <= MAX_ARTICLES:
        raise _refused(f"{language}.articles: a list of 1 to {MAX_ARTICLES} articles")
    return Version(
        _string(value, "title", language, MAX_TITLE),
        _string(value, "preamble", language, MAX_PREAMBLE, needed=False),
        tuple(_article(each, f"{language}.articles[{index}]") for index, each in enumerate(articles)),
    )


def _article(value: Any, where: str) -> Article:
    _check_members(value, ("number", "heading", "text"), where)
    number = value.get("number")
    if not isinstance(number, str) or NUMBER.fullmatch(number) is None:
        raise _refused(f'{where}.number: a string such as "3", "3.2" or "3a"')
    return Article(
        number,
        _string(value, "heading", where, MAX_TITLE, needed=False),
        _string(value, "text", where, MAX_ARTICLE),
    )


def _check_members(value: Any, names: tuple[str, ...], where: str) -> None:
    if not isinstance(value, dict):
        raise _refused(f"{where}: an object with {', '.join(names)}")
    unknown = sorted(value.keys() - set(names))
    if unknown:
        raise _refused(f"{where}: {unknown[0][:40]!r} is no part of a text; it has {', '.join(names)}")


def _check_numbers(versions: Mapping[str, Version]) -> None:
    first, *others = versions
    numbers = [each.number for each in versions[first].articles]
    if len(set(numbers)) != len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise _refused(f"{first}: article {twice} stands twice")
    for language in others:
        found = [each.number for each in versions[language].articles]
        if found != numbers:
            wrong = next((pair for pair in zip(numbers, found, strict=False) if pair[0] != pair[1]), None)
            told = f"{wrong[0]} in {first}, {wrong[1]} in {language}" if wrong else f"{len(numbers)} and {len(found)}"
            raise _refused(f"languages disagree on the numbers of the articles: {told}")


def _string(value: JsonObject, name: str, where: str, limit: int, *, needed: bool = True) -> str:
    found = value.get(name, "")
    if not isinstance(found, str) or len(found) > limit or (needed and not found):
        raise _refused(f"{where}.{name}: a text of {1 if needed else 0} to {limit} characters")
    if not is_tidy(found):
        raise _refused(f"{where}.{name}: holds what is not read as it stands (controls, turned text, another spelling)")
    return found


def _paragraphs(text: str, language: str) -> list[str]:
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    return ["<br>".join(_line(line, language) for line in block.split("\n")) for block in blocks]


def _line(line: str, language: str) -> str:
    return mark(line, language) + escape(line, language)


def _strong(line: str, language: str) -> str:
    return f"<strong>{_line(line, language)}</strong>"


def _refused(reason: str) -> ProtocolError:
    return ProtocolError(reason, spec=_SPEC)

"""Charters as pages show them: texts in their languages, who affirms them, what differs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from node import charters as rules
from node.alert_terms import is_rtl
from node.charter_differences import Difference, compare
from node.charters import Affirmation, Affirmed, Charter
from node.rolls import Place

SHOWN = 200
"""Names on one page; of more it says how many, and the bundle has them all."""


@dataclass(frozen=True, slots=True)
class ArticleView:
    """One article in one language."""

    number: str
    anchor: str
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextView:
    """A charter in one language."""

    language: str
    dir: str
    title: str
    preamble: tuple[str, ...]
    articles: tuple[ArticleView, ...]


@dataclass(frozen=True, slots=True)
class SignatoryView:
    """One organisation that affirms, with the name that it agreed to show."""

    name: str
    language: str
    did: str
    path: str
    """Of its page here; empty where there is none."""
    said: datetime
    articles: tuple[str, ...]
    """Empty for all."""
    called: str = ""
    """What it calls itself, where that is another name: nobody signs as somebody else unseen."""


@dataclass(frozen=True, slots=True)
class CitedView:
    """One cited article. Without a path its text is not held here, or has no such article."""

    number: str
    digest: str
    path: str = ""
    title: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class HeadView:
    """How far a log reaches."""

    did: str
    epoch: int
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class CharterCard:
    """One text in a list."""

    path: str
    title: str
    language: str
    kind: str
    keeper: str
    keeper_path: str
    published: datetime
    count: int
    digest: str
    replaced: bool
    """An amendment of it stands."""
    affirmed: str = ""
    """At the desk, how we ourselves affirm it: `named`, `withheld`, or not."""


@dataclass(frozen=True, slots=True)
class CharterPage:
    """One text, whole."""

    card: CharterCard
    adoption: str
    texts: tuple["TextView", ...]
    signatories: tuple[SignatoryView, ...]
    """The first `SHOWN` of them."""
    affirmed: Affirmed
    versions: tuple[CharterCard, ...]
    """All that belong together, this one too, the first published first."""
    proof_url: str
    heads: tuple[HeadView, ...]
    warnings: tuple[str, ...] = ()
    """What a reader of its keeper should know."""
    declared: int = 0
    """How many members declare that its keeper's key is no longer to be trusted."""


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """What differs in one language."""

    language: str
    dir: str
    parts: tuple[Difference, ...]
    """Those that are not the same."""


def texts(charter: Charter) -> tuple[TextView, ...]:
    """Every language, the main one first; only the anchors of the first are bare."""
    languages = sorted(charter.text.versions, key=lambda each: (each != charter.language, each))
    return tuple(_text(charter, language, bare=not index) for index, language in enumerate(languages))


def signatories(
    charter: Charter, names: Iterable[Affirmation], known: Callable[[str], tuple[str, str]]
) -> tuple[SignatoryView, ...]:  # fmt: skip
    """Who affirms with a name, in the order in which they say they did.

    Args:
        known: did → what it calls itself, and the path of its page; either may be empty.
    """
    return tuple(_signatory(charter, each, *known(each.did)) for each in names)


def heads(as_of: Mapping[str, Place]) -> tuple[HeadView, ...]:
    """How far each log reaches."""
    return tuple(HeadView(did, *place) for did, place in as_of.items())


def differences(old: Charter, new: Charter) -> tuple[DifferenceView, ...]:
    """What differs, language by language, the new text's main one first."""
    found = compare(old.text, new.text)
    languages = sorted(found, key=lambda each: (each != new.language, each))
    views = [
        DifferenceView(each, _dir(each), tuple(part for part in found[each] if part.kind != "same"))
        for each in languages
    ]
    return tuple(each for each in views if each.parts)


def paragraphs(text: str) -> tuple[str, ...]:
    """A text's paragraphs."""
    return tuple(each.strip() for each in text.split("\n\n") if each.strip())


def _signatory(charter: Charter, each: Affirmation, called: str, path: str) -> SignatoryView:
    return SignatoryView(
        name=each.name,
        language=each.language,
        did=each.did,
        path=path,
        said=each.said,
        articles=rules.articles_of(each, charter) if each.articles else (),
        called=called if called.casefold() != each.name.casefold() else "",
    )


def _text(charter: Charter, language: str, *, bare: bool) -> TextView:
    version, tail = charter.text.versions[language], "" if bare else f"-{language}"
    articles = tuple(
        ArticleView(each.number, f"article-{each.number}{tail}", each.heading, paragraphs(each.text))
        for each in version.articles
    )
    return TextView(language, _dir(language), version.title, paragraphs(version.preamble), articles)


def _dir(language: str) -> str:
    return "rtl" if is_rtl(language) else "ltr"

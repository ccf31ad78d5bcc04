"""What of a public object is searched, and what of it an excerpt may show: fields of text, the most telling first.

Of an alert, each language is an object of its own. What a page does not show is not searched.
"""

import html
import re
from collections.abc import Mapping, Sequence

from node import posts
from node.alert_countries import COUNTRIES
from node.alerts import KIND, PublicAlert
from node.alerts import parse as parse_alert
from node.charter_texts import Article
from node.charters import CHARTER, Charter
from node.charters import parse as parse_charter
from node.federation.protocol.messages import JsonObject

ALERT, POST, CHARTER_TEXT = "alert", "post", "charter"
_TAG = re.compile(r"<[^<>]*>")
_MOST = 120_000
"""Characters of one object that are searched."""


def kind_of(kind: str, document: JsonObject) -> str:
    """As what an object is searched; empty for what is not."""
    if kind == KIND:
        return ALERT
    if kind == CHARTER:
        return CHARTER_TEXT
    # Only what its author wrote for a working group: other posts stand on no page of ours.
    return POST if kind in posts.TYPES and isinstance(document.get("audience"), str) else ""


def fields_of(kind: str, document: JsonObject) -> tuple[str, ...]:
    """The texts of an object that is searched, headline or title first.

    Raises:
        ProtocolError: it cannot be read as one.
    """
    if kind == ALERT:
        found = fields_of_alert(parse_alert(document))
    elif kind == CHARTER_TEXT:
        read = parse_charter(document, (0, 0))
        found = fields_of_charter(read) if isinstance(read, Charter) else ()
    else:
        found = (str(document.get("name") or ""), plain(str(document.get("content") or "")))
    return _bounded(found)


def fields_of_alert(alert: PublicAlert) -> tuple[str, ...]:
    """The texts of an alert as its page shows them."""
    country = COUNTRIES.get(alert.country)
    return (
        alert.headline, alert.narrative, *alert.demands, alert.link_to_work, alert.state_note,
        alert.company_or_project, *(each.name for each in alert.subjects), *(each.text for each in alert.answers),
        alert.reference, *((country.english, country.arabic) if country else ()),
    )  # fmt: skip


def fields_of_charter(charter: Charter) -> tuple[str, ...]:
    """A charter's titles, preambles and articles in every language, the main one first."""
    languages = sorted(charter.text.versions, key=lambda each: (each != charter.language, each))
    versions = [charter.text.versions[each] for each in languages]
    return (
        *(each.title for each in versions),
        *(text for each in versions for text in (each.preamble, *texts_of(each.articles))),
    )


def texts_of(articles: Sequence[Article]) -> tuple[str, ...]:
    """Headings and texts of articles, each article one field."""
    return tuple(f"{each.heading}: {each.text}" if each.heading else each.text for each in articles)


def strings_of(value: object) -> tuple[str, ...]:
    """Every text in a JSON value: of what is said inside a group."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return tuple(text for each in value.values() for text in strings_of(each))
    if isinstance(value, list | tuple):
        return tuple(text for each in value for text in strings_of(each))
    return ()


def plain(content: str) -> str:
    """The words of somebody's HTML."""
    return html.unescape(_TAG.sub(" ", content))


def _bounded(fields: tuple[str, ...]) -> tuple[str, ...]:
    room, kept = _MOST, []
    for field in fields:
        kept.append(field[:room])
        room -= len(kept[-1])
    return tuple(kept)

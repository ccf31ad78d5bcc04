"""What the pages of a working group show of what was said inside, and who may say something there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import group_entries as entries
from node.alert_forms import latin_digits
from node.desk.drafts import Draft
from node.desk.groups import Heard
from node.group_entries import GroupEntry
from node.people import AUTHOR, CASE_WORKER, COORDINATOR
from node.web.charters import CitedView
from node.web.citations import cited

WRITERS = frozenset({AUTHOR, CASE_WORKER, COORDINATOR})
"""Who speaks inside for the organisation."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said inside."""

    digest: str
    kind: str
    author: str
    ours: bool
    title: str
    text: str
    language: str
    published: datetime
    handed_by: str
    """Who handed it on, where that was not its author."""
    cites: tuple[str, ...]
    """Articles of charters, as `articles_of` names them."""
    answers: tuple["Said", ...] = ()


def articles_of(connection: Connection, org: str, said: Iterable[GroupEntry]) -> dict[str, CitedView]:
    """Every article that these cite, with the way to those that are held here."""
    found = {str(citation): citation for entry in said for citation in entry.cited}
    return dict(zip(found, cited(connection, org, found.values()), strict=True))


def said_of(each: Heard, names: Mapping[str, str], org: str, answers: tuple[Said, ...] = ()) -> Said:
    """One entry as a page shows it."""
    entry = each.entry
    title, text = entry.title, entry.text
    if entry.kind == entries.MEETING:
        text = "\n".join(part for part in (entry.says["starts"], entry.says["place"], text) if part)
    return Said(
        entry.digest, entry.kind, names.get(entry.author, entry.author), entry.author == org, title, text,
        entry.language, entry.published, "" if each.by == entry.author else names.get(each.by, each.by),
        tuple(map(str, entry.cited)), answers,
    )  # fmt: skip


def titles_of(each: Draft) -> dict[str, str]:
    """Language → title."""
    return {code: version.title for code, version in each.text.versions.items()}


def year_of(text: str) -> int:
    """A year as an address or a form has it; 0 where it is none."""
    year = latin_digits(text)
    return int(year) if year.isascii() and year.isdigit() and len(year) == 4 else 0

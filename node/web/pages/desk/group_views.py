"""What the pages of a working group show of what was said inside, and who may say something there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from node import group_entries as entries
from node.desk.drafts import Draft
from node.desk.groups import Heard
from node.people import AUTHOR, CASE_WORKER, COORDINATOR

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
    answers: tuple["Said", ...] = ()


def said_of(each: Heard, names: Mapping[str, str], org: str, answers: tuple[Said, ...] = ()) -> Said:
    """One entry as a page shows it."""
    entry = each.entry
    title, text = entry.title, entry.text
    if entry.kind == entries.MEETING:
        text = "\n".join(part for part in (entry.says["starts"], entry.says["place"], text) if part)
    return Said(
        entry.digest, entry.kind, names.get(entry.author, entry.author), entry.author == org, title, text,
        entry.language, entry.published, "" if each.by == entry.author else names.get(each.by, each.by), answers,
    )  # fmt: skip


def titles_of(each: Draft) -> dict[str, str]:
    """Language → title."""
    return {code: version.title for code, version in each.text.versions.items()}


def year_of(text: str) -> int:
    """A year as an address or a form has it; 0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0

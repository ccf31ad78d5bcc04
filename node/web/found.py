"""What a search found, as pages show it: the organisation first, then what it says, when, and where the words stand.

A result is built from what its own page shows, opened again here; the search's table gives nothing but the way to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

import orjson
from sqlalchemy import Connection

from node import search as rules
from node import search_excerpts as excerpts
from node import search_objects as objects
from node.alert_terms import is_rtl
from node.alerts import parse
from node.charter_texts import Version
from node.charters import CHARTER, Charter
from node.charters import parse as parse_charter
from node.desk.cases import Opened
from node.desk.sealed_alerts import SealedAlert
from node.desk.search import Hit, Said
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject
from node.group_entries import PLAN
from node.models import documents
from node.models.alerts import AlertRecord
from node.models.approvals import Row
from node.models.organisations import Organisation
from node.search import Query
from node.search_excerpts import Piece
from node.web import stories
from node.web.found_names import FoundName
from node.web.pages.charters import Shelf
from node.web.pages.public import Cards
from node.web.views import Caveat, Status

SEALED, INSIDE, CASE, DRAFT = "sealed", "inside", "case", "waiting"
_ENDS = ("expired", "closed", "corrected", "updated")
_STATUSES: Mapping[str, Status] = MappingProxyType({"actual": "actual", "exercise": "exercise", "test": "test"})


@dataclass(frozen=True, slots=True)
class Found:
    """One result."""

    kind: str
    path: str
    title: tuple[Piece, ...]
    language: str
    moment: datetime | None
    author: tuple[Piece, ...] = ()
    author_language: str = ""
    author_path: str = ""
    state: str = "current"
    status: Status = "actual"
    excerpt: tuple[Piece, ...] = ()
    what: str = ""
    """Which sort of thing of its kind, by a word of the vocabulary `found`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Language → the name of the working group that it belongs to."""
    warnings: tuple[Caveat, ...] = ()
    declared: int = 0

    @property
    def dir(self) -> str:
        """Of the excerpt: it may begin with a name in other letters than its sentence."""
        return ("rtl" if is_rtl(self.language) else "ltr") if self.language else "auto"


@dataclass(frozen=True, slots=True)
class FoundOrganisation:
    """An organisation, or a working group, whose name answers."""

    path: str
    name: tuple[Piece, ...]
    language: str
    handle: str = ""
    country: str = ""


class Finder:
    """Turns what answers into results. Use it within one transaction."""

    def __init__(
        self, connection: Connection, organisation: Organisation, query: Query, now: datetime, *, base: str = ""
    ) -> None:
        """`base`: `/desk` where pages of the desk show the same things."""
        self._connection = connection
        self._organisation = organisation
        self._query = query
        self._now = now
        self._base = base
        self._cards = Cards(connection, organisation, now)
        self._shelf = Shelf(connection, organisation)

    def public(self, hit: Hit) -> Found | None:
        """One public thing; nothing where it went meanwhile."""
        held = documents.stored(self._connection, self._organisation.did, hit.entry.object_id)
        record = hit.record
        object_id = record.object_id if record else hit.entry.object_id
        if held is None or held.raw is None or held.id != object_id:
            return None
        note = orjson.loads(held.raw)
        if record is not None:
            return self._alert(record, note)
        return self._charter(note) if held.type == CHARTER else self._post(hit, note)

    def sealed(self, found: SealedAlert, name: str) -> Found:
        """One alert that members were sent, in the language that answers best."""
        alerts = [parse(note) for note in found.notes]
        texts = [objects.fields_of_alert(each) for each in alerts]
        best = max(range(len(texts)), key=lambda at: (self._query.count(rules.text_of(texts[at])), -at))
        alert, fields = alerts[best], texts[best]
        state = "expired" if alert.state != "closed" and alert.is_expired(self._now) else alert.state
        return replace(
            self._found(SEALED, f"/desk/network/{documents.page_name(found.about)}", fields, alert.language),
            moment=found.sent, author=excerpts.marked(self._query, name), state=state if state in _ENDS else "current",
            status=_status(alert.status),
        )  # fmt: skip

    def case(self, opened: Opened, title: str) -> Found:
        """One case: its title and its state, nothing else."""
        case = opened.case
        found = self._found(CASE, f"/desk/cases/{case.id}", (title,), "")
        return replace(found, moment=case.opened, state=case.state)

    def inside(self, said: Said, name: str) -> Found:
        """One thing that was said inside a group."""
        entry, base = said.entry, f"/desk/groups/{said.at.group.digest}"
        path = f"{base}/plans/{entry.says['year']}" if entry.kind == PLAN else base
        title = entry.title or (str(entry.says["year"]) if entry.kind == PLAN else "")
        texts = [text for text in objects.strings_of(entry.says) if text and text != title]
        return replace(
            self._found(INSIDE, path, (title, *texts), entry.language), moment=entry.published, what=entry.kind,
            author=excerpts.marked(self._query, name), names=dict(said.at.group.names),
        )  # fmt: skip

    def waiting(self, row: Row, shown: JsonObject) -> Found:
        """One text that waits for a second word."""
        texts = objects.strings_of(shown)
        title = str(shown.get("headline") or shown.get("title") or "")
        found = self._found(DRAFT, f"/desk/approvals/{row.request.id}", (title, *texts), str(shown.get("language", "")))
        return replace(found, moment=row.request.made)

    def organisation(self, named: FoundName) -> FoundOrganisation:
        """One organisation or working group."""
        return FoundOrganisation(
            named.path, excerpts.marked(self._query, named.name), named.language, named.handle, named.country
        )

    def _alert(self, record: AlertRecord, note: JsonObject) -> Found:
        name, language, path = self._cards.author(record)
        chain = stories.chain_of(self._connection, self._organisation.did, record)
        fields = objects.fields_of_alert(parse(note))
        return replace(
            self._found(objects.ALERT, f"/alerts/{record.page}", fields, record.language),
            moment=record.published, author=excerpts.marked(self._query, name), author_language=language,
            author_path=path, state=stories.state_of(record, chain, self._now), status=_status(record.status),
            what="news" if record.news_of else "", warnings=self._cards.warnings(record.did),
            declared=self._cards.declared(record.did),
        )  # fmt: skip

    def _post(self, hit: Hit, note: JsonObject) -> Found:
        author, at = ids.portable(hit.entry.author), hit.group
        name, path = self._shelf.keeper(author.did) if author else ("", "")
        title, *texts = objects.fields_of(objects.POST, note)
        base = f"/groups/{at.group.handle}" if at else ""
        return replace(
            self._found(objects.POST, base, (title, *texts), next(iter(note.get("contentMap") or {}), "")),
            moment=hit.entry.published, author=excerpts.marked(self._query, name), author_path=path,
            names=dict(at.group.names) if at else {}, warnings=self._cards.warnings(author.did if author else ""),
        )  # fmt: skip

    def _charter(self, note: JsonObject) -> Found | None:
        charter = parse_charter(note, (0, 0))
        if not isinstance(charter, Charter):
            return None
        name, path = self._shelf.keeper(charter.did)
        texts = [(each, version) for each, version in charter.text.versions.items()]
        language, version = max(texts, key=lambda each: (self._hits(each[1]), each[0] == charter.language))
        fields = (version.title, version.preamble, *objects.texts_of(version.articles))
        page = f"{self._base}/charters/{documents.page_name(charter.id)}"
        return replace(
            self._found(objects.CHARTER_TEXT, page, fields, language), moment=charter.published, what=charter.kind,
            author=excerpts.marked(self._query, name), author_path=path,
            warnings=self._cards.warnings(charter.did),
        )  # fmt: skip

    def _hits(self, version: Version) -> int:
        fields = (version.title, version.preamble, *objects.texts_of(version.articles))
        return self._query.count(rules.text_of(fields))

    def _found(self, kind: str, path: str, fields: Sequence[str], language: str) -> Found:
        """Title and excerpt: the excerpt of what stands below the title."""
        title, *texts = fields
        shown = excerpts.excerpt(self._query, texts)
        return Found(kind, path, excerpts.marked(self._query, title), language[:35], None, excerpt=shown)


def _status(status: str) -> Status:
    return _STATUSES.get(status, "unknown")

"""What is public and can be searched: one row for each object, written and removed with it, made anew at any time.

`text` is folded (`folding`), `signature` says of most rows, unread, that they do not answer (`search`). Nothing sealed
is ever here. What is not to be found, because the operator does not show it or its author is frozen, is left out when
somebody asks, so that it holds at once.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    true,
)

from node import search as rules
from node import search_objects as objects
from node.alert_forms import parse_moment
from node.errors import ProtocolError
from node.federation.protocol.messages import JsonObject
from node.models.base import Instant, metadata
from node.search import Term

texts = Table(
    "search_texts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("author", Text, nullable=False),
    Column("country", String(2), nullable=False),
    Column("published", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_search_texts_published", "org", "published", "object_id"),
    Index("ix_search_texts_author", "org", "author"),
    Index("ix_search_texts_country", "org", "country"),
)
_DISTANT = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _THEN = 60, 500
"""Rows that are read at once: most searches end with the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as it is searched."""

    object_id: str
    kind: str
    author: str
    """Canonical id of its actor."""
    country: str
    published: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One term, and what answers it beside the text: names of authors and countries change, and stand elsewhere."""

    term: Term
    authors: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()

    def fits(self, entry: Entry) -> bool:
        """Whether an object answers it."""
        return entry.author in self.authors or entry.country in self.countries or self.term.stands(entry.text)


def note(connection: Connection, org: str, object_id: str, kind: str, author: str, document: JsonObject) -> bool:
    """Keep the row of a public object in place of the one before; says whether it has one.

    Args:
        kind: as `documents` keeps it.
    """
    remove(connection, org, object_id)
    found = objects.kind_of(kind, document)
    try:
        text = rules.text_of(objects.fields_of(found, document)) if found else ""
    except ProtocolError:
        return False
    if not text.strip():
        return False
    country = document.get("countryCode") if found == objects.ALERT else ""
    values = {
        "kind": found, "author": author, "country": country[:2] if isinstance(country, str) else "",
        "published": _moment(document.get("published")), "text": text,
        "signature": rules.signature(text), "version": rules.VERSION,
    }  # fmt: skip
    connection.execute(insert(texts).values(org=org, object_id=object_id, **values))
    return True


def remove(connection: Connection, org: str, object_id: str) -> None:
    """Nothing of it stays."""
    connection.execute(delete(texts).where(texts.c.org == org, texts.c.object_id == object_id))


def drop_author(connection: Connection, org: str, author: str) -> None:
    """Forget what one author said, before it is made anew."""
    connection.execute(delete(texts).where(texts.c.org == org, texts.c.author == author))


def drop_all(connection: Connection, org: str) -> None:
    """Forget all of it, before it is made anew."""
    connection.execute(delete(texts).where(texts.c.org == org))


def answering(
    connection: Connection, org: str, wanted: Sequence[Wanted], *, without: Collection[str] = (), most: int
) -> Iterator[tuple[Entry, ...] | None]:
    """What answers all that is wanted, the newest first, some at a time, read as it is asked for. `None` is the last
    where older rows were not looked at.

    Args:
        without: authors that are not to be found.
        most: rows that are read in all.
    """
    where = and_(texts.c.org == org, *(_perhaps(each) for each in wanted))
    if without:
        where &= texts.c.author.not_in(without)
    order = (texts.c.published.desc(), texts.c.object_id.desc())  # as the index has it, backwards
    columns = [texts.c[name] for name in Entry.__slots__]
    read, size = 0, _FIRST
    after: ColumnElement[bool] = true()
    while read < most:
        size = min(size, most - read)
        query = select(*columns).where(where, after).order_by(*order).limit(size)
        rows = [Entry(*row) for row in connection.execute(query)]
        yield tuple(each for each in rows if all(one.fits(each) for one in wanted))
        if len(rows) < size:
            return
        read, size, last = read + len(rows), _THEN, rows[-1]
        later = (texts.c.published < last.published) | (texts.c.object_id < last.object_id)
        after = (texts.c.published <= last.published) & later  # the first half is what the index begins at
    yield None


def countries(connection: Connection, org: str) -> frozenset[str]:
    """The countries that anything is about."""
    query = select(texts.c.country).where(texts.c.org == org, texts.c.country != "").distinct()
    return frozenset(connection.execute(query).scalars())


def _perhaps(wanted: Wanted) -> ColumnElement[bool]:
    """What a row that answers has; most others have it not."""
    ways: list[ColumnElement[bool]] = [
        and_(true(), *(_has(place, fitting) for place, fitting in rules.places(needle)))
        for needle in wanted.term.needles
    ]
    if wanted.authors:
        ways.append(texts.c.author.in_(wanted.authors))
    if wanted.countries:
        ways.append(texts.c.country.in_(wanted.countries))
    return or_(false(), *ways)


def _has(place: int, fitting: tuple[bytes, ...]) -> ColumnElement[bool]:
    # Of bytes both engines find the place at once; of text they would count from its beginning.
    return func.substr(texts.c.signature, place, 1, type_=LargeBinary).in_(fitting)


def _moment(value: object) -> datetime:
    try:
        return parse_moment(value) if isinstance(value, str) else _DISTANT
    except ValueError:
        return _DISTANT

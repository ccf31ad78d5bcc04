"""Sealed letters as rows, and the keys that others seal to.

Of a letter that came, the envelope is kept a week for other addressees that ask for it; of our own forty days. What was
inside is kept for itself, sealed to the key of those whose duty it is: a copy of the database opens neither.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from node.models.base import Instant, metadata

seal_keys = Table(
    "seal_keys",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("public", String(80), primary_key=True),
    Column("made", Instant, nullable=False),
    Column("replaced", Instant),
)
letters = Table(
    "letters",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", String(500), primary_key=True),
    Column("author", String(80), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("about", Text, nullable=False),
    Column("addressed", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("until", Instant, nullable=False),
    Column("sealed", LargeBinary),
    Column("room", String(20), nullable=False),
    Column("sent", Instant, nullable=False),
    Column("received", Instant, nullable=False),
    Column("gone", Boolean, nullable=False),
    Index("ix_letters_about", "org", "about"),
    Index("ix_letters_until", "until"),
    Index("ix_letters_author", "org", "author", "kind", "sent"),
)
receipts = Table(
    "receipts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("letter", String(500), primary_key=True),
    Column("by", String(80), primary_key=True),
    Column("about", Text, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("received", Instant, nullable=False),
    Column("destroyed", Instant),
    Index("ix_receipts_about", "org", "about"),
)

CARRIED_FOR = timedelta(days=7)
OWN_FOR = timedelta(days=40)
_MOST_LISTED = 500
_MOST = 20_000
"""Letters of one member that are kept."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes that they take together."""
MOST_OF_ONE = 200
"""Letters of one author in any list, the newest: who sends more hides only what they said themselves."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One letter as held. `sealed` is its body, for those in `room`; `None` where its kind keeps none."""

    id: str
    author: str
    kind: str
    about: str
    addressed: tuple[str, ...]
    raw: bytes | None
    until: datetime
    sealed: bytes | None
    room: str
    sent: datetime
    received: datetime
    gone: bool = False
    """Withdrawn by its author: nothing of it is left but this."""


@dataclass(frozen=True, slots=True)
class SealKeyRow:
    """A key that others seal to; its secret lies in the keyring until it is destroyed."""

    public: str
    made: datetime
    replaced: datetime | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A member's signed word that a letter, a Delete or a Release of ours is there."""

    letter: str
    """Its canonical id."""
    by: str
    about: str
    kind: str
    received: datetime
    destroyed: datetime | None = None
    """When the member said that the bytes are gone."""


def save(connection: Connection, org: str, value: Kept) -> None:
    """Keep a letter."""
    fields = {name: getattr(value, name) for name in Kept.__slots__}
    connection.execute(insert(letters).values(org=org, **fields | {"addressed": json.dumps(value.addressed)}))


def find(connection: Connection, org: str, letter: str) -> Kept | None:
    """One letter by the canonical id of its activity."""
    row = connection.execute(select(*_columns()).where(letters.c.org == org, letters.c.id == letter)).first()
    return _kept(row) if row else None


def about(connection: Connection, org: str, name: str, kinds: Collection[str] = ()) -> tuple[Kept, ...]:
    """Every letter about one thing, oldest first."""
    query = select(*_columns()).where(letters.c.org == org, letters.c.about == name)
    if kinds:
        query = query.where(letters.c.kind.in_(kinds))
    return tuple(_kept(row) for row in connection.execute(query.order_by(letters.c.sent, letters.c.id)))


def of_kind(
    connection: Connection, org: str, kinds: Collection[str], limit: int = 2_000, *, last: bool = False
) -> tuple[Kept, ...]:
    """Letters of these kinds, newest first; of one author `MOST_OF_ONE`.

    Args:
        last: of all that one author said about one thing only the newest.
    """
    order = (letters.c.sent.desc(), letters.c.id)
    of_thing = func.row_number().over(partition_by=(letters.c.author, letters.c.about), order_by=order)
    where = (letters.c.org == org) & letters.c.kind.in_(kinds) & ~letters.c.gone
    each = select(letters.c.id, letters.c.author, letters.c.sent, of_thing.label("place")).where(where).subquery()
    of_author = func.row_number().over(partition_by=each.c.author, order_by=(each.c.sent.desc(), each.c.id))
    chosen = select(each.c.id, of_author.label("place"))
    if last:
        chosen = chosen.where(each.c.place == 1)
    found = chosen.subquery()
    wanted = select(found.c.id).where(found.c.place <= MOST_OF_ONE)
    query = select(*_columns()).where(letters.c.org == org, letters.c.id.in_(wanted)).order_by(*order).limit(limit)
    return tuple(_kept(row) for row in connection.execute(query))


def has_room(connection: Connection, org: str, author: str) -> bool:
    """Whether another letter of this author may be kept."""
    where = (letters.c.org == org) & (letters.c.author == author)
    columns = (letters.c.raw, letters.c.sealed, letters.c.addressed)
    size = sum((func.coalesce(func.length(each), 0) for each in columns), start=literal(0))
    count, taken = connection.execute(select(func.count(), func.coalesce(func.sum(size), 0)).where(where)).one()
    return bool(count < _MOST and taken < MOST_BYTES)


def is_gone(connection: Connection, org: str, author: str, name: str) -> bool:
    """Whether the author withdrew what this is about."""
    where = (letters.c.org == org) & (letters.c.author == author) & (letters.c.about == name) & letters.c.gone
    return connection.execute(select(letters.c.id).where(where).limit(1)).first() is not None


def withdraw(connection: Connection, org: str, author: str, name: str) -> int:
    """Destroy everything that an author said about one thing; returns how many letters there were."""
    where = (letters.c.org == org) & (letters.c.author == author) & (letters.c.about == name)
    return connection.execute(update(letters).where(where).values(raw=None, sealed=None, gone=True)).rowcount


def take_back(connection: Connection, org: str, author: str, letter: str) -> int:
    """Destroy one letter of an author; its row stays, so that nobody brings it again."""
    where = (letters.c.org == org) & (letters.c.author == author) & (letters.c.id == letter)
    return connection.execute(update(letters).where(where).values(raw=None, sealed=None, gone=True)).rowcount


def drop_earlier(connection: Connection, org: str, author: str, kind: str, name: str) -> None:
    """What an author sent of this kind about this before is of no use any more."""
    where = (letters.c.org == org) & (letters.c.author == author) & (letters.c.kind == kind) & (letters.c.about == name)
    connection.execute(delete(letters).where(where))


def held_for(connection: Connection, org: str, did: str, now: datetime) -> tuple[str, ...]:
    """The ids of letters whose envelopes are here and that are for this did too, newest first."""
    query = (
        select(letters.c.id)
        .where(letters.c.org == org, letters.c.raw.is_not(None), letters.c.until > now)
        .where(letters.c.addressed.contains(json.dumps(did), autoescape=True))  # a thousand dids in each: not here
        .order_by(letters.c.sent.desc(), letters.c.id)
        .limit(_MOST_LISTED)
    )
    return tuple(connection.execute(query).scalars())


def known(connection: Connection, org: str, wanted: Collection[str]) -> frozenset[str]:
    """Which of these are here."""
    return frozenset(
        connection.execute(select(letters.c.id).where(letters.c.org == org, letters.c.id.in_(wanted))).scalars()
    )


def forget_envelopes(connection: Connection, now: datetime) -> int:
    """Destroy the envelopes that were kept long enough, and rows of which nothing else was kept."""
    due = letters.c.until <= now
    dropped = connection.execute(delete(letters).where(due, letters.c.sealed.is_(None), ~letters.c.gone)).rowcount
    emptied = connection.execute(update(letters).where(due, letters.c.raw.is_not(None)).values(raw=None)).rowcount
    return dropped + emptied


def add_receipt(connection: Connection, org: str, value: Receipt) -> None:
    """A member has what we sent; said twice it stays what it was, but that the bytes are gone may come later."""
    where = (receipts.c.org == org) & (receipts.c.letter == value.letter) & (receipts.c.by == value.by)
    if connection.execute(select(receipts.c.by).where(where)).first() is not None:
        late = where & receipts.c.destroyed.is_(None)
        connection.execute(update(receipts).where(late).values(destroyed=value.destroyed))
    else:
        fields = {name: getattr(value, name) for name in Receipt.__slots__}
        connection.execute(insert(receipts).values(org=org, **fields))


def receipts_about(connection: Connection, org: str, name: str) -> tuple[Receipt, ...]:
    """Who said that letters about this are there."""
    columns = [receipts.c[each] for each in Receipt.__slots__]
    query = select(*columns).where(receipts.c.org == org, receipts.c.about == name).order_by(receipts.c.received)
    return tuple(Receipt(*row) for row in connection.execute(query))


def receipts_of(connection: Connection, org: str, said: Collection[str]) -> tuple[Receipt, ...]:
    """Who has these letters, Deletes or Releases of ours."""
    columns = [receipts.c[each] for each in Receipt.__slots__]
    query = select(*columns).where(receipts.c.org == org, receipts.c.letter.in_(said)).order_by(receipts.c.received)
    return tuple(Receipt(*row) for row in connection.execute(query))


def add_key(connection: Connection, org: str, public: str, now: datetime) -> None:
    """A new key, in place of those before."""
    where = (seal_keys.c.org == org) & seal_keys.c.replaced.is_(None)
    connection.execute(update(seal_keys).where(where).values(replaced=now))
    connection.execute(insert(seal_keys).values(org=org, public=public, made=now))


def keys_of(connection: Connection, org: str) -> tuple[SealKeyRow, ...]:
    """Every key that is not destroyed, newest first."""
    columns = (seal_keys.c.public, seal_keys.c.made, seal_keys.c.replaced)
    query = select(*columns).where(seal_keys.c.org == org).order_by(seal_keys.c.made.desc())
    return tuple(SealKeyRow(*row) for row in connection.execute(query))


def current_key(connection: Connection, org: str) -> SealKeyRow | None:
    """The key that others should seal to."""
    return next((key for key in keys_of(connection, org) if key.replaced is None), None)


def drop_key(connection: Connection, org: str, public: str) -> None:
    """Its secret is destroyed."""
    connection.execute(delete(seal_keys).where(seal_keys.c.org == org, seal_keys.c.public == public))


def _columns() -> list[Column[Any]]:
    return [letters.c[name] for name in Kept.__slots__]


def _kept(row: Row[Any]) -> Kept:
    return Kept(**{**row._mapping, "addressed": tuple(json.loads(row.addressed))})

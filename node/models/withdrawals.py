"""What was withdrawn, by whom and through which of our words, and what is laid down for the day we cannot speak.

`withdrawn` is the author's own list: what its board is made of, long after the text is gone. `releases` holds what
custodians withdrew in an author's place; it outlives every rebuild, so that what it names never comes back. `custodies`
is the author's note of whom it made custodians.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from node.federation.protocol.replicas import Header
from node.models import logs
from node.models.base import Instant, metadata

releases = Table(
    "releases",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("did", String(80), nullable=False),
    Column("by", String(80), nullable=False),
    Column("activity", Text, nullable=False),
    Column("named", Text, nullable=False),
    Column("made", Instant, nullable=False),
)
withdrawn = Table(
    "withdrawn",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("about", Text, primary_key=True),
    Column("page", String(40), nullable=False),
    Column("reference", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("made", Instant, nullable=False),
)
custodies = Table(
    "custodies",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("about", Text, primary_key=True),
    Column("threshold", Integer, nullable=False),
    Column("custodians", Text, nullable=False),
    Column("made", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """An object that custodians withdrew in its author's place."""

    object_id: str
    did: str
    """Its author."""
    by: str
    """The member that said so, holding the author's signed word."""
    activity: str
    named: tuple[tuple[int, int, str], ...]
    """Entries that the releasing member says are of it: (epoch, sequence, content)."""
    made: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Something that we withdrew: one of our own alerts, or as custodians another's."""

    about: str
    """The canonical id of the alert's main Note."""
    page: str
    reference: str
    said: tuple[str, ...]
    """Canonical ids of our Deletes, of our Release, or of the letter that withdrew it."""
    released: bool
    """It is another's, and we spoke as its custodians."""
    made: datetime


@dataclass(frozen=True, slots=True)
class Custody:
    """Whom we made custodians of one of our alerts."""

    about: str
    threshold: int
    custodians: tuple[str, ...]
    made: datetime


def save_release(connection: Connection, org: str, row: ReleaseRow) -> bool:
    """Keep that an object was released; says whether that is new."""
    where = (releases.c.org == org) & (releases.c.object_id == row.object_id)
    if connection.execute(select(releases.c.by).where(where)).first() is not None:
        return False
    values = {name: getattr(row, name) for name in ReleaseRow.__slots__} | {"named": json.dumps(row.named)}
    connection.execute(insert(releases).values(org=org, **values))
    return True


def released(connection: Connection, org: str, objects: Collection[str]) -> dict[str, str]:
    """Which of these objects were released: id → the did of its author."""
    where = (releases.c.org == org) & releases.c.object_id.in_(objects)
    rows = connection.execute(select(releases.c.object_id, releases.c.did).where(where))
    return {row.object_id: row.did for row in rows}


def count_by(connection: Connection, org: str, by: str) -> int:
    """How many objects the releases of one member name."""
    where = (releases.c.org == org) & (releases.c.by == by)
    return connection.execute(select(func.count()).select_from(releases).where(where)).scalar_one()


def releases_of(connection: Connection, org: str, did: str) -> tuple[ReleaseRow, ...]:
    """What was released of one author."""
    columns = [releases.c[name] for name in ReleaseRow.__slots__]
    rows = connection.execute(select(*columns).where(releases.c.org == org, releases.c.did == did))
    return tuple(_release(row) for row in rows)


def releases_since(connection: Connection, org: str, did: str, moment: datetime) -> int:
    """How many releases of one author's alerts came since then; an alert's translations are one with it."""
    where = (releases.c.org == org) & (releases.c.did == did) & (releases.c.made >= moment)
    return connection.execute(select(func.count(func.distinct(releases.c.activity))).where(where)).scalar_one()


def name_entry(
    connection: Connection, org: str, did: str, named: tuple[int, int], content: str, now: datetime
) -> None:
    """Remember that a release names this entry. It hangs on no Delete, so no freeze of its author contests it."""
    table = logs.withdrawals
    where = _place(table, org, did) & (table.c.epoch == named[0]) & (table.c.sequence == named[1])
    known = connection.execute(select(table.c.content).where(where)).scalar()
    if known == content:
        connection.execute(update(table).where(where).values(by_epoch=0, by_sequence=0, contested=False))
    elif known is None:
        place = {"org": org, "did": did, "epoch": named[0], "sequence": named[1]}
        connection.execute(insert(table).values(**place, content=content, by_epoch=0, by_sequence=0, made=now))


def delete_of(connection: Connection, org: str, did: str, place: tuple[int, int]) -> str | None:
    """The id of the Delete that names an entry; `None` where none does that is held."""
    table = logs.withdrawals
    named = select(table.c.by_epoch, table.c.by_sequence).where(
        _place(table, org, did), table.c.epoch == place[0], table.c.sequence == place[1]
    )
    entries = logs.entries
    where = _place(entries, org, did) & (entries.c.type == "Delete")
    where &= tuple_(entries.c.epoch, entries.c.sequence).in_(named)
    return connection.execute(select(entries.c.activity_id).where(where)).scalar()


def save(connection: Connection, org: str, row: Withdrawn) -> None:
    """Keep that we withdrew something."""
    connection.execute(delete(withdrawn).where(withdrawn.c.org == org, withdrawn.c.about == row.about))
    values = {name: getattr(row, name) for name in Withdrawn.__slots__} | {"said": json.dumps(row.said)}
    connection.execute(insert(withdrawn).values(org=org, **values))


def find(connection: Connection, org: str, name: str) -> Withdrawn | None:
    """One of them, by the id of its main Note, its page's name or its reference."""
    columns = [withdrawn.c[each] for each in Withdrawn.__slots__]
    named = (withdrawn.c.about == name) | (withdrawn.c.page == name) | (withdrawn.c.reference == name)
    row = connection.execute(select(*columns).where(withdrawn.c.org == org, named)).first()
    return _withdrawn(row) if row else None


def newest(connection: Connection, org: str, limit: int = 100) -> tuple[Withdrawn, ...]:
    """What we withdrew, newest first."""
    columns = [withdrawn.c[each] for each in Withdrawn.__slots__]
    query = select(*columns).where(withdrawn.c.org == org).order_by(withdrawn.c.made.desc(), withdrawn.c.about)
    return tuple(_withdrawn(row) for row in connection.execute(query.limit(limit)))


def save_custody(connection: Connection, org: str, row: Custody) -> None:
    """Note whom we made custodians of an alert, in place of those before."""
    connection.execute(delete(custodies).where(custodies.c.org == org, custodies.c.about == row.about))
    values = {name: getattr(row, name) for name in Custody.__slots__} | {"custodians": json.dumps(row.custodians)}
    connection.execute(insert(custodies).values(org=org, **values))


def custody(connection: Connection, org: str, about: str) -> Custody | None:
    """Whom we made custodians of an alert."""
    columns = [custodies.c[name] for name in Custody.__slots__]
    row = connection.execute(select(*columns).where(custodies.c.org == org, custodies.c.about == about)).first()
    return Custody(**{**row._mapping, "custodians": tuple(json.loads(row.custodians))}) if row else None


def withheld(connection: Connection, org: str, did: str) -> tuple[Header, ...]:
    """Stubs that no signed Delete names, and no release: texts that somebody kept from us."""
    entries, table = logs.entries, logs.withdrawals
    named = and_(
        table.c.org == entries.c.org,
        table.c.did == entries.c.did,
        table.c.epoch == entries.c.epoch,
        table.c.sequence == entries.c.sequence,
        table.c.content == entries.c.content,
    )
    columns = (entries.c.did, entries.c.epoch, entries.c.sequence, entries.c.previous, entries.c.content)
    rows = connection.execute(
        select(*columns)
        .select_from(entries.outerjoin(table, named))
        .where(_place(entries, org, did), entries.c.state == logs.STUB, table.c.org.is_(None))
    )
    found = [Header(*row) for row in rows]
    said = {each for row in releases_of(connection, org, did) for each in row.named} if found else set()
    return tuple(each for each in found if (each.epoch, each.sequence, each.content) not in said)


def _place(table: Table, org: str, did: str) -> ColumnElement[bool]:
    return and_(table.c.org == org, table.c.did == did)


def _release(row: Row[tuple[object, ...]]) -> ReleaseRow:
    named: Sequence[Sequence[object]] = json.loads(row.named)
    found = tuple((int(str(each[0])), int(str(each[1])), str(each[2])) for each in named)
    return ReleaseRow(**{**row._mapping, "named": found})


def _withdrawn(row: Row[tuple[object, ...]]) -> Withdrawn:
    return Withdrawn(**{**row._mapping, "said": tuple(json.loads(row.said))})

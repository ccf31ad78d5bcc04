"""Logs: entries of our own organisations and of every member, as bytes, their heads, the places that Deletes name.

An entry whose text was withdrawn is `hidden` (its bytes stay for 72 h, in case the withdrawal is contested) and then a
`stub`, the bare header. One whose text this node is not to hold is `unheld`: its header proves the others, and it is
given to nobody. Which entries are the main line is worked out by `protocol/replicas`, and only when a log forked. What
stands past a freeze, and in `head_table` past an entry that is not held, is kept and given to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    and_,
    false,
    insert,
    select,
    text,
    tuple_,
    update,
)

from node.federation.protocol import replicas
from node.federation.protocol.activities import Activity
from node.federation.protocol.replicas import Head, Header
from node.models.base import Instant, metadata
from node.models.contacts import members

IS_UNHELD = text("state = 'unheld'")
entries = Table(
    "entries",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("digest", String(60), primary_key=True),
    Column("previous", String(60)),
    Column("content", String(60), nullable=False),
    Column("activity_id", Text),
    Column("object_id", Text),
    Column("type", String(100), nullable=False, server_default=""),
    Column("raw", LargeBinary),
    Column("state", String(8), nullable=False),
    Column("via", Text, nullable=False),
    Column("received", Instant, nullable=False),
    Column("destroy_after", Instant),
    Index("ix_entries_object", "org", "object_id"),
    Index("ix_entries_activity", "org", "activity_id"),
    Index("ix_entries_unheld", "org", "did", sqlite_where=IS_UNHELD, postgresql_where=IS_UNHELD),
)
heads = Table(
    "heads",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(60), nullable=False),
    Column("forked", Integer, nullable=False, server_default="0"),
)
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("content", String(60), nullable=False),
    Column("by_epoch", Integer, nullable=False),
    Column("by_sequence", BigInteger, nullable=False),
    Column("made", Instant, nullable=False),
    Column("contested", Boolean, nullable=False, server_default=false()),
)

HELD, HIDDEN, STUB, UNHELD = "held", "hidden", "stub", "unheld"
_LAST = (2**31 - 1, 2**53)
"""No entry stands past here; a place beyond it, asked for by anybody, would not fit the columns."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as kept. `raw` is `None` for a stub."""

    header: Header
    digest: str
    activity_id: str | None
    object_id: str | None
    type: str
    raw: bytes | None
    state: str
    via: str
    received: datetime


@dataclass(slots=True)
class Window:
    """A stretch of one log in memory, while many entries of it are judged within one transaction."""

    did: str
    lowest: int
    highest: int
    head: Head | None
    known: dict[int, tuple[Header, ...]]
    withdrawn: dict[tuple[int, int], str]
    """(epoch, sequence) → the content digest that a signed Delete names."""
    pending: list[Entry] = field(default_factory=list)
    """Appended here, not written yet."""

    def holds(self, sequence: int) -> bool:
        """Whether everything about this sequence is known here."""
        return self.lowest <= sequence <= self.highest

    def append(self, entry: Entry) -> None:
        """The entry after the head."""
        header = entry.header
        self.pending.append(entry)
        self.known[header.sequence] = (*self.known.get(header.sequence, ()), header)
        self.head = Head(header.epoch, header.sequence, entry.digest)


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A text that must stand nowhere any more."""

    org: str
    activity_id: str
    raw: bytes
    did: str = ""
    place: tuple[int, int] = (0, 0)
    object_id: str | None = None


def head(connection: Connection, org: str, did: str) -> Head | None:
    """The last entry of the gapless main line that we hold."""
    row = connection.execute(
        select(heads.c.epoch, heads.c.sequence, heads.c.digest).where(heads.c.org == org, heads.c.did == did)
    ).first()
    return Head(*row) if row else None


def head_table(connection: Connection, org: str) -> dict[str, Head]:
    """Every did's head, as others are told of it: a frozen member's is the last entry that is believed, and none is
    past an entry that is not held: what we tell of we can give.
    """
    rows = connection.execute(
        select(heads.c.did, heads.c.epoch, heads.c.sequence, heads.c.digest).where(heads.c.org == org)
    )
    found = {row.did: Head(row.epoch, row.sequence, row.digest) for row in rows}
    columns = (members.c.did, members.c.frozen_epoch, members.c.frozen_sequence)
    frozen = connection.execute(select(*columns).where(members.c.org == org, members.c.frozen_epoch.is_not(None)))
    for did, epoch, sequence in (*frozen, *_before_unheld(connection, org)):
        if did in found and found[did].order > (epoch, sequence):
            believed = [header for header in line(connection, org, did) if header.order <= (epoch, sequence)]
            del found[did]
            if believed:
                found[did] = Head(believed[-1].epoch, believed[-1].sequence, believed[-1].digest)
    return found


def forked(connection: Connection, org: str) -> frozenset[str]:
    """The dids whose log has more than one branch."""
    rows = connection.execute(select(heads.c.did).where(heads.c.org == org, heads.c.forked > 0))
    return frozenset(row.did for row in rows)


def branches(connection: Connection, org: str, did: str) -> int:
    """How many entries of one log stand beside its main line."""
    found = connection.execute(select(heads.c.forked).where(heads.c.org == org, heads.c.did == did)).scalar()
    return int(found or 0)


def beside(connection: Connection, org: str, did: str, sequence: int) -> tuple[Header, ...]:
    """The headers held with this sequence, of every branch."""
    rows = connection.execute(_select().where(of(org, did), entries.c.sequence == sequence))
    return tuple(_value(row).header for row in rows)


def find(connection: Connection, org: str, header: Header) -> Entry | None:
    """The entry of exactly this header."""
    row = connection.execute(
        _select().where(of(org, header.did), entries.c.sequence == header.sequence, entries.c.digest == header.digest)
    ).first()
    return _value(row) if row else None


def holds(connection: Connection, org: str, did: str, digest: str) -> bool:
    """Whether an entry of this header digest is held, on whatever branch."""
    return connection.execute(select(1).where(of(org, did), entries.c.digest == digest)).first() is not None


def activities_after(connection: Connection, org: str, did: str, after: tuple[int, int]) -> tuple[str, ...]:
    """The ids of the activities that stand past a position."""
    rows = connection.execute(
        select(entries.c.activity_id).where(
            of(org, did), tuple_(entries.c.epoch, entries.c.sequence) > after, entries.c.activity_id.is_not(None)
        )
    )
    return tuple(rows.scalars())


def by_activity(connection: Connection, org: str, activity_id: str) -> Entry | None:
    """The entry of an activity id, but not from past a freeze, and none that is not held."""
    wanted = (entries.c.org == org) & (entries.c.activity_id == activity_id) & (entries.c.state != UNHELD)
    row = connection.execute(_select().where(wanted, _believed())).first()
    return _value(row) if row else None


def of_object(connection: Connection, org: str, did: str, object_id: str) -> tuple[Entry, ...]:
    """Every entry of this author about one object, in log order."""
    rows = connection.execute(
        _select().where(of(org, did), entries.c.object_id == object_id).order_by(entries.c.epoch, entries.c.sequence)
    )
    return tuple(_value(row) for row in rows)


def of_types(connection: Connection, org: str, did: str, types: Sequence[str]) -> tuple[Entry, ...]:
    """Every entry of these types by one did, in log order."""
    rows = connection.execute(
        _select().where(of(org, did), entries.c.type.in_(types)).order_by(entries.c.epoch, entries.c.sequence)
    )
    return tuple(_value(row) for row in rows)


def followed(connection: Connection, org: str, did: str, digests: Sequence[str]) -> frozenset[str]:
    """Which of these digests an entry that we hold names as its `previous`."""
    rows = connection.execute(select(entries.c.previous).where(of(org, did), entries.c.previous.in_(digests)))
    return frozenset(rows.scalars())


def add_stubs(connection: Connection, org: str, headers: Sequence[Header], via: str, now: datetime) -> int:
    """Keep withdrawn entries that came as bare headers, and that a signed entry vouches for; how many are new."""
    new = 0
    for did in {header.did for header in headers}:
        mine = [header for header in headers if header.did == did]
        known = followed(connection, org, did, [header.digest for header in mine])
        for header in replicas.anchored(mine, known):
            if find(connection, org, header) is None:
                entry = Entry(header, header.digest, None, None, "", None, STUB, via, now)
                connection.execute(insert(entries).values(org=org, **_columns(entry)))
                new += 1
        if new:
            recount(connection, org, did)
    return new


def window(connection: Connection, org: str, did: str, lowest: int, highest: int) -> "Window":
    """What is held of one log around these sequences, read in three questions."""
    rows = connection.execute(
        _select(raw=False).where(of(org, did), entries.c.sequence.between(lowest - 1, highest + 1))
    )
    known: dict[int, tuple[Header, ...]] = {}
    for row in rows:
        known[row.sequence] = (*known.get(row.sequence, ()), _value(row).header)
    named = connection.execute(
        select(withdrawals.c.epoch, withdrawals.c.sequence, withdrawals.c.content).where(
            withdrawals.c.org == org, withdrawals.c.did == did, withdrawals.c.sequence.between(lowest, highest)
        )
    )
    return Window(
        did, lowest, highest, head(connection, org, did), known, {(row[0], row[1]): row[2] for row in named}
    )


def append_all(connection: Connection, org: str, did: str, found: Sequence[Entry], new: Head) -> None:
    """Keep entries that follow one another and the head, and move the head past them."""
    connection.execute(insert(entries), [{"org": org, **_columns(entry)} for entry in found])
    _set_head(connection, org, did, new)


def append(connection: Connection, org: str, entry: Entry) -> None:
    """Keep one entry and move the head as far as the line now reaches without a gap.

    The caller has looked with `fit` and holds no such entry yet.
    """
    header = entry.header
    connection.execute(insert(entries).values(org=org, **_columns(entry)))
    before = head(connection, org, header.did)
    fit = replicas.fit(header, before, [])
    if fit is replicas.Fit.NEXT and not _has(connection, org, header.did, header.sequence + 1):
        _set_head(connection, org, header.did, Head(header.epoch, header.sequence, entry.digest))
    elif fit is not replicas.Fit.GAP or _holds(connection, org, header):
        recount(connection, org, header.did)


def recount(connection: Connection, org: str, did: str) -> None:
    """Work out the main line from every header held; needed after a fork or when a gap closes."""
    rows = connection.execute(_select(raw=False).where(of(org, did)))
    headers = [_value(row).header for row in rows]
    line = replicas.main_line(headers)
    if line:
        last = line[-1]
        _set_head(connection, org, did, Head(last.epoch, last.sequence, last.digest))
    branches = len(headers) - len({header.sequence for header in headers})
    connection.execute(update(heads).where(heads.c.org == org, heads.c.did == did).values(forked=branches))


def line(connection: Connection, org: str, did: str) -> tuple[Header, ...]:
    """The main line's headers, from entry 1."""
    rows = connection.execute(_select(raw=False).where(of(org, did)))
    return replicas.main_line(_value(row).header for row in rows)


def read(
    connection: Connection, org: str, did: str, after: tuple[int, int], limit: int, *, newest: bool = False,
    types: Sequence[str] = (),
) -> tuple[Entry, ...]:  # fmt: skip
    """Entries from a position on, ascending; or up to `limit` of the newest before it, descending.

    Entries past a freeze are left out, and those that are not held; with `types` all others are.
    """
    place = tuple_(entries.c.epoch, entries.c.sequence)
    after = (min(after[0], _LAST[0]), min(after[1], _LAST[1]))
    order = (entries.c.epoch, entries.c.sequence, entries.c.digest)
    query = _select().where(of(org, did), entries.c.state != UNHELD, _believed())
    if types:
        query = query.where(entries.c.type.in_(types))
    if newest:
        query = query.where(place < after).order_by(*(column.desc() for column in order))
    else:
        query = query.where(place >= after).order_by(*order)
    return tuple(_value(row) for row in connection.execute(query.limit(limit)))


def hide(connection: Connection, org: str, digests: Sequence[str], destroy_after: datetime | None) -> None:
    """The text of these entries is shown and served no more; after `destroy_after` it is destroyed."""
    connection.execute(
        update(entries)
        .where(entries.c.org == org, entries.c.digest.in_(digests), entries.c.state == HELD)
        .values(state=HIDDEN, destroy_after=destroy_after)
    )


def _before_unheld(connection: Connection, org: str) -> list[tuple[str, int, int]]:
    columns = (entries.c.did, entries.c.epoch, entries.c.sequence)
    rows = connection.execute(select(*columns).where(entries.c.org == org, IS_UNHELD).order_by(*columns))
    return [(row.did, row.epoch, row.sequence - 1) for row in rows]


def hold_back(connection: Connection, org: str, did: str, after: datetime) -> None:
    """Too many withdrawals at once: what was to be destroyed after this moment waits with the others."""
    connection.execute(
        update(entries)
        .where(of(org, did), entries.c.state == HIDDEN, entries.c.destroy_after > after)
        .values(destroy_after=None)
    )


def unhide(connection: Connection, org: str, digests: Sequence[str]) -> None:
    """A withdrawal is not obeyed after all: the text comes back."""
    connection.execute(
        update(entries)
        .where(entries.c.org == org, entries.c.digest.in_(digests), entries.c.state == HIDDEN)
        .values(state=HELD, destroy_after=None)
    )


def fill(connection: Connection, org: str, digest: str, activity: Activity) -> None:
    """The text of a stub came after all."""
    connection.execute(
        update(entries)
        .where(entries.c.org == org, entries.c.digest == digest, entries.c.state == STUB)
        .values(
            raw=activity.raw, state=HELD, activity_id=activity.id, object_id=activity.object_id, type=activity.type
        )
    )


def destroy_due(connection: Connection, now: datetime) -> tuple[Destroyed, ...]:
    """Turn hidden entries whose time has come into stubs; says what is gone, for other tables to let go of it too."""
    due = and_(entries.c.state == HIDDEN, entries.c.destroy_after <= now)
    rows = connection.execute(_select().add_columns(entries.c.org).where(due)).all()
    if rows:
        values = {"state": STUB, "raw": None, "destroy_after": None, "activity_id": None}
        connection.execute(update(entries).where(due).values(**values))
    return tuple(
        Destroyed(row.org, row.activity_id or "", row.raw or b"", row.did, (row.epoch, row.sequence), row.object_id)
        for row in rows
    )


def of(org: str, did: str) -> ColumnElement[bool]:
    """The entries of this did, as a clause."""
    return and_(entries.c.org == org, entries.c.did == did)


def _has(connection: Connection, org: str, did: str, sequence: int) -> bool:
    return connection.execute(select(1).where(of(org, did), entries.c.sequence == sequence)).first() is not None


def _holds(connection: Connection, org: str, header: Header) -> bool:
    """Whether the entry before this one is held, on whatever branch: then the main line may change."""
    place = (entries.c.sequence == header.sequence - 1) & (entries.c.digest == header.previous)
    return connection.execute(select(1).where(of(org, header.did), place)).first() is not None


def _set_head(connection: Connection, org: str, did: str, new: Head) -> None:
    values = {"epoch": new.epoch, "sequence": new.sequence, "digest": new.digest}
    changed = connection.execute(update(heads).where(heads.c.org == org, heads.c.did == did).values(**values))
    if changed.rowcount == 0:
        connection.execute(insert(heads).values(org=org, did=did, forked=0, **values))


def _believed() -> ColumnElement[bool]:
    past = (
        select(members.c.did)
        .where(
            members.c.org == entries.c.org,
            members.c.did == entries.c.did,
            members.c.frozen_epoch.is_not(None),
            tuple_(entries.c.epoch, entries.c.sequence) > tuple_(members.c.frozen_epoch, members.c.frozen_sequence),
        )
        .correlate(entries)
    )
    return ~past.exists()


def _select(*, raw: bool = True) -> Select[Any]:
    skipped = {"org", "destroy_after"} | (set() if raw else {"raw"})
    return select(*(column for column in entries.columns if column.name not in skipped))


def _columns(entry: Entry) -> dict[str, Any]:
    header = entry.header
    return {
        "did": header.did,
        "epoch": header.epoch,
        "sequence": header.sequence,
        "previous": header.previous,
        "content": header.content,
        "digest": entry.digest,
        "activity_id": entry.activity_id,
        "object_id": entry.object_id,
        "type": entry.type,
        "raw": entry.raw,
        "state": entry.state,
        "via": entry.via,
        "received": entry.received,
    }


def _value(row: Row[Any]) -> Entry:
    return Entry(
        header=Header(row.did, row.epoch, row.sequence, row.previous, row.content),
        digest=row.digest,
        activity_id=row.activity_id,
        object_id=row.object_id,
        type=row.type,
        raw=row._mapping.get("raw"),
        state=row.state,
        via=row.via,
        received=row.received,
    )

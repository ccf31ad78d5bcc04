"""Organisations that ask to join a network: sealed rows, at the node where they asked and at each sponsor's.

Where they asked the row has a receipt too, by which the answer is found, and whose public half the answer is sealed to.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from node.models.base import Instant, metadata
from node.models.letters import letters

joinings = Table(
    "joinings",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("network", String(80), nullable=False),
    Column("host", String(80), nullable=False),
    Column("asked", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    Column("deletes", Instant, nullable=False),
    Column("sealed", LargeBinary),
    Column("sponsors", Text, nullable=False),
    Column("answered", Instant),
    Column("by", String(80), nullable=False),
    Column("told", Boolean, nullable=False),
    Column("tag", LargeBinary),
    Column("public", String(100), nullable=False),
    Column("wrapped", LargeBinary),
    Column("answer", LargeBinary),
    Index("ix_joinings_tag", "org", "tag"),
    Index("ix_joinings_deletes", "deletes"),
)


@dataclass(frozen=True, slots=True)
class Joining:
    """One of them."""

    id: str
    network: str
    host: str
    """The did of the organisation on whose page it was asked."""
    asked: datetime
    due: datetime
    deletes: datetime
    sealed: bytes | None
    """What was asked, for those who read what is of the network; nothing where we are no sponsor of it."""
    sponsors: tuple[str, ...]
    """Whom it was given to; known where it was asked."""
    answered: datetime | None = None
    by: str = ""
    """The did that answered first."""
    told: bool = False
    """Whether the other sponsors know that."""
    tag: bytes | None = None
    public: str = ""
    wrapped: bytes | None = None
    answer: bytes | None = None
    """Sealed to the receipt."""


def add(connection: Connection, org: str, value: Joining) -> None:
    """Keep it."""
    fields = {name: getattr(value, name) for name in Joining.__slots__}
    connection.execute(insert(joinings).values(org=org, **fields | {"sponsors": " ".join(value.sponsors)}))


def find(connection: Connection, org: str, name: str) -> Joining | None:
    """One by its id."""
    return next(iter(_read(connection, (joinings.c.org == org) & (joinings.c.id == name))), None)


def by_tag(connection: Connection, org: str, tag: bytes) -> Joining | None:
    """What a receipt opens."""
    return next(iter(_read(connection, (joinings.c.org == org) & (joinings.c.tag == tag))), None)


def all_of(connection: Connection, org: str) -> tuple[Joining, ...]:
    """Every one: those that wait first, the one promised soonest before the others."""
    return _read(connection, joinings.c.org == org)


def open_count(connection: Connection, org: str, host: str) -> int:
    """How many that were asked on this organisation's page wait for an answer."""
    waits = (joinings.c.org == org) & (joinings.c.host == host) & joinings.c.answered.is_(None)
    found: int = connection.execute(select(func.count()).select_from(joinings).where(waits)).scalar_one()
    return found


def count(connection: Connection, org: str, host: str) -> int:
    """How many that were asked on this organisation's page are here, answered or not."""
    where = (joinings.c.org == org) & (joinings.c.host == host)
    found: int = connection.execute(select(func.count()).select_from(joinings).where(where)).scalar_one()
    return found


def overdue(connection: Connection, org: str, now: datetime) -> int:
    """How many wait longer than was promised."""
    waits = (joinings.c.org == org) & joinings.c.answered.is_(None) & (joinings.c.due < now)
    found: int = connection.execute(select(func.count()).select_from(joinings).where(waits)).scalar_one()
    return found


def late(connection: Connection, org: str, now: datetime) -> tuple[datetime, ...]:
    """By when those should have been answered."""
    waits = (joinings.c.org == org) & joinings.c.answered.is_(None) & (joinings.c.due < now)
    return tuple(connection.execute(select(joinings.c.due).where(waits).order_by(joinings.c.due)).scalars())


def settle(
    connection: Connection, org: str, name: str, by: str, now: datetime, deletes: datetime,
    answer: bytes | None = None, *, told: bool = True,
) -> None:  # fmt: skip
    """It was answered."""
    where = (joinings.c.org == org) & (joinings.c.id == name)
    values = {"answered": now, "by": by, "deletes": deletes, "answer": answer, "told": told}
    connection.execute(update(joinings).where(where).values(**values))


def untold(connection: Connection) -> tuple[tuple[str, Joining], ...]:
    """(org, joining) of which the other sponsors do not know yet that they were answered."""
    where = joinings.c.answered.is_not(None) & ~joinings.c.told
    orgs = connection.execute(select(joinings.c.org, joinings.c.id).where(where)).all()
    return tuple((row.org, found) for row in orgs if (found := find(connection, row.org, row.id)) is not None)


def mark_told(connection: Connection, org: str, name: str) -> None:
    """They know."""
    connection.execute(update(joinings).where(joinings.c.org == org, joinings.c.id == name).values(told=True))


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether there is something to forget."""
    return connection.execute(select(joinings.c.id).where(joinings.c.deletes <= now).limit(1)).first() is not None


def forget(connection: Connection, now: datetime, kinds: Collection[str]) -> int:
    """Those whose time has come go with their bytes, and with the envelopes that carried them; returns how many.

    Args:
        kinds: of the letters that carry what was asked and answered.
    """
    gone = connection.execute(select(joinings.c.org, joinings.c.id).where(joinings.c.deletes <= now)).all()
    for org, name in gone:
        mine = (letters.c.org == org) & (letters.c.about == name) & letters.c.kind.in_(kinds)
        connection.execute(update(letters).where(mine).values(raw=None, sealed=None))
        connection.execute(delete(joinings).where(joinings.c.org == org, joinings.c.id == name))
    return len(gone)


def _read(connection: Connection, where: Any) -> tuple[Joining, ...]:
    columns = [joinings.c[name] for name in Joining.__slots__]
    order = (joinings.c.answered.is_not(None), joinings.c.due, joinings.c.id)
    rows = connection.execute(select(*columns).where(where).order_by(*order))
    return tuple(Joining(**{**row._mapping, "sponsors": tuple(row.sponsors.split())}) for row in rows)

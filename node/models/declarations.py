"""Who declared whose key no longer trusted, and after which entry; and what members last claimed their own head to be.

A freeze by hand is a declaration of our own. Which declarations count, and how many it takes, is the rule of
`node/declarations.py`; these are the rows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from node.federation.protocol.replicas import Head
from node.models.base import Instant, metadata

declarations = Table(
    "declarations",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("by", String(80), nullable=False),
    Column("about", String(80), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(60), nullable=False),
    Column("made", Instant, nullable=False),
    Index("ix_declarations_about", "org", "about"),
)
claims = Table(
    "claims",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(60), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("made", Instant, nullable=False),
)

LOCAL = "local:"
"""Begins the id of a freeze by hand that was told to nobody."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One organisation's word that nothing by `about` past this place is to be believed."""

    id: str
    by: str
    about: str
    epoch: int
    sequence: int
    digest: str
    """Of the last entry that is believed; empty where only its number is known."""
    made: datetime

    @property
    def after(self) -> tuple[int, int]:
        """The last place that is believed."""
        return self.epoch, self.sequence


@dataclass(frozen=True, slots=True)
class Claim:
    """The newest head that a member signed for its own log."""

    head: Head
    document: bytes
    made: datetime


def save(connection: Connection, org: str, value: Declaration) -> None:
    """Keep a declaration; of one organisation about another the newest counts."""
    same = (declarations.c.by == value.by) & (declarations.c.about == value.about)
    connection.execute(delete(declarations).where(declarations.c.org == org, same))
    values = {name: getattr(value, name) for name in Declaration.__slots__}
    connection.execute(insert(declarations).values(org=org, **values))


def retract(connection: Connection, org: str, by: str, name: str) -> str | None:
    """Take a declaration back; returns whom it was about, `None` where there is none of this organisation."""
    where = (declarations.c.org == org) & (declarations.c.id == name) & (declarations.c.by == by)
    about: str | None = connection.execute(select(declarations.c.about).where(where)).scalar()
    if about is not None:
        connection.execute(delete(declarations).where(where))
    return about


def about(connection: Connection, org: str, did: str) -> tuple[Declaration, ...]:
    """Every declaration about one did, oldest first."""
    rows = connection.execute(
        _select().where(declarations.c.org == org, declarations.c.about == did).order_by(declarations.c.made)
    )
    return tuple(Declaration(*row) for row in rows)


def by(connection: Connection, org: str, did: str) -> tuple[Declaration, ...]:
    """Every declaration of one organisation, but for a freeze by hand."""
    told = declarations.c.id.not_like(LOCAL + "%")
    rows = connection.execute(_select().where(declarations.c.org == org, declarations.c.by == did, told))
    return tuple(Declaration(*row) for row in rows)


def all_of(connection: Connection, org: str) -> tuple[Declaration, ...]:
    """Every declaration known here."""
    rows = connection.execute(_select().where(declarations.c.org == org).order_by(declarations.c.made))
    return tuple(Declaration(*row) for row in rows)


def drop_by(connection: Connection, org: str, did: str) -> None:
    """Forget what one organisation declared, before its log is judged anew."""
    connection.execute(delete(declarations).where(declarations.c.org == org, declarations.c.by == did))


def claim(connection: Connection, org: str, did: str) -> Claim | None:
    """What a member last signed about its own head."""
    row = connection.execute(
        select(claims.c.epoch, claims.c.sequence, claims.c.digest, claims.c.document, claims.c.made).where(
            claims.c.org == org, claims.c.did == did
        )
    ).first()
    return Claim(Head(row[0], row[1], row[2]), row[3], row[4]) if row else None


def save_claim(connection: Connection, org: str, did: str, value: Claim) -> None:
    """Keep the newest claim."""
    head = value.head
    values = {
        "epoch": head.epoch, "sequence": head.sequence, "digest": head.digest, "document": value.document,
        "made": value.made,
    }  # fmt: skip
    where = (claims.c.org == org) & (claims.c.did == did)
    if connection.execute(update(claims).where(where).values(**values)).rowcount == 0:
        connection.execute(insert(claims).values(org=org, did=did, **values))


def _select() -> Select[Any]:
    return select(*(declarations.c[name] for name in Declaration.__slots__))

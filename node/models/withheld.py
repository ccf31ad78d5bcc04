"""Signatures whose names are withheld, as rows: what is counted in the clear, the name sealed; nobody's did."""

from dataclasses import fields
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
)

from node import withheld as rules
from node.models.base import Instant, metadata
from node.withheld import Withheld

withheld = Table(
    "withheld",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("tag", String(64), primary_key=True),
    Column("alert", Text, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("said", Instant, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("sealed", LargeBinary),
    Index("ix_withheld_alert", "org", "alert"),
)
_MOST = 2_000
"""Of one alert."""


def save(connection: Connection, org: str, value: Withheld, sealed: bytes | None) -> bool:
    """Keep a word, unless a newer one of the same tag is here; says whether it was kept.

    Args:
        sealed: the letter, for those in the room "network"; nothing of one that is taken back.
    """
    here = (withheld.c.org == org) & (withheld.c.tag == value.tag)
    row = connection.execute(select(*_columns()).where(here)).first()
    if row is None:
        many = (withheld.c.org == org) & (withheld.c.alert == value.alert)
        if connection.execute(select(func.count()).where(many)).scalar_one() >= _MOST:
            return False
    elif not rules.replaces(value, Withheld(*row)):
        return False
    connection.execute(delete(withheld).where(here))
    values = {name.name: getattr(value, name.name) for name in fields(Withheld)}
    connection.execute(insert(withheld).values(org=org, **values, sealed=None if value.gone else sealed))
    return True


def about(connection: Connection, org: str, alert: str) -> tuple[Withheld, ...]:
    """All of one alert, the first said first."""
    query = select(*_columns()).where(withheld.c.org == org, withheld.c.alert == alert)
    return tuple(Withheld(*row) for row in connection.execute(query.order_by(withheld.c.said, withheld.c.tag)))


def sealed(connection: Connection, org: str, limit: int = 1_000) -> tuple[tuple[str, bytes], ...]:
    """(alert, sealed letter) of all that were not taken back, the newest first."""
    query = select(withheld.c.alert, withheld.c.sealed).where(withheld.c.org == org, withheld.c.sealed.is_not(None))
    rows = connection.execute(query.order_by(withheld.c.said.desc(), withheld.c.tag).limit(limit))
    return tuple((row.alert, row.sealed) for row in rows)


def remove(connection: Connection, org: str, alert: str) -> None:
    """The alert was withdrawn: nothing of who signed it stays."""
    connection.execute(delete(withheld).where(withheld.c.org == org, withheld.c.alert == alert))


def _columns() -> list[Column[Any]]:
    return [withheld.c[name.name] for name in fields(Withheld)]

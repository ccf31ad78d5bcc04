"""Alerts as pages and lists need them: a view over objects that can be rebuilt from the logs at any time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from node.models.base import Id, Instant, metadata

_HIDDEN = text("NOT shown")
alerts = Table(
    "alerts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("uri", Text, nullable=False),
    Column("page", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("did", String(80), nullable=False),
    Column("reference", Text, nullable=False),
    Column("headline", Text, nullable=False),
    Column("language", String(20), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("certainty", String(20), nullable=False),
    Column("country", String(2), nullable=False),
    Column("status", String(10), nullable=False),
    Column("state", String(12), nullable=False),
    Column("published", Instant, nullable=False),
    Column("updated", Instant),
    Column("expires", Instant),
    Column("translation_of", Text),
    Column("via", Text, nullable=False),
    Column("received", Instant, nullable=False),
    Column("shown", Boolean, nullable=False, server_default=true()),
    Index("ix_alerts_page", "org", "page"),
    Index("ix_alerts_published", "org", "published"),
    Index("ix_alerts_hidden", "org", "did", sqlite_where=_HIDDEN, postgresql_where=_HIDDEN),
)
numbers = Table(
    "numbers",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", Id, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert in a list."""

    object_id: str
    uri: str
    """Its https id, where it was signed."""
    page: str
    """The last part of its page's address, `/alerts/{page}`."""
    author: str
    did: str
    reference: str
    headline: str
    language: str
    kind: str
    severity: str
    urgency: str
    certainty: str
    country: str
    status: str
    state: str
    published: datetime
    updated: datetime | None
    expires: datetime | None
    translation_of: str | None
    via: str
    received: datetime
    shown: bool = True
    """Whether the operator shows it to everyone; what is not shown is in no list that does not ask for it."""


def save(connection: Connection, org: str, record: AlertRecord) -> None:
    """Keep an alert in place of what we had under its id; where it first came from stays."""
    values = {name: getattr(record, name) for name in AlertRecord.__slots__ if name != "object_id"}
    where = (alerts.c.org == org) & (alerts.c.object_id == record.object_id)
    kept = {name: value for name, value in values.items() if name not in ("via", "received")}
    if connection.execute(update(alerts).where(where).values(**kept)).rowcount == 0:
        connection.execute(insert(alerts).values(org=org, object_id=record.object_id, **values))


def remove(connection: Connection, org: str, object_id: str) -> None:
    """Withdrawn: nothing of it stays in the list, its headline neither."""
    connection.execute(delete(alerts).where(alerts.c.org == org, alerts.c.object_id == object_id))


def drop_author(connection: Connection, org: str, author: str) -> None:
    """Forget the view of one author, before it is rebuilt."""
    connection.execute(delete(alerts).where(alerts.c.org == org, alerts.c.author == author))


def mark_shown(connection: Connection, org: str, object_id: str, shown: bool) -> None:
    """The operator shows it to everyone from now on, or no more."""
    where = (alerts.c.org == org) & (alerts.c.object_id == object_id)
    connection.execute(update(alerts).where(where).values(shown=shown))


def hidden_ids(connection: Connection, org: str, did: str) -> frozenset[str]:
    """The alerts of one author that are held and not shown to everyone."""
    where = (alerts.c.org == org) & (alerts.c.did == did)
    return frozenset(connection.execute(select(alerts.c.object_id).where(where, _HIDDEN)).scalars())


def find(connection: Connection, org: str, name: str) -> AlertRecord | None:
    """One alert that is shown, by canonical id, https id, or the last part of its page's address."""
    row = connection.execute(
        select(*_columns()).where(
            alerts.c.org == org, alerts.c.shown,
            (alerts.c.object_id == name) | (alerts.c.uri == name) | (alerts.c.page == name),
        )
    ).first()  # fmt: skip
    return AlertRecord(*row) if row else None


def newest(
    connection: Connection,
    org: str,
    *,
    author: str | None = None,
    statuses: Sequence[str] = ("actual",),
    offset: int = 0,
    limit: int = 20,
    translations: bool = False,
    hidden: bool = False,
) -> tuple[AlertRecord, ...]:
    """Alerts, newest first; translations stand beside their original and are left out unless asked for.

    Args:
        hidden: for the operator's eyes: those too that are not shown to everyone.
    """
    query = select(*_columns()).where(alerts.c.org == org, alerts.c.status.in_(statuses))
    if not hidden:
        query = query.where(alerts.c.shown)
    if author is not None:
        query = query.where(alerts.c.author == author)
    if not translations:
        query = query.where(alerts.c.translation_of.is_(None))
    query = query.order_by(alerts.c.published.desc(), alerts.c.object_id).offset(offset).limit(limit)
    return tuple(AlertRecord(*row) for row in connection.execute(query))


def translations_of(connection: Connection, org: str, object_id: str) -> tuple[AlertRecord, ...]:
    """The translations of an alert."""
    rows = connection.execute(
        select(*_columns()).where(alerts.c.org == org, alerts.c.translation_of == object_id, alerts.c.shown)
    )
    return tuple(AlertRecord(*row) for row in rows)


def count(connection: Connection, org: str, statuses: Sequence[str], author: str | None = None) -> int:
    """How many are shown, translations not counted."""
    query = select(func.count()).where(
        alerts.c.org == org, alerts.c.status.in_(statuses), alerts.c.translation_of.is_(None), alerts.c.shown
    )
    if author is not None:
        query = query.where(alerts.c.author == author)
    return connection.execute(query).scalar_one()


def next_number(connection: Connection, org: str, name: str) -> int:
    """Count up: 1, 2, 3 … for one organisation and purpose (the number in a reference code)."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(numbers).values(org=org, name=name, value=1)
    counted = first.on_conflict_do_update(index_elements=["org", "name"], set_={"value": numbers.c.value + 1})
    return int(connection.execute(counted.returning(numbers.c.value)).scalar_one())


def has_reference(connection: Connection, org: str, did: str, reference: str) -> bool:
    """Whether an alert of this author bears this reference code."""
    where = (alerts.c.org == org) & (alerts.c.did == did) & (alerts.c.reference == reference)
    return connection.execute(select(alerts.c.object_id).where(where)).first() is not None


def _columns() -> list[Column[Any]]:
    return [alerts.c[name] for name in AlertRecord.__slots__]

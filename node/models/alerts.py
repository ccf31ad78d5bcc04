"""Alerts as pages and lists need them: a view over objects that can be rebuilt from the logs at any time.

An alert and its news are a chain: one place in a list, at the date of its newest part. Which is news of which, the
author says in the news itself; a chain has one author and one status.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from node.alert_terms import HELD_STATUSES
from node.federation.protocol import ids
from node.models.base import Id, Instant, metadata
from node.models.contacts import Member

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
    Column("news_of", Text),
    Column("latest", Instant, nullable=False, server_default="0"),
    Index("ix_alerts_page", "org", "page"),
    Index("ix_alerts_published", "org", "published"),
    Index("ix_alerts_hidden", "org", "did", sqlite_where=_HIDDEN, postgresql_where=_HIDDEN),
    Index("ix_alerts_latest", "org", "latest"),
    Index("ix_alerts_news", "org", "news_of"),
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
    news_of: str | None = None
    """Canonical id of the alert that this is news of."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The first alert and its news, oldest first; main languages only."""

    first: AlertRecord
    news: tuple[AlertRecord, ...] = ()

    @property
    def newest(self) -> AlertRecord:
        """The part that holds now."""
        return self.news[-1] if self.news else self.first


def save(connection: Connection, org: str, record: AlertRecord) -> None:
    """Keep an alert in place of what we had under its id; where it first came from stays."""
    values = {name: getattr(record, name) for name in AlertRecord.__slots__ if name != "object_id"}
    where = (alerts.c.org == org) & (alerts.c.object_id == record.object_id)
    kept = {name: value for name, value in values.items() if name not in ("via", "received")}
    if connection.execute(update(alerts).where(where).values(**kept)).rowcount == 0:
        connection.execute(insert(alerts).values(org=org, object_id=record.object_id, **values))
    _date(connection, org, record.object_id)
    if record.news_of is not None:
        _date(connection, org, record.news_of)


def remove(connection: Connection, org: str, object_id: str) -> None:
    """Withdrawn: nothing of it stays in the list, its headline neither."""
    where = (alerts.c.org == org) & (alerts.c.object_id == object_id)
    first = connection.execute(select(alerts.c.news_of).where(where)).scalar()
    connection.execute(delete(alerts).where(where))
    if first is not None:
        _date(connection, org, first)


def chain(connection: Connection, org: str, name: str) -> Chain | None:
    """The whole story that an alert belongs to, named by any part of it; `None` where nothing of it is here.

    Where the first alert is not here, its news stands alone.
    """
    record = find(connection, org, name)
    if record is not None and record.translation_of is not None:
        record = find(connection, org, record.translation_of) or record
    if record is None:
        return None
    first = find(connection, org, record.news_of) if record.news_of else None
    whole = record if first is None or not _is_first(first, record) else first
    return Chain(whole, news_of(connection, org, whole))


def news_of(connection: Connection, org: str, first: AlertRecord) -> tuple[AlertRecord, ...]:
    """The news of an alert in its main language, oldest first: by its own author, and an exercise's are exercises."""
    if first.news_of is not None:
        return ()
    rows = connection.execute(
        select(*_columns())
        .where(
            alerts.c.org == org,
            alerts.c.news_of == first.object_id,
            alerts.c.translation_of.is_(None),
            alerts.c.did == first.did,
            alerts.c.status == first.status,
        )
        .order_by(alerts.c.published, alerts.c.object_id)
    )
    return tuple(AlertRecord(*row) for row in rows)


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


def shown_among(connection: Connection, org: str, object_ids: Collection[str]) -> dict[str, AlertRecord]:
    """Of these canonical ids those that are shown."""
    query = select(*_columns()).where(alerts.c.org == org, alerts.c.shown, alerts.c.object_id.in_(object_ids))
    return {row.object_id: AlertRecord(*row) for row in connection.execute(query)}


def find(connection: Connection, org: str, name: str) -> AlertRecord | None:
    """One alert that is shown, by canonical id, https id, or the last part of its page's address."""
    query = select(*_columns()).where(alerts.c.org == org, alerts.c.shown)
    # One after the other: only the last looks through the whole table.
    for named in (alerts.c.object_id, alerts.c.page, alerts.c.uri):
        row = connection.execute(query.where(named == name)).first()
        if row is not None:
            return AlertRecord(*row)
    return None


def told_of(connection: Connection, org: str, object_id: str, author: str) -> tuple[str, ...]:
    """The ids of all news of an alert by this author, in every language, whether or not the alert itself is here."""
    where = (alerts.c.org == org) & (alerts.c.news_of == object_id) & (alerts.c.author == author)
    return tuple(connection.execute(select(alerts.c.object_id).where(where)).scalars())


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
    language: str | None = None,
) -> tuple[AlertRecord, ...]:
    """Chains of alerts, the newest part's date first; translations and news are left out unless asked for.

    Args:
        hidden: for the operator's eyes: those too that are not shown to everyone.
        language: only what is written in this language, a subtag in small letters, or a regional form of it.
    """
    query = select(*_columns()).where(alerts.c.org == org, alerts.c.status.in_(statuses))
    if not hidden:
        query = query.where(alerts.c.shown)
    if author is not None:
        query = query.where(alerts.c.author == author)
    if language is not None:
        tag = func.lower(alerts.c.language)
        query = query.where((tag == language) | tag.startswith(f"{language}-", autoescape=True))
    if not translations:
        query = query.where(alerts.c.translation_of.is_(None), ~_is_told_elsewhere())
    order = alerts.c.published if translations else alerts.c.latest
    query = query.order_by(order.desc(), alerts.c.received.desc(), alerts.c.object_id).offset(offset).limit(limit)
    return tuple(AlertRecord(*row) for row in connection.execute(query))


def translations_of(connection: Connection, org: str, object_id: str) -> tuple[AlertRecord, ...]:
    """The translations of an alert."""
    rows = connection.execute(
        select(*_columns()).where(alerts.c.org == org, alerts.c.translation_of == object_id, alerts.c.shown)
    )
    return tuple(AlertRecord(*row) for row in rows)


def count(connection: Connection, org: str, statuses: Sequence[str], author: str | None = None) -> int:
    """How many chains are shown."""
    query = select(func.count()).where(
        alerts.c.org == org, alerts.c.status.in_(statuses), alerts.c.translation_of.is_(None), ~_is_told_elsewhere(),
        alerts.c.shown,
    )
    if author is not None:
        query = query.where(alerts.c.author == author)
    return connection.execute(query).scalar_one()


def has_page(connection: Connection, org: str, member: Member) -> bool:
    """Whether a member has a page of its own here: it agreed to be named, or something that it said is shown."""
    author = str(ids.Portable(member.did, "/actor"))
    return member.listed or count(connection, org, HELD_STATUSES, author) > 0


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


def is_over(now: datetime) -> ColumnElement[bool]:
    """Nobody should act on it any more: closed, itself or the alert that it is news of, or expired."""
    first = alerts.alias("over")
    closed = (first.c.org == alerts.c.org) & (first.c.object_id == alerts.c.news_of) & (first.c.state == "closed")
    ended = select(first.c.object_id).where(closed).correlate(alerts).exists()
    return (alerts.c.state == "closed") | ended | and_(alerts.c.expires.is_not(None), alerts.c.expires <= now)


def _is_first(first: AlertRecord, news: AlertRecord) -> bool:
    return first.news_of is None and (first.did, first.status) == (news.did, news.status)


def _is_told_elsewhere() -> ColumnElement[bool]:
    """News whose first alert is here: the chain stands in a list once."""
    first = alerts.alias("first")
    return (
        select(first.c.object_id)
        .where(
            first.c.org == alerts.c.org,
            first.c.object_id == alerts.c.news_of,
            first.c.did == alerts.c.did,
            first.c.status == alerts.c.status,
            first.c.news_of.is_(None),
        )
        .correlate(alerts)
        .exists()
    )


def _date(connection: Connection, org: str, object_id: str) -> None:
    """Reckon anew when the chain that begins here last changed, in whatever order its parts came."""
    record = find(connection, org, object_id)
    if record is None:
        return
    latest = max((record.published, *(each.published for each in news_of(connection, org, record))))
    where = (alerts.c.org == org) & (alerts.c.object_id == object_id)
    connection.execute(update(alerts).where(where).values(latest=latest))


def _columns() -> list[Column[Any]]:
    return [alerts.c[name] for name in AlertRecord.__slots__]

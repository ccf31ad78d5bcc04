"""What is known of others' servers and of who carries on for whom: probes, members' notices, our own copies."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, LargeBinary, String, Table, Text, delete, insert, select, update

from node.federation.protocol.actors import timestamp
from node.models import logs
from node.models.base import Instant, metadata
from node.relays import Notice

origins = Table(
    "origins",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("checked", Instant, nullable=False),
    Column("failing_since", Instant),
    Column("enough_since", Instant),
)
notices = Table(
    "notices",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("published", Instant, nullable=False),
    Column("unreachable", Text, nullable=False),
    Column("carried", Text, nullable=False),
    Column("willing", Boolean, nullable=False),
)
carried = Table(
    "carried",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("did", String(80), nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("since", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """How a member's server answered when it was asked last."""

    did: str
    checked: datetime
    failing_since: datetime | None
    enough_since: datetime | None
    """Since when enough members have said that it is gone."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An alert that we carry on under our own id; `raw` is `None` once it was taken back."""

    object_id: str
    did: str
    id: str
    version: str
    """`updated` of the text that the copy was made of."""
    raw: bytes | None
    since: datetime


def origins_of(connection: Connection, org: str) -> dict[str, Origin]:
    """did → its server, for every member that was ever asked."""
    rows = connection.execute(select(*_columns(origins, Origin)).where(origins.c.org == org))
    return {row[0]: Origin(*row) for row in rows}


def note_probe(connection: Connection, org: str, did: str, answered: bool, now: datetime) -> None:
    """A member's server was asked, and answered or not."""
    held = origins_of(connection, org).get(did)
    since = None if answered else (held.failing_since if held else None) or now
    where = (origins.c.org == org) & (origins.c.did == did)
    values = {"checked": now, "failing_since": since}
    if answered:
        values["enough_since"] = None
    if connection.execute(update(origins).where(where).values(**values)).rowcount == 0:
        connection.execute(insert(origins).values(org=org, did=did, **values))


def set_enough(connection: Connection, org: str, did: str, since: datetime | None) -> None:
    """From now on the notices about this member are enough, or are not any more."""
    where = (origins.c.org == org) & (origins.c.did == did)
    connection.execute(update(origins).where(where).values(enough_since=since))


def spoke_itself(connection: Connection, org: str, did: str, host: str, since: datetime) -> bool:
    """Whether a log entry of this did came from its own host after a moment."""
    table = logs.entries
    where = (table.c.org == org) & (table.c.did == did) & (table.c.via == host) & (table.c.received > since)
    return connection.execute(select(table.c.sequence).where(where).limit(1)).first() is not None


def save_notice(connection: Connection, org: str, notice: Notice) -> None:
    """Keep what a member says now, or said later than what we have."""
    held = connection.execute(
        select(notices.c.published).where(notices.c.org == org, notices.c.did == notice.did)
    ).scalar()
    if held is not None and held > notice.published:
        return
    connection.execute(delete(notices).where(notices.c.org == org, notices.c.did == notice.did))
    unreachable = {did: timestamp(since) for did, since in notice.unreachable.items()}
    connection.execute(
        insert(notices).values(
            org=org,
            did=notice.did,
            published=notice.published,
            unreachable=json.dumps(unreachable),
            carried=json.dumps(sorted(notice.carried)),
            willing=notice.willing,
        )
    )


def notices_of(connection: Connection, org: str, after: datetime) -> dict[str, Notice]:
    """did → what it said, and it still counts."""
    names = ("did", "published", "unreachable", "carried", "willing")
    columns = [notices.c[name] for name in names]
    rows = connection.execute(select(*columns).where(notices.c.org == org, notices.c.published > after))
    return {row[0]: _notice(*row) for row in rows}


def forget_notices(connection: Connection, org: str, before: datetime) -> None:
    """What members said so long ago that it counts no longer."""
    connection.execute(delete(notices).where(notices.c.org == org, notices.c.published <= before))


def copies_of(connection: Connection, org: str) -> dict[str, Copy]:
    """Alert's id → the copy that we carry."""
    where = (carried.c.org == org) & carried.c.raw.is_not(None)
    return {row[0]: Copy(*row) for row in connection.execute(select(*_columns(carried, Copy)).where(where))}


def find_copy(connection: Connection, org: str, note: str) -> Copy | None:
    """A copy by its own id, also one that was taken back."""
    row = connection.execute(
        select(*_columns(carried, Copy)).where(carried.c.org == org, carried.c.id == note)
    ).first()
    return Copy(*row) if row else None


def save_copy(connection: Connection, org: str, copy: Copy) -> None:
    """Keep a copy in place of an earlier one of the same alert."""
    connection.execute(delete(carried).where(carried.c.org == org, carried.c.object_id == copy.object_id))
    values = {name: getattr(copy, name) for name in Copy.__slots__}
    connection.execute(insert(carried).values(org=org, **values))


def drop_copy(connection: Connection, org: str, object_id: str) -> None:
    """A copy is taken back; that there was one stays, its text does not."""
    where = (carried.c.org == org) & (carried.c.object_id == object_id)
    connection.execute(update(carried).where(where).values(raw=None))


def _notice(did: str, published: datetime, unreachable: str, named: str, willing: bool) -> Notice:
    since = {each: datetime.fromisoformat(moment) for each, moment in json.loads(unreachable).items()}
    return Notice(did, published, since, frozenset(json.loads(named)), willing)


def _columns(table: Table, value: type[Origin | Copy]) -> list[Column[Any]]:
    return [table.c[name] for name in value.__slots__]

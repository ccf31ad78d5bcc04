"""How far our log goes at each member, by the head table that it signed; and how each word of ours was delivered."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, delete, func, insert, select

from node.coverage import Reach, Sent
from node.federation.protocol.replicas import Head
from node.models import logs
from node.models.base import Instant, metadata
from node.models.boosts import DONE, boosts
from node.models.deliveries import deliveries, payloads

reaches = Table(
    "reaches",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(60), nullable=False),
    Column("seen", Instant, nullable=False),
)


def save(connection: Connection, org: str, did: str, head: Head, now: datetime) -> None:
    """A member signed that it holds our log up to here. The table it stood in is not kept: it says whom she pinned."""
    connection.execute(delete(reaches).where(reaches.c.org == org, reaches.c.did == did))
    values = {"epoch": head.epoch, "sequence": head.sequence, "digest": head.digest}
    connection.execute(insert(reaches).values(org=org, did=did, seen=now, **values))


def reach_of(connection: Connection, org: str, did: str) -> Head | None:
    """The newest head of our log that a member signed."""
    columns = (reaches.c.epoch, reaches.c.sequence, reaches.c.digest)
    row = connection.execute(select(*columns).where(reaches.c.org == org, reaches.c.did == did)).first()
    return Head(*row) if row else None


def reached(connection: Connection, org: str) -> dict[str, Reach]:
    """did → how far it holds our log; a head that stands on no branch of ours proves nothing."""
    rows = connection.execute(select(reaches).where(reaches.c.org == org)).all()
    return {
        row.did: Reach((row.epoch, row.sequence), row.seen)
        for row in rows if logs.holds(connection, org, org, row.digest)
    }  # fmt: skip


def sent(connection: Connection, org: str, activity_ids: Collection[str]) -> tuple[Sent, ...]:
    """Every delivery of these words that is still on record, in the order of its making."""
    names = ("inbox", "host", "state", "attempts", "due", "settled", "status")
    query = (
        select(*(deliveries.c[name] for name in names))
        .join(payloads, payloads.c.id == deliveries.c.payload)
        .where(payloads.c.org == org, payloads.c.activity_id.in_(activity_ids))
        .order_by(deliveries.c.id)
    )
    return tuple(Sent(*row) for row in connection.execute(query))


def boosted(connection: Connection, object_id: str) -> tuple[datetime, ...]:
    """When an `@alerts` of this node passed an alert on."""
    said = (boosts.c.object_id == object_id) & (boosts.c.state == DONE)
    return tuple(connection.execute(select(boosts.c.due).where(said).order_by(boosts.c.due)).scalars())


def late(connection: Connection, org: str, before: datetime) -> datetime | None:
    """Since when the oldest word waits that a member's server has not taken; only of words older than this."""
    query = (
        select(func.min(payloads.c.made))
        .join(deliveries, deliveries.c.payload == payloads.c.id)
        .where(payloads.c.org == org, deliveries.c.state == "waiting", payloads.c.made < before)
        .where(deliveries.c.form == "log")
    )
    found: datetime | None = connection.execute(query).scalar()
    return found

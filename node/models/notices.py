"""When somebody last looked at their notices, and the feed that tells them, outside of the desk, that something waits.

A feed's address is 256 random bits, kept as their digest: a copy of the database opens no feed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Index, String, Table, delete, insert, select

from node.models.base import Instant, metadata

looks = Table(
    "notice_looks",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("seen", Instant, nullable=False),
)
feeds = Table(
    "notice_feeds",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("made", Instant, nullable=False),
    Index("ix_notice_feeds_digest", "digest"),
)


@dataclass(frozen=True, slots=True)
class Feed:
    """One person's feed."""

    org: str
    person: str
    made: datetime


def seen(connection: Connection, org: str, person: str) -> datetime | None:
    """When a person last looked; `None` before the first time."""
    where = (looks.c.org == org) & (looks.c.person == person)
    found: datetime | None = connection.execute(select(looks.c.seen).where(where)).scalar()
    return found


def look(connection: Connection, org: str, person: str, now: datetime) -> None:
    """A person has looked."""
    connection.execute(delete(looks).where(looks.c.org == org, looks.c.person == person))
    connection.execute(insert(looks).values(org=org, person=person, seen=now))


def renew(connection: Connection, org: str, person: str, digest: str, now: datetime) -> None:
    """A new address for a person's feed; the one before opens nothing any more."""
    revoke(connection, org, person)
    connection.execute(insert(feeds).values(org=org, person=person, digest=digest, made=now))


def revoke(connection: Connection, org: str, person: str) -> None:
    """No feed any more."""
    connection.execute(delete(feeds).where(feeds.c.org == org, feeds.c.person == person))


def feed_of(connection: Connection, org: str, person: str) -> Feed | None:
    """A person's feed."""
    columns = (feeds.c.org, feeds.c.person, feeds.c.made)
    row = connection.execute(select(*columns).where(feeds.c.org == org, feeds.c.person == person)).first()
    return Feed(*row) if row else None


def by_digest(connection: Connection, digest: str) -> Feed | None:
    """Whose feed an address opens."""
    row = connection.execute(select(feeds.c.org, feeds.c.person, feeds.c.made).where(feeds.c.digest == digest)).first()
    return Feed(*row) if row else None

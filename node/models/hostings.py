"""Places on this node that one of its organisations keeps for another: who opens the link makes an organisation here.

Only the digest of the link is kept. A place is for one host name, holds for 72 hours and is gone once it is taken.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, String, Table, Text, delete, insert, select

from node.models.base import Instant, metadata

hostings = Table(
    "hostings",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("org", String(80), nullable=False),
    Column("host", Text, nullable=False),
    Column("expires", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Hosting:
    """One place that is kept."""

    digest: str
    org: str
    """Whose node it is: who keeps the place."""
    host: str
    """The host name at which the new organisation will answer."""
    expires: datetime


def add(connection: Connection, hosting: Hosting) -> None:
    """Keep a place; another for the same host name is gone."""
    connection.execute(delete(hostings).where(hostings.c.host == hosting.host))
    connection.execute(
        insert(hostings).values(digest=hosting.digest, org=hosting.org, host=hosting.host, expires=hosting.expires)
    )


def find(connection: Connection, digest: str, now: datetime) -> Hosting | None:
    """The place behind a link, while it is kept."""
    query = select(hostings).where(hostings.c.digest == digest, hostings.c.expires > now)
    row = connection.execute(query).first()
    return Hosting(*row) if row else None


def of(connection: Connection, org: str, now: datetime) -> tuple[Hosting, ...]:
    """The places that an organisation keeps now."""
    query = select(hostings).where(hostings.c.org == org, hostings.c.expires > now).order_by(hostings.c.expires)
    return tuple(Hosting(*row) for row in connection.execute(query))


def is_kept(connection: Connection, host: str, now: datetime) -> bool:
    """Whether a place is kept for this host name."""
    query = select(hostings.c.host).where(hostings.c.host == host, hostings.c.expires > now)
    return connection.execute(query).first() is not None


def drop(connection: Connection, org: str, host: str) -> None:
    """Keep it no longer."""
    connection.execute(delete(hostings).where(hostings.c.org == org, hostings.c.host == host))


def drop_digest(connection: Connection, digest: str) -> None:
    """The place is taken."""
    connection.execute(delete(hostings).where(hostings.c.digest == digest))


def prune(connection: Connection, now: datetime) -> None:
    """Forget places that nobody took in time."""
    connection.execute(delete(hostings).where(hostings.c.expires <= now))

"""Which held objects belong to the sign-on of which alert: a view over objects, rebuilt from the logs at any time.

What the objects say is read from their own bytes, and who counts is the rule of `node/endorsements.py`; this is only
the way from an alert to them.
"""

from sqlalchemy import Column, Connection, Index, String, Table, Text, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from node.models import documents
from node.models.base import metadata
from node.models.documents import Stored

signatures = Table(
    "signatures",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("author", Text, nullable=False),
    Index("ix_signatures_alert", "org", "alert"),
    Index("ix_signatures_author", "org", "author"),
)


def save(connection: Connection, org: str, object_id: str, alert: str, author: str) -> None:
    """Note that this object belongs to the sign-on of that alert (a canonical id)."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(signatures).values(org=org, object_id=object_id, alert=alert, author=author)
    connection.execute(statement.on_conflict_do_update(index_elements=["org", "object_id"], set_={"alert": alert}))


def about(connection: Connection, org: str, alert: str) -> tuple[Stored, ...]:
    """Every object that is held and shown of one alert's sign-on."""
    columns = [documents.objects.c[name] for name in Stored.__slots__]
    rows = connection.execute(
        select(*columns)
        .join(signatures, signatures.c.object_id == documents.objects.c.id)
        .where(
            signatures.c.org == org,
            documents.objects.c.org == org,
            signatures.c.alert == alert,
            documents.objects.c.state == documents.SHOWN,
            documents.objects.c.raw.is_not(None),
        )
        .order_by(documents.objects.c.id)
    )
    return tuple(Stored(*row) for row in rows)


def alerts_asked(connection: Connection, org: str) -> tuple[str, ...]:
    """Canonical ids of all alerts that a sign-on or a signature is held of."""
    return tuple(connection.execute(select(signatures.c.alert).where(signatures.c.org == org).distinct()).scalars())


def remove(connection: Connection, org: str, object_id: str) -> None:
    """It was taken back."""
    connection.execute(delete(signatures).where(signatures.c.org == org, signatures.c.object_id == object_id))


def drop_author(connection: Connection, org: str, author: str) -> None:
    """Forget the view of one author, before it is rebuilt."""
    connection.execute(delete(signatures).where(signatures.c.org == org, signatures.c.author == author))

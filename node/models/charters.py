"""Charters and affirmations as rows: a view over objects that is rebuilt from the logs at any time.

A charter's row leads to its object, which holds the text. An affirmation's row says all that a list needs, so that a
long list is one question. What is taken back has no row.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from node import charters as rules
from node.charters import Affirmation, Charter
from node.models import documents
from node.models.base import Instant, metadata
from node.models.documents import Stored

charters = Table(
    "charters",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("author", Text, nullable=False),
    Column("did", String(80), nullable=False),
    Column("digest", String(60), nullable=False),
    Column("amends", String(60), nullable=False),
    Column("page", String(16), nullable=False),
    Column("published", Instant, nullable=False),
    Index("ix_charters_digest", "org", "digest"),
    Index("ix_charters_amends", "org", "amends"),
    Index("ix_charters_page", "org", "page"),
    Index("ix_charters_author", "org", "author"),
)
affirmations = Table(
    "affirmations",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("author", Text, nullable=False),
    Column("did", String(80), nullable=False),
    Column("charter", Text, nullable=False),
    Column("digest", String(60), nullable=False),
    Column("articles", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("said", Instant, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Index("ix_affirmations_digest", "org", "digest"),
    Index("ix_affirmations_author", "org", "author"),
)


def save(connection: Connection, org: str, value: Charter | Affirmation, author: str) -> None:
    """Keep the row of an object that was just stored."""
    table, row = (charters, _charter_row(value)) if isinstance(value, Charter) else (affirmations, _said_row(value))
    connection.execute(delete(table).where(table.c.org == org, table.c.object_id == value.id))
    connection.execute(insert(table).values(org=org, author=author, **row))


def find(connection: Connection, org: str, name: str) -> tuple[Charter, ...]:
    """The charters of this digest, page or canonical id, the first published first."""
    named = (charters.c.digest == name) | (charters.c.page == name) | (charters.c.object_id == name)
    return _charters(connection, org, named, 20)


def newest(connection: Connection, org: str, limit: int = 200) -> tuple[Charter, ...]:
    """All that are held, the newest first."""
    return tuple(reversed(_charters(connection, org, charters.c.org == org, limit, newest=True)))


def changing(connection: Connection, org: str, digest: str) -> tuple[Charter, ...]:
    """The addenda and amendments that name this text."""
    return _charters(connection, org, charters.c.amends == digest, 200)


def is_page(connection: Connection, page: str) -> bool:
    """Whether any organisation of this node shows a charter on a page of this name."""
    return connection.execute(select(charters.c.page).where(charters.c.page == page).limit(1)).first() is not None


def said_of(connection: Connection, org: str, digest: str) -> tuple[Affirmation, ...]:
    """Every affirmation of this digest that is held, in any order."""
    query = select(affirmations).where(affirmations.c.org == org, affirmations.c.digest == digest)
    return tuple(
        Affirmation(
            row.object_id, row.did, row.charter, row.digest, tuple(orjson.loads(row.articles)), row.name, row.language,
            row.said, (row.epoch, row.sequence),
        )
        for row in connection.execute(query)
    )  # fmt: skip


def remove(connection: Connection, org: str, object_id: str) -> None:
    """It was taken back."""
    for table in (charters, affirmations):
        connection.execute(delete(table).where(table.c.org == org, table.c.object_id == object_id))


def drop_author(connection: Connection, org: str, author: str) -> None:
    """Forget the view of one author, before it is rebuilt."""
    for table in (charters, affirmations):
        connection.execute(delete(table).where(table.c.org == org, table.c.author == author))


def _charter_row(value: Charter) -> dict[str, Any]:
    return {
        "object_id": value.id, "did": value.did, "digest": value.digest, "amends": value.amends,
        "page": documents.page_name(value.id), "published": value.published,
    }  # fmt: skip


def _said_row(value: Affirmation) -> dict[str, Any]:
    names = ("did", "charter", "digest", "name", "language", "said")
    row = {name: getattr(value, name) for name in names}
    articles = orjson.dumps(value.articles).decode()
    return row | {"object_id": value.id, "articles": articles, "epoch": value.order[0], "sequence": value.order[1]}


def _charters(
    connection: Connection, org: str, where: ColumnElement[bool], limit: int, *, newest: bool = False
) -> tuple[Charter, ...]:
    columns = [documents.objects.c[name] for name in Stored.__slots__]
    order: Sequence[ColumnElement[Any]] = (charters.c.published, charters.c.object_id)
    rows = connection.execute(
        select(*columns)
        .join(charters, charters.c.object_id == documents.objects.c.id)
        .where(
            charters.c.org == org,
            documents.objects.c.org == org,
            documents.objects.c.state == documents.SHOWN,
            documents.objects.c.raw.is_not(None),
            where,
        )
        .order_by(*(each.desc() if newest else each for each in order))
        .limit(limit)
    )
    found = tuple(_read(Stored(*row)) for row in rows)
    return found[::-1] if newest else found


def _read(held: Stored) -> Charter:
    found = rules.parse(orjson.loads(held.raw or b"{}"), (held.epoch or 0, held.sequence or 0))
    if not isinstance(found, Charter):
        raise TypeError(held.id)
    return found

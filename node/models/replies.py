"""Replies that are held for review, as sealed rows.

In the clear stand: digests by which a reply is found again (salted: whoever has the disk can only try names one by
one), the alert that it answers, the hour, the state, when it is destroyed, and whether somebody is asked to look. What
it says, who wrote it and what reviewers said rests sealed to the room of those who review. A row that is destroyed
leaves the digest of its id for a while, so that it does not come back. Who is blocked is found by a digest too; the
name is sealed.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from node import replies as rules
from node.errors import RefusedError
from node.models.base import Instant, metadata
from node.moments import hour_of

replies = Table(
    "replies",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("tag", LargeBinary(32), nullable=False),
    Column("author", LargeBinary(32), nullable=False),
    Column("about", Text, nullable=False),
    Column("hour", Instant, nullable=False),
    Column("state", String(12), nullable=False),
    Column("version", Integer, nullable=False),
    Column("due", Instant),
    Column("asked", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("review", LargeBinary, nullable=False),
    Index("ix_replies_tag", "org", "tag"),
    Index("ix_replies_due", "due"),
)
versions = Table(
    "reply_versions",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
blocks = Table(
    "reply_blocks",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("tag", LargeBinary(32), primary_key=True),
    Column("made", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
salts = Table(
    "reply_salts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """One reply as it lies there."""

    name: str
    """128 random bits: what its page is called."""
    tag: bytes
    author: bytes
    about: str
    hour: datetime
    """When it came."""
    state: str
    version: int
    """Rises with each change."""
    due: datetime | None
    asked: bool
    """Somebody is asked to look as well; who, is sealed."""
    deleted: bool
    """Its author deleted it, after it was kept as evidence."""
    review: bytes
    """Sealed; empty as long as nobody said anything."""


@dataclass(frozen=True, slots=True)
class BlockRow:
    """An account or a server whose replies are refused."""

    tag: bytes
    made: datetime
    sealed: bytes


def salt(connection: Connection, org: str) -> bytes:
    """The organisation's salt; made by the first reply."""
    found: bytes | None = connection.execute(select(salts.c.salt).where(salts.c.org == org)).scalar()
    return found or b""


def make_salt(connection: Connection, org: str) -> bytes:
    """The same, made where there is none yet."""
    found = salt(connection, org)
    if not found:
        found = secrets.token_bytes(16)
        connection.execute(insert(salts).values(org=org, salt=found))
    return found


def by_tag(connection: Connection, org: str, tag: bytes) -> ReplyRow | None:
    """What is held under this digest of an id."""
    return _one(connection, (replies.c.org == org) & (replies.c.tag == tag))


def find(connection: Connection, org: str, name: str) -> ReplyRow | None:
    """One reply that is not destroyed."""
    return _one(connection, (replies.c.org == org) & (replies.c.name == name) & (replies.c.state != rules.GONE))


def all_of(connection: Connection, org: str, state: str, limit: int) -> tuple[ReplyRow, ...]:
    """Those of one state, the newest first."""
    where = (replies.c.org == org) & (replies.c.state == state)
    rows = connection.execute(_select().where(where).order_by(replies.c.hour.desc(), replies.c.name).limit(limit))
    return tuple(ReplyRow(*row) for row in rows)


def asked_of(connection: Connection, org: str, limit: int) -> tuple[ReplyRow, ...]:
    """Those that somebody is asked to look at, the oldest first."""
    where = (replies.c.org == org) & replies.c.asked
    rows = connection.execute(_select().where(where).order_by(replies.c.hour, replies.c.name).limit(limit))
    return tuple(ReplyRow(*row) for row in rows)


def counts(connection: Connection, org: str) -> dict[str, int]:
    """How many of each state."""
    rows = connection.execute(
        select(replies.c.state, func.count()).where(replies.c.org == org).group_by(replies.c.state)
    )
    return {row[0]: int(row[1]) for row in rows}


def waiting(connection: Connection, org: str) -> int:
    """How many nobody has looked at. Needs nobody's key."""
    where = (replies.c.org == org) & (replies.c.state == rules.WAITING)
    return connection.execute(select(func.count()).select_from(replies).where(where)).scalar_one()


def add(connection: Connection, org: str, row: ReplyRow, sealed: bytes) -> None:
    """A new reply with its first version."""
    connection.execute(insert(replies).values(org=org, **{name: getattr(row, name) for name in ReplyRow.__slots__}))
    connection.execute(insert(versions).values(org=org, name=row.name, number=1, sealed=sealed))


def save(connection: Connection, org: str, row: ReplyRow) -> None:
    """Replace a row by its next version.

    Args:
        row: with the version that was read.

    Raises:
        RefusedError: somebody else changed it meanwhile, or it is gone.
    """
    values = {name: getattr(row, name) for name in ReplyRow.__slots__} | {"version": row.version + 1}
    same = (replies.c.org == org) & (replies.c.name == row.name) & (replies.c.version == row.version)
    if connection.execute(update(replies).where(same).values(**values)).rowcount == 0:
        raise RefusedError("somebody else changed this reply meanwhile: open it again")


def add_version(connection: Connection, org: str, row: ReplyRow, sealed: bytes, most: int) -> None:
    """Its author changed it. Past the most versions the last one is replaced: the first stays what it was."""
    of_reply = (versions.c.org == org) & (versions.c.name == row.name)
    last: int = connection.execute(select(func.max(versions.c.number)).where(of_reply)).scalar() or 0
    number = min(last + 1, most)
    connection.execute(delete(versions).where(of_reply & (versions.c.number == number)))
    connection.execute(insert(versions).values(org=org, name=row.name, number=number, sealed=sealed))


def sealed_of(connection: Connection, org: str, names: Collection[str]) -> dict[str, tuple[bytes, ...]]:
    """The sealed versions of these, oldest first."""
    query = select(versions.c.name, versions.c.sealed).where(versions.c.org == org, versions.c.name.in_(names))
    found: dict[str, tuple[bytes, ...]] = {}
    for name, sealed in connection.execute(query.order_by(versions.c.name, versions.c.number)):
        found[name] = (*found.get(name, ()), sealed)
    return found


def destroy(connection: Connection, org: str, row: ReplyRow, now: datetime) -> None:
    """Its bytes go, and who wrote it; the bare digest of its id stays for a while."""
    connection.execute(delete(versions).where(versions.c.org == org, versions.c.name == row.name))
    bare = replace(
        row, author=b"", about="", state=rules.GONE, due=hour_of(now) + rules.GONE_FOR, asked=False, review=b""
    )
    save(connection, org, bare)


def drop(connection: Connection, org: str, name: str) -> None:
    """Nothing of it stays."""
    connection.execute(delete(versions).where(versions.c.org == org, versions.c.name == name))
    connection.execute(delete(replies).where(replies.c.org == org, replies.c.name == name))


def lose(connection: Connection, org: str, row: ReplyRow) -> None:
    """Its author deleted it: what is evidence is marked so, everything else goes."""
    if row.state == rules.EVIDENCE:
        save(connection, org, replace(row, deleted=True))
    else:
        drop(connection, org, row.name)


def lose_author(connection: Connection, org: str, actor: str) -> None:
    """An actor is gone with all that they wrote."""
    known = salt(connection, org)
    if not known:
        return
    rows = connection.execute(_select().where(replies.c.org == org, replies.c.state != rules.GONE)).all()
    for row in (ReplyRow(*each) for each in rows):
        if row.author == rules.author_tag(known, row.tag, actor):
            lose(connection, org, row)


def prune(connection: Connection, now: datetime) -> int:
    """What is due is destroyed; returns how many had bytes."""
    rows = connection.execute(select(replies.c.org, *_columns()).where(replies.c.due <= now)).all()
    found = [(row[0], ReplyRow(*row[1:])) for row in rows]
    for org, row in found:
        if row.state == rules.DISMISSED:
            destroy(connection, org, row, now)
        else:
            drop(connection, org, row.name)
    return sum(row.state != rules.GONE for _, row in found)


# --- who is blocked -----------------------------------------------------------------------------------------------


def block(connection: Connection, org: str, row: BlockRow) -> None:
    """Refuse replies of this account or server from now on."""
    unblock(connection, org, row.tag)
    connection.execute(insert(blocks).values(org=org, tag=row.tag, made=row.made, sealed=row.sealed))


def unblock(connection: Connection, org: str, tag: bytes) -> bool:
    """Take them again; says whether they were blocked."""
    return bool(connection.execute(delete(blocks).where(blocks.c.org == org, blocks.c.tag == tag)).rowcount)


def blocks_of(connection: Connection, org: str) -> tuple[BlockRow, ...]:
    """Every block, the newest first."""
    query = select(blocks.c.tag, blocks.c.made, blocks.c.sealed).where(blocks.c.org == org)
    return tuple(BlockRow(*row) for row in connection.execute(query.order_by(blocks.c.made.desc(), blocks.c.tag)))


def is_blocked(connection: Connection, org: str, tags: Collection[bytes]) -> bool:
    """Whether any of these is blocked."""
    query = select(blocks.c.tag).where(blocks.c.org == org, blocks.c.tag.in_(tags)).limit(1)
    return connection.execute(query).first() is not None


def _one(connection: Connection, where: Any) -> ReplyRow | None:
    row = connection.execute(_select().where(where)).first()
    return None if row is None else ReplyRow(*row)


def _columns() -> list[Any]:
    return [replies.c[name] for name in ReplyRow.__slots__]


def _select() -> Any:
    return select(*_columns())

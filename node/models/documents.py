"""Others' documents as we hold them: actors with their keys, and the objects they published.

Actor documents are facts about the world, so one copy serves the whole node (`org` is empty). Objects belong to an
organisation's view: what one organisation holds, another on the same node does not see.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
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
    false,
    func,
    insert,
    select,
    update,
)

from node.errors import ProtocolError
from node.evidence import Evidence
from node.federation.protocol.actors import Actor, parse_actor
from node.federation.protocol.keys import PublicKey
from node.federation.protocol.messages import MAX_PAGE, parse_document
from node.models import contacts, search
from node.models.base import Id, Instant, metadata
from node.search import VERSION

actors = Table(
    "actors",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("raw", LargeBinary, nullable=False),
    Column("fetched", Instant, nullable=False),
)
key_ids = Table(
    "key_ids",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("actor", Text, nullable=False),
)
dead_keys = Table(
    "dead_keys",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("until", Instant, nullable=False),
)
objects = Table(
    "objects",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("type", String(100), nullable=False),
    Column("author", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("published", Text, nullable=False),
    Column("updated", Text),
    Column("state", String(10), nullable=False),
    Column("epoch", Integer),
    Column("sequence", BigInteger),
    Column("via", Text, nullable=False),
    Column("received", Instant, nullable=False),
    Column("page", String(16), nullable=False, server_default=""),
    Index("ix_objects_author", "org", "author"),
    Index("ix_objects_page", "org", "page"),
)
reports = Table(
    "reports",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("org", String(80), nullable=False),
    Column("kind", String(100), nullable=False),
    Column("actor", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("made", Instant, nullable=False),
)
counters = Table(
    "counters",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
evidence = Table(
    "evidence",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("org", String(80), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("did", String(80), nullable=False),
    Column("via", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("made", Instant, nullable=False),
    Column("by", String(80), nullable=False, server_default=""),
    Column("proven", Boolean, nullable=False, server_default=false()),
    Column("told", Boolean, nullable=False, server_default=false()),
)

SHOWN, GONE = "shown", "gone"
_MAX_COUNTERS = 500
_MAX_EVIDENCE = 2_000
_MAX_TESTIMONIES = 200
"""What one member may tell us."""
_MAX_REPORTS = 2_000


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as held. `raw` is `None` once it is gone."""

    id: str
    type: str
    author: str
    raw: bytes | None
    published: str
    updated: str | None
    state: str
    epoch: int | None
    sequence: int | None
    via: str
    received: datetime
    page: str = ""
    """The last part of its page's address."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A Flag, a Block or a boost."""

    kind: str
    actor: str
    object_id: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """Evidence that a log does not hold together, with who gave it to us."""

    kind: str
    did: str
    via: str
    note: str
    document: bytes
    made: datetime
    by: str = ""
    """The member that told us; empty where we saw it ourselves."""
    proven: bool = False
    """The document proves it without anybody's word."""
    told: bool = False
    """It was passed on."""
    id: int = field(default=0, compare=False)


def actor(connection: Connection, actor_id: str) -> Actor | None:
    """An actor document we hold."""
    raw = connection.execute(select(actors.c.raw).where(actors.c.org == "", actors.c.id == actor_id)).scalar()
    return parse_actor(parse_document(raw, MAX_PAGE)) if raw is not None else None


def actor_age(connection: Connection, actor_id: str) -> datetime | None:
    """When the document was fetched or proven last."""
    return connection.execute(select(actors.c.fetched).where(actors.c.org == "", actors.c.id == actor_id)).scalar()


def save_actor(connection: Connection, value: Actor, now: datetime, *, from_log: bool = False) -> None:
    """Hold an actor document in place of an older one.

    Raises:
        ProtocolError: its did is frozen here, so that only its log up to the freeze says who it is.
    """
    if not from_log and value.did is not None and contacts.frozen_anywhere(connection, value.did):
        raise ProtocolError("the actor document of a frozen member", spec="Tadamun design §4", status=403)
    values = {"raw": value.document.raw, "fetched": now}
    where = (actors.c.org == "") & (actors.c.id == value.id)
    if connection.execute(update(actors).where(where).values(**values)).rowcount == 0:
        connection.execute(insert(actors).values(org="", id=value.id, **values))
    connection.execute(delete(key_ids).where(key_ids.c.org == "", key_ids.c.actor == value.id))
    for key_id in {key.id for key in value.keys}:
        connection.execute(delete(key_ids).where(key_ids.c.org == "", key_ids.c.id == key_id))
        connection.execute(insert(key_ids).values(org="", id=key_id, actor=value.id))


def key(connection: Connection, key_id: str) -> PublicKey | None:
    """A key that stands in the newest document of an actor we hold."""
    owner = connection.execute(
        select(key_ids.c.actor).where(key_ids.c.org == "", key_ids.c.id == key_id)
    ).scalar()
    found = actor(connection, owner) if owner else None
    return next((each for each in found.keys if each.id == key_id), None) if found else None


def forget_actor(connection: Connection, actor_id: str) -> None:
    """Drop an actor document with its keys."""
    connection.execute(delete(key_ids).where(key_ids.c.org == "", key_ids.c.actor == actor_id))
    connection.execute(delete(actors).where(actors.c.org == "", actors.c.id == actor_id))


def mark_dead(connection: Connection, key_id: str, until: datetime) -> None:
    """This key could not be had; nobody asks for it again before `until`."""
    connection.execute(delete(dead_keys).where(dead_keys.c.org == "", dead_keys.c.key_id == key_id))
    connection.execute(insert(dead_keys).values(org="", key_id=key_id, until=until))


def is_dead(connection: Connection, key_id: str, now: datetime) -> bool:
    """Whether the key is in the negative cache."""
    row = connection.execute(
        select(dead_keys.c.until).where(
            dead_keys.c.org == "", dead_keys.c.key_id == key_id, dead_keys.c.until > now
        )
    ).first()
    return row is not None


def forget_dead(connection: Connection, now: datetime) -> None:
    """The negative cache forgets what it would answer for no longer."""
    connection.execute(delete(dead_keys).where(dead_keys.c.until < now))


def stored(connection: Connection, org: str, object_id: str) -> Stored | None:
    """One object."""
    row = connection.execute(
        select(*_stored_columns()).where(objects.c.org == org, objects.c.id == object_id)
    ).first()
    return Stored(*row) if row else None


def store(connection: Connection, org: str, value: Stored) -> None:
    """Hold an object in place of what we had under its id."""
    values = {name: getattr(value, name) for name in Stored.__slots__ if name != "id"}
    where = (objects.c.org == org) & (objects.c.id == value.id)
    if connection.execute(update(objects).where(where).values(**values)).rowcount == 0:
        connection.execute(insert(objects).values(org=org, id=value.id, **values))


def hide(connection: Connection, org: str, object_id: str, author: str, now: datetime) -> None:
    """The object is gone; a row stays behind so that it never comes back."""
    where = (objects.c.org == org) & (objects.c.id == object_id)
    search.remove(connection, org, object_id)
    values = {"raw": None, "state": GONE, "type": "Tombstone", "page": page_name(object_id)}
    if connection.execute(update(objects).where(where).values(**values)).rowcount == 0:
        connection.execute(
            insert(objects).values(
                org=org, id=object_id, author=author, published="", via="", received=now, **values
            )
        )


def forget_object(connection: Connection, org: str, object_id: str) -> None:
    """Hold an object no more; it was not withdrawn, and may come again."""
    search.remove(connection, org, object_id)
    connection.execute(delete(objects).where(objects.c.org == org, objects.c.id == object_id))


def page_name(object_id: str) -> str:
    """The last part of an object's page address; the same on every node that holds it."""
    return hashlib.sha256(object_id.encode()).hexdigest()[:16]


def page_gone(connection: Connection, org: str, page: str) -> bool:
    """Whether a page's address belonged to an object that is gone."""
    where = (objects.c.org == org) & (objects.c.page == page) & (objects.c.state == GONE)
    return connection.execute(select(objects.c.id).where(where)).first() is not None


def drop_author(connection: Connection, org: str, author: str) -> None:
    """Forget the view of one author's objects, before it is rebuilt from the log, or because the actor is gone."""
    search.drop_author(connection, org, author)
    connection.execute(delete(objects).where(objects.c.org == org, objects.c.author == author))


def report(connection: Connection, org: str, kind: str, actor_id: str, object_id: str, now: datetime) -> None:
    """Something an operator should read; each once, and at most 2,000 in all."""
    same = (reports.c.kind == kind) & (reports.c.actor == actor_id) & (reports.c.object_id == object_id)
    if connection.execute(select(reports.c.id).where(reports.c.org == org, same)).first() is not None:
        return
    if connection.execute(select(func.count()).where(reports.c.org == org)).scalar_one() >= _MAX_REPORTS:
        return
    connection.execute(insert(reports).values(org=org, kind=kind, actor=actor_id, object_id=object_id, made=now))


def reports_of(connection: Connection, org: str, limit: int = 200) -> tuple[Reported, ...]:
    """The newest things an operator should read."""
    names = [reports.c[name] for name in Reported.__slots__]
    rows = connection.execute(select(*names).where(reports.c.org == org).order_by(reports.c.id.desc()).limit(limit))
    return tuple(Reported(*row) for row in rows)


def count(connection: Connection, org: str, name: str, amount: int = 1) -> None:
    """Add to a counter; names beyond the five hundredth are counted together."""
    where = (counters.c.org == org) & (counters.c.name == name[:120])
    if connection.execute(update(counters).where(where).values(value=counters.c.value + amount)).rowcount:
        return
    held = connection.execute(select(func.count()).where(counters.c.org == org)).scalar_one()
    if held >= _MAX_COUNTERS and name != "other":
        count(connection, org, "other", amount)
        return
    connection.execute(insert(counters).values(org=org, name=name[:120], value=amount))


def counted(connection: Connection, org: str) -> dict[str, int]:
    """Every counter."""
    rows = connection.execute(select(counters.c.name, counters.c.value).where(counters.c.org == org))
    return {row[0]: row[1] for row in rows}


def add_evidence(connection: Connection, org: str, finding: Finding) -> None:
    """Keep evidence; the same note about the same did and host is kept once; at most 2,000 of our own in all, and 200 a
    member."""
    same = select(evidence.c.id).where(
        evidence.c.org == org,
        evidence.c.did == finding.did,
        evidence.c.via == finding.via,
        evidence.c.note == finding.note,
        evidence.c.by == finding.by,
    )
    mine = (evidence.c.org == org) & (evidence.c.by == finding.by)
    held = connection.execute(select(func.count()).where(mine)).scalar_one()
    most = _MAX_TESTIMONIES if finding.by else _MAX_EVIDENCE
    if connection.execute(same).first() is None and held < most:
        values = {name: getattr(finding, name) for name in Finding.__slots__ if name != "id"}
        connection.execute(insert(evidence).values(org=org, **values))


def keep_evidence(
    connection: Connection, org: str, seen: Evidence, now: datetime, *, by: str = "", proven: bool = False
) -> None:
    """Keep what was seen, as a document."""
    raw = orjson.dumps(seen.value())
    add_evidence(connection, org, Finding(seen.fault, seen.about, seen.host, seen.note, raw, now, by, proven))


def forget_evidence(connection: Connection, org: str, document: bytes) -> None:
    """A text is destroyed: what it was evidence of stays noted, the text does not."""
    connection.execute(
        update(evidence).where(evidence.c.org == org, evidence.c.document == document).values(document=b"")
    )


def evidence_of(connection: Connection, org: str) -> tuple[Finding, ...]:
    """All evidence, newest first."""
    names = [evidence.c[name] for name in Finding.__slots__]
    rows = connection.execute(select(*names).where(evidence.c.org == org).order_by(evidence.c.id.desc()))
    return tuple(Finding(*row) for row in rows)


def untold_evidence(connection: Connection, org: str, limit: int) -> tuple[Finding, ...]:
    """What we saw ourselves and have not passed on yet, oldest first."""
    names = [evidence.c[name] for name in Finding.__slots__]
    where = (evidence.c.org == org) & (evidence.c.by == "") & ~evidence.c.told
    rows = connection.execute(select(*names).where(where).order_by(evidence.c.id).limit(limit))
    return tuple(Finding(*row) for row in rows)


def proven_against(connection: Connection, org: str) -> frozenset[str]:
    """The dids whose own signatures prove that their log was set back, by its owner or by whoever has the key."""
    where = (evidence.c.org == org) & evidence.c.proven & (evidence.c.kind == "rollback")
    return frozenset(connection.execute(select(evidence.c.did).where(where).distinct()).scalars())


def told_since(connection: Connection, org: str, moment: datetime) -> int:
    """How much of what was seen since then was passed on."""
    where = (evidence.c.org == org) & (evidence.c.by == "") & evidence.c.told & (evidence.c.made >= moment)
    return connection.execute(select(func.count()).where(where)).scalar_one()


def mark_told(connection: Connection, ids: Collection[int]) -> None:
    """These were passed on."""
    connection.execute(update(evidence).where(evidence.c.id.in_(ids)).values(told=True))


def one_evidence(connection: Connection, org: str, number: int) -> Finding | None:
    """One piece by its number."""
    names = [evidence.c[name] for name in Finding.__slots__]
    row = connection.execute(select(*names).where(evidence.c.org == org, evidence.c.id == number)).first()
    return Finding(*row) if row else None


def _stored_columns() -> list[Column[Any]]:
    return [objects.c[name] for name in Stored.__slots__]


def to_be_searched(connection: Connection, org: str, after: str, limit: int) -> tuple[Stored, ...]:
    """Objects that are shown and have no row in the search that today's rules made, by id."""
    made = select(search.texts.c.object_id).where(search.texts.c.org == org, search.texts.c.version == VERSION)
    query = select(*_stored_columns()).where(
        objects.c.org == org, objects.c.id > after, objects.c.state == SHOWN, objects.c.raw.is_not(None),
        objects.c.id.not_in(made),
    )  # fmt: skip
    return tuple(Stored(*row) for row in connection.execute(query.order_by(objects.c.id).limit(limit)))

"""The pictures that an organisation's view needs: which files, for which objects, and whether they are here.

A file is *wanted* until its bytes are here, then *held*. It is served while an object that needs it is shown. When the
last text that named it is destroyed it is *doomed*: the worker removes the bytes, then the row. A picture that an
Update left out counts as withdrawn at that moment. The bytes lie elsewhere (`storage`), for all organisations once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from node.media import Medium, Picture
from node.models import alerts, documents, logs
from node.models.base import Instant, metadata

media = Table(
    "media",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("media_type", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("state", String(6), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Instant, nullable=False),
    Index("ix_media_state", "org", "state", "due"),
)
uses = Table(
    "media_uses",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("did", String(80), nullable=False),
    Column("left_out", Instant),
    Index("ix_media_uses_digest", "org", "digest"),
)

WANTED, HELD, DOOMED = "wanted", "held", "doomed"
MOST_OF_ONE = 3
"""Files of one author that are fetched at once."""
KEPT_AFTER = timedelta(hours=72)
"""How long a picture that an Update left out is kept, as a withdrawn text is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is not here yet."""

    medium: Medium
    did: str
    """Whose object needs it."""
    object_id: str
    tries: int


def need(
    connection: Connection, org: str, did: str, object_id: str, pictures: Sequence[Picture], now: datetime
) -> None:
    """An object of ours or of a member names these pictures, and no others any more."""
    files = {medium.digest: medium for picture in pictures for medium in picture.files}
    of_it = (uses.c.org == org) & (uses.c.object_id == object_id)
    known = set(connection.execute(select(uses.c.digest).where(of_it)).scalars())
    if not files and not known:
        return
    for digest in known - files.keys():
        where = of_it & (uses.c.digest == digest) & uses.c.left_out.is_(None)
        connection.execute(update(uses).where(where).values(left_out=now))
    if known & files.keys():
        again = of_it & uses.c.digest.in_(known & files.keys())
        connection.execute(update(uses).where(again).values(left_out=None))
    for digest in files.keys() - known:
        connection.execute(insert(uses).values(org=org, object_id=object_id, digest=digest, did=did, left_out=None))
    for medium in files.values():
        _want(connection, org, medium, now)


def _want(connection: Connection, org: str, medium: Medium, now: datetime) -> None:
    where = (media.c.org == org) & (media.c.digest == medium.digest)
    state = connection.execute(select(media.c.state).where(where)).scalar()
    if state == DOOMED:
        connection.execute(update(media).where(where).values(state=WANTED, tries=0, due=now))
    elif state is None:
        values = {name: getattr(medium, name) for name in Medium.__slots__}
        connection.execute(insert(media).values(org=org, state=WANTED, tries=0, due=now, **values))


def hold(connection: Connection, org: str, medium: Medium, now: datetime) -> None:
    """The bytes are here."""
    _want(connection, org, medium, now)
    where = (media.c.org == org) & (media.c.digest == medium.digest)
    connection.execute(update(media).where(where).values(state=HELD))


def miss(connection: Connection, org: str, digest: str, now: datetime) -> None:
    """The bytes are not here after all."""
    where = (media.c.org == org) & (media.c.digest == digest) & (media.c.state == HELD)
    connection.execute(update(media).where(where).values(state=WANTED, tries=0, due=now))


def postpone(connection: Connection, org: str, digest: str, due: datetime) -> None:
    """Nobody gave it just now."""
    where = (media.c.org == org) & (media.c.digest == digest)
    connection.execute(update(media).where(where).values(tries=media.c.tries + 1, due=due))


def due(connection: Connection, org: str, now: datetime, limit: int, most_tries: int) -> tuple[Wanted, ...]:
    """What is to be fetched now: files that a shown object needs, those that were tried least often first; of one
    author `MOST_OF_ONE`, for who has many, and answers slowly, must not keep the others' from coming.
    """
    columns = [media.c[name] for name in Medium.__slots__]
    each = (
        select(*columns, uses.c.did, func.min(uses.c.object_id).label("object_id"), media.c.tries, media.c.due)
        .join(uses, and_(uses.c.org == media.c.org, uses.c.digest == media.c.digest))
        .where(media.c.org == org, media.c.state == WANTED, media.c.due <= now, media.c.tries < most_tries, _shown())
        .group_by(*columns, uses.c.did, media.c.tries, media.c.due)
        .subquery()
    )
    order = (each.c.tries, each.c.due, each.c.digest)
    place = func.row_number().over(partition_by=each.c.did, order_by=order)
    ranked = select(each, place.label("place")).subquery()
    shown = [ranked.c[name] for name in (*Medium.__slots__, "did", "object_id", "tries")]
    query = (
        select(*shown)
        .where(ranked.c.place <= MOST_OF_ONE)
        .order_by(ranked.c.tries, ranked.c.due, ranked.c.digest)
        .limit(limit)
    )
    found: dict[str, Wanted] = {}
    for *medium, did, object_id, tries in connection.execute(query):
        found.setdefault(medium[0], Wanted(Medium(*medium), did, object_id, tries))
    return tuple(found.values())


def wanted(connection: Connection, org: str) -> int:
    """How many files a shown object needs that are not here."""
    where = and_(media.c.org == org, media.c.state == WANTED, _is_needed())
    return connection.execute(select(func.count()).select_from(media).where(where)).scalar_one()


def is_wanted(connection: Connection, org: str, digest: str) -> Medium | None:
    """What is known of a file that a shown object needs and that is not here."""
    columns = [media.c[name] for name in Medium.__slots__]
    where = and_(media.c.org == org, media.c.digest == digest, media.c.state == WANTED, _is_needed())
    row = connection.execute(select(*columns).where(where)).first()
    return Medium(*row) if row else None


def shown(connection: Connection, org: str, digest: str) -> Medium | None:
    """A file that is here and that a shown object needs."""
    columns = [media.c[name] for name in Medium.__slots__]
    where = and_(media.c.org == org, media.c.digest == digest, media.c.state == HELD, _is_needed(for_everyone=True))
    row = connection.execute(select(*columns).where(where)).first()
    return Medium(*row) if row else None


def was_shown(connection: Connection, org: str, digest: str) -> bool:
    """Whether an object that needed this file is gone."""
    table = documents.objects
    query = (
        select(uses.c.digest)
        .join(table, and_(table.c.org == uses.c.org, table.c.id == uses.c.object_id))
        .where(uses.c.org == org, uses.c.digest == digest, table.c.state == documents.GONE)
    )
    return connection.execute(query).first() is not None


def here(connection: Connection, org: str, digests: Collection[str]) -> frozenset[str]:
    """Which of these files are here."""
    where = (media.c.org == org) & (media.c.state == HELD) & media.c.digest.in_(digests)
    return frozenset(connection.execute(select(media.c.digest).where(where)).scalars())


def held(connection: Connection) -> tuple[Medium, ...]:
    """Every file that is here, of every organisation; once each."""
    columns = [media.c[name] for name in Medium.__slots__]
    rows = connection.execute(select(*columns).where(media.c.state == HELD).order_by(media.c.digest))
    return tuple(dict.fromkeys(Medium(*row) for row in rows))


def of_object(connection: Connection, org: str, object_id: str) -> tuple[Medium, ...]:
    """The files that are here and that one object needs."""
    columns = [media.c[name] for name in Medium.__slots__]
    rows = connection.execute(
        select(*columns)
        .join(uses, and_(uses.c.org == media.c.org, uses.c.digest == media.c.digest))
        .where(media.c.org == org, media.c.state == HELD, uses.c.object_id == object_id, uses.c.left_out.is_(None))
        .order_by(media.c.digest)
    )
    return tuple(Medium(*row) for row in rows)


def objects(connection: Connection, org: str) -> tuple[str, ...]:
    """The objects that need pictures."""
    rows = connection.execute(select(uses.c.object_id).where(uses.c.org == org).distinct().order_by(uses.c.object_id))
    return tuple(rows.scalars())


def room_taken(connection: Connection, org: str, did: str | None = None) -> int:
    """Bytes of what is here of others' pictures; with a did, of that one's."""
    others = (uses.c.did != org) if did is None else (uses.c.did == did)
    mine = exists().where(uses.c.org == media.c.org, uses.c.digest == media.c.digest, others)
    query = select(func.coalesce(func.sum(media.c.size), 0)).where(media.c.org == org, media.c.state == HELD, mine)
    return int(connection.execute(query).scalar_one())


def release(connection: Connection, org: str, object_ids: Collection[str]) -> None:
    """Texts of these objects were destroyed: what no text needs any more is doomed."""
    where = and_(uses.c.org == org, uses.c.object_id.in_(object_ids), ~_is_shown(), ~_has_text())
    connection.execute(delete(uses).where(where))
    _doom(connection, org)


def sweep(connection: Connection, org: str, now: datetime) -> None:
    """What an Update left out long enough ago, and whatever no text needs, is doomed."""
    late = and_(uses.c.org == org, uses.c.left_out <= now - KEPT_AFTER)
    connection.execute(delete(uses).where(late))
    connection.execute(delete(uses).where(uses.c.org == org, ~_is_shown(), ~_has_text()))
    _doom(connection, org)


def doomed(connection: Connection) -> frozenset[str]:
    """The files whose bytes are to be destroyed."""
    return frozenset(connection.execute(select(media.c.digest).where(media.c.state == DOOMED)).scalars())


def bury(connection: Connection, digest: str) -> bool:
    """Forget a doomed file; whether no organisation of this node needs its bytes, so that they go too."""
    connection.execute(delete(media).where(media.c.digest == digest, media.c.state == DOOMED))
    return connection.execute(select(media.c.digest).where(media.c.digest == digest)).first() is None


def names(connection: Connection) -> frozenset[str]:
    """Every file that any row knows."""
    return frozenset(connection.execute(select(media.c.digest)).scalars())


def _doom(connection: Connection, org: str) -> None:
    unused = ~exists().where(uses.c.org == media.c.org, uses.c.digest == media.c.digest)
    where = and_(media.c.org == org, media.c.state != DOOMED, unused)
    connection.execute(update(media).where(where).values(state=DOOMED))


def _has_text() -> ColumnElement[bool]:
    """Whether a text about the object of a use is kept, hidden or not."""
    table = logs.entries
    return exists().where(
        table.c.org == uses.c.org,
        table.c.object_id == uses.c.object_id,
        table.c.raw.is_not(None),
        table.c.type != "Delete",
    )


def _is_shown() -> ColumnElement[bool]:
    """Whether the object of a use is shown."""
    table = documents.objects
    return exists().where(table.c.org == uses.c.org, table.c.id == uses.c.object_id, table.c.state == documents.SHOWN)


def _shown() -> ColumnElement[bool]:
    return and_(uses.c.left_out.is_(None), _is_shown())


def _is_needed(*, for_everyone: bool = False) -> ColumnElement[bool]:
    """Whether a shown object needs a file.

    Args:
        for_everyone: one that this node's operator does show to everyone.
    """
    table = documents.objects
    query = (
        select(uses.c.digest)
        .join(table, and_(table.c.org == uses.c.org, table.c.id == uses.c.object_id))
        .where(uses.c.org == media.c.org, uses.c.digest == media.c.digest, uses.c.left_out.is_(None))
        .where(table.c.state == documents.SHOWN)
        .correlate(media)
    )
    if for_everyone:
        hidden = (alerts.alerts.c.org == uses.c.org) & (alerts.alerts.c.object_id == uses.c.object_id)
        query = query.where(~exists().where(hidden & ~alerts.alerts.c.shown))
    return query.exists()

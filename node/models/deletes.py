"""Deletes that came in: which places of a log they name, and which of them are contested.

What a contested Delete names stays hidden and is not destroyed: a thief may have taken it back, or somebody in danger.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, false, func, insert, select, tuple_, update

from node.federation.protocol.replicas import Header
from node.models import logs
from node.models.logs import HIDDEN, entries, of, withdrawals


def add(
    connection: Connection, org: str, did: str, named: tuple[int, int], content: str, by: Header, now: datetime
) -> None:
    """Remember that a signed Delete names this entry; of several the one that stands first in the log is kept."""
    where = _at(org, did, named)
    known = connection.execute(
        select(withdrawals.c.content, withdrawals.c.by_epoch, withdrawals.c.by_sequence).where(where)
    ).first()
    if known is not None and known.content == content and by.order < (known.by_epoch, known.by_sequence):
        # The later Delete came first; were it all that is remembered, a freeze before it would bring the text back.
        connection.execute(update(withdrawals).where(where).values(by_epoch=by.epoch, by_sequence=by.sequence))
    elif known is None:
        connection.execute(
            insert(withdrawals).values(
                org=org, did=did, epoch=named[0], sequence=named[1], content=content, by_epoch=by.epoch,
                by_sequence=by.sequence, made=now,
            )
        )  # fmt: skip


def withdrawal(connection: Connection, org: str, did: str, place: tuple[int, int]) -> str | None:
    """The content digest that a signed Delete names for this place."""
    return connection.execute(select(withdrawals.c.content).where(_at(org, did, place))).scalar()


def since(connection: Connection, org: str, did: str, moment: datetime) -> int:
    """How many Deletes of this did came in since then."""
    return connection.execute(
        select(func.count()).where(of(org, did), entries.c.type == "Delete", entries.c.received >= moment)
    ).scalar_one()


def contest(connection: Connection, org: str, did: str, after: tuple[int, int] | None) -> int:
    """Withdrawals that Deletes past this position made are contested: what they named stays hidden and is not
    destroyed, for a thief may have taken it back, or somebody in danger. `None`: none is contested any more.

    Returns:
        How many texts are kept that would have been destroyed.
    """
    mine = (withdrawals.c.org == org) & (withdrawals.c.did == did)
    late = _late(after) if after is not None else false()
    connection.execute(update(withdrawals).where(mine).values(contested=late))
    where = of(org, did) & (entries.c.state == HIDDEN) & _named(org, did, withdrawals.c.contested)
    return connection.execute(update(entries).where(where).values(destroy_after=None)).rowcount


def settle(connection: Connection, org: str, did: str, moment: datetime) -> None:
    """What is contested no longer is destroyed at its time."""
    free = _named(org, did, ~withdrawals.c.contested)
    where = of(org, did) & (entries.c.state == HIDDEN) & entries.c.destroy_after.is_(None) & free
    connection.execute(update(entries).where(where).values(destroy_after=moment))


def give_back(connection: Connection, org: str, did: str, object_ids: Sequence[str] | None) -> tuple[str, ...]:
    """Drop contested withdrawals of these objects (`None`: of all) and show the texts again; returns their digests."""
    contested = of(org, did) & (entries.c.state == HIDDEN) & _named(org, did, withdrawals.c.contested)
    if object_ids is not None:
        contested &= entries.c.object_id.in_(object_ids)
    rows = connection.execute(select(entries.c.digest, entries.c.epoch, entries.c.sequence).where(contested)).all()
    for row in rows:
        connection.execute(delete(withdrawals).where(_at(org, did, (row.epoch, row.sequence))))
    found = tuple(row.digest for row in rows)
    logs.unhide(connection, org, found)
    return found


def confirm(connection: Connection, org: str, did: str, until: tuple[int, int], moment: datetime) -> int:
    """Withdrawals that waited for a second word have it: up to `until` the texts are destroyed at `moment`."""
    named = _named(org, did, ~withdrawals.c.contested & ~_late(until))
    where = of(org, did) & (entries.c.state == HIDDEN) & entries.c.destroy_after.is_(None) & named
    return connection.execute(update(entries).where(where).values(destroy_after=moment)).rowcount


def waiting(connection: Connection, org: str) -> dict[str, int]:
    """did → how many texts are hidden and wait for a second word before they are destroyed."""
    where = (entries.c.org == org) & (entries.c.state == HIDDEN) & entries.c.destroy_after.is_(None)
    rows = connection.execute(select(entries.c.did, func.count()).where(where).group_by(entries.c.did))
    return {row[0]: row[1] for row in rows}


def is_contested(connection: Connection, org: str, did: str, place: tuple[int, int]) -> bool:
    """Whether the withdrawal of this place is contested."""
    return bool(connection.execute(select(withdrawals.c.contested).where(_at(org, did, place))).scalar())


def _at(org: str, did: str, place: tuple[int, int]) -> ColumnElement[bool]:
    return and_(
        withdrawals.c.org == org,
        withdrawals.c.did == did,
        withdrawals.c.epoch == place[0],
        withdrawals.c.sequence == place[1],
    )


def _late(after: tuple[int, int]) -> ColumnElement[bool]:
    return tuple_(withdrawals.c.by_epoch, withdrawals.c.by_sequence) > after


def _named(org: str, did: str, which: ColumnElement[bool]) -> ColumnElement[bool]:
    places = select(withdrawals.c.epoch, withdrawals.c.sequence).where(
        withdrawals.c.org == org, withdrawals.c.did == did, which
    )
    return tuple_(entries.c.epoch, entries.c.sequence).in_(places)

"""What working groups announce: public Notes that name a group as their audience, and whether its actor passed them on.

Kept for what a host is to do next, and for the group's page. All of it can be worked out again from the logs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, Index, String, Table, Text, delete, insert, select, update

from node.models.base import Instant, metadata

updates = Table(
    "group_updates",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("actor", String(80), primary_key=True),
    Column("author", String(80), nullable=False),
    Column("activity", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("received", Instant, nullable=False),
    Index("ix_group_updates_actor", "org", "actor", "received"),
)

NAMED, ANNOUNCED, TAKEN = "named", "announced", "taken"
"""Its author named the group; the group passed it on; its author took it back, and the group is to say so."""


@dataclass(frozen=True, slots=True)
class GroupUpdate:
    """One public update of a group."""

    object_id: str
    actor: str
    """The did of the group's actor."""
    author: str
    """The did of whoever wrote it; empty until it is here."""
    activity: str
    """The canonical id of the Announce; empty while there is none."""
    state: str
    received: datetime


def note(connection: Connection, org: str, value: GroupUpdate) -> None:
    """Somebody named the group, or the group passed something on: whichever comes first makes the row."""
    mine = _mine(org, value.object_id, value.actor)
    held = connection.execute(select(*_COLUMNS).where(mine)).first()
    if held is None:
        fields = {name: getattr(value, name) for name in GroupUpdate.__slots__}
        connection.execute(insert(updates).values(org=org, **fields))
        return
    was = GroupUpdate(*held)
    changes = {"author": was.author or value.author, "activity": was.activity or value.activity}
    state = ANNOUNCED if ANNOUNCED in (was.state, value.state) else was.state
    connection.execute(update(updates).where(mine).values(**changes, state=state))


def take(connection: Connection, org: str, object_id: str) -> None:
    """Its author took it back: what was passed on is to be taken back too, the rest is forgotten."""
    mine = (updates.c.org == org) & (updates.c.object_id == object_id)
    connection.execute(delete(updates).where(mine, updates.c.state == NAMED))
    connection.execute(update(updates).where(mine).values(state=TAKEN))


def forget(connection: Connection, org: str, value: GroupUpdate) -> None:
    """Nothing of it is left to do."""
    connection.execute(delete(updates).where(_mine(org, value.object_id, value.actor)))


def of_actors(
    connection: Connection, org: str, actors: Collection[str], state: str, most: int
) -> tuple[GroupUpdate, ...]:
    """Updates of a group that stand so, the newest first."""
    where = (updates.c.org == org) & updates.c.actor.in_(actors) & (updates.c.state == state)
    query = select(*_COLUMNS).where(where).order_by(updates.c.received.desc(), updates.c.object_id).limit(most)
    return tuple(GroupUpdate(*row) for row in connection.execute(query))


def drop_author(connection: Connection, org: str, did: str) -> None:
    """Forget what one author wrote; it is worked out again. What a group passed on stays noted: its own word it was."""
    mine = (updates.c.org == org) & (updates.c.author == did) & (updates.c.state == NAMED)
    connection.execute(delete(updates).where(mine))


_COLUMNS = tuple(updates.c[name] for name in GroupUpdate.__slots__)


def _mine(org: str, object_id: str, actor: str) -> ColumnElement[bool]:
    return (updates.c.org == org) & (updates.c.object_id == object_id) & (updates.c.actor == actor)

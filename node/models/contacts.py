"""Who stands in what relation to one of our organisations: followers, followings, pinned members."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from node.errors import ProtocolError
from node.federation.protocol.actors import Actor
from node.models.base import Instant, metadata

followers = Table(
    "followers",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("inbox", Text, nullable=False),
    Column("shared_inbox", Text),
    Column("activity", Text, nullable=False),
    Column("since", Instant, nullable=False),
)
followings = Table(
    "followings",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("uri", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("activity", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("since", Instant, nullable=False),
)
members = Table(
    "members",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("uri", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("recovery", String(80), nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("state", String(10), nullable=False),
    Column("frozen_epoch", Integer),
    Column("frozen_sequence", BigInteger),
    Column("successor", String(80)),
    Column("pinned", Instant, nullable=False),
    Column("synced", Instant),
    Column("kind", String(12), nullable=False, server_default="organisation"),
    Index("ix_members_did", "did"),
)

MEMBER, FORMER, SUCCEEDED = "member", "former", "succeeded"
ORGANISATION, GROUP = "organisation", "group"


@dataclass(frozen=True, slots=True)
class Follower:
    """One who gets our posts."""

    actor: str
    inbox: str
    shared_inbox: str | None
    activity: str
    since: datetime

    @property
    def target(self) -> str:
        """Where deliveries go: the shared inbox where there is one."""
        return self.shared_inbox or self.inbox


@dataclass(frozen=True, slots=True)
class Following:
    """One whose posts we asked for."""

    actor: str
    uri: str
    inbox: str
    activity: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation whose did is pinned on this node, one way."""

    did: str
    uri: str
    handle: str
    name: str
    inbox: str
    """The shared inbox of its first gateway, where there is one."""
    recovery: str
    """The commitment to its recovery key, from its log entry 1."""
    listed: bool
    state: str
    frozen_epoch: int | None
    frozen_sequence: int | None
    successor: str | None
    pinned: datetime
    synced: datetime | None
    kind: str = ORGANISATION
    """Or the actor of a working group: its log is kept and spread like a member's, and nothing is sealed to it."""

    @property
    def frozen(self) -> tuple[int, int] | None:
        """The last position that is still believed; `None` when the member is not frozen."""
        if self.frozen_epoch is None or self.frozen_sequence is None:
            return None
        return self.frozen_epoch, self.frozen_sequence


def add_follower(connection: Connection, org: str, follower: Follower) -> None:
    """Keep a follower; the newest Follow counts."""
    remove_follower(connection, org, follower.actor)
    connection.execute(insert(followers).values(org=org, **_fields(follower)))


def remove_follower(connection: Connection, org: str, actor: str) -> bool:
    """Drop a follower; says whether there was one."""
    return bool(
        connection.execute(delete(followers).where(followers.c.org == org, followers.c.actor == actor)).rowcount
    )


def remove_inbox(connection: Connection, inbox: str) -> None:
    """An inbox is gone for good: whoever followed from there follows no longer."""
    connection.execute(delete(followers).where((followers.c.inbox == inbox) | (followers.c.shared_inbox == inbox)))


def followers_of(connection: Connection, org: str) -> tuple[Follower, ...]:
    """Every follower."""
    rows = connection.execute(select(*_columns(followers)).where(followers.c.org == org))
    return tuple(Follower(*row) for row in rows)


def follower(connection: Connection, org: str, actor: str) -> Follower | None:
    """One follower."""
    row = connection.execute(
        select(*_columns(followers)).where(followers.c.org == org, followers.c.actor == actor)
    ).first()
    return Follower(*row) if row else None


def count_followers(connection: Connection, org: str) -> int:
    """The one number about followers that anybody may see."""
    return connection.execute(select(func.count()).where(followers.c.org == org)).scalar_one()


def set_following(connection: Connection, org: str, following: Following) -> None:
    """Keep or replace a following."""
    drop_following(connection, org, following.actor)
    connection.execute(insert(followings).values(org=org, **_fields(following)))


def drop_following(connection: Connection, org: str, actor: str) -> None:
    """Forget a following."""
    connection.execute(delete(followings).where(followings.c.org == org, followings.c.actor == actor))


def mark_following(connection: Connection, org: str, actor: str, state: str) -> None:
    """Our Follow was answered."""
    connection.execute(
        update(followings).where(followings.c.org == org, followings.c.actor == actor).values(state=state)
    )


def following(connection: Connection, org: str, actor: str) -> Following | None:
    """One following."""
    row = connection.execute(
        select(*_columns(followings)).where(followings.c.org == org, followings.c.actor == actor)
    ).first()
    return Following(*row) if row else None


def followings_of(connection: Connection, org: str) -> tuple[Following, ...]:
    """Every following."""
    rows = connection.execute(select(*_columns(followings)).where(followings.c.org == org))
    return tuple(Following(*row) for row in rows)


def followed_among(connection: Connection, org: str, actors: Collection[str]) -> frozenset[str]:
    """Which of these actors we follow."""
    rows = connection.execute(
        select(followings.c.actor).where(
            followings.c.org == org, followings.c.actor.in_(actors), followings.c.state == "accepted"
        )
    )
    return frozenset(rows.scalars())


def is_known(connection: Connection, actor: str) -> bool:
    """Whether anybody on this node follows the actor or is followed by it."""
    return any(
        connection.execute(select(table.c.actor).where(table.c.actor == actor).limit(1)).first() is not None
        for table in (followers, followings)
    )


def pin(connection: Connection, org: str, member: Member) -> None:
    """Pin a member, or replace what we hold of it."""
    connection.execute(delete(members).where(members.c.org == org, members.c.did == member.did))
    connection.execute(insert(members).values(org=org, **_fields(member)))


def member(connection: Connection, org: str, did: str) -> Member | None:
    """One member, current or former."""
    row = connection.execute(select(*_columns(members)).where(members.c.org == org, members.c.did == did)).first()
    return Member(*row) if row else None


def members_of(
    connection: Connection, org: str, *, all_states: bool = False, groups: bool = False
) -> tuple[Member, ...]:
    """The pinned members.

    Args:
        all_states: former and succeeded ones too.
        groups: the actors of working groups too, whose logs are kept like members'.
    """
    query = select(*_columns(members)).where(members.c.org == org)
    if not groups:
        query = query.where(members.c.kind == ORGANISATION)
    if not all_states:
        query = query.where(members.c.state == MEMBER)
    return tuple(Member(*row) for row in connection.execute(query.order_by(members.c.pinned)))


def pinned_anywhere(connection: Connection) -> dict[str, tuple[str, ...]]:
    """did → the organisations of this node that pinned it."""
    found: dict[str, tuple[str, ...]] = {}
    for did, org in connection.execute(select(members.c.did, members.c.org).where(members.c.state == MEMBER)):
        found[did] = (*found.get(did, ()), org)
    return found


def check_not_frozen(connection: Connection, actor: Actor) -> None:
    """An actor document past a freeze never counts, wherever it comes from.

    Raises:
        ProtocolError: an organisation of this node froze its did before that entry.
    """
    if actor.did is None:
        return
    rows = connection.execute(
        select(members.c.frozen_epoch, members.c.frozen_sequence).where(
            members.c.did == actor.did, members.c.frozen_sequence.is_not(None)
        )
    )
    if any(actor.order > (row[0], row[1]) for row in rows):
        raise ProtocolError("an actor document from after the freeze", spec="Tadamun design §4", status=403)


def freeze(connection: Connection, org: str, did: str, after: tuple[int, int] | None) -> None:
    """Believe nothing of this did past `after`; `None` lifts it."""
    epoch, sequence = after or (None, None)
    connection.execute(
        update(members)
        .where(members.c.org == org, members.c.did == did)
        .values(frozen_epoch=epoch, frozen_sequence=sequence)
    )


def frozen_anywhere(connection: Connection, did: str) -> bool:
    """Whether an organisation of this node froze this did."""
    frozen = select(members.c.did).where(members.c.did == did, members.c.frozen_epoch.is_not(None))
    return connection.execute(frozen).first() is not None


def set_state(connection: Connection, org: str, did: str, state: str, successor: str | None = None) -> None:
    """A member left, or was succeeded by another did."""
    connection.execute(
        update(members).where(members.c.org == org, members.c.did == did).values(state=state, successor=successor)
    )


def successors(connection: Connection, org: str) -> dict[str, str]:
    """Old did → the one that succeeded it, of every member that was succeeded."""
    where = (members.c.org == org) & (members.c.state == SUCCEEDED) & members.c.successor.is_not(None)
    return {row[0]: row[1] for row in connection.execute(select(members.c.did, members.c.successor).where(where))}


def relocate(connection: Connection, org: str, actor: Actor) -> None:
    """A newer proven actor document says where the member is now, and whether it may be named."""
    values = {
        "uri": actor.uri,
        "inbox": actor.shared_inbox or actor.inbox,
        "name": actor.name,
        "listed": actor.listed,
    }
    connection.execute(update(members).where(members.c.org == org, members.c.did == actor.did).values(**values))


def mark_synced(connection: Connection, org: str, did: str, now: datetime) -> None:
    """Heads were compared with this member."""
    connection.execute(update(members).where(members.c.org == org, members.c.did == did).values(synced=now))


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name != "org"]


def _fields(value: Follower | Following | Member) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}

"""What we owe to others: payloads, one delivery per inbox, and what we learned about each host.

Lanes, lower goes first: an alert to members, an alert to followers, anything else to members, the rest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from node.federation.protocol import ids, retry
from node.models import logs
from node.models.base import Id, Instant, metadata
from node.models.organisations import organisations
from node.withdrawals import Try

payloads = Table(
    "payloads",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("org", String(80), nullable=False),
    Column("activity_id", Text, nullable=False),
    Column("log_form", LargeBinary, nullable=False),
    Column("follower_form", LargeBinary),
    Column("made", Instant, nullable=False),
    UniqueConstraint("org", "activity_id"),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("org", String(80), nullable=False),
    Column("payload", Id, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("form", String(8), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", Instant, nullable=False),
    Column("lease", Instant),
    Column("status", Integer, nullable=False, server_default="0"),
    Column("settled", Instant),
    Column("patience", Integer, nullable=False, server_default="28"),
    UniqueConstraint("payload", "inbox"),
    Index("ix_deliveries_due", "state", "lane", "due"),
    Index("ix_deliveries_host", "host", "state"),
)
hosts = Table(
    "hosts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("host", String(300), primary_key=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("closed_until", Instant),
    Column("scheme", String(8), nullable=False, server_default="cavage"),
    Column("form", String(8), nullable=False, server_default=""),
    Column("seen", Instant, nullable=False),
)

WAITING, DONE, FAILED = "waiting", "done", "failed"
KEEP = timedelta(days=7)
HOST_KEEP = timedelta(days=60)
KEEP_WITHDRAWALS = timedelta(days=60)
"""How long it is known who took what takes a text back: its author looks at that, server by server."""


class Lane(IntEnum):
    """Who goes first."""

    ALERT_MEMBER = 0
    ALERT = 1
    MEMBER = 2
    OTHER = 3


@dataclass(frozen=True, slots=True)
class Recipient:
    """One inbox that is owed something, and in which proof form."""

    inbox: str
    form: str
    lane: Lane
    patience: int = retry.LAST_ATTEMPT
    """How often it is tried."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery, claimed."""

    id: int
    org: str
    payload: int
    inbox: str
    host: str
    form: str
    attempts: int
    lane: int
    patience: int = retry.LAST_ATTEMPT


@dataclass(frozen=True, slots=True)
class HostState:
    """What we know about one host: failures in a row, until when it is left alone, which signature it took."""

    host: str
    failures: int = 0
    closed_until: datetime | None = None
    scheme: str = "cavage"
    form: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended; `due` is set when it is to be tried again."""

    id: int
    state: str
    status: int
    due: datetime


def add_payload(
    connection: Connection, org: str, activity_id: str, log_form: bytes, follower_form: bytes | None, now: datetime
) -> int:
    """Keep the bytes of one activity; the same activity is kept once."""
    known = connection.execute(
        select(payloads.c.id).where(payloads.c.org == org, payloads.c.activity_id == activity_id)
    ).scalar()
    if known is not None:
        return int(known)
    values = {"org": org, "activity_id": activity_id, "log_form": log_form, "follower_form": follower_form}
    made = connection.execute(insert(payloads).values(made=now, **values).returning(payloads.c.id))
    return int(made.scalar_one())


def enqueue(
    connection: Connection, org: str, payload: int, recipients: Collection[Recipient], due: datetime
) -> int:
    """Owe one payload to many inboxes, each once."""
    rows = {
        recipient.inbox: {
            "org": org,
            "payload": payload,
            "inbox": recipient.inbox,
            "host": ids.host_of(recipient.inbox),
            "form": recipient.form,
            "lane": int(recipient.lane),
            "state": WAITING,
            "due": due,
            "patience": recipient.patience,
        }
        for recipient in sorted(recipients, key=lambda each: -each.lane)
    }
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(deliveries).on_conflict_do_nothing(), list(rows.values()))
    return len(rows)


def claim(
    connection: Connection, now: datetime, limit: int, lease: timedelta, busy: Collection[str] = (),
    worst: Lane = Lane.OTHER,
) -> tuple[Delivery, ...]:  # fmt: skip
    """Take up to `limit` due deliveries, best lane first and none worse than `worst`, none for hosts that are busy or
    left alone.
    """
    chosen = (
        select(deliveries.c.id)
        .where(
            *_due(now, worst),
            deliveries.c.host.not_in(list(busy)),
        )
        .order_by(deliveries.c.lane, deliveries.c.due, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")  # read once: a subquery may be read again for each row, and then takes more than the limit
    )
    rows = connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(select(chosen.c.id)))
        .values(lease=now + lease, attempts=deliveries.c.attempts + 1)
        .returning(
            deliveries.c.id, deliveries.c.org, deliveries.c.payload, deliveries.c.inbox, deliveries.c.host,
            deliveries.c.form, deliveries.c.attempts, deliveries.c.lane, deliveries.c.patience,
        )
    ).all()  # fmt: skip
    return tuple(sorted((Delivery(*row) for row in rows), key=lambda item: (item.lane, item.id)))


def bodies(connection: Connection, payload_ids: Collection[int]) -> dict[int, tuple[bytes, bytes]]:
    """payload → (log form, follower form); a payload whose text was destroyed is left out."""
    rows = connection.execute(
        select(payloads.c.id, payloads.c.log_form, payloads.c.follower_form).where(
            payloads.c.id.in_(payload_ids), payloads.c.log_form != b""
        )
    )
    return {row[0]: (row[1], row[2] or row[1]) for row in rows}


def settle(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down how attempts ended."""
    if not outcomes:
        return
    statement = (
        update(deliveries)
        .where(deliveries.c.id == bindparam("row"), deliveries.c.state == WAITING)
        .values(
            state=bindparam("new_state"), status=bindparam("answer"), due=bindparam("next"),
            settled=bindparam("now"), lease=None,
        )  # fmt: skip
    )
    connection.execute(
        statement,
        [
            {"row": item.id, "new_state": item.state, "answer": item.status, "next": item.due, "now": now}
            for item in outcomes
        ],
    )


def release(connection: Connection, rows: Collection[int] | None, due: datetime) -> None:
    """Hand claimed deliveries back untried: these, or with `None` every one that a process which died had claimed."""
    statement = update(deliveries).where(deliveries.c.state == WAITING, deliveries.c.lease.is_not(None))
    if rows is not None:
        statement = statement.where(deliveries.c.id.in_(rows))
    # An attempt nobody saw the end of is not counted: a node that keeps falling over must not use them up.
    connection.execute(statement.values(lease=None, due=due, attempts=deliveries.c.attempts - 1))


def host_states(connection: Connection, names: Collection[str]) -> dict[str, HostState]:
    """What is known of these hosts."""
    rows = connection.execute(
        select(hosts.c.host, hosts.c.failures, hosts.c.closed_until, hosts.c.scheme, hosts.c.form).where(
            hosts.c.org == "", hosts.c.host.in_(names)
        )
    )
    return {row[0]: HostState(*row) for row in rows}


def save_hosts(connection: Connection, states: Collection[HostState], now: datetime) -> None:
    """Remember what was learned about hosts."""
    for state in states:
        values = {
            "failures": state.failures,
            "closed_until": state.closed_until,
            "scheme": state.scheme,
            "form": state.form,
            "seen": now,
        }
        where = (hosts.c.org == "") & (hosts.c.host == state.host)
        if connection.execute(update(hosts).where(where).values(**values)).rowcount == 0:
            connection.execute(insert(hosts).values(org="", host=state.host, **values))


def greet(connection: Connection, host: str, now: datetime) -> int:
    """A host was heard of again after an outage: it gets at once what it missed. Returns how many that is."""
    opened = connection.execute(
        update(hosts).where(hosts.c.org == "", hosts.c.host == host).values(failures=0, closed_until=None)
    )
    if opened.rowcount == 0:
        return 0
    return connection.execute(
        update(deliveries)
        .where(deliveries.c.host == host, deliveries.c.state == WAITING, deliveries.c.due > now)
        .values(due=now)
    ).rowcount


def closed_hosts(connection: Connection) -> frozenset[str]:
    """Hosts that failed lately."""
    rows = connection.execute(select(hosts.c.host).where(hosts.c.org == "", hosts.c.failures > 0))
    return frozenset(rows.scalars())


def give_up_inbox(connection: Connection, inbox: str, now: datetime) -> None:
    """The inbox is gone for good (410): nothing more is owed to it."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.inbox == inbox, deliveries.c.state == WAITING)
        .values(state=FAILED, status=410, settled=now)
    )


def cancel(connection: Connection, org: str, activity_ids: Collection[str]) -> int:
    """What was withdrawn is sent to no follower who did not have it yet: it would come to life after its Delete.

    Members know a withdrawn entry whenever it comes, and need it for their copy of the log.
    """
    return connection.execute(_given_up().where(_of(org, activity_ids), deliveries.c.form == "follower")).rowcount


def drop(connection: Connection, org: str, activity_ids: Collection[str]) -> None:
    """Nothing of these activities is owed to anybody any more."""
    connection.execute(_given_up().where(_of(org, activity_ids)))


def give_up_texts(connection: Connection, org: str) -> None:
    """After a restore: no text that waited in the backup goes to a follower. It may have been withdrawn since, and was
    most likely sent; what withdraws something still goes.
    """
    entries = logs.entries
    texts = select(entries.c.activity_id).where(entries.c.org == org, entries.c.type.in_(("Create", "Update")))
    meant = select(payloads.c.id).where(payloads.c.org == org, payloads.c.activity_id.in_(texts))
    connection.execute(_given_up().where(deliveries.c.payload.in_(meant), deliveries.c.form == "follower"))


def forget(connection: Connection, org: str, activity_ids: Collection[str]) -> None:
    """The text of these activities is destroyed: what would still be sent of them is not."""
    drop(connection, org, activity_ids)
    connection.execute(
        update(payloads)
        .where(payloads.c.org == org, payloads.c.activity_id.in_(activity_ids))
        .values(log_form=b"", follower_form=None)
    )


def _given_up() -> Update:
    # The rows stay: one that is just being sent is settled by its number, and SQLite gives numbers out again.
    values = {"state": FAILED, "lease": None, "settled": deliveries.c.due}
    return update(deliveries).where(deliveries.c.state == WAITING).values(**values)


def _of(org: str, activity_ids: Collection[str]) -> ColumnElement[bool]:
    meant = select(payloads.c.id).where(payloads.c.org == org, payloads.c.activity_id.in_(activity_ids))
    return deliveries.c.payload.in_(meant)


def origin_of(connection: Connection, org: str) -> str:
    """Where an organisation speaks from."""
    return str(connection.execute(select(organisations.c.origin).where(organisations.c.did == org)).scalar_one())


def tries_of(connection: Connection, org: str, activity_ids: Collection[str]) -> tuple[Try, ...]:
    """How the deliveries of these activities stand."""
    names = ("host", "state", "attempts", "due", "settled")
    query = (
        select(payloads.c.activity_id, *(deliveries.c[name] for name in names))
        .join(payloads, payloads.c.id == deliveries.c.payload)
        .where(payloads.c.org == org, payloads.c.activity_id.in_(activity_ids))
        .order_by(deliveries.c.host, deliveries.c.id)
    )
    return tuple(Try(*row) for row in connection.execute(query))


def counts(connection: Connection, org: str) -> dict[str, int]:
    """How many of each state."""
    rows = connection.execute(
        select(deliveries.c.state, func.count()).where(deliveries.c.org == org).group_by(deliveries.c.state)
    )
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in (WAITING, DONE, FAILED)}


def next_due(connection: Connection) -> datetime | None:
    """When the next delivery wants attention."""
    row = connection.execute(select(func.min(deliveries.c.due)).where(deliveries.c.state == WAITING)).first()
    return row[0] if row else None


def is_due(connection: Connection, now: datetime, worst: Lane = Lane.OTHER) -> bool:
    """Whether anything wants to be delivered now, in a lane no worse than `worst`, to a host that is not left alone."""
    due = select(deliveries.c.id).where(*_due(now, worst)).limit(1)
    return connection.execute(due).first() is not None


def _due(now: datetime, worst: Lane) -> tuple[ColumnElement[bool], ...]:
    return (
        deliveries.c.state == WAITING,
        deliveries.c.lane.in_([int(lane) for lane in Lane if lane <= worst]),
        deliveries.c.due <= now,
        (deliveries.c.lease.is_(None)) | (deliveries.c.lease <= now),
        deliveries.c.host.not_in(select(hosts.c.host).where(hosts.c.org == "", hosts.c.closed_until > now)),
    )


def prune(connection: Connection, now: datetime) -> int:
    """Forget settled deliveries after a week, those that take a text back after sixty days; payloads nobody is owed;
    hosts not heard of for sixty days.
    """
    ended = deliveries.c.state != WAITING
    plain = ended & (deliveries.c.settled < now - KEEP) & (deliveries.c.patience <= retry.LAST_ATTEMPT)
    old = ended & (deliveries.c.settled < now - KEEP_WITHDRAWALS)
    gone = connection.execute(delete(deliveries).where(plain | old)).rowcount
    owed = select(deliveries.c.payload)
    connection.execute(delete(payloads).where(payloads.c.made < now - KEEP, payloads.c.id.not_in(owed)))
    connection.execute(delete(hosts).where(hosts.c.seen < now - HOST_KEEP))
    return gone

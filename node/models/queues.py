"""What came in and waits to be judged, and what became of it.

A row is kept before the peer hears 202. It is idempotent by id *and* content. Processed bodies are kept seven days,
refused ones thirty days or 10,000 or 64 MB, whichever comes first; of the request nothing is kept but the headers its
signature covers, and these only until it was judged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from node.models.base import Id, Instant, metadata

OF_ALERTS = "substr(org, 1, 7) = 'alerts:'"
"""What the rows that came to an `@alerts` have in common."""
incoming = Table(
    "incoming",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("org", String(80), nullable=False),
    Column("received", Instant, nullable=False),
    Column("activity_id", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("body", LargeBinary),
    Column("key_id", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("request", LargeBinary),
    Column("via", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("rule", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", Instant, nullable=False),
    Column("settled", Instant),
    UniqueConstraint("activity_id", "digest", "org"),
    Index("ix_incoming_state", "state", "due"),
    # The few rows of `@alerts` are looked for every second among all that was ever ignored.
    Index("ix_incoming_alerts", "org", "state", sqlite_where=text(OF_ALERTS), postgresql_where=text(OF_ALERTS)),
    sqlite_autoincrement=False,
)

WAITING, ACCEPTED, IGNORED, REFUSED, FAILED = "waiting", "accepted", "ignored", "refused", "failed"
STATES = (WAITING, ACCEPTED, IGNORED, REFUSED, FAILED)
KEEP_PROCESSED = timedelta(days=7)
KEEP_REFUSED = timedelta(days=30)
MAX_REFUSED = 10_000
MAX_REFUSED_BYTES = 64 * 1024 * 1024
MAX_PROCESSED = 200_000
MAX_PROCESSED_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """One delivery of a peer."""

    id: int
    org: str
    """The organisation whose inbox it came to; empty for the shared inbox."""
    received: datetime
    activity_id: str
    digest: bytes
    body: bytes
    key_id: str
    """Of the HTTP signature; empty where there was none."""
    signer: str
    """The canonical id of the actor whose HTTP key verified; empty while that is open."""
    request: bytes | None
    """What is needed to verify the HTTP signature later, while that is open."""
    via: str
    """`host[:port]` of the signer's key."""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one incoming row."""

    id: int
    state: str
    rule: str = ""
    reason: str = ""
    forget: bool = False
    """It brought somebody's private words: the row goes, whatever became of it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused delivery as the operator sees it."""

    id: int
    received: datetime
    activity_id: str
    via: str
    rule: str
    reason: str


def keep(connection: Connection, rows: Sequence[Incoming], lease: timedelta | None = None) -> list[int]:
    """Keep deliveries; one that is here already, byte for byte, is passed over.

    Args:
        lease: who keeps them judges them: they are claimed from birth, for so long.

    Returns:
        With `lease`, each row's number, 0 for one that was here already; else nothing.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(incoming).on_conflict_do_nothing()
    if lease is None:
        connection.execute(statement, _values(rows, timedelta(0), 0))
        return []
    named = (incoming.c.id, incoming.c.digest, incoming.c.org)
    found = connection.execute(statement.returning(*named), _values(rows, lease, 1))
    new = {(bytes(row[1]), row[2]): int(row[0]) for row in found}
    return [new.pop((row.digest, row.org), 0) for row in rows]


def _values(rows: Sequence[Incoming], lease: timedelta, attempts: int) -> list[dict[str, object]]:
    return [
        {
            "org": row.org,
            "received": row.received,
            "activity_id": row.activity_id,
            "digest": row.digest,
            "body": row.body,
            "key_id": row.key_id,
            "signer": row.signer,
            "request": row.request,
            "via": row.via,
            "state": WAITING,
            "attempts": attempts,
            "due": row.received + lease,
        }
        for row in rows
    ]


def note_refused(connection: Connection, row: Incoming, rule: str, reason: str) -> None:
    """Keep what was refused at the door, for the operator to see; the same bytes once."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {
        "org": row.org,
        "received": row.received,
        "activity_id": row.activity_id,
        "digest": row.digest,
        "body": row.body,
        "key_id": "",
        "signer": "",
        "via": row.via,
        "state": REFUSED,
        "rule": rule,
        "reason": reason[:300],
        "due": row.received,
        "settled": row.received,
    }
    connection.execute(dialect.insert(incoming).values(**values).on_conflict_do_nothing())


def claim(connection: Connection, now: datetime, limit: int, lease: timedelta) -> tuple[Incoming, ...]:
    """Take up to `limit` waiting rows, oldest first; they come back if they are not settled within `lease`."""
    chosen = (
        select(incoming.c.id)
        .where(incoming.c.state == WAITING, incoming.c.due <= now)
        .order_by(incoming.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")  # read once: a subquery may be read again for each row, and then takes more than the limit
    )
    rows = connection.execute(
        update(incoming)
        .where(incoming.c.id.in_(select(chosen.c.id)))
        .values(due=now + lease, attempts=incoming.c.attempts + 1)
        .returning(
            *(
                incoming.c[name]
                for name in (
                    "id", "org", "received", "activity_id", "digest", "body", "key_id", "signer", "request", "via",
                    "attempts",
                )
            )
        )
    ).all()  # fmt: skip
    return tuple(sorted((Incoming(*row) for row in rows), key=lambda item: item.id))


def settle(connection: Connection, results: Sequence[Settled], now: datetime) -> None:
    """Write down what became of them; what is not needed to see why is dropped."""
    gone = [item.id for item in results if item.forget]
    results = [item for item in results if not item.forget]
    if gone:
        connection.execute(delete(incoming).where(incoming.c.id.in_(gone)))
    if not results:
        return
    statement = (
        update(incoming)
        .where(incoming.c.id == bindparam("row"))
        .values(
            state=bindparam("new_state"),
            rule=bindparam("new_rule"),
            reason=bindparam("new_reason"),
            settled=bindparam("now"),
            request=None,
        )
    )
    connection.execute(
        statement,
        [
            {
                "row": item.id,
                "new_state": item.state,
                "new_rule": item.rule,
                "new_reason": item.reason[:300],
                "now": now,
            }
            for item in results
        ],
    )


def postpone(connection: Connection, rows: Sequence[int], due: datetime) -> None:
    """Try these again at `due`."""
    if rows:
        connection.execute(update(incoming).where(incoming.c.id.in_(rows)).values(due=due))


def forget(connection: Connection, activity_ids: Collection[str], digests: Collection[bytes] = ()) -> None:
    """The text of these activities is destroyed: the bodies that brought it go too, whatever became of them."""
    # A row without its body cannot be judged any more.
    state = case((incoming.c.state == WAITING, IGNORED), else_=incoming.c.state)
    connection.execute(
        update(incoming)
        .where(incoming.c.activity_id.in_(activity_ids) | incoming.c.digest.in_(digests))
        .values(body=None, request=None, state=state, settled=func.coalesce(incoming.c.settled, incoming.c.received))
    )


def release(connection: Connection, now: datetime) -> None:
    """Hand back what a process that died had claimed."""
    connection.execute(update(incoming).where(incoming.c.state == WAITING, incoming.c.due > now).values(due=now))


def counts(connection: Connection, org: str) -> dict[str, int]:
    """How many of each state, for one organisation and the shared inbox."""
    rows = connection.execute(
        select(incoming.c.state, func.count()).where(incoming.c.org.in_((org, ""))).group_by(incoming.c.state)
    )
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in STATES}


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether anything wants to be judged now."""
    where = (incoming.c.state == WAITING) & (incoming.c.due <= now)
    return connection.execute(select(incoming.c.id).where(where).limit(1)).first() is not None


def waiting(connection: Connection) -> int:
    """How many wait to be judged."""
    return connection.execute(select(func.count()).where(incoming.c.state == WAITING)).scalar_one()


def refusals(connection: Connection, org: str, limit: int = 100) -> tuple[Refusal, ...]:
    """The newest refused or failed deliveries, with rule and reason."""
    names = ("id", "received", "activity_id", "via", "rule", "reason")
    rows = connection.execute(
        select(*(incoming.c[name] for name in names))
        .where(incoming.c.state.in_((REFUSED, FAILED)), incoming.c.org.in_((org, "")))
        .order_by(incoming.c.id.desc())
        .limit(limit)
    )
    return tuple(_refusal(row) for row in rows)


def prune(connection: Connection, now: datetime) -> int:
    """Forget what was kept long enough; returns how many rows went."""
    processed = connection.execute(
        delete(incoming).where(
            incoming.c.state.in_((ACCEPTED, IGNORED)), incoming.c.settled < now - KEEP_PROCESSED
        )
    ).rowcount
    bad = (REFUSED, FAILED)
    refused = connection.execute(
        delete(incoming).where(incoming.c.state.in_(bad), incoming.c.settled < now - KEEP_REFUSED)
    ).rowcount
    surplus = _drop_surplus(connection, bad, MAX_REFUSED, MAX_REFUSED_BYTES)
    surplus += _drop_surplus(connection, (ACCEPTED, IGNORED), MAX_PROCESSED, MAX_PROCESSED_BYTES)
    return processed + refused + surplus


def _drop_surplus(connection: Connection, states: Sequence[str], most: int, most_bytes: int) -> int:
    """The oldest rows of these states, past so many or so many bytes of bodies."""
    of_state = incoming.c.state.in_(states)
    running = func.sum(func.length(incoming.c.body)).over(order_by=incoming.c.id.desc())
    number = func.row_number().over(order_by=incoming.c.id.desc())
    ranked = select(incoming.c.id, running.label("bytes"), number.label("number")).where(of_state).subquery()
    over = select(ranked.c.id).where((ranked.c.number > most) | (ranked.c.bytes > most_bytes))
    return connection.execute(delete(incoming).where(incoming.c.id.in_(over))).rowcount


def _refusal(row: Row[Any]) -> Refusal:
    return Refusal(row.id, row.received, row.activity_id, row.via, row.rule, row.reason)

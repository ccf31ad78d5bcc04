"""Cases and confidential requests, as sealed rows.

In the clear stand: whose organisation, a random id, the state, and moments to the hour; of a published case the id of
the alert, which everyone can read anyway. What is said of anybody stands in `sealed`, to the case workers' key, from
the first row on. A message of a request's thread is sealed to whom it is for. A row that somebody else changed
meanwhile is not overwritten.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
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
    delete,
    func,
    insert,
    select,
    update,
)

from node.case_terms import EMBARGO, PUBLISHED, REVIEW
from node.errors import RefusedError
from node.models.base import Instant, metadata

cases = Table(
    "cases",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened", Instant, nullable=False),
    Column("due", Instant),
    Column("lapses", Instant),
    Column("deletes", Instant),
    Column("alert", Text, nullable=False, server_default=""),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_cases_lapses", "lapses"),
    Index("ix_cases_deletes", "deletes"),
)
requests = Table(
    "requests",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("tag", LargeBinary(32), primary_key=True),
    Column("case_id", String(32), nullable=False),
    Column("public", String(100), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("opened", Instant, nullable=False),
    Column("deletes", Instant),
    Index("ix_requests_case", "org", "case_id"),
)
words = Table(
    "request_words",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("case_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("answer", Integer, nullable=False),
    Column("hour", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
salts = Table(
    "request_salts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as it lies there."""

    id: str
    state: str
    version: int
    """Rises with each save."""
    opened: datetime
    due: datetime | None
    """When somebody must have acted (R14)."""
    lapses: datetime | None
    """When the consent ends that it rests on."""
    deletes: datetime | None
    """When row and bytes go."""
    alert: str
    """Canonical id of the alert that was published from it, else empty."""
    sealed: bytes


@dataclass(frozen=True, slots=True)
class RequestRow:
    """What is kept of a receipt."""

    tag: bytes
    case_id: str
    public: str
    wrapped: bytes
    opened: datetime
    deletes: datetime | None = None
    """When the thread goes, some time after its case came to an end."""


@dataclass(frozen=True, slots=True)
class WordRow:
    """One message of a thread: an answer to who asked, or more words for the case workers."""

    number: int
    answer: bool
    hour: datetime
    sealed: bytes


def add(connection: Connection, org: str, row: CaseRow) -> None:
    """A new case."""
    connection.execute(insert(cases).values(org=org, **{name: getattr(row, name) for name in CaseRow.__slots__}))


def find(connection: Connection, org: str, name: str) -> CaseRow | None:
    """One case by its id."""
    row = connection.execute(_select().where(cases.c.org == org, cases.c.id == name)).first()
    return None if row is None else CaseRow(*row)


def all_of(connection: Connection, org: str, limit: int = 500) -> tuple[CaseRow, ...]:
    """Every case, the most pressing first."""
    order = (cases.c.due.is_(None), cases.c.due, cases.c.opened.desc())
    rows = connection.execute(_select().where(cases.c.org == org).order_by(*order).limit(limit))
    return tuple(CaseRow(*row) for row in rows)


def of_alert(connection: Connection, org: str, alert: str) -> str:
    """The id of the case that an alert was published from; empty where it has none."""
    where = (cases.c.org == org) & (cases.c.alert == alert)
    return connection.execute(select(cases.c.id).where(where).limit(1)).scalar() or ""


def overdue(connection: Connection, org: str, now: datetime) -> int:
    """R14: how many wait for longer than was promised. Needs nobody's key."""
    where = (cases.c.org == org) & (cases.c.due <= now)
    return connection.execute(select(func.count()).select_from(cases).where(where)).scalar_one()


def save(connection: Connection, org: str, row: CaseRow) -> CaseRow:
    """Replace a case by its next version.

    Args:
        row: with the version that was read.

    Raises:
        RefusedError: somebody else changed it meanwhile, or it is gone.
    """
    values = {name: getattr(row, name) for name in CaseRow.__slots__} | {"version": row.version + 1}
    same = (cases.c.org == org) & (cases.c.id == row.id) & (cases.c.version == row.version)
    if connection.execute(update(cases).where(same).values(**values)).rowcount == 0:
        raise RefusedError("somebody else changed this case meanwhile: open it again")
    return CaseRow(**values)


def mark(connection: Connection, org: str, name: str, state: str, deletes: datetime) -> None:
    """The clock changes a state, without opening anything."""
    connection.execute(
        update(cases)
        .where(cases.c.org == org, cases.c.id == name)
        .values(state=state, due=None, lapses=None, deletes=deletes, version=cases.c.version + 1)
    )


def follow(connection: Connection, org: str, name: str, alert: str, look: datetime) -> bool:
    """The text that waited for approval was published: the state in the clear follows, without opening anything.

    Args:
        look: by when somebody should have looked at it.
    """
    of_case = (cases.c.org == org) & (cases.c.id == name) & cases.c.state.in_((REVIEW, EMBARGO))
    values = {"state": PUBLISHED, "alert": alert, "due": look, "version": cases.c.version + 1}
    return connection.execute(update(cases).where(of_case).values(**values)).rowcount > 0


def lapsing(connection: Connection, now: datetime) -> tuple[tuple[str, CaseRow], ...]:
    """(org, case) of all whose consent has ended by now."""
    return _due(connection, cases.c.lapses <= now)


def deleting(connection: Connection, now: datetime) -> tuple[tuple[str, CaseRow], ...]:
    """(org, case) of all whose time has come."""
    return _due(connection, cases.c.deletes <= now)


def empty(connection: Connection, org: str, name: str) -> None:
    """What was said goes now; the bare row stays until the alert that it names is taken back."""
    _drop_thread(connection, org, name)
    where = (cases.c.org == org) & (cases.c.id == name)
    connection.execute(update(cases).where(where).values(sealed=b"", due=None, lapses=None))


def remove(connection: Connection, org: str, name: str) -> None:
    """Row, thread and receipt go; SQLite overwrites the bytes (`secure_delete`)."""
    _drop_thread(connection, org, name)
    connection.execute(delete(cases).where(cases.c.org == org, cases.c.id == name))


def salt(connection: Connection, org: str) -> bytes | None:
    """The organisation's salt for receipts, `None` before the first request."""
    found: bytes | None = connection.execute(select(salts.c.salt).where(salts.c.org == org)).scalar()
    return found


def make_salt(connection: Connection, org: str, size: int) -> bytes:
    """The salt, made where there is none yet."""
    found = salt(connection, org)
    if found is None:
        found = secrets.token_bytes(size)
        connection.execute(insert(salts).values(org=org, salt=found))
    return found


def add_request(connection: Connection, org: str, row: RequestRow) -> None:
    """Keep what a receipt opens."""
    connection.execute(insert(requests).values(org=org, **{name: getattr(row, name) for name in RequestRow.__slots__}))


def request_by_tag(connection: Connection, org: str, tag: bytes) -> RequestRow | None:
    """What a receipt opens."""
    row = connection.execute(_requests().where(requests.c.org == org, requests.c.tag == tag)).first()
    return None if row is None else RequestRow(*row)


def request_of(connection: Connection, org: str, case: str) -> RequestRow | None:
    """The request that a case began with, where it began with one."""
    row = connection.execute(_requests().where(requests.c.org == org, requests.c.case_id == case)).first()
    return None if row is None else RequestRow(*row)


def end_thread(connection: Connection, org: str, case: str, deletes: datetime | None) -> None:
    """The case came to an end, or began again: when its thread goes."""
    where = (requests.c.org == org) & (requests.c.case_id == case)
    connection.execute(update(requests).where(where).values(deletes=deletes))


def drop_threads(connection: Connection, now: datetime) -> int:
    """Threads and receipts whose time has come go; returns how many."""
    gone = connection.execute(select(requests.c.org, requests.c.case_id).where(requests.c.deletes <= now)).all()
    for org, case in gone:
        _drop_thread(connection, org, case)
    return len(gone)


def _drop_thread(connection: Connection, org: str, case: str) -> None:
    connection.execute(delete(words).where(words.c.org == org, words.c.case_id == case))
    connection.execute(delete(requests).where(requests.c.org == org, requests.c.case_id == case))


def add_word(
    connection: Connection, org: str, case: str, sealed: bytes, hour: datetime, *, answer: bool, most: int
) -> None:
    """One more message.

    Raises:
        RefusedError: the thread is full.
    """
    of_thread = (words.c.org == org) & (words.c.case_id == case)
    last: int = connection.execute(select(func.coalesce(func.max(words.c.number), 0)).where(of_thread)).scalar_one()
    if last >= most:
        raise RefusedError(f"a thread has room for {most} messages")
    values = {"number": last + 1, "answer": int(answer), "hour": hour, "sealed": sealed}
    connection.execute(insert(words).values(org=org, case_id=case, **values))


def thread(connection: Connection, org: str, case: str) -> tuple[WordRow, ...]:
    """Every message, oldest first."""
    rows = connection.execute(
        select(words.c.number, words.c.answer, words.c.hour, words.c.sealed)
        .where(words.c.org == org, words.c.case_id == case)
        .order_by(words.c.number)
    )
    return tuple(WordRow(row[0], bool(row[1]), row[2], row[3]) for row in rows)


def _due(connection: Connection, where: Any) -> tuple[tuple[str, CaseRow], ...]:
    rows = connection.execute(select(cases.c.org, *_columns()).where(where).limit(500))
    return tuple((row[0], _value(row[1:])) for row in rows)


def _value(row: "Row[Any] | tuple[Any, ...]") -> CaseRow:
    return CaseRow(*row)


def _columns() -> list[Any]:
    return [cases.c[name] for name in CaseRow.__slots__]


def _select() -> Any:
    return select(*_columns())


def _requests() -> Any:
    return select(*(requests.c[name] for name in RequestRow.__slots__))

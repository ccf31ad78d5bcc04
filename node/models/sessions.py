"""Sessions of people on the desk. A row opens nothing: its key is the cookie, of which only a digest is kept.

No address, no user agent; moments to the hour, but for two that a rule needs: when a session ends, and when its second
factor was shown.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from node import people as rules
from node.models.base import Instant, metadata
from node.moments import hour_of
from node.people import Person

desk_sessions = Table(
    "desk_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("org", String(80), nullable=False),
    Column("person", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("made", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("second_factor", Instant, nullable=True),
    Column("challenge", Text, nullable=False),
    Index("ix_desk_sessions_person", "org", "person"),
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One session, as it is kept."""

    digest: str
    org: str
    person: str
    sealed: bytes = field(repr=False)
    """The person's secret under the cookie."""
    shared: bool
    """On a computer that others use: ends when idle."""
    made: datetime
    seen: datetime
    expires: datetime
    second_factor: datetime | None
    """When a second factor was shown last."""
    challenge: str
    """What a passkey is to sign now, or the code generator that is being enrolled, sealed; empty else."""


def begin(
    connection: Connection, digest: str, person: Person, sealed: bytes, now: datetime, *, shared: bool
) -> OpenSession:
    """A password was right. Until a second factor is shown, where one is enrolled, the session lets nobody in."""
    made = OpenSession(
        digest=digest, org=person.org, person=person.id, sealed=sealed, shared=shared, made=hour_of(now),
        seen=hour_of(now), expires=now + (rules.ARRIVAL if person.factors else _length(shared)), second_factor=None,
        challenge="",
    )  # fmt: skip
    connection.execute(insert(desk_sessions).values(**{name: getattr(made, name) for name in OpenSession.__slots__}))
    return made


def current(connection: Connection, digest: str, now: datetime) -> OpenSession | None:
    """The session of this cookie, if it has not ended."""
    row = connection.execute(
        select(desk_sessions).where(desk_sessions.c.digest == digest, desk_sessions.c.expires > now)
    ).first()
    return _value(row) if row else None


def is_to_be_touched(session: OpenSession, now: datetime) -> bool:
    """Whether `touch` would write: each request on a shared computer, else once an hour."""
    return session.shared or hour_of(now) != session.seen


def touch(connection: Connection, session: OpenSession, now: datetime) -> None:
    """It is in use; on a shared computer it therefore goes on."""
    values = {"seen": hour_of(now)}
    if session.shared:
        values["expires"] = now + rules.SHARED_IDLE
    connection.execute(update(desk_sessions).where(desk_sessions.c.digest == session.digest).values(**values))


def show_factor(connection: Connection, session: OpenSession, now: datetime) -> None:
    """A second factor was shown: the session is open, and for a while fresh."""
    values = {"second_factor": now, "challenge": "", "expires": now + _length(session.shared)}
    if session.second_factor is not None:
        del values["expires"]
    connection.execute(update(desk_sessions).where(desk_sessions.c.digest == session.digest).values(**values))


def set_challenge(connection: Connection, digest: str, challenge: str) -> None:
    """Remember what is to be answered next."""
    connection.execute(update(desk_sessions).where(desk_sessions.c.digest == digest).values(challenge=challenge))


def of_person(connection: Connection, org: str, person: str, now: datetime) -> tuple[OpenSession, ...]:
    """The sessions of one person that have not ended, oldest first."""
    mine = (desk_sessions.c.org == org) & (desk_sessions.c.person == person) & (desk_sessions.c.expires > now)
    return tuple(_value(row) for row in connection.execute(select(desk_sessions).where(mine).order_by("made")))


def end(connection: Connection, org: str, person: str, digest: str) -> int:
    """End one session of a person; 0 where it is not theirs."""
    return _end(connection, (desk_sessions.c.person == person) & (desk_sessions.c.digest == digest), org)


def end_of_person(connection: Connection, org: str, person: str, *, but: str = "") -> int:
    """End every session of a person, but the one of this digest."""
    return _end(connection, (desk_sessions.c.person == person) & (desk_sessions.c.digest != but), org)


def end_all(connection: Connection, org: str) -> int:
    """End every session of an organisation."""
    return _end(connection, desk_sessions.c.digest != "", org)


def prune(connection: Connection, now: datetime) -> int:
    """Destroy what has ended."""
    return connection.execute(delete(desk_sessions).where(desk_sessions.c.expires <= now)).rowcount


def _end(connection: Connection, which: ColumnElement[bool], org: str) -> int:
    return connection.execute(delete(desk_sessions).where((desk_sessions.c.org == org) & which)).rowcount


def _length(shared: bool) -> timedelta:
    return rules.SHARED_IDLE if shared else rules.SIGNED_IN


def _value(row: Row[tuple[object, ...]]) -> OpenSession:
    return OpenSession(**row._mapping)

"""What people are writing at the desk and have not handed in: one draft for each form of each person, sealed to them.

Nobody else opens it, not even a colleague who holds every key of the organisation; it goes when the form is handed in,
when its person is disabled, or thirty days after it was touched last. Moments are kept to the hour.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from node.models.base import Instant, metadata

KEPT = timedelta(days=30)
MOST = 50
"""Drafts of one person; the oldest goes."""

desk_drafts = Table(
    "desk_drafts",
    metadata,
    Column("org", String(80), nullable=False),
    Column("person", String(32), nullable=False),
    Column("form", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("touched", Instant, nullable=False),
    PrimaryKeyConstraint("org", "person", "form"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft, closed."""

    form: str
    """The path of the form that it is of."""
    sealed: bytes = field(repr=False)
    touched: datetime
    """To the hour."""


def keep(connection: Connection, org: str, person: str, draft: Draft) -> None:
    """Keep it in place of what was kept of this form."""
    drop(connection, org, person, draft.form)
    connection.execute(
        insert(desk_drafts).values(
            org=org, person=person, form=draft.form, sealed=draft.sealed, touched=draft.touched
        )
    )
    for old in of_person(connection, org, person)[MOST:]:
        drop(connection, org, person, old.form)


def find(connection: Connection, org: str, person: str, form: str) -> Draft | None:
    """What was kept of a form."""
    query = select(desk_drafts.c.form, desk_drafts.c.sealed, desk_drafts.c.touched).where(
        desk_drafts.c.org == org, desk_drafts.c.person == person, desk_drafts.c.form == form
    )
    row = connection.execute(query).first()
    return Draft(*row) if row else None


def of_person(connection: Connection, org: str, person: str) -> tuple[Draft, ...]:
    """Everything that somebody is writing, the newest first."""
    query = (
        select(desk_drafts.c.form, desk_drafts.c.sealed, desk_drafts.c.touched)
        .where(desk_drafts.c.org == org, desk_drafts.c.person == person)
        .order_by(desk_drafts.c.touched.desc(), desk_drafts.c.form)
    )
    return tuple(Draft(*row) for row in connection.execute(query))


def drop(connection: Connection, org: str, person: str, form: str) -> None:
    """Keep it no longer."""
    connection.execute(
        delete(desk_drafts).where(
            desk_drafts.c.org == org, desk_drafts.c.person == person, desk_drafts.c.form == form
        )
    )


def drop_of(connection: Connection, org: str, person: str) -> None:
    """Everything of somebody who is gone."""
    connection.execute(delete(desk_drafts).where(desk_drafts.c.org == org, desk_drafts.c.person == person))


def prune(connection: Connection, now: datetime) -> None:
    """Forget what nobody went on with."""
    connection.execute(delete(desk_drafts).where(desk_drafts.c.touched <= now - KEPT))

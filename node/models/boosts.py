"""`@alerts`: what the operator asked for, and what was boosted, so that each is said once and may be undone.

Followers and deliveries of `@alerts` stand in the tables of all followers and deliveries, under its own name in `org`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    func,
    insert,
    select,
    text,
    update,
)

from node import boosts as rules
from node.boosts import Rule, Voice
from node.errors import RefusedError
from node.models import alerts, organisations, queues
from node.models.alerts import AlertRecord
from node.models.base import Instant, metadata
from node.models.organisations import Organisation

boost_rules = Table(
    "boost_rules",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("kind", String(100), primary_key=True),
    Column("since", Instant, nullable=False),
)
boosts = Table(
    "boosts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("uri", Text, nullable=False),
    Column("activity", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("due", Instant, nullable=False),
    Index("ix_boosts_state", "org", "state", "due"),
)

WAITING, DONE, UNDONE, PASSED = "waiting", "done", "undone", "passed"
_MOST = 200
"""Rows looked at in one go."""
_CARRIED = 20
"""Alerts of one author that are carried on."""


@dataclass(frozen=True, slots=True)
class Boost:
    """One boost of one alert."""

    object_id: str
    number: int
    """0, and one more each time that its author's server came back."""
    uri: str
    """The alert's Note, where it was signed."""
    activity: str
    state: str
    due: datetime


def voice_of(organisation: Organisation, organisations_here: Collection[Organisation]) -> Voice | None:
    """The `@alerts` of a host, for the organisation that looks after it: the first that still speaks there."""
    beside = [each for each in organisations_here if each.host == organisation.host]
    if not beside or beside[0].did != organisation.did:
        return None
    return Voice(organisation.origin, rules.handle_beside({each.handle for each in beside}))


def voices(connection: Connection) -> tuple[tuple[Organisation, Voice], ...]:
    """Every `@alerts` of this node, with the organisation that looks after it."""
    here = organisations.all_of(connection)
    found = ((each, voice_of(each, here)) for each in here)
    return tuple((each, voice) for each, voice in found if voice is not None)


def uri_of(connection: Connection, key: str) -> str:
    """The id of the `@alerts` whose rows stand under this name.

    Raises:
        RefusedError: nobody lives at its host any more.
    """
    for _, voice in voices(connection):
        if voice.key == key:
            return voice.uri
    raise RefusedError("no organisation lives at the host of this @alerts any more")


def ask_for(connection: Connection, org: str, wanted: Collection[Rule]) -> None:
    """Boost these from now on, too; what was asked for earlier stays so."""
    known = {(rule.country, rule.kind) for rule in asked_for(connection, org)}
    for rule in wanted:
        if (rule.country, rule.kind) not in known:
            values = {"country": rule.country, "kind": rule.kind, "since": rule.since}
            connection.execute(insert(boost_rules).values(org=org, **values))


def ask_for_none(connection: Connection, org: str) -> None:
    """Boost nothing from now on; what waits is not said."""
    connection.execute(delete(boost_rules).where(boost_rules.c.org == org))
    waiting = (boosts.c.org == org) & (boosts.c.state == WAITING)
    connection.execute(update(boosts).where(waiting).values(state=PASSED))


def asked_for(connection: Connection, org: str) -> tuple[Rule, ...]:
    """What the operator wants boosted."""
    columns = (boost_rules.c.country, boost_rules.c.kind, boost_rules.c.since)
    rows = connection.execute(select(*columns).where(boost_rules.c.org == org).order_by(*columns[:2]))
    return tuple(Rule(*row) for row in rows)


def unjudged(connection: Connection, org: str, after: datetime) -> tuple[AlertRecord, ...]:
    """Actual alerts published after a moment that nobody has looked at for `@alerts`, oldest first."""
    table = alerts.alerts
    seen = select(boosts.c.number).where(boosts.c.org == org, boosts.c.object_id == table.c.object_id).exists()
    rows = connection.execute(
        select(*(table.c[name] for name in AlertRecord.__slots__))
        .where(table.c.org == org, table.c.status == "actual", table.c.translation_of.is_(None), table.c.shown)
        .where(table.c.published > after, ~seen)
        .order_by(table.c.published)
        .limit(_MOST)
    )
    return tuple(AlertRecord(*row) for row in rows)


def record_of(connection: Connection, org: str, object_id: str) -> AlertRecord | None:
    """An alert that is shown here, by its canonical id."""
    table = alerts.alerts
    where = (table.c.org == org) & (table.c.object_id == object_id) & table.c.shown
    row = connection.execute(select(*(table.c[name] for name in AlertRecord.__slots__)).where(where)).first()
    return AlertRecord(*row) if row else None


def of_author(connection: Connection, org: str, did: str, now: datetime) -> tuple[AlertRecord, ...]:
    """One author's newest alerts that are for people to act on: actual, neither closed nor expired, in their main
    language.
    """
    table = alerts.alerts
    rows = connection.execute(
        select(*(table.c[name] for name in AlertRecord.__slots__))
        .where(table.c.org == org, table.c.did == did, table.c.status == "actual", table.c.state != "closed")
        .where(table.c.shown)
        .where(table.c.translation_of.is_(None), table.c.expires.is_(None) | (table.c.expires > now))
        .order_by(table.c.published.desc())
        .limit(_CARRIED)
    )
    return tuple(AlertRecord(*row) for row in rows)


def add(connection: Connection, org: str, boost: Boost) -> None:
    """Plan a boost, or note that there is to be none."""
    values = {name: getattr(boost, name) for name in Boost.__slots__}
    connection.execute(insert(boosts).values(org=org, **values))


def next_number(connection: Connection, org: str, object_id: str) -> int:
    """The number of an alert's next boost."""
    where = (boosts.c.org == org) & (boosts.c.object_id == object_id)
    last = connection.execute(select(func.max(boosts.c.number)).where(where)).scalar()
    return 0 if last is None else int(last) + 1


def due(connection: Connection, org: str, now: datetime) -> tuple[Boost, ...]:
    """Boosts whose moment has come."""
    where = (boosts.c.org == org) & (boosts.c.state == WAITING) & (boosts.c.due <= now)
    return _read(connection, where)


def orphaned(connection: Connection, org: str) -> tuple[Boost, ...]:
    """Boosts that wait or were said, of alerts that are not here any more."""
    table = alerts.alerts
    held = and_(table.c.org == boosts.c.org, table.c.object_id == boosts.c.object_id, table.c.shown)
    gone = ~select(table.c.object_id).where(held).exists()
    return _read(connection, (boosts.c.org == org) & boosts.c.state.in_((WAITING, DONE)) & gone)


def said(connection: Connection, org: str) -> tuple[Boost, ...]:
    """The newest boosts that stand, for the outbox."""
    where = (boosts.c.org == org) & (boosts.c.state == DONE)
    rows = connection.execute(select(*_columns()).where(where).order_by(boosts.c.due.desc()).limit(20))
    return tuple(Boost(*row) for row in rows)


def count(connection: Connection, org: str) -> int:
    """How many boosts stand."""
    where = (boosts.c.org == org) & (boosts.c.state == DONE)
    return connection.execute(select(func.count()).select_from(boosts).where(where)).scalar_one()


def find(connection: Connection, org: str, activity: str) -> Boost | None:
    """One boost that stands, by the id of its Announce."""
    found = _read(connection, (boosts.c.org == org) & (boosts.c.activity == activity) & (boosts.c.state == DONE))
    return found[0] if found else None


def mark(connection: Connection, org: str, boost: Boost, state: str, now: datetime) -> None:
    """What became of a boost, and when."""
    where = (boosts.c.org == org) & (boosts.c.object_id == boost.object_id) & (boosts.c.number == boost.number)
    connection.execute(update(boosts).where(where).values(state=state, due=now))


def forget_passed(connection: Connection, org: str, before: datetime) -> None:
    """What was passed over so long ago that it is not asked about again."""
    where = (boosts.c.org == org) & (boosts.c.state == PASSED) & (boosts.c.due < before)
    connection.execute(delete(boosts).where(where))


def arrived(connection: Connection, key: str) -> tuple[tuple[int, bytes], ...]:
    """(number, body) of what came to an `@alerts`, was verified by the inbox, and waits for its rule, oldest first.

    The inbox settles what no organisation of this node takes as ignored, after it was verified; what could not be
    verified it settles as refused.
    """
    table = queues.incoming
    rows = connection.execute(
        select(table.c.id, table.c.body)
        .where(text(queues.OF_ALERTS), table.c.org == key, table.c.state == queues.IGNORED)
        .where(table.c.rule == "", table.c.body.is_not(None))
        .order_by(table.c.id)
        .limit(_MOST)
    )
    return tuple((int(row[0]), bytes(row[1])) for row in rows)


def _read(connection: Connection, where: ColumnElement[bool]) -> tuple[Boost, ...]:
    statement = select(*_columns()).where(where).order_by(boosts.c.due).limit(_MOST)
    return tuple(Boost(*row) for row in connection.execute(statement))


def _columns() -> list[Column[Any]]:
    return [boosts.c[name] for name in Boost.__slots__]

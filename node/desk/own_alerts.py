"""Our own alerts after they are published, as their authors see them: what stands, what is due, what waits for a word.

Those for everyone come out of the log, those for members out of letters, as far as the session opens them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import alert_dues
from node import alerts as rules
from node import approvals as approval_rules
from node.alert_dues import Standing
from node.alert_terms import HELD_STATUSES
from node.alerts import PublicAlert
from node.desk import sealed_alerts
from node.desk.sealed_alerts import SealedAlert
from node.models import alerts, approvals, cases, documents
from node.models.alerts import AlertRecord
from node.models.approvals import Row
from node.models.organisations import Organisation

STANDING, DUE, CLOSED, MEMBERS, EXERCISES = "standing", "due", "closed", "members", "exercises"
FILTERS = (STANDING, DUE, CLOSED, MEMBERS, EXERCISES)
_MOST = 500


@dataclass(frozen=True, slots=True)
class Own:
    """One alert of ours in the list."""

    about: str
    """The canonical id of its first Note in the main language."""
    page: str
    headline: str
    language: str
    kind: str
    country: str
    severity: str
    status: str
    state: str
    """current, updated, corrected, closed or expired."""
    reference: str
    sealed: bool
    told: datetime
    expires: datetime | None
    news: int
    dues: tuple[str, ...]
    waiting: int
    """Requests about it that wait for somebody's word."""

    def is_in(self, name: str) -> bool:
        """Whether it is one of those that a filter shows."""
        return {
            STANDING: self.state not in ("closed", "expired"), DUE: bool(self.dues or self.waiting),
            CLOSED: self.state in ("closed", "expired"), MEMBERS: self.sealed, EXERCISES: self.status != "actual",
        }.get(name, True)  # fmt: skip


def listed(
    connection: Connection, organisation: Organisation, secrets: Sequence[str], now: datetime
) -> tuple[Own, ...]:
    """All of them, the newest told first.

    Args:
        secrets: of the room "network"; what they do not open is left out.
    """
    org = organisation.did
    open_requests = approvals.of_state(connection, org, approval_rules.WAITING, approval_rules.READY)
    records = alerts.newest(
        connection, org, author=organisation.actor, statuses=HELD_STATUSES, limit=_MOST, hidden=True
    )
    found = [_public(connection, org, each, open_requests, now) for each in records]
    sealed = sealed_alerts.current(connection, org, secrets)
    found += [of_sealed(connection, org, each, open_requests, now) for each in sealed if each.author == org]
    return tuple(sorted(found, key=lambda each: each.told, reverse=True))


def waiting_for(
    connection: Connection, org: str, about: str, page: str, requests: Sequence[Row] | None = None
) -> tuple[Row, ...]:
    """Requests about an alert that wait for a word, or to be sent: its updates, its news, words above it."""
    if requests is None:
        requests = approvals.of_state(connection, org, approval_rules.WAITING, approval_rules.READY)
    case = cases.of_alert(connection, org, about)
    threads = {page, *((case,) if case else ())}
    return tuple(row for row in requests if row.replaces == about or row.thread in threads)


def note_of(connection: Connection, org: str, record: AlertRecord) -> PublicAlert | None:
    """A Note that is held, read."""
    held = documents.stored(connection, org, record.object_id)
    return rules.parse(orjson.loads(held.raw)) if held is not None and held.raw is not None else None


def dues_of(note: PublicAlert | None, *, closed: bool, told: datetime, expires: datetime | None, now: datetime) -> (
    tuple[str, ...]
):  # fmt: skip
    """What an alert asks of us."""
    asked, answered = (len(note.targets), len(note.answers)) if note else (0, 0)
    deadline = note.deadline if note else None
    return alert_dues.dues(Standing(closed, told, expires, deadline, asked, answered), now)


def _public(
    connection: Connection, org: str, record: AlertRecord, requests: Sequence[Row], now: datetime
) -> Own:
    chain = alerts.chain(connection, org, record.object_id) or alerts.Chain(record)
    newest = chain.newest
    closed = record.state == "closed"
    told = max(each.updated or each.published for each in (chain.first, *chain.news))
    expired = newest.expires is not None and newest.expires <= now
    state = "closed" if closed else "expired" if expired else record.state
    if state == "issued":
        state = "updated" if record.updated else "current"
    return Own(
        about=record.object_id, page=record.page, headline=record.headline, language=record.language,
        kind=record.kind, country=record.country, severity=record.severity, status=record.status, state=state,
        reference=record.reference, sealed=False, told=told, expires=newest.expires, news=len(chain.news),
        dues=dues_of(
            note_of(connection, org, record), closed=closed, told=told, expires=newest.expires, now=now
        ),
        waiting=len(waiting_for(connection, org, record.object_id, record.page, requests)),
    )  # fmt: skip


def of_sealed(
    connection: Connection, org: str, found: SealedAlert, requests: Sequence[Row] | None, now: datetime
) -> Own:
    """One that was sealed to members, as it stands."""
    note, page = found.main, documents.page_name(found.about)
    closed = note.state == "closed"
    state = note.state
    if not closed and note.is_expired(now):
        state = "expired"
    elif state not in ("closed", "corrected"):
        state = "updated" if note.updated else "current"
    return Own(
        about=found.about, page=page, headline=note.headline, language=note.language, kind=note.kind,
        country=note.country, severity=note.severity, status=note.status, state=state, reference=note.reference,
        sealed=True, told=found.sent, expires=note.expires, news=0,
        dues=dues_of(note, closed=closed, told=found.sent, expires=note.expires, now=now),
        waiting=len(waiting_for(connection, org, found.about, page, requests)),
    )  # fmt: skip

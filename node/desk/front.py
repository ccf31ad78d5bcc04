"""What waits for whoever opens the desk: numbers alone, as far as their session opens what is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import approvals as rules
from node import plans
from node.desk import approvals, groups, offers
from node.models import approvals as rows
from node.models import replies as reply_rows
from node.models.approvals import Row
from node.models.organisations import Organisation
from node.people import Person

SOON = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Waits:
    """What somebody is shown first."""

    approvals: int
    """Texts of ours that wait for this person's word."""
    sisters: int
    """Requests of sister organisations that nobody here has answered."""
    offers: int
    """Offers made to us that can still be taken."""
    reviews: int
    """Emergencies of ours that no sister has looked at yet and whose time runs."""
    overdue: int
    """Those whose 24 hours are over."""
    plans: int = 0
    """Steps of working groups' plans that are late or come within a month, where we steer the group."""
    replies: int = 0
    """Replies that nobody has looked at, for who may."""


def waits(
    connection: Connection, organisation: Organisation, person: Person, now: datetime, *,
    approval_secrets: Sequence[str], offer_secrets: Sequence[str], network_secrets: Sequence[str] = (),
) -> Waits:  # fmt: skip
    """Count it."""
    org, approves = organisation.did, person.may("approve")
    asked = approvals.sister_requests(connection, organisation, approval_secrets, now) if approves else ()
    until = [row.review_by for row in rows.to_review(connection, org) if row.review_by is not None]
    overdue = sum(each < now for each in until)
    return Waits(
        approvals=len(asked_of(connection, org, person, now)),
        sisters=sum(not each.answered for each in asked),
        offers=offers.open_count(connection, organisation, offer_secrets, now),
        reviews=len(until) - overdue,
        overdue=overdue,
        plans=_plans(connection, org, network_secrets, now),
        replies=reply_rows.waiting(connection, org) if person.may("replies") else 0,
    )


def _plans(connection: Connection, org: str, secrets: Sequence[str], now: datetime) -> int:
    steered = (at for at in groups.places(connection, org) if at.group.steers(org)) if secrets else ()
    soon, count = now.date() + SOON, 0
    for at in steered:
        heard = [each.entry for each in groups.history(connection, org, at.group, secrets)]
        found = plans.work_out(heard, at.group.steered, at.state.decisions)
        count += sum(each.by <= soon for each in plans.due(found, now.date()))
    return count


def asked_of(connection: Connection, org: str, person: Person, now: datetime) -> tuple[Row, ...]:
    """Texts that wait for this person's word, and those that were held back and are to be sent by hand now."""
    if not person.may("approve"):
        return ()
    return tuple(
        row for row in rows.of_state(connection, org, rules.WAITING, rules.READY)
        if _waits_for(connection, org, person, row, now)
    )  # fmt: skip


def _waits_for(connection: Connection, org: str, person: Person, row: Row, now: datetime) -> bool:
    asked = row.request
    if asked.state != rules.WAITING:
        return row.held and row.due is not None and row.due <= now
    return (
        person.id != asked.author
        and person.id not in asked.subjects
        and now - asked.made <= rules.PATIENCE
        and all((word.org, word.by) != (org, person.id) for word in rows.words_of(connection, org, asked.id))
    )

"""What happened that concerns one person since they last looked, in words that say nothing of what it is about.

Everything is counted without anybody's key, so that a person's feed can say that something waits while nobody is in
session. A notice has a sort, a moment and a page that is read after signing in; never a name or a word of content.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import approvals as rules
from node import governance, people_keys
from node import letters as letter_rules
from node.desk import endorsements, front
from node.members import OPEN
from node.models import (
    alerts,
    approvals,
    cases,
    contacts,
    coverages,
    declarations,
    documents,
    joinings,
    letters,
    networks,
    organisations,
    people,
    signatures,
)
from node.models import notices as rows
from node.models.organisations import Organisation
from node.people import ACTIVE, CASE_WORKER, COORDINATOR, JOINED, Person

SORTS = (
    "asked", "spoken", "settled", "sister", "review", "case", "joining", "sign-on", "vote", "offer", "untrusted",
    "frozen", "evidence", "delivery", "codes", "confirm",
)  # fmt: skip
LATE = timedelta(days=1)
"""So long a word of ours may wait for a member's server before somebody should know."""
LOW = 3
"""Fewer recovery codes than this are few."""
_BACK = timedelta(days=30)
"""What happened longer ago is told by no notice."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One line."""

    sort: str
    moment: datetime | None
    """`None` for what has no moment of its own and simply is so."""
    path: str
    new: bool = True
    """Since the person looked last."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a feed may say."""

    count: int
    newest: datetime | None
    name: str
    """Changes with each new thing, and says nothing."""


def current(connection: Connection, organisation: Organisation, person: Person, now: datetime) -> tuple[Notice, ...]:
    """Everything that concerns a person, the newest first; what has no moment last."""
    last = rows.seen(connection, organisation.did, person.id)
    found = [
        Notice(each.sort, each.moment, each.path, each.moment is not None and (last is None or each.moment > last))
        for source in (_texts, _duties, _network, _house)
        for each in source(connection, organisation.did, person, now)
        if each.moment is None or each.moment > now - _BACK
    ]
    return tuple(sorted(found, key=lambda each: (each.moment is not None, each.moment or now), reverse=True))


def count_new(connection: Connection, organisation: Organisation, person: Person, now: datetime) -> int:
    """How many are new."""
    return sum(each.new for each in current(connection, organisation, person, now))


def renew_feed(connection: Connection, org: str, person: str, token: str, now: datetime) -> None:
    """A feed of this address, in place of the one before."""
    rows.renew(connection, org, person, people_keys.digest(token), now)


def of_feed(connection: Connection, organisation: Organisation, token: str, now: datetime) -> tuple[Person, Digest] | (
    None
):  # fmt: skip
    """What the feed of this address says now, and to whom; nothing where there is none, or its person is not active."""
    feed = rows.by_digest(connection, people_keys.digest(token))
    person = people.get(connection, feed.org, feed.person) if feed is not None else None
    if feed is None or person is None or feed.org != organisation.did or person.state != ACTIVE:
        return None
    new = [each for each in current(connection, organisation, person, now) if each.new]
    newest = max((each.moment for each in new if each.moment is not None), default=None)
    told = f"{token} {newest.isoformat() if newest else ''} {len(new)}"
    return person, Digest(len(new), newest, hashlib.sha256(told.encode()).hexdigest()[:32])


def _texts(connection: Connection, org: str, person: Person, now: datetime) -> Iterator[Notice]:
    """Approvals: asked of this person, given to them, asked by a sister; emergencies that nobody looked at."""
    page = "/desk/approvals"
    for row in front.asked_of(connection, org, person, now):
        yield Notice("asked", row.due if row.held else row.request.made, page)
    for row in approvals.of_state(connection, org, *rules.STATES):
        if row.request.author != person.id:
            continue
        said = [word.made for word in approvals.words_of(connection, org, row.request.id)]
        if row.request.state in (rules.PUBLISHED, rules.REFUSED, rules.STALE):
            ended = row.request.made + rules.PATIENCE if row.request.state == rules.STALE else row.request.made
            yield Notice("settled", max(said, default=ended), page)
        elif said:
            yield Notice("spoken", max(said), page)
    if person.may("approve"):
        yield from _sisters(connection, org, now)
        for row in approvals.to_review(connection, org):
            yield Notice("review", row.review_by, page)


def _sisters(connection: Connection, org: str, now: datetime) -> Iterator[Notice]:
    kept = letters.of_kind(connection, org, (letter_rules.APPROVAL_ANSWER,))
    answered = {each.about for each in kept if each.author == org}
    for each in letters.of_kind(connection, org, (letter_rules.APPROVAL_REQUEST,)):
        if each.author != org and each.about not in answered and now - each.sent <= rules.PATIENCE and not each.gone:
            yield Notice("sister", each.received, "/desk/approvals")


def _duties(connection: Connection, org: str, person: Person, now: datetime) -> Iterator[Notice]:
    """Cases and offers that wait, those who ask to join, people to be confirmed."""
    if person.may("cases"):
        for row in cases.all_of(connection, org):
            if row.due is not None and row.due <= now:
                yield Notice("case", row.due, "/desk/cases")
    if person.counting & {CASE_WORKER, COORDINATOR}:
        yield from _offers(connection, org)
    if COORDINATOR in person.counting:
        for due in joinings.late(connection, org, now):
            yield Notice("joining", due, "/desk/networks")
        for each in people.all_of(connection, org):
            if each.state == JOINED:
                yield Notice("confirm", each.made, "/desk")


def _offers(connection: Connection, org: str) -> Iterator[Notice]:
    """Told by their envelopes: one of ours about the same alert, to whoever offered, answers it."""
    kept = letters.of_kind(connection, org, (letter_rules.OFFER, letter_rules.OFFER_ANSWER))
    said = [each for each in kept if each.kind == letter_rules.OFFER_ANSWER]
    for each in kept:
        if each.kind != letter_rules.OFFER or each.author == org or each.gone:
            continue
        if not any(
            other.about == each.about and other.sent >= each.sent and each.author in (other.author, *other.addressed)
            for other in said
        ):
            yield Notice("offer", each.received, "/desk/offers")


def _network(connection: Connection, org: str, person: Person, now: datetime) -> Iterator[Notice]:
    """Texts to sign, decisions to vote on, keys in question, and what was seen that should not have been."""
    if person.may("write") or COORDINATOR in person.counting:
        yield from _sign_ons(connection, org, now)
    if COORDINATOR in person.counting:
        yield from _votes(connection, org)
    for told in declarations.all_of(connection, org):
        if told.about != org:
            yield Notice("untrusted", told.made, "/desk/timeline/keys")
    for finding in documents.evidence_of(connection, org):
        yield Notice("evidence", finding.made, "/evidence")


def _sign_ons(connection: Connection, org: str, now: datetime) -> Iterator[Notice]:
    organisation = organisations.get(connection, org)
    for name in signatures.alerts_asked(connection, org):
        record = alerts.find(connection, org, name)
        if record is None or record.did == org or organisation is None or record.state == "closed":
            continue
        if record.expires is not None and record.expires <= now:
            continue
        found = endorsements.signatories(connection, organisation, record, now)
        if found is None or found.phase != "open" or found.changed or any(each.did == org for each in found.names):
            continue
        yield Notice("sign-on", found.sign_on.opens, f"/desk/alerts/{record.page}")


def _votes(connection: Connection, org: str) -> Iterator[Notice]:
    for each in networks.all_of(connection, org):
        state = networks.state_of(connection, org, each.network)
        member = state.members.get(org)
        if member is None or not member.voter:
            continue
        for act in networks.acts_of(connection, org, each.network):
            tally = state.decisions.get(act.digest) if act.kind == governance.PROPOSE else None
            if tally is not None and tally.state == OPEN and org not in tally.votes:
                yield Notice("vote", act.published, f"/desk/networks/{each.network}")


def _house(connection: Connection, org: str, person: Person, now: datetime) -> Iterator[Notice]:
    """Deliveries that fail for long, members that are frozen here, and the person's own recovery codes."""
    since = coverages.late(connection, org, now - LATE)
    if since is not None and (person.may("write") or COORDINATOR in person.counting):
        yield Notice("delivery", since + LATE, "/desk/alerts")
    if any(each.frozen is not None for each in contacts.members_of(connection, org)):
        yield Notice("frozen", None, "/desk/timeline/keys")
    if person.factors and people.codes_left(connection, person.id) < LOW:
        yield Notice("codes", None, "/desk/factors")

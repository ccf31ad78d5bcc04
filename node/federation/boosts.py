"""`@alerts` at work: who follows it, what it boosts, what it takes back. Each function is part of one transaction.

What comes to its inbox passes the door and the verification of everybody's inbox and is found here afterwards. It meets
the same rules of following as an organisation's.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection

from node import alerts as alert_rules
from node import boosts as rules
from node import relations, replies
from node.boosts import Candidate, Voice
from node.effects import Accept, AddFollower, Decision, ForgetActor, Ignore, Refuse, RemoveFollower, Reply
from node.errors import ProtocolError
from node.federation.outbox import token
from node.federation.protocol import retry
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import JsonObject, parse_document
from node.models import boosts, contacts, deliveries, documents, policies, queues
from node.models.alerts import AlertRecord
from node.models.boosts import Boost
from node.models.contacts import Follower, Member
from node.models.deliveries import Lane, Recipient
from node.models.organisations import Organisation
from node.models.queues import Settled

_TAKEN = ("Follow", "Undo", "Block", "Delete")
_RULE = "Tadamun alerts"
_FORGET = timedelta(days=30)
Take = Callable[[Activity], Decision]


def take(connection: Connection, voice: Voice, now: datetime, other: Take) -> int:
    """Judge what came to `@alerts`; returns how much it was.

    Args:
        other: judges what is about neither following nor blocking.
    """
    settled: list[Settled] = []
    for number, body in boosts.arrived(connection, voice.key):
        unnamed = False
        try:
            activity = parse_activity(parse_document(body))
            unnamed = replies.leaves_no_row(activity)
            decision = _relation(connection, voice, activity) if activity.type in _TAKEN else other(activity)
        except ProtocolError as error:
            decision = Refuse(error.reason, error.spec)
        match decision:
            case Accept():
                _obey(connection, voice, decision, now)
                settled.append(Settled(number, queues.ACCEPTED))
            case Ignore(reason):
                settled.append(Settled(number, queues.IGNORED, _RULE, reason, unnamed))
            case Refuse(reason, spec):
                settled.append(Settled(number, queues.REFUSED, spec, reason, unnamed))
    queues.settle(connection, settled, now)
    return len(settled)


def plan(connection: Connection, organisation: Organisation, voice: Voice, now: datetime) -> None:
    """Look at alerts that are new here, and choose a moment for those that are to be boosted."""
    wanted = boosts.asked_for(connection, organisation.did)
    if not wanted:
        return
    for record in boosts.unjudged(connection, organisation.did, now - rules.OLDEST):
        against = rules.objection(_candidate(connection, organisation, record), wanted, now)
        later(connection, organisation, voice, record, now, state=boosts.PASSED if against else boosts.WAITING)
    boosts.forget_passed(connection, organisation.did, now - _FORGET)


def later(
    connection: Connection, organisation: Organisation, voice: Voice, record: AlertRecord, now: datetime,
    *, state: str = boosts.WAITING,
) -> None:  # fmt: skip
    """Boost an alert after a while that nobody can foretell."""
    wait = rules.SOONEST + (rules.LATEST - rules.SOONEST) * random.SystemRandom().random()
    number = boosts.next_number(connection, organisation.did, record.object_id)
    activity = voice.at(f"/activities/{token()}")
    boost = Boost(record.object_id, number, record.uri, activity, state, now + wait)
    boosts.add(connection, organisation.did, boost)


def say_due(connection: Connection, organisation: Organisation, voice: Voice, now: datetime) -> int:
    """Boost what is due, and take back what is gone; returns how many of both."""
    count = 0
    for boost in boosts.orphaned(connection, organisation.did):
        deliveries.drop(connection, voice.key, [boost.activity])
        if boost.state == boosts.DONE:
            say(connection, voice, rules.render_undo(voice, boost.activity, boost.uri, now), now)
        boosts.mark(connection, organisation.did, boost, boosts.UNDONE, now)
        count += 1
    for boost in boosts.due(connection, organisation.did, now):
        if _stands(connection, organisation, boost, now):
            say(connection, voice, rules.render_announce(voice, boost.activity, boost.uri, now), now)
            boosts.mark(connection, organisation.did, boost, boosts.DONE, now)
        else:
            boosts.mark(connection, organisation.did, boost, boosts.PASSED, now)
        count += 1
    return count


def say(connection: Connection, voice: Voice, activity: JsonObject, now: datetime) -> None:
    """Owe an activity of `@alerts` to each inbox of its followers."""
    followers = contacts.followers_of(connection, voice.key)
    _owe(connection, voice, activity, {follower.target for follower in followers}, now)


def covers(connection: Connection, organisation: Organisation, record: AlertRecord, now: datetime) -> bool:
    """Whether the operator asked for alerts like this one, whenever it came."""
    candidate = replace(_candidate(connection, organisation, record), received=now, published=now)
    return not rules.objection(candidate, boosts.asked_for(connection, organisation.did), now)


def _stands(connection: Connection, organisation: Organisation, boost: Boost, now: datetime) -> bool:
    """Whether nothing speaks against it at the last moment: a freeze, a closure, another wish of the operator."""
    record = boosts.record_of(connection, organisation.did, boost.object_id)
    return record is not None and covers(connection, organisation, record, now)


def _candidate(connection: Connection, organisation: Organisation, record: AlertRecord) -> Candidate:
    member = contacts.member(connection, organisation.did, record.did)
    kinds = frozenset({record.kind, *_violations(connection, organisation, record)})
    own = record.did == organisation.did
    return Candidate(
        status=record.status,
        state=record.state,
        translation=record.translation_of is not None,
        own=own,
        member=member is not None and member.state == contacts.MEMBER,
        frozen=_is_frozen(member),
        country=record.country,
        kinds=kinds,
        published=record.published,
        expires=record.expires,
        received=record.received,
        allowed=own or policies.of(connection, organisation.did).boosts(record.country, kinds),
    )


def _is_frozen(member: Member | None) -> bool:
    return member is not None and member.frozen is not None


def _violations(connection: Connection, organisation: Organisation, record: AlertRecord) -> tuple[str, ...]:
    held = documents.stored(connection, organisation.did, record.object_id)
    if held is None or held.raw is None:
        return ()
    return alert_rules.parse(orjson.loads(held.raw)).violation_types


def _relation(connection: Connection, voice: Voice, activity: Activity) -> Decision:
    sender = documents.actor(connection, activity.actor)
    follower = contacts.follower(connection, voice.key, activity.actor)
    return relations.decide(
        activity,
        relations.Facts(
            org=voice.uri,
            inbox=sender.inbox if sender else None,
            shared_inbox=sender.shared_inbox if sender else None,
            follow_activity=follower.activity if follower else None,
        ),
    )


def _obey(connection: Connection, voice: Voice, decision: Accept, now: datetime) -> None:
    for effect in decision.effects:
        match effect:
            case AddFollower(actor, inbox, shared_inbox, activity):
                contacts.add_follower(connection, voice.key, Follower(actor, inbox, shared_inbox, activity, now))
            case RemoveFollower(actor) | ForgetActor(actor):
                contacts.remove_follower(connection, voice.key, actor)
            case Reply(kind, answered, to, inbox):
                known = documents.actor(connection, to)
                name = voice.at(f"/activities/{token()}")
                reply = rules.render_reply(voice, name, kind, answered, known.uri if known else to)
                _owe(connection, voice, reply, {inbox}, now, Lane.OTHER)


def _owe(
    connection: Connection, voice: Voice, activity: JsonObject, inboxes: set[str], now: datetime,
    lane: Lane = Lane.ALERT,
) -> None:  # fmt: skip
    body = orjson.dumps(activity)
    payload = deliveries.add_payload(connection, voice.key, activity["id"], body, None, now)
    patience = retry.patience(withdraws=activity["type"] == "Delete")
    recipients = [Recipient(inbox, "follower", lane, patience) for inbox in sorted(inboxes)]
    deliveries.enqueue(connection, voice.key, payload, recipients, now)

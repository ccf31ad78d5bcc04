"""The one place where decisions become rows, in one transaction.

An activity, whether our own, a peer's, from a mirror or from a stick, comes here as `Verified`. In order: the log keeps
it, if its did is a pinned member's or ours; the rule of its kind judges it; the effects are written; and what others
may lack is queued for them. Nothing here calls out.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection

from node import kinds
from node.effects import (
    Accept,
    AddFollower,
    Decision,
    Effect,
    FollowAgain,
    ForgetActor,
    HideObject,
    Ignore,
    RemoveFollower,
    Reply,
    Report,
    SetFollowing,
    StoreActor,
    StoreObject,
    Succeed,
)
from node.errors import ProtocolError
from node.federation.protocol import ids, replicas, spread, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import Document, as_list, parse_document
from node.federation.protocol.replicas import Fit, Header
from node.federation.protocol.verification import Carrier, Verified
from node.kinds import Surroundings
from node.models import contacts, deliveries, documents, logs, queues
from node.models.contacts import Follower, Member
from node.models.deliveries import Lane, Recipient
from node.models.documents import Finding
from node.models.logs import Entry
from node.models.views import View

DESTROY_AFTER = timedelta(hours=72)
MANY_DELETES = 10
_MANY = 500
"""Ids in one question to the database."""
OLD = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Committed:
    """What came of one activity."""

    decision: Decision
    replies: tuple[Reply | FollowAgain, ...] = ()
    """Activities of ours that answer it; the caller publishes them in the same transaction."""
    new: bool = False
    """The log had no such entry before."""


def commit(view: View, verified: Verified, around: Surroundings, *, pass_on: bool = True) -> Committed:
    """Keep, judge and save one verified activity.

    Args:
        pass_on: pass a member's new entry on to others (off while a log is rebuilt or caught up in bulk).
    """
    activity = verified.activity
    member = view.member(activity.did)
    own = activity.did == view.org
    around = replace(around, frozen=_is_frozen(member, activity))
    if member is not None and member.state == contacts.FORMER and activity.type != "Delete":
        return Committed(Ignore("no member any more: only its Deletes are obeyed"))
    new = False
    if verified.kind == "proof" and activity.position is not None and (own or _in_log(member)):
        header = replicas.header_of(activity)
        around = replace(around, position=header.order)
        new = _keep(view, activity, header, around)
        if not new:
            return Committed(Ignore("held already"))
        if activity.type == "Delete" and not around.frozen:
            _withdraw(view, activity, header, around)
    decision = kinds.judge(view, verified, around)
    replies = _save(view, decision, around) if isinstance(decision, Accept) else ()
    if new and pass_on and not own and not around.frozen and member is not None:
        _pass_on(view, activity, around)
    return Committed(decision, replies, new)


def rebuild(view: View, did: str, now: datetime) -> int:
    """Make the view of one did's log anew from its entries; returns how many were judged.

    Entries past a freeze stay in the log and out of the view.
    """
    author = str(ids.Portable(did, "/actor"))
    kinds.drop_author(view, author)
    view.forget()
    judged = 0
    after = (0, 0)
    while True:
        batch = logs.read(view.connection, view.org, did, after, 500)
        for entry in batch:
            if entry.raw is not None and entry.state == logs.HELD:
                _judge_again(view, entry, now)
                judged += 1
        if len(batch) < 500:
            break
        last = batch[-1].header
        after = (last.epoch, last.sequence + 1)
    for entry in _withdrawn(view, did):
        if entry.object_id is not None:
            documents.hide(view.connection, view.org, entry.object_id, author, now)
    view.flush()
    return judged


def freeze(view: View, did: str, after: tuple[int, int] | None, now: datetime) -> int:
    """Believe nothing of this did past `after`, and undo what it did since; `None` lifts the freeze.

    Returns:
        How many withdrawn texts came back.
    """
    contacts.freeze(view.connection, view.org, did, after)
    documents.forget_actor(view.connection, str(ids.Portable(did, "/actor")))
    view.forget()
    back: tuple[str, ...] = ()
    if after is not None:
        back = logs.forget_withdrawals(view.connection, view.org, did, after)
        logs.unhide(view.connection, view.org, back)
        late = logs.activities_after(view.connection, view.org, did, after)
        for start in range(0, len(late), _MANY):
            deliveries.drop(view.connection, view.org, late[start : start + _MANY])
    rebuild(view, did, now)
    return len(back)


def destroy_due(connection: Connection, now: datetime) -> int:
    """Destroy what was withdrawn long enough ago, in every table that holds its bytes; returns how many entries."""
    gone = logs.destroy_due(connection, now)
    for each in gone:
        queues.forget(connection, [each.activity_id], [hashlib.sha256(each.raw).digest()])
        deliveries.forget(connection, each.org, [each.activity_id])
        documents.forget_evidence(connection, each.org, each.raw)
    return len(gone)


def find_fault(view: View, did: str, kind: str, note: str, document: bytes, around: Surroundings) -> None:
    """Keep evidence that a log does not hold together."""
    documents.add_evidence(
        view.connection, view.org, Finding(kind, did, around.via, note, document, around.now)
    )


def _is_frozen(member: Member | None, activity: Activity) -> bool:
    if member is None or member.frozen is None:
        return False
    return activity.position is None or activity.position.order > member.frozen


def _in_log(member: Member | None) -> bool:
    return member is not None and member.state in (contacts.MEMBER, contacts.FORMER, contacts.SUCCEEDED)


def _keep(view: View, activity: Activity, header: Header, around: Surroundings) -> bool:
    beside = logs.beside(view.connection, view.org, header.did, header.sequence)
    fit = replicas.fit(header, logs.head(view.connection, view.org, header.did), beside)
    digest = header.digest
    if fit is Fit.KNOWN:
        return _fill_stub(view, activity, header, digest)
    if fit is Fit.FORK:
        find_fault(view, header.did, "fork", f"two entries at {header.epoch}/{header.sequence}", activity.raw, around)
    logs.append(
        view.connection,
        view.org,
        Entry(
            header=header,
            digest=digest,
            activity_id=activity.id,
            object_id=activity.object_id,
            type=activity.type,
            raw=activity.raw,
            state=logs.HELD,
            via=around.via,
            received=around.now,
        ),
    )
    named = logs.withdrawal(view.connection, view.org, header.did, header.order)
    if named == header.content:
        # The Delete came first: the text is kept for the time a withdrawal may be contested, and never shown.
        logs.hide(view.connection, view.org, [digest], around.now + DESTROY_AFTER)
        return activity.type == "Delete"
    return True


def _fill_stub(view: View, activity: Activity, header: Header, digest: str) -> bool:
    """A text arrives for a stub that nobody ever signed away: it was withheld, and is shown."""
    held = logs.find(view.connection, view.org, header)
    if held is None or held.state != logs.STUB:
        return False
    if logs.withdrawal(view.connection, view.org, header.did, header.order) == header.content:
        queues.forget(view.connection, [activity.id], [hashlib.sha256(activity.raw).digest()])
        return False
    logs.fill(view.connection, view.org, digest, activity)
    return True


def _withdraw(view: View, activity: Activity, header: Header, around: Surroundings) -> None:
    """A signed Delete names the entries whose text goes (Tadamun log §3)."""
    day = timedelta(days=1)
    many = logs.deletes_since(view.connection, view.org, header.did, around.now - day) > MANY_DELETES
    if many:
        logs.hold_back(view.connection, view.org, header.did, around.now - day + DESTROY_AFTER)
    entries = {
        (entry.header.epoch, entry.header.sequence): entry
        for entry in logs.of_object(view.connection, view.org, header.did, activity.object_id or "")
    }
    for named in as_list(activity.value.get("withdraws"))[:200]:
        if not isinstance(named, dict):
            continue
        epoch, sequence, content = named.get("epoch"), named.get("sequence"), named.get("content")
        if not isinstance(epoch, int) or not isinstance(sequence, int) or not isinstance(content, str):
            continue
        place = (epoch, sequence)
        if place >= header.order:
            continue
        logs.add_withdrawal(view.connection, view.org, header.did, place, content, header, around.now)
        entry = entries.get(place)
        if entry is not None and entry.header.content == content:
            wait = many or entry.received < around.now - OLD
            logs.hide(view.connection, view.org, [entry.digest], None if wait else around.now + DESTROY_AFTER)
            deliveries.cancel(view.connection, view.org, [entry.activity_id or ""])


def _save(view: View, decision: Accept, around: Surroundings) -> tuple[Reply | FollowAgain, ...]:
    replies: list[Reply | FollowAgain] = []
    for effect in decision.effects:
        if isinstance(effect, Reply | FollowAgain):
            replies.append(effect)
        else:
            _save_one(view, effect, around)
    return tuple(replies)


def _save_one(view: View, effect: Effect, around: Surroundings) -> None:
    connection, org = view.connection, view.org
    match effect:
        case StoreObject():
            kinds.save_object(view, effect, around)
        case HideObject():
            kinds.hide_object(view, effect, around)
        case AddFollower(actor, inbox, shared_inbox, activity):
            follower = Follower(actor, inbox, shared_inbox, activity, around.now)
            contacts.add_follower(connection, org, follower)
        case RemoveFollower(actor):
            contacts.remove_follower(connection, org, actor)
        case SetFollowing(actor, state):
            contacts.mark_following(connection, org, actor, state)
            view.forget()
        case StoreActor(actor, document):
            save_actor(view, actor, document, around)
        case ForgetActor(actor):
            contacts.remove_follower(connection, org, actor)
            contacts.drop_following(connection, org, actor)
            kinds.drop_author(view, actor)
            documents.forget_actor(connection, actor)
            view.forget()
        case Succeed():
            _succeed(view, effect, around)
        case Report(kind, actor, object_id):
            documents.report(connection, org, kind, actor, object_id, around.now)


def _succeed(view: View, effect: Succeed, around: Surroundings) -> None:
    """The old did is frozen after the named entry, the new one pinned in its place."""
    member, sender = view.member(effect.old), around.sender
    if member is None:
        return
    beside = logs.beside(view.connection, view.org, effect.old, effect.sequence)
    if beside and effect.digest not in {header.digest for header in beside}:
        note = f"the successor names another entry {effect.sequence} than the one held here"
        find_fault(view, effect.old, "fork", note, b"", around)
    freeze(view, effect.old, (effect.epoch, effect.sequence), around.now)
    contacts.set_state(view.connection, view.org, effect.old, contacts.SUCCEEDED, effect.new)
    if sender is not None and sender.did == effect.new:
        documents.save_actor(view.connection, sender, around.now)
        heir = replace(
            member,
            did=effect.new,
            uri=sender.uri,
            handle=f"@{sender.handle}@{ids.host_of(sender.uri)}",
            name=sender.name or member.name,
            inbox=sender.shared_inbox or sender.inbox,
            recovery=sender.recovery or "",
            state=contacts.MEMBER,
            frozen_epoch=None,
            frozen_sequence=None,
            successor=None,
            pinned=around.now,
            synced=None,
        )
        contacts.pin(view.connection, view.org, heir)
    view.forget()


def save_actor(view: View, actor_id: str, document: dict[str, object], around: Surroundings) -> None:
    """Hold a newer actor document; an older proven one, or one that does not verify, changes nothing."""
    try:
        given = Document(orjson.dumps(document), document)
        found = verification.verify_actor(given, None if ids.portable(actor_id) else actor_id)
        verification.check_newer(found, documents.actor(view.connection, found.id))
        contacts.check_not_frozen(view.connection, found)
        if around.position is not None and found.order != around.position:
            raise ProtocolError("an actor document that claims another place in its log", spec="Tadamun log §3")
    except ProtocolError as error:
        view.count(f"actor document refused: {error.spec}")
        return
    if found.id != actor_id:
        return
    documents.save_actor(view.connection, found, around.now, from_log=True)
    member = view.member(found.did)
    if member is not None:
        contacts.relocate(view.connection, view.org, found)
        view.forget()


def _judge_again(view: View, entry: Entry, now: datetime) -> None:
    if entry.raw is None:
        return
    activity = parse_activity(parse_document(entry.raw))
    verified = verification.verify_activity(activity, Carrier(None, replica=True))
    member = view.member(activity.did)
    around = Surroundings(now, entry.via, frozen=_is_frozen(member, activity), position=entry.header.order)
    decision = kinds.judge(view, verified, around)
    if isinstance(decision, Accept):
        _save(view, decision, around)


def _withdrawn(view: View, did: str) -> Sequence[Entry]:
    found: list[Entry] = []
    after = (0, 0)
    while True:
        batch = logs.read(view.connection, view.org, did, after, 500)
        found.extend(entry for entry in batch if entry.state != logs.HELD)
        if len(batch) < 500:
            return found
        last = batch[-1].header
        after = (last.epoch, last.sequence + 1)


def _pass_on(view: View, activity: Activity, around: Surroundings) -> None:
    """Rumour: the signed bytes go on to ln N + 2 others at random, not to their author nor to who brought them."""
    others = contacts.members_of(view.connection, view.org)
    told = [
        member for member in others if member.did == activity.did or ids.host_of(member.inbox) == around.via
    ]
    chosen = spread.choose(others, told, random.SystemRandom())
    if not chosen:
        return
    lane = Lane.ALERT_MEMBER if kinds.is_urgent(activity) else Lane.MEMBER
    payload = deliveries.add_payload(
        view.connection, view.org, activity.id, activity.raw, None, around.now
    )
    recipients = [Recipient(member.inbox, "log", lane) for member in chosen]
    deliveries.enqueue(view.connection, view.org, payload, recipients, around.now)


def head_of(connection: Connection, org: str) -> replicas.Head | None:
    """Where our own log stands."""
    return logs.head(connection, org, org)

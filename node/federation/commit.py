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

from node import declarations as trust
from node import evidence, kinds
from node.effects import (
    Accept,
    AddFollower,
    ConfirmDeletes,
    Decision,
    Declare,
    Effect,
    FollowAgain,
    ForgetActor,
    HideObject,
    Ignore,
    RemoveFollower,
    Reply,
    Report,
    RestoreTexts,
    Retract,
    SetFollowing,
    StoreActor,
    StoreObject,
    Succeed,
    Testimony,
)
from node.errors import ProtocolError
from node.evidence import Evidence
from node.federation.protocol import ids, replicas, spread, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import Document, as_list, parse_document
from node.federation.protocol.replicas import Fit, Header
from node.federation.protocol.verification import Carrier, Verified
from node.kinds import Surroundings
from node.models import contacts, declarations, deliveries, documents, logs, queues
from node.models.contacts import Follower, Member
from node.models.declarations import Declaration
from node.models.deliveries import Lane, Recipient
from node.models.logs import Entry
from node.models.views import View

DESTROY_AFTER = timedelta(hours=72)
MANY_DELETES = 10
MOST_BRANCHES = 200
"""Entries beside the main line that are kept of one log."""
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
        if activity.type not in ("Create", "Update"):
            view.flush_log()  # what else an entry may do looks at the log as it stands
        if activity.type == "Delete" and not around.frozen:
            _withdraw(view, activity, header, around)
            view.reload_log()
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


def freeze(
    view: View, did: str, after: tuple[int, int] | None, now: datetime, *, give_back: bool = False
) -> int:
    """Believe nothing of this did past `after`, and undo what it did since; `None` lifts the freeze.

    What it deleted since then stays hidden and is kept, for a thief may have deleted it, or somebody in danger: it
    comes back on the word of the one who succeeds it, or at once with `give_back`.

    Returns:
        How many texts are kept so, or came back.
    """
    contacts.freeze(view.connection, view.org, did, after)
    documents.forget_actor(view.connection, str(ids.Portable(did, "/actor")))
    view.forget()
    kept = logs.contest(view.connection, view.org, did, after)
    if give_back and after is not None:
        kept = len(logs.give_back(view.connection, view.org, did, None))
    if after is None:
        logs.settle_contest(view.connection, view.org, did, now + DESTROY_AFTER)
    else:
        late = logs.activities_after(view.connection, view.org, did, after)
        for start in range(0, len(late), _MANY):
            deliveries.drop(view.connection, view.org, late[start : start + _MANY])
    rebuild(view, did, now)
    return kept


def freeze_by_hand(view: View, did: str, after: tuple[int, int], now: datetime) -> int:
    """Our own word, at once and for this organisation only: what the key deleted since comes back.

    Returns:
        How many texts came back.
    """
    word = Declaration(declarations.LOCAL + did, view.org, did, *after, "", now)
    declarations.save(view.connection, view.org, word)
    back = freeze(view, did, after, now, give_back=True)
    for about in _words_of(view, did, after, now):
        weigh(view, about, now)
    return back


def weigh(view: View, about: str, now: datetime) -> None:
    """Freeze a member where our own word or enough others' says so; lift it where none does any more.

    Who is frozen loses its later words, and those about whom it spoke are weighed too, each once.

    Spec: Tadamun design §4
    """
    waiting, seen = [about], set[str]()
    while waiting:
        did = waiting.pop()
        if did in seen:
            continue
        seen.add(did)
        member = view.member(did)
        wanted = _weight(view, member) if member is not None else None
        if member is not None and wanted != member.frozen:
            freeze(view, did, wanted, now)
            waiting += _words_of(view, did, wanted, now)


def _weight(view: View, member: Member) -> tuple[int, int] | None:
    words = declarations.about(view.connection, view.org, member.did)
    own = [word.after for word in words if word.by == view.org]
    others = [word.after for word in words if word.by != view.org and _counts(view, word)]
    together = trust.agreed(others, view.organisation.quorum)
    places = [*own, *([together] if together else [])]
    if member.state == contacts.SUCCEEDED and member.frozen is not None:
        places.append(member.frozen)
    return min(places, default=None)


def _words_of(view: View, did: str, after: tuple[int, int] | None, now: datetime) -> list[str]:
    """What this did declared, as far as it is believed now; returns whom it is about."""
    before = declarations.by(view.connection, view.org, did)
    declarations.drop_by(view.connection, view.org, did)
    for entry in logs.of_types(view.connection, view.org, did, (trust.FREEZE, trust.UNFREEZE)):
        if entry.raw is None or (after is not None and entry.header.order > after):
            continue
        activity = parse_activity(parse_document(entry.raw))
        decision = kinds.judge(view, _replica(activity), Surroundings(now, entry.via, position=entry.header.order))
        for effect in decision.effects if isinstance(decision, Accept) else ():
            if isinstance(effect, Declare):
                declarations.save(view.connection, view.org, _row(effect, now))
            elif isinstance(effect, Retract):
                declarations.retract(view.connection, view.org, effect.by, effect.activity)
    after_all = declarations.by(view.connection, view.org, did)
    return sorted({word.about for word in (*before, *after_all)})


def _replica(activity: Activity) -> Verified:
    return verification.verify_activity(activity, Carrier(None, replica=True))


def _row(effect: Declare, now: datetime) -> Declaration:
    return Declaration(
        effect.activity, effect.by, effect.about, effect.epoch, effect.sequence, effect.digest, now
    )


def _counts(view: View, word: Declaration) -> bool:
    by = view.member(word.by)
    return by is not None and by.state == contacts.MEMBER


def destroy_due(connection: Connection, now: datetime) -> int:
    """Destroy what was withdrawn long enough ago, in every table that holds its bytes; returns how many entries."""
    gone = logs.destroy_due(connection, now)
    for each in gone:
        queues.forget(connection, [each.activity_id], [hashlib.sha256(each.raw).digest()])
        deliveries.forget(connection, each.org, [each.activity_id])
        documents.forget_evidence(connection, each.org, each.raw)
    return len(gone)


def keep_evidence(view: View, seen: Evidence, now: datetime, *, by: str = "") -> None:
    """Keep evidence, ours or a member's word; what it proves by itself is noted with it."""

    def holds(header: Header) -> bool:
        found = logs.find(view.connection, view.org, header)
        return found is not None and found.state != logs.STUB

    proven = evidence.proves(seen, holds)
    documents.keep_evidence(view.connection, view.org, seen, now, by=by, proven=proven)


def _is_frozen(member: Member | None, activity: Activity) -> bool:
    if member is None or member.frozen is None:
        return False
    return activity.position is None or activity.position.order > member.frozen


def _in_log(member: Member | None) -> bool:
    return member is not None and member.state in (contacts.MEMBER, contacts.FORMER, contacts.SUCCEEDED)


def _keep(view: View, activity: Activity, header: Header, around: Surroundings) -> bool:
    beside = view.beside(header.did, header.sequence)
    fit = replicas.fit(header, view.head(header.did), beside)
    digest = header.digest
    if fit is Fit.KNOWN:
        view.flush_log()
        return _fill_stub(view, activity, header, digest)
    if fit is not Fit.NEXT and logs.branches(view.connection, view.org, header.did) >= MOST_BRANCHES:
        return False  # evidence enough; each further branch would have the whole line counted again
    entry = Entry(
        header=header,
        digest=digest,
        activity_id=activity.id,
        object_id=activity.object_id,
        type=activity.type,
        raw=activity.raw,
        state=logs.HELD,
        via=around.via,
        received=around.now,
    )
    view.append(entry, follows=fit is Fit.NEXT)
    if fit is Fit.FORK:
        _note_fork(view, header, beside, around)
    if view.withdrawal(header.did, header.order) == header.content:
        # The Delete came first: the text is kept for the time a withdrawal may be contested, and never shown.
        view.flush_log()
        contested = logs.is_contested(view.connection, view.org, header.did, header.order)
        logs.hide(view.connection, view.org, [digest], None if contested else around.now + DESTROY_AFTER)
        return activity.type == "Delete"
    return True


def _note_fork(view: View, header: Header, beside: Sequence[Header], around: Surroundings) -> None:
    before = logs.beside(view.connection, view.org, header.did, header.sequence - 1)
    other = next((each for each in (*beside, *before) if evidence.contradict((each, header))), None)
    note = f"two entries at {header.epoch}/{header.sequence}"
    if other is not None and other.sequence != header.sequence:
        note = f"entry {header.epoch}/{header.sequence} follows another than the one held"
    pair = (other, header) if other is not None else (header,)
    keep_evidence(view, Evidence(evidence.FORK, header.did, around.via, note, pair), around.now)


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
        case AddFollower() | RemoveFollower() | SetFollowing():
            _save_contact(view, effect, around)
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
        case Declare() | Retract() | ConfirmDeletes() | RestoreTexts() | Testimony():
            _declare(view, effect, around)


def _save_contact(view: View, effect: Effect, around: Surroundings) -> None:
    connection, org = view.connection, view.org
    match effect:
        case AddFollower(actor, inbox, shared_inbox, activity):
            follower = Follower(actor, inbox, shared_inbox, activity, around.now)
            contacts.add_follower(connection, org, follower)
        case RemoveFollower(actor):
            contacts.remove_follower(connection, org, actor)
        case SetFollowing(actor, state):
            contacts.mark_following(connection, org, actor, state)
            view.forget()


def _declare(view: View, effect: Effect, around: Surroundings) -> None:
    connection, org, now = view.connection, view.org, around.now
    match effect:
        case Declare():
            declarations.save(connection, org, _row(effect, now))
            weigh(view, effect.about, now)
        case Retract(by, activity):
            whom = declarations.retract(connection, org, by, activity)
            if whom is not None:
                weigh(view, whom, now)
        case ConfirmDeletes(about, epoch, sequence):
            logs.confirm_deletes(connection, org, about, (epoch, sequence), now + DESTROY_AFTER)
        case Testimony(by, value):
            keep_evidence(view, evidence.parse(value), now, by=by)
        case RestoreTexts(about, objects):
            if logs.give_back(connection, org, about, objects):
                rebuild(view, about, now)


def _succeed(view: View, effect: Succeed, around: Surroundings) -> None:
    """The old did is frozen after the named entry, the new one pinned in its place."""
    member, sender = view.member(effect.old), around.sender
    if member is None:
        return
    beside = logs.beside(view.connection, view.org, effect.old, effect.sequence)
    if beside and effect.digest not in {header.digest for header in beside}:
        note = f"the successor names another entry {effect.sequence} than the one held here"
        keep_evidence(view, Evidence(evidence.FORK, effect.old, around.via, note, beside[:1]), around.now)
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
    if activity.type in trust.TYPES:
        return  # its row stands; to judge it again here could freeze and lift others without an end
    verified = _replica(activity)
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

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

from sqlalchemy import Connection

from node import evidence, kinds
from node import releases as release_rules
from node.effects import (
    Accept,
    Decision,
    Effect,
    FollowAgain,
    Greet,
    HoldReply,
    Ignore,
    KeepLetter,
    Refuse,
    Release,
    Reply,
    ReplyLetter,
)
from node.evidence import Evidence
from node.federation import holding, letters, receipts, releases, saving, trust
from node.federation.protocol import ids, replicas, retry, spread
from node.federation.protocol.activities import Activity
from node.federation.protocol.messages import as_list
from node.federation.protocol.replicas import Fit, Header
from node.federation.protocol.verification import SEALED, Verified
from node.kinds import Surroundings
from node.models import contacts, deletes, deliveries, documents, logs, media, queues
from node.models.contacts import Member
from node.models.deliveries import Lane, Recipient
from node.models.logs import Destroyed, Entry
from node.models.views import View

MANY_DELETES = release_rules.MANY
MOST_BRANCHES = 200
"""Entries beside the main line that are kept of one log."""
OLD = release_rules.OLD


Answer = Reply | FollowAgain | ReplyLetter | Greet | HoldReply
"""What a decision leaves to the caller."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What came of one activity."""

    decision: Decision
    replies: tuple[Answer, ...] = ()
    """Activities of ours that answer it, and strangers' replies to be sealed: the caller's, in the same transaction."""
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
    around = replace(around, frozen=trust.is_frozen(member, activity))
    if member is not None and member.state == contacts.FORMER and activity.type not in ("Delete", SEALED):
        return Committed(Ignore("no member any more: only what it takes back is obeyed"))
    new, held = False, kinds.may_hold(view, activity)
    if verified.kind == "proof" and activity.position is not None and (own or _in_log(member)):
        header = replicas.header_of(activity)
        around = replace(around, position=header.order)
        new = _keep(view, activity, header, around, held=held)
        if not new:
            return Committed(Ignore("held already"))
        if activity.type not in ("Create", "Update"):
            view.flush_log()  # what else an entry may do looks at the log as it stands
        if activity.type == "Delete" and not around.frozen:
            _withdraw(view, activity, header, around)
            view.reload_log()
    if not held:
        _let_go(view, activity, around)
        return Committed(Ignore("alerts of this country or kind are not held here"), new=new)
    decision = kinds.judge(view, verified, around)
    replies = _carry_out(view, decision, activity, around) if isinstance(decision, Accept) else ()
    if new and not own and not around.frozen and not isinstance(decision, Refuse):
        replies += _receipts(view, activity, around)
    if new and pass_on and not own and not around.frozen and member is not None:
        _pass_on(view, activity, around)
    return Committed(decision, replies, new)


def _carry_out(view: View, decision: Accept, activity: Activity, around: Surroundings) -> tuple[Answer, ...]:
    replies: list[Answer] = []
    left: list[Effect] = []
    for effect in saving.save(view, decision, around):
        match effect:
            case Reply() | FollowAgain() | ReplyLetter() | Greet() | HoldReply():
                replies.append(effect)
            case KeepLetter():
                letters.keep(view, effect, activity, around)
            case Release():
                releases.carry_out(view, effect, around)
            case _:
                left.append(effect)
    trust.carry_out(view, left, around)
    return tuple(replies)


def foretell(view: View, verified: Verified, around: Surroundings) -> None:
    """Heed what a member's entry withdraws before the entry itself has its place in the log: what it names never shows.

    Catch-up asks for such entries first. The entry comes again, in its turn, and is then kept and answered.
    """
    activity = verified.activity
    member = view.member(activity.did)
    around = replace(around, frozen=trust.is_frozen(member, activity))
    own = activity.did == view.org
    if around.frozen or not (own or _in_log(member)) or activity.position is None:
        return
    if activity.type == "Delete":
        _withdraw(view, activity, replicas.header_of(activity), around)
    elif activity.type == release_rules.TYPE:
        decision = kinds.judge(view, verified, around)
        for effect in decision.effects if isinstance(decision, Accept) else ():
            if isinstance(effect, Release):
                releases.carry_out(view, effect, around)


def destroy_due(connection: Connection, now: datetime) -> tuple[Destroyed, ...]:
    """Destroy what was withdrawn long enough ago, in every table that holds its bytes; returns what that was."""
    gone = logs.destroy_due(connection, now)
    for each in gone:
        queues.forget(connection, [each.activity_id], [hashlib.sha256(each.raw).digest()])
        deliveries.forget(connection, each.org, [each.activity_id])
        documents.forget_evidence(connection, each.org, each.raw)
    for org in {each.org for each in gone}:
        media.release(connection, org, [each.object_id for each in gone if each.org == org and each.object_id])
    return gone


def _receipts(view: View, activity: Activity, around: Surroundings) -> tuple[ReplyLetter, ...]:
    """Whoever withdraws something hears from each member, once, that it is obeyed there."""
    if activity.type == "Delete" and activity.object_id not in (None, activity.actor):
        return receipts.of_taken(activity, activity.object_id or "", around.now)
    if activity.type == release_rules.TYPE:
        objects = (activity.object or {}).get("objects")
        main = objects[0] if isinstance(objects, list) and objects else None
        return receipts.of_taken(activity, main, around.now) if isinstance(main, str) else ()
    return ()


def _in_log(member: Member | None) -> bool:
    return member is not None and member.state in (contacts.MEMBER, contacts.FORMER, contacts.SUCCEEDED)


def _let_go(view: View, activity: Activity, around: Surroundings) -> None:
    """Nothing of this text stays; nor, where the author is believed, of what it was before it became such."""
    holding.forget_delivery(view.connection, activity.id, activity.raw)
    if activity.object_id is not None and activity.did is not None and not around.frozen:
        view.flush()
        holding.let_go(view.connection, view.org, activity.actor, activity.did, activity.object_id)
        view.let_go(activity.object_id)


def _keep(view: View, activity: Activity, header: Header, around: Surroundings, *, held: bool) -> bool:
    beside = view.beside(header.did, header.sequence)
    fit = replicas.fit(header, view.head(header.did), beside)
    digest = header.digest
    if fit is Fit.KNOWN:
        view.flush_log()
        return held and _fill_stub(view, activity, header, digest, around)
    if fit is not Fit.NEXT and logs.branches(view.connection, view.org, header.did) >= MOST_BRANCHES:
        return False  # evidence enough; each further branch would have the whole line counted again
    entry = Entry(
        header=header,
        digest=digest,
        activity_id=activity.id,
        object_id=activity.object_id,
        type=activity.type,
        raw=activity.raw if held else None,
        state=logs.HELD if held else logs.UNHELD,
        via=around.via,
        received=around.now,
    )
    view.append(entry, follows=fit is Fit.NEXT)
    if fit is Fit.FORK:
        _note_fork(view, header, beside, around)
    if view.withdrawal(header.did, header.order) == header.content:
        # The Delete came first: the text is kept for the time a withdrawal may be contested, and never shown.
        view.flush_log()
        contested = deletes.is_contested(view.connection, view.org, header.did, header.order)
        logs.hide(view.connection, view.org, [digest], None if contested else around.now + trust.DESTROY_AFTER)
        return activity.type == "Delete"
    if held and releases.is_meant(view, activity):
        releases.take_late(view, header, digest, around.now)
        view.reload_log()
        return False
    return True


def _note_fork(view: View, header: Header, beside: Sequence[Header], around: Surroundings) -> None:
    before = logs.beside(view.connection, view.org, header.did, header.sequence - 1)
    other = next((each for each in (*beside, *before) if evidence.contradict((each, header))), None)
    note = f"two entries at {header.epoch}/{header.sequence}"
    if other is not None and other.sequence != header.sequence:
        note = f"entry {header.epoch}/{header.sequence} follows another than the one held"
    pair = (other, header) if other is not None else (header,)
    saving.keep_evidence(view, Evidence(evidence.FORK, header.did, around.via, note, pair), around.now)


def _fill_stub(view: View, activity: Activity, header: Header, digest: str, around: Surroundings) -> bool:
    """A text arrives for a stub that nobody ever signed away: it was withheld, and is shown."""
    held = logs.find(view.connection, view.org, header)
    if held is None or held.state != logs.STUB:
        return False
    if deletes.withdrawal(view.connection, view.org, header.did, header.order) == header.content:
        queues.forget(view.connection, [activity.id], [hashlib.sha256(activity.raw).digest()])
        return False
    if releases.is_meant(view, activity):
        releases.take_late(view, header, digest, around.now)
        return False
    logs.fill(view.connection, view.org, digest, activity)
    return True


def _withdraw(view: View, activity: Activity, header: Header, around: Surroundings) -> None:
    """A signed Delete names the entries whose text goes (Tadamun log §3)."""
    day = timedelta(days=1)
    many = deletes.since(view.connection, view.org, header.did, around.now - day) > MANY_DELETES
    if many:
        logs.hold_back(view.connection, view.org, header.did, around.now - day + trust.DESTROY_AFTER)
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
        deletes.add(view.connection, view.org, header.did, place, content, header, around.now)
        entry = entries.get(place)
        if entry is not None and entry.header.content == content:
            wait = many or entry.received < around.now - OLD
            logs.hide(view.connection, view.org, [entry.digest], None if wait else around.now + trust.DESTROY_AFTER)
            deliveries.cancel(view.connection, view.org, [entry.activity_id or ""])


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
    patience = retry.patience(withdraws=activity.type in receipts.TYPES)
    recipients = [Recipient(member.inbox, "log", lane, patience) for member in chosen]
    deliveries.enqueue(view.connection, view.org, payload, recipients, around.now)


def head_of(connection: Connection, org: str) -> replicas.Head | None:
    """Where our own log stands."""
    return logs.head(connection, org, org)

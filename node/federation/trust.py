"""Trust taken back and given: freezes, by hand and together, successions, and the view that is made anew after them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from node import declarations as rules
from node import evidence, kinds, releases
from node.effects import (
    Accept,
    ConfirmDeletes,
    Declare,
    Effect,
    RestoreTexts,
    Retract,
    Succeed,
)
from node.evidence import Evidence
from node.federation import saving
from node.federation.protocol import ids, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import parse_document
from node.federation.protocol.verification import Carrier, Verified
from node.kinds import Surroundings
from node.models import contacts, declarations, deletes, deliveries, documents, logs, withdrawals
from node.models.contacts import Member
from node.models.declarations import Declaration
from node.models.logs import Entry
from node.models.views import View

DESTROY_AFTER = releases.DESTROY_AFTER
_MANY = 500
"""Ids in one question to the database."""


def rebuild(view: View, did: str, now: datetime) -> int:
    """Make the view of one did's log anew from its entries; returns how many were judged.

    Entries past a freeze stay in the log and out of the view.
    """
    author = str(ids.Portable(did, "/actor"))
    kinds.drop_author(view, author)
    view.forget()
    for entry in _withdrawn(view, did):
        if entry.object_id is not None:
            view.hide(entry.object_id, author, now)  # before the rest: what was withdrawn has no news
    for row in withdrawals.releases_of(view.connection, view.org, did):
        view.hide(row.object_id, author, now)
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
    kept = deletes.contest(view.connection, view.org, did, after)
    if give_back and after is not None:
        kept = len(deletes.give_back(view.connection, view.org, did, None))
    if after is None:
        deletes.settle(view.connection, view.org, did, now + DESTROY_AFTER)
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


def carry_out(view: View, effects: Sequence[Effect], around: Surroundings) -> None:
    """Do what a rule asked for that touches trust: declarations, second words, successions."""
    for effect in effects:
        if isinstance(effect, Succeed):
            _succeed(view, effect, around)
        else:
            _declare(view, effect, around)


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
            deletes.confirm(connection, org, about, (epoch, sequence), now + DESTROY_AFTER)
        case RestoreTexts(about, objects):
            if deletes.give_back(connection, org, about, objects):
                rebuild(view, about, now)


def is_frozen(member: Member | None, activity: Activity) -> bool:
    """Whether an activity stands past its author's freeze, or in no log while there is one."""
    if member is None or member.frozen is None:
        return False
    return activity.position is None or activity.position.order > member.frozen


def _succeed(view: View, effect: Succeed, around: Surroundings) -> None:
    """The old did is frozen after the named entry, the new one pinned in its place."""
    member, sender = view.member(effect.old), around.sender
    if member is None:
        return
    beside = logs.beside(view.connection, view.org, effect.old, effect.sequence)
    if beside and effect.digest not in {header.digest for header in beside}:
        note = f"the successor names another entry {effect.sequence} than the one held here"
        saving.keep_evidence(view, Evidence(evidence.FORK, effect.old, around.via, note, beside[:1]), around.now)
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


def _weight(view: View, member: Member) -> tuple[int, int] | None:
    words = declarations.about(view.connection, view.org, member.did)
    own = [word.after for word in words if word.by == view.org]
    others = [word.after for word in words if word.by != view.org and _counts(view, word)]
    together = rules.agreed(others, view.organisation.quorum)
    places = [*own, *([together] if together else [])]
    if member.state == contacts.SUCCEEDED and member.frozen is not None:
        places.append(member.frozen)
    return min(places, default=None)


def _words_of(view: View, did: str, after: tuple[int, int] | None, now: datetime) -> list[str]:
    """What this did declared, as far as it is believed now; returns whom it is about."""
    before = declarations.by(view.connection, view.org, did)
    declarations.drop_by(view.connection, view.org, did)
    for entry in logs.of_types(view.connection, view.org, did, (rules.FREEZE, rules.UNFREEZE)):
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


def _judge_again(view: View, entry: Entry, now: datetime) -> None:
    if entry.raw is None:
        return
    activity = parse_activity(parse_document(entry.raw))
    if activity.type in rules.TYPES:
        return  # its row stands; to judge it again here could freeze and lift others without an end
    verified = _replica(activity)
    member = view.member(activity.did)
    around = Surroundings(now, entry.via, frozen=is_frozen(member, activity), position=entry.header.order)
    decision = kinds.judge(view, verified, around)
    if isinstance(decision, Accept):
        saving.save(view, decision, around)


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

"""The table of what the node understands: for each AS2 type its facts, its rule, and how its effects are saved.

`federation/` carries activities and reads this table; it knows no alert. A row's `matches` looks at the activity and at
what is held under its object's id; the first row that matches judges. What no row matches is ignored, with a count.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from node import alerts as alert_rules
from node import (
    announcements,
    charters,
    declarations,
    endorsements,
    evidence,
    letters,
    posts,
    recovery,
    relations,
    releases,
    replies,
    sealed_notes,
    successions,
)
from node.effects import Accept, Decision, HideObject, Ignore, Refuse, StoreObject
from node.errors import ProtocolError
from node.federation.protocol import actors, ids, verification
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import Actor
from node.federation.protocol.verification import Verified
from node.letters import Letter
from node.models import alerts, contacts, documents, groups, media, organisations, rooms, search, signatures, withheld
from node.models import charters as charter_rows
from node.models import letters as letter_rows
from node.models import replies as reply_rows
from node.models.alerts import AlertRecord
from node.models.documents import Stored
from node.models.groups import GroupUpdate
from node.models.views import View
from node.people import APPROVALS

_DISTANT = datetime(1970, 1, 1, tzinfo=UTC)
POST_TYPES = ("Create", "Update", "Delete")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around one activity when it is judged."""

    now: datetime
    via: str
    """`host[:port]` that it came from."""
    frozen: bool = False
    target: Actor | None = None
    """The target of a Move, fetched just now."""
    sender: Actor | None = None
    """The actor's document, where we hold one."""
    position: tuple[int, int] | None = None
    letter: Letter | None = None
    """What was in the envelope, where we could open it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    name: str
    matches: Callable[[Activity, Stored | None], bool]
    judge: Callable[[View, Verified, Surroundings], Decision]
    urgent: bool = False
    """Goes first in every queue."""


def kind_of(view: View, activity: Activity) -> Kind | None:
    """The row that judges an activity."""
    held = view.stored(activity.object_id) if activity.object_id and activity.type in POST_TYPES else None
    return next((kind for kind in KINDS if kind.matches(activity, held)), None)


def judge(view: View, verified: Verified, around: Surroundings) -> Decision:
    """Gather the facts and let the rule decide."""
    activity = verified.activity
    kind = kind_of(view, activity)
    if kind is None:
        view.count(f"unknown {activity.type} {activity.object_type or ''}".strip())
        return Ignore(f"unknown type {activity.type} {activity.object_type or ''}".strip())
    return kind.judge(view, verified, around)


def is_urgent(activity: Activity) -> bool:
    """Whether it overtakes others in the queue: an alert, the end of one, or the news that a key is stolen."""
    if activity.type in ("Delete", releases.TYPE, declarations.FREEZE, successions.TYPE):
        return True
    return activity.object is not None and alert_rules.is_alert(activity.object)


def is_drill(activity: Activity) -> bool:
    """Whether it goes to pinned members only."""
    note = activity.object
    return note is not None and alert_rules.is_alert(note) and note.get("alertStatus") != "actual"


def may_hold(view: View, activity: Activity) -> bool:
    """Whether the operator lets us keep the text of this activity: all but others' alerts of what is not to be held."""
    note = activity.object
    if note is None or not alert_rules.is_alert(note):
        return True
    country, kinds = alert_rules.traits(note)
    return view.policies(activity.did).holds(country, kinds)


def save_object(view: View, effect: StoreObject, around: Surroundings) -> None:
    """Keep a public object, and its row in the list of its kind."""
    held = view.stored(effect.object_id)
    epoch, sequence = around.position or (None, None)
    view.store(
        Stored(
            id=effect.object_id,
            type=effect.kind,
            author=effect.author,
            raw=orjson.dumps(effect.document),
            published=effect.published,
            updated=effect.updated,
            state=documents.SHOWN,
            epoch=epoch,
            sequence=sequence,
            via=held.via if held else around.via,
            received=held.received if held else around.now,
            page=documents.page_name(effect.object_id),
        )
    )
    if effect.kind == alert_rules.KIND:
        _save_alert(view, effect, around)
    elif effect.kind in endorsements.TYPES:
        found = endorsements.parse(effect.document, around.position or (0, 0))
        signatures.save(view.connection, view.org, effect.object_id, found.alert, effect.author)
    elif effect.kind in (charters.CHARTER, charters.AFFIRMATION):
        frozen = charters.parse(effect.document, around.position or (0, 0))
        charter_rows.save(view.connection, view.org, frozen, effect.author)
    _note_audience(view, effect, around)
    search.note(view.connection, view.org, effect.object_id, effect.kind, effect.author, effect.document)


def _note_audience(view: View, effect: StoreObject, around: Surroundings) -> None:
    """A member wrote for a working group that we know: its host passes that on."""
    named, author = effect.document.get("audience"), ids.portable(effect.author)
    found = ids.portable(named) if isinstance(named, str) else None
    if found is None or author is None or not _is_group(view, found.did):
        return
    update = GroupUpdate(effect.object_id, found.did, author.did, "", groups.NAMED, around.now)
    groups.note(view.connection, view.org, update)


def _is_group(view: View, did: str | None) -> bool:
    if did == view.org:
        return view.organisation.kind == organisations.GROUP
    member = view.member(did)
    if member is not None:
        return member.kind == contacts.GROUP
    return any(each.did == did for each in organisations.hosted(view.connection, view.org))


def _save_alert(view: View, effect: StoreObject, around: Surroundings) -> None:
    """Its row; and what it shows is fetched, if it is ours or a member's: for strangers nothing is."""
    record = alert_record(effect, around)
    country, kinds = alert_rules.traits(effect.document)
    shown = view.policies(record.did).shows(country, kinds)
    alerts.save(view.connection, view.org, replace(record, shown=shown))
    if record.did and (record.did == view.org or view.member(record.did) is not None):
        pictures = alert_rules.parse(effect.document).pictures
        media.need(view.connection, view.org, record.did, effect.object_id, pictures, around.now)


def hide_object(view: View, effect: HideObject, around: Surroundings) -> None:
    """Nothing of it is shown any more."""
    # Its news goes with it, in every language: the Deletes of it may still be on their way.
    for each in (effect.object_id, *alerts.told_of(view.connection, view.org, effect.object_id, effect.author)):
        view.hide(each, effect.author, around.now)
        alerts.remove(view.connection, view.org, each)
        signatures.remove(view.connection, view.org, each)
        charter_rows.remove(view.connection, view.org, each)
        withheld.remove(view.connection, view.org, each)
        groups.take(view.connection, view.org, each)


def drop_author(view: View, author: str) -> None:
    """Forget the view of one author's objects."""
    view.flush()
    documents.drop_author(view.connection, view.org, author)
    alerts.drop_author(view.connection, view.org, author)
    signatures.drop_author(view.connection, view.org, author)
    if (found := ids.portable(author)) is not None:
        groups.drop_author(view.connection, view.org, found.did)
    charter_rows.drop_author(view.connection, view.org, author)
    reply_rows.lose_author(view.connection, view.org, author)


def alert_record(effect: StoreObject, around: Surroundings) -> AlertRecord:
    """The list row of an alert's Note."""
    alert = alert_rules.parse(effect.document)
    found = ids.portable(effect.author)
    return AlertRecord(
        object_id=effect.object_id,
        uri=alert.id,
        page=documents.page_name(effect.object_id),
        author=effect.author,
        did=found.did if found else "",
        reference=alert.reference,
        headline=alert.headline,
        language=alert.language,
        kind=alert.kind,
        severity=alert.severity,
        urgency=alert.urgency,
        certainty=alert.certainty,
        country=alert.country[:2],
        status=alert.status,
        state=alert.state,
        published=alert.published or _DISTANT,
        updated=alert.updated,
        expires=alert.expires,
        translation_of=_canonical(alert.translation_of),
        via=around.via,
        received=around.now,
        news_of=_canonical(alert.news_of),
    )


def _canonical(uri: str | None) -> str | None:
    return ids.canonical(uri) if uri else None


def _is_alert(activity: Activity, held: Stored | None) -> bool:
    if activity.type == "Delete":
        return held is not None and held.type == alert_rules.KIND
    note = activity.object
    return activity.type in POST_TYPES and note is not None and alert_rules.is_alert(note)


def _is_actor(activity: Activity, held: Stored | None) -> bool:
    if activity.type == "Delete":
        return activity.object_id == activity.actor
    return activity.type == "Update" and activity.object_type in actors.TYPES


def _is_post(activity: Activity, held: Stored | None) -> bool:
    if activity.type == "Delete":
        return True
    return activity.type in POST_TYPES and (activity.object is None or activity.object_type in posts.TYPES)


def _is_relation(activity: Activity, held: Stored | None) -> bool:
    return activity.type not in ("Update", "Delete") and activity.type in relations.RULES


def _judge_alert(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    held = view.stored(activity.object_id) if activity.object_id else None
    following = view.following(activity.actor)
    member = view.member(activity.did)
    facts = alert_rules.Facts(
        member=member is not None,  # what one who left or was succeeded says now does not come this far
        followed=following is not None and following.state == "accepted",
        frozen=around.frozen,
        own=activity.did == view.org,
        known_author=held.author if held else None,
        known_updated=(held.updated or held.published) if held else None,
        withdrawn=_is_gone(view, activity, held),
        now=around.now,
        known_news_of=_news_named(held.raw) if held is not None and activity.type == "Update" else None,
        first_withdrawn=_has_no_first(view, (activity.object or {}).get("newsOf")),
    )
    return alert_rules.decide(
        activity.type, activity.actor, activity.object_id or "", activity.object, facts
    )


def _news_named(raw: bytes | None) -> str | None:
    return _canonical(orjson.loads(raw).get("newsOf")) if raw is not None else None


def _has_no_first(view: View, named: Any) -> bool:
    found = ids.portable(named) if isinstance(named, str) else None
    held = view.stored(str(found)) if found is not None else None
    return held is not None and held.state == documents.GONE


def _is_gone(view: View, activity: Activity, held: Stored | None) -> bool:
    """Withdrawn by its author, or by custodians in its place, whether or not we ever held it."""
    if held is not None and held.state == documents.GONE:
        return True
    return activity.object_id is not None and view.released_author(activity.object_id) is not None


def _judge_post(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    held = view.stored(activity.object_id) if activity.object_id else None
    following = view.following(activity.actor)
    member = view.member(activity.did)
    if held is None and member is None and activity.did != view.org:
        found = _judge_reply(view, activity, around)
        if found is not None:
            return found
    return posts.decide(
        activity,
        posts.Facts(
            org=view.organisation.actor,
            own=activity.did == view.org,
            followed=following is not None and following.state == "accepted",
            member=member is not None,
            frozen=around.frozen,
            known_author=held.author if held else None,
            known_updated=held.updated if held else None,
            gone=_is_gone(view, activity, held),
            sender_inbox=_sender_inbox(view, activity) if posts.is_private(activity) else None,
        ),
    )


def _judge_reply(view: View, activity: Activity, around: Surroundings) -> Decision | None:
    """What is held for review, or may be; `None` for everything else."""
    if activity.type != "Delete" and not replies.is_for_review(activity, view.organisation.actor, view.org):
        return None
    salt = reply_rows.salt(view.connection, view.org)
    tag = replies.tag(salt, activity.object_id or "")
    known = reply_rows.by_tag(view.connection, view.org, tag) if salt else None
    if activity.type == "Delete" and known is None:
        return None
    names = [replies.block_tag(salt, name) for name in (activity.actor, around.via)]
    return replies.decide(
        activity,
        replies.Facts(
            did=view.org,
            state=known.state if known else "",
            same_author=known is None or known.author in (b"", replies.author_tag(salt, tag, activity.actor)),
            blocked=reply_rows.is_blocked(view.connection, view.org, names),
            reviewed=rooms.recipient(view.connection, view.org, APPROVALS) is not None,
            room=reply_rows.waiting(view.connection, view.org) < replies.MOST_WAITING,
        ),
    )


def _sender_inbox(view: View, activity: Activity) -> str | None:
    found = documents.actor(view.connection, activity.actor)
    return found.inbox if found else None


def _judge_relation(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    following = view.following(activity.actor)
    follower = contacts.follower(view.connection, view.org, activity.actor)
    found = ids.portable(activity.object_id) if activity.object_id else None
    sender = around.sender
    return relations.decide(
        activity,
        relations.Facts(
            org=view.organisation.actor,
            inbox=sender.inbox if sender else None,
            shared_inbox=sender.shared_inbox if sender else None,
            follow_activity=follower.activity if follower else None,
            our_follow=following.activity if following else None,
            following=following is not None and following.state == "accepted",
            member=view.member(activity.did) is not None,
            frozen=around.frozen,
            target_aliases=around.target.aliases if around.target else None,
            holds_ours=found is not None and found.did == view.org,
        ),
    )


def _is_sign_on(activity: Activity, held: Stored | None) -> bool:
    return activity.type in ("Create", "Update") and activity.object_type in endorsements.TYPES


def _judge_sign_on(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    held = view.stored(activity.object_id) if activity.object_id else None
    facts = endorsements.Facts(
        known=activity.did == view.org or view.member(activity.did) is not None,
        frozen=around.frozen,
        known_author=held.author if held else None,
        known_updated=(held.updated or held.published) if held else None,
        gone=held is not None and held.state == documents.GONE,
    )
    return endorsements.decide(activity, facts)


def _is_announcement(activity: Activity, held: Stored | None) -> bool:
    return announcements.is_announcement(activity)


def _judge_announcement(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    held = view.stored(activity.object_id) if activity.object_id else None
    note = orjson.loads(held.raw) if held is not None and held.raw is not None else None
    return announcements.decide(
        activity, announcements.Facts(_is_group(view, activity.did), around.frozen, note)
    )


def _is_charter(activity: Activity, held: Stored | None) -> bool:
    """Also a post that wants to take the place of one: it would else be judged as a post."""
    thing = activity.object
    if activity.type not in ("Create", "Update") or thing is None:
        return False
    if held is not None and held.type in (charters.CHARTER, charters.AFFIRMATION):
        return True
    return activity.object_type == charters.AFFIRMATION or charters.is_charter(thing)


def _judge_charter(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    held = view.stored(activity.object_id) if activity.object_id else None
    facts = charters.Facts(
        known=activity.did == view.org or view.member(activity.did) is not None,
        frozen=around.frozen,
        known_author=held.author if held else None,
        known_order=(held.epoch or 0, held.sequence or 0) if held else None,
        gone=held is not None and held.state == documents.GONE,
    )
    return charters.decide(activity, facts)


def _is_succession(activity: Activity, held: Stored | None) -> bool:
    return activity.type == successions.TYPE


def _judge_succession(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    if activity.did == view.org:
        return Accept()  # our own word to the members; what follows from it here was done by hand
    member = view.member(successions.named_did(activity))
    holds = False
    if member is not None and activity.did is not None and member.recovery:
        try:
            recovery.check_commitment(activity.did, member.recovery)
            holds = True
        except ProtocolError:
            holds = False
    return successions.decide(
        activity,
        successions.Facts(
            old=member.did if member else None,
            commitment_holds=holds,
            successor=member.successor if member else None,
        ),
    )


def _is_declaration(activity: Activity, held: Stored | None) -> bool:
    return activity.type in declarations.TYPES


def _judge_declaration(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    by, named = view.member(activity.did), declarations.named_did(activity)
    member = view.member(named)
    commitment = member.recovery if member else view.organisation.recovery
    return declarations.decide(
        activity,
        declarations.Facts(
            member=activity.did == view.org or (by is not None and by.state == contacts.MEMBER),
            frozen=around.frozen,
            about=named if member is not None or named == view.org else None,
            successor=member.successor if member else None,
            own=activity.did == view.org,
            by_recovery_key=_signed_by_recovery_key(activity, commitment),
        ),
    )


def _signed_by_recovery_key(activity: Activity, commitment: str) -> bool:
    """Whether the object is a statement under the key that its organisation's log entry 1 committed to."""
    signed = activity.object
    if signed is None or signed.get("type") != declarations.CONFIRM_DELETES or not commitment:
        return False
    try:
        key = verification.verify_statement(signed)
        recovery.check_commitment(key, commitment)
    except ProtocolError:
        return False
    return True


def _is_release(activity: Activity, held: Stored | None) -> bool:
    return activity.type == releases.TYPE


def _judge_release(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity = verified.activity
    by = view.member(activity.did)
    found: releases.Withdrawal | ProtocolError
    try:
        found = releases.verify(activity.object)
    except ProtocolError as error:
        found = error
    author = None if isinstance(found, ProtocolError) else view.member(found.author)
    return releases.decide(
        activity,
        releases.Facts(
            member=activity.did == view.org or (by is not None and by.state == contacts.MEMBER),
            frozen=around.frozen,
            author_frozen=author.frozen if author else None,
            gone=not isinstance(found, ProtocolError) and all(_was_withdrawn(view, each) for each in found.objects),
        ),
        found,
    )


def _was_withdrawn(view: View, object_id: str) -> bool:
    held = view.stored(object_id)
    return view.released_author(object_id) is not None or (held is not None and held.state == documents.GONE)


def _is_testimony(activity: Activity, held: Stored | None) -> bool:
    return activity.type == evidence.TYPE


def _judge_testimony(view: View, verified: Verified, around: Surroundings) -> Decision:
    member = view.member(verified.activity.did)
    known = member is not None and member.state == contacts.MEMBER
    return evidence.decide(verified.activity, evidence.Facts(known, around.frozen))


def _is_letter(activity: Activity, held: Stored | None) -> bool:
    return activity.type == letters.TYPE


def _judge_letter(view: View, verified: Verified, around: Surroundings) -> Decision:
    activity, letter = verified.activity, around.letter
    if letter is None:
        return Ignore("sealed, and not to us")
    member = view.member(activity.did)
    if letter.kind == letters.ALERT:
        try:
            sealed_notes.check(letter)
        except ProtocolError as error:
            return Refuse(error.reason, error.spec)
    return letters.decide(
        activity,
        letter,
        letters.Facts(
            own=view.org,
            member=member is not None and member.state == contacts.MEMBER,
            former=member is not None and member.state == contacts.FORMER,
            frozen=around.frozen,
            known=letter_rows.find(view.connection, view.org, activity.id) is not None,
            withdrawn=letter_rows.is_gone(view.connection, view.org, letter.author, letter.about),
            now=around.now,
        ),
    )


KINDS: tuple[Kind, ...] = (
    Kind("alert", _is_alert, _judge_alert, urgent=True),
    Kind("actor", _is_actor, _judge_relation),
    Kind("charter", _is_charter, _judge_charter),
    Kind("sign-on", _is_sign_on, _judge_sign_on),
    Kind("post", _is_post, _judge_post),
    Kind("announcement", _is_announcement, _judge_announcement),
    Kind("relation", _is_relation, _judge_relation),
    Kind("succession", _is_succession, _judge_succession),
    Kind("declaration", _is_declaration, _judge_declaration),
    Kind("release", _is_release, _judge_release, urgent=True),
    Kind("testimony", _is_testimony, _judge_testimony),
    Kind("letter", _is_letter, _judge_letter),
)

"""Who follows whom, who moved, who is gone: the rules of everything that is not a post.

Rules, in order of the table at the end:
- *Follow* is of our own actor, and is accepted (AP §7.5).
- *Undo* takes back what its own actor did, embedded or by id (AP §7.7); of that we keep only that it follows us.
- *Accept* and *Reject* answer a Follow of ours, by the one who was followed (AP §7.6, §7.7).
- *Update* of an actor is by that actor, and never brings an older document; a portable actor's stands in its log, at
  the place that the document itself names (Tadamun log §3).
- *Delete* of an actor is by that actor; a pinned member's log is kept all the same.
- *Move* is by a followed actor, of itself, to a target that names the old id in `alsoKnownAs` (FEP-7628). A member's is
  for the operator to read: its key may be stolen, and who succeeds it is said by its recovery key.
- *Block* ends the follow; *Flag* and boosts of ours are for the operator to read. *Like* leaves no trace here (R16).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from node.effects import (
    Accept,
    AddFollower,
    Decision,
    FollowAgain,
    ForgetActor,
    Ignore,
    Refuse,
    RemoveFollower,
    Reply,
    Report,
    SetFollowing,
    StoreActor,
)
from node.errors import ProtocolError
from node.federation.protocol import ids
from node.federation.protocol.activities import Activity
from node.federation.protocol.messages import as_list, id_of


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows that the rules need."""

    org: str
    """Canonical id of our own actor."""
    inbox: str | None = None
    """The actor's own inbox, from its document."""
    shared_inbox: str | None = None
    follow_activity: str | None = None
    """The id of the Follow by which the actor follows us; `None` when it does not."""
    our_follow: str | None = None
    """The id of our Follow of the actor; `None` when we never asked."""
    following: bool = False
    """It was accepted."""
    member: bool = False
    frozen: bool = False
    target_aliases: tuple[str, ...] | None = None
    """`alsoKnownAs` of a Move's target, fetched just now; `None` when it could not be had."""
    holds_ours: bool = False
    """The object is one of ours."""


Rule = Callable[[Activity, Facts], Decision]


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge one activity by the table `RULES`.

    Spec: AP §7
    """
    if facts.frozen and activity.type not in ("Undo", "Block"):
        return Ignore("the member is frozen")
    rule = RULES.get(activity.type)
    return rule(activity, facts) if rule else Ignore(f"unknown type {activity.type}")


def _follow(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id != facts.org:
        return Ignore("not an organisation of this node")
    if facts.inbox is None:
        return Refuse("a follower without an inbox", "AP §7.5")
    return Accept(
        (
            AddFollower(activity.actor, facts.inbox, facts.shared_inbox, activity.id),
            Reply("Accept", _embedded(activity), activity.actor, facts.inbox),
        )
    )


def _undo(activity: Activity, facts: Facts) -> Decision:
    undone = activity.object
    if undone is not None:
        actor = id_of(undone.get("actor"))
        try:
            if actor is None or ids.canonical(actor) != activity.actor:
                return Refuse("only the actor undoes what it did", "AP §7.7")
        except ProtocolError as error:
            return Refuse(error.reason, error.spec)
        if undone.get("type") != "Follow":
            return Ignore(f"nothing kept of a {str(undone.get('type'))[:40]}")
        if activity.object_id != facts.follow_activity and not _is_id(undone.get("object"), facts.org):
            return Ignore("not a Follow of this organisation")
    elif activity.object_id != facts.follow_activity:
        return Ignore("nothing kept of what is undone")
    if facts.follow_activity is None:
        return Ignore("no follower")
    return Accept((RemoveFollower(activity.actor),))


def _answer(activity: Activity, facts: Facts) -> Decision:
    if facts.our_follow is None or activity.object_id != facts.our_follow:
        return Ignore("no Follow of ours is answered")
    state = "accepted" if activity.type == "Accept" else "rejected"
    return Accept((SetFollowing(activity.actor, state),))


def _update(activity: Activity, facts: Facts) -> Decision:
    if activity.object is None or activity.object_id != activity.actor:
        return Refuse("an actor is updated by itself, embedded", "AP §7.3")
    document = activity.object
    if activity.did is None:
        # Mastodon embeds the actor without a context of its own. What bears a proof stays as it was signed.
        return Accept((StoreActor(activity.actor, {"@context": activity.value["@context"], **document}),))
    place = activity.position
    if place is None or document.get("logPosition") != {"epoch": place.epoch, "sequence": place.sequence}:
        return Refuse("an actor changes by the entry of its log that the document names", "Tadamun log §3")
    return Accept((StoreActor(activity.actor, document),))


def _delete(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id != activity.actor:
        return Refuse("an actor is deleted by itself", "AP §7.4")
    if facts.member:
        return Accept((Report("Delete", activity.actor, activity.actor),))
    return Accept((ForgetActor(activity.actor),))


def _move(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id != activity.actor:
        return Refuse("one moves oneself", "FEP-7628")
    target = id_of(activity.value.get("target"))
    if target is None:
        return Refuse("a Move without a target", "FEP-7628")
    if facts.member:
        return Accept((_report(activity),))
    if not facts.following:
        return Ignore("nobody here follows who moves")
    if facts.target_aliases is None:
        return Ignore("the target could not be read")
    if activity.actor not in facts.target_aliases:
        return Refuse("the target does not name the old id in alsoKnownAs", "FEP-7628")
    try:
        return Accept((FollowAgain(activity.actor, ids.canonical(target)),))
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)


def _block(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id != facts.org:
        return Ignore("not an organisation of this node")
    return Accept((RemoveFollower(activity.actor), SetFollowing(activity.actor, "rejected"), _report(activity)))


def _flag(activity: Activity, facts: Facts) -> Decision:
    if not any(ids.same_origin(each, facts.org) for each in flagged(activity)):
        return Ignore("a report about nothing of this organisation")
    return Accept((_report(activity),))


def _announce(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id is None:
        return Refuse("a boost of nothing", "AP §7.11")
    if not (facts.following or facts.holds_ours):
        return Ignore("nobody here follows who boosts")
    return Accept((_report(activity),))


def _like(activity: Activity, facts: Facts) -> Decision:
    return Ignore("likes are not kept")


def _report(activity: Activity) -> Report:
    return Report(activity.type, activity.actor, activity.object_id or "")


def _embedded(activity: Activity) -> dict[str, object]:
    """The Follow as an Accept embeds it: its id and the three fields that peers compare."""
    value = activity.value
    followed = id_of(as_list(value["object"])[0])
    return {"id": value["id"], "type": "Follow", "actor": id_of(value["actor"]), "object": followed}


def _is_id(value: object, wanted: str) -> bool:
    named = id_of(value)
    try:
        return named is not None and ids.canonical(named) == wanted
    except ProtocolError:
        return False


def flagged(activity: Activity) -> tuple[str, ...]:
    """What a Flag is about; Mastodon sends a list."""
    return tuple(found for item in as_list(activity.value.get("object"))[:50] if (found := id_of(item)))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "Follow": _follow,
        "Undo": _undo,
        "Accept": _answer,
        "Reject": _answer,
        "Update": _update,
        "Delete": _delete,
        "Move": _move,
        "Block": _block,
        "Flag": _flag,
        "Announce": _announce,
        "Like": _like,
    }
)

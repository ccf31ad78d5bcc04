"""Effects become rows: the plain ones, which touch nobody's trust. Whose trust is touched is `trust`'s part."""

from datetime import datetime

import orjson

from node import evidence, kinds
from node import replies as reply_rules
from node.effects import (
    Accept,
    AddFollower,
    Announced,
    Effect,
    ForgetActor,
    HideObject,
    LoseReply,
    RemoveFollower,
    Report,
    SetFollowing,
    StoreActor,
    StoreObject,
    Testimony,
)
from node.errors import ProtocolError
from node.evidence import Evidence
from node.federation.protocol import ids, verification
from node.federation.protocol.messages import Document
from node.federation.protocol.replicas import Header
from node.kinds import Surroundings
from node.models import contacts, documents, groups, logs, replies
from node.models.contacts import Follower
from node.models.groups import GroupUpdate
from node.models.views import View


def save(view: View, decision: Accept, around: Surroundings) -> tuple[Effect, ...]:
    """Write the plain effects of a decision; returns those that are others' to carry out."""
    left: list[Effect] = []
    for effect in decision.effects:
        if not _save_one(view, effect, around):
            left.append(effect)
    return tuple(left)


def _save_one(view: View, effect: Effect, around: Surroundings) -> bool:
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
        case LoseReply(object_id, actor):
            _lose_reply(view, object_id, actor)
        case Announced(object_id, actor, activity):
            groups.note(connection, org, GroupUpdate(object_id, actor, "", activity, groups.ANNOUNCED, around.now))
        case Report(kind, actor, object_id):
            documents.report(connection, org, kind, actor, object_id, around.now)
        case Testimony(by, value):
            keep_evidence(view, evidence.parse(value), around.now, by=by)
        case _:
            return False
    return True


def _lose_reply(view: View, object_id: str, actor: str) -> None:
    salt = replies.salt(view.connection, view.org)
    tag = reply_rules.tag(salt, object_id)
    held = replies.by_tag(view.connection, view.org, tag)
    if held is not None and held.author == reply_rules.author_tag(salt, tag, actor):
        replies.lose(view.connection, view.org, held)


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


def keep_evidence(view: View, seen: Evidence, now: datetime, *, by: str = "") -> None:
    """Keep evidence, ours or a member's word; what it proves by itself is noted with it."""

    def holds(header: Header) -> bool:
        found = logs.find(view.connection, view.org, header)
        return found is not None and found.state != logs.STUB

    proven = evidence.proves(seen, holds)
    documents.keep_evidence(view.connection, view.org, seen, now, by=by, proven=proven)

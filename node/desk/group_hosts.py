"""The host of a working group: its actor here, what it passes on, and how another host takes its place.

Each host has an actor of its own for the group, with its own key and log; which of them speaks follows from the acts
(`groups`, rule 7). The one that speaks announces what its members write for everyone, and hands each other host,
sealed, what it would need to call the followers: a Move to that host's actor, signed beforehand, and where they are.
Rules, in order:

1. only the host that the acts name announces, and only what somebody in the group wrote;
2. what its author took back is taken back: an Undo, and the author's Delete passed on;
3. once another host is named, this one's actor says where it moved to, while its keys are here;
4. once the acts name us and the old host is silent, we pass its Move on.

Spec: FEP-1b12, FEP-7628
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from node import announcements, recovery
from node import governance as rules
from node import letters as letter_rules
from node.alert_terms import rounded
from node.desk import groups as desk
from node.desk import networks
from node.desk.groups import Place
from node.desk.networks import Desk
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.outbox import Audience, Speech
from node.federation.protocol import ids, integrity_proofs, linked_data_signatures, sealing, verification
from node.federation.protocol.activities import AS2, PUBLIC
from node.federation.protocol.actors import DATA_INTEGRITY, timestamp
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.groups import Host
from node.models import contacts, documents, logs, organisations
from node.models import groups as updates
from node.models import letters as letter_rows
from node.models import networks as rows
from node.models.groups import GroupUpdate
from node.models.keyring import Keyring
from node.models.organisations import GROUP, Organisation

AT_ONCE = 20
MOST_INBOXES = 1_000
"""Inboxes of followers that are handed to another host: what one letter holds."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """An actor of a group on this node, with all that is needed to speak as it."""

    connection: Connection
    parent: Organisation
    actor: Organisation
    keyring: Keyring
    now: datetime

    @property
    def key(self) -> OrganisationKey:
        """The group's key here."""
        return self.keyring.organisation(self.actor.did)


def open_actor(mine: Desk, keyring: Keyring, name: str) -> Organisation:
    """Begin an actor for a group that we host, or would, and tell the network of it.

    Raises:
        RefusedError: we are no host of it, have one already, or the first host has none yet.
    """
    at = desk.place(mine.connection, mine.own, name)
    group = at.group
    if all(each.member != mine.own for each in group.hosts):
        raise RefusedError("the founding act does not name this organisation among the group's hosts")
    if any(each.working_group == group.digest for each in organisations.hosted(mine.connection, mine.own)):
        raise RefusedError("we have an actor for this group already")
    if any(each.handle == group.handle for each in organisations.all_of(mine.connection)):
        raise RefusedError(f"this name is taken on this node ({group.handle})")
    if group.actor is None and group.host != mine.own:
        raise RefusedError("the first host says with which actor it hosts the group, then the others do")
    key = keyring.create()
    organisation = mine.organisation
    made = Organisation(
        did=key.did, handle=group.handle, name=_name(group.names, organisation.language), summary="",
        language=organisation.language, country="", origin=organisation.origin,
        recovery=recovery.commitment(recovery.generate()),  # nobody keeps it: other hosts carry the group on
        hold="", made=mine.now, listed=True, kind=GROUP, parent=mine.own, working_group=group.digest,
    )  # fmt: skip
    organisations.add(mine.connection, made)
    aliases = tuple(uri_of(organisation.origin, each) for each in group.hosts if each.did)
    outbox.publish_actor(mine.connection, made, key, keyring.rsa(made.did).public_key(), mine.now, aliases=aliases)
    ledger = rows.ledger_of(mine.connection, mine.own, at.network)
    says = {"about": group.digest, "did": made.did, "handle": made.address}
    networks.act(mine, at.network, rules.GROUP_HOST, says, ledger)
    return made


def uri_of(ours: str, host: Host) -> str:
    """The id of a host's actor, where it lives now."""
    return ids.Portable(host.did, "/actor").at(desk.origin_of(ours, host.handle))


def tend(at: Hosting) -> bool:
    """Do what is to be done as this actor; says whether there was something."""
    try:
        found = desk.place(at.connection, at.parent.did, at.actor.working_group)
    except RefusedError:
        return False  # we left that network
    speaker = found.group.actor
    if speaker is None:
        return False
    held = documents.actor(at.connection, at.actor.actor)
    moved = held.moved_to if held else None
    if speaker.did != at.actor.did:
        return moved != ids.canonical(uri_of(at.parent.origin, speaker)) and _move(at, found, speaker)
    if moved is not None:
        _say_who(at, found)
    done = moved is not None
    for each in updates.of_actors(at.connection, at.parent.did, (at.actor.did,), updates.NAMED, AT_ONCE):
        done = _announce(at, found, each) or done
    for each in updates.of_actors(at.connection, at.parent.did, (at.actor.did,), updates.TAKEN, AT_ONCE):
        done = _undo(at, each) or done
    return done


def _announce(at: Hosting, found: Place, update: GroupUpdate) -> bool:
    held = documents.stored(at.connection, at.parent.did, update.object_id)
    if update.author not in found.group.roles or held is None or held.raw is None or held.state != documents.SHOWN:
        updates.forget(at.connection, at.parent.did, update)
        return False
    before = logs.of_object(at.connection, at.actor.did, at.actor.did, update.object_id)
    told = next((each.activity_id for each in before if each.type == announcements.TYPE), None)
    if told is not None:  # said already, before the lists were made anew
        _passed(at, update, told)
        return True
    note = orjson.loads(held.raw)
    audience = Audience((PUBLIC,), (at.actor.uri + "/followers", note["attributedTo"]))
    speech = Speech(
        announcements.TYPE, str(note["id"]), audience, dict(announcements.TERMS),
        extra={"objectDigest": announcements.digest_of(note)}, stamp=rounded(at.now),
    )  # fmt: skip
    made = outbox.publish(at.connection, at.actor, at.key, speech, at.now)
    _passed(at, update, ids.canonical(made.id))
    _pass_on(at, update, ("Create",))
    return True


def _passed(at: Hosting, update: GroupUpdate, activity: str) -> None:
    value = GroupUpdate(update.object_id, at.actor.did, update.author, activity, updates.ANNOUNCED, at.now)
    updates.note(at.connection, at.parent.did, value)


def _undo(at: Hosting, update: GroupUpdate) -> bool:
    portable = ids.portable(update.object_id)
    announced = ids.portable(update.activity)
    updates.forget(at.connection, at.parent.did, update)
    if portable is None or announced is None:
        return False
    undone: JsonObject = {
        "id": announced.at(at.actor.origin), "type": announcements.TYPE, "actor": at.actor.uri,
        "object": update.object_id,
    }  # fmt: skip
    audience = Audience((PUBLIC,), (at.actor.uri + "/followers",))
    outbox.publish(at.connection, at.actor, at.key, Speech(announcements.UNDO, undone, audience, {}), at.now)
    _pass_on(at, update, ("Delete",))
    return True


def _pass_on(at: Hosting, update: GroupUpdate, kinds: tuple[str, ...]) -> None:
    """The author's own activity in an Announce, as Lemmy and others read groups.

    Spec: FEP-1b12
    """
    for entry in logs.of_object(at.connection, at.parent.did, update.author, update.object_id):
        if entry.type not in kinds or entry.raw is None:
            continue
        activity: JsonObject = {
            "@context": [AS2, DATA_INTEGRITY],
            "id": at.actor.at(f"/activities/{outbox.token()}"),
            "type": announcements.TYPE,
            "actor": at.actor.uri,
            "object": orjson.loads(entry.raw),
            "to": [PUBLIC],
            "cc": [at.actor.uri + "/followers"],
            "published": timestamp(at.now),
        }
        outbox.tell_followers(at.connection, at.actor, at.key, activity, at.now)


def _say_who(at: Hosting, found: Place, moved_to: str | None = None) -> None:
    aliases = tuple(
        uri_of(at.parent.origin, each) for each in found.group.hosts if each.did and each.did != at.actor.did
    )
    rsa = at.keyring.rsa(at.actor.did).public_key()
    outbox.publish_actor(at.connection, at.actor, at.key, rsa, at.now, moved_to=moved_to, aliases=aliases)


def _move(at: Hosting, found: Place, to: Host) -> bool:
    """Another host is named: who follows us follows it."""
    if all(each.did != at.actor.did for each in found.group.hosts):
        return False
    target = uri_of(at.parent.origin, to)
    held = documents.actor(at.connection, at.actor.actor)
    followers = contacts.followers_of(at.connection, at.actor.did)
    if not followers and (held is None or not _spoke(at)):
        return False  # a host that waited and never spoke has nobody to send on
    _say_who(at, found, target)
    outbox.tell_followers(at.connection, at.actor, at.key, _moving(at, target), at.now)
    return True


def _spoke(at: Hosting) -> bool:
    return bool(updates.of_actors(at.connection, at.parent.did, (at.actor.did,), updates.ANNOUNCED, 1))


def _moving(at: Hosting, target: str) -> JsonObject:
    return {
        "@context": [AS2, DATA_INTEGRITY],
        "id": at.actor.at(f"/activities/{outbox.token()}"),
        "type": "Move",
        "actor": at.actor.uri,
        "object": at.actor.uri,
        "target": target,
        "to": [at.actor.uri + "/followers"],
        "published": timestamp(at.now),
    }


def handovers(at: Hosting) -> dict[str, list[str]]:
    """Host → the inboxes it should know of, where we are the host that speaks."""
    try:
        found = desk.place(at.connection, at.parent.did, at.actor.working_group)
    except RefusedError:
        return {}
    if found.group.actor is None or found.group.actor.did != at.actor.did:
        return {}
    inboxes = sorted({each.target for each in contacts.followers_of(at.connection, at.actor.did)})[:MOST_INBOXES]
    return {each.member: inboxes for each in found.group.hosts if each.did and each.member != at.parent.did}


def hand_over(at: Hosting, member: str, inboxes: Sequence[str]) -> bool:
    """Send one other host what it needs to call our followers; says whether it could be sealed to it."""
    found = desk.place(at.connection, at.parent.did, at.actor.working_group)
    to = next(each for each in found.group.hosts if each.member == member)
    if not networks.reachable(at.connection, at.parent.did, {member}):
        return False
    target = uri_of(at.parent.origin, to)
    rsa = at.keyring.rsa(at.actor.did)
    # Mastodon believes the one, who reads proofs the other; they are two activities, each with its own id.
    proven = integrity_proofs.sign(_moving(at, target), at.key, at.actor.uri + "#ed25519-key", at.now)
    plain = linked_data_signatures.for_ld(_moving(at, target))
    marked = linked_data_signatures.sign(plain, rsa, at.actor.uri + "#main-key", at.now)
    letters.send(
        at.connection, at.parent, at.keyring.organisation(at.parent.did), letter_rules.GROUP_HANDOVER,
        at.actor.working_group, {"moves": [marked, proven], "inboxes": list(inboxes)}, [member], at.now,
        token=outbox.token(),
    )  # fmt: skip
    return True


def call_followers(mine: Desk, name: str, secrets: Sequence[str]) -> int:
    """Pass on what the host before us left with us: each of its followers hears where the group is now.

    Returns:
        To how many inboxes it goes.

    Raises:
        RefusedError: the acts do not name us, or nothing was left here.
    """
    at = desk.place(mine.connection, mine.own, name)
    actor = next(
        (each for each in organisations.hosted(mine.connection, mine.own) if each.working_group == at.group.digest),
        None,
    )  # fmt: skip
    if at.group.host != mine.own or actor is None:
        raise RefusedError("the network's acts do not name us as the group's host")
    called = 0
    hosts = {each.member: each for each in at.group.hosts if each.did}
    for kept in letter_rows.about(mine.connection, mine.own, at.group.digest, (letter_rules.GROUP_HANDOVER,)):
        if kept.sealed is None or kept.author not in hosts:
            continue
        try:
            body = letter_rules.parse(sealing.open_sealed(kept.sealed, secrets)).body
        except ProtocolError:
            continue
        called += _call(mine, actor, hosts[kept.author], body)
    if not called:
        raise RefusedError("the host before us left nothing here that this session opens: its followers follow anew")
    return called


def _call(mine: Desk, actor: Organisation, old: Host, body: dict[str, Any]) -> int:
    given = body.get("moves")
    moves = [each for each in (given[:2] if isinstance(given, list) else ()) if _is_move(mine, actor, old, each)]
    inboxes = [each for each in body.get("inboxes", ()) if isinstance(each, str)][:MOST_INBOXES]
    for each in moves:
        outbox.pass_to(mine.connection, actor, str(each["id"]), orjson.dumps(each), mine.now, inboxes)
    return len(inboxes) if moves else 0


def _is_move(mine: Desk, actor: Organisation, old: Host, value: Any) -> bool:
    """Whether it is the old host's own word that it moved to us: we pass on nothing else in anybody's name."""
    uri = uri_of(actor.origin, old)
    if not isinstance(value, dict) or value.get("type") != "Move" or value.get("target") != actor.uri:
        return False
    if value.get("actor") != uri or value.get("object") != uri or not ids.same_origin(str(value.get("id")), uri):
        return False
    try:
        if "proof" in value:
            verification.verify_own_proof(value, old.did)
        else:
            held = documents.actor(mine.connection, ids.canonical(uri))
            key = next((each for each in held.keys if each.algorithm == "rsa"), None) if held is not None else None
            if key is None:
                return False
            signature = linked_data_signatures.check(value)
            signature = replace(signature, creator=ids.canonical(signature.creator))
            linked_data_signatures.verify(value, signature, key, mine.now)
    except ProtocolError:
        return False
    return True


def _name(names: Any, language: str) -> str:
    return str(names.get(language) or next(iter(names.values())))

"""A member speaks: activities are built, signed in both proof forms, put into the log and queued, in one transaction.

`publish` is for what everyone may know: it takes the log's next place. `send` is for what two actors settle between
them (Follow, Accept, Undo): it carries a proof and stands in no log. Either goes through the same rules as a peer's.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import base58
import orjson
from sqlalchemy import Connection

from node import kinds
from node.effects import Accept, FollowAgain, Reply, ReplyLetter
from node.errors import RefusedError
from node.federation import commit, letters, receipts
from node.federation.protocol import actors, contexts, ids, integrity_proofs, replicas, retry, verification
from node.federation.protocol.activities import AS2, PUBLIC, parse_activity
from node.federation.protocol.actors import DATA_INTEGRITY, timestamp
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject, parse_document
from node.federation.protocol.verification import Carrier
from node.kinds import Surroundings
from node.models import contacts, deliveries, documents, logs, organisations
from node.models import letters as letter_rows
from node.models.contacts import Following
from node.models.deliveries import Lane, Recipient
from node.models.documents import Stored
from node.models.organisations import Organisation
from node.models.views import View

LOG_TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": actors.NAMESPACE,
        "log": {"@id": "tadamun:log", "@type": "@json"},
        "withdraws": {"@id": "tadamun:withdraws", "@type": "@json"},
    }
)


@dataclass(frozen=True, slots=True)
class Published:
    """One activity of ours, as it stands in the log and on the wire."""

    id: str
    object_id: str | None
    sequence: int
    epoch: int
    value: JsonObject


@dataclass(frozen=True, slots=True)
class Audience:
    """Who an activity is addressed to."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    members_only: bool = False


@dataclass(frozen=True, slots=True)
class Speech:
    """What is to be said."""

    type: str
    object: JsonObject | str
    """Embedded, or by its id."""
    audience: Audience
    context: JsonObject
    """Inline terms of the object, beside those of the log."""
    withdraws: tuple[JsonObject, ...] = ()
    followers: bool = True
    """Whether followers get it too (a translation goes to members only)."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the activity, defined in `context`."""
    stamp: datetime | None = None
    """The moment that is written and signed, where it is not now to the second."""


def token() -> str:
    """128 random bits, as the last part of an id."""
    return base58.b58encode(secrets.token_bytes(16)).decode()


def audience(organisation: Organisation, *, members_only: bool) -> Audience:
    """Everyone, or the members without naming them."""
    if members_only:
        return Audience((organisation.uri + "/members",), (), members_only=True)
    return Audience((PUBLIC,), (organisation.uri + "/followers",))


def log_method(key: OrganisationKey) -> str:
    """`verificationMethod` of the log form, a DID URL."""
    return f"{key.did}#{key.multikey}"


def sign_object(document: JsonObject, key: OrganisationKey, terms: JsonObject, now: datetime) -> JsonObject:
    """An object that can be believed wherever it is found, with those of the terms that it uses."""
    bare = {name: value for name, value in document.items() if name not in ("proof", "@context")}
    return integrity_proofs.sign(
        {"@context": [AS2, DATA_INTEGRITY, contexts.used(terms, bare)], **bare}, key, log_method(key), now
    )


def publish(
    connection: Connection, organisation: Organisation, key: OrganisationKey, speech: Speech, now: datetime,
    *, new_epoch: bool = False,
) -> Published:  # fmt: skip
    """Put one activity into our log and queue it for all who should have it.

    Raises:
        RefusedError: publishing is on hold, or a rule says no; nothing was written.
    """
    organisation = organisations.lock(connection, organisation.did)
    if organisation.locked is not None:
        raise RefusedError("this organisation is locked: a coordinator opens it again at the desk")
    if organisation.hold and not new_epoch:
        raise RefusedError(organisation.hold)
    place = replicas.next_position(commit.head_of(connection, organisation.did), new_epoch=new_epoch)
    stamp = speech.stamp or now
    activity: JsonObject = {
        "id": organisation.at(f"/activities/{token()}"),
        "type": speech.type,
        "actor": organisation.uri,
        "object": speech.object,
        "to": list(speech.audience.to),
        "cc": list(speech.audience.cc),
        "published": timestamp(stamp),
        "log": {"epoch": place.epoch, "sequence": place.sequence, "previous": place.previous, "nonce": token()},
    }
    activity |= speech.extra
    if speech.withdraws:
        activity["withdraws"] = list(speech.withdraws)
    terms = contexts.used({**speech.context, **LOG_TERMS}, activity)
    activity = {"@context": [AS2, DATA_INTEGRITY, terms], **activity}
    view = View(connection, organisation)
    signed = _commit(view, activity, key, now, stamp)
    _queue(view, activity, signed, key, speech, now)
    view.flush()
    said = speech.object if isinstance(speech.object, str) else speech.object.get("id")
    return Published(activity["id"], said, place.sequence, place.epoch, signed)


def send(
    connection: Connection, organisation: Organisation, key: OrganisationKey, kind: str, target: Any,
    *, to: str, inbox: str, now: datetime, lane: Lane = Lane.OTHER, extra: Mapping[str, Any] | None = None,
    terms: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """Queue one activity between two actors; returns its id (https)."""
    activity: JsonObject = {
        "@context": [AS2, DATA_INTEGRITY, dict(terms)] if terms else [AS2, DATA_INTEGRITY],
        "id": organisation.at(f"/activities/{token()}"),
        "type": kind,
        "actor": organisation.uri,
        "object": target,
        "to": [to],
        "published": timestamp(now),
        **(extra or {}),
    }
    log_form, follower_form = _forms(activity, key, organisation, now)
    payload = deliveries.add_payload(
        connection, organisation.did, ids.canonical(activity["id"]), log_form, follower_form, now
    )
    form = "log" if ids.portable(to) else "follower"
    deliveries.enqueue(connection, organisation.did, payload, [Recipient(inbox, form, lane)], now)
    return str(activity["id"])


def tell_followers(
    connection: Connection, organisation: Organisation, key: OrganisationKey, activity: JsonObject, now: datetime
) -> int:
    """Queue one activity that stands in no log for everybody who follows; returns for how many inboxes."""
    _, follower_form = _forms(activity, key, organisation, now)
    return pass_to(connection, organisation, str(activity["id"]), follower_form, now)


def pass_to(
    connection: Connection, organisation: Organisation, name: str, raw: bytes, now: datetime,
    inboxes: Sequence[str] | None = None,
) -> int:  # fmt: skip
    """Queue signed bytes as they are, ours or another's, for these inboxes; for all followers' where none are named."""
    if inboxes is None:
        inboxes = [each.target for each in contacts.followers_of(connection, organisation.did)]
    found = tuple(dict.fromkeys(inboxes))
    if found:
        payload = deliveries.add_payload(connection, organisation.did, ids.canonical(name), raw, raw, now)
        recipients = [Recipient(inbox, "follower", Lane.OTHER) for inbox in found]
        deliveries.enqueue(connection, organisation.did, payload, recipients, now)
    return len(found)


def follow(
    connection: Connection, organisation: Organisation, key: OrganisationKey, actor: actors.Actor, now: datetime
) -> str:
    """Ask to follow an actor."""
    made = send(connection, organisation, key, "Follow", actor.uri, to=actor.uri, inbox=actor.inbox, now=now)
    following = Following(actor.id, actor.uri, actor.inbox, ids.canonical(made), "requested", now)
    contacts.set_following(connection, organisation.did, following)
    return made


def unfollow(
    connection: Connection, organisation: Organisation, key: OrganisationKey, following: Following, now: datetime
) -> None:
    """Take a Follow back. The Follow is embedded: GoToSocial passes over an Undo of an id."""
    undone = {
        "id": (ids.portable(following.activity) or ids.Portable(organisation.did, "")).at(organisation.origin),
        "type": "Follow",
        "actor": organisation.uri,
        "object": following.uri,
    }
    send(connection, organisation, key, "Undo", undone, to=following.uri, inbox=following.inbox, now=now)
    contacts.drop_following(connection, organisation.did, following.actor)


def answer(view: View, key: OrganisationKey, reply: Reply | FollowAgain | ReplyLetter, around: Surroundings) -> None:
    """Do what a rule asked for that needs our own voice."""
    organisation = view.organisation
    if isinstance(reply, ReplyLetter):
        with suppress(RefusedError):  # who published no key yet gets no receipt
            letters.send(
                view.connection, organisation, key, reply.kind, reply.about, reply.body, (reply.to,), around.now,
                token=token(),
            )  # fmt: skip
        return
    if isinstance(reply, Reply):
        actor = documents.actor(view.connection, reply.to)
        send(
            view.connection, organisation, key, reply.kind, reply.object,
            to=actor.uri if actor else reply.to, inbox=reply.inbox, now=around.now,
        )  # fmt: skip
    elif around.target is not None:
        contacts.drop_following(view.connection, view.org, reply.old)
        follow(view.connection, organisation, key, around.target, around.now)


def publish_actor(
    connection: Connection, organisation: Organisation, key: OrganisationKey, rsa: Any, now: datetime,
    *, new_epoch: bool = False, moved_to: str | None = None, aliases: tuple[str, ...] = (),
) -> Published:  # fmt: skip
    """Say who we are: an Update of our actor document, which becomes the one we serve.

    Entry 1 of every log is one of these; it commits to the recovery key.
    """
    organisations.lock(connection, organisation.did)
    place = replicas.next_position(commit.head_of(connection, organisation.did), new_epoch=new_epoch)
    profile = actors.Profile(
        did=organisation.did,
        origin=organisation.origin,
        handle=organisation.handle,
        name=organisation.name,
        summary=organisation.summary,
        language=organisation.language,
        country=organisation.country,
        rsa=rsa,
        recovery=organisation.recovery,
        listed=organisation.listed,
        aliases=aliases,
        moved_to=moved_to,
        sealing=_sealing(connection, organisation.did),
        type="Group" if organisation.kind == organisations.GROUP else "Organization",
    )
    bare = actors.render_actor(profile, (place.epoch, place.sequence), organisation.made, now)
    document = integrity_proofs.sign(bare, key, log_method(key), now)
    speech = Speech("Update", document, audience(organisation, members_only=False), {})
    return publish(connection, organisation, key, speech, now, new_epoch=new_epoch)


def _sealing(connection: Connection, did: str) -> tuple[str, ...]:
    key = letter_rows.current_key(connection, did)
    return (key.public,) if key else ()


def take_back(
    connection: Connection, organisation: Organisation, key: OrganisationKey, held: Stored, audience: Audience,
    now: datetime, *, followers: bool = False,
) -> Published:  # fmt: skip
    """Delete an object of ours.

    Args:
        followers: they were sent it too.
    """
    found = ids.portable(held.id)
    uri = found.at(organisation.origin) if found else held.id
    tombstone = {"id": uri, "type": "Tombstone", "formerType": held.type}
    named = withdrawn_entries(connection, organisation, held.id)
    speech = Speech("Delete", tombstone, audience, {}, named, followers=followers)
    return publish(connection, organisation, key, speech, now)


def withdrawn_entries(connection: Connection, organisation: Organisation, object_id: str) -> tuple[JsonObject, ...]:
    """The entries a Delete of this object names."""
    found = logs.of_object(connection, organisation.did, organisation.did, object_id)
    return tuple(
        {"epoch": entry.header.epoch, "sequence": entry.header.sequence, "content": entry.header.content}
        for entry in found
        if entry.type != "Delete"
    )


def _commit(
    view: View, activity: JsonObject, key: OrganisationKey, now: datetime, stamp: datetime
) -> JsonObject:
    signed = integrity_proofs.sign(activity, key, log_method(key), stamp)
    parsed = parse_activity(parse_document(orjson.dumps(signed)))
    verified = verification.verify_activity(parsed, Carrier(parsed.actor))
    done = commit.commit(view, verified, Surroundings(now, view.organisation.host))
    if not isinstance(done.decision, Accept):
        raise RefusedError(f"our own rules refuse it: {done.decision.reason}")
    return signed


def _forms(
    activity: JsonObject, key: OrganisationKey, organisation: Organisation, now: datetime
) -> tuple[bytes, bytes]:
    log_form = integrity_proofs.sign(activity, key, log_method(key), now)
    follower_form = integrity_proofs.sign(activity, key, organisation.uri + "#ed25519-key", now)
    return orjson.dumps(log_form), orjson.dumps(follower_form)


def _queue(
    view: View, activity: JsonObject, signed: JsonObject, key: OrganisationKey, speech: Speech, now: datetime
) -> None:
    connection, organisation = view.connection, view.organisation
    stamp = speech.stamp or now
    follower_form = integrity_proofs.sign(activity, key, organisation.uri + "#ed25519-key", stamp)
    payload = deliveries.add_payload(
        connection, view.org, ids.canonical(activity["id"]), orjson.dumps(signed), orjson.dumps(follower_form), now
    )
    urgent = kinds.is_urgent(parse_activity(parse_document(orjson.dumps(signed))))
    patience = retry.patience(withdraws=speech.type in receipts.TYPES)
    recipients = [
        Recipient(member.inbox, "log", Lane.ALERT_MEMBER if urgent else Lane.MEMBER, patience)
        for member in contacts.members_of(connection, organisation.parent or view.org)
    ]
    if speech.followers and not speech.audience.members_only:
        lane = Lane.ALERT if urgent else Lane.OTHER
        recipients += [
            Recipient(follower.target, "follower", lane, patience)
            for follower in contacts.followers_of(connection, view.org)
        ]
    deliveries.enqueue(connection, view.org, payload, _once(recipients), now)


def _once(recipients: Sequence[Recipient]) -> list[Recipient]:
    """One delivery an inbox; a member's form and lane win."""
    found: dict[str, Recipient] = {}
    for recipient in recipients:
        found.setdefault(recipient.inbox, recipient)
    return list(found.values())



"""An organisation pins others as members, follows, and takes trust back.

Pinning is one way and by hand: it shows six words to compare by voice, and takes from log entry 1 the commitment to the
recovery key, by which alone a successor can name itself later.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import recovery
from node.errors import RefusedError
from node.federation import outbox, pages
from node.federation.discovery import Discovery
from node.federation.protocol import ids, verification
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import Actor
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject, parse_document
from node.federation.protocol.verification import Carrier
from node.models import contacts, documents
from node.models.base import Database
from node.models.contacts import MEMBER, Member
from node.models.organisations import Organisation


@dataclass(frozen=True, slots=True)
class Pinned:
    """A member just pinned."""

    member: Member

    def shown(self) -> JsonObject:
        """For `--json`, with the words to compare."""
        words, numbers = recovery.spoken(self.member.did)
        return {
            "did": self.member.did,
            "handle": self.member.handle,
            "name": self.member.name,
            "actor": self.member.uri,
            "words": list(words),
            "numbers": list(numbers),
            "recovery": self.member.recovery,
        }


@dataclass(frozen=True, slots=True)
class Followed:
    """An account that we asked to follow."""

    uri: str
    handle: str
    """`@handle@host`; empty where its document is not here any more."""
    name: str
    state: str
    """`requested`, `accepted` or `rejected`."""
    since: datetime


async def look_up(
    discovery: Discovery, organisation: Organisation, name: str, did: str | None, now: datetime,
    kind: str = contacts.ORGANISATION,
) -> Member:  # fmt: skip
    """Fetch who this is, with the commitment of its log entry 1; nothing is pinned yet.

    Args:
        did: insist that it is this one.
        kind: an organisation, or the actor of a working group.

    Raises:
        RefusedError: it is no organisation with a did, another did than the one insisted on, or ourselves.
        FetchError: it cannot be reached.
    """
    actor = await discovery.resolve(name)
    if actor.did is None:
        raise RefusedError(f"this is an ordinary fediverse actor without a key of its own: follow it instead ({name})")
    if did is not None and actor.did != did:
        raise RefusedError(
            "another organisation answers there, somebody may stand in between: nothing was pinned "
            f"({name}; {actor.did})"
        )
    if actor.did == organisation.did:
        raise RefusedError("an organisation is not a member of itself")
    if (actor.type == "Group") != (kind == contacts.GROUP):
        raise RefusedError(f"this is the actor of a working group, or is said to be one: neither is a member ({name})")
    first = await first_entry(discovery, actor)
    return Member(
        did=actor.did,
        uri=actor.uri,
        handle=f"@{actor.handle}@{ids.host_of(actor.uri)}",
        name=actor.name,
        inbox=actor.shared_inbox or actor.inbox,
        recovery=first.recovery or "",
        listed=actor.listed,
        state=MEMBER,
        frozen_epoch=None,
        frozen_sequence=None,
        successor=None,
        pinned=now,
        synced=None,
        kind=kind,
    )


async def add(
    database: Database, discovery: Discovery, organisation: Organisation, name: str, did: str | None, now: datetime,
    kind: str = contacts.ORGANISATION,
) -> Pinned:  # fmt: skip
    """Pin a member by handle or URL: what `look_up` finds, and raises.

    Args:
        did: insist that it is this one: the one whose words were compared.
        kind: an organisation, or the actor of a working group.
    """
    member = await look_up(discovery, organisation, name, did, now, kind)
    return await database.write(lambda connection: pin(connection, organisation, member))


def pin(connection: Connection, organisation: Organisation, member: Member) -> Pinned:
    """Pin what was looked up. A frozen key is never looked up: pinning anew lifts no freeze."""
    contacts.pin(connection, organisation.did, member)
    return Pinned(member)


async def first_entry(discovery: Discovery, actor: Actor) -> Actor:
    """The actor document of log entry 1, verified: it holds the commitment to the recovery key.

    Raises:
        RefusedError: the log does not begin with one.
    """
    if actor.did is None:
        raise RefusedError("no log without a did")
    url = ids.Portable(actor.did, "/log/1/1").at(ids.origin_of_location(actor.uri))
    page = await discovery.fetcher.get(
        url, accept=pages.LINES, content_types=pages.is_lines,
        signer=discovery.sign,
    )  # fmt: skip
    for item in pages.parse_lines(page.body):
        if isinstance(item, Activity) and item.position is not None and item.position.sequence == 1:
            return _actor_of(item, actor.did)
        break
    raise RefusedError(f"its log does not begin with its actor document ({actor.handle})")


def _actor_of(entry: Activity, did: str) -> Actor:
    if entry.did != did or entry.object is None:
        raise RefusedError("log entry 1 is another organisation's")
    verification.verify_activity(entry, Carrier(None, replica=True))
    return verification.verify_actor(parse_document(orjson.dumps(entry.object)), None)


def remove(connection: Connection, organisation: Organisation, did: str) -> Member:
    """Unpin a member: its entries stay, its Deletes are still obeyed, nothing else of it is taken or sent.

    Raises:
        RefusedError: no such member.
    """
    member = find(connection, organisation, did)
    contacts.set_state(connection, organisation.did, member.did, contacts.FORMER)
    return member


def find(connection: Connection, organisation: Organisation, name: str) -> Member:
    """A member by did or handle, or the actor of a working group.

    Raises:
        RefusedError: there is none.
    """
    for member in contacts.members_of(connection, organisation.did, all_states=True, groups=True):
        if name in (member.did, member.handle, member.handle.removeprefix("@"), member.uri):
            return member
    raise RefusedError(f"no such member here: 'tadamun member list' shows them ({name[:120]})")


async def follow(
    database: Database, discovery: Discovery, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> Actor:
    """Ask to follow any fediverse actor.

    Raises:
        RefusedError, FetchError, ProtocolError: it cannot be found, or is not to be believed.
    """
    actor = await find_actor(discovery, organisation, name)
    await database.write(lambda connection: ask(connection, organisation, key, actor, now))
    return actor


async def find_actor(discovery: Discovery, organisation: Organisation, name: str) -> Actor:
    """Whom a handle or URL names; calls others.

    Raises:
        RefusedError, FetchError, ProtocolError: it cannot be found, is not to be believed, or is ourselves.
    """
    actor = await discovery.resolve(name)
    if actor.did == organisation.did:
        raise RefusedError("an organisation does not follow itself")
    return actor


def ask(
    connection: Connection, organisation: Organisation, key: OrganisationKey, actor: Actor, now: datetime
) -> None:
    """Ask an actor that was found to be followed."""
    outbox.follow(connection, organisation, key, actor, now)


def followed(connection: Connection, organisation: Organisation) -> tuple[Followed, ...]:
    """Everybody whom we asked, newest first."""
    found = sorted(contacts.followings_of(connection, organisation.did), key=lambda each: each.since, reverse=True)
    actors = {each.actor: documents.actor(connection, each.actor) for each in found}
    return tuple(
        Followed(each.uri, _handle_of(actors[each.actor]), _name_of(actors[each.actor]), each.state, each.since)
        for each in found
    )


def unfollow(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> str:
    """Stop following.

    Raises:
        RefusedError: it was not followed.
    """
    for each in contacts.followings_of(connection, organisation.did):
        handle = _handle(connection, each.actor)
        if name in (each.actor, each.uri, handle, handle.removeprefix("@")):
            outbox.unfollow(connection, organisation, key, each, now)
            return each.uri
    raise RefusedError(f"this is not followed ({name[:120]})")


def _handle(connection: Connection, actor_id: str) -> str:
    return _handle_of(documents.actor(connection, actor_id))


def _name_of(found: Actor | None) -> str:
    return found.name if found else ""


def _handle_of(found: Actor | None) -> str:
    return f"@{found.handle}@{ids.host_of(found.uri)}" if found else ""

"""An organisation goes on under its recovery key, when the old key is lost, stolen, or known to one who left."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from node import recovery, successions
from node.desk import networks
from node.errors import ConfigurationError, ProtocolError, RefusedError
from node.federation import letterbox, outbox
from node.federation.outbox import Speech
from node.federation.protocol.actors import NAMESPACE
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.federation.protocol.replicas import Header
from node.models import contacts, inheritance, logs, organisations
from node.models.deliveries import Lane
from node.models.keyring import Keyring
from node.models.organisations import Organisation

_TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        "Succeed": "tadamun:Succeed",
        "after": {"@id": "tadamun:after", "@type": "@json"},
    }
)


@dataclass(frozen=True, slots=True)
class Succession:
    """Who goes on, and after which entry of the old log."""

    old: Organisation
    new: Organisation
    after: int
    told: int
    """Followers who got a Move."""
    left: tuple[str, ...] = ()
    """Networks where it is no member by that, and takes a new invitation."""


def check(organisation: Organisation, spare: OrganisationKey) -> None:
    """The key is the one this organisation committed to.

    Raises:
        RefusedError: it is another.
    """
    try:
        recovery.check_commitment(spare.did, organisation.recovery)
    except ProtocolError as error:
        raise RefusedError(f"this is not the recovery sheet of this organisation ({organisation.address})") from error


def check_after(connection: Connection, org: str, after: int) -> Header:
    """The entry of the old log up to which it counts.

    Raises:
        RefusedError: there is no such entry here.
    """
    line = {header.sequence: header for header in logs.line(connection, org, org)}
    if after not in line:
        last = max(line, default=0)
        raise RefusedError(f"our copy of the old log does not hold this entry ({after}; it reaches {last})")
    return line[after]


def succeed(
    connection: Connection, keyring: Keyring, old: Organisation, spare: OrganisationKey, commitment: str, after: int,
    now: datetime,
) -> Succession:  # fmt: skip
    """Begin the new did's log, tell the members, and send the followers on.

    Args:
        spare: the recovery key, which becomes the organisation's key.
        commitment: to the next recovery key.
        after: the last entry of the old log that counts.

    Raises:
        RefusedError: there is no such entry here.
    """
    header = check_after(connection, old.did, after)
    new = replace(old, did=spare.did, recovery=commitment, hold="", made=now)
    organisations.add(connection, new)
    organisations.set_successor(connection, old.did, new.did)
    for member in contacts.members_of(connection, old.did):
        contacts.pin(connection, new.did, replace(member, synced=None))
    inheritance.carry_over(connection, old.did, new.did)
    letterbox.begin(connection, keyring, new, now)
    rsa = keyring.rsa(new.did).public_key()
    outbox.publish_actor(connection, new, spare, rsa, now, aliases=(old.uri,))
    place = {"epoch": header.epoch, "sequence": header.sequence, "digest": header.digest}
    statement: JsonObject = {"id": old.uri}
    speech = Speech(
        successions.TYPE, statement, outbox.audience(new, members_only=True), dict(_TERMS), extra={"after": place}
    )
    outbox.publish(connection, new, spare, speech, now)
    left = networks.go_on(networks.Desk(connection, new, spare, now), old.did)
    return Succession(old, new, after, _send_on(connection, keyring, old, new, now), left)


def _send_on(
    connection: Connection, keyring: Keyring, old: Organisation, new: Organisation, now: datetime
) -> int:
    """A Move by the old actor, where its keys are still here: Mastodon's followers follow the new one by themselves."""
    followers = contacts.followers_of(connection, old.did)
    try:
        key = keyring.organisation(old.did)
        keyring.rsa(old.did)
    except ConfigurationError:
        return 0  # the old key is lost: nobody can speak for the old actor any more
    for target in {follower.target for follower in followers}:
        outbox.send(
            connection, old, key, "Move", old.uri, to=old.uri + "/followers", inbox=target, now=now,
            lane=Lane.ALERT, extra={"target": new.uri},
        )  # fmt: skip
    return len(followers)

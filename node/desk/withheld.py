"""Signing so that only the network knows the name, taking that back, and who signed so for whoever opens the room."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import letters as letter_rules
from node import withheld as rules
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.letters import Sent
from node.federation.protocol import ids, sealing
from node.federation.protocol.keys import OrganisationKey
from node.models import contacts, networks
from node.models import withheld as rows
from node.models.organisations import Organisation
from node.withheld import Withheld


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signed one alert so, opened."""

    alert: str
    did: str
    name: str


def endorse(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: str, digest: str, name: str,
    now: datetime,
) -> Sent:  # fmt: skip
    """Tell the members, sealed, that we sign this text of theirs.

    Raises:
        RefusedError: we do already, or there is nobody to tell.
    """
    signature = rules.sign(key, alert, digest)
    if any(each.tag == rules.tag_of(signature) for each in _own(connection, organisation, key, alert)):
        raise RefusedError("our name stands under this text already, known to the network alone")
    return _send(connection, organisation, key, alert, rules.body(signature, digest, name, gone=False), now)


def take_back(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: str, now: datetime
) -> tuple[str, ...]:
    """Take every such signature of ours off this alert; returns the ids of the letters that say so."""
    found = _own(connection, organisation, key, alert)
    bodies = [rules.body(rules.sign(key, alert, each.digest), each.digest, "", gone=True) for each in found]
    return tuple(_send(connection, organisation, key, alert, each, now).letter.id for each in bodies)


def signatories(connection: Connection, org: str, secrets: Sequence[str]) -> tuple[Signatory, ...]:
    """Everybody who signed so and did not take it back, as far as these secrets open it, the newest first."""
    found = []
    for alert, sealed in rows.sealed(connection, org):
        try:
            letter = letter_rules.parse(sealing.open_sealed(sealed, secrets))
        except ProtocolError:
            continue
        found.append(Signatory(alert, letter.author, str(letter.body.get("name", ""))))
    return tuple(found)


def _own(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: str
) -> tuple[Withheld, ...]:
    """Those of ours that stand: our own key makes the tag again."""
    held = (each for each in rows.about(connection, organisation.did, alert) if not each.gone)
    return tuple(each for each in held if each.tag == rules.tag_of(rules.sign(key, alert, each.digest)))


def _send(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: str, body: dict[str, object],
    now: datetime,
) -> Sent:  # fmt: skip
    return letters.send(
        connection, organisation, key, letter_rules.ENDORSEMENT, alert, body,
        _told(connection, organisation.did, alert), now, token=outbox.token(),
    )  # fmt: skip


def _told(connection: Connection, org: str, alert: str) -> set[str]:
    """Who may know the name: the members of the networks that we share with the alert's author; where we share none,
    all whom we pinned. What is said in one network is not sent to another by itself.
    """
    pinned = {member.did for member in contacts.members_of(connection, org)}
    found, author = set(), ids.portable(alert)
    for each in networks.all_of(connection, org):
        inside = set(networks.state_of(connection, org, each.network).members)
        if author is not None and {org, author.did} <= inside:
            found |= inside
    return (found & pinned) or pinned

"""How a node is: what `doctor` finds, what `status` counts, how much room there is. Nothing sealed is opened for it."""

import shutil
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node.approvals import WAITING
from node.desk import approvals, people
from node.findings import Finding, finding
from node.models import approvals as approval_rows
from node.models import (
    contacts,
    declarations,
    deletes,
    deliveries,
    documents,
    logs,
    media,
    networks,
    queues,
    sightings,
)
from node.models.contacts import Following
from node.models.keyring import Keyring
from node.models.networks import ledger_of
from node.models.organisations import Organisation
from node.settings import Settings

_MEGABYTE = 1_000_000
LOW = 1_000 * _MEGABYTE
"""With less room than this a node is soon in trouble: members' logs and pictures come in unasked."""
_MOST_EVIDENCE = 20
_MOST_REFUSED = 5


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes on the disk of the data directory."""

    database: int
    """0 where the database is elsewhere (PostgreSQL)."""
    pictures: int
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a node counts for one organisation."""

    followers: int
    following: tuple[Following, ...]
    members: int
    epoch: int
    sequence: int
    """The last entry of its own log."""
    received: dict[str, int]
    deliveries: dict[str, int]
    drafts: int
    evidence: int
    unknown: dict[str, int]
    """Kinds of activities that came and that nobody knows here."""
    networks: tuple[tuple[str, str], ...]
    """A network's id and the digest of its state."""


def of_machine(settings: Settings, keyring: Keyring) -> tuple[Finding, ...]:
    """What is wrong with files and settings."""
    found = []
    if names := keyring.exposed():
        found.append(finding("keys-exposed", names=", ".join(names)))
    if settings.data.exists() and settings.data.stat().st_mode & 0o007:
        found.append(finding("data-exposed"))
    if settings.loopback_allowed:
        found.append(finding("loopback"))
    aside = sorted(settings.data.glob("node.sqlite.before-restore-*"))
    found += [finding("before-restore", name=path.name) for path in aside]
    free = room(settings, 0).free
    if free < LOW:
        found.append(finding("disk-low", free=free // _MEGABYTE))
    return tuple(found)


def of_keys(keyring: Keyring, organisation: Organisation) -> tuple[Finding, ...]:
    """Whether an organisation that speaks has what it speaks with."""
    if organisation.successor or keyring.has(organisation.did):
        return ()
    return (finding("keys-missing", address=organisation.address),)


def of_rows(connection: Connection, organisation: Organisation, now: datetime) -> tuple[Finding, ...]:
    """What the database says is wrong."""
    org, found = organisation.did, []
    if organisation.hold:
        found.append(finding("hold", reason=organisation.hold))
    found += [_evidence(each) for each in sightings.evidence_page(connection, org, 0, _MOST_EVIDENCE)]
    found += [
        finding("distrusted", by=word.by, sequence=word.sequence) for word in declarations.about(connection, org, org)
    ]
    waiting = deletes.waiting(connection, org)
    found += [finding("deletes-wait", did=did, count=count) for did, count in waiting.items()]
    found += people.findings(connection, organisation)
    found += approvals.findings(connection, organisation, now)
    found += [
        finding("refused", reason=each.reason, rule=each.rule or "no rule", via=each.via or "unknown")
        for each in queues.refusals(connection, org, _MOST_REFUSED)
    ]
    if missing := media.wanted(connection, org):
        found.append(finding("pictures-missing", count=missing))
    for member in contacts.members_of(connection, org):
        if member.frozen is not None:
            found.append(finding("member-frozen", handle=member.handle, sequence=member.frozen[1]))
        if not member.recovery:
            found.append(finding("member-no-recovery", handle=member.handle))
    return tuple(found)


def numbers(connection: Connection, organisation: Organisation) -> Numbers:
    """Count it."""
    org = organisation.did
    head = logs.head(connection, org, org)
    return Numbers(
        followers=contacts.count_followers(connection, org),
        following=contacts.followings_of(connection, org),
        members=len(contacts.members_of(connection, org)),
        epoch=head.epoch if head else 0,
        sequence=head.sequence if head else 0,
        received=queues.counts(connection, org),
        deliveries=deliveries.counts(connection, org),
        drafts=len(approval_rows.of_state(connection, org, WAITING)),
        evidence=sightings.total(connection, org).evidence,
        unknown=documents.counted(connection, org),
        networks=tuple(
            (each.network, ledger_of(connection, org, each.network).state().digest)
            for each in networks.all_of(connection, org)
        ),
    )


def room(settings: Settings, pictures: int) -> Room:
    """How much there is.

    Args:
        pictures: bytes of the pictures that are held (`media.held`).
    """
    disk = shutil.disk_usage(settings.data)
    files = () if settings.database_url else settings.data.glob("node.sqlite*")
    return Room(sum(path.stat().st_size for path in files), pictures, disk.free, disk.total)


def _evidence(each: documents.Finding) -> Finding:
    return finding(
        "evidence", fault=each.kind, did=each.did, via=each.via, note=each.note,
        proven="proven" if each.proven else "not proven by itself",
        source=f"told by {each.by}" if each.by else "seen here",
    )  # fmt: skip

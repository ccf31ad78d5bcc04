"""Invented organisations and log entries for the tests of rows. Nothing here is signed: rows do not look."""

from dataclasses import replace
from datetime import UTC, datetime

from node.federation.protocol import digests
from node.federation.protocol.replicas import Header
from node.models import logs, organisations
from node.models.base import Database
from node.models.contacts import Member
from node.models.logs import Entry
from node.models.organisations import Organisation

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
OTHER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ACTOR = f"ap+ef61://{OTHER}/actor"
ORGANISATION = Organisation(
    did=DID,
    handle="org1",
    name="منظمة تدريبية",
    summary="Exercise",
    language="ar",
    country="XX",
    origin="https://org1.example",
    recovery="",
    hold="",
    made=NOW,
)
MEMBER = Member(
    did=OTHER,
    uri=f"https://org2.example/.well-known/apgateway/{OTHER}/actor",
    handle="@org2@org2.example",
    name="Exercise organisation org2",
    inbox="https://org2.example/inbox",
    recovery="",
    listed=True,
    state="member",
    frozen_epoch=None,
    frozen_sequence=None,
    successor=None,
    pinned=NOW,
    synced=None,
)


def settle_in(database: Database, **changes: object) -> Organisation:
    """An organisation that lives here."""
    made = replace(ORGANISATION, **changes)
    database.write_now(lambda connection: organisations.add(connection, made))
    return made


def header(sequence: int, previous: str | None, text: str = "", epoch: int = 1, did: str = OTHER) -> Header:
    """A link of a chain that says `text`."""
    return Header(did, epoch, sequence, previous, digests.multibase(f"{epoch}/{sequence}/{text}".encode()))


def chain(length: int, after: Header | None = None, text: str = "", epoch: int = 1) -> list[Header]:
    """A chain of headers, from the start or after another."""
    found: list[Header] = []
    last = after
    for _ in range(length):
        last = header(last.sequence + 1 if last else 1, last.digest if last else None, text, epoch)
        found.append(last)
    return found


def entry(link: Header, **changes: object) -> Entry:
    """A header with its text."""
    name = f"ap+ef61://{link.did}/activities/{link.epoch}-{link.sequence}-{link.content[-6:]}"
    made = Entry(
        header=link,
        digest=link.digest,
        activity_id=name,
        object_id=name.replace("activities", "objects"),
        type="Create",
        raw=b'{"exercise": true}',
        state=logs.HELD,
        via="org2.example",
        received=NOW,
    )
    return replace(made, **changes)

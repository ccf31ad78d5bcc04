"""Letters to the door: one POST, byte for byte, that a test breaks in one place; and invented actors who sign them.

Nothing here can be called: the actors live on hosts that do not exist, and what a node knows of them it was told.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from node.federation.protocol import actors, http_signatures, ids, integrity_proofs, keys, replicas, verification
from node.federation.protocol.activities import AS2, PUBLIC, parse_activity
from node.federation.protocol.messages import ACTIVITY_JSON, Request, parse_document
from node.models import contacts, documents
from tests.support.network import NOON, Answer, House, rsa_pem

CONTEXT = [AS2, actors.DATA_INTEGRITY, {"tadamun": actors.NAMESPACE, "log": {"@id": "tadamun:log", "@type": "@json"}}]
NONCE = "3mJr7AoUCHxNqdABC123"


@dataclass(frozen=True, slots=True)
class Letter:
    """One request as it goes over the wire; header names in the order and number given."""

    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"

    def put(self, name: str, value: str) -> Self:
        """With this header in place of any of its name."""
        return replace(self, headers=(*self.without(name).headers, (name, value)))

    def add(self, name: str, value: str) -> Self:
        """With one header more."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without(self, name: str) -> Self:
        """Without a header."""
        return replace(self, headers=tuple(each for each in self.headers if each[0] != name))

    def get(self, name: str) -> str:
        """The first value of a header."""
        return next(value for each, value in self.headers if each == name)

    def raw(self) -> bytes:
        """Byte for byte."""
        headers = (*self.headers, ("connection", "close"))
        if not any(name in ("content-length", "transfer-encoding") for name, _ in headers):
            headers = (*headers, ("content-length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def send(place: tuple[str, int], raw: bytes, source: str = "") -> Answer:
    """Send bytes and read the answer to its end.

    Args:
        source: the address to call from.
    """
    local = (source, 0) if source else None
    reader, writer = await asyncio.open_connection(*place, local_addr=local)
    writer.write(raw)
    try:
        async with asyncio.timeout(10):
            found = await reader.read()
    finally:
        writer.close()
    head, _, body = found.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status.split()[1]) if status else 0, headers, body)


async def post(house: House, letter: Letter, source: str = "") -> Answer:
    """Hand a letter in at a node's door."""
    return await send(house.places[0], letter.raw(), source)


class Person:
    """An actor that lives on a domain, as Mastodon's do."""

    def __init__(self, name: str, host: str, number: int = 1) -> None:
        self.name = name
        self.origin = f"https://{host}"
        self.uri = f"{self.origin}/users/{name}"
        self.key_id = f"{self.uri}#main-key"
        self.number = number

    @property
    def private(self) -> RSAPrivateKey:
        """The key that signs."""
        found = keys.load_private_pem(rsa_pem(self.number))
        assert isinstance(found, RSAPrivateKey)
        return found

    def document(self, **changes: Any) -> dict[str, Any]:
        """The actor document."""
        pem = keys.public_pem(self.private.public_key())
        return {
            "@context": [AS2, actors.SECURITY],
            "id": self.uri,
            "type": "Person",
            "preferredUsername": self.name,
            "inbox": f"{self.uri}/inbox",
            "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
            "publicKey": {"id": self.key_id, "owner": self.uri, "publicKeyPem": pem},
        } | changes

    def says(self, kind: str, value: Any, **changes: Any) -> dict[str, Any]:
        """An activity."""
        activity = {"@context": AS2, "id": f"{self.uri}/{kind}/1", "type": kind, "actor": self.uri, "object": value}
        return activity | {"to": [PUBLIC]} | changes

    def note(self, **changes: Any) -> dict[str, Any]:
        """A public post."""
        return {
            "id": f"{self.uri}/notes/1",
            "type": "Note",
            "attributedTo": self.uri,
            "content": "<p>An exercise</p>",
            "published": "2026-11-20T11:00:00Z",
            "to": [PUBLIC],
        } | changes

    def letter(self, house: House, value: Any, **options: Any) -> Letter:
        """A signed letter to a node's shared inbox; `options` are those of `signed`."""
        return signed(house, value, self.private, options.pop("key_id", self.key_id), **options)


class Portable(Person):
    """An organisation that is a did, with a log of its own."""

    def __init__(self, name: str, host: str, number: int = 5) -> None:
        super().__init__(name, host, number)
        self.key = keys.generate_organisation_key()
        self.did = self.key.did
        self.uri = actors.actor_uri(self.did, self.origin)
        self.id = ids.canonical(self.uri)
        self.key_id = f"{self.uri}#main-key"
        self.head: replicas.Head | None = None

    def at(self, path: str) -> str:
        """An id of its own."""
        return ids.Portable(self.did, path).at(self.origin)

    def document(self, order: tuple[int, int] = (1, 1), **changes: Any) -> dict[str, Any]:
        """The actor document with its proof, at this place of the log."""
        profile = actors.Profile(
            self.did, self.origin, self.name, self.name, "", "ar", "", self.private.public_key(), ""
        )
        return self.sign(actors.render_actor(profile, order, NOON, NOON) | changes)

    def sign(self, value: Mapping[str, Any], when: datetime = NOON) -> dict[str, Any]:
        """Any document with a proof by this organisation."""
        return integrity_proofs.sign(dict(value), self.key, f"{self.did}#{self.key.multikey}", when)

    def note(self, **changes: Any) -> dict[str, Any]:
        """A public post with its proof."""
        bare = super().note(**{"id": self.at("/objects/1"), **changes})
        return self.sign({"@context": CONTEXT, **bare})

    def says(self, kind: str, value: Any, **changes: Any) -> dict[str, Any]:
        """An activity that stands in no log."""
        bare = super().says(kind, value, **{"@context": CONTEXT, "id": self.at("/activities/1"), **changes})
        return self.sign(bare)

    def logs(self, kind: str, value: Any, **changes: Any) -> dict[str, Any]:
        """The next entry of its log."""
        place = replicas.next_position(self.head)
        number = {"epoch": place.epoch, "sequence": place.sequence}
        log = {**number, "previous": place.previous, "nonce": NONCE}
        changes = {"id": self.at(f"/activities/{place.sequence}"), "log": log, **changes}
        made = self.says(kind, value, **changes)
        header = header_of(made)
        self.head = replicas.Head(header.epoch, header.sequence, header.digest)
        return made

    def updates_itself(self) -> dict[str, Any]:
        """The next entry of its log: its actor document."""
        place = replicas.next_position(self.head)
        return self.logs("Update", self.document((place.epoch, place.sequence)))


def header_of(value: Mapping[str, Any]) -> replicas.Header:
    """The header of a log entry."""
    return replicas.header_of(parse_activity(parse_document(json.dumps(value).encode())))


def signed(
    house: House, value: Any, private: RSAPrivateKey, key_id: str, *,
    target: str = "/inbox", host: str = "", when: datetime | None = None,
) -> Letter:  # fmt: skip
    """A letter with a draft-cavage signature, as Mastodon signs; `value` may be bytes."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = (("host", host or house.organisation.host), ("content-type", ACTIVITY_JSON))
    extra = http_signatures.sign(Request("POST", target, headers, body, "http"), private, key_id, when or house.clock())
    return Letter(target, (*headers, *extra), body)


def unsigned(house: House, value: Any, target: str = "/inbox") -> Letter:
    """A letter without an HTTP signature."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Letter(target, (("host", house.organisation.host), ("content-type", ACTIVITY_JSON)), body)


async def learn(house: House, *people: Person) -> None:
    """Let a node hold these actors' documents, as if it had met them before."""
    for person in people:
        given = parse_document(json.dumps(person.document()).encode())
        found = verification.verify_actor(given, person.uri)
        await house.write(lambda connection, found=found: documents.save_actor(connection, found, house.clock()))


async def pin(house: House, *members: Portable) -> None:
    """Make members of organisations that a node cannot call."""
    await learn(house, *members)
    for each in members:
        row = contacts.Member(
            did=each.did, uri=each.uri, handle=f"@{each.name}", name=each.name, inbox=f"{each.origin}/inbox",
            recovery="",
            listed=False, state=contacts.MEMBER, frozen_epoch=None, frozen_sequence=None, successor=None,
            pinned=house.clock(), synced=house.clock(),
        )  # fmt: skip
        await house.write(lambda connection, row=row: contacts.pin(connection, house.did, row))
    await house.node.inbox.refresh()


async def follow(house: House, *people: Person) -> None:
    """Let a node follow these actors, who accepted."""
    await learn(house, *people)
    for each in people:
        row = contacts.Following(
            actor=ids.canonical(each.uri), uri=each.uri, inbox=f"{each.uri}/inbox",
            activity=follow_id(house, each), state="accepted", since=house.clock(),
        )  # fmt: skip
        await house.write(lambda connection, row=row: contacts.set_following(connection, house.did, row))


def follow_id(house: House, person: Person) -> str:
    """The id of the Follow by which a node follows an actor."""
    return str(ids.Portable(house.did, f"/activities/follow-{person.name}"))

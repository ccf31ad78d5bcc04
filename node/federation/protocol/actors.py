"""Actor documents: ours rendered, everybody's parsed, and which of their keys count.

Rules of parsing, in order: an actor type (AP §4.1); `id` an id we can keep; `inbox` on the actor's own host, or for a
portable actor on one of its `gateways` (FEP-ef61); at most 10 keys, each owned by the actor and named below its id, so
that nobody lists a neighbour's key id (FEP-521a; GHSA-37jf-59fg-9hpr); lists bounded as Mastodon bounds them
(GHSA-gg8q-rcg7-p79g).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from node.errors import ProtocolError
from node.federation.protocol import ids, keys, sealing
from node.federation.protocol.activities import AS2, MAX_EPOCH, MAX_ID, has_context
from node.federation.protocol.keys import PublicKey
from node.federation.protocol.messages import Document, JsonObject, as_list, id_of

TYPES = ("Application", "Group", "Organization", "Person", "Service")
"""A tuple: what is looked for in it may be anything that JSON has."""
SECURITY = "https://w3id.org/security/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v1"
DID = "https://www.w3.org/ns/did/v1"
MULTIKEY = "https://w3id.org/security/multikey/v1"
NAMESPACE = "https://tadamun.example/ns#"
_MAX_KEYS = 10
_MAX_ALIASES = 256
_MAX_SEALING = 3
_INLINE: Mapping[str, Any] = MappingProxyType(
    {
    "tadamun": NAMESPACE,
    "toot": "http://joinmastodon.org/ns#",
    "schema": "http://schema.org#",
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "gateways": {"@id": "https://w3id.org/fep/ef61/gateways", "@type": "@id", "@container": "@list"},
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
    "recoveryKeyDigest": "tadamun:recoveryKeyDigest",
    "successorOf": {"@id": "tadamun:successorOf", "@type": "@id"},
    "countryCode": "tadamun:countryCode",
    "listedMember": "tadamun:listedMember",
    "sealingKeys": {"@id": "tadamun:sealingKeys", "@container": "@list"},
    "logPosition": {"@id": "tadamun:logPosition", "@type": "@json"},
    }
)


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor document, parsed. Ids are canonical; `uri` and inboxes are where to call."""

    id: str
    uri: str
    type: str
    handle: str
    name: str
    summary: str
    url: str | None
    inbox: str
    shared_inbox: str | None
    outbox: str | None
    followers: str | None
    keys: tuple[PublicKey, ...]
    aliases: tuple[str, ...]
    moved_to: str | None
    gateways: tuple[str, ...]
    recovery: str | None
    listed: bool
    """It agreed, in its own signed document, to be named as a member."""
    order: tuple[int, int]
    """(epoch, sequence) of the log entry that carries it; (0, 0) for an actor without a log."""
    sealing: tuple[str, ...]
    """Keys (`age1…`) that letters to it are sealed to, the newest first; changed every month."""
    document: Document

    @property
    def did(self) -> str | None:
        """The did that this actor is, `None` for one that lives on a domain."""
        found = ids.portable(self.id)
        return found.did if found else None


@dataclass(frozen=True, slots=True)
class Profile:
    """What an organisation says of itself in its actor document."""

    did: str
    origin: str
    """`https://host[:port]` of the first gateway."""
    handle: str
    name: str
    summary: str
    language: str
    country: str
    rsa: RSAPublicKey
    recovery: str
    listed: bool = False
    """Others may name it as a member of the network."""
    aliases: tuple[str, ...] = ()
    moved_to: str | None = None
    sealing: tuple[str, ...] = ()
    """What letters to it are sealed to."""
    type: str = "Organization"
    """Or Group, of a working group's actor."""


def actor_uri(did: str, origin: str) -> str:
    """The gateway form of an organisation's actor id."""
    return ids.Portable(did, "/actor").at(origin)


def render_actor(profile: Profile, order: tuple[int, int], published: datetime, updated: datetime) -> JsonObject:
    """An organisation's actor document, without its proof.

    The RSA key stands first and alone in `publicKey` (GoToSocial reads the first; Mastodon wants one).

    Spec: AP §4.1, FEP-ef61, FEP-521a, FEP-2c59, FEP-5feb
    """
    uri = actor_uri(profile.did, profile.origin)
    multikey = profile.did.removeprefix(keys.DID_KEY)
    document: JsonObject = {
        "@context": [AS2, SECURITY, DATA_INTEGRITY, DID, MULTIKEY, dict(_INLINE)],
        "id": uri,
        "type": profile.type,
        "preferredUsername": profile.handle,
        "name": profile.name,
        "summary": profile.summary,
        "url": f"{profile.origin}/@{profile.handle}",
        "inbox": uri + "/inbox",
        "outbox": uri + "/outbox",
        "followers": uri + "/followers",
        "following": uri + "/following",
        "endpoints": {"sharedInbox": profile.origin + "/inbox"},
        "publicKey": {"id": uri + "#main-key", "owner": uri, "publicKeyPem": keys.public_pem(profile.rsa)},
        "assertionMethod": [
            {"id": uri + "#ed25519-key", "type": "Multikey", "controller": uri, "publicKeyMultibase": multikey}
        ],
        "gateways": [profile.origin],
        "alsoKnownAs": list(profile.aliases),
        "webfinger": f"{profile.handle}@{profile.origin.partition('://')[2]}",
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "indexable": True,
        "countryCode": profile.country,
        "listedMember": profile.listed,
        "recoveryKeyDigest": profile.recovery,
        "logPosition": {"epoch": order[0], "sequence": order[1]},
        "published": timestamp(published),
        "updated": timestamp(updated),
    }
    if profile.sealing:
        document["sealingKeys"] = list(profile.sealing)
    if profile.moved_to:
        document["movedTo"] = profile.moved_to
    return document


def render_application(origin: str, key: RSAPublicKey) -> JsonObject:
    """The node's own actor, which signs its GETs (FEP-2677). It has no log and no followers.

    Spec: AP §4.1, FEP-2677
    """
    uri = origin + "/actor"
    return {
        "@context": [AS2, SECURITY],
        "id": uri,
        "type": "Application",
        "preferredUsername": origin.partition("://")[2].partition(":")[0],
        "name": "Tadamun",
        "inbox": uri + "/inbox",
        "outbox": uri + "/outbox",
        "url": origin + "/",
        "manuallyApprovesFollowers": True,
        "publicKey": {"id": uri + "#main-key", "owner": uri, "publicKeyPem": keys.public_pem(key)},
    }


def timestamp(moment: datetime) -> str:
    """`2026-11-20T13:00:05Z`, the one form Fedify hashes unchanged."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_actor(document: Document) -> Actor:
    """Read an actor document. That it may be believed is for `verification` to say.

    Raises:
        ProtocolError: naming the rule of this module that broke.
    """
    value = document.value
    if not has_context(value):
        raise ProtocolError("@context does not name ActivityStreams", spec="AS2 §2.1.3")
    uri, kind = value.get("id"), as_list(value.get("type"))
    if not isinstance(uri, str) or len(uri) > MAX_ID or not kind or kind[0] not in TYPES:
        raise ProtocolError("not an actor: no id, or no actor type", spec="AP §4.1")
    actor_id = ids.canonical(uri)
    inbox = _located(value.get("inbox"))
    if inbox is None:
        raise ProtocolError("an actor without an inbox", spec="AP §4.1")
    gateways = _gateways(value, uri)
    _check_inbox(inbox, uri, gateways)
    endpoints = value.get("endpoints")
    shared = _located(endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else None
    if shared is not None and ids.host_of(shared) != ids.host_of(inbox):
        shared = None
    place = value.get("logPosition")
    moved = id_of(value.get("movedTo"))
    return Actor(
        id=actor_id,
        uri=uri,
        type=kind[0],
        handle=_text(value, "preferredUsername", 200),
        name=_text(value, "name", 500),
        summary=_text(value, "summary", 20_000),
        url=_located(as_list(value.get("url"))[0]) if as_list(value.get("url")) else None,
        inbox=inbox,
        shared_inbox=shared,
        outbox=_located(value.get("outbox")),
        followers=_located(value.get("followers")),
        keys=_keys(value, actor_id),
        aliases=_ids(as_list(value.get("alsoKnownAs"))[:_MAX_ALIASES]),
        moved_to=ids.canonical(moved) if moved else None,
        gateways=gateways,
        recovery=_text(value, "recoveryKeyDigest", 100) or None,
        listed=value.get("listedMember") is True,
        order=_order(place),
        sealing=_recipients(as_list(value.get("sealingKeys"))[:_MAX_SEALING]),
        document=document,
    )


def find_key(actor: Actor, key_id: str) -> PublicKey:
    """The actor's key of this id.

    Raises:
        ProtocolError: 401, the actor does not list it.
    """
    wanted = ids.canonical(key_id)
    for key in actor.keys:
        if key.id == wanted:
            return key
    raise ProtocolError("the actor does not list this key", spec="FEP-521a", status=401)


def _keys(value: JsonObject, actor_id: str) -> tuple[PublicKey, ...]:
    found: list[PublicKey] = []
    for item in as_list(value.get("publicKey"))[:_MAX_KEYS]:
        if _owned(item, "owner", actor_id) and isinstance(item.get("publicKeyPem"), str):
            found.extend(_read(keys.public_from_pem, item["publicKeyPem"], item["id"], actor_id))
    for item in as_list(value.get("assertionMethod"))[:_MAX_KEYS]:
        if _owned(item, "controller", actor_id) and isinstance(item.get("publicKeyMultibase"), str):
            found.extend(_read(keys.public_from_multikey, item["publicKeyMultibase"], item["id"], actor_id))
    return tuple(found)


def _owned(item: object, name: str, actor_id: str) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or len(item["id"]) > MAX_ID:
        return False
    owner = id_of(item.get(name))
    try:
        return owner is not None and ids.canonical(owner) == actor_id and _below(ids.canonical(item["id"]), actor_id)
    except ProtocolError:
        return False


def _below(key_id: str, actor_id: str) -> bool:
    """Whether a key id is the actor's to give: `actor#main-key`, GoToSocial's `actor/main-key`, any id of its did."""
    if ids.portable(actor_id) is not None:
        return ids.same_origin(key_id, actor_id)
    rest = key_id.removeprefix(actor_id)
    return rest != key_id and (rest[:1] in ("", "#", "/", "?") or actor_id.endswith("/"))


def _read(make: Callable[[str, str, str], PublicKey], text: str, key_id: str, owner: str) -> tuple[PublicKey, ...]:
    """A key that cannot be read is no key; it does not spoil the others."""
    try:
        return (make(text, ids.canonical(key_id), owner),)
    except ProtocolError:
        return ()


def _gateways(value: JsonObject, uri: str) -> tuple[str, ...]:
    if ids.portable(uri) is None:
        return ()
    found = [item for item in as_list(value.get("gateways"))[:16] if isinstance(item, str)]
    return tuple(ids.origin_of_location(item) for item in found)


def _check_inbox(inbox: str, uri: str, gateways: Sequence[str]) -> None:
    place = ids.origin_of_location(inbox)
    if ids.portable(uri) is not None:
        if place not in gateways:
            raise ProtocolError("the inbox is on no gateway of the actor", spec="FEP-ef61")
    elif place != ids.origin(uri):
        raise ProtocolError("the inbox is on another host than the actor", spec="FEP-fe34")


def _order(place: object) -> tuple[int, int]:
    if not isinstance(place, dict):
        return (0, 0)
    epoch, sequence = place.get("epoch"), place.get("sequence")
    if type(epoch) is not int or type(sequence) is not int or not 0 <= epoch <= MAX_EPOCH or sequence < 0:
        raise ProtocolError("logPosition is not a position", spec="Tadamun log §3")
    return epoch, sequence


def _located(value: object) -> str | None:
    found = id_of(value)
    if found is None:
        return None
    try:
        ids.origin_of_location(found)
    except ProtocolError:
        return None
    return found


def _ids(values: Sequence[object]) -> tuple[str, ...]:
    found = []
    for item in values:
        try:
            if isinstance(item, str):
                found.append(ids.canonical(item))
        except ProtocolError:
            continue
    return tuple(found)


def _recipients(values: Sequence[object]) -> tuple[str, ...]:
    """A key that cannot be read is no key; it does not spoil the others."""
    found = []
    for item in values:
        try:
            found.append(sealing.check_recipient(item))
        except ProtocolError:
            continue
    return tuple(found)


def _text(value: JsonObject, name: str, limit: int) -> str:
    text = value.get(name)
    return text[:limit] if isinstance(text, str) else ""

"""Linked Data signatures (RsaSignature2017): how Mastodon, Misskey and relays believe a forwarded activity.

The signature covers the document as JSON-LD, we read it as plain JSON. So only documents in which both say
the same are signed or believed (`jsonld.check_structure`), and one with `proof` is neither: a proof compacts
to `@graph`, at which Mastodon drops the signature. Rules of `verify`, in order:

1. No proof, no data-integrity context.
2. The key is RSA, is the one that `creator` names, and belongs to the activity's actor.
3. `created` is not in the future (an hour is allowed), `expires` is not past.
4. The document has one reading.
5. The signature holds over both hashes.

Without `expires` a signature is good for ever; a certificate that waits for the loss of a node needs that.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from node.errors import ProtocolError
from node.federation.protocol import contexts, ids, jsonld
from node.federation.protocol.keys import PublicKey, sign_rsa
from node.federation.protocol.messages import JsonObject, as_list, id_of

SKEW = timedelta(hours=1)
"""How far a peer's clock may run ahead; Mastodon allows the same."""

_TYPE = "RsaSignature2017"
_SPEC = "RsaSignature2017"
_UNSIGNED = ("type", "id", "signatureValue")
"""Members of `signature` that its own hash leaves out."""
_MEMBERS = frozenset({*_UNSIGNED, "creator", "created", "expires", "nonce", "domain"})
_NOT_WITH_LD = frozenset({contexts.DATA_INTEGRITY_V1, contexts.DATA_INTEGRITY_V2, contexts.MULTIKEY_V1})


@dataclass(frozen=True, slots=True)
class LdSignature:
    """A signature as it stands in a document: read, not verified."""

    creator: str
    """The id of the key."""
    created: datetime
    expires: datetime | None
    value: bytes
    options: tuple[tuple[str, str], ...]
    """What the first hash covers, as received."""


def for_ld(document: JsonObject) -> JsonObject:
    """The document as an LD signature can stand on it: a copy without its proofs and what is theirs.

    `proof` goes, at the top and in the embedded object, with the contexts that define it; so does an
    `assertionMethod` of embedded Multikeys, undefined then. The object's `@context` joins the top's.

    Spec: GHSA-53m7-2wrh-q839; FEP-8b32
    """
    top = _without_proof(document)
    inner = top.get("object")
    entries = list(as_list(document.get("@context")))
    if isinstance(inner, dict):
        top["object"] = {name: value for name, value in _without_proof(inner).items() if name != "@context"}
        entries += [entry for entry in as_list(inner.get("@context")) if not _stands_in(entry, entries)]
    kept = [entry for entry in entries if not isinstance(entry, str) or entry not in _NOT_WITH_LD]
    return {**top, "@context": kept}


def sign(
    document: JsonObject, key: RSAPrivateKey, creator: str, created: datetime, expires: datetime | None = None
) -> JsonObject:
    """The document with `signature`.

    Args:
        document: in the form of `for_ld`, not signed yet.
        creator: the id of the key, as its owner's actor document gives it.
        created: aware.
        expires: aware; `None` for a signature that is good for ever.

    Raises:
        ProtocolError: it carries a proof or a signature, or it has more than one reading.

    Spec: RsaSignature2017, as Mastodon signs
    """
    _check_no_proof(document)
    if "signature" in document:
        raise ProtocolError("the document is signed already", spec=_SPEC)
    jsonld.check_structure(document)
    options = {"creator": creator, "created": _stamp(created)}
    if expires is not None:
        options["expires"] = _stamp(expires)
    value = base64.b64encode(sign_rsa(key, _signed_bytes(document, options))).decode()
    return {**document, "signature": {"type": _TYPE, **options, "signatureValue": value}}


def check(document: JsonObject) -> LdSignature:
    """Read a document's `signature`.

    Raises:
        ProtocolError: there is none, or it is not a RsaSignature2017 of text members we know.
    """
    signature = document.get("signature")
    if not isinstance(signature, dict) or signature.get("type") != _TYPE:
        raise ProtocolError("the document has no RsaSignature2017", spec=_SPEC)
    odd = sorted(set(signature) - _MEMBERS) + [k for k, v in signature.items() if not isinstance(v, str)]
    odd += sorted({"creator", "created", "signatureValue"} - set(signature))
    if odd:
        raise ProtocolError(f"signature: {odd[0][:80]!r} is missing, unknown or not text", spec=_SPEC)
    expires = signature.get("expires")
    try:
        value = base64.b64decode(signature["signatureValue"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError("signatureValue is not base64", spec="RFC 4648 §4") from error
    return LdSignature(
        creator=signature["creator"],
        created=_time(signature["created"]),
        expires=None if expires is None else _time(expires),
        value=value,
        options=tuple((name, text) for name, text in signature.items() if name not in _UNSIGNED),
    )


def verify(document: JsonObject, signature: LdSignature, key: PublicKey, now: datetime) -> None:
    """The actor's key signed this document, and plain JSON says what was signed.

    Raises:
        ProtocolError: 401 where key, time or signature break a rule at the top of this file; 400 where the
            document has more than one reading.

    Spec: RsaSignature2017, as Mastodon verifies
    """
    _check_no_proof(document)
    actor = id_of(document.get("actor"))
    if key.algorithm != "rsa" or key.id != signature.creator:
        raise ProtocolError("the key is not the RSA key that signed", spec=_SPEC, status=401)
    if actor is None or ids.canonical(actor) != ids.canonical(key.owner):
        raise ProtocolError("the key is not the actor's", spec="FEP-fe34", status=401)
    if signature.created > now + SKEW:
        raise ProtocolError("the signature is from the future", spec=_SPEC, status=401)
    if signature.expires is not None and signature.expires <= now:
        raise ProtocolError("the signature has expired", spec=_SPEC, status=401)
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    jsonld.check_structure(unsigned)
    try:
        key.verify(signature.value, _signed_bytes(unsigned, dict(signature.options)))
    except ProtocolError as error:
        raise ProtocolError(error.reason, spec=_SPEC, status=error.status) from error


def _signed_bytes(document: JsonObject, options: dict[str, str]) -> bytes:
    """Both hashes, as text. The options are hashed under the identity context, whatever the document's is."""
    return (_hash({"@context": contexts.IDENTITY_V1, **options}) + _hash(document)).encode()


def _hash(document: JsonObject) -> str:
    return hashlib.sha256(jsonld.canonize(document).encode()).hexdigest()


def _check_no_proof(document: JsonObject) -> None:
    inner = document.get("object")
    if "proof" in document or (isinstance(inner, dict) and "proof" in inner):
        raise ProtocolError("an LD signature does not stand beside a proof", spec="GHSA-53m7-2wrh-q839")
    for entry in as_list(document.get("@context")):
        if entry in (contexts.DATA_INTEGRITY_V1, contexts.DATA_INTEGRITY_V2):
            raise ProtocolError("an LD signature stands on no data-integrity", spec="GHSA-53m7-2wrh-q839")


def _stands_in(entry: Any, entries: list[Any]) -> bool:
    if isinstance(entry, dict):
        return any(isinstance(other, dict) and entry.items() <= other.items() for other in entries)
    return entry in entries


def _without_proof(node: JsonObject) -> JsonObject:
    kept = {name: value for name, value in node.items() if name != "proof"}
    if any(isinstance(method, dict) for method in as_list(node.get("assertionMethod"))):
        del kept["assertionMethod"]
    return kept


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProtocolError("a time of the signature cannot be read", spec="RFC 3339 §5.6") from error
    if moment.tzinfo is None:
        raise ProtocolError("a time of the signature has no zone", spec="RFC 3339 §5.6")
    return moment

"""Integrity proofs: a document that proves itself, wherever it was found (FEP-8b32, suite eddsa-jcs-2022).

What is signed: SHA-256 of JCS(proof without `proofValue`), then SHA-256 of JCS(document without top-level
`proof` and `signature`). Every value of both is under the signature, whatever a JSON-LD context says of it.

Rules of `check`, in order: `proof` is an object or a list of at most four, and the first of our suite counts;
it has no member besides those known here (one that expires, or that binds itself to another proof, proves
nothing in a log); it is a `DataIntegrityProof` for `assertionMethod`; its `@context`, where it has one, is
the document's; `verificationMethod` is an id; `created` is a moment; `proofValue` is 64 bytes in base58btc.

Whose the key is, and whether it may speak for the document, is for `verification`.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import base58

from node.errors import ProtocolError
from node.federation.protocol.digests import jcs
from node.federation.protocol.keys import OrganisationKey, PublicKey
from node.federation.protocol.messages import JsonObject

CRYPTOSUITE = "eddsa-jcs-2022"
MAX_PROOFS = 4
_UNSIGNED = ("proof", "signature")
_MEMBERS = frozenset(
    ("@context", "id", "type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue")
)
_CREATED_RE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_MULTIBASE_RE = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{64,88}")
_METHOD_RE = re.compile(r"[!-~]{1,2048}")
_SPEC = "FEP-8b32"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was read, not yet verified."""

    method: str
    """The id of the key, as written: a DID URL, or an id with fragment in an actor."""
    created: str
    purpose: str
    value: bytes
    config: JsonObject
    """The proof as it stood in the document, without its value. Not to be changed."""


def sign(document: JsonObject, key: OrganisationKey, method: str, created: datetime) -> JsonObject:
    """The document with a new proof, in place of any proof or linked data signature it had.

    The proof carries the document's `@context`, as the standard has it: Mastodon hashes what it sees, Fedify
    puts the document's context there before it hashes, and so both hash the same.

    Args:
        method: `did:key:z6Mk…#z6Mk…` for logs, `…/actor#ed25519-key` for followers.
        created: written to the second, for Fedify writes it anew before it hashes.

    Spec: FEP-8b32; vc-di-eddsa §3.3.1
    """
    unsecured = _unsecured(document)
    config: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": f"{created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    if "@context" in document:
        config = {"@context": document["@context"], **config}
    value = key.sign(hashlib.sha256(jcs(config)).digest() + _digest(unsecured))
    return {**unsecured, "proof": {**config, "proofValue": "z" + base58.b58encode(value).decode()}}


def check(document: JsonObject) -> Proof:
    """Read the proof of a document.

    Raises:
        ProtocolError: 401, there is none of our suite, or it breaks a rule.

    Spec: FEP-8b32; Data Integrity 1.0 §2.1
    """
    found = _find(document)
    unknown = found.keys() - _MEMBERS
    if unknown:
        raise _refused(f"a proof with {sorted(unknown)[0][:40]!r}, which we cannot judge")
    if found.get("type") != "DataIntegrityProof" or found.get("proofPurpose") != "assertionMethod":
        raise _refused("the proof is no DataIntegrityProof for assertionMethod")
    if "@context" in found and not _same_context(found, document):
        raise _refused("the @context of the proof is not the document's")
    method = found.get("verificationMethod")
    if not isinstance(method, str) or _METHOD_RE.fullmatch(method) is None:
        raise _refused("the proof names no verificationMethod")
    created, value = _created(found.get("created")), _value(found.get("proofValue"))
    config = {name: item for name, item in found.items() if name != "proofValue"}
    return Proof(method, created, "assertionMethod", value, config)


def verify(document: JsonObject, proof: Proof, key: PublicKey) -> None:
    """Check that `proof`, read from this document by `check`, was made by this key over this document.

    Raises:
        ProtocolError: 401, the key is not Ed25519, or the proof does not hold.

    Spec: FEP-8b32; vc-di-eddsa §3.3.2
    """
    if key.algorithm != "ed25519":
        raise _refused("the key is not Ed25519")
    digest = _digest(_unsecured(document))
    # Fedify hashes the document's context with a proof that shows none; others hash what
    # stands there. The digest of the document covers its context both ways.
    if "@context" in document and "@context" not in proof.config:
        try:
            return _hold({"@context": document["@context"], **proof.config}, digest, proof, key)
        except ProtocolError:
            pass
    return _hold(proof.config, digest, proof, key)


def _hold(config: JsonObject, digest: bytes, proof: Proof, key: PublicKey) -> None:
    data = hashlib.sha256(jcs(config)).digest() + digest
    try:
        key.verify(proof.value, data)
    except ProtocolError as error:
        raise _refused("the proof does not hold") from error


def _find(document: JsonObject) -> JsonObject:
    value = document.get("proof")
    proofs = value if isinstance(value, list) else [value]
    if len(proofs) > MAX_PROOFS:
        raise _refused(f"more than {MAX_PROOFS} proofs")
    for proof in proofs:
        if isinstance(proof, dict) and proof.get("cryptosuite") == CRYPTOSUITE:
            return proof
    raise _refused(f"no proof of {CRYPTOSUITE}")


def _created(text: Any) -> str:
    if not isinstance(text, str) or _CREATED_RE.fullmatch(text) is None:
        raise _refused("the proof has no moment of creation")
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused("the proof was created at a moment that does not exist") from error
    return text


def _value(text: Any) -> bytes:
    if not isinstance(text, str) or _MULTIBASE_RE.fullmatch(text) is None:
        raise _refused("proofValue is not base58btc")
    value: bytes = base58.b58decode(text[1:])
    if len(value) != 64:
        raise _refused("proofValue is not 64 bytes")
    return value


def _same_context(proof: JsonObject, document: JsonObject) -> bool:
    """Python would take 1 for true; canonical bytes do not."""
    return "@context" in document and jcs(proof["@context"]) == jcs(document["@context"])


def _unsecured(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in _UNSIGNED}


def _digest(unsecured: JsonObject) -> bytes:
    return hashlib.sha256(jcs(unsecured)).digest()


def _refused(reason: str) -> ProtocolError:
    return ProtocolError(reason, spec=_SPEC, status=401)

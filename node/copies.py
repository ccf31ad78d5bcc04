"""Copies of the public site as files: what such a copy says of itself, signed by the organisation that made it.

`freshness.json` lies beside the files. It names the moment of the copy, the heads of the logs in it (did → epoch,
sequence, digest of the last header), and the SHA-256 of every other file. So whoever finds a copy, on any web space or
stick, can tell whose it is, how old, and that nobody changed, added or took away a file. Exercises and tests are the
members' and stand in no copy: where a log has one, the copy has a gap.

Rules of `parse`, in order: a document with a portable id and the proof of that did (FEP-8b32); of type `Copy`; file
names are relative and go down only, digests are SHA-256 in hexadecimal; heads are places in logs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from node.errors import ProtocolError
from node.federation.protocol import ids, integrity_proofs, verification
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, timestamp
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject, parse_document
from node.federation.protocol.replicas import Head

FRESHNESS = "freshness.json"
BUNDLE = "tadamun-bundle.jsonl"
TYPE = "Copy"
MAX_FRESHNESS = 64 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPEC = "Tadamun copy 1"


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy says of itself, verified."""

    did: str
    made: str
    heads: Mapping[str, Head]
    files: Mapping[str, str]
    """Relative name → SHA-256 in hexadecimal; `freshness.json` itself is not among them."""


def render(
    actor: str, key: OrganisationKey, heads: Mapping[str, Head], files: Mapping[str, str], made: datetime
) -> JsonObject:
    """The signed statement about a copy.

    Args:
        actor: the https id of the organisation that makes it.
    """
    document = {
        "@context": [
            AS2,
            DATA_INTEGRITY,
            {
                "tadamun": NAMESPACE,
                "Copy": "tadamun:Copy",
                "heads": {"@id": "tadamun:heads", "@type": "@json"},
                "files": {"@id": "tadamun:files", "@type": "@json"},
            },
        ],
        "id": actor + "/copy",
        "type": TYPE,
        "attributedTo": actor,
        "published": timestamp(made),
        "heads": {did: [head.epoch, head.sequence, head.digest] for did, head in sorted(heads.items())},
        "files": dict(sorted(files.items())),
    }
    return integrity_proofs.sign(document, key, f"{key.did}#{key.multikey}", made)


def is_copy(raw: bytes) -> bool:
    """Whether a document looks like such a statement."""
    return b'"type":"Copy"' in raw[:2000].replace(b" ", b"").replace(b"\n", b"")


def parse(raw: bytes) -> Copy:
    """Read a statement about a copy and check who signed it.

    Raises:
        ProtocolError: naming the rule of this module that broke.

    Spec: FEP-8b32
    """
    value = parse_document(raw, MAX_FRESHNESS).value
    found = ids.portable(str(value.get("id")))
    if found is None:
        raise ProtocolError("a copy is told apart by a portable id", spec=_SPEC)
    verification.verify_own_proof(value, found.did)
    heads, files, made = value.get("heads"), value.get("files"), value.get("published")
    if value.get("type") != TYPE or not isinstance(heads, dict) or not isinstance(files, dict):
        raise ProtocolError("no statement about a copy", spec=_SPEC)
    if not isinstance(made, str):
        raise ProtocolError("a copy that does not say when it was made", spec=_SPEC)
    for name, digest in files.items():
        if not _is_plain(name) or not isinstance(digest, str) or _SHA256.fullmatch(digest) is None:
            raise ProtocolError(f"{name[:80]!r} is no file of a copy", spec=_SPEC)
    return Copy(found.did, made, {did: _head(did, place) for did, place in heads.items()}, files)


def _head(did: str, place: object) -> Head:
    if not ids.is_did(did) or not isinstance(place, list) or len(place) != 3:
        raise ProtocolError("a head that is none", spec=_SPEC)
    epoch, sequence, digest = place
    if type(epoch) is not int or type(sequence) is not int or epoch < 1 or sequence < 1:
        raise ProtocolError("a head at a place that is none", spec=_SPEC)
    return Head(epoch, sequence, str(digest))


def _is_plain(name: str) -> bool:
    return "\\" not in name and "\0" not in name and not any(part in ("", ".", "..") for part in name.split("/"))

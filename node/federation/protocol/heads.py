"""Head tables: how far a node holds each log, signed; and the head that an organisation signs for its own log alone.

A table is for pinned members and doubles as a receipt. The single head stands in it by itself, so that who shows it to
others as evidence does not show whom its author has pinned.

Spec: Tadamun design §4
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from node.errors import ProtocolError
from node.federation.protocol import ids, integrity_proofs, verification
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, timestamp
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject, parse_document
from node.federation.protocol.replicas import Head

TABLE, HEAD = "Heads", "Head"
MAX_DIDS = 2_000
_MAX_HEAD = 32 * 1024
_SPEC = "Tadamun design §4"


def render_table(
    uri: str, key: OrganisationKey, heads: Mapping[str, Head], now: datetime,
    successors: Mapping[str, str] = MappingProxyType({}),
) -> JsonObject:  # fmt: skip
    """Our head table, signed.

    Args:
        uri: of our actor.
        successors: old did → the one that succeeded it, as far as we know; who hears of it asks for the proof.
    """
    terms = {"tadamun": NAMESPACE, TABLE: "tadamun:Heads", HEAD: "tadamun:Head", "own": "tadamun:own"}
    listed = {name: {"@id": f"tadamun:{name}", "@type": "@json"} for name in ("heads", "successors", "head")}
    context = [AS2, DATA_INTEGRITY, {**terms, **listed}]
    table = {did: [head.epoch, head.sequence, head.digest] for did, head in sorted(heads.items())}
    document = {
        "@context": context,
        "id": uri + "/heads",
        "type": TABLE,
        "actor": uri,
        "published": timestamp(now),
        "heads": table,
        "successors": dict(successors),
    }
    method = f"{key.did}#{key.multikey}"
    own = heads.get(key.did)
    if own is not None:
        bare = {"@context": context, **render_head(uri, own, timestamp(now))}
        document["own"] = integrity_proofs.sign(bare, key, method, now)
    return integrity_proofs.sign(document, key, method, now)


def parse_table(value: JsonObject, did: str) -> dict[str, Head]:
    """Read a member's head table.

    Raises:
        ProtocolError: not signed by the member, or not a table.
    """
    verification.verify_own_proof(value, did)
    table = value.get("heads")
    if value.get("type") != TABLE or not isinstance(table, dict) or len(table) > MAX_DIDS:
        raise ProtocolError("not a head table", spec="Tadamun design §4")
    found = {}
    for name, place in table.items():
        if not ids.is_did(name) or not isinstance(place, list) or len(place) != 3:
            raise ProtocolError("a head table with a line that is none", spec="Tadamun design §4")
        epoch, sequence, digest = place
        if type(epoch) is not int or type(sequence) is not int or epoch < 1 or sequence < 1:
            raise ProtocolError("a head table with a place that is none", spec="Tadamun design §4")
        found[name] = Head(epoch, sequence, str(digest))
    return found


def render_head(uri: str, head: Head, published: str) -> JsonObject:
    """Our own head, to be signed."""
    place = [head.epoch, head.sequence, head.digest]
    return {"id": f"{uri}/head", "type": HEAD, "actor": uri, "published": published, "head": place}


def parse_head(text: bytes | str, did: str) -> tuple[Head, str]:
    """Read a head that an organisation signed for its own log; with when.

    Raises:
        ProtocolError: not signed by it, or no head.
    """
    value = parse_document(text.encode() if isinstance(text, str) else text, _MAX_HEAD).value
    verification.verify_own_proof(value, did)
    place, published = value.get("head"), value.get("published")
    if value.get("type") != HEAD or not isinstance(place, list) or len(place) != 3 or not isinstance(published, str):
        raise ProtocolError("not a head", spec=_SPEC)
    epoch, sequence, digest = place
    if type(epoch) is not int or type(sequence) is not int or epoch < 1 or sequence < 1:
        raise ProtocolError("not a head", spec=_SPEC)
    try:
        datetime.fromisoformat(published)
    except ValueError as error:
        raise ProtocolError("a head without a time", spec=_SPEC) from error
    return Head(epoch, sequence, str(digest)), published


def went_back(earlier: tuple[Head, str], later: tuple[Head, str]) -> bool:
    """Whether the later of two signed heads is behind the earlier one, or another for the same place."""
    if datetime.fromisoformat(later[1]) <= datetime.fromisoformat(earlier[1]):
        return False
    if later[0].order == earlier[0].order:
        return later[0].digest != earlier[0].digest
    return later[0].order < earlier[0].order

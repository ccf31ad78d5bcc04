"""FEP-8b32: the published vectors, every rule broken once, and every leaf of a signed document changed."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import digests, integrity_proofs, keys
from node.federation.protocol.messages import JsonObject

NOW = datetime(2026, 11, 20, 13, 0, 5, tzinfo=UTC)
KEY = keys.generate_organisation_key()
PUBLIC = keys.public_from_did(KEY.did)
METHOD = f"{KEY.did}#{KEY.multikey}"
CASES = json.loads((Path(__file__).parents[2] / "vectors" / "eddsa_jcs_2022.json").read_text())["cases"]
DOCUMENT: JsonObject = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v1",
        {"tadamun": "https://tadamun.example/ns#", "deadline": "tadamun:deadline", "flag": True},
    ],
    "id": "https://exercise.example/activities/1",
    "type": "Create",
    "to": ["https://www.w3.org/ns/activitystreams#Public"],
    "log": {"epoch": 1, "sequence": 7, "previous": None, "nonce": "n"},
    "object": {
        "type": "Note",
        "content": "تمرين: an exercise",
        "contentMap": {"ar": "تمرين"},
        "sensitive": False,
        "deadline": None,
        "position": [25.273962, -71],
        "proof": {"inner": "a proof of the embedded object is content"},
        "tag": [{"type": "Hashtag", "name": "#exercise"}],
    },
}


def signed() -> JsonObject:
    return integrity_proofs.sign(DOCUMENT, KEY, METHOD, NOW)


def verified(document: JsonObject, key: keys.PublicKey = PUBLIC) -> integrity_proofs.Proof:
    proof = integrity_proofs.check(document)
    integrity_proofs.verify(document, proof, key)
    return proof


def with_proof(**changes: Any) -> JsonObject:
    """A signed document whose proof differs; `None` takes a member away."""
    document = signed()
    names = {"context": "@context"}
    proof = {**document["proof"], **{names.get(name, name): value for name, value in changes.items()}}
    return {**document, "proof": {name: value for name, value in proof.items() if value is not None}}


def test_what_we_sign_verifies_and_names_its_key() -> None:
    proof = verified(signed())
    assert (proof.method, proof.created, proof.purpose) == (METHOD, "2026-11-20T13:00:05Z", "assertionMethod")
    assert len(proof.value) == 64 and "proofValue" not in proof.config


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["origin"][:40])
def test_published_proofs_verify(case: JsonObject) -> None:
    proof = integrity_proofs.check(case["signed"])
    integrity_proofs.verify(
        case["signed"], proof, keys.public_from_multikey(case["public"], proof.method, "x")
    )


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["secret"]], ids=lambda case: case["origin"][:40]
)
def test_we_sign_what_the_standards_sign(case: JsonObject) -> None:
    raw = base58.b58decode(case["secret"][1:])
    key = keys.OrganisationKey(Ed25519PrivateKey.from_private_bytes(raw[2:]))
    assert key.multikey == case["public"]
    document = {name: value for name, value in case["signed"].items() if name != "proof"}
    method = case["signed"]["proof"]["verificationMethod"]
    created = datetime.fromisoformat(case["signed"]["proof"]["created"])
    assert integrity_proofs.sign(document, key, method, created) == case["signed"]


def test_the_moment_is_written_to_the_second_in_utc() -> None:
    there = datetime(2026, 11, 20, 16, 0, 5, 999999, tzinfo=timezone(timedelta(hours=3)))
    assert integrity_proofs.sign(DOCUMENT, KEY, METHOD, there)["proof"]["created"] == "2026-11-20T13:00:05Z"


def test_signing_and_verifying_change_nothing() -> None:
    before, document = copy.deepcopy(DOCUMENT), signed()
    kept = copy.deepcopy(document)
    proof = integrity_proofs.check(document)
    integrity_proofs.verify(document, proof, PUBLIC)
    assert before == DOCUMENT and kept == document
    assert proof == integrity_proofs.check(kept)


def test_signing_replaces_the_proof_and_drops_a_linked_data_signature() -> None:
    old = {**DOCUMENT, "proof": [{"x": 1}], "signature": {"type": "RsaSignature2017"}}
    assert integrity_proofs.sign(old, KEY, METHOD, NOW) == signed()


def test_a_linked_data_signature_added_later_does_not_count() -> None:
    verified({**signed(), "signature": {"type": "RsaSignature2017", "signatureValue": "x"}})


def test_a_document_without_context_has_a_proof_without_context() -> None:
    bare = {name: value for name, value in DOCUMENT.items() if name != "@context"}
    document = integrity_proofs.sign(bare, KEY, METHOD, NOW)
    assert "@context" not in document["proof"]
    verified(document)


def test_a_proof_that_shows_no_context_may_be_made_with_the_documents_or_without() -> None:
    verified(with_proof(context=None))
    document = signed()
    config = {
        name: document["proof"][name] for name in document["proof"] if name not in ("@context", "proofValue")
    }
    hashes = [integrity_proofs.hashlib.sha256(digests.jcs(part)).digest() for part in (config, DOCUMENT)]
    value = "z" + base58.b58encode(KEY.sign(b"".join(hashes))).decode()
    verified({**document, "proof": {**config, "proofValue": value}})


def test_of_several_proofs_the_first_of_our_suite_counts() -> None:
    document = signed()
    other = {"type": "DataIntegrityProof", "cryptosuite": "mldsa44-jcs-2024"}
    verified({**document, "proof": [other, document["proof"], {**document["proof"], "proofValue": "z"}]})
    with pytest.raises(ProtocolError):
        verified(
            {
                **document,
                "proof": [{**document["proof"], "created": "2026-11-20T13:00:06Z"}, document["proof"]],
            }
        )


REFUSED: list[tuple[str, Callable[[], JsonObject], str]] = [
    ("no proof", lambda: DOCUMENT, "no proof of"),
    ("a proof that is text", lambda: {**signed(), "proof": "z1"}, "no proof of"),
    ("an empty list", lambda: {**signed(), "proof": []}, "no proof of"),
    ("a nested list", lambda: {**signed(), "proof": [[signed()["proof"]]]}, "no proof of"),
    ("five proofs", lambda: {**signed(), "proof": [signed()["proof"]] * 5}, "more than 4"),
    ("another suite", lambda: with_proof(cryptosuite="eddsa-rdfc-2022"), "no proof of"),
    ("another type", lambda: with_proof(type="Ed25519Signature2020"), "DataIntegrityProof"),
    ("a list of types", lambda: with_proof(type=["DataIntegrityProof"]), "DataIntegrityProof"),
    ("another purpose", lambda: with_proof(proofPurpose="authentication"), "assertionMethod"),
    ("no purpose", lambda: with_proof(proofPurpose=None), "assertionMethod"),
    ("an expiry", lambda: with_proof(expires="2030-01-01T00:00:00Z"), "'expires'"),
    ("a domain", lambda: with_proof(domain="node.example"), "'domain'"),
    ("a chain", lambda: with_proof(previousProof="urn:uuid:1"), "'previousProof'"),
    ("another context", lambda: with_proof(context=DOCUMENT["@context"][:2]), "@context"),
    (
        "true for 1",
        lambda: with_proof(context=[*DOCUMENT["@context"][:2], {**DOCUMENT["@context"][2], "flag": 1}]),
        "@context",
    ),
    (
        "a context of its own",
        lambda: {name: value for name, value in signed().items() if name != "@context"},
        "@context",
    ),
    ("no method", lambda: with_proof(verificationMethod=None), "verificationMethod"),
    ("an embedded method", lambda: with_proof(verificationMethod={"id": METHOD}), "verificationMethod"),
    ("a method with a space", lambda: with_proof(verificationMethod="a b"), "verificationMethod"),
    ("a long method", lambda: with_proof(verificationMethod="k" * 2049), "verificationMethod"),
    ("no moment", lambda: with_proof(created=None), "moment of creation"),
    ("a moment as number", lambda: with_proof(created=1), "moment of creation"),
    ("a moment without zone", lambda: with_proof(created="2026-11-20T13:00:05"), "moment of creation"),
    ("a date", lambda: with_proof(created="2026-11-20"), "moment of creation"),
    ("a line after it", lambda: with_proof(created="2026-11-20T13:00:05Z\n"), "moment of creation"),
    ("no such day", lambda: with_proof(created="2026-11-31T13:00:05Z"), "does not exist"),
    ("no value", lambda: with_proof(proofValue=None), "base58btc"),
    ("a value in base64", lambda: with_proof(proofValue="u" + "A" * 86), "base58btc"),
    ("no base58", lambda: with_proof(proofValue="z" + "0" * 86), "base58btc"),
    ("white space after", lambda: with_proof(proofValue=signed()["proof"]["proofValue"] + "\n"), "base58btc"),
    ("63 bytes", lambda: with_proof(proofValue="z" + base58.b58encode(b"x" * 63).decode()), "64 bytes"),
    (
        "65 bytes",
        lambda: with_proof(proofValue="z" + base58.b58encode(b"\0" * 63 + b"xx").decode()),
        "64 bytes",
    ),
]


@pytest.mark.parametrize(("broken", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_document_with_one_thing_broken_is_refused(broken: Callable[[], JsonObject], reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        integrity_proofs.check(broken())
    assert (caught.value.status, caught.value.spec) == (401, "FEP-8b32")
    assert reason in caught.value.reason


def test_another_key_and_another_kind_of_key_are_refused() -> None:
    with pytest.raises(ProtocolError, match="does not hold"):
        verified(signed(), keys.public_from_did(keys.generate_organisation_key().did))
    with pytest.raises(ProtocolError, match="not Ed25519"):
        verified(signed(), keys.PublicKey("k", "a", "rsa", keys.generate_rsa_key().public_key()))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every node of a document but its top, as a path."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def other(value: Any) -> list[Any]:
    """What could stand in the place of this value."""
    if isinstance(value, dict):
        return [{**value, "x": None}, {}, [value]]
    if isinstance(value, list):
        return [[*value, None], value[:-1], [value]]
    near = {str: lambda: value + " ", bool: lambda: int(value), int: lambda: value + 1, float: lambda: -value}
    return [near[type(value)]() if value is not None else False, [value], {"@value": value}]


DAMAGES = [(path, number) for path in places(signed()) for number in range(4)]


def damaged(path: tuple[Any, ...], number: int) -> JsonObject:
    document = copy.deepcopy(signed())
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    if number == 3:
        del place[path[-1]]
    else:
        place[path[-1]] = other(place[path[-1]])[number]
    return document


@pytest.mark.parametrize(("path", "number"), DAMAGES)
def test_no_leaf_of_a_signed_document_can_be_changed(path: tuple[Any, ...], number: int) -> None:
    document = damaged(path, number)
    if document.get("proof") == [signed()["proof"]] or (path, number) == (("proof", "@context"), 3):
        verified(document)  # the same proof in a list, or with its context left to the document
        return
    with pytest.raises(ProtocolError) as caught:
        verified(document)
    assert caught.value.status == 401


@pytest.mark.parametrize("name", ["x", "@graph", "@included", "@reverse", "attributionDomains", "PROOF"])
def test_no_member_can_be_added_to_a_signed_document(name: str) -> None:
    with pytest.raises(ProtocolError, match="does not hold"):
        verified({**signed(), name: "x"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([path for path, number in DAMAGES if number == 0]), JSON)
def test_any_value_in_any_place_is_refused_or_the_same(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(signed())
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    try:
        verified(document)
    except ProtocolError:
        return
    assert digests.jcs(document) == digests.jcs(signed())

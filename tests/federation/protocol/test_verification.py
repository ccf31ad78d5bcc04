"""Every trust decision: who may speak, by what, and who may not, each broken once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError
from node.federation.protocol import http_signatures, keys, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import Document, Request, parse_document
from node.federation.protocol.verification import Carrier, Verified, verify_activity, verify_actor, verify_object
from tests.support.letters import CONTEXT, Person, Portable

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
ORG = Portable("org", "one.example")
OTHER = Portable("other", "two.example")
AMAL = Person("amal", "peer.example")
BADR = Person("badr", "peer.example", 2)
ENTRY = ORG.logs("Create", ORG.note())
ALONE = ORG.says("Follow", "https://peer.example/users/amal")
POST = AMAL.says("Create", AMAL.note())


def parse(value: Any) -> Activity:
    return parse_activity(parse_document(json.dumps(value).encode()))


def document(value: Any) -> Document:
    return parse_document(json.dumps(value).encode())


def changed(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: item for name, item in {**value, **changes}.items() if item != "away"}


def embedding(note: dict[str, Any]) -> dict[str, Any]:
    """An entry of ours, with a proof, around this object."""
    return ORG.says("Create", note, log=ENTRY["log"])


DIRECT, FORWARDED = Carrier(ORG.id), Carrier(OTHER.id, pinned=True, author_pinned=True)
REPLICA = Carrier(None, replica=True)


def test_each_road_in_says_what_was_proved() -> None:
    entry, alone, post = parse(ENTRY), parse(ALONE), parse(POST)
    assert verify_activity(entry, DIRECT) == Verified("proof", entry)
    assert verify_activity(entry, FORWARDED) == Verified("proof", entry, OTHER.id)
    assert verify_activity(entry, REPLICA) == Verified("proof", entry)
    assert verify_activity(alone, DIRECT) == Verified("proof", alone)
    assert verify_activity(post, Carrier(AMAL.uri)) == Verified("http", post)


NOTE = ORG.note()
REFUSED: list[tuple[str, dict[str, Any], Carrier, str]] = [
    ("a domain's actor by nobody", POST, Carrier(None), "FEP-fe34"),
    ("a domain's actor by its neighbour", POST, Carrier(BADR.uri), "FEP-fe34"),
    ("a domain's actor out of a log", POST, REPLICA, "FEP-fe34"),
    ("a domain's actor by a pinned member", POST, FORWARDED, "FEP-fe34"),
    ("a domain's actor that bears our proof", ORG.sign(POST), Carrier(ORG.id), "FEP-fe34"),
    ("carried by nobody", ENTRY, Carrier(None), "Tadamun wire §3"),
    ("forwarded by one who is not pinned", ENTRY, Carrier(OTHER.id, author_pinned=True), "Tadamun wire §3"),
    ("forwarded about one who is not pinned", ENTRY, Carrier(OTHER.id, pinned=True), "Tadamun wire §3"),
    ("forwarded, and no log entry", ALONE, FORWARDED, "Tadamun wire §3"),
    ("no proof", changed(ENTRY, proof="away"), DIRECT, "FEP-8b32"),
    ("no proof in a log", changed(ENTRY, proof="away"), REPLICA, "FEP-8b32"),
    ("a proof of the object only", changed(ENTRY, proof=NOTE["proof"]), DIRECT, "FEP-8b32"),
    ("another's proof", OTHER.sign(ENTRY), DIRECT, "FEP-8b32"),
    (
        "another's proof beside the right one",
        changed(ENTRY, proof=[OTHER.sign(ENTRY)["proof"], ENTRY["proof"]]),
        DIRECT,
        "FEP-8b32",
    ),
    ("a word changed", changed(ENTRY, summary="x"), DIRECT, "FEP-8b32"),
    ("a place changed", changed(ENTRY, log={**ENTRY["log"], "epoch": 2}), DIRECT, "FEP-8b32"),
    ("an audience changed", changed(ENTRY, to=["https://evil.example/"]), DIRECT, "FEP-8b32"),
    ("a context changed", changed(ENTRY, **{"@context": [*CONTEXT, {"x": "y"}]}), DIRECT, "FEP-8b32"),
    ("an object without a proof", embedding(changed(NOTE, proof="away")), DIRECT, "FEP-8b32"),
    ("an object with another's proof", embedding(OTHER.sign(NOTE)), DIRECT, "FEP-8b32"),
    ("an object changed after its proof", embedding(changed(NOTE, content="other")), DIRECT, "FEP-8b32"),
    (
        "an object under an alias of its host, without a proof",
        embedding(changed(NOTE, proof="away", id=NOTE["id"].replace("one.example", "evil.example"))),
        DIRECT,
        "FEP-8b32",
    ),
]


@pytest.mark.parametrize(
    ("value", "carrier", "rule"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_what_is_not_its_authors_is_refused_by_its_rule(value: dict[str, Any], carrier: Carrier, rule: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        verify_activity(parse(value), carrier)
    assert (caught.value.spec, caught.value.status in (401, 403)) == (rule, True)


def test_an_object_of_another_is_nothing_that_the_activity_proves() -> None:
    """Who quotes another's object proves only that he does: the object's own rules ask for its author."""
    theirs = changed(OTHER.note(), proof="away")
    assert verify_activity(parse(embedding(theirs)), DIRECT).kind == "proof"


def test_a_tombstone_needs_no_proof_of_its_own() -> None:
    verify_activity(parse(ORG.says("Delete", {"id": ORG.at("/objects/1"), "type": "Tombstone"})), DIRECT)


def test_both_forms_of_the_key_are_the_key_and_no_others() -> None:
    for method, good in (
        (f"{ORG.did}#{ORG.key.multikey}", True),
        (f"{ORG.uri}#ed25519-key", True),
        (f"https://elsewhere.example/.well-known/apgateway/{ORG.did}/actor#ed25519-key", True),
        (f"{ORG.uri}#main-key", False),
        (f"{ORG.did}#{OTHER.key.multikey}", False),
        (ORG.did, False),
        ("https://one.example/actor#ed25519-key", False),
    ):
        value = verification.integrity_proofs.sign({**CONTEXT_ONLY, "id": ORG.uri}, ORG.key, method, NOW)
        if good:
            verification.verify_own_proof(value, ORG.did)
        else:
            with pytest.raises(ProtocolError):
                verification.verify_own_proof(value, ORG.did)


CONTEXT_ONLY = {"@context": CONTEXT}


# --- proof alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(hours=12, seconds=1), False),
        (timedelta(hours=12), False),
        (timedelta(hours=12) - timedelta(seconds=1), True),
        (timedelta(0), True),
        (-timedelta(minutes=59), True),
        (-timedelta(hours=1), False),
    ],
)
def test_a_proof_alone_is_believed_for_half_a_day(age: timedelta, fresh: bool) -> None:
    person = Person("amal", "peer.example")
    key = keys.generate_organisation_key()
    public = keys.public_from_multikey(key.multikey, f"{person.uri}#ed25519-key", person.uri)
    value = verification.integrity_proofs.sign(POST, key, public.id, NOW - age)
    if fresh:
        assert verification.verify_proof_alone(parse(value), public, NOW).kind == "proof"
        for wrong in (
            keys.public_from_multikey(key.multikey, public.id, BADR.uri),
            keys.public_from_multikey(key.multikey, f"{person.uri}#other", person.uri),
            keys.public_from_multikey(ORG.key.multikey, public.id, person.uri),
        ):
            with pytest.raises(ProtocolError):
                verification.verify_proof_alone(parse(value), wrong, NOW)
    else:
        with pytest.raises(ProtocolError) as caught:
            verification.verify_proof_alone(parse(value), public, NOW)
        assert (caught.value.spec, caught.value.status) == ("FEP-8b32", 401)


def test_a_proof_alone_with_a_zone_is_as_old_as_it_is() -> None:
    value = ORG.sign(ALONE, NOW)
    proof = verification.integrity_proofs.check(value)
    there = type(proof)(proof.method, "2026-11-20T15:00:00+03:00", proof.purpose, proof.value, proof.config)
    verification.check_fresh(there, NOW + timedelta(hours=11))
    with pytest.raises(ProtocolError):
        verification.check_fresh(there, NOW + timedelta(hours=13))


# --- actors and objects --------------------------------------------------------------------------------------------


def test_an_actor_is_believed_by_its_proof_wherever_it_was_found_or_at_its_own_place() -> None:
    for place in (ORG.uri, "https://evil.example/copy", None):
        assert verify_actor(document(ORG.document()), place).did == ORG.did
    assert verify_actor(document(AMAL.document()), AMAL.uri).id == AMAL.uri
    assert verify_actor(document(AMAL.document()), "https://PEER.example:443/users/amal").id == AMAL.uri


REFUSED_ACTORS: list[tuple[str, dict[str, Any], str | None]] = [
    ("a did without a proof", changed(ORG.document(), proof="away"), ORG.uri),
    ("a did with another's proof", OTHER.sign(ORG.document()), ORG.uri),
    (
        "a did with another's RSA key, as a hostile gateway would serve it",
        changed(
            ORG.document(),
            publicKey={
                "id": ORG.key_id,
                "owner": ORG.uri,
                "publicKeyPem": keys.public_pem(BADR.private.public_key()),
            },
        ),
        ORG.uri,
    ),
    ("a did with another gateway", changed(ORG.document(), gateways=["https://evil.example"]), ORG.uri),
    ("a did under another path", ORG.sign(ORG.document() | {"id": ORG.at("/actor2")}), ORG.at("/actor2")),
    ("a did alone", ORG.sign(ORG.document() | {"id": ORG.did}), ORG.uri),
    ("a did in capitals", ORG.document() | {"id": ORG.uri.replace("did:key", "DID:KEY")}, ORG.uri),
    ("somebody found elsewhere", AMAL.document(), "https://evil.example/users/amal"),
    ("somebody found at a neighbour's", AMAL.document(), BADR.uri),
    ("somebody found at another port", AMAL.document(), "https://peer.example:8443/users/amal"),
    ("somebody found at another path", AMAL.document(), AMAL.uri + "/"),
    ("somebody out of the air", AMAL.document(), None),
    ("somebody with a did's proof out of the air", ORG.sign(AMAL.document()), None),
    ("a post", AMAL.note() | {"@context": CONTEXT}, AMAL.uri + "/notes/1"),
]


@pytest.mark.parametrize(
    ("value", "place"), [each[1:] for each in REFUSED_ACTORS], ids=[each[0] for each in REFUSED_ACTORS]
)
def test_an_actor_document_that_does_not_prove_itself_is_refused(value: dict[str, Any], place: str | None) -> None:
    with pytest.raises(ProtocolError):
        verify_actor(document(value), place)


def test_an_older_document_of_a_did_never_replaces_a_newer_one() -> None:
    old, new = (verify_actor(document(ORG.document(order)), None) for order in ((1, 7), (2, 3)))
    verification.check_newer(new, old)
    verification.check_newer(new, new)
    verification.check_newer(old, None)
    with pytest.raises(ProtocolError, match="older actor document"):
        verification.check_newer(old, new)
    amal = verify_actor(document(AMAL.document()), AMAL.uri)
    verification.check_newer(amal, amal)


def test_an_object_is_believed_by_its_proof_or_at_its_own_place() -> None:
    note = AMAL.note()
    assert verify_object(document(NOTE), "https://evil.example/copy") == NOTE
    assert verify_object(document(note), note["id"]) == note
    for value, place in (
        (note, "https://evil.example/notes/1"),
        (note, None),
        (note | {"id": 7}, note["id"]),
        (changed(NOTE, proof="away"), NOTE["id"]),
        (OTHER.sign(NOTE), NOTE["id"]),
    ):
        with pytest.raises(ProtocolError):
            verify_object(document(value), place)


# --- requests ------------------------------------------------------------------------------------------------------


def test_a_request_says_which_signature_it_bears_and_none_is_none() -> None:
    bare = Request("POST", "/inbox", (("host", "one.example"), ("content-type", "x")), b"{}", "https")
    assert verification.check_request(bare, NOW) is None
    extra = http_signatures.sign(bare, AMAL.private, AMAL.key_id, NOW)
    request = Request("POST", "/inbox", (*bare.headers, *extra), b"{}", "https")
    claim = verification.check_request(request, NOW)
    assert claim is not None
    public = keys.public_from_pem(keys.public_pem(AMAL.private.public_key()), claim.key_id, AMAL.uri)
    verification.verify_request(request, claim, public)
    with pytest.raises(ProtocolError):
        verification.verify_request(request, claim, keys.public_from_did(ORG.did))
    with pytest.raises(ProtocolError):
        verification.check_request(
            Request("POST", "/inbox", (*request.headers, ("signature-input", "")), b"{}", "https"), NOW
        )


# --- nothing but our own errors ------------------------------------------------------------------------------------


PIECES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=10)
    | st.sampled_from([ORG.uri, ORG.did, OTHER.uri, AMAL.uri, ENTRY["proof"], NOTE["proof"], NOTE, CONTEXT]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "proof", "attributedTo", "@context"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted(ENTRY)), PIECES, min_size=1, max_size=3),
    st.sampled_from([DIRECT, FORWARDED, REPLICA]),
)
def test_a_signed_entry_with_anything_replaced_is_itself_or_refused(changes: dict[str, Any], carrier: Carrier) -> None:
    value = {**ENTRY, **changes}
    try:
        found = verify_activity(parse_activity(Document(b"", value)), carrier)
    except NodeError:
        return
    signed = {name: item for name, item in value.items() if name not in ("proof", "signature")}
    assert signed == {name: item for name, item in ENTRY.items() if name not in ("proof", "signature")}
    assert found.kind == "proof"


@given(st.dictionaries(st.sampled_from(sorted(ORG.document())), PIECES, min_size=1, max_size=3))
def test_a_signed_actor_with_anything_replaced_is_itself_or_refused(changes: dict[str, Any]) -> None:
    base = ORG.document()
    try:
        found = verify_actor(Document(b"", {**base, **changes}), ORG.uri)
    except NodeError:
        return
    if found.did is not None:
        assert {**base, **changes, "proof": 0} == {**base, "proof": 0}

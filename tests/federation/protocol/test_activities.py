"""Activities: the rules of reading one, each broken once; and that nothing else than our own errors comes of any."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError
from node.federation.protocol import activities
from node.federation.protocol.activities import AS2, PUBLIC, Activity, LogPosition, parse_activity
from node.federation.protocol.messages import Document, parse_document

DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
GATEWAY = f"https://one.example/.well-known/apgateway/{DID}"
ELSEWHERE = f"https://two.example/.well-known/apgateway/{DID}"
NONCE = "3mJr7AoUCHxNqdABC123"
DIGEST = "zQmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"
VALID: dict[str, Any] = {
    "@context": [AS2, {"log": "x"}],
    "id": f"{GATEWAY}/activities/1",
    "type": "Create",
    "actor": f"{GATEWAY}/actor",
    "object": {"id": f"{GATEWAY}/objects/1", "type": "Note", "content": "تمرين"},
    "to": [PUBLIC],
    "cc": f"{GATEWAY}/actor/followers",
    "log": {"epoch": 1, "sequence": 2, "previous": DIGEST, "nonce": NONCE},
}


def parse(**changes: Any) -> Activity:
    value = {**copy.deepcopy(VALID), **changes}
    return parse_activity(
        parse_document(json.dumps({name: item for name, item in value.items() if item != "away"}).encode())
    )


def place(**changes: Any) -> dict[str, Any]:
    value = {**VALID["log"], **changes}
    return {name: item for name, item in value.items() if item != "away"}


def test_an_activity_is_read_whole() -> None:
    found = parse()
    assert found == Activity(
        id=f"ap+ef61://{DID}/activities/1",
        type="Create",
        actor=f"ap+ef61://{DID}/actor",
        object_id=f"ap+ef61://{DID}/objects/1",
        object=VALID["object"],
        position=LogPosition(1, 2, DIGEST, NONCE),
        value=VALID,
        raw=json.dumps(VALID).encode(),
    )
    assert (found.did, found.object_type, found.public) == (DID, "Note", True)
    assert found.position is not None
    assert found.position.order == (1, 2)
    assert found.addresses == {PUBLIC, f"ap+ef61://{DID}/actor/followers"}


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("no context", {"@context": "away"}, "AS2 §2.1.3"),
    ("the context of another", {"@context": "https://evil.example/ns"}, "AS2 §2.1.3"),
    ("the context inside an object", {"@context": [{"as": AS2}]}, "AS2 §2.1.3"),
    ("no type", {"type": "away"}, "AS2 §4.1"),
    ("an empty type", {"type": ""}, "AS2 §4.1"),
    ("two types", {"type": ["Create", "Delete"]}, "AS2 §4.1"),
    ("a type in a list", {"type": ["Create"]}, "AS2 §4.1"),
    ("an endless type", {"type": "C" * 101}, "AS2 §4.1"),
    ("a type that is no text", {"type": {"id": "Create"}}, "AS2 §4.1"),
    ("no id", {"id": "away"}, "AP §3.1"),
    ("an id that is no text", {"id": {"id": VALID["id"]}}, "AP §3.1"),
    ("no actor", {"actor": "away"}, "AP §3.1"),
    ("two actors", {"actor": [VALID["actor"], VALID["actor"]]}, "AP §3.1"),
    ("an endless actor", {"actor": VALID["actor"] + "x" * 500}, "AP §3.1"),
    ("an actor without an id", {"actor": {"type": "Person"}}, "AP §3.1"),
    ("an id of another origin", {"id": "https://one.example/activities/1"}, "FEP-fe34"),
    ("an id of another did", {"id": VALID["id"].replace("DooWp", "DooWq")}, "FEP-fe34"),
    ("an id that is no id", {"id": "urn:uuid:1"}, "FEP-fe34"),
    ("a did in capitals", {"id": VALID["id"].replace("did:key", "DID:KEY")}, "FEP-fe34"),
    ("a did in escapes", {"id": VALID["id"].replace("did:key:", "did%3Akey%3A")}, "FEP-fe34"),
    ("an actor that is no id", {"actor": "urn:uuid:1", "id": "urn:uuid:1"}, "FEP-fe34"),
    ("two objects", {"object": ["https://a.example/1", "https://a.example/2"]}, "AP §7.1"),
    ("no object in a list", {"object": []}, "AP §7.1"),
    ("an object that runs", {"object": "javascript:alert(1)"}, "FEP-fe34"),
    ("an object of a file", {"object": {"id": "file:///etc/passwd"}}, "FEP-fe34"),
    ("a log that is a list", {"log": [1, 2]}, "Tadamun log §3"),
    ("a log that is empty", {"log": {}}, "Tadamun log §3"),
    ("no epoch", {"log": place(epoch="away")}, "Tadamun log §3"),
    ("epoch 0", {"log": place(epoch=0)}, "Tadamun log §3"),
    ("an epoch that no column holds", {"log": place(epoch=2**31)}, "Tadamun log §3"),
    ("an epoch that is true", {"log": place(epoch=True)}, "Tadamun log §3"),
    ("an epoch that is a fraction", {"log": place(epoch=1.0)}, "Tadamun log §3"),
    ("an epoch that is text", {"log": place(epoch="1")}, "Tadamun log §3"),
    ("sequence 0", {"log": place(sequence=0)}, "Tadamun log §3"),
    ("a sequence below 0", {"log": place(sequence=-1)}, "Tadamun log §3"),
    ("no nonce", {"log": place(nonce="away")}, "Tadamun log §3"),
    ("a nonce that can be guessed", {"log": place(nonce="1" * 19)}, "Tadamun log §3"),
    ("an endless nonce", {"log": place(nonce="1" * 65)}, "Tadamun log §3"),
    ("no previous in the middle", {"log": place(previous=None)}, "Tadamun log §3"),
    ("a previous in the first entry", {"log": place(sequence=1)}, "Tadamun log §3"),
    ("a previous that is no text", {"log": place(previous=7)}, "Tadamun log §3"),
]


@pytest.mark.parametrize(("changes", "rule"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_activity_is_refused_by_its_rule(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(**changes)
    assert rule in caught.value.spec


def test_the_host_in_an_id_says_nothing_about_whose_it_is() -> None:
    moved = parse(actor=f"{ELSEWHERE}/actor")
    assert (moved.actor, moved.did) == (parse().actor, DID)
    assert parse(actor=f"ap://{DID}/actor").actor == moved.actor


def test_an_actor_on_a_domain_has_no_did() -> None:
    found = parse(id="https://One.example:443/1", actor="https://one.example./users/amal", log="away")
    assert (found.did, found.actor, found.id) == (None, "https://one.example/users/amal", "https://one.example/1")


def test_objects_and_actors_may_be_embedded_or_named() -> None:
    assert parse(actor={"id": VALID["actor"], "type": "Person"}).actor == parse().actor
    assert parse(object="https://a.example/1").object is None
    assert parse(object=["https://a.example/1"]).object_id == "https://a.example/1"
    assert parse(object={"type": "Note"}).object_id is None
    assert parse(object="away").object_id is None
    assert parse(type="Flag", object=["https://a.example/1", "https://a.example/2"]).object_id == "https://a.example/1"
    assert parse(object={"type": ["Note", "x:Alert"]}).object_type == "Note"
    assert parse(object={"type": [["Note"]]}).object_type is None


@pytest.mark.parametrize("form", [PUBLIC, "as:Public", "Public"])
@pytest.mark.parametrize("name", ["to", "cc", "audience"])
def test_everyone_has_three_spellings_and_three_places(form: str, name: str) -> None:
    away = dict.fromkeys(("to", "cc", "audience"), "away")
    assert parse(**away | {name: form}).public
    assert parse(**away | {name: [{"id": form}]}).public
    assert not parse(**away | {name: form + "/"}).public


def test_of_a_huge_audience_a_thousand_are_read() -> None:
    many = [f"https://a{number}.example/users/x" for number in range(5000)]
    assert len(activities.addresses({"to": many, "cc": [*many, 7, None, {}], "audience": many})) == 1000
    assert not parse(to=[*many[:1000], PUBLIC], cc="away").public


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.sampled_from([AS2, PUBLIC, VALID["id"], VALID["actor"], "https://[", "https://a.example:x/", "did:key:z6Mk"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*VALID, "epoch", "nonce", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(VALID)), JSON, max_size=3))
def test_any_value_anywhere_is_read_or_refused(changes: dict[str, Any]) -> None:
    value = {**VALID, **changes}
    try:
        found = parse_activity(Document(b"", value))
    except NodeError:
        return
    _ = (found.did, found.object_type, found.public, found.addresses)
    assert found.type and found.id and found.actor


@given(st.dictionaries(st.sampled_from(["epoch", "sequence", "previous", "nonce"]), JSON))
def test_any_log_position_is_whole_or_refused(changes: dict[str, Any]) -> None:
    try:
        found = activities.parse_position({**VALID["log"], **changes})
    except NodeError:
        return
    assert found is not None
    assert 1 <= found.epoch <= activities.MAX_EPOCH
    assert found.sequence >= 1
    assert (found.previous is None) == (found.sequence == 1)

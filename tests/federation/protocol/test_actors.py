"""Actor documents: what ours says, which of others' are taken, and whose keys count."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError
from node.federation.protocol import actors, ids, keys
from node.federation.protocol.actors import Actor, Profile, find_key, parse_actor
from node.federation.protocol.messages import Document, parse_document

NOW = datetime(2026, 11, 20, 13, 0, 5, tzinfo=UTC)
KEY = keys.generate_organisation_key()
RSA = keys.generate_rsa_key().public_key()
PEM = keys.public_pem(RSA)
PROFILE = Profile(KEY.did, "https://one.example", "org", "منظمة", "Exercise", "ar", "IQ", RSA, "zRecovery")
OURS = actors.render_actor(PROFILE, (1, 3), NOW, NOW)
URI = "https://peer.example/users/amal"
THEIRS: dict[str, Any] = {
    "@context": [actors.AS2, actors.SECURITY],
    "id": URI,
    "type": "Person",
    "preferredUsername": "amal",
    "name": "Amal (exercise)",
    "summary": "<p>x</p>",
    "url": "https://peer.example/@amal",
    "inbox": f"{URI}/inbox",
    "outbox": f"{URI}/outbox",
    "followers": f"{URI}/followers",
    "endpoints": {"sharedInbox": "https://peer.example/inbox"},
    "publicKey": {"id": f"{URI}#main-key", "owner": URI, "publicKeyPem": PEM},
    "assertionMethod": [
        {"id": f"{URI}#ed25519-key", "type": "Multikey", "controller": URI, "publicKeyMultibase": KEY.multikey}
    ],
    "alsoKnownAs": ["https://old.example/users/amal"],
}


def parse(value: dict[str, Any]) -> Actor:
    return parse_actor(parse_document(json.dumps(value).encode()))


def theirs(**changes: Any) -> Actor:
    value = {**copy.deepcopy(THEIRS), **changes}
    return parse({name: item for name, item in value.items() if item != "away"})


def key(**changes: Any) -> dict[str, Any]:
    return {**THEIRS["publicKey"], **changes}


def test_our_own_document_reads_as_what_was_said() -> None:
    found = parse(OURS)
    base = f"https://one.example/.well-known/apgateway/{KEY.did}/actor"
    assert (found.id, found.uri, found.did) == (f"ap+ef61://{KEY.did}/actor", base, KEY.did)
    assert (found.inbox, found.shared_inbox) == (f"{base}/inbox", "https://one.example/inbox")
    assert (found.handle, found.name, found.type, found.order) == ("org", "منظمة", "Organization", (1, 3))
    assert (found.gateways, found.recovery) == (("https://one.example",), "zRecovery")
    assert [(each.id, each.algorithm) for each in found.keys] == [
        (f"ap+ef61://{KEY.did}/actor#main-key", "rsa"),
        (f"ap+ef61://{KEY.did}/actor#ed25519-key", "ed25519"),
    ]
    assert find_key(found, f"https://other.example/.well-known/apgateway/{KEY.did}/actor#main-key") == found.keys[0]


def test_our_document_is_one_that_the_fediverse_reads() -> None:
    """GoToSocial reads the first key, Mastodon wants one; an unknown context address makes Fedify drop it."""
    assert OURS["publicKey"]["owner"] == OURS["id"]
    assert [each for each in OURS["@context"] if isinstance(each, str)] == [
        actors.AS2, actors.SECURITY, actors.DATA_INTEGRITY, actors.DID, actors.MULTIKEY,
    ]  # fmt: skip
    assert OURS["webfinger"] == "org@one.example"
    assert "movedTo" not in OURS
    application = actors.render_application("https://one.example:8443", RSA)
    assert parse(application).did is None
    assert application["preferredUsername"] == "one.example"


def test_another_servers_actor_is_read_whole() -> None:
    found = theirs(movedTo="https://new.example/users/amal")
    assert (found.id, found.inbox, found.order, found.gateways) == (URI, f"{URI}/inbox", (0, 0), ())
    assert found.moved_to == "https://new.example/users/amal"
    assert found.aliases == ("https://old.example/users/amal",)
    assert [each.id for each in found.keys] == [f"{URI}#main-key", f"{URI}#ed25519-key"]


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("no context", {"@context": "away"}),
    ("no id", {"id": "away"}),
    ("an id that is no text", {"id": 7}),
    ("an endless id", {"id": URI + "x" * 500}),
    ("an id of no scheme of ours", {"id": "ftp://peer.example/users/amal"}),
    ("an id with a user", {"id": "https://x@peer.example/users/amal"}),
    ("an id in full-width letters", {"id": "https://ｐeer.example/users/amal"}),
    ("an id in Cyrillic", {"id": "https://реer.example/users/amal"}),
    ("an id with an escape in its host", {"id": "https://peer%2Eexample/users/amal"}),
    ("a post", {"type": "Note"}),
    ("no type", {"type": "away"}),
    ("types that begin with a post", {"type": ["Note", "Person"]}),
    ("a type that is an object", {"type": [{"Person": 1}]}),
    ("a type that is a list", {"type": [["Person"]]}),
    ("no inbox", {"inbox": "away"}),
    ("an inbox that runs", {"inbox": "javascript:alert(1)"}),
    ("an inbox in a file", {"inbox": "file:///etc/passwd"}),
    ("an inbox without a host", {"inbox": "https:///inbox"}),
    ("an inbox of another host", {"inbox": "https://victim.example/inbox"}),
    ("an inbox of another port", {"inbox": "https://peer.example:8443/inbox"}),
    ("an inbox of another scheme", {"inbox": "http://peer.example/inbox"}),
    ("a did as id of another actor", {"id": OURS["id"]}),
    ("a log position that is none", {"logPosition": {"epoch": "1", "sequence": 1}}),
    ("a log position that no column holds", {"logPosition": {"epoch": 2**31, "sequence": 1}}),
    ("a move to nowhere", {"movedTo": "urn:uuid:1"}),
]


@pytest.mark.parametrize("changes", [each[1] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_actor_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        theirs(**changes)


KEYS: list[tuple[str, dict[str, Any], int]] = [
    ("the one everybody has", key(), 1),
    ("GoToSocial's, a path", key(id=f"{URI}/main-key"), 1),
    ("a query", key(id=f"{URI}?operation=key"), 1),
    ("the actor's own id", key(id=URI), 1),
    ("another case of the host", key(id="https://PEER.example:443/users/amal#main-key"), 1),
    ("owned by a neighbour", key(owner="https://peer.example/users/badr"), 0),
    ("owned by another host", key(owner="https://evil.example/users/amal"), 0),
    ("without an owner", key(owner=None), 0),
    ("under a neighbour's id", key(id="https://peer.example/users/badr#main-key"), 0),
    ("under a longer name", key(id="https://peer.example/users/amalia#main-key"), 0),
    ("under the host's id", key(id="https://peer.example/actor#main-key"), 0),
    ("under another host's id", key(id="https://evil.example/users/amal#main-key"), 0),
    ("under a did", key(id=f"{KEY.did}#main-key"), 0),
    ("without an id", key(id=None), 0),
    ("that is no key", key(publicKeyPem="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), 0),
    ("that is no text", key(publicKeyPem=7), 0),
    ("under an endless id", key(id=f"{URI}#{'k' * 500}"), 0),
]


@pytest.mark.parametrize(("value", "count"), [each[1:] for each in KEYS], ids=[each[0] for each in KEYS])
def test_a_key_counts_if_it_is_the_actors_own_and_under_the_actors_own_id(value: dict[str, Any], count: int) -> None:
    """GHSA-37jf-59fg-9hpr: a key id listed by a neighbour would shut out whom it belongs to."""
    assert len(theirs(publicKey=value, assertionMethod="away").keys) == count
    assert len(theirs(publicKey=[value, "x", None, 7, []], assertionMethod="away").keys) == count


def test_an_actor_whose_id_ends_in_a_stroke_has_its_keys() -> None:
    uri = "https://threads.example/ap/users/amal/"
    value = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": PEM}
    found = theirs(id=uri, inbox=uri + "inbox", publicKey=value, assertionMethod="away")
    assert [each.id for each in found.keys] == [f"{uri}#main-key"]


def test_a_did_has_the_keys_of_all_its_ids_and_no_others() -> None:
    other = keys.generate_organisation_key().did
    for key_id, count in (
        (f"{KEY.did}#{KEY.multikey}", 1),
        (f"{other}#x", 0),
        ("https://one.example/actor#main-key", 0),
    ):
        value = {**OURS["publicKey"], "id": key_id}
        assert len(parse({**OURS, "publicKey": value, "assertionMethod": []}).keys) == count


def test_only_a_key_that_is_listed_is_found() -> None:
    with pytest.raises(ProtocolError) as caught:
        find_key(theirs(), f"{URI}#other-key")
    assert caught.value.status == 401


def test_lists_and_texts_are_bounded() -> None:
    """GHSA-gg8q-rcg7-p79g."""
    found = theirs(
        name="n" * 10_000,
        summary="s" * 100_000,
        preferredUsername="u" * 10_000,
        publicKey=[key(id=f"{URI}#k{number}") for number in range(20)],
        assertionMethod="away",
        alsoKnownAs=[f"https://a{number}.example/" for number in range(1000)],
    )
    assert (len(found.name), len(found.summary), len(found.handle)) == (500, 20_000, 200)
    assert (len(found.keys), len(found.aliases)) == (10, 256)


def test_addresses_that_run_are_left_out() -> None:
    """GHSA-x2rc-v5wx-g3m5."""
    found = theirs(
        url="javascript:alert(1)", outbox="data:text/html,x", followers="urn:x", alsoKnownAs=["javascript:1"]
    )
    assert (found.url, found.outbox, found.followers, found.aliases) == (None, None, None, ())


def test_a_shared_inbox_on_another_host_is_not_used() -> None:
    assert theirs(endpoints={"sharedInbox": "https://victim.example/inbox"}).shared_inbox is None
    assert theirs(endpoints=["https://peer.example/inbox"]).shared_inbox is None


@pytest.mark.parametrize(
    "changes",
    [
        {"gateways": []},
        {"gateways": ["https://other.example"]},
        {"gateways": ["urn:x"]},
        {"gateways": "away"},
        {"inbox": "https://other.example/inbox"},
    ],
)
def test_a_portable_actors_inbox_is_on_a_gateway_of_its_own(changes: dict[str, Any]) -> None:
    value = {name: item for name, item in {**OURS, **changes}.items() if item != "away"}
    with pytest.raises(ProtocolError):
        parse(value)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([URI, OURS["id"], PEM, KEY.did, KEY.multikey, "Person", "https://[::1", "https://a:x/"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "owner", "publicKeyPem", "sharedInbox", "epoch", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(
    st.sampled_from([OURS, THEIRS]), st.dictionaries(st.sampled_from(sorted({*OURS, *THEIRS})), ANYTHING, max_size=3)
)
def test_any_value_anywhere_is_read_or_refused(base: dict[str, Any], changes: dict[str, Any]) -> None:
    try:
        found = parse_actor(Document(b"", {**base, **changes}))
    except NodeError:
        return
    assert found.id == ids.canonical(found.uri)
    assert all(each.owner == found.id and ids.same_origin(each.id, found.id) for each in found.keys)
    for place in _places(found):
        ids.origin_of_location(place)


def _places(found: Actor) -> Iterator[str]:
    yield found.inbox
    yield from (each for each in (found.shared_inbox, found.outbox, found.followers, found.url) if each is not None)

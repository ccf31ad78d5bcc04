"""RsaSignature2017: a Mastodon-shaped post signed and verified, and advisories 10 to 15 replayed on it."""

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import alert_terms
from node.errors import ProtocolError
from node.federation.protocol import actors, contexts, integrity_proofs, jsonld, keys
from node.federation.protocol import linked_data_signatures as ld
from node.federation.protocol.messages import JsonObject

NOW = datetime(2026, 11, 20, 13, 0, 5, tzinfo=UTC)
KEY = keys.generate_rsa_key()
MASTODON: JsonObject = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mastodon_create.json").read_text()
)["document"]
ACTOR = MASTODON["actor"]
CREATOR = f"{ACTOR}#main-key"
PUBLIC = keys.PublicKey(CREATOR, ACTOR, "rsa", KEY.public_key())
SIGNED = ld.sign(MASTODON, KEY, CREATOR, NOW)
SMALL: JsonObject = {
    "@context": [contexts.AS2, {"sensitive": "as:sensitive"}],
    "id": "https://social.example/1",
    "type": "Create",
    "actor": ACTOR,
    "object": {"id": "https://social.example/2", "type": "Note", "content": "x", "sensitive": True},
}


def verify(document: JsonObject, key: keys.PublicKey = PUBLIC, now: datetime = NOW) -> None:
    ld.verify(document, ld.check(document), key, now)


def refused(document: JsonObject, reason: str = ".", **how: Any) -> int:
    with pytest.raises(ProtocolError, match=reason) as caught:
        verify(document, **how)
    return caught.value.status


def changed(change: Callable[[JsonObject], Any], document: JsonObject = SIGNED) -> JsonObject:
    document = copy.deepcopy(document)
    change(document)
    return document


def test_a_post_of_mastodons_shape_is_signed_and_verified():
    verify(SIGNED)
    assert {name: value for name, value in SIGNED.items() if name != "signature"} == MASTODON
    assert set(SIGNED["signature"]) == {"type", "creator", "created", "signatureValue"}
    assert SIGNED["signature"]["created"] == "2026-11-20T13:00:05Z"


def test_the_signed_bytes_are_the_two_hashes_that_mastodon_computes():
    # Written out by hand from the two contexts, so that a wrong context file shows.
    dc, xsd = "http://purl.org/dc/terms/", "http://www.w3.org/2001/XMLSchema#"
    as2, rdf = f"{contexts.AS2}#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    options = [
        f'_:c14n0 <{dc}created> "2026-11-20T13:00:05Z"^^<{xsd}dateTime> .\n',
        f"_:c14n0 <{dc}creator> <{CREATOR}> .\n",
        f'_:c14n0 <https://w3id.org/security#expiration> "2026-11-22T13:00:05Z"^^<{xsd}dateTime> .\n',
    ]
    document = [
        f"<https://social.example/1> <{rdf}> <{as2}Create> .\n",
        f"<https://social.example/1> <{as2}actor> <{ACTOR}> .\n",
        f"<https://social.example/1> <{as2}object> <https://social.example/2> .\n",
        f"<https://social.example/2> <{rdf}> <{as2}Note> .\n",
        f'<https://social.example/2> <{as2}content> "x" .\n',
        f'<https://social.example/2> <{as2}sensitive> "true"^^<{xsd}boolean> .\n',
    ]
    hashes = [hashlib.sha256("".join(lines).encode()).hexdigest() for lines in (options, document)]
    value = base64.b64encode(keys.sign_rsa(KEY, "".join(hashes).encode())).decode()
    signed = ld.sign(SMALL, KEY, CREATOR, NOW, NOW + timedelta(days=2))
    assert signed["signature"]["signatureValue"] == value
    verify(signed)


def test_the_nonce_that_misskey_adds_is_covered():
    options = {"creator": CREATOR, "created": "2026-11-20T13:00:05Z", "nonce": "00112233"}
    hashed = [{"@context": contexts.IDENTITY_V1, **options}, SMALL]
    data = "".join(hashlib.sha256(jsonld.canonize(item).encode()).hexdigest() for item in hashed)
    value = base64.b64encode(keys.sign_rsa(KEY, data.encode())).decode()
    signed = {**SMALL, "signature": {"type": "RsaSignature2017", **options, "signatureValue": value}}
    verify(signed)
    refused(changed(lambda d: d["signature"].update(nonce="00112234"), signed), "does not hold")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each leaf, object and array of a document stands."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in pairs:
        yield from places(item, (*path, name))


def at(document: JsonObject, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "https://evil.example/x" if value is None or ":" in value else value + "x"


COVERED = [path for path in places(SIGNED) if path[0] not in ("@context", "signature")]
LEAVES = [path for path in COVERED if not isinstance(at(SIGNED, path), dict | list)]
FULL = [path for path in COVERED if at(SIGNED, path) not in (None, [])]
ADDED = ("extra", "startTime", "summary", "toot:x", "as:summary", f"{contexts.AS2}#summary")
OBJECTS = [path for path in COVERED if isinstance(at(SIGNED, path), dict)]


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_advisory_15_no_leaf_can_be_changed(path: tuple[Any, ...]):
    value = another(at(SIGNED, path))
    refused(changed(lambda d: at(d, path[:-1]).__setitem__(path[-1], value)))


@pytest.mark.parametrize("path", FULL, ids=lambda path: ".".join(map(str, path)))
def test_advisory_15_nothing_can_be_taken_away(path: tuple[Any, ...]):
    refused(changed(lambda d: at(d, path[:-1]).pop(path[-1])))


def test_null_and_an_empty_array_say_the_same_as_nothing():
    for path in (("object", "summary"), ("object", "replies", "first", "items")):
        verify(changed(lambda d, p=path: at(d, p[:-1]).pop(p[-1])))


@pytest.mark.parametrize("path", OBJECTS, ids=str)
@pytest.mark.parametrize("name", ADDED)
def test_advisory_15_nothing_can_be_added(path: tuple[Any, ...], name: str):
    refused(changed(lambda d: at(d, path).update({name: "added"})))


def test_advisory_15_a_term_that_drops_its_value_is_refused():
    # Mastodon's attributionDomains was defined as IRIs and held bare hosts: nothing of them was signed.
    defined = {"attributionDomains": {"@id": "toot:attributionDomains", "@type": "@id"}}
    document = changed(lambda d: d.update(attributionDomains=["social.example"]), MASTODON)
    document["@context"][1].update(defined)
    with pytest.raises(ProtocolError, match="not an IRI"):
        ld.sign(document, KEY, CREATOR, NOW)


def alias(old: str, new: str, iri: str) -> Callable[[JsonObject], None]:
    def rename(document: JsonObject) -> None:
        document["@context"][1].pop(old, None)
        document["@context"][1][new] = iri
        document["object"][new] = document["object"].pop(old)

    return rename


def same_graph(document: JsonObject) -> None:
    """An attack that the signature itself does not see: the canonical form is that of the signed document."""
    signed, moved = ({k: v for k, v in d.items() if k != "signature"} for d in (SIGNED, document))
    assert jsonld.canonize(signed) == jsonld.canonize(moved)


ALIASES = {
    "content warning hidden": alias("sensitive", "harmless", "as:sensitive"),
    "content hidden": alias("content", "text", "as:content"),
    "content renamed by its compact IRI": alias("content", "as:content", "as:content"),
    "extension renamed": alias("conversation", "thread", "ostatus:conversation"),
    "reply hidden": alias("inReplyToAtomUri", "atom", "ostatus:inReplyToAtomUri"),
}


@pytest.mark.parametrize("name", ALIASES)
def test_advisory_10_an_alias_of_meaning_is_refused(name: str):
    document = changed(ALIASES[name])
    same_graph(document)
    assert refused(document) == 400


def swap_actor_and_target(document: JsonObject) -> None:
    """The reader would see another actor: `actor` becomes the name of what was `object`."""
    document["@context"][1].update({"actor": "as:summary", "summary": {"@id": "as:actor", "@type": "@id"}})
    document["summary"] = document.pop("actor")
    document["actor"] = ACTOR


SWAPS: dict[str, Callable[[JsonObject], Any]] = {
    "a term redefined": lambda d: d["@context"][1].update({"content": "as:summary"}),
    "two terms exchanged": swap_actor_and_target,
    "a vocabulary of one's own": lambda d: d["@context"][1].update({"@vocab": f"{contexts.AS2}#"}),
    "a base": lambda d: d["@context"][1].update({"@base": "https://social.example/"}),
    "a prefix named like a scheme": lambda d: d["@context"][1].update({"tag": "https://evil.example/"}),
    "a context fetched from elsewhere": lambda d: d["@context"].append("https://evil.example/context"),
    "a context in the object": lambda d: d["object"].update({"@context": {"content": "as:summary"}}),
    "ActivityStreams taken away": lambda d: d["@context"].pop(0),
}


@pytest.mark.parametrize("name", SWAPS)
def test_advisory_11_a_swapped_context_is_refused(name: str):
    assert refused(changed(SWAPS[name])) == 400


def graph(document: JsonObject) -> None:
    document["@graph"] = [{"id": document["id"], "object": document["object"]["id"]}, document["object"]]
    body = {k: document.pop(k) for k in list(document) if k not in ("@context", "@graph", "signature")}
    document["@graph"][0] = {**body, **document["@graph"][0]}


def included(document: JsonObject) -> None:
    document["@included"] = [document["object"]]
    document["object"] = document["object"]["id"]


def reverse(document: JsonObject) -> None:
    note = document.pop("object")
    create = {name: document.pop(name) for name in list(document) if name not in ("@context", "signature")}
    document.update({**note, "@reverse": {"object": create}})


def nest(document: JsonObject) -> None:
    document["object"]["@nest"] = {"content": document["object"].pop("content")}


@pytest.mark.parametrize("regroup", [graph, included, reverse, nest], ids=lambda f: f"@{f.__name__}")
def test_advisory_12_a_signed_create_that_is_regrouped_is_refused(regroup: Callable[[JsonObject], None]):
    document = changed(regroup)
    same_graph(document)
    assert refused(document) in (400, 401)


def test_advisory_12_a_signed_create_is_refused_with_its_note_moved():
    document = changed(lambda d: d.update(attachment=d["object"], object=d["object"]["id"]))
    assert refused(document, "described elsewhere") == 400


def test_advisory_13_a_named_graph_is_refused():
    document = changed(lambda d: d.update({"@graph": [d.pop("object")]}))
    assert refused(document, "can move") == 400


def test_advisory_13_a_context_that_makes_graphs_is_refused():
    context = {"object": {"@id": "as:object", "@type": "@id", "@container": "@graph"}}
    assert refused(changed(lambda d: d["@context"].append(context)), "second meaning") == 400


def test_advisory_14_keywords_under_other_names_are_refused():
    def rename(document: JsonObject) -> None:
        document["@context"][1].update({"with": "@included"})
        document["with"] = [document["object"]]
        document["object"] = document["object"]["id"]

    document = changed(rename)
    same_graph(document)
    assert refused(document) == 400


REFUSED: dict[str, tuple[Callable[[JsonObject], Any], str]] = {
    "no signature": (lambda d: d.pop("signature"), "no RsaSignature2017"),
    "a signature that is text": (lambda d: d.update(signature="x"), "no RsaSignature2017"),
    "another type": (lambda d: d["signature"].update(type="Ed25519Signature2018"), "no RsaSignature2017"),
    "no creator": (lambda d: d["signature"].pop("creator"), "'creator' is missing"),
    "no time": (lambda d: d["signature"].pop("created"), "'created' is missing"),
    "an unknown member": (lambda d: d["signature"].update(actor=ACTOR), "'actor' is missing, unknown"),
    "its own context": (lambda d: d["signature"].update({"@context": contexts.AS2}), "'@context' is"),
    "a creator that is no text": (lambda d: d["signature"].update(creator=[CREATOR]), "not text"),
    "no base64": (lambda d: d["signature"].update(signatureValue="ä"), "not base64"),
    "no time of day": (lambda d: d["signature"].update(created="yesterday"), "cannot be read"),
    "a time without zone": (lambda d: d["signature"].update(created="2026-11-20T13:00:05"), "no zone"),
    "another creator": (lambda d: d["signature"].update(creator="https://evil.example/"), "not the RSA key"),
    "another actor": (lambda d: d.update(actor="https://evil.example/actor"), "not the actor's"),
    "no actor": (lambda d: d.pop("actor"), "not the actor's"),
    "an earlier time": (lambda d: d["signature"].update(created="2026-11-20T12:00:05Z"), "does not hold"),
    "an expiry added": (lambda d: d["signature"].update(expires="2027-01-01T00:00:00Z"), "does not hold"),
    "another value": (lambda d: d["signature"].update(signatureValue="AAAA"), "does not hold"),
    "a proof beside it": (lambda d: d.update(proof={}), "beside a proof"),
    "a proof in the object": (lambda d: d["object"].update(proof={}), "beside a proof"),
    "data-integrity": (lambda d: d["@context"].append(contexts.DATA_INTEGRITY_V2), "on no data-integrity"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_signature_with_one_thing_wrong_is_refused(name: str):
    change, reason = REFUSED[name]
    refused(changed(change), reason)


def test_a_neighbours_key_is_refused():
    other = keys.generate_rsa_key().public_key()
    assert refused(SIGNED, "does not hold", key=keys.PublicKey(CREATOR, ACTOR, "rsa", other)) == 401
    stranger = keys.PublicKey(CREATOR, "https://social.example/users/other", "rsa", KEY.public_key())
    assert refused(SIGNED, "not the actor's", key=stranger) == 401


def test_times_are_kept():
    late = timedelta(hours=1, seconds=1)
    assert refused(SIGNED, "future", now=NOW - late) == 401
    verify(SIGNED, now=NOW - ld.SKEW)
    verify(SIGNED, now=NOW + timedelta(days=3650))
    signed = ld.sign(SMALL, KEY, CREATOR, NOW, NOW + timedelta(days=2))
    verify(signed, now=NOW + timedelta(days=2, seconds=-1))
    assert refused(signed, "expired", now=NOW + timedelta(days=2)) == 401
    forever = changed(lambda d: d["signature"].pop("expires"), signed)
    assert refused(forever, "does not hold", now=NOW + timedelta(days=3)) == 401


def test_times_are_written_in_utc():
    east = NOW.astimezone(timezone(timedelta(hours=3)))
    assert ld.sign(MASTODON, KEY, CREATOR, east) == SIGNED


@pytest.mark.parametrize(
    "member",
    [
        {"proof": {}},
        {"signature": {}},
        {"extra": 1},
        {"@context": [contexts.AS2, contexts.DATA_INTEGRITY_V1]},
    ],
    ids=["proof", "signature", "undefined term", "data-integrity"],
)
def test_what_others_would_drop_is_not_signed(member: JsonObject):
    with pytest.raises(ProtocolError):
        ld.sign({**SMALL, **member}, KEY, CREATOR, NOW)


LOG = {"log": {"@id": "tadamun:log", "@type": "@json"}}


def alert(organisation: keys.OrganisationKey, origin: str) -> JsonObject:
    """An exercise as it goes to members: proofs on the activity and on the Note, a place in the log."""
    actor = actors.actor_uri(organisation.did, origin)
    method = f"{organisation.did}#{organisation.multikey}"
    terms = dict(alert_terms.TERMS)
    note = integrity_proofs.sign(
        {
            "@context": [contexts.AS2, contexts.DATA_INTEGRITY_V1, terms],
            "id": f"{origin}/objects/1",
            "type": "Note",
            "attributedTo": actor,
            "content": "تدريب",
            "contentMap": {"ar": "تدريب"},
            "alertStatus": "exercise",
            "headline": "تدريب",
            "demands": ["one", "two"],
            "targets": [{"office": "an office", "countryCode": "IQ", "officeLanguage": "ar"}],
            "expires": "2027-01-01T00:00:00Z",
            "interactionPolicy": {"canQuote": {"automaticApproval": [f"{contexts.AS2}#Public"]}},
            "to": [f"{contexts.AS2}#Public"],
        },
        organisation,
        method,
        NOW,
    )
    activity = {
        "@context": [contexts.AS2, contexts.DATA_INTEGRITY_V1, {**terms, **LOG}],
        "id": f"{origin}/activities/1",
        "type": "Create",
        "actor": actor,
        "log": {"epoch": 1, "sequence": 1, "previous": None, "nonce": "n"},
        "to": [f"{contexts.AS2}#Public"],
        "object": note,
    }
    return integrity_proofs.sign(activity, organisation, method, NOW)


def own(organisation: keys.OrganisationKey, origin: str) -> tuple[str, keys.PublicKey]:
    actor = actors.actor_uri(organisation.did, origin)
    return f"{actor}#main-key", keys.PublicKey(f"{actor}#main-key", actor, "rsa", KEY.public_key())


def test_our_own_alert_is_signed_without_its_proofs_and_every_leaf_of_it_is_covered():
    organisation, origin = keys.generate_organisation_key(), "https://exercise.example"
    activity = alert(organisation, origin)
    before = copy.deepcopy(activity)
    bare = ld.for_ld(activity)
    assert activity == before
    assert bare["@context"] == [contexts.AS2, {**alert_terms.TERMS, **LOG}]
    assert "proof" not in bare and "proof" not in bare["object"] and "@context" not in bare["object"]
    creator, public = own(organisation, origin)
    signed = ld.sign(bare, KEY, creator, NOW)
    verify(signed, key=public)
    for path in places({name: value for name, value in bare.items() if name != "@context"}):
        if at(bare, path) is not None and not isinstance(at(bare, path), dict | list):
            value = another(at(bare, path))
            forged = changed(lambda d, p=path, v=value: at(d, p[:-1]).__setitem__(p[-1], v), signed)
            refused(forged, key=public)


def test_an_update_of_our_actor_can_be_signed_without_its_multikey():
    organisation, origin = keys.generate_organisation_key(), "https://exercise.example"
    creator, public = own(organisation, origin)
    profile = actors.Profile(
        did=organisation.did,
        origin=origin,
        handle="exercise",
        name="An exercise",
        summary="",
        language="ar",
        country="IQ",
        rsa=KEY.public_key(),
        recovery="zExercise",
        moved_to="https://standby.example/actor",
    )
    document = actors.render_actor(profile, (1, 1), NOW, NOW)
    update = {
        "@context": document["@context"],
        "id": f"{origin}/activities/2",
        "type": "Update",
        "actor": document["id"],
        "object": document,
    }
    bare = ld.for_ld(update)
    assert "assertionMethod" not in bare["object"]
    assert contexts.MULTIKEY_V1 not in bare["@context"]
    verify(ld.sign(bare, KEY, creator, NOW), key=public)


def test_documents_that_are_no_activities_are_left_as_they_are():
    assert ld.for_ld({"@context": contexts.AS2, "object": "https://a.example/1"}) == {
        "@context": [contexts.AS2],
        "object": "https://a.example/1",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6) | st.sampled_from([ACTOR, contexts.AS2]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(list(SIGNED)), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(places(SIGNED))), JSON)
def test_a_replaced_part_is_refused_or_says_the_same(path: tuple[Any, ...], value: Any):
    document = changed(lambda d: at(d, path[:-1]).__setitem__(path[-1], value))
    try:
        verify(document)
    except ProtocolError:
        return
    same_graph(document)
    assert says(document) == says(SIGNED)


def says(value: Any) -> Any:
    """What a reader of plain JSON takes from a document: nulls are nothing, and one is the same as [one]."""
    if isinstance(value, dict):
        read = {name: says(item) for name, item in value.items() if name not in ("@context", "signature")}
        return {name: item for name, item in read.items() if item not in (None, [], {})}
    if isinstance(value, list):
        items = [says(item) for item in value if item is not None]
        return items[0] if len(items) == 1 else items
    return value

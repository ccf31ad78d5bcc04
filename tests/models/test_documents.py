"""Others' documents: actors with the keys of their newest document, objects, and what must never come back."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from node.errors import ProtocolError
from node.federation.protocol import keys
from node.federation.protocol.actors import Actor, parse_actor
from node.federation.protocol.messages import parse_document
from node.models import contacts, documents
from node.models.documents import Finding, Stored
from tests.models.samples import ACTOR, DID, MEMBER, NOW, OTHER

ALICE = "https://social.example/users/alice"
OBJECT = f"ap+ef61://{OTHER}/objects/1"
STORED = Stored(
    id=OBJECT,
    type="alert",
    author=ACTOR,
    raw=b"{}",
    published="2026-11-20T10:00:00Z",
    updated=None,
    state=documents.SHOWN,
    epoch=1,
    sequence=2,
    via="org2.example",
    received=NOW,
    page=documents.page_name(OBJECT),
)


@pytest.fixture(scope="module")
def pem() -> str:
    return keys.public_pem(keys.generate_rsa_key().public_key())


@pytest.fixture
def write(database):
    def run(function, *arguments, **options):
        return database.write_now(lambda connection: function(connection, *arguments, **options))

    return run


def person(pem: str, uri: str = ALICE, key: str = "#main-key", **changes: object) -> Actor:
    document = {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": uri,
        "type": "Person",
        "preferredUsername": "alice",
        "inbox": uri + "/inbox",
        "publicKey": {"id": uri + key, "owner": uri, "publicKeyPem": pem},
    }
    return parse_actor(parse_document(orjson.dumps(document | changes)))


# Actors and keys


def test_an_actor_comes_back_with_its_keys(write, pem):
    alice = person(pem)
    write(documents.save_actor, alice, NOW)
    assert write(documents.actor, ALICE) == alice
    assert write(documents.actor_age, ALICE) == NOW
    assert write(documents.key, ALICE + "#main-key") == alice.keys[0]


def test_of_one_we_never_met_there_is_nothing(write):
    assert write(documents.actor, ALICE) is None
    assert write(documents.actor_age, ALICE) is None
    assert write(documents.key, ALICE + "#main-key") is None


def test_a_key_that_is_not_in_the_newest_document_is_no_key(write, pem):
    write(documents.save_actor, person(pem), NOW)
    newer = person(pem, key="#second")
    write(documents.save_actor, newer, NOW + timedelta(days=1))
    assert write(documents.key, ALICE + "#main-key") is None
    assert write(documents.key, ALICE + "#second") == newer.keys[0]
    assert write(documents.actor_age, ALICE) == NOW + timedelta(days=1)


def test_a_forgotten_actor_has_no_keys(write, pem):
    write(documents.save_actor, person(pem), NOW)
    write(documents.forget_actor, ALICE)
    assert write(documents.actor, ALICE) is None
    assert write(documents.key, ALICE + "#main-key") is None


def test_who_a_frozen_member_is_only_its_log_says(write, pem):
    uri = MEMBER.uri
    proven = person(pem, uri, gateways=["https://org2.example"], inbox=uri + "/inbox")
    write(contacts.pin, DID, MEMBER)
    write(contacts.freeze, DID, OTHER, (1, 1))
    with pytest.raises(ProtocolError, match="frozen"):
        write(documents.save_actor, proven, NOW)
    write(documents.save_actor, proven, NOW, from_log=True)
    assert write(documents.actor, ACTOR) == proven


def test_a_key_that_could_not_be_had_is_left_alone_for_a_while(write):
    write(documents.mark_dead, ALICE + "#main-key", NOW + timedelta(hours=1))
    write(documents.mark_dead, ALICE + "#main-key", NOW + timedelta(hours=2))
    assert write(documents.is_dead, ALICE + "#main-key", NOW + timedelta(hours=1))
    assert not write(documents.is_dead, ALICE + "#main-key", NOW + timedelta(hours=2))
    assert not write(documents.is_dead, ALICE + "#other", NOW)


# Objects


def test_an_object_comes_back_as_it_was_stored_and_is_replaced(write):
    write(documents.store, DID, STORED)
    assert write(documents.stored, DID, OBJECT) == STORED
    assert write(documents.stored, OTHER, OBJECT) is None
    newer = replace(STORED, raw=b'{"a": 1}', updated="2026-11-21T10:00:00Z")
    write(documents.store, DID, newer)
    assert write(documents.stored, DID, OBJECT) == newer


@pytest.mark.parametrize("known", [True, False])
def test_what_is_gone_leaves_a_row_without_text(write, known):
    if known:
        write(documents.store, DID, STORED)
    write(documents.hide, DID, OBJECT, ACTOR, NOW)
    found = write(documents.stored, DID, OBJECT)
    assert (found.raw, found.state, found.type, found.author) == (None, documents.GONE, "Tombstone", ACTOR)
    assert write(documents.page_gone, DID, documents.page_name(OBJECT))
    assert not write(documents.page_gone, OTHER, documents.page_name(OBJECT))


def test_a_page_that_is_there_is_not_gone(write):
    write(documents.store, DID, STORED)
    assert not write(documents.page_gone, DID, STORED.page)


def test_an_author_is_dropped_with_everything(write):
    write(documents.store, DID, STORED)
    write(documents.store, DID, replace(STORED, id=OBJECT + "2"))
    write(documents.store, DID, replace(STORED, id=OBJECT + "3", author=ALICE))
    write(documents.drop_author, DID, ACTOR)
    assert write(documents.stored, DID, OBJECT) is None
    assert write(documents.stored, DID, OBJECT + "3") is not None


def test_a_page_has_one_name_on_every_node():
    assert documents.page_name(OBJECT) == documents.page_name(OBJECT)
    assert len(documents.page_name(OBJECT)) == 16
    assert documents.page_name(OBJECT) != documents.page_name(OBJECT + "2")


# Counters, reports, evidence


def test_counters_add_up_each_organisation_for_itself(write):
    write(documents.count, DID, "unknown Arrive", 2)
    write(documents.count, DID, "unknown Arrive")
    write(documents.count, OTHER, "unknown Arrive")
    assert write(documents.counted, DID) == {"unknown Arrive": 3}


def test_a_name_somebody_else_chose_is_cut_and_harms_nobody(write):
    write(documents.count, DID, "unknown \0" + "ء" * 500)
    (name,) = write(documents.counted, DID)
    assert len(name) == 120


def test_names_beyond_the_five_hundredth_are_counted_together(write):
    def fill(connection):
        for number in range(505):
            documents.count(connection, DID, f"unknown {number}")

    write(fill)
    found = write(documents.counted, DID)
    assert len(found) <= 501
    assert sum(found.values()) == 505
    assert found["other"] == 5


def test_a_report_is_kept(write):
    write(documents.report, DID, "Flag", ALICE, OBJECT, NOW)


def test_evidence_is_kept_once_newest_first(write):
    first = Finding("fork", OTHER, "org2.example", "two entries at 1/2", b"{}", NOW)
    second = replace(first, note="two entries at 1/3", made=NOW + timedelta(hours=1))
    for finding in (first, second, replace(first, made=NOW + timedelta(days=1))):
        write(documents.add_evidence, DID, finding)
    assert write(documents.evidence_of, DID) == (second, first)
    assert write(documents.evidence_of, OTHER) == ()


def test_evidence_has_an_end(write):
    finding = Finding("fork", OTHER, "org2.example", "", b"", NOW)

    def fill(connection):
        values = {name: getattr(finding, name) for name in Finding.__slots__ if name != "id"} | {"org": DID}
        connection.execute(documents.evidence.insert(), [values | {"note": str(number)} for number in range(1999)])

    write(fill)
    for note in ("one more", "and one more"):
        write(documents.add_evidence, DID, replace(finding, note=note))
    assert len(write(documents.evidence_of, DID)) == 2000


def test_a_destroyed_text_is_no_evidence_any_more_that_something_was_stays(write):
    finding = Finding("fork", OTHER, "org2.example", "two entries at 1/2", b"the text", NOW)
    write(documents.add_evidence, DID, finding)
    write(documents.forget_evidence, DID, b"the text")
    assert write(documents.evidence_of, DID) == (replace(finding, document=b""),)

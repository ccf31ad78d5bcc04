"""Evidence: what a document proves by itself, and what is only somebody's word."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from node import evidence, recovery
from node.effects import Accept, Ignore, Refuse
from node.effects import Testimony as Told
from node.errors import ProtocolError
from node.evidence import Evidence, Facts
from node.federation.protocol import heads, integrity_proofs, keys
from node.federation.protocol.activities import AS2, Activity
from node.federation.protocol.actors import DATA_INTEGRITY
from node.federation.protocol.replicas import Head, Header

KEY = keys.generate_organisation_key()
OTHER = keys.generate_organisation_key()
NOON = datetime(2026, 11, 20, 11, tzinfo=UTC)
DIGEST, SECOND = (recovery.commitment(recovery.generate()) for _ in range(2))
GOOD = Evidence("withheld", KEY.did, "org.example", "claimed head 1/9, did not supply it")


def head(sequence, minutes, *, digest="x", key=KEY):
    moment = NOON + timedelta(minutes=minutes)
    uri = f"https://org.example/.well-known/apgateway/{key.did}/actor"
    bare = heads.render_head(uri, Head(1, sequence, digest), f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    document = {"@context": [AS2, DATA_INTEGRITY, dict(evidence.TERMS)], **bare}
    return json.dumps(integrity_proofs.sign(document, key, f"{key.did}#{key.multikey}", NOON))


def header(sequence, previous=DIGEST, content=DIGEST, epoch=1, did=KEY.did):
    return Header(did, epoch, sequence, previous, content)


def rollback(*texts):
    return Evidence("rollback", KEY.did, "org.example", "went back", (), texts)


@pytest.mark.parametrize(
    ("seen", "proven"),
    [
        (rollback(head(5, 0), head(4, 1)), True),
        (rollback(head(5, 0), head(5, 1, digest="y")), True),
        (rollback(head(5, 0), head(5, 1)), False),
        (rollback(head(5, 0), head(6, 1)), False),
        (rollback(head(5, 1), head(4, 0)), False),
        (rollback(head(5, 0), head(4, 0)), False),
        (rollback(head(5, 0)), False),
        (rollback(head(5, 0), head(4, 1, key=OTHER)), False),
        (rollback(head(5, 0), head(4, 1).replace('"head": [1, 4', '"head": [1, 3')), False),
        (GOOD, False),
    ],
)
def test_a_rollback_is_proven_by_two_signed_heads_and_nothing_less(seen, proven):
    assert evidence.proves(seen, lambda _: True) is proven


@pytest.mark.parametrize(
    ("pair", "wanted"),
    [
        ((header(3), header(3, content=SECOND)), True),
        ((header(3), header(4, previous=SECOND)), True),
        ((header(3), header(4, previous=header(3).digest)), False),
        ((header(3), header(3)), False),
        ((header(3), header(3, content=SECOND, epoch=2)), False),
        ((header(3), header(5)), False),
        ((header(3), header(3, content=SECOND, did=OTHER.did)), False),
        ((header(3),), False),
    ],
)
def test_two_headers_contradict_each_other_only_within_one_epoch_and_side_by_side(pair, wanted):
    assert evidence.contradict(pair) is wanted
    seen = Evidence("fork", KEY.did, "org.example", "fork", pair)
    assert evidence.proves(seen, lambda _: True) is wanted
    assert evidence.proves(seen, lambda each: each == pair[0]) is False


def test_it_is_read_as_it_was_written():
    for seen in (GOOD, rollback(head(5, 0), head(4, 1)), Evidence("fork", KEY.did, "", "x", (header(3), header(4)))):
        assert evidence.parse(seen.value()) == seen
        assert evidence.read(json.dumps(seen.value()).encode()) == seen


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Note"},
        {"fault": "gossip"},
        {"about": "did:web:org.example"},
        {"about": None},
        {"seenAt": "x" * 301},
        {"summary": "x" * 401},
        {"summary": 1},
        {"headers": [header(1).value()] * 3},
        {"headers": [header(3, did=OTHER.did).value()]},
        {"headers": ["x"]},
        {"exhibits": ["x"] * 3},
        {"exhibits": [1]},
        {"exhibits": ["x" * 32_769]},
    ],
)
def test_what_is_no_evidence_is_refused(changes):
    with pytest.raises(ProtocolError):
        evidence.parse({**GOOD.value(), **changes})
    assert evidence.read(json.dumps({**GOOD.value(), **changes}).encode()) is None


def says(value):
    name = f"ap+ef61://{OTHER.did}/"
    return Activity(name + "activities/1", "Testify", name + "actor", None, value, None, {}, b"")


@pytest.mark.parametrize(
    ("activity", "facts", "decision"),
    [
        (says(GOOD.value()), Facts(True, False), Accept((Told(OTHER.did, GOOD.value()),))),
        (says(GOOD.value()), Facts(False, False), Ignore("only members testify")),
        (says(GOOD.value()), Facts(True, True), Ignore("the member is frozen")),
        (says({}), Facts(True, False), Refuse("no evidence of a kind that is known", "Tadamun design §4")),
    ],
)
def test_each_rule_of_a_testimony(activity, facts, decision):
    assert evidence.decide(activity, facts) == decision

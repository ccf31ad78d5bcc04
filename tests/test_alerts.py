"""What comes in, and what is done with it."""

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import alerts
from node.effects import Accept, HideObject, Ignore, Refuse, StoreObject
from node.errors import NodeError, ProtocolError
from node.federation.protocol.ids import canonical
from node.federation.protocol.messages import MAX_NOTE, parse_document
from tests.support.alert_examples import (
    ACTOR,
    ANYTHING,
    BASE,
    NOTE_ID,
    NOW,
    OTHER,
    PLACE,
    STRANGER,
    example,
    note,
)

# What comes in


def test_what_was_rendered_is_read_back():
    alert = alerts.parse_input(example())
    found = alerts.parse(json.loads(json.dumps(note())))
    assert (found.id, found.author, found.url) == (NOTE_ID, PLACE.actor_id, PLACE.page_url)
    assert (found.language, found.state, found.kind, found.status) == (
        "ar",
        "issued",
        "urgent-appeal",
        "exercise",
    )
    assert (found.headline, found.narrative) == (alert.text.headline, alert.text.narrative)
    assert (found.demands, found.expires) == (alert.text.demands, alert.expires)
    assert found.subjects == (alerts.PublicSubject("", "person", "withheld"),)
    assert found.targets == (alerts.PublicTarget("وزارة العدل، بلد تدريبي", "XX", "ar"),)
    assert found.translations == (f"{BASE}/objects/a2",)
    assert found.is_drill
    assert not found.is_expired(NOW)
    assert found.is_expired(alert.expires)


def test_values_we_do_not_know_become_unknown():
    strange = dict.fromkeys(
        ("alertKind", "alertStatus", "severity", "urgency", "certainty", "alertState"), "new"
    )
    found = alerts.parse(note() | strange)
    assert {found.kind, found.status, found.severity, found.urgency, found.certainty, found.state} == {
        "unknown"
    }
    assert found.is_drill


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Article"},
        {"alertKind": 1},
        {"headline": "x" * 301},
        {"headline": ""},
        {"narrative": ["x"]},
        {"demands": ["x"] * 21},
        {"demands": [{}]},
        {"subjects": ["x"]},
        {"targets": [{"office": 1}]},
        {"expires": "soon"},
        {"content": None},
        {"attributedTo": None},
        {"violationTypes": ["x"] * 51},
    ],
)
def test_a_broken_note_is_a_protocol_error(changes):
    with pytest.raises(ProtocolError):
        alerts.parse(note() | changes)


def test_an_address_that_no_browser_should_open_is_dropped():
    assert alerts.parse(note() | {"url": "javascript:alert(1)"}).url == ""


# What is done with it

FACTS = alerts.Facts(
    member=True,
    followed=False,
    frozen=False,
    own=False,
    known_author=None,
    known_updated=None,
    withdrawn=False,
    now=NOW,
)
KNOWN = replace(FACTS, known_author=ACTOR)
REAL = {"status": "actual", "country": "IQ"}
UPDATED = "2026-11-20T11:00:00Z"


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(note())), value=ANYTHING)
def test_any_value_anywhere_in_a_note_is_an_answer_or_a_node_error(name, value):
    strange = note() | {name: value}
    with contextlib.suppress(NodeError):
        alerts.parse(strange)
    decided = alerts.decide("Create", ACTOR, NOTE_ID, strange, FACTS)
    assert isinstance(decided, Accept | Ignore | Refuse)


def stored(document):
    return Accept(
        (
            StoreObject(
                canonical(NOTE_ID), "alert", ACTOR, document, document["published"], document.get("updated")
            ),
        )
    )


FIRST = f"{BASE}/objects/a0"
NEWS = {"newsOf": FIRST, "inReplyTo": FIRST}


@pytest.mark.parametrize(
    ("kind", "changes", "facts", "decision"),
    [
        ("Create", NEWS, FACTS, None),
        ("Update", NEWS, replace(KNOWN, known_news_of=canonical(FIRST)), None),
        ("Update", NEWS, FACTS, None),
        ("Create", NEWS, replace(FACTS, first_withdrawn=True), Ignore("news of an alert that was withdrawn")),
        ("Update", NEWS, KNOWN, Refuse("an Update moves no text into another chain", "Tadamun §3")),
        (
            "Update", {}, replace(KNOWN, known_news_of=canonical(FIRST)),
            Refuse("an Update moves no text into another chain", "Tadamun §3"),
        ),
        ("Create", {"newsOf": NOTE_ID}, FACTS, Refuse("newsOf: the Note itself", "Tadamun §3")),
        ("Create", {"newsOf": [FIRST]}, FACTS, Refuse("newsOf: not a text", "Tadamun §3")),
    ],
)  # fmt: skip
def test_news_of_an_alert(kind, changes, facts, decision):
    given = note() | changes | {"updated": "2026-11-20T12:00:00Z"}
    assert alerts.decide(kind, ACTOR, NOTE_ID, given, facts) == (decision or stored(given))


def test_news_of_somebody_elses_alert_is_no_alert_but_a_reply():
    assert alerts.is_alert(note() | NEWS)
    for foreign in (STRANGER, "https://social.example/1", "nothing"):
        assert not alerts.is_alert(note() | {"newsOf": foreign})


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_members_alert_is_kept(kind):
    assert alerts.decide(kind, ACTOR, NOTE_ID, note(), FACTS) == stored(note())
    assert alerts.decide(kind, ACTOR, NOTE_ID, note(**REAL), FACTS) == stored(note(**REAL))


def test_our_own_and_a_followed_ones_real_alert_is_kept():
    for role in ("own", "followed"):
        facts = replace(FACTS, **({"member": False} | {role: True}))
        assert alerts.decide("Create", ACTOR, NOTE_ID, note(**REAL), facts) == stored(note(**REAL))


def test_a_followed_ones_ordinary_post_is_kept_as_a_note():
    plain = {"id": NOTE_ID, "type": "Note", "attributedTo": PLACE.actor_id, "content": "x", "cc": "as:Public"}
    found = alerts.decide("Create", ACTOR, NOTE_ID, plain, replace(FACTS, member=False, followed=True))
    assert found == Accept((StoreObject(canonical(NOTE_ID), "note", ACTOR, plain, ""),))


def test_the_spelling_of_an_id_does_not_matter():
    elsewhere = NOTE_ID.replace("org1.example", "org3.example")
    assert alerts.decide("Create", ACTOR, canonical(NOTE_ID), note() | {"id": elsewhere}, FACTS) == stored(
        note() | {"id": elsewhere}
    )


@pytest.mark.parametrize(
    ("kind", "changes", "facts", "verdict", "said"),
    [
        (
            "Create",
            {"attributedTo": f"https://h.example/.well-known/apgateway/{OTHER}/actor"},
            {},
            Refuse,
            "FEP-fe34",
        ),
        ("Create", {"attributedTo": None}, {}, Refuse, "FEP-fe34"),
        ("Create", {"id": f"{BASE}/objects/other"}, {}, Refuse, "FEP-fe34"),
        ("Create", {"id": None}, {}, Refuse, "FEP-fe34"),
        ("Create", {"type": "Article"}, {}, Refuse, "AP §7"),
        ("Announce", {}, {}, Refuse, "AP §7"),
        ("Create", {}, {"frozen": True}, Ignore, "frozen"),
        ("Update", {}, {"frozen": True, "known_author": ACTOR}, Ignore, "frozen"),
        ("Update", {}, {"known_author": STRANGER}, Refuse, "AP §7.3"),
        ("Create", {}, {"known_author": STRANGER}, Refuse, "AP §7.3"),
        ("Create", {}, {"known_author": ACTOR, "withdrawn": True}, Ignore, "withdrawn"),
        ("Update", {}, {"known_author": ACTOR, "withdrawn": True}, Ignore, "withdrawn"),
        ("Create", {}, {"member": False, "followed": True}, Refuse, "Tadamun §3"),
        ("Create", {"alertStatus": "test"}, {"member": False, "followed": True}, Refuse, "Tadamun §3"),
        ("Create", {"alertStatus": "actual"}, {"member": False}, Ignore, "nobody here follows"),
        ("Create", {"alertStatus": "actual", "to": [], "cc": [PLACE.cc[0]]}, {}, Ignore, "not addressed"),
        ("Create", {"content": "ن" * (MAX_NOTE // 2 + 1)}, {}, Refuse, "RFC 9110 §15.5.14"),
        ("Create", {"headline": "x" * 301}, {}, Refuse, "Tadamun §3"),
        ("Create", {}, {"known_author": ACTOR}, Ignore, "already"),
        ("Update", {}, {"known_author": ACTOR, "known_updated": UPDATED}, Ignore, "not newer"),
        (
            "Update",
            {"updated": "2026-11-20T10:59:59Z"},
            {"known_author": ACTOR, "known_updated": UPDATED},
            Ignore,
            "not",
        ),
        ("Update", {"updated": None}, {"known_author": ACTOR, "known_updated": UPDATED}, Ignore, "not newer"),
        ("Update", {"updated": "2026-11-22T10:00:00Z"}, {"known_author": ACTOR}, Refuse, "AP §7.3"),
    ],
)
def test_the_rules_of_keeping_a_note(kind, changes, facts, verdict, said):
    found = alerts.decide(kind, ACTOR, NOTE_ID, note() | changes, replace(FACTS, **facts))
    assert isinstance(found, verdict)
    assert said in (found.spec if isinstance(found, Refuse) else found.reason)


def test_an_object_of_another_origin_is_refused():
    foreign = f"https://org1.example/.well-known/apgateway/{OTHER}/objects/a1"
    for kind in ("Create", "Update", "Delete"):
        found = alerts.decide(kind, ACTOR, foreign, note() | {"id": foreign}, FACTS)
        assert isinstance(found, Refuse)
        assert found.spec == "FEP-fe34"


def test_an_id_that_cannot_be_read_is_refused():
    assert isinstance(alerts.decide("Delete", ACTOR, "urn:x", None, FACTS), Refuse)


def test_a_newer_update_replaces_what_we_have():
    facts = replace(KNOWN, known_updated="2026-11-20T10:59:59Z")
    assert alerts.decide("Update", ACTOR, NOTE_ID, note(), facts) == stored(note())


def test_a_delete_hides_at_once():
    hidden = Accept((HideObject(canonical(NOTE_ID), ACTOR),))
    assert alerts.decide("Delete", ACTOR, NOTE_ID, None, KNOWN) == hidden
    assert alerts.decide("Delete", ACTOR, NOTE_ID, None, FACTS) == hidden, "a Create may still be on its way"
    assert alerts.decide("Delete", ACTOR, NOTE_ID, None, replace(KNOWN, member=False)) == hidden, (
        "a former member"
    )


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"frozen": True, "known_author": ACTOR}, Ignore),
        ({"known_author": STRANGER}, Refuse),
        ({"known_author": ACTOR, "withdrawn": True}, Ignore),
        ({"member": False}, Ignore),
    ],
)
def test_a_delete_that_is_not_obeyed(facts, verdict):
    assert isinstance(alerts.decide("Delete", ACTOR, NOTE_ID, None, replace(FACTS, **facts)), verdict)


def test_a_whole_alert_fits_the_wire():
    found = note(narrative="ن" * 19_000, translations={})
    parse_document(
        json.dumps({"@context": ["x", dict(alerts.TERMS)], "object": found}, ensure_ascii=False).encode()
    )

"""A second word (R2): the rules of the module, each broken once; decisions compared whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import approvals as rules
from node.alerts import parse_input
from node.approvals import Facts, Request, Word
from node.effects import Accept, Refuse
from node.errors import NodeError, ProtocolError
from tests.support.network import example

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN, SISTER = "did:key:own", "did:key:sister"
ASKED = Request(
    id="one", author="sara", digest="z1", needed=2, sister=False, subjects=frozenset({"amal"}), state=rules.WAITING,
    urgent=True, made=NOW - timedelta(hours=1),
)  # fmt: skip
YES = Word(OWN, "hana", rules.YES, "z1", frozenset(rules.TICKS), "", NOW)
NO = replace(YES, verdict=rules.NO, ticks=frozenset(), reason="EXERCISE the place says who it is")
GOOD = Facts(own=OWN, approver=True, fresh=True, now=NOW)
THEIRS = replace(YES, org=SISTER, by="somebody")


def no(reason):
    return Refuse(reason, "R2")


AUTHOR = no("the author does not approve")
TWICE = no("nobody counts twice")


@pytest.mark.parametrize(
    ("request_", "words", "word", "facts", "decision"),
    [
        (ASKED, (), YES, GOOD, Accept()),
        (ASKED, (), NO, GOOD, Accept()),
        (ASKED, (THEIRS,), YES, GOOD, Accept()),
        (ASKED, (YES,), THEIRS, GOOD, Accept()),
        *(
            (replace(ASKED, state=state), (), YES, GOOD, no(f"the request does not wait any more ({state})"))
            for state in rules.STATES[1:]
        ),
        (replace(ASKED, made=NOW - timedelta(days=15)), (), YES, GOOD, no("asked too long ago: ask again")),
        (ASKED, (), replace(YES, digest="z2"), GOOD, no("another text than the one that waits")),
        (
            ASKED, (), YES, replace(GOOD, approver=False),
            no("only approvers, and standby organisations named beforehand, give this word"),
        ),
        (ASKED, (), YES, replace(GOOD, fresh=False), no("show the second factor again")),
        (ASKED, (), replace(YES, by="sara"), GOOD, AUTHOR),
        (ASKED, (), replace(YES, by=rules.SHELL), GOOD, AUTHOR),
        (ASKED, (), replace(NO, by="sara"), GOOD, AUTHOR),
        (ASKED, (), replace(YES, by="amal"), GOOD, no("nobody approves what is about themselves")),
        (ASKED, (), replace(THEIRS, by="sara"), GOOD, Accept()),
        (ASKED, (YES,), YES, GOOD, TWICE),
        (ASKED, (YES,), NO, GOOD, TWICE),
        (ASKED, (THEIRS,), THEIRS, GOOD, TWICE),
        (ASKED, (), replace(NO, reason=" \n"), GOOD, no("a no says why")),
        (ASKED, (), replace(YES, verdict="maybe"), GOOD, no("a word is yes or no")),
        *(
            (ASKED, (), replace(YES, ticks=YES.ticks - {tick}), GOOD, no(f"not looked at yet ({tick})"))
            for tick in rules.TICKS
        ),
        (ASKED, (), replace(YES, ticks=frozenset({"all"})), GOOD, no(f"not looked at yet ({'; '.join(rules.TICKS)})")),
    ],
)  # fmt: skip
def test_each_rule_of_a_word(request_, words, word, facts, decision):
    assert rules.decide(request_, words, word, facts) == decision


@pytest.mark.parametrize(
    ("words", "changes", "enough"),
    [
        ((), {}, False),
        ((YES,), {}, False),
        ((YES, replace(YES, by="karwan")), {}, True),
        ((YES, YES), {}, False),
        ((YES, replace(NO, by="karwan")), {}, False),
        ((YES, replace(YES, by="karwan", digest="z2")), {}, False),
        ((YES,), {"needed": 1}, True),
        ((YES, replace(YES, by="karwan")), {"sister": True}, False),
        ((YES, THEIRS), {"sister": True}, True),
        ((THEIRS,), {"sister": True}, False),
    ],
)
def test_when_it_is_enough(words, changes, enough):
    assert rules.is_enough(replace(ASKED, **changes), words, OWN) == enough


REASON = "EXERCISE they move her tonight"
LONG = no("write the reason, 20 to 2000 characters: the sisters will read it")
ONE = no("one approver must have said yes")


@pytest.mark.parametrize(
    ("changes", "words", "reason", "decision"),
    [
        ({}, (YES,), REASON, Accept()),
        ({"state": rules.READY}, (YES,), REASON, no("the request does not wait any more (ready)")),
        ({"urgent": False}, (YES,), REASON, no("an emergency is one where danger is immediate (urgency)")),
        ({}, (YES,), "hurry" + " " * 30, LONG),
        ({}, (YES,), "x" * 2_001, LONG),
        ({}, (), REASON, ONE),
        ({}, (NO,), REASON, ONE),
        ({}, (THEIRS,), REASON, ONE),
        ({}, (replace(YES, digest="z2"),), REASON, ONE),
    ],
)
def test_each_rule_of_an_emergency(changes, words, reason, decision):
    assert rules.decide_override(replace(ASKED, **changes), words, reason, OWN) == decision


PRESUMED = {"given_by": "presumed", "how": "R1", "level": "public-anonymised", "valid_until": "2027-06-30"}
CONSENT = {"given_by": "self", "how": "signed", "level": "public-named", "valid_until": "2027-06-30"}


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, (2, False)),
        ({"audience": "network"}, (1, False)),
        ({"audience": "network", "consent": PRESUMED}, (2, False)),
        ({"audience": "network", "subjects": [{"name": "", "kind": "person", "publication_level": "withheld",
                                               "consent": PRESUMED}]}, (2, False)),
        ({"consent": PRESUMED}, (2, False)),
        ({"subjects": [{"name": "EXERCISE Amal", "kind": "person", "publication_level": "named"}],
          "consent": CONSENT}, (2, True)),
    ],
)  # fmt: skip
def test_how_many_words_an_alert_needs(changes, needed):
    assert rules.needed(parse_input(example(status="actual", **changes))) == needed


@pytest.mark.parametrize(
    ("shown", "presumed"),
    [
        ({}, False),
        ({"consent": CONSENT, "subjects": [{"kind": "person"}]}, False),
        ({"consent": PRESUMED}, True),
        ({"consent": CONSENT, "subjects": [{"kind": "person"}, {"consent": PRESUMED}]}, True),
    ],
)
def test_a_presumption_is_found_wherever_it_stands(shown, presumed):
    assert rules.is_presumed(shown) == presumed


def test_no_emergency_shortens_a_presumption():
    refused = Refuse("a consent is presumed: two approvers answer for it, whatever the hurry", "R1")
    assert rules.decide_override(ASKED, (YES,), REASON, OWN) == Accept()
    assert rules.decide_override(ASKED, (YES,), REASON, OWN, presumed=True) == refused


def test_whoever_approves_is_shown_no_source_no_contact_and_no_note():
    hidden = "EXERCISE nobody's to know"
    value = example(sources=[hidden], contacts=[hidden], note=hidden, risk=hidden)
    value["verification"] = {"level": "reported", "basis": [hidden], "notes": hidden}
    value["subjects"] = [{"name": "EXERCISE Amal", "kind": "person", "home": hidden, "consent": {"notes": hidden}}]
    value["targets"] = [{"office": "EXERCISE", "contacts": [hidden], "public_contacts": False}]
    value["media"] = [{"file": f"{hidden}.jpg", "rights": hidden, "alt": "x", "people": "none", "consent": True}]
    value["consent"] = {**value["consent"], "recorded_by": hidden}
    shown = rules.brief(value)
    assert hidden not in str(shown)
    assert shown["media"] == [{"file": "1.jpg", "alt": "x", "people": "none", "consent": True}]
    assert shown["headline"] == value["headline"] and shown["subjects"][0]["name"] == "EXERCISE Amal"


def test_other_pictures_are_another_text():
    value = example()
    made = {rules.digest_of(value), rules.digest_of(value, ["z1"]), rules.digest_of(value, ["z2"])}
    assert len(made) == 3


def test_what_changed_is_told_field_by_field():
    before = {"headline": "a", "country": "IQ", "kind": "x"}
    assert rules.changes(before, {"headline": "b", "country": "IQ", "status": "actual"}) == {
        "headline": ("a", "b"), "kind": ("x", None), "status": (None, "actual"),
    }  # fmt: skip


ANSWER = rules.answer_body("one", replace(THEIRS, reason="EXERCISE"), "release")


def test_an_answer_is_read_as_it_was_meant_and_a_no_hands_out_nothing():
    assert rules.parse_answer(ANSWER, SISTER, NOW) == ("one", replace(THEIRS, reason="EXERCISE"), "release")
    assert rules.answer_body("one", NO, "release")["release"] == ""


@pytest.mark.parametrize(
    "broken",
    [
        *({name: 7} for name in ("request", "digest", "verdict", "reason", "by", "release", "ticks")),
        {"reason": "x" * 2_001}, {"ticks": ["x"] * 21}, {"ticks": [7]}, {"by": ""}, {"by": "x" * 81},
    ],
)  # fmt: skip
def test_a_strange_answer_is_none(broken):
    with pytest.raises(ProtocolError):
        rules.parse_answer(ANSWER | broken, SISTER, NOW)


@given(
    st.sampled_from(sorted(ANSWER)),
    st.none() | st.integers() | st.text(max_size=90) | st.lists(st.text(max_size=5) | st.none(), max_size=25),
)
def test_whatever_stands_in_an_answer_it_is_read_or_refused(name, value):
    try:
        rules.parse_answer(ANSWER | {name: value}, SISTER, NOW)
    except NodeError:
        return

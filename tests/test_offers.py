"""Offers of help: what may be written, what is read of what came, and whose word ends one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import offers as rules
from node.errors import NodeError, ProtocolError, RefusedError
from node.offers import Answer, Offer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AUTHOR = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
OTHER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
MADE = Offer("token", "lawyer", "EXERCISE two lawyers", "+000 exercise", NOW + timedelta(days=3))
SAID = Answer("token", "taken", "EXERCISE thank you")


def make(**changes):
    given = {"token": "token", "kind": "shelter", "words": "EXERCISE two beds", "contact": "+000", "until": None}
    return rules.make(**{**given, "now": NOW, **changes})


def test_an_offer_without_an_end_lasts_two_weeks():
    assert make() == Offer("token", "shelter", "EXERCISE two beds", "+000", NOW + rules.LASTS)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "advice"}, "kind"),
        ({"words": " \n"}, "words"),
        ({"words": "x" * 2_001}, "words"),
        ({"contact": ""}, "contact"),
        ({"contact": "x" * 301}, "contact"),
        ({"until": NOW}, "until"),
    ],
)
def test_what_is_missing_or_too_long_is_named(changes, named):
    with pytest.raises(RefusedError, match=f"^{named}:"):
        make(**changes)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(RefusedError) as found:
        make(kind="", words="", contact="", until=NOW)
    assert [each.partition(":")[0] for each in found.value.reasons] == ["kind", "words", "contact", "until"]


def test_a_contact_is_one_line():
    assert make(contact="a\n b\t c").contact == "a b c"


@pytest.mark.parametrize(("answer", "words"), [("later", ""), ("", ""), ("taken", "x" * 2_001)])
def test_an_answer_that_is_none_is_refused(answer, words):
    with pytest.raises(RefusedError, match="answer|words"):
        rules.reply("token", answer, words)


def test_what_was_written_is_read_as_it_was_meant():
    assert rules.parse_offer(MADE.body()) == MADE
    assert rules.parse_answer(SAID.body()) == SAID


def test_a_kind_of_a_later_version_is_other_help():
    assert rules.parse_offer(MADE.body() | {"kind": "helicopter"}).kind == "other"
    assert rules.parse_offer(MADE.body() | {"kind": ["lawyer"]}).kind == "other"


@pytest.mark.parametrize(
    "broken",
    [
        {"offer": 7}, {"offer": "x" * 41}, {"words": None}, {"words": "x" * 2_001}, {"contact": "x" * 301},
        {"contact": {}}, {"until": "soon"}, {"until": 7}, {"until": "x" * 41}, {"until": "0001-01-01T00:00:00+23:59"},
    ],
)  # fmt: skip
def test_a_strange_offer_is_none(broken):
    with pytest.raises(ProtocolError):
        rules.parse_offer(MADE.body() | broken)


@pytest.mark.parametrize("broken", [{"offer": None}, {"answer": "maybe"}, {"answer": []}, {"words": "x" * 2_001}])
def test_a_strange_answer_is_none(broken):
    with pytest.raises(ProtocolError):
        rules.parse_answer(SAID.body() | broken)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(MADE.body())), JSON)
def test_whatever_stands_in_an_offer_it_is_read_or_refused(name, value):
    try:
        rules.parse_offer(MADE.body() | {name: value})
    except NodeError:
        return


@given(st.sampled_from(sorted(SAID.body())), JSON)
def test_whatever_stands_in_an_answer_it_is_read_or_refused(name, value):
    try:
        rules.parse_answer(SAID.body() | {name: value})
    except NodeError:
        return


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ((), None),
        (((OTHER, "taken"),), "taken"),
        (((OTHER, "declined"), (OTHER, "taken")), "declined"),
        (((AUTHOR, "withdrawn"), (OTHER, "taken")), "withdrawn"),
        (((AUTHOR, "taken"),), None),
        (((AUTHOR, "declined"), (OTHER, "taken")), "taken"),
        (((OTHER, "withdrawn"),), None),
    ],
    ids=["nobody", "taken", "the first stays", "taken back", "not one's own", "nor declined", "not another's"],
)
def test_only_whoever_may_say_it_ends_an_offer(answers, outcome):
    """The author of the offer is AUTHOR."""
    found = rules.outcome(AUTHOR, [(did, Answer("token", said, "")) for did, said in answers])
    assert (found.answer if found else None) == outcome


@pytest.mark.parametrize(
    ("about", "is_theirs"),
    [
        (f"ap+ef61://{AUTHOR}/objects/one", True),
        (f"https://one.example/.well-known/apgateway/{AUTHOR}/objects/one", True),
        (f"ap+ef61://{OTHER}/objects/one", False),
        ("https://one.example/notes/1", False),
        ("", False),
    ],
)
def test_an_offer_is_about_an_alert_of_whom_it_is_for(about, is_theirs):
    assert rules.is_of(about, AUTHOR) == is_theirs

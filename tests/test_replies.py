"""Replies held for review: the rules of the module, each broken once; what reviewers say, and what follows from it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import replies as rules
from node import reply_reviews as reviews
from node.effects import Accept, Decision, HoldReply, Ignore, LoseReply, Refuse
from node.errors import RefusedError
from node.federation.protocol.activities import AS2, PUBLIC, Activity, parse_activity
from node.federation.protocol.messages import parse_document
from node.replies import SPEC, Allowance, Facts, Received
from node.reply_reviews import Review

DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
ORG = f"ap+ef61://{DID}/actor"
ALERT = f"ap+ef61://{DID}/objects/1"
OURS, THEIRS = (each.replace("ap+ef61://", "https://one.example/.well-known/apgateway/") for each in (ORG, ALERT))
AMAL = "https://peer.example/users/amal"
BADR = "https://peer.example/users/badr"
ID = f"{AMAL}/statuses/1"
NOW = datetime(2026, 11, 20, 12, 40, tzinfo=UTC)
HOUR = datetime(2026, 11, 20, 12, tzinfo=UTC)
MENTION = {"type": "Mention", "href": OURS, "name": "@one"}
NOTE: dict[str, Any] = {
    "id": ID, "type": "Note", "attributedTo": AMAL, "content": "<p>An exercise</p>", "inReplyTo": THEIRS,
    "to": [PUBLIC],
}  # fmt: skip
FREE = Facts(DID)
HELD = Facts(DID, state=rules.WAITING)


def activity(kind: str = "Create", value: Any = NOTE, **changes: Any) -> Activity:
    made = {"@context": AS2, "id": f"{AMAL}/1", "type": kind, "actor": AMAL, "object": value, "to": [PUBLIC], **changes}
    return parse_activity(parse_document(json.dumps(made).encode()))


def note(**changes: Any) -> dict[str, Any]:
    return {**NOTE, **changes}


HOLD = Accept((HoldReply(ID, AMAL, ALERT),))
LOSE = Accept((LoseReply(ID, AMAL),))
OTHERS = Refuse("the id belongs to another author", SPEC)

RULES: list[tuple[str, Activity, Facts, Decision]] = [
    ("a reply", activity(), FREE, HOLD),
    ("a mention", activity(value=note(inReplyTo=None, tag=[MENTION])), FREE, Accept((HoldReply(ID, AMAL, ""),))),
    ("2 a Delete by the author", activity("Delete", ID), HELD, LOSE),
    ("2 a Delete of evidence", activity("Delete", ID), replace(HELD, state=rules.EVIDENCE), LOSE),
    ("2 a Delete of what is not held", activity("Delete", ID), FREE, Ignore("not held here")),
    (
        "2 a Delete by another",
        activity("Delete", ID),
        replace(HELD, same_author=False),
        Refuse("only the author deletes", SPEC),
    ),
    ("3 by id only", activity(value=ID), FREE, Ignore("the object is not embedded")),
    (
        "3 of another author",
        activity(value=note(attributedTo=BADR)),
        FREE,
        Refuse("the object's author is not the actor", "AP §7.3"),
    ),
    (
        "4 of somebody who is blocked",
        activity(),
        replace(FREE, blocked=True),
        Refuse("its author or their server is blocked here for replies", SPEC),
    ),
    ("4 a blocked author takes it back", activity("Delete", ID), replace(HELD, blocked=True), LOSE),
    (
        "5 too large",
        activity(value=note(content="x" * rules.MAX_REPLY)),
        FREE,
        Refuse(f"a reply over {rules.MAX_REPLY} bytes", SPEC),
    ),
    ("6 an id that is taken", activity(), replace(HELD, same_author=False), OTHERS),
    ("6 an Update of another's", activity("Update"), replace(HELD, same_author=False), OTHERS),
    ("6 a Create again", activity(), HELD, Ignore("already held")),
    ("7 an Update", activity("Update"), HELD, HOLD),
    ("7 an Update of evidence", activity("Update"), replace(HELD, state=rules.EVIDENCE), HOLD),
    ("7 an Update of what we lack", activity("Update"), FREE, HOLD),
    ("7 an Update when no more may wait", activity("Update"), replace(HELD, room=False), HOLD),
    (
        "7 an Update of what was dismissed",
        activity("Update"),
        replace(HELD, state=rules.DISMISSED),
        Ignore("it was dismissed"),
    ),
    (
        "7 an Update of what was destroyed",
        activity("Update"),
        replace(HELD, state=rules.GONE),
        Ignore("it was dismissed"),
    ),
    ("8 nobody could open it", activity(), replace(FREE, reviewed=False), Ignore("nobody here reviews replies")),
    ("8 too many wait", activity(), replace(FREE, room=False), Ignore("too many replies wait for review")),
]


@pytest.mark.parametrize(("given_", "facts", "wanted"), [each[1:] for each in RULES], ids=[each[0] for each in RULES])
def test_each_rule_says_what_it_says(given_: Activity, facts: Facts, wanted: Decision) -> None:
    assert rules.decide(given_, facts) == wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        (activity(), True),
        (activity("Update"), True),
        (activity(value=note(type="Question")), True),
        (activity(value=note(inReplyTo={"id": THEIRS})), True),
        (activity(value=note(to=[], cc=["as:Public"]), to=[]), True),
        (activity(value=note(inReplyTo=BADR)), False),
        (activity(value=note(inReplyTo=BADR, tag=[{}, MENTION])), True),
        (activity(value=note(inReplyTo=BADR, tag=[{**MENTION, "href": BADR}, {**MENTION, "href": "x:"}])), False),
        (activity(value=note(inReplyTo=BADR, tag=[{}] * 100 + [MENTION])), False),
        (activity(value=note(to=[OURS], tag=[MENTION]), to=[OURS]), False),
        (activity(value=note(to=[AMAL + "/followers"], cc=[OURS]), to=[]), False),
        (activity("Like", THEIRS), False),
        (activity(value=note(type="Person")), False),
    ],
    ids=[
        "a reply", "its Update", "a poll", "a parent as an object", "unlisted", "to another", "a mention",
        "a mention of another", "too many tags", "to us alone", "to followers and us", "a Like", "no post",
    ],
)  # fmt: skip
def test_only_what_is_for_everyone_and_about_us_is_held(given_: Activity, wanted: bool) -> None:
    assert rules.is_for_review(given_, ORG, DID) is wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        (activity(), True),
        (activity(value=note(inReplyTo=BADR)), True),
        (activity(value=note(inReplyTo=None, tag=[{**MENTION, "href": BADR}])), True),
        (activity(value=note(inReplyTo=None)), False),
        (activity("Delete", ID), False),
    ],
)
def test_no_row_of_the_queue_says_who_answers_whom(given_: Activity, wanted: bool) -> None:
    assert rules.leaves_no_row(given_) is wanted


def test_so_many_come_of_an_account_and_of_a_server_in_a_day() -> None:
    room = Allowance()
    mine = [room.take(DID, "peer.example", AMAL, NOW) for _ in range(rules.FROM_AN_ACTOR + 1)]
    assert mine == [True] * rules.FROM_AN_ACTOR + [False]
    others = [room.take(DID, "peer.example", f"{BADR}{each}", NOW) for each in range(rules.FROM_A_HOST)]
    assert others.count(True) == rules.FROM_A_HOST - rules.FROM_AN_ACTOR
    assert room.take(DID, "other.example", "https://other.example/u", NOW)
    assert room.take("did:key:other", "peer.example", AMAL, NOW), "each organisation for itself"
    assert room.take(DID, "peer.example", AMAL, NOW + timedelta(days=1))


def test_two_replies_of_one_author_cannot_be_told_to_be_so() -> None:
    first, second = rules.tag(b"salt", ID), rules.tag(b"salt", ID + "2")
    assert rules.author_tag(b"salt", first, AMAL) != rules.author_tag(b"salt", second, AMAL)
    assert rules.tag(b"other", ID) != first != rules.block_tag(b"salt", ID)


@pytest.mark.parametrize("said", tuple(permutations([("p", "harmless"), ("q", "threat"), ("r", "spam")])))
def test_the_more_careful_word_counts_in_whatever_order(said: tuple[tuple[str, str], ...]) -> None:
    review = Review()
    for by, verdict in said:
        review = reviews.judge(review, by, verdict, NOW)
    assert reviews.standing(review, rules.WAITING) == rules.THREAT
    assert {(each.by, each.verdict) for each in review.verdicts} == set(said), "every verdict stands"


def test_a_person_has_one_verdict_and_looks_once() -> None:
    review = reviews.ask(Review(), "p", "q")
    assert reviews.judge(review, "r", "spam", NOW).asked == "q"
    review = reviews.judge(reviews.judge(review, "q", "threat", NOW), "q", "spam", NOW)
    assert (review.asked, [each.verdict for each in review.verdicts]) == ("", ["spam"])
    assert reviews.standing(review, rules.THREAT) == rules.DISMISSED
    assert reviews.standing(review, rules.EVIDENCE) == rules.EVIDENCE
    with pytest.raises(RefusedError, match="somebody else"):
        reviews.ask(review, "p", "p")
    with pytest.raises(RefusedError, match="one of"):
        reviews.judge(review, "p", "lovely", NOW)


def test_two_people_destroy_and_one_does_not() -> None:
    once = reviews.want_destroyed(Review(), "p")
    assert not reviews.is_destroyed(once)
    with pytest.raises(RefusedError, match="another person"):
        reviews.want_destroyed(once, "p")
    assert reviews.is_destroyed(reviews.want_destroyed(once, "q"))


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (rules.WAITING, HOUR + timedelta(days=90)),
        (rules.HARMLESS, HOUR + timedelta(days=90)),
        (rules.THREAT, HOUR + timedelta(days=92)),
        (rules.DISMISSED, HOUR + timedelta(days=9)),
        (rules.EVIDENCE, None),
    ],
)
def test_everything_but_evidence_has_an_end(state: str, wanted: datetime | None) -> None:
    assert rules.due(state, HOUR, NOW + timedelta(days=2)) == wanted


def test_what_its_author_changed_is_looked_at_again() -> None:
    changed = {state: rules.changed(state) for state in rules.STATES if state != rules.DISMISSED}
    assert changed == {"waiting": "waiting", "harmless": "waiting", "threat": "threat", "evidence": "evidence"}


@given(st.binary(max_size=200), st.text(max_size=30), st.binary(max_size=50))
def test_what_is_sealed_comes_out_as_it_went_in(raw: bytes, key_id: str, request: bytes) -> None:
    received = Received(raw, "peer.example", key_id, HOUR, request, raw)
    assert rules.parse_received(received.render()) == received
    review = reviews.want_destroyed(reviews.ask(reviews.judge(Review(case="c"), "p", "spam", NOW), "p", "q"), "q")
    assert reviews.parse_review(review.render()) == review
    assert rules.exhibit((received,)) != rules.exhibit((received, received))


THINGS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=9) | st.sampled_from([ID, AMAL, OURS, THEIRS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "href"]), inner),
    max_leaves=6,
)
FACTS = st.builds(
    Facts, st.just(DID), st.sampled_from(["", *rules.STATES, rules.GONE]), st.booleans(), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip


@given(
    st.sampled_from(["Create", "Update", "Delete"]), st.sampled_from([*NOTE, "tag", "cc", "updated"]), THINGS, FACTS
)
def test_whatever_stands_in_a_field_something_is_decided(kind: str, name: str, thing: Any, facts: Facts) -> None:
    found = activity(kind, note(**{name: thing}))
    rules.is_for_review(found, ORG, DID)
    rules.leaves_no_row(found)
    assert isinstance(rules.decide(found, facts), Accept | Ignore | Refuse)

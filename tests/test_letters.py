"""The rules of sealed letters: start valid, break one thing; whatever is inside, it is a letter or refused."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import letters as rules
from node import recovery
from node.effects import Accept, Ignore, KeepLetter, Refuse, ReplyLetter
from node.errors import NodeError, ProtocolError
from node.federation.protocol import sealing
from node.federation.protocol.activities import Activity
from node.letters import Facts, Letter

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AUTHOR, US, OTHER = (recovery.generate().did for _ in range(3))
ID = f"ap+ef61://{AUTHOR}/letters/token"
ABOUT = f"ap+ef61://{AUTHOR}/objects/one"
LETTER = Letter(ID, AUTHOR, (US, OTHER), rules.ALERT, ABOUT, NOW - timedelta(hours=1), {"words": "EXERCISE"})
GOOD = Facts(own=US, member=True, former=False, frozen=False, known=False, withdrawn=False, now=NOW)
SPEC = "Tadamun letters 1"
KEPT = KeepLetter(ID, AUTHOR, (US, OTHER), rules.ALERT, ABOUT, LETTER.sent, {"words": "EXERCISE"})
RECEIPT = ReplyLetter(AUTHOR, rules.RECEIPT, ABOUT, {"of": ID, "kind": rules.ALERT})
STOLEN = Refuse("what is inside names another envelope", SPEC)
OLD = Refuse("written too long ago, or in the future", SPEC)
SECRET = sealing.generate()


def carried(letter=LETTER, did=None, thing=None, name=None, kind=rules.TYPE):
    """The activity that carries a letter."""
    thing = rules.envelope(letter, (SECRET.public,)) if thing is None else thing
    actor = f"ap+ef61://{did or letter.author}/actor"
    return Activity(name or letter.id, kind, actor, None, thing, None, {}, b"")


def of(kind, **changes):
    letter = replace(LETTER, kind=kind, **changes)
    receipt = ReplyLetter(AUTHOR, rules.RECEIPT, ABOUT, {"of": ID, "kind": kind})
    answered = kind in (rules.ALERT, rules.WITHDRAWAL)
    return letter, Accept((replace(KEPT, kind=kind), *((receipt,) if answered else ())))


@pytest.mark.parametrize(
    ("activity", "letter", "facts", "decision"),
    [
        (carried(), LETTER, GOOD, Accept((KEPT, RECEIPT))),
        (carried(), replace(LETTER, id=ID + "2"), GOOD, STOLEN),
        (carried(did=OTHER), LETTER, GOOD, STOLEN),
        (carried(name=ID + "2"), LETTER, GOOD, STOLEN),
        (carried(), replace(LETTER, to=(OTHER,)), GOOD, Refuse("sealed to us, and not for us", SPEC)),
        (carried(), LETTER, replace(GOOD, member=False), Ignore("a letter from one who is no member")),
        (carried(), LETTER, replace(GOOD, frozen=True), Ignore("the author is frozen here")),
        (carried(), replace(LETTER, sent=NOW - rules.OLDEST), GOOD, OLD),
        (carried(), replace(LETTER, sent=NOW + timedelta(days=1)), GOOD, OLD),
        (
            carried(), replace(LETTER, kind="song"), GOOD,
            Ignore("a kind of letter that is not known here: song"),
        ),
        (carried(), LETTER, replace(GOOD, known=True), Ignore("held already")),
        (carried(), LETTER, replace(GOOD, withdrawn=True), Ignore("what it is about was withdrawn")),
        (carried(), of(rules.WITHDRAWAL)[0], replace(GOOD, withdrawn=True), of(rules.WITHDRAWAL)[1]),
        *((carried(), *(lambda made: (made[0], GOOD, made[1]))(of(kind))) for kind in rules.KINDS),
    ],
)  # fmt: skip
def test_each_rule_of_a_letter(activity, letter, facts, decision):
    assert rules.decide(activity, letter, facts) == decision


@pytest.mark.parametrize(
    ("letter", "facts", "decision"),
    [
        (replace(LETTER, id="x", to=(OTHER,)), GOOD, STOLEN),
        (replace(LETTER, sent=NOW - timedelta(days=99)), replace(GOOD, member=False), Ignore),
        (replace(LETTER, kind="song"), replace(GOOD, known=True), Ignore),
    ],
    ids=["a stolen envelope before whom it is for", "membership before age", "the kind before what is here"],
)
def test_the_rules_are_asked_in_their_order(letter, facts, decision):
    found = rules.decide(carried(), letter, facts)
    assert found == decision if isinstance(decision, Refuse) else isinstance(found, decision)


def test_what_was_written_is_read_as_it_was_meant():
    letter = replace(LETTER, sent=LETTER.sent.replace(microsecond=0))
    assert rules.parse(rules.render(letter)) == letter
    assert rules.open_letter(carried(letter), (SECRET.secret,)) == letter


def test_a_letter_that_is_too_long_is_not_sealed():
    with pytest.raises(ProtocolError, match="bytes; "):
        rules.envelope(replace(LETTER, body={"words": "x" * sealing.MAX_LETTER}), (SECRET.public,))


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        (carried(kind="Create"), "one SealedLetter"),
        (carried(thing={"type": "Note"}), "one SealedLetter"),
        (carried(thing={"type": rules.OBJECT, "sealed": 7}), "one SealedLetter"),
        (carried(thing={"type": rules.OBJECT, "sealed": "!"}), "base64"),
        (carried(thing={"type": rules.OBJECT, "sealed": base64.b64encode(b"age").decode()}), "not to us"),
    ],
)
def test_what_carries_no_letter_is_refused(activity, reason):
    with pytest.raises(ProtocolError, match=reason):
        rules.open_letter(activity, (SECRET.secret,))


VALID = orjson.loads(rules.render(LETTER))


@pytest.mark.parametrize(
    "broken",
    [
        {"letter": 2}, {"letter": None}, {"id": 7}, {"from": None}, {"from": "https://one.example/actor"}, {"to": []},
        {"to": US}, {"to": [US, 7]}, {"to": ["amal"]}, {"to": [US] * 1_001}, {"kind": ""}, {"kind": "x" * 41},
        {"kind": 7}, {"about": None}, {"about": "x" * 501}, {"sent": None}, {"sent": "yesterday"}, {"sent": "x" * 41},
        {"sent": "0001-01-01T00:00:00+23:59"}, {"body": None}, {"body": ["x"]}, {"body": "x"},
    ],
)  # fmt: skip
def test_one_thing_broken_it_is_no_letter(broken):
    with pytest.raises(ProtocolError):
        rules.parse(orjson.dumps(VALID | broken))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.sampled_from(sorted(VALID)), JSON | st.none())
def test_whatever_replaces_a_part_it_is_read_or_refused(name, value):
    try:
        found = rules.parse(orjson.dumps(VALID | {name: value}))
    except NodeError:
        return
    assert found.author == VALID["from"] or name == "from"


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_they_are_read_or_refused(raw):
    try:
        rules.parse(raw)
    except NodeError:
        return


@given(st.integers(0, 400), st.integers(1, 255))
def test_one_byte_changed_it_is_read_or_refused(place, change):
    raw = bytearray(rules.render(LETTER))
    raw[place % len(raw)] ^= change
    try:
        rules.parse(bytes(raw))
    except NodeError:
        return

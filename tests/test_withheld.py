"""Signatures whose names are withheld: what is taken for one, whose a tag is, and what is counted."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import endorsements
from node import withheld as rules
from node.endorsements import Delivery, SignOn
from node.errors import NodeError, ProtocolError
from node.federation.protocol import keys
from node.letters import ENDORSEMENT, Letter
from node.withheld import Withheld

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY, OTHER, AUTHOR = (keys.generate_organisation_key() for _ in range(3))
ALERT = f"ap+ef61://{AUTHOR.did}/objects/one"
DIGEST, ANOTHER = (endorsements.digest_of({"content": text}) for text in ("EXERCISE", "EXERCISE again"))
SIGNATURE = rules.sign(KEY, ALERT, DIGEST)
BODY = rules.body(SIGNATURE, DIGEST, "Exercise", gone=False)
LETTER = Letter(f"ap+ef61://{KEY.did}/letters/1", KEY.did, (OTHER.did,), ENDORSEMENT, ALERT, NOW, BODY)
SAID = Withheld(rules.tag_of(SIGNATURE), ALERT, DIGEST, NOW, False)
ASKED = SignOn("s", AUTHOR.did, ALERT, DIGEST, {}, NOW - HOUR, NOW + HOUR, None, (1, 1))


def test_what_is_said_is_read_and_the_tag_is_the_same_every_time():
    assert rules.parse(LETTER) == SAID
    again = replace(LETTER, id="x", sent=NOW + HOUR, body=rules.body(SIGNATURE, DIGEST, "", gone=True))
    assert rules.parse(again) == replace(SAID, said=NOW + HOUR, gone=True)


def test_nobody_else_makes_the_tag_and_it_is_another_for_every_text():
    tags = {
        rules.tag_of(rules.sign(key, alert, digest))
        for key in (KEY, OTHER, AUTHOR) for alert in (ALERT, ALERT + "2") for digest in (DIGEST, ANOTHER)
    }  # fmt: skip
    assert len(tags) == 12


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, author=OTHER.did),
        replace(LETTER, about=ALERT + "2"),
        replace(LETTER, about="https://one.example/notes/1"),
        replace(LETTER, about=f"ap+ef61://{KEY.did}/objects/own"),
        *(
            replace(LETTER, body=BODY | broken)
            for broken in (
                {"digest": ANOTHER}, {"digest": "z1"}, {"digest": None}, {"signature": 7}, {"signature": "!"},
                {"signature": base64.b64encode(rules.sign(OTHER, ALERT, DIGEST)).decode()}, {"signature": "x" * 101},
                {"name": ""}, {"name": "x" * 201}, {"name": None}, {"gone": "no"}, {"gone": None},
            )
        ),
    ],
)  # fmt: skip
def test_one_thing_broken_it_is_none(letter):
    with pytest.raises(ProtocolError):
        rules.parse(letter)


@given(
    st.sampled_from(sorted(BODY)),
    st.none() | st.booleans() | st.integers() | st.text(max_size=120) | st.lists(st.text(max_size=3)),
)
def test_whatever_stands_in_it_it_is_read_or_refused(name, value):
    try:
        assert rules.parse(replace(LETTER, body=BODY | {name: value})).tag == SAID.tag
    except NodeError:
        return


def test_in_whatever_order_they_come_the_newest_word_of_a_tag_stands():
    words = (SAID, replace(SAID, said=NOW + HOUR, gone=True), replace(SAID, said=NOW + HOUR))
    for order in permutations(words):
        kept = order[0]
        for each in (*order[1:], *order):
            kept = each if rules.replaces(each, kept) else kept
        assert kept == words[1]


@pytest.mark.parametrize(
    ("held", "asked", "number"),
    [
        ((), ASKED, 0),
        ((SAID,), ASKED, 1),
        ((SAID, replace(SAID, tag="2")), ASKED, 2),
        ((SAID, SAID), ASKED, 1),
        ((replace(SAID, gone=True),), ASKED, 0),
        ((replace(SAID, digest=ANOTHER),), ASKED, 0),
        ((replace(SAID, said=NOW + HOUR),), ASKED, 1),
        ((replace(SAID, said=NOW + 2 * HOUR),), ASKED, 0),
        ((SAID,), replace(ASKED, delivery=Delivery(NOW, "x", 0, 1, {})), 1),
        ((replace(SAID, said=NOW + HOUR / 2),), replace(ASKED, delivery=Delivery(NOW, "x", 0, 1, {})), 0),
    ],
)
def test_what_is_counted(held, asked, number):
    assert rules.count(held, asked) == number

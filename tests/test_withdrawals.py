"""The board of a withdrawal: what is said of each server, from what is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.withdrawals import Member, Try, Word, board, counts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SAID = ("delete-1", "delete-2")
HOST = "alerts.example.org"
ONE, TWO = Member("did:one", "Exercise one", HOST), Member("did:two", "Exercise two", HOST)
DONE = Try(SAID[0], HOST, "done", 1, NOW, NOW)
WAITS = Try(SAID[1], HOST, "waiting", 4, LATER, NOW)
GIVEN_UP = Try(SAID[1], HOST, "failed", 45, NOW, LATER)
SIGNED = [Word(said, ONE.did, NOW, None) for said in SAID]


def line(tries=(), words=(), members=(), followers=None):
    return board(SAID, tries, words, members, followers or {})[0]


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"tries": [DONE]}, "accepted"),
        ({"tries": [DONE, WAITS]}, "waiting"),
        ({"tries": [DONE, GIVEN_UP]}, "silent"),
        ({"members": [ONE]}, "silent"),
        ({"members": [ONE], "tries": [DONE]}, "accepted"),
        ({"members": [ONE], "tries": [DONE], "words": SIGNED[:1]}, "accepted"),
        ({"members": [ONE], "tries": [DONE], "words": SIGNED}, "confirmed"),
        ({"members": [ONE], "tries": [WAITS], "words": SIGNED}, "confirmed"),
        ({"members": [ONE], "words": SIGNED}, "confirmed"),
        ({"members": [ONE, TWO], "tries": [DONE], "words": SIGNED}, "accepted"),
        ({"tries": [DONE], "words": SIGNED}, "accepted"),
    ],
)
def test_each_server_is_in_one_state(given, state):
    assert line(**given).state == state


def test_destroyed_is_said_when_everybody_there_said_it():
    gone = [replace(each, destroyed=LATER) for each in SIGNED]
    assert line(members=[ONE], words=[gone[0], SIGNED[1]]).destroyed is None
    assert line(members=[ONE], words=gone).destroyed == LATER


def test_what_waits_says_when_and_how_often():
    found = line(tries=[DONE, WAITS])
    assert (found.next_try, found.asked_again, found.since) == (LATER, 3, None)


def test_members_come_first_and_what_is_open_before_what_is_done():
    tries = [replace(DONE, host="a.example"), replace(GIVEN_UP, host="b.example"), WAITS]
    found = board(SAID, tries, SIGNED, [ONE, replace(TWO, host="c.example")], {"a.example": 7, "b.example": 1})
    assert [each.host for each in found] == ["c.example", HOST, "b.example", "a.example"]
    assert [each.followers for each in found] == [0, 0, 1, 7]
    assert counts(found) == {"confirmed": 1, "accepted": 1, "waiting": 0, "silent": 2}

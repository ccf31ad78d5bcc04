"""Who has an alert, and what is due about it: the rules, one broken at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node import alert_dues as due
from node import coverage as rules
from node.alert_dues import Standing
from node.coverage import Facts, Line, Party, Reach, Sent

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
FRIEND = Party("did:key:zB", "Friend (exercise)", "b.example", "https://b.example/inbox")
DONE = Sent(FRIEND.inbox, FRIEND.host, "done", 1, NOON, NOON, 202)
OPEN = Sent(FRIEND.inbox, FRIEND.host, "waiting", 3, LATER, NOON, 599)
LOST = replace(OPEN, state="failed", status=410)
WORDS = ((1, 4), (1, 7))


def line(*sent, party=FRIEND, **more):
    (found,) = rules.board(Facts(parties=[party], sent=sent, words=WORDS, **more)).lines
    return found


def reach(sequence):
    return {FRIEND.did: Reach((1, sequence), LATER)}


@pytest.mark.parametrize(
    ("sent", "more", "state", "why"),
    [
        ((DONE,), {"reached": reach(7)}, rules.PROVEN, ""),
        ((OPEN,), {"reached": reach(9)}, rules.PROVEN, ""),
        ((LOST,), {"receipts": {FRIEND.did: LATER}}, rules.PROVEN, ""),
        ((DONE, DONE), {"reached": reach(6)}, rules.TAKEN, ""),
        ((DONE, OPEN), {"reached": reach(6)}, rules.WAITING, rules.UNREACHABLE),
        ((replace(OPEN, attempts=0, status=0),), {}, rules.WAITING, ""),
        ((replace(OPEN, status=429),), {}, rules.WAITING, rules.BUSY),
        ((LOST,), {"reached": reach(6)}, rules.EARLIER, rules.GONE),
        ((), {"reached": reach(6)}, rules.EARLIER, ""),
        ((LOST,), {"reached": reach(3)}, rules.FAILED, rules.GONE),
        ((replace(LOST, status=403),), {}, rules.FAILED, rules.REFUSED),
        ((replace(LOST, status=500),), {}, rules.FAILED, rules.BROKEN),
        ((), {"reached": reach(3)}, rules.UNASKED, ""),
        ((), {}, rules.UNASKED, ""),
    ],
)
def test_a_signed_head_goes_before_an_answer_and_an_answer_before_nothing(sent, more, state, why):
    found = line(*sent, **more)
    assert (found.state, found.why) == (state, why)


def test_what_is_known_of_a_silent_server_is_told():
    found = line(OPEN)
    assert found == Line(FRIEND.did, FRIEND.name, FRIEND.host, rules.WAITING, rules.UNREACHABLE, NOON, LATER, 3)
    assert line(DONE, party=replace(FRIEND, frozen=True)).why == rules.FROZEN


def test_members_are_counted_and_followers_only_by_their_servers():
    other = replace(FRIEND, did="did:key:zC", inbox="https://c.example/inbox", host="c.example")
    theirs = replace(DONE, inbox="https://d.example/inbox", host="d.example")
    mute = replace(OPEN, inbox="https://e.example/inbox", host="e.example")
    found = rules.board(
        Facts(
            parties=[FRIEND, other], sent=[DONE, theirs, mute], words=WORDS, reached=reach(7),
            followers={"d.example": 4, "e.example": 1}, targets=[theirs.inbox, mute.inbox],
        )
    )  # fmt: skip
    assert (found.held, found.proven, len(found.lines)) == (1, 1, 2)
    assert [each.state for each in found.lines] == [rules.UNASKED, rules.PROVEN], "who lacks it comes first"
    assert [(each.host, each.followers, each.state) for each in found.servers] == [
        ("e.example", 1, rules.WAITING), ("d.example", 4, rules.TAKEN),
    ]  # fmt: skip
    assert found.counts == {rules.TAKEN: 1, rules.WAITING: 1}


FINE = Standing(closed=False, told=NOON, expires=NOON + timedelta(days=90), asked=1, answered=1)


@pytest.mark.parametrize(
    ("changes", "after", "found"),
    [
        ({}, timedelta(days=1), ()),
        ({"expires": NOON + timedelta(days=8)}, timedelta(days=2), (due.EXPIRES,)),
        ({"expires": NOON + timedelta(days=1)}, timedelta(days=30), (due.EXPIRED,)),
        ({"answered": 0}, timedelta(days=13), ()),
        ({"answered": 0}, timedelta(days=14), (due.ANSWERS, due.SILENT)),
        ({"answered": 0, "asked": 0}, timedelta(days=14), (due.SILENT,)),
        ({"answered": 0, "deadline": NOON + timedelta(days=2)}, timedelta(days=3), (due.DEADLINE,)),
        ({}, timedelta(days=14), (due.SILENT,)),
        ({"closed": True, "expires": NOON}, timedelta(days=100), ()),
    ],
)
def test_an_alert_asks_for_what_is_due(changes, after, found):
    assert due.dues(replace(FINE, **changes), NOON + after) == found

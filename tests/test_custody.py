"""Custody: k of n open a withdrawal signed in advance, fewer learn nothing of it, and only its author's counts."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from node import custody as rules
from node import releases, sharing
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import integrity_proofs, keys
from node.letters import Letter

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTENT = "zQmPbMriCHcVVMvYYagh2vq7FiyzFWCXVznSzRtPrPk3qq3"
AUTHOR = keys.generate_organisation_key()
PEOPLE = tuple(keys.generate_organisation_key().did for _ in range(5))
ABOUT = f"ap+ef61://{AUTHOR.did}/objects/exercise1"


def signed(key=AUTHOR, **changes):
    bare = {**releases.statement([ABOUT], [(1, 2, CONTENT)], (1, 2), NOW), **changes}
    return integrity_proofs.sign(bare, key, f"{key.did}#{key.multikey}", NOW)


def deposits(count=3, threshold=2, statement=None):
    key, name = secrets.token_bytes(sharing.KEY_SIZE), "exercise-deposit"
    sealed = rules.seal(statement or signed(), key, name)
    parts = sharing.split(key, count, threshold, secrets.token_bytes)
    return [rules.Deposit(name, AUTHOR.did, ABOUT, threshold, PEOPLE[:count], sealed, each) for each in parts]


def handed(found, number):
    return rules.Given(PEOPLE[number], found[number].id, ABOUT, found[number].parts)


@pytest.mark.parametrize(("count", "threshold"), [(2, 2), (3, 2), (5, 2), (3, 3), (5, 3)])
def test_enough_custodians_open_the_authors_own_word(count, threshold):
    found = deposits(count, threshold)
    for group in combinations(range(count), threshold):
        value, promise = rules.open_deposit(found[0], [handed(found, number) for number in group])
        assert value == signed() or promise.objects == (ABOUT,)
        assert (promise.author, promise.entries, promise.until) == (AUTHOR.did, ((1, 2, CONTENT),), (1, 2))
        assert rules.open_deposit(found[0], [handed(found, number) for number in group[1:]]) is None


def test_one_false_part_is_noticed_and_does_not_hinder_the_others():
    found = deposits(3, 2)
    false = replace(handed(found, 1), parts={name: bytes(32) for name in found[1].parts})
    with pytest.raises(ProtocolError, match="false"):
        rules.open_deposit(found[0], [handed(found, 0), false])
    assert rules.open_deposit(found[0], [handed(found, 0), false, handed(found, 2)]) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"by": keys.generate_organisation_key().did},
        {"deposit": "another"},
        {"about": ABOUT + "2"},
        {"parts": {}},
    ],
)
def test_a_part_that_is_not_of_this_deposit_counts_for_nothing(change):
    found = deposits()
    assert rules.open_deposit(found[0], [handed(found, 0), replace(handed(found, 1), **change)]) is None


def test_a_statement_by_another_key_withdraws_nothing():
    thief = keys.generate_organisation_key()
    found = deposits(statement=signed(thief))
    with pytest.raises(ProtocolError):
        rules.open_deposit(found[0], [handed(found, 0), handed(found, 1)])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "Note"}, "one Withdrawal"),
        ({"objects": []}, "1 to 20"),
        ({"objects": [ABOUT] * 21}, "1 to 20"),
        ({"objects": [ABOUT, f"ap+ef61://{PEOPLE[0]}/objects/x"]}, "of its author"),
        ({"objects": [f"ap+ef61://{AUTHOR.did}/actor"]}, "of its author"),
        ({"objects": [7]}, "of its author"),
        ({"until": None}, "where the log stood"),
        ({"until": {"epoch": 0, "sequence": 1}}, "where the log stood"),
    ],
)
def test_a_statement_with_one_thing_broken_is_refused(change, reason):
    assert releases.verify(signed()).objects == (ABOUT,)
    with pytest.raises(ProtocolError, match=reason):
        releases.verify(signed(**change))
    with pytest.raises(ProtocolError):
        releases.verify({**signed(), "issued": "2027-01-01T00:00:00Z"})  # changed after it was signed


@pytest.mark.parametrize(
    ("custodians", "threshold", "reason"),
    [
        (PEOPLE[:3], 1, "together"),
        (PEOPLE[:5], 4, "together"),
        (PEOPLE[:1], 2, "different members"),
        ((PEOPLE[0], PEOPLE[0]), 2, "different members"),
        ((*PEOPLE[:2], AUTHOR.did), 2, "no member"),
    ],
)
def test_custodians_are_chosen_by_the_rules(custodians, threshold, reason):
    rules.check_choice(PEOPLE[:3], 2, PEOPLE)
    with pytest.raises(RefusedError, match=reason):
        rules.check_choice(custodians, threshold, PEOPLE)


def letter(kind, body, author=AUTHOR.did, about=ABOUT):
    return Letter("ap+ef61://x", author, PEOPLE[:1], kind, about, NOW, body)


def test_a_deposit_and_a_part_are_read_as_they_were_written():
    found = deposits()
    assert rules.parse_deposit(letter("custody", rules.deposit_body(found[0]))) == found[0]
    part = replace(handed(found, 0), why="EXERCISE: the server is gone")
    assert rules.parse_part(letter("custody-part", rules.part_body(part), author=PEOPLE[0])) == part


@pytest.mark.parametrize(
    "change",
    [
        {"deposit": ""}, {"deposit": 7}, {"threshold": "2"}, {"threshold": 1}, {"threshold": 4},
        {"custodians": list(PEOPLE[:1])}, {"custodians": [PEOPLE[0], PEOPLE[0]]}, {"custodians": "all"},
        {"custodians": ["x", "y"]}, {"sealed": "%"}, {"parts": {}}, {"parts": {"0-1": "AAAA"}}, {"parts": None},
    ],
)  # fmt: skip
def test_a_deposit_with_one_thing_broken_is_refused(change):
    body = rules.deposit_body(deposits()[0])
    with pytest.raises(ProtocolError):
        rules.parse_deposit(letter("custody", body | change))


def test_a_deposit_about_anothers_alert_is_refused():
    body = rules.deposit_body(deposits()[0])
    with pytest.raises(ProtocolError):
        rules.parse_deposit(letter("custody", body, author=PEOPLE[0]))


@pytest.mark.parametrize(
    ("since", "checked", "reason"),
    [
        (None, NOW, "answers"),
        (NOW - timedelta(hours=5), NOW, "custodians wait"),
        (NOW - timedelta(days=5), NOW - timedelta(hours=3), "lately"),
        (None, None, "lately"),
    ],
)
def test_custodians_are_silent_while_the_author_may_speak(since, checked, reason):
    rules.check_silent(NOW - timedelta(hours=6), NOW, NOW, timedelta(hours=6))
    with pytest.raises(RefusedError, match=reason):
        rules.check_silent(since, checked, NOW, timedelta(hours=6))

"""Replies as rows: found by digests, lost by their author alone, destroyed in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node import replies as rules
from node.errors import RefusedError
from node.models import replies
from node.models.replies import BlockRow, ReplyRow

DID, OTHER = "did:key:zone", "did:key:ztwo"
AMAL, BADR = "https://peer.example/users/amal", "https://peer.example/users/badr"
HOUR = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def salt(database):
    return database.write_now(lambda c: replies.make_salt(c, DID))


@pytest.fixture
def add(database, salt):
    def make(number, actor=AMAL, **changes):
        tag = rules.tag(salt, f"{actor}/{number}")
        row = ReplyRow(
            f"{number:032}", tag, rules.author_tag(salt, tag, actor), "", HOUR, rules.WAITING, 1,
            HOUR + rules.UNREAD_FOR, False, False, b"",
        )  # fmt: skip
        made = replace(row, **changes)
        database.write_now(lambda c: replies.add(c, DID, made, b"sealed"))
        return made

    return make


def test_each_organisation_has_its_own_salt_and_sees_its_own(database, salt, add):
    row = add(1)
    assert database.write_now(lambda c: replies.make_salt(c, OTHER)) != salt
    assert database.read_now(lambda c: replies.by_tag(c, DID, row.tag)) == row
    assert database.read_now(lambda c: replies.by_tag(c, OTHER, row.tag)) is None
    assert database.read_now(lambda c: (replies.waiting(c, DID), replies.waiting(c, OTHER))) == (1, 0)


def test_an_actor_who_is_gone_takes_their_words_along_but_for_evidence(database, add):
    add(1), add(2, state=rules.EVIDENCE, due=None), add(3, BADR)
    database.write_now(lambda c: replies.lose_author(c, DID, AMAL))
    assert database.read_now(lambda c: replies.counts(c, DID)) == {"waiting": 1, "evidence": 1}
    (kept,) = database.read_now(lambda c: replies.all_of(c, DID, rules.EVIDENCE, 9))
    assert kept.deleted and database.read_now(lambda c: replies.sealed_of(c, DID, [kept.name]))
    database.write_now(lambda c: replies.lose_author(c, OTHER, BADR))
    assert database.read_now(lambda c: replies.waiting(c, DID)) == 1


def test_versions_are_kept_up_to_a_bound_and_the_first_stays(database, add):
    row = add(1)
    for number in range(2, 9):
        database.write_now(lambda c, n=number: replies.add_version(c, DID, row, b"%d" % n, 5))
    found = database.read_now(lambda c: replies.sealed_of(c, DID, [row.name]))
    assert found == {row.name: (b"sealed", b"2", b"3", b"4", b"8")}


def test_what_is_due_goes_and_what_was_dismissed_does_not_come_back(database, add):
    add(1), add(2, state=rules.DISMISSED, due=HOUR + DAY), add(3, state=rules.EVIDENCE, due=None)
    assert database.write_now(lambda c: replies.prune(c, HOUR)) == 0
    assert database.write_now(lambda c: replies.prune(c, HOUR + 7 * DAY)) == 1
    gone = database.read_now(lambda c: replies.counts(c, DID))
    assert gone == {"waiting": 1, "gone": 1, "evidence": 1}
    (bare,) = database.read_now(lambda c: replies.all_of(c, DID, rules.GONE, 9))
    assert (bare.author, bare.about, bare.review) == (b"", "", b"")
    assert database.read_now(lambda c: replies.find(c, DID, bare.name)) is None
    assert not database.read_now(lambda c: replies.sealed_of(c, DID, [bare.name]))
    assert database.write_now(lambda c: replies.prune(c, HOUR + 200 * DAY)) == 1, "the bare row is no reply"
    assert database.read_now(lambda c: replies.counts(c, DID)) == {"evidence": 1}


def test_who_was_slower_is_told_so(database, add):
    row = add(1)
    database.write_now(lambda c: replies.save(c, DID, replace(row, asked=True)))
    with pytest.raises(RefusedError, match="meanwhile"):
        database.write_now(lambda c: replies.save(c, DID, row))
    assert [each.name for each in database.read_now(lambda c: replies.asked_of(c, DID, 9))] == [row.name]


def test_blocks_are_found_by_a_digest(database, salt):
    tag = rules.block_tag(salt, AMAL)
    for _ in range(2):
        database.write_now(lambda c: replies.block(c, DID, BlockRow(tag, HOUR, b"sealed")))
    assert len(database.read_now(lambda c: replies.blocks_of(c, DID))) == 1
    assert database.read_now(lambda c: replies.is_blocked(c, DID, [rules.block_tag(salt, BADR), tag]))
    assert not database.read_now(lambda c: replies.is_blocked(c, OTHER, [tag]))
    assert database.write_now(lambda c: replies.unblock(c, DID, tag))
    assert not database.write_now(lambda c: replies.unblock(c, DID, tag))

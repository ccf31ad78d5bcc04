"""Logs as rows: the head follows the line, a gap waits, a fork is counted, a withdrawn text goes."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy

from node.federation.protocol.activities import Activity
from node.federation.protocol.replicas import Head
from node.models import contacts, deletes, logs, withdrawals
from tests.models.samples import DID, MEMBER, NOW, OTHER, chain, entry, header

ORG = DID


@pytest.fixture
def write(database):
    """Call a function of `logs` in a transaction of its own, for this organisation."""

    def run(function, *arguments):
        return database.write_now(lambda connection: function(connection, ORG, *arguments))

    return run


def keep(write, *links):
    for link in links:
        write(logs.append, link if isinstance(link, logs.Entry) else entry(link))


def head_at(link):
    return Head(link.epoch, link.sequence, link.digest)


def test_a_log_without_entries_has_no_head(write):
    assert write(logs.head, OTHER) is None
    assert write(logs.head_table) == {}
    assert write(logs.line, OTHER) == ()


def test_an_entry_comes_back_as_it_was_kept(write):
    made = entry(header(1, None))
    keep(write, made)
    assert write(logs.find, made.header) == made
    assert write(logs.by_activity, made.activity_id) == made
    assert write(logs.of_object, OTHER, made.object_id) == (made,)
    assert write(logs.beside, OTHER, 1) == (made.header,)
    assert write(logs.find, header(1, None, "other words")) is None


def test_one_organisation_does_not_see_the_log_another_keeps(database, write):
    link = header(1, None)
    keep(write, link)
    assert database.read_now(lambda connection: logs.head(connection, OTHER, OTHER)) is None
    assert database.read_now(lambda connection: logs.find(connection, OTHER, link)) is None


def test_the_head_follows_the_appended_entries(write):
    links = chain(5)
    for link in links:
        keep(write, link)
        assert write(logs.head, OTHER) == head_at(link)
    assert write(logs.line, OTHER) == tuple(links)
    assert write(logs.forked) == frozenset()


def test_the_head_stops_before_a_gap_and_goes_on_when_it_closes(write):
    one, two, three, four = chain(4)
    keep(write, one, three, four)
    assert write(logs.head, OTHER) == head_at(one)
    keep(write, two)
    assert write(logs.head, OTHER) == head_at(four)
    assert write(logs.forked) == frozenset()


def test_a_log_that_begins_with_a_gap_has_no_head_until_its_first_entry(write):
    one, two = chain(2)
    keep(write, two)
    assert write(logs.head, OTHER) is None
    keep(write, one)
    assert write(logs.head, OTHER) == head_at(two)


def test_whatever_the_order_of_arrival_the_line_is_the_same(write):
    main = chain(8)
    branch = chain(3, after=main[3], text="another branch")
    higher = chain(2, after=main[5], text="after a restore", epoch=2)
    links = [*main, *branch, *higher]
    random.Random(7).shuffle(links)
    keep(write, *links)
    assert write(logs.line, OTHER) == (*main[:6], *higher)
    assert write(logs.head, OTHER) == head_at(higher[-1])
    assert write(logs.forked) == {OTHER}


def test_a_fork_is_counted_and_both_entries_stay(write):
    one, two = chain(2)
    other = header(2, one.digest, "something else")
    keep(write, one, two, other)
    assert write(logs.forked) == {OTHER}
    assert set(write(logs.beside, OTHER, 2)) == {two, other}
    longer = chain(2, after=other, text="its next")
    keep(write, *longer)
    assert write(logs.head, OTHER) == head_at(longer[-1])
    assert write(logs.line, OTHER) == (one, other, *longer)


def test_a_later_epoch_takes_the_line_over(write):
    main = chain(4)
    keep(write, *main)
    again = header(3, main[1].digest, "from the backup", epoch=2)
    keep(write, again)
    assert write(logs.head, OTHER) == head_at(again)
    assert write(logs.line, OTHER) == (*main[:2], again)


def test_one_entry_is_kept_once(write):
    link = header(1, None)
    keep(write, link)
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        keep(write, link)


def test_recount_mends_a_head_that_was_left_behind(database, write):
    links = chain(3)
    keep(write, *links)
    behind = sqlalchemy.update(logs.heads).values(sequence=1, digest="")
    database.write_now(lambda connection: connection.execute(behind))
    write(logs.recount, OTHER)
    assert write(logs.head, OTHER) == head_at(links[-1])


# Reading


def test_a_log_is_read_upwards_from_a_place_and_downwards_before_one(write):
    links = chain(6)
    keep(write, *links)
    assert [each.header for each in write(logs.read, OTHER, (1, 3), 2)] == links[2:4]
    assert [each.header for each in write(logs.read, OTHER, (0, 0), 100)] == links
    newest = logs.read
    found = write(lambda connection, org: newest(connection, org, OTHER, (2, 1), 3, newest=True))
    assert [each.header for each in found] == [links[5], links[4], links[3]]


@pytest.mark.parametrize("place", [(2**31, 2**53), (10**12, 1), (1, 10**18), (10**18, 10**18)])
def test_a_place_that_no_column_can_hold_is_past_the_end(write, place):
    keep(write, *chain(2))
    assert write(logs.read, OTHER, place, 10) == ()
    found = write(lambda connection, org: logs.read(connection, org, OTHER, place, 10, newest=True))
    assert [each.header.sequence for each in found] == [2, 1]


# Withdrawn texts


def test_a_hidden_text_becomes_a_stub_when_its_time_has_come(database, write):
    one, two = chain(2)
    keep(write, one, two)
    write(logs.hide, [one.digest], NOW + timedelta(hours=72))
    assert write(logs.find, one).state == logs.HIDDEN

    def destroy(moment):
        return database.write_now(lambda connection: logs.destroy_due(connection, moment))

    name = write(logs.find, one).activity_id
    assert destroy(NOW + timedelta(hours=71)) == ()
    assert write(logs.find, one).raw is not None
    found = logs.Destroyed(ORG, name, b'{"exercise": true}', one.did, one.order, write(logs.find, one).object_id)
    assert destroy(NOW + timedelta(hours=72)) == (found,)
    gone = write(logs.find, one)
    assert (gone.state, gone.raw, gone.activity_id) == (logs.STUB, None, None)
    assert destroy(NOW + timedelta(days=900)) == ()
    assert write(logs.find, two).state == logs.HELD
    assert write(logs.head, OTHER) == head_at(two)


def test_a_text_that_waits_for_a_second_word_is_never_destroyed_by_time(database, write):
    link = header(1, None)
    keep(write, link)
    write(logs.hide, [link.digest], None)
    assert database.write_now(lambda connection: logs.destroy_due(connection, NOW + timedelta(days=9999))) == ()
    assert write(logs.find, link).raw is not None


def test_a_hidden_text_comes_back(write):
    link = header(1, None)
    keep(write, link)
    write(logs.hide, [link.digest], NOW)
    write(logs.unhide, [link.digest])
    assert write(logs.find, link).state == logs.HELD


def test_a_stub_does_not_come_back_and_is_not_hidden_again(write):
    link = header(1, None)
    keep(write, entry(link, state=logs.STUB, raw=None, activity_id=None, object_id=None, type=""))
    write(logs.unhide, [link.digest])
    write(logs.hide, [link.digest], NOW)
    assert write(logs.find, link).state == logs.STUB


def test_the_text_of_a_stub_may_come_after_all(write):
    link = header(1, None)
    keep(write, entry(link, state=logs.STUB, raw=None, activity_id=None, object_id=None, type=""))
    activity = Activity("ap:a", "Create", "ap:actor", "ap:o", None, None, {}, b"{}")
    write(logs.fill, link.digest, activity)
    found = write(logs.find, link)
    assert (found.state, found.raw, found.activity_id, found.object_id) == (logs.HELD, b"{}", "ap:a", "ap:o")


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "the later one first"])
def test_of_several_deletes_the_one_that_stands_first_in_the_log_counts(write, order):
    links = chain(3)
    keep(write, *links)
    for which in order:
        write(deletes.add, OTHER, (1, 1), links[0].content, links[which], NOW)
    assert write(deletes.withdrawal, OTHER, (1, 1)) == links[0].content
    assert write(deletes.withdrawal, OTHER, (1, 2)) is None
    assert write(deletes.contest, OTHER, (1, 2)) == 0
    assert not write(deletes.is_contested, OTHER, (1, 1))


def test_a_later_delete_does_not_name_other_words_for_a_place(write):
    links = chain(3)
    keep(write, *links)
    write(deletes.add, OTHER, (1, 1), links[0].content, links[1], NOW)
    write(deletes.add, OTHER, (1, 1), "something else", links[2], NOW)
    assert write(deletes.withdrawal, OTHER, (1, 1)) == links[0].content


# A freeze


def test_what_stands_past_a_freeze_is_kept_and_given_to_nobody(database, write):
    links = chain(5)
    keep(write, *links)
    freeze(database, (1, 3))
    assert [each.header for each in write(logs.read, OTHER, (0, 0), 100)] == links[:3]
    assert write(logs.by_activity, entry(links[4]).activity_id) is None
    assert write(logs.head_table) == {OTHER: head_at(links[2])}
    assert write(logs.head, OTHER) == head_at(links[4])
    assert write(logs.find, links[4]) is not None
    freeze(database, None)
    assert len(write(logs.read, OTHER, (0, 0), 100)) == 5


def test_a_log_frozen_before_its_first_entry_stands_in_no_head_table(database, write):
    keep(write, *chain(2))
    freeze(database, (1, 0))
    assert write(logs.head_table) == {}
    assert write(logs.read, OTHER, (0, 0), 100) == ()


def freeze(database, after):
    def work(connection):
        contacts.pin(connection, ORG, MEMBER)
        contacts.freeze(connection, ORG, OTHER, after)

    database.write_now(work)


# Bare headers


def test_stubs_are_kept_where_a_signed_entry_vouches_for_them(write):
    links = chain(4)
    keep(write, links[0], links[3])
    assert write(logs.add_stubs, links[1:3], "org3.example", NOW) == 2
    assert write(logs.add_stubs, links[1:3], "org3.example", NOW) == 0
    assert write(logs.head, OTHER) == head_at(links[3])
    assert {each.state for each in write(logs.read, OTHER, (1, 2), 2)} == {logs.STUB}


def test_stubs_that_nobody_signed_for_are_not_kept(write):
    links = chain(4)
    keep(write, links[0])
    assert write(logs.add_stubs, links[1:], "org3.example", NOW) == 0
    assert write(logs.find, links[1]) is None


# Withdrawals, summed up


def test_a_stub_that_no_delete_names_is_withheld(write):
    one, two, three = chain(3)
    bare = {"state": logs.STUB, "raw": None, "activity_id": None, "object_id": None, "type": ""}
    keep(write, entry(one, **bare), entry(two, **bare), three)
    write(deletes.add, OTHER, (1, 1), one.content, three, NOW)
    write(deletes.add, OTHER, (1, 2), "the wrong content", three, NOW)
    assert write(withdrawals.withheld, OTHER) == (two,)


def test_deletes_are_counted_since_a_moment(write):
    one, two, three = chain(3)
    keep(write, entry(one, type="Delete", received=NOW - timedelta(days=2)), entry(two, type="Delete"), entry(three))
    assert write(deletes.since, OTHER, NOW - timedelta(days=1)) == 1
    assert write(deletes.since, OTHER, NOW - timedelta(days=3)) == 2


def hidden(write, links):
    """Two of five are withdrawn, the first before entry 4, the second after."""
    keep(write, *links)
    write(deletes.add, OTHER, (1, 1), links[0].content, links[2], NOW)
    write(deletes.add, OTHER, (1, 2), links[1].content, links[4], NOW)
    write(logs.hide, [links[0].digest, links[1].digest], NOW + timedelta(hours=72))


def test_withdrawals_past_a_freeze_are_contested_and_what_they_named_is_kept(database, write):
    links = chain(5)
    hidden(write, links)
    assert write(deletes.contest, OTHER, (1, 4)) == 1
    assert [write(deletes.is_contested, OTHER, (1, number)) for number in (1, 2, 3)] == [False, True, False]
    assert len(database.write_now(lambda connection: logs.destroy_due(connection, NOW + timedelta(days=4)))) == 1
    assert write(logs.find, links[1]).state == logs.HIDDEN
    assert write(deletes.give_back, OTHER, None) == (links[1].digest,)
    assert write(logs.find, links[1]).state == logs.HELD
    assert write(deletes.withdrawal, OTHER, (1, 1)) == links[0].content
    assert write(deletes.withdrawal, OTHER, (1, 2)) is None


def test_what_is_contested_no_longer_is_destroyed_at_its_time(database, write):
    links = chain(5)
    hidden(write, links)
    write(deletes.contest, OTHER, (1, 4))
    assert write(deletes.contest, OTHER, None) == 0
    write(deletes.settle, OTHER, NOW + timedelta(hours=72))
    assert len(database.write_now(lambda connection: logs.destroy_due(connection, NOW + timedelta(days=4)))) == 2


def test_a_second_word_carries_out_what_waits_and_nothing_that_is_contested(write):
    links = chain(5)
    hidden(write, links)
    write(logs.hold_back, OTHER, NOW)
    assert write(deletes.waiting) == {OTHER: 2}
    write(deletes.contest, OTHER, (1, 4))
    assert write(deletes.confirm, OTHER, (1, 5), NOW) == 1
    assert write(deletes.waiting) == {OTHER: 1}
    assert write(logs.find, links[1]).state == logs.HIDDEN


def test_the_head_table_names_everybody(write):
    ours = replace(header(1, None), did=DID)
    theirs = chain(2)
    keep(write, ours, *theirs)
    assert write(logs.head_table) == {DID: head_at(ours), OTHER: head_at(theirs[-1])}

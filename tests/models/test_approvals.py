"""Rows of what waits for a second word, in both engines: states, words, looks, standbys, and what is destroyed."""

from dataclasses import replace
from datetime import timedelta

from node import approvals as rules
from node.approvals import Request, Word
from node.models import approvals
from node.models.approvals import Row
from tests.models.samples import DID, NOW, OTHER

HOUR = timedelta(hours=1)
ASKED = Request(
    id="one", author="sara", digest="z1", needed=2, sister=True, subjects=frozenset({"amal", "hana"}),
    state=rules.WAITING, urgent=True, made=NOW,
)  # fmt: skip
ROW = Row(ASKED, "one", "", b"package", b"brief", None, None, False, None, "")
YES = Word(DID, "hana", rules.YES, "z1", frozenset(rules.TICKS), "", NOW)


def row(name, *, made=NOW, thread="", **changes):
    return replace(ROW, request=replace(ASKED, id=name, made=made), thread=thread or name, **changes)


def add(database, *rows, org=DID):
    for each in rows:
        database.write_now(lambda c, each=each: approvals.add(c, org, each))


def find(database, name="one"):
    return database.read_now(lambda c: approvals.find(c, DID, name))


def test_a_request_is_kept_whole_and_for_its_organisation_alone(database):
    add(database, ROW)
    assert find(database) == ROW
    assert database.read_now(lambda c: approvals.find(c, OTHER, "one")) is None
    add(database, row("two", made=NOW + HOUR, thread="one"), row("three", made=NOW + 2 * HOUR))
    versions = database.read_now(lambda c: approvals.of_thread(c, DID, "one"))
    assert [each.request.id for each in versions] == ["one", "two"]
    waiting = database.read_now(lambda c: approvals.of_state(c, DID, rules.WAITING))
    assert [each.request.id for each in waiting] == ["three", "two", "one"]


def test_it_is_due_at_its_moment_and_over_when_settled(database):
    add(database, ROW)
    database.write_now(lambda c: approvals.make_ready(c, DID, ROW, "release", NOW, NOW + HOUR))
    assert database.read_now(lambda c: approvals.due(c, NOW)) == ()
    ((org, found),) = database.read_now(lambda c: approvals.due(c, NOW + HOUR))
    assert (org, found.request.state, found.release, found.package) == (DID, rules.READY, "release", b"package")
    database.write_now(lambda c: approvals.settle(c, DID, "one", rules.PUBLISHED, "ap+ef61://x"))
    found = find(database)
    assert (found.request.state, found.release, found.package, found.outcome) == (
        rules.PUBLISHED, None, None, "ap+ef61://x",
    )  # fmt: skip
    assert database.read_now(lambda c: approvals.due(c, NOW + HOUR)) == ()


def test_what_is_held_back_is_ready_without_its_key_and_waits_again_when_a_word_goes(database):
    held = row("one", due=NOW + 2 * HOUR)
    add(database, held)
    database.write_now(lambda c: approvals.add_word(c, DID, "one", replace(YES, org=DID)))
    database.write_now(lambda c: approvals.make_ready(c, DID, held, "release", NOW, NOW))
    assert find(database).held and find(database).due == NOW + 2 * HOUR
    assert database.read_now(lambda c: approvals.due(c, NOW + 3 * HOUR)) == (), "nobody sent it"
    database.write_now(lambda c: approvals.withdraw_words(c, DID, YES.by))
    assert (find(database).request.state, find(database).due) == (rules.WAITING, NOW + 2 * HOUR)
    database.write_now(lambda c: approvals.make_ready(c, DID, held, "release", NOW + 2 * HOUR, NOW + 2 * HOUR))
    assert [each.release for _, each in database.read_now(lambda c: approvals.due(c, NOW + 2 * HOUR))] == ["release"]


def test_what_nobody_answered_ends_and_its_texts_go(database):
    add(database, ROW, row("two", made=NOW + HOUR))
    assert database.write_now(lambda c: approvals.stale(c, NOW + rules.PATIENCE)) == 0
    assert database.write_now(lambda c: approvals.stale(c, NOW + rules.PATIENCE + HOUR)) == 1
    found = find(database)
    assert (found.request.state, found.package, found.brief) == (rules.STALE, None, None)
    assert find(database, "two").request.state == rules.WAITING


def test_words_are_kept_without_their_reasons(database):
    add(database, ROW)
    no = Word(OTHER, "somebody", rules.NO, "z1", frozenset(), "EXERCISE why", NOW + HOUR)
    for each in (no, YES):
        database.write_now(lambda c, each=each: approvals.add_word(c, DID, "one", each))
    assert database.read_now(lambda c: approvals.words_of(c, DID, "one")) == (YES, replace(no, reason=""))
    assert database.read_now(lambda c: approvals.words_of(c, DID, "two")) == ()


def test_words_of_who_was_disabled_go_where_it_waits_and_stay_where_it_is_settled(database):
    add(database, ROW, row("two"))
    for name in ("one", "two"):
        database.write_now(lambda c, name=name: approvals.add_word(c, DID, name, YES))
    database.write_now(lambda c: approvals.add_word(c, DID, "one", replace(YES, org=OTHER)))
    database.write_now(lambda c: approvals.settle(c, DID, "two", rules.PUBLISHED))
    assert database.write_now(lambda c: approvals.withdraw_words(c, DID, "hana")) == 1
    assert database.read_now(lambda c: approvals.words_of(c, DID, "one")) == (replace(YES, org=OTHER),)
    assert database.read_now(lambda c: approvals.words_of(c, DID, "two")) == (YES,)


def test_what_somebody_asked_for_is_handed_on(database):
    add(database, ROW, row("two"))
    database.write_now(lambda c: approvals.settle(c, DID, "two", rules.REFUSED))
    assert database.read_now(lambda c: approvals.open_of(c, DID, "sara")) == ("one",)
    assert database.write_now(lambda c: approvals.hand_over(c, DID, "sara", "zainab")) == 1
    assert (find(database).request.author, find(database, "two").request.author) == ("zainab", "sara")


def test_who_looked_at_which_version_is_known(database):
    looks = [("hana", "one"), ("hana", "one"), ("hana", "two"), ("karwan", "two"), ("hana", "two")]
    before = [
        database.write_now(lambda c, who=who, what=what: approvals.look(c, DID, who, "one", what))
        for who, what in looks
    ]
    assert before == ["", "one", "one", "", "two"]


def test_standbys_replace_those_before(database):
    database.write_now(lambda c: approvals.set_standbys(c, DID, (OTHER, "did:key:third", OTHER), NOW))
    assert database.read_now(lambda c: approvals.standbys_of(c, DID)) == tuple(sorted((OTHER, "did:key:third")))
    database.write_now(lambda c: approvals.set_standbys(c, DID, (), NOW))
    assert database.read_now(lambda c: approvals.standbys_of(c, DID)) == ()


def test_an_emergency_is_to_be_looked_at_until_it_was(database):
    add(database, ROW)
    database.write_now(lambda c: approvals.want_review(c, DID, "one", NOW + HOUR))
    assert find(database).review_by == NOW + HOUR
    database.write_now(lambda c: approvals.want_review(c, DID, "one", None))
    assert find(database).review_by is None

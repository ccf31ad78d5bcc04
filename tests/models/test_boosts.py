"""Rows of `@alerts`: asked for, boosted once, undone when their alert is gone; probes, notices and copies."""

from dataclasses import replace
from datetime import timedelta

import pytest

from node.boosts import Rule, Voice
from node.errors import RefusedError
from node.models import alerts, boosts, organisations, queues, relays
from node.models.alerts import AlertRecord
from node.models.boosts import Boost
from node.models.queues import Incoming, Settled
from node.models.relays import Copy
from node.relays import Notice
from tests.models.samples import ACTOR, DID, NOW, ORGANISATION, OTHER

VOICE = Voice("https://org1.example", "alerts")
RECORD = AlertRecord(
    object_id=f"ap+ef61://{OTHER}/objects/a1", uri=f"https://org2.example/.well-known/apgateway/{OTHER}/objects/a1",
    page="a1", author=ACTOR, did=OTHER, reference="", headline="Exercise", language="ar", kind="urgent-appeal",
    severity="severe", urgency="immediate", certainty="likely", country="IQ", status="actual", state="issued",
    published=NOW, updated=None, expires=NOW + timedelta(days=9), translation_of=None, via="", received=NOW,
)  # fmt: skip
BOOST = Boost(RECORD.object_id, 0, RECORD.uri, VOICE.at("/activities/b1"), boosts.WAITING, NOW)


def other(number, **changes):
    return replace(RECORD, object_id=f"{RECORD.object_id}-{number}", **changes)


def test_what_is_asked_for_is_kept_once_with_its_first_day(database):
    rule = Rule("IQ", "", NOW)
    for since in (NOW, NOW + timedelta(days=1)):
        database.write_now(lambda c, since=since: boosts.ask_for(c, DID, [replace(rule, since=since)]))
    database.write_now(lambda c: boosts.ask_for(c, OTHER, [Rule("", "", NOW)]))
    assert database.read_now(lambda c: boosts.asked_for(c, DID)) == (rule,)
    database.write_now(lambda c: boosts.ask_for_none(c, DID))
    assert database.read_now(lambda c: boosts.asked_for(c, DID)) == ()
    assert len(database.read_now(lambda c: boosts.asked_for(c, OTHER))) == 1


def test_an_alert_is_looked_at_once(database):
    found = [
        RECORD,
        other(1, status="exercise"),
        other(2, translation_of=RECORD.object_id),
        other(3, published=NOW - timedelta(days=7)),
        other(4, published=NOW - timedelta(hours=1)),
    ]

    def work(c):
        for each in found:
            alerts.save(c, DID, each)
        before = boosts.unjudged(c, DID, NOW - timedelta(days=7))
        boosts.add(c, DID, BOOST)
        return before, boosts.unjudged(c, DID, NOW - timedelta(days=7))

    before, after = database.write_now(work)
    assert before == (found[4], RECORD)
    assert after == (found[4],)


def test_a_boost_waits_is_said_and_is_undone_with_its_alert(database):
    late = replace(BOOST, object_id="x", activity="y", due=NOW + timedelta(seconds=1))

    def work(c):
        alerts.save(c, DID, RECORD)
        boosts.add(c, DID, BOOST)
        boosts.add(c, DID, late)
        assert boosts.due(c, DID, NOW) == (BOOST,)
        assert boosts.orphaned(c, DID) == (late,)
        boosts.mark(c, DID, late, boosts.UNDONE, NOW)
        assert boosts.orphaned(c, DID) == ()
        boosts.mark(c, DID, BOOST, boosts.DONE, NOW)
        assert boosts.due(c, DID, NOW) == ()
        assert [each.activity for each in boosts.said(c, DID)] == [BOOST.activity]
        assert boosts.count(c, DID) == 1
        assert boosts.find(c, DID, BOOST.activity) is not None
        assert boosts.find(c, OTHER, BOOST.activity) is None
        alerts.remove(c, DID, RECORD.object_id)
        assert [each.activity for each in boosts.orphaned(c, DID)] == [BOOST.activity]
        assert boosts.next_number(c, DID, RECORD.object_id) == 1
        assert boosts.next_number(c, DID, "never") == 0

    database.write_now(work)


def test_what_waits_is_not_said_when_nothing_is_asked_for_any_more(database):
    def work(c):
        boosts.add(c, DID, BOOST)
        boosts.ask_for_none(c, DID)
        assert boosts.due(c, DID, NOW) == ()
        boosts.forget_passed(c, DID, NOW + timedelta(days=1))
        return boosts.next_number(c, DID, RECORD.object_id)

    assert database.write_now(work) == 0


def test_of_an_author_only_what_people_should_act_on(database):
    wrong = [{"status": "test"}, {"state": "closed"}, {"expires": NOW}, {"translation_of": "x"}, {"did": DID}]

    def work(c):
        for number, changes in enumerate([{}, {"expires": None}, *wrong]):
            alerts.save(c, DID, other(number, **changes))
        return boosts.of_author(c, DID, OTHER, NOW)

    assert {each.object_id[-1] for each in database.write_now(work)} == {"0", "1"}


def test_one_organisation_of_a_host_looks_after_its_alerts(database):
    second = replace(ORGANISATION, did=OTHER, handle="alerts", made=NOW + timedelta(days=1))

    def work(c):
        organisations.add(c, ORGANISATION)
        assert boosts.voices(c) == ((ORGANISATION, VOICE),)
        organisations.add(c, second)
        ((owner, voice),) = boosts.voices(c)
        assert (owner.did, voice.handle, voice.key) == (DID, "network_alerts", VOICE.key)
        assert boosts.uri_of(c, VOICE.key) == VOICE.uri
        organisations.set_successor(c, DID, OTHER)
        ((owner, voice),) = boosts.voices(c)
        assert (owner.did, voice.key) == (OTHER, VOICE.key)
        with pytest.raises(RefusedError):
            boosts.uri_of(c, "alerts:elsewhere.example")

    database.write_now(work)


def test_what_came_is_seen_once_it_was_verified_and_until_it_was_judged(database):
    def row(number, org):
        return Incoming(0, org, NOW, f"a{number}", bytes([number]) * 32, b"{}", "", "", None, "")

    def work(c):
        rows = [row(number, org) for number, org in enumerate((VOICE.key, VOICE.key, VOICE.key, VOICE.key, DID, ""))]
        numbers = [queues.keep(c, [each], timedelta(0))[0] for each in rows]
        states = (queues.IGNORED, queues.REFUSED, queues.ACCEPTED, None, queues.IGNORED, queues.IGNORED)
        settled = [Settled(number, state) for number, state in zip(numbers, states, strict=True) if state]
        queues.settle(c, settled, NOW)
        assert [each for each, _ in boosts.arrived(c, VOICE.key)] == [numbers[0]]
        queues.settle(c, [Settled(numbers[0], queues.IGNORED, "Tadamun alerts", "nothing to us")], NOW)
        assert boosts.arrived(c, VOICE.key) == ()

    database.write_now(work)


def test_a_server_fails_since_the_first_time_that_it_did(database):
    def work(c):
        for minutes, answered in ((0, True), (10, False), (20, False)):
            relays.note_probe(c, DID, OTHER, answered, NOW + timedelta(minutes=minutes))
        relays.set_enough(c, DID, OTHER, NOW)
        held = relays.origins_of(c, DID)[OTHER]
        assert held.failing_since == NOW + timedelta(minutes=10)
        assert held.checked == NOW + timedelta(minutes=20)
        assert held.enough_since == NOW
        relays.note_probe(c, DID, OTHER, True, NOW + timedelta(minutes=30))
        held = relays.origins_of(c, DID)[OTHER]
        assert (held.failing_since, held.enough_since) == (None, None)
        assert relays.origins_of(c, OTHER) == {}
        assert not relays.spoke_itself(c, DID, OTHER, "org2.example", NOW)

    database.write_now(work)


def test_the_later_notice_of_a_member_counts_and_expires(database):
    first = Notice(OTHER, NOW, {DID: NOW - timedelta(hours=7)}, frozenset({RECORD.object_id}), True)
    second = replace(first, published=NOW + timedelta(minutes=1), unreachable={}, carried=frozenset(), willing=False)

    def work(c):
        for each, wanted in ((first, first), (second, second), (first, second)):
            relays.save_notice(c, DID, each)
            assert relays.notices_of(c, DID, NOW - timedelta(hours=1)) == {OTHER: wanted}
        assert relays.notices_of(c, DID, second.published) == {}
        relays.forget_notices(c, DID, second.published)
        assert relays.notices_of(c, DID, NOW - timedelta(days=1)) == {}

    database.write_now(work)


def test_a_copy_that_was_taken_back_leaves_its_name_and_no_text(database):
    copy = Copy(RECORD.object_id, OTHER, VOICE.at("/notes/n1"), "v1", b"{}", NOW)
    again = replace(copy, id=VOICE.at("/notes/n2"))

    def work(c):
        relays.save_copy(c, DID, copy)
        assert relays.copies_of(c, DID) == {RECORD.object_id: copy}
        relays.drop_copy(c, DID, RECORD.object_id)
        assert relays.copies_of(c, DID) == {}
        assert relays.find_copy(c, DID, copy.id) == replace(copy, raw=None)
        relays.save_copy(c, DID, again)
        assert relays.copies_of(c, DID) == {RECORD.object_id: again}

    database.write_now(work)

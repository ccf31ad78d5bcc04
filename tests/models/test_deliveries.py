"""What we owe: each inbox once, the most urgent first, nothing to a host left alone, nothing lost in a crash."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from node.models import deliveries
from node.models.base import Database
from node.models.deliveries import DONE, FAILED, WAITING, HostState, Lane, Outcome, Recipient
from tests.models.samples import DID, NOW, OTHER, settle_in

LEASE = timedelta(seconds=60)
INBOX = "https://org2.example/inbox"
ACTIVITY = f"ap+ef61://{DID}/activities/1"


@pytest.fixture
def write(database):
    def run(function, *arguments):
        return database.write_now(lambda connection: function(connection, *arguments))

    return run


def owe(write, *recipients, name="1", due=NOW, org=DID):
    payload = write(deliveries.add_payload, org, ACTIVITY + name, b"log " + name.encode(), None, due)
    given = [each if isinstance(each, Recipient) else Recipient(each, "log", Lane.OTHER) for each in recipients]
    write(deliveries.enqueue, org, payload, given, due)
    return payload


def claimed(write, now=NOW, limit=100, busy=()):
    return write(deliveries.claim, now, limit, LEASE, busy)


def settle(write, *found, state=DONE, status=202, due=NOW, now=NOW):
    write(deliveries.settle, [Outcome(each.id, state, status, due) for each in found], now)


def counts(write):
    found = write(deliveries.counts, DID)
    return found[WAITING], found[DONE], found[FAILED]


def test_a_payload_is_kept_once_and_gives_both_its_forms(write):
    first = write(deliveries.add_payload, DID, ACTIVITY, b"log", b"follower", NOW)
    assert write(deliveries.add_payload, DID, ACTIVITY, b"other", b"other", NOW) == first
    alone = write(deliveries.add_payload, OTHER, ACTIVITY, b"log only", None, NOW)
    assert write(deliveries.bodies, [first, alone]) == {
        first: (b"log", b"follower"),
        alone: (b"log only", b"log only"),
    }


def test_an_inbox_is_owed_a_payload_once_and_in_its_better_lane(write):
    payload = owe(write, Recipient(INBOX, "follower", Lane.OTHER), Recipient(INBOX, "log", Lane.ALERT_MEMBER))
    write(deliveries.enqueue, DID, payload, [Recipient(INBOX, "follower", Lane.ALERT)], NOW)
    (found,) = claimed(write)
    assert (found.inbox, found.host, found.form, found.lane) == (INBOX, "org2.example", "log", Lane.ALERT_MEMBER)
    assert (found.org, found.payload, found.attempts) == (DID, payload, 1)


def test_nobody_to_tell_is_nothing_to_do(write):
    owe(write)
    assert claimed(write) == ()
    assert write(deliveries.next_due) is None


def test_better_lanes_go_first_then_the_longest_due(write):
    for number, lane in enumerate((Lane.OTHER, Lane.MEMBER, Lane.ALERT, Lane.ALERT_MEMBER)):
        for late in (0, 1):
            inbox = f"https://org{number}{late}.example/inbox"
            owe(write, Recipient(inbox, "log", lane), name=f"{number}{late}", due=NOW - timedelta(hours=late))
    order = [each.inbox[11:13] for _ in range(4) for each in claimed(write, limit=2)]
    assert [each[0] for each in order] == list("33221100")
    assert {order[0], order[1]} == {"31", "30"}


def test_what_is_not_due_waits(write):
    owe(write, INBOX, due=NOW + timedelta(seconds=1))
    assert claimed(write) == ()
    assert write(deliveries.next_due) == NOW + timedelta(seconds=1)
    assert len(claimed(write, NOW + timedelta(seconds=1))) == 1


def test_however_many_are_owed_a_claim_takes_its_limit(write):
    owe(write, *(f"https://h{number}.example/inbox" for number in range(2000)))
    seen: set[int] = set()
    while found := claimed(write, limit=150):
        assert len(found) <= 150
        seen.update(each.id for each in found)
    assert len(seen) == 2000


def test_two_claimers_never_hold_the_same_delivery(url):
    databases = [Database(url) for _ in range(4)]
    inboxes = [Recipient(f"https://h{number}.example/inbox", "log", Lane.OTHER) for number in range(120)]

    def owe_all(connection):
        payload = deliveries.add_payload(connection, DID, ACTIVITY, b"", None, NOW)
        deliveries.enqueue(connection, DID, payload, inboxes, NOW)

    databases[0].write_now(owe_all)

    def take(database: Database) -> list[int]:
        found: list[int] = []
        while rows := database.write_now(lambda connection: deliveries.claim(connection, NOW, 7, LEASE)):
            assert len(rows) <= 7
            found += [row.id for row in rows]
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [row for each in pool.map(take, databases) for row in each]
    assert len(taken) == len(set(taken)) == 120
    for database in databases:
        database.close()


def test_a_claimed_delivery_comes_back_when_its_lease_is_over(write):
    owe(write, INBOX)
    assert len(claimed(write)) == 1
    assert claimed(write, NOW + LEASE - timedelta(microseconds=1)) == ()
    (again,) = claimed(write, NOW + LEASE)
    assert again.attempts == 2


def test_after_a_crash_everything_claimed_comes_back_and_no_attempt_is_lost(write):
    owe(write, INBOX, "https://org3.example/inbox")
    for _ in range(40):
        assert {each.attempts for each in claimed(write)} == {1}
        write(deliveries.release, None, NOW)
    assert len(claimed(write)) == 2


def test_what_was_claimed_too_much_goes_back_untried_for_a_moment(write):
    owe(write, INBOX, "https://org3.example/inbox")
    kept, surplus = claimed(write)
    write(deliveries.release, [surplus.id], NOW + timedelta(seconds=1))
    assert claimed(write) == ()
    (again,) = claimed(write, NOW + timedelta(seconds=1))
    assert (again.id, again.attempts) == (surplus.id, 1)
    assert again.id != kept.id


def test_outcomes_are_written_down(write):
    owe(write, INBOX, "https://org3.example/inbox", "https://org4.example/inbox")
    done, failed, again = claimed(write)
    settle(write, done)
    settle(write, failed, state=FAILED, status=404)
    settle(write, again, state=WAITING, status=503, due=NOW + timedelta(minutes=1))
    settle(write)
    assert counts(write) == (1, 1, 1)
    write(deliveries.release, None, NOW)
    assert claimed(write) == ()
    (found,) = claimed(write, NOW + timedelta(minutes=1))
    assert (found.id, found.attempts) == (again.id, 2)


# Hosts


def test_nothing_goes_to_a_busy_host(write):
    owe(write, INBOX, "https://org3.example/inbox")
    assert [each.host for each in claimed(write, busy=["org2.example"])] == ["org3.example"]


def test_nothing_goes_to_a_host_that_is_left_alone_until_its_time(write):
    owe(write, INBOX, "https://org3.example/inbox")
    until = NOW + LEASE / 2
    write(deliveries.save_hosts, [HostState("org2.example", 5, until)], NOW)
    assert [each.host for each in claimed(write)] == ["org3.example"]
    assert claimed(write, until - timedelta(microseconds=1)) == ()
    assert [each.host for each in claimed(write, until)] == ["org2.example"]


def test_what_was_learned_about_a_host_is_kept_and_replaced(write):
    state = HostState("org2.example", 5, NOW, "rfc9421", "follower")
    write(deliveries.save_hosts, [state], NOW)
    assert write(deliveries.host_states, ["org2.example", "org3.example"]) == {"org2.example": state}
    assert write(deliveries.closed_hosts) == {"org2.example"}
    better = replace(state, failures=0, closed_until=None)
    write(deliveries.save_hosts, [better], NOW)
    assert write(deliveries.host_states, ["org2.example"]) == {"org2.example": better}
    assert write(deliveries.closed_hosts) == frozenset()


def test_a_host_that_is_back_gets_at_once_what_it_missed(write):
    owe(write, INBOX, "https://org3.example/inbox")
    first, second = claimed(write)
    late = NOW + timedelta(hours=5)
    settle(write, first, second, state=WAITING, status=0, due=late)
    write(deliveries.save_hosts, [HostState("org2.example", 9, late), HostState("org3.example", 9, late)], NOW)
    assert write(deliveries.greet, "org2.example", NOW) == 1
    assert [each.host for each in claimed(write)] == ["org2.example"]
    assert write(deliveries.closed_hosts) == {"org3.example"}


def test_greeting_a_host_nobody_had_trouble_with_changes_nothing(write):
    owe(write, INBOX, due=NOW + timedelta(hours=1))
    assert write(deliveries.greet, "org2.example", NOW) == 0
    assert claimed(write) == ()


def test_an_inbox_that_is_gone_is_owed_nothing_more(write):
    for name in "12":
        owe(write, INBOX, "https://org3.example/inbox", name=name)
    write(deliveries.give_up_inbox, INBOX, NOW)
    assert counts(write) == (2, 0, 2)
    assert {each.host for each in claimed(write)} == {"org3.example"}


# Withdrawn texts


def test_a_withdrawn_text_is_sent_to_no_follower_who_has_it_not(write):
    follower = Recipient("https://social.example/inbox", "follower", Lane.ALERT)
    owe(write, Recipient(INBOX, "log", Lane.ALERT_MEMBER), follower)
    assert write(deliveries.cancel, DID, [ACTIVITY + "1"]) == 1
    assert [each.inbox for each in claimed(write)] == [INBOX]


def test_of_a_destroyed_text_nothing_is_owed(database, write):
    gone, stays = owe(write, INBOX), owe(write, INBOX, name="2")
    write(deliveries.forget, DID, [ACTIVITY + "1"])
    assert write(deliveries.bodies, [gone, stays]) == {stays: (b"log 2", b"log 2")}
    assert [each.payload for each in claimed(write)] == [stays]


# What is forgotten


def test_settled_deliveries_are_kept_a_week_and_then_their_payloads_go_too(database, write):
    done = owe(write, INBOX)
    settle(write, *claimed(write))
    open_one = owe(write, INBOX, name="2")
    week = NOW + timedelta(days=7)
    assert write(deliveries.prune, week) == 0
    assert write(deliveries.prune, week + timedelta(seconds=1)) == 1
    left = database.read_now(lambda connection: connection.execute(select(deliveries.payloads.c.id)).scalars().all())
    assert left == [open_one]
    assert done != open_one
    assert counts(write) == (1, 0, 0)


def test_hosts_are_forgotten_after_sixty_days_of_silence(database, write):
    write(deliveries.save_hosts, [HostState("old.example", 1)], NOW - timedelta(days=61))
    write(deliveries.save_hosts, [HostState("new.example", 1)], NOW)
    write(deliveries.prune, NOW)
    assert write(deliveries.closed_hosts) == {"new.example"}


def test_counts_are_an_organisations_own(database, write):
    settle_in(database)
    owe(write, INBOX)
    owe(write, INBOX, name="2", org=OTHER)
    assert counts(write) == (1, 0, 0)
    total = database.read_now(
        lambda connection: connection.execute(select(func.count(deliveries.deliveries.c.id))).scalar_one()
    )
    assert total == 2
    assert write(deliveries.origin_of, DID) == "https://org1.example"

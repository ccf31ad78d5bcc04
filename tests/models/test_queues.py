"""What came in: kept once, claimed in order by one at a time, settled, and forgotten within bounds."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from node.models import queues
from node.models.base import Database
from node.models.queues import ACCEPTED, FAILED, IGNORED, REFUSED, WAITING, Incoming, Settled
from tests.models.samples import DID, NOW, OTHER

LEASE = timedelta(minutes=5)


def came(name: int, body: bytes = b"", **changes: object) -> Incoming:
    body = body or f'{{"exercise": {name}}}'.encode()
    made = Incoming(
        id=0,
        org="",
        received=NOW,
        activity_id=f"https://org2.example/activities/{name}",
        digest=hashlib.sha256(body).digest(),
        body=body,
        key_id="https://org2.example/actor#main-key",
        signer="",
        request=b"kept",
        via="org2.example",
    )
    return replace(made, **changes)


@pytest.fixture
def write(database):
    def run(function, *arguments):
        return database.write_now(lambda connection: function(connection, *arguments))

    return run


def claimed(write, now=NOW, limit=100):
    return write(queues.claim, now, limit, LEASE)


def rows(database) -> int:
    return database.read_now(
        lambda connection: connection.execute(select(func.count(queues.incoming.c.id))).scalar_one()
    )


def test_a_delivery_comes_back_as_it_was_kept(write):
    made = came(1, org=DID, signer="https://org2.example/actor")
    write(queues.keep, [made])
    (found,) = claimed(write)
    assert replace(found, id=0, attempts=0) == made
    assert found.attempts == 1


def test_the_same_bytes_are_kept_once_other_bytes_under_one_id_beside_them(database, write):
    write(queues.keep, [came(1), came(1)])
    write(queues.keep, [came(1), came(1, b"other"), came(2)])
    assert rows(database) == 3


def test_many_keep_the_same_at_once_and_it_is_there_once(database, write):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write(queues.keep, [came(name) for name in range(20)]), range(8)))
    assert rows(database) == 20


def test_who_keeps_rows_to_judge_them_gets_their_numbers_in_order_and_none_for_what_was_there(write):
    write(queues.keep, [came(1)])
    numbers = write(queues.keep, [came(0), came(1), came(2)], LEASE)
    assert numbers[1] == 0 and 0 < numbers[0] < numbers[2]
    waiting = [row.activity_id for row in write(queues.claim, NOW, 10, LEASE)]
    assert waiting == [came(1).activity_id], "the others are claimed from birth"


def test_the_oldest_go_first_and_no_more_than_asked_for(write):
    write(queues.keep, [came(name) for name in range(10)])
    first, second = claimed(write, limit=4), claimed(write, limit=100)
    assert [row.activity_id[-1] for row in (*first, *second)] == list("0123456789")
    assert len(first) == 4
    assert claimed(write) == ()


def test_however_many_wait_a_claim_takes_its_limit(write):
    for start in range(0, 3000, 500):
        write(queues.keep, [came(name) for name in range(start, start + 500)])
    seen: set[int] = set()
    while found := claimed(write, limit=200):
        assert len(found) == 200
        seen.update(row.id for row in found)
    assert len(seen) == 3000


def test_two_claimers_never_hold_the_same_row(url):
    databases = [Database(url) for _ in range(4)]
    databases[0].write_now(lambda connection: queues.keep(connection, [came(name) for name in range(120)]))

    def take(database: Database) -> list[int]:
        found: list[int] = []
        while rows := database.write_now(lambda connection: queues.claim(connection, NOW, 7, LEASE)):
            assert len(rows) <= 7
            found += [row.id for row in rows]
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [row for each in pool.map(take, databases) for row in each]
    assert len(taken) == len(set(taken)) == 120
    for database in databases:
        database.close()


def test_a_claimed_row_comes_back_when_its_lease_is_over(write):
    write(queues.keep, [came(1)])
    assert len(claimed(write)) == 1
    assert claimed(write, NOW + LEASE - timedelta(microseconds=1)) == ()
    (again,) = claimed(write, NOW + LEASE)
    assert again.attempts == 2


def test_a_claimed_row_comes_back_at_once_after_a_crash(write):
    write(queues.keep, [came(1)])
    claimed(write)
    assert not write(queues.is_due, NOW)
    write(queues.release, NOW)
    assert write(queues.is_due, NOW)
    assert len(claimed(write)) == 1


def test_what_is_settled_stays_settled(write):
    write(queues.keep, [came(name) for name in range(5)])
    found = claimed(write)
    states = (ACCEPTED, IGNORED, REFUSED, FAILED)
    results = [Settled(row.id, state, "AP §7", "why") for row, state in zip(found, states, strict=False)]
    write(queues.settle, results, NOW)
    write(queues.settle, [], NOW)
    assert write(queues.counts, DID) == {WAITING: 1, ACCEPTED: 1, IGNORED: 1, REFUSED: 1, FAILED: 1}
    assert write(queues.waiting) == 1
    write(queues.release, NOW)
    assert [row.id for row in claimed(write, NOW + LEASE)] == [found[4].id]


def test_of_a_settled_request_nothing_is_kept_and_a_reason_has_its_bounds(database, write):
    write(queues.keep, [came(1)])
    (row,) = claimed(write)
    write(queues.settle, [Settled(row.id, REFUSED, "AP §7", "x" * 5000)], NOW)
    kept = database.read_now(lambda connection: connection.execute(select(queues.incoming)).one())
    assert (kept.request, len(kept.reason), kept.settled) == (None, 300, NOW)


def test_a_postponed_row_waits_until_it_is_due(write):
    write(queues.keep, [came(1)])
    (row,) = claimed(write)
    later = NOW + timedelta(hours=1)
    write(queues.postpone, [row.id], later)
    write(queues.postpone, [], later)
    assert claimed(write, later - timedelta(seconds=1)) == ()
    assert len(claimed(write, later)) == 1


def test_one_organisation_sees_its_own_and_the_shared_inbox(write):
    write(queues.keep, [came(1, org=DID), came(2, org=OTHER), came(3)])
    assert write(queues.counts, DID)[WAITING] == 2


def test_what_was_refused_at_the_door_is_shown_once_newest_first(write):
    for name in (1, 2, 2):
        write(queues.note_refused, came(name), "RFC 9421 §3.2", "no signature " + "x" * 400)
    found = write(queues.refusals, DID)
    assert [each.activity_id[-1] for each in found] == ["2", "1"]
    assert (found[0].rule, found[0].via, len(found[0].reason)) == ("RFC 9421 §3.2", "org2.example", 300)
    assert write(queues.counts, DID)[REFUSED] == 2
    assert claimed(write) == ()


@pytest.mark.parametrize("state", [WAITING, ACCEPTED])
def test_a_destroyed_text_is_in_no_body_and_what_waited_with_it_waits_no_longer(database, write, state):
    write(queues.keep, [came(1), came(2), came(3)])
    if state == ACCEPTED:
        write(queues.settle, [Settled(row.id, ACCEPTED) for row in claimed(write)], NOW)
    write(queues.forget, [came(1).activity_id], [came(2).digest])
    kept = database.read_now(
        lambda connection: connection.execute(
            select(queues.incoming.c.activity_id, queues.incoming.c.body, queues.incoming.c.request)
        ).all()
    )
    assert {row.activity_id[-1]: row.body for row in kept} == {"1": None, "2": None, "3": came(3).body}
    assert [row.activity_id[-1] for row in claimed(write)] == (["3"] if state == WAITING else [])


# What is forgotten


@pytest.mark.parametrize(
    ("state", "days"), [(ACCEPTED, 7), (IGNORED, 7), (REFUSED, 30), (FAILED, 30)]
)
def test_a_settled_row_is_kept_its_days_and_not_longer(database, write, state, days):
    write(queues.keep, [came(1)])
    (row,) = claimed(write)
    write(queues.settle, [Settled(row.id, state)], NOW)
    assert write(queues.prune, NOW + timedelta(days=days)) == 0
    assert write(queues.prune, NOW + timedelta(days=days, seconds=1)) == 1
    assert rows(database) == 0


def test_what_waits_is_never_forgotten(database, write):
    write(queues.keep, [came(1)])
    assert write(queues.prune, NOW + timedelta(days=4000)) == 0
    assert rows(database) == 1


def test_of_the_refused_the_newest_ten_thousand_are_kept(database, write):
    def fill(connection):
        queues.keep(connection, [came(name) for name in range(queues.MAX_REFUSED + 5)])
        connection.execute(queues.incoming.update().values(state=REFUSED, settled=NOW))

    write(fill)
    write(queues.keep, [came(-1)])
    oldest = select(queues.incoming.c.activity_id).order_by(queues.incoming.c.id).limit(1)
    assert write(queues.prune, NOW) == 5
    assert rows(database) == queues.MAX_REFUSED + 1
    assert database.read_now(lambda connection: connection.execute(oldest).scalar_one()) == came(5).activity_id


def test_of_the_refused_64_megabytes_are_kept(database, write):
    body = bytes(9 * 1024 * 1024)

    def fill(connection):
        for name in range(8):
            queues.note_refused(connection, came(name, b"%d" % name + body), "", "")

    write(fill)
    assert write(queues.prune, NOW) == 1
    assert rows(database) == 7

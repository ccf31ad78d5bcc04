"""A kept ledger is that of the acts a connection sees: after an undo, in an older view, beside another process."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from node import governance as acts
from node.federation.protocol.digests import multibase
from node.federation.protocol.keys import generate_organisation_key
from node.members import Ledger
from node.models import base, ledgers
from node.models import networks as rows
from node.models.base import Database
from tests.support.slow_ledger import state_of
from tests.test_governance import RULES, signed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = generate_organisation_key()
OTHER = generate_organisation_key().did
INVITATION = {"who": "", "expires": "2026-12-20T12:00:00Z"}


def acceptance(about):
    return {"about": about, "name": "EXERCISE", "kind": "organisation", "country": "", "handle": "@x@x.example",
            "listed": False}  # fmt: skip


def written(count):
    """A founding act, its author's acceptance, and so many invitations one after the other."""
    says = {"name": {"en": "EXERCISE"}, "charter": "", "founders": [KEY.did], "rules": RULES}
    made = [acts.parse(signed(acts.render("", acts.FOUND, KEY.did, 1, (), says, NOW), KEY))]
    network = made[0].digest
    for number in range(2, count + 3):
        kind, says = (acts.ACCEPT, acceptance(network)) if number == 2 else (acts.INVITE, INVITATION)
        value = acts.render(network, kind, KEY.did, number, (made[-1].digest,), says, NOW + timedelta(seconds=number))
        made.append(acts.parse(signed(value, KEY)))
    return made


CHAIN = written(6)
NETWORK = CHAIN[0].digest


def keep(connection, *given, org=KEY.did):
    rows.know(connection, org, NETWORK, {"en": "EXERCISE"}, NOW)
    assert all(rows.add(connection, org, each, NOW) for each in given)


def look(connection, org=KEY.did):
    return rows.ledger_of(connection, org, NETWORK)


def check(connection, *given, org=KEY.did):
    ledger = look(connection, org)
    assert {act.digest for act in (*ledger.acts, *ledger.waiting)} == {act.digest for act in given}
    assert ledger.state() == state_of(NETWORK, given)
    assert ledger is look(connection, org), "it is kept"
    return ledger


def test_what_is_kept_is_as_it_was_signed(database):
    database.write_now(lambda connection: keep(connection, *CHAIN))
    ledger = database.read_now(lambda connection: check(connection, *CHAIN))
    assert set(ledger.acts[0].raw) == set(CHAIN[0].raw)
    assert sorted(ledger.acts, key=lambda act: act.number) == CHAIN


class Undo(Exception):
    pass


def test_what_was_undone_is_in_no_ledger(database):
    database.write_now(lambda connection: keep(connection, *CHAIN[:3]))
    before = database.read_now(look)

    def undone(connection):
        keep(connection, CHAIN[3], CHAIN[4])
        check(connection, *CHAIN[:5])
        raise Undo

    with pytest.raises(Undo):
        database.write_now(undone)
    assert database.read_now(look) is before
    database.write_now(lambda connection: keep(connection, CHAIN[3], CHAIN[5]))
    database.read_now(lambda connection: check(connection, *CHAIN[:4], CHAIN[5]))

    def half(connection):
        with pytest.raises(Undo), connection.begin_nested():
            undone_here = (keep(connection, CHAIN[4]), check(connection, *CHAIN[:6]))
            raise Undo(undone_here)
        check(connection, *CHAIN[:4], CHAIN[5])

    database.write_now(half)


def test_a_view_that_is_older_than_what_is_kept_has_its_own(database):
    database.write_now(lambda connection: keep(connection, *CHAIN[:3]))

    def late(connection):
        old = look(connection)
        database.write_now(lambda writer: (keep(writer, CHAIN[3]), check(writer, *CHAIN[:4])))
        assert look(connection) is old
        check(connection, *CHAIN[:3])

    database.read_now(late)
    database.read_now(lambda connection: check(connection, *CHAIN[:4]))


def test_a_view_that_was_never_looked_at_before_what_came_later(database):
    database.write_now(lambda connection: keep(connection, *CHAIN[:3]))

    def late(connection):
        rows.find(connection, KEY.did, NETWORK)  # the view begins
        database.write_now(lambda writer: (keep(writer, CHAIN[3]), check(writer, *CHAIN[:4])))
        check(connection, *CHAIN[:3])

    database.read_now(late)


def test_another_process_writes_and_it_is_seen(url):
    one, two = Database(url), Database(url)
    try:
        for end in range(1, len(CHAIN)):
            writer, reader = (one, two) if end % 2 else (two, one)
            writer.write_now(lambda connection, end=end: keep(connection, CHAIN[end - 1]))
            for each in (reader, writer):
                each.read_now(lambda connection, end=end: check(connection, *CHAIN[:end]))
    finally:
        one.close()
        two.close()


def test_two_organisations_of_one_node_each_have_theirs(database):
    database.write_now(lambda connection: keep(connection, *CHAIN))
    database.write_now(lambda connection: keep(connection, CHAIN[0], org=OTHER))
    database.read_now(lambda connection: check(connection, *CHAIN))
    database.read_now(lambda connection: check(connection, CHAIN[0], org=OTHER))
    assert database.read_now(lambda connection: look(connection, OTHER)).state().members == {}


def test_what_came_before_the_stamps_is_seen_too(database):
    def old(connection):
        keep(connection, *CHAIN[:3])
        connection.execute(rows.networks.update().values(stamp=""))

    database.write_now(old)
    for _ in range(2):
        found = database.read_now(look)
        assert found.state() == state_of(NETWORK, CHAIN[:3])


def test_a_shelf_has_an_end():
    shelf = ledgers.Shelf()
    for number in range(40):
        shelf.put(str(number), Ledger(f"n{number % 20}"))
    assert shelf.stamped("n0", "20") is None and shelf.stamped("n19", "39") is not None
    for number in range(20):
        shelf.put(str(number), Ledger("n19"))
    assert shelf.stamped("n19", "39") is None and shelf.stamped("n19", "19") is not None


def joined():
    """As `CHAIN`, then one who takes up the last invitation, is vouched for, and says more than a stranger may."""
    key, made = generate_organisation_key(), list(CHAIN)

    def say(who, kind, says, number):
        when = NOW + timedelta(minutes=len(made))
        value = acts.render(NETWORK, kind, who.did, number, (made[-1].digest,), says, when)
        made.append(acts.parse(signed(value, who)))
        return made[-1].digest

    accepted = say(key, acts.ACCEPT, acceptance(CHAIN[-1].digest), 1)
    say(KEY, acts.SPONSOR, {"about": accepted}, len(CHAIN) + 1)
    for number in range(2, rows.MOST_BY_STRANGER + 8):
        say(key, acts.INVITE, INVITATION, number)
    return made


@pytest.mark.parametrize("seed", range(4))
def test_what_comes_before_that_by_which_it_is_kept_is_kept_when_that_comes(database, seed):
    made = joined()
    database.write_now(lambda connection: rows.know(connection, OTHER, NETWORK, {"en": "EXERCISE"}, NOW))
    given = list(made)
    random.Random(seed).shuffle(given)
    given.sort(key=lambda act: act.author != KEY.did if seed % 2 else 0)
    for at in range(0, len(given), 5):
        part = given[at : at + 5]
        database.write_now(lambda connection, part=part: rows.add_all(connection, OTHER, NETWORK, part, NOW))
    if seed % 2:
        database.read_now(lambda connection: check(connection, *made, org=OTHER))
    database.write_now(lambda connection: rows.add_all(connection, OTHER, NETWORK, made, NOW))
    database.read_now(lambda connection: check(connection, *made, org=OTHER))


def test_a_recovery_key_says_that_it_goes_on_a_few_times_and_no_more(database):
    spare = generate_organisation_key()
    says = {"name": {"en": "EXERCISE"}, "charter": "", "founders": [KEY.did], "rules": RULES,
            "recovery": {KEY.did: multibase(spare.did.encode())}}  # fmt: skip
    founding = acts.parse(signed(acts.render("", acts.FOUND, KEY.did, 1, (), says, NOW), KEY))
    network = founding.digest
    value = acts.render(network, acts.ACCEPT, KEY.did, 2, (network,), acceptance(network), NOW)
    accepted = acts.parse(signed(value, KEY))
    forks = [
        acts.parse(signed(acts.render(network, acts.SUCCEED, spare.did, 1, (accepted.digest,),
                                      {"about": accepted.digest}, NOW + timedelta(seconds=at)), spare))
        for at in range(rows.MOST_BY_STRANGER + 5)
    ]  # fmt: skip

    def work(connection):
        rows.know(connection, OTHER, network, {"en": "EXERCISE"}, NOW)
        rows.add_all(connection, OTHER, network, [founding, accepted, *forks], NOW)
        held = rows.ledger_of(connection, OTHER, network)
        assert len(held) == 2 + rows.MOST_BY_STRANGER and set(held.state().members) == {spare.did}
        further = acts.render(network, acts.INVITE, spare.did, 2, (forks[0].digest,), INVITATION, NOW)
        assert rows.add(connection, OTHER, acts.parse(signed(further, spare)), NOW), "and goes on"

    database.write_now(work)


def test_what_waits_in_memory_is_bounded_and_no_stranger_gets_in_by_it(database, monkeypatch):
    monkeypatch.setattr(rows, "MOST_EARLY", 3)
    keys = [generate_organisation_key() for _ in range(6)]
    crowd = [
        acts.parse(signed(acts.render(NETWORK, acts.LEAVE, key.did, 1, (NETWORK,), {}, NOW), key)) for key in keys
    ]

    def work(connection):
        rows.know(connection, OTHER, NETWORK, {"en": "EXERCISE"}, NOW)
        for each in crowd:
            rows.add_all(connection, OTHER, NETWORK, [each], NOW)
        rows.add_all(connection, OTHER, NETWORK, CHAIN, NOW)
        held = base.kept(connection)["early"][OTHER, NETWORK]
        assert list(held) == [act.digest for act in crowd[-3:]]
        check(connection, *CHAIN, org=OTHER)

    database.write_now(work)

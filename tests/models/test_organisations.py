"""Who lives on this node: kept, found, held, and taken one at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy

from node.models import organisations
from node.models.base import Database
from tests.models.samples import DID, NOW, ORGANISATION, OTHER, settle_in


def test_an_organisation_comes_back_as_it_was_kept(database):
    made = settle_in(database)
    assert database.read_now(lambda connection: organisations.get(connection, DID)) == made
    assert database.read_now(organisations.count) == 1


def test_nobody_is_found_under_a_did_that_is_not_here(database):
    settle_in(database)
    assert database.read_now(lambda connection: organisations.get(connection, OTHER)) is None
    with pytest.raises(LookupError, match=OTHER):
        database.write_now(lambda connection: organisations.lock(connection, OTHER))


def test_one_did_lives_here_once(database):
    settle_in(database)
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        settle_in(database, name="another name")


def test_the_first_made_stands_first(database):
    settle_in(database, made=NOW + timedelta(hours=1))
    second = settle_in(database, did=OTHER, handle="org2", made=NOW)
    found = database.read_now(organisations.all_of)
    assert found == (second, replace(ORGANISATION, made=NOW + timedelta(hours=1)))


def test_a_hold_is_set_and_lifted(database):
    settle_in(database)
    database.write_now(lambda connection: organisations.set_hold(connection, DID, "restored"))
    assert database.write_now(lambda connection: organisations.lock(connection, DID)).hold == "restored"
    database.write_now(lambda connection: organisations.set_hold(connection, DID, ""))
    assert database.write_now(lambda connection: organisations.lock(connection, DID)).hold == ""


@pytest.mark.parametrize("take", [organisations.lock, organisations.take_turn])
def test_while_one_holds_the_organisation_another_waits(url, take):
    first, second = Database(url), Database(url)
    settle_in(first)
    order: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def holds(connection):
        take(connection, DID)
        begun.set()
        go.wait(10)
        order.append("first")

    def comes_after(connection):
        take(connection, DID)
        order.append("second")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.write_now, holds)
        assert begun.wait(10)
        two = pool.submit(second.write_now, comes_after)
        threading.Event().wait(0.2)
        go.set()
        one.result(10)
        two.result(25)
    assert order == ["first", "second"]
    first.close()
    second.close()


def test_its_addresses_follow_from_did_and_origin():
    made = replace(ORGANISATION, origin="http://127.2.0.1:8100")
    assert made.address == "@org1@127.2.0.1:8100"
    assert made.actor == f"ap+ef61://{DID}/actor"
    assert made.uri == f"http://127.2.0.1:8100/.well-known/apgateway/{DID}/actor"
    assert made.at("/objects/a") == f"http://127.2.0.1:8100/.well-known/apgateway/{DID}/objects/a"

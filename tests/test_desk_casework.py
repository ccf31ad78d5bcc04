"""A case and the request for its approval: one truth, whatever happens between them and whoever looks when."""

from datetime import timedelta
from functools import partial

import pytest

from node import approvals as approval_rules
from node.desk import case_clock, casework
from node.desk.casework import Seat
from node.errors import RefusedError
from node.models import approvals as approval_rows
from node.models import cases as rows
from node.people import ACTIVE, Person
from tests.support.case_examples import consent, result
from tests.support.network import NOON
from tests.test_desk_cases import ROOM, house_of, make, opened

SARA = Person("w1", "", "Sara (exercise)", frozenset({"case_worker"}), ACTIVE, "ar", "", NOON)
ALERT = "ap://did:key:z6MkExercise/objects/1"


def seat(house):
    return Seat(house.organisation, house.key, SARA, ROOM, (), house.clock())


async def asked(house, **changes):
    """A case that waits for others' word."""
    name = await make(house, **changes)
    version = opened(house, name).version
    await house.write(lambda connection: casework.ask(connection, seat(house), name, version))
    return name


async def current(house, name):
    return (await house.write(lambda connection: casework.current(connection, seat(house), name))).case


def request(house, name):
    (found,) = house.read(lambda connection: approval_rows.of_thread(connection, house.did, name))
    return found.request


async def settle(house, name, state, outcome=""):
    work = partial(approval_rows.settle, org=house.did, request=request(house, name).id, state=state, outcome=outcome)
    await house.write(work)


async def test_the_state_in_the_clear_follows_at_once_and_the_document_when_somebody_opens_it(tmp_path):
    async with house_of(tmp_path) as house:
        name = await asked(house)
        await settle(house, name, approval_rules.PUBLISHED, ALERT)
        await house.write(lambda connection: rows.follow(connection, house.did, name, ALERT, house.clock()))
        row = house.read(lambda connection: rows.find(connection, house.did, name))
        assert (row.state, row.alert) == ("published", ALERT)
        case = await current(house, name)
        assert (case.state, case.alert, case.history[-1].act, case.history[-1].note) == (
            "published", ALERT, "publish", "override",
        )  # fmt: skip
        assert await current(house, name) == case, "it catches up once"


async def test_what_was_published_and_lapsed_before_anybody_looked_still_knows_its_alert(tmp_path):
    async with house_of(tmp_path) as house:
        name = await asked(house)
        await settle(house, name, approval_rules.PUBLISHED, ALERT)
        await house.write(lambda connection: rows.follow(connection, house.did, name, ALERT, house.clock()))
        house.clock.forward(timedelta(days=100))
        await case_clock.run(house.node.database, house.node.keyring, house.clock())
        case = await current(house, name)
        assert (case.state, case.alert) == ("lapsed", ALERT)


async def test_what_others_were_shown_goes_with_the_case(tmp_path):
    async with house_of(tmp_path) as house:
        name = await asked(house)
        house.clock.forward(timedelta(days=100))
        await case_clock.run(house.node.database, house.node.keyring, house.clock())
        house.clock.forward(timedelta(days=31))
        await case_clock.run(house.node.database, house.node.keyring, house.clock())
        (row,) = house.read(lambda connection: approval_rows.of_thread(connection, house.did, name))
        assert (row.package, row.brief, row.request.state) == (None, None, approval_rules.CANCELLED)


async def test_nothing_follows_where_nobody_was_asked(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house)
        moved = await house.write(lambda connection: rows.follow(connection, house.did, name, ALERT, house.clock()))
        assert (moved, opened(house, name).case.state) == (False, "draft")


async def test_a_consent_that_lapses_while_others_look_voids_the_request(tmp_path):
    async with house_of(tmp_path) as house:
        name = await asked(house, consents=(consent(valid_until=NOON + timedelta(days=2)),))
        house.clock.forward(timedelta(days=3))
        await case_clock.run(house.node.database, house.node.keyring, house.clock())
        assert request(house, name).state == approval_rules.CANCELLED
        assert (await current(house, name)).state == "lapsed"


@pytest.mark.parametrize("state", [approval_rules.REFUSED, approval_rules.STALE, approval_rules.CANCELLED])
async def test_what_others_do_not_let_pass_is_a_draft_again(tmp_path, state):
    async with house_of(tmp_path) as house:
        name = await asked(house)
        await settle(house, name, state, "R1: EXERCISE")
        case = await current(house, name)
        assert (case.state, case.history[-1].act, case.history[-1].note) == ("draft", "return", "R1: EXERCISE")


@pytest.mark.parametrize("act", casework.ELSEWHERE)
async def test_nobody_approves_or_publishes_from_inside_the_room(tmp_path, act):
    async with house_of(tmp_path) as house:
        name = await asked(house)
        version = opened(house, name).version
        with pytest.raises(RefusedError, match="R2"):
            await house.write(lambda connection: casework.act(connection, seat(house), name, version, act))


async def test_authors_and_who_is_concerned_are_not_asked(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house)
        version = opened(house, name).version
        await house.write(lambda connection: casework.ask(connection, seat(house), name, version, concerned=["r9"]))
        assert request(house, name).subjects == {"a1", "r9"}, "a1 wrote it before"


async def test_what_is_held_back_may_be_looked_at_before(tmp_path):
    async with house_of(tmp_path) as house:
        until = NOON + timedelta(days=1)
        name = await asked(house, embargo_until=until)
        (row,) = house.read(lambda connection: approval_rows.of_thread(connection, house.did, name))
        assert row.due == until and row.release is None
        with pytest.raises(RefusedError, match="R1"):
            await asked(house, embargo_until=until, consents=(consent(valid_until=NOON + timedelta(hours=2)),))


async def test_an_outcome_that_tells_what_stays_inside_closes_nothing(tmp_path):
    async with house_of(tmp_path) as house:
        fresh = (consent(given=NOON - timedelta(hours=1)),)
        told = result(text="EXERCISE: she is back in Example Quarter 7", known=NOON - timedelta(hours=2))
        name = await make(house, state="outcome", alert=ALERT, outcome=told, consents=fresh)
        version = opened(house, name).version
        with pytest.raises(RefusedError, match="R4"):
            await house.write(lambda connection: casework.act(connection, seat(house), name, version, "close"))
        assert opened(house, name).case.state == "outcome"

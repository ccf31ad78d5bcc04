"""Signing so that only the network knows the name: counted everywhere, told to nobody, taken back everywhere."""

from datetime import timedelta

import pytest

from node.desk import endorsements as desk
from node.desk import withheld
from node.errors import RefusedError
from node.models import letters as letter_rows
from node.models import rooms
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_sign_on import act, asked, endorse, names, signed

NAME = "EXERCISE a name for members"
PAUSE = timedelta(seconds=2)


async def sign(house, said):
    return await act(house, desk.endorse_withheld, said.portable_id, NAME)


def number(house, said):
    return signed(house, said).withheld


def opened(house):
    def read(connection):
        secrets = rooms.network_secrets(connection, house.did, house.node.keyring)
        return withheld.signatories(connection, house.did, secrets)

    return house.read(read)


async def test_members_count_it_and_no_page_no_log_and_no_row_names_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await asked(a, b, c)
        before = b.head(b.did)
        await sign(b, said)
        for house in (a, b, c):
            await wait_until(lambda house=house: number(house, said) == 1, "it is counted")
            assert [(each.did, each.name) for each in opened(house)] == [(b.did, NAME)]
            assert NAME not in (await house.get("/alerts/" + said.url.rpartition("/")[2])).text
            assert NAME.encode() not in house.files()
        assert b.head(b.did) == before, "it stands in no log"
        assert "1 organisation that signed is not named here" in (
            await c.get("/alerts/" + said.url.rpartition("/")[2] + "?lang=en")
        ).text
        with pytest.raises(RefusedError, match="already"):
            await sign(b, said)
        with pytest.raises(RefusedError, match="our own"):
            await sign(a, said)
        kinds = c.read(lambda connection: connection.execute(letter_rows.letters.select()).all())
        assert {(each.kind, each.about, each.sealed) for each in kinds} == {("", "", None)}
        reader = await join(c, "Zainab (exercise)", "coordinator")
        await sign(c, said)
        await wait_until(lambda: number(a, said) == 2, "two are counted")
        page = (await reader.get("/desk/network")).text
        assert NAME in page
        await act(a, desk.deliver, said.id, "an office (exercise)")
        await wait_until(lambda: signed(b, said).phase == "delivered", "it is delivered")
        assert signed(b, said).sign_on.delivery.withheld == 2 == signed(b, said).count
        await c.stop()
        await c.start(workers=False)
        net.clock.forward(letter_rows.CARRIED_FOR)
        await c.node.letterbox.tend()
        rows = c.read(lambda connection: connection.execute(letter_rows.letters.select()).all())
        assert {each.author for each in rows} == {c.did}, "whose letter it was goes with the envelope"
        assert number(c, said) == 2


async def test_it_is_taken_back_and_a_public_name_takes_its_place(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await asked(a, b, c)
        await sign(b, said)
        await wait_until(lambda: number(c, said) == 1, "it is counted")
        net.clock.forward(PAUSE)
        taken = await act(b, desk.unendorse, said.portable_id)
        assert len(taken.ids) == 1 and number(b, said) == 0
        for house in (a, c):
            await wait_until(lambda house=house: number(house, said) == 0, "it is taken back")
            assert opened(house) == ()
        net.clock.forward(PAUSE)
        await sign(b, said)
        await wait_until(lambda: number(a, said) == 1, "it is said again")
        net.clock.forward(PAUSE)
        await endorse(b, said, "EXERCISE in public")
        for house in (a, b, c):
            await wait_until(
                lambda house=house: (number(house, said), names(house, said)) == (0, {"EXERCISE in public"}),
                "the public name stands in its place",
            )
        with pytest.raises(RefusedError, match="already"):
            await sign(b, said)


async def test_who_was_away_asks_another_member_for_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await asked(a, b, c)
        await c.stop()
        await sign(b, said)
        await wait_until(lambda: number(a, said) == 1, "it is counted")
        await b.stop()
        await c.start(workers=False)
        assert await c.node.letterbox.ask(c.organisation, c.member(a.did)) == 1
        assert number(c, said) == 1
        assert await c.node.letterbox.ask(c.organisation, c.member(a.did)) == 0

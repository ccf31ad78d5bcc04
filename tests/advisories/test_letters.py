"""Against sealed letters: members that flood, that answer slowly, that left; and what was taken back stays so."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from node import letters as rules
from node.desk import sealed_alerts
from node.models import contacts
from node.models import letters as rows
from node.models.letters import Kept
from tests.advisories.stage import serve
from tests.support.letters import Portable, pin
from tests.support.network import NOON, Network, wait_until
from tests.test_flow_sealed_alerts import publish

AUTHOR, MALLORY = "did:key:zAuthor", "did:key:zMallory"


def row(author, number, **changes):
    base = Kept(
        id=f"ap+ef61://{author}/letters/{number}", author=author, kind=rules.ALERT,
        about=f"ap+ef61://{author}/objects/{number}", addressed=(MALLORY,), raw=None, until=NOON + timedelta(days=7),
        sealed=b"x", room="network", sent=NOON, received=NOON,
    )  # fmt: skip
    return replace(base, **changes)


async def test_a_member_that_sends_a_thousand_hides_nobody(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("one", start=False)

        def fill(connection):
            for number in range(3):
                rows.save(connection, house.did, row(AUTHOR, number))
            for number in range(1_200):
                late = NOON + timedelta(hours=20, seconds=number)
                rows.save(connection, house.did, row(MALLORY, number, sent=late))
                rows.save(connection, house.did, row(MALLORY, f"a{number}", sent=late, kind=rules.APPROVAL_REQUEST))
            rows.save(connection, house.did, row(AUTHOR, "a", kind=rules.APPROVAL_REQUEST))

        await house.write(fill)
        for kind, own in ((rules.ALERT, 3), (rules.APPROVAL_REQUEST, 1)):
            found = house.read(lambda connection, kind=kind: rows.of_kind(connection, house.did, (kind,)))
            assert sum(each.author == AUTHOR for each in found) == own
            assert len(found) <= own + rows.MOST_OF_ONE


async def test_a_members_letters_take_so_many_bytes_and_no_more(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("one", start=False)

        def fill(connection):
            assert rows.has_room(connection, house.did, MALLORY)
            rows.save(connection, house.did, row(MALLORY, 1, sealed=bytes(rows.MOST_BYTES)))
            return rows.has_room(connection, house.did, MALLORY), rows.has_room(connection, house.did, AUTHOR)

        assert await house.write(fill) == (False, True)


async def test_what_is_taken_back_goes_though_there_is_no_more_room(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        said = await publish(author)
        about = said.portable_id

        def held(connection):
            return rows.about(connection, friend.did, about, (rules.ALERT,))

        await wait_until(lambda: friend.read(held), "it is there")
        await friend.write(
            lambda connection: rows.save(
                connection, friend.did, row(author.did, "x", sealed=bytes(rows.MOST_BYTES), about="exercise:2")
            )
        )
        await author.write(
            lambda connection: sealed_alerts.withdraw(
                connection, author.organisation, author.key, about, author.clock()
            )
        )
        author.node.delivery.wake()
        await wait_until(lambda: friend.read(held)[0].gone and friend.read(held)[0].sealed is None, "it is gone")


async def test_who_left_can_still_take_back_what_they_said_and_say_nothing_new(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        said = await publish(author)
        about = said.portable_id

        def held(connection):
            return rows.about(connection, friend.did, about, (rules.ALERT,))

        await wait_until(lambda: friend.read(held), "it is there")
        await friend.write(
            lambda connection: connection.execute(
                update(contacts.members).where(contacts.members.c.did == author.did).values(state=contacts.FORMER)
            )
        )
        await friend.node.inbox.refresh()
        await publish(author)
        await author.write(
            lambda connection: sealed_alerts.withdraw(
                connection, author.organisation, author.key, about, author.clock()
            )
        )
        author.node.delivery.wake()
        await wait_until(lambda: friend.read(held)[0].gone and friend.read(held)[0].sealed is None, "it is gone")
        found = friend.read(lambda connection: rows.of_kind(connection, friend.did, (rules.ALERT,)))
        assert found == ()


async def test_a_member_that_answers_slowly_holds_nobody_up(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("one", start=False)
        await house.start(workers=False)
        slow, asked = Portable("slow", "slow.example"), []

        async def answer(request: Request) -> Response:
            asked.append(request.url.path)
            if request.url.path.endswith("/actor/letters"):
                held = [f"ap+ef61://{slow.did}/letters/{number}" for number in range(500)]
                return JSONResponse({"type": "Letters", "held": held}, media_type="application/activity+json")
            await asyncio.sleep(0.3)
            envelope = {"type": rules.OBJECT, "mediaType": rules.MEDIA_TYPE, "sealed": "eA=="}
            said = slow.says(rules.TYPE, envelope, id=slow.at("/letters/" + request.url.path.rpartition("/")[2]))
            return JSONResponse(said, media_type="application/activity+json")

        slow.origin = await serve(network, Route("/{rest:path}", answer))
        slow.uri = slow.at("/actor")
        await pin(house, slow)
        house.node.letterbox.patience = 0.5
        async with asyncio.timeout(3):
            assert await house.node.letterbox.ask_round(whole=True) == 0
        assert 1 < len(asked) < 5

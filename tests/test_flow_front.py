"""What waits for whoever opens the desk, counted; and what an operator is told of it."""

from datetime import timedelta

from node import approvals as rules
from node.desk import approvals as desk
from node.desk import front
from node.models import approvals as rows
from tests.support.desk import join, room_secrets
from tests.support.network import Network, example, wait_until
from tests.test_flow_approvals import ask, named, office, speak, state
from tests.test_flow_offers import FORM
from tests.test_flow_sealed_alerts import publish


def findings(house, later=timedelta()):
    return house.read(lambda connection: desk.findings(connection, house.organisation, house.clock() + later))


async def test_the_first_page_counts_what_waits_for_this_person(tmp_path):
    async with Network(tmp_path) as network:
        house, boss, (karwan, hana) = await office(network, "one")
        author = await join(house, "Sara (exercise)", "author", by=boss)
        assert any("no sister organisation stands by" in each.text for each in findings(house))
        sister, _, (theirs, _) = await office(network, "two")
        await network.befriend(house, sister)
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [sister.did], house.clock())
        )
        assert findings(house) == ()
        assert "What waits" not in (await hana.get("/desk")).text
        await ask(house, example(status="actual"), author=karwan.person.id)
        request = await ask(house, named(urgency="immediate"))
        assert "2 texts wait for your word." in (await hana.get("/desk")).text
        assert "1 text waits for your word." in (await karwan.get("/desk")).text, "the other one is theirs"
        assert "wait for your word" not in (await author.get("/desk")).text

        async def asked():
            return "2 requests of sister organisations are not answered yet." in (await theirs.get("/desk")).text

        await wait_until(asked, "the sister sees it")
        await speak(house, hana, request.id)
        assert "1 text waits for your word." in (await hana.get("/desk")).text
        secrets = room_secrets(house, hana, "approvals")
        await house.write(
            lambda connection: desk.override(
                connection, house.organisation, house.key, hana.person, request.id, "EXERCISE they move her tonight",
                secrets, house.clock(), fresh=True,
            )
        )  # fmt: skip
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")
        assert "1 emergency of ours is yet to be looked at" in (await author.get("/desk")).text
        assert findings(house) == ()
        later = rules.REVIEW_WITHIN + timedelta(minutes=1)
        late = [(each.code, each.values["request"]) for each in findings(house, later)]
        assert late == [("emergency-late", request.id)]
        waits = house.read(
            lambda connection: front.waits(
                connection, house.organisation, boss.person, house.clock() + later, approval_secrets=(),
                offer_secrets=(),
            )
        )  # fmt: skip
        assert waits == front.Waits(approvals=0, sisters=0, offers=0, reviews=0, overdue=1)
        await house.write(lambda connection: rows.want_review(connection, house.did, request.id, None))
        assert findings(house, later) == ()


async def test_an_offer_is_counted_until_it_is_answered(tmp_path):
    async with Network(tmp_path) as network:
        house, friend = await network.members("one", "two")
        boss = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(friend, "Karwan (exercise)", "coordinator")
        said = await publish(house)

        async def offered():
            return said.portable_id in (await karwan.get("/desk/offers")).text

        await wait_until(offered, "the alert is there")
        await karwan.post("/desk/offers", {**FORM, "alert": said.portable_id})
        friend.node.delivery.wake()

        async def counted():
            return "1 offer of help is not answered yet." in (await boss.get("/desk")).text

        await wait_until(counted, "it is counted")
        path = (await boss.get("/desk/offers")).text.partition('action="/desk/offers/')[2].partition('"')[0]
        assert (await boss.post(f"/desk/offers/{path.partition('?')[0]}", {"answer": "declined"})).status == 303
        assert not await counted()

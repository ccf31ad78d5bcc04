"""Where else an alert can be read: only who agreed to be named, is believed, answered lately, and has it."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from node.desk import networks as desk
from node.federation.protocol.replicas import Head
from node.models import alerts, contacts, declarations, deliveries
from node.models.declarations import Claim
from node.models.deliveries import HostState
from node.web import sisters
from tests.support.network import Network, page_of, wait_until
from tests.test_flow_networks_apart import act, state


def member(house, number, **changes):
    """An invented member of this node, whom nobody can call."""
    found = house.member(house.network.houses[1].did)
    did = f"did:key:z6Mk{'abcdefghij'[number] * 44}"
    uri = f"https://drill{number}.example/.well-known/apgateway/{did}/actor"
    pinned = house.clock() - timedelta(days=number + 1)
    return replace(found, did=did, uri=uri, listed=True, pinned=pinned, synced=house.clock(), **changes)


async def addresses(house, said):
    def read(connection):
        record = alerts.find(connection, house.did, page_of(said)[8:])
        return sisters.addresses(connection, house.organisation, record, house.clock())

    return house.read(read)


async def pinned(house, *members, knows_us=True):
    def write(connection):
        for each in members:
            contacts.pin(connection, house.did, each)
            if knows_us:
                claim = Claim(Head(1, 1, "zExercise"), b"{}", house.clock())
                declarations.save_claim(connection, house.did, each.did, claim)

    await house.write(write)


async def test_listed_members_that_answered_are_named_in_a_stable_order_and_five_at_most(tmp_path):
    async with Network(tmp_path) as net:
        a, _ = await net.members("a", "b")
        said = await a.publish(status="actual", translations={})
        assert await addresses(a, said) == (), "b did not agree to be named"
        await pinned(a, *(member(a, number) for number in range(7)))
        expected = tuple(f"https://drill{number}.example{page_of(said)}" for number in (6, 5, 4, 3, 2))
        assert await addresses(a, said) == expected
        page = (await a.get(page_of(said), Accept_Language="ar")).text
        assert "النداء نفسه في عناوين أخرى" in page
        assert all(f'href="{each}"' in page for each in expected)
        assert a.network.houses[1].origin not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"listed": False},
        {"state": contacts.FORMER},
        {"frozen_epoch": 1, "frozen_sequence": 1},
        {"synced": None},
        {"age": timedelta(hours=25)},
        {"age": -timedelta(hours=25)},
        {"failed": True},
    ],
)
async def test_a_member_that_lacks_one_thing_is_not_named(tmp_path, changes):
    async with Network(tmp_path) as net:
        a, _ = await net.members("a", "b")
        said = await a.publish(status="actual", translations={})
        good = member(a, 0)
        await pinned(a, good)
        assert len(await addresses(a, said)) == 1
        failed = [HostState("drill0.example", failures=1)] if changes.pop("failed", False) else []
        age = changes.pop("age", None)
        bad = replace(good, **changes) if age is None else replace(good, synced=a.clock() - age)
        await pinned(a, bad)
        await a.write(lambda connection: deliveries.save_hosts(connection, failed, a.clock()))
        assert await addresses(a, said) == ()


async def test_the_author_comes_first_and_exercises_name_nobody(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said, drill = await b.publish(status="actual", translations={}), await b.publish()
        await a.sync(b)
        await pinned(a, member(a, 0), replace(a.member(b.did), listed=True))
        assert await addresses(a, said) == (b.origin + page_of(said),), "whether drill0 has pinned b nobody knows here"
        assert await addresses(a, drill) == ()
        assert "drill0.example" not in (await a.get(page_of(drill))).text


async def test_a_member_that_never_showed_us_its_heads_is_not_said_to_have_our_alerts(tmp_path):
    async with Network(tmp_path) as net:
        a, _ = await net.members("a", "b")
        said = await a.publish(status="actual", translations={})
        await pinned(a, member(a, 0), knows_us=False)
        assert await addresses(a, said) == ()


async def test_each_address_of_an_alert_answers_and_shows_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        network = (await act(a, lambda mine: desk.found(mine, {"en": "EXERCISE network"}, [b.did, c.did]))).network
        for other in (b, c):
            await wait_until(lambda other=other: a.did in state(other, network).members, "the other is told")
            await act(other, lambda mine: desk.accept_founding(mine, network))
        everybody = {a.did, b.did, c.did}
        for house in (a, b, c):
            await wait_until(lambda house=house: set(state(house, network).members) == everybody, "all are members")
        said = await b.publish(status="actual", translations={}, headline="EXERCISE zq-headline")
        for house in (a, c):
            await wait_until(lambda house=house: house.holds(said), "the alert is there")
            for other in {a, b, c} - {house}:
                named = replace(house.member(other.did), listed=True, synced=house.clock())
                await pinned(house, named)
            page = (await house.get(page_of(said), Accept_Language="en")).text
            section = page[page.index("Read the same at") :]
            found = re.findall(r'<a class="code"[^>]* href="([^"]+)"', section)
            assert set(found) == {each.origin + page_of(said) for each in (a, b, c) if each is not house}
            assert found[0].startswith(b.origin), "the author first"
            for each in found:
                answer = await net.get(each, Accept="text/html")
                assert answer.status == 200 and "EXERCISE zq-headline" in answer.text

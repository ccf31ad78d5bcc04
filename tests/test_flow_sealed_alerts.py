"""Alerts for some and not for everyone, among whole nodes: who reads them, where they stand, how they end."""

import pytest

from node import alerts as rules
from node.desk import alerts as open_desk
from node.desk import sealed_alerts as desk
from node.errors import RefusedError
from node.federation.protocol.ids import canonical
from node.models import letters, rooms
from tests.support.network import Network, example, wait_until

HEADLINE = "EXERCISE: for members only"


async def publish(house, **changes):
    alert = rules.parse_input(example(**{"audience": "network", "headline": HEADLINE, **changes}))
    said = await house.write(
        lambda connection: desk.publish(
            connection, house.organisation, house.key, alert, house.clock(), approved=True
        )
    )
    house.node.delivery.wake()
    return said


def held(house, said):
    def read(connection):
        secrets = rooms.network_secrets(connection, house.did, house.node.keyring)
        return desk.find(connection, house.did, said.portable_id, secrets)

    return house.read(read)


async def act(house, work):
    said = await house.write(work)
    house.node.delivery.wake()
    return said


async def test_it_reaches_the_members_and_stands_in_no_log_and_on_no_page(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, other = await network.members("one", "two", "three")
        before = author.head(author.did)
        said = await publish(author)
        for house in (friend, other):
            found = await wait_until(lambda house=house: held(house, said), "it is held")
            assert found.main.headline == HEADLINE
            assert [each.language for each in map(rules.parse, found.notes)] == ["ar", "en"]
        assert held(author, said).main.headline == HEADLINE
        assert author.head(author.did) == before
        for house in network.houses:
            for path in ("/", "/alerts", "/alerts/" + said.url.rpartition("/")[2], "/" + said.id.split("/", 3)[3]):
                assert HEADLINE not in (await house.get(path)).text
            assert HEADLINE.encode() not in house.files()


async def test_members_are_left_out_by_name_and_by_country(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, other = await network.members("one", "two", "three")
        said = await publish(author, exclude={"members": [other.did]})
        await wait_until(lambda: held(friend, said), "it is held")
        only = await publish(author, audience=[other.did])
        await wait_until(lambda: held(other, only), "it is held")
        assert held(other, said) is None and held(friend, only) is None
        with pytest.raises(RefusedError, match="nobody is left"):
            await publish(author, exclude={"countries": ["IQ"]})  # nobody here says where it is


async def test_it_is_updated_corrected_closed_and_withdrawn_everywhere(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        said = await publish(author)
        await wait_until(lambda: held(friend, said), "it is held")
        newer = rules.parse_input(example(audience="network", headline=HEADLINE + " again"))
        await act(author, lambda connection: desk.update(
            connection, author.organisation, author.key, held(author, said), newer, author.clock(), approved=True
        ))  # fmt: skip
        await wait_until(lambda: held(friend, said).main.headline.endswith("again"), "the update is there")
        await act(author, lambda connection: desk.restate(
            connection, author.organisation, author.key, held(author, said), "EXERCISE over", author.clock(),
            rules.with_closure,
        ))  # fmt: skip
        await wait_until(lambda: held(friend, said).main.state == "closed", "the closure is there")
        await act(author, lambda connection: desk.withdraw(
            connection, author.organisation, author.key, said.portable_id, author.clock()
        ))  # fmt: skip
        await wait_until(lambda: held(friend, said) is None, "it is gone")
        assert held(author, said) is None

        def receipts(connection):
            return {(each.by, each.kind) for each in letters.receipts_about(connection, author.did, said.portable_id)}

        await wait_until(lambda: (friend.did, "withdrawal") in author.read(receipts), "the member signs that it is")
        assert canonical(said.id) == said.portable_id


async def test_what_is_for_some_never_takes_the_road_for_everyone(tmp_path):
    async with Network(tmp_path) as network:
        author = await network.house("one")
        alert = rules.parse_input(example(audience="network"))
        with pytest.raises(RefusedError, match="not for everyone"):
            await author.write(
                lambda connection: open_desk.publish(
                    connection, author.organisation, author.key, alert, author.clock(), loopback=True
                )
            )

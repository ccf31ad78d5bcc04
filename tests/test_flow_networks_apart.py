"""One organisation in two networks: what it says in one is not sent to the other, and who joins late has it all."""

import asyncio

import pytest
from click.testing import CliRunner

from node import governance
from node.cli import tadamun
from node.desk import endorsements as desk_of_names
from node.desk import network_sheets as sheets
from node.desk import networks as desk
from node.desk.networks import Desk
from node.errors import RefusedError
from node.models import letters as letter_rows
from node.models import networks as rows
from tests.support.network import Network, wait_until
from tests.test_flow_sealed_alerts import held, publish
from tests.test_flow_sign_on import act as endorse_so
from tests.test_flow_sign_on import asked, signed


async def act(house, work):
    """One act of an organisation, as its command would do it."""
    done = await house.write(
        lambda connection: work(Desk(connection, house.organisation, house.key, house.clock()))
    )
    house.node.delivery.wake()
    return done


def state(house, network):
    return house.read(lambda connection: rows.state_of(connection, house.did, network))


async def found(founder, other, name):
    """A network of two."""
    network = (await act(founder, lambda mine: desk.found(mine, {"en": name}, [other.did]))).network
    await wait_until(lambda: founder.did in state(other, network).members, "the other is told")
    await act(other, lambda mine: desk.accept_founding(mine, network))
    await wait_until(lambda: len(state(founder, network).members) == 2, "both are members")
    return network


async def test_what_is_said_in_one_network_is_not_sent_to_another(tmp_path):
    async with Network(tmp_path) as net:
        both, left, right = await net.members("both", "left", "right")
        first = await found(both, left, "EXERCISE network one")
        said = await publish(both)
        await wait_until(lambda: held(left, said), "the one network's member has it")
        assert held(right, said) is None, "a hand's pin is no membership"
        second = await found(both, right, "EXERCISE network two")
        with pytest.raises(RefusedError, match="in several"):
            await publish(both)
        with pytest.raises(RefusedError, match="none of ours"):
            await publish(both, networks=["zQmNoSuchNetwork"])
        for names, readers in (([second[:12]], (right,)), ([first], (left,)), ([first, second], (left, right))):
            said = await publish(both, networks=names)
            for each in readers:
                await wait_until(lambda each=each, said=said: held(each, said), "it is there")
            for each in {left, right} - set(readers):
                assert held(each, said) is None
        with pytest.raises(RefusedError, match="where the audience is network"):
            await publish(both, audience=[left.did], networks=[first])
        for each, other in ((left, second), (right, first)):
            assert other.encode() not in each.files(), "that there is another network is told to nobody"


async def test_acts_that_were_lost_on_the_way_are_asked_for(tmp_path):
    async with Network(tmp_path) as net:
        one, two, three = await net.members("one", "two", "three")
        network = await found(one, two, "EXERCISE network")
        await two.stop()
        for number in range(3):
            await act(one, lambda mine, number=number: desk.propose(mine, network, governance.ADOPT, text="",
                                                                  grounds=f"EXERCISE {number}"))
        await one.write(lambda connection: connection.exec_driver_sql("DELETE FROM deliveries"))
        await two.start()
        assert len(state(two, network).decisions) == 0
        await act(one, lambda mine: desk.propose(mine, network, governance.ADOPT))
        await wait_until(lambda: state(two, network) == state(one, network), "what was named and missing has come")
        assert len(state(two, network).decisions) == 4
        assert three.did not in state(one, network).members


async def test_who_is_invited_joins_while_another_member_on_the_sheet_is_offline(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        three = await net.house("three")
        network = await found(one, two, "EXERCISE network")
        sheet = tmp_path / "sheet.json"
        sheet.write_text(sheets.written((await act(one, lambda mine: desk.invite(mine, network))).value()))
        await two.stop()
        done = await asyncio.to_thread(
            CliRunner().invoke, tadamun, ["network", "join", str(sheet), "--data", str(three.data)],
            env={"TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8"},
        )  # fmt: skip
        assert done.exit_code == 0 and "Compare the words by voice" in done.output, done.output
        assert three.member(one.did) is not None and three.member(two.did) is None


async def test_a_name_that_only_a_network_knows_is_told_to_no_other(tmp_path):
    async with Network(tmp_path) as net:
        both, left, right = await net.members("both", "left", "right")
        await found(both, left, "EXERCISE network one")
        await found(both, right, "EXERCISE network two")
        said = await asked(left, both, right)
        await endorse_so(both, desk_of_names.endorse_withheld, said.portable_id, "EXERCISE zq-name")
        await wait_until(lambda: signed(left, said).withheld == 1, "the network of its author counts it")
        assert signed(both, said).withheld == 1
        await publish(both, networks=[rows_of(both)[1]])
        later = lambda: right.read(lambda connection: letter_rows.of_kind(connection, right.did, ("alert",)))  # noqa: E731
        await wait_until(later, "a letter that was sent later came")
        assert signed(right, said).withheld == 0, "the other network was not told"


def rows_of(house):
    return [each.network for each in house.read(lambda connection: rows.all_of(connection, house.did))]

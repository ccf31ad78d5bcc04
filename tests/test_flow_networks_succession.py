"""A member goes on under its recovery key: its vote counts on every node, and its old key's does not."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from node import governance as acts
from node.cli import tadamun
from node.desk import networks as desk
from node.errors import RefusedError
from node.models import contacts
from node.models import networks as rows
from tests.advisories.test_networks import acceptance, keep, signed
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act, state
from tests.test_flow_succession import succeed


async def founded(first, *others):
    """A network of all of these."""
    dids = [each.did for each in others]
    network = (await act(first, lambda mine: desk.found(mine, {"en": "EXERCISE network"}, dids))).network
    for each in others:
        await wait_until(lambda each=each: first.did in state(each, network).members, "it is told")
        await act(each, lambda mine: desk.accept_founding(mine, network))
    everybody = {first.did, *dids}
    for each in (first, *others):
        await wait_until(lambda each=each: set(state(each, network).members) == everybody, "all are members")
    return network


async def as_command(house, *words):
    done = await asyncio.to_thread(
        CliRunner().invoke, tadamun, [*words, "--data", str(house.data)], env={"TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8"}
    )
    assert done.exit_code == 0, done.output
    return done.output


async def test_a_member_that_was_succeeded_votes_under_its_new_did_and_the_old_key_does_not(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        network = await founded(a, b, c)
        await a.write(lambda connection: rows.set_pinned(connection, a.did, c.did, held=True))
        stolen, before = c.key, state(c, network)
        await c.stop()
        done = succeed(c, tmp_path / "c.sheet", 1)
        assert done.exit_code == 0 and json.loads(done.stdout)["networks_left"] == [], done.output
        new = json.loads(done.stdout)["did"]
        # The command has the world's clock, the network its own: what one queued is due when the other caught up.
        net.clock.forward(max(timedelta(0), datetime.now(UTC) - net.clock()) + timedelta(seconds=1))
        await c.start()
        for each in (a, b):
            await wait_until(lambda each=each: state(each, network).heirs == {c.did: new}, "it has taken its place")
            assert set(state(each, network).members) == {a.did, b.did, new}
        await wait_until(lambda: a.read(lambda c_: rows.pinned(c_, a.did)) == {new}, "the pin goes with it")
        assert a.member(new).state == contacts.MEMBER and a.member(c.did).state == contacts.SUCCEEDED

        proposal, _ = await act(a, lambda mine: desk.propose(mine, network, acts.ADOPT))
        says = {"about": proposal, "choice": "yes", "reason": ""}
        number = 1 + max(each.number for each in rows_of(a, network) if each.author == c.did)
        vote = signed(stolen, network, acts.VOTE, number, (*before.heads, proposal), says, a.clock())
        assert await keep(a, vote) == [True]
        assert state(a, network).decisions[proposal].votes == {}
        await wait_until(
            lambda: proposal in c.read(lambda it: rows.state_of(it, new, network)).decisions, "the new did is told"
        )
        await as_command(c, "decision", "vote", proposal[:20], "yes")
        await wait_until(lambda: state(a, network).decisions[proposal].votes == {new: "yes"}, "its vote is there")
        await act(a, lambda mine: desk.vote(mine, network, proposal, "yes"))
        decided = await act(a, lambda mine: desk.close(mine, network, proposal))
        assert decided.decisions[proposal].state == "passed" and decided.decisions[proposal].voters == 3


def rows_of(house, network):
    return house.read(lambda connection: rows.acts_of(connection, house.did, network))


async def test_a_recovery_key_that_is_not_that_of_the_log_is_vouched_for_by_nobody(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        c = await net.house("c")
        await a.pin(c)
        network = await founded(a, b)
        sheet = await act(a, lambda mine: desk.invite(mine, network))
        says = acceptance(sheet.invitation) | {"recovery": a.organisation.recovery}
        answer = signed(c.key, network, acts.ACCEPT, 1, (sheet.invitation,), says, a.clock())
        assert await keep(a, answer) == [True]
        with pytest.raises(RefusedError, match="another recovery key"):
            await act(a, lambda mine: desk.vouch(mine, network, c.did))


async def test_a_founder_sees_to_which_recovery_key_the_founding_act_binds_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        other = {"recovery": a.organisation.recovery}
        where = contacts.members.c.did == b.did
        await a.write(lambda connection: connection.execute(contacts.members.update().where(where).values(other)))
        network = (await act(a, lambda mine: desk.found(mine, {"en": "EXERCISE network"}, [b.did]))).network
        await wait_until(lambda: a.did in state(b, network).members, "it is told")
        with pytest.raises(RefusedError, match="another recovery key"):
            await act(b, lambda mine: desk.accept_founding(mine, network))


async def test_what_claims_a_place_by_another_key_is_not_even_kept(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        network = await founded(a, b)
        theirs = next(each for each in rows_of(a, network) if each.author == b.did)
        heads = state(a, network).heads
        for key in (a.key, (await net.house("x")).key):
            claim = signed(key, network, acts.SUCCEED, 1, heads, {"about": theirs.digest}, a.clock())
            kept = await keep(a, claim)
            assert kept == [key is a.key], "our own are ours to keep"
        assert set(state(a, network).members) == {a.did, b.did} and state(a, network).heirs == {}

"""A dishonest member of a network, and strangers: what they can fill, forge or learn."""

import asyncio
from datetime import timedelta

import pytest

from node import governance as acts
from node import letters as letter_rules
from node.desk import network_sheets as sheets
from node.desk import networks as desk
from node.errors import RefusedError
from node.federation import letters, outbox
from node.federation.protocol import integrity_proofs
from node.federation.protocol.digests import multibase
from node.federation.protocol.keys import generate_organisation_key
from node.models import letters as letter_rows
from node.models import networks as rows
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act, found, state


def signed(key, network, kind, number, seen, says, now):
    value = acts.render(network, kind, key.did, number, seen, says, now)
    return acts.parse(integrity_proofs.sign(value, key, f"{key.did}#{key.multikey}", now))


def acceptance(about):
    return {"about": about, "name": "EXERCISE crowd", "kind": "organisation", "country": "", "handle": "@x@x.example",
            "listed": False}  # fmt: skip


async def keep(house, *given):
    return await house.write(
        lambda connection: [rows.add(connection, house.did, each, house.clock()) for each in given]
    )


async def test_strangers_made_up_by_a_member_fill_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MOST_INVITED", 3)
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = await found(one, two, "EXERCISE network")
        sheet = await act(two, lambda mine: desk.invite(mine, network))
        await wait_until(lambda: len(one.read(lambda c: rows.acts_of(c, one.did, network))) == 4, "it is there")
        crowd = [generate_organisation_key() for _ in range(6)]
        now = one.clock()
        first = [
            signed(key, network, acts.ACCEPT, 1, (sheet.invitation,), acceptance(sheet.invitation), now)
            for key in crowd
        ]
        assert await keep(one, *first) == [True] * 3 + [False] * 3
        key, accepted = crowd[0], first[0]
        more = [
            signed(key, network, acts.CANCEL, number, (accepted.digest,), {"about": accepted.digest}, now)
            for number in range(2, 20)
        ]
        assert sum(await keep(one, *more)) == rows.MOST_BY_STRANGER - 1
        stranger = generate_organisation_key()
        for kind, about in ((acts.ACCEPT, network), (acts.ACCEPT, accepted.digest), (acts.LEAVE, "")):
            says = acceptance(about) if kind == acts.ACCEPT else {}
            assert await keep(one, signed(stranger, network, kind, 1, (network,), says, now)) == [False]
        mine = await act(one, lambda it: desk.invite(it, network))
        honest = generate_organisation_key()
        answer = signed(honest, network, acts.ACCEPT, 1, (mine.invitation,), acceptance(mine.invitation), now)
        assert await keep(one, answer) == [True], "another member's invitations are as good as before"


async def test_an_answer_of_another_hand_another_network_or_too_late_lets_nobody_in(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        three = await net.house("three")
        network = await found(one, two, "EXERCISE network")
        sheet = await act(one, lambda mine: desk.invite(mine, network, two.did))
        answer = await act(three, lambda mine: desk.accept(mine, sheet))
        candidate = sheets.read_answer(sheets.written(answer).encode())
        with pytest.raises(RefusedError, match="no candidate"):
            await act(one, lambda mine: desk.vouch(mine, network, candidate))
        changed = {**answer, "acts": [{**answer["acts"][0], "author": two.did}]}
        with pytest.raises(RefusedError, match="not its author's own"):
            sheets.read_answer(sheets.written(changed).encode())
        net.clock.forward(timedelta(days=15))
        with pytest.raises(RefusedError, match="has run out"):
            sheets.read_sheet(sheets.written(sheet.value()).encode(), three.clock())


async def test_what_a_stranger_sends_about_a_network_is_not_taken(tmp_path):
    async with Network(tmp_path) as net:
        one, two, three = await net.members("one", "two", "three")
        network = await found(one, two, "EXERCISE network")
        before = one.read(lambda connection: rows.acts_of(connection, one.did, network))

        def unasked(mine):
            rows.know(mine.connection, mine.own, network, {"en": "EXERCISE"}, mine.now)
            made = signed(mine.key, network, acts.LEAVE, 1, (network,), {}, mine.now)
            return desk.tell(mine, network, [made], {one.did, two.did})

        assert await act(three, unasked) == 2
        assert await act(three, lambda mine: desk.tell(mine, network, [], {one.did})) == 0
        said = await act(one, lambda mine: desk.propose(mine, network, acts.ADOPT))
        await wait_until(lambda: said[0] in state(two, network).decisions, "the members go on")
        now = one.read(lambda connection: rows.acts_of(connection, one.did, network))
        assert {each.author for each in now} == {each.author for each in before}
        assert state(three, network).members == {}


async def test_a_member_that_nobody_can_reach_keeps_no_node_busy(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = await found(one, two, "EXERCISE network")
        sheet = await act(one, lambda mine: desk.invite(mine, network))
        ghost = generate_organisation_key()
        says = acceptance(sheet.invitation) | {"handle": "@ghost@127.77.99.1:9"}
        answer = signed(ghost, network, acts.ACCEPT, 1, (sheet.invitation,), says, one.clock())
        carried = sheets.Candidacy(answer, (answer,), "")
        await act(one, lambda mine: desk.vouch(mine, network, carried))
        await wait_until(lambda: ghost.did in state(two, network).candidates, "the other hears")
        await act(two, lambda mine: desk.vouch(mine, network, ghost.did))
        await wait_until(lambda: ghost.did in state(one, network).members, "it is a member")
        await asyncio.sleep(3)  # pins are tried, letters are sent
        before = one.node.database.stamp(), two.node.database.stamp()
        await asyncio.sleep(3)
        assert (one.node.database.stamp(), two.node.database.stamp()) == before, "nothing is written again and again"


async def test_who_says_a_thousand_things_at_once_crowds_nobody_out(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = await found(one, two, "EXERCISE network")
        heads = state(one, network).heads
        accepted = next(
            each for each in one.read(lambda c: rows.acts_of(c, one.did, network)) if each.author == two.did
        )
        forks = [
            signed(two.key, network, acts.INVITE, accepted.number + 1, heads,
                   {"who": "", "expires": f"2026-12-{number % 28 + 1:02}T{number // 28 % 24:02}:00:00Z"},
                   one.clock() + timedelta(seconds=number))
            for number in range(2 * acts.MAX_SEEN)
        ]  # fmt: skip
        assert all(await keep(one, *forks))
        assert len(state(one, network).heads) > acts.MAX_SEEN
        proposal, _ = await act(one, lambda mine: desk.propose(mine, network, acts.REMOVE, [two.did]))
        await act(one, lambda mine: desk.vote(mine, network, proposal, "yes"))
        after = await act(one, lambda mine: desk.close(mine, network, proposal))
        assert set(after.members) == {one.did}, "it is put out all the same"


async def test_who_asks_for_the_whole_history_again_and_again_gets_it_a_few_times(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = await found(one, two, "EXERCISE network")

        def answers():
            kept = one.read(lambda c: letter_rows.of_kind(c, one.did, (letter_rules.GOVERNANCE,)))
            return sum(each.author == one.did for each in kept)

        before = answers()
        for _ in range(8):
            await act(two, lambda mine: letters.send(
                mine.connection, mine.organisation, mine.key, letter_rules.GOVERNANCE_ASK, network, {"heads": []},
                [one.did], mine.now, token=outbox.token(),
            ))  # fmt: skip
            await asyncio.sleep(1.2)
        assert 0 < answers() - before <= 5


async def test_who_is_asked_for_acts_of_a_network_before_it_has_any_goes_on_working(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = multibase(b"EXERCISE network that is not here")
        await one.write(lambda connection: rows.know(connection, one.did, network, {"en": "EXERCISE"}, one.clock()))

        def ask(mine):
            letters.send(
                mine.connection, mine.organisation, mine.key, letter_rules.GOVERNANCE_ASK, network, {"heads": []},
                [one.did], mine.now, token=outbox.token(),
            )  # fmt: skip

        await act(two, ask)
        await asyncio.sleep(1)  # the letter comes, and the assembly looks
        await wait_until(lambda: not one.read(lambda it: rows.asks_of(it, one.did, network)), "it was answered")
        after = await found(one, two, "EXERCISE network")
        said, _ = await act(one, lambda mine: desk.propose(mine, after, acts.ADOPT))
        await wait_until(lambda: said in state(two, after).decisions, "the node goes on")
        await wait_until(lambda: one.read(rows.dirty) == (), "its assembly looks at what is new")

"""A member's server is gone for good or for a while: one of the others carries its alerts on, and owes what follows."""

import asyncio
from datetime import timedelta

import pytest

from node.boosts import PATH
from node.federation.relays import CALM, PROBE
from node.models import boosts, queues, relays
from node.relays import PATIENCE, VALID, Notice, rank
from tests.support.fediverse import Host, post_as
from tests.support.network import Network, page_of, path_of, said_by, wait_until
from tests.test_flow_boosts import ACTIVITY, LONG, ask_for, follow, judged, of

DEAD = timedelta(hours=6)
SLOW = 20.0


async def cast(net, *handles):
    """An author and its members, each followed from one host, each asked to pass on everything."""
    author, *others = await net.members(*handles)
    host = await Host(net, 1, "amal").start()
    for house in others:
        await follow(host, "amal", house)
        await ask_for(house)
    return author, others, host


async def rounds(houses, count=4):
    """Everybody looks, and what they tell each other arrives."""
    for _ in range(count):
        await asyncio.gather(*(house.node.relays.work_once() for house in houses if house.running))
        await wait_until(lambda: all(quiet(house) for house in houses if house.running), "everything arrived", SLOW)


def quiet(house):
    return house.read(queues.waiting) == 0 and not house.node.delivery._underway


async def lose(net, gone, left):
    """A server goes away, and after six hours everybody has noticed."""
    await gone.stop()
    net.clock.forward(CALM)
    await rounds(left)
    net.clock.forward(DEAD)
    await rounds(left)


def carriers(houses, said):
    """Who has a copy now."""
    return [
        house
        for house in houses
        if said.portable_id in house.read(lambda connection, did=house.did: relays.copies_of(connection, did))
    ]


def in_order(houses, said):
    return sorted(houses, key=lambda house: rank(said.portable_id, house.did))


def notes(host, kind):
    """Creates, Updates or Deletes of copies."""
    return [each for each in host.got(kind) if each["actor"].endswith(PATH)]


async def test_one_of_four_carries_on_and_the_authors_word_still_counts(tmp_path):
    async with Network(tmp_path) as net:
        a, others, host = await cast(net, "a", "b", "c", "d", "e")
        said = await a.publish(status="actual", republish=True, headline="Exercise: first words")
        drill = await a.publish(status="exercise", republish=True)
        silent = await a.publish(status="actual", headline="Exercise: of a person")
        for house in others:
            for each in (said, drill, silent):
                await wait_until(lambda house=house, each=each: house.holds(each), "everybody has it")
        net.clock.forward(LONG)
        await lose(net, a, others)
        assert notes(host, "Create") == []
        net.clock.forward(PATIENCE)
        await rounds(others)
        first, second, *_ = in_order(others, said)
        await wait_until(lambda: notes(host, "Create"), "it is carried on")
        for _ in range(6):
            net.clock.forward(PATIENCE)
            await rounds(others, 2)
        (create,) = notes(host, "Create")
        assert create["actor"] == first.origin + PATH
        assert carriers(others, said) == [first]
        note = create["object"]
        assert note["content"].startswith("<p><strong>")
        assert note["content"].index(a.organisation.name) < note["content"].index(first.organisation.name)
        for part in ("first words", said.id, first.origin + page_of(said), first.origin + path_of(said.id)):
            assert part in note["content"]
        assert (note["original"], note["url"]) == (said.id, first.origin + page_of(said))
        assert "alertKind" not in note
        served = (await first.get(note["id"].removeprefix(first.origin), Accept=ACTIVITY)).json()
        assert served.pop("@context") == create["@context"]
        assert served == note
        proof = await first.get(path_of(said.id), Accept=ACTIVITY)
        assert proof.json()["attributedTo"] == a.organisation.uri

        # Its author is heard again by another way: a stick, another member's log.
        await a.update(said.id, status="actual", republish=True, headline="Exercise: second words")
        entries = a.entries(a.did)
        await _bring(entries, first)
        await wait_until(lambda: notes(host, "Update"), "the copy is changed", SLOW)
        assert "second words" in notes(host, "Update")[-1]["object"]["content"]
        assert notes(host, "Update")[-1]["object"]["id"] == note["id"]
        await a.withdraw(said.id)
        await _bring(a.entries(a.did), first)
        await wait_until(lambda: notes(host, "Delete"), "the copy is gone", SLOW)
        assert notes(host, "Delete")[0]["object"]["id"] == note["id"]
        assert carriers(others, said) == []
        assert (await first.get(note["id"].removeprefix(first.origin), Accept=ACTIVITY)).status == 410


async def _bring(entries, house):
    """What a stick brings; what is held already changes nothing."""
    for entry in entries:
        if entry.raw is not None:
            await house.take(entry.raw)


async def test_its_author_comes_back(tmp_path):
    async with Network(tmp_path) as net:
        a, others, host = await cast(net, "a", "b", "c", "d")
        said = await a.publish(status="actual", republish=True, translations={})
        for house in others:
            await wait_until(lambda house=house: house.holds(said), "everybody has it")
        await wait_until(lambda: all(judged(house, said) for house in others), "everybody looked at it")
        net.clock.forward(LONG)
        await wait_until(lambda: len(host.got("Announce")) == 3, "everybody boosts it", SLOW)
        await lose(net, a, others)
        net.clock.forward(PATIENCE)
        await rounds(others)
        await wait_until(lambda: notes(host, "Create"), "it is carried on")
        (carrier,) = carriers(others, said)
        await a.start()
        net.clock.forward(PROBE)
        await rounds(others)
        await wait_until(lambda: notes(host, "Delete"), "the copy is gone")
        net.clock.forward(LONG)
        await wait_until(lambda: len(of(carrier, host, "Announce")) == 2, "the original is boosted again")
        assert of(carrier, host, "Announce")[-1]["object"] == said.id
        assert carriers(others, said) == []


@pytest.mark.drill
async def test_the_next_in_order_takes_over_and_two_become_one(tmp_path):
    async with Network(tmp_path) as net:
        a, others, host = await cast(net, "a", "b", "c", "d", "e", "f")
        said = await a.publish(status="actual", republish=True, translations={})
        for house in others:
            await wait_until(lambda house=house: house.holds(said), "everybody has it")
        net.clock.forward(LONG)
        await lose(net, a, others)
        first, second, *rest = in_order(others, said)
        net.clock.forward(PATIENCE)
        await rounds(others)
        await wait_until(lambda: carriers(others, said) == [first], "the first carries it")
        await first.stop()
        left = [second, *rest]
        net.clock.forward(CALM)
        await rounds(left)
        net.clock.forward(3 * PATIENCE)
        await rounds(left)
        assert carriers(left, said) == [second]
        await first.start()
        net.clock.forward(PROBE)
        await rounds(others)
        await wait_until(lambda: carriers(others, said) == [first], "one of the two is left", SLOW)
        assert of(second, host, "Delete")
        assert not of(first, host, "Delete")


@pytest.mark.drill
async def test_two_who_noticed_are_too_few_and_strangers_do_not_count(tmp_path):
    async with Network(tmp_path) as net:
        a, others, host = await cast(net, "a", "b", "c", "d")
        b, c, d = others
        said = await a.publish(status="actual", republish=True, translations={})
        for house in others:
            await wait_until(lambda house=house: house.holds(said), "everybody has it")
        stranger = await net.house("stranger")
        await stranger.pin(b)
        await d.stop()
        await lose(net, a, [b, c])
        notice = said_by(
            stranger, "Notice", b.origin + PATH, published=f"{net.clock():%Y-%m-%dT%H:%M:%SZ}",
            unreachable={a.did: f"{net.clock() - DEAD:%Y-%m-%dT%H:%M:%SZ}"}, carried=[], willing=True,
        )
        assert (await post_as(stranger, b.origin + PATH + "/inbox", notice)).status == 202
        for _ in range(4):
            net.clock.forward(PATIENCE)
            await rounds([b, c])
        assert notes(host, "Create") == []
        held = b.read(lambda connection: relays.notices_of(connection, b.did, net.clock() - VALID))
        assert set(held) == {c.did}


@pytest.mark.parametrize(("asked", "carried"), [(None, False), ("EG", False), ("IQ", True), ("", True)])
async def test_who_was_not_asked_carries_nothing(tmp_path, asked, carried):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        host = await Host(net, 1, "amal").start()
        await follow(host, "amal", b)
        said = await a.publish(status="actual", republish=True, translations={})
        await wait_until(lambda: b.holds(said), "the member has it")
        if asked is not None:
            await ask_for(b, asked)
        await lose(net, a, [b])
        net.clock.forward(PATIENCE)
        await rounds([b])
        assert (carriers([b], said) == [b]) is carried


@pytest.mark.parametrize("end", ["expired", "no more asked for", "frozen", "closed"])
async def test_a_copy_ends_with_what_it_is_a_copy_of(tmp_path, end):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        host = await Host(net, 1, "amal").start()
        await follow(host, "amal", b)
        await ask_for(b)
        soon = f"{net.clock() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        said = await a.publish(
            status="actual", republish=True, translations={}, expires=soon, deadline=soon, headline="Exercise: first"
        )
        await wait_until(lambda: b.holds(said), "the member has it")
        await lose(net, a, [b])
        net.clock.forward(PATIENCE)
        await rounds([b])
        await wait_until(lambda: notes(host, "Create"), "it is carried on")
        if end == "expired":
            net.clock.forward(timedelta(days=1))
        if end == "no more asked for":
            await b.write(lambda connection: boosts.ask_for_none(connection, b.did))
        if end == "frozen":
            await b.freeze(a.did, 1)
        if end == "closed":
            await a.close(said.id, "Exercise: released")
            await _bring(a.entries(a.did), b)
        await rounds([b])
        if end == "closed":
            await wait_until(lambda: notes(host, "Update"), "its readers hear how it ended")
            assert "Exercise: released" in notes(host, "Update")[0]["object"]["content"]
            assert carriers([b], said) == [b]
        else:
            await wait_until(lambda: notes(host, "Delete"), "the copy is gone")
            assert carriers([b], said) == []


@pytest.mark.drill
async def test_a_member_that_says_it_noticed_a_minute_ago_does_not_count_yet(tmp_path):
    async with Network(tmp_path) as net:
        a, others, host = await cast(net, "a", "b", "c", "d")
        b, c, d = others
        said = await a.publish(status="actual", republish=True, translations={})
        for house in others:
            await wait_until(lambda house=house: house.holds(said), "everybody has it")
        await a.stop()
        net.clock.forward(CALM)
        await rounds([b])
        net.clock.forward(DEAD)
        for ago, heard in ((timedelta(minutes=1), False), (DEAD, True)):
            for house in (c, d):
                await b.write(lambda connection, house=house, ago=ago: _pretend(connection, b, house, a, ago))
            await b.node.relays.work_once()
            net.clock.forward(PATIENCE * 4)
            await b.node.relays.work_once()
            assert bool(carriers([b], said)) is heard


def _pretend(connection, at, member, author, ago):
    """What a member's notice leaves at another."""
    now = at.clock()
    notice = Notice(member.did, now, {author.did: now - ago}, frozenset(), False)
    relays.save_notice(connection, at.did, notice)

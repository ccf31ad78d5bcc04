"""Members: pinned by hand, believed by their proof, and each passes on what others may lack."""

import json

import pytest

from node import recovery
from node.desk import members
from node.errors import RefusedError
from node.federation.protocol import ids
from node.models import alerts, contacts, organisations
from tests.support.fediverse import Host, post_as
from tests.support.network import Network, page_of, wait_until


async def test_a_pin_shows_six_words_and_takes_no_other_did(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a"), await net.house("b")
        with pytest.raises(RefusedError, match="nothing was pinned"):
            await b.pin(a, did=b.did)
        assert b.member(a.did) is None
        pinned = await b.pin(a, did=a.did)
        assert pinned.shown()["words"] == [*recovery.six_words(a.did)] and len(pinned.shown()["words"]) == 6
        assert pinned.shown()["numbers"] == [*recovery.six_numbers(a.did)]
        assert b.member(a.did).inbox == a.origin + "/inbox"
        with pytest.raises(RefusedError, match="not a member of itself"):
            await b.pin(b)


async def test_the_commitment_to_the_recovery_key_comes_from_entry_1(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a"), await net.house("b")
        assert (await b.pin(a)).member.recovery == a.organisation.recovery != ""


async def test_an_ordinary_actor_is_no_member(tmp_path):
    async with Network(tmp_path) as net:
        b = await net.house("b")
        elsewhere = await Host(net, 1, "amal").start()
        with pytest.raises(RefusedError, match="follow it instead"):
            await members.add(
                b.node.database, b.node.discovery, b.organisation, elsewhere.uri("amal"), None, net.clock()
            )


async def test_nothing_of_an_unpinned_did_is_stored(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a"), await net.house("b")
        await a.pin(b)
        said = await a.publish(status="actual")
        await wait_until(lambda: b.received()["ignored"] == 2, "both versions were judged")
        report = await a.sync(b)
        assert (report.problem, b.entries(a.did), b.head(a.did)) == ("", (), (0, 0))
        assert not await b.holds(said)
        assert b.read(lambda connection: alerts.newest(connection, b.did)) == ()


async def test_a_rumour_takes_the_road_over_a_member(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = [await net.house(name) for name in "abc"]
        for house, other in ((a, b), (b, a), (b, c), (c, a), (c, b)):
            await house.pin(other)
        for house, other in ((b, a), (c, a), (c, b), (b, c)):
            await house.sync(other)
        said = await a.publish(status="actual")
        await wait_until(lambda: c.head(a.did) == (1, 3), "the third node has the alert and its translation")
        (record,) = c.read(lambda connection: alerts.newest(connection, c.did))
        assert (record.object_id, record.via) == (said.portable_id, b.organisation.host)
        assert await c.holds(said)
        posted = [each.headers["signature"] for each in c.exchanges if each.method == "POST"]
        assert posted
        assert all(f'keyId="{b.organisation.uri}#main-key"' in each for each in posted)


async def test_a_stranger_forwards_nothing(tmp_path):
    async with Network(tmp_path) as net:
        a, b, d = [await net.house(name) for name in "abd"]
        await b.pin(a)
        await b.sync(a)
        said = await a.publish(status="actual", translations={})
        raw = a.entries(a.did)[1].raw
        unknown = await post_as(d, b.origin + "/inbox", raw)
        assert unknown.status in (202, 401, 403)
        await wait_until(lambda: b.received()["waiting"] == 0, "it was judged")
        await b.node.discovery.actor(d.organisation.uri)
        known = await post_as(d, b.origin + "/inbox", raw)
        assert known.status in (401, 403)
        assert "FEP-fe34" in known.text
        assert b.received()["refused"] >= 2
        assert b.head(a.did) == (1, 1)
        assert not await b.holds(said)


async def test_a_member_forwards_nothing_about_an_unpinned_did(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = [await net.house(name) for name in "abc"]
        await c.pin(b)
        await a.publish(status="actual", translations={})
        answer = await post_as(b, c.origin + "/inbox", a.entries(a.did)[1].raw)
        assert answer.status in (401, 403)
        assert c.entries(a.did) == ()


async def test_our_own_words_do_not_come_from_outside(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await a.publish(status="actual", translations={})
        raw = a.entries(a.did)[1].raw
        for sender in (a, b):
            assert (await post_as(sender, a.origin + "/inbox", raw)).status == 403
        changed = json.loads(raw)
        changed["object"]["headline"] = "changed"
        answer = await post_as(a, b.origin + "/inbox", json.dumps(changed).encode())
        assert answer.status in (202, 401, 403)
        await wait_until(lambda: b.received()["waiting"] == 0, "it was judged")
        assert b.received()["refused"] == 1


async def test_a_former_member_is_taken_back_at_its_word_and_believed_nothing_new(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        old = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(old), "the alert is there")

        def leave(connection):
            contacts.set_state(connection, b.did, a.did, contacts.FORMER)

        await b.write(leave)
        await b.node.inbox.refresh()
        new = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.received()["ignored"] == 1, "the new alert was judged")
        await a.withdraw(old.id)

        async def gone():
            return (await b.get(page_of(old))).status == 410

        await wait_until(gone, "its Delete is obeyed")
        assert (await b.get(page_of(new))).status == 404
        assert [each.header.sequence for each in b.entries(a.did)] == [1, 2, 4]


async def test_a_follow_between_nodes_is_answered_and_undone(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a"), await net.house("b")
        await members.follow(
            b.node.database, b.node.discovery, b.organisation, b.key, a.organisation.address, net.clock()
        )
        b.node.delivery.wake()

        def state():
            found = b.read(lambda connection: contacts.following(connection, b.did, a.organisation.actor))
            return found.state if found else ""

        await wait_until(lambda: state() == "accepted", "the follow is accepted")
        said = await a.publish(status="actual")
        await wait_until(lambda: b.holds(said), "a followed organisation's alert is shown")
        assert b.entries(a.did) == ()
        name = a.organisation.uri
        await b.write(lambda connection: members.unfollow(connection, b.organisation, b.key, name, net.clock()))
        b.node.delivery.wake()
        await wait_until(
            lambda: a.read(lambda connection: contacts.count_followers(connection, a.did)) == 0, "the follow is undone"
        )
        assert a.read(organisations.count) == 1
        assert ids.portable(said.id).did == a.did

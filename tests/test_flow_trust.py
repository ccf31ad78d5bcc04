"""Trust taken back: a thief with an organisation's keys is undone on every member that freezes it."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from node import alerts as rules
from node.desk import alerts as desk
from node.desk import members
from node.errors import ProtocolError
from node.federation import outbox
from node.federation.protocol import ids, integrity_proofs, keys, verification
from node.federation.protocol.messages import parse_document
from node.models import alerts, contacts, deliveries, documents, logs
from node.models.logs import entries
from tests.support.fediverse import Host, post_as
from tests.support.network import Network, example, page_of, path_of, rsa_pem, said_by, wait_until

ACTIVITY = "application/activity+json"
COUNT = 50


async def publish_many(house, count):
    """Many alerts in one transaction."""

    def work(connection):
        return [
            desk.publish(
                connection, house.organisation, house.key,
                rules.parse_input(example(status="actual", translations={}, headline=f"Exercise alert {number}")),
                house.clock(), loopback=True,
            )
            for number in range(count)
        ]  # fmt: skip

    return await house.write(work)


def kept(house, did):
    """Every (epoch, sequence, state) kept of this did, past a freeze too."""
    query = select(entries.c.epoch, entries.c.sequence, entries.c.state).where(
        entries.c.org == house.did, entries.c.did == did
    )
    return house.read(lambda connection: [tuple(row) for row in connection.execute(query.order_by(entries.c.sequence))])


def shown(house):
    """The headlines that this node shows."""
    return {
        record.headline
        for record in house.read(lambda connection: alerts.newest(connection, house.did, limit=1000))
    }


def waiting(house):
    """The activities that this node still has to send."""
    owed, payloads = deliveries.deliveries, deliveries.payloads
    query = select(payloads.c.activity_id).join(owed, owed.c.payload == payloads.c.id).where(owed.c.state == "waiting")
    return house.read(lambda connection: set(connection.execute(query).scalars()))


async def documents_of(house, paths):
    """What is served at these paths."""
    answers = await asyncio.gather(*(house.get(path, Accept=ACTIVITY) for path in paths))
    return {path: answer.body for path, answer in zip(paths, answers, strict=True)}


def follow_state(house, actor):
    found = house.read(lambda connection: contacts.following(connection, house.did, actor))
    return found.state if found else None


async def follow(house, other):
    await members.follow(
        house.node.database, house.node.discovery, house.organisation, house.key, other.organisation.address,
        house.clock(),
    )  # fmt: skip
    house.node.delivery.wake()
    await wait_until(lambda: follow_state(house, other.organisation.actor) == "accepted", "the follow is accepted")


async def attack(thief, said, host):
    """What a stolen key can say: other words, 50 Deletes, a new alert, a Move, another actor."""

    def speak(connection):
        other = rules.parse_input(example(status="actual", translations={}, headline="Exercise: the thief's words"))
        desk.update(connection, thief.organisation, thief.key, said[0].id, other, thief.clock(), loopback=True)
        for each in said:
            desk.withdraw(connection, thief.organisation, thief.key, each.id, thief.clock())
        new = rules.parse_input(example(status="actual", translations={}, headline="Exercise: the thief's alert"))
        return desk.publish(connection, thief.organisation, thief.key, new, thief.clock(), loopback=True)

    def move_in(connection):
        public = keys.load_private_pem(rsa_pem(20)).public_key()
        outbox.publish_actor(
            connection, replace(thief.organisation, origin=host.origin), thief.key, public, thief.clock()
        )

    new = await thief.write(speak)
    head = thief.read(lambda connection: logs.head(connection, thief.did, thief.did))
    place = (head.epoch, head.sequence + 1, head.digest)
    await thief.take(
        said_by(thief, "Move", thief.organisation.uri, target=host.uri("thief"), position=place)
    )
    await thief.write(move_in)
    return new


async def test_a_stolen_key_is_undone_by_a_freeze(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = [await net.house(name) for name in "abc"]
        said = await publish_many(a, COUNT)
        await net.befriend(a, b, c)
        await follow(b, a)
        elsewhere = await Host(net, 1, "thief").start()
        elsewhere.aliases.append(a.organisation.uri)
        good = a.head(a.did)
        assert b.head(a.did) == c.head(a.did) == good
        actor = path_of(a.organisation.uri)
        before = await documents_of(b, [actor, *(path_of(each.id) for each in said)])
        thief = await net.copy(a, "thief")
        new = await attack(thief, said, elsewhere)
        last = thief.head(a.did)
        late = {entry.activity_id for entry in thief.entries(a.did) if entry.header.order > good}
        await asyncio.gather(*(_deliver(thief, house, good) for house in (b, c)))
        for house in (b, c):
            assert house.head(a.did) == last
            assert shown(house) == {"Exercise: the thief's alert"}
            assert house.member(a.did).inbox == elsewhere.origin + "/inbox"
            assert sum(state == logs.HIDDEN for _, _, state in kept(house, a.did)) == COUNT + 1
        net.clock.forward(timedelta(hours=73))
        for house in (b, c):
            await house.node.mirror._destroy_due()
            assert logs.STUB not in {state for _, _, state in kept(house, a.did)}, "a mass withdrawal destroys nothing"
            assert await house.freeze(a.did, good[1]) == COUNT + 1
            assert await documents_of(house, list(before)) == before
            assert shown(house) == {f"Exercise alert {number}" for number in range(COUNT)}
            assert house.member(a.did).inbox == a.origin + "/inbox"
            assert (await house.get(page_of(new))).status == 404
            assert (await house.get(path_of(new.id), Accept=ACTIVITY)).status == 404
            log = f"/.well-known/apgateway/{a.did}/log/1"
            assert (await house.get(f"{log}/{good[1] + 1}")).body == b""
            first = (await house.get(f"{log}/1")).body.split(b"\n")  # a page ends at about 1 MiB
            rest = (await house.get(f"{log}/{len(first) + 1}")).body
            assert len(first) + len(rest.split(b"\n") if rest else ()) == good[1]
            assert len(kept(house, a.did)) == last[1], "the thief's entries are kept"
            assert house.read(lambda connection, did=house.did: logs.head_table(connection, did))[a.did].order == good
            assert not waiting(house) & late, "what was to be passed on is not"
        assert follow_state(b, a.organisation.actor) == "accepted"
        assert follow_state(b, elsewhere.uri("thief")) is None
        await _stays_frozen(b, c, thief, last)


async def _deliver(thief, house, after):
    """The thief signs with the key it stole, and sends the change of keys last."""
    stolen = [entry.raw or b"" for entry in thief.entries(thief.did) if entry.header.order > after]
    for part in (stolen[:-1], stolen[-1:]):
        answers = await asyncio.gather(*(post_as(thief, house.origin + "/inbox", raw) for raw in part))
        assert {each.status for each in answers} <= {202}
        await wait_until(lambda: house.received()["waiting"] == 0, "all of it was judged")


async def _stays_frozen(b, c, thief, last):
    """What comes after the freeze is kept, not shown and not passed on, and no member is blamed for it."""
    owed = sum(b.read(lambda connection: deliveries.counts(connection, b.did)).values())
    late = await thief.publish(status="actual", translations={}, headline="Exercise: later words")
    await _deliver(thief, b, last)
    assert len(kept(b, thief.did)) == last[1] + 1
    assert (await b.get(page_of(late))).status == 404
    assert sum(b.read(lambda connection: deliveries.counts(connection, b.did)).values()) == owed
    report = await c.sync(b)
    assert (report.problem, report.entries) == ("", {})
    assert c.read(lambda connection: documents.evidence_of(connection, c.did)) == ()


async def test_a_frozen_member_cannot_come_back_by_its_server(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await b.freeze(a.did, 1)
        before = (await b.get(path_of(a.organisation.uri), Accept=ACTIVITY)).body
        forged = json.loads(before) | {"name": "Exercise: somebody else"}
        del forged["proof"]
        assert forged["logPosition"] == {"epoch": 1, "sequence": 1}
        signed = integrity_proofs.sign(forged, a.key, outbox.log_method(a.key), net.clock())
        found = verification.verify_actor(parse_document(json.dumps(signed).encode()), None)
        with pytest.raises(ProtocolError, match="frozen member"):
            await b.write(lambda connection: documents.save_actor(connection, found, net.clock()))
        assert (await b.get(path_of(a.organisation.uri), Accept=ACTIVITY)).body == before
        assert ids.portable(found.id).did == a.did


async def test_a_withdrawal_before_the_freeze_stands(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        gone = await a.publish(status="actual", translations={})
        stays = await a.publish(status="actual", translations={})
        await a.withdraw(gone.id)
        await wait_until(lambda: b.head(a.did) == (1, 4), "the withdrawal is there")
        await a.withdraw(stays.id)
        await wait_until(lambda: b.head(a.did) == (1, 5), "the other too")
        assert await b.freeze(a.did, 4) == 1
        assert (await b.get(page_of(stays))).status == 200
        assert (await b.get(page_of(gone))).status == 410
        again = [each for each in b.entries(a.did) if each.state == logs.HELD]
        assert [each.header.sequence for each in again] == [1, 3, 4]


async def test_a_withdrawal_stands_even_if_a_thief_repeated_it_and_the_repetition_came_first(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the alert is there")
        await b.stop()
        await a.withdraw(said.id)
        create, delete = a.entries(a.did)[1:]
        named = {"epoch": 1, "sequence": 2, "content": create.header.content}
        tombstone = {"id": said.id, "type": "Tombstone", "formerType": "Note"}
        again = said_by(a, "Delete", tombstone, position=(1, 4, delete.digest), withdraws=[named])
        await b.start(workers=False)
        for raw in (again, delete.raw):
            await b.take(raw)
        assert await b.freeze(a.did, 3) == 0
        assert (await b.get(page_of(said))).status == 410

"""Several organisations on one node: each has its own pins, followers, alerts, drafts and log, and sees no other's."""

import json

import pytest
from sqlalchemy import select

from node import approvals
from node.desk import approvals as desk
from node.models import alerts, contacts, deliveries, documents, queues
from node.models.base import metadata
from tests.support.fediverse import Host, post_as
from tests.support.network import EXAMPLE, Network, example, page_of, path_of, said_by, wait_until

FACTS_OF_THE_WORLD = {"actors", "key_ids", "dead_keys", "hosts"}
"""Tables whose rows belong to the node: what others say of themselves, and how their servers behave."""


def rows(house, table):
    """Every row of a table, as plain values."""
    return house.read(lambda connection: [row._asdict() for row in connection.execute(select(metadata.tables[table]))])


async def two_on_one_node(net):
    """One node with `first` and `second`; another with `outside`, a member of `second` only."""
    node = await net.house("first", "second")
    outside = await net.house("outside")
    second = node.act_as(1)
    await second.pin(outside)
    await outside.pin(second)
    await outside.sync(second)
    await second.sync(outside)
    return node, second, outside


async def test_no_row_of_one_organisation_is_anothers(tmp_path):
    async with Network(tmp_path) as net:
        first, second, outside = await two_on_one_node(net)
        before = {name: [row for row in rows(first, name) if row.get("org") == first.did] for name in metadata.tables}
        elsewhere = await Host(net, 1, "amal").start()
        await elsewhere.follow("amal", second)
        await wait_until(lambda: elsewhere.got("Accept"), "the follow is accepted")
        said = await second.publish(status="actual")
        theirs = await outside.publish(status="actual")
        drill = await second.publish(status="exercise")
        await second.withdraw(drill.id)
        draft = example(status="actual", consent={**EXAMPLE["consent"], "level": "public-anonymised"})
        await second.write(
            lambda connection: desk.ask(
                connection, second.organisation, second.key, approvals.SHELL, draft, net.clock()
            )
        )
        await post_as(outside, second.origin + "/inbox", said_by(outside, "Flag", said.id, content="exercise"))
        await post_as(outside, second.organisation.uri + "/inbox", said_by(outside, "Question", said.id))
        await wait_until(lambda: second.head(outside.did) == outside.head(outside.did), "the member's alert is there")
        await wait_until(lambda: outside.head(second.did) == second.head(second.did), "and ours is with the member")
        await wait_until(lambda: queues_are_empty(first), "everything is judged and sent")
        assert await second.freeze(outside.did, outside.head(outside.did)[1]) == 0
        filled = set()
        for name, table in metadata.tables.items():
            if "org" not in table.columns:
                assert name == "organisations"
                continue
            found = rows(first, name)
            assert [row for row in found if row["org"] == first.did] == before[name], name
            nobodys = [row for row in found if row["org"] not in (first.did, second.did)]
            if name in FACTS_OF_THE_WORLD:
                assert {row["org"] for row in found} <= {""}
            elif name != "incoming":
                assert nobodys == [], name
            filled |= {name} if any(row["org"] == second.did for row in found) else set()
        wanted = {"alerts", "approval_requests", "counters", "deliveries", "entries", "followers", "heads", "members"}
        assert filled >= wanted | {"numbers", "objects", "payloads", "reports", "withdrawals"}
        assert theirs.id


def queues_are_empty(house):
    waiting = house.read(queues.waiting)
    owed = [row for row in rows(house, "deliveries") if row["state"] == "waiting"]
    return not waiting and not owed


async def test_pages_are_of_the_organisation_whose_host_was_asked_for(tmp_path):
    async with Network(tmp_path) as net:
        first, second, outside = await two_on_one_node(net)
        mine = await first.publish(status="actual", translations={}, headline="Exercise: of the first")
        said = await second.publish(status="actual", translations={}, headline="Exercise: of the second")
        theirs = await outside.publish(status="actual", translations={}, headline="Exercise: from outside")
        await wait_until(lambda: second.head(outside.did) == (1, 2), "the member's alert is there")
        paths = ("/", "/alerts", "/members", "/@first")
        on_first = "".join([(await first.get(path, host=0, Accept_Language="en")).text for path in paths])
        on_second = "".join([(await first.get(path, host=1, Accept_Language="en")).text for path in paths])
        assert "of the first" in on_first
        assert "of the second" not in on_first
        assert "from outside" not in on_first
        assert outside.organisation.name not in on_first
        assert "of the second" in on_second
        assert "from outside" in on_second
        for hidden in (page_of(said), page_of(theirs), f"/organisations/{outside.did}"):
            assert (await first.get(hidden, host=0, Accept="text/html")).status == 404
        assert (await first.get(page_of(theirs), host=1, Accept="text/html")).status == 200
        assert (await first.get(page_of(mine), host=1, Accept="text/html")).status == 404


async def test_a_delivery_for_one_is_judged_for_whom_it_is_meant(tmp_path):
    async with Network(tmp_path) as net:
        first, second, outside = await two_on_one_node(net)
        said = await outside.publish(status="exercise", translations={})
        await wait_until(lambda: second.head(outside.did) == (1, 2), "the member's exercise is there")
        assert first.entries(outside.did) == ()
        for house in (first, second):
            found = house.read(
                lambda connection, did=house.did: (
                    alerts.find(connection, did, said.portable_id),
                    documents.stored(connection, did, said.portable_id),
                    contacts.pinned_anywhere(connection)[outside.did],
                )
            )
            assert found[2] == (second.did,)
            assert (found[0] is None, found[1] is None) == ((True, True) if house is first else (False, False))


async def test_each_speaks_with_its_own_key_from_its_own_host(tmp_path):
    async with Network(tmp_path) as net:
        first, second, outside = await two_on_one_node(net)
        elsewhere = await Host(net, 1, "amal").start()
        for house in (first, second):
            assert (await elsewhere.follow("amal", house)).status == 202
        await wait_until(lambda: len(elsewhere.got("Accept")) == 2, "both follows are accepted")
        for house in (first, second):
            assert house.read(lambda connection, did=house.did: contacts.count_followers(connection, did)) == 1
        await first.publish(status="actual", translations={})
        await second.publish(status="actual", translations={})
        await wait_until(lambda: len(elsewhere.got("Create")) == 2, "the follower has both")
        for delivery, created in zip(elsewhere.deliveries, map(_activity, elsewhere.deliveries), strict=True):
            assert f'keyId="{created["actor"]}#main-key"' in delivery.headers["signature"]
        assert {each["actor"] for each in elsewhere.got("Create")} == {
            first.organisation.uri, second.organisation.uri
        }  # fmt: skip
        assert first.read(lambda connection: deliveries.counts(connection, first.did))["done"] >= 1
        assert outside.entries(first.did) == ()


def _activity(exchange):
    return json.loads(exchange.body)


@pytest.mark.parametrize("host", [0, 1])
async def test_what_one_published_is_found_by_its_did_on_either_host(tmp_path, host):
    async with Network(tmp_path) as net:
        node = await net.house("first", "second")
        said = await node.act_as(1).publish(status="actual", translations={})
        answer = await node.get(path_of(said.id), host=host, Accept="application/activity+json")
        assert answer.status == 200
        assert answer.json()["id"] == said.id

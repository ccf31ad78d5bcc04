"""`@alerts` of whole nodes: followed from anywhere, it boosts what it was asked for, and takes back what is gone."""

import json
from datetime import timedelta

import pytest

from node.boosts import HANDLE, OTHER_HANDLE, PATH, Rule
from node.models import boosts, contacts
from tests.support.fediverse import AS2, Host
from tests.support.network import Network, wait_until

ACTIVITY = "application/activity+json"
LONG = timedelta(seconds=91)


async def follow(host, name, house):
    """Ask to follow a node's `@alerts`; returns the Follow."""
    uri = house.origin + PATH
    ask = {"@context": AS2, "id": f"{host.uri(name)}#{house.did[-8:]}", "type": "Follow", "actor": host.uri(name)}
    ask["object"] = uri
    before = len(host.got("Accept"))
    assert (await host.post(name, uri + "/inbox", ask)).status == 202
    await wait_until(lambda: len(host.got("Accept")) == before + 1, "the Follow is accepted")
    return ask


async def ask_for(house, country="", kind=""):
    rule = Rule(country, kind, house.clock())
    await house.write(lambda connection: boosts.ask_for(connection, house.did, [rule]))


def of(house, host, kind):
    """The activities of this type by a node's `@alerts` that a host took."""
    return [each for each in host.got(kind) if each["actor"] == house.origin + PATH]


def boosted(house):
    """How many boosts wait or were said."""
    table = boosts.boosts
    states = (boosts.WAITING, boosts.DONE)
    return len(house.read(lambda connection: connection.execute(table.select().where(table.c.state.in_(states))).all()))


def judged(house, said):
    found = house.read(lambda connection: boosts.next_number(connection, house.did, said.portable_id))
    return found > 0


async def test_it_is_found_followed_and_left(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        host = await Host(net, 1, "amal").start()
        handle = f"{HANDLE}@{a.organisation.host}"
        jrd = (await a.get(f"/.well-known/webfinger?resource=acct:{handle}")).json()
        (uri,) = [link["href"] for link in jrd["links"] if link["rel"] == "self"]
        assert uri == a.origin + PATH
        actor = (await a.get(PATH, Accept=ACTIVITY)).json()
        assert (actor["id"], actor["type"], actor["preferredUsername"]) == (uri, "Service", HANDLE)
        assert actor["publicKey"]["owner"] == uri
        assert "assertionMethod" not in actor
        ask = await follow(host, "amal", a)
        (accept,) = of(a, host, "Accept")
        assert accept["object"] == {name: ask[name] for name in ("id", "type", "actor", "object")}
        signed = next(each for each in host.deliveries if json.loads(each.body)["type"] == "Accept")
        assert f'keyId="{uri}#main-key"' in signed.headers["signature"]
        assert (await a.get(PATH + "/followers", Accept=ACTIVITY)).json()["totalItems"] == 1
        assert a.read(lambda connection: contacts.count_followers(connection, a.did)) == 0
        undo = {"@context": AS2, "id": ask["id"] + "-undo", "type": "Undo", "actor": host.uri("amal"), "object": ask}
        assert (await host.post("amal", uri + "/inbox", undo)).status == 202

        async def left():
            return (await a.get(PATH + "/followers", Accept=ACTIVITY)).json()["totalItems"] == 0

        await wait_until(left, "the follower left")


async def test_a_forged_follow_is_nobodys(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        host = await Host(net, 1, "amal", "badr").start()
        uri = a.origin + PATH
        badr = host.uri("badr")
        ask = {"@context": AS2, "id": badr + "#f", "type": "Follow", "actor": badr, "object": uri}
        await host.post("amal", uri + "/inbox", ask)
        await follow(host, "amal", a)
        assert (await a.get(PATH + "/followers", Accept=ACTIVITY)).json()["totalItems"] == 1


async def test_another_name_is_taken_where_an_organisation_is_called_alerts(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("alerts")
        jrd = (await a.get(f"/.well-known/webfinger?resource=acct:alerts@{a.organisation.host}")).json()
        assert a.organisation.uri in {link["href"] for link in jrd["links"]}
        other = (await a.get(f"/.well-known/webfinger?resource=acct:{OTHER_HANDLE}@{a.organisation.host}")).json()
        assert a.origin + PATH in {link["href"] for link in other["links"]}


async def test_a_members_alert_is_boosted_once_after_a_while_and_taken_back_with_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        host = await Host(net, 1, "amal", "badr").start()
        for name in host.names:
            await follow(host, name, b)
        early = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(early), "the member has the first")
        await ask_for(b, "IQ", "urgent-appeal")
        said = await a.publish(status="actual")
        drill = await a.publish(status="exercise")
        elsewhere = await a.publish(status="actual", country="EG", translations={})
        for each in (said, drill, elsewhere):
            await wait_until(lambda each=each: b.holds(each), "the member has it")
        await wait_until(lambda: judged(b, said) and judged(b, elsewhere), "the alerts were looked at")
        assert of(b, host, "Announce") == []
        net.clock.forward(LONG)
        await wait_until(lambda: of(b, host, "Announce"), "it is boosted")
        await a.update(said.id, status="actual", headline="Exercise: other words")
        net.clock.forward(LONG)
        await b.node.relays.work_once()
        (announce,) = of(b, host, "Announce")
        assert (announce["object"], announce["to"]) == (said.id, ["https://www.w3.org/ns/activitystreams#Public"])
        assert boosted(b) == 1
        outbox = (await b.get(PATH + "/outbox", Accept=ACTIVITY)).json()
        assert [each["id"] for each in outbox["orderedItems"]] == [announce["id"]]
        path = announce["id"].removeprefix(b.origin)
        assert (await b.get(path, Accept=ACTIVITY)).json()["object"] == said.id
        await a.withdraw(said.id)
        await wait_until(lambda: of(b, host, "Undo"), "the boost is taken back")
        (undo,) = of(b, host, "Undo")
        assert undo["object"] == {name: announce[name] for name in ("id", "type", "actor", "object")}
        assert (await b.get(path, Accept=ACTIVITY)).status == 404


async def test_what_is_withdrawn_while_it_waits_is_never_boosted(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        host = await Host(net, 1, "amal").start()
        await follow(host, "amal", b)
        await ask_for(b)
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: boosted(b) == 1, "the boost waits")
        await a.withdraw(said.id)
        await wait_until(lambda: boosted(b) == 0, "it waits no longer")
        net.clock.forward(LONG)
        await b.node.relays.work_once()
        last = await a.publish(status="actual", translations={})
        await wait_until(lambda: judged(b, last), "the next was looked at")
        net.clock.forward(LONG)
        await wait_until(lambda: of(b, host, "Announce"), "the next is boosted")
        assert [each["object"] for each in of(b, host, "Announce")] == [last.id]
        assert of(b, host, "Undo") == []


@pytest.mark.parametrize("how", ["nobody asked", "asked for another country", "frozen", "asked for none"])
async def test_what_was_not_asked_for_or_is_not_believed_is_not_boosted(tmp_path, how):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        host = await Host(net, 1, "amal").start()
        await follow(host, "amal", b)
        if how != "nobody asked":
            await ask_for(b, "EG" if how == "asked for another country" else "")
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the member has it")
        await b.node.relays.work_once()
        if how == "frozen":
            await b.freeze(a.did, 2)
        if how == "asked for none":
            await b.write(lambda connection: boosts.ask_for_none(connection, b.did))
        net.clock.forward(LONG)
        await b.node.relays.work_once()
        await b.node.relays.work_once()
        own = await b.publish(status="actual", translations={}, country="EG")
        assert own.id
        if how in ("asked for another country", "frozen"):
            await wait_until(lambda: judged(b, own), "our own was looked at")
            net.clock.forward(LONG)
            await wait_until(lambda: of(b, host, "Announce"), "our own is boosted")
            assert [each["object"] for each in of(b, host, "Announce")] == [own.id]
        else:
            assert of(b, host, "Announce") == []

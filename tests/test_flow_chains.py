"""The news of an alert among nodes: one story everywhere, a plain reply for the fediverse, withdrawn as one."""

import pytest

from node import alerts as rules
from node.desk import alerts as desk
from node.errors import RefusedError
from node.federation import trust
from node.models import alerts, documents, logs
from node.models.views import View
from tests.support.fediverse import Host
from tests.support.network import Network, example, page_of, said_by, wait_until


async def tell(house, name, **changes):
    """News of an alert."""
    given = {"kind": "new-information", "status": "actual", "translations": {}, "country": "IQ"} | changes
    alert = rules.parse_input(example(**given))
    said = await house.write(
        lambda connection: desk.news(
            connection, house.organisation, house.key, name, alert, house.clock(), loopback=True
        )
    )
    house.node.delivery.wake()
    return said


def story(house, said):
    """The headlines of a chain as a house has it, first alert first."""
    found = house.read(lambda connection: alerts.chain(connection, house.did, said.portable_id))
    return [each.headline for each in (found.first, *found.news)] if found else []


async def test_news_is_one_story_everywhere_and_a_plain_reply_in_the_fediverse(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        elsewhere = await Host(net, 1, "amal").start()
        assert (await elsewhere.follow("amal", a)).status == 202
        await wait_until(lambda: elsewhere.got("Accept"), "the follow is accepted")
        first = await a.publish(status="actual", translations={}, headline="Exercise: arrested")
        one = await tell(a, first.id, headline="Exercise: seen by a lawyer")
        two = await tell(a, one.id, headline="Exercise: before a court")
        assert (one.reference, two.reference) == (f"{first.reference}.1", f"{first.reference}.2")
        whole = ["Exercise: arrested", "Exercise: seen by a lawyer", "Exercise: before a court"]
        for house in (a, b, c):
            await wait_until(lambda house=house: story(house, first) == whole, "the whole story is there")
            assert story(house, two) == whole
            (listed,) = house.read(lambda connection, did=house.did: alerts.newest(connection, did))
            assert listed.object_id == first.portable_id
            assert house.read(lambda connection, did=house.did: alerts.count(connection, did, ("actual",))) == 1
        await wait_until(lambda: len(elsewhere.got("Create")) == 3, "the follower has it")
        notes = {each["object"]["id"]: each["object"] for each in elsewhere.got("Create")}
        reply = notes[two.id]
        assert reply["type"] == "Note"
        assert reply["inReplyTo"] == reply["newsOf"] == first.id
        assert first.reference in reply["content"] and "Exercise: arrested" in reply["content"]
        page = (await c.get(page_of(first), Accept="text/html", Accept_Language="en")).text
        wanted = ("before a court</a>", "seen by a lawyer</a>", "The first text", 'class="body"')
        places = [page.index(text) for text in wanted]
        assert places == sorted(places)
        assert "2 updates" in (await c.get("/alerts", Accept="text/html", Accept_Language="en")).text
        assert page_of(first) in (await c.get(page_of(one), Accept="text/html", Accept_Language="en")).text
        await a.close(first.id, "Exercise: released")
        await wait_until(lambda: story_state(c, first) == "closed", "the chain is closed")
        assert "Exercise: released" in (await c.get(page_of(two), Accept="text/html", Accept_Language="en")).text
        with pytest.raises(RefusedError, match="closed: publish a new one"):
            await tell(a, first.id)
        with pytest.raises(RefusedError, match="another organisation's"):
            await tell(b, first.id)


def story_state(house, said):
    found = house.read(lambda connection: alerts.chain(connection, house.did, said.portable_id))
    return found.first.state if found else None


async def test_a_withdrawn_alert_takes_its_news_with_it_and_none_comes_after(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        first = await a.publish(status="actual", headline="Exercise: arrested")
        one = await tell(a, first.id, headline="Exercise: transferred", translations=example()["translations"])
        await wait_until(lambda: len(story(b, first)) == 2, "both are there")
        await a.withdraw(first.id)
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "the Deletes are there")
        for said in (first, one):
            answer = await b.get(page_of(said), Accept="text/html")
            assert answer.status == 410
            assert "Exercise" not in answer.text.partition("<main")[2].partition("</main")[0]
        assert b.read(lambda connection: alerts.newest(connection, b.did, translations=True)) == ()
        with pytest.raises(RefusedError, match="no alert"):
            await tell(a, first.id)


async def test_news_that_comes_before_its_alert_ends_in_the_same_story(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await b.stop()
        first = await a.publish(status="actual", translations={}, headline="Exercise: arrested")
        two = await tell(a, first.id, headline="Exercise: transferred")
        entries = [each for each in a.entries(a.did) if each.object_id in (first.portable_id, two.portable_id)]
        for entry in reversed(entries):
            await b.take(entry.raw)
            if entry.object_id == two.portable_id:
                assert story(b, two) == ["Exercise: transferred"]
        assert story(b, first) == ["Exercise: arrested", "Exercise: transferred"]
        (listed,) = b.read(lambda connection: alerts.newest(connection, b.did))
        assert listed.object_id == first.portable_id


async def test_the_number_of_news_is_never_given_twice_after_a_restore(tmp_path):
    async with Network(tmp_path) as net:
        (a,) = await net.members("a")
        first = await a.publish(status="actual", translations={})
        one = await tell(a, first.id)
        await a.write(lambda connection: connection.execute(alerts.numbers.delete()))
        two = await tell(a, first.id)
        assert [one.reference[-2:], two.reference[-2:]] == [".1", ".2"]


async def test_an_exercises_news_is_an_exercise(tmp_path):
    async with Network(tmp_path) as net:
        (a,) = await net.members("a")
        first = await a.publish(status="exercise", translations={})
        with pytest.raises(RefusedError) as refused:
            await tell(a, first.id, kind="urgent-appeal")
        assert [each.partition(":")[0] for each in refused.value.reasons] == ["kind", "status", "country"]
        said = await tell(a, first.id, status="exercise", country="XX")
        held = a.read(lambda connection: documents.stored(connection, a.did, said.portable_id))
        assert held is not None and b"/members" in held.raw


async def test_the_delete_of_the_first_alert_alone_hides_the_news_and_a_rebuild_brings_none_back(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        first = await a.publish(status="actual", translations={}, headline="Exercise: arrested")
        await tell(a, first.id, headline="Exercise: transferred", translations=example()["translations"])
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "all of it is there")
        head = b.read(lambda connection: logs.head(connection, b.did, a.did))
        named = b.read(lambda connection: logs.of_object(connection, b.did, a.did, first.portable_id))
        raw = said_by(
            a, "Delete", {"id": first.id, "type": "Tombstone"}, position=(head.epoch, head.sequence + 1, head.digest),
            withdraws=[
                {"epoch": each.header.epoch, "sequence": each.header.sequence, "content": each.header.content}
                for each in named
            ],
        )  # fmt: skip
        await b.take(raw)
        assert b.read(lambda connection: alerts.newest(connection, b.did, translations=True)) == ()
        await b.write(lambda connection: trust.rebuild(View(connection, b.organisation), a.did, b.clock()))
        assert b.read(lambda connection: alerts.newest(connection, b.did, translations=True)) == ()

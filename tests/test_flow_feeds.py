"""Whole nodes: what feeds and CAP files hold, from whom, in which language, and what never stands in them."""

import json
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import feedparser

from node.alert_terms import rounded
from node.models import declarations, organisations
from node.models.declarations import Declaration
from tests.support.cap_rules import faults
from tests.support.network import Network, page_of, wait_until
from tests.test_cap import read

FEEDS = ("/alerts.atom", "/alerts.json", "/alerts/cap")


async def entries(house, path="/alerts.atom"):
    answer = await house.get(path)
    assert answer.status == 200
    found = feedparser.parse(answer.body)
    assert found.bozo == 0
    return found.entries


async def test_the_life_of_an_alert_in_feeds_and_cap_files_on_another_node(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual")
        name, path = said.url.rpartition("/")[2], page_of(said) + "/cap"
        await wait_until(lambda: b.holds(said), "the alert is there")
        first = read((await b.get(path)).body)
        assert (first.msg_type.value, first.sender, first.source) == ("Alert", a.did, a.organisation.address[1:])
        assert [info.language for info in first.infos] == ["ar", "en"]
        assert first.infos[0].web == b.origin + page_of(said), "where it can be read though the author is gone"
        await a.update(name, status="actual", headline="Exercise: other words")
        await a.correct(name, "Exercise: a wrong day")
        net.clock.forward(timedelta(minutes=25))
        await a.close(name, "Exercise: it is over")

        async def closed():
            return b"Cancel" in (await b.get(path)).body

        await wait_until(closed, "the closure is there")
        answer = await b.get(path)
        assert answer.headers["content-type"] == "application/cap+xml"
        last = read(answer.body)
        assert faults(answer.body) == []
        triples = last.references.split()
        assert triples[0] == f"{first.sender},{first.identifier},2026-11-20T12:00:00-00:00"
        assert [triple[-14:] for triple in triples] == ["12:00:00-00:00", "12:00:01-00:00", "12:00:02-00:00"]
        assert str(last.sent).startswith("2026-11-20T12:20:00")
        mine = read((await a.get(path)).body)
        assert replace(mine, infos=[]) == replace(last, infos=[]), "the same message from every node"
        [entry] = await entries(b)
        assert entry.id == said.portable_id
        assert entry.title.endswith("Exercise: other words") and "Exercise organisation a" in entry.title
        assert (entry.published, entry.updated) == ("2026-11-20T12:00:00Z", "2026-11-20T12:20:00Z")
        await a.withdraw(name)
        await wait_until(lambda: _gone(b, path), "it is withdrawn there")
        for feed in FEEDS:
            assert name not in (await b.get(feed)).text
        assert (await b.get(path)).text == "not here\n"


async def _gone(house, path):
    return (await house.get(path)).status == 410


async def test_each_language_and_each_organisation_has_its_feed(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual")
        own = await b.publish(status="actual", translations={}, headline="تدريب: نداء بلا ترجمة")
        await wait_until(lambda: b.holds(said), "the alert is there")
        both = await entries(b)
        assert {entry.id for entry in both} == {said.portable_id, own.portable_id}
        assert {entry.title_detail.language for entry in both} == {"ar"}
        [english] = await entries(b, "/alerts.atom?lang=en")
        assert english.title_detail.language == "en" and english.id != said.portable_id
        assert {entry.id for entry in await entries(b, "/alerts.atom?lang=ar-IQ")} == {entry.id for entry in both}
        assert await entries(b, "/alerts.atom?lang=ckb") == []
        assert (await b.get("/alerts.atom?lang=%25")).status == 400
        [of_a] = await entries(b, f"/organisations/{a.did}/alerts.atom")
        assert of_a.id == said.portable_id
        value = (await b.get(f"/organisations/{b.did}/alerts.json")).json()
        assert [item["id"] for item in value["items"]] == [own.portable_id]
        assert value["home_page_url"] == b.origin + "/@b"
        stranger = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
        assert (await b.get(f"/organisations/{stranger}/alerts.atom")).status == 404
        assert (await b.get("/organisations/nobody/alerts.atom")).status == 404
        for path, feed in (("/", "/alerts.atom"), (f"/organisations/{a.did}", f"/organisations/{a.did}/alerts.atom")):
            assert f'type="application/atom+xml" href="{feed}"' in (await b.get(path)).text


async def test_exercises_stand_in_no_feed_and_have_no_cap_file(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        drill = await a.publish(headline="Exercise: for the members only")
        await wait_until(lambda: b.holds(drill), "the exercise is there")
        for house in (a, b):
            for path in (*FEEDS, f"/organisations/{a.did}/alerts.json"):
                answer = await house.get(path)
                assert b"members only" not in answer.body and drill.portable_id.encode() not in answer.body
            assert (await house.get(page_of(drill) + "/cap")).status == 404
            page = (await house.get(page_of(drill))).text
            assert "og:" not in page and "<textarea" not in page and "cap+xml" not in page


async def test_what_stands_before_a_freeze_goes_on_and_what_is_distrusted_without_one_does_not(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the alert is there")
        word = Declaration("exercise", b.did, a.did, 1, 1, "", b.clock())
        await b.write(lambda connection: declarations.save(connection, b.did, word))
        assert (await b.get(page_of(said))).status == 200
        assert await entries(b) == [] and await entries(b, "/alerts/cap") == []
        assert (await b.get(page_of(said) + "/cap")).status == 404
        await b.freeze(a.did, b.head(a.did)[1])
        later = await a.publish(status="actual", translations={}, headline="Exercise: past the freeze")
        await b.sync(a)
        assert [entry.id for entry in await entries(b)] == [said.portable_id]
        assert (await b.get(page_of(said) + "/cap")).status == 200
        assert (await b.get(page_of(later) + "/cap")).status == 404


async def test_who_has_the_feed_already_is_told_so_until_it_changes(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        said = await a.publish(status="actual", translations={})
        first = await a.get("/alerts.json")
        assert "last-modified" not in first.headers, "ten minutes are not over"
        tag = first.headers["etag"]
        for held in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            again = await a.get("/alerts.json", If_None_Match=held)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        net.clock.forward(timedelta(minutes=11))
        later = await a.get("/alerts.json", If_None_Match='"x"')
        since = later.headers["last-modified"]
        assert (later.status, since) == (200, "Fri, 20 Nov 2026 12:00:00 GMT")
        assert (await a.get("/alerts.json", If_Modified_Since=since)).status == 304
        assert (await a.get("/alerts.json", If_Modified_Since="yesterday")).status == 200
        assert (await a.get("/alerts.json", If_Modified_Since=since, If_None_Match='"x"')).status == 200
        await a.withdraw(said.url.rpartition("/")[2])
        gone = await a.get("/alerts.json", If_Modified_Since=since, If_None_Match=tag)
        assert (gone.status, json.loads(gone.body)["items"]) == (200, [])
        now = format_datetime(rounded(a.clock()), usegmt=True)
        assert (await a.get("/alerts.json", If_Modified_Since=now)).status == 200, "older content, newer version"
        head = await net.request("HEAD", a.origin + "/alerts.json", b"", {})
        assert (head.status, head.body, head.headers["etag"]) == (200, b"", gone.headers["etag"])


async def test_times_that_are_told_are_rounded_and_still_in_order(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        net.clock.forward(timedelta(minutes=7, seconds=31))
        said = [await a.publish(status="actual", translations={}, headline=f"Exercise {n}") for n in range(4)]
        await a.update(said[0].url.rpartition("/")[2], status="actual", translations={})
        raw = [json.loads(entry.raw) for entry in a.entries(a.did)[1:]]
        assert {each["published"][11:] for each in raw[:4]} == {"12:00:00Z"}
        assert raw[4]["object"]["updated"] == "2026-11-20T12:00:01Z"
        for each in raw:
            assert each["proof"]["created"][11:16] == each["object"]["proof"]["created"][11:16] == "12:00"
        assert [entry.id for entry in await entries(a)] == [each.portable_id for each in reversed(said)]
        await a.withdraw(said[1].url.rpartition("/")[2])
        assert json.loads(a.entries(a.did)[-1].raw)["published"][11:] == "12:00:00Z"


async def test_the_press_page_shows_what_the_organisation_gives(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        assert "mailto:" not in (await a.get("/press")).text
        await a.write(lambda connection: organisations.describe(connection, a.did, press_contact="press@a.example"))
        said = await a.publish(status="actual", translations={})
        page = (await a.get("/press", Accept_Language="ar")).text
        assert 'href="mailto:press@a.example"' in page and page_of(said) in page
        assert "press@a.example" not in (await a.get(a.organisation.uri.removeprefix(a.origin))).text

"""A search among whole nodes: what everybody finds, what only a session opens, and what nobody finds any more."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from node import search as rules
from node.app import utc_now
from node.cli import tadamun
from node.commands.context import Office
from node.desk import alerts as alert_desk
from node.desk import group_hosts, groups
from node.desk import search as desk
from node.errors import ProtocolError
from node.models import organisations, search
from node.web import copies
from node.web.routes import build
from node.web.turns import Turns
from tests.support.casework import office
from tests.support.desk import join, room_secrets
from tests.support.network import Network, example, page_of, wait_until
from tests.test_flow_approvals import ask
from tests.test_flow_charters import freeze as freeze_charter
from tests.test_flow_networks_apart import act, found
from tests.test_flow_policies import decide
from tests.test_flow_sealed_alerts import publish as publish_sealed

HEADLINE = "تدريب: احتجازُ المُحَامِيَةِ أَسماء في بغداد"
ACTUAL = {"status": "actual", "country": "IQ", "headline": HEADLINE, "translations": {}}


async def results(house, query, **more):
    """The page of a search for everyone."""
    path = f"/search?q={quote(query)}" + "".join(f"&{name}={value}" for name, value in more.items())
    return await house.get(path, Accept_Language="en")


async def at_desk(worker, query, **more):
    answer = await worker.post("/desk/search", {"q": query, **more})
    assert answer.status == 200, answer.text
    return answer.text


def kept(house):
    """Everything that the table of the search holds."""
    return house.read(lambda connection: sorted(map(tuple, connection.execute(select(search.texts)))))


async def arrives(house, said):
    await wait_until(lambda: house.holds(said), "the alert is there")


async def test_an_alert_is_found_on_another_node_until_it_is_withdrawn(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        karwan = await join(b, "Karwan (exercise)", "author", enrol=False)
        await karwan.get("/desk")
        said = await a.publish(**ACTUAL)
        await arrives(b, said)
        for query in ("المحامية اسماء", "محاميه", "بغداد أسماء", '"المحامية أسماء"', said.reference, "العراق", "Iraq",
                      "Exercise organisation a", f"@a@{a.places[0][0]}:{a.places[0][1]}"):  # fmt: skip
            for text in ((await results(b, query)).text, await at_desk(karwan, query)):
                assert page_of(said) in text, query
        page = (await results(b, "محامية")).text
        assert "<mark>المُحَامِيَةِ</mark>" in page and page.count('<li class="card found') == 1
        assert "Nothing on these pages answers" in (await results(b, "محامية أربيل")).text
        # Another text in its place: the earlier one is not found.
        await a.update(said.id, **ACTUAL | {"headline": "تدريب: نُقلت إلى البصرة"})

        async def moved():
            return page_of(said) in (await results(b, "بصره")).text

        await wait_until(moved, "the update is there")
        assert page_of(said) not in (await results(b, "أسماء")).text
        await act_on(a, alert_desk.withdraw, said.id)
        await wait_until(lambda: not kept(b), "nothing of it is in the table")
        assert not kept(a)
        for house in (a, b):
            assert page_of(said) not in (await results(house, "البصرة")).text
        assert page_of(said) not in await at_desk(karwan, "البصرة")


async def act_on(house, do, *words):
    done = await house.write(lambda connection: do(connection, house.organisation, house.key, *words, house.clock()))
    house.node.delivery.wake()
    return done


async def test_what_is_not_shown_and_who_is_frozen_is_found_by_nobody_in_public(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        karwan = await join(b, "Karwan (exercise)", "author", enrol=False)
        await karwan.get("/desk")
        said = await a.publish(**ACTUAL)
        await arrives(b, said)
        for switch in ("show", "hold"):
            await decide(b, (switch, "IQ", "", False))
            assert page_of(said) not in (await results(b, "أسماء")).text
            assert page_of(said) not in await at_desk(karwan, "أسماء")
            assert bool(kept(b)) is (switch == "show"), "what is not held is in no table"
            await decide(b, (switch, "IQ", "", False), drop=True)
            if switch == "show":
                assert page_of(said) in (await results(b, "أسماء")).text
        await b.sync(a)
        assert page_of(said) in (await results(b, "أسماء")).text
        late = await a.publish(**ACTUAL | {"headline": "تدريب: عنوان بعد السرقة"})
        await arrives(b, late)
        await b.freeze(a.did, a.head(a.did)[1] - 1)
        for query in ("أسماء", "السرقة", "organisation a"):
            page = (await results(b, query)).text
            assert page_of(said) not in page and page_of(late) not in page and a.did not in page
            assert page_of(late) not in await at_desk(karwan, query)
        shown = await at_desk(karwan, "أسماء")
        assert page_of(said) in shown and "caveat" in shown, "whoever works here finds it, and what is the matter"


async def test_exercises_stand_apart_and_languages_of_one_alert_once(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        first = await a.publish(headline="تدريب: قبل الآخر water")
        await a.publish(**ACTUAL | {"headline": "EXERCISE: water"})
        page = (await results(a, "water")).text
        real, drills = page.split('id="exercises"')
        assert real.count("card found") == 1 and "drill" not in real
        assert drills.count("card found drill") == 1 and "Nothing below this line really happened" in drills
        english = (await results(a, "detained sit-in")).text
        assert "<mark>detained</mark>" in english and english.count("card found") == 1
        both = await results(a, "XXX", lang="ar")
        assert page_of(first) in both.text and 'lang="ar"' in both.text


async def test_the_page_for_everyone_is_kept_by_nobody(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        for number in range(23):
            await a.publish(**ACTUAL | {"headline": f"EXERCISE: water {number}"})
            net.clock.forward(timedelta(minutes=10))
        first = await results(a, "water")
        assert first.headers["cache-control"] == "no-store" and first.headers["x-robots-tag"] == "noindex"
        assert "form-action 'self'" in first.headers["content-security-policy"]
        assert first.text.count("card found") == 20 and "page=2" in first.text
        second = await results(a, "water", page=2)
        assert second.text.count("card found") == 3 and "EXERCISE: <mark>water</mark> 0" in second.text
        odd = ("", "%", "a", "x" * 5_000, "<script>alert(1)</script>", "word " * 50, "'; --", "\0", "a" * 190 + " ﷺ")
        for query in odd:
            answer = await results(a, query, page="99999999999999999999")
            assert answer.status == 200 and "<script>alert" not in answer.text
        assert "first eight words" in (await results(a, "water " * 9)).text
        assert 'action="/search"' in (await a.get("/alerts")).text
        assert "form-action 'self'" in (await a.get("/alerts")).headers["content-security-policy"]
        copied = build(replace(a.node.web().state.site, copied=a.clock()))
        for path in ("/alerts", "/alerts/page/2"):
            page = await copies.ask(copied, path, "", {"host": a.organisation.host, "accept": "text/html"})
            assert b"card" in page and b"<form" not in page, "a file cannot search"
        later = a.clock() + timedelta(hours=1)
        await a.write(lambda connection: organisations.veil(connection, a.did, later))
        assert (await results(a, "water")).status == 503


async def test_at_the_desk_the_query_stands_in_no_address(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        said = await a.publish(**ACTUAL)
        karwan = await join(a, "Karwan (exercise)", "author", enrol=False)
        page = await karwan.get("/desk/search?q=" + quote("أسماء"))
        assert page.status == 200 and "أسماء" not in page.text and page_of(said) not in page.text
        assert 'method="post"' in page.text and 'autocomplete="off"' in page.text
        found_ = await karwan.post("/desk/search", {"q": "أسماء"})
        assert page_of(said) in found_.text and found_.headers["cache-control"] == "no-store"
        assert (await karwan.post("/desk/search", {"q": "أسماء"}, token="0" * 64)).status == 403
        assert (await karwan.post("/desk/search", {"q": "أسماء"}, origin="https://other.example")).status == 403
        assert (await a.get("/desk/search")).status == 303, "nobody is in session"


async def test_what_is_sealed_is_found_by_whoever_opens_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        boss = await join(b, "Zainab (exercise)", "coordinator")
        keeper = await join(b, "Tariq (exercise)", "administrator", by=boss)
        said = await publish_sealed(a, headline="EXERCISE: the quiet harbour", narrative="تدريب: عند المَرفأ القديم")
        page = page_of(said).replace("/alerts/", "/desk/network/")

        async def there():
            return page in await at_desk(boss, "harbour")

        await wait_until(there, "it is there")
        for query in ("quiet harb", "المرفأ", "مرفا قديم", "organisation a harbour"):
            assert page in await at_desk(boss, query), query
            assert page not in await at_desk(keeper, query)
            assert "card found" not in (await results(b, query)).text or query.startswith("organisation")
        assert "<mark>المَرفأ</mark>" in await at_desk(boss, "مرفا")
        assert not kept(a) and not kept(b), "nothing sealed is in the table"
        assert "المرفا".encode() not in b.files()
        # Only part is looked through, and that is said.
        secrets = room_secrets(b, boss, "network")
        sifted = b.read(
            lambda connection: desk.sealed(connection, b.did, secrets, rules.parse("harbour"), {}, lambda: True)
        )
        assert sifted.partial and not sifted.found


async def test_cases_are_found_by_case_workers_and_what_waits_by_those_who_approve(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, (karwan, _) = await office(net, "a")
        case = await new_case(sara, "EXERCISE: she asked about the silver bridge")
        assert f"/desk/{case}" in await at_desk(sara, "silver bridge")
        await karwan.refresh()
        assert case not in await at_desk(karwan, "silver bridge")
        request = await ask(house, example(status="actual", headline="EXERCISE: the copper gate"))
        assert request.id in await at_desk(karwan, "copper gate")
        assert request.id not in await at_desk(sara, "copper gate"), "a case worker does not approve"
        net.clock.forward(timedelta(minutes=11))
        stale = await at_desk(karwan, "copper gate")
        assert request.id not in stale and "within ten minutes" in stale
        assert not kept(house) and b"silver" not in house.files() and b"copper" not in house.files()


async def new_case(worker, words):
    """A case from somebody's first word; the last part of its address."""
    await worker.get("/desk/cases/new")
    answer = await worker.post("/desk/cases/new", {"what": words, "who": "EXERCISE", "contact": "EXERCISE"})
    assert answer.status == 303, answer.text
    return answer.headers["location"].partition("?")[0].removesuffix("/guide").removeprefix("/desk/")


async def test_groups_and_charters_are_found_by_their_words(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        boss = await join(b, "Zainab (exercise)", "coordinator")
        network = await found(a, b, "EXERCISE network")
        names = {"ar": "مجموعة عمل المياه", "en": "Water"}

        def begin(mine):
            digest, _ = groups.found(mine, network, names, "water", (b.did,))
            group_hosts.open_actor(mine, a.node.keyring, digest)
            return digest

        digest = await act(a, begin)
        await wait_until(lambda: b.read(lambda c: groups.places(c, b.did)), "the other hears of it")
        await act(b, lambda mine: groups.join(mine, digest))
        inside_it = lambda: b.did in a.read(lambda c: groups.place(c, a.did, digest).group.roles)  # noqa: E731
        await wait_until(inside_it, "both are in it")
        inside = {"title": "", "text": "EXERCISE amber room", "cites": []}
        await act(a, lambda mine: groups.speak(mine, digest, "post", inside))
        await act(a, lambda mine: groups.publish(mine, digest, "EXERCISE", "EXERCISE: the amber well is open"))
        await freeze_charter(a)

        async def there(query, what):
            return what in await at_desk(boss, query)

        await wait_until(lambda: there("amber room", f"/desk/groups/{digest}"), "what was said inside is found")
        await wait_until(lambda: there("amber well", "/groups/water"), "what was said to everyone is found")
        await wait_until(lambda: there("article", "/desk/charters/"), "the charter is found")
        public = (await results(b, "amber")).text
        assert "/groups/water" in public and "room" not in public
        assert "/groups/water" in (await results(b, "فريق عامل مياه")).text, "the group by its name"
        assert "/charters/" in (await results(b, "article")).text
        assert {row.kind for row in b.read(lambda c: c.execute(select(search.texts)).all())} == {"post", "charter"}


async def test_what_lay_there_before_is_filled_in_and_made_anew(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        net.clock.forward(utc_now() - net.clock())
        said, other = await a.publish(**ACTUAL), await a.publish(**ACTUAL | {"headline": "EXERCISE: another"})
        before = kept(a)

        def break_it(connection):
            search.remove(connection, a.did, other.portable_id)
            connection.execute(update(search.texts).values(version=0, text=" old rules "))

        await a.write(break_it)
        assert page_of(said) not in (await results(a, "أسماء")).text
        await a.stop()
        await a.start()
        await wait_until(lambda: kept(a) == before, "the table is as it was")
        await a.write(break_it)
        await a.stop()
        done = CliRunner().invoke(tadamun, ["rebuild", "--data", str(a.data)], obj=Office(a.data))
        assert done.exit_code == 0 and "2 texts can be searched" in done.output, done.output
        await a.start()
        assert kept(a) == before and page_of(said) in (await results(a, "أسماء")).text


async def test_some_wait_for_their_turn_and_the_rest_is_told_to_come_later():
    turns, order = Turns(waiting=2), []

    async def one(number):
        async with turns.turn():
            order.append(number)
            await asyncio.sleep(0)

    first = asyncio.create_task(one(1))
    second = asyncio.create_task(one(2))
    await asyncio.sleep(0)
    with pytest.raises(ProtocolError, match="too many"):
        await one(3)
    await asyncio.gather(first, second)
    await one(4)
    assert order == [1, 2, 4]

"""A network on the public pages: nothing at first, then numbers, and names of those who said so; and off again."""

import json
from datetime import timedelta
from itertools import count

import pytest
from click.testing import CliRunner

from node import governance as rules
from node.app import utc_now
from node.cli import tadamun
from node.commands.context import Office
from node.desk import directory as desk
from node.desk import groups, networks
from node.errors import RefusedError
from node.federation.protocol import integrity_proofs, keys
from node.group_starters import STARTERS
from node.models import fronts, organisations
from node.models import networks as rows
from node.web import directories
from tests.support.desk import join
from tests.support.joining import FIELDS, post
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act, found, state
from tests.web.test_render import BUDGET, CSS, Reader

NUMBERS = count(1)


async def crowd(house, network, countries, *, listed=(), kind="organisation", languages=("ar",)):
    """Members that live nowhere, invited and vouched for by this house alone."""

    def work(connection):
        ledger, now = rows.ledger_of(connection, house.did, network), house.clock()
        own, number = ledger.view(house.did)
        number -= 1

        def put(key, what, number, seen, says):
            value = rules.render(network, what, key.did, number, seen, says, now)
            made = rules.parse(integrity_proofs.sign(value, key, f"{key.did}#{key.multikey}", now))
            assert rows.add(connection, house.did, made, now)
            return made.digest

        last = own
        for at, country in enumerate(countries):
            key, name = keys.generate_organisation_key(), f"zq-exercise-{next(NUMBERS)}"
            expires = rules.stamp((now + timedelta(days=9)).replace(microsecond=0))
            invited = put(house.key, rules.INVITE, number + 1, last, {"who": "", "expires": expires})
            says = {"about": invited, "name": name, "kind": kind, "handle": f"@{name}@nowhere.example",
                    "country": country, "listed": at in listed}  # fmt: skip
            accepted = put(key, rules.ACCEPT, 1, [invited], says)
            number += 2
            last = [put(house.key, rules.SPONSOR, number, [invited, accepted], {"about": accepted})]
            if at in listed:
                said = {"name": name, "country": country, "languages": list(languages), "listed": True}
                put(key, rules.PROFILE, 2, [accepted], said)

    await house.write(work)


async def alone(net, name="one"):
    """A house with a network of its own."""
    house = await net.house(name)
    names = {"ar": "شبكة تدريب", "en": "EXERCISE net"}
    made = await act(house, lambda mine: networks.found(mine, names, [], sponsors=1))
    return house, made.network


def fronted(house):
    return house.read(lambda connection: fronts.current(connection, house.did))


async def page(house, path="/members", language="en"):
    answer = await house.get(path, Accept_Language=language)
    assert answer.status == 200
    assert len(answer.body) + len(CSS.encode()) < BUDGET, len(answer.body)
    assert "<script" not in answer.text and "style=" not in answer.text
    Reader(answer.text)
    return answer.text


async def test_nothing_of_a_network_is_public_until_it_is_published_and_after(tmp_path):
    async with Network(tmp_path) as net:
        house, network = await alone(net)
        await crowd(house, network, ["IQ"] * 6, listed={0})
        for _ in range(2):
            text = await page(house)
            assert "EXERCISE net" not in text and "zq-exercise" not in text
            await act(house, lambda mine: desk.publish(mine, network))
            text = await page(house)
            assert "EXERCISE net" in text and "7 partners" in text and text.count("<li class=\"card\">") == 1
            await act(house, desk.unpublish)
        await act(house, lambda mine: desk.publish(mine, network))
        until = house.clock() + timedelta(days=1)
        await house.write(lambda connection: organisations.veil(connection, house.did, until))
        assert "EXERCISE net" not in await page(house), "a backup remembers names that were taken off since"


async def test_a_network_of_ninety_is_told_by_region_and_kind_and_chosen_from_by_links(tmp_path):
    async with Network(tmp_path) as net:
        house, network = await alone(net)
        await act(house, lambda mine: desk.publish(mine, network))
        countries = ["IQ"] * 17 + ["SY", "EG"] * 8 + ["FR", "TN", "ES"] * 2
        await crowd(house, network, countries, listed=set(range(0, 34, 1)))
        await crowd(house, network, ["SY"] * 26 + ["KE"] * 3, kind="coalition", listed={0, 1}, languages=("ckb", "ar"))
        await wait_until(lambda: fronted(house).told.regions, "the unnamed are told of anew")
        assert dict(fronted(house).told.regions) == {"145": 20} and fronted(house).told.kinds["organisation"] == 5
        for language in ("ar", "en"):
            text = await page(house, language=language)
        assert f"{len(countries) + 30} partners" in text and "countries" in text
        assert "Western Asia" in text and "<svg" in text and "<rect" in text
        assert "Kenya" not in text and "Eastern Africa</th>" not in text
        later = await page(house, "/members?page=2")
        assert later.count('<li class="card">') == directories.PER_PAGE
        chosen = await page(house, "/members?region=015&kind=organisation")
        assert "Iraq" not in chosen and chosen.count("<li>Egypt</li>") == chosen.count('<li class="card">') > 0
        chosen = await page(house, "/members?language=ckb&lang=ar", "en")
        assert chosen.count('<li class="card">') == 2 and 'href="/members?language=ckb&amp;lang=ar' not in chosen
        odd = await page(house, "/members?region=<b>&kind=state&page=99999&language=xx")
        assert "<b>" not in odd and "xx" not in odd


async def test_a_name_stands_there_by_a_signed_act_and_is_taken_off_again(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = await found(one, two, "EXERCISE net")
        await act(one, lambda mine: desk.publish(mine, network))
        name = "zq-exercise <b>two</b>"
        assert two.organisation.name not in await page(one), "an actor document names nobody as of the network"
        said = {"listed": True, "name": name, "languages": ["ckb"], "country": "iq"}
        await act(two, lambda mine: desk.profile(mine, network, **said))
        await wait_until(lambda: state(one, network).members[two.did].listed, "the word is there")
        text = await page(one)
        assert "zq-exercise &lt;b&gt;two" in text and "Central Kurdish" in text and "Fewer than five" in text
        await act(two, lambda mine: desk.profile(mine, network, listed=False))
        await wait_until(lambda: not state(one, network).members[two.did].listed, "it is taken back")
        assert "zq-exercise" not in await page(one)
        assert state(one, network).members[two.did].languages == ("ckb",), "what was not said anew stays"
        assert state(one, network).digest == state(two, network).digest
        for wrong in ({"country": "ZZ"}, {"languages": ["Kurdish"]}, {"name": " "}, {"name": "x" * 301}):
            with pytest.raises(RefusedError):
                await act(two, lambda mine, wrong=wrong: desk.profile(mine, network, **wrong))
        await act(one, lambda mine: networks.leave(mine, network))
        assert "EXERCISE net" not in await page(one), "who left shows nothing of it"


async def test_a_coordinator_says_it_in_a_browser_and_every_member_takes_the_list_home(tmp_path):
    async with Network(tmp_path) as net:
        house, network = await alone(net)
        await crowd(house, network, ["IQ"] * 5, listed={0})
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        reader = await join(house, "Rima (exercise)", "author", by=zainab)
        path = f"/desk/networks/{network}"
        assert f"{path}/directory" in (await zainab.get(path)).text
        await zainab.get(f"{path}/directory")
        said = {"do": "profile", "name": "=zq <b>", "country": "sy", "languages": "ar، ckb, en", "listed": "yes"}
        assert (await zainab.post(f"{path}/directory", said)).status == 303
        assert "=zq &lt;b&gt;" in (await zainab.get(f"{path}/directory")).text
        wrong = await zainab.post(f"{path}/directory", said | {"languages": "Kurdish"})
        assert wrong.status == 409 and "by their codes" in wrong.text and "Kurdish" in wrong.text
        assert (await zainab.post(f"{path}/directory", {"do": "open"})).status == 409
        assert (await zainab.post(f"{path}/directory", {"do": "sponsors"})).status == 409, "nothing is shown yet"
        assert (await zainab.post(f"{path}/directory", {"do": "publish"})).status == 303
        unlisted = next(did for did, each in state(house, network).members.items() if not each.listed)
        told = await zainab.post(f"{path}/directory", {"do": "sponsors", "sponsor": unlisted, "open": "yes"})
        assert told.status == 409 and "Not on the public list" in told.text
        assert (await zainab.post(f"{path}/directory", {"do": "sponsors", "open": "yes"})).status == 303
        text = await page(house)
        assert "=zq &lt;b&gt;" in text and "Central Kurdish" in text and 'href="/join"' in text
        assert (await reader.post(f"{path}/directory", {"do": "unpublish"})).status == 403
        sheet = await reader.get(f"{path}/directory.csv")
        assert sheet.status == 200 and sheet.body.startswith("\ufeff".encode()) and "'=zq <b>" in sheet.text
        assert sheet.headers["content-disposition"] == 'attachment; filename="directory.csv"'
        entries = (await reader.get(f"{path}/directory.json")).json()
        assert {each["listed"] for each in entries} == {True, False} and len(entries) == 6
        for each in ("directory", "directory.csv", "directory.json"):
            assert (await house.get(f"{path}/{each}")).status == 303, "nobody without a session"
            assert (await reader.get(f"/desk/networks/zNone/{each}")).status == 404
        made, _ = await act(house, lambda mine: groups.found(mine, network, STARTERS["women"], "women"))
        assert (await zainab.post(f"{path}/directory", said | {"group": made})).status == 303
        assert f'value="{made}" checked' in (await zainab.get(f"{path}/directory")).text
        chosen = await page(house, "/members?group=women")
        assert chosen.count('<li class="card">') == 1 and "Women and economic" in chosen and "=zq" in chosen
        assert (await zainab.post(f"{path}/directory", said)).status == 303
        assert "Women and economic" not in await page(house), "and taken off again"
        assert (await zainab.post(f"{path}/directory", said | {"group": "zNone"})).status == 409
        assert (await zainab.post(f"{path}/directory", {"do": "unpublish"})).status == 303
        assert "zq" not in await page(house) and (await house.get("/join")).status == 404


async def test_the_same_from_the_command_line(tmp_path):
    async with Network(tmp_path) as net:
        house, network = await alone(net)
        net.clock.forward(utc_now() - net.clock())  # commands have no other clock
        await house.stop()

        def run(*words):
            done = CliRunner().invoke(tadamun, [*words, "--data", str(house.data), "--json"], obj=Office(house.data))
            return json.loads(done.output) if done.exit_code == 0 else repr(done.exception)

        assert "no network is shown" in run("network", "sponsors", house.did)
        said = run("network", "profile", "--listed", "--language", "ckb", "--name", "zq-exercise", "--country", "IQ")
        assert (said["listed"], said["languages"], said["country"]) == (True, ["ckb"], "IQ")
        assert "no such working group of that network (women)" in run("network", "profile", "--group", "women")
        run("group", "found", "--starter", "women")
        for words, count in ((("--group", "women"), 1), (("--listed",), 1), (("--no-groups",), 0)):
            run("network", "profile", *words)
            held = house.read(lambda connection: rows.state_of(connection, house.did, network)).members[house.did]
            assert len(held.groups) == count, words
        assert run("network", "publish", network[:12], "--form") == {"network": network}
        assert run("network", "sponsors", house.did) == {"sponsors": [house.did]}
        assert "not a member of that network" in run("network", "sponsors", "did:key:zNobody")
        target = tmp_path / "list.csv"
        assert run("network", "directory", "--csv", str(target))[0]["name"] == "zq-exercise"
        assert target.read_text("utf-8").startswith("\ufeff")
        await house.start()
        assert "zq-exercise" in await page(house)
        assert (await post(house, "/join", **FIELDS)).status == 200
        await house.stop()
        (asked,) = run("network", "joinings")
        assert (asked["state"], asked["asking"]["name"]) == ("waits", FIELDS["name"])
        assert run("network", "reply", asked["id"], "invite", "--words", "EXERCISE")["verdict"] == "invite"
        assert "answered already" in run("network", "reply", asked["id"], "decline", "--reason", "not-now")
        assert run("network", "joinings")[0]["state"] == "answered"
        assert run("network", "unpublish") == {"network": ""}
        await house.start()
        assert "EXERCISE net" not in await page(house)

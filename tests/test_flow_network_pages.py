"""A network in browsers: founded, joined by a sheet that is copied, vouched for after six words, and a vote."""

import html
import re

import pytest

from node import recovery
from node.desk import network_sheets as sheets
from node.desk import networks as desk
from node.errors import RefusedError
from node.federation.protocol import digests
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act

LIST = "/desk/networks"


def carried(page):
    """The text that hands carry."""
    return html.unescape(re.search(r'<textarea id="carried"[^>]*>(.*?)</textarea>', page, re.S)[1])


async def follow(worker, answer):
    assert answer.status == 303, answer.text
    page = await worker.get(answer.headers["location"])
    assert page.status == 200, page.text
    return page.text


async def first(worker):
    found = re.search(r"/desk/networks/z\w+", (await worker.get(LIST)).text)
    return found[0] if found else ""


async def shows(worker, path, text):
    async def there():
        return text in (await worker.get(path)).text

    await wait_until(there, f"it shows {text!r}")


async def do(worker, path, what, **fields):
    return await follow(worker, await worker.post(path, {"do": what, **fields}))


async def test_a_network_lives_in_browsers(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        three = await net.house("three")
        ours, theirs, guest = [
            await join(house, f"{name} (exercise)", "coordinator")
            for house, name in ((one, "Zainab"), (two, "Nour"), (three, "Hana"))
        ]
        await ours.get(LIST)
        refused = await ours.post(LIST, {"do": "found"})
        assert refused.status == 409 and "give the network a name" in refused.text
        names = {"name-ar": "شبكة تدريب", "name-en": "EXERCISE network", "founder": two.did}
        path = (await ours.post(LIST, {"do": "found", **names})).headers["location"]
        assert "شبكة تدريب" in (await ours.get(path)).text
        await wait_until(lambda: _some(first(theirs)), "the other founder sees it")
        assert "named as a founder" in (await theirs.get(path)).text
        await do(theirs, path, "accept")
        await shows(ours, path, two.organisation.name)

        sheet = carried(await do(ours, path, "invite"))
        svg = await ours.get(re.search(r'src="([^"]+qr\.svg)"', (await ours.get(_sheet(path, sheet))).text)[1])
        assert svg.status == 200 and svg.body.startswith(b"<svg")
        spare = re.search(r"/sheet/(z\w+)", await follow(ours, await ours.post(path, {"do": "invite"})))[1]
        listed = (await ours.get(path)).text
        assert f"/sheet/{spare}" in listed and "good until" in listed
        assert f"/sheet/{spare}" not in await do(ours, path, "cancel", about=spare)
        await guest.get(LIST)
        wrong = await guest.post(LIST, {"do": "join", "sheet": "no sheet", "kind": "organisation"})
        assert wrong.status == 409 and "not an invitation" in wrong.text and "no sheet" in wrong.text
        answer = await do(guest, LIST, "join", sheet=sheet, kind="organisation")
        assert "Words to compare by voice" in answer
        mine = (await guest.get(path)).text
        assert "Take our acceptance back" in mine and path + "/answer" in mine
        again = await do(guest, path, "cancel", about=re.search(r'name="about" value="(z\w+)"', mine)[1])
        assert "Take our acceptance back" not in again
        stale, answer = answer, await do(guest, LIST, "join", sheet=sheet, kind="organisation")
        assert carried(stale) != carried(answer)
        unsaid = await ours.post(path, {"do": "admit", "answer": carried(answer)})
        assert unsaid.status == 409 and "compare the six words" in unsaid.text
        await do(ours, path, "admit", answer=carried(answer), compared="yes")
        await shows(theirs, path, "Candidates")
        assert three.organisation.name in (await theirs.get(path)).text
        six = (await theirs.get(f"{path}/words/{three.did}")).text
        assert " ".join(recovery.six_words(three.did)) in six and three.organisation.name in six
        assert (await theirs.get(f"{path}/words/did:key:z6MkNobody")).status == 404
        await do(theirs, path, "admit", about=three.did, compared="yes")
        await shows(guest, path, two.organisation.name)
        assert "EXERCISE network" in (await guest.get(LIST)).text

        await do(ours, path, "propose", subject="roll", name=three.did, grounds="EXERCISE grounds")
        await shows(theirs, path, "EXERCISE grounds")
        for house in (one, two, three):
            assert b"EXERCISE grounds" not in house.files(), "why rests sealed to people"
        about = re.search(r'name="about" value="(z\w+)"', (await theirs.get(path)).text)[1]
        await do(theirs, path, "vote", about=about, choice="yes")
        early = await theirs.post(path, {"do": "close", "about": about})
        assert early.status == 409 and "Too few voters said yes" in early.text
        block = await ours.post(path, {"do": "vote", "about": about, "choice": "block"})
        assert block.status == 409 and "a block says why" in block.text
        await do(ours, path, "vote", about=about, choice="yes")
        await shows(ours, path, "2 of 2 voters said yes")
        assert "Decided" in await do(ours, path, "close", about=about)
        await shows(guest, path, "Decided")
        reader = await join(one, "Rima (exercise)", "author", by=ours)
        seen = (await reader.get(path)).text
        assert "EXERCISE grounds" in seen and 'value="vote"' not in seen and 'value="leave"' not in seen
        assert (await reader.post(path, {"do": "leave", "sure": "yes"})).status == 403
        unsure = await guest.post(path, {"do": "leave"})
        assert unsure.status == 409 and "tick that you want to leave" in unsure.text
        await do(guest, path, "leave", sure="yes")
        await wait_until(lambda: _lacks(ours, path, "value=\"" + three.did), "who left is gone")


def _sheet(path, sheet):
    return path + "/sheet/" + _named(sheet)


def _named(sheet):
    return re.search('"invitation":"(z[0-9A-Za-z]+)"', sheet)[1]


async def _some(awaited):
    return await awaited


async def _lacks(worker, path, text):
    return text not in (await worker.get(path)).text


async def test_who_joins_affirms_each_article_that_the_network_asks_for(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        guest = await join(two, "Nour (exercise)", "coordinator")
        charter = digests.multibase(b"EXERCISE charter")
        with pytest.raises(RefusedError, match="name the charter"):
            await act(one, lambda mine: desk.found(mine, {"en": "EXERCISE"}, [], articles=["1"]))
        rules = {"charter": charter, "articles": ["1", "2"]}
        made = await act(one, lambda mine: desk.found(mine, {"en": "EXERCISE"}, [], **rules))
        sheet = await act(one, lambda mine: desk.invite(mine, made.network))
        text = sheets.written(sheet.value())
        await guest.get(LIST)
        asked = await guest.post(LIST, {"do": "join", "sheet": text, "kind": "organisation", "affirm": "1"})
        assert asked.status == 409 and 'Article <bdi lang="" dir="auto">2</bdi>' in asked.text and charter in asked.text
        with pytest.raises(RefusedError, match="some are missing .2"):
            await act(two, lambda mine: desk.accept(mine, sheet, affirms=["1"]))
        answer = await act(two, lambda mine: desk.accept(mine, sheet, affirms=["2", "1"]))
        candidate = sheets.read_answer(sheets.written(answer).encode())
        state = await act(one, lambda mine: desk.vouch(mine, made.network, candidate))
        assert two.did in state.members

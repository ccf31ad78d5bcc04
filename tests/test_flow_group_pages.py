"""A working group in browsers: founded, joined, spoken in, a plan handed in and approved, a word to everyone."""

import json
import re

from node.commands.charters import EXAMPLE
from node.models import charters
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_network_pages import do, follow, shows
from tests.test_flow_networks_apart import found, state

LIST = "/desk/groups"


async def test_a_group_lives_in_browsers(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        ours = await join(one, "Zainab (exercise)", "coordinator")
        theirs = await join(two, "Nour (exercise)", "coordinator")
        other = await join(one, "Karwan (exercise)", "approver", by=ours)
        assert "No working group yet" in (await ours.get(LIST)).text
        network = await found(one, two, "EXERCISE network")

        await ours.get(LIST)
        refused = await ours.post(LIST, {"do": "found", "network": network})
        assert refused.status == 409 and "choose a theme" in refused.text
        made = await ours.post(LIST, {"network": network, "starter": "women", "host": two.did})
        path = made.headers["location"]
        assert "Women and economic" in await follow(ours, made)
        await wait_until(lambda: state(two, network).groups, "the other hears of it")
        early = await theirs.get(path)
        assert "We are not in this group" in early.text and 'name="do" value="post"' not in early.text
        assert (await theirs.post(path, {"do": "post", "title": "", "text": "x"})).status == 409
        await acts(theirs, path, "join")
        await acts(theirs, path, "host")
        await wait_until(lambda: len(group(one, network).roles) == len(group(one, network).dids) == 2, "both are in")
        assert (await other.post(f"{path}/acts", {"do": "leave"})).status == 403

        # Inside: said, answered, taken back.
        await do(theirs, path, "post", title="EXERCISE title", text="EXERCISE zq-inside")
        await shows(ours, path, "EXERCISE zq-inside")
        about = re.search(r'name="about" value="(z\w+)"', (await ours.get(path)).text)[1]
        await do(ours, path, "comment", about=about, text="EXERCISE zq-answer")
        await shows(theirs, path, "EXERCISE zq-answer")
        await do(theirs, path, "take-back", about=about)
        assert "zq-inside" not in (await theirs.get(path)).text

        async def gone():
            return "zq-inside" not in (await ours.get(path)).text

        await wait_until(gone, "it is gone on the other node too")
        for house in (one, two):
            assert b"zq-answer" not in house.files()
        await do(ours, path, "meeting", title="EXERCISE zq-secret title", day="2027-03-01", starts="10:00",
                 ends="11:00", place="EXERCISE zq-place", text="")
        calendar = await ours.get(f"{path}/calendar.ics")
        assert b"DTSTART:20270301T100000Z" in calendar.body and b"zq-" not in calendar.body

        # A plan, from its form to the network's approval.
        await ours.get(f"{path}/plans/2027")
        bare = await ours.post(path, {"do": "plan", "year": "2027", "back": "2027", "protection": "EXERCISE"})
        assert bare.status == 409 and "has a goal at least" in bare.text
        written = await do(ours, path, "plan", year="2027", back="2027", goal="EXERCISE: water", priorities="one\ntwo",
                           activity="EXERCISE: a map", lead="one", challenge="EXERCISE: c", response="EXERCISE: r",
                           protection="EXERCISE: p")
        assert "EXERCISE: a map" in written and "Draft" in written
        assert "Open for comments" in await do(ours, path, "step", step="comments", year="2027", back="2027")
        await shows(theirs, f"{path}/plans/2027", "Open for comments")
        assert 'value="plan"' not in (await theirs.get(f"{path}/plans/2027")).text, "a member does not write it"
        handed = await follow(ours, await ours.post(f"{path}/acts", {"do": "hand-in", "year": "2027", "back": "2027"}))
        assert "Handed in for approval" in handed
        proposal = next(iter(state(one, network).decisions))
        for each in (ours, theirs):
            await shows(each, f"/desk/networks/{network}", proposal)
            await do(each, f"/desk/networks/{network}", "vote", about=proposal, choice="yes")
        await wait_until(lambda: len(state(one, network).decisions[proposal].votes) == 2, "both votes are there")
        await do(ours, f"/desk/networks/{network}", "close", about=proposal)
        await shows(theirs, f"{path}/plans/2027", "Approved by the network")
        reviewed = await do(ours, path, "review", year="2027", back="2027", period="1", done="EXERCISE: mapped",
                            evaluation="", changed="EXERCISE: water and land", **{"changed-key": "g1"})
        assert "EXERCISE: water and land" in reviewed and "EXERCISE: mapped" in reviewed

        # A charter: proposed, commented on by article, another version, frozen.
        value = json.loads(EXAMPLE.read_text("utf-8"))
        broken = await ours.post(path, {"do": "draft", "text": "no json"})
        assert broken.status == 409 and "paste the file as it is" in broken.text
        assert value["en"]["title"] in await do(ours, path, "draft", text=json.dumps(value))
        await shows(theirs, path, value["en"]["title"])
        draft = re.search(r"/drafts/(z\w+)", (await theirs.get(path)).text)[1]
        assert "only who is in the group reads it" in (await theirs.get(f"{path}/drafts/{draft}")).text
        await do(theirs, path, "comment", about=draft, article="3", text="EXERCISE zq-on-three")
        await shows(ours, f"{path}/drafts/{draft}", "EXERCISE zq-on-three")
        value["en"]["articles"][2]["text"] = "EXERCISE: another third article."
        await do(ours, path, "draft", text=json.dumps(value), about=draft)
        second = re.search(r"/drafts/(z\w+)", (await ours.get(path)).text)[1]
        shown = (await ours.get(f"{path}/drafts/{second}")).text
        assert second != draft and "2 versions" in shown and "<ins>" in shown and "zq-on-three" in shown
        for house in (one, two):
            assert b"another third article" not in house.files()
        await acts(ours, path, "freeze", about=second)
        await shows(theirs, "/charters", value["ar"]["title"])
        digest = one.read(lambda connection: charters.newest(connection, one.did))[0].digest
        cited = await do(ours, path, "post", title="", text="EXERCISE: we stand on it", cites=f"{digest}#3")
        assert "#article-3" in cited and "Articles of charters" in cited

        # To everyone: another person looks first.
        asked = await acts(ours, path, "publish", title="", text="EXERCISE zq-all")
        assert "Women and economic" in asked and "zq-all" not in (await ours.get("/groups/women")).text
        waiting = (await other.get("/desk/approvals")).text
        request = re.search(r"/desk/approvals/[\w-]+", waiting)[0]
        page = (await other.get(request)).text
        assert "said to everyone for a working group" in page and "EXERCISE zq-all" in page
        digest = re.search(r'name="digest" value="(z\w+)"', page)[1]
        ticks = {f"tick-{each}": "yes" for each in ("name", "audience", "place", "consent")}
        assert (await other.post(request, {"digest": digest, "word": "yes", **ticks})).status == 303

        async def public():
            texts = [(await each.get("/groups/women")).text for each in (ours, theirs)]
            return all("EXERCISE zq-all" in text for text in texts)

        await wait_until(public, "both nodes show it")
        for house in (one, two):
            text = (await house.get("/groups/women")).text
            address = re.search(r">(@\S+@\S+?)</bdi>", text)[1]
            button = re.search(r'class="button" href="(/groups/women/follow)"', text)[1]
            assert f">{address}</bdi>" in (await house.get(button)).text


def group(house, network):
    return next(iter(state(house, network).groups.values()))


async def acts(worker, path, what, **fields):
    await worker.get(path)
    return await follow(worker, await worker.post(f"{path}/acts", {"do": what, **fields}))

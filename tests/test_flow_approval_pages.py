"""Approving and reading what is for members, in a browser without a script."""

import re

from node import approvals as rules
from node.desk import approvals as desk
from tests.support.desk import join
from tests.support.network import Network, example, wait_until
from tests.test_flow_approvals import NAME, ask, named, office, state
from tests.test_flow_sealed_alerts import HEADLINE, publish

TICKS = {f"tick-{name}": "yes" for name in rules.TICKS}


def digest_in(page):
    return re.search(r'name="digest" value="(\w+)"', page)[1]


async def test_two_approve_in_the_browser_and_it_is_on_the_public_page(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        request = await ask(house, example(status="actual"))
        path = f"/desk/approvals/{request.id}"
        assert path in (await hana.get("/desk/approvals")).text
        for person in (karwan, hana):
            page = (await person.get(path)).text
            assert 'name="tick-consent"' in page
            missing = await person.post(path, {"word": "yes", "digest": digest_in(page), "tick-name": "yes"})
            assert missing.status == 409 and "Not looked at yet" in missing.text
            assert (await person.post(path, {"word": "yes", "digest": digest_in(page), **TICKS})).status == 303
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")
        assert example()["headline"] in (await house.get("/alerts")).text


async def test_who_is_no_approver_sees_that_it_waits_and_not_what(tmp_path):
    async with Network(tmp_path) as network:
        house, boss, _ = await office(network, "one")
        author = await join(house, "Sara (exercise)", "author", by=boss)
        request = await ask(house, example(status="actual"))
        assert (await author.get(f"/desk/approvals/{request.id}")).status == 403
        assert example()["headline"] not in (await author.get("/desk/approvals")).text
        assert (await house.get(f"/desk/approvals/{request.id}")).status == 303


async def test_a_sister_approves_in_her_own_browser(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (_, hana) = await office(network, "one")
        sister, _, (theirs, _) = await office(network, "two")
        await network.befriend(house, sister)
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [sister.did], house.clock())
        )
        request = await ask(house, named())

        async def asked():
            return re.search(r"/desk/sisters/[^\"?]+", (await theirs.get("/desk/approvals")).text)

        path = (await wait_until(asked, "the sister sees it"))[0]
        page = (await theirs.get(path)).text
        assert NAME in page
        assert (await theirs.post(path, {"word": "yes", "digest": digest_in(page), **TICKS})).status == 303
        page = (await hana.get(f"/desk/approvals/{request.id}")).text
        await hana.post(f"/desk/approvals/{request.id}", {"word": "yes", "digest": digest_in(page), **TICKS})
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")


async def test_what_is_for_members_is_read_in_session_only(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        reader = await join(friend, "Zainab (exercise)", "coordinator")
        said = await publish(author)
        path = "/desk/network/" + said.url.rpartition("/")[2]

        async def listed():
            return HEADLINE in (await reader.get("/desk/network")).text

        await wait_until(listed, "it is listed")
        assert HEADLINE in (await reader.get(path)).text
        assert (await friend.get(path)).status == 303 and HEADLINE not in (await friend.get("/desk/network")).text

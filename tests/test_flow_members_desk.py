"""Pinned organisations at the desk: pinned after two presses, frozen, removed, by those whose duty it is."""

import re

from node.models import contacts, organisations
from tests.support.desk import join
from tests.support.network import Network, wait_until

PAGE = "/desk/members"


async def test_a_coordinator_pins_after_the_words_were_compared_and_nobody_else_does(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.house("one"), await net.house("two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        karwan = await join(one, "Karwan (exercise)", "administrator", by=zainab)
        assert "No organisation is pinned yet" in (await zainab.get(PAGE)).text
        address = two.organisation.address
        assert (await karwan.post(PAGE, {"do": "look", "name": address})).status == 403
        found = await zainab.post(PAGE, {"do": "look", "name": address})
        assert found.status == 200 and two.did in found.text and one.member(two.did) is None
        assert (await zainab.post(PAGE, {"do": "pin", "name": address, "did": two.did})).status == 409
        wrong = await zainab.post(PAGE, {"do": "pin", "name": address, "did": one.did, "compared": "yes"})
        assert wrong.status == 409 and "nothing was pinned" in wrong.text and one.member(two.did) is None
        done = await zainab.post(PAGE, {"do": "pin", "name": address, "did": two.did, "compared": "yes"})
        assert done.status == 303 and one.member(two.did).state == contacts.MEMBER
        page = await zainab.get(f"{PAGE}/{two.did}")
        six = re.search(r"Six words</dt><dd><bdi[^>]*>([a-z ]+)<", page.text)[1]
        assert six in found.text
        assert "<form" not in (await karwan.get(f"{PAGE}/{two.did}")).text.split('class="section"')[1]

"""The public pages of a network and of asking to join, on a phone, in Arabic and in English."""

import pytest

from node.desk import directory, joinings
from node.models import joinings as rows
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.joining import FIELDS, post
from tests.support.network import Network
from tests.test_flow_directory import alone, crowd
from tests.test_flow_joining import show
from tests.test_flow_networks_apart import act
from tests.test_flow_requests import number_in
from tests.web.test_desk_look import FITS

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.mark.drill
async def test_the_directory_and_the_form_fit_a_phone(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house, network = await alone(net)
        await crowd(house, network, ["IQ"] * 17 + ["SY", "EG"] * 8 + ["FR"] * 6 + ["KE"], listed=set(range(30)))
        await act(house, lambda mine: directory.publish(mine, network))
        await show(house, network, [])
        number = number_in(await post(house, "/join", "ar", **FIELDS))
        zainab = await join(house, "زينب (تدريب)", "coordinator")
        await phone.enter(house.origin, zainab.cookies)
        name = house.read(lambda connection: rows.all_of(connection, house.did))[0].id
        await act(house, lambda mine: directory.profile(mine, network, languages=["ar", "ckb"]))
        for path in ("/members", "/join", "/join/answer"):
            for language in ("ar", "en"):
                picture = tmp_path / f"{path.strip('/').replace('/', '-')}-{language}.png"
                await _fits(phone, f"{house.origin}{path}?lang={language}", picture)
        for path in (f"/desk/networks/{network}/directory", "/desk/networks", f"/desk/joinings/{name}"):
            await _fits(phone, house.origin + path, tmp_path / f"desk{path.count('/')}{len(path)}.png")
        await act(house, lambda mine: joinings.invite(mine, name, "أهلاً بكم. هذا تدريب."))
        await phone.open(f"{house.origin}/join/answer?lang=ar")
        await phone.run(f"document.querySelector('#number').value = {number!r}")
        await phone.run("document.querySelector('form').submit()")
        await phone.until("document.querySelector('#carried')")
        assert await phone.measure() == FITS
        await phone.picture(tmp_path / "invited.png")


async def _fits(phone, address, picture):
    await phone.open(address)
    await phone.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert await phone.measure() == FITS, address
    await phone.picture(picture)

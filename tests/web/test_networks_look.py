"""The pages of networks on a phone, in Arabic."""

import pytest

from node import governance
from node.desk import network_sheets as sheets
from node.desk import networks as desk
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act, found, state
from tests.web.test_desk_look import FITS

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.mark.drill
async def test_networks_fit_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        one, two = await net.members("one", "two")
        three = await net.house("three")
        zainab = await join(one, "زينب (تدريب)", "coordinator")
        await phone.enter(one.origin, zainab.cookies)
        await fits(phone, one, "/desk/networks", tmp_path / "empty.png")
        network = await found(one, two, "EXERCISE network")
        sheet = await act(one, lambda mine: desk.invite(mine, network))
        answer = await act(three, lambda mine: desk.accept(mine, sheet))
        candidate = sheets.read_answer(sheets.written(answer).encode())
        await act(one, lambda mine: desk.vouch(mine, network, candidate))
        await act(one, lambda mine: desk.propose(mine, network, governance.SUSPEND, [two.did], grounds="EXERCISE: why"))
        await wait_until(lambda: state(two, network).candidates, "the others hear")
        path = f"/desk/networks/{network}"
        await fits(phone, one, "/desk/networks", tmp_path / "list.png")
        await fits(phone, one, path, tmp_path / "network.png")
        await phone.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert await phone.measure() == FITS
        await phone.picture(tmp_path / "open.png")
        await fits(phone, one, f"{path}/sheet/{sheet.invitation}", tmp_path / "sheet.png")
        await phone.until("document.querySelector('.qr')?.naturalWidth")


async def fits(phone, house, path, picture):
    await phone.open(house.origin + path)
    assert await phone.run("location.pathname") == path
    assert await phone.measure() == FITS, path
    await phone.picture(picture)

"""The desk in a real browser: its forms are let through as browsers send them, its pages fit a phone in Arabic."""

import pytest

from node import people as rules
from node import people_factors
from node.desk import people as acts
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import PASSWORD, cheap, join
from tests.support.network import Network

FITS = {"overflow": 0, "small": []}
SECRET = "[...document.querySelectorAll('.code')].map(e => e.textContent).find(t => /^[A-Z2-7]{32}$/.test(t))"
CHOSEN = {"#password": PASSWORD, "#again": PASSWORD}

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


async def invite(house, name, *roles):
    cheap(house)
    return await house.write(
        lambda connection: acts.invite(connection, house.organisation, name, roles, house.clock())
    )


async def test_a_coordinator_joins_confirms_and_signs_out_on_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house = await net.house("a")
        made = await invite(house, "زينب (تدريب)", "coordinator", "approver")
        await phone.open(made.link)
        assert await phone.measure() == FITS
        await phone.fill(CHOSEN, press=".entry button")
        await phone.until("document.querySelector('.qr')?.naturalWidth")
        assert await phone.measure() == FITS
        code = people_factors.totp_code(await phone.run(SECRET), house.clock())
        await phone.fill({"#code": code}, press="form[action$=totp] button")
        await phone.until("document.querySelectorAll('.codes li').length == 10")
        assert await phone.measure() == FITS
        karwan = await join(house, "كاروان (تدريب)", "case_worker")
        pages = (
            "/desk", "/desk/offers", "/desk/network", "/desk/people", f"/desk/people/{karwan.id}",
            "/desk/lock", "/desk/factors/passkey",
        )  # fmt: skip
        for path in pages:
            await phone.open(house.origin + path)
            assert await phone.run("location.pathname") == path
            assert await phone.measure() == FITS, path
        await phone.open(f"{house.origin}/desk/people/{karwan.id}")
        await phone.fill({}, press="form[action$=confirm] button")
        await phone.until("location.pathname == '/desk/people'")
        assert karwan.person.state == rules.ACTIVE
        await phone.fill({}, press=".desk form button")
        await phone.until("location.pathname == '/desk/sign-in'")
        assert await phone.measure() == FITS
        await phone.fill({"#name": "زينب (تدريب)", "#password": "wrong words"}, press=".entry button")
        await phone.until("document.querySelector('.banner')")
        await phone.fill({"#name": "زينب (تدريب)", "#password": PASSWORD}, press=".entry button")
        await phone.until("location.pathname == '/desk/factor'")
        assert await phone.measure() == FITS
        assert await phone.run("document.cookie") == ""


async def test_a_passkey_is_enrolled_and_shown(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile") as browser:
        house = await net.house("a", at="localhost")
        await browser.add_passkey_holder()
        made = await invite(house, "Zainab (exercise)", "coordinator")
        await browser.open(made.link)
        await browser.fill(CHOSEN, press=".entry button")
        await browser.until("document.querySelector('.qr')")
        await browser.open(house.origin + "/desk/factors/passkey")
        await browser.until("!document.querySelector('[data-passkey]').hidden")
        await browser.fill({}, press="[data-passkey] button")
        await browser.until("document.querySelectorAll('.codes li').length == 10")
        await browser.open(house.origin + "/desk")
        await browser.fill({}, press=".desk form button")
        await browser.until("location.pathname == '/desk/sign-in'")
        await browser.fill({"#name": "Zainab (exercise)", "#password": PASSWORD}, press=".entry button")
        await browser.until("location.pathname == '/desk/factor' && !document.querySelector('[data-passkey]').hidden")
        await browser.fill({}, press="[data-passkey] button")
        await browser.until("location.pathname == '/desk'")

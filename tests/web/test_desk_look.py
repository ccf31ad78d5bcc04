"""The desk in a real browser: its forms are let through as browsers send them, its pages fit a phone in Arabic."""

import pytest

from node import people as rules
from node import people_factors
from node.desk import people as acts
from node.models import letters
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import PASSWORD, cheap, join
from tests.support.network import Network, example, wait_until
from tests.support.pictures import camera, developed, shot
from tests.test_flow_approvals import ask
from tests.test_flow_offers import offer
from tests.test_flow_sealed_alerts import publish
from tests.test_flow_sign_on import asked
from tests.test_flow_withheld import NAME, sign

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


@pytest.mark.drill
async def test_what_waits_offers_and_pictures_fit_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house, friend = await net.members("a", "b")
        zainab = await join(house, "زينب (تدريب)", "coordinator")
        sara = await join(house, "سارة (تدريب)", "case_worker", "approver", by=zainab)
        said = await asked(house, friend)
        await publish(friend)
        await offer(friend, said.portable_id)
        await sign(friend, said)
        pictures = [developed(camera(number)) for number in (1, 2)]
        request = await ask(house, example(status="actual", media=[shot(), shot(people="blurred")]), pictures=pictures)

        async def here():
            return "/desk/offers/" in (await sara.get("/desk/offers")).text and NAME in (
                await sara.get("/desk/network")
            ).text

        await wait_until(here, "both letters are there")
        await phone.open(house.origin + "/desk/sign-in")
        await phone.fill({"#name": sara.name, "#password": sara.password}, press=".entry button")
        await phone.until("location.pathname == '/desk/factor'")
        await phone.fill({"#code": sara.code()}, press=".entry button")
        await phone.until("location.pathname == '/desk'")
        for path in ("/desk", "/desk/offers", "/desk/network", f"/desk/approvals/{request.id}"):
            await phone.open(house.origin + path)
            assert await phone.run("location.pathname") == path
            assert await phone.measure() == FITS, path
        assert await phone.run("[...document.images].map(each => each.naturalWidth)") == [320, 320]
        await phone.open(house.origin + "/desk/offers")
        await phone.fill({}, press="form[action^='/desk/offers/'] button[value=taken]")
        await phone.until("document.querySelector('.card.old')")


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


@pytest.mark.drill
async def test_what_waits_and_what_is_for_members_fits_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        author, house = await net.members("a", "b")
        hana = await join(house, "هناء (تدريب)", "coordinator", "approver")
        request = await ask(house, example(status="actual"))
        said = await publish(author)
        await wait_until(lambda: held_here(house, said), "the letter is here")
        await phone.enter(house.origin, hana.cookies)
        page = "/desk/network/" + said.url.rpartition("/")[2]
        for path in ("/desk", "/desk/approvals", f"/desk/approvals/{request.id}", "/desk/network"):
            await phone.open(house.origin + path)
            assert await phone.run("location.pathname") == path
            assert await phone.measure() == FITS, path
        await phone.open(house.origin + page)  # a link within its text is no button
        assert (await phone.measure())["overflow"] == 0


def held_here(house, said):
    return house.read(lambda connection: letters.about(connection, house.did, said.portable_id))

"""The pages of charters: on a phone in Arabic, on a wide screen in English, and the page made of a bundle."""

import json

import pytest

from node.web import charter_sheets
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_charter_pages import page
from tests.test_flow_charters import TEXT, affirm, bundle, everywhere, freeze, holds, kept
from tests.web.test_desk_look import FITS

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.mark.drill
async def test_charters_fit_a_phone_in_arabic_and_a_wide_screen_in_english(tmp_path):
    async with (
        Network(tmp_path) as net,
        Chromium(tmp_path / "phone", language="ar") as phone,
        Chromium(tmp_path / "wide", language="en", width=1200) as wide,
    ):
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        changed = json.loads(json.dumps(TEXT))
        for language in changed:
            changed[language]["articles"][6]["text"] += " EXERCISE."
        later = await freeze(a, changed, kind="amendment", amends=digest)
        await wait_until(lambda: holds(b, later), "the amendment is there")
        await affirm(a, digest, name="منظمة تدريبية أولى")
        await affirm(b, digest, ("1", "3"), "Exercise organisation of b")
        await everywhere((a, b), digest, {"منظمة تدريبية أولى", "Exercise organisation of b"})
        zainab = await join(b, "زينب (تدريب)", "coordinator")
        for browser, mark in ((phone, "ar"), (wide, "en")):
            await browser.enter(b.origin, zainab.cookies)
            for name, path in (
                ("list", "/charters"), ("charter", page(b, digest)), ("desk", "/desk/charters"),
                ("compare", f"{page(b, digest)}/compare/{later}"), ("affirm", "/desk" + page(b, digest)),
            ):  # fmt: skip
                await _fits(browser, b, path, tmp_path / f"{name}-{mark}.png")
        sheet = tmp_path / "sheet.html"
        sheet.write_bytes(charter_sheets.render(bundle(b, digest), "ar"))
        await phone.ask("Page.navigate", url=sheet.as_uri())
        await phone.until("document.querySelector('h1')")
        assert await phone.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        await phone.picture(tmp_path / "sheet.png")


async def _fits(browser, house, path, picture):
    await browser.open(house.origin + path)
    assert await browser.run("location.pathname") == path
    await browser.picture(picture)
    assert await browser.measure() == FITS, path

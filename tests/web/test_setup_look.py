"""Setting up an organisation on a phone in Arabic: from the address that `serve` prints to the desk, by touch alone."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node import people_factors
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import PASSWORD
from tests.test_flow_setup import SettingUp

FITS = {"overflow": 0, "small": []}
SECRET = "[...document.querySelectorAll('.code')].map(e => e.textContent).find(t => /^[A-Z2-7]{32}$/.test(t))"

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


async def test_an_organisation_is_set_up_on_a_phone_in_arabic(tmp_path):
    pictures = Path(os.environ.get("PAGE_PICTURES", tmp_path))
    pictures.mkdir(parents=True, exist_ok=True)
    with SettingUp(tmp_path, "127.5.0.2") as page:
        async with Chromium(tmp_path / "profile", language="ar") as phone:

            async def here(name):
                await phone.until(f"location.pathname.endsWith('/{name}') && document.querySelector('main')")
                assert await phone.measure() == FITS, name
                await phone.picture(pictures / f"setup-{name}-ar.png")

            await phone.open(page.node.origin + page.base)
            await phone.picture(pictures / "setup-welcome-ar.png")
            assert await phone.measure() == FITS
            await phone.fill({}, press="main button")
            await here("organisation")
            asked = {"#name": "منظمة الواحة (تدريب)", "#handle": "waha", "#country": "IQ"}
            await phone.fill(asked, press="main button")
            await here("sheets")
            await phone.fill({}, press="button[value=parts]")
            await phone.until("document.querySelectorAll('.paper').length == 3")
            await here("sheets")
            sheets = await phone.run("[...document.querySelectorAll('.paper')].map(each => each.innerText)")
            await phone.fill({}, press="button[name=printed]")
            await here("check")
            lines = {f"#{name}": line for name, line in page.copied(sheets).items()}
            wrong = {name: ("1" if line[0] == "0" else "0") + line[1:] for name, line in lines.items()}
            await phone.fill(wrong, press="main button")
            await phone.until("document.querySelector('.banner')")
            await phone.picture(pictures / "setup-check-wrong-ar.png")
            await phone.fill(lines, press="main button")
            await here("person")
            await phone.fill({"#person": "زينب (تدريب)"}, press="main button")
            await phone.until("location.pathname.startsWith('/desk/join/') && document.querySelector('#password')")
            await phone.fill({"#password": PASSWORD, "#again": PASSWORD}, press=".entry button")
            await phone.until("document.querySelector('.qr')?.naturalWidth")
            code = people_factors.totp_code(await phone.run(SECRET), datetime.now(UTC))
            await phone.fill({"#code": code}, press="form[action$=totp] button")
            await phone.until("document.querySelectorAll('.codes li').length == 10")
            codes = await phone.run("[...document.querySelectorAll('.codes li')].map(each => each.innerText.trim())")
            await phone.open(page.node.origin + "/desk")
            assert await phone.run("location.pathname") == "/desk"
            await phone.picture(pictures / "desk-first-ar.png")
            await phone.open(page.node.origin + "/desk/lock")
            assert await phone.measure() == FITS
            await phone.picture(pictures / "lock-ar.png")
            await phone.fill({}, press="main button.danger")
            await phone.until("document.querySelector('h1')?.textContent.includes('غير متاحة')")
            await phone.picture(pictures / "locked-ar.png")
            assert "الواحة" not in await phone.run("document.body.textContent")
            await phone.open(page.node.origin + "/desk/sign-in/shared")
            await phone.fill({"#name": "زينب (تدريب)", "#password": PASSWORD}, press=".entry button")
            await phone.until("location.pathname == '/desk/factor'")
            await phone.fill({"#code": codes[0]}, press=".entry button")
            await phone.until("location.pathname == '/desk/unlock'")
            assert await phone.measure() == FITS
            await phone.picture(pictures / "unlock-ar.png")
            await phone.fill({}, press="main button.danger")
            await phone.until("location.pathname == '/desk'")

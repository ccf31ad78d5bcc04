"""Setting up an organisation on a phone in Arabic: from the address that `serve` prints to the desk, the lock, and the
day on which the server is lost.
"""

import os
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node import people_factors
from node.models import organisations
from node.models.base import Database
from tests.support.desk import PASSWORD
from tests.support.network import wait_until
from tests.support.walker import MISSING, PHONE, SMALL, Walker
from tests.test_flow_restore import PHRASE, asked
from tests.test_flow_setup import SettingUp

NAME, PERSON = "منظمة الواحة (تدريب)", "زينب (تدريب)"
SECRET = "() => [...document.querySelectorAll('.code')].map(e => e.textContent).find(t => /^[A-Z2-7]{32}$/.test(t))"
TEXTS = "each => each.map(one => one.innerText)"

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}"),
]


class Phone:
    """One page of a phone, which is measured and pictured where it stands."""

    def __init__(self, page, walker):
        self.page, self.walker = page, walker

    async def fits(self, name):
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        assert await self.page.evaluate(SMALL) == [], name
        if self.walker.pictures is not None:
            await self.page.screenshot(path=self.walker.pictures / f"story-{name}-ar.png", full_page=True)

    async def press(self, selector, **fields):
        """Fill in what is named by its id, and press."""
        for name, value in fields.items():
            field = self.page.locator(f"#{name}")
            if await field.evaluate("each => each.localName") == "select":
                await field.select_option(value)
            else:
                await field.fill(value)
        async with self.page.expect_navigation():
            await self.page.click(selector)

    async def set_up(self, page, form):
        """From the first page to the desk; what the sheets say, and the recovery codes."""
        await self.page.goto(page.node.origin + page.base)
        await self.fits("setup-welcome")
        await self.press("main form button")
        await self.fits("setup-organisation")
        await self.press("main form.entry button", name=NAME, handle="waha", country="IQ")
        await self.press(f"button[value={form}]")
        await self.fits(f"setup-sheets-{form}")
        sheets = await self.page.eval_on_selector_all(".paper", TEXTS)
        await self.press("button[name=printed]")
        lines = page.copied(sheets)
        wrong = {name: ("1" if line[0] == "0" else "0") + line[1:] for name, line in lines.items()}
        await self.press("main form button", **wrong)
        assert await self.page.locator(".banner").count() >= 1
        await self.fits("setup-check-wrong")
        await self.press("main form button", **lines)
        await self.press("main form button", person=PERSON)
        await self.page.wait_for_selector("#password", timeout=60_000)
        await self.press(".entry button", password=PASSWORD, again=PASSWORD)
        await self.page.wait_for_selector("img.qr")
        code = people_factors.totp_code(await self.page.evaluate(SECRET), datetime.now(UTC))
        await self.press("form[action*=totp] button", code=code)
        codes = await self.page.eval_on_selector_all(".codes li", TEXTS)
        assert len(codes) == 10
        return sheets, [each.strip() for each in codes]

    async def sign_in(self, origin, code, path="/desk/sign-in"):
        await self.page.goto(origin + path)
        await self.press(".entry button", name=PERSON, password=PASSWORD)
        await self.press(".entry button", code=code)


@asynccontextmanager
async def phone_of(folder):
    named = os.environ.get("PAGE_PICTURES")
    async with Walker(Path(named) if named else None) as walker:
        context = await walker.browser.new_context(
            locale="ar", viewport={"width": PHONE.width, "height": PHONE.height}, accept_downloads=True
        )
        yield Phone(await context.new_page(), walker)


async def begun_anew(page, line, count):
    """The process has begun anew: its log says so, and it answers."""
    await wait_until(lambda: page.log.read_text().count(line) == count, f"{line} {count} times", 60)
    page.process.wait_ready(f"{page.node.origin}/healthz")


async def test_an_organisation_is_set_up_locked_and_opened_on_a_phone_in_arabic(tmp_path):
    with SettingUp(tmp_path, "127.5.0.2") as page:
        async with phone_of(tmp_path) as phone:
            _, codes = await phone.set_up(page, "parts")
            await phone.page.goto(page.node.origin + "/desk")
            await phone.fits("desk-first")
            await phone.page.goto(page.node.origin + "/desk/lock")
            await phone.fits("lock")
            await phone.press("main button.danger")
            await phone.fits("locked")
            assert "غير متاحة" in await phone.page.text_content("h1")
            assert "الواحة" not in await phone.page.text_content("body")
            await phone.sign_in(page.node.origin, codes[0], "/desk/sign-in/shared")
            assert phone.page.url.endswith("/desk/unlock")
            await phone.fits("unlock")
            await phone.press("main button.danger")
            assert phone.page.url.endswith("/desk")


async def test_a_server_is_lost_and_its_organisation_goes_on_from_a_backup_and_a_sheet_on_a_phone_in_arabic(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with SettingUp(tmp_path / "old", "127.5.0.4") as page:
        async with phone_of(tmp_path) as phone:
            sheets, codes = await phone.set_up(page, "whole")
            await phone.page.goto(page.node.origin + "/desk/node")
            form = phone.page.locator("form:has(#passphrase)")
            await form.locator("#passphrase").fill(PHRASE)
            await form.locator("#again").fill(PHRASE)
            async with phone.page.expect_download() as coming:
                await form.locator("button").click()
            backup = tmp_path / "backup.tar.gz.age"
            await (await coming.value).save_as(backup)
            origin, (host, port) = page.node.origin, (page.node.host, page.node.port)
            page.process.kill()
            shutil.rmtree(page.node.data)

            with SettingUp(tmp_path / "new", host, port) as again:
                await phone.page.goto(origin + again.base)
                await phone.press("a[href*='/restore']")
                await phone.fits("restore")
                await phone.page.set_input_files("#backup", backup)
                await phone.press("main form.entry button", opener=PHRASE)
                assert NAME in await phone.page.text_content("main")
                await phone.fits("restore-found")
                await phone.press("button[value='go-on']")
                await phone.fits("restored")
                await begun_anew(again, "event=node.restored", 1)
                await phone.page.goto(origin + "/desk")
                assert phone.page.url.endswith("/desk/sign-in"), "no cookie of then opens anything"
                await phone.sign_in(origin, codes[0])
                await phone.press("a[href*='/desk/recovery']")
                await phone.fits("recovery")
                await phone.press("form:has(#sheet) button[type=submit]", sheet=sheets[0])
                await phone.press("button[value=whole]")
                await phone.fits("recovery-sheet")
                following = "\n".join(await phone.page.eval_on_selector_all(".paper pre", TEXTS))
                await phone.press("button[name=yes]")
                await phone.press("form:has(#line0) button", **asked(await phone.page.content(), following))
                await phone.page.check("[name=sure]")
                await phone.press("button.danger")
                await phone.fits("recovered")
                await begun_anew(again, "event=node.started", 3)
                await phone.sign_in(origin, codes[1])
                assert phone.page.url.endswith("/desk")
                database = Database(f"sqlite:///{again.node.data / 'node.sqlite'}")
                new, old = database.read_now(organisations.all_of)
                database.close()
                assert (old.successor, new.name, new.hold) == (new.did, NAME, "")

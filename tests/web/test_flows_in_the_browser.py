"""Whole stories in Debian's Chromium through real forms: without a mouse, without scripts, on a phone in Arabic."""

from contextlib import asynccontextmanager

import pytest

from tests.support.desk import cheap, join
from tests.support.network import Network, wait_until
from tests.support.walker import MISSING, PHONE, Walker

HEADLINE = "تدريب: بيان عن الحق في المياه"
TEXT = {
    "headline": HEADLINE, "narrative": "تدريب: هذا نص مختلق لا يشير إلى أحد.", "link_to_work": "تدريب: لا صلة بأحد.",
    "demands": "وقف التهديد\nحماية العمل", "expires": "2026-12-20",
}  # fmt: skip
CHOSEN = {"language": "ar", "audience": "everyone", "kind": "statement", "status": "exercise", "country": "IQ"}
FOCUS = """() => {
  const on = document.activeElement, look = getComputedStyle(on), box = on.getBoundingClientRect();
  return {
    tag: on.outerHTML.slice(0, 100), ring: look.outlineStyle != "none" && parseFloat(look.outlineWidth) >= 2,
    seen: on.checkVisibility() && box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth,
  };
}"""

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}"),
]


@asynccontextmanager
async def browser(house, folder):
    async with Walker(folder) as walker:

        async def opened(language="en", *, width=1280, height=800, **more):
            context = await walker.browser.new_context(
                locale=language, viewport={"width": width, "height": height}, base_url=house.origin, **more
            )
            return await context.new_page()

        yield opened


async def sign_in(page, worker):
    """Name and password, then the code, as a form asks for them."""
    cheap(worker.house)
    await page.goto("/desk/sign-in")
    await page.fill("[name=name]", worker.name)
    await page.fill("[name=password]", worker.password)
    await page.click(".entry button")
    await page.wait_for_url("**/desk/factor*")
    await page.fill("[name=code]", worker.code())
    await page.click(".entry button")
    await page.wait_for_url("**/desk")


async def write_and_ask(page):
    """A text about nobody: looked at as it will be read, then put before others."""
    await page.goto("/desk/write")
    for name, value in TEXT.items():
        await page.fill(f"[name={name}]", value)
    for name, value in CHOSEN.items():
        await page.select_option(f"[name={name}]", value)
    await page.check("[name=nobody]")
    await page.click("main form.entry button")
    await page.wait_for_selector(".preview")
    assert HEADLINE in await page.text_content(".preview")
    await page.click("button[name=ask]")
    await page.wait_for_url("**/desk/approvals")


async def say_yes(page):
    """Look at what waits, tick all that was looked at, approve."""
    await page.goto("/desk/approvals")
    await page.click(".card .more a")
    assert HEADLINE in await page.text_content("article.body")
    for box in await page.query_selector_all("[name^=tick-]"):
        await box.check()
    await page.click("button[value=yes]")
    await page.wait_for_url("**/desk/approvals")


async def test_a_text_of_one_is_approved_by_others_and_read_on_another_node_all_on_phones_in_arabic(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        boss = await join(one, "زينب (تدريب)", "coordinator")
        author = await join(one, "سارة (تدريب)", "author", by=boss)
        others = [await join(one, f"{name} (تدريب)", "approver", by=boss) for name in ("هناء", "كاروان")]
        async with browser(one, tmp_path / "profile") as opened:
            size = {"width": PHONE.width, "height": PHONE.height}
            page = await opened("ar", **size)
            await sign_in(page, author)
            await write_and_ask(page)
            assert await page.query_selector("button[value=yes]") is None, "nobody approves what is theirs"
            for each in others:
                phone = await opened("ar", **size)
                await sign_in(phone, each)
                await say_yes(phone)

            async def there():
                return HEADLINE in (await two.get("/alerts", Accept_Language="ar")).text

            await wait_until(there, "it is on the other node")
            reader = await opened("ar", **size)
            await reader.goto(f"{two.origin}/alerts")
            await reader.click(f"text={HEADLINE}")
            await reader.wait_for_selector("h1")
            assert "تدريب" in await reader.text_content(".banner")
            assert await reader.evaluate("document.documentElement.dir") == "rtl"
            assert await reader.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_without_scripts_a_text_is_written_and_put_before_others(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("one")
        boss = await join(house, "Zainab (exercise)", "coordinator")
        author = await join(house, "Sara (exercise)", "author", by=boss)
        async with browser(house, tmp_path / "profile") as opened:
            page = await opened(java_script_enabled=False)
            await sign_in(page, author)
            await write_and_ask(page)
            assert "0 of 2 approvals given" in await page.text_content("main .cards")
            await page.click(".menu button")
            await page.wait_for_url("**/desk/sign-in")


async def tab_to(page, selector):
    """Press Tab until something has the focus; whatever has it on the way is seen to have it."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        where = await page.evaluate(FOCUS)
        assert where["ring"] and where["seen"], where
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_desk_is_worked_with_the_keys_alone(tmp_path, width):
    async with Network(tmp_path) as net:
        house = await net.house("one")
        boss = await join(house, "Zainab (exercise)", "coordinator")
        worker = await join(house, "Sara (exercise)", "case_worker", by=boss)
        async with browser(house, tmp_path / "profile") as opened:
            page = await opened(width=width)
            await page.goto("/desk/sign-in")
            await tab_to(page, ".skip")
            await tab_to(page, "[name=name]")
            await page.keyboard.type(worker.name)
            await tab_to(page, "[name=password]")
            await page.keyboard.type(worker.password)
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/desk/factor*")
            await page.keyboard.type(worker.code())  # the one field has the focus
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/desk")
            if width < 768:
                await tab_to(page, ".menu summary")
                await page.keyboard.press("Enter")
            await tab_to(page, ".menu a[href='/desk/cases']")
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/desk/cases")
            await tab_to(page, "a[href='/desk/cases/new']")
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/desk/cases/new")
            await tab_to(page, "[name=what]")
            await page.keyboard.type("EXERCISE: somebody asked by telephone")
            await tab_to(page, "form.entry button")
            await page.keyboard.press("Enter")
            await page.wait_for_selector(".now")
            assert "somebody asked by telephone" in await page.text_content("main")

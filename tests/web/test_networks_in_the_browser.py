"""Three organisations in Debian's Chromium, on phones in Arabic: a network is founded, joined by a sheet that is copied
from one browser to another, has a working group with a plan, and a charter that is affirmed article by article.
"""

import json

import pytest

from node.commands.charters import EXAMPLE
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.support.walker import MISSING, PHONE
from tests.web.test_flows_in_the_browser import browser, sign_in

SIZE = {"width": PHONE.width, "height": PHONE.height}

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}"),
]


async def send(page, do, about="", **fields):
    """Fill in the form of one act and press its button; what is folded away is opened first."""
    which = f':has([name=about][value="{about}"])' if about else ""
    await press(page, f'form:has([name=do][value="{do}"]){which}', **fields)


async def press(page, selector, **fields):
    """The same, of whichever form that is."""
    form = page.locator(selector).first
    await form.wait_for(state="attached")
    folded = page.locator(f"details:not([open]):has({selector}) > summary")
    while await folded.count():
        await folded.first.click()
    for name, value in fields.items():
        field = form.locator(f'[name="{name}"]').first
        kind = await field.evaluate("each => each.type")
        if kind == "select-one":
            await field.select_option(value)
        elif kind in ("checkbox", "radio"):
            for each in value if isinstance(value, list) else [value]:
                await form.locator(f'[name="{name}"][value="{each}"]').first.check()
        else:
            await field.fill(value)
    async with page.expect_navigation():
        await form.locator("button[type=submit]").first.click()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the phone"


async def until(page, path, selector):
    """Look again until the page shows it."""

    async def there():
        await page.goto(path)
        return await page.locator(selector).count()

    await wait_until(there, f"{path} shows {selector}")


async def test_a_network_is_joined_by_a_sheet_plans_a_year_and_affirms_a_charter_on_phones_in_arabic(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        three = await net.house("three")
        people = [
            await join(house, f"{name} (تدريب)", "coordinator")
            for house, name in ((one, "زينب"), (two, "نور"), (three, "هناء"))
        ]
        async with browser(one, tmp_path / "first") as first, browser(two, tmp_path / "second") as second, browser(
            three, tmp_path / "third"
        ) as third:
            ours, theirs, guest = [await opened("ar", **SIZE) for opened in (first, second, third)]
            for page, worker in zip((ours, theirs, guest), people, strict=True):
                await sign_in(page, worker)

            # The network, and the sheet.
            await ours.goto("/desk/networks")
            await send(ours, "found", **{"name-ar": "شبكة تدريب", "name-en": "EXERCISE network"}, founder=two.did)
            path = ours.url.removeprefix(one.origin).partition("?")[0]
            await until(theirs, path, '[name=do][value="accept"]')
            await send(theirs, "accept")
            await until(ours, path, f"text={two.organisation.name}")
            await send(ours, "invite")
            sheet = await ours.input_value("#carried")
            await guest.goto("/desk/networks")
            await send(guest, "join", sheet=sheet, kind="organisation")
            answer = await guest.input_value("#carried")
            await ours.goto(path)
            await send(ours, "admit", answer=answer, compared="yes")
            await until(theirs, path, f'[name=about][value="{three.did}"]')
            await send(theirs, "admit", three.did, compared="yes")
            await until(guest, path, f"text={two.organisation.name}")

            # A working group and the plan of its year.
            await ours.goto("/desk/groups")
            await press(ours, "form:has([name=starter])", starter="women")
            group = ours.url.removeprefix(one.origin).partition("?")[0]
            await ours.goto(f"{group}/plans/2027")
            await send(
                ours, "plan", goal="تدريب: المياه", priorities="واحد\nاثنان", activity="تدريب: خريطة",
                challenge="تدريب: عائق", response="تدريب: جواب", protection="تدريب: حماية",
            )  # fmt: skip
            assert "تدريب: خريطة" in await ours.text_content("main")

            # A charter: proposed in the group, frozen, affirmed by the guest, two articles of it.
            value = json.loads(EXAMPLE.read_text("utf-8"))
            await ours.goto(group)
            await send(ours, "draft", text=json.dumps(value))
            await ours.goto(group)
            async with ours.expect_navigation():
                await ours.locator("a[href*='/drafts/']").first.click()
            await send(ours, "freeze")
            await until(guest, "/desk/charters", f"text={value['ar']['title']}")
            async with guest.expect_navigation():
                await guest.click(f"text={value['ar']['title']}")
            await send(guest, "affirm", article=["1", "2"], shown="everyone", name="منظمة ثالثة (تدريب)")
            page = guest.url.removeprefix(three.origin).removeprefix("/desk").partition("?")[0]
            await until(ours, page, "text=منظمة ثالثة (تدريب)")

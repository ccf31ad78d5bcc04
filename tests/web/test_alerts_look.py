"""Alerts at the desk in a real browser: on a phone in Arabic, and the board that the desk's script keeps fresh."""

import pytest

from node.models import letters
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.network import Network, example, wait_until
from tests.test_flow_approvals import ask as ask_for_a_word
from tests.test_flow_desk_alerts import OURS, page_name, place
from tests.test_flow_sealed_alerts import publish as publish_sealed
from tests.test_flow_sign_on import ask

FITS = {"overflow": 0, "small": []}
HEADLINE = "تمرين: منظمة مختلقة تطالب بحماية المدافعين والمدافعات عن الأرض والمياه"
SUM = "document.querySelector('[data-sum]').textContent"

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.mark.drill
async def test_every_page_of_an_alert_fits_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house, friend, away = await net.members("a", "b", "c")
        zainab = await join(house, "زينب (تدريب)", "coordinator")
        sara = await join(house, "سارة (تدريب)", "author", by=zainab)
        await phone.enter(house.origin, sara.cookies)

        async def look(path, name):
            await phone.open(house.origin + path)
            assert await phone.run("location.pathname") == path
            await phone.picture(tmp_path / f"{name}.png")
            assert await phone.measure() == FITS, path

        await look("/desk/alerts", "01-empty")
        await away.stop()
        said = await house.publish(**OURS, headline=HEADLINE)
        sealed = await publish_sealed(house, headline="تمرين: نص للأعضاء وحدهم")
        await ask(house, said)
        await wait_until(lambda: friend.head(house.did) == house.head(house.did), "it is held")
        await wait_until(
            lambda: friend.read(lambda connection: letters.about(connection, friend.did, sealed.portable_id)), "sealed"
        )
        await house.sync(friend)
        await look("/desk/alerts", "02-list")
        await look(place(said), "03-alert")
        await look(place(said) + "/board", "04-board")
        await sara.refresh()
        for number, act in enumerate(("correct", "close", "answer", "sign-on", "custody", "withdraw"), 10):
            await look(f"{place(said)}/act/{act}", f"{number}-{act}")
        for number, act in enumerate(("news", "update"), 20):
            await look(f"{place(said)}/text/{act}", f"{number}-{act}")
        await phone.open(house.origin + "/desk/alerts/" + page_name(sealed))  # a link within its text is no button
        await phone.picture(tmp_path / "30-sealed.png")
        assert (await phone.measure())["overflow"] == 0


async def test_the_board_is_kept_fresh_where_scripts_are_on_and_is_whole_where_they_are_not(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", width=900) as browser:
        house, away = await net.members("a", "b")
        reader = await join(house, "Zainab (exercise)", "coordinator")
        await away.stop()
        said = await house.publish(**OURS)
        await browser.enter(house.origin, reader.cookies)
        await browser.open(house.origin + place(said))
        await browser.until(f"{SUM}.startsWith('Held by 0 of 1 member')")
        await browser.run("window.same = document.querySelector('[data-sum]')")
        await away.start()
        house.node.delivery.wake()
        await browser.until(f"{SUM}.startsWith('Held by 1 of 1 member')")
        await browser.picture(tmp_path / "50-english.png")
        assert await browser.run("window.same === document.querySelector('[data-sum]')"), "what is read out stays"
        assert await browser.run("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]

        # Signed out elsewhere: the script meets the redirect once and asks no more.
        asked = [each for each in house.exchanges if each.path.endswith("/board")]
        assert asked and all(each.status == 200 for each in asked)
        await reader.post("/desk/sign-out")

        def met():
            return [each.status for each in house.exchanges if each.path.endswith("/board")].count(303)

        await wait_until(met, "it was sent to sign in", 30)
        assert met() == 1

        await reader.sign_in()
        await browser.enter(house.origin, reader.cookies)
        await browser.ask("Emulation.setScriptExecutionDisabled", value=True)
        await browser.ask("Page.navigate", url=house.origin + place(said))
        await browser.until(f"{SUM}.startsWith('Held by 1 of 1 member')")


@pytest.mark.drill
async def test_the_timeline_and_notices_fit_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house, friend = await net.members("a", "b")
        zainab = await join(house, "زينب (تدريب)", "coordinator", "approver")
        await phone.enter(house.origin, zainab.cookies)

        async def look(path, name):
            await phone.open(house.origin + path)
            assert await phone.run("location.pathname") == path
            await phone.picture(tmp_path / f"{name}.png")
            assert await phone.measure() == FITS, path

        await look("/desk/timeline", "40-empty")
        await look("/desk/notices", "41-none")
        said = await friend.publish(**OURS, headline=HEADLINE)
        await ask(friend, said)
        await friend.publish(headline="تمرين: نداء تدريبي")
        await publish_sealed(friend, headline="تمرين: نص للأعضاء وحدهم")
        await ask_for_a_word(house, example(status="actual"))
        await wait_until(lambda: house.head(friend.did) == friend.head(friend.did), "it is held")
        await house.freeze(friend.did, 4)
        await look("/desk", "42-home")
        await look("/desk/timeline", "43-timeline")
        await look("/desk/notices", "44-notices")
        await phone.fill({}, press="button[value=renew]")
        await phone.until("document.querySelector('[role=status]')")
        await phone.picture(tmp_path / "45-feed.png")
        assert await phone.measure() == FITS

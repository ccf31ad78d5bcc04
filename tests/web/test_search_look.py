"""The pages of the search, 360 pixels wide, in Arabic and English: results, exercises, nothing, and at the desk."""

import pytest

from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.network import Network
from tests.test_flow_sealed_alerts import publish as publish_sealed
from tests.test_flow_search import ACTUAL, arrives
from tests.web.test_networks_look import FITS, fits

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


async def ask(browser, house, path, query, picture):
    """Fill a form of the search and send it."""
    await browser.open(house.origin + path)
    await browser.fill({"#q": query}, press="form[role=search] button")
    await browser.until("document.querySelector('.found, .empty') !== null")
    assert await browser.measure() == FITS, path
    await browser.picture(picture)
    assert (await browser.run("location.search") == "") is path.startswith("/desk"), "there the words are in no address"


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_search_fits(tmp_path, language):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language=language) as browser:
        a, b = await net.members("one", "two")
        boss = await join(b, "زينب (تدريب)", "coordinator", "author")
        said = await a.publish(**ACTUAL | {"narrative": f"{ACTUAL['headline']}. GCHR وفق معلومات تلقتها المنظمة، " * 4})
        await a.publish(headline="تدريب: منع المُحاميات والمحامين من السفر")
        await publish_sealed(a, headline="تدريب: محامية تحتاج إلى نقل مؤقت", status="actual", country="IQ")
        await arrives(b, said)
        await fits(browser, b, "/alerts", tmp_path / "alerts.png")
        await ask(browser, b, "/alerts", "محامية", tmp_path / "found.png")
        await ask(browser, b, "/search", "لاشيء", tmp_path / "nothing.png")
        await browser.enter(b.origin, boss.cookies)
        await fits(browser, b, "/desk/search", tmp_path / "desk-empty.png")
        await ask(browser, b, "/desk/search", "محاميه", tmp_path / "desk.png")
        await ask(browser, b, "/desk/search", "لاشيء", tmp_path / "desk-nothing.png")

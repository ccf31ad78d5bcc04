"""The pages of replies in a real browser: closed until somebody opens them, and fitting a phone in Arabic."""

import pytest

from node import replies as rules
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.fediverse import Host
from tests.support.network import Network, wait_until
from tests.test_flow_replies import act, create, deliver, held, office, path_in

FITS = {"overflow": 0, "small": []}
SHOWN = "[...document.querySelectorAll('.answer')].filter(each => each.checkVisibility()).length"
THREAT = "تمرين: نعرف بيتك وسنقتلك إن لم تسكتي"
PICTURE = {"type": "Image", "url": "https://pictures.example/a-long-invented-address/of-a-picture.jpg", "name": "تمرين"}

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


async def test_a_text_is_seen_only_by_who_opens_it_and_every_page_fits_a_phone(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house, _, sara, hana, said = await office(net)
        host = await Host(net, 1, "mallory", "amal").start()

        async def look(path, name):
            await phone.open(house.origin + path)
            await phone.picture(tmp_path / f"{name}.png")
            assert await phone.measure() == FITS, path

        await phone.enter(house.origin, sara.cookies)
        await look("/desk/replies", "00-empty")
        threat = create(host, "mallory", said.id, text=THREAT, attachment=[PICTURE], contentMap={})
        await deliver(host, "mallory", house, threat)
        await wait_until(lambda: held(house) == {rules.WAITING: 1}, "it is held")
        path = path_in((await sara.get("/desk/replies")).text)
        await deliver(host, "amal", house, create(host, "amal", said.id, text="تمرين: شكراً لكم", contentMap={}))
        await wait_until(lambda: held(house) == {rules.WAITING: 2}, "both are held")
        await look("/desk/replies", "01-list")
        await look("/desk", "02-desk")
        await look(path, "03-closed")
        assert await phone.run(SHOWN) == 0
        await phone.run("document.querySelector('.closed').open = true")
        assert await phone.run(SHOWN) == 0, "opened once, it says what comes next"
        await phone.run("document.querySelector('.closed details').open = true")
        assert await phone.run(SHOWN) == 1
        await phone.picture(tmp_path / "04-open.png")
        assert await phone.measure() == FITS
        await act(sara, path, "ask", person=hana.id)
        await act(sara, path, "threat")
        await act(hana, path, "evidence")
        await look(path, "05-evidence")
        for way in ("destroy", "export", "block", "case", "report"):
            await look(f"{path}/{way}", f"06-{way}")
        await act(sara, path, "block", whom="host")
        await phone.enter(house.origin, hana.cookies)
        await look("/desk/replies", "07-asked")
        await phone.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        await phone.picture(tmp_path / "08-blocked.png")

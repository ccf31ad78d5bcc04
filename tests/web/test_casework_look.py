"""The pages of a case in a real browser: on a phone, in Arabic, nothing too wide or too small to touch."""

import pytest

from tests.support.casework import approve, do, office, to_draft, write
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.network import Network, wait_until
from tests.test_flow_casework import states
from tests.test_flow_requests import post

FITS = {"overflow": 0, "small": []}
FORMS = (
    "person/new", "consent/p1", "source/new", "inside/it", "verification/it", "grading/it", "risks/it", "text/en",
    "text/new", "office/0", "perpetrator/new", "outcome/it",
)  # fmt: skip

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.mark.drill
async def test_every_page_of_a_case_fits_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        house, sara, people = await office(net, "one")

        async def look(path, name):
            await phone.open(house.origin + path)
            assert await phone.run("location.pathname") == path
            await phone.picture(tmp_path / f"{name}.png")
            assert await phone.measure() == FITS, path

        await phone.enter(house.origin, sara.cookies)
        await look("/desk/cases", "00-empty")
        asked = "تمرين: تلقت مدافعة عن المياه تهديداً بعد اجتماع، وتخشى على أسرتها"
        await post(net, house, "/request", language="ar", what=asked, imminent="yes", contact="+999 111")
        opened = await sara.post("/desk/cases/new", {"what": "تمرين: حالة أخرى"})
        assert opened.status == 303
        await look("/desk/cases", "01-list")
        await look("/desk/cases/new", "02-new")
        await look("/desk/write", "02-write")
        case = opened.headers["location"].removesuffix("/guide")
        await look(case, "03-fresh")
        await look(f"{case}/act/decline", "04-decline")
        await to_draft(sara, case)
        await write(sara, case, "text/new", {
            "language": "ar", "headline": "تمرين: تهديد مدافعة عن المياه", "narrative": "تمرين: ما حدث، وهو مختلق.",
            "link_to_work": "تمرين: هُددت بسبب اجتماعاتها عن المياه.", "demands": "وقف التهديد\nحماية عملها",
        })  # fmt: skip
        await look(case, "05-draft")
        for number, form in enumerate(FORMS, 10):
            await look(f"{case}/{form}", f"{number}-{form.replace('/', '-')}")
        await look(f"{case}/act/submit", "30-ask")
        await do(sara, case, "submit")
        await look(case, "31-review")
        for person in people:
            await approve(person)
        await wait_until(lambda: "published" in states(house), "published")
        await look(case, "32-published")
        for act in ("withdraw", "correct"):
            await look(f"{case}/act/{act}", f"33-{act}")
        await write(sara, case, "outcome/it", {"kind": "safe", "text": "تمرين: توقف التهديد", "known": "2026-11-20"})
        await do(sara, case, "conclude")
        await look(f"{case}/act/close", "34-close")

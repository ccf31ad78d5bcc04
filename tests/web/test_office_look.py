"""The pages that run a node day by day on a phone, in Arabic: empty, full, and with a refusal."""

import pytest

from node import evidence
from node.boosts import Rule as Wish
from node.desk import trust
from node.evidence import Evidence
from node.models import boosts, documents, policies, queues
from node.models.queues import Incoming
from node.policies import Rule
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.network import Network
from tests.web.test_desk_look import FITS
from tests.web.test_networks_look import fits

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true })"


@pytest.mark.drill
async def test_the_office_fits_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        one, two, three = await net.members("one", "two", "three")
        zainab = await join(one, "زينب (تدريب)", "coordinator")
        await phone.enter(one.origin, zainab.cookies)
        for name in ("evidence", "choices", "following"):
            await fits(phone, one, f"/desk/{name}", tmp_path / f"{name}-empty.png")

        def fill(connection):
            for fault, house in ((evidence.FORK, two), (evidence.WITHHELD, three)):
                seen = Evidence(fault, house.did, house.organisation.host, "EXERCISE: two entries with number 4")
                documents.keep_evidence(connection, one.did, seen, one.clock(), proven=fault == evidence.FORK)
            body = b'{"type": "Create"}'
            row = Incoming(0, "", one.clock(), "https://x.example/1", bytes(32), body, "", "", None, "")
            queues.note_refused(connection, row, "FEP-fe34", "the owner is of another origin")
            documents.report(
                connection, one.did, "Flag", "https://social.example/actor", "https://x.example/9", one.clock()
            )
            for rule in (Rule("hold", "IQ", "arbitrary-detention", False), Rule("show", "", "open-letter", True)):
                policies.put(connection, one.did, rule)
            boosts.ask_for(connection, one.did, [Wish("IQ", "", one.clock())])
            trust.freeze(connection, one.organisation, two.did, 1, one.clock())

        await one.write(fill)
        form = {"do": "follow", "name": three.organisation.address}
        assert (await zainab.post("/desk/following", form)).status == 303
        pages = {
            "members": "/desk/members", "member": f"/desk/members/{two.did}", "evidence": "/desk/evidence",
            "refusals": "/desk/evidence/refusals", "reports": "/desk/evidence/reports", "choices": "/desk/choices",
            "following": "/desk/following", "organisation": "/desk/organisation", "node": "/desk/node",
        }  # fmt: skip
        for name, path in pages.items():
            await fits(phone, one, path, tmp_path / f"{name}.png")
            await phone.run(OPEN)
            assert await phone.measure() == FITS, path
            await phone.picture(tmp_path / f"{name}.png")
        await phone.open(f"{one.origin}/desk/members")
        await phone.fill({"#name": two.organisation.address.replace("two", "nobody")}, press="form.entry button")
        await phone.until("document.querySelector('[role=alert]')")
        assert await phone.measure() == FITS
        await phone.picture(tmp_path / "refused.png")
        await phone.fill({"#name": three.organisation.address}, press="form.entry button")
        await phone.until("document.querySelector('[name=compared]')")
        assert await phone.measure() == FITS
        await phone.picture(tmp_path / "found.png")
        await phone.open(f"{one.origin}/desk/choices")
        await phone.fill({}, press="form [type=hidden][value=ask] ~ p button")
        await phone.until("document.querySelector('[value=decide]')")
        assert await phone.measure() == FITS
        await phone.picture(tmp_path / "choice.png")
        await phone.open(f"{one.origin}/desk/node")
        await phone.fill({}, press="form[action$=node] button")
        await phone.until("document.querySelectorAll('main section:not(nav section)').length == 9")
        assert await phone.measure() == FITS
        await phone.picture(tmp_path / "compared.png")

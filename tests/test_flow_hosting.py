"""A sister organisation keeps a place on its node for a small one, which is then set up by the same pages."""

import re
from html import unescape
from urllib.parse import urlencode, urlsplit

from tests.support.desk import join
from tests.support.network import Network
from tests.test_flow_setup import ASKED

SMALL = "small.example:8443"


class Visitor:
    """A browser of the small organisation, at its own host name on the same machine."""

    def __init__(self, net, house, host=SMALL):
        self.net, self.house, self.host = net, house, host

    async def ask(self, method, path, fields=None):
        headers = {"Host": self.host, "Accept-Language": "en", "Origin": f"https://{self.host}"}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(fields or {}).encode()
        return await self.net.request(method, self.house.origin + path, body, headers)


async def test_a_small_organisation_is_set_up_on_its_sisters_node_and_lives_at_its_own_name(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        refused = await zainab.post("/desk/hosting", {"host": house.organisation.host})
        assert refused.status == 409 and "each needs one of its own" in refused.text
        assert (await zainab.post("/desk/hosting", {"host": "no name"})).status == 409
        made = await zainab.post("/desk/hosting", {"host": SMALL})
        link = re.search(rf"(https://{SMALL}/setup/[\w-]+)", made.text)[1]
        assert link.rpartition("/")[2] not in (await zainab.get("/desk/hosting")).text, "it is shown once"
        base = urlsplit(link).path
        there, elsewhere = Visitor(net, house), Visitor(net, house, "other.example")
        assert (await elsewhere.ask("GET", base)).status == 404
        assert (await there.ask("GET", base)).status == 200
        asked = {**ASKED, "origin": "https://evil.example"}
        assert (await there.ask("POST", f"{base}/organisation", asked)).status == 303
        await there.ask("POST", f"{base}/sheets", {"form": "whole"})
        page = (await there.ask("GET", f"{base}/sheets")).text
        sheet = "\n".join(map(unescape, re.findall(r"<pre dir=\"auto\">(.*?)</pre>", page, re.S)))
        check = (await there.ask("GET", f"{base}/check")).text
        lines = {}
        for field, label in re.findall(r'<label for="line(\d)">(.*?)</label>', check):
            number = re.search(r"(\d)/7", re.sub("<[^>]+>", "", label))[1]
            lines[f"line{field}"] = re.search(rf"{number}/7 +(\S+ \S+ \S+)", sheet)[1]
        assert (await there.ask("POST", f"{base}/check", lines)).status == 303
        done = await there.ask("POST", f"{base}/person", {"person": "Nour (exercise)"})
        assert done.headers["location"].startswith(f"https://{SMALL}/desk/join/")
        await house.stop()
        await house.start()
        assert [each.host for each in house.node.organisations()] == [house.organisation.host, SMALL]
        assert ASKED["name"] in (await there.ask("GET", "/")).text
        assert ASKED["name"] not in (await house.get("/")).text
        assert (await there.ask("GET", base)).status == 404, "the link opens nothing any more"
        assert (await there.ask("GET", urlsplit(done.headers["location"]).path)).status == 200
        assert (await zainab.get("/desk")).status == 200


async def test_a_proxy_on_the_machine_learns_for_which_names_it_may_fetch_a_certificate(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")

        async def asked(host):
            return (await house.get(f"/healthz/host?domain={host}", Host="127.0.0.1:8000")).status

        assert await asked(house.organisation.host) == 200
        assert await asked(SMALL) == 404
        await zainab.post("/desk/hosting", {"host": SMALL})
        assert await asked(SMALL) == 200
        assert (await house.get(f"/healthz/host?domain={SMALL}", Host="node.example")).status == 404
        await zainab.post("/desk/hosting", {"drop": SMALL})
        assert await asked(SMALL) == 404


async def test_the_first_days_are_told_until_they_are_done(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator", "administrator")
        assert "4 steps of the first days are still to do" in (await zainab.get("/desk")).text
        page = (await zainab.get("/desk/start")).text
        assert page.count(">to do</p>") == 4
        invited = {"Karwan": ["coordinator", "administrator"], "Hana": ["approver"], "Sara": ["approver"]}
        for name, roles in invited.items():
            made = await zainab.post("/desk/people/invite", {"name": f"{name} (exercise)", "role": roles})
            assert made.status == 200
        assert "2 steps of the first days" in (await zainab.get("/desk")).text
        await net.befriend(house, await net.house("b"))
        await house.publish()
        assert "of the first days" not in (await zainab.get("/desk")).text

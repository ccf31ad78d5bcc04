"""The lock: from any phone, with a second factor, everything stops; nothing is destroyed; a coordinator goes on."""

from datetime import timedelta

import pytest

from node.errors import RefusedError
from tests.support.desk import PASSWORD, Browser, join
from tests.support.network import Network, wait_until

NEUTRAL = b"This page is not available just now."


def keys_in_memory(house):
    ring = house.node.keyring
    return [*ring._organisations, *ring._rsa]


async def renewed(house):
    """What `serve` does when it is told to begin anew: another node on the same data."""
    await house.stop()
    await house.start()


async def crew(house):
    zainab = await join(house, "Zainab (exercise)", "coordinator")
    karwan = await join(house, "Karwan (exercise)", "approver", by=zainab)
    return zainab, karwan


async def test_everything_stops_and_goes_on_where_it_stood(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        zainab, karwan = await crew(a)
        said = await a.publish()
        await wait_until(lambda: b.holds(said), "b holds it")
        again = []
        a.node.renew = lambda: again.append(True)
        answer = await karwan.post("/desk/lock")
        assert (answer.status, NEUTRAL in answer.body, again) == (503, True, [True])
        assert "clear-site-data" in answer.headers
        await renewed(a)
        assert a.node.locks.any
        assert keys_in_memory(a) == []
        for path in ("/", "/alerts", "/@a", "/desk/cases", "/desk/approvals", said.url.removeprefix(a.origin), "/nope"):
            page = await a.get(path, Accept_Language="en")
            assert (page.status, NEUTRAL in page.body) == (503, True), path
            assert b"organisation" not in page.body.lower(), "it does not say whose pages these are"
        assert (await zainab.get("/desk")).headers["location"].startswith("/desk/unlock")
        assert (await zainab.get("/desk/unlock")).status == 303, "her session has ended"
        posted = await net.request("POST", a.origin + "/inbox", b"{}", {"Content-Type": "application/activity+json"})
        assert (posted.status, "retry-after" in posted.headers) == (503, True)
        with pytest.raises(RefusedError, match="locked"):
            await a.publish()
        assert (await b.get(said.url.removeprefix(a.origin))).status == 200, "what b holds stays readable"
        news = await b.publish()
        await zainab.sign_in()
        assert (await zainab.get("/desk/people")).status == 200
        page = await zainab.get("/desk/unlock")
        assert "Locked at about <time" in page.text
        opened = await zainab.post("/desk/unlock")
        assert opened.status == 303, opened.text
        await renewed(a)
        assert (await a.get("/alerts")).status == 200
        assert (await zainab.get("/desk")).status == 200
        await a.sync(b)
        assert await a.holds(news)
        assert (await a.publish()).sequence > said.sequence


async def test_a_phone_without_a_session_locks_with_name_password_and_code_and_nothing_less(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab, karwan = await crew(house)
        phone = Browser(house)
        page = await phone.get("/desk/lock")
        assert (page.status, 'name="code"' in page.text) == (200, True)
        right = {"name": karwan.name, "password": PASSWORD}
        for wrong in ({"code": "000000"}, {"code": karwan.code(), "password": "another password"}, {"name": "nobody"}):
            answer = await phone.post("/desk/lock", {**right, "code": "", **wrong})
            assert answer.status == 403, wrong
            assert "Nothing was locked" in answer.text
        elsewhere = await phone.post("/desk/lock", {**right, "code": karwan.code()}, origin="https://evil.example")
        assert elsewhere.status == 403
        assert (await house.get("/")).status == 200
        assert (await zainab.get("/desk")).status == 200, "what others try ends nobody's session"
        answer = await phone.post("/desk/lock", {**right, "code": karwan.codes[0]})
        assert answer.status == 503
        assert (await house.get("/")).status == 503
        assert not phone.cookies, "nobody is in session by that"
        await karwan.sign_in()
        refused = await karwan.get("/desk/unlock")
        assert refused.status == 403, "only a coordinator opens it again"


async def test_a_session_without_a_fresh_factor_is_asked_for_a_code(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab, _ = await crew(house)
        net.clock.forward(timedelta(minutes=11))
        page = await zainab.get("/desk/lock")
        assert 'name="code"' in page.text
        assert (await zainab.post("/desk/lock")).status == 403
        assert (await house.get("/")).status == 200


async def test_a_coordinator_disables_whoever_was_taken_before_it_is_opened(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab, karwan = await crew(house)
        await zainab.post("/desk/lock")
        await zainab.sign_in()
        await zainab.post(f"/desk/people/{karwan.id}/disable", {"sure": "yes"})
        assert karwan.person.state == "disabled"
        assert (await house.get("/")).status == 503

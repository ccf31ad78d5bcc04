"""Whole nodes as strangers meet them: following without anybody being asked, the page for moderators, links that are
true, headers on every answer.
"""

import re
from dataclasses import replace
from html import unescape

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from node import __version__
from node.models import contacts
from node.web.middleware import Frame
from node.web.routes import ROUTES
from tests.support.network import Network, Served, page_of, wait_until
from tests.web.test_bundles import KIND, form

SERVER = "@me@mastodon.example"


async def sent(house, path, **headers):
    fields = form(server=headers.pop("server", SERVER).encode())
    headers = {"content-type": KIND, "accept-language": "en"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return await house.network.request("POST", house.origin + path, fields, headers)


def hrefs(text):
    return [unescape(each) for each in re.findall(r'<a\b[^>]*\shref="([^"]*)"', text)]


async def test_a_reader_gets_links_to_the_own_server_and_nobody_is_asked(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        kept = a.files()
        page = await a.get("/follow", Accept_Language="en")
        assert page.status == 200 and a.organisation.address in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        answer = await sent(a, "/follow")
        assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
        account = a.organisation.address[1:].replace("@", "%40").replace(":", "%3A")
        assert [each for each in hrefs(answer.text) if not each.startswith(("/", "#"))] == [
            f"https://mastodon.example/authorize_interaction?uri=acct%3A{account}",
            f"https://mastodon.example/ostatus_subscribe?acct={account}",
            f"https://mastodon.example/authorize-follow?acct=acct%3A{account}",
        ]
        assert a.files() == kept, "nothing was stored"
        for wrong in ("javascript:alert(1)", "me@127.0.0.1", "@me@mastodon.example:1", ""):
            refused = await sent(a, "/follow", server=wrong)
            assert refused.status == 422 and 'role="alert"' in refused.text
            assert all(each.startswith(("/", "#")) for each in hrefs(refused.text))
        elsewhere = await sent(a, "/follow", sec_fetch_site="cross-site")
        assert elsewhere.status == 403 and "mastodon.example/" not in elsewhere.text
        assert [each for each in a.exchanges if each.headers.get("user-agent", "").startswith("tadamun/")] == []


async def test_whoever_may_be_followed_has_a_button_that_leads_to_a_page_of_their_own(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await b.publish(status="actual", translations={})
        await wait_until(lambda: a.holds(said), "the alert is there")
        own = await a.publish(status="actual", translations={})
        theirs = f"/organisations/{b.did}"
        buttons = {
            "/": "/follow", page_of(said): f"{theirs}/follow", theirs: f"{theirs}/follow",
            page_of(own): f"/@{a.organisation.handle}/follow", "/@a": "/@a/follow",
        }  # fmt: skip
        for path, button in buttons.items():
            text = (await a.get(path, Accept_Language="en")).text
            assert f'<a class="button" href="{button}">' in text
            page = await a.get(button, Accept_Language="en")
            address = (b if "organisations" in button else a).organisation.address
            assert page.status == 200 and f">{address}</bdi>" in page.text
            for each in hrefs(page.text):
                assert each.startswith("#") or (await a.get(each)).status == 200, each
        for nobody in ("/organisations/did:key:zNobody/follow", "/@nobody/follow", "/groups/nobody/follow"):
            assert (await a.get(nobody)).status == 404
            assert (await sent(a, nobody)).status == 404


async def test_the_page_for_moderators_says_what_is_true(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await a.publish(status="actual", translations={})
        page = await a.get("/moderators", Accept_Language="en")
        assert page.status == 200
        assert "1 alert within the last 30 days." in page.text and "Send a report from your server" in page.text
        agents = {each.headers.get("user-agent") for each in b.exchanges} - {None}
        assert {each for each in agents if each.startswith("tadamun/")} == {f"tadamun/{__version__}"}
        assert f"tadamun/{__version__}" in page.text
        kinds = {a.organisation.uri: "Organization", "/actors/alerts": "Service", "/actor": "Application"}
        for path, kind in kinds.items():
            answer = await a.get(path.removeprefix(a.origin), Accept="application/activity+json")
            document = answer.json()
            assert document["type"] == kind and f">{kind}</bdi>" in page.text
            assert document["publicKey"]["id"] in page.text
        metadata = (await a.get("/nodeinfo/2.1")).json()["metadata"]
        assert metadata == {"moderators": a.origin + "/moderators"}
        assert 'href="/moderators"' in (await a.get("/")).text


INERT = {
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin",
}  # fmt: skip


def filled(path, values):
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: values.get(found[1], "1"), path)


async def test_every_answer_of_every_public_path_is_inert(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        said = await a.publish(status="actual", translations={})
        gone = await a.publish(status="actual", translations={})
        await a.withdraw(gone.portable_id)
        here = {"id": page_of(said)[8:], "handle": "a", "did": a.did, "name": "site.css", "language": "ar"}
        away = {"id": page_of(gone)[8:], "handle": "x", "did": "x", "name": "x"}
        statuses = set()
        for route in ROUTES:
            if route.path.startswith("/desk"):
                continue
            for path in {filled(route.path, here), filled(route.path, away)}:
                for method in ("GET", "POST", "PUT"):
                    answer = await net.request(method, a.origin + path, b"x", {"accept-language": "en"})
                    statuses.add(answer.status)
                    assert {name: answer.headers.get(name) for name in INERT} == INERT, (method, path)
                    policy = answer.headers["content-security-policy"]
                    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
                    assert answer.status != 500 and b"Traceback" not in answer.body, (method, path)
        assert {200, 404, 405, 410} <= statuses, statuses


async def test_our_own_failure_is_told_in_the_readers_language_and_is_inert(tmp_path):
    async def broken(request):
        raise ValueError("EXERCISE zq-secret")

    async with Network(tmp_path) as net:
        a = await net.house("a")
        app = Starlette(routes=[Route("/", broken)], middleware=[Middleware(Frame)])
        app.state.site = a.node.web().state.site
        served = Served(app, [(a.places[0][0], 0)])
        net.others.append(served)
        await served.ready()
        where, port = served.sockets[0].getsockname()
        for accept, words in (("text/html", "حدث خلل"), ("application/activity+json", "The node failed")):
            answer = await net.get(f"http://{where}:{port}/", Accept=accept, Accept_Language="ar")
            assert answer.status == 500 and "zq-secret" not in answer.text
            assert words in answer.text
            assert {name: answer.headers.get(name) for name in INERT} == INERT
            assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_what_is_gone_and_what_never_was_read_alike(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        gone = await a.publish(status="actual", translations={})
        await a.withdraw(gone.portable_id)
        first = await a.get(page_of(gone), Accept_Language="en")
        second = await a.get("/alerts/" + "1" * 22, Accept_Language="en")
        assert (first.status, second.status) == (410, 404)
        assert first.text.replace(page_of(gone), "/x") == second.text.replace("/alerts/" + "1" * 22, "/x")


async def test_a_frozen_member_can_be_followed_only_past_a_warning(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        frozen = replace(a.member(b.did), listed=True, frozen_epoch=1, frozen_sequence=1)
        await a.write(lambda connection: contacts.pin(connection, a.did, frozen))
        page = await a.get(f"/organisations/{b.did}/follow", Accept_Language="en")
        assert page.status == 200 and page.text.index("banner caution") < page.text.index("<h1")


async def test_a_member_that_did_not_agree_to_be_named_has_no_page_until_something_of_it_is_shown(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        assert not a.member(b.did).listed
        path = f"/organisations/{b.did}"
        assert [(await a.get(each)).status for each in (path, f"{path}/follow")] == [404, 404]
        said = await b.publish()
        await wait_until(lambda: a.holds(said), "the exercise is here")
        assert (await a.get(path)).status == 200
        await b.withdraw(said.id)
        await wait_until(lambda: gone(a, path), "what it said is not shown any more")
        await a.write(lambda c: contacts.pin(c, a.did, replace(a.member(b.did), listed=True)))
        assert (await a.get(path)).status == 200


async def gone(house, path):
    return (await house.get(path)).status == 404

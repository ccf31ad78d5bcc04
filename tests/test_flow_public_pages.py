"""Whole nodes as strangers meet them: following without anybody being asked, the page for moderators, true links,
headers on every answer.
"""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

import pytest

from node import __version__
from node.web.routes import ROUTES
from tests.support.network import Network, page_of, wait_until
from tests.support.desk import multipart

SERVER = {"server": "@me@mastodon.example"}


async def sent(house, path, fields, **headers):
    where, port = house.places[0]
    body, kind = multipart(fields)
    headers = {"content-type": kind, "accept-language": "en"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return await house.network.request("POST", f"http://{where}:{port}{path}", body, headers)


def hrefs(text):
    return [unescape(each) for each in re.findall(r'<a\b[^>]*\shref="([^"]*)"', text)]


async def test_a_reader_gets_links_to_the_own_server_and_nobody_is_asked(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await a.publish(status="actual", translations={})
        before, kept = len(b.exchanges), a.files()
        page = await a.get("/follow", Accept_Language="en")
        assert page.status == 200 and a.organisation.address in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        answer = await sent(a, "/follow", SERVER)
        assert answer.status == 200
        account = a.organisation.address[1:].replace("@", "%40").replace(":", "%3A")
        away = [each for each in hrefs(answer.text) if each.startswith("http")]
        assert away == [
            f"https://mastodon.example/authorize_interaction?uri=acct%3A{account}",
            f"https://mastodon.example/ostatus_subscribe?acct={account}",
            f"https://mastodon.example/authorize-follow?acct=acct%3A{account}",
        ]
        assert len(b.exchanges) == before
        assert b"mastodon.example" not in a.files() and len(a.files()) == len(kept)
        for wrong in ("javascript:alert(1)", "me@127.0.0.1", "@me@mastodon.example:1", ""):
            refused = await sent(a, "/follow", {"server": wrong})
            assert refused.status == 422 and 'role="alert"' in refused.text
            assert not [each for each in hrefs(refused.text) if each.startswith(("http", "java"))]
        assert (await sent(a, "/follow", SERVER, sec_fetch_site="cross-site")).status == 403
        assert "mastodon.example/auth" not in (await sent(a, "/follow", SERVER, sec_fetch_site="cross-site")).text

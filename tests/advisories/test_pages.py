"""What is shown and answered: nothing that runs, nothing that leads away, nothing that tells what is hidden."""

import re

from node.federation.protocol import http_signatures, ids, messages
from node.federation.protocol.messages import ACTIVITY_JSON
from node.models import alerts, documents
from tests.advisories.stage import Scene, alert
from tests.support.letters import (
    Letter,
    send,
)


async def test_5_nothing_here_is_uploaded(scene: Scene) -> None:
    """Every answer with ActivityPub's type is ours or bears its author's proof; every answer says nosniff."""
    for path in ("/", "/alerts", "/static/site.css", "/actor", "/healthz", "/nothing"):
        answer = await scene.house.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
    uploads = [name for name in ("/upload", "/media", "/api/v1/media") if (await scene.house.get(name)).status != 404]
    assert uploads == []


HOSTILE_HTML = (
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<svg/onload=alert(1)><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "<p" * 2000,
    "<div>" * 3000,
    "</math>" * 500 + "&#x202e;" * 100,
    "\ufdd0\u202e<plaintext>",
    "<![CDATA[<x>]]>",
    '<math><annotation-xml encoding="text/html">',
)


async def test_9_no_address_that_runs_is_shown(scene: Scene) -> None:
    house, member = scene.house, scene.member
    await scene.take(member.letter(house, member.updates_itself()))
    for number, bad in enumerate(
        ("javascript:alert(1)", "data:text/html,<script>", "vbscript:x", " javascript:x", "JAVASCRIPT:x")
    ):
        value = alert(
            member,
            id=member.at(f"/objects/{number}"),
            url=bad,
            content=f"<a href='{bad}'>link</a>",
            companyOrProject=bad,
            tag=[{"type": "Hashtag", "href": bad, "name": "#x"}],
            attachment=[{"url": bad}],
        )
        await scene.take(member.letter(house, member.logs("Create", value)))
    pages = [
        "/alerts",
        *(f"/alerts/{each.page}" for each in house.read(lambda connection: alerts.newest(connection, house.did))),
    ]
    assert len(pages) > 1
    for path in pages:
        text = (await house.get(path, Accept="text/html")).text.lower()
        assert 'href="javascript' not in text.replace(" ", "")
        assert 'href="data:' not in text
        assert 'href="vbscript' not in text


async def test_65_one_bad_post_breaks_no_list(scene: Scene) -> None:
    house, member = scene.house, scene.member
    await scene.take(member.letter(house, member.updates_itself()))
    for number, html in enumerate(HOSTILE_HTML):
        value = alert(
            member,
            id=member.at(f"/objects/{number}"),
            content=html,
            contentMap={"en": html},
            headline=html[:100],
            narrative=html[:500],
            published="0001-01-01T00:00:00+14:00" if number % 2 else "2026-11-20T11:00:00Z",
        )
        await scene.take(member.letter(house, member.logs("Create", value)))
    good = alert(member, id=member.at("/objects/good"), headline="The good one")
    assert (await scene.take(member.letter(house, member.logs("Create", good))))[1] == "accepted"
    records = house.read(lambda connection: alerts.newest(connection, house.did, limit=50))
    assert len(records) > 5
    listing = await house.get("/alerts", Accept="text/html")
    assert (listing.status, "The good one" in listing.text) == (200, True)
    for record in records:
        answer = await house.get(f"/alerts/{record.page}", Accept="text/html")
        assert answer.status == 200
        assert not re.search(r"<(script|img|svg|math|plaintext|style)", answer.text)
    for path in ("/", f"/organisations/{member.did}", "/members"):
        assert (await house.get(path, Accept="text/html")).status in (200, 404)


async def test_56_what_is_hidden_and_what_never_was_are_answered_alike(scene: Scene) -> None:
    """Past a freeze, reported, addressed to others, or never there: one answer."""
    house, member = scene.house, scene.member
    for value in (member.updates_itself(), member.logs("Create", alert(member))):
        await scene.take(member.letter(house, value))
    await house.freeze(member.did, 1)
    private = scene.amal.note(id=scene.amal.uri + "/notes/2", to=[scene.badr.uri])
    await scene.hear(scene.amal, "Create", private, to=[scene.badr.uri])
    base = f"/.well-known/apgateway/{member.did}"
    answers = [
        await house.get(f"{base}/{path}", Accept=ACTIVITY_JSON)
        for path in ("objects/1", "objects/none", "activities/2", "activities/9")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(404, b"not here\n")}
    pages = []
    for path in ("/objects/1", "/objects/none"):
        name = documents.page_name(ids.canonical(member.at(path)))
        answer = await house.get(f"/alerts/{name}", Accept="text/html")
        pages.append((answer.status, answer.text.replace(name, "")))
    assert pages[0] == pages[1]
    flags = [
        await scene.hear(scene.amal, "Flag", [member.at(path)], id=f"{scene.amal.uri}{path}")
        for path in ("/objects/1", "/objects/none")
    ]
    assert flags[0] == flags[1]


async def test_61_what_only_members_see_is_kept_by_no_cache(scene: Scene) -> None:
    target = f"/.well-known/apgateway/{scene.house.did}/actor/heads/x"
    bare = messages.Request("GET", target, (("host", scene.house.organisation.host),), b"", "http")
    extra = http_signatures.sign(bare, scene.member.private, scene.member.key_id, scene.house.clock())
    signed_get = Letter(target, (*bare.headers, *extra), b"", "GET")
    answer = await send(scene.house.places[0], signed_get.raw())
    assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-store")
    for path in (
        "/actor",
        f"/.well-known/apgateway/{scene.house.did}/actor",
        f"/.well-known/apgateway/{scene.house.did}/log/1/1",
    ):
        signer = messages.Request("GET", path, (("host", scene.house.organisation.host),), b"", "http")
        headers = (
            *signer.headers,
            *http_signatures.sign(signer, scene.member.private, scene.member.key_id, scene.house.clock()),
        )
        known = await send(scene.house.places[0], Letter(path, headers, b"", "GET").raw())
        assert known.body == (await scene.house.get(path)).body, "a public document is the same for everybody"


async def test_68_no_path_leads_to_another_host(scene: Scene) -> None:
    for path in (
        "//evil.example",
        "//evil.example/..",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "/alerts//evil.example",
        "/alerts/?next=//evil.example",
        "/@org/..//evil.example",
        "/.well-known/apgateway//evil.example",
        "/members/",
        "/alerts/",
        "https://evil.example/",
        "/.well-known/apgateway/did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp//evil.example/actor",
    ):
        for accept in ("text/html", ACTIVITY_JSON):
            headers = (("host", scene.house.organisation.host), ("accept", accept))
            answer = await send(scene.house.places[0], Letter(path, headers, b"", "GET").raw())
            assert "evil" not in answer.headers.get("location", ""), path
            assert answer.status in (200, 303, 400, 404), path

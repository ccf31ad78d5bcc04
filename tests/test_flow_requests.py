"""A confidential request through whole nodes: handed in, answered, and found nowhere else; private messages too."""

import asyncio
import logging
import re
from dataclasses import replace
from io import BytesIO

import pytest

from node.desk import cases as desk
from node.desk import requests
from node.desk.cases import Room
from node.errors import ConfigurationError
from node.federation.protocol import sealing
from node.models import cases as rows
from node.settings import load
from node.web.copies import MovedError, ask
from node.web.routes import build
from tests.support.case_examples import WORKER
from tests.support.fediverse import AS2, Host
from tests.support.network import Network, wait_until
from tests.web.test_bundles import KIND, form
from tests.web.test_render import BUDGET, CSS, Reader

KEY = sealing.generate()
ROOM = Room(KEY.public, (KEY.secret,))
SAID = "EXERCISE zq-made-invented-words"
FIELDS = {
    "what": SAID, "who": "zq-made-who", "place": "zq-made-place", "avoid": "zq-made-avoid", "contact": "zq-made-call",
    "vouched_by": "zq-made-v", "imminent": "yes",
}  # fmt: skip


async def house_with_case_worker(net, *, room=KEY.public):
    house = await net.house("a", start=False)
    house.node.case_room = lambda connection, org: room
    await house.start()
    return house


async def post(net, house, path, language="en", **fields):
    headers = {"Content-Type": KIND, "Accept-Language": language}
    body = form(**{name: value.encode() for name, value in fields.items()})
    return await net.request("POST", house.origin + path, BytesIO(body), headers)


def number_in(answer):
    return re.search(r'class="receipt"><bdi[^>]*>([\d ]{19})</bdi>', answer.text)[1]


def held_private(answer):
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text
    assert len(answer.body) + len(CSS) < BUDGET
    Reader(answer.text)


async def test_a_request_is_sealed_at_once_answered_by_number_and_found_nowhere_else(tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    async with Network(tmp_path) as net:
        house = await house_with_case_worker(net)
        page = await house.get("/request", Accept_Language="ar")
        held_private(page)
        assert page.text.index("في حال وجود خطر الآن") < page.text.index("<form"), "warnings come first"
        handed = await post(net, house, "/request", **FIELDS)
        assert handed.status == 200
        held_private(handed)
        number = number_in(handed)
        (found,) = house.read(lambda c: desk.list_cases(c, house.did, ROOM.secrets)).opened
        assert (found.case.ask.what, found.case.ask.imminent, found.case.ask.language) == (SAID, True, "en")
        more = await post(net, house, "/request/answer", number=number, words="EXERCISE zq-made-more")
        assert more.status == 200 and "There is no answer yet" in more.text and "received and sealed" in more.text
        assert SAID not in more.text and "zq-made-more" not in more.text, "the number opens answers only"
        words, case = "EXERCISE zq-made-answer <b>\nand more", found.case.id
        await house.write(
            lambda c: requests.answer(c, house.did, ROOM, case, found.version, words, WORKER, house.clock())
        )
        opened = await post(net, house, "/request/answer", number=number.replace(" ", "-"))
        held_private(opened)
        assert "EXERCISE zq-made-answer &lt;b&gt;" in opened.text
        told = [each.text for each in house.read(lambda c: requests.thread(c, house.did, found.case.id, ROOM.secrets))]
        assert told == ["EXERCISE zq-made-more", words]
        kept = house.files() + caplog.text.encode() + "".join(capfd.readouterr()).encode()
        for word in ("zq-made-", number, number.replace(" ", "")):
            assert word.encode() not in kept


async def test_wrong_numbers_are_told_nothing(tmp_path):
    async with Network(tmp_path) as net:
        house = await house_with_case_worker(net)
        before = await post(net, house, "/request/answer", number="1234 5678 9012 3456")
        number = number_in(await post(net, house, "/request", **FIELDS))
        wrong = f"{(int(number.replace(' ', '')) + 1) % 10**16:016}"
        after = await post(net, house, "/request/answer", number=wrong, words="EXERCISE")
        short = await post(net, house, "/request/answer", number="1234")
        assert (before.status, after.status, short.status) == (404, 404, 400)
        assert before.body == after.body, "an empty node and one that holds a request answer alike"
        held_private(after)


async def test_without_a_case_worker_there_is_no_form_and_the_other_ways_are_named(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a", start=False)
        house.settings = replace(house.settings, safe_channels="Signal +999 EXERCISE")
        await house.stop()
        await house.start()
        page = await house.get("/request", Accept_Language="en")
        assert page.status == 200 and "<form" not in page.text and "Signal +999 EXERCISE" in page.text
        refused = await post(net, house, "/request", **FIELDS)
        assert refused.status == 503
        assert house.read(lambda c: rows.all_of(c, house.did)) == ()


async def test_the_page_is_in_no_copy_of_the_site(tmp_path):
    async with Network(tmp_path) as net:
        house = await house_with_case_worker(net)
        app = build(replace(house.node.web().state.site, copied=house.clock()))
        headers = {"host": house.organisation.host, "accept": "text/html"}
        assert b"/request" not in await ask(app, "/", "", headers)
        for path in ("/request", "/request/answer"):
            with pytest.raises(MovedError, match="404"):
                await ask(app, path, "", headers)


async def test_the_page_can_be_taken_away(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a", start=False)
        house.settings = replace(house.settings, requests=False)
        await house.stop()
        house.node.case_room = lambda connection, org: KEY.public
        await house.start()
        for path in ("/request", "/request/answer"):
            assert (await house.get(path)).status == 404
            assert (await post(net, house, path, **FIELDS)).status == 404
        assert "/request" not in (await house.get("/")).text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"what": " "}, "first field"),
        ({"what": "x" * 6001}, "first field"),
        ({"contact": "x" * 401}, "short fields"),
    ],
)
async def test_a_form_that_is_not_taken_gives_back_what_was_written(tmp_path, fields, told):
    async with Network(tmp_path) as net:
        house = await house_with_case_worker(net)
        answer = await post(net, house, "/request", **FIELDS | fields)
        assert (answer.status, told in answer.text) == (422, True)
        assert 'value="zq-made-place"' in answer.text and " checked" in answer.text
        assert house.read(lambda c: rows.all_of(c, house.did)) == ()


def private(sender, number, words, to):
    uri = sender.uri("sister")
    note = {
        "id": f"{uri}/{number}", "type": "Note", "attributedTo": uri, "to": to, "content": words,
        "published": "2026-11-20T12:00:00Z",
    }  # fmt: skip
    return {"@context": AS2, "id": f"{uri}/{number}#create", "type": "Create", "actor": uri, "to": to, "object": note}


async def test_a_private_message_is_answered_once_and_no_table_and_no_log_holds_its_words(tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    async with Network(tmp_path) as net:
        house = await house_with_case_worker(net)
        sender = await Host(net, 1, "sister").start()
        inbox = house.organisation.uri + "/inbox"
        for number, place in ((1, inbox), (2, house.origin + "/inbox")):
            note = private(sender, number, "EXERCISE zq-made-secret", [house.organisation.uri])
            assert (await sender.post("sister", place, note)).status == 202
        bystander = private(sender, 3, "EXERCISE zq-made-aside", [sender.uri("other")])
        assert (await sender.post("sister", inbox, bystander)).status == 202
        bad = {**private(sender, 4, "EXERCISE zq-made-forged", [house.organisation.uri]), "actor": sender.uri("nobody")}
        assert (await sender.post("sister", inbox, bad)).status >= 400
        (answer,) = await wait_until(lambda: sender.got("Create"), "the answer came")
        note = answer["object"]
        assert (note["to"], answer["to"]) == ([sender.uri("sister")], [sender.uri("sister")])
        assert f"{house.origin}/request?lang=ar" in note["content"]
        assert "zq-made-" not in str(answer)
        await wait_until(lambda: b"zq-made-" not in house.files(), "its bytes are gone")
        await asyncio.sleep(0)
        assert len(sender.got("Create")) == 1, "once a day"
        assert "zq-made-" not in caplog.text + "".join(capfd.readouterr())
        assert house.received()["waiting"] == 0


@pytest.mark.parametrize(("written", "expected"), [("true", True), ("false", False), ("0", False), ("YES", True)])
def test_the_setting_that_takes_the_page_away_is_read_strictly(tmp_path, written, expected):
    assert load(tmp_path, {"TADAMUN_REQUESTS": written}).requests is expected
    with pytest.raises(ConfigurationError, match="requests"):
        load(tmp_path, {"TADAMUN_REQUESTS": "flase"})

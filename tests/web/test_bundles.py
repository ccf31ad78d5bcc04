"""An alert saved on one node's page and handed in on another's: by file, by paper, within bounds."""

import asyncio
import json
import re
from datetime import timedelta
from io import BytesIO

import pytest
import segno

from node import bundles, media
from node.errors import ProtocolError
from node.models import documents, logs
from node.web.languages import Languages
from node.web.render import Renderer
from node.web.uploads import A_MINUTE, parse_form
from node.web.views import BundleView
from tests.support.network import Network, page_of, said_by, wait_until
from tests.support.pictures import camera, developed, shot
from tests.web.samples import frame
from tests.web.test_render import BUDGET, ROOM, SERVED, Reader

EDGE = "edge-of-an-exercise"
KIND = f"multipart/form-data; boundary={EDGE}"
LANGUAGES = Languages()
RENDERER = Renderer(LANGUAGES)
LIMIT = 4 * 1024 * 1024


def form(**fields):
    parts = [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(parts) + f"--{EDGE}--\r\n".encode()


async def hand_in(net, house, raw, field="bundle", language="en", kind=KIND):
    headers = {"Content-Type": kind, "Accept-Language": language}
    return await net.request("POST", house.origin + "/bundles", BytesIO(form(**{field: raw})), headers)


def counts(answer):
    """Taken, held, skipped, refused, as the page says."""
    return [int(text) for text in re.findall(r"<dt>[^<]*</dt><dd>(\d+)</dd>", answer.text)]


async def saved(house, said):
    answer = await house.get(page_of(said) + "/bundle")
    assert answer.status == 200
    return answer


async def test_an_alert_saved_here_is_proved_there_though_the_two_never_met(tmp_path):
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        said = await a.publish(status="actual", translations={})
        page = (await a.get(page_of(said), Accept_Language="ar")).text
        assert "حفظ موقّعاً" in page
        assert f'href="{page_of(said)}/bundle"' in page
        answer = await saved(a, said)
        assert answer.headers["content-type"] == "application/jsonl"
        assert answer.headers["content-disposition"] == f'attachment; filename="tadamun-{page_of(said)[8:]}.jsonl"'
        await a.stop()
        assert counts(await hand_in(net, c, answer.body)) == [0, 0, 2, 0], "nobody pinned its author yet"
        await c.pin_row(a.organisation)
        taken = await hand_in(net, c, answer.body)
        assert (taken.status, counts(taken)) == (200, [2, 0, 0, 0])
        assert f'href="{page_of(said)}"' in taken.text
        shown = (await c.get(page_of(said), Accept_Language="en")).text
        assert "signature intact" in shown and "Exercise organisation a" in shown
        assert (await saved(c, said)).body == answer.body, "it goes on from there as it came"
        assert counts(await hand_in(net, c, answer.body)) == [0, 2, 0, 0]


async def test_what_was_handed_in_travels_on_to_other_members(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        said = await a.publish(status="actual", translations={})
        raw = (await saved(a, said)).body
        await a.stop()
        b, c = await net.members("b", "c")
        for house in (b, c):
            await house.pin_row(a.organisation)
        await hand_in(net, b, raw)
        await wait_until(lambda: c.holds(said), "the other member has it too")


async def test_paper_is_enough(tmp_path):
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        short = {"narrative": "Exercise: held since noon.", "link_to_work": "Exercise.", "demands": ["x"]}
        said = await a.publish(status="actual", translations={}, headline="Exercise: short words", **short)
        bundle = (await saved(a, said)).body
        alone = bundles.render([bundle.split(b"\n")[-2]], net.clock())
        code = bundles.render_code(bundle) or bundles.render_code(alone)
        assert code is not None
        answer = await a.get(page_of(said) + "/qr.svg")
        assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.body.startswith(b"<svg") and b"<path" in answer.body and b"style" not in answer.body
        await c.pin_row(a.organisation)
        assert counts(await hand_in(net, c, code.encode(), "code"))[0] >= 1
        assert "signature intact" in (await c.get(page_of(said), Accept_Language="en")).text


async def test_a_code_that_cannot_hold_the_proof_holds_the_address_and_the_digest(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        words = " ".join(f"exercise{n * 7919 % 10007:x}" for n in range(900))
        said = await a.publish(status="actual", narrative=words, translations={})
        content = a.entries(a.did)[-1].header.content
        expected = BytesIO()
        segno.make(f"{said.url}#{content}", error="l", boost_error=False, micro=False).save(
            expected, kind="svg", omitsize=True, border=4, dark="#000", light="#fff", xmldecl=False, svgclass=None,
            lineclass=None,
        )  # fmt: skip
        assert (await a.get(page_of(said) + "/qr.svg")).body == expected.getvalue()


async def test_exercises_and_what_was_withdrawn_cannot_be_saved(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        drill = await a.publish()
        said = await a.publish(status="actual", translations={})
        await a.withdraw(said.id)
        assert f"{page_of(drill)}/bundle" not in (await a.get(page_of(drill))).text
        for end in ("/bundle", "/qr.svg"):
            assert (await a.get(page_of(drill) + end)).status == 404
            assert (await a.get(page_of(said) + end)).status == 410
            assert (await a.get("/alerts/0123456789abcdef" + end)).status == 404


async def test_what_somebody_changed_is_refused_and_the_rule_is_named(tmp_path):
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        said = await a.publish(status="actual", translations={}, headline="Exercise: true words")
        await c.pin_row(a.organisation)
        raw = (await saved(a, said)).body.replace(b"true words", b"false word")
        answer = await hand_in(net, c, raw)
        assert counts(answer) == [1, 0, 0, 1]
        assert "FEP-8b32" in answer.text
        assert (await c.get(page_of(said))).status == 404


async def test_a_stub_that_nobody_signed_for_keeps_no_text_away(tmp_path):
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        said = await a.publish(status="actual", translations={})
        await a.publish(status="actual", translations={}, headline="Exercise: the next")
        first, second, third = a.entries(a.did)
        await c.pin_row(a.organisation)
        stub = json.dumps({"stub": second.header.value()}).encode()
        answer = await hand_in(net, c, bundles.render([first.raw, stub, third.raw], net.clock()))
        assert counts(answer) == [2, 0, 0, 0]
        assert not [entry for entry in c.entries(a.did) if entry.state == logs.STUB]
        assert (await c.sync(a)).problem == ""
        assert await c.holds(said)
        assert c.read(lambda connection: documents.evidence_of(connection, c.did)) == ()


async def test_our_own_words_do_not_come_from_a_form(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        head = a.entries(a.did)[-1].header
        forged = said_by(a, "Update", {"type": "Note"}, position=(1, 2, head.digest))
        assert counts(await hand_in(net, a, bundles.render([forged], net.clock()))) == [0, 0, 1, 0]
        assert a.head(a.did) == (1, 1)


async def test_the_form_is_one_page_with_its_own_policy(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        answer = await a.get("/bundles")
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        for path in ("/", "/members", "/press"):
            assert "form-action 'none'" in (await a.get(path)).headers["content-security-policy"]
        home = (await a.get("/?lang=en")).text
        assert 'href="/bundles?lang=en"' in home


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (b"", 400, "not a signed file"),
        (b"hello", 400, "not a signed file"),
        (b'{"tadamun": "bundle", "version": 2}\n', 400, "not a signed file"),
        (b'{"tadamun": "bundle", "version": 1}\n' + b"{}\n" * 1001, 413, "too large"),
        (b'{"tadamun": "bundle", "version": 1}\n' + b" " * LIMIT, 413, "too large"),
        (b"x" * (LIMIT + 64 * 1024), 413, "too large"),
        (b"TADAMUN1:A", 400, "not a signed file"),
    ],
)
async def test_what_cannot_be_read_is_answered_in_clear_words(tmp_path, raw, status, words):
    async with Network(tmp_path) as net:
        a = await net.house("a", start=False)
        await a.start(workers=False)
        answer = await hand_in(net, a, raw)
        assert (answer.status, words in answer.text) == (status, True)


async def test_pictures_come_with_a_file_where_an_alert_needs_them(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(camera())
    files = [each for pair in (developed(camera()), developed(camera(2))) for each in pair]
    lines = [bundles.render_picture(each.medium.digest, each.raw) for each in files]
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c", start=False)
        await c.start(workers=False)
        said = await a.publish(status="actual", translations={}, media=[shot()])
        alone = (await saved(a, said)).body
        await c.pin_row(a.organisation)
        assert counts(await hand_in(net, c, alone + lines[0].replace(b"A", b"B") + b"\n"))[3] == 1
        assert (await c.get(media.path(files[0].medium.digest))).status == 404
        assert (await hand_in(net, c, alone + b"\n".join(lines) + b"\n")).status == 200
        for each, status in zip(files, (200, 200, 404, 404), strict=True):
            answer = await c.get(media.path(each.medium.digest))
            assert (answer.status, answer.body == each.raw) == (status, status == 200)
        assert len(list((c.data / "media").iterdir())) == 2


async def test_many_files_at_once_are_put_off(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        for _ in range(A_MINUTE):
            assert (await hand_in(net, a, b"x")).status == 400
        answer = await hand_in(net, a, b"x", language="ar")
        assert (answer.status, answer.headers["retry-after"]) == (429, "60")
        assert "يُرجى إعادة المحاولة بعد دقيقة" in answer.text
        net.clock.forward(timedelta(minutes=1))
        assert (await hand_in(net, a, b"x")).status == 400


async def test_many_who_send_slowly_are_put_off_and_take_nothing_with_them(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        host, port = a.places[0]
        slow = []
        for _ in range(8):
            _, writer = await asyncio.open_connection(host, port)
            head = f"POST /bundles HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {KIND}\r\nContent-Length: 1000"
            writer.write(head.encode() + b"\r\n\r\nx")
            slow.append(writer)
        await wait_until(lambda: _put_off(net, a), "there is no room")
        assert (await a.get("/")).status == 200
        for writer in slow:
            writer.close()
        net.clock.forward(timedelta(minutes=1))
        await wait_until(lambda: _taken(net, a), "there is room again")


async def _put_off(net, house):
    net.clock.forward(timedelta(minutes=1))
    return (await hand_in(net, house, b"x")).status == 429


async def _taken(net, house):
    return (await hand_in(net, house, b"x")).status == 400


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", form(bundle=b"x")),
        ("multipart/form-data", form(bundle=b"x")),
        ("multipart/form-data; boundary=other", form(bundle=b"x")),
        (KIND, form(bundle=b"x")[:-6]),
        (KIND, b""),
        (KIND, form(**{f"f{n}": b"x" for n in range(20)})),
        (KIND, form(bundle=b"x").replace(b' name="bundle"', b"")),
    ],
)
def test_what_is_no_form_is_refused(kind, body):
    with pytest.raises(ProtocolError):
        parse_form(kind, body)


@pytest.mark.parametrize("kind", [KIND, f'Multipart/Form-Data; boundary="{EDGE}"', f"{KIND}; charset=utf-8"])
def test_a_form_is_read(kind):
    assert parse_form(kind, form(bundle=b"a\r\nb", code=b"")) == {"bundle": b"a\r\nb", "code": b""}


@pytest.mark.parametrize("code", ["ar", "en"])
@pytest.mark.parametrize(
    "view",
    [
        BundleView(),
        BundleView(problem=413, reasons=("more than 4194304 bytes (RFC 9110 §15.5.14)",)),
        BundleView(done=True, new=2, refused=1, reasons=("line 3: <x>",), alerts=(("/alerts/a", "<عنوان>", "ar"),)),
        BundleView(done=True),
    ],
)
def test_the_page_is_whole_and_small_and_runs_nothing(code, view):
    text = RENDERER.page("bundles/index.html", LANGUAGES.locales[code], frame("/bundles"), bundle=view).decode()
    reader = Reader(text)
    assert len(reader.all("h1")) == len(reader.all("form")) == 1
    assert {field["id"] for field in reader.all("input") + reader.all("textarea")} == {
        label["for"] for label in reader.all("label")
    }
    assert "<x>" not in text and "<عنوان>" not in text
    for tag, attributes in reader.tags:
        assert tag not in {"script", "style", "iframe"}
        assert not {key for key in attributes if key == "style" or key.startswith("on")}
    assert len(text.encode()) + SERVED < BUDGET - ROOM

"""The HTTP below: what a framework, a parser or a proxy may get wrong."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from node.federation.protocol.activities import AS2
from node.federation.protocol.messages import ACTIVITY_JSON
from node.models import queues
from tests.advisories.stage import Scene
from tests.support.letters import (
    Letter,
    send,
)

ROOT = Path(__file__).parents[2]


async def test_45_a_forged_address_opens_nothing(scene: Scene) -> None:
    place, host = scene.house.places[0], scene.house.organisation.host
    for headers, status in (
        ((("host", host),), 200),
        ((("host", host), ("x-forwarded-for", "127.0.0.1")), 404),
        ((("host", host), ("forwarded", "for=127.0.0.1")), 404),
        ((("host", "org.example"),), 404),
        ((("host", "127.0.0.1.evil.example"),), 404),
        ((("host", "127.0.0.1@evil.example"),), 404),
    ):
        assert (await send(place, Letter("/metrics", headers, b"", "GET").raw())).status == status, headers


def test_78_no_xml_is_read() -> None:
    """Our own host-meta, feeds and CAP files are written; `saxutils` only escapes."""
    reads = re.compile(
        r"^(?:import|from) (?!xml\.sax\.saxutils|xml\.etree import ElementTree$)(?:xml|lxml|defusedxml)\b"
        r"|ElementTree\.(?:parse|iterparse|fromstring|fromstringlist|XML|XMLID|XMLParser|XMLPullParser)\b",
        re.M,
    )
    assert [path for path in (ROOT / "node").rglob("*.py") if reads.search(path.read_text("utf-8"))] == []


async def test_81_ranges_are_not_computed(scene: Scene) -> None:
    ranges = "bytes=" + ",".join(f"{number}-{number + 5}" for number in range(0, 5000, 2))
    headers = (("host", scene.house.organisation.host), ("range", ranges[:8000].rpartition(",")[0]))
    whole = await scene.house.get("/static/site.css")
    began = time.process_time()
    answer = await send(scene.house.places[0], Letter("/static/site.css", headers, b"", "GET").raw())
    assert (answer.status, answer.body) == (200, whole.body)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "host",
    [
        "a/b?",
        "evil.example/healthz?",
        "evil.example#",
        "evil.example",
        "",
        "[",
        "a b",
        "x:99999",
        "127.0.0.1/metrics?",
        "\\evil",
    ],
)
async def test_82_no_host_header_changes_what_a_path_is(scene: Scene, host: str) -> None:
    for path, good in (("/healthz", 200), ("/metrics", 404), ("/nothing", 404), ("/alerts", 200), ("/actor", 200)):
        answer = await send(scene.house.places[0], Letter(path, (("host", host),), b"", "GET").raw())
        assert answer.status in (good, 400), path
        assert "evil" not in answer.text
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "method",
    ["DISPATCH", "__INIT__", "TRACE", "CONNECT", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "GETX", "get"],
)
async def test_83_no_method_reaches_more_than_its_route(scene: Scene, method: str) -> None:
    for path in ("/", "/alerts", "/inbox", "/healthz", "/metrics", f"/.well-known/apgateway/{scene.house.did}/actor"):
        answer = await send(
            scene.house.places[0], Letter(path, (("host", scene.house.organisation.host),), b"", method).raw()
        )
        assert answer.status in (400, 404, 405), path
        assert scene.house.organisation.host not in answer.text


async def test_84_a_body_that_nobody_wants_is_not_read(scene: Scene) -> None:
    """Fifty megabytes of form fields to any path: answered at once, and others are answered meanwhile."""
    for path in (
        "/",
        "/alerts",
        "/members",
        "/healthz",
        f"/.well-known/apgateway/{scene.house.did}/actor",
        "/nothing",
        "/inbox",
        "/metrics",
    ):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            head = Letter(
                path,
                (("host", scene.house.organisation.host), ("content-type", kind), ("content-length", str(50 * 2**20))),
                b"",
            ).raw()
            reader, writer = await asyncio.open_connection(*scene.house.places[0])
            writer.write(head + b"a=1&" * 5000)
            async with asyncio.timeout(5):
                status = (await reader.readline()).split()[1]
                health = await scene.house.get("/healthz")
            writer.close()
            assert status in (b"404", b"405", b"413", b"415"), path
            assert health.status == 200


async def test_85_no_path_leaves_the_folder_of_static_files(scene: Scene) -> None:
    for path in (
        "../render.py",
        "..%2frender.py",
        "%2e%2e/render.py",
        "..%5crender.py",
        "/etc/passwd",
        "site.css/../../render.py",
        "..",
        "",
        "site.css%00.png",
        "//etc/passwd",
        "../static_evil/x",
    ):
        answer = await send(scene.house.places[0], Letter(f"/static/{path}", (("host", "x"),), b"", "GET").raw())
        assert answer.status in (400, 404), path
        assert "import" not in answer.text


def test_86_no_form_parser_is_installed_with_us() -> None:
    assert "multipart" not in (ROOT / "requirements" / "main.txt").read_text("utf-8")
    assert "multipart" not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_87_pinned_libraries_are_new_enough() -> None:
    lines = (ROOT / "requirements" / "main.txt").read_text("utf-8").splitlines()
    pinned = dict(
        line.split(" ")[0].split("==", 1) for line in lines if "==" in line and not line.startswith((" ", "#"))
    )
    for name, least in (
        ("aiohttp", (3, 14, 2)),
        ("starlette", (1, 3, 1)),
        ("uvicorn", (0, 54)),
        ("cryptography", (50,)),
        ("jinja2", (3, 1, 6)),
    ):
        found = tuple(int(part) for part in pinned[name].rstrip("\\").strip().split("."))
        assert found >= least, name


async def test_88_a_request_has_one_length(scene: Scene) -> None:
    """Two lengths, a length and chunks, or a chunk that lies: refused, and nothing after it is taken for a request."""
    good = scene.amal.letter(scene.house, scene.amal.says("Like", AS2, id=scene.amal.uri + "/smuggled"))
    inner = good.raw()
    for headers, body in (
        ((("content-length", "5"), ("content-length", "6")), b"aaaaaa"),
        ((("content-length", "4"), ("transfer-encoding", "chunked")), b"0\r\n\r\n"),
        ((("transfer-encoding", "chunked"), ("transfer-encoding", "identity")), b"0\r\n\r\n"),
        ((("transfer-encoding", "xchunked"),), b"0\r\n\r\n"),
        ((("content-length", "-1"),), b""),
        ((("content-length", "+5"),), b"aaaaa"),
        ((("transfer-encoding", "chunked"),), b"5\r\naaaaaXX0\r\n\r\n"),
        ((("transfer-encoding", "chunked"),), b"-5\r\naaaaa\r\n0\r\n\r\n"),
    ):
        base = Letter(
            "/inbox", (("host", scene.house.organisation.host), ("content-type", ACTIVITY_JSON), *headers), b""
        )
        raw = base.raw().replace(b"connection: close\r\n", b"")
        if b"content-length: 0" in raw and ("content-length", "0") not in headers:
            raw = raw.replace(b"content-length: 0\r\n", b"")
        try:
            answer = await send(scene.house.places[0], raw + body + inner)
            assert answer.text.count("HTTP/1.1") == 0
        except (TimeoutError, ConnectionError):
            pass
    await scene.work()
    table = queues.incoming
    found = scene.house.read(lambda connection: connection.execute(select(table.c.activity_id)).scalars().all())
    assert scene.amal.uri + "/smuggled" not in found

"""The only way out, against real servers on loopback that misbehave in every way a stranger may."""

import asyncio
import gzip
import json
import socket
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from node.errors import FetchError, ProtocolError
from node.federation.fetcher import Answer, Fetcher
from node.federation.protocol.addressing import Policy
from node.federation.protocol.messages import ACTIVITY_JSON, Request
from tests.support.strangers import Act, http, saying, serving, tor, trusted

LOOPBACK = Policy((ip_network("127.0.0.0/8"), ip_network("::1/128")))
ONE_PEER = Policy((ip_network("127.0.0.5/32"),))
"""Of all loopback addresses one alone is allowed, so the others stand for what must never be reached."""
NOTE = {"id": "https://peer.example/note", "type": "Note"}
BODY = json.dumps(NOTE).encode()

def note(body: bytes = BODY, **headers: str) -> Act:
    return saying(http(body=body, **{"Content_Type": ACTIVITY_JSON, **headers}))


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(LOOPBACK, None, "Tadamun/test", deadline=3) as made:
        yield made


async def refusal(fetcher: Fetcher, url: str, **options: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.get_json(url, **options)  # type: ignore[arg-type]
    assert "127.0" not in str(caught.value)
    return caught.value


# --- GET


async def test_a_document_is_fetched_with_its_bytes(fetcher: Fetcher) -> None:
    async with serving(note()) as peer:
        url = f"http://127.0.0.1:{peer.port}/a%2Fb//c?d=%7E#main-key"
        where, document = await fetcher.get_json(url)
    assert where == f"http://127.0.0.1:{peer.port}/a%2Fb//c?d=%7E"
    assert (document.raw, document.value) == (BODY, NOTE)
    head = peer.asked[0]
    assert head.startswith("GET /a%2Fb//c?d=%7E HTTP/1.1\r\n")
    assert head.lower().count("\r\nhost:") == head.lower().count("\r\nuser-agent:") == 1
    assert "\r\nuser-agent: Tadamun/test\r\n" in head
    assert 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"' in head
    assert "cookie" not in head.lower()


async def test_a_signer_sees_the_raw_request_and_its_headers_are_sent(fetcher: Fetcher) -> None:
    seen: list[Request] = []

    def sign(request: Request) -> tuple[tuple[str, str], ...]:
        seen.append(request)
        return (("Date", "Fri, 20 Nov 2026 12:00:00 GMT"), ("Signature", f'keyId="k{len(seen)}"'))

    async with serving(note()) as peer:
        await fetcher.get_json(f"http://127.0.0.1:{peer.port}/a?b=%2f", signer=sign)
    assert (seen[0].method, seen[0].target) == ("GET", "/a?b=%2f")
    assert seen[0].header("host") == f"127.0.0.1:{peer.port}"
    assert seen[0].header("date") is None
    assert 'signature: keyId="k1"' in peer.asked[0]
    assert "date: Fri, 20 Nov 2026 12:00:00 GMT" in peer.asked[0]


async def test_a_connection_is_kept_for_the_next_question(fetcher: Fetcher) -> None:
    async with serving(note()) as peer:
        for _ in range(5):
            await fetcher.get_json(f"http://127.0.0.1:{peer.port}/")
    assert (peer.connections, len(peer.asked)) == (1, 5)


async def test_cookies_are_never_sent_back(fetcher: Fetcher) -> None:
    async with serving(note(Set_Cookie="who=us; Path=/")) as peer:
        for _ in range(2):
            await fetcher.get_json(f"http://localhost:{peer.port}/")
    assert "cookie" not in "".join(peer.asked).lower()


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/html", "image/png", "application/ld+json", "", f"{ACTIVITY_JSON}, text/html"],
)
async def test_a_document_of_another_type_is_not_taken(fetcher: Fetcher, content_type: str) -> None:
    async with serving(note(Content_Type=content_type)) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert (error.retryable, error.status) == (False, 200)


async def test_two_content_types_are_none(fetcher: Fetcher) -> None:
    async with serving(note(content_type="text/html")) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert not error.retryable


async def test_what_is_not_json_is_a_broken_standard_not_a_broken_wire(fetcher: Fetcher) -> None:
    async with serving(note(b'{"a":1,"a":2}')) as peer:
        with pytest.raises(ProtocolError):
            await fetcher.get_json(f"http://127.0.0.1:{peer.port}/")


@pytest.mark.parametrize(
    ("status", "retryable"),
    [("201 Created", False), ("204 No Content", False), ("206 Partial", False), ("304 Not Modified", False),
     ("401 Unauthorized", False), ("403 Forbidden", False), ("404 Not Found", False), ("410 Gone", False),
     ("408 Timeout", True), ("429 Slow down", True), ("500 Oops", True), ("503 Later", True)],
)  # fmt: skip
async def test_a_status_says_whether_later_may_help(fetcher: Fetcher, status: str, retryable: bool) -> None:
    async with serving(saying(http(status, Retry_After="120"))) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert (error.status, error.retryable, error.retry_after) == (int(status[:3]), retryable, 120)


# --- size and time


async def test_a_gzip_body_is_inflated(fetcher: Fetcher) -> None:
    async with serving(note(gzip.compress(BODY), Content_Encoding="gzip")) as peer:
        _, document = await fetcher.get_json(f"http://127.0.0.1:{peer.port}/")
    assert document.raw == BODY


def bomb() -> bytes:
    return gzip.compress(b" " * 50_000_000)


def empty_blocks() -> bytes:
    """Valid gzip for ever that inflates to nothing."""
    deflate = zlib.compressobj(wbits=31)
    return deflate.compress(b"") + deflate.flush(zlib.Z_FULL_FLUSH) + b"\0\0\0\xff\xff" * 30_000


def cut_short() -> bytes:
    return gzip.compress(BODY)[:-4]


def with_a_tail() -> bytes:
    return gzip.compress(BODY) + b"more"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (bomb, "over 100000 bytes"),
        (empty_blocks, "over 100000 bytes"),
        (cut_short, "without a proper end"),
        (with_a_tail, "without a proper end"),
        (lambda: BODY, "not gzip"),
    ],
)
async def test_a_gzip_body_that_is_a_trap_is_dropped(
    fetcher: Fetcher, make: Callable[[], bytes], reason: str
) -> None:
    async with serving(note(make(), Content_Encoding="gzip")) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/", limit=100_000)
    assert reason in error.reason


async def test_a_gzip_bomb_never_unfolds_in_memory(fetcher: Fetcher) -> None:
    async with serving(note(bomb(), Content_Encoding="gzip")) as peer:
        tracemalloc.start()
        try:
            await refusal(fetcher, f"http://127.0.0.1:{peer.port}/", limit=100_000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
async def test_an_encoding_nobody_asked_for_is_not_taken(fetcher: Fetcher, encoding: str) -> None:
    async with serving(note(Content_Encoding=encoding)) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert (error.retryable, error.reason) == (False, "a Content-Encoding that was not asked for")


async def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not(fetcher: Fetcher) -> None:
    async with serving(note()) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        await fetcher.get_json(url, limit=len(BODY))
        error = await refusal(fetcher, url, limit=len(BODY) - 1)
    assert not error.retryable


async def test_a_body_without_end_is_cut_at_the_limit(fetcher: Fetcher) -> None:
    sent = 0

    async def flood(head: str, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(http(Content_Type=ACTIVITY_JSON, Transfer_Encoding="chunked"))
        while sent < 50_000_000:
            writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
            sent += 0x2000
            await writer.drain()

    async with serving(flood) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/", limit=100_000)
    assert "over 100000 bytes" in error.reason
    assert sent < 20_000_000


async def test_headers_without_end_are_cut(fetcher: Fetcher) -> None:
    async def flood(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            writer.write(f"X-{number}: {'a' * 1000}\r\n".encode())
            await writer.drain()

    async with serving(flood) as peer:
        started = time.monotonic()
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert error.retryable
    assert time.monotonic() - started < 2.5


async def test_one_header_line_without_end_is_cut(fetcher: Fetcher) -> None:
    async with serving(saying(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000)) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert (error.retryable, error.reason) == (True, "the answer is not HTTP")


async def dribble_body(head: str, writer: asyncio.StreamWriter) -> None:
    writer.write(http(Content_Type=ACTIVITY_JSON, Content_Length="1000"))
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def dribble_head(head: str, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def say_nothing(head: str, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def continue_for_ever(head: str, writer: asyncio.StreamWriter) -> None:
    for _ in range(1000):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("act", [dribble_body, dribble_head, say_nothing, continue_for_ever])
async def test_the_deadline_is_for_the_whole_call(act: Act) -> None:
    async with serving(act) as peer, Fetcher(LOOPBACK, None, "t", deadline=0.3) as fetcher:
        started = time.monotonic()
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
        assert error.retryable
        assert time.monotonic() - started < 1.5
        with pytest.raises(FetchError) as caught:
            await fetcher.post(f"http://127.0.0.1:{peer.port}/", b"{}", ())
        assert caught.value.retryable


# --- redirects


def redirecting(*locations: str) -> Act:
    """Answers each question with the next location, then with the note."""
    left = list(locations)

    async def act(head: str, writer: asyncio.StreamWriter) -> None:
        final = http(body=BODY, Content_Type=ACTIVITY_JSON)
        writer.write(http("302 Found", Location=left.pop(0)) if left else final)
        await writer.drain()

    return act


async def test_three_redirects_are_followed_and_each_is_signed_anew(fetcher: Fetcher) -> None:
    targets: list[str] = []

    def sign(request: Request) -> tuple[tuple[str, str], ...]:
        targets.append(request.target)
        return (("signature", f"for {request.target}"),)

    async with serving(note()) as peer:
        peer.act = redirecting("/b", "c?d#e", f"//127.0.0.1:{peer.port}/f")
        where, _ = await fetcher.get_json(f"http://127.0.0.1:{peer.port}/a", signer=sign)
    assert where == f"http://127.0.0.1:{peer.port}/f"
    assert targets == ["/a", "/b", "/c?d", "/f"]
    for target, head in zip(targets, peer.asked, strict=True):
        assert f"signature: for {target}\r\n" in head


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
async def test_a_redirect_to_itself_ends(fetcher: Fetcher, status: str) -> None:
    async with serving(saying(http(status, Location="/"))) as peer:
        error = await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")
    assert (len(peer.asked), error.retryable) == (4, False)


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
     "http://0.0.0.0:{port}/", "http://localhost:{port}/x", "http://169.254.169.254/", "http://[::1",
     "ftp://127.0.0.5:{port}/", "http://u@127.0.0.5:{port}/", "http://abc.onion/", "http://peer.example/",
     "http://é.example/", "javascript:1"],
)  # fmt: skip
async def test_a_redirect_to_a_forbidden_place_is_not_followed(location: str) -> None:
    async with serving(note(), "127.0.0.1") as secret:
        act = saying(http("302 Found", Location=location.format(port=secret.port)))
        async with serving(act, "127.0.0.5") as peer, Fetcher(ONE_PEER, None, "t", deadline=3) as fetcher:
            error = await refusal(fetcher, f"http://127.0.0.5:{peer.port}/")
            assert len(peer.asked) == 1
        assert secret.connections == 0
    # `localhost` is a name: it is refused when it is dialled, and names may be mended.
    assert error.retryable is ("localhost" in location)


async def test_a_redirect_to_nowhere_is_refused(fetcher: Fetcher) -> None:
    async with serving(saying(http("302 Found"))) as peer:
        assert not (await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")).retryable


# --- addresses


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "0.0.0.0", "0",
     "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
     "[2002:7f00:1::]", "127.0.0.1.", "１２７.0.0.1", "u@127.0.0.1", "127.0.0.5@127.0.0.1"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_a_forbidden_address_is_reached(host: str, scheme: str) -> None:
    async with serving(note(), "127.0.0.1") as secret, Fetcher(ONE_PEER, None, "t", deadline=3) as fetcher:
        await refusal(fetcher, f"{scheme}://{host}:{secret.port}/")
        with pytest.raises(FetchError):
            await fetcher.post(f"{scheme}://{host}:{secret.port}/", b"{}", ())
        assert secret.connections == 0


async def test_a_name_is_called_over_tls_at_an_address_it_has(tmp_path: Path) -> None:
    server, client = trusted(tmp_path, "peer.example")
    async with serving(note(), "127.0.0.5", ssl=server) as peer:
        url = f"https://peer.example:{peer.port}/note"
        # Two answers: the forbidden one is passed over, the allowed one is dialled.
        answers = ["127.0.0.1", "127.0.0.5"]
        async with Fetcher(ONE_PEER, None, "t", resolve=lambda _: answers, trust=client) as fetcher:
            where, _ = await fetcher.get_json(url)
            assert await fetcher.post(url, b"{}", ()) == Answer(200, 0)
        assert (where, peer.connections) == (url, 1)
        async with Fetcher(ONE_PEER, None, "t", resolve=lambda _: ["127.0.0.5"]) as stranger:
            error = await refusal(stranger, url)
    assert (error.retryable, error.reason) == (True, "a TLS certificate that does not hold")


async def test_a_certificate_for_another_name_does_not_hold(tmp_path: Path) -> None:
    server, client = trusted(tmp_path, "other.example")
    async with (
        serving(note(), "127.0.0.5", ssl=server) as peer,
        Fetcher(ONE_PEER, None, "t", resolve=lambda _: ["127.0.0.5"], trust=client) as fetcher,
    ):
        error = await refusal(fetcher, f"https://peer.example:{peer.port}/")
    assert error.reason == "a TLS certificate that does not hold"


async def test_tls_to_a_server_without_it_is_no_connection(fetcher: Fetcher) -> None:
    async with serving(note()) as peer:
        error = await refusal(fetcher, f"https://127.0.0.1:{peer.port}/")
    assert error.retryable


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"],
     ["::1", "127.0.0.1"], ["0.0.0.0"], ["::"], ["127.0.0.1"] * 5000],
)  # fmt: skip
async def test_a_name_that_leads_to_a_forbidden_address_is_not_dialled(answers: list[str]) -> None:
    async with serving(note(), "127.0.0.1") as secret:
        async with Fetcher(ONE_PEER, None, "t", resolve=lambda _: answers, deadline=3) as fetcher:
            error = await refusal(fetcher, f"https://peer.example:{secret.port}/")
        assert secret.connections == 0
    assert error.retryable
    assert "not public" in error.reason


async def test_a_name_that_changes_its_answer_gains_nothing(tmp_path: Path) -> None:
    server, client = trusted(tmp_path, "peer.example")
    calls = 0

    def rebind(name: str) -> list[str]:
        nonlocal calls
        calls += 1
        return ["127.0.0.5"] if calls % 2 else ["127.0.0.1"]

    async with (
        serving(note(), "127.0.0.5", ssl=server) as peer,
        serving(note(), "127.0.0.1", port=peer.port, ssl=server) as secret,
    ):
        for turn in range(6):
            async with Fetcher(ONE_PEER, None, "t", resolve=rebind, trust=client, deadline=3) as fetcher:
                if turn % 2 == 0:
                    await fetcher.get_json(f"https://peer.example:{peer.port}/")
                else:
                    error = await refusal(fetcher, f"https://peer.example:{peer.port}/")
                    assert "not public (loopback)" in error.reason
        assert (peer.connections, secret.connections, calls) == (3, 0, 6)


@pytest.mark.parametrize("resolve", [lambda _: [], lambda _: ["not an address"]])
async def test_a_name_without_an_address_may_have_one_later(resolve: Callable[[str], list[str]]) -> None:
    async with Fetcher(LOOPBACK, None, "t", resolve=resolve, deadline=3) as fetcher:
        assert (await refusal(fetcher, "https://peer.example/")).retryable


async def test_a_name_that_no_server_knows_may_be_known_later() -> None:
    def fail(_: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async with Fetcher(LOOPBACK, None, "t", resolve=fail, deadline=3) as fetcher:
        error = await refusal(fetcher, "https://peer.example/")
    assert (error.retryable, error.reason) == (True, "the name cannot be looked up")


async def test_a_closed_port_is_a_plain_reason(fetcher: Fetcher) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        error = await refusal(fetcher, f"http://127.0.0.1:{probe.getsockname()[1]}/")
    assert (error.retryable, error.reason) == (True, "the connection was refused")


async def hang_up(head: str, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def break_off(head: str, writer: asyncio.StreamWriter) -> None:
    writer.write(http(Content_Type=ACTIVITY_JSON, Content_Length="1000") + b"{")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "act", [hang_up, break_off, saying(b"SSH-2.0-OpenSSH\r\n\r\n"), saying(b"\0" * 100 + b"\r\n\r\n")]
)
async def test_a_broken_answer_is_a_plain_reason(fetcher: Fetcher, act: Act) -> None:
    async with serving(act) as peer:
        assert (await refusal(fetcher, f"http://127.0.0.1:{peer.port}/")).retryable


async def test_ipv6_is_called_at_its_literal_address(fetcher: Fetcher) -> None:
    try:
        async with serving(note(), "::1") as peer:
            where, _ = await fetcher.get_json(f"http://[0::1]:{peer.port}/")
    except OSError:
        pytest.skip("no IPv6 here")
    assert where == f"http://[::1]:{peer.port}/"
    assert f"\r\nhost: [::1]:{peer.port}\r\n" in peer.asked[0].lower()


# --- POST


async def test_a_delivery_carries_the_signed_headers_and_bytes_as_they_are(fetcher: Fetcher) -> None:
    async with serving(saying(http("202 Accepted"))) as peer:
        headers = (
            ("host", f"127.0.0.1:{peer.port}"),
            ("date", "Fri, 20 Nov 2026 12:00:00 GMT"),
            ("content-type", ACTIVITY_JSON),
            ("signature", 'keyId="k"'),
        )
        for _ in range(3):
            answer = await fetcher.post(f"http://127.0.0.1:{peer.port}/a%2Fb/inbox?x=%7e", BODY, headers)
            assert answer == Answer(202, 0)
    assert peer.connections == 1
    asked = peer.asked[2]
    assert asked.startswith("POST /a%2Fb/inbox?x=%7e HTTP/1.1\r\n")
    assert asked.endswith("\r\n\r\n" + BODY.decode())
    lines = asked.lower().split("\r\n")
    for name in ("host", "date", "content-type", "signature", "user-agent", "content-length"):
        assert sum(line.startswith(f"{name}:") for line in lines) == 1, name


async def test_a_delivery_follows_no_redirect(fetcher: Fetcher) -> None:
    async with serving(saying(http("307 x", Location="/elsewhere"))) as peer:
        assert (await fetcher.post(f"http://127.0.0.1:{peer.port}/inbox", b"{}", ())).status == 307
    assert len(peer.asked) == 1


async def test_a_delivery_reports_the_wait_the_peer_asks_for(fetcher: Fetcher) -> None:
    async with serving(saying(http("429 x", b"slow down", Retry_After="30"))) as peer:
        assert await fetcher.post(f"http://127.0.0.1:{peer.port}/inbox", b"{}", ()) == Answer(429, 30)


async def test_a_long_answer_to_a_delivery_is_not_read(fetcher: Fetcher) -> None:
    sent = 0

    async def flood(head: str, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(http("202 Accepted", Transfer_Encoding="chunked"))
        while sent < 50_000_000:
            writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
            sent += 0x2000
            await writer.drain()

    async with serving(flood) as peer:
        assert (await fetcher.post(f"http://127.0.0.1:{peer.port}/inbox", b"{}", ())).status == 202
    assert sent < 20_000_000


async def test_a_fetcher_may_be_made_outside_a_loop_and_closed_unused() -> None:
    made = await asyncio.to_thread(Fetcher, LOOPBACK, None, "t")
    await made.close()
    await made.close()


# --- onion hosts


def never(name: str) -> list[str]:
    raise AssertionError(f"{name} was looked up")


async def test_an_onion_host_is_reached_by_its_name_through_the_proxy_alone() -> None:
    async with serving(note()) as peer, tor(peer.port) as (proxy, wanted):
        async with Fetcher(Policy(), proxy, "t", resolve=never, deadline=3) as fetcher:
            where, _ = await fetcher.get_json("http://abcdef.onion/note")
            assert await fetcher.post("http://abcdef.onion/inbox", b"{}", ()) == Answer(200, 0)
        assert (where, wanted) == ("http://abcdef.onion/note", ["abcdef.onion"])
        assert "\r\nhost: abcdef.onion\r\n" in peer.asked[0]


async def test_no_other_host_goes_through_the_proxy() -> None:
    async with serving(note()) as peer, tor(peer.port) as (proxy, wanted):
        async with Fetcher(LOOPBACK, proxy, "t", deadline=3) as fetcher:
            await fetcher.get_json(f"http://127.0.0.1:{peer.port}/")
        assert wanted == []


async def test_an_onion_host_cannot_lead_us_out_of_tor() -> None:
    async with serving(note()) as outside:
        act = saying(http("302 Found", Location=f"http://127.0.0.1:{outside.port}/"))
        async with (
            serving(act) as peer,
            tor(peer.port) as (proxy, _),
            Fetcher(LOOPBACK, proxy, "t", deadline=3) as fetcher,
        ):
            error = await refusal(fetcher, "http://abcdef.onion/note")
        assert (error.retryable, outside.connections) == (False, 0)


async def test_without_a_proxy_an_onion_host_is_refused_by_the_setting_it_lacks(fetcher: Fetcher) -> None:
    error = await refusal(fetcher, "http://abcdef.onion/note")
    assert not error.retryable
    assert "socks_proxy" in error.reason


async def test_a_dead_proxy_is_a_plain_reason() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        proxy = f"socks5://127.0.0.1:{probe.getsockname()[1]}"
        async with Fetcher(Policy(), proxy, "t", deadline=3) as fetcher:
            error = await refusal(fetcher, "http://abcdef.onion/note")
    assert (error.retryable, error.reason) == (True, "the SOCKS proxy does not answer")

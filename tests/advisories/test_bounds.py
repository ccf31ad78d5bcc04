"""How much and how long: nothing a stranger sends costs, fetches or unpacks without end."""

import io
import json
import tarfile
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node import bundles
from node.app import Node
from node.desk.restoring import unpack
from node.errors import ConfigurationError, NodeError, ProtocolError, RefusedError
from node.federation import mirror, pages
from node.federation.mirror import Report
from node.federation.protocol import heads as head_tables
from node.federation.protocol import http_signatures, ids, message_signatures, messages, webfinger
from node.federation.protocol.activities import AS2
from node.models import contacts, deliveries, queues
from node.settings import Settings
from tests.advisories.stage import Scene, serve
from tests.support.letters import (
    Person,
    Portable,
    post,
    signed,
)
from tests.support.network import NOON, Network


async def test_24_quotes_in_every_federated_text_do_nothing(scene: Scene) -> None:
    bad = "x'\"); DROP TABLE objects; -- %00 %s {0} $1 \u0000 ؛ ` \\"
    house, amal = scene.house, scene.amal
    evil = Person("mallory", "evil.example", 3)
    quoted = evil.uri + "/x'--;%20OR%201=1"
    await scene.hear(
        evil,
        "Update",
        evil.document(name=bad, preferredUsername=bad, inbox=quoted, url=bad, alsoKnownAs=[quoted, bad]),
        id=quoted,
    )
    tags = [{"type": "Hashtag", "name": bad, "href": bad}, {"type": "Mention", "href": bad}]
    for number, (kind, value) in enumerate(
        (
            (
                "Create",
                amal.note(id=amal.uri + "/o'--", content=bad, tag=tags, published=bad, updated=bad, inReplyTo=bad),
            ),
            ("Update", amal.note(id=amal.uri + "/o'--", content=bad, updated=bad)),
            ("Follow", bad),
            (bad[:90], {"id": quoted, "type": bad}),
            ("Announce", quoted),
            ("Move", amal.uri),
            ("Flag", [quoted]),
            ("Undo", quoted),
        )
    ):
        letter = amal.letter(house, amal.says(kind, value, id=f"{amal.uri}/a'{number}--", target=quoted, summary=bad))
        assert (await scene.take(letter))[1] != "failed"
    odd = signed(house, amal.says("Like", AS2, id=amal.uri + "/q"), amal.private, "https://peer.example/k'--;#x'")
    assert (await post(house, odd)).status == 202
    held = scene.stored(amal.uri + "/o'--")
    assert held is not None
    assert json.loads(held.raw or b"")["content"] == bad
    base = f"/.well-known/apgateway/{house.did}"
    for path in (
        "/alerts/x'--",
        f"/alerts/page/{'9' * 30}",
        f"/alerts/page/{'9' * 5000}",
        "/alerts/page/%C2%B2",
        f"{base}/actor/outbox/{'9' * 30}/1",
        f"{base}/actor/outbox/%C2%B2/1",
        f"{base}/actor/outbox/1",
        f"{base}/log/%C2%B2/1",
        f"{base}/log/{'9' * 30}/1",
        f"{base}/log/1/-1",
        "/@org'--",
        "/organisations/x'--",
        "/.well-known/webfinger?resource=acct:x'--@y",
        "/alerts/%00",
        f"{base}/objects/'--",
    ):
        assert (await house.get(path)).status in (400, 404), path
    assert house.read(lambda connection: contacts.count_followers(connection, house.did)) == 0


class Endless:
    """A member whose log never ends: every page brings entries, and the next one too."""

    def __init__(self, member: Portable, repeat: bool) -> None:
        self.member, self.repeat, self.asked = member, repeat, 0
        self.first = json.dumps(member.updates_itself()).encode()

    async def page(self, request: Request) -> Response:
        self.asked += 1
        if not self.repeat and self.asked > 1:
            self.first = json.dumps(self.member.logs("Like", "https://peer.example/x")).encode()
        return Response(self.first, media_type=pages.LINES)


@pytest.mark.parametrize("repeat", [True, False])
async def test_25_a_log_without_end_is_not_read_to_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, repeat: bool
) -> None:
    monkeypatch.setattr(mirror, "_MAX_PAGES", 5)
    endless = Endless(scene.member, repeat)
    origin = await serve(scene.net, Route("/{rest:path}", endless.page))
    claimed = mirror.Head(1, 2**52, "")
    await scene.house.node.mirror.pull(scene.house.organisation, scene.member.did, origin, None, claimed, Report("x"))
    assert endless.asked <= (2 if repeat else 5)


def test_26_a_table_of_heads_sends_us_nowhere_and_is_bounded() -> None:
    """It holds dids and numbers; where a log is fetched from is the asked member's own place, never the table's."""
    member = Portable("member", "member.example")
    digest = "zQmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"
    table = {"@context": [AS2], "id": member.uri + "/heads", "type": "Heads", "actor": member.uri}
    good = member.sign({**table, "heads": {member.did: [1, 2, digest]}})
    assert list(head_tables.parse_table(good, member.did)) == [member.did]
    for heads in (
        {"http://127.0.0.1/": [1, 2, digest]},
        {member.did: "http://127.0.0.1/"},
        {member.did: [1, 2]},
        {member.did: [0, 1, digest]},
        {member.did: [True, 1, digest]},
        [member.did],
        {f"{member.did[:-4]}{number:04}".replace("0", "A"): [1, 1, digest] for number in range(2500)},
    ):
        with pytest.raises(ProtocolError):
            head_tables.parse_table(member.sign({**table, "heads": heads}), member.did)


@pytest.mark.parametrize(
    "name",
    [
        "../node.sqlite",
        "/etc/passwd",
        "keys/../../x.pem",
        "keys/a/b.pem",
        "other.txt",
        "keys/x.txt",
        "keys",
        "./../x.pem",
        "link.pem",
        "device",
    ],
)
def test_27_an_archive_holds_what_a_backup_holds_or_nothing(tmp_path: Path, name: str) -> None:
    made = tmp_path / "backup.tar.gz"
    with tarfile.open(made, "w:gz") as archive:
        info = tarfile.TarInfo("keys/link.pem" if name == "link.pem" else "node.sqlite" if name == "device" else name)
        if name == "link.pem":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        if name == "device":
            info.type = tarfile.CHRTYPE
        info.size = 1 if info.isreg() else 0
        archive.addfile(info, io.BytesIO(b"x"))
    target = tmp_path / "data" / "inner"
    target.mkdir(parents=True)
    with pytest.raises((RefusedError, ConfigurationError)), made.open("rb") as archive:
        unpack(archive, target, made.name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [made]


def test_27_a_bundle_is_bounded() -> None:
    with pytest.raises(ProtocolError, match="more than"):
        bundles.parse(b"x" * (bundles.MAX_BUNDLE + 1))
    with pytest.raises(NodeError):
        bundles.parse(b"\x1f\x8b" + b"x" * 1000)


async def test_28_no_key_leads_us_into_the_private_network(net: Network) -> None:
    house = await net.house("org", start=False)
    closed = Settings(data=house.data)
    called: list[str] = []

    def inside(name: str) -> list[str]:
        called.append(name)
        return ["169.254.169.254", "10.0.0.1", "::1", "127.0.0.1"]

    house._node = Node.open(closed, clock=house.clock, resolve=inside)
    await house.start(workers=False)
    person = Person("x", "inside.example", 1)
    for number, place in enumerate(
        (
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "0.0.0.0",
            "127.1",
            "0x7f.1",
            "2130706433",
            "localhost",
            "inside.example",
        )
    ):
        for scheme in ("https", "http"):
            uri = f"{scheme}://{place}/users/{number}"
            value = {
                "@context": AS2,
                "id": uri + "/1",
                "type": "Follow",
                "actor": uri,
                "object": house.organisation.uri,
            }
            assert (await post(house, signed(house, value, person.private, uri + "#main-key"))).status in (202, 400)
    await house.node.inbox.work_once()
    await house.node.inbox.drain()
    table = queues.incoming
    rows = house.read(lambda connection: connection.execute(select(table.c.state, table.c.reason)).all())
    assert {row.state for row in rows} <= {"refused", "failed", "waiting"}
    assert set(called) <= {"inside.example", "localhost"}
    assert not any("127.0.0.1" in row.reason or "10.0.0.1" in row.reason for row in rows)


async def test_33_what_is_noted_of_hosts_that_fail_goes_again(scene: Scene) -> None:
    """A follower may name any port: of each that failed a state is kept, and forgotten when nobody is owed anything."""
    house, now = scene.house, scene.house.clock()

    def names(connection: Connection) -> set[str]:
        return set(connection.execute(select(deliveries.hosts.c.host)).scalars())

    row = {"org": "", "failures": 9, "closed_until": now + timedelta(days=1), "scheme": "cavage", "form": ""}
    rows = [{**row, "host": f"x.example:{port}", "seen": now} for port in range(1, 1000)]
    await house.write(lambda connection: connection.execute(deliveries.hosts.insert(), rows))
    later = now + deliveries.HOST_KEEP + timedelta(seconds=1)
    await house.write(lambda connection: deliveries.prune(connection, later))
    assert house.read(names) == set()


async def test_58_long_lists_cost_little(scene: Scene) -> None:
    house, amal = scene.house, scene.amal
    many = ["x"] * 20_000
    tags = [{"type": "Mention", "href": "https://a.example/"}] * 3_000
    began = time.process_time()
    for number, changes in enumerate(
        (
            {"to": many, "cc": many},
            {"tag": tags},
            {"contentMap": {str(n): "x" for n in range(15_000)}},
            {"attributedTo": many},
            {"type": ["Note", *many]},
        )
    ):
        note = amal.note(**{"id": f"{amal.uri}/{number}", **changes})
        assert (await scene.hear(amal, "Create", note, id=f"{amal.uri}/c{number}"))[0] == 202
    assert time.process_time() - began < 5
    endless = replace(amal.letter(house, b"{}").add("content-length", str(10**9)), body=b"")
    assert (await post(house, endless)).status == 413


def test_66_no_long_text_costs_long() -> None:
    """Whatever reads a stranger's text reads a hundred thousand characters of it in no time."""
    size = 100_000
    texts = [
        piece * (size // len(piece))
        for piece in (
            "a",
            "a.",
            "@a",
            "/",
            "%41",
            '"',
            '=",',
            "(",
            "a-",
            "1",
            ":",
            "did:key:",
            "\\",
            " ",
            ";a=1",
            ",a=:AA==:",
        )
    ]
    texts += [f"https://{text[:2000]}" for text in texts] + [f"acct:a@{text}" for text in texts]
    now = time.process_time()
    for text in texts:
        for read in (
            ids.canonical,
            ids.portable,
            webfinger.parse_handle,
            webfinger.check_resource,
            messages.is_activity_json,
        ):
            with suppress(NodeError):
                read(text)
        for name in ("signature", "signature-input"):
            headers = ((name, text), ("signature", text), ("host", "h"), ("date", text), ("digest", text))
            for check in (http_signatures.check, message_signatures.check):
                with suppress(NodeError):
                    check(messages.Request("POST", "/inbox", headers, b"x"), NOON)
    assert time.process_time() - now < 5

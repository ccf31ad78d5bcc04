"""The door and the worker behind it: every refusal, what is kept, what is asked of whom, and what is written down."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from node.app import Node
from node.federation.protocol import digests, message_signatures
from node.federation.protocol.messages import ACTIVITY_JSON, MAX_ENTRY, Request
from node.models import contacts, documents, logs, organisations, queues
from tests.support import processes
from tests.support.fediverse import Host
from tests.support.letters import (
    CONTEXT,
    NONCE,
    Letter,
    Person,
    Portable,
    follow,
    header_of,
    learn,
    pin,
    post,
    send,
    signed,
    unsigned,
)
from tests.support.network import House, Network, wait_until

SPAN = timedelta(minutes=10)


@dataclass(slots=True)
class Scene:
    """A node whose workers sleep, and those who write to it. `called` is every name it wanted to know."""

    house: House
    called: list[str]
    amal: Person
    badr: Person
    member: Portable
    other: Portable
    stranger: Portable

    @property
    def org(self) -> str:
        return self.house.organisation.uri

    def create(self, **changes: Any) -> dict[str, Any]:
        return self.amal.says("Create", self.amal.note(), **changes)

    def letter(self, value: Any = None, **options: Any) -> Letter:
        """A letter that is taken: everything in the tables breaks one thing of it."""
        return self.amal.letter(self.house, self.create() if value is None else value, **options)

    def rows(self) -> list[tuple[str, str, str]]:
        """State, rule and signer of all that was kept."""
        table = queues.incoming
        columns = table.c.state, table.c.rule, table.c.signer
        return [tuple(row) for row in self.house.read(lambda connection: connection.execute(select(*columns)).all())]

    def waiting(self) -> int:
        return self.house.read(queues.waiting)

    def refusals(self) -> list[tuple[str, str]]:
        found = self.house.read(lambda connection: queues.refusals(connection, self.house.did))
        return [(each.rule, each.reason) for each in found]

    async def work(self) -> None:
        await self.house.node.inbox.work_once()
        await self.house.node.inbox.drain()


@pytest.fixture
async def net(tmp_path) -> AsyncIterator[Network]:
    async with Network(tmp_path) as made:
        yield made


@pytest.fixture
async def scene(net: Network) -> Scene:
    house = await net.house("org", start=False)
    called: list[str] = []

    def nobody(name: str) -> list[str]:
        called.append(name)
        return []

    house._node = Node.open(house.settings, clock=house.clock, resolve=nobody)
    await house.start(workers=False)
    made = Scene(
        house, called, Person("amal", "peer.example", 1), Person("badr", "peer.example", 2),
        Portable("member", "member.example"), Portable("other", "other.example"), Portable("stranger", "far.example"),
    )  # fmt: skip
    await follow(house, made.amal, made.badr)
    await learn(house, made.stranger)
    await pin(house, made.member, made.other)
    return made


# --- the table of refusals ---------------------------------------------------------------------------------------


def chunk(size: int) -> bytes:
    return b"%x\r\n" % size + b"x" * size + b"\r\n"


def body(letter: Letter, old: str, new: str) -> bytes:
    assert old.encode() in letter.body
    return letter.body.replace(old.encode(), new.encode(), 1)


def resigned(scene: Scene, old: str, new: str) -> Letter:
    """The valid letter with other text, signed as it stands."""
    return scene.letter(body(scene.letter(), old, new))


def covering(scene: Scene, *names: str, algorithm: str = "rsa-sha256") -> Letter:
    """The valid letter, but its signature says that it covers these names."""
    letter = scene.letter()
    header = letter.get("signature")
    inside = header.partition('headers="')[2].partition('"')[0]
    return letter.put("signature", header.replace(inside, " ".join(names)).replace("rsa-sha256", algorithm))


def without(scene: Scene, name: str) -> Letter:
    value = scene.create()
    del value[name]
    return scene.letter(value)


def far_ahead(scene: Scene, **log: Any) -> Letter:
    """A member's entry whose place in the log is no place."""
    place = {"epoch": 1, "sequence": 1, "previous": None, "nonce": NONCE, **log}
    return scene.member.letter(scene.house, scene.member.says("Create", scene.member.note(), log=place))


def rfc9421(scene: Scene, value: Any = None, *, scheme: str = "http", **changes: str) -> Letter:
    data = json.dumps(scene.create() if value is None else value).encode()
    headers = (("host", scene.house.organisation.host), ("content-type", ACTIVITY_JSON))
    request = Request("POST", "/inbox", headers, data, scheme)
    extra = message_signatures.sign(request, scene.amal.private, scene.amal.key_id, scene.house.clock())
    letter = Letter("/inbox", (*headers, *extra), data)
    for name, value in changes.items():
        letter = letter.put(name.replace("_", "-"), value)
    return letter


REFUSALS: dict[str, tuple[Callable[[Scene], Letter], int, str]] = {
    # content type
    "no content type": (lambda s: s.letter().without("content-type"), 415, "AP §3.2"),
    "plain JSON": (lambda s: s.letter().put("content-type", "application/json"), 415, "AP §3.2"),
    "HTML": (lambda s: s.letter().put("content-type", "text/html"), 415, "AP §3.2"),
    "two types in one": (lambda s: s.letter().put("content-type", f"{ACTIVITY_JSON}, text/html"), 415, "AP §3.2"),
    "two content types": (lambda s: s.letter().add("content-type", "text/html"), 400, "RFC 9110 §5.3"),
    # size
    "too long": (
        lambda s: replace(s.letter(), body=b"").add("content-length", str(MAX_ENTRY + 1)),
        413,
        "RFC 9110 §15.5.14",
    ),
    "too long, in chunks": (
        lambda s: replace(s.letter(), body=chunk(MAX_ENTRY // 2) * 2 + chunk(1)).add("transfer-encoding", "chunked"),
        413,
        "RFC 9110 §15.5.14",
    ),
    # signature: syntax
    "no signature and no proof": (lambda s: unsigned(s.house, s.create()), 401, "FEP-8b32"),
    "empty signature": (lambda s: s.letter().put("signature", ""), 401, "cavage §2"),
    "no parameters": (lambda s: s.letter().put("signature", "yes"), 401, "cavage §2"),
    "two Signature headers": (lambda s: s.letter().add("signature", s.letter().get("signature")), 401, "cavage §2.3"),
    "a parameter twice": (
        lambda s: s.letter().put("signature", s.letter().get("signature") + ',keyId="x"'),
        401,
        "cavage §2",
    ),
    "not base64": (
        lambda s: s.letter().put("signature", s.letter().get("signature").replace('signature="', 'signature="!')),
        401,
        "cavage §2.1.2",
    ),
    "an HMAC": (
        lambda s: covering(s, "(request-target)", "host", "date", "digest", algorithm="hmac-sha256"),
        401,
        "cavage §2.1.3",
    ),
    "a key id that is none": (lambda s: s.letter(key_id="acct:amal@peer.example"), 400, "FEP-fe34"),
    "a key id with a user": (lambda s: s.letter(key_id="https://a:b@peer.example/k#main-key"), 400, "FEP-fe34"),
    "a key id with no port": (lambda s: s.letter(key_id="https://peer.example:99999/k"), 400, "RFC 3986 §3"),
    "a key id that is a bare did": (lambda s: s.letter(key_id=f"{s.stranger.did}#x"), 400, "FEP-fe34"),
    "an endless key id": (lambda s: s.letter(key_id="https://peer.example/" + "k" * 500), 401, "RFC 9421 §2.3"),
    # signature: coverage
    "only the date": (lambda s: covering(s, "date"), 401, "cavage §2.3"),
    "not the target": (lambda s: covering(s, "host", "date", "digest"), 401, "cavage §2.3"),
    "not the host": (lambda s: covering(s, "(request-target)", "date", "digest"), 401, "cavage §2.3"),
    "not the digest": (lambda s: covering(s, "(request-target)", "host", "date"), 401, "cavage §2.3"),
    "neither date nor created": (lambda s: covering(s, "(request-target)", "host", "digest"), 401, "cavage §2.3"),
    "what is not there": (
        lambda s: covering(s, "(request-target)", "host", "date", "digest", "x-y"),
        401,
        "cavage §2.3",
    ),
    # freshness
    "of yesterday": (lambda s: s.letter(when=s.house.clock() - timedelta(hours=2)), 401, "cavage §2.3"),
    "of tomorrow": (lambda s: s.letter(when=s.house.clock() + timedelta(hours=2)), 401, "cavage §2.3"),
    "another date than was signed": (
        lambda s: s.letter().put("date", s.letter(when=s.house.clock() + timedelta(minutes=5)).get("date")),
        401,
        "RFC 9421 §3.2",
    ),
    # digest
    "no digest": (lambda s: s.letter().without("digest"), 401, "cavage §2.3"),
    "digest of another body": (
        lambda s: s.letter().put("digest", digests.digest_header(b"{}")),
        401,
        "RFC 3230 §4.3.2",
    ),
    "digest without SHA-256": (lambda s: s.letter().put("digest", "MD5=AAAA"), 401, "RFC 3230 §4.3.2"),
    "body swapped": (
        lambda s: replace(s.letter(), body=body(s.letter(), "An exercise", "Another one")),
        401,
        "RFC 3230 §4.3.2",
    ),
    "body and digest swapped": (
        lambda s: replace(s.letter(), body=b"{}").put("digest", digests.digest_header(b"{}")),
        400,
        "AS2 §2.1.3",
    ),
    "body and digest swapped for another activity": (
        lambda s: replace(s.letter(), body=body(s.letter(), "An exercise", "Another one")).put(
            "digest", digests.digest_header(body(s.letter(), "An exercise", "Another one"))
        ),
        401,
        "RFC 9421 §3.2",
    ),
    # place
    "for another node": (lambda s: s.letter(host="elsewhere.example"), 401, "RFC 9421 §7.2.5"),
    "for another node, sent here": (
        lambda s: s.letter(host="elsewhere.example").put("host", s.house.organisation.host),
        401,
        "RFC 9421 §3.2",
    ),
    "two hosts": (lambda s: s.letter().add("host", "elsewhere.example"), 400, ""),
    "for another inbox": (lambda s: replace(s.letter(target="/actor/inbox"), target="/inbox"), 401, "RFC 9421 §3.2"),
    "to a did that does not live here": (
        lambda s: s.letter(target=f"/.well-known/apgateway/{s.member.did}/actor/inbox"),
        404,
        "",
    ),
    # RFC 9421
    "9421: input without signature": (lambda s: rfc9421(s).without("signature"), 401, "RFC 9421 §4"),
    "9421: other label": (lambda s: rfc9421(s, signature="x" + rfc9421(s).get("signature")), 401, "RFC 9421 §4.2"),
    "9421: no coverage": (
        lambda s: rfc9421(s, signature_input='sig1=("@method");created=1;keyid="k"'),
        401,
        "RFC 9421 §7.2.1",
    ),
    "9421: other body": (lambda s: replace(rfc9421(s), body=b"{}"), 401, "RFC 9530 §2"),
    "9421: another scheme than ours": (lambda s: rfc9421(s, scheme="https"), 401, "RFC 9421 §3.2"),
    "9421: stale": (
        lambda s: rfc9421(s, signature_input=rfc9421(s).get("signature-input").replace("created=1", "created=0")),
        401,
        "RFC 9421 §3.2.1",
    ),
    # whose
    "key of another actor": (lambda s: s.badr.letter(s.house, s.create()), 401, "FEP-fe34"),
    "key of another actor under our key id": (
        lambda s: signed(s.house, s.create(), s.badr.private, s.amal.key_id),
        401,
        "RFC 9421 §3.2",
    ),
    "forwarded by one who is no member": (
        lambda s: s.stranger.letter(s.house, s.member.logs("Create", s.member.note())),
        401,
        "FEP-fe34",
    ),
    "forwarded by a member about a stranger": (
        lambda s: s.member.letter(s.house, s.stranger.logs("Create", s.stranger.note())),
        401,
        "FEP-fe34",
    ),
    "forwarded by a person": (
        lambda s: s.amal.letter(s.house, s.member.logs("Create", s.member.note())),
        401,
        "FEP-fe34",
    ),
    "id of another origin": (lambda s: s.letter(s.create(id="https://evil.example/1")), 403, "FEP-fe34"),
    "id of another port": (lambda s: s.letter(s.create(id="https://peer.example:8443/1")), 403, "FEP-fe34"),
    "id of a did": (lambda s: s.letter(s.create(id=s.member.at("/activities/1"))), 403, "FEP-fe34"),
    "our own did from outside": (lambda s: s.letter(s.create(actor=s.org, id=s.org + "/x")), 403, "Tadamun wire §3"),
    "our own did from outside, unsigned": (
        lambda s: unsigned(s.house, s.create(actor=s.org, id=s.org + "/x", proof={})),
        403,
        "Tadamun wire §3",
    ),
    # JSON
    "too deep": (
        lambda s: resigned(s, '"content"', '"deep": ' + "[" * 40 + "]" * 40 + ', "content"'),
        400,
        "RFC 7493 §2",
    ),
    "as deep as the parser": (lambda s: s.letter(b'{"a":' + b"[" * 50_000), 400, "RFC 7493 §2"),
    "a name twice": (lambda s: resigned(s, '"content"', '"type": "Note", "content"'), 400, "RFC 7493 §2.3"),
    "a lone surrogate": (lambda s: resigned(s, "An exercise", "\\ud800"), 400, "RFC 7493 §2"),
    "a big integer": (lambda s: resigned(s, '"content"', '"n": 9007199254740992, "content"'), 400, "RFC 7493 §2.2"),
    "an endless integer": (lambda s: resigned(s, '"content"', f'"n": {"9" * 5000}, "content"'), 400, "RFC 7493 §2"),
    "a number beyond": (lambda s: resigned(s, '"content"', '"n": 1e999, "content"'), 400, "RFC 7493 §2"),
    "not a number": (lambda s: resigned(s, '"content"', '"n": NaN, "content"'), 400, "RFC 7493 §2"),
    "not UTF-8": (lambda s: s.letter(s.letter().body.replace(b"exercise", b"\xff")), 400, "RFC 7493 §2"),
    "a list of activities": (lambda s: s.letter([s.create()]), 400, "AS2 §2"),
    "nothing": (lambda s: s.letter(b""), 400, "RFC 7493 §2"),
    # the activity
    "no context": (lambda s: without(s, "@context"), 400, "AS2 §2.1.3"),
    "another context": (lambda s: s.letter(s.create(**{"@context": "https://evil.example"})), 400, "AS2 §2.1.3"),
    "a list of types": (lambda s: s.letter(s.create(type=["Create", "Delete"])), 400, "AS2 §4.1"),
    "no type": (lambda s: without(s, "type"), 400, "AS2 §4.1"),
    "no id": (lambda s: without(s, "id"), 400, "AP §3.1"),
    "a list of actors": (lambda s: s.letter(s.create(actor=[s.amal.uri, s.badr.uri])), 400, "AP §3.1"),
    "an actor without an id": (lambda s: s.letter(s.create(actor={"type": "Person"})), 400, "AP §3.1"),
    "a list of objects": (
        lambda s: s.letter(s.create(object=["https://a.example/", "https://b.example/"])),
        400,
        "AP §7.1",
    ),
    "an id that runs": (
        lambda s: s.letter(s.create(id="javascript:alert(1)", actor="javascript:alert(1)")),
        403,
        "FEP-fe34",
    ),
    "an id with a space": (lambda s: s.letter(s.create(id=s.amal.uri + "/ 1")), 403, "FEP-fe34"),
    # the log
    "a place that is no object": (lambda s: s.letter(s.create(log=[1, 2])), 400, "Tadamun log §3"),
    "an epoch that no counter holds": (lambda s: far_ahead(s, epoch=2**31), 400, "Tadamun log §3"),
    "a true epoch": (lambda s: far_ahead(s, epoch=True), 400, "Tadamun log §3"),
    "entry 0": (lambda s: far_ahead(s, sequence=0), 400, "Tadamun log §3"),
    "a second entry after nothing": (lambda s: far_ahead(s, sequence=2), 400, "Tadamun log §3"),
    "a nonce that can be guessed": (lambda s: far_ahead(s, nonce="1"), 400, "Tadamun log §3"),
    # proof alone
    "a proof that is none": (lambda s: unsigned(s.house, s.create(proof={"cryptosuite": "x"})), 401, "FEP-8b32"),
    "a proof by another did": (
        lambda s: unsigned(s.house, s.stranger.sign(s.member.logs("Create", s.member.note()), s.house.clock())),
        401,
        "FEP-8b32",
    ),
    "a proof of the object only": (
        lambda s: unsigned(
            s.house, {n: v for n, v in s.member.logs("Create", s.member.note()).items() if n != "proof"}
        ),
        401,
        "FEP-8b32",
    ),
    "a stale proof alone": (
        lambda s: unsigned(s.house, s.member.sign(s.member.says("Like", s.org), s.house.clock() - timedelta(hours=13))),
        401,
        "FEP-8b32",
    ),
    "a proof of tomorrow": (
        lambda s: unsigned(s.house, s.member.sign(s.member.says("Like", s.org), s.house.clock() + timedelta(hours=13))),
        401,
        "FEP-8b32",
    ),
    # what must not be written down
    "a signed user agent": (
        lambda s: Letter(**{**_fields(s.letter(key_id="https://new.example/k#main-key")), "headers": _with_agent(s)}),
        401,
        "RFC 9421 §7.2",
    ),
}


def _fields(letter: Letter) -> dict[str, Any]:
    return {"target": letter.target, "body": letter.body}


def _with_agent(scene: Scene) -> tuple[tuple[str, str], ...]:
    letter = scene.letter(key_id="https://new.example/k#main-key")
    header = letter.get("signature").replace("(request-target)", "(request-target) user-agent")
    return letter.put("signature", header).add("user-agent", "Exercise/1").headers


async def test_the_door_refuses_each_of_these_by_its_rule(scene: Scene) -> None:
    wrong = {}
    for name, (make, status, rule) in REFUSALS.items():
        scene.house.clock.forward(2 * SPAN)
        scene.member.head = scene.stranger.head = None
        answer = await post(scene.house, make(scene))
        if answer.status != status or rule not in answer.text:
            wrong[name] = (answer.status, answer.text)
    assert wrong == {}
    assert {state for state, _, _ in scene.rows()} == {"refused"}
    assert {"AP §3.2", "AS2 §4.1", "FEP-fe34"} <= {rule for _, rule, _ in scene.rows()}


async def test_the_door_itself_calls_nobody(scene: Scene) -> None:
    for make, _, _ in REFUSALS.values():
        scene.member.head = scene.stranger.head = None
        letter = make(scene)
        if letter.target == "/inbox" and "transfer-encoding" not in dict(letter.headers):
            await post(scene.house, letter)
    await scene.work()
    # A known key that does not fit may have been changed: it is asked for once, after the answer.
    assert scene.called == ["peer.example"]


@pytest.mark.parametrize(
    "make",
    [
        lambda s: s.letter(),
        lambda s: s.letter().put("content-type", "application/ld+json"),
        lambda s: s.letter().put(
            "content-type", 'Application/LD+JSON; profile="https://www.w3.org/ns/activitystreams"'
        ),
        lambda s: s.letter(target=f"/.well-known/apgateway/{s.house.did}/actor/inbox"),
        lambda s: s.letter(when=s.house.clock() - timedelta(minutes=55)),
        lambda s: s.letter(s.create(actor=s.amal.document())),
        lambda s: s.letter(s.create(object=[s.amal.note()])),
        lambda s: rfc9421(s),
        lambda s: s.member.letter(s.house, s.member.updates_itself()),
        lambda s: s.other.letter(s.house, s.member.updates_itself()),
        lambda s: unsigned(s.house, s.member.updates_itself()),
        lambda s: unsigned(s.house, s.stranger.says("Like", s.org)),
    ],
)
async def test_the_valid_one_is_taken_and_judged(scene: Scene, make: Callable[[Scene], Letter]) -> None:
    answer = await post(scene.house, make(scene))
    assert (answer.status, answer.text) == (202, "")
    assert [state for state, _, _ in scene.rows()] == ["waiting"]
    await scene.work()
    ((state, rule, _),) = scene.rows()
    assert (state in ("accepted", "ignored"), rule) == (True, "")
    assert scene.called == []


async def test_behind_a_proxy_the_signature_is_over_the_address_that_the_peer_saw(scene: Scene) -> None:
    public = scene.house.origin.replace("http://", "https://")
    table = organisations.organisations
    await scene.house.write(lambda connection: connection.execute(update(table).values(origin=public)))
    await scene.house.node.inbox.refresh()
    assert (await post(scene.house, rfc9421(scene, scheme="https"))).status == 202
    assert (await post(scene.house, rfc9421(scene, scheme="http"))).status == 401


async def test_a_body_that_dribbles_is_not_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.web.activitypub._PATIENCE", 0.2)
    letter = scene.letter()
    answer = await send(scene.house.places[0], letter.add("content-length", str(len(letter.body))).raw()[:-5])
    assert (answer.status, answer.text) == (408, "the body came too slowly (RFC 9110 §15.5.9)\n")


# --- keys -----------------------------------------------------------------------------------------------------------


async def test_an_unknown_key_is_kept_and_the_door_calls_nobody(scene: Scene) -> None:
    new = Person("new", "new.example", 3)
    assert (await post(scene.house, new.letter(scene.house, new.says("Create", new.note())))).status == 202
    assert scene.waiting() == 1
    assert scene.called == []
    await scene.work()
    assert scene.called == ["new.example"]
    assert scene.waiting() == 1


async def test_later_a_good_key_is_accepted_and_a_bad_one_refused_by_name(net: Network, scene: Scene) -> None:
    elsewhere = await Host(net, 1, "amal", "badr").start()
    like = {"@context": CONTEXT[0], "type": "Like", "object": scene.org}
    good = like | {"id": elsewhere.uri("amal") + "/1", "actor": elsewhere.uri("amal")}
    assert (await elsewhere.post("amal", scene.house.origin + "/inbox", good)).status == 202
    await scene.work()
    assert scene.rows() == [("ignored", "", "")]
    swapped = signed(scene.house, good | {"id": good["id"] + "2"}, rsa_key(9), elsewhere.uri("badr") + "#main-key")
    assert (await post(scene.house, swapped)).status == 202
    await scene.work()
    assert scene.refusals() == [("RFC 9421 §3.2", "the signature does not hold")]
    posing = like | {"id": elsewhere.uri("badr") + "/3", "actor": elsewhere.uri("badr")}
    letter = signed(scene.house, posing, rsa_key(1), elsewhere.uri("amal") + "#main-key")
    assert (await post(scene.house, letter)).status == 401
    assert len([each for each in elsewhere.served.exchanges if each.method == "GET"]) == 2


def rsa_key(number: int) -> Any:
    return Person("x", "x.example", number).private


async def test_a_bad_signature_with_a_known_key_asks_once_in_ten_minutes(scene: Scene) -> None:
    forged = signed(scene.house, scene.create(), scene.badr.private, scene.amal.key_id)
    for _ in range(20):
        assert (await post(scene.house, forged)).status == 401
    await scene.house.node.inbox.drain()
    assert scene.called == ["peer.example"]
    scene.house.clock.forward(SPAN)
    forged = signed(scene.house, scene.create(), scene.badr.private, scene.amal.key_id)
    for _ in range(3):
        assert (await post(scene.house, forged)).status == 401
    await scene.house.node.inbox.drain()
    assert scene.called == ["peer.example"] * 2


async def test_a_portable_key_is_asked_for_where_its_actor_lives_however_its_id_is_spelled(scene: Scene) -> None:
    value = scene.member.logs("Create", scene.member.note())
    for number in range(5):
        key_id = scene.member.key_id.replace("member.example", f"evil{number}.example")
        assert (await post(scene.house, signed(scene.house, value, rsa_key(2), key_id))).status == 401
    await scene.house.node.inbox.drain()
    assert scene.called == ["member.example"]


async def test_a_new_key_is_found_by_the_one_refresh(net: Network, scene: Scene) -> None:
    elsewhere = await Host(net, 1, "amal", "badr").start()
    value = {"@context": CONTEXT[0], "type": "Like", "object": scene.org, "actor": elsewhere.uri("amal")}
    inbox = scene.house.origin + "/inbox"
    await elsewhere.post("amal", inbox, value | {"id": elsewhere.uri("amal") + "/1"})
    await scene.work()
    elsewhere.names = ("nobody", "nobody", "amal")
    assert (await elsewhere.post("amal", inbox, value | {"id": elsewhere.uri("amal") + "/2"})).status == 401
    await scene.house.node.inbox.drain()
    assert (await elsewhere.post("amal", inbox, value | {"id": elsewhere.uri("amal") + "/2"})).status == 202


async def test_a_dead_key_is_asked_for_once_however_many_requests_name_it(scene: Scene) -> None:
    new = Person("new", "dead.example", 3)
    inbox = scene.house.node.inbox
    letter = new.letter(scene.house, new.says("Like", scene.org, id=f"{new.uri}/number"))
    for number in range(250):
        value = letter.body.replace(b"number", b"%d" % number)
        headers = letter.put("digest", digests.digest_header(value)).headers
        await inbox.receive(Request("POST", "/inbox", headers, value, "http"), "")
    while await inbox.work_once():
        await inbox.drain()
    assert scene.called == ["dead.example"]
    assert scene.waiting() == 250


async def test_unknown_keys_find_no_room_without_end_and_known_ones_do(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.federation.intake._MAX_UNPROVED", 3)
    new = Person("new", "new.example", 3)
    letters = [new.letter(scene.house, new.says("Like", scene.org, id=f"{new.uri}/{number}")) for number in range(4)]
    assert [(await post(scene.house, letter)).status for letter in letters] == [202, 202, 202, 503]
    assert (await post(scene.house, scene.letter())).status == 202
    scene.house.clock.forward(SPAN)
    assert (await post(scene.house, letters[3])).status == 202


async def test_a_key_document_that_is_none_fails_for_good_and_breaks_nothing(net: Network, scene: Scene) -> None:
    elsewhere = await Host(net, 1, "amal").start()
    for number, kind in enumerate(({"a": 1}, [], [[]], None, 7, "Person")):
        path = f"/odd/{number}"
        elsewhere.documents[path] = {"@context": CONTEXT[0], "id": elsewhere.origin + path, "type": [kind]}
        uri = elsewhere.origin + path
        value = {"@context": CONTEXT[0], "id": uri + "/1", "type": "Like", "actor": uri, "object": scene.org}
        assert (await post(scene.house, signed(scene.house, value, rsa_key(1), uri + "#main-key"))).status == 202
        await scene.work()
    assert {state for state, _, _ in scene.rows()} == {"refused"}


async def test_a_row_that_meets_a_bug_of_ours_is_settled_once(scene: Scene) -> None:
    new = Person("new", "new.example", 3)
    await post(scene.house, new.letter(scene.house, new.says("Like", scene.org)))
    await scene.house.write(lambda connection: connection.execute(text("DROP TABLE dead_keys")))
    await scene.work()
    assert scene.rows() == [("failed", "", "")]


# --- what is kept, and how often ---------------------------------------------------------------------------------


async def test_a_delete_of_somebody_unknown_is_acknowledged_and_dropped(scene: Scene) -> None:
    gone = Person("gone", "gone.example", 3)
    delete = gone.says("Delete", gone.uri)
    assert (await post(scene.house, gone.letter(scene.house, delete))).status == 202
    assert scene.rows() == []
    assert (await post(scene.house, gone.letter(scene.house, gone.says("Delete", gone.uri + "/notes/1")))).status == 202
    assert scene.waiting() == 1


async def test_a_delete_with_a_proof_is_not_dropped_for_the_key_that_carries_it(scene: Scene) -> None:
    new = Portable("new", "new.example")
    assert (await post(scene.house, new.letter(scene.house, new.says("Delete", new.uri)))).status == 202
    assert scene.waiting() == 1


async def test_an_unknown_type_is_acknowledged_and_counted(scene: Scene) -> None:
    for number in range(3):
        value = scene.amal.says("Levitate", scene.amal.note(type="Cloud"), id=f"{scene.amal.uri}/{number}")
        assert (await post(scene.house, scene.letter(value))).status == 202
    await scene.work()
    assert {state for state, _, _ in scene.rows()} == {"ignored"}
    counted = scene.house.read(lambda connection: documents.counted(connection, scene.house.did))
    assert counted == {"unknown Levitate Cloud": 3}


async def test_the_same_bytes_are_kept_once_and_other_bytes_under_the_same_id_again(scene: Scene) -> None:
    letter = scene.letter()
    for _ in range(3):
        assert (await post(scene.house, letter)).status == 202
    assert (await post(scene.house, scene.letter(letter.body + b" "))).status == 202
    assert scene.waiting() == 2
    await scene.work()
    assert (await post(scene.house, letter)).status == 202
    assert scene.waiting() == 0
    assert sorted(state for state, _, _ in scene.rows()) == ["accepted", "ignored"]


@pytest.mark.parametrize("late", [True, False])
async def test_a_forged_copy_that_comes_first_does_not_stand_in_the_way(net: Network, scene: Scene, late: bool) -> None:
    elsewhere = await Host(net, 1, "amal").start()
    amal = elsewhere.uri("amal")
    follow_us = {"@context": CONTEXT[0], "id": amal + "/1", "type": "Follow", "actor": amal, "object": scene.org}
    data = json.dumps(follow_us).encode()
    mallory = Person("mallory", "evil.example", 8)
    assert (await post(scene.house, mallory.letter(scene.house, data))).status == 202
    assert (await post(scene.house, signed(scene.house, data, mallory.private, amal + "#main-key"))).status == 202
    if not late:
        await scene.work()
    assert (await elsewhere.post("amal", scene.house.origin + "/inbox", follow_us)).status == 202
    await scene.work()
    assert scene.house.read(lambda connection: contacts.follower(connection, scene.house.did, amal)) is not None


async def test_a_copy_of_an_entry_that_is_held_is_waved_through_and_no_other(scene: Scene) -> None:
    entry = json.dumps(scene.member.updates_itself()).encode()
    assert (await post(scene.house, scene.member.letter(scene.house, entry))).status == 202
    await scene.work()
    assert scene.house.head(scene.member.did) == (1, 1)
    copy = signed(scene.house, entry, rsa_key(3), scene.other.key_id)
    for _ in range(2):
        assert (await post(scene.house, copy)).status == 202
    assert len(scene.rows()) == 1
    changed = signed(scene.house, entry.replace(b'"ar"', b'"en"') + b" ", rsa_key(3), scene.other.key_id)
    assert (await post(scene.house, changed)).status == 401


async def test_what_two_settled_between_them_is_nobodys_to_carry_on(scene: Scene) -> None:
    letter = scene.other.letter(scene.house, scene.member.says("Follow", scene.org))
    assert (await post(scene.house, letter)).status == 202
    await scene.work()
    assert scene.refusals() == [("Tadamun wire §3", "only log entries and letters are passed on by others")]


async def test_a_follower_whose_host_does_not_answer_for_it_gets_nothing(net: Network, scene: Scene) -> None:
    """A did is free, and its document may name any host as its gateway: nobody is to be flooded by way of us."""
    victim = await Host(net, 1, "amal").start()
    attacker = await Host(net, 2, "mallory").start()
    mallory = Portable("mallory", "unused.example")
    mallory.origin = victim.origin
    mallory.uri = mallory.uri.replace("https://unused.example", victim.origin)
    document = mallory.document()
    there = attacker.origin + "/" + mallory.uri.split("/", 3)[3]
    attacker.documents["/" + mallory.uri.split("/", 3)[3]] = document
    follow_us = mallory.says("Follow", scene.org, actor=there)
    letter = signed(scene.house, mallory.sign(follow_us, scene.house.clock()), mallory.private, there + "#main-key")
    assert (await post(scene.house, letter)).status == 202
    await scene.work()
    assert scene.refusals() == [("FEP-ef61", "the host of the inbox does not answer for the actor")]
    assert scene.house.read(lambda connection: contacts.count_followers(connection, scene.house.did)) == 0
    assert victim.served.exchanges == []


async def test_refusals_are_few_and_small_however_many_come(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.federation.intake._REFUSED_BYTES_AN_HOUR", 100_000)
    receive = scene.house.node.inbox.receive
    for number in range(50):
        scene.house.clock.forward(timedelta(seconds=1))
        letter = unsigned(scene.house, b'{"n":%d,"x":"%s"}' % (number, b"x" * 200_000))
        with pytest.raises(Exception, match="ActivityStreams"):
            await receive(Request("POST", "/inbox", letter.headers, letter.body, "http"), "")
    for number in range(100):
        letter = unsigned(scene.house, b'{"n":"%d"}' % number)
        with pytest.raises(Exception, match="ActivityStreams"):
            await receive(Request("POST", "/inbox", letter.headers, letter.body, "http"), "")
    table = queues.incoming
    count, size = scene.house.read(
        lambda connection: connection.execute(select(func.count(), func.sum(func.length(table.c.body)))).one()
    )
    assert count <= 50 + 2 * 20
    assert size <= 100_000 + 64 * 1024


async def test_refused_rows_are_bounded_in_number_bytes_and_age(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    table, now = queues.incoming, scene.house.clock()

    def fill(connection: Any) -> None:
        row = {
            "org": "", "received": now, "activity_id": "", "body": b"x" * 1000, "key_id": "", "signer": "", "via": "",
            "state": "refused", "due": now,
        }  # fmt: skip
        ages = [(number, now - timedelta(days=31 if number < 5 else 1)) for number in range(100)]
        connection.execute(
            table.insert(), [{**row, "digest": b"%d" % number, "settled": moment} for number, moment in ages]
        )

    def left() -> int:
        scene.house.node.database.write_now(lambda connection: queues.prune(connection, now))
        count = select(func.count()).select_from(table)
        return scene.house.read(lambda connection: connection.execute(count).scalar_one())

    await scene.house.write(fill)
    assert left() == 95
    monkeypatch.setattr(queues, "MAX_REFUSED", 60)
    assert left() == 60
    monkeypatch.setattr(queues, "MAX_REFUSED_BYTES", 20_500)
    assert left() == 20
    oldest = scene.house.read(lambda connection: connection.execute(select(func.min(table.c.id))).scalar_one())
    assert oldest == 81


async def test_nothing_of_who_called_is_written_anywhere(tmp_path: Path) -> None:
    """Against the real program: its files, its log, whatever it writes."""
    private = {
        "user-agent": "AgentMarker/77",
        "x-forwarded-for": "198.51.100.77",
        "x-real-ip": "198.51.100.78",
        "forwarded": "for=198.51.100.79",
        "cookie": "session=CookieMarker",
        "authorization": "Bearer AuthMarker",
        "referer": "https://refmarker.example/",
    }
    with processes.Node(tmp_path / "node") as node:
        async with Network(tmp_path) as net:
            elsewhere = await Host(net, 1, "amal").start()
            host = SimpleNamespace(host=f"{node.host}:{node.port}", uri=node.actor)
            house: Any = SimpleNamespace(organisation=host, clock=lambda: datetime.now(UTC))
            nowhere, amal = Person("nowhere", "127.0.0.9:1", 3), elsewhere.uri("amal")
            follow_us = {
                "@context": CONTEXT[0],
                "id": amal + "/1",
                "type": "Follow",
                "actor": amal,
                "object": node.actor,
            }
            good = signed(house, follow_us, rsa_key(1), amal + "#main-key")
            letters = [
                good,
                signed(house, {**follow_us, "id": amal + "/2"}, rsa_key(2), amal + "#main-key"),
                replace(good.put("content-type", "text/html"), body=good.body + b" "),
                good.put("content-type", "text/html"),
                nowhere.letter(house, nowhere.says("Like", node.actor)),
                unsigned(house, follow_us),
                replace(good, method="DISPATCH"),
                replace(good, target="/%zz/\x00"),
            ]
            for letter in letters:
                for name, value in private.items():
                    letter = letter.add(name, value)
                await send((node.host, node.port), letter.raw(), "127.99.88.77")
            page = Letter("/alerts?lang=en", (("host", host.host), *private.items()), b"", "GET")
            assert (await send((node.host, node.port), page.raw(), "127.99.88.77")).status == 200
            await wait_until(lambda: elsewhere.got("Accept"), "the follow was accepted")
            received = (await asyncio.to_thread(node.status))["received"]
        node.stop()
        assert received["accepted"] == 1
        assert received["refused"] >= 2
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert amal.encode() in kept
    assert b"inbox.refused" in kept
    for mark in ("Marker", "refmarker", "198.51.100", "127.99.88.77", "for="):
        assert mark.encode() not in kept, mark


async def test_an_undo_takes_back_the_follow_that_it_names_and_no_other_of_this_node(net: Network) -> None:
    house = await net.house("one", "two", start=False)
    await house.start(workers=False)
    first, second = house.organisations
    amal = Person("amal", "peer.example")
    await learn(house, amal)
    follower = contacts.Follower(amal.uri, amal.uri + "/inbox", None, "https://peer.example/follow", house.clock())
    for org in (first, second):
        await house.write(lambda connection, org=org: contacts.add_follower(connection, org.did, follower))
    undone = {"type": "Follow", "id": amal.uri + "/follow", "actor": amal.uri, "object": second.uri}
    assert (await post(house, amal.letter(house, amal.says("Undo", undone)))).status == 202
    await house.node.inbox.work_once()
    await house.node.inbox.drain()
    assert house.read(lambda connection: contacts.count_followers(connection, first.did)) == 1
    assert house.read(lambda connection: contacts.count_followers(connection, second.did)) == 0


async def test_the_reader_of_a_row_meets_the_same_bytes(scene: Scene) -> None:
    """A mirror would otherwise find other words under the same proof."""
    entry = json.dumps(scene.member.updates_itself(), indent=1, ensure_ascii=False).encode()
    await post(scene.house, unsigned(scene.house, entry))
    await scene.work()
    (held,) = scene.house.entries(scene.member.did)
    assert (held.raw, held.header, held.state) == (entry, header_of(json.loads(entry)), logs.HELD)


async def test_a_client_that_hangs_up_is_no_bug_of_ours(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    letter = scene.letter()
    _, writer = await asyncio.open_connection(*scene.house.places[0])
    writer.write(letter.add("content-length", str(len(letter.body))).raw()[:-5])
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    await wait_until(lambda: scene.house.exchanges, "the request is over")
    assert "web.failed" not in caplog.text

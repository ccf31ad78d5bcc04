"""(f) A malicious member: it has a real pinned key, and a server of its own making in place of its node.

It says two things at one place of its log, keeps back what stands between two entries, alters and invents entries of
another member, plays that member's gateway with a key of its own, shows older heads than it showed before, and floods
one node while an honest one publishes. What it signed itself is its word, and is shown; it is marked where it says two
things. What it says in another's name is shown by nobody.
"""

import asyncio
import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Receive, Scope, Send

from node.app import Node as Office
from node.federation import outbox
from node.federation.protocol import heads as head_tables
from node.federation.protocol import http_signatures, ids, integrity_proofs, keys
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import ACTIVITY_JSON, Request
from node.federation.protocol.replicas import Head
from node.models import documents, logs
from node.settings import load
from tests.bench import sender
from tests.drill import wires
from tests.drill.field import PORT, Field, Place
from tests.drill.table import Row
from tests.support.network import Served
from tests.support.processes import CommandFailed, request

_FLOOD = 2000
_GATEWAY = "/.well-known/apgateway/"
_LINES = "application/jsonl"


@dataclass(slots=True)
class Villain:
    """The member that turned, the one it speaks for, and what its server shows."""

    field: Field
    place: Place
    victim: Place
    false_key: Any = field(default_factory=keys.generate_rsa_key)
    documents: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """path → Content-Type and body."""
    logs: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    """did → (sequence, entry) of what it serves as that log."""
    asked: Counter[str] = field(default_factory=Counter)

    def copy(self, name: str) -> Place:
        """Its data directory again: two of these do not know what the other says."""
        data = self.field.folder / name
        shutil.copytree(self.place.node.data, data)
        office = Office.open(load(data, {}), clock=self.field.clock)
        return replace(self.place, office=office, running=False)

    def post(self, to: Place, body: bytes, *, key_id: str = "", key: Any = None) -> int:
        """Deliver to a member's inbox; with its own RSA key, or another under another's name."""
        signed = self.signed(to, body, key_id or self.place.organisation.uri + "#main-key", key or self.key)
        headers = dict(signed)
        return request("POST", f"{to.node.origin}/inbox", body=body, headers=headers).status

    def signed(self, to: Place, body: bytes, key_id: str, key: Any) -> tuple[tuple[str, str], ...]:
        """The headers of a delivery."""
        fixed = (("host", to.organisation.host), ("content-type", ACTIVITY_JSON))
        made = Request("POST", "/inbox", fixed, body, "http")
        return (*fixed, *http_signatures.sign(made, key, key_id, self.field.clock()))

    @property
    def key(self) -> Any:
        """Its RSA key."""
        return self.place.office.keyring.rsa(self.place.did)

    # --- its server -----------------------------------------------------------------------------------------------

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What its server answers."""
        kind, body, status = *self._answer(scope["path"]), 200
        if not kind:
            kind, body, status = "text/plain", b"", 404
        self.asked[scope["path"].rsplit("/", 1)[0].rpartition("/")[2]] += 1
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> tuple[str, bytes]:
        if path in self.documents:
            return self.documents[path]
        did, _, rest = path.removeprefix(_GATEWAY).partition("/")
        match rest.split("/"):
            case ["actor", "heads", _]:
                return ACTIVITY_JSON, self._heads()
            case ["log", _, start] if did in self.logs:
                return _LINES, b"\n".join(raw for sequence, raw in self.logs[did] if sequence >= int(start))
        return "", b""

    def _heads(self) -> bytes:
        """A rollback of everything, its own log too, and a claim to more of its victim's log than there is."""
        own = self.place
        heads = own.read(lambda connection: logs.head_table(connection, own.did))
        first = own.read(lambda connection: {did: logs.read(connection, own.did, did, (1, 1), 1)[0] for did in heads})
        lie = {did: Head(1, 1, entry.digest) for did, entry in first.items()}
        true = heads[self.victim.did]
        lie[self.victim.did] = Head(true.epoch, true.sequence + 1, true.digest)
        return json.dumps(head_tables.render_table(own.organisation.uri, own.key, lie, self.field.clock())).encode()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Its server, at the address of its node."""
        loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

        async def serve() -> None:
            with wires.inside(self.place.number):
                served = Served(self.app, [(self.place.node.host, PORT)])
            await served.ready()
            ready.set()
            await over.wait()
            await served.stop()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        assert ready.wait(10), "its server does not start"
        try:
            yield
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(10)
            loop.close()


def malicious(field: Field) -> Row:
    """All of it, one after the other; the flood comes while an honest member publishes."""
    place, victim, *_ = field.chance.sample(field.honest(), 3)
    survivors = [each for each in field.honest() if each is not place]
    names = [field.publish(victim)]
    field.wait_held(names, field.honest())
    villain = Villain(field, place, victim)
    before = [_actor(each, victim) for each in survivors]
    place.node.stop()
    place.running = place.honest = False
    field.begin()
    names += _say_two_things(villain, survivors)
    forged = _forge(villain, survivors[-1])
    answers = Counter(villain.post(to, raw) for to in survivors for raw in forged)
    _play_gateway(villain)
    name = f"{place.node.origin}{_GATEWAY}{victim.did}/actor#main-key"
    with villain.serving():
        answers.update(villain.post(to, forged[0], key_id=name, key=villain.false_key) for to in survivors)
        _compare_heads(villain, survivors)
        honest, seconds, flood = _flood(villain, survivors)
    field.wait_held(names, survivors)
    silenced = _silenced(survivors)
    field.settle()
    row = field.row("f: a malicious member", [*names, honest], survivors, seconds)
    unmarked = sum(place.did not in each.read(lambda c, each=each: logs.forked(c, each.did)) for each in survivors)
    changed = sum(_actor(each, victim) != known for each, known in zip(survivors, before, strict=True))
    kinds = sorted({kind for each in survivors for kind in _evidence(each)})
    remarks = (
        f"forged posts answered {_shown(answers)}; evidence kept: {', '.join(kinds)}; {flood}; "
        f"kept from publishing by a false head: {silenced}"
    )
    return replace(row, false=row.false + unmarked + changed + silenced, remarks=remarks)


def _say_two_things(villain: Villain, survivors: Sequence[Place]) -> list[str]:
    """A fork: one half hears this, the other that; then one entry that nobody gets, and one after it."""
    field = villain.field
    one, two = villain.copy("villain1"), villain.copy("villain2")
    try:
        names = [field.publish(one), field.publish(two)]
        kept_back = field.publish(one)
        names.append(field.publish(one))
        entries = one.read(lambda connection: logs.read(connection, one.did, one.did, (0, 0), 10_000))
        other = two.read(lambda connection: logs.read(connection, two.did, two.did, (0, 0), 10_000))[-1]
    finally:
        one.close()
        two.close()
    del field.truth[kept_back]
    half = len(survivors) // 2
    *_, this, _, late = entries
    for number, to in enumerate(survivors):
        assert villain.post(to, (this if number < half else other).raw or b"") == 202
        assert villain.post(to, late.raw or b"") == 202
    villain.logs[one.did] = [
        (entry.header.sequence, entry.raw) for entry in entries if entry.raw and entry.object_id != kept_back
    ]
    return names


def _forge(villain: Villain, holder: Place) -> list[bytes]:
    """In the victim's name: its newest entry with another headline, and two new ones with a proof by the villain."""
    victim, key = villain.victim, villain.place.key
    entries = holder.read(lambda connection: logs.read(connection, holder.did, victim.did, (0, 0), 10_000))
    last = entries[-1]
    altered = json.loads(last.raw or b"")
    altered["object"]["headline"] = "EXERCISE altered"
    forged = [json.dumps(altered).encode()]
    for method in (outbox.log_method(key), outbox.log_method(victim.key)):
        made = json.loads(last.raw or b"")
        made["id"] = made["id"].rpartition("/")[0] + "/" + outbox.token()
        made["object"] |= {"id": made["object"]["id"].rpartition("/")[0] + "/" + outbox.token()}
        made["object"]["headline"] = "EXERCISE invented"
        made["object"] = _prove(made["object"], key, method, villain)
        made["log"] |= {"sequence": last.header.sequence + 1, "previous": last.digest}
        forged.append(json.dumps(_prove(made, key, method, villain)).encode())
    head = last.header.sequence
    villain.logs[victim.did] = [(head + 1, raw) for raw in forged]
    return forged


def _prove(document: dict[str, Any], key: OrganisationKey, method: str, villain: Villain) -> dict[str, Any]:
    bare = {name: value for name, value in document.items() if name != "proof"}
    return integrity_proofs.sign(bare, key, method, villain.field.clock())


def _play_gateway(villain: Villain) -> None:
    """Its own actor document as it is, and the victim's with another RSA key."""
    own, victim = villain.place, villain.victim
    true = own.read(lambda connection: documents.actor(connection, str(ids.Portable(own.did, "/actor"))))
    assert true is not None
    villain.documents[f"{_GATEWAY}{own.did}/actor"] = ACTIVITY_JSON, true.document.raw
    played = json.loads(_actor(own, victim))
    played["publicKey"]["publicKeyPem"] = keys.public_pem(villain.false_key.public_key())
    villain.documents[f"{_GATEWAY}{victim.did}/actor"] = ACTIVITY_JSON, json.dumps(played).encode()


def _compare_heads(villain: Villain, survivors: Sequence[Place]) -> None:
    """Every member asks it how far it has come, as it does each minute."""
    host = villain.place.organisation.host

    def compare(place: Place) -> None:
        try:
            place.node.cli("sync", "--with", host, json=True)
        except CommandFailed as refused:
            assert refused.code == 1

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(compare, survivors))
    assert villain.asked["heads"] >= len(survivors)


def _flood(villain: Villain, survivors: Sequence[Place]) -> tuple[str, float, str]:
    """As many posts as one node will take from 64 connections, half of them forged, while another publishes.

    Returns:
        The alert, after how many seconds all held it, and what came of the flood.
    """
    target, speaker = [each for each in survivors if each is not villain.victim][:2]
    posts = [_raw_post(villain, target, number) for number in range(_FLOOD)]
    sent: list[sender.Sent] = []
    work = threading.Thread(
        target=lambda: sent.append(asyncio.run(sender.send(target.node.host, PORT, posts))), daemon=True
    )
    work.start()
    time.sleep(0.3)
    name = villain.field.publish(speaker)
    seconds = villain.field.wait_held([name], survivors)
    work.join(60)
    (done,) = sent
    return name, seconds, f"{_FLOOD} posts of flood in {done.seconds:.1f} s answered {_shown(done.statuses)}"


def _silenced(survivors: Sequence[Place]) -> int:
    """How many hold back their alerts because the villain claims to know more of their logs."""
    return sum(bool(each.node.status()["hold"]) for each in survivors)


def _raw_post(villain: Villain, to: Place, number: int) -> bytes:
    """A Like with a proof, well signed; every other one by a key that is not the one it names."""
    own, key = villain.place.organisation, villain.place.key
    like = {
        "@context": [AS2, DATA_INTEGRITY],
        "id": own.at(f"/activities/{outbox.token()}"),
        "type": "Like",
        "actor": own.uri,
        "object": to.organisation.uri,
    }
    body = json.dumps(_prove(like, key, outbox.log_method(key), villain)).encode()
    signed = villain.signed(to, body, own.uri + "#main-key", villain.false_key if number % 2 else villain.key)
    lines = ["POST /inbox HTTP/1.1", *(f"{name}: {text}" for name, text in signed), f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _actor(place: Place, of: Place) -> bytes:
    found = place.read(lambda connection: documents.actor(connection, str(ids.Portable(of.did, "/actor"))))
    return found.document.raw if found else b""


def _evidence(place: Place) -> set[str]:
    return {each.kind for each in place.read(lambda connection: documents.evidence_of(connection, place.did))}


def _shown(answers: Counter[int]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))

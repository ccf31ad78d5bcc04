"""What the invented servers say: actors, posts in Mastodon's shape, and the signed requests that carry them.

Requests are made before anything is measured, in as many processes as there are cores: one RSA signature costs more
than a whole request costs the node.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from node.federation.protocol import http_signatures, keys
from node.federation.protocol.messages import ACTIVITY_JSON, JsonObject, Request

_TEMPLATE = Path(__file__).parent.parent / "vectors" / "mastodon_create.json"
_CHUNK = 250
_AS2 = "https://www.w3.org/ns/activitystreams"


@dataclass(frozen=True, slots=True)
class Author:
    """One actor on an invented server. The key is kept as PEM: a key object does not travel between processes."""

    host: str
    """`address:port`."""
    pem: bytes

    @property
    def uri(self) -> str:
        """Its id."""
        return f"http://{self.host}/users/exercise"

    @property
    def inbox(self) -> str:
        """Its inbox."""
        return f"{self.uri}/inbox"


def document(author: Author) -> bytes:
    """An actor document in Mastodon's shape, in short."""
    public = keys.public_pem(_load(author.pem).public_key())
    value = {
        "@context": [_AS2, "https://w3id.org/security/v1"],
        "id": author.uri,
        "type": "Person",
        "preferredUsername": "exercise",
        "name": "Exercise: nobody is meant",
        "inbox": author.inbox,
        "outbox": f"{author.uri}/outbox",
        "followers": f"{author.uri}/followers",
        "url": f"http://{author.host}/@exercise",
        "endpoints": {"sharedInbox": f"http://{author.host}/inbox"},
        "publicKey": {"id": f"{author.uri}#main-key", "owner": author.uri, "publicKeyPem": public},
    }
    return json.dumps(value).encode()


class Workshop:
    """Processes that make keys and sign, one a core; they sleep while something is measured."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn"))
        self._number = 0

    def make_keys(self, count: int) -> list[bytes]:
        """RSA-2048 keys as PEM."""
        return list(self._pool.map(_make_key, range(count)))

    def make_notes(self, authors: Sequence[Author], host: str, count: int) -> list[bytes]:
        """Signed requests, each with a Create of a new Note, by these authors in turn, to `host`'s shared inbox."""
        start, self._number = self._number, self._number + count
        numbers = [range(first, min(first + _CHUNK, start + count)) for first in range(start, start + count, _CHUNK)]
        make = partial(_make_notes, tuple(authors), host, datetime.now(UTC))
        return [request for chunk in self._pool.map(make, numbers) for request in chunk]

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)


def follow(author: Author, actor: str) -> JsonObject:
    """A Follow of one of the node's organisations."""
    return {"@context": _AS2, "id": f"{author.uri}#follow", "type": "Follow", "actor": author.uri, "object": actor}


def accept(author: Author, given: JsonObject) -> JsonObject:
    """The answer to a Follow."""
    name = str(given["id"]).rpartition("/")[2]
    answered = {name: given[name] for name in ("id", "type", "actor", "object")}
    return {
        "@context": _AS2,
        "id": f"{author.uri}#accepts/{name}",
        "type": "Accept",
        "actor": author.uri,
        "object": answered,
    }


def post(author: Author, host: str, value: JsonObject) -> bytes:
    """A signed POST of this activity to the shared inbox of `host`, as bytes on the wire."""
    return _post(author, _load(author.pem), host, json.dumps(value, ensure_ascii=False).encode(), datetime.now(UTC))


def _make_key(_: int) -> bytes:
    return keys.private_pem(keys.generate_rsa_key())


def _make_notes(authors: Sequence[Author], host: str, now: datetime, numbers: range) -> list[bytes]:
    value = json.loads(_TEMPLATE.read_text("utf-8"))["document"]
    template = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    loaded = {author.host: _load(author.pem) for author in authors}
    made = []
    for number in numbers:
        author = authors[number % len(authors)]
        text = template.replace("https://social.example", f"http://{author.host}")
        body = text.replace("115000000000000001", str(115_000_000_000_000_000 + number))
        made.append(_post(author, loaded[author.host], host, body.encode(), now))
    return made


def _post(author: Author, key: RSAPrivateKey, host: str, body: bytes, now: datetime) -> bytes:
    fixed = (("host", host), ("content-type", ACTIVITY_JSON), ("user-agent", "Exercise/1.0"))
    request = Request("POST", "/inbox", fixed, body, "http")
    added = http_signatures.sign(request, key, f"{author.uri}#main-key", now)
    lines = ["POST /inbox HTTP/1.1", *(f"{name}: {text}" for name, text in (*fixed, *added))]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def _load(pem: bytes) -> RSAPrivateKey:
    found = keys.load_private_pem(pem)
    if not isinstance(found, RSAPrivateKey):
        raise TypeError("not an RSA key")
    return found

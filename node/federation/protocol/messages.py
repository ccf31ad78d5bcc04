"""The JSON edge and the request as the rules see it: bytes in, frozen values out.

Rules, in order (Tadamun wire, JSON edge; RFC 7493 I-JSON): size, UTF-8 and syntax, no duplicate member names, no lone
surrogates, no number that does not survive IEEE 754, nesting at most 32, the top is an object.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson

from node.errors import ProtocolError

JsonObject = dict[str, Any]

MAX_ENTRY = 256 * 1024
"""Bytes of one log entry or one activity."""
MAX_PAGE = 1024 * 1024
"""Bytes of one fetched document or collection page."""
MAX_NOTE = 48 * 1024
"""Bytes of a Note's content."""
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1

ACTIVITY_JSON = "application/activity+json"
LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
ACCEPT = f"{LD_JSON}, {ACTIVITY_JSON}"

_EDGE = "RFC 7493 §2"


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object together with the bytes it came in. The bytes are what was signed: they are kept and served."""

    raw: bytes
    value: JsonObject


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `target` is the raw path with query, as on the wire; header names are lower case, in order."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    scheme: str = "https"
    _index: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of this header, in the order of the wire."""
        if not self._index:
            for key, value in self.headers:
                self._index[key] = (*self._index.get(key, ()), value)
        return self._index.get(name, ())

    def header(self, name: str) -> str | None:
        """The header's one value. A header that stands twice is refused, for two readers could take different ones.

        Raises:
            ProtocolError: the header stands more than once.
        """
        values = self.all(name)
        if len(values) > 1:
            raise ProtocolError(f"header {name} stands {len(values)} times", spec="RFC 9110 §5.3")
        return values[0] if values else None


def parse_document(raw: bytes, limit: int = MAX_ENTRY) -> Document:
    """Read hostile bytes as one JSON object.

    Raises:
        ProtocolError: 413 over `limit`, else 400, naming what I-JSON forbids.

    Spec: RFC 7493 §2
    """
    if len(raw) > limit:
        raise ProtocolError(f"{len(raw)} bytes, {limit} allowed", spec="RFC 9110 §15.5.14", status=413)
    try:
        value = orjson.loads(raw)
        if type(value) is not dict:
            raise ProtocolError("the top of the document is not an object", spec="AS2 §2")
        if _is_plain(value) and _keeps_members(raw, value):
            return Document(raw, value)
        value = _DECODER.decode(raw.decode())  # the strict reader, which names what is wrong
    except ProtocolError:
        raise
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}", spec=_EDGE) from error
    check_shape(value)
    return Document(raw, value)


def check_shape(value: Any, depth: int = 1) -> None:
    """Nesting and integers within bounds.

    Raises:
        ProtocolError: deeper than 32, or an integer that a double cannot hold.

    Spec: RFC 7493 §2.2
    """
    if depth > MAX_DEPTH:
        raise ProtocolError(f"nested deeper than {MAX_DEPTH}", spec=_EDGE)
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is dict or kind is list:
            check_shape(item, depth + 1)
        elif kind is int and not -MAX_INTEGER <= item <= MAX_INTEGER:
            raise ProtocolError("an integer beyond 2^53-1", spec="RFC 7493 §2.2")


def is_activity_json(content_type: str | None) -> bool:
    """Whether a Content-Type names ActivityStreams: activity+json, or ld+json with the AS2 profile.

    Spec: AP §3.2; the profile is required of what we fetch, for a plain upload may be ld+json (GHSA-jhrq-qvrm-qr36)
    """
    if content_type is None:
        return False
    media, _, parameters = content_type.partition(";")
    if media.strip().lower() == ACTIVITY_JSON:
        return True
    if media.strip().lower() != "application/ld+json":
        return False
    for parameter in parameters.split(";"):
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "profile" and "https://www.w3.org/ns/activitystreams" in text.strip(' "').split():
            return True
    return False


def as_list(value: Any) -> list[Any]:
    """AS2 writes one value bare and several in an array; nothing is the empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def id_of(value: Any) -> str | None:
    """The id of a link or an embedded object, `None` where it has none."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        found = value.get("id")
        return found if isinstance(found, str) else None
    return None


def _is_plain(value: Any, depth: int = 1) -> bool:
    """Whether it is so shallow, and its numbers so small, that two readers cannot disagree about it."""
    if depth > MAX_DEPTH:
        return False
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict or kind is list:
            if not _is_plain(item, depth + 1):
                return False
        elif (kind is int or kind is float) and not -MAX_INTEGER <= item <= MAX_INTEGER:
            return False
    return True


def _keeps_members(raw: bytes, value: Any) -> bool:
    """Whether every member name that was written is in what was read; `False` also where that is not sure.

    A name that stands twice leaves one member, and so one colon, less. Only an escaped colon could make up for it.
    """
    return b"\\u003" not in raw and orjson.dumps(value).count(b":") == raw.count(b":")


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ProtocolError("a member name stands twice in one object", spec="RFC 7493 §2.3")
    return value


def _constant(name: str) -> NoReturn:
    raise ProtocolError(f"{name} is not JSON", spec=_EDGE)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ProtocolError("a number beyond a double", spec="RFC 7493 §2.2")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)

"""The JSON edge: what I-JSON forbids is refused, and nothing else comes out than one object."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import messages
from node.federation.protocol.messages import Request

VALID = '{"type":"Create","id":"x","object":{"content":"تمرين","list":[1,2.5,null,true]}}'


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_the_bytes_are_kept_beside_the_value() -> None:
    raw = ("\n " + VALID + " ").encode()
    document = messages.parse_document(raw)
    assert document.raw == raw and document.value == json.loads(VALID)


@pytest.mark.parametrize(
    ("raw", "status", "spec"),
    [
        (b"", 400, "RFC 7493 §2"),
        (b"\xef\xbb\xbf{}", 400, "RFC 7493 §2"),
        (VALID.encode("utf-16"), 400, "RFC 7493 §2"),
        (b'{"a":"\xff"}', 400, "RFC 7493 §2"),
        (VALID.encode() + b"x", 400, "RFC 7493 §2"),
        (b"{'a':1}", 400, "RFC 7493 §2"),
        (b'{"a":1,}', 400, "RFC 7493 §2"),
        (b'{"a":NaN}', 400, "RFC 7493 §2"),
        (b'{"a":-Infinity}', 400, "RFC 7493 §2"),
        (b'{"a":"\\ud800"}', 400, "RFC 7493 §2"),
        (b'{"\\udc00":1}', 400, "RFC 7493 §2"),
        (b'{"a":1,"a":1}', 400, "RFC 7493 §2.3"),
        (b'{"x":[{"a":1,"\\u0061":2}]}', 400, "RFC 7493 §2.3"),
        (b'{"a":9007199254740992}', 400, "RFC 7493 §2.2"),
        (b'{"a":[-9007199254740992]}', 400, "RFC 7493 §2.2"),
        (b'{"a":' + b"9" * 5000 + b"}", 400, None),
        (b'{"a":1e400}', 400, None),
        (b"[]", 400, "AS2 §2"),
        (b"null", 400, "AS2 §2"),
        (b'"x"', 400, "AS2 §2"),
        (nested(33), 400, "RFC 7493 §2"),
        (nested(50_000), 413, "RFC 9110 §15.5.14"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "RFC 7493 §2"),
        (b" " * messages.MAX_ENTRY + b"{}", 413, "RFC 9110 §15.5.14"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
def test_a_document_that_is_not_i_json_is_refused(raw: bytes, status: int, spec: str | None) -> None:
    with pytest.raises(ProtocolError) as caught:
        messages.parse_document(raw)
    assert caught.value.status == status
    assert spec is None or caught.value.spec == spec


@pytest.mark.parametrize(
    "raw", [nested(32), b'{"a":9007199254740991,"b":-9007199254740991}', b'{"a":"\\ud83d\\ude02"}']
)
def test_the_bounds_themselves_are_allowed(raw: bytes) -> None:
    messages.parse_document(raw)


def test_the_limit_is_the_callers() -> None:
    messages.parse_document(b"{}", 2)
    with pytest.raises(ProtocolError):
        messages.parse_document(b"{} ", 2)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(VALID)),
    st.integers(0, 6),
    st.text(st.characters(), max_size=5) | st.sampled_from('{}[]",:1e9'),
)
def test_a_damaged_document_is_refused_or_an_object(start: int, length: int, piece: str) -> None:
    raw = (VALID[:start] + piece + VALID[start + length :]).encode("utf-8", "surrogatepass")
    try:
        document = messages.parse_document(raw)
    except ProtocolError as error:
        assert error.status == 400
    else:
        assert document.raw == raw and type(document.value) is dict


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_an_object(raw: bytes) -> None:
    try:
        assert type(messages.parse_document(raw).value) is dict
    except ProtocolError as error:
        assert error.status == 400


def test_a_header_that_stands_twice_has_no_one_value() -> None:
    request = Request("GET", "/", (("host", "a"), ("accept", "x"), ("accept", "x")))
    assert (request.header("host"), request.header("date"), request.all("accept")) == ("a", None, ("x", "x"))
    with pytest.raises(ProtocolError, match="2 times"):
        request.header("accept")


@pytest.mark.parametrize(
    ("content_type", "wanted"),
    [
        (messages.ACTIVITY_JSON, True),
        (messages.LD_JSON, True),
        ("application/activity+json; charset=utf-8", True),
        (" Application/Activity+JSON ", True),
        ("application/ld+json; charset=utf-8; profile=https://www.w3.org/ns/activitystreams", True),
        ('application/ld+json; profile="https://w3id.org/x https://www.w3.org/ns/activitystreams"', True),
        (None, False),
        ("", False),
        ("application/json", False),
        ("application/ld+json", False),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams-not"', False),
        ("text/html; x=application/activity+json", False),
    ],
)
def test_activity_json_is_told_from_other_json(content_type: str | None, wanted: bool) -> None:
    assert messages.is_activity_json(content_type) is wanted


@pytest.mark.parametrize(
    ("value", "listed", "name"),
    [
        (None, [], None),
        ("a", ["a"], "a"),
        ({"id": "a"}, [{"id": "a"}], "a"),
        ({"id": 1}, [{"id": 1}], None),
        (["a", None], ["a", None], None),
        (0, [0], None),
    ],
)
def test_one_value_and_several_are_read_alike(value: Any, listed: list[Any], name: str | None) -> None:
    assert messages.as_list(value) == listed
    assert messages.id_of(value) == name

"""Canonical bytes against the standard's vectors and the library; digests that others wrote."""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import base58
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import digests
from node.federation.protocol.messages import Request

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc8785.json").read_text())
BODY = b'{"an":"exercise"}'
OURS = digests.digest_header(BODY)
OURS_9530 = digests.content_digest_header(BODY)
OTHER = digests.digest_header(b"x")
GOOD = digests.multibase(BODY)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_standards_documents_have_the_standards_bytes(case: dict[str, str]) -> None:
    assert digests.jcs(json.loads(case["input"])) == bytes.fromhex(case["canonical_hex"])


@pytest.mark.parametrize(("bits", "text"), VECTORS["numbers"])
def test_the_standards_numbers_have_the_standards_text(bits: str, text: str) -> None:
    assert digests.jcs(struct.unpack(">d", bytes.fromhex(bits))[0]) == text.encode()


def reference(value: Any) -> bytes | None:
    try:
        return rfc8785.dumps(value)
    except ValueError:
        return None


def values(text: st.SearchStrategy[str], numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | numbers | text,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=12,
    )


PLAIN = values(st.text(st.characters(max_codepoint=127)) | st.text(), st.integers(-(2**53) + 1, 2**53 - 1))
ANY = values(st.text(st.characters()), st.integers() | st.floats())


@settings(max_examples=400, deadline=None)
@given(PLAIN | ANY)
def test_the_fast_path_and_the_library_give_the_same_bytes(value: Any) -> None:
    wanted = reference(value)
    if wanted is None:
        with pytest.raises(ProtocolError):
            digests.jcs(value)
    else:
        assert digests.jcs(value) == wanted


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=0x100)))
def test_every_control_character_is_escaped_as_the_library_does(text: str) -> None:
    assert digests.jcs([text]) == rfc8785.dumps([text])


DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        10**400,
        float("nan"),
        float("inf"),
        "\ud800",
        {"\ud800": 1},
        {"é\udfff": 1},
        ["é", "\ud800"],
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    for wrapped in (value, [value], {"a": value}, {"é": value}):
        with pytest.raises(ProtocolError) as caught:
            digests.jcs(wrapped)
        assert caught.value.spec == "RFC 8785 §3.2"


def test_a_document_nested_without_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        digests.jcs(DEEP)


def test_a_digest_is_a_multihash_of_sha256() -> None:
    assert base58.b58decode(GOOD[1:]) == b"\x12\x20" + hashlib.sha256(BODY).digest()
    assert GOOD.startswith("zQm") and digests.check_multibase(GOOD) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        GOOD[1:],
        GOOD + "\n",
        GOOD + " ",
        GOOD[:-1],
        GOOD + "1",
        "u" + GOOD[1:],
        "z1" + GOOD[1:],
        GOOD[:9] + "0" + GOOD[10:],
        GOOD[:9] + "é" + GOOD[10:],
        "z" + base58.b58encode(b"\x13\x20" + b"x" * 32).decode(),
        "z" + base58.b58encode(b"\x12\x20" + b"x" * 31).decode(),
    ],
    ids=repr,
)
def test_a_digest_in_another_form_is_refused(text: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        digests.check_multibase(text)
    assert caught.value.spec == "Tadamun log §3"


@given(
    st.text(max_size=70) | st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=60)
)
def test_a_digest_that_is_taken_has_one_spelling(text: str) -> None:
    try:
        taken = digests.check_multibase("z" + text)
    except ProtocolError:
        return
    assert "z" + base58.b58encode(base58.b58decode(text)).decode() == taken


def request(*headers: tuple[str, str]) -> Request:
    return Request("POST", "/inbox", headers, BODY)


@pytest.mark.parametrize(
    "value", [OURS, OURS.replace("SHA", "sha"), f"MD5=AA==, {OURS}", f"{OURS},SHA-512=AA=="]
)
def test_the_bodys_digest_is_taken(value: str) -> None:
    digests.check_digest(request(("digest", value)))


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("",),
        (OTHER,),
        ("SHA-512=AA==",),
        (OURS.rstrip("="),),
        (f"{OURS}, {OTHER}",),
        (f"{OURS}, {OURS}",),
        (OURS, OTHER),
        (OURS, OURS),
        (OURS_9530,),
    ],
)
def test_another_digest_is_refused(headers: tuple[str, ...]) -> None:
    with pytest.raises(ProtocolError) as caught:
        digests.check_digest(request(*(("digest", value) for value in headers)))
    assert (caught.value.status, caught.value.spec) == (401, "RFC 3230 §4.3.2")


@pytest.mark.parametrize("value", [OURS_9530, f"sha-512=:AA==:, {OURS_9530}"])
def test_the_bodys_content_digest_is_taken(value: str) -> None:
    digests.check_content_digest(request(("content-digest", value)))


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("",),
        (digests.content_digest_header(b"x"),),
        ("sha-512=:AA==:",),
        (OURS_9530.upper(),),
        (f"{OURS_9530}, {OURS_9530}",),
        (OURS_9530, digests.content_digest_header(b"x")),
        (OURS,),
    ],
)
def test_another_content_digest_is_refused(headers: tuple[str, ...]) -> None:
    with pytest.raises(ProtocolError) as caught:
        digests.check_content_digest(request(*(("content-digest", value) for value in headers)))
    assert (caught.value.status, caught.value.spec) == (401, "RFC 9530 §2")

"""Bundles on paper: a small one fits a QR code and comes back; nothing else is read as one."""

import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import bundles
from node.errors import NodeError, ProtocolError
from node.federation.protocol import base45

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUNDLE = bundles.render([b'{"stub": 1}'], NOON)
CODE = bundles.render_code(BUNDLE) or ""


def code(data):
    return (bundles.CODE + base45.encode(data)).encode()


def test_a_small_bundle_comes_back_from_its_code():
    assert bundles.is_code(CODE.encode()) and bundles.is_bundle(CODE.encode())
    assert bundles.read_code(f"\r\n{CODE} \n".encode()) == BUNDLE
    assert set(CODE) <= set(base45.ALPHABET), "the letters of a QR code's alphanumeric mode"


@given(st.binary(max_size=30))
def test_no_code_ends_in_a_space(data):
    made = bundles.render_code(data)
    assert made is not None and made == made.strip()
    assert bundles.read_code(made.encode()).rstrip(b"\n") == data.rstrip(b"\n")


def test_a_bundle_that_fits_no_code_has_none():
    noise = b"".join(zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4) for n in range(1_000))
    assert bundles.render_code(noise) is None


@pytest.mark.parametrize(
    "raw",
    [
        code(b"not zlib"),
        code(zlib.compress(BUNDLE)[:-1]),
        code(zlib.compress(BUNDLE) + b"more"),
        code(zlib.compress(bytes(1024 * 1024 + 1))),
        b"TADAMUN1:A",
        b"TADAMUN1:" + "ب".encode(),
        b"TADAMUN1:" + b"0" * 20_000,
        b"TADAMUN2:BB8",
    ],
)
def test_what_is_no_code_is_refused(raw):
    with pytest.raises(ProtocolError):
        bundles.parse(raw)


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reader(data):
    for raw in (data, b"TADAMUN1:" + data, code(data)):
        try:
            bundles.parse(raw)
        except NodeError:
            continue


def test_lines_of_those_that_nobody_asked_for_are_counted_only():
    did = "did:key:z6Mk" + "a" * 44
    stub = b'{"stub": {"did": "%s", "epoch": 1, "sequence": 1, "previous": null, "content": "%s"}}' % (
        did.encode(), b"zQmZi66r7Pd2yE7sMja2xxLQrrKphKrCJSwb5dPJkv7SaPD",
    )  # fmt: skip
    raw = bundles.render([stub, b"{}", b"x"], NOON)
    assert len(bundles.parse(raw).stubs) == 1
    found = bundles.parse(raw, frozenset().__contains__)
    assert (found.stubs, found.skipped, found.bad, len(found.refused)) == ((), 1, 2, 2)
    with pytest.raises(ProtocolError, match="3 lines"):
        bundles.parse(raw, limit=2)

"""Sealing: who opens what, what a size tells, and that nothing broken is opened."""

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError
from node.federation.protocol import sealing

OURS, THEIRS, OLD = (sealing.generate() for _ in range(3))
PLAIN = b"EXERCISE what nobody else reads"
SEALED = sealing.seal(PLAIN, [OURS.public])


def size(data):
    """Bytes of the payload: the header has a stanza of random length, which says nothing."""
    blob = sealing.seal(data, [OURS.public])
    return len(blob) - blob.index(b"\n", blob.index(b"\n--- ") + 1)


def test_everybody_named_opens_it_alone_and_nobody_else():
    blob = sealing.seal(PLAIN, [OURS.public, OLD.public])
    assert sealing.open_sealed(blob, [OURS.secret]) == PLAIN == sealing.open_sealed(blob, [THEIRS.secret, OLD.secret])
    with pytest.raises(ProtocolError, match="not to us"):
        sealing.open_sealed(blob, [THEIRS.secret])
    assert PLAIN not in blob and OURS.public.encode() not in blob


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(0, 508, True), (508, 509, False), (509, 1_020, True), (1_020, 1_021, False), (5_000, 8_188, True)],
)
def test_a_size_tells_little(one, other, same):
    """Padded to 512 bytes and then by doubling."""
    assert (size(b"x" * one) == size(b"y" * other)) == same
    assert sealing.open_sealed(sealing.seal(b"x" * one, [OURS.public]), [OURS.secret]) == b"x" * one


@pytest.mark.parametrize(
    "recipients",
    [[], ["age1"], [""], [None], [7], [OURS.secret], ["x" * 101], [OURS.public[:-1] + "b"]],
)
def test_to_whom_nothing_can_be_sealed(recipients):
    with pytest.raises(ProtocolError):
        sealing.seal(PLAIN, recipients)


def test_the_same_twice_is_one_and_too_many_are_refused():
    assert sealing.seal(PLAIN, [OURS.public] * 2_000).count(b"-> X25519 ") == 1
    with pytest.raises(ProtocolError, match="sealed to 1001; 1 to 1000"):
        sealing.seal(PLAIN, [sealing.generate().public for _ in range(1_001)])


@pytest.mark.parametrize("secrets", [[], [THEIRS.secret], [OURS.public], ["AGE-SECRET-KEY-1"], [""]])
def test_without_the_right_secret_nothing_opens(secrets):
    with pytest.raises(ProtocolError, match="not to us"):
        sealing.open_sealed(SEALED, secrets)


def test_a_key_is_loaded_from_its_secret_and_shows_none():
    assert sealing.load(OURS.secret) == OURS and OURS.secret not in repr(OURS)
    with pytest.raises(ProtocolError, match="identity"):
        sealing.load(OURS.public)


def test_what_is_larger_than_anything_of_ours_is_not_tried():
    with pytest.raises(ProtocolError, match="beyond") as found:
        sealing.open_sealed(SEALED + bytes(sealing.MAX_SEALED), [OURS.secret])
    assert found.value.status == 413


@pytest.mark.parametrize("missing", [1, 16, 520, 10_000])
def test_what_was_cut_off_does_not_open(missing):
    with pytest.raises(ProtocolError):
        sealing.open_sealed(SEALED[: max(0, len(SEALED) - missing)], [OURS.secret])


@pytest.mark.parametrize("inner", [b"", b"\x00", b"\x00\x00\x00\x01", b"\xff\xff\xff\xff" + bytes(508)])
def test_a_length_that_is_not_there_is_cut_off(inner):
    blob = pyrage.encrypt(inner, [pyrage.x25519.Recipient.from_str(OURS.public)])
    with pytest.raises(ProtocolError, match="cut off"):
        sealing.open_sealed(blob, [OURS.secret])


@settings(max_examples=60)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_one_byte_changed_anywhere_it_does_not_open_as_another(place, change):
    broken = bytearray(SEALED)
    broken[place] ^= change
    try:
        assert sealing.open_sealed(bytes(broken), [OURS.secret]) == PLAIN
    except NodeError:
        return


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_whatever_the_bytes_are_nothing_else_breaks(blob):
    with pytest.raises(ProtocolError):
        sealing.open_sealed(blob, [OURS.secret])

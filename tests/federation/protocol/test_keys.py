"""Keys: what goes out comes back, and what is out of bounds stays out."""

import json
from pathlib import Path

import base58
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers, generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ConfigurationError, ProtocolError
from node.federation.protocol import keys

RSA = keys.generate_rsa_key()
# From a fixed seed: the names of the tests hold it, and must be the same in every process that runs them.
ORGANISATION = keys.OrganisationKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
PEM = keys.public_pem(RSA.public_key())
CASES = json.loads((Path(__file__).parents[2] / "vectors" / "eddsa_jcs_2022.json").read_text())["cases"]


def pem_of(key: object) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_a_signature_holds_for_its_key_and_data_only() -> None:
    rsa = keys.public_from_pem(PEM, "k", "a")
    did = keys.public_from_did(ORGANISATION.did)
    rsa.verify(keys.sign_rsa(RSA, b"data"), b"data")
    did.verify(ORGANISATION.sign(b"data"), b"data")
    for key, signature in ((rsa, keys.sign_rsa(RSA, b"data")), (did, ORGANISATION.sign(b"data"))):
        for wrong, data in (
            (signature, b"date"),
            (b"", b"data"),
            (signature[:-1], b"data"),
            (signature * 2, b"data"),
        ):
            with pytest.raises(ProtocolError) as caught:
                key.verify(wrong, data)
            assert caught.value.status == 401


def test_a_did_is_its_key() -> None:
    key = keys.public_from_did(ORGANISATION.did)
    assert key.algorithm == "ed25519" and key.owner == ORGANISATION.did
    assert key.id == f"{ORGANISATION.did}#{ORGANISATION.multikey}"
    assert keys.multikey(key.key) == ORGANISATION.multikey


def test_the_published_key_pair_is_read() -> None:
    raw = base58.b58decode(CASES[0]["secret"][1:])
    assert keys.OrganisationKey(Ed25519PrivateKey.from_private_bytes(raw[2:])).multikey == CASES[0]["public"]


def test_private_keys_come_back_from_their_files() -> None:
    assert keys.load_private_pem(keys.private_pem(RSA)).private_numbers() == RSA.private_numbers()
    again = keys.load_private_pem(keys.private_pem(ORGANISATION.private))
    assert keys.OrganisationKey(again).did == ORGANISATION.did


def test_a_file_that_is_no_key_of_ours_stops_the_start() -> None:
    encryption = serialization.BestAvailableEncryption(b"x")
    form = serialization.PrivateFormat.PKCS8
    curve = ec.generate_private_key(ec.SECP256R1())
    for pem in (
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
        PEM.encode(),
        RSA.private_bytes(serialization.Encoding.PEM, form, encryption),
        curve.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()),
    ):
        with pytest.raises(ConfigurationError):
            keys.load_private_pem(pem)


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_rsa_keys_within_bounds_are_taken(bits: int) -> None:
    # An odd modulus is enough for a public key: nobody looks for its factors.
    pem = pem_of(RSAPublicNumbers(65537, 2**bits - 1).public_key())
    key = keys.public_from_pem(pem, "k", "a")
    assert (key.id, key.owner, key.algorithm) == ("k", "a", "rsa")


def test_an_ed25519_pem_is_taken() -> None:
    assert keys.public_from_pem(pem_of(ORGANISATION.private.public_key()), "k", "a").algorithm == "ed25519"


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        ("", "not a key"),
        ("\ud800", "not a key"),
        (PEM[:100], "not a key"),
        (PEM.replace("PUBLIC KEY", "CERTIFICATE"), "not a key"),
        (keys.private_pem(RSA).decode(), "not a key"),
        ("x" * 8193, "8 kB"),
        (pem_of(generate_private_key(65537, 1024).public_key()), "1024 bits"),
        (pem_of(RSAPublicNumbers(65537, 2**2047 - 1).public_key()), "2047 bits"),
        (pem_of(RSAPublicNumbers(65537, 2**4097 - 1).public_key()), "4097 bits"),
        (pem_of(RSAPublicNumbers(2**33 + 1, 2**2048 - 1).public_key()), "exponent"),
        (pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()), "neither RSA"),
        (pem_of(dsa.generate_private_key(1024).public_key()), "neither RSA"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_a_pem_out_of_bounds_is_refused(pem: str, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        keys.public_from_pem(pem, "k", "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ORGANISATION.multikey[1:],
        ORGANISATION.multikey + "\n",
        ORGANISATION.multikey + "1",
        ORGANISATION.multikey[:-1],
        ORGANISATION.multikey[:20] + "0" + ORGANISATION.multikey[21:],
        ORGANISATION.multikey[:20] + "é" + ORGANISATION.multikey[21:],
        "u" + ORGANISATION.multikey[1:],
        "z" + base58.b58encode(b"\xe7\x01" + b"\x02" * 33).decode(),
        "z" + base58.b58encode(b"\xed\x01" + b"\x02" * 31).decode(),
    ],
    ids=repr,
)
def test_text_that_is_no_ed25519_multikey_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        keys.public_from_multikey(text, "k", "a")
    with pytest.raises(ProtocolError):
        keys.public_from_did("did:key:" + text)


@pytest.mark.parametrize(
    "did", ["", "did:web:exercise.example", ORGANISATION.multikey, ORGANISATION.did + "#x"]
)
def test_a_name_that_is_no_did_key_is_refused(did: str) -> None:
    with pytest.raises(ProtocolError):
        keys.public_from_did(did)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 460), st.integers(0, 4), st.text(max_size=5))
def test_a_damaged_pem_is_refused_or_still_a_key(start: int, length: int, piece: str) -> None:
    try:
        key = keys.public_from_pem(PEM[:start] + piece + PEM[start + length :], "k", "a")
    except ProtocolError:
        return
    assert key.algorithm in ("rsa", "ed25519")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 48), st.integers(0, 3), st.text(max_size=4) | st.text("123ABCabc", max_size=4))
def test_a_damaged_multikey_is_refused_or_the_one_spelling_of_a_key(
    start: int, length: int, piece: str
) -> None:
    text = ORGANISATION.multikey[:start] + piece + ORGANISATION.multikey[start + length :]
    try:
        key = keys.public_from_multikey(text, "k", "a")
    except ProtocolError:
        return
    assert keys.multikey(key.key) == text

"""Keys: Ed25519 (`did:key`, Multikey) for proofs, RSA for HTTP signatures.

Bounds are ours, for the library has none: RSA from 2048 to 4096 bits with an exponent under 2^33. A private key is
checked once, when it is made or imported; loading it again every start would cost 27 ms for nothing.
"""

from dataclasses import dataclass
from typing import Literal

import base58
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from node.errors import ConfigurationError, ProtocolError

_ED25519_PREFIX = b"\xed\x01"
DID_KEY = "did:key:"
_SPEC = "FEP-521a"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A loaded public key, with the id it goes by and the actor it speaks for (a did for a `did:key`)."""

    id: str
    owner: str
    algorithm: Literal["rsa", "ed25519"]
    key: RSAPublicKey | Ed25519PublicKey

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature over `data` (RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519).

        Raises:
            ProtocolError: 401, the signature does not hold.
        """
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            else:
                self.key.verify(signature, data)
        except InvalidSignature as error:
            raise ProtocolError("the signature does not hold", spec="RFC 9421 §3.2", status=401) from error


@dataclass(frozen=True, slots=True)
class OrganisationKey:
    """The Ed25519 key that *is* an organisation."""

    private: Ed25519PrivateKey

    @property
    def multikey(self) -> str:
        """The public key as Multikey text, `z6Mk…`."""
        return multikey(self.private.public_key())

    @property
    def did(self) -> str:
        """The organisation's name: `did:key:z6Mk…`."""
        return DID_KEY + self.multikey

    def sign(self, data: bytes) -> bytes:
        """64 bytes of Ed25519 signature."""
        return self.private.sign(data)


def generate_organisation_key() -> OrganisationKey:
    """A new Ed25519 key."""
    return OrganisationKey(Ed25519PrivateKey.generate())


def generate_rsa_key() -> RSAPrivateKey:
    """A new RSA-2048 key for HTTP signatures."""
    return generate_private_key(65537, 2048)


def sign_rsa(key: RSAPrivateKey, data: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def private_pem(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    """PKCS#8 PEM, not encrypted: the file's mode and the disk protect it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: RSAPublicKey | Ed25519PublicKey) -> str:
    """SubjectPublicKeyInfo PEM, the form of `publicKeyPem`."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def load_private_pem(pem: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    """A private key of our own from its file.

    Raises:
        ConfigurationError: not a key of ours.
    """
    try:
        key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"a key file cannot be read: {error}") from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigurationError("a key file holds neither RSA nor Ed25519")
    return key


def public_from_pem(pem: str, key_id: str, owner: str) -> PublicKey:
    """A peer's `publicKeyPem`, within our bounds.

    Raises:
        ProtocolError: not a key, of another kind, or out of bounds.
    """
    if len(pem) > 8192:
        raise ProtocolError("a key of more than 8 kB", spec=_SPEC)
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProtocolError("publicKeyPem is not a key", spec=_SPEC) from error
    if isinstance(key, Ed25519PublicKey):
        return PublicKey(key_id, owner, "ed25519", key)
    if not isinstance(key, RSAPublicKey):
        raise ProtocolError("publicKeyPem is neither RSA nor Ed25519", spec=_SPEC)
    if not 2048 <= key.key_size <= 4096:
        raise ProtocolError(f"an RSA key of {key.key_size} bits; 2048 to 4096 are taken", spec=_SPEC)
    if key.public_numbers().e >= 2**33:
        raise ProtocolError("an RSA exponent beyond 2^33", spec=_SPEC)
    return PublicKey(key_id, owner, "rsa", key)


def multikey(key: Ed25519PublicKey) -> str:
    """An Ed25519 public key as Multikey text.

    Spec: Controlled Identifiers 1.0 §2.2.2
    """
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return "z" + base58.b58encode(_ED25519_PREFIX + raw).decode()


def public_from_multikey(text: str, key_id: str, owner: str) -> PublicKey:
    """Read `publicKeyMultibase`; only Ed25519 is taken.

    Raises:
        ProtocolError: not an Ed25519 Multikey.
    """
    if not text.startswith("z6Mk") or not 45 < len(text) < 52:
        raise ProtocolError("not an Ed25519 Multikey", spec=_SPEC)
    try:
        raw = base58.b58decode(text[1:])
        if len(raw) != 34 or not raw.startswith(_ED25519_PREFIX) or "z" + base58.b58encode(raw).decode() != text:
            raise ValueError("wrong length or prefix")
        key = Ed25519PublicKey.from_public_bytes(raw[2:])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProtocolError("not an Ed25519 Multikey", spec=_SPEC) from error
    return PublicKey(key_id, owner, "ed25519", key)


def public_from_did(did: str) -> PublicKey:
    """The key that a `did:key` is. It needs no look-up: the name is the key.

    Raises:
        ProtocolError: not an Ed25519 `did:key`.
    """
    if not did.startswith(DID_KEY):
        raise ProtocolError(f"{did[:80]!r} is not a did:key", spec="FEP-ef61")
    text = did.removeprefix(DID_KEY)
    return public_from_multikey(text, f"{did}#{text}", did)

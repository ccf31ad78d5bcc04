"""Sealing: bytes that only the holders of some keys can read. The one file that knows age.

Rules: what is sealed is padded first, to 512 bytes and then by doubling, so that its size tells little; the number of
recipients can be seen, who they are cannot; a blob that none of our secrets opens is refused, and it is not said why.
Whoever opens a blob learns nothing of who sealed it: authorship is a proof's part (`integrity_proofs`).

Spec: age-encryption.org/v1 (X25519 recipients)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import pyrage

from node.errors import ProtocolError
from node.federation.protocol.messages import MAX_ENTRY

_LEAST = 512
_SPEC = "age-encryption.org/v1"
_MAX_RECIPIENTS = 1_000
MAX_SEALED = 8 * 1024 * 1024
"""Bytes of the largest blob that is opened."""
MAX_LETTER = MAX_ENTRY // 2
"""Bytes that fit, sealed and in base64, into one activity."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key pair that things are sealed to. `secret` is never shown, logged or stored unsealed."""

    public: str
    """`age1…`"""
    secret: str = field(repr=False)
    """`AGE-SECRET-KEY-1…`"""


def generate() -> SealKey:
    """A new X25519 key pair."""
    identity = pyrage.x25519.Identity.generate()
    return SealKey(str(identity.to_public()), str(identity))


def load(secret: str) -> SealKey:
    """A key pair from its secret half.

    Raises:
        ProtocolError: not such a secret.
    """
    try:
        identity = pyrage.x25519.Identity.from_str(secret)
    except pyrage.IdentityError as error:
        raise ProtocolError("not an age identity", spec=_SPEC) from error
    return SealKey(str(identity.to_public()), str(identity))


def check_recipient(public: object) -> str:
    """A public key that somebody else wrote.

    Raises:
        ProtocolError: not an X25519 recipient.
    """
    if not isinstance(public, str) or len(public) > 100:
        raise ProtocolError("not an age recipient", spec=_SPEC)
    try:
        return str(pyrage.x25519.Recipient.from_str(public))
    except pyrage.RecipientError as error:
        raise ProtocolError("not an age recipient", spec=_SPEC) from error


def seal(data: bytes, recipients: Sequence[str]) -> bytes:
    """Seal to everybody named; each of them opens it alone.

    Args:
        recipients: public halves, `age1…`.

    Raises:
        ProtocolError: nobody is named, too many are, or one is no recipient.
    """
    named = sorted({check_recipient(each) for each in recipients})
    if not 0 < len(named) <= _MAX_RECIPIENTS:
        raise ProtocolError(f"sealed to {len(named)}; 1 to {_MAX_RECIPIENTS} can be", spec=_SPEC)
    sealed: bytes = pyrage.encrypt(_padded(data), [pyrage.x25519.Recipient.from_str(each) for each in named])
    return sealed


def seal_file(data: bytes, recipient: str) -> bytes:
    """A file for somebody who opens it with the tool `age`: nothing is padded, so its size can be seen.

    Raises:
        ProtocolError: that is no recipient.
    """
    named = pyrage.x25519.Recipient.from_str(check_recipient(recipient))
    sealed: bytes = pyrage.encrypt(data, [named])
    return sealed


def open_sealed(blob: bytes, secrets: Sequence[str]) -> bytes:
    """Open with whichever of our secrets fits.

    Raises:
        ProtocolError: none fits, or what is inside was cut off.
    """
    if len(blob) > MAX_SEALED:
        raise ProtocolError(f"sealed bytes beyond {MAX_SEALED}", spec=_SPEC, status=413)
    if not secrets:
        raise ProtocolError("sealed, and not to us", spec=_SPEC)
    try:
        padded: bytes = pyrage.decrypt(blob, [pyrage.x25519.Identity.from_str(each) for each in secrets])
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise ProtocolError("sealed, and not to us", spec=_SPEC) from error
    return _unpadded(padded)


def seal_stream(source: BinaryIO, target: BinaryIO, recipients: Sequence[str]) -> None:
    """Seal what is read from a stream, of any length, as a file that the program `age` opens. It is not padded: for
    what its owner keeps, and whose size everybody may know.

    Raises:
        ProtocolError: one is no recipient.
        OSError: it cannot be read or written to the end.
    """
    named = [pyrage.x25519.Recipient.from_str(check_recipient(each)) for each in recipients]
    try:
        pyrage.encrypt_io(source, target, named)
    except pyrage.EncryptError as error:
        raise OSError(str(error)) from error


def seal_by_passphrase(data: bytes, passphrase: str) -> bytes:
    """Seal as a file that the program `age` opens with a passphrase (scrypt); not padded.

    Spec: age-encryption.org/v1 (scrypt recipients)
    """
    sealed: bytes = pyrage.passphrase.encrypt(data, passphrase)
    return sealed


def open_stream(source: BinaryIO, target: BinaryIO, secret: str) -> None:
    """Open what `seal_stream` or the program `age` sealed, of any length.

    Raises:
        ProtocolError: the secret is none, or another's, or what was sealed is damaged. What was written before that
            is of no use.
        OSError: it cannot be read or written to the end.
    """
    try:
        pyrage.decrypt_io(source, target, [pyrage.x25519.Identity.from_str(secret)])
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise ProtocolError("sealed, and not to this key", spec=_SPEC) from error


def open_by_passphrase(blob: bytes, passphrase: str) -> bytes:
    """Open what `seal_by_passphrase` or the program `age` sealed.

    Raises:
        ProtocolError: another passphrase, or what was sealed is damaged.

    Spec: age-encryption.org/v1 (scrypt recipients)
    """
    try:
        opened: bytes = pyrage.passphrase.decrypt(blob, passphrase)
    except pyrage.DecryptError as error:
        raise ProtocolError("sealed, and not by this passphrase", spec=_SPEC) from error
    return opened


def _padded(data: bytes) -> bytes:
    size = _LEAST
    while size < len(data) + 4:
        size *= 2
    return len(data).to_bytes(4) + data + bytes(size - len(data) - 4)


def _unpadded(padded: bytes) -> bytes:
    size = int.from_bytes(padded[:4])
    if len(padded) < 4 or size > len(padded) - 4:
        raise ProtocolError("sealed bytes that were cut off", spec=_SPEC)
    return padded[4 : 4 + size]

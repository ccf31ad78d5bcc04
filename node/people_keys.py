"""The keys of a person: what a password opens, what a session's cookie opens, and digests that open nothing.

There is no password hash: a password is right when the person's secret key opens under it. The secret lies wrapped in
the database, in a session under the cookie, and unwrapped nowhere.

Spec: RFC 9106 §4 (argon2id), RFC 8439 (ChaCha20-Poly1305), RFC 5869 (HKDF)
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from node.alert_forms import latin_digits
from node.errors import RefusedError

_SALT, _KEY, _NONCE = 16, 32, 12
_CODE = 10
"""Bytes of a recovery code: 80 bits."""


class WrongPasswordError(RefusedError):
    """A password does not open what it was tried on."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one derivation costs; kept beside each wrapped key, so that it can grow."""

    memory: int = 65_536
    """KiB."""
    passes: int = 3
    lanes: int = 1

    def __str__(self) -> str:
        return f"argon2id m={self.memory} t={self.passes} p={self.lanes}"


USUAL = Cost()


def parse_cost(text: str) -> Cost:
    """What `str` of a cost wrote.

    Raises:
        ValueError: nothing of ours.
    """
    name, *parts = text.split()
    if name != "argon2id":
        raise ValueError(text)
    found = dict(part.split("=") for part in parts)
    return Cost(int(found["m"]), int(found["t"]), int(found["p"]))


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret under a password."""

    salt: bytes
    cost: Cost
    sealed: bytes


def wrap(secret: str, password: str, cost: Cost = USUAL) -> Wrapped:
    """Put a secret under a password. Takes a tenth of a second and 64 MiB: off the event loop."""
    salt = secrets.token_bytes(_SALT)
    return Wrapped(salt, cost, _lock(secret.encode(), _derive(password, salt, cost), b"tadamun person"))


def unwrap(wrapped: Wrapped, password: str) -> str:
    """The secret, if the password is right; as dear as `wrap`.

    Raises:
        WrongPasswordError: it is not.
    """
    try:
        return _unlock(wrapped.sealed, _derive(password, wrapped.salt, wrapped.cost), b"tadamun person").decode()
    except InvalidTag as error:
        raise WrongPasswordError("the name or the password is wrong") from error


def nobody(cost: Cost = USUAL) -> Wrapped:
    """What is tried for a name that nobody has: the work is the same and no password fits."""
    return Wrapped(secrets.token_bytes(_SALT), cost, secrets.token_bytes(_NONCE + 74 + 16))


def new_token() -> str:
    """256 random bits, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token: enough to know it again, too little to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def keep_open(secret: str, cookie: str) -> bytes:
    """A person's secret for the length of a session: only who brings the cookie opens it."""
    return _lock(secret.encode(), _expand(cookie, b"tadamun session"), digest(cookie).encode())


def reopen(sealed: bytes, cookie: str) -> str:
    """What `keep_open` kept.

    Raises:
        RefusedError: by another cookie.
    """
    try:
        return _unlock(sealed, _expand(cookie, b"tadamun session"), digest(cookie).encode()).decode()
    except InvalidTag as error:
        raise RefusedError("the session does not open with this cookie") from error


def form_token(cookie: str) -> str:
    """What every form of a session carries; other sites cannot know it."""
    return _expand(cookie, b"tadamun form").hex()


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def new_code() -> str:
    """A recovery code: 80 bits in base32, in four groups."""
    text = base64.b32encode(secrets.token_bytes(_CODE)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def code_digest(person: str, code: str) -> str:
    """What is kept of a recovery code; spaces, dashes, capitals and whose digits do not matter."""
    plain = "".join(each for each in latin_digits(code).lower() if each.isalnum())
    return hashlib.sha256(f"{person}:{plain}".encode()).hexdigest()


def pseudonym(key: bytes, person: str) -> str:
    """Who acted, for the audit trail: without the organisation's key it is nobody."""
    return hmac.new(key, person.encode(), hashlib.sha256).hexdigest()[:16]


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    kdf = Argon2id(salt=salt, length=_KEY, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory)
    return kdf.derive(password.encode("utf-8", "surrogatepass"))


def _expand(cookie: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=purpose).derive(cookie.encode())


def _lock(data: bytes, key: bytes, about: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, data, about)


def _unlock(sealed: bytes, key: bytes, about: bytes) -> bytes:
    return ChaCha20Poly1305(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about)

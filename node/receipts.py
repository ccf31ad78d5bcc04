"""The receipt of a confidential request: sixteen digits that open its answers, and nothing else that could.

Rules: the digits are random, and shown once. Argon2id with the organisation's salt makes of them a tag, by which the
row is found, and a key. A fresh age key pair is made for each request; its secret half lies wrapped with that key
(ChaCha20-Poly1305), answers are sealed to its public half. So who holds the rows and the salt must try numbers one by
one, at a third of a second and 64 MiB each, among 10^16. What was asked is sealed to the case workers alone: the
number does not open it, and a paper that is found tells nothing of what was said.

Wrong numbers cost everybody the same patience: `Patience` counts those of ten minutes and says how long the next one
waits, right or wrong; nobody is told apart by it.

Spec: RFC 9106 §3.1; RFC 8439 §2.8
"""

import re
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from node.alert_forms import latin_digits
from node.errors import ProtocolError
from node.federation.protocol import sealing

DIGITS = 16
SALT = 16
_TAG, _KEY, _NONCE = 32, 32, 12
_MEMORY = 64 * 1024
_ITERATIONS = 3
_LABEL = b"tadamun request 1"
_BETWEEN = re.compile(r"[\s\-‐‑–·.\u200e\u200f\u2066-\u2069]+")
_REMEMBERED = timedelta(minutes=10)
_FREE = 5
_MOST_WAIT = 8.0
_MOST = 64
_SPEC = "Tadamun request 1"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a number makes: the tag to look for, the key to unwrap with."""

    tag: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A new number with what is kept of it."""

    number: str = field(repr=False)
    """Sixteen digits; shown once, kept nowhere."""
    tag: bytes
    public: str
    """Answers are sealed to it."""
    wrapped: bytes


def generate(salt: bytes) -> Receipt:
    """A new receipt. Takes a third of a second, on purpose."""
    number = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    opening, pair = derive(number, salt), sealing.generate()
    nonce = secrets.token_bytes(_NONCE)
    wrapped = nonce + ChaCha20Poly1305(opening.key).encrypt(nonce, pair.secret.encode(), _LABEL)
    return Receipt(number, opening.tag, pair.public, wrapped)


def parse(text: str) -> str:
    """The sixteen digits that somebody typed, in any grouping, in Arabic digits too.

    Raises:
        ProtocolError: not sixteen digits.
    """
    digits = latin_digits(_BETWEEN.sub("", text))
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ProtocolError("a receipt number has sixteen digits", spec=_SPEC)
    return digits


def shown(number: str) -> str:
    """In groups of four, for paper."""
    return " ".join(number[at : at + 4] for at in range(0, DIGITS, 4))


def derive(number: str, salt: bytes) -> Opening:
    """What a number makes. Takes a third of a second and 64 MiB, on purpose.

    Spec: RFC 9106 §3.1
    """
    argon = Argon2id(salt=salt, length=_TAG + _KEY, iterations=_ITERATIONS, lanes=1, memory_cost=_MEMORY)
    made = argon.derive(number.encode())
    return Opening(made[:_TAG], made[_TAG:])


def unwrap(opening: Opening, wrapped: bytes) -> str:
    """The secret that opens the answers.

    Raises:
        ProtocolError: not this number's.
    """
    try:
        return ChaCha20Poly1305(opening.key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _LABEL).decode()
    except (InvalidTag, ValueError) as error:
        raise ProtocolError("no request has this number", spec=_SPEC, status=404) from error


class Patience:
    """How many wrong numbers came of late, on this node, from whomever: in memory, bounded, without an address."""

    def __init__(self) -> None:
        self._wrong: deque[datetime] = deque(maxlen=_MOST)

    def wait(self, now: datetime) -> float:
        """Seconds that the next number waits, whether it is right or wrong."""
        while self._wrong and not now - _REMEMBERED < self._wrong[0] <= now:
            self._wrong.popleft()
        over = len(self._wrong) - _FREE
        return 0.0 if over < 0 else min(_MOST_WAIT, 0.25 * 2.0 ** min(over, 10))

    def wrong(self, now: datetime) -> None:
        """One more."""
        self._wrong.append(now)

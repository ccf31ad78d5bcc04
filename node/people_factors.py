"""Second factors: codes of a generator (TOTP) and passkeys. The one file that knows pyotp and fido2.

Rules, in order:
1. A code counts for its half minute and the one before and after; each is taken once, and none older than the last
   (the caller keeps the step).
2. A passkey answers the challenge that its session was given, from our own origin, with somebody present; one that
   counts its uses never counts backwards, for then there are two of it.

Spec: RFC 6238 §5.2, WebAuthn 2 §7.1, §7.2
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyotp
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from node.alert_forms import latin_digits
from node.errors import RefusedError

STEP = 30
_WINDOW = 1
_LONGEST_ANSWER = 20_000
_WRONG = "this passkey does not answer what it was asked"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is to ask a passkey."""

    options: str
    """JSON, for the page's script."""
    state: str
    """JSON, for the session: what the answer is held against."""


def new_totp() -> str:
    """A secret for a code generator, in base32."""
    return pyotp.random_base32()


def totp_uri(secret: str, name: str, organisation: str) -> str:
    """What a code generator reads from a QR code."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=name, issuer_name=organisation)


def totp_code(secret: str, now: datetime) -> str:
    """The code of this moment: what the generator shows."""
    return pyotp.TOTP(secret, interval=STEP).at(now)


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The number of the half minute that a code is of; `None` for a code that does not count now. Constant in time."""
    plain = "".join(each for each in latin_digits(code) if each.isdecimal())
    generator = pyotp.TOTP(secret, interval=STEP)
    step = int(now.timestamp()) // STEP
    found = None
    for each in range(step - _WINDOW, step + _WINDOW + 1):
        if pyotp.utils.strings_equal(plain, generator.generate_otp(each)):
            found = each
    return found


def ask_to_make(origin: str, organisation: str, person: str, name: str, known: Sequence[bytes]) -> Asked:
    """Begin to enrol a passkey.

    Args:
        known: the credentials that the person has already.
    """
    user = PublicKeyCredentialUserEntity(id=person.encode(), name=name, display_name=name)
    options, state = _server(origin, organisation).register_begin(
        user,
        [AttestedCredentialData(each) for each in known],
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return Asked(json.dumps(dict(options)), json.dumps(state))


def made(origin: str, organisation: str, state: str, answer: str) -> tuple[bytes, int]:
    """The new passkey's public half, and its count.

    Raises:
        RefusedError: it does not answer what was asked.
    """
    try:
        data = _server(origin, organisation).register_complete(json.loads(state), _parsed(answer))
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise RefusedError(_WRONG) from error
    if data.credential_data is None:
        raise RefusedError(_WRONG)
    return bytes(data.credential_data), data.counter


def ask_to_show(origin: str, organisation: str, known: Sequence[bytes]) -> Asked:
    """Begin to show a passkey."""
    options, state = _server(origin, organisation).authenticate_begin(
        [AttestedCredentialData(each) for each in known], user_verification=UserVerificationRequirement.PREFERRED
    )
    return Asked(json.dumps(dict(options)), json.dumps(state))


def shown(
    origin: str, organisation: str, state: str, answer: str, known: Sequence[tuple[bytes, int]]
) -> tuple[int, int]:
    """Which of the known passkeys answered, and its count.

    Args:
        known: credentials with the count that each had last.

    Raises:
        RefusedError: none did, or it counts backwards.
    """
    credentials = [AttestedCredentialData(each) for each, _ in known]
    try:
        parsed = _parsed(answer)
        used = _server(origin, organisation).authenticate_complete(json.loads(state), credentials, parsed)
        count = AuthenticationResponse.from_dict(parsed).response.authenticator_data.counter
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise RefusedError(_WRONG) from error
    at = next(at for at, each in enumerate(credentials) if each.credential_id == used.credential_id)
    last = known[at][1]
    if (count or last) and count <= last:
        raise RefusedError("this passkey counts backwards: somebody may have copied it")
    return at, count


def _server(origin: str, organisation: str) -> Fido2Server:
    host = origin.partition("://")[2]
    name = host.rpartition(":")[0] if ":" in host else host
    return Fido2Server(PublicKeyCredentialRpEntity(name=organisation, id=name), verify_origin=lambda one: one == origin)


def _parsed(answer: str) -> dict[str, Any]:
    found = json.loads(answer) if len(answer) <= _LONGEST_ANSWER else None
    if not isinstance(found, dict):
        raise ValueError("no answer of a passkey")
    return found

"""Signatures whose names stay within the network: counted by every member's machine, told by none of them.

An organisation endorses an alert, or affirms a charter, by a sealed letter of kind "endorsement", not by a public
entry. What a machine keeps in the clear is a tag: the digest of the organisation's own signature over alert and text.
The same organisation makes the same tag again, so nobody counts twice; nobody without its key can say whose a tag is,
not even whoever holds a list of all members. The name rests sealed to the room "network".

Rules, in order:
1. what is inside is signed by the letter's author, over this alert (or charter) and this text;
2. nobody so endorses what is its own: whose it is, is public;
3. the newest word of a tag counts, and of two at the same second the one that takes it back;
4. it counts for one text; under an alert if it was said before the window closed and before the list was handed over.

That the author is a member, not frozen, and wrote it lately is `node/letters.py`'s to judge, when it comes.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from node.endorsements import MAX_NAME, SignOn
from node.errors import ProtocolError
from node.federation.protocol import digests, ids, keys
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.letters import Letter

_MAX_SIGNATURE = 100
_SPEC = "Tadamun sign-on, withheld"


@dataclass(frozen=True, slots=True)
class Withheld:
    """What a machine knows of one such signature."""

    tag: str
    alert: str
    """The canonical id of the alert's Note in its main language, or of a charter's Article."""
    digest: str
    """Of the frozen texts, or of the charter's text."""
    said: datetime
    gone: bool
    """It was taken back."""


def sign(key: OrganisationKey, alert: str, digest: str) -> bytes:
    """The signature that only this organisation can make, and makes the same every time.

    Spec: RFC 8032 §5.1.6
    """
    return key.sign(_message(alert, digest))


def tag_of(signature: bytes) -> str:
    """What stands for it in the clear."""
    return hashlib.sha256(signature).hexdigest()


def body(signature: bytes, digest: str, name: str, *, gone: bool) -> JsonObject:
    """What the letter says.

    Args:
        name: the organisation's name as it signs; empty where it is taken back.
    """
    return {"digest": digest, "name": name, "signature": base64.b64encode(signature).decode(), "gone": gone}


def parse(letter: Letter) -> Withheld:
    """Read such a letter, and see that its author signed.

    Raises:
        ProtocolError: it is none, or rule 1 or 2.
    """
    given, name, gone = letter.body.get("signature"), letter.body.get("name"), letter.body.get("gone")
    digest, alert = digests.check_multibase(letter.body.get("digest")), ids.portable(letter.about)
    if not isinstance(given, str) or len(given) > _MAX_SIGNATURE or not isinstance(gone, bool):
        raise ProtocolError("an endorsement says what it signs and whether it is taken back", spec=_SPEC)
    if not isinstance(name, str) or len(name) > MAX_NAME or not (name.strip() or gone):
        raise ProtocolError(f"name: a text of 1 to {MAX_NAME} characters", spec=_SPEC)
    if alert is None or alert.did == letter.author:
        raise ProtocolError("an endorsement is of another's alert", spec=_SPEC)
    try:
        signature = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError("a signature is base64", spec="RFC 4648 §4") from error
    keys.public_from_did(letter.author).verify(signature, _message(letter.about, digest))
    return Withheld(tag_of(signature), letter.about, digest, letter.sent.replace(microsecond=0), gone)


def replaces(new: Withheld, old: Withheld) -> bool:
    """Whether a word of the same tag takes the place of another, in whatever order they come."""
    return (new.said, new.gone) > (old.said, old.gone)


def count(held: Iterable[Withheld], asked: SignOn) -> int:
    """How many organisations signed this text of an alert so."""
    last = min(asked.closes, asked.delivery.at) if asked.delivery else asked.closes
    return count_of((each for each in held if each.said <= last), asked.digest)


def count_of(held: Iterable[Withheld], digest: str) -> int:
    """How many organisations stand so under this text."""
    return len({each.tag for each in held if each.digest == digest and not each.gone})


def _message(alert: str, digest: str) -> bytes:
    return f"Tadamun endorsement, name withheld\n{alert}\n{digest}".encode()

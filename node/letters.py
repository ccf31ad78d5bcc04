"""Sealed letters: what an organisation says to some and not to everyone.

A letter is a JSON object, sealed (`protocol/sealing`) and carried by an activity of type `Seal` that bears its author's
proof and stands in no log. Who is addressed stands inside alone. The letter names the activity that carries it, its
author and everybody it is for, so that nobody can put another's sealed bytes into an envelope of their own.

`decide` judges a letter that we could open. Rules, in order:

1. what is inside names the activity's id and author, and us;
2. the author is a pinned member, and is not frozen; who was one may take back what they said, and nothing else;
3. it was written at most two months ago and at most a day ahead: what is older is a replay;
4. its kind is known; a kind of a later version is passed over;
5. it is here already: nothing more.

What a kind is for, who in the house may read it and whether other addressees pass it on stands in `KINDS`.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import orjson

from node.effects import Accept, Decision, Effect, Ignore, KeepLetter, Refuse, ReplyLetter
from node.errors import ProtocolError
from node.federation.protocol import ids, sealing, verification
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import NAMESPACE, timestamp
from node.federation.protocol.messages import JsonObject, parse_document

TYPE = verification.SEALED
OBJECT = "SealedLetter"
MEDIA_TYPE = "application/age"
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        TYPE: f"tadamun:{TYPE}",
        OBJECT: f"tadamun:{OBJECT}",
        "sealed": "tadamun:sealed",
    }
)
VERSION = 1
OLDEST = timedelta(days=60)
_AHEAD = timedelta(days=1)
_MOST_ADDRESSED = 1_000
_MAX_ABOUT = 500
_SPEC = "Tadamun letters 1"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of letter is for."""

    room: str
    """Whose duty it is: the bodies at rest are sealed to this room's key; empty: nothing of the body is kept."""
    carried: bool = False
    """It goes to many, and addressees pass it on to each other."""
    answered: bool = False
    """A receipt goes back by itself."""
    hidden: bool = False
    """What it is and what it is about stands in no row, and what was inside is kept apart from who wrote it."""


ALERT, WITHDRAWAL, RECEIPT = "alert", "withdrawal", "receipt"
CUSTODY, CUSTODY_PART = "custody", "custody-part"
TAKEN, DESTROYED = "withdrawn", "destroyed"
"""What a receipt says of a Delete or a Release: nothing of it is shown any more; no byte of it is left."""
APPROVAL_REQUEST, APPROVAL_ANSWER = "approval-request", "approval-answer"
OFFER, OFFER_ANSWER = "offer", "offer-answer"
ENDORSEMENT = "endorsement"
GOVERNANCE, GOVERNANCE_ASK = "governance", "governance-ask"
"""Acts of a network; and what one has of them, so that others send the rest."""
GROUP, GROUP_WITHDRAWAL, GROUP_HANDOVER = "group", "group-withdrawal", "group-handover"
"""What is said in a working group; what of it is taken back; what its next host needs to call its followers."""
JOIN_REQUEST, JOIN_ANSWER, JOIN_SETTLED = "join-request", "join-answer", "join-settled"
"""Somebody asks to join a network, for a sponsor; what the sponsor answers; to the other sponsors, that it was."""
MAX_ACTS_BYTES = 48 * 1024
"""Of acts in one letter."""
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        ALERT: Kind("network", carried=True, answered=True),
        WITHDRAWAL: Kind("", carried=True, answered=True),
        RECEIPT: Kind(""),
        APPROVAL_REQUEST: Kind("approvals"),
        APPROVAL_ANSWER: Kind("approvals"),
        OFFER: Kind("cases"),
        OFFER_ANSWER: Kind("cases"),
        CUSTODY: Kind("approvals"),
        CUSTODY_PART: Kind("approvals"),
        ENDORSEMENT: Kind("network", carried=True, hidden=True),
        GOVERNANCE: Kind("", carried=True),
        GOVERNANCE_ASK: Kind(""),
        GROUP: Kind("network", carried=True),
        GROUP_WITHDRAWAL: Kind("", carried=True),
        GROUP_HANDOVER: Kind("network"),
        JOIN_REQUEST: Kind(""),
        JOIN_ANSWER: Kind(""),
        JOIN_SETTLED: Kind(""),
    }
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, opened."""

    id: str
    """Canonical id of the activity that carries it."""
    author: str
    """A did."""
    to: tuple[str, ...]
    """Every did it is for."""
    kind: str
    about: str
    """What it belongs to: the canonical id of an alert, or a token that two organisations share."""
    sent: datetime
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows know when a letter is judged."""

    own: str
    """Our did."""
    member: bool
    """The author is a pinned member, and not a former one."""
    former: bool
    """They were one."""
    frozen: bool
    known: bool
    """A letter of this id is here."""
    withdrawn: bool
    """What it is about was withdrawn by its author."""
    now: datetime


def new_id(token: str) -> str:
    """The path of a letter's activity below its author's did."""
    return f"/letters/{token}"


def render(letter: Letter) -> bytes:
    """What is sealed: the letter as JSON."""
    return orjson.dumps(
        {
            "letter": VERSION,
            "id": letter.id,
            "from": letter.author,
            "to": list(letter.to),
            "kind": letter.kind,
            "about": letter.about,
            "sent": timestamp(letter.sent),
            "body": letter.body,
        }
    )


def envelope(letter: Letter, recipients: tuple[str, ...]) -> JsonObject:
    """The `object` of the activity that carries a letter.

    Args:
        recipients: public keys (`age1…`) of everybody it is for.

    Raises:
        ProtocolError: too long, or nobody to seal it to.
    """
    plain = render(letter)
    if len(plain) > sealing.MAX_LETTER:
        raise ProtocolError(f"a letter of {len(plain)} bytes; {sealing.MAX_LETTER} are carried", spec=_SPEC, status=413)
    sealed = sealing.seal(plain, recipients)
    return {"type": OBJECT, "mediaType": MEDIA_TYPE, "sealed": base64.b64encode(sealed).decode()}


def sealed_bytes(activity: Activity) -> bytes:
    """The sealed bytes that an activity carries.

    Raises:
        ProtocolError: it carries none.
    """
    value = activity.object or {}
    text = value.get("sealed")
    if activity.type != TYPE or value.get("type") != OBJECT or not isinstance(text, str):
        raise ProtocolError("a Seal carries one SealedLetter", spec=_SPEC)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ProtocolError("sealed bytes are base64", spec="RFC 4648 §4") from error


def parse(plain: bytes) -> Letter:
    """Read what was inside.

    Raises:
        ProtocolError: it is no letter.
    """
    value = parse_document(plain, sealing.MAX_LETTER).value
    given, author, to = value.get("id"), value.get("from"), value.get("to")
    kind, about, body = value.get("kind"), value.get("about"), value.get("body")
    if value.get("letter") != VERSION or not isinstance(body, dict):
        raise ProtocolError("not a letter of a version that is known", spec=_SPEC)
    if not isinstance(given, str) or not isinstance(author, str) or not ids.is_did(author):
        raise ProtocolError("a letter names its id and its author", spec=_SPEC)
    if not isinstance(to, list) or not 0 < len(to) <= _MOST_ADDRESSED:
        raise ProtocolError("a letter names whom it is for", spec=_SPEC)
    if not all(isinstance(each, str) and ids.is_did(each) for each in to):
        raise ProtocolError("a letter is for dids", spec=_SPEC)
    if not isinstance(kind, str) or not kind or len(kind) > 40:
        raise ProtocolError("a letter is of one kind", spec=_SPEC)
    if not isinstance(about, str) or len(about) > _MAX_ABOUT:
        raise ProtocolError("a letter is about one thing", spec=_SPEC)
    return Letter(ids.canonical(given), author, tuple(to), kind, about, _moment(value.get("sent")), body)


def open_letter(activity: Activity, secrets: tuple[str, ...]) -> Letter:
    """Open and read the letter that an activity carries.

    Raises:
        ProtocolError: sealed to others, or no letter.
    """
    return parse(sealing.open_sealed(sealed_bytes(activity), secrets))


def decide(activity: Activity, letter: Letter, facts: Facts) -> Decision:
    """Judge a letter that we could open."""
    if letter.id != activity.id or letter.author != activity.did:
        return Refuse("what is inside names another envelope", _SPEC)
    if facts.own not in letter.to:
        return Refuse("sealed to us, and not for us", _SPEC)
    if not facts.member and not (facts.former and letter.kind == WITHDRAWAL):
        return Ignore("a letter from one who is no member")
    if facts.frozen:
        return Ignore("the author is frozen here")
    if not facts.now - OLDEST < letter.sent < facts.now + _AHEAD:
        return Refuse("written too long ago, or in the future", _SPEC)
    if letter.kind not in KINDS:
        return Ignore(f"a kind of letter that is not known here: {letter.kind}")
    if facts.known:
        return Ignore("held already")
    if facts.withdrawn and letter.kind == ALERT:
        return Ignore("what it is about was withdrawn")
    kept = KeepLetter(letter.id, letter.author, letter.to, letter.kind, letter.about, letter.sent, letter.body)
    return Accept((kept, *_receipt(letter)))


def _receipt(letter: Letter) -> tuple[Effect, ...]:
    """That it is here, said to its author alone: by this the author knows who has it, and where a text is gone."""
    if not KINDS[letter.kind].answered:
        return ()
    return (ReplyLetter(letter.author, RECEIPT, letter.about, {"of": letter.id, "kind": letter.kind}),)


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise ProtocolError("a letter says when it was written", spec="RFC 3339 §5.6")
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ProtocolError("a letter says when it was written", spec="RFC 3339 §5.6") from error

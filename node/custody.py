"""Custody: a withdrawal signed in advance, that k of n members open together when its author cannot speak.

The statement (`releases`) is encrypted under a fresh key, and the key is parted among the custodians so that any k of
them have it and any k−1 know nothing of it (`sharing`).

Rules: two or three of at most five, members all and none of them the author; nobody is named twice. Custodians speak
only when the author's server has not answered for as long as a dead server must not, as seen by this node lately; or
when the author itself asked, which is written down in words and kept.
"""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node import releases, sharing
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject, parse_document
from node.letters import CUSTODY, CUSTODY_PART, Letter
from node.releases import Withdrawal
from node.sharing import KEY_SIZE, Parts

LEAST, MOST = 2, 3
"""How many it may take."""
MOST_CUSTODIANS = 5
LATELY = timedelta(hours=2)
"""How old what we know of a server may be: one that does not answer is asked every ten minutes."""
MAX_WHY = 500
_NONCE = bytes(12)
"""Each key seals one statement."""
_MAX_STATEMENT = 128 * 1024
_SPEC = "Tadamun custody 1"


@dataclass(frozen=True, slots=True)
class Deposit:
    """What one custodian was given."""

    id: str
    """A random name: parts of one deposit belong together."""
    author: str
    about: str
    """The canonical id of the alert's main Note."""
    threshold: int
    custodians: tuple[str, ...]
    """Dids, in the order that numbers them."""
    sealed: bytes
    parts: Parts = field(repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """A custodian's part, handed to the others: it wants the alert withdrawn."""

    by: str
    deposit: str
    about: str
    parts: Parts = field(repr=False)
    why: str = ""


def check_choice(custodians: Sequence[str], threshold: int, members: Collection[str]) -> None:
    """These may be custodians, and so many of them open it.

    Args:
        members: dids of the pinned members.

    Raises:
        RefusedError: each rule that says no.
    """
    reasons = []
    if not LEAST <= threshold <= MOST:
        reasons.append(f"custody_threshold: {LEAST} or {MOST} custodians open it together")
    if len(set(custodians)) != len(custodians) or not threshold <= len(custodians) <= MOST_CUSTODIANS:
        reasons.append(f"custodians: {threshold} to {MOST_CUSTODIANS} different members")
    reasons += [f"custodians: {did[:80]} is no member here" for did in custodians if did not in members]
    if reasons:
        raise RefusedError(*reasons)


def seal(signed: JsonObject, key: bytes, name: str) -> bytes:
    """Encrypt a signed statement.

    Args:
        name: of the deposit, which it is bound to.

    Spec: RFC 8439 §2.8
    """
    return ChaCha20Poly1305(key).encrypt(_NONCE, orjson.dumps(signed), name.encode())


def open_deposit(deposit: Deposit, given: Collection[Given]) -> tuple[JsonObject, Withdrawal] | None:
    """The signed statement, where enough custodians gave their parts; `None` where they did not.

    Every group whose parts are here is tried: one false part does not hinder the others.

    Raises:
        ProtocolError: enough are here, and together they open nothing that is its author's.
    """
    held = {
        deposit.custodians.index(each.by): each.parts
        for each in given
        if each.by in deposit.custodians and each.deposit == deposit.id and each.about == deposit.about
    }
    tried = False
    for group in combinations(sorted(held), deposit.threshold):
        key = sharing.join({number: held[number] for number in group}, deposit.threshold)
        if key is None:
            continue
        tried = True
        try:
            plain = ChaCha20Poly1305(key).decrypt(_NONCE, deposit.sealed, deposit.id.encode())
        except InvalidTag:
            continue
        value = parse_document(plain, _MAX_STATEMENT).value
        found = releases.verify(value)
        if found.author != deposit.author or deposit.about not in found.objects:
            raise ProtocolError("what they open is another's, or about another alert", spec=_SPEC)
        return value, found
    if tried:
        raise ProtocolError("the parts do not fit together: one of them is false", spec=_SPEC)
    return None


def deposit_body(deposit: Deposit) -> JsonObject:
    """What the letter to one custodian says."""
    return {
        "deposit": deposit.id,
        "threshold": deposit.threshold,
        "custodians": list(deposit.custodians),
        "sealed": base64.b64encode(deposit.sealed).decode(),
        "parts": _shown(deposit.parts),
    }


def part_body(given: Given) -> JsonObject:
    """What a custodian writes to the others."""
    return {"deposit": given.deposit, "parts": _shown(given.parts), "why": given.why[:MAX_WHY]}


def parse_deposit(letter: Letter) -> Deposit:
    """Read what an author laid down with us.

    Raises:
        ProtocolError: not whole, or about what is not its author's.
    """
    name, threshold, dids = (letter.body.get(each) for each in ("deposit", "threshold", "custodians"))
    found = ids.portable(letter.about)
    if letter.kind != CUSTODY or found is None or found.did != letter.author:
        raise ProtocolError("custody is about the author's own alert", spec=_SPEC)
    if not isinstance(name, str) or not 0 < len(name) <= 60 or type(threshold) is not int:
        raise ProtocolError("custody names its deposit, and how many open it", spec=_SPEC)
    if not isinstance(dids, list) or not all(isinstance(each, str) and ids.is_did(each) for each in dids):
        raise ProtocolError("custody names its custodians", spec=_SPEC)
    if not LEAST <= threshold <= MOST or not threshold <= len(set(dids)) == len(dids) <= MOST_CUSTODIANS:
        raise ProtocolError(f"{LEAST} or {MOST} of at most {MOST_CUSTODIANS} custodians", spec=_SPEC)
    sealed = _bytes(letter.body.get("sealed"))
    return Deposit(
        name, letter.author, str(found), threshold, tuple(dids), sealed, _parts(letter.body.get("parts"))
    )


def parse_part(letter: Letter) -> Given:
    """Read what another custodian handed to us.

    Raises:
        ProtocolError: not whole.
    """
    name, why = letter.body.get("deposit"), letter.body.get("why", "")
    if letter.kind != CUSTODY_PART or not isinstance(name, str) or not isinstance(why, str):
        raise ProtocolError("a custodian's part names its deposit", spec=_SPEC)
    return Given(letter.author, name, letter.about, _parts(letter.body.get("parts")), why[:MAX_WHY])


def check_silent(
    failing_since: datetime | None, checked: datetime | None, now: datetime, dead_after: timedelta
) -> None:
    """The author's server is gone, as far as this node can tell.

    Args:
        failing_since: since when it has not answered us; `None` while it does.
        checked: when it was asked last; `None` where it never was.

    Raises:
        RefusedError: it answers, or nobody asked it lately, or not for long enough.
    """
    if checked is None or now - checked > LATELY:
        raise RefusedError("this node has not asked the author's server lately: let 'tadamun serve' run, or see why")
    if failing_since is None:
        raise RefusedError("the author's server answers: the author withdraws its alerts itself")
    if now - failing_since < dead_after:
        raise RefusedError(
            f"the author's server has not answered since {failing_since:%Y-%m-%d %H:%M} UTC; custodians wait until "
            f"{failing_since + dead_after:%Y-%m-%d %H:%M} UTC, unless the author asked them to withdraw it"
        )


def _shown(parts: Parts) -> JsonObject:
    return {name: base64.b64encode(part).decode() for name, part in sorted(parts.items())}


def _parts(value: Any) -> Parts:
    if not isinstance(value, dict) or not 0 < len(value) <= 10:
        raise ProtocolError("a custodian's parts, by their groups", spec=_SPEC)
    found = {name[:20]: _bytes(part) for name, part in value.items()}
    if any(len(part) != KEY_SIZE for part in found.values()):
        raise ProtocolError(f"a part is {KEY_SIZE} bytes", spec=_SPEC)
    return found


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except ValueError as error:
        raise ProtocolError("bytes in base64", spec="RFC 4648 §4") from error

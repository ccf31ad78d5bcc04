"""Trust withdrawn together: members say that a key is no longer its organisation's, or that a withdrawal is.

`Freeze` names a did and the last entry of it that is believed; `Unfreeze` takes that word back; `Confirm` gives the
second word that a withdrawal waits for. All are log entries: they spread, are proved and are kept like any other.

Rules, in order:
1. only a pinned member, or we ourselves, declare; what a frozen member says past its own freeze is nobody's word;
2. nobody declares about itself, nor about one who is not pinned here (about us it is kept, and freezes nothing);
3. a Freeze names the last entry that is believed, with its digest;
4. a word is taken back by whoever gave it;
5. a Confirm of Deletes is given by another member than their author, or by the author's recovery key;
6. a Confirm of texts is given by the one who succeeded the author, and by nobody else: what a stolen key deleted comes
   back only when consent was asked again.

How many Freezes it takes is each organisation's own choice: `agreed` says where so many of them meet.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from node.effects import Accept, ConfirmDeletes, Decision, Declare, Ignore, Refuse, RestoreTexts, Retract
from node.errors import ProtocolError
from node.federation.protocol import digests, ids
from node.federation.protocol.activities import MAX_EPOCH, Activity
from node.federation.protocol.messages import JsonObject

FREEZE, UNFREEZE, CONFIRM = "Freeze", "Unfreeze", "Confirm"
TYPES = (FREEZE, UNFREEZE, CONFIRM)
CONFIRM_DELETES = "ConfirmDeletes"
"""The type of the statement that a recovery key signs."""
MAX_TEXTS = 500
_SPEC = "Tadamun design §4"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows of the two."""

    member: bool
    """Who declares is a pinned member, or ourselves."""
    frozen: bool
    about: str | None
    """The did of the pinned member, or our own, that the object names; `None` when it is neither."""
    successor: str | None = None
    """Who succeeded `about`."""
    own: bool = False
    """We declare it ourselves."""
    by_recovery_key: bool = False
    """The object is signed by the recovery key that `about` committed to."""


def named_did(activity: Activity) -> str | None:
    """Whom a declaration is about."""
    found = ids.portable(activity.object_id) if activity.object_id else None
    if found is not None:
        return found.did
    about = (activity.object or {}).get("about")
    return about if isinstance(about, str) and ids.is_did(about) else None


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge a declaration.

    Spec: Tadamun design §3, §4
    """
    if not facts.member or activity.did is None:
        return Ignore("only members declare")
    if facts.frozen:
        return Ignore("the member is frozen")
    if activity.type == UNFREEZE:
        return Accept((Retract(activity.did, activity.object_id or ""),))
    if facts.own and "texts" in activity.value:
        return Accept()  # our own word to those who hold our old log
    if facts.about is None:
        return Ignore("it is about nobody who is pinned here")
    if activity.type == FREEZE:
        return _freeze(activity, activity.did, facts.about)
    if "texts" in activity.value:
        return _confirm_texts(activity, facts)
    return _confirm_deletes(activity, facts)


def agreed(freezes: Iterable[tuple[int, int]], quorum: int) -> tuple[int, int] | None:
    """The place past which at least so many declare that nothing is believed; `None` where they are too few.

    Args:
        freezes: the last believed place of each declarer, one each.
    """
    found = sorted(freezes)
    return found[quorum - 1] if len(found) >= max(quorum, 1) else None


def place_of(value: Any) -> tuple[int, int, str]:
    """Read `{epoch, sequence, digest}`.

    Raises:
        ProtocolError: it is none.
    """
    if not isinstance(value, dict):
        raise ProtocolError("a declaration names the last entry that counts", spec=_SPEC)
    epoch, sequence = value.get("epoch"), value.get("sequence")
    if type(epoch) is not int or type(sequence) is not int or not 1 <= epoch <= MAX_EPOCH or not 0 <= sequence < 2**53:
        raise ProtocolError("a declaration names the last entry that counts", spec=_SPEC)
    return epoch, sequence, digests.check_multibase(value["digest"]) if value.get("digest") else ""


def statement(about: str, epoch: int, sequence: int) -> JsonObject:
    """What a recovery key signs: the Deletes of its organisation up to this place are its own."""
    return {"type": CONFIRM_DELETES, "about": about, "until": {"epoch": epoch, "sequence": sequence}}


def _freeze(activity: Activity, by: str, about: str) -> Decision:
    if by == about:
        return Refuse("nobody freezes itself: that is what a succession is for", _SPEC)
    try:
        epoch, sequence, digest = place_of(activity.value.get("after"))
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    return Accept((Declare(activity.id, by, about, epoch, sequence, digest),))


def _confirm_deletes(activity: Activity, facts: Facts) -> Decision:
    about = facts.about or ""
    if activity.did == about and not facts.by_recovery_key:
        return Refuse("Deletes are confirmed by another member, or by the author's recovery key", "Tadamun design §3")
    until = (activity.object or {}).get("until") if facts.by_recovery_key else activity.value.get("until")
    try:
        epoch, sequence, _ = place_of(until)
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    return Accept((ConfirmDeletes(about, epoch, sequence),))


def _confirm_texts(activity: Activity, facts: Facts) -> Decision:
    if facts.successor is None or facts.successor != activity.did:
        return Refuse("texts come back on the word of the one who succeeded their author", _SPEC)
    given = activity.value["texts"]
    if given == "all":
        return Accept((RestoreTexts(facts.about or "", None),))
    if not isinstance(given, list) or not 0 < len(given) <= MAX_TEXTS:
        return Refuse(f"texts is 'all' or up to {MAX_TEXTS} ids", _SPEC)
    found: list[str] = []
    for each in given:
        place = ids.portable(each) if isinstance(each, str) else None
        if place is None or place.did != facts.about:
            return Refuse("a text that is not its author's", _SPEC)
        found.append(str(place))
    return Accept((RestoreTexts(facts.about or "", tuple(found)),))

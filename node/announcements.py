"""A working group passes on what its members write for everyone: an Announce in its own log, of an id and a digest.

Foreign text never stands in the group's log: the entry names the Note and the digest of its content, so that what was
passed on is known for good and its author can still take it back. Rules, in order:

1. nothing is believed of a frozen actor past the freeze;
2. only the actor of a working group of ours announces so: it stands in its log, with a digest;
3. the digest is that of the Note that is held; where none is held yet, it is believed until the Note comes.

Spec: AP §7.11, FEP-1b12
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from node.effects import Accept, Announced, Decision, Ignore, Refuse
from node.errors import ProtocolError
from node.federation.protocol import digests, ids
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import NAMESPACE
from node.federation.protocol.messages import JsonObject, id_of

TYPE, UNDO = "Announce", "Undo"
TERMS: Mapping[str, Any] = MappingProxyType({"tadamun": NAMESPACE, "objectDigest": "tadamun:objectDigest"})
_SPEC = "Tadamun groups 1"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows that the rules need."""

    group: bool
    """The actor is one of a working group, pinned here or our own."""
    frozen: bool
    held: JsonObject | None
    """The Note, where it is here."""


def digest_of(note: JsonObject) -> str:
    """What an Announce names: the digest of a Note without its proof."""
    return digests.multibase(digests.jcs({name: value for name, value in note.items() if name != "proof"}))


def is_announcement(activity: Activity) -> bool:
    """Whether it is one of a group, or takes one back, and no boost."""
    if activity.position is None:
        return False
    if activity.type == UNDO:
        return activity.object_type == TYPE
    return activity.type == TYPE and "objectDigest" in activity.value


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge one.

    Spec: AP §7.7, §7.11
    """
    if facts.frozen:
        return Ignore("the group's actor is frozen")
    if not facts.group or activity.did is None or activity.object_id is None:
        return Ignore("no working group of ours announces this")
    if activity.type == UNDO:
        own = id_of((activity.object or {}).get("actor"))
        if own is None or ids.canonical(own) != activity.actor:
            return Refuse("only the actor undoes what it did", "AP §7.7")
        return Accept()  # its author took it back before: the Delete says what is hidden
    try:
        digest = digests.check_multibase(activity.value["objectDigest"])
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    if facts.held is not None and digest_of(facts.held) != digest:
        return Refuse("the digest is not that of what it announces", _SPEC)
    return Accept((Announced(activity.object_id, activity.did, activity.id),))

"""Succession: a key that was lost, stolen or retired is followed by the recovery key that log entry 1 committed to.

Rules, in order:
1. the activity's object is the actor of a member pinned here;
2. its actor is the recovery key that this member's log entry 1 committed to, and nobody else;
3. `after` names the last entry of the old key that still counts, with its digest;
4. a member is succeeded once; the same statement again changes nothing.

What follows: the old did is frozen after that entry, and the new one is pinned in its place. It is also how a departing
technician's key is retired.
"""

from dataclasses import dataclass

from node.effects import Accept, Decision, Ignore, Refuse, Succeed
from node.errors import ProtocolError
from node.federation.protocol import digests, ids
from node.federation.protocol.activities import Activity

TYPE = "Succeed"
_SPEC = "Tadamun design §4"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows of the one who is succeeded."""

    old: str | None
    """The did of the pinned member that the object names; `None` when it is no member."""
    commitment_holds: bool = False
    """The activity's did is the key that this member committed to."""
    successor: str | None = None


def named_did(activity: Activity) -> str | None:
    """The did that an activity says is succeeded."""
    found = ids.portable(activity.object_id) if activity.object_id else None
    return found.did if found else None


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge a succession.

    Spec: Tadamun design §4
    """
    if facts.old is None or activity.did is None:
        return Ignore("it succeeds nobody who is pinned here")
    if not facts.commitment_holds:
        return Refuse("not the recovery key that log entry 1 committed to", _SPEC)
    after = activity.value.get("after")
    if not isinstance(after, dict):
        return Refuse("a succession names the last entry that counts", _SPEC)
    epoch, sequence = after.get("epoch"), after.get("sequence")
    if type(epoch) is not int or type(sequence) is not int or epoch < 1 or sequence < 1:
        return Refuse("a succession names the last entry that counts", _SPEC)
    try:
        digest = digests.check_multibase(after.get("digest"))
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    if facts.successor is not None:
        same = facts.successor == activity.did
        return Ignore("succeeded already") if same else Refuse("succeeded by another already", _SPEC)
    return Accept((Succeed(facts.old, activity.did, epoch, sequence, digest),))

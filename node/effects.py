"""What a rule may answer, and what it may ask for.

A rule looks at values and returns `Accept`, `Ignore` or `Refuse`. It never raises to say no and it touches nothing:
`federation/commit.py` is the one place that turns effects into rows.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of the world that a rule asks for."""


@dataclass(frozen=True, slots=True)
class AddFollower(Effect):
    """A remote actor follows one of our organisations."""

    actor: str
    inbox: str
    shared_inbox: str | None
    activity: str


@dataclass(frozen=True, slots=True)
class RemoveFollower(Effect):
    """A remote actor follows no longer."""

    actor: str


@dataclass(frozen=True, slots=True)
class SetFollowing(Effect):
    """Our own Follow was answered: `accepted`, `rejected`, or moved on to another actor (`moved`)."""

    actor: str
    state: str


@dataclass(frozen=True, slots=True)
class FollowAgain(Effect):
    """Follow the new id of somebody who moved."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class StoreObject(Effect):
    """Keep a public object (new or replaced) under its canonical id."""

    object_id: str
    kind: str
    author: str
    document: dict[str, Any]
    published: str
    updated: str | None = None


@dataclass(frozen=True, slots=True)
class HideObject(Effect):
    """Nothing of this object may be shown or served any more."""

    object_id: str
    author: str


@dataclass(frozen=True, slots=True)
class StoreActor(Effect):
    """A newer proven (or freshly fetched) actor document replaces what we have."""

    actor: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Announced(Effect):
    """A working group passed a public Note on."""

    object_id: str
    actor: str
    """The did of the group's actor."""
    activity: str


@dataclass(frozen=True, slots=True)
class ForgetActor(Effect):
    """An actor is gone: followers, followings and objects of it go too."""

    actor: str


@dataclass(frozen=True, slots=True)
class Reply(Effect):
    """Answer with an activity of ours (`Accept`, `Reject`) to this actor."""

    kind: str
    object: dict[str, Any]
    to: str
    inbox: str


@dataclass(frozen=True, slots=True)
class Greet(Effect):
    """A private message came: its sender gets the neutral answer, and nothing of it is kept."""

    to: str
    inbox: str


@dataclass(frozen=True, slots=True)
class HoldReply(Effect):
    """A stranger's reply or mention, or a new version of one: it waits, sealed, for somebody to look at it."""

    object_id: str
    author: str
    about: str
    """The canonical id of what it answers; empty for a mention."""


@dataclass(frozen=True, slots=True)
class LoseReply(Effect):
    """Its author deleted a reply that is held here."""

    object_id: str
    author: str


@dataclass(frozen=True, slots=True)
class Report(Effect):
    """Something an operator should read: a Flag, a Block, a boost."""

    kind: str
    actor: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Succeed(Effect):
    """A member's recovery key names its successor did (Tadamun log §4)."""

    old: str
    new: str
    epoch: int
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Declare(Effect):
    """An organisation's word that nothing by `about` past this entry is to be believed."""

    activity: str
    by: str
    about: str
    epoch: int
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Retract(Effect):
    """A declaration is taken back by whoever gave it."""

    by: str
    activity: str


@dataclass(frozen=True, slots=True)
class ConfirmDeletes(Effect):
    """A second word: withdrawals that waited for one, up to this Delete, are carried out."""

    about: str
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class RestoreTexts(Effect):
    """Texts that a frozen key deleted come back: these objects, or with `None` all of them."""

    about: str
    objects: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Testimony(Effect):
    """A member tells of evidence."""

    by: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Release(Effect):
    """Custodians withdraw these objects in their author's place, by its own word that it signed in advance."""

    author: str
    objects: tuple[str, ...]
    entries: tuple[tuple[int, int, str], ...]
    """(epoch, sequence, content) of the entries that the author named."""
    claimed: tuple[tuple[int, int, str], ...]
    """Later entries that the member who releases says are of these objects."""
    by: str
    activity: str


@dataclass(frozen=True, slots=True)
class KeepLetter(Effect):
    """A sealed letter was opened and is ours: keep it, sealed to those whose duty it is, and do what its kind asks."""

    id: str
    author: str
    to: tuple[str, ...]
    kind: str
    about: str
    sent: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReplyLetter(Effect):
    """Answer with a sealed letter of ours to one did."""

    to: str
    kind: str
    about: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Accept:
    """Yes: and this should happen."""

    effects: tuple[Effect, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Ignore:
    """Well-formed, allowed, and nothing to us."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """No. `spec` names the rule in its own standard's numbering."""

    reason: str
    spec: str


Decision = Accept | Ignore | Refuse

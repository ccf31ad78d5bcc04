"""Replies to what we published, and posts that mention us: which are held for review, and what reviewers may do.

Threats arrive as replies (R16), and so do smears, pleas for help, witnesses and thanks. Rules, in order:

1. who wrote is proved by the HTTP signature or by a proof, as everywhere (`verification`);
2. a Delete is by the author of what is held, and is obeyed: it is destroyed, but what was kept as evidence stays;
3. the object is embedded, and its author is the activity's actor (AP §7.3, FEP-fe34);
4. whoever is blocked here for replies is refused, before anything is kept;
5. it is within bounds;
6. an id that another author holds is never taken over (AP §7.3); a Create of a known id changes nothing;
7. an Update of what is held is one more version, and has to be looked at again; what was dismissed stays so;
8. without somebody who could open it nothing is kept, and so many wait and no more: nothing that waits is dropped for
   something newer.

Only what is addressed to everyone is held. What is addressed to us alone, or to followers, is a private message even
where it names an alert: it is answered and not kept (`posts`, rule 8).
"""

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from node import posts
from node.effects import Accept, Decision, HoldReply, Ignore, LoseReply, Refuse
from node.errors import ProtocolError
from node.federation.protocol import ids
from node.federation.protocol.activities import PUBLIC, Activity, addresses
from node.federation.protocol.messages import JsonObject, as_list, id_of
from node.moments import hour_of

WAITING, THREAT, EVIDENCE = "waiting", "threat", "evidence"
HARMLESS, DISMISSED = "harmless", "dismissed"
STATES = (WAITING, THREAT, EVIDENCE, HARMLESS, DISMISSED)
GONE = "gone"
"""Destroyed; the bare digest of its id stays, so that it does not come back."""
UNREAD_FOR = timedelta(days=90)
DISMISSED_FOR = timedelta(days=7)
GONE_FOR = timedelta(days=90)
MAX_REPLY = 64 * 1024
"""Bytes of the activity that brings one."""
MAX_VERSIONS = 5
MOST_WAITING = 1_000
A_DAY = timedelta(days=1)
FROM_A_HOST, FROM_AN_ACTOR = 300, 20
"""Replies and new versions of them that are taken in a day."""
_REMEMBERED = 20_000
SPEC = "Tadamun replies 1"
"""Named by refusals that are these rules' own; what they refuse leaves no row."""


# --- what comes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows that the rules need."""

    did: str
    """Ours."""
    state: str = ""
    """Of what is held under this id; empty when nothing is."""
    same_author: bool = True
    blocked: bool = False
    reviewed: bool = True
    """Somebody here could open it."""
    room: bool = True
    """More may wait."""


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge Create, Update and Delete of a stranger's reply or mention.

    Spec: AP §7.2, §7.3, §7.4
    """
    if activity.type == "Delete":
        return _delete(activity, facts)
    note = activity.object
    if note is None or activity.object_id is None:
        return Ignore("the object is not embedded")
    owner = posts.check_owner(activity, note)
    if owner is not None:
        return owner
    if facts.blocked:
        return Refuse("its author or their server is blocked here for replies", SPEC)
    if len(activity.raw) > MAX_REPLY:
        return Refuse(f"a reply over {MAX_REPLY} bytes", SPEC)
    return _known(activity, facts) or Accept(
        (HoldReply(activity.object_id, activity.actor, answered(note, facts.did) or ""),)
    )


def _known(activity: Activity, facts: Facts) -> Decision | None:
    """Rules 6 to 8."""
    if facts.state:
        if not facts.same_author:
            return Refuse("the id belongs to another author", SPEC)
        if activity.type == "Create":
            return Ignore("already held")
        if facts.state in (DISMISSED, GONE):
            return Ignore("it was dismissed")
    if not facts.reviewed:
        return Ignore("nobody here reviews replies")
    if not facts.state and not facts.room:
        return Ignore("too many replies wait for review")
    return None


def _delete(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id is None or not facts.state:
        return Ignore("not held here")
    if not facts.same_author:
        return Refuse("only the author deletes", SPEC)
    return Accept((LoseReply(activity.object_id, activity.actor),))


def is_for_review(activity: Activity, org: str, did: str) -> bool:
    """Whether it is addressed to everyone and answers something of ours, or mentions us.

    Args:
        org: canonical id of our own actor.
        did: ours.
    """
    note = activity.object
    if activity.type not in ("Create", "Update") or note is None or activity.object_type not in posts.TYPES:
        return False
    if PUBLIC not in addresses(note) and PUBLIC not in activity.addresses:
        return False
    return answered(note, did) is not None or _mentions(note, org)


def leaves_no_row(activity: Activity) -> bool:
    """Whether what brought it is not kept past its judgement: a post that answers or mentions anybody, ours or not.

    What waits for review rests sealed; beside it no row of the queue may say who wrote what. An entry of a log stays
    the log's.
    """
    note = activity.object
    if activity.type not in ("Create", "Update") or note is None or activity.object_type not in posts.TYPES:
        return False
    if activity.did is not None and activity.position is not None:
        return False
    return note.get("inReplyTo") is not None or any(_is_mention(tag) for tag in as_list(note.get("tag"))[:100])


def answered(note: JsonObject, did: str) -> str | None:
    """The canonical id of what it answers, where that is ours."""
    parent = id_of(note.get("inReplyTo"))
    found = ids.portable(parent) if parent is not None else None
    return str(found) if found is not None and found.did == did else None


def _mentions(note: JsonObject, org: str) -> bool:
    for tag in as_list(note.get("tag"))[:100]:
        if _is_mention(tag):
            try:
                if ids.canonical(tag["href"]) == org:
                    return True
            except ProtocolError:
                continue
    return False


def _is_mention(tag: object) -> bool:
    return isinstance(tag, dict) and tag.get("type") == "Mention" and isinstance(tag.get("href"), str)


class Allowance:
    """How many replies came of whom within a day. In memory only: a list of who wrote is what nobody may find."""

    def __init__(self) -> None:
        self._day = datetime.min.date()
        self._counts: OrderedDict[str, int] = OrderedDict()

    def take(self, org: str, host: str, actor: str, now: datetime) -> bool:
        """Whether another may come from there today; if so, it is counted."""
        if now.date() != self._day:
            self._day = now.date()
            self._counts.clear()
        names = ((f"{org} {host}", FROM_A_HOST), (f"{org} {actor}", FROM_AN_ACTOR))
        if any(self._counts.get(name, 0) >= most for name, most in names) or len(self._counts) >= _REMEMBERED:
            return False
        for name, _ in names:
            self._counts[name] = self._counts.get(name, 0) + 1
        return True


# --- names that say nothing ---------------------------------------------------------------------------------------


def tag(salt: bytes, object_id: str) -> bytes:
    """By what a reply is found again when its author changes or deletes it."""
    return _digest(salt, b"object", object_id.encode("utf-8", "replace"))


def author_tag(salt: bytes, of: bytes, actor: str) -> bytes:
    """Who wrote one reply: two of the same author cannot be told to be so, without knowing whom to try."""
    return _digest(salt, b"author", of + actor.encode("utf-8", "replace"))


def block_tag(salt: bytes, blocked: str) -> bytes:
    """An actor or a host that is blocked."""
    return _digest(salt, b"block", blocked.encode("utf-8", "replace"))


def _digest(salt: bytes, purpose: bytes, value: bytes) -> bytes:
    return hashlib.sha256(b"\0".join((salt, purpose, value))).digest()


# --- what is sealed -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Received:
    """One version of a reply as it came: the exact bytes, and by what its author is proved."""

    raw: bytes
    host: str
    """That the key is of."""
    key_id: str
    hour: datetime
    request: bytes = b""
    """Method, target and the signed headers, as `intake.kept_request` writes them."""
    actor: bytes = b""
    """The author's document, with the key."""

    @property
    def digest(self) -> str:
        """SHA-256 of the body, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    def render(self) -> bytes:
        """As it is sealed."""
        return orjson.dumps({
            "raw": base64.b64encode(self.raw).decode(),
            "host": self.host,
            "key_id": self.key_id,
            "hour": self.hour.isoformat(),
            "request": base64.b64encode(self.request).decode(),
            "actor": base64.b64encode(self.actor).decode(),
        })  # fmt: skip


def parse_received(data: bytes) -> Received:
    """What `render` wrote."""
    value = orjson.loads(data)
    return Received(
        raw=base64.b64decode(value["raw"]), host=value["host"], key_id=value["key_id"],
        hour=datetime.fromisoformat(value["hour"]), request=base64.b64decode(value["request"]),
        actor=base64.b64decode(value["actor"]),
    )  # fmt: skip


# --- how long --------------------------------------------------------------------------------------------------------


def changed(state: str) -> str:
    """The state after its author changed it: what was found harmless has to be looked at again."""
    return state if state in (THREAT, EVIDENCE) else WAITING


def due(state: str, received: datetime, now: datetime) -> datetime | None:
    """When it is destroyed if nobody does anything; `None` for evidence."""
    if state == EVIDENCE:
        return None
    if state == DISMISSED:
        return hour_of(now) + DISMISSED_FOR
    if state == THREAT:
        return hour_of(now) + UNREAD_FOR
    return max(received + UNREAD_FOR, hour_of(now) + DISMISSED_FOR)


def exhibit(versions: tuple[Received, ...]) -> str:
    """One digest for all versions, as the audit trail notes it: SHA-256 over their digests, oldest first."""
    return hashlib.sha256("\n".join(each.digest for each in versions).encode()).hexdigest()

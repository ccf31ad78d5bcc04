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

Reviewers: one verdict of each person counts, the newest. One who says that it is a threat is enough to treat it as
one; then one who says that it is harmless. One who calls it spam has it destroyed after seven days. Two who want it
destroyed have it destroyed at once; what is a threat or evidence is destroyed in no other way before its time.
"""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import orjson

from node import posts
from node.effects import Accept, Decision, HoldReply, Ignore, LoseReply, Refuse
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.federation.protocol.activities import PUBLIC, Activity, addresses
from node.federation.protocol.messages import JsonObject, as_list, id_of

HARMLESS, THREAT, SPAM = "harmless", "threat", "spam"
VERDICTS = (HARMLESS, THREAT, SPAM)
WAITING, DISMISSED, EVIDENCE = "waiting", "dismissed", "evidence"
STATES = (WAITING, THREAT, EVIDENCE, HARMLESS, DISMISSED)
GONE = "gone"
"""Destroyed; the bare digest of its id stays, so that it does not come back."""
UNREAD_FOR = timedelta(days=90)
DISMISSED_FOR = timedelta(days=7)
GONE_FOR = timedelta(days=90)
TO_DESTROY = 2
MAX_REPLY = 64 * 1024
"""Bytes of the activity that brings one."""
MAX_VERSIONS = 5
MOST_WAITING = 1_000
A_DAY = timedelta(days=1)
FROM_A_HOST, FROM_AN_ACTOR = 100, 20
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one person said of a reply."""

    by: str
    """The person's id."""
    verdict: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """What colleagues did with a reply; sealed, for nobody else learns who they are."""

    verdicts: tuple[Verdict, ...] = ()
    asked: str = ""
    """The id of the person who is asked to look as well."""
    destroy: tuple[str, ...] = ()
    """Ids of those who want it destroyed."""
    case: str = ""
    """The case that began with it."""

    def render(self) -> bytes:
        """As it is sealed."""
        return orjson.dumps({
            "verdicts": [[each.by, each.verdict, each.hour.isoformat()] for each in self.verdicts],
            "asked": self.asked,
            "destroy": list(self.destroy),
            "case": self.case,
        })  # fmt: skip


def parse_review(data: bytes) -> Review:
    """What `render` wrote."""
    value = orjson.loads(data)
    verdicts = tuple(Verdict(by, verdict, datetime.fromisoformat(hour)) for by, verdict, hour in value["verdicts"])
    return Review(verdicts, value["asked"], tuple(value["destroy"]), value["case"])


# --- what reviewers do --------------------------------------------------------------------------------------------


def judge(review: Review, by: str, verdict: str, now: datetime) -> Review:
    """Somebody says what it is; whoever was asked to look has looked then.

    Raises:
        RefusedError: there is no such verdict.
    """
    if verdict not in VERDICTS:
        raise RefusedError(f"a verdict is one of {', '.join(VERDICTS)}")
    others = tuple(each for each in review.verdicts if each.by != by)
    said = Verdict(by, verdict, hour_of(now))
    return replace(review, verdicts=(*others, said), asked="" if review.asked == by else review.asked)


def ask(review: Review, by: str, whom: str) -> Review:
    """A colleague is asked to look as well.

    Raises:
        RefusedError: oneself.
    """
    if whom == by:
        raise RefusedError("ask somebody else to look as well")
    return replace(review, asked=whom)


def want_destroyed(review: Review, by: str) -> Review:
    """Somebody wants it destroyed; two do it.

    Raises:
        RefusedError: they said so already.
    """
    if by in review.destroy:
        raise RefusedError("you said so already: another person must want it too")
    return replace(review, destroy=(*review.destroy, by))


def is_destroyed(review: Review) -> bool:
    """Whether enough people want it destroyed."""
    return len(set(review.destroy)) >= TO_DESTROY


def standing(review: Review, state: str) -> str:
    """The state that follows from what was said: evidence stays evidence, and the more careful word counts."""
    if state == EVIDENCE:
        return EVIDENCE
    said = {each.verdict for each in review.verdicts}
    return next((after for verdict, after in _AFTER.items() if verdict in said), WAITING)


_AFTER: Mapping[str, str] = MappingProxyType({THREAT: THREAT, HARMLESS: HARMLESS, SPAM: DISMISSED})


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


def hour_of(now: datetime) -> datetime:
    """Moments are kept to the hour."""
    return now.replace(minute=0, second=0, microsecond=0)

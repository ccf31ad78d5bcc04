"""Notes and articles that are no alerts: which are kept, and for whom.

Rules, in order:
1. nothing is believed of a frozen member past the freeze;
2. a Delete names an object of the actor's origin that we hold from this very author (AP §7.4);
3. the object is embedded, and its author is the activity's actor (AP §7.3, FEP-fe34);
4. its id is of the author's origin (FEP-fe34);
5. an id that another author holds is never taken over (AP §7.3; GHSA-3fjr-858r-92rw);
6. what was deleted never comes back;
7. its content is within bounds;
8. only what is public is kept: a direct message is answered and not stored, followers-only posts are not ours to copy
   (R8), and the bytes of neither are kept after they were judged;
9. kept are posts of those we follow and of members; a reply or mention by others is held for review (`replies`, R16);
10. an Update needs a later `updated` than what we have; a Create of a known id changes nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from node.effects import Accept, Decision, Greet, HideObject, Ignore, Refuse, StoreObject
from node.errors import ProtocolError
from node.federation.protocol import actors, ids
from node.federation.protocol.activities import PUBLIC, Activity, addresses
from node.federation.protocol.messages import MAX_NOTE, JsonObject, as_list, id_of

TYPES = frozenset({"Note", "Article", "Page", "Event", "Question", "Image", "Video", "Audio"})
_MAX_ARTICLE = 200 * 1024


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows that the rules need."""

    org: str
    """Canonical id of our own actor."""
    own: bool = False
    followed: bool = False
    member: bool = False
    frozen: bool = False
    known_author: str | None = None
    """Author of what we hold under this id; `None` when we hold nothing."""
    known_updated: str | None = None
    gone: bool = False
    sender_inbox: str | None = None
    """Where the author gets answers, where we know it."""


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge Create, Update and Delete of a post.

    Spec: AP §7.2, §7.3, §7.4
    """
    if facts.frozen:
        return Ignore("the member is frozen")
    if activity.type == "Delete":
        return _delete(activity, facts)
    note = activity.object
    if note is None or activity.object_id is None:
        return Ignore("the object is not embedded")
    owner = check_owner(activity, note)
    if owner is not None:
        return owner
    if facts.known_author not in (None, activity.actor):
        return Refuse("the id belongs to another author", "AP §7.3")
    if facts.gone:
        return Ignore("it was deleted")
    content = note.get("content")
    limit = MAX_NOTE if note.get("type") == "Note" else _MAX_ARTICLE
    if isinstance(content, str) and len(content.encode("utf-8", "replace")) > limit:
        return Refuse(f"content over {limit} bytes", "Tadamun wire §3")
    if PUBLIC not in addresses(note) and PUBLIC not in activity.addresses:
        return _private(activity, note, facts)
    passed_over = _not_for_us(activity, note, facts)
    return passed_over or Accept((_store(activity, note, activity.object_id),))


def is_private(activity: Activity) -> bool:
    """Whether it brings words that are not for everyone: no byte of it is kept after it was judged.

    An entry of a member's log stays the log's.

    Spec: AP §5.6
    """
    note = activity.object
    if activity.type not in ("Create", "Update") or note is None or activity.object_type in actors.TYPES:
        return False
    if activity.did is not None and activity.position is not None:
        return False
    return PUBLIC not in addresses(note) and PUBLIC not in activity.addresses


def _private(activity: Activity, note: JsonObject, facts: Facts) -> Decision:
    """Who writes to us alone gets an answer; another node of the network does not, or the two would go on talking."""
    if activity.type != "Create" or facts.own or facts.sender_inbox is None or activity.did is not None:
        return Ignore("not public; private posts are not kept")
    if facts.org not in addresses(note) | activity.addresses:
        return Ignore("not public; private posts are not kept")
    return Accept((Greet(activity.actor, facts.sender_inbox),))


def _not_for_us(activity: Activity, note: JsonObject, facts: Facts) -> Ignore | None:
    """Rules 9 and 10: what is kept, and for whom."""
    if not (facts.own or facts.followed or facts.member):
        return Ignore("nobody here follows the author")
    if facts.known_author is not None and not _newer(activity, note, facts):
        return Ignore("already held")
    return None


def check_owner(activity: Activity, note: JsonObject) -> Refuse | None:
    """Rules 3 and 4: whose an object is.

    Spec: FEP-fe34
    """
    given = note.get("id")
    author = id_of(as_list(note.get("attributedTo"))[0]) if as_list(note.get("attributedTo")) else None
    if not isinstance(given, str) or author is None:
        return Refuse("an object needs an id and an author", "AP §6.2")
    try:
        if ids.canonical(author) != activity.actor:
            return Refuse("the object's author is not the actor", "AP §7.3")
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    if not ids.same_origin(given, activity.actor):
        return Refuse("the object's id is not of its author's origin", "FEP-fe34")
    return None


def _delete(activity: Activity, facts: Facts) -> Decision:
    if activity.object_id is None:
        return Refuse("a Delete without an object", "AP §7.4")
    if not ids.same_origin(activity.object_id, activity.actor):
        return Refuse("the object is not of the actor's origin", "AP §7.4")
    if facts.known_author is None:
        if facts.member and activity.position is not None:
            return Accept((HideObject(activity.object_id, activity.actor),))  # the text may still come, from elsewhere
        return Ignore("not held here")
    if facts.known_author != activity.actor:
        return Refuse("only the author deletes", "AP §7.4")
    if facts.gone:
        return Ignore("already gone")
    return Accept((HideObject(activity.object_id, activity.actor),))


def _newer(activity: Activity, note: JsonObject, facts: Facts) -> bool:
    updated = _moment(note.get("updated"))
    if activity.type != "Update" or updated is None:
        return False
    known = _moment(facts.known_updated)
    return known is None or updated > known


def _moment(text: object) -> datetime | None:
    """Moments are compared as moments: peers write zones and fractions as they like."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _store(activity: Activity, note: JsonObject, object_id: str) -> StoreObject:
    return StoreObject(
        object_id=object_id,
        kind=activity.object_type or "",
        author=activity.actor,
        document=note,
        published=_text(note, "published"),
        updated=_text(note, "updated") or None,
    )


def _text(note: JsonObject, name: str) -> str:
    value = note.get(name)
    return value[:40] if isinstance(value, str) else ""

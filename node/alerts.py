"""Alerts: what they are, and what may be done with one that arrives. The face of the `alert_…` files beside
it.

`alert_terms` has the words, `alert_input` what an operator hands in, `alert_checks` whether it may go out,
`alert_notes` what goes out, `alert_public` what comes in. `decide` judges an activity about a Note, whoever sent it:
our own member, a peer, a mirror or a stick. Whether the activity really is its author's has been proved before.
Rules, in order:

1. Create and Update carry a Note whose id is the one named, with the author's origin and `attributedTo` the
   author; Delete names an object of the author's origin. (FEP-fe34)
2. A frozen author is heard no more. (Tadamun §4)
3. Who is not the stored object's author changes nothing. (AP §7.3, §7.4)
4. What was withdrawn never comes back. (Tadamun §3)
5. Delete hides at once, whoever its author is to us by now; of strangers' objects we never had, nothing is
   noted.
6. Exercises and tests come from members only. (R15)
7. Nobody here follows the author: nothing to us.
8. A Note that is not addressed to everyone is not kept, exercises among members apart. (AP §5.6)
9. The text is within bounds, and what claims to be an alert can be read as one.
10. News is of the chain it began in, and of an alert that stands: what was withdrawn has no news. News of somebody
    else's alert is no alert at all, but a reply (`alert_public.is_alert`).
11. A second Create of one id changes nothing; an Update that is no newer than what we have changes nothing.
    (AP §7.3)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from node.alert_checks import check_publishable
from node.alert_forms import parse_moment
from node.alert_input import Alert, parse_input
from node.alert_notes import (
    PUBLIC,
    Answer,
    Further,
    Place,
    carry_answers,
    render,
    with_answer,
    with_closure,
    with_correction,
)
from node.alert_public import PublicAlert, PublicAnswer, PublicSubject, PublicTarget, is_alert, moment_of, parse
from node.alert_terms import TERMS, news_code, reference_code
from node.effects import Accept, Decision, HideObject, Ignore, Refuse, StoreObject
from node.errors import ProtocolError
from node.federation.protocol.ids import canonical, same_origin
from node.federation.protocol.messages import MAX_NOTE, JsonObject, as_list, id_of

__all__ = [
    "TERMS",
    "Alert",
    "Answer",
    "Facts",
    "Further",
    "Place",
    "PublicAlert",
    "PublicAnswer",
    "PublicSubject",
    "PublicTarget",
    "carry_answers",
    "check_publishable",
    "decide",
    "is_alert",
    "news_code",
    "parse",
    "parse_input",
    "reference_code",
    "render",
    "traits",
    "with_answer",
    "with_closure",
    "with_correction",
]

KIND = "alert"
PLAIN_KIND = "note"
"""What `StoreObject.kind` says of a Note without our terms: an ordinary post of somebody we follow."""
_MAX_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows know when a Note is judged."""

    member: bool
    followed: bool
    frozen: bool
    own: bool
    known_author: str | None
    """Canonical id of the author of the stored object with this id."""
    known_updated: str | None
    withdrawn: bool
    now: datetime
    known_news_of: str | None = None
    """Canonical id of the alert that the stored object is news of."""
    first_withdrawn: bool = False
    """The alert that this is news of was withdrawn."""


def traits(note: JsonObject) -> tuple[str, frozenset[str]]:
    """Country and kinds of an alert's Note, by which an operator chooses; of a Note that is none, none.

    Read leniently: what hides its country behind a fault elsewhere in the Note must not pass for another.
    """
    country, kind = note.get("countryCode"), note.get("alertKind")
    kinds = [kind, *as_list(note.get("violationTypes"))]
    known = frozenset(each for each in kinds if isinstance(each, str))
    return (country[:2].upper() if isinstance(country, str) else ""), known


def decide(kind: str, author: str, object_id: str, note: JsonObject | None, facts: Facts) -> Decision:
    """Judge a Create, Update or Delete of a Note.

    Args:
        author: canonical id of the actor whose activity this is proved to be.
        object_id: id of the Note, in any of its spellings.
        note: the Note itself; `None` with Delete.
    """
    try:
        found = canonical(object_id)
    except ProtocolError as error:
        return Refuse(f"object id: {error.reason}", error.spec)
    refusal = _ownership(kind, author, found, note)
    if refusal is not None:
        return refusal
    if facts.frozen:
        return Ignore("the author is frozen here: kept, not obeyed")
    if facts.known_author is not None and facts.known_author != author:
        return Refuse("not the author of the stored object", "AP §7.4" if kind == "Delete" else "AP §7.3")
    if facts.withdrawn:
        return Ignore("the object was withdrawn before")
    if kind == "Delete" or note is None:
        return _delete(author, found, facts)
    unfit = _audience(note, facts) or _bounds(note) or _chain(kind, note, facts)
    return unfit or _order(kind, author, found, note, facts)


def _ownership(kind: str, author: str, found: str, note: JsonObject | None) -> Refuse | None:
    if kind not in ("Create", "Update", "Delete"):
        return Refuse(f"{kind[:20]} of a Note is not known here", "AP §7")
    if not same_origin(author, found):
        return Refuse("the object is not of its author's origin", "FEP-fe34")
    if kind == "Delete":
        return None
    if note is None:
        return Refuse(f"{kind} without its object", "AP §7")
    if "Note" not in as_list(note.get("type")):
        return Refuse("the object is not a Note", "AP §7")
    if not _same(id_of(note), found):
        return Refuse("the object's id is another", "FEP-fe34")
    if not _same(id_of(note.get("attributedTo")), author):
        return Refuse("attributedTo is not the activity's actor", "FEP-fe34")
    return None


def _same(claimed: str | None, expected: str | None) -> bool:
    try:
        return claimed is not None and canonical(claimed) == expected
    except ProtocolError:
        return False


def _known_to_us(facts: Facts) -> bool:
    return facts.own or facts.member or facts.followed


def _delete(author: str, found: str, facts: Facts) -> Decision:
    if facts.known_author is None and not _known_to_us(facts):
        return Ignore("a stranger's object that was never here")
    return Accept((HideObject(found, author),))


def _audience(note: JsonObject, facts: Facts) -> Refuse | Ignore | None:
    drill = is_alert(note) and note.get("alertStatus") != "actual"
    if drill and not (facts.member or facts.own):
        return Refuse("an exercise or test from someone who is no member", "Tadamun §3")
    if not _known_to_us(facts):
        return Ignore("nobody here follows the author")
    addressed = [*as_list(note.get("to")), *as_list(note.get("cc"))]
    # "Public" and "as:Public" are the same address, compacted (AP §5.6).
    if not drill and not any(each in (PUBLIC, "as:Public", "Public") for each in addressed):
        return Ignore("not addressed to everyone: not kept")
    return None


def _bounds(note: JsonObject) -> Refuse | None:
    content = note.get("content")
    if isinstance(content, str) and len(content.encode(errors="replace")) > MAX_NOTE:
        return Refuse(f"content over {MAX_NOTE} bytes", "RFC 9110 §15.5.14")
    if is_alert(note):
        try:
            parse(note)
        except ProtocolError as error:
            return Refuse(error.reason, error.spec)
    return None


def _chain(kind: str, note: JsonObject, facts: Facts) -> Refuse | Ignore | None:
    first = note.get("newsOf")
    if kind == "Update" and facts.known_author is not None:
        stays = _same(first, facts.known_news_of) if isinstance(first, str) else facts.known_news_of is None
        if not stays:
            return Refuse("an Update moves no text into another chain", "Tadamun §3")
    return Ignore("news of an alert that was withdrawn") if facts.first_withdrawn else None


def _order(kind: str, author: str, found: str, note: JsonObject, facts: Facts) -> Decision:
    if kind == "Create" and facts.known_author is not None:
        return Ignore("we have this object already")
    try:
        updated = moment_of(note, "updated")
        known = parse_moment(facts.known_updated) if facts.known_updated else None
    except (ProtocolError, ValueError) as error:
        return Refuse(f"updated: {error}", "RFC 3339 §5.6")
    if updated is not None and updated > facts.now + _MAX_AHEAD:
        # Taken as it stands it would outlive every later correction.
        return Refuse("updated lies more than a day ahead", "AP §7.3")
    if kind == "Update" and known is not None and (updated is None or updated <= known):
        return Ignore("not newer than what we have")
    stamps = [
        note.get(name) if isinstance(note.get(name), str) else None for name in ("published", "updated")
    ]
    document_kind = KIND if is_alert(note) else PLAIN_KIND
    return Accept((StoreObject(found, document_kind, author, note, stamps[0] or "", stamps[1]),))

"""Releases: a withdrawal that its author signed in advance, published by others when the author cannot speak.

The author signs a `Withdrawal` on the day it publishes: a statement with a proof of its own and no place in any log. It
names the objects; entries of them that come later are meant too. Custodians hold it sealed (`custody`). A member that
opened it publishes a `Release`, a log entry of its own that embeds it, and every node obeys it as the author's Delete.

`decide` judges a Release. Rules, in order:

1. only a pinned member, or we ourselves, release; what a frozen member says past its own freeze is nobody's word;
2. the statement is proved by the did whose objects it names, and by nothing else; of others' objects it says nothing;
3. whether that did is a member here makes no difference: it may become one, and the text must not come with it;
4. signed past the place where its author was frozen it does not count; from before the freeze it does;
5. what was withdrawn already is left as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from node.effects import Accept, Decision, Ignore, Refuse, Release
from node.errors import ProtocolError
from node.federation.protocol import digests, ids, verification
from node.federation.protocol.activities import AS2, MAX_EPOCH, Activity
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, timestamp
from node.federation.protocol.messages import JsonObject, as_list

TYPE = "Release"
STATEMENT = "Withdrawal"
"""The type of the statement that an author signs in advance."""
MANY = 10
"""Deletes, or releases, of one author in a day; beyond them texts wait for a second word before they are destroyed."""
OLD = timedelta(days=90)
"""So old a text waits for a second word too."""
DESTROY_AFTER = timedelta(hours=72)
MOST_BY_ONE = 2_000
"""Objects that the releases of one member may name."""
MAX_OBJECTS = 20
MAX_ENTRIES = 200
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        TYPE: f"tadamun:{TYPE}",
        STATEMENT: f"tadamun:{STATEMENT}",
        "objects": {"@id": "tadamun:objects", "@type": "@json"},
        "until": {"@id": "tadamun:until", "@type": "@json"},
        "issued": "tadamun:issued",
        "withdraws": {"@id": "tadamun:withdraws", "@type": "@json"},
    }
)
_SPEC = "Tadamun custody 1"
Place = tuple[int, int, str]
"""(epoch, sequence, content) of an entry."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What an author signed in advance, read and proved."""

    author: str
    """A did."""
    objects: tuple[str, ...]
    """Canonical ids, the main Note first."""
    entries: tuple[Place, ...]
    until: tuple[int, int]
    """Where the author's log stood when it signed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows know when a Release is judged."""

    member: bool
    """Who releases is a pinned member, or ourselves."""
    frozen: bool
    author_frozen: tuple[int, int] | None
    """The last place of the author's log that is believed."""
    gone: bool
    """Every object it names was withdrawn already."""


def statement(objects: Sequence[str], entries: Sequence[Place], until: tuple[int, int], issued: datetime) -> JsonObject:
    """What an author signs in advance, before it is signed.

    Args:
        objects: canonical ids of an alert's Notes, the main one first.
    """
    return {
        "@context": [AS2, DATA_INTEGRITY, dict(TERMS)],
        "type": STATEMENT,
        "objects": list(objects),
        "withdraws": [
            {"epoch": epoch, "sequence": sequence, "content": content} for epoch, sequence, content in entries
        ],
        "until": {"epoch": until[0], "sequence": until[1]},
        "issued": timestamp(issued),
    }


def verify(value: Any) -> Withdrawal:
    """Read a statement, and whose it is.

    Raises:
        ProtocolError: no statement, not proved, or about what is not its author's.

    Spec: FEP-8b32, FEP-fe34
    """
    if not isinstance(value, dict) or value.get("type") != STATEMENT:
        raise ProtocolError("a Release embeds one Withdrawal", spec=_SPEC)
    author = verification.verify_statement(value)
    given = value.get("objects")
    if not isinstance(given, list) or not 0 < len(given) <= MAX_OBJECTS:
        raise ProtocolError(f"a Withdrawal names 1 to {MAX_OBJECTS} objects", spec=_SPEC)
    objects = []
    for each in given:
        found = ids.portable(each) if isinstance(each, str) else None
        if found is None or found.did != author or not found.path.startswith("/objects/"):
            raise ProtocolError("a Withdrawal names objects of its author", spec="FEP-fe34", status=403)
        objects.append(str(found))
    until = value.get("until")
    place = _place(until if isinstance(until, dict) else {})
    if place is None:
        raise ProtocolError("a Withdrawal says where the log stood", spec=_SPEC)
    return Withdrawal(author, tuple(objects), entries_of(value), place)


def entries_of(value: JsonObject) -> tuple[Place, ...]:
    """The entries that a document names in `withdraws`; what is ill-formed is passed over."""
    found: list[Place] = []
    for each in as_list(value.get("withdraws"))[:MAX_ENTRIES]:
        place = _place(each) if isinstance(each, dict) else None
        content = each.get("content") if isinstance(each, dict) else None
        if place is None or not isinstance(content, str):
            continue
        try:
            found.append((*place, digests.check_multibase(content)))
        except ProtocolError:
            continue
    return tuple(found)


def decide(activity: Activity, facts: Facts, found: Withdrawal | ProtocolError) -> Decision:
    """Judge a Release by the rules of this module.

    Args:
        found: what `verify` made of its object.
    """
    if not facts.member or activity.did is None:
        return Ignore("only members release")
    if facts.frozen:
        return Ignore("the member is frozen")
    if isinstance(found, ProtocolError):
        return Refuse(found.reason, found.spec)
    if facts.author_frozen is not None and found.until > facts.author_frozen:
        return Ignore("signed past the place where its author is frozen")
    if facts.gone:
        return Ignore("withdrawn already")
    return Accept(
        (Release(found.author, found.objects, found.entries, entries_of(activity.value), activity.did, activity.id),)
    )


def _place(value: JsonObject) -> tuple[int, int] | None:
    epoch, sequence = value.get("epoch"), value.get("sequence")
    if type(epoch) is not int or type(sequence) is not int:
        return None
    return (epoch, sequence) if 1 <= epoch <= MAX_EPOCH and 1 <= sequence < 2**53 else None

"""Posts that are no alerts: the rules of the module, each broken once; decisions compared whole."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import posts
from node.effects import Accept, Decision, HideObject, Ignore, Refuse, StoreObject
from node.federation.protocol.activities import AS2, PUBLIC, Activity, parse_activity
from node.federation.protocol.messages import MAX_NOTE, parse_document
from node.posts import Facts

ORG = "ap+ef61://did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp/actor"
OURS = ORG.replace("ap+ef61://", "https://one.example/.well-known/apgateway/")
AMAL = "https://peer.example/users/amal"
BADR = "https://peer.example/users/badr"
EVIL = "https://evil.example/users/mallory"
ID = f"{AMAL}/notes/1"
NOTE: dict[str, Any] = {
    "id": ID,
    "type": "Note",
    "attributedTo": AMAL,
    "content": "<p>An exercise</p>",
    "published": "2026-11-20T11:00:00Z",
    "to": [PUBLIC],
}
UPDATED = {**NOTE, "updated": "2026-11-20T12:00:00Z"}
FOLLOWED = Facts(ORG, followed=True)
HELD = Facts(ORG, followed=True, known_author=AMAL, known_updated="2026-11-20T11:30:00Z")
MENTION = {"type": "Mention", "href": OURS, "name": "@org"}


def activity(kind: str = "Create", value: Any = NOTE, **changes: Any) -> Activity:
    made = {"@context": AS2, "id": f"{AMAL}/1", "type": kind, "actor": AMAL, "object": value, "to": [PUBLIC], **changes}
    return parse_activity(
        parse_document(json.dumps({name: item for name, item in made.items() if item is not None}).encode())
    )


def note(**changes: Any) -> dict[str, Any]:
    value = {**copy.deepcopy(NOTE), **changes}
    return {name: item for name, item in value.items() if item is not None}


def stored(value: dict[str, Any] = NOTE) -> Accept:
    kind = value["type"][0] if isinstance(value["type"], list) else value["type"]
    return Accept((StoreObject(ID, kind, AMAL, value, value.get("published", ""), value.get("updated")),))


FROZEN = Ignore("the member is frozen")
NOT_AUTHOR = Refuse("the object's author is not the actor", "AP §7.3")
NOT_ORIGIN = Refuse("the object's id is not of its author's origin", "FEP-fe34")
TAKEN = Refuse("the id belongs to another author", "AP §7.3")
DELETED = Ignore("it was deleted")
PRIVATE = Ignore("not public; private posts are not kept")
NOBODY = Ignore("nobody here follows the author")
HAVE = Ignore("already held")

RULES: list[tuple[str, Activity, Facts, Decision]] = [
    ("a public post of one we follow", activity(), FOLLOWED, stored()),
    ("a member's", activity(), Facts(ORG, member=True), stored()),
    ("our own", activity(), Facts(ORG, own=True), stored()),
    ("an article", activity(value=note(type="Article")), FOLLOWED, stored(note(type="Article"))),
    ("of two types", activity(value=note(type=["Note", "x:Y"])), FOLLOWED, stored(note(type=["Note", "x:Y"]))),
    ("1 frozen", activity(), replace(FOLLOWED, frozen=True), FROZEN),
    ("1 frozen, a Delete", activity("Delete", ID), replace(HELD, frozen=True), FROZEN),
    ("2 a Delete by the author", activity("Delete", ID), HELD, Accept((HideObject(ID, AMAL),))),
    (
        "2 a Delete with a Tombstone",
        activity("Delete", {"id": ID, "type": "Tombstone"}),
        HELD,
        Accept((HideObject(ID, AMAL),)),
    ),
    (
        "2 a Delete by one nobody follows",
        activity("Delete", ID),
        Facts(ORG, known_author=AMAL),
        Accept((HideObject(ID, AMAL),)),
    ),
    ("2 a Delete of nothing", activity("Delete", None), HELD, Refuse("a Delete without an object", "AP §7.4")),
    ("2 a Delete of what we never had", activity("Delete", ID), FOLLOWED, Ignore("not held here")),
    (
        "2 a Delete of a neighbour's",
        activity("Delete", ID),
        replace(HELD, known_author=BADR),
        Refuse("only the author deletes", "AP §7.4"),
    ),
    (
        "2 a Delete of another origin",
        activity("Delete", EVIL),
        HELD,
        Refuse("the object is not of the actor's origin", "AP §7.4"),
    ),
    (
        "2 a Delete of ours",
        activity("Delete", OURS),
        HELD,
        Refuse("the object is not of the actor's origin", "AP §7.4"),
    ),
    ("2 a Delete again", activity("Delete", ID), replace(HELD, gone=True), Ignore("already gone")),
    ("3 by id only", activity(value=ID), FOLLOWED, Ignore("the object is not embedded")),
    ("3 nothing", activity(value=None), FOLLOWED, Ignore("the object is not embedded")),
    ("3 without an id", activity(value=note(id=None)), FOLLOWED, Ignore("the object is not embedded")),
    (
        "3 without an author",
        activity(value=note(attributedTo=None)),
        FOLLOWED,
        Refuse("an object needs an id and an author", "AP §6.2"),
    ),
    ("3 by a neighbour", activity(value=note(attributedTo=BADR)), FOLLOWED, NOT_AUTHOR),
    ("3 by us", activity(value=note(attributedTo=OURS)), FOLLOWED, NOT_AUTHOR),
    ("3 by a neighbour first", activity(value=note(attributedTo=[BADR, AMAL])), FOLLOWED, NOT_AUTHOR),
    (
        "3 by an author that is none",
        activity(value=note(attributedTo="urn:x")),
        FOLLOWED,
        Refuse("an id of scheme 'urn'; only https is taken", "FEP-fe34"),
    ),
    (
        "3 by an embedded author",
        activity(value=note(attributedTo={"id": AMAL})),
        FOLLOWED,
        stored(note(attributedTo={"id": AMAL})),
    ),
    ("4 an id of another origin", activity(value=note(id=EVIL)), FOLLOWED, NOT_ORIGIN),
    ("4 an id of another port", activity(value=note(id=ID.replace("example", "example:8443"))), FOLLOWED, NOT_ORIGIN),
    ("4 an id of ours", activity(value=note(id=OURS + "/x")), FOLLOWED, NOT_ORIGIN),
    ("5 an id that is taken", activity(), replace(HELD, known_author=BADR), TAKEN),
    ("5 an Update of a neighbour's", activity("Update", UPDATED), replace(HELD, known_author=BADR), TAKEN),
    ("6 what was deleted", activity(), replace(HELD, gone=True), DELETED),
    ("6 what was deleted, updated", activity("Update", UPDATED), replace(HELD, gone=True), DELETED),
    (
        "7 too long",
        activity(value=note(content="x" * (MAX_NOTE + 1))),
        FOLLOWED,
        Refuse(f"content over {MAX_NOTE} bytes", "Tadamun wire §3"),
    ),
    (
        "7 too long in bytes",
        activity(value=note(content="ت" * (MAX_NOTE // 2 + 1))),
        FOLLOWED,
        Refuse(f"content over {MAX_NOTE} bytes", "Tadamun wire §3"),
    ),
    (
        "7 as long as it may be",
        activity(value=note(content="x" * MAX_NOTE)),
        FOLLOWED,
        stored(note(content="x" * MAX_NOTE)),
    ),
    ("8 to followers", activity(value=note(to=[AMAL + "/followers"]), to=[AMAL + "/followers"]), FOLLOWED, PRIVATE),
    ("8 to us alone", activity(value=note(to=[OURS], tag=[MENTION]), to=[OURS]), FOLLOWED, PRIVATE),
    ("8 to nobody", activity(value=note(to=None), to=None), FOLLOWED, PRIVATE),
    ("8 unlisted", activity(value=note(to=[], cc="as:Public"), to=[]), FOLLOWED, stored(note(to=[], cc="as:Public"))),
    ("9 of a stranger", activity(), Facts(ORG), NOBODY),
    ("9 a stranger who mentions us", activity(value=note(tag=[MENTION])), Facts(ORG), NOBODY),
    ("10 a Create again", activity(), HELD, HAVE),
    ("10 an Update later", activity("Update", UPDATED), HELD, stored(UPDATED)),
    ("10 the first Update", activity("Update", UPDATED), replace(HELD, known_updated=None), stored(UPDATED)),
    ("10 an Update of what we lack", activity("Update", UPDATED), FOLLOWED, stored(UPDATED)),
    ("10 an Update without its moment", activity("Update", NOTE), HELD, HAVE),
    (
        "10 an Update of the same moment",
        activity("Update", UPDATED),
        replace(HELD, known_updated=UPDATED["updated"]),
        HAVE,
    ),
    (
        "10 an Update from before",
        activity("Update", UPDATED),
        replace(HELD, known_updated="2026-11-20T12:00:01Z"),
        HAVE,
    ),
    (
        "10 an Update with later text that is earlier",
        activity("Update", UPDATED),
        replace(HELD, known_updated="2026-11-20T11:00:00-02:00"),
        HAVE,
    ),
    (
        "10 an Update with earlier text that is later",
        activity("Update", UPDATED),
        replace(HELD, known_updated="2026-11-20T14:00:00+03:00"),
        stored(UPDATED),
    ),
    (
        "10 an Update half a second later",
        activity("Update", note(updated="2026-11-20T12:00:00.5Z")),
        replace(HELD, known_updated=UPDATED["updated"]),
        stored(note(updated="2026-11-20T12:00:00.5Z")),
    ),
    ("10 an Update at no moment", activity("Update", note(updated="zzzz")), HELD, HAVE),
]


@pytest.mark.parametrize(("given_", "facts", "wanted"), [each[1:] for each in RULES], ids=[each[0] for each in RULES])
def test_each_rule_says_what_it_says(given_: Activity, facts: Facts, wanted: Decision) -> None:
    assert posts.decide(given_, facts) == wanted


def test_moments_of_any_length_are_kept_short() -> None:
    decided = posts.decide(activity(value=note(published="2" * 5000, updated="3" * 5000)), FOLLOWED)
    assert isinstance(decided, Accept)
    (effect,) = decided.effects
    assert isinstance(effect, StoreObject)
    assert (len(effect.published), len(effect.updated or "")) == (40, 40)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=20)
    | st.sampled_from([ID, AMAL, OURS, PUBLIC, "Mention", "Note"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "href", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["Create", "Update", "Delete"]),
    st.dictionaries(st.sampled_from([*NOTE, "tag", "cc", "updated"]), ANYTHING, max_size=3),
    st.sampled_from([FOLLOWED, HELD, Facts(ORG), replace(HELD, known_author=BADR)]),
)
def test_whatever_a_note_holds_nobody_else_than_its_author_is_believed(
    kind: str, changes: dict[str, Any], facts: Facts
) -> None:
    given_ = replace(
        activity(kind), object={**NOTE, **changes}, value={**activity(kind).value, "object": {**NOTE, **changes}}
    )
    decided = posts.decide(given_, facts)
    for effect in decided.effects if isinstance(decided, Accept) else ():
        assert isinstance(effect, StoreObject | HideObject)
        assert effect.author == AMAL
        assert facts.known_author != BADR

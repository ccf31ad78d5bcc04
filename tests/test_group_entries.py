"""What is said inside a working group: start valid, break one thing; whatever is signed is an entry or refused."""

import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import group_entries as entries
from node.errors import NodeError, ProtocolError
from node.federation.protocol import integrity_proofs, keys
from node.federation.protocol.digests import multibase

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY, OTHER = keys.generate_organisation_key(), keys.generate_organisation_key()
NET, GROUP, ABOUT = multibase(b"network"), multibase(b"group"), multibase(b"about")
PLAN = {
    "year": 2027, "goals": [{"key": "a", "text": "EXERCISE"}], "priorities": ["EXERCISE"],
    "activities": [{"text": "EXERCISE", "lead": "one", "goal": "a"}],
    "risks": [{"challenge": "EXERCISE", "response": "EXERCISE"}], "protection": "EXERCISE",
    "cites": [f"{multibase(b'text')}#3"],
}  # fmt: skip
SAYS = {
    entries.POST: {"title": "", "text": "EXERCISE", "cites": [f"{multibase(b'text')}#3a"]},
    entries.COMMENT: {"text": "EXERCISE", "article": ""},
    entries.DOCUMENT: {"title": "EXERCISE", "text": "EXERCISE"},
    entries.MEETING: {"title": "EXERCISE", "starts": "2027-01-01T10:00:00Z", "ends": "2027-01-01T11:00:00Z",
                      "place": "", "text": ""},
    entries.PLAN: PLAN,
    entries.REVIEW: {"period": "1", "done": "EXERCISE", "evaluation": "", "changed": []},
    entries.STEP: {"step": "comments"},
    entries.DRAFT: {"text": {"en": {"title": "EXERCISE"}}},
}  # fmt: skip
ANSWERS = (entries.COMMENT, entries.REVIEW, entries.STEP)


def bare(kind, **changes):
    about = ABOUT if kind in ANSWERS else ""
    return entries.render(NET, GROUP, kind, KEY.did, about, "en", SAYS[kind], NOW) | changes


def signed(value, key=KEY):
    return integrity_proofs.sign(value, key, f"{key.did}#{key.multikey}", NOW)


@pytest.mark.parametrize("kind", entries.KINDS)
def test_every_kind_is_read_as_it_was_signed(kind):
    value = signed(bare(kind))
    entry = entries.parse(value)
    assert (entry.kind, entry.author, entry.group, entry.says) == (kind, KEY.did, GROUP, SAYS[kind])
    assert entry.digest == entries.digest_of(bare(kind)) and entries.parse(copy.deepcopy(value)) == entry


def changed(kind, **says):
    return {"says": SAYS[kind] | says}


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (entries.POST, {"type": "Note"}, "its own members"),
        (entries.POST, {"more": 1}, "its own members"),
        (entries.POST, {"entry": "shout"}, "kind that is not known"),
        (entries.POST, {"entry": ["post"]}, "kind that is not known"),
        (entries.POST, {"author": "https://x.example"}, "a did's"),
        (entries.POST, {"group": "women"}, "of one group"),
        (entries.POST, {"about": "x"}, "by digest"),
        (entries.POST, {"language": "x"}, "in which language"),
        (entries.POST, {"published": "now"}, "a moment"),
        (entries.POST, changed(entries.POST, text=" "), "post: text"),
        (entries.POST, changed(entries.POST, text="x" * 20_001), "post: text"),
        (entries.POST, changed(entries.POST, more="x"), "and nothing else"),
        (entries.POST, changed(entries.POST, cites=["3"]), "post: cites"),
        (entries.POST, changed(entries.POST, cites=SAYS[entries.POST]["cites"] * 21), "post: cites"),
        (entries.POST, changed(entries.POST, cites="x"), "post: cites"),
        (entries.COMMENT, {"about": ""}, "the entry that it answers"),
        (entries.REVIEW, {"about": ""}, "the entry that it answers"),
        (entries.MEETING, changed(entries.MEETING, ends="2027-01-01T10:00:00Z"), "ends after it starts"),
        (entries.MEETING, changed(entries.MEETING, starts="soon"), "meeting: starts"),
        (entries.PLAN, changed(entries.PLAN, year="2027"), "plan: year"),
        (entries.PLAN, changed(entries.PLAN, year=True), "plan: year"),
        (entries.PLAN, changed(entries.PLAN, goals=[]), "plan: goals"),
        (entries.PLAN, changed(entries.PLAN, goals=PLAN["goals"] * 2), "plan: goals"),
        (entries.PLAN, changed(entries.PLAN, goals=[{"key": "a"}]), "plan: goals"),
        (entries.PLAN, changed(entries.PLAN, priorities=["x"] * 61), "plan: priorities"),
        (entries.PLAN, changed(entries.PLAN, protection=""), "plan: protection"),
        (entries.REVIEW, changed(entries.REVIEW, period="5"), "review: period"),
        (entries.STEP, changed(entries.STEP, step="approved"), "step: step"),
        (entries.STEP, changed(entries.STEP, step=["closed"]), "step: step"),
        (entries.DRAFT, changed(entries.DRAFT, text={}), "draft: text"),
    ],
)  # fmt: skip
def test_each_rule_of_an_entry(kind, changes, reason):
    with pytest.raises(ProtocolError, match=reason):
        entries.parse(signed(bare(kind, **changes)))


def test_what_was_changed_after_it_was_signed_is_nobodys():
    value = signed(bare(entries.POST))
    with pytest.raises(ProtocolError, match="proof"):
        entries.parse(value | changed(entries.POST, text="another"))
    with pytest.raises(ProtocolError, match="not its author's"):
        entries.parse(signed(bare(entries.POST), OTHER))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(entries.KINDS), st.data())
def test_whatever_is_signed_is_an_entry_or_refused(kind, data):
    value = bare(kind)
    place = data.draw(st.sampled_from([*(name for name in value if name != "@context"), "says."]))
    if place == "says.":
        name = data.draw(st.sampled_from(sorted(value["says"])))
        value["says"] = value["says"] | {name: data.draw(VALUES)}
    else:
        value[place] = data.draw(VALUES)
    try:
        made = signed(value)
    except NodeError:
        return  # it has no canonical form: nobody can sign it
    try:
        entry = entries.parse(made)
    except NodeError:
        return
    assert entry.author == KEY.did and entries.read(made) == entry

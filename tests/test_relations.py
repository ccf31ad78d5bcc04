"""Who follows whom, who moved, who is gone: the rules of the module, each broken once; decisions compared whole."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import relations
from node.effects import (
    Accept,
    AddFollower,
    Decision,
    FollowAgain,
    ForgetActor,
    Ignore,
    Refuse,
    RemoveFollower,
    Reply,
    Report,
    SetFollowing,
    StoreActor,
)
from node.federation.protocol.activities import AS2, Activity, parse_activity
from node.federation.protocol.messages import parse_document
from node.relations import RULES, Facts

DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
THEIR_DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ORG, ORG_URI = f"ap+ef61://{DID}/actor", f"https://one.example/.well-known/apgateway/{DID}/actor"
PEER, PEER_URI = f"ap+ef61://{THEIR_DID}/actor", f"https://two.example/.well-known/apgateway/{THEIR_DID}/actor"
AMAL, BADR = "https://peer.example/users/amal", "https://peer.example/users/badr"
NEW = "https://new.example/users/amal"
INBOX, SHARED = f"{AMAL}/inbox", "https://peer.example/inbox"
FOLLOW = f"{AMAL}/follows/1"
ASKED = f"ap+ef61://{DID}/activities/1"
DIGEST = "zQmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"
DOCUMENT = {"id": AMAL, "type": "Person", "name": "Amal (exercise)"}
PROVEN = {"@context": AS2, "id": PEER_URI, "type": "Organization", "logPosition": {"epoch": 1, "sequence": 2}}
LOG = {"epoch": 1, "sequence": 2, "previous": DIGEST, "nonce": "3mJr7AoUCHxNqdABC123"}
NOBODY = Facts(ORG)
SENDER = Facts(ORG, inbox=INBOX, shared_inbox=SHARED)
FOLLOWER = Facts(ORG, follow_activity=FOLLOW)
ASKING = Facts(ORG, our_follow=ASKED)
FOLLOWED = Facts(ORG, our_follow=ASKED, following=True)
MOVING = replace(FOLLOWED, target_aliases=(BADR, AMAL))


def said(kind: str, value: Any, actor: str = AMAL, **changes: Any) -> Activity:
    name = FOLLOW if kind == "Follow" else f"{actor}/1"
    made = {"@context": AS2, "id": name, "type": kind, "actor": actor, "object": value, **changes}
    return parse_activity(
        parse_document(json.dumps({key: item for key, item in made.items() if item is not None}).encode())
    )


def follow(**changes: Any) -> dict[str, Any]:
    made = {"id": FOLLOW, "type": "Follow", "actor": AMAL, "object": ORG_URI, **changes}
    return {key: item for key, item in made.items() if item is not None}


ADDED = Accept((AddFollower(AMAL, INBOX, SHARED, FOLLOW), Reply("Accept", follow(), AMAL, INBOX)))
REMOVED = Accept((RemoveFollower(AMAL),))
NOT_HERE = Ignore("not an organisation of this node")
NO_ANSWER = Ignore("no Follow of ours is answered")
FROZEN = Ignore("the member is frozen")
NOT_OURS = Ignore("a report about nothing of this organisation")
NOT_ALIASED = Refuse("the target does not name the old id in alsoKnownAs", "FEP-7628")
ITSELF = Refuse("an actor is updated by itself, embedded", "AP §7.3")
NOT_IN_LOG = Refuse("an actor changes by the entry of its log that the document names", "Tadamun log §3")

TABLE: list[tuple[str, Activity, Facts, Decision]] = [
    ("Follow", said("Follow", ORG_URI), SENDER, ADDED),
    ("Follow of an embedded actor", said("Follow", {"id": ORG_URI, "type": "Organization"}), SENDER, ADDED),
    ("Follow of a list of one", said("Follow", [ORG_URI]), SENDER, ADDED),
    ("Follow again", said("Follow", ORG_URI), replace(SENDER, follow_activity="https://peer.example/0"), ADDED),
    ("Follow of another", said("Follow", PEER_URI), SENDER, NOT_HERE),
    ("Follow of a post of ours", said("Follow", ORG_URI + "/x"), SENDER, NOT_HERE),
    ("Follow of nobody", said("Follow", None), SENDER, NOT_HERE),
    ("Follow without an inbox", said("Follow", ORG_URI), NOBODY, Refuse("a follower without an inbox", "AP §7.5")),
    ("Follow by a frozen member", said("Follow", ORG_URI), replace(SENDER, frozen=True), FROZEN),
    #
    ("Undo", said("Undo", follow()), FOLLOWER, REMOVED),
    ("Undo by id", said("Undo", FOLLOW), FOLLOWER, REMOVED),
    ("Undo without the Follow's id", said("Undo", follow(id=None)), FOLLOWER, REMOVED),
    ("Undo without the Follow's object", said("Undo", follow(object=None)), FOLLOWER, REMOVED),
    ("Undo by a frozen member", said("Undo", follow()), replace(FOLLOWER, frozen=True), REMOVED),
    (
        "Undo of a neighbour's",
        said("Undo", follow(actor=BADR)),
        FOLLOWER,
        Refuse("only the actor undoes what it did", "AP §7.7"),
    ),
    (
        "Undo of nobody's",
        said("Undo", follow(actor=None)),
        FOLLOWER,
        Refuse("only the actor undoes what it did", "AP §7.7"),
    ),
    (
        "Undo of an actor that is none",
        said("Undo", follow(actor="urn:x")),
        FOLLOWER,
        Refuse("an id of scheme 'urn'; only https is taken", "FEP-fe34"),
    ),
    (
        "Undo of a Follow of another",
        said("Undo", follow(id=AMAL + "/2", object=PEER_URI)),
        FOLLOWER,
        Ignore("not a Follow of this organisation"),
    ),
    (
        "Undo of a Follow of nothing",
        said("Undo", follow(id=AMAL + "/2", object="urn:x")),
        FOLLOWER,
        Ignore("not a Follow of this organisation"),
    ),
    ("Undo of another Follow by id", said("Undo", AMAL + "/2"), FOLLOWER, Ignore("nothing kept of what is undone")),
    ("Undo of a boost", said("Undo", follow(type="Announce")), FOLLOWER, Ignore("nothing kept of a Announce")),
    (
        "Undo of a list of types",
        said("Undo", follow(type=["Follow"])),
        FOLLOWER,
        Ignore("nothing kept of a ['Follow']"),
    ),
    ("Undo by who does not follow", said("Undo", follow()), NOBODY, Ignore("no follower")),
    ("Undo of nothing by who does not follow", said("Undo", None), NOBODY, Ignore("no follower")),
    #
    ("Accept", said("Accept", ASKED), ASKING, Accept((SetFollowing(AMAL, "accepted"),))),
    (
        "Accept with the Follow",
        said("Accept", {"id": ASKED, "type": "Follow"}),
        ASKING,
        Accept((SetFollowing(AMAL, "accepted"),)),
    ),
    ("Reject", said("Reject", ASKED), ASKING, Accept((SetFollowing(AMAL, "rejected"),))),
    ("Reject after all", said("Reject", ASKED), FOLLOWED, Accept((SetFollowing(AMAL, "rejected"),))),
    ("Accept of another Follow", said("Accept", ASKED + "2"), ASKING, NO_ANSWER),
    ("Accept of nothing", said("Accept", None), ASKING, NO_ANSWER),
    ("Accept by one we never asked", said("Accept", ASKED), NOBODY, NO_ANSWER),
    ("Accept of nothing by one we never asked", said("Accept", None), NOBODY, NO_ANSWER),
    ("Accept by a frozen member", said("Accept", ASKED), replace(ASKING, frozen=True), FROZEN),
    #
    (
        "Update",
        said("Update", {"@context": AS2, **DOCUMENT}),
        NOBODY,
        Accept((StoreActor(AMAL, {"@context": AS2, **DOCUMENT}),)),
    ),
    (
        "Update without its own context",
        said("Update", DOCUMENT),
        NOBODY,
        Accept((StoreActor(AMAL, {"@context": AS2, **DOCUMENT}),)),
    ),
    ("Update by id", said("Update", AMAL), NOBODY, ITSELF),
    ("Update of a neighbour", said("Update", {**DOCUMENT, "id": BADR}), NOBODY, ITSELF),
    ("Update of us", said("Update", {**DOCUMENT, "id": ORG_URI}), NOBODY, ITSELF),
    ("Update by a frozen member", said("Update", PROVEN, PEER_URI, log=LOG), Facts(ORG, frozen=True), FROZEN),
    (
        "Update of a did in its log",
        said("Update", PROVEN, PEER_URI, log=LOG),
        NOBODY,
        Accept((StoreActor(PEER, PROVEN),)),
    ),
    ("Update of a did outside its log", said("Update", PROVEN, PEER_URI), NOBODY, NOT_IN_LOG),
    (
        "Update of a did that skips ahead",
        said("Update", {**PROVEN, "logPosition": {"epoch": 1, "sequence": 2**52}}, PEER_URI, log=LOG),
        NOBODY,
        NOT_IN_LOG,
    ),
    (
        "Update of a did without a place",
        said("Update", {**PROVEN, "logPosition": None}, PEER_URI, log=LOG),
        NOBODY,
        NOT_IN_LOG,
    ),
    #
    ("Delete", said("Delete", AMAL), NOBODY, Accept((ForgetActor(AMAL),))),
    (
        "Delete of a member",
        said("Delete", PEER_URI, PEER_URI),
        Facts(ORG, member=True),
        Accept((Report("Delete", PEER, PEER),)),
    ),
    ("Delete of a neighbour", said("Delete", BADR), NOBODY, Refuse("an actor is deleted by itself", "AP §7.4")),
    ("Delete of us", said("Delete", ORG_URI), NOBODY, Refuse("an actor is deleted by itself", "AP §7.4")),
    ("Delete by a frozen member", said("Delete", PEER_URI, PEER_URI), Facts(ORG, member=True, frozen=True), FROZEN),
    #
    ("Move", said("Move", AMAL, target=NEW), MOVING, Accept((FollowAgain(AMAL, NEW),))),
    ("Move to an embedded actor", said("Move", AMAL, target={"id": NEW}), MOVING, Accept((FollowAgain(AMAL, NEW),))),
    ("Move of a neighbour", said("Move", BADR, target=NEW), MOVING, Refuse("one moves oneself", "FEP-7628")),
    ("Move of us", said("Move", ORG_URI, target=NEW), MOVING, Refuse("one moves oneself", "FEP-7628")),
    ("Move to nowhere", said("Move", AMAL), MOVING, Refuse("a Move without a target", "FEP-7628")),
    ("Move to a list", said("Move", AMAL, target=[NEW]), MOVING, Refuse("a Move without a target", "FEP-7628")),
    (
        "Move to what is none",
        said("Move", AMAL, target="urn:x"),
        MOVING,
        Refuse("an id of scheme 'urn'; only https is taken", "FEP-fe34"),
    ),
    (
        "Move of one we do not follow",
        said("Move", AMAL, target=NEW),
        replace(MOVING, following=False),
        Ignore("nobody here follows who moves"),
    ),
    (
        "Move to one that cannot be read",
        said("Move", AMAL, target=NEW),
        FOLLOWED,
        Ignore("the target could not be read"),
    ),
    (
        "Move to one that does not know",
        said("Move", AMAL, target=NEW),
        replace(FOLLOWED, target_aliases=(BADR,)),
        NOT_ALIASED,
    ),
    (
        "Move to one that knows nobody",
        said("Move", AMAL, target=NEW),
        replace(FOLLOWED, target_aliases=()),
        NOT_ALIASED,
    ),
    ("Move by a frozen member", said("Move", AMAL, target=NEW), replace(MOVING, frozen=True), FROZEN),
    #
    (
        "Block",
        said("Block", ORG_URI),
        FOLLOWER,
        Accept((RemoveFollower(AMAL), SetFollowing(AMAL, "rejected"), Report("Block", AMAL, ORG))),
    ),
    (
        "Block by a frozen member",
        said("Block", ORG_URI),
        replace(FOLLOWER, frozen=True),
        Accept((RemoveFollower(AMAL), SetFollowing(AMAL, "rejected"), Report("Block", AMAL, ORG))),
    ),
    ("Block of another", said("Block", BADR), FOLLOWER, NOT_HERE),
    ("Flag", said("Flag", ORG_URI + "/x"), NOBODY, Accept((Report("Flag", AMAL, ORG + "/x"),))),
    ("Flag of several", said("Flag", [ORG_URI, BADR]), NOBODY, Accept((Report("Flag", AMAL, ORG),))),
    ("Flag of nothing", said("Flag", None), NOBODY, NOT_OURS),
    ("Flag of others", said("Flag", [BADR, AMAL]), NOBODY, NOT_OURS),
    (
        "a boost of ours",
        said("Announce", ORG_URI),
        replace(NOBODY, holds_ours=True),
        Accept((Report("Announce", AMAL, ORG),)),
    ),
    ("a boost by one we follow", said("Announce", BADR), FOLLOWED, Accept((Report("Announce", AMAL, BADR),))),
    ("a boost by a stranger", said("Announce", BADR), NOBODY, Ignore("nobody here follows who boosts")),
    ("a boost of nothing", said("Announce", None), FOLLOWED, Refuse("a boost of nothing", "AP §7.11")),
    (
        "a boost with another's text",
        said("Announce", {"id": BADR, "type": "Note", "content": "x"}),
        FOLLOWED,
        Accept((Report("Announce", AMAL, BADR),)),
    ),
    ("Like", said("Like", ORG_URI), replace(FOLLOWED, holds_ours=True), Ignore("likes are not kept")),
    ("what nobody knows", said("Levitate", ORG_URI), FOLLOWED, Ignore("unknown type Levitate")),
]


@pytest.mark.parametrize(("given_", "facts", "wanted"), [each[1:] for each in TABLE], ids=[each[0] for each in TABLE])
def test_each_rule_says_what_it_says(given_: Activity, facts: Facts, wanted: Decision) -> None:
    assert relations.decide(given_, facts) == wanted


def test_the_table_has_a_row_for_each_rule() -> None:
    accepted = {each[1].type for each in TABLE if isinstance(each[3], Accept)}
    assert accepted == set(RULES) - {"Like"}


def test_a_flag_names_up_to_fifty() -> None:
    flag = said("Flag", [f"https://a.example/{number}" for number in range(80)] + [7])
    assert len(relations.flagged(flag)) == 50


FACTS = st.builds(
    Facts,
    org=st.just(ORG),
    inbox=st.sampled_from([None, INBOX]),
    follow_activity=st.sampled_from([None, FOLLOW]),
    our_follow=st.sampled_from([None, ASKED]),
    following=st.booleans(),
    member=st.booleans(),
    frozen=st.booleans(),
    target_aliases=st.sampled_from([None, (), (AMAL,)]),
    holds_ours=st.booleans(),
)
THINGS = st.sampled_from([AMAL, BADR, ORG_URI, FOLLOW, ASKED, NEW, None, 7, [], ["x"]])
OBJECTS = THINGS | st.dictionaries(
    st.sampled_from(["id", "type", "actor", "object"]), THINGS | st.just("Follow"), max_size=4
)


@given(st.sampled_from([*RULES, "Levitate"]), OBJECTS, THINGS, FACTS)
def test_nobody_speaks_for_anybody_else(kind: str, value: Any, target: Any, facts: Facts) -> None:
    try:
        activity = said(kind, value, target=target)
    except Exception as error:
        assert type(error).__name__ == "ProtocolError"
        return
    decided = relations.decide(activity, facts)
    for effect in decided.effects if isinstance(decided, Accept) else ():
        match effect:
            case FollowAgain(old=who) | Reply(to=who):
                assert who == AMAL
            case _:
                assert getattr(effect, "actor") == AMAL  # noqa: B009 - every other effect here has one
        if facts.frozen:
            assert isinstance(effect, RemoveFollower | SetFollowing | Report)

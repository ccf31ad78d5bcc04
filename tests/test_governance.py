"""Acts of a network: signed, read and refused. Start valid, break one thing."""

import contextlib
import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import governance as acts
from node.errors import NodeError, ProtocolError
from node.federation.protocol import integrity_proofs, keys
from node.federation.protocol.digests import multibase

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY, OTHER = keys.generate_organisation_key(), keys.generate_organisation_key()
SEEN = multibase(b"seen")
NET = multibase(b"network")
RULES = {"sponsors": 2, "quorum": [1, 2], "kinds": ["organisation"], "voters": ["organisation"], "blocks": False}
SAYS = {
    acts.FOUND: {"name": {"ar": "شبكة تدريب"}, "charter": "", "founders": [KEY.did, OTHER.did], "rules": RULES},
    acts.INVITE: {"who": "", "expires": "2026-12-20T12:00:00Z"},
    acts.ACCEPT: {"about": SEEN, "name": "EXERCISE", "kind": "organisation", "country": "IQ", "handle": "@a@x.example",
                  "listed": False},
    acts.SPONSOR: {"about": SEEN},
    acts.CANCEL: {"about": SEEN},
    acts.LEAVE: {},
    acts.PROFILE: {"name": "EXERCISE", "country": "IQ", "languages": ["ar", "ckb", "zh-Hant-TW"], "listed": True},
    acts.PROPOSE: {"subject": "remove", "names": [OTHER.did], "text": "", "grounds": SEEN},
    acts.VOTE: {"about": SEEN, "choice": "yes", "reason": ""},
    acts.CLOSE: {"about": SEEN},
    acts.GROUP: {"name": {"ar": "مجموعة تدريب"}, "handle": "women", "open": True, "hosts": [KEY.did, OTHER.did]},
    acts.GROUP_HOST: {"about": SEEN, "did": OTHER.did, "handle": "@women@x.example"},
    acts.GROUP_CARRY: {"about": SEEN, "who": OTHER.did},
    acts.GROUP_JOIN: {"about": SEEN},
    acts.GROUP_LEAVE: {"about": SEEN},
    acts.GROUP_ROLE: {"about": SEEN, "who": OTHER.did, "role": "steering"},
    acts.SUCCEED: {"about": SEEN},
}  # fmt: skip


def signed(value, key=KEY):
    return integrity_proofs.sign(value, key, f"{key.did}#{key.multikey}", NOW)


def bare(kind, **changes):
    founds = kind == acts.FOUND
    return acts.render("" if founds else NET, kind, KEY.did, 1, () if founds else (SEEN,), SAYS[kind], NOW) | changes


@pytest.mark.parametrize("kind", acts.KINDS)
def test_every_kind_is_read_as_it_was_signed(kind):
    value = signed(bare(kind))
    act = acts.parse(value)
    assert (act.kind, act.author, act.number, act.says) == (kind, KEY.did, 1, SAYS[kind])
    assert act.digest == acts.digest_of(value) and act.network == (act.digest if kind == acts.FOUND else NET)
    assert acts.parse(copy.deepcopy(value)) == act and acts.read(value) == act


def test_the_name_of_an_act_is_its_content_and_not_its_proof():
    value = signed(bare(acts.LEAVE))
    assert acts.digest_of(value) == acts.digest_of(bare(acts.LEAVE)) != acts.digest_of(bare(acts.LEAVE, number=2))


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (acts.LEAVE, {"type": "Note"}, "object of that type"),
        (acts.LEAVE, {"more": 1}, "its own members and no other"),
        (acts.LEAVE, {"act": "rule"}, "a kind that is not known"),
        (acts.LEAVE, {"act": ["leave"]}, "a kind that is not known"),
        (acts.LEAVE, {"author": OTHER.did}, "not its author's"),
        (acts.LEAVE, {"author": "https://x.example/actor"}, "a did's"),
        (acts.LEAVE, {"network": ""}, "names none"),
        (acts.LEAVE, {"network": "zNothing"}, "names none"),
        (acts.FOUND, {"network": NET}, "names none"),
        (acts.LEAVE, {"number": 0}, "counted from 1"),
        (acts.LEAVE, {"number": True}, "counted from 1"),
        (acts.FOUND, {"number": 2}, "the first"),
        (acts.LEAVE, {"seen": []}, "seen nothing"),
        (acts.FOUND, {"seen": [SEEN]}, "seen nothing"),
        (acts.LEAVE, {"seen": [SEEN, SEEN]}, "by digest"),
        (acts.LEAVE, {"seen": ["x"]}, "by digest"),
        (acts.LEAVE, {"published": "yesterday"}, "a moment"),
        (acts.LEAVE, {"published": "2026-11-20T12:00:00"}, "a moment"),
        (acts.LEAVE, {"says": {"why": "x"}}, "says nothing"),
        (acts.VOTE, {"says": {"about": SEEN}}, "says about, choice, reason"),
        (acts.VOTE, {"says": SAYS[acts.VOTE] | {"choice": "maybe"}}, "vote: choice"),
        (acts.VOTE, {"says": SAYS[acts.VOTE] | {"choice": ["yes"]}}, "vote: choice"),
        (acts.INVITE, {"says": {"who": "x", "expires": "2026-12-20T12:00:00Z"}}, "invite: who"),
        (acts.INVITE, {"says": {"who": "", "expires": "soon"}}, "invite: expires"),
        (acts.ACCEPT, {"says": SAYS[acts.ACCEPT] | {"kind": "state"}}, "accept: kind"),
        (acts.ACCEPT, {"says": SAYS[acts.ACCEPT] | {"name": "x" * 301}}, "accept: name"),
        (acts.PROPOSE, {"says": SAYS[acts.PROPOSE] | {"names": [KEY.did, KEY.did]}}, "propose: names"),
        (acts.PROPOSE, {"says": SAYS[acts.PROPOSE] | {"grounds": "EXERCISE why"}}, "propose: grounds"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"listed": "yes"}}, "profile: listed"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"languages": ["ar", "ar"]}}, "profile: languages"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"languages": ["<b>"]}}, "profile: languages"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"languages": [["ar"]]}}, "profile: languages"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"name": ""}}, "profile: name"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"groups": ["women"]}}, "profile: groups"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"groups": [SEEN, SEEN]}}, "profile: groups"),
        (acts.PROFILE, {"says": SAYS[acts.PROFILE] | {"groups": SEEN}}, "profile: groups"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"rules": RULES | {"quorum": [1, 3]}}}, "found: rules"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"rules": RULES | {"quorum": [2, 2]}}}, "found: rules"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"rules": RULES | {"sponsors": 0}}}, "found: rules"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"rules": RULES | {"more": 0}}}, "found: rules"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"founders": []}}, "found: founders"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"founders": [[]]}}, "found: founders"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"name": {"ar": ""}}}, "found: name"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"rules": RULES | {"articles": ["1", "1"]}}}, "found: rules"),
        (acts.ACCEPT, {"says": SAYS[acts.ACCEPT] | {"affirms": [1]}}, "accept: affirms"),
        (acts.SPONSOR, {"says": {"about": SEEN, "affirms": ["1"]}}, "says about, and nothing else"),
        (acts.GROUP, {"says": SAYS[acts.GROUP] | {"handle": "Women!"}}, "group: handle"),
        (acts.GROUP, {"says": SAYS[acts.GROUP] | {"hosts": []}}, "group: hosts"),
        (acts.GROUP, {"says": SAYS[acts.GROUP] | {"open": 1}}, "group: open"),
        (acts.GROUP_ROLE, {"says": SAYS[acts.GROUP_ROLE] | {"role": "queen"}}, "group-role: role"),
        (acts.GROUP_CARRY, {"says": {"about": SEEN, "who": ""}}, "group-carry: who"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"recovery": [SEEN]}}, "found: recovery"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"recovery": {KEY.did: "x"}}}, "found: recovery"),
        (acts.FOUND, {"says": SAYS[acts.FOUND] | {"recovery": {"x": SEEN}}}, "found: recovery"),
        (acts.ACCEPT, {"says": SAYS[acts.ACCEPT] | {"recovery": ""}}, "accept: recovery"),
        (acts.LEAVE, {"says": {"recovery": SEEN}}, "says nothing"),
        (acts.SUCCEED, {"says": {"about": KEY.did}}, "succeed: about"),
    ],
)  # fmt: skip
def test_each_rule_of_an_act(kind, changes, reason):
    with pytest.raises(ProtocolError, match=reason):
        acts.parse(signed(bare(kind, **changes)))


def test_what_was_changed_after_it_was_signed_is_nobodys():
    value = signed(bare(acts.VOTE))
    for change in ({"says": SAYS[acts.VOTE] | {"choice": "no"}}, {"number": 2}, {"seen": [NET]}, {"network": SEEN}):
        with pytest.raises(ProtocolError, match="proof"):
            acts.parse(value | change)
    with pytest.raises(ProtocolError):
        acts.parse({name: item for name, item in value.items() if name != "proof"})
    with pytest.raises(ProtocolError, match="not its author's"):
        acts.parse(signed(bare(acts.VOTE), OTHER))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(acts.KINDS), st.data())
def test_whatever_is_signed_is_an_act_or_refused(kind, data):
    value = bare(kind)
    name = data.draw(st.sampled_from(sorted(value)))
    says = dict(value["says"])
    if name == "says" and says:
        says[data.draw(st.sampled_from(sorted(says)))] = data.draw(ANYTHING)
        value["says"] = says
    else:
        value[name] = data.draw(ANYTHING)
    with contextlib.suppress(NodeError):
        acts.parse(signed(value))

"""The rules of trust withdrawn together: start valid, break one thing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import declarations, recovery
from node.declarations import Facts
from node.effects import Accept, ConfirmDeletes, Declare, Ignore, Refuse, RestoreTexts, Retract
from node.federation.protocol.activities import Activity

BY, ABOUT, HEIR = (recovery.generate().did for _ in range(3))
DIGEST = recovery.commitment(recovery.generate())
AFTER = {"epoch": 1, "sequence": 7, "digest": DIGEST}
TEXT = f"ap+ef61://{ABOUT}/objects/1"
SPEC = "Tadamun design §4"
GOOD = Facts(member=True, frozen=False, about=ABOUT)
NAMED = Refuse("a declaration names the last entry that counts", SPEC)


def says(kind, object_id=f"ap+ef61://{ABOUT}/actor", did=BY, **value):
    name = f"ap+ef61://{did}/activities/1"
    return Activity(name, kind, f"ap+ef61://{did}/actor", object_id, value.pop("object", None), None, value, b"")


FREEZE = says("Freeze", after=AFTER)
FROZEN = Accept((Declare(FREEZE.id, BY, ABOUT, 1, 7, DIGEST),))


@pytest.mark.parametrize(
    ("activity", "facts", "decision"),
    [
        (FREEZE, GOOD, FROZEN),
        (says("Freeze", after={**AFTER, "digest": ""}), GOOD, Accept((Declare(FREEZE.id, BY, ABOUT, 1, 7, ""),))),
        (FREEZE, replace(GOOD, member=False), Ignore("only members declare")),
        (FREEZE, replace(GOOD, frozen=True), Ignore("the member is frozen")),
        (FREEZE, replace(GOOD, about=None), Ignore("it is about nobody who is pinned here")),
        (FREEZE, replace(GOOD, about=BY), Refuse("nobody freezes itself: that is what a succession is for", SPEC)),
        (says("Freeze"), GOOD, NAMED),
        (says("Freeze", after={**AFTER, "sequence": -1}), GOOD, NAMED),
        (says("Freeze", after={**AFTER, "sequence": True}), GOOD, NAMED),
        (says("Freeze", after={**AFTER, "sequence": 2**53}), GOOD, NAMED),
        (says("Freeze", after={**AFTER, "epoch": 0}), GOOD, NAMED),
        (
            says("Freeze", after={**AFTER, "digest": "zz"}), GOOD,
            Refuse("a digest is not a base58btc multihash", "Tadamun log §3"),
        ),
        (says("Unfreeze", FREEZE.id), replace(GOOD, about=None), Accept((Retract(BY, FREEZE.id),))),
        (says("Unfreeze", FREEZE.id), replace(GOOD, member=False), Ignore("only members declare")),
        (says("Confirm", until={"epoch": 1, "sequence": 9}), GOOD, Accept((ConfirmDeletes(ABOUT, 1, 9),))),
        (says("Confirm"), GOOD, NAMED),
        (
            says("Confirm", did=ABOUT, until={"epoch": 1, "sequence": 9}), GOOD,
            Refuse("Deletes are confirmed by another member, or by the author's recovery key", "Tadamun design §3"),
        ),
        (
            says("Confirm", None, ABOUT, object=declarations.statement(ABOUT, 1, 9)),
            replace(GOOD, by_recovery_key=True), Accept((ConfirmDeletes(ABOUT, 1, 9),)),
        ),
        (says("Confirm", did=HEIR, texts="all"), replace(GOOD, successor=HEIR), Accept((RestoreTexts(ABOUT, None),))),
        (
            says("Confirm", did=HEIR, texts=[TEXT]), replace(GOOD, successor=HEIR),
            Accept((RestoreTexts(ABOUT, (TEXT,)),)),
        ),
        (
            says("Confirm", texts="all"), replace(GOOD, successor=HEIR),
            Refuse("texts come back on the word of the one who succeeded their author", SPEC),
        ),
        (
            says("Confirm", texts="all"), GOOD,
            Refuse("texts come back on the word of the one who succeeded their author", SPEC),
        ),
        (
            says("Confirm", did=HEIR, texts=[f"ap+ef61://{BY}/objects/1"]), replace(GOOD, successor=HEIR),
            Refuse("a text that is not its author's", SPEC),
        ),
        (
            says("Confirm", did=HEIR, texts=[]), replace(GOOD, successor=HEIR),
            Refuse("texts is 'all' or up to 500 ids", SPEC),
        ),
        (says("Confirm", texts="all"), replace(GOOD, about=None, own=True), Accept()),
    ],
)  # fmt: skip
def test_each_rule(activity, facts, decision):
    assert declarations.decide(activity, facts) == decision


@pytest.mark.parametrize(
    ("places", "quorum", "wanted"),
    [
        ([], 2, None),
        ([(1, 5)], 2, None),
        ([(1, 5)], 1, (1, 5)),
        ([(1, 5), (1, 9)], 2, (1, 9)),
        ([(1, 9), (1, 5), (1, 7)], 2, (1, 7)),
        ([(2, 1), (1, 9)], 2, (2, 1)),
        ([(1, 5)], 0, (1, 5)),
    ],
)
def test_the_place_is_the_last_on_which_so_many_agree(places, quorum, wanted):
    assert declarations.agreed(places, quorum) == (wanted if quorum else places[-1])


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 50)), max_size=12), st.integers(1, 6), st.randoms())
def test_what_is_agreed_depends_on_no_order_and_one_voice_more_never_believes_more(places, quorum, chance):
    found = declarations.agreed(places, quorum)
    shuffled = list(places)
    chance.shuffle(shuffled)
    assert declarations.agreed(shuffled, quorum) == found
    more = declarations.agreed([*places, (1, 0)], quorum)
    assert found is None or (more is not None and more <= found)
    if found is not None:
        assert sum(place <= found for place in places) >= quorum

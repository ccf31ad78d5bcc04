"""Three switches for others' alerts: the rules, and the forms they are written in."""

import pytest

from node.commands.policies import read_flag
from node.errors import RefusedError
from node.policies import Policies, Rule

ARREST = frozenset({"urgent-appeal", "arrest"})


def policies(*rules):
    return Policies(tuple(Rule(*rule) for rule in rules))


def test_without_rules_everything_is_held_and_shown():
    assert (Policies().holds("IQ", ARREST), Policies().shows("IQ", ARREST)) == (True, True)


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ([("show", "IQ", "", False)], False),
        ([("show", "EG", "", False)], True),
        ([("show", "", "arrest", False)], False),
        ([("show", "", "threat", False)], True),
        ([("show", "", "", False)], False),
        ([("show", "", "", False), ("show", "IQ", "", True)], True),
        ([("show", "IQ", "", False), ("show", "IQ", "arrest", True)], True),
        ([("show", "", "arrest", True), ("show", "IQ", "", False)], False),
        ([("show", "IQ", "arrest", False), ("show", "IQ", "urgent-appeal", True)], False),
        ([("hold", "IQ", "", False), ("show", "IQ", "arrest", True)], False),
        ([("boost", "IQ", "", False)], True),
    ],
)
def test_the_narrowest_rule_decides_and_of_equals_the_denial(rules, shown):
    assert policies(*rules).shows("IQ", ARREST) is shown
    assert policies(*reversed(rules)).shows("IQ", ARREST) is shown


def test_what_is_not_shown_is_not_boosted():
    assert Policies().boosts("IQ", ARREST)
    assert not policies(("show", "IQ", "", False)).boosts("IQ", ARREST)
    assert not policies(("boost", "", "arrest", False)).boosts("IQ", ARREST)


def test_a_flag_is_read():
    assert read_flag("show:iq:*=deny") == Rule("show", "IQ", "", False)
    assert read_flag("hold:*:Arrest=allow") == Rule("hold", "", "arrest", True)


@pytest.mark.parametrize("text", ["", "show", "show:IQ=deny", "tell:IQ:*=deny", "show:QQ:*=deny", "show:IQ:*=no"])
def test_a_flag_that_is_none_is_refused(text):
    with pytest.raises(RefusedError):
        read_flag(text)

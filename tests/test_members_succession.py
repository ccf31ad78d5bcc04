"""A member whose key was succeeded by its recovery key: its place goes on, the old key's word does not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import governance as acts
from node import members
from node.federation.protocol.digests import multibase
from node.members import Ledger
from tests.support.slow_ledger import state_of
from tests.test_ledger import _story
from tests.test_members import Play, closed, inside, voters


def bound(did):
    """What commits to the recovery key of this name."""
    return multibase(did.encode())


class Heirs(Play):
    """As `Play`; the recovery key of "a" is "A", and so on."""

    def _put(self, who, kind, says, **more):
        if kind == acts.FOUND:
            says = says | {"recovery": {each: bound(each.upper()) for each in says["founders"]}}
        if kind == acts.ACCEPT and says["about"] != self.network:
            says = says | {"recovery": bound(who.upper())}
        return super()._put(who, kind, says, **more)

    def acceptance(self, who):
        return next(act.digest for act in self.all if act.kind == acts.ACCEPT and act.author == who)

    def succeed(self, old, new="", about="", **more):
        return self.say(new or old.upper(), acts.SUCCEED, about or self.acceptance(old), **more)


def test_a_founder_goes_on_under_its_recovery_key_with_its_vote():
    play = Heirs()
    play.succeed("c")
    assert inside(play) == {"a", "b", "C"} == voters(play) and play.state().heirs == {"c": "C"}
    proposal = play.propose("a", acts.ADOPT)
    play.vote("c", proposal)
    assert play.state().decisions[proposal].votes == {}, "the old key's vote is nobody's"
    play.decide(proposal, ["a", "C"])
    tally = play.state().decisions[proposal]
    assert (tally.state, tally.votes, tally.voters) == (members.PASSED, {"a": "yes", "C": "yes"}, 3)


def test_whoever_was_vouched_for_goes_on_as_what_it_was():
    play = Heirs(("a", "b", "c", "e"))
    play.admit("d")
    play.succeed("d")
    assert "D" in inside(play) and "D" not in voters(play)
    play.decide(play.propose("a", acts.ROLL, ["D"]), ["a", "b", "c"])
    assert "D" in voters(play)
    was = play.state().members["D"]
    assert (was.name, was.kind, was.country, was.accepted) == ("d", "organisation", "IQ", play.acceptance("d"))
    play.decide(play.propose("a", acts.SUSPEND, ["c"]), ["a", "b", "e"])
    play.succeed("c")
    assert play.state().members["C"].state == members.SUSPENDED
    play.decide(play.propose("a", acts.LIFT, ["C"]), ["a", "b", "e"])
    assert "C" in voters(play)


@pytest.mark.parametrize(
    ("who", "about", "prepare"),
    [
        ("X", "c", None),
        ("c", "c", None),
        ("A", "c", None),
        ("C", "net", None),
        ("C", "nothing", None),
        ("E", "e", lambda play: play.accept("e", play.invite("a"))),
        ("C", "c", lambda play: play._put("c", acts.LEAVE, {})),
        ("C", "c", lambda play: play.decide(play.propose("a", acts.REMOVE, ["c"]), ["a", "b", "d"])),
        ("C", "c", lambda play: play.invite("C")),
    ],
)
def test_nobody_else_takes_the_place_of_a_member_and_no_place_that_is_none(who, about, prepare):
    """Another key, the member itself, another member's recovery key, no acceptance, a candidate, one who is out, a key
    that was here before.
    """
    play = Heirs(("a", "b", "c", "d"))
    if prepare:
        prepare(play)
    before = inside(play)
    named = {act.author: act.digest for act in play.all if act.kind == acts.ACCEPT}
    play.succeed("", who, about=named.get(about, about))
    assert inside(play) == before and play.state().heirs == {}


def test_a_thief_with_the_old_key_takes_no_place_by_accepting_again():
    play = Heirs(("a", "b", "c", "d"))
    old = play.acceptance("c")
    says = next(act.says for act in play.all if act.digest == old)
    forged = Play._put(play, "c", acts.ACCEPT, {**says, "recovery": bound("EVIL")}, view={"net"})
    play.succeed("c", "EVIL", forged)
    play.succeed("c", "EVIL", old)
    assert inside(play) == {"a", "b", "c", "d"}
    play.succeed("c", view=closed(play, {old}))
    assert inside(play) == {"a", "b", "C", "d"}, "and it is not in the way of the recovery key"
    invited = play.invite("a", whom="c")
    again = Play._put(play, "c", acts.ACCEPT, {**says, "about": invited, "recovery": bound("EVIL")})
    play.succeed("c", "EVIL", again)
    assert inside(play) == {"a", "b", "C", "d"} and "EVIL" not in play.state().candidates


def test_who_gave_no_commitment_has_no_heir():
    play = Play()
    play.say("C", acts.SUCCEED, next(act.digest for act in play.all if act.author == "c"))
    assert inside(play) == {"a", "b", "c"}


def test_one_organisation_is_one_voice_for_a_candidate():
    play = Heirs()
    accepted = play.accept("d", play.invite("a"))
    play.say("c", acts.SPONSOR, accepted)
    play.succeed("c")
    play.say("C", acts.SPONSOR, accepted)
    assert "d" not in inside(play) and play.state().candidates["d"] == (accepted, 1)
    play.say("b", acts.SPONSOR, accepted)
    assert "d" in inside(play)


def test_a_removal_that_names_the_old_did_is_about_the_new_one_which_has_no_vote_on_it():
    play = Heirs(("a", "b", "c", "d"))
    proposal = play.propose("a", acts.REMOVE, ["c"])
    play.succeed("c")
    play.vote("C", proposal, "no")
    play.decide(proposal, ["a", "b"])
    assert inside(play) == {"a", "b", "d"} and play.state().decisions[proposal].voters == 3
    crossed = Heirs(("a", "b", "c", "d"))
    crossed.succeed("c", view=crossed.view())
    crossed.decide(crossed.propose("a", acts.REMOVE, ["c"]), ["a", "b"], closer="C")
    assert inside(crossed) == {"a", "b", "d"}, "whoever closes it"
    play.succeed("c", view=closed(play, {play.acceptance("c"), play.acceptance("a")}))
    assert inside(play) == {"a", "b", "d"}, "nor comes it back by a past that is made up"


# --- what crosses, each not knowing of the other (the table of the module)


def test_what_the_old_key_says_meanwhile_counts_for_nothing():
    play = Heirs(("a", "b", "c", "d"))
    proposal = play.propose("a", acts.ADOPT)
    accepted = play.accept("e", play.invite("a"))
    play.say("a", acts.SPONSOR, accepted)
    before = play.view()
    play.vote("c", proposal, view=before)
    play.say("c", acts.SPONSOR, accepted, view=before)
    play._put("c", acts.LEAVE, {}, view=before)
    assert inside(play) == {"a", "b", "d"}
    play.succeed("c", view=before)
    assert inside(play) == {"a", "b", "C", "d"}, "neither its leaving nor its word for somebody"
    play.vote("a", proposal)
    play.vote("b", proposal)
    play.say("a", acts.CLOSE, proposal)
    assert play.state().decisions[proposal].votes == {"a": "yes", "b": "yes"}


@pytest.mark.parametrize("subject", [acts.REMOVE, acts.SUSPEND])
@pytest.mark.parametrize("knows", [False, True])
def test_who_is_removed_or_suspended_meanwhile_is_so_under_the_new_did(subject, knows):
    play = Heirs(("a", "b", "c", "d"))
    before = play.view()
    if knows:
        play.succeed("c", view=before)
    proposal = play.propose("a", subject, ["c"], view=play.view())
    play.decide(proposal, ["a", "b", "d"], view=play.view())
    if not knows:
        play.succeed("c", view=before)
    found = play.state().members.get("C")
    assert inside(play) == {"a", "b", "d"} == voters(play)
    assert found is None if subject == acts.REMOVE else found.state == members.SUSPENDED


def test_whoever_was_out_before_it_went_on_and_is_admitted_anew_has_no_vote_from_before():
    play = Heirs(("a", "b", "c", "d"))
    before = play.view()
    play.decide(play.propose("a", acts.REMOVE, ["c"]), ["a", "b", "d"])
    play.succeed("c", view=before)
    play.admit("C")
    assert inside(play) == {"a", "b", "d", "C"} and voters(play) == {"a", "b", "d"}


def test_a_place_on_the_roll_that_crosses_is_to_be_given_anew():
    play = Heirs()
    play.admit("d")
    before = play.view()
    play.decide(play.propose("a", acts.ROLL, ["d"]), ["a", "b"])
    play.succeed("d", view=before)
    assert "D" in inside(play) and "D" not in voters(play)


def test_said_twice_it_is_so_once_and_by_two_keys_nobody_goes_on():
    play = Heirs(("a", "b", "c", "d"))
    before = play.view()
    for _ in range(2):
        play.succeed("c", view=before)
    play.succeed("c")
    assert inside(play) == {"a", "b", "C", "d"} == voters(play)
    play = Heirs(("a", "b", "c", "d"))
    invited = play.invite("a")
    says = {"about": invited, "name": "c", "kind": "organisation", "handle": "@c@x", "country": "", "listed": False}
    again = Play._put(play, "c", acts.ACCEPT, says | {"recovery": bound("K")})
    for each in ("a", "b"):
        play.say(each, acts.SPONSOR, again)
    before = play.view()
    play.succeed("c", view=before)
    play.succeed("c", "K", again, view=before)
    assert inside(play) == {"a", "b", "d"}


def test_a_decision_that_was_closed_without_knowing_of_it_stands_with_the_old_vote():
    play = Heirs()
    before = play.view()
    proposal = play.propose("a", acts.ADOPT, view=before)
    play.decide(proposal, ["b", "c"], closer="a", view=before | {proposal})
    play.succeed("c", view=before)
    assert play.state().decisions[proposal].state == members.PASSED


# --- any order, and against the slow form


def stirred(seed):
    """A network in which keys are lost, stolen and succeeded, and everything else goes on."""
    chance = random.Random(seed)
    play = Heirs(tuple("abcd"), sponsors=chance.choice([1, 2]))
    people = [*"abcdef", *"ABCDE"]
    heard = {each: play.view() for each in people}
    for _ in range(14):
        who = chance.choice(people[:4] if chance.random() < 0.6 else people)
        told = closed(play, heard[who])
        if chance.random() < 0.35:
            old = chance.choice("abcdeABC")
            given_ = [act for act in play.all if act.kind == acts.ACCEPT and act.author == old and act.digest in told]
            if given_:
                new = old.upper() if chance.random() < 0.8 else chance.choice(people)
                told.add(play.succeed(old, new, chance.choice(given_).digest, view=set(told)))
                heard[new] = heard[new] | told
        else:
            told |= _story(play, chance, who, people, set(told))
        heard[who] = told
        for other in chance.sample(people, chance.randint(1, 6)):
            heard[other] = heard[other] | told
    return play, chance


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_with_successions_too_any_order_gives_the_same_and_the_slow_form_agrees(seed):
    play, chance = stirred(seed)
    whole = Ledger("net", play.all).state()
    assert whole == state_of("net", play.all)
    part = chance.sample(play.all, chance.randint(1, len(play.all)))
    assert Ledger("net", part).state() == state_of("net", part)
    assert Ledger("net", part).take(reversed(play.all)).state() == whole
    for old, new in whole.heirs.items():
        assert old not in whole.members or whole.members[old].accepted != whole.members[new].accepted

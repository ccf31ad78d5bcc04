"""The quick form of a network's rules against the slow one, and acts that come one by one, in any order, twice."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from node import governance as acts
from node.members import PASSED, Ledger
from tests.support.slow_ledger import state_of
from tests.test_members import Play, closed, lively

SEEDS = st.integers(0, 2**32)
SUBJECTS = (acts.REMOVE, acts.REMOVE, acts.ROLL, acts.ROLL, acts.SUSPEND, acts.LIFT, acts.ADOPT)


def eventful(seed, steps=14):
    """A network in which much is decided: whole stories, each told in view of what its teller has heard."""
    chance = random.Random(seed)
    play = Play(tuple("abcd"), sponsors=chance.choice([1, 2, 3]), blocks=chance.random() < 0.3)
    people = [*"abcdefgh"]
    heard = {each: play.view() for each in people}
    for _ in range(steps):
        who = chance.choice(people[:4] if chance.random() < 0.7 else people)
        told = closed(play, heard[who])
        told |= _story(play, chance, who, people, set(told))
        heard[who] = told
        for other in chance.sample(people, chance.randint(1, 6)):
            heard[other] = heard[other] | told
    return play, chance


def _story(play, chance, who, people, view):
    """What several say one after the other, or one alone; the view that it ends with."""
    chosen = chance.choice(["decide", "decide", "admit", "admit", "leave", "cancel", "vote", "again"])

    def some(kind):
        return chance.choice([act.digest for act in play.all if act.digest in view and act.kind == kind] or ["nothing"])

    match chosen:
        case "decide":
            names = chance.sample(people, 1 if chance.random() < 0.8 else 2)
            view.add(proposal := play.propose(who, chance.choice(SUBJECTS), names, view=view))
            for each in chance.sample(people[:5], chance.randint(2, 5)):
                before = view if chance.random() < 0.8 else view - {play.all[-1].digest} | {proposal}
                choice = chance.choice(["yes"] * 6 + ["no", "block"])
                view.add(play.vote(each, proposal, choice, view=closed(play, before)))
            view.add(play.say(who, acts.CLOSE, proposal, view=view))
        case "admit":
            view.add(invited := play.invite(who, view=view))
            view.add(accepted := play.accept(chance.choice(people), invited, view=view))
            for each in chance.sample(people[:5], chance.randint(1, 3)):
                view.add(play.say(each, acts.SPONSOR, accepted, view=view))
        case "leave":
            if chance.random() < 0.4:
                view.add(play._put(who, acts.LEAVE, {}, view=view))
        case "cancel":
            view.add(play.say(who, acts.CANCEL, some(chance.choice([acts.INVITE, acts.ACCEPT])), view=view))
        case "vote":
            view.add(play.vote(who, some(acts.PROPOSE), chance.choice(["yes", "no"]), view=view))
        case _:
            kind, of = chance.choice([(acts.CLOSE, acts.PROPOSE), (acts.SPONSOR, acts.ACCEPT)])
            view.add(play.say(who, kind, some(of), view=view))
    return view


STORIES = (lively, eventful)


@settings(max_examples=120, deadline=None)
@given(SEEDS, st.sampled_from(STORIES))
def test_the_quick_form_and_the_slow_one_have_the_same_state(seed, story):
    play, chance = story(seed)
    part = chance.sample(play.all, chance.randint(1, len(play.all)))
    for given_ in (play.all, part):
        quick, slow = Ledger("net", given_).state(), state_of("net", given_)
        assert quick == slow and quick.digest == slow.digest


@settings(max_examples=120, deadline=None)
@given(SEEDS, st.sampled_from(STORIES))
def test_taken_bit_by_bit_in_any_order_and_twice_it_is_as_if_taken_at_once(seed, story):
    play, chance = story(seed)
    given_ = [*play.all, *chance.sample(play.all, len(play.all) // 3)]
    chance.shuffle(given_)
    ledger, kept = Ledger("net"), []
    while given_:
        size = chance.randint(1, 12)
        some, given_ = given_[:size], given_[size:]
        before = ledger, ledger.state(), len(ledger)
        ledger = ledger.take(some)
        kept.append(before)
    ledger = ledger.take(play.all)
    whole = Ledger("net", play.all)
    assert ledger.state() == whole.state() and len(ledger) == len(whole) == len(play.all)
    assert ledger.take(play.all) is ledger
    for each in "abcd":
        (seen, number), (others, same) = ledger.view(each), whole.view(each)
        assert closed(play, seen) == closed(play, others) and number == same
    assert {act.digest for act in ledger.beyond([play.all[5].digest])} == {
        act.digest for act in whole.beyond([play.all[5].digest])
    }
    for older, state, count in kept:
        assert len(older) == count and older.state() is state, "what was made before stays as it was"


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(STORIES))
def test_two_that_go_on_from_one_know_nothing_of_each_other(seed, story):
    """As a transaction that is undone and one that comes after it."""
    play, chance = story(seed)
    half = len(play.all) // 2
    base = Ledger("net", play.all[:half])
    base.state()
    for _ in range(3):
        part = chance.sample(play.all[half:], chance.randint(1, len(play.all) - half))
        assert base.take(part).state() == state_of("net", [*play.all[:half], *part])
    assert base.state() == state_of("net", play.all[:half])


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_what_was_decided_stays_decided_also_where_much_is(seed):
    play, chance = eventful(seed)
    for part in (play.all[: chance.randint(1, len(play.all))], chance.sample(play.all, len(play.all) // 2)):
        before, after = (Ledger("net", acts_).state().decisions for acts_ in (part, play.all))
        passed = {digest for digest, each in before.items() if each.state == PASSED}
        assert passed <= {digest for digest, each in after.items() if each.state == PASSED}


def test_the_stories_decide_enough_to_mean_something():
    states = [Ledger("net", eventful(seed)[0].all).state() for seed in range(40)]
    decided = [each.subject for state in states for each in state.decisions.values() if each.state == PASSED]
    assert {acts.REMOVE, acts.ROLL, acts.SUSPEND, acts.LIFT, acts.ADOPT} == set(decided)
    assert any(state.candidates for state in states) and any(state.missing == () for state in states)

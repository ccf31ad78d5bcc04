"""Who is a member: the rules one by one, what crosses, what is made up later; and any order gives the same."""

import random
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import governance as acts
from node import members
from node.governance import Act
from node.members import Ledger

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NUMBERS = count(1)
RULES = {"sponsors": 2, "quorum": [1, 2], "kinds": ["organisation", "coalition"], "voters": ["organisation"]}


class Play:
    """Members who write acts in view of what they were told. Digests are names here; proofs are `governance`'s."""

    def __init__(self, founders=("a", "b", "c"), **rules):
        self.all: list[Act] = []
        self.views: dict[str, set[str]] = {}
        self.network = "net"
        self._put("a", acts.FOUND, {"name": {"en": "EXERCISE"}, "charter": "", "founders": list(founders),
                                    "rules": RULES | rules}, digest="net")
        for each in founders:
            self.accept(each, "net")

    def _put(self, who, kind, says, view=None, digest="", when=NOW):
        view = {act.digest for act in self.all} if view is None else set(view)
        by = {act.digest: act for act in self.all}
        covered = {named for each in view for named in by[each].seen}
        number = 1 + max((by[each].number for each in view if by[each].author == who), default=0)
        digest = digest or f"{who}-{kind}-{next(NUMBERS)}"
        act = Act(digest, self.network, who, kind, number, tuple(sorted(view - covered)), when, says, {})
        self.all.append(act)
        return digest

    def accept(self, who, about, kind="organisation", affirms=None, **more):
        says = {"about": about, "name": who, "kind": kind, "handle": f"@{who}@x", "country": "IQ", "listed": False}
        says |= {} if affirms is None else {"affirms": affirms}
        return self._put(who, acts.ACCEPT, says, **more)

    def invite(self, who, whom="", expires="2026-12-20T12:00:00Z", **more):
        return self._put(who, acts.INVITE, {"who": whom, "expires": expires}, **more)

    def say(self, who, kind, about, **more):
        return self._put(who, kind, {"about": about}, **more)

    def propose(self, who, subject, names=(), **more):
        says = {"subject": subject, "names": list(names), "text": "", "grounds": ""}
        return self._put(who, acts.PROPOSE, says, **more)

    def profile(self, who, *, listed, name="", languages=("ar",), groups=(), **more):
        says = {"name": name or who, "country": "EG", "languages": list(languages), "listed": listed}
        says |= {"groups": list(groups)} if groups else {}
        return self._put(who, acts.PROFILE, says, **more)

    def vote(self, who, about, choice="yes", **more):
        return self._put(who, acts.VOTE, {"about": about, "choice": choice, "reason": ""}, **more)

    def decide(self, proposal, voters, closer="", view=None):
        """All vote yes in view of what they had seen, and one closes it; returns the closing act."""
        seen = set(view) if view is not None else None
        for each in voters:
            made = self.vote(each, proposal, view=seen)
            if seen is not None:
                seen.add(made)
        return self.say(closer or voters[0], acts.CLOSE, proposal, view=seen)

    def admit(self, whom, sponsors=("a", "b"), **more):
        invited = self.invite(sponsors[0], **more)
        accepted = self.accept(whom, invited)
        for each in sponsors:
            self.say(each, acts.SPONSOR, accepted)
        return accepted

    def view(self):
        return {act.digest for act in self.all}

    def state(self):
        return Ledger(self.network, self.all).state()


def inside(play):
    return {did for did, each in play.state().members.items() if each.state == members.MEMBER}


def voters(play):
    return {did for did, each in play.state().members.items() if each.voter}


def test_of_two_profiles_at_once_the_one_that_shows_fewer_groups_counts():
    for order in ((("x", "y"), ("x",), ()), ((), ("x", "y"), ("x",))):
        play = Play()
        seen = play.view()
        for groups in order:
            play.profile("a", listed=True, groups=groups, view=seen)
        assert play.state().members["a"].groups == ()
        play.profile("a", listed=True, groups=("y",))
        assert play.state().members["a"].groups == ("y",), "the next one knows them all"


def shown(play, who="a"):
    found = play.state().members[who]
    return found.name, found.country, found.languages, found.listed


def test_the_newest_profile_counts_and_takes_the_name_off_again():
    play = Play()
    assert shown(play) == ("a", "IQ", (), False)
    bare = play.state().digest
    play.profile("a", listed=True, name="EXERCISE a", languages=("ar", "ckb"))
    assert shown(play) == ("EXERCISE a", "EG", ("ar", "ckb"), True)
    listed = play.state().digest
    play.profile("a", listed=False)
    assert shown(play) == ("a", "EG", ("ar",), False)
    assert len({bare, listed, play.state().digest}) == 3, "the state's digest covers it"
    play.profile("stranger", listed=True)
    assert inside(play) == {"a", "b", "c"}


def test_of_two_profiles_that_do_not_know_each_other_the_one_that_lists_less_counts():
    for first in (True, False):
        play = Play()
        seen = play.view()
        play.profile("a", listed=first, view=seen)
        play.profile("a", listed=not first, view=seen)
        assert not shown(play)[3]
        play.profile("a", listed=True)
        assert shown(play)[3], "what knows both counts"


def test_who_is_suspended_may_still_take_its_name_off():
    play = Play()
    play.profile("c", listed=True)
    play.decide(play.propose("a", acts.SUSPEND, ["c"]), ["a", "b"])
    assert play.state().members["c"].state == members.SUSPENDED and shown(play, "c")[3]
    play.profile("c", listed=False)
    assert not shown(play, "c")[3]


def test_who_comes_back_is_named_by_a_new_word_only():
    play = Play()
    play.profile("c", listed=True)
    away = play.view()
    play.say("c", acts.LEAVE, "")
    play.profile("c", listed=True, view=away)
    play.admit("c")
    assert shown(play, "c") == ("c", "IQ", (), False)


def test_founders_are_members_once_they_accepted_and_nobody_else_is():
    play = Play(("a", "b"))
    assert inside(play) == {"a", "b"} == voters(play)
    play.accept("stranger", "net")
    assert inside(play) == {"a", "b"}


def test_two_members_vouch_and_the_candidate_is_a_member_without_a_vote():
    play = Play()
    invited = play.invite("a")
    accepted = play.accept("d", invited)
    play.say("a", acts.SPONSOR, accepted)
    assert inside(play) == {"a", "b", "c"} and play.state().candidates == {"d": (accepted, 1)}
    play.say("b", acts.SPONSOR, accepted)
    assert inside(play) == {"a", "b", "c", "d"} and voters(play) == {"a", "b", "c"}
    play.decide(play.propose("d", acts.ROLL, ["d"]), ["a", "b"])
    assert voters(play) == {"a", "b", "c", "d"}


def test_who_joins_affirms_each_article_that_the_founding_act_asks_for():
    play = Play(("a",), articles=["1", "2"])
    invited = play.invite("a")
    for who, affirms in (("b", ["1"]), ("c", ["1", "2", "3"]), ("d", None)):
        accepted = play.accept(who, invited, **({} if affirms is None else {"affirms": affirms}))
        play.say("a", acts.SPONSOR, accepted)
    assert inside(play) == {"a", "c"}


def test_a_founder_alone_needs_no_second_voice():
    play = Play(("a",))
    accepted = play.accept("b", play.invite("a"))
    play.say("a", acts.SPONSOR, accepted)
    assert inside(play) == {"a", "b"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda play, accepted: play.say("a", acts.SPONSOR, accepted),
        lambda play, accepted: play.say("stranger", acts.SPONSOR, accepted),
        lambda play, accepted: play.say("d", acts.SPONSOR, accepted),
        lambda play, accepted: play.say("b", acts.SPONSOR, "nothing"),
    ],
)
def test_nobody_counts_twice_and_no_stranger_at_all(spoil):
    play = Play()
    accepted = play.accept("d", play.invite("a"))
    play.say("a", acts.SPONSOR, accepted)
    spoil(play, accepted)
    assert "d" not in inside(play)


@pytest.mark.parametrize(
    ("invitation", "kind", "when"),
    [
        ({"whom": "e"}, "organisation", NOW),
        ({"expires": "2026-11-20T11:59:59Z"}, "organisation", NOW),
        ({}, "individual", NOW),
        ({}, "organisation", NOW + timedelta(days=60)),
    ],
)
def test_an_invitation_is_for_whom_it_names_for_its_time_and_for_eligible_kinds(invitation, kind, when):
    play = Play()
    accepted = play.accept("d", play.invite("a", **invitation), kind=kind, when=when)
    for each in ("a", "b"):
        play.say(each, acts.SPONSOR, accepted)
    assert "d" not in inside(play) and "d" not in play.state().candidates


@pytest.mark.parametrize("who", ["a", "d"])
def test_either_side_takes_it_back(who):
    play = Play()
    invited = play.invite("a")
    accepted = play.accept("d", invited)
    play.say(who, acts.CANCEL, invited if who == "a" else accepted)
    for each in ("a", "b"):
        play.say(each, acts.SPONSOR, accepted)
    assert "d" not in inside(play) and not play.state().candidates


def test_nobody_else_takes_it_back():
    play = Play()
    invited = play.invite("a")
    accepted = play.accept("d", invited)
    play.say("c", acts.CANCEL, invited)
    for each in ("a", "b"):
        play.say(each, acts.SPONSOR, accepted)
    assert "d" in inside(play)


def test_more_than_the_quorum_removes_and_the_removed_does_not_vote_on_it():
    play = Play(("a", "b", "c", "d"))
    proposal = play.propose("a", acts.REMOVE, ["d"])
    play.vote("d", proposal, "no")
    early = play.decide(proposal, ["a"])
    assert "d" in inside(play) and play.state().decisions[proposal].state == members.FAILED
    play.vote("b", proposal)
    play.say("c", acts.CLOSE, proposal)
    tally = play.state().decisions[proposal]
    assert "d" not in inside(play) and tally.state == members.PASSED
    assert tally.votes == {"a": "yes", "b": "yes"} and tally.voters == 3 and early


def test_who_left_or_was_removed_says_nothing_more_and_comes_back_by_a_new_acceptance_only():
    play = Play(("a", "b", "c", "d"))
    old = play.admit("e")
    play.decide(play.propose("a", acts.REMOVE, ["e"]), ["a", "b", "c"])
    assert "e" not in inside(play)
    for each in ("a", "b"):
        play.say(each, acts.SPONSOR, old)
    assert "e" not in inside(play), "they cannot be vouched for by the acceptance from before"
    play.admit("e")
    assert "e" in inside(play)
    play._put("c", acts.LEAVE, {})
    assert "c" not in inside(play)
    play.say("c", acts.SPONSOR, play.accept("f", play.invite("a")))
    assert "f" not in inside(play)


def test_a_removal_names_one_alone():
    play = Play(("a", "b", "c", "x", "z"))
    play.decide(play.propose("x", acts.REMOVE, ["a", "b", "c"]), ["x", "z"])
    assert inside(play) == {"a", "b", "c", "x", "z"}


def test_suspension_silences_until_it_is_lifted():
    play = Play(("a", "b", "c", "d"))
    play.decide(play.propose("a", acts.SUSPEND, ["d"]), ["a", "b"])
    assert play.state().members["d"].state == members.SUSPENDED and "d" not in voters(play)
    play.admit("e", ("c", "d"))
    assert "e" not in inside(play)
    play.decide(play.propose("a", acts.LIFT, ["d"]), ["a", "b", "c"])
    assert "d" in inside(play) and "d" in voters(play)


def test_a_block_stops_where_the_founding_act_says_so():
    for blocks, state in ((True, members.FAILED), (False, members.PASSED)):
        play = Play(blocks=blocks)
        proposal = play.propose("a", acts.ADOPT)
        play.vote("c", proposal, "block")
        play.decide(proposal, ["a", "b"])
        assert play.state().decisions[proposal].state == state


def test_the_last_vote_counts_and_of_two_that_do_not_know_each_other_none():
    play = Play()
    proposal = play.propose("a", acts.ADOPT)
    play.vote("b", proposal, "no")
    play.vote("b", proposal, "yes")
    before = play.view()
    play.vote("c", proposal, "yes", view=before)
    play.vote("c", proposal, "no", view=before)
    assert play.state().decisions[proposal].votes == {"b": "yes"}


# --- what crosses, each not knowing of the other (the table of the module)


def test_the_word_of_one_who_is_removed_meanwhile_does_not_count():
    play = Play(("a", "b", "c", "x"))
    accepted = play.accept("y", play.invite("a"))
    play.say("a", acts.SPONSOR, accepted)
    before = play.view()
    play.say("x", acts.SPONSOR, accepted, view=before)
    assert "y" in inside(play)
    proposal = play.propose("b", acts.REMOVE, ["x"], view=before)
    play.decide(proposal, ["a", "b", "c"], view=before | {proposal})
    assert "x" not in inside(play) and "y" not in inside(play)
    play.say("c", acts.SPONSOR, accepted)
    assert "y" in inside(play), "another vouches, and it is well"


def test_two_removals_that_cross_both_hold():
    play = Play(("a", "b", "c", "d", "e"))
    before = play.view()
    for victim, voices in (("a", ("b", "c", "d")), ("b", ("a", "d", "e"))):
        proposal = play.propose(voices[0], acts.REMOVE, [victim], view=before)
        play.decide(proposal, voices, view=before | {proposal})
    assert inside(play) == {"c", "d", "e"}


def test_votes_that_a_closing_act_had_not_seen_do_not_count_for_it():
    play = Play(("a", "b", "c", "d"))
    proposal = play.propose("a", acts.REMOVE, ["d"])
    before = play.view()
    play.vote("b", proposal, view=before)
    play.vote("a", proposal, view=before)
    play.say("c", acts.CLOSE, proposal, view=before)
    assert "d" in inside(play)


def test_a_removal_and_a_leaving_put_out_once():
    play = Play(("a", "b", "c", "d"))
    proposal = play.propose("a", acts.REMOVE, ["d"])
    before = play.view()
    play._put("d", acts.LEAVE, {}, view=before)
    play.decide(proposal, ["a", "b"], view=before)
    assert inside(play) == {"a", "b", "c"}


# --- what is made up later


def test_who_was_removed_brings_nobody_in_by_acts_from_before():
    play = Play(("a", "b", "c", "x", "z"))
    before = play.view()
    play.decide(play.propose("a", acts.REMOVE, ["x"]), ["a", "b", "c"])
    play.decide(play.propose("a", acts.REMOVE, ["z"]), ["a", "b", "c"])
    view = set(before)
    view.add(play.invite("x", view=view))
    view.add(accepted := play.accept("evil", play.all[-1].digest, view=view))
    for each in ("x", "z"):
        view.add(play.say(each, acts.SPONSOR, accepted, view=view))
    assert inside(play) == {"a", "b", "c"}


def test_no_made_up_past_gives_friends_of_the_dishonest_a_vote_on_the_honest():
    play = Play(("a", "b", "c", "x", "z"))
    before = play.view()
    for each in ("x", "z"):
        play.decide(play.propose("a", acts.REMOVE, [each]), ["a", "b", "c"])
    view, friends = set(before), [f"evil{number}" for number in range(8)]
    for friend in friends:
        view.add(invited := play.invite("x", view=view))
        view.add(accepted := play.accept(friend, invited, view=view))
        for each in ("x", "z"):
            view.add(play.say(each, acts.SPONSOR, accepted, view=view))
    aims = ((acts.ROLL, friends), (acts.REMOVE, ["a", "b", "c"]), (acts.REMOVE, ["a"]), (acts.SUSPEND, ["b", "c"]))
    for subject, names in aims:
        view.add(proposal := play.propose("x", subject, names, view=view))
        voices = ["x", "z", *friends]
        for each in voices:
            view.add(play.vote(each, proposal, view=view))
        view.add(play.say("x", acts.CLOSE, proposal, view=view))
    assert inside(play) == {"a", "b", "c"} == voters(play)


def test_what_waits_for_acts_that_are_not_here_changes_nothing_and_is_asked_for():
    play = Play()
    play.admit("d")
    lost = play.all[4]
    partial = Ledger("net", [act for act in play.all if act is not lost]).state()
    assert "d" not in partial.members and partial.missing == (lost.digest,)
    assert Ledger("net", play.all[1:]).state().missing == ("net",)


def test_who_counts_wrong_says_nothing():
    play = Play()
    invited = play.invite("a")
    accepted = play.accept("d", invited)
    for each, number in (("a", 1), ("b", 7)):
        says = {"about": accepted}
        play.all.append(Act(f"bad-{each}", "net", each, acts.SPONSOR, number, (accepted,), NOW, says, {}))
    assert "d" not in inside(play)


# --- any order


WHAT = ["invite", "accept", "sponsor", "sponsor", "propose", "vote", "vote", "vote", "close", "leave", "cancel",
        "profile"]


def lively(seed, steps=40):
    """A network in which nine organisations act in view of what each has heard, honest or not."""
    chance = random.Random(seed)
    play = Play(tuple("abcde"))
    people = [*"abcdefghi"]
    heard = {each: play.view() for each in people}
    for _ in range(steps):
        who = chance.choice(people)
        view = closed(play, heard[who])
        if chance.random() < 0.1:
            view = closed(play, chance.sample(sorted(view), max(1, len(view) // 2)))
        heard[who] = view | {_one(play, chance, who, people, view)}
        for other in chance.sample(people, chance.randint(0, 5)):
            heard[other] |= heard[who]
    return play, chance


def _one(play, chance, who, people, view):
    """One act of somebody, in view of these; its digest."""

    def some(kind):
        return chance.choice([act.digest for act in play.all if act.digest in view and act.kind == kind] or ["nothing"])

    what = chance.choice(WHAT)
    match what:
        case acts.INVITE:
            return play.invite(who, view=view)
        case acts.ACCEPT:
            return play.accept(who, some(acts.INVITE), view=view)
        case acts.PROPOSE:
            subject = chance.choice([acts.ROLL, acts.REMOVE, acts.SUSPEND, acts.LIFT])
            return play.propose(who, subject, [chance.choice(people)], view=view)
        case acts.VOTE:
            return play.vote(who, some(acts.PROPOSE), chance.choice(["yes", "yes", "yes", "no"]), view=view)
        case acts.PROFILE:
            groups = chance.choice([(), ("x",), ("x", "y")])
            return play.profile(who, listed=chance.random() < 0.5, groups=groups, view=view)
        case acts.LEAVE if chance.random() < 0.3:
            return play._put(who, acts.LEAVE, {}, view=view)
        case _:
            of = {acts.SPONSOR: acts.ACCEPT, acts.CLOSE: acts.PROPOSE}.get(what, acts.INVITE)
            return play.say(who, what if what != acts.LEAVE else acts.CANCEL, some(of), view=view)


def closed(play, view):
    """With everything that is named by what is in it."""
    by = {act.digest: act for act in play.all}
    found, todo = set(), list(view)
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += by[each].seen
    return found


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_duplicated_shuffled_and_in_parts_gives_the_same(seed):
    play, chance = lively(seed)
    whole = play.state()
    again = [*play.all, *chance.sample(play.all, len(play.all) // 2)]
    chance.shuffle(again)
    assert Ledger("net", again).state() == whole
    part = [act for act in again if act.digest in closed(play, [chance.choice(play.all).digest])]
    first = Ledger("net", part).state()
    chance.shuffle(part)
    assert Ledger("net", part).state() == first
    assert Ledger("net", [*part, *again]).state().digest == whole.digest


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_what_was_decided_stays_decided_whatever_comes_later(seed):
    """A closing act is judged by its past alone: more acts never undo it."""
    play, chance = lively(seed)
    part = [act for act in play.all if act.digest in closed(play, [chance.choice(play.all).digest])]
    passed = {each.proposal for each in Ledger("net", part).state().decisions.values() if each.state == members.PASSED}
    now = {each.proposal for each in play.state().decisions.values() if each.state == members.PASSED}
    assert passed <= now


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_what_an_act_stands_on_covers_its_author_and_what_it_answers(seed):
    play, chance = lively(seed)
    ledger, author, about = Ledger("net", play.all), chance.choice("abcde"), chance.choice(play.all).digest
    seen, number = ledger.view(author, about)
    covered = closed(play, seen)
    assert about in covered
    assert number == 1 + max(act.number for act in play.all if act.author == author and act.digest in covered)
    assert all(each not in closed(play, [other]) for each in seen for other in seen if other != each)
    own = [act for act in play.all if act.author == author]
    assert max(own, key=lambda act: act.number).number < number

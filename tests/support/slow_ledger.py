"""What a network's acts come to, worked out slowly and plainly: sets of digests, and everything from the whole history.

The rules of `node.members` a second time, one by one as its docstring has them, to hold the quick form against.
"""

from functools import wraps

from node import governance as acts
from node.federation.protocol.digests import multibase
from node.governance import Rules, commitment_in, moment_of, rules_of
from node.members import FAILED, MEMBER, OPEN, PASSED, SUSPENDED, Standing, State, Tally

OPENS = {acts.ROLL: "enrols", acts.REMOVE: "exits", acts.SUSPEND: "suspends", acts.LIFT: "lifts"}


def state_of(network, given):
    """The state of these acts."""
    return Slow(network, given).state()


def once(question):
    """Answered once for the same act, did and view; or the questions would ask each other for hours."""

    @wraps(question)
    def asked(self, *about):
        key = (question.__name__, *(getattr(each, "digest", each) for each in about))
        if key not in self.answers:
            self.answers[key] = question(self, *about)
        return self.answers[key]

    return asked


class Slow:
    def __init__(self, network, given):
        self.network = network
        self.given = {act.digest: act for act in given if act.network == network}
        self.rules = rules_of(self.given[network]) if network in self.given else None
        self.past = {}
        self.said = {}
        """Acts of members who were not suspended, of those that follow their author's act before."""
        self.counted = []
        self.answers = {}
        while ready := sorted(each for each in self.given.keys() - self.past.keys() if self._is_ready(each)):
            for digest in ready:
                self._place(self.given[digest])

    def _is_ready(self, digest):
        return all(each in self.past for each in self.given[digest].seen)

    def _place(self, act):
        seen = act.seen if self.rules else ()
        self.past[act.digest] = frozenset(seen).union(*(self.past[each] for each in seen))
        past = self.past[act.digest]
        before = [each for each in self.counted if each.author == act.author and each.digest in past]
        if act.kind != acts.FOUND and act.number != 1 + max((each.number for each in before), default=0):
            return
        self.counted.append(act)
        self.said[act.digest] = self.is_member(act.author, past) and not self.is_suspended(act.author, past)

    # --- what is in a view

    def of(self, kind, past, about=None):
        return [
            each for each in self.counted
            if each.kind == kind and each.digest in past and about in (None, each.about)
        ]  # fmt: skip

    def seen(self, digest, past, kind):
        act = self.given.get(digest)
        return act if act and digest in past and act.kind == kind else None

    def saw(self, one, other):
        return other.digest in self.past[one.digest]

    def carried(self, what, did, past):
        """Closing acts that carry out a decision of this sort about somebody."""
        return [
            each for each in self.of(acts.CLOSE, past)
            if self.holds(each) and OPENS.get(self.given[each.about].says["subject"]) == what
            and did in self.given[each.about].says["names"]
        ]  # fmt: skip

    @once
    def exits(self, did, past):
        left = [each for each in self.of(acts.LEAVE, past) if each.author == did]
        return left + self.carried("exits", did, past) + self.successions(past, of=did)

    # --- who goes on in whose place

    def successions(self, past, of=None, by=None):
        return [
            each for each in self.of(acts.SUCCEED, past)
            if by in (None, each.author) and self.succeeds(each) and of in (None, self.given[each.about].author)
        ]  # fmt: skip

    @once
    def succeeds(self, act):
        """By its own past: its author's first act, of the key that the acceptance is bound to, for one who was in."""
        then = self.past[act.digest]
        accepted = self.seen(act.about, then, acts.ACCEPT)
        if accepted is None or act.number != 1:
            return False
        bound = commitment_in(accepted, self.given[self.network])
        return bound == multibase(act.author.encode()) and self.stands(act, then)

    @once
    def stands(self, act, past):
        accepted, then = self.given[act.about], self.past[act.digest]
        others = [each for each in self.successions(past, of=accepted.author) if each.author != act.author]
        if any(each.digest not in then for each in self.carried("exits", accepted.author, past) + others):
            return False
        ways = self.ways(accepted.author, then)
        return any(how is accepted and self.completes(by, how, past) for by, how in ways)

    def names(self, did, past):
        found, more = set(), {did}
        while found != more:
            found = more
            more = found | {self.given[each.about].author for name in found for each in self.successions(past, by=name)}
        return found

    def voice(self, act, past):
        names = self.names(act.author, past)
        return min((name for name in names if not self.successions(past, by=name)), default=act.author)

    # --- members

    def admissions(self, did, past):
        """(act, acceptance) by which somebody is in, in this view."""
        return [(act, accepted) for act, accepted in self.ways(did, past) if self.completes(act, accepted, past)]

    def completes(self, act, accepted, past):
        match act.kind:
            case acts.SPONSOR:
                return self.is_enough(act, accepted, past)
            case acts.SUCCEED:
                return self.stands(act, past)
        return True

    def ways(self, did, past):
        found = []
        founders = self.given[self.network].founders
        for act in self.of(acts.ACCEPT, past):
            if act.author == did and act.about == self.network and did in founders:
                found.append((act, act))
        for act in self.of(acts.SPONSOR, past):
            accepted = self.vouches(act)
            if accepted is not None and accepted.author == did:
                found.append((act, accepted))
        found += [(act, self.given[act.about]) for act in self.successions(past, by=did)]
        return [(act, accepted) for act, accepted in found if not self.is_out(did, act, past)]

    def is_out(self, did, since, past):
        return any(not self.saw(since, gone) for gone in self.exits(did, past))

    @once
    def vouches(self, act):
        """The acceptance that an act vouches for, where it does."""
        past = self.past[act.digest]
        accepted = self.seen(act.about, past, acts.ACCEPT)
        if accepted is None or not self.said[act.digest] or accepted.author == act.author:
            return None
        if not self.is_invited(accepted) or self.is_cancelled(accepted, past):
            return None
        return None if self.is_out(accepted.author, accepted, past) else accepted

    def is_invited(self, accepted):
        invitation = self.seen(accepted.about, self.past[accepted.digest], acts.INVITE)
        return (
            invitation is not None and self.said.get(invitation.digest, False)
            and invitation.says["who"] in ("", accepted.author)
            and accepted.published <= moment_of(invitation.says["expires"])
            and accepted.says["kind"] in self.rules.kinds
        )  # fmt: skip

    def is_cancelled(self, accepted, past):
        invitation = self.seen(accepted.about, past, acts.INVITE)
        return any(
            each.author == what.author
            for what in (accepted, invitation) if what is not None
            for each in self.of(acts.CANCEL, past, what.digest)
        )  # fmt: skip

    def is_cut(self, act, past):
        return any(
            gone is not act and not self.saw(gone, act) and not self.saw(act, gone)
            for gone in self.exits(act.author, past)
        )  # fmt: skip

    def is_enough(self, act, accepted, past):
        """Whether an act that vouches completes an admission."""
        then = self.past[act.digest]
        vouched = [
            each for each in self.of(acts.SPONSOR, then | {act.digest}, accepted.digest)
            if self.vouches(each) and not self.is_cut(each, past)
        ]  # fmt: skip
        came = self.of(acts.ACCEPT, then) + self.of(acts.SUCCEED, then)
        everybody = {each.author for each in came} - {accepted.author}
        others = sum(self.is_member(did, then) and not self.is_suspended(did, then) for did in everybody)
        voices = {self.voice(each, then) for each in vouched}
        return self.voice(act, then) in voices and len(voices) >= max(1, min(self.rules.sponsors, others))

    @once
    def is_member(self, did, past):
        return bool(self.admissions(did, past)) if self.network in past else False

    @once
    def is_suspended(self, did, past):
        names = self.names(did, past)
        lifts = [lift for name in names for lift in self.carried("lifts", name, past)]
        suspensions = [each for name in names for each in self.carried("suspends", name, past)]
        return any(not any(self.saw(lift, each) for lift in lifts) for each in suspensions)

    def acceptance(self, did, past):
        found = [accepted for _, accepted in self.admissions(did, past)]
        return min(found, key=lambda act: (act.number, act.digest), default=None)

    # --- votes

    def is_voter(self, did, past):
        return (
            self.is_enrolled(did, past) and self.is_member(did, past) and not self.is_suspended(did, past)
            and self.acceptance(did, past).says["kind"] in self.rules.voters
        )  # fmt: skip

    def is_enrolled(self, did, past):
        enrolled = [
            each for each in self.of(acts.ACCEPT, past)
            if each.author == did and each.about == self.network and did in self.given[self.network].founders
        ] + self.carried("enrols", did, past)  # fmt: skip
        enrolled += [
            each for each in self.successions(past, by=did)
            if self.stands(each, past) and self.is_enrolled(self.given[each.about].author, self.past[each.digest])
        ]  # fmt: skip
        return any(not self.is_out(did, each, past) for each in enrolled)

    def tally(self, proposal, past):
        concerned = proposal.says["names"] if proposal.says["subject"] in (acts.REMOVE, acts.SUSPEND) else ()
        voters = [
            did for did in self.people() if not set(concerned) & self.names(did, past) and self.is_voter(did, past)
        ]  # fmt: skip
        found = {}
        for did in voters:
            votes = self.of(acts.VOTE, past, proposal.digest)
            mine = [each for each in votes if each.author == did and self.said[each.digest]]
            last = {each.says["choice"] for each in mine if not any(self.saw(other, each) for other in mine)}
            if len(last) == 1:
                found[did] = last.pop()
        return found, len(voters)

    @once
    def holds(self, closing):
        past = self.past[closing.digest]
        proposal = self.seen(closing.about, past, acts.PROPOSE)
        if proposal is None or not self.said[closing.digest] or not self.said.get(proposal.digest, False):
            return False
        if proposal.says["subject"] in (acts.REMOVE, acts.SUSPEND) and len(proposal.says["names"]) != 1:
            return False
        votes, voters = self.tally(proposal, past)
        if self.rules.blocks and acts.BLOCK in votes.values():
            return False
        numerator, denominator = self.rules.quorum
        return list(votes.values()).count(acts.YES) * denominator > numerator * voters

    # --- all of it

    def people(self):
        return sorted({each.author for each in self.counted})

    def state(self):
        wanted = {each for act in self.given.values() for each in act.seen} - set(self.given)
        if self.rules is None:
            return State(self.network, Rules(1, (1, 2), (), ()), {}, {}, {}, (), (self.network,))
        everything = frozenset(self.past)
        heads = everything - frozenset().union(*self.past.values())
        members = {did: self.standing(did, everything) for did in self.people() if self.is_member(did, everything)}
        return State(
            self.network, self.rules, members, self.candidates(members, everything),
            {
                each.digest: self.outcome(each, everything)
                for each in self.given.values() if each.kind == acts.PROPOSE and self.said.get(each.digest, False)
            },
            tuple(sorted(heads)), tuple(sorted(wanted)),
            heirs={
                self.given[each.about].author: each.author for each in self.successions(everything)
                if each.author in members and self.stands(each, everything)
            },
        )  # fmt: skip

    def standing(self, did, past):
        accepted = self.acceptance(did, past)
        profile = self.profile(did, accepted, past)
        says, shown = accepted.says, (profile or accepted).says
        return Standing(
            did, SUSPENDED if self.is_suspended(did, past) else MEMBER, shown["name"], says["kind"], shown["country"],
            says["handle"], shown["listed"], self.is_voter(did, past), accepted.digest,
            tuple(shown.get("languages", ())), profile.digest if profile else "", tuple(shown.get("groups", ())),
        )  # fmt: skip

    def profile(self, did, accepted, past):
        names = self.names(did, past)
        said = [
            each for each in self.of(acts.PROFILE, past)
            if each.author in names and self.saw(each, accepted) and not self.is_cut(each, past)
            and not self.is_out(did, each, past)
        ]  # fmt: skip
        last = [each for each in said if not any(self.saw(other, each) for other in said)]
        return min(last, key=lambda a: (a.says["listed"], len(a.says.get("groups", [])), a.digest), default=None)

    def candidates(self, members, past):
        found = {}
        for act in self.of(acts.ACCEPT, past):
            if act.author in members or not self.is_invited(act) or self.is_cancelled(act, past):
                continue
            if not self.is_out(act.author, act, past):
                voices = {
                    self.voice(each, past) for each in self.of(acts.SPONSOR, past, act.digest)
                    if self.vouches(each) and not self.is_cut(each, past)
                }  # fmt: skip
                found[act.author] = max(found.get(act.author, ("", 0)), (act.digest, len(voices)))
        return found

    def outcome(self, act, past):
        closes = self.of(acts.CLOSE, past, act.digest)
        passed = sorted(each.digest for each in closes if self.holds(each))
        votes, voters = self.tally(act, self.past[passed[0]] if passed else past)
        state = PASSED if passed else FAILED if any(self.said[each.digest] for each in closes) else OPEN
        return Tally(
            act.digest, act.says["subject"], tuple(act.says["names"]), act.says["text"], state,
            dict(sorted(votes.items())), voters,
        )  # fmt: skip

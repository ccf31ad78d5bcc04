"""Who belongs to a network, who may vote in it and what it decided: a function of the acts that are here.

Nothing else goes in: no clock, no order of arrival, no memory of this node. Two nodes that hold the same acts hold the
same network, and `State.digest` says so. An act is judged by what its author had seen (its past) and, where somebody
left or was removed, by the cut that this set. Rules, in order:

1. An act counts when every act it names is here, and when its author's act before it is among them.
2. A network begins with its founding act. Its founders are members, and on the roll, once each accepted it.
3. Whoever else accepted an invitation of a member, and affirmed the articles of the charter that the founding act asks
   for, is a member from the act by which enough members (`sponsors`, or all
   there are if they are fewer) vouch for it. An act of one who was no member then, or was suspended, is nothing.
4. Who is on the voters' roll is decided by the roll. So the friends of a dishonest member get no vote by being
   sponsored behind everybody's back, also not in a past that was made up later.
5. A decision stands by a closing act that has more than the quorum of the roll's votes in its past. Votes that it had
   not seen do not count for it. Nobody votes on their own removal or suspension, and each is about one alone: or
   few could name all others and be the only ones left to vote. Of one voter's votes the last counts; of two that do
   not know each other, none.
6. Leaving, removal and suspension cut: what their author says that the cut had not seen counts for nothing, whenever it
   claims to be from. Who was removed comes back by a new acceptance only.
7. What a member says of itself is its newest profile since its acceptance, else the acceptance. It counts also from one
   who is suspended. Of two profiles that do not know each other the one that is not for public lists counts.

What happens at the same time, each not knowing of the other:

| one | other | outcome |
|---|---|---|
| X vouches for Y | X is removed | X's word does not count: Y needs another |
| Y is admitted | Y is removed again | removed |
| X is removed | X leaves | out, once |
| A is removed with B's vote | B is removed with A's vote | both are out |
| a decision is closed | more votes are cast | the closing act's past decides |
| two closing acts of one proposal | | it stands if either holds |
| X is suspended | the suspension of X is lifted | lifted only if the lift had seen it |

It rests on this: of every roll that ever was, fewer than its quorum are dishonest, then or later.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from node import groups
from node.federation.protocol import digests
from node.governance import (
    ACCEPT,
    BLOCK,
    CANCEL,
    CLOSE,
    FOUND,
    INVITE,
    LEAVE,
    LIFT,
    MAX_SEEN,
    PROFILE,
    PROPOSE,
    REMOVE,
    ROLL,
    SPONSOR,
    SUSPEND,
    VOTE,
    YES,
    Act,
    Rules,
    moment_of,
    rules_of,
)
from node.groups import Group

MEMBER, SUSPENDED = "member", "suspended"
OPEN, PASSED, FAILED = "open", "passed", "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """One organisation in a network."""

    did: str
    state: str
    name: str
    kind: str
    country: str
    handle: str
    listed: bool
    voter: bool
    accepted: str
    """The digest of its acceptance."""
    languages: tuple[str, ...] = ()
    profile: str = ""
    """The digest of its newest profile; empty where it only accepted."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of one proposal, as the acts that are here have it."""

    proposal: str
    subject: str
    names: tuple[str, ...]
    text: str
    state: str
    votes: Mapping[str, str]
    """Voter → choice."""
    voters: int
    """How many there are."""


@dataclass(frozen=True, slots=True)
class State:
    """A network at one set of acts."""

    network: str
    rules: Rules
    members: Mapping[str, Standing]
    candidates: Mapping[str, tuple[str, int]]
    """Did → (the digest of its acceptance, how many vouch for it)."""
    decisions: Mapping[str, Tally]
    heads: tuple[str, ...]
    missing: tuple[str, ...]
    """Digests of acts that others name and that are not here."""
    groups: Mapping[str, Group] = field(default_factory=dict)
    """Working groups, by their digests."""

    @property
    def digest(self) -> str:
        """The same on every node that holds the same acts."""
        return digests.multibase(digests.jcs({
            "network": self.network,
            "members": [
                [each.did, each.state, each.voter, each.accepted, each.profile]
                for _, each in sorted(self.members.items())
            ],
            "candidates": sorted([did, accepted, count] for did, (accepted, count) in self.candidates.items()),
            "decisions": sorted([each.proposal, each.state] for each in self.decisions.values()),
            "groups": sorted(each.value() for each in self.groups.values()),
            "heads": list(self.heads),
        }))  # fmt: skip


class Ledger:
    """The acts of one network, and what follows from them. A past is an integer: bit n stands for the n-th act here."""

    def __init__(self, network: str, acts: Iterable[Act]) -> None:
        """Take what counts; of what counts not yet `missing` says what it waits for."""
        given = {act.digest: act for act in acts if act.network == network}
        self.network = network
        self.acts: list[Act] = []
        self._at: dict[str, int] = {}
        self._past: list[int] = []
        self._own: dict[str, list[int]] = {}
        self._admits: dict[str, list[int]] = {}
        self._exits: dict[str, list[int]] = {}
        self._enrols: dict[str, list[int]] = {}
        self._suspends: dict[str, list[int]] = {}
        self._lifts: dict[str, list[int]] = {}
        self._vouches: dict[str, list[int]] = {}
        self._cancels: dict[str, list[int]] = {}
        self._need: dict[int, int] = {}
        self._votes: dict[str, list[int]] = {}
        self._closes: dict[str, list[int]] = {}
        self._passed: dict[int, bool] = {}
        self._was_member: list[bool] = []
        self.rules = rules_of(given[network]) if network in given else None
        self._waiting = self._take(given)

    def _take(self, given: Mapping[str, Act]) -> tuple[str, ...]:
        """In an order in which every act follows what it has seen; returns the digests that are wanted."""
        wants = {digest: [each for each in act.seen if each in given] for digest, act in given.items()}
        lacks = {digest: len(act.seen) for digest, act in given.items()}
        follow: dict[str, list[str]] = {}
        for digest, named in wants.items():
            for each in named:
                follow.setdefault(each, []).append(digest)
        ready = sorted((digest for digest, count in lacks.items() if count == 0), reverse=True)
        while ready:
            digest = ready.pop()
            self._append(given[digest])
            for after in follow.get(digest, ()):
                lacks[after] -= 1
                if lacks[after] == 0:
                    ready.append(after)
        named_ = {each for act in given.values() for each in act.seen}
        return tuple(sorted(named_ - given.keys()))

    def _append(self, act: Act) -> None:
        past = 0
        for each in act.seen:
            past |= self._past[self._at[each]] | (1 << self._at[each])
        index = len(self.acts)
        self._at[act.digest] = index
        self.acts.append(act)
        self._past.append(past)
        self._was_member.append(False)
        if self.rules is None or not self._follows(act, past):
            return
        self._own.setdefault(act.author, []).append(index)
        self._was_member[index] = self.is_member(act.author, past) and not self.is_suspended(act.author, past)
        self._note(act, index, past)

    def _follows(self, act: Act, past: int) -> bool:
        """Whether its author's act before it is in its past (rule 1)."""
        if act.kind == FOUND:
            return act.digest == self.network
        before = [at for at in self._own.get(act.author, ()) if past >> at & 1]
        return act.number == 1 + max((self.acts[at].number for at in before), default=0)

    def _note(self, act: Act, index: int, past: int) -> None:
        """What an act changes, by its own past alone."""
        if act.kind == ACCEPT:
            if act.about == self.network and act.author in self.acts[self._at[self.network]].says["founders"]:
                self._admits.setdefault(act.author, []).append(index)
                self._enrols.setdefault(act.author, []).append(index)
        elif act.kind == SPONSOR:
            self._vouch(act, index, past)
        elif act.kind == LEAVE:
            self._exits.setdefault(act.author, []).append(index)
        elif act.kind == CANCEL:
            self._cancels.setdefault(act.about, []).append(index)
        elif act.kind == VOTE:
            self._votes.setdefault(act.about, []).append(index)
        elif act.kind == CLOSE:
            self._closes.setdefault(act.about, []).append(index)
            self._passed[index] = self._was_member[index] and self._holds(act.about, past)
            if self._passed[index]:
                self._carry_out(self._seen(act.about, past, PROPOSE), index)

    def _carry_out(self, proposal: Act | None, index: int) -> None:
        if proposal is None:
            return
        kept = {ROLL: self._enrols, REMOVE: self._exits, SUSPEND: self._suspends, LIFT: self._lifts}
        if proposal.says["subject"] in kept:
            for did in proposal.says["names"]:
                kept[proposal.says["subject"]].setdefault(did, []).append(index)

    def _vouch(self, act: Act, index: int, past: int) -> None:
        accepted = self._seen(act.about, past, ACCEPT)
        if accepted is None or not self._was_member[index] or accepted.author == act.author:
            return
        if not self._is_invited(accepted) or self._is_cancelled(accepted, past):
            return
        at = self._at[accepted.digest]
        if any(past >> exit_ & 1 and not self._past[at] >> exit_ & 1 for exit_ in self._exits.get(accepted.author, ())):
            return  # rule 6: it was out since, and has not accepted anew
        self._vouches.setdefault(accepted.digest, []).append(index)
        self._admits.setdefault(accepted.author, []).append(index)
        others = sum(1 for did in self._known() if did != accepted.author and self.counts(did, past))
        rules = self.rules
        self._need[index] = max(1, min(rules.sponsors if rules else 1, others))

    def _is_invited(self, accepted: Act) -> bool:
        rules = self.rules
        invitation = self._seen(accepted.about, self._past[self._at[accepted.digest]], INVITE)
        return (
            rules is not None and invitation is not None and self._was_member[self._at[invitation.digest]]
            and invitation.says["who"] in ("", accepted.author)
            and accepted.published <= moment_of(invitation.says["expires"])
            and accepted.says["kind"] in rules.kinds and set(rules.articles) <= set(accepted.says.get("affirms", ()))
        )  # fmt: skip

    def _is_cancelled(self, accepted: Act, past: int) -> bool:
        """Taken back by whoever invited or whoever accepted."""
        asked = {accepted.digest: (accepted.author,)}
        invitation = self._seen(accepted.about, past, INVITE)
        if invitation is not None:
            asked[invitation.digest] = (invitation.author,)
        return any(
            past >> at & 1 and self.acts[at].author in authors
            for digest, authors in asked.items()
            for at in self._cancels.get(digest, ())
        )

    def _seen(self, digest: str, past: int, kind: str) -> Act | None:
        at = self._at.get(digest)
        found = self.acts[at] if at is not None and past >> at & 1 else None
        return found if found is not None and found.kind == kind else None

    def _known(self) -> Iterator[str]:
        yield from self._admits

    def saw(self, later: int, earlier: int) -> bool:
        """Whether the author of the act at one place of `acts` had seen the one at another."""
        return bool(self._past[later] >> earlier & 1)

    def stands(self, at: int, past: int) -> bool:
        """Whether an act was a member's when it was said, and is not beyond a cut in view of these acts."""
        return self._was_member[at] and not self._is_cut(at, past)

    def counts(self, did: str, past: int) -> bool:
        """A member in view of these acts, and not suspended."""
        return self.is_member(did, past) and not self.is_suspended(did, past)

    def _is_cut(self, at: int, past: int) -> bool:
        """Whether an act lies beyond the cut that its author's going set (rule 6)."""
        author = self.acts[at].author
        return any(
            past >> exit_ & 1 and exit_ != at and not self._past[exit_] >> at & 1 and not self._past[at] >> exit_ & 1
            for exit_ in self._exits.get(author, ())
        )

    def _is_out(self, did: str, since: int, past: int) -> bool:
        """Whether somebody who came in by this act is out again."""
        return any(past >> at & 1 and not self._past[since] >> at & 1 for at in self._exits.get(did, ()))

    def _admitted_by(self, at: int, past: int) -> bool:
        """Whether an act that vouches completes an admission, or a founder's acceptance is one."""
        act = self.acts[at]
        if act.kind == ACCEPT:
            return True
        seen = self._past[at] | (1 << at)
        voices = {
            self.acts[each].author for each in self._vouches[act.about]
            if seen >> each & 1 and not self._is_cut(each, past)
        }  # fmt: skip
        return act.author in voices and len(voices) >= self._need[at]

    def is_member(self, did: str, past: int) -> bool:
        """In view of these acts."""
        return any(
            past >> at & 1 and not self._is_out(did, at, past) and self._admitted_by(at, past)
            for at in self._admits.get(did, ())
        )

    def is_suspended(self, did: str, past: int) -> bool:
        """In view of these acts."""
        return any(
            past >> at & 1 and not any(past >> lift & self._past[lift] >> at & 1 for lift in self._lifts.get(did, ()))
            for at in self._suspends.get(did, ())
        )

    def is_voter(self, did: str, past: int) -> bool:
        """On the roll, a member, and not suspended."""
        enrolled = any(past >> at & 1 and not self._is_out(did, at, past) for at in self._enrols.get(did, ()))
        kinds = self.rules.voters if self.rules else ()
        return enrolled and self.counts(did, past) and self._kind_of(did, past) in kinds

    def _kind_of(self, did: str, past: int) -> str:
        accepted = self._acceptance(did, past)
        return str(accepted.says["kind"]) if accepted else ""

    def _acceptance(self, did: str, past: int) -> Act | None:
        """The acceptance by which somebody is a member; of several the one with the lowest digest."""
        found = []
        for at in self._admits.get(did, ()):
            if past >> at & 1 and not self._is_out(did, at, past) and self._admitted_by(at, past):
                act = self.acts[at]
                found.append(act if act.kind == ACCEPT else self.acts[self._at[act.about]])
        return min(found, key=lambda act: (act.number, act.digest), default=None)

    def _tally(self, proposal: Act, past: int) -> tuple[dict[str, str], int]:
        """(voter → choice, how many voters) in view of these acts (rule 5)."""
        concerned = proposal.says["names"] if proposal.says["subject"] in (REMOVE, SUSPEND) else ()
        voters = [did for did in self._enrols if did not in concerned and self.is_voter(did, past)]
        found = {}
        for did in voters:
            mine = [
                at for at in self._votes.get(proposal.digest, ())
                if past >> at & 1 and self.acts[at].author == did and self._was_member[at]
            ]  # fmt: skip
            last = [at for at in mine if not any(self._past[other] >> at & 1 for other in mine)]
            choices = {self.acts[at].says["choice"] for at in last}
            if len(choices) == 1:
                found[did] = choices.pop()
        return found, len(voters)

    def _holds(self, digest: str, past: int) -> bool:
        proposal = self._seen(digest, past, PROPOSE)
        rules = self.rules
        if proposal is None or rules is None or not self._was_member[self._at[digest]]:
            return False
        if proposal.says["subject"] in (REMOVE, SUSPEND) and len(proposal.says["names"]) != 1:
            return False
        votes, voters = self._tally(proposal, past)
        if rules.blocks and BLOCK in votes.values():
            return False
        numerator, denominator = rules.quorum
        return sum(choice == YES for choice in votes.values()) * denominator > numerator * voters

    def view(self, author: str, about: str = "") -> tuple[tuple[str, ...], int]:
        """What an act of this author stands on, and its number: one end of each author, members before others, and
        no more than an act may name. Who says two things at once to crowd the others out is seen with one of them.

        Args:
            about: the digest of the act that it answers, which it stands on in any case.
        """
        state = self.state()
        ends: dict[str, str] = {}
        for digest in state.heads:
            ends.setdefault(self.acts[self._at[digest]].author, digest)
        order = sorted(ends, key=lambda each: (each != author, each not in state.members, each))
        mine = max(self._own.get(author, ()), key=lambda at: self.acts[at].number, default=None)
        first = [about] if about in self._at else []
        first += [self.acts[mine].digest] if mine is not None else []
        seen: list[str] = []
        past = 0
        for digest in (*first, *(ends[each] for each in order)):
            at = self._at[digest]
            if digest not in seen and not past >> at & 1 and len(seen) < MAX_SEEN:
                seen.append(digest)
                past |= self._past[at] | (1 << at)
        bare = [each for each in seen if not any(self._past[self._at[other]] >> self._at[each] & 1 for other in seen)]
        own = (self.acts[at].number for at in self._own.get(author, ()) if past >> at & 1)
        return tuple(sorted(bare)), 1 + max(own, default=0)

    def beyond(self, heads: Iterable[str]) -> tuple[Act, ...]:
        """The acts that somebody lacks whose view ends with these; each follows what it has seen."""
        held = 0
        for each in heads:
            at = self._at.get(each)
            if at is not None:
                held |= self._past[at] | (1 << at)
        return tuple(act for at, act in enumerate(self.acts) if not held >> at & 1)

    def state(self) -> State:
        """Everything that follows from the acts that are here."""
        rules = self.rules
        if rules is None:
            return State(self.network, Rules(1, (1, 2), (), ()), {}, {}, {}, (), (self.network,))
        everything = (1 << len(self.acts)) - 1
        named = 0
        for past in self._past:
            named |= past
        heads = tuple(sorted(act.digest for at, act in enumerate(self.acts) if not named >> at & 1))
        inside = (did for did in sorted(self._admits) if self.is_member(did, everything))
        members = {did: self._standing(did, everything) for did in inside}
        return State(
            self.network, rules, members, self._candidates(members, everything), self._decisions(everything), heads,
            self._waiting, groups.work_out(_Sight(self, everything)),
        )

    def _standing(self, did: str, past: int) -> Standing:
        accepted = self._acceptance(did, past)
        says = accepted.says if accepted else {}
        profile = self._profile(did, accepted, past) if accepted else None
        shown = profile.says if profile else says
        return Standing(
            did, SUSPENDED if self.is_suspended(did, past) else MEMBER, str(shown.get("name", "")),
            str(says.get("kind", "")), str(shown.get("country", "")), str(says.get("handle", "")),
            bool(shown.get("listed")), self.is_voter(did, past), accepted.digest if accepted else "",
            tuple(shown.get("languages", ())), profile.digest if profile else "",
        )  # fmt: skip

    def _profile(self, did: str, accepted: Act, past: int) -> Act | None:
        """What a member said of itself last since it accepted; of what does not know each other, what lists less."""
        since = self._at[accepted.digest]
        said = [
            at for at in self._own.get(did, ())
            if self.acts[at].kind == PROFILE and past >> at & self._past[at] >> since & 1
            and not self._is_out(did, at, past)
        ]  # fmt: skip
        last = [self.acts[at] for at in said if not any(self._past[other] >> at & 1 for other in said)]
        return min(last, key=lambda act: (act.says["listed"], act.digest), default=None)

    def _candidates(self, members: Mapping[str, Standing], past: int) -> dict[str, tuple[str, int]]:
        found: dict[str, tuple[str, int]] = {}
        for at in sorted(each for mine in self._own.values() for each in mine):
            act = self.acts[at]
            if act.kind != ACCEPT or act.author in members or not self._is_invited(act):
                continue
            if not self._is_cancelled(act, past) and not self._is_out(act.author, at, past):
                vouched = (each for each in self._vouches.get(act.digest, ()) if not self._is_cut(each, past))
                voices = {self.acts[each].author for each in vouched}
                found[act.author] = max(found.get(act.author, ("", 0)), (act.digest, len(voices)))
        return found

    def _decisions(self, past: int) -> dict[str, Tally]:
        found: dict[str, Tally] = {}
        for at, act in enumerate(self.acts):
            if act.kind != PROPOSE or not self._was_member[at]:
                continue
            closes = self._closes.get(act.digest, ())
            passed = [each for each in closes if self._passed[each]]
            seen = self._past[min(passed, key=lambda each: self.acts[each].digest)] if passed else past
            votes, voters = self._tally(act, seen)
            state = PASSED if passed else FAILED if any(self._was_member[each] for each in closes) else OPEN
            found[act.digest] = Tally(
                act.digest, act.says["subject"], tuple(act.says["names"]), act.says["text"], state,
                dict(sorted(votes.items())), voters,
            )  # fmt: skip
        return found


class _Sight:
    """A ledger as the rules of working groups see it, at all the acts that are here."""

    def __init__(self, ledger: Ledger, past: int) -> None:
        self._ledger = ledger
        self._past = past

    @property
    def acts(self) -> list[Act]:
        return self._ledger.acts

    def saw(self, later: int, earlier: int) -> bool:
        return self._ledger.saw(later, earlier)

    def stands(self, at: int) -> bool:
        return self._ledger.stands(at, self._past)

    def counts(self, did: str) -> bool:
        return self._ledger.counts(did, self._past)

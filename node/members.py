"""Who belongs to a network, who may vote in it and what it decided: a function of the acts that are here.

Nothing else goes in: no clock, no order of arrival, no memory of this node. Two nodes that hold the same acts hold the
same network, and `State.digest` says so. An act is judged by what its author had seen (its past) and, where somebody
left or was removed, by the cut that this set. Rules, in order:

1. An act counts when every act it names is here, and when its author's act before it is among them.
2. A network begins with its founding act. Its founders are members, and on the roll, once each accepted it.
3. Whoever else accepted an invitation of a member, and affirmed the articles of the charter that the founding act asks
   for, is a member from the act by which enough members (`sponsors`, or all there are if they are fewer) vouch for it.
   An act of one who was no member then, or was suspended, is nothing.
4. Who is on the voters' roll is decided by the roll. So the friends of a dishonest member get no vote by being
   sponsored behind everybody's back, also not in a past that was made up later.
5. A decision stands by a closing act that has more than the quorum of the roll's votes in its past. Votes that it had
   not seen do not count for it. Nobody votes on their own removal or suspension, and each is about one alone: or
   few could name all others and be the only ones left to vote. Of one voter's votes the last counts; of two that do
   not know each other, none.
6. Leaving, removal and suspension cut: what their author says that the cut had not seen counts for nothing, whenever it
   claims to be from. Who was removed comes back by a new acceptance only.
7. What a member says of itself is its newest profile since its acceptance, else the acceptance. It counts also from one
   who is suspended. Of two profiles that do not know each other the one that shows less in public counts.
8. The recovery key that a member's acceptance binds itself to (a founder's: that the founding act does) takes the
   member's place by its own first act, once: member, voter or suspended as that was. What the old key says that this
   had not seen is cut, its leaving too; what is decided about the old did is decided about the new one.

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
| Y succeeds X | X votes, vouches or leaves by the old key | it counts for nothing |
| Y succeeds X | X is removed, or suspended | Y is out, or suspended |
| Y succeeds X | X is put on the roll | Y has no vote, until the roll names it |
| Y succeeds X | Y succeeds X, said twice | Y is in the place of X, once |
| Y succeeds X | Z succeeds X, by another acceptance | both are out |

It rests on this: of every roll that ever was, fewer than its quorum are dishonest, then or later.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import islice
from operator import or_

from node import groups
from node.chronicles import Chronicle
from node.federation.protocol import digests
from node.governance import (
    ACCEPT,
    ADOPT,
    BLOCK,
    CANCEL,
    CLOSE,
    FOUND,
    GROUP,
    GROUP_CARRY,
    GROUP_HOST,
    GROUP_JOIN,
    GROUP_LEAVE,
    GROUP_ROLE,
    INVITE,
    LEAVE,
    LIFT,
    MAX_SEEN,
    PROFILE,
    PROPOSE,
    REMOVE,
    ROLL,
    SPONSOR,
    SUCCEED,
    SUSPEND,
    VOTE,
    YES,
    Act,
    Rules,
    commitment_in,
    moment_of,
    rules_of,
)
from node.groups import Group, Sight

MEMBER, SUSPENDED = "member", "suspended"
OPEN, PASSED, FAILED = "open", "passed", "failed"
_IDLE = (
    INVITE, CANCEL, PROPOSE, VOTE, GROUP, GROUP_HOST, GROUP_CARRY, GROUP_JOIN, GROUP_LEAVE, GROUP_ROLE,
)  # fmt: skip
"""What alone makes and unmakes no member."""


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
    groups: tuple[str, ...] = ()
    """Digests of the working groups that it is shown in, in public, where it is in them and listed."""


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
    heirs: Mapping[str, str] = field(default_factory=dict)
    """Did that was succeeded → the member in its place."""

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


class Ledger(Chronicle):
    """The acts of one network, and what follows from them. What an act came to by its own past is worked out once, when
    it is taken.
    """

    def __init__(self, network: str, acts: Iterable[Act] = ()) -> None:
        """Take what counts; of what counts not yet `missing` says what it waits for."""
        super().__init__(network)
        self._admits: dict[str, list[int]] = {}
        self._exits: dict[str, list[int]] = {}
        self._enrols: dict[str, list[int]] = {}
        self._suspends: dict[str, list[int]] = {}
        self._lifts: dict[str, list[int]] = {}
        self._vouches: dict[str, list[int]] = {}
        self._cancels: dict[str, list[int]] = {}
        self._need: dict[int, int] = {}
        self._voices: dict[int, tuple[int, ...]] = {}
        """Act that vouches → every act that vouches for the same, as it had seen them, itself among them."""
        self._heirs: dict[str, list[int]] = {}
        """Did → its acts by which it goes on in another's place."""
        self._votes: dict[str, list[int]] = {}
        self._closes: dict[str, list[int]] = {}
        self._passed: dict[int, bool] = {}
        self._tallies: dict[int, tuple[Mapping[str, str], int]] = {}
        """Closing act → what it counted."""
        self._was_member: list[bool] = []
        self._proposals: list[int] = []
        self._acceptances: list[int] = []
        self._turns = 0
        """The acts that may make or unmake a member or voter, as a past holds them."""
        self._roll: tuple[int, tuple[str, ...]] = 0, ()
        self._inside: tuple[int, dict[str, bool]] = 0, {}
        self._standings: tuple[int, dict[str, Standing]] = 0, {}
        self._state: State | None = None
        self.rules: Rules | None = None
        self._take(acts)

    def _take(self, acts: Iterable[Act]) -> None:
        self._state = None
        super()._take(acts)

    def _judge(self, act: Act, index: int, past: int, *, counts: bool) -> None:
        self._was_member.append(counts and self._counts(act.author, past))
        if act.kind == FOUND:
            self.rules = rules_of(act)
        if not counts:
            return
        self._note(act, index, past)
        if act.kind not in _IDLE and not (act.kind == CLOSE and self._is_idle(act, index)):
            self._turns |= 1 << index

    def _is_idle(self, close: Act, index: int) -> bool:
        return not self._passed[index] or self.acts[self._at[close.about]].says["subject"] == ADOPT

    def _note(self, act: Act, index: int, past: int) -> None:
        """What an act changes, by its own past alone."""
        if act.kind == ACCEPT:
            self._accept(act, index)
        elif act.kind == SPONSOR:
            self._vouch(act, index, past)
        elif act.kind == SUCCEED:
            self._go_on(act, index, past)
        elif act.kind == LEAVE:
            self._exits.setdefault(act.author, []).append(index)
        elif act.kind == CANCEL:
            self._cancels.setdefault(act.about, []).append(index)
        elif act.kind == VOTE:
            self._votes.setdefault(act.about, []).append(index)
        elif act.kind == PROPOSE and self._was_member[index]:
            self._proposals.append(index)
        elif act.kind == CLOSE:
            self._closes.setdefault(act.about, []).append(index)
            self._passed[index] = self._was_member[index] and self._holds(act.about, past, index)
            if self._passed[index]:
                self._carry_out(self._seen(act.about, past, PROPOSE), index)

    def _accept(self, act: Act, index: int) -> None:
        self._acceptances.append(index)
        if act.about == self.network and act.author in self.acts[self._at[self.network]].founders:
            self._admits.setdefault(act.author, []).append(index)
            self._enrols.setdefault(act.author, []).append(index)

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
        self._voices[index] = (*(each for each in self._vouches[accepted.digest] if past >> each & 1), index)
        sponsors = self.rules.sponsors if self.rules else 1
        others = (did for did in self._known() if did != accepted.author and self._counts(did, past))
        self._need[index] = max(1, sum(1 for _ in islice(others, sponsors)))

    def _go_on(self, act: Act, index: int, past: int) -> None:
        """The recovery key takes a member's place (rule 7), with its vote where it had one."""
        accepted = self._seen(act.about, past, ACCEPT)
        if accepted is None or act.number != 1 or not self._stands(index, past):
            return
        if commitment_in(accepted, self.acts[self._at[self.network]]) != digests.multibase(act.author.encode()):
            return
        if self._is_enrolled(accepted.author, past):
            self._enrols.setdefault(act.author, []).append(index)
        self._heirs.setdefault(act.author, []).append(index)
        self._admits.setdefault(act.author, []).append(index)
        self._exits.setdefault(accepted.author, []).append(index)

    def _stands(self, at: int, past: int) -> bool:
        """Whether whom an act succeeds was a member, by the acceptance that it names, and was not put out meanwhile.
        That the old key left meanwhile is its own word, and cut.
        """
        act, then = self.acts[at], self._past[at]
        accepted = self.acts[self._at[act.about]]
        for each in self._exits.get(accepted.author, ()):
            gone = self.acts[each]
            others = gone.kind == CLOSE or (gone.kind == SUCCEED and gone.author != act.author)
            if others and past >> each & 1 and not then >> each & 1:
                return False
        return any(
            then >> each & 1 and self._accepted_by(each) is accepted and not self._is_out(accepted.author, each, then)
            and self._admitted_by(each, past)
            for each in self._admits.get(accepted.author, ())
        )  # fmt: skip

    def _accepted_by(self, at: int) -> Act:
        """The acceptance by which an act that admits does so."""
        act = self.acts[at]
        return act if act.kind == ACCEPT else self.acts[self._at[act.about]]

    def _names(self, did: str, past: int) -> list[str]:
        """Somebody, and in whose place it is, in view of these acts."""
        names = [did]
        for name in names:
            for at in self._heirs.get(name, ()):
                before = self._accepted_by(at).author
                if past >> at & 1 and before not in names:
                    names.append(before)
        return names

    def _voice(self, at: int, past: int) -> str:
        """Whose voice an act is: the old did's and the new one's are the same."""
        names = self._names(self.acts[at].author, past)
        if len(names) == 1:
            return names[0]
        first = (name for name in names if not any(past >> each & 1 for each in self._heirs.get(name, ())))
        return min(first, default=names[0])

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
        return self._counts(did, past)

    def _counts(self, did: str, past: int) -> bool:
        """A member and not suspended. Most views differ from the one before by none of the acts that tell."""
        turns, known = past & self._turns, self._inside
        if known[0] != turns:
            known = self._inside = turns, {}
        if did not in known[1]:
            known[1][did] = self.is_member(did, past) and not self.is_suspended(did, past)
        return known[1][did]

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
        kind, then = self.acts[at].kind, self._past[at]
        if kind in (ACCEPT, SUCCEED):
            return kind == ACCEPT or self._stands(at, past)
        voices = {self._voice(each, then) for each in self._voices[at] if not self._is_cut(each, past)}
        return self._voice(at, then) in voices and len(voices) >= self._need[at]

    def is_member(self, did: str, past: int) -> bool:
        """In view of these acts."""
        return any(
            past >> at & 1 and not self._is_out(did, at, past) and self._admitted_by(at, past)
            for at in self._admits.get(did, ())
        )

    def is_suspended(self, did: str, past: int) -> bool:
        """In view of these acts."""
        names = self._names(did, past)
        lifts = [lift for name in names for lift in self._lifts.get(name, ()) if past >> lift & 1]
        return any(
            past >> at & 1 and not any(self._past[lift] >> at & 1 for lift in lifts)
            for name in names for at in self._suspends.get(name, ())
        )  # fmt: skip

    def is_voter(self, did: str, past: int) -> bool:
        """On the roll, a member, and not suspended."""
        kinds = self.rules.voters if self.rules else ()
        return self._is_enrolled(did, past) and self._counts(did, past) and self._kind_of(did, past) in kinds

    def _is_enrolled(self, did: str, past: int) -> bool:
        return any(
            past >> at & 1 and not self._is_out(did, at, past)
            and (self.acts[at].kind != SUCCEED or self._stands(at, past))
            for at in self._enrols.get(did, ())
        )  # fmt: skip

    def _kind_of(self, did: str, past: int) -> str:
        accepted = self._acceptance(did, past)
        return str(accepted.says["kind"]) if accepted else ""

    def _acceptance(self, did: str, past: int) -> Act | None:
        """The acceptance by which somebody is a member; of several the one with the lowest digest."""
        found = []
        for at in self._admits.get(did, ()):
            if past >> at & 1 and not self._is_out(did, at, past) and self._admitted_by(at, past):
                found.append(self._accepted_by(at))
        return min(found, key=lambda act: (act.number, act.digest), default=None)

    def _tally(self, proposal: Act, past: int) -> tuple[dict[str, str], int]:
        """(voter → choice, how many voters) in view of these acts (rule 5)."""
        concerned = set(proposal.says["names"]) if proposal.says["subject"] in (REMOVE, SUSPEND) else set()
        voters = set(self._voters(past))
        if concerned:
            voters = {did for did in voters if concerned.isdisjoint(self._names(did, past))}
        votes: dict[str, list[int]] = {}
        for at in self._votes.get(proposal.digest, ()):
            if past >> at & 1 and self._was_member[at] and self.acts[at].author in voters:
                votes.setdefault(self.acts[at].author, []).append(at)
        found = {}
        for did, mine in votes.items():
            seen = reduce(or_, (self._past[at] for at in mine))
            choices = {self.acts[at].says["choice"] for at in mine if not seen >> at & 1}
            if len(choices) == 1:
                found[did] = choices.pop()
        return found, len(voters)

    def _voters(self, past: int) -> tuple[str, ...]:
        """Who may vote in view of these acts."""
        turns, known = past & self._turns, self._roll
        if known[0] != turns:
            known = self._roll = turns, tuple(did for did in self._enrols if self.is_voter(did, past))
        return known[1]

    def _holds(self, digest: str, past: int, closing: int) -> bool:
        proposal = self._seen(digest, past, PROPOSE)
        rules = self.rules
        if proposal is None or rules is None or not self._was_member[self._at[digest]]:
            return False
        if proposal.says["subject"] in (REMOVE, SUSPEND) and len(proposal.says["names"]) != 1:
            return False
        votes, voters = self._tallies[closing] = self._tally(proposal, past)
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
        everything = (1 << len(self.acts)) - 1
        ends: dict[str, str] = {}
        for digest in sorted(self._ends):
            ends.setdefault(self.acts[self._at[digest]].author, digest)
        order = sorted(ends, key=lambda each: (each != author, not self.is_member(each, everything), each))
        own = (self.acts[at] for at in self._own.get(author, ()))
        mine = max(own, key=lambda act: (act.number, act.digest), default=None)
        first = [about] if about in self._at else []
        first += [mine.digest] if mine is not None else []
        seen: list[str] = []
        past = 0
        for digest in (*first, *(ends[each] for each in order)):
            at = self._at[digest]
            if digest not in seen and not past >> at & 1 and len(seen) < MAX_SEEN:
                seen.append(digest)
                past |= self._past[at] | (1 << at)
        under = reduce(or_, (self._past[self._at[each]] for each in seen), 0)
        bare = [each for each in seen if not under >> self._at[each] & 1]
        return tuple(sorted(bare)), 1 + self._counted(author, past)

    def state(self) -> State:
        """Everything that follows from the acts that are here; worked out once."""
        if self._state is None:
            self._state = self._worked_out()
        return self._state

    def _worked_out(self) -> State:
        rules = self.rules
        if rules is None:
            return State(self.network, Rules(1, (1, 2), (), ()), {}, {}, {}, (), (self.network,))
        everything = (1 << len(self.acts)) - 1
        members = self._members(everything)
        heirs = self._succeeded(members, everything)
        return State(
            self.network, rules, members, self._candidates(members, everything), self._decisions(everything),
            tuple(sorted(self._ends)), self._missing(), groups.work_out(self._sight(everything, heirs)), heirs,
        )

    def _sight(self, past: int, heirs: Mapping[str, str]) -> Sight:
        return Sight(self.acts, self.saw, partial(self.stands, past=past), partial(self.counts, past=past), heirs)

    def _members(self, past: int) -> dict[str, Standing]:
        turns, known = past & self._turns, self._standings
        if known[0] != turns:
            inside = (did for did in sorted(self._admits) if self.is_member(did, past))
            known = self._standings = turns, {did: self._standing(did, past) for did in inside}
        return known[1]

    def _succeeded(self, members: Mapping[str, Standing], past: int) -> dict[str, str]:
        return {
            self._accepted_by(at).author: did
            for did, mine in sorted(self._heirs.items()) if did in members for at in mine if self._stands(at, past)
        }  # fmt: skip

    def _standing(self, did: str, past: int) -> Standing:
        accepted = self._acceptance(did, past)
        says = accepted.says if accepted else {}
        profile = self._profile(did, accepted, past) if accepted else None
        shown = profile.says if profile else says
        return Standing(
            did, SUSPENDED if self.is_suspended(did, past) else MEMBER, str(shown.get("name", "")),
            str(says.get("kind", "")), str(shown.get("country", "")), str(says.get("handle", "")),
            bool(shown.get("listed")), self.is_voter(did, past), accepted.digest if accepted else "",
            tuple(shown.get("languages", ())), profile.digest if profile else "", tuple(shown.get("groups", ())),
        )  # fmt: skip

    def _profile(self, did: str, accepted: Act, past: int) -> Act | None:
        """What a member said of itself last since it accepted; of what does not know each other, what lists less."""
        since = self._at[accepted.digest]
        said = [
            at for name in self._names(did, past) for at in self._own.get(name, ())
            if self.acts[at].kind == PROFILE and past >> at & self._past[at] >> since & 1
            and not self._is_out(did, at, past) and not self._is_cut(at, past)
        ]  # fmt: skip
        last = [self.acts[at] for at in said if not any(self._past[other] >> at & 1 for other in said)]
        return min(last, key=_public, default=None)

    def _candidates(self, members: Mapping[str, Standing], past: int) -> dict[str, tuple[str, int]]:
        found: dict[str, tuple[str, int]] = {}
        for at in self._acceptances:
            act = self.acts[at]
            if act.author in members or not self._is_invited(act):
                continue
            if not self._is_cancelled(act, past) and not self._is_out(act.author, at, past):
                vouched = (each for each in self._vouches.get(act.digest, ()) if not self._is_cut(each, past))
                voices = {self._voice(each, past) for each in vouched}
                found[act.author] = max(found.get(act.author, ("", 0)), (act.digest, len(voices)))
        return found

    def _decisions(self, past: int) -> dict[str, Tally]:
        found: dict[str, Tally] = {}
        for act in (self.acts[at] for at in self._proposals):
            closes = self._closes.get(act.digest, ())
            passed = [each for each in closes if self._passed[each]]
            first = min(passed, key=lambda each: self.acts[each].digest, default=None)
            votes, voters = self._tally(act, past) if first is None else self._tallies[first]
            state = PASSED if passed else FAILED if any(self._was_member[each] for each in closes) else OPEN
            found[act.digest] = Tally(
                act.digest, act.says["subject"], tuple(act.says["names"]), act.says["text"], state,
                dict(sorted(votes.items())), voters,
            )  # fmt: skip
        return found


def _public(profile: Act) -> tuple[bool, int, str]:
    """How much of a member a profile shows in public."""
    return profile.says["listed"], len(profile.says.get("groups", ())), profile.digest

"""Working groups of a network: who is in one, who does what there, and which member's node hosts it.

Like membership (`members`) it follows from the network's acts and from nothing else, so every node that holds the same
acts has the same groups. What is said inside a group stands in no act: it is sealed to those who are in it
(`group_entries`). Rules, in order:

1. An act counts if its author was a member of the network when it was said, and it is not beyond a cut (`members`).
2. A group is founded by the first of the hosts that it names, who coordinates it; so many by one count and no more. It
   is in the network and nowhere else: who is out of the network or suspended there is out of the group.
3. Who joins an open group is in it; a closed one they are in once a coordinator gave them a role. Of what somebody said
   about their own joining the last counts; who said two things at once has left.
4. Coordinators give roles. Of roles that were given at the same time the smaller one counts. Who was given "none" is in
   again by a coordinator only. Where no coordinator is left, the first of the hosts who is in the group is one.
5. Each host says which actor it hosts or would host the group with: each has a key of its own, that never travels.
6. Where a member's recovery key took its place in the network, it did so in its groups.
7. The first host hosts, until more than half of the other hosts name another of them, each by its last word; once it is
   out of the network, the first of the others does where they named nobody.

By 7 there is one host at any set of acts, and two nodes that hold the same acts name the same. No secret changes hands,
and each actor's log is written by one node: so the group can be carried on, and no log forks by it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from node.governance import (
    COORDINATOR,
    GROUP,
    GROUP_CARRY,
    GROUP_HOST,
    GROUP_JOIN,
    GROUP_LEAVE,
    GROUP_ROLE,
    MEMBER,
    NONE,
    ROLES,
    STEERING,
    Act,
)

MOST_BY_ONE = 20
"""Groups of one founder that count: each may bring actors that every node keeps the log of."""
_ORDER: Mapping[str, int] = MappingProxyType({role: at for at, role in enumerate(reversed(ROLES))})
"""The smaller one first."""
STEERS = (COORDINATOR, STEERING)


@dataclass(frozen=True, slots=True)
class Host:
    """A member whose node hosts a group, or would."""

    member: str
    """Its did."""
    did: str
    """The did of the group's actor there; empty until it said so."""
    handle: str
    """`@handle@host` of that actor."""


@dataclass(frozen=True, slots=True)
class Group:
    """One working group at one set of acts."""

    digest: str
    """Of the act that founded it: its name."""
    names: Mapping[str, str]
    """Language → name."""
    handle: str
    open: bool
    """Members of the network join without being asked in."""
    hosts: tuple[Host, ...]
    """In the order of the founding act."""
    host: str
    """The member that hosts it now; empty where none of them is left."""
    roles: Mapping[str, str]
    """did → what it does, of everybody who is in."""
    waiting: tuple[str, ...]
    """Who would be in a closed group."""
    words: Mapping[str, str]
    """Host → whom it names to carry the group on."""
    known: frozenset[str]
    """Who is in it, was, or would be: whose words stand in its history."""
    steered: frozenset[str]
    """Who coordinates it or is of its steering committee, or was."""

    @property
    def actor(self) -> Host | None:
        """Where the group speaks from now; nothing until that host said so."""
        return next((each for each in self.hosts if each.member == self.host and each.did), None)

    @property
    def dids(self) -> frozenset[str]:
        """Every did that this group has spoken with or may speak with."""
        return frozenset(each.did for each in self.hosts if each.did)

    def steers(self, did: str) -> bool:
        """Coordinator, or of the steering committee."""
        return self.roles.get(did) in STEERS

    def value(self) -> list[object]:
        """What a digest of the state covers."""
        hosts = [[each.member, each.did] for each in self.hosts]
        return [self.digest, self.host, hosts, sorted(map(list, self.roles.items())), list(self.waiting)]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a network's ledger says at one set of acts."""

    acts: Sequence[Act]
    """In an order in which every act follows what it has seen."""
    saw: Callable[[int, int], bool]
    """Whether the later act's author had seen the earlier one; both by their place in `acts`."""
    stands: Callable[[int], bool]
    """Rule 1."""
    counts: Callable[[str], bool]
    """A member of the network now, and not suspended."""
    heirs: Mapping[str, str] = field(default_factory=dict)
    """Did that was succeeded → who goes on in its place."""

    def now(self, did: str) -> str:
        """Who goes on in this did's place; itself where nobody succeeded it."""
        for _ in self.heirs:
            did = self.heirs.get(did, did)
        return did


def work_out(sight: Sight) -> dict[str, Group]:
    """Every group of a network, by its digest."""
    found: dict[str, _Chamber] = {}
    founded: dict[str, list[tuple[int, str]]] = {}
    for act in sight.acts:
        if act.kind == GROUP and act.author == act.says["hosts"][0]:
            founded.setdefault(act.author, []).append((act.number, act.digest))
    counted = {digest for mine in founded.values() for _, digest in sorted(mine)[:MOST_BY_ONE]}
    for at, act in enumerate(sight.acts):
        if not act.kind.startswith(GROUP) or not sight.stands(at):
            continue
        if act.kind == GROUP:
            if act.digest in counted:
                found[act.digest] = _Chamber(sight, act, at)
        elif act.about in found:
            found[act.about].take(act, at)
    return {digest: each.group() for digest, each in found.items()}


class _Chamber:
    """The acts of one group."""

    def __init__(self, sight: Sight, act: Act, at: int) -> None:
        self._sight = sight
        self._founded = act
        self._founder = sight.now(act.author)
        self._names = tuple(dict.fromkeys(map(sight.now, act.says["hosts"])))
        """The hosts, in their order."""
        self._at = at
        self._voices = {act.author}
        self._moves: dict[str, list[int]] = {}
        self._roles: dict[str, list[int]] = {}
        self._hosts: dict[str, list[int]] = {}
        self._words: dict[str, list[int]] = {}

    def take(self, act: Act, at: int) -> None:
        """One act about this group; what its author could not say is passed over."""
        if not self._sight.saw(at, self._at):
            return
        author = self._sight.now(act.author)
        self._voices.add(act.author)
        if act.kind in (GROUP_JOIN, GROUP_LEAVE):
            self._moves.setdefault(author, []).append(at)
        elif act.kind == GROUP_ROLE and self._coordinates(author, at):
            self._roles.setdefault(self._sight.now(act.says["who"]), []).append(at)
        elif act.kind == GROUP_HOST and author in self._names:
            self._hosts.setdefault(author, []).append(at)
        elif act.kind == GROUP_CARRY and author in self._names and self._sight.now(act.says["who"]) in self._names:
            self._words.setdefault(author, []).append(at)

    def group(self) -> Group:
        """What follows from all of them."""
        said = self._founded.says
        counting = [did for did in self._people() if self._sight.counts(did)]
        roles = {did: role for did in counting if (role := self._role(did, None)) is not None and role != NONE}
        if not any(role == COORDINATOR for role in roles.values()):
            roles |= {did: COORDINATOR for did in [each for each in self._names if each in roles][:1]}
        words = {did: word for did in self._names if (word := self._word(did))}
        waiting = tuple(did for did in counting if did not in roles and self._is_waiting(did))
        hosts = tuple(self._host(did) for did in self._names)
        return Group(
            self._founded.digest, said["name"], said["handle"], said["open"], hosts, self._hosting(words),
            dict(sorted(roles.items())), waiting, words, frozenset({*self._people(), *self._voices}),
            self._steered(roles),
        )  # fmt: skip

    def _people(self) -> list[str]:
        return sorted({self._founder, *self._moves, *self._roles})

    def _acts(self, places: Sequence[int], view: int | None) -> Iterator[tuple[int, Act]]:
        """Those of these that somebody had seen who said the act at `view`; all of them where there is none."""
        for at in places:
            if view is None or self._sight.saw(view, at):
                yield at, self._sight.acts[at]

    def _last(self, places: Sequence[int], view: int | None) -> list[Act]:
        """Those that none of the others had seen."""
        found = list(self._acts(places, view))
        return [act for at, act in found if not any(self._sight.saw(other, at) for other, _ in found)]

    def _is_in(self, did: str, view: int | None) -> bool:
        """By its own word; whoever founded the group began in it."""
        last = self._last(self._moves.get(did, ()), view)
        if not last:
            return did == self._founder
        return all(act.kind == GROUP_JOIN for act in last)

    def _role(self, did: str, view: int | None) -> str | None:
        """What it does in the group; nothing where it is not in it, "none" where it was taken out."""
        if not self._is_in(did, view):
            return None
        given = self._last(self._roles.get(did, ()), view)
        if given:
            return min((str(act.says["role"]) for act in given), key=_ORDER.__getitem__)
        if did == self._founder:
            return COORDINATOR
        return MEMBER if self._founded.says["open"] else None

    def _coordinates(self, did: str, view: int) -> bool:
        if self._role(did, view) == COORDINATOR:
            return True
        if any(self._role(each, view) == COORDINATOR for each in self._people()):
            return False
        inside = (each for each in self._names if self._role(each, view) not in (None, NONE))
        return next(inside, "") == did

    def _is_waiting(self, did: str) -> bool:
        return self._is_in(did, None) and (self._role(did, None) is None or bool(self._asked_again(did)))

    def _asked_again(self, did: str) -> list[int]:
        """Joined anew in view of having been taken out."""
        out = [at for at, act in self._acts(self._roles.get(did, ()), None) if act.says["role"] == NONE]
        joins = [at for at, act in self._acts(self._moves.get(did, ()), None) if act.kind == GROUP_JOIN]
        return [at for at in joins if any(self._sight.saw(at, each) for each in out)]

    def _steered(self, roles: Mapping[str, str]) -> frozenset[str]:
        given = (self._sight.acts[at] for places in self._roles.values() for at in places)
        now = (did for did, role in roles.items() if role in STEERS)
        were = {str(act.says["who"]) for act in given if act.says["role"] in STEERS}
        return frozenset({self._founder, self._founded.author, *now, *were, *map(self._sight.now, were)})

    def _host(self, member: str) -> Host:
        last = self._last(self._hosts.get(member, ()), None)
        if not last:
            return Host(member, "", "")
        act = min(last, key=lambda each: each.digest)
        return Host(member, act.says["did"], act.says["handle"])

    def _word(self, did: str) -> str:
        last = self._last(self._words.get(did, ()), None)
        return self._sight.now(last[0].says["who"]) if len(last) == 1 else ""

    def _hosting(self, words: Mapping[str, str]) -> str:
        others = [did for did in self._names[1:] if self._sight.counts(did)]
        for did in self._names:
            named = sum(words.get(each) == did for each in others)
            if 2 * named > len(others) and self._sight.counts(did):
                return did
        return next((did for did in (self._names[0], *others) if self._sight.counts(did)), "")

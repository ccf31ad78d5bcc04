"""The coverage board of an alert: who has it, as far as anybody can know.

Rules, in order, for each member:

1. *proven*: the newest head of our log that it signed reaches the last word of the alert;
2. *waiting*: a word of the alert is not taken yet and is tried again;
3. *taken*: its server answered yes to all that it was sent, or it signed a receipt (that is *proven* too);
4. *earlier*: its signed head reaches some word of the alert, and not the last;
5. *failed*: it was given up; its own comparison of heads may still bring it;
6. *unasked*: no delivery is on record. Whoever became a member later, or was told longer than a week ago.

A follower's server says no more than that it took the words; who follows from there is nobody's business but ours.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

PROVEN, TAKEN, EARLIER, WAITING, FAILED, UNASKED = "proven", "taken", "earlier", "waiting", "failed", "unasked"
STATES = (PROVEN, TAKEN, EARLIER, WAITING, FAILED, UNASKED)
UNREACHABLE, BUSY, GONE, REFUSED, BROKEN, FROZEN = "unreachable", "busy", "gone", "refused", "broken", "frozen"
WHYS = (UNREACHABLE, BUSY, GONE, REFUSED, BROKEN, FROZEN)
_DONE, _OPEN = "done", "waiting"
_BUSY = (408, 425, 429, 503)
_NOBODY = (0, 502, 504, 599)
"""Nothing was answered (599, as deliveries write it down), or only by what stands before a server."""

Place = tuple[int, int]
"""(epoch, sequence) in our log."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How one delivery of one word of the alert stands."""

    inbox: str
    host: str
    state: str
    """`waiting`, `done` or `failed`."""
    attempts: int
    due: datetime
    settled: datetime | None
    """When it was tried last."""
    status: int
    """What was answered last; 0 where nothing was."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far our log goes at a member, by its own signed word."""

    place: Place
    seen: datetime
    """When that word came."""


@dataclass(frozen=True, slots=True)
class Party:
    """A member that the alert is for."""

    did: str
    name: str
    host: str
    inbox: str
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One member on the board."""

    did: str
    name: str
    host: str
    state: str
    why: str = ""
    """Of `WHYS`; empty where nothing hinders."""
    since: datetime | None = None
    next_try: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Server:
    """One server of followers."""

    host: str
    followers: int
    state: str
    why: str = ""
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who has an alert."""

    lines: tuple[Line, ...]
    servers: tuple[Server, ...]

    @property
    def holding(self) -> tuple[Line, ...]:
        """Members who have its last word: by their own signature, or as their server answered."""
        return tuple(each for each in self.lines if each.state in (PROVEN, TAKEN))

    @property
    def lacking(self) -> tuple[Line, ...]:
        """The others."""
        return tuple(each for each in self.lines if each.state not in (PROVEN, TAKEN))

    @property
    def held(self) -> int:
        """How many have it."""
        return len(self.holding)

    @property
    def proven(self) -> int:
        """Those of them who signed for it."""
        return sum(each.state == PROVEN for each in self.lines)

    @property
    def counts(self) -> dict[str, int]:
        """State → how many servers of followers."""
        found = Counter(each.state for each in self.servers)
        return {state: found[state] for state in STATES if found[state]}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known, before it is judged."""

    parties: Sequence[Party]
    sent: Iterable[Sent]
    reached: Mapping[str, Reach] = field(default_factory=dict)
    """did → its newest signed head of our log."""
    words: Sequence[Place] = ()
    """Where the alert's words stand in our log; empty for what is sealed."""
    receipts: Mapping[str, datetime] = field(default_factory=dict)
    """did → when it signed that the last letter is there."""
    followers: Mapping[str, int] = field(default_factory=dict)
    """host → how many follow us from there."""
    targets: Collection[str] = ()
    """The followers' inboxes."""


def board(facts: Facts) -> Coverage:
    """The whole board: who does not have it first."""
    sent: dict[str, list[Sent]] = {}
    for each in facts.sent:
        sent.setdefault(each.inbox, []).append(each)
    lines = [_line(party, sent.get(party.inbox, []), facts) for party in facts.parties]
    lines.sort(key=lambda each: (-STATES.index(each.state), each.name, each.did))
    by_host: dict[str, list[Sent]] = {}
    for inbox in facts.targets:
        for each in sent.get(inbox, ()):
            by_host.setdefault(each.host, []).append(each)
    servers = [_server(host, tries, facts.followers.get(host, 0)) for host, tries in by_host.items()]
    servers.sort(key=lambda each: (-STATES.index(each.state), each.host))
    return Coverage(tuple(lines), tuple(servers))


def why(status: int) -> str:
    """What an answer means that was no yes."""
    if status in _NOBODY:
        return UNREACHABLE
    if status in _BUSY:
        return BUSY
    if status in (404, 410):
        return GONE
    return REFUSED if status < 500 else BROKEN


def _line(party: Party, sent: Sequence[Sent], facts: Facts) -> Line:
    state, reason, since, next_try, tries = _tried(sent)
    reach, frozen = facts.reached.get(party.did), FROZEN if party.frozen else ""
    if party.did in facts.receipts:
        return Line(party.did, party.name, party.host, PROVEN, frozen, facts.receipts[party.did], None, tries)
    if reach is not None and facts.words and reach.place >= max(facts.words):
        return Line(party.did, party.name, party.host, PROVEN, frozen, reach.seen, None, tries)
    early = reach is not None and any(reach.place >= each for each in facts.words)
    if early and state in (FAILED, UNASKED):
        state, since = EARLIER, reach.seen if reach else None
    return Line(party.did, party.name, party.host, state, reason or frozen, since, next_try, tries)


def _server(host: str, sent: Sequence[Sent], followers: int) -> Server:
    state, reason, _, next_try, _ = _tried(sent)
    return Server(host, followers, state, reason, next_try)


def _tried(sent: Sequence[Sent]) -> tuple[str, str, datetime | None, datetime | None, int]:
    """(state, why, since, next try, tries) of all that one inbox was owed."""
    tries = max((each.attempts for each in sent), default=0)
    since = max((each.settled for each in sent if each.settled is not None), default=None)
    late = [each for each in sent if each.state == _OPEN]
    if late:
        last = max(late, key=lambda each: each.attempts)
        return WAITING, why(last.status) if last.attempts else "", since, min(each.due for each in late), tries
    if not sent:
        return UNASKED, "", None, None, 0
    lost = [each for each in sent if each.state != _DONE]
    if lost:
        return FAILED, why(lost[-1].status), since, None, tries
    return TAKEN, "", since, None, tries

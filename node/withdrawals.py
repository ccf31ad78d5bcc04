"""The board of a withdrawal: what each server did with it, as far as anybody can know.

Rules, in order, for each server:

1. *confirmed*: every member that lives there signed, for each of our words, that nothing is shown any more; and that
   the bytes are destroyed, where all of them said that too;
2. *waiting*: something is not taken yet and is tried again;
3. *accepted*: it answered yes to everything. Servers of Mastodon's kind say no more than that;
4. *silent*: it was given up, or there is nothing that it was ever asked.

What was saved, photographed or found by a search engine stands on no board.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

CONFIRMED, ACCEPTED, WAITING, SILENT = "confirmed", "accepted", "waiting", "silent"
STATES = (CONFIRMED, ACCEPTED, WAITING, SILENT)


@dataclass(frozen=True, slots=True)
class Try:
    """How one delivery of what takes a text back stands."""

    said: str
    """The id of our word."""
    host: str
    state: str
    """`waiting`, `done` or `failed`."""
    attempts: int
    due: datetime
    settled: datetime | None
    """When it was tried last."""


@dataclass(frozen=True, slots=True)
class Word:
    """A member's signed word that it obeys."""

    said: str
    by: str
    received: datetime
    destroyed: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member that was asked."""

    did: str
    name: str
    host: str


@dataclass(frozen=True, slots=True)
class Server:
    """One line of the board."""

    host: str
    members: tuple[Member, ...]
    followers: int
    """How many followers' inboxes are there; who they are is not said."""
    state: str
    since: datetime | None
    destroyed: datetime | None
    """When the last member there said that the bytes are gone."""
    next_try: datetime | None
    asked_again: int


def board(
    said: Collection[str], tries: Iterable[Try], words: Iterable[Word], members: Iterable[Member],
    followers: Mapping[str, int],
) -> tuple[Server, ...]:  # fmt: skip
    """Every server that was asked, members' first; within each those that are not done first.

    Args:
        said: ids of our words.
        followers: host → how many follow us from there.
    """
    tried: dict[str, list[Try]] = {}
    for each in tries:
        tried.setdefault(each.host, []).append(each)
    lives: dict[str, list[Member]] = {}
    for member in members:
        lives.setdefault(member.host, []).append(member)
    given = {(word.by, word.said): word for word in words}
    found = [
        _server(host, said, tried.get(host, []), tuple(lives.get(host, ())), given, followers.get(host, 0))
        for host in tried.keys() | lives.keys()
    ]
    return tuple(sorted(found, key=lambda each: (not each.members, -STATES.index(each.state), each.host)))


def counts(servers: Iterable[Server]) -> dict[str, int]:
    """How many servers are in each state."""
    found = dict.fromkeys(STATES, 0)
    for each in servers:
        found[each.state] += 1
    return found


def _server(
    host: str, said: Collection[str], tries: list[Try], members: tuple[Member, ...],
    given: Mapping[tuple[str, str], Word], followers: int,
) -> Server:  # fmt: skip
    words = [given.get((member.did, each)) for member in members for each in said]
    again = max((each.attempts for each in tries), default=1) - 1
    state, since, destroyed, next_try = SILENT, None, None, None
    signed = [word for word in words if word is not None]
    if words and len(signed) == len(words):
        state, since = CONFIRMED, max(word.received for word in signed)
        gone = [word.destroyed for word in signed if word.destroyed is not None]
        destroyed = max(gone) if len(gone) == len(words) else None
    elif any(each.state == "waiting" for each in tries):
        state, next_try = WAITING, min(each.due for each in tries if each.state == "waiting")
    elif tries and all(each.state == "done" for each in tries):
        state, since = ACCEPTED, max((each.settled for each in tries if each.settled is not None), default=None)
    else:
        since = max((each.settled for each in tries if each.settled is not None), default=None)
    return Server(host, members, followers, state, since, destroyed, next_try, max(again, 0))

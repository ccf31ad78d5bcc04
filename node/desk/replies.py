"""What reviewers do with the replies that are held: read, judge, ask a colleague, keep as evidence, destroy.

`secrets` are those of the room of approvals, of an open session. Whoever acts says by `version` which state of the row
they saw. That somebody read something is written down nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from node import replies as rules
from node import reply_notes, reply_reviews
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids, sealing
from node.models import audit, people, replies, rooms
from node.models.replies import BlockRow, ReplyRow
from node.moments import hour_of
from node.people import APPROVALS, Person
from node.replies import Received
from node.reply_notes import Words
from node.reply_reviews import Review

ACT = "replies"
"""What a role must allow."""
_MOST = 100
_ROOM = "nobody holds the key of drafts and approvals"


@dataclass(frozen=True, slots=True)
class Line:
    """One reply in a list: nothing of what it says."""

    row: ReplyRow
    suspect: bool
    """It may hold a threat."""
    mine: bool
    """Whoever is in session is asked to look at it."""


@dataclass(frozen=True, slots=True)
class Board:
    """What is held, as far as a session opens it."""

    mine: tuple[Line, ...]
    by_state: dict[str, tuple[Line, ...]]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Opened:
    """One reply with all that is known of it."""

    row: ReplyRow
    received: tuple[Received, ...]
    """Every version, oldest first."""
    words: tuple[Words, ...]
    review: Review
    author: str
    """The id of who wrote it."""
    host: str

    @property
    def suspect(self) -> bool:
        """Whether any version may hold a threat, or somebody said that it does."""
        return self.row.state == rules.THREAT or any(each.suspect for each in self.words)

    @property
    def blocks(self) -> dict[str, str]:
        """What a block of its author, or of their host, is about."""
        return {"author": ids.canonical(self.author), "host": self.host}


@dataclass(frozen=True, slots=True)
class Blocked:
    """An account or a server whose replies are refused."""

    tag: str
    made: datetime
    name: str


def board(connection: Connection, person: Person, secrets: Sequence[str]) -> Board:
    """Everything that is held, the newest first; what somebody is asked to look at comes first."""
    org = person.org
    mine = [row for row in replies.asked_of(connection, org, _MOST) if _asks(row, person.id, secrets)]
    names = {row.name for row in mine}
    found = {
        state: [row for row in replies.all_of(connection, org, state, _MOST) if row.name not in names]
        for state in rules.STATES
    }
    waiting = [row.name for row in (*mine, *found[rules.WAITING])]
    sealed = replies.sealed_of(connection, org, waiting)

    def line(row: ReplyRow) -> Line:
        suspect = row.state == rules.THREAT or _is_suspect(sealed.get(row.name, ()), secrets)
        return Line(row, suspect, row.name in names)

    return Board(
        mine=tuple(line(row) for row in mine),
        by_state={state: tuple(line(row) for row in rows) for state, rows in found.items()},
        counts=replies.counts(connection, org),
    )


def open_reply(connection: Connection, org: str, name: str, secrets: Sequence[str]) -> Opened:
    """One reply.

    Raises:
        RefusedError: there is none of this name, or these secrets do not open it.
    """
    row = replies.find(connection, org, name)
    if row is None:
        raise RefusedError("no such reply is held here: it was destroyed, or its author deleted it")
    try:
        found = tuple(
            rules.parse_received(sealing.open_sealed(each, secrets))
            for each in replies.sealed_of(connection, org, [name]).get(name, ())
        )
        review = _review(row, secrets)
    except ProtocolError as error:
        raise RefusedError("this session does not open it: a colleague who holds the key must give it") from error
    words = tuple(reply_notes.parse(each.raw) for each in found)
    last = found[-1]
    return Opened(row, found, words, review, reply_notes.author_of(last.raw), last.host)


def judge(
    connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int, verdict: str, now: datetime
) -> None:
    """Somebody says what it is.

    Raises:
        RefusedError: no such verdict, or somebody else was faster.
    """
    held = seen(connection, by, secrets, name, version)
    review = reply_reviews.judge(held.review, by.id, verdict, now)
    state = reply_reviews.standing(review, held.row.state)
    due = held.row.due if state == held.row.state else rules.due(state, held.row.hour, now)
    save(connection, by, replace(held.row, state=state, due=due), review)
    note(connection, by, "reply.judge", name, now)


def ask(
    connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int, whom: str, now: datetime
) -> None:
    """A colleague is asked to look as well.

    Raises:
        RefusedError: nobody who may, or somebody else was faster.
    """
    held = seen(connection, by, secrets, name, version)
    if whom not in {each.id for each in colleagues(connection, by)}:
        raise RefusedError("choose a colleague who reviews replies")
    save(connection, by, held.row, reply_reviews.ask(held.review, by.id, whom))
    note(connection, by, "reply.ask", name, now)


def keep(
    connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int, now: datetime
) -> str:
    """Keep it as evidence: sealed, until two people want it destroyed. Returns the digest that the audit trail notes.

    Raises:
        RefusedError: it is evidence already, or somebody else was faster.
    """
    held = seen(connection, by, secrets, name, version)
    if held.row.state == rules.EVIDENCE:
        raise RefusedError("it is kept as evidence already")
    digest = rules.exhibit(held.received)
    save(connection, by, replace(held.row, state=rules.EVIDENCE, due=None), held.review)
    note(connection, by, "reply.evidence", f"{name}:{digest}", now)
    return digest


def destroy(
    connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int, now: datetime
) -> bool:
    """Somebody wants it destroyed; says whether they were the second, and it is.

    Raises:
        RefusedError: they said so before, or somebody else was faster.
    """
    held = seen(connection, by, secrets, name, version)
    review = reply_reviews.want_destroyed(held.review, by.id)
    if reply_reviews.is_destroyed(review):
        replies.destroy(connection, by.org, held.row, now)
    else:
        save(connection, by, held.row, review)
    note(connection, by, "reply.destroy", name, now)
    return reply_reviews.is_destroyed(review)


def colleagues(connection: Connection, person: Person) -> tuple[Person, ...]:
    """Who else reviews replies here and holds the key."""
    held = rooms.holders(connection, person.org, APPROVALS)
    return tuple(
        each
        for each in people.all_of(connection, person.org)
        if each.id != person.id and each.id in held and each.may(ACT)
    )


# --- who is blocked -----------------------------------------------------------------------------------------------


def block(connection: Connection, by: Person, blocked: str, now: datetime) -> None:
    """Refuse replies of this account or host from now on.

    Raises:
        RefusedError: nobody could open the list.
    """
    tag = rules.block_tag(replies.make_salt(connection, by.org), blocked)
    row = BlockRow(tag, hour_of(now), sealing.seal(blocked.encode(), (_recipient(connection, by.org),)))
    replies.block(connection, by.org, row)
    note(connection, by, "reply.block", tag.hex(), now)


def unblock(connection: Connection, by: Person, tag: str, now: datetime) -> None:
    """Take their replies again.

    Raises:
        RefusedError: they are not blocked.
    """
    try:
        found = replies.unblock(connection, by.org, bytes.fromhex(tag))
    except ValueError:
        found = False
    if not found:
        raise RefusedError("nobody of this name is blocked")
    note(connection, by, "reply.unblock", tag, now)


def blocked(connection: Connection, org: str, secrets: Sequence[str]) -> tuple[Blocked, ...]:
    """Every block, with its name as far as these secrets open it."""
    found = []
    for row in replies.blocks_of(connection, org):
        try:
            name = sealing.open_sealed(row.sealed, secrets).decode()
        except ProtocolError:
            name = ""
        found.append(Blocked(row.tag.hex(), row.made, name))
    return tuple(found)


def seen(connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int) -> Opened:
    """One reply, as whoever acts saw it.

    Raises:
        RefusedError: their roles do not allow it, they cannot open it, or somebody else was faster.
    """
    if not by.may(ACT):
        raise RefusedError("your roles do not allow this")
    found = open_reply(connection, by.org, name, secrets)
    if found.row.version != version:
        raise RefusedError("somebody else changed this reply meanwhile: open it again")
    return found


def save(connection: Connection, by: Person, row: ReplyRow, review: Review) -> None:
    """Replace a row by its next version, with what was said of it sealed anew.

    Raises:
        RefusedError: somebody else was faster, or nobody could open it.
    """
    sealed = sealing.seal(review.render(), (_recipient(connection, by.org),))
    replies.save(connection, by.org, replace(row, review=sealed, asked=bool(review.asked)))


def _recipient(connection: Connection, org: str) -> str:
    found = rooms.recipient(connection, org, APPROVALS)
    if found is None:
        raise RefusedError(_ROOM)
    return found


def _review(row: ReplyRow, secrets: Sequence[str]) -> Review:
    return reply_reviews.parse_review(sealing.open_sealed(row.review, secrets)) if row.review else Review()


def _asks(row: ReplyRow, person: str, secrets: Sequence[str]) -> bool:
    try:
        return _review(row, secrets).asked == person
    except ProtocolError:
        return False


def _is_suspect(sealed: Sequence[bytes], secrets: Sequence[str]) -> bool:
    try:
        opened = [rules.parse_received(sealing.open_sealed(each, secrets)) for each in sealed]
    except ProtocolError:
        return False
    return any(reply_notes.parse(each.raw).suspect for each in opened)


def note(connection: Connection, by: Person, act: str, subject: str, now: datetime) -> None:
    """Write down what somebody did; that they read something is no act."""
    audit.append(connection, by.org, act, subject, now, person=by.id, role=by.role_for(ACT))

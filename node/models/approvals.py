"""What waits for a second word: requests, the words that were said, and the sisters who may be asked.

The text to be published is sealed to a key of its own (`package`); what whoever approves is shown, with that key, is
sealed to the room "approvals" (`brief`). `release` holds the key in the clear only from the last word that was needed
until it is published: a second, or up to an hour where it is sent at some moment of the next one. What is held back
until some day (R8) has no key in the clear: somebody in session sends it when its time has come.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from node import approvals as rules
from node.approvals import Request, Word
from node.models.base import Instant, metadata

requests = Table(
    "approval_requests",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("author", String(40), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("needed", Integer, nullable=False),
    Column("sister", Boolean, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("made", Instant, nullable=False),
    Column("thread", String(40), nullable=False),
    Column("replaces", Text, nullable=False),
    Column("package", LargeBinary),
    Column("brief", LargeBinary),
    Column("release", Text),
    Column("due", Instant),
    Column("spread", Boolean, nullable=False),
    Column("review_by", Instant),
    Column("outcome", Text, nullable=False),
    Index("ix_approval_requests_state", "state", "due"),
)
words = Table(
    "approval_words",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("request", String(40), primary_key=True),
    Column("by_org", String(80), primary_key=True),
    Column("by", String(80), primary_key=True),
    Column("verdict", String(3), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("ticks", Text, nullable=False),
    Column("made", Instant, nullable=False),
)
standbys = Table(
    "standbys",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("since", Instant, nullable=False),
)
looks = Table(
    "approval_looks",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("thread", String(40), primary_key=True),
    Column("request", String(40), nullable=False),
)

MOST_STANDBYS = 2


@dataclass(frozen=True, slots=True)
class Row:
    """A request with what is sealed beside it."""

    request: Request
    thread: str
    """The first request of one text; a changed text is another request in the same thread."""
    replaces: str
    """The alert that this is an update of; empty for a new one."""
    package: bytes | None
    brief: bytes | None
    release: str | None
    due: datetime | None
    """While it waits: until when it is held back. Once it is ready: when it is sent, or may be."""
    spread: bool
    review_by: datetime | None
    """An emergency was published; until then a sister looks at it."""
    outcome: str
    """The id of what was published, or why it was not."""

    @property
    def held(self) -> bool:
        """Whether it has enough words and waits for its day, or for somebody to send it then."""
        return self.request.state == rules.READY and self.release is None


def add(connection: Connection, org: str, row: Row) -> None:
    """Keep a request."""
    asked = row.request
    connection.execute(
        insert(requests).values(
            org=org, id=asked.id, author=asked.author, digest=asked.digest, needed=asked.needed, sister=asked.sister,
            subjects=" ".join(sorted(asked.subjects)), state=asked.state, urgent=asked.urgent, made=asked.made,
            thread=row.thread, replaces=row.replaces, package=row.package, brief=row.brief, release=row.release,
            due=row.due, spread=row.spread, review_by=row.review_by, outcome=row.outcome,
        )
    )  # fmt: skip


def find(connection: Connection, org: str, request: str) -> Row | None:
    """One request."""
    row = connection.execute(select(requests).where(requests.c.org == org, requests.c.id == request)).first()
    return _row(row) if row else None


def of_state(connection: Connection, org: str, *states: str) -> tuple[Row, ...]:
    """Requests in these states, newest first."""
    query = select(requests).where(requests.c.org == org, requests.c.state.in_(states))
    return tuple(_row(row) for row in connection.execute(query.order_by(requests.c.made.desc(), requests.c.id)))


def of_thread(connection: Connection, org: str, thread: str) -> tuple[Row, ...]:
    """Every version of one text, oldest first."""
    query = select(requests).where(requests.c.org == org, requests.c.thread == thread)
    return tuple(_row(row) for row in connection.execute(query.order_by(requests.c.made, requests.c.id)))


def due(connection: Connection, now: datetime) -> tuple[tuple[str, Row], ...]:
    """What may be published now, with whose it is."""
    query = select(requests).where(
        requests.c.state == rules.READY, requests.c.due <= now, requests.c.release.is_not(None)
    )
    return tuple((row.org, _row(row)) for row in connection.execute(query.order_by(requests.c.due)))


def stale(connection: Connection, now: datetime) -> int:
    """Requests that nobody answered end, and their texts go."""
    where = (requests.c.state == rules.WAITING) & (requests.c.made < now - rules.PATIENCE)
    values = {"state": rules.STALE, "package": None, "brief": None, "release": None}
    return connection.execute(update(requests).where(where).values(**values)).rowcount


def make_ready(connection: Connection, org: str, row: Row, release: str, now: datetime, moment: datetime) -> None:
    """Enough was said: it is published at this moment, or sent by somebody when it is held back no more."""
    if row.due is not None and now < row.due:
        _change(connection, org, row.request.id, state=rules.READY, release=None)
    else:
        _change(connection, org, row.request.id, state=rules.READY, release=release, due=moment)


def settle(connection: Connection, org: str, request: str, state: str, outcome: str = "") -> None:
    """It is over; what opens the text is forgotten, and the text with it."""
    _change(connection, org, request, state=state, outcome=outcome, release=None, package=None)


def void(connection: Connection, org: str, thread: str) -> int:
    """Whatever waits in a thread, or has enough words and is not sent yet, is void; returns how much that was."""
    open_ = (requests.c.thread == thread) & requests.c.state.in_((rules.WAITING, rules.READY))
    values = {"state": rules.CANCELLED, "package": None, "release": None}
    return connection.execute(update(requests).where(requests.c.org == org, open_).values(**values)).rowcount


def forget(connection: Connection, org: str, thread: str) -> None:
    """What was shown to others goes as well: the case that it was of is deleted (R17)."""
    of_thread = (requests.c.org == org) & (requests.c.thread == thread)
    connection.execute(update(requests).where(of_thread).values(package=None, brief=None, release=None))


def want_review(connection: Connection, org: str, request: str, until: datetime | None) -> None:
    """An emergency is to be looked at until then; `None`: it was."""
    _change(connection, org, request, review_by=until)


def to_review(connection: Connection, org: str) -> tuple[Row, ...]:
    """Emergencies that no sister has looked at yet, the one whose time is over first in front."""
    query = select(requests).where(requests.c.org == org, requests.c.review_by.is_not(None))
    return tuple(_row(row) for row in connection.execute(query.order_by(requests.c.review_by, requests.c.id)))


def add_word(connection: Connection, org: str, request: str, word: Word) -> None:
    """Keep what somebody said. Why they said no is in the letter or the history, not here."""
    connection.execute(
        insert(words).values(
            org=org, request=request, by_org=word.org, by=word.by, verdict=word.verdict, digest=word.digest,
            ticks=" ".join(sorted(word.ticks)), made=word.made,
        )
    )  # fmt: skip


def words_of(connection: Connection, org: str, request: str) -> tuple[Word, ...]:
    """Everything that was said of a request, in order."""
    query = select(words).where(words.c.org == org, words.c.request == request).order_by(words.c.made, words.c.by)
    return tuple(
        Word(row.by_org, row.by, row.verdict, row.digest, frozenset(row.ticks.split()), "", row.made)
        for row in connection.execute(query)
    )


def set_standbys(connection: Connection, org: str, dids: tuple[str, ...], now: datetime) -> None:
    """The sister organisations whose approvers may be asked, in place of those before."""
    connection.execute(delete(standbys).where(standbys.c.org == org))
    for did in dict.fromkeys(dids):
        connection.execute(insert(standbys).values(org=org, did=did, since=now))


def standbys_of(connection: Connection, org: str) -> tuple[str, ...]:
    """Their dids."""
    query = select(standbys.c.did).where(standbys.c.org == org).order_by(standbys.c.since, standbys.c.did)
    return tuple(connection.execute(query).scalars())


def look(connection: Connection, org: str, person: str, thread: str, request: str) -> str:
    """A person looks at a version of a text; returns the version they looked at before, empty the first time."""
    where = (looks.c.org == org) & (looks.c.person == person) & (looks.c.thread == thread)
    before = connection.execute(select(looks.c.request).where(where)).scalar()
    if before is None:
        connection.execute(insert(looks).values(org=org, person=person, thread=thread, request=request))
    elif before != request:
        connection.execute(update(looks).where(where).values(request=request))
    return before or ""


def open_of(connection: Connection, org: str, person: str) -> tuple[str, ...]:
    """The ids of requests of a person that wait: what is handed on when they are disabled."""
    where = (requests.c.org == org) & (requests.c.author == person) & (requests.c.state == rules.WAITING)
    return tuple(connection.execute(select(requests.c.id).where(where)).scalars())


def withdraw_words(connection: Connection, org: str, person: str) -> int:
    """What a person of ours said counts no more where it has not gone out: they were disabled. What had enough with
    theirs waits again.
    """
    mine = (words.c.org == org) & (words.c.by_org == org) & (words.c.by == person)
    ready = (requests.c.org == org) & (requests.c.state == rules.READY)
    again = ready & requests.c.id.in_(select(words.c.request).where(mine))
    back = {"state": rules.WAITING, "release": None, "review_by": None}
    held = requests.c.release.is_(None)
    connection.execute(update(requests).where(again & ~held).values(**back, due=None))
    connection.execute(update(requests).where(again & held).values(**back))
    waiting = select(requests.c.id).where(requests.c.org == org, requests.c.state == rules.WAITING)
    return connection.execute(delete(words).where(mine & words.c.request.in_(waiting))).rowcount


def hand_over(connection: Connection, org: str, person: str, to: str) -> int:
    """Requests of somebody who was disabled become another's, who then does not approve them."""
    where = (requests.c.org == org) & (requests.c.author == person) & (requests.c.state == rules.WAITING)
    return connection.execute(update(requests).where(where).values(author=to)).rowcount


def _change(connection: Connection, org: str, request: str, **values: object) -> None:
    connection.execute(update(requests).where(requests.c.org == org, requests.c.id == request).values(**values))


def _row(row: Any) -> Row:
    asked = Request(
        id=row.id, author=row.author, digest=row.digest, needed=row.needed, sister=row.sister,
        subjects=frozenset(row.subjects.split()), state=row.state, urgent=row.urgent, made=row.made,
    )  # fmt: skip
    return Row(
        asked, row.thread, row.replaces, row.package, row.brief, row.release, row.due, row.spread, row.review_by,
        row.outcome,
    )  # fmt: skip

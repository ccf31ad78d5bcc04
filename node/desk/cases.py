"""What case workers do with cases, while somebody's session holds the room's secrets.

A case is opened, judged, changed and sealed again within one transaction; a row that was changed meanwhile is refused.
`recipient` is the public half of the room "cases", `secrets` are its secret halves, handed in by whoever has a session.
The clock's part (`lapse_due`) opens nothing: what lapsed stops, what lapsed thirty days ago is deleted.
"""

import secrets as randomness
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import cases as rules
from node import consents
from node.case_terms import CASE_WORKER, COORDINATOR
from node.cases import Approval, Ask, Audit, Case, No, Who
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import sealing
from node.federation.protocol.messages import JsonObject
from node.models import approvals, cases, deliveries, logs
from node.models.cases import CaseRow
from node.moments import hour_of

THREAD_KEPT = timedelta(days=30)
"""So long after the end of its case a thread can still be read by whoever asked."""
_WAIT = ("review", "embargo")
"""States in which others are asked to look at the text."""
_ENDS = (rules.CLOSED, rules.LESSONS, "declined", "referred", rules.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Room:
    """The keys of the room "cases" as one session holds them."""

    recipient: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Voice:
    """How a case becomes public, and is taken back; whoever calls decides through which door."""

    publish: Callable[[JsonObject, str], str]
    """(what `alerts.parse_input` takes, the id of the alert that it replaces or empty) → the alert's id."""
    withdraw: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was opened, with the version to save it by."""

    case: Case
    version: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The cases of an organisation, as far as these secrets open them."""

    opened: tuple[Opened, ...]
    unreadable: tuple[str, ...]
    """Ids of rows that do not open, or do not hold together: somebody should ask why."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act."""

    opened: Opened
    audit: Audit


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What the clock did."""

    stopped: int
    deleted: int
    withdraw: tuple[tuple[str, str, str], ...]
    """(organisation, case, alert): alerts that must be taken back with the organisation's key; then `finish`."""


def create(
    connection: Connection, org: str, recipient: str, ask: Ask, now: datetime, *, promised: bool = False
) -> str:
    """A new case from a first word; returns its id. Needs nobody's secret."""
    case = rules.opened(name(), ask, now)
    if not promised:
        case = replace(case, promised=None)
    cases.add(connection, org, _row(case, 1, recipient, now))
    return case.id


def name() -> str:
    """128 random bits."""
    return randomness.token_hex(16)


def open_case(connection: Connection, org: str, case: str, secrets: Sequence[str]) -> Opened:
    """Read one case.

    Raises:
        RefusedError: there is none.
        ProtocolError: it cannot be opened with these secrets, or does not hold together.
    """
    row = cases.find(connection, org, case)
    if row is None or not row.sealed:
        raise RefusedError("no such case")
    return _opened(row, secrets)


def list_cases(connection: Connection, org: str, secrets: Sequence[str]) -> Listing:
    """Every case, the most pressing first. One that cannot be opened hides no other."""
    found: list[Opened] = []
    unreadable: list[str] = []
    for row in cases.all_of(connection, org):
        try:
            if row.sealed:
                found.append(_opened(row, secrets))
        except ProtocolError:
            unreadable.append(row.id)
    return Listing(tuple(found), tuple(unreadable))


def opening(connection: Connection, org: str, secrets: Sequence[str]) -> Iterator[Opened | None]:
    """Every case, the newest first, each opened as it is asked for; `None` for one that does not open."""
    for row in sorted(cases.all_of(connection, org), key=lambda each: each.opened, reverse=True):
        try:
            yield _opened(row, secrets) if row.sealed else None
        except ProtocolError:
            yield None


def save(
    connection: Connection, org: str, room: Room, case: Case, version: int, who: Who, now: datetime,
    voice: Voice | None = None,
) -> Done:  # fmt: skip
    """Keep what somebody wrote in a case. A consent that was lowered takes back what stands in public at once, one that
    was shortened has it say so (R1).

    Raises:
        RefusedError: somebody else changed it meanwhile; or it must be taken back and nobody can.
    """
    held = open_case(connection, org, case.id, room.secrets)
    _check_version(held, version)
    changed = _reconsidered(connection, org, held.case, rules.revise(held.case, case, who, now), who, now)
    if rules.unsupported(changed, now):
        _withdraw(changed, voice)
        changed = replace(changed, state=rules.WITHDRAWN, alert="", due=None).did("clock", "withdraw", now)
        approvals.void(connection, org, case.id)
    elif rules.ends_earlier(held.case, changed, now):
        if voice is None or rules.digest(changed, now) != rules.digest(held.case, now):
            raise RefusedError("R1: what stands in public must end earlier: keep the consent alone, by a door that can")
        voice.publish(rules.public_alert(changed, now), changed.alert)
    return _saved(connection, org, room, changed, version, Audit(who.role, "write", case.id, now), now)


def act(
    connection: Connection, org: str, room: Room, case: str, version: int, act: str, who: Who, now: datetime,
    *, note: str = "", voice: Voice | None = None,
) -> Done:  # fmt: skip
    """Do one act of the table.

    Raises:
        RefusedError: the rules say no, each with its number; or somebody else changed the case meanwhile.
    """
    held = open_case(connection, org, case, room.secrets)
    _check_version(held, version)
    found = rules.perform(held.case, act, who, now, note)
    if isinstance(found, No):
        raise RefusedError(*found.reasons)
    changed, move = found
    if move.unpublish:
        _withdraw(changed, voice)
        changed = replace(changed, alert="")
    elif move.after == rules.PUBLISHED:
        if voice is None:
            raise RefusedError("R2: this door does not publish")
        changed = replace(changed, alert=voice.publish(rules.public_alert(changed, now), changed.alert))
    if changed.state not in (*_WAIT, "action"):  # news may wait while the case goes on
        approvals.void(connection, org, case)
    return _saved(connection, org, room, changed, version, move.audit, now)


def catch_up(connection: Connection, org: str, room: Room, held: Opened, case: Case, now: datetime) -> Opened:
    """Write down in the document what happened to the case outside of the room.

    Raises:
        RefusedError: somebody else changed the case meanwhile.
    """
    return _saved(connection, org, room, case, held.version, Audit("", "", case.id, now), now).opened


def bring(
    connection: Connection, org: str, room: Room, case: str, version: int, given: Approval, now: datetime
) -> Done:
    """Count an approval that was given outside of the room.

    Raises:
        RefusedError: of another text, or by somebody who may not; or somebody else changed the case meanwhile.
    """
    held = open_case(connection, org, case, room.secrets)
    _check_version(held, version)
    changed = rules.bring(held.case, given, now)
    if isinstance(changed, No):
        raise RefusedError(*changed.reasons)
    return _saved(connection, org, room, changed, version, Audit(given.role, "approve", case, now), now)


def answered(
    connection: Connection, org: str, room: Room, case: str, version: int, who: Who, now: datetime
) -> Done:
    """Whoever asked got an answer.

    Raises:
        RefusedError: somebody else changed the case meanwhile, or an answer is not for this role (R2).
    """
    if who.role not in (CASE_WORKER, COORDINATOR):
        raise RefusedError(f"R2: this step is for other roles ({CASE_WORKER}; {COORDINATOR})")
    held = open_case(connection, org, case, room.secrets)
    _check_version(held, version)
    changed = rules.answered(held.case, who, now)
    return _saved(connection, org, room, changed, version, Audit(who.role, "answer", case, now), now)


def lapse_due(connection: Connection, now: datetime) -> Lapsed:
    """What lapsed stops; what lapsed thirty days ago, or is past its retention, goes with its bytes. Opens nothing."""
    stopped = cases.lapsing(connection, now)
    for org, row in stopped:
        ends = consents.deletes(row.lapses or now)
        after = row.state if row.state in _ENDS else rules.LAPSED
        cases.mark(connection, org, row.id, after, min(ends, row.deletes or ends))
        approvals.void(connection, org, row.id)
        if row.alert:
            said = logs.of_object(connection, org, org, row.alert)
            deliveries.cancel(connection, org, [entry.activity_id for entry in said if entry.activity_id])
    gone = cases.deleting(connection, now)
    for org, row in gone:
        approvals.void(connection, org, row.id)
        approvals.forget(connection, org, row.id)
        if row.alert:
            cases.empty(connection, org, row.id)
        else:
            cases.remove(connection, org, row.id)
    threads = cases.drop_threads(connection, now)
    owed = tuple((org, row.id, row.alert) for org, row in gone if row.alert)
    return Lapsed(len(stopped), sum(1 for _, row in gone if row.sealed) + threads, owed)


def finish(connection: Connection, org: str, case: str) -> None:
    """The alert of a deleted case was taken back: its bare row goes too."""
    cases.remove(connection, org, case)


def _opened(row: CaseRow, secrets: Sequence[str]) -> Opened:
    case = rules.parse(sealing.open_sealed(row.sealed, secrets))
    if case.id != row.id:
        raise ProtocolError("a case that lies in another's row", spec="Tadamun case 1")
    if row.alert and not case.alert:  # published when nobody was in the room
        case = replace(case, alert=row.alert)
    if row.state == rules.PUBLISHED and case.state in _WAIT:
        case = replace(case, state=rules.PUBLISHED, due=None if case.answered else case.promised)
    if row.state == rules.LAPSED and case.state != rules.LAPSED:
        case = replace(case, state=rules.LAPSED, due=None).did("clock", "lapse", row.lapses or case.opened)
    if case.state != row.state:
        raise ProtocolError("a case whose row says another state", spec="Tadamun case 1")
    return Opened(case, row.version)


def _reconsidered(connection: Connection, org: str, before: Case, after: Case, who: Who, now: datetime) -> Case:
    """Others look at exactly one text: a request for their word is void once anything that it showed is other now."""
    same = rules.public_alert(after, now) == rules.public_alert(before, now)
    if same or not approvals.void(connection, org, before.id) or before.state not in _WAIT:
        return after
    return replace(after, state="draft", approvals=()).did(who.role, "return", now)


def _check_version(held: Opened, version: int) -> None:
    if held.version != version:
        raise RefusedError("somebody else changed this case meanwhile: open it again")


def _withdraw(case: Case, voice: Voice | None) -> None:
    if not case.alert:
        return
    if voice is None:
        raise RefusedError("R1: what stands in public must be taken back, and this door cannot")
    voice.withdraw(case.alert)


def _saved(
    connection: Connection, org: str, room: Room, case: Case, version: int, audit: Audit, now: datetime
) -> Done:
    before, made = cases.find(connection, org, case.id), _row(case, version, room.recipient, now)
    if before is not None and before.deletes is not None and made.deletes is not None:
        made = replace(made, deletes=min(before.deletes, made.deletes))  # nobody keeps a case by writing in it
    row = cases.save(connection, org, made)
    ended = case.state in _ENDS
    cases.end_thread(connection, org, case.id, rules.next_hour(now + THREAD_KEPT) if ended else None)
    return Done(Opened(case, row.version), replace(audit, hour=hour_of(audit.hour)))


def _row(case: Case, version: int, recipient: str, now: datetime) -> CaseRow:
    return CaseRow(
        id=case.id,
        state=case.state,
        version=version,
        opened=hour_of(case.opened),
        due=case.due,
        lapses=rules.lapses(case, now),
        deletes=rules.deletes(case, now),
        alert=case.alert,
        sealed=sealing.seal(rules.render(case), (recipient,)),
    )

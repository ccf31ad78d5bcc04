"""What is left of a node after crashes: its rows, read while nothing runs, and what must hold of them.

Every check is a sentence that the promise of the product makes: an entry is whole with its deliveries or not there; a
log has no gap and no fork; an activity stands in a row once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from node.models import deliveries, documents, logs, queues
from node.models.base import Database
from node.models.logs import Entry


@dataclass(frozen=True, slots=True)
class Rows:
    """One node's rows that matter here."""

    own: tuple[Entry, ...]
    theirs: tuple[Entry, ...]
    alerts: frozenset[str]
    """Canonical ids of the alerts held."""
    incoming: tuple[tuple[str, str, str], ...]
    """(activity id, state, reason) of each row that came in."""
    owed: tuple[tuple[str, str, str], ...]
    """(activity id, inbox, state) of each delivery."""
    payloads: tuple[str, ...]
    forked: frozenset[str]
    evidence: tuple[str, ...]


def rows_of(data: Path, did: str, neighbour: str) -> Rows:
    """Read a node that does not run.

    Args:
        did: whose node it is.
        neighbour: the member whose log it keeps.
    """
    database = Database(f"sqlite:///{data / 'node.sqlite'}")
    try:
        return database.read_now(lambda connection: _read(connection, did, neighbour))
    finally:
        database.close()


def check_own(rows: Rows, inbox: str) -> None:
    """What must hold of a node's own log, whenever it was killed.

    Args:
        inbox: of the only member, to which everything but the first entry is owed.
    """
    _check_line(rows.own)
    assert rows.forked == frozenset()
    assert rows.evidence == ()
    said = [str(each.activity_id) for each in rows.own if each.header.sequence > 1]
    assert sorted(name for name, _, _ in rows.owed) == sorted(said)
    assert {address for _, address, _ in rows.owed} <= {inbox}
    assert set(rows.payloads) == {each.activity_id for each in rows.own}
    assert not [row for row in rows.owed if row[2] == deliveries.FAILED]
    assert {str(each.object_id) for each in rows.own if each.type == "Create"} <= rows.alerts


def check_theirs(rows: Rows) -> None:
    """What must hold of what came in, once the neighbour was heard to the end."""
    _check_line(rows.theirs)
    assert not _twice(name for name, _, _ in rows.incoming)
    assert not [row for row in rows.incoming if row[1] in (queues.REFUSED, queues.FAILED)]
    assert {str(each.object_id) for each in rows.theirs if each.type == "Create"} <= rows.alerts


def _check_line(entries: Sequence[Entry]) -> None:
    assert [each.header.sequence for each in entries] == list(range(1, len(entries) + 1))
    assert {each.header.epoch for each in entries} <= {1}
    assert all(later.header.previous == each.digest for each, later in zip(entries, entries[1:], strict=False))
    assert not _twice(each.activity_id for each in entries)


def _twice(names: Iterable[str | None]) -> list[str | None]:
    return [name for name, count in Counter(names).items() if count > 1]


def _read(connection: Connection, did: str, neighbour: str) -> Rows:
    kept = queues.incoming.c
    owed, payload = deliveries.deliveries.c, deliveries.payloads.c
    joined = deliveries.deliveries.join(deliveries.payloads, owed.payload == payload.id)
    stored = select(documents.objects.c.id).where(documents.objects.c.type == "alert")
    return Rows(
        own=logs.read(connection, did, did, (0, 0), 100_000),
        theirs=logs.read(connection, did, neighbour, (0, 0), 100_000),
        alerts=frozenset(connection.execute(stored).scalars()),
        incoming=tuple(
            (row[0], row[1], row[2])
            for row in connection.execute(select(kept.activity_id, kept.state, kept.reason))
        ),
        owed=tuple(
            (row[0], row[1], row[2])
            for row in connection.execute(select(payload.activity_id, owed.inbox, owed.state).select_from(joined))
        ),
        payloads=tuple(connection.execute(select(payload.activity_id)).scalars()),
        forked=logs.forked(connection, did),
        evidence=tuple(each.note for each in documents.evidence_of(connection, did)),
    )

"""Receipts of what takes a text back: whoever said it learns, signed, who obeys it and where no byte is left.

One for each Delete or Release that is new here, however it came, and one more when the bytes are destroyed. Nobody is
told of what was said longer ago than an author looks at it: who catches up with years writes no letters about them.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import letters, releases
from node.effects import ReplyLetter
from node.federation.protocol import ids
from node.federation.protocol.activities import Activity
from node.models import withdrawals
from node.models.logs import Destroyed

TYPES = ("Delete", releases.TYPE)
RECENT = timedelta(days=40)


def of_taken(activity: Activity, object_id: str, now: datetime) -> tuple[ReplyLetter, ...]:
    """That nothing of it is shown here any more, said to whoever withdrew it."""
    if activity.did is None or not _is_recent(activity.value.get("published"), now):
        return ()
    return (_receipt(activity.did, object_id, activity.id, letters.TAKEN),)


def of_destroyed(connection: Connection, gone: tuple[Destroyed, ...]) -> tuple[tuple[str, ReplyLetter], ...]:
    """That the bytes are gone: (our did, what it says), once for each Delete or Release."""
    found: dict[tuple[str, str], ReplyLetter] = {}
    for each in gone:
        reply = _reply(connection, each)
        if reply is not None and reply.to != each.org:
            found[each.org, str(reply.body["of"])] = reply
    return tuple((org, reply) for (org, _), reply in found.items())


def _reply(connection: Connection, gone: Destroyed) -> ReplyLetter | None:
    if gone.object_id is None:
        return None
    by = withdrawals.delete_of(connection, gone.org, gone.did, gone.place)
    if by is not None:
        return _receipt(gone.did, gone.object_id, by, letters.DESTROYED)
    for row in withdrawals.releases_of(connection, gone.org, gone.did):
        if row.object_id == gone.object_id:
            return _receipt(row.by, gone.object_id, row.activity, letters.DESTROYED)
    return None


def _receipt(to: str, about: str, of: str, kind: str) -> ReplyLetter:
    return ReplyLetter(to, letters.RECEIPT, ids.canonical(about), {"of": of, "kind": kind})


def _is_recent(published: object, now: datetime) -> bool:
    try:
        found = datetime.fromisoformat(published) if isinstance(published, str) else None
    except ValueError:
        return False
    return found is not None and found.tzinfo is not None and now - found < RECENT

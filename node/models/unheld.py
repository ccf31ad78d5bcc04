"""Entries whose text is not to be held: the header alone stays, and the text may be asked for again."""

from sqlalchemy import Connection, delete, select, update

from node.models import logs
from node.models.logs import HELD, HIDDEN, IS_UNHELD, UNHELD, Destroyed, entries


def let_go(connection: Connection, org: str, did: str, object_id: str) -> tuple[Destroyed, ...]:
    """Of every entry of this author about one object only the header stays; says what is gone.

    A Delete has no text, and stays.
    """
    where = (entries.c.org == org) & (entries.c.did == did) & (entries.c.object_id == object_id)
    where &= entries.c.type.in_(("Create", "Update")) & entries.c.state.in_((HELD, HIDDEN))
    rows = connection.execute(select(entries.c.activity_id, entries.c.raw).where(where)).all()
    values = {"state": UNHELD, "raw": None, "destroy_after": None}
    connection.execute(update(entries).where(where).values(**values))
    return tuple(Destroyed(org, row.activity_id or "", row.raw or b"", object_id=object_id) for row in rows)


def ask_again(connection: Connection, org: str) -> int:
    """Forget the headers whose text is not held, so that catch-up brings them with it; how many there were."""
    dids = connection.execute(select(entries.c.did).where(entries.c.org == org, IS_UNHELD).distinct()).scalars().all()
    count = connection.execute(delete(entries).where(entries.c.org == org, IS_UNHELD)).rowcount
    for did in dids:
        logs.recount(connection, org, did)
    return int(count)

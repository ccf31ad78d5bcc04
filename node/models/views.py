"""One organisation's view of the world within one transaction: loaded for a batch, changed in memory, written at once.

Rules ask for facts one by one; a database asked one by one costs more than the signature. So a batch's facts are read
in a few questions, and the objects it stores are written in one.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from node.federation.protocol.activities import Activity
from node.federation.protocol.replicas import Head, Header
from node.models import contacts, deletes, documents, logs, organisations, policies, withdrawals
from node.models.contacts import Following, Member
from node.models.documents import Stored
from node.models.logs import Entry, Window
from node.models.organisations import Organisation
from node.policies import Policies


class View:
    """Facts about and for one organisation; use it within one transaction only, which it has to itself."""

    def __init__(self, connection: Connection, organisation: Organisation) -> None:
        self.connection = connection
        self.organisation = organisation
        self.org = organisation.did
        self._stored: dict[str, Stored | None] = {}
        self._followings: dict[str, Following | None] = {}
        self._members: dict[str, Member | None] = {}
        self._pending: dict[str, Stored] = {}
        self._counts: dict[str, int] = {}
        self._window: Window | None = None
        self._released: dict[str, str | None] = {}
        self._policies: Policies | None = None
        self._own: frozenset[str] = frozenset()
        organisations.take_turn(connection, organisation.did)

    def preload(self, activities: Collection[Activity]) -> None:
        """Read the facts that the rules will ask for about these activities."""
        wanted = {activity.object_id for activity in activities if activity.object_id is not None}
        actors = {activity.actor for activity in activities}
        if wanted:
            self._stored.update(dict.fromkeys(wanted))
            columns = [documents.objects.c[name] for name in Stored.__slots__]
            rows = self.connection.execute(
                select(*columns).where(documents.objects.c.org == self.org, documents.objects.c.id.in_(wanted))
            )
            self._stored.update({row.id: Stored(*row) for row in rows})
            self._released.update(dict.fromkeys(wanted))
            self._released.update(withdrawals.released(self.connection, self.org, wanted))
        if actors:
            self._followings.update(dict.fromkeys(actors))
            table = contacts.followings
            columns = [table.c[name] for name in Following.__slots__]
            rows = self.connection.execute(select(*columns).where(table.c.org == self.org, table.c.actor.in_(actors)))
            self._followings.update({row.actor: Following(*row) for row in rows})

    def preload_log(self, did: str, lowest: int, highest: int) -> None:
        """Many entries of one log are to be judged: read what is held around them, and write them together."""
        self.flush_log()
        self._window = logs.window(self.connection, self.org, did, lowest, highest)

    def head(self, did: str) -> Head | None:
        """Where a log stands, entries counted that are not written yet."""
        if self._window is not None and self._window.did == did:
            return self._window.head
        return logs.head(self.connection, self.org, did)

    def beside(self, did: str, sequence: int) -> tuple[Header, ...]:
        """The headers held for one place, of every branch."""
        if self._window is not None and self._window.did == did and self._window.holds(sequence):
            return self._window.known.get(sequence, ())
        self.flush_log()
        return logs.beside(self.connection, self.org, did, sequence)

    def withdrawal(self, did: str, place: tuple[int, int]) -> str | None:
        """The content digest that a signed Delete names for this place."""
        if self._window is not None and self._window.did == did and self._window.holds(place[1]):
            return self._window.withdrawn.get(place)
        return deletes.withdrawal(self.connection, self.org, did, place)

    def append(self, entry: Entry, *, follows: bool) -> None:
        """Keep an entry.

        Args:
            follows: it is the one after the head.
        """
        window, header = self._window, entry.header
        if (
            follows and window is not None and window.did == header.did and window.holds(header.sequence)
            and header.sequence + 1 not in window.known
        ):  # fmt: skip
            window.append(entry)
            return
        self.flush_log()
        logs.append(self.connection, self.org, entry)
        if window is not None:
            self._window = logs.window(self.connection, self.org, window.did, window.lowest, window.highest)

    def flush_log(self) -> None:
        """Write the entries that are held in memory."""
        window = self._window
        if window is not None and window.pending and window.head is not None:
            logs.append_all(self.connection, self.org, window.did, window.pending, window.head)
            window.pending = []

    def reload_log(self) -> None:
        """Others wrote to the log: look again."""
        if self._window is not None:
            self.preload_log(self._window.did, self._window.lowest, self._window.highest)

    def stored(self, object_id: str) -> Stored | None:
        """What we hold under an id."""
        if object_id not in self._stored:
            self._stored[object_id] = documents.stored(self.connection, self.org, object_id)
        return self._stored[object_id]

    def released_author(self, object_id: str) -> str | None:
        """The did whose object this is, where it was released by custodians; `None` where it was not."""
        if object_id not in self._released:
            found = withdrawals.released(self.connection, self.org, [object_id])
            self._released[object_id] = found.get(object_id)
        return self._released[object_id]

    def note_released(self, objects: Collection[str], did: str) -> None:
        """Custodians released these objects of this did just now."""
        self._released.update(dict.fromkeys(objects, did))

    def following(self, actor: str) -> Following | None:
        """Our following of an actor."""
        if actor not in self._followings:
            self._followings[actor] = contacts.following(self.connection, self.org, actor)
        return self._followings[actor]

    def member(self, did: str | None) -> Member | None:
        """A pinned member, current or former."""
        if did is None:
            return None
        if did not in self._members:
            self._members[did] = contacts.member(self.connection, self.org, did)
        return self._members[did]

    def policies(self, did: str | None) -> Policies:
        """What the operator decided about alerts of this author: nothing about those of our own organisations."""
        if self._policies is None:
            self._policies = policies.of(self.connection, self.org)
            self._own = frozenset(each.did for each in organisations.all_of(self.connection))
        return Policies() if did in self._own else self._policies

    def let_go(self, object_id: str) -> None:
        """Forget in memory what is not held any more."""
        self._stored.pop(object_id, None)
        self._pending.pop(object_id, None)

    def forget(self) -> None:
        """Contacts changed: ask again."""
        self._followings.clear()
        self._members.clear()

    def store(self, value: Stored) -> None:
        """Hold an object; written by `flush`."""
        self._stored[value.id] = value
        self._pending[value.id] = value

    def hide(self, object_id: str, author: str, now: datetime) -> None:
        """An object is gone for good."""
        self.flush()
        documents.hide(self.connection, self.org, object_id, author, now)
        self._stored.pop(object_id, None)

    def count(self, name: str) -> None:
        """Add one to a counter; written by `flush`."""
        self._counts[name] = self._counts.get(name, 0) + 1

    def flush(self) -> None:
        """Write what is held in memory."""
        self.flush_log()
        if self._pending:
            rows = [
                {"org": self.org, **{name: getattr(value, name) for name in Stored.__slots__}}
                for value in self._pending.values()
            ]
            self.connection.execute(_upsert(self.connection), rows)
            self._pending.clear()
        for name, amount in self._counts.items():
            documents.count(self.connection, self.org, name, amount)
        self._counts.clear()


def _upsert(connection: Connection) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(documents.objects)
    changed = {name: statement.excluded[name] for name in Stored.__slots__ if name != "id"}
    return statement.on_conflict_do_update(index_elements=["org", "id"], set_=changed)

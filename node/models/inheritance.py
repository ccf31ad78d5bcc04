"""What goes with an organisation when its recovery key takes over: the people, their rooms, and what is sealed to them.

Logs, followers and members are told anew under the new did. Sessions end, for the one who has to go may sit in one.
What waited for a second word is over: the words were given to another key. The trail of acts stays where it was.
"""

from sqlalchemy import Connection, Table, update

from node import approvals as rules
from node.models import approvals, cases, joinings, letters, networks, organisations, people, policies, rooms, sessions

CARRIED: tuple[Table, ...] = (
    people.people, people.passkeys, people.recovery_codes, rooms.rooms, rooms.room_keys, cases.cases, cases.requests,
    cases.words, cases.salts, joinings.joinings, letters.letters, approvals.standbys, policies.policies,
    networks.networks, networks.acts, networks.asks, networks.grounds, networks.pins,
)  # fmt: skip


def carry_over(connection: Connection, old: str, new: str) -> None:
    """Everything of the house under the new did."""
    sessions.end_all(connection, old)
    for row in approvals.of_state(connection, old, rules.WAITING, rules.READY):
        approvals.settle(connection, old, row.request.id, rules.CANCELLED)
    for table in CARRIED:
        connection.execute(update(table).where(table.c.org == old).values(org=new))
    organisations.adopt(connection, old, new)

"""What people did, for their own organisation: a chain of rows, each with the digest of the one before.

A row holds an act of a closed list, the role it was done in, the id of what it was done to, and a pseudonym of who did
it: whoever has the organisation's key can tell whose it is, and when a person's row is gone nobody can. Never a word
that somebody wrote, never a source, never an address; moments to the hour. The chain shows that a row was changed or
taken out of the middle; that its end was cut off shows only who noted the last digest (`tadamun audit` prints it).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Column, Connection, Integer, LargeBinary, Row, String, Table, Text, insert, select

from node.errors import RefusedError
from node.models import organisations
from node.models.base import Instant, metadata
from node.moments import hour_of
from node.people_keys import pseudonym

audit_rows = Table(
    "audit",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("hour", Instant, nullable=False),
    Column("role", String(16), nullable=False),
    Column("act", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("person", String(16), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)
audit_keys = Table(
    "audit_keys",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("key", LargeBinary, nullable=False),
)
ACTS = frozenset({
    "invite", "join", "confirm", "grant", "disable", "lock", "unlock", "host", "factor.add", "factor.remove",
    "codes.new", "password", "session.end", "draft", "approve", "refuse", "publish", "override", "send",
    "case.open", "case.change", "case.close", "message.send", "message.read", "request.take", "settings",
    "custody.release", "custody.asked", "trust.pin", "trust.remove", "trust.freeze", "trust.unfreeze", "trust.confirm",
    "trust.quorum", "policy", "boosts", "follow", "unfollow", "profile", "sync", "backup",
    "mirror", "epoch", "succeed",
    "reply.judge", "reply.ask", "reply.evidence", "reply.destroy", "reply.export", "reply.block", "reply.unblock",
    "reply.case", "reply.report",
})  # fmt: skip
"""The acts there are; more of them may be added, never words of a person."""
SHELL = "shell"
"""The role of whoever acts from the command line: nobody knows who that is."""


@dataclass(frozen=True, slots=True)
class Act:
    """One row."""

    number: int
    hour: datetime
    role: str
    act: str
    subject: str
    """The id of what it was done to."""
    person: str
    """A pseudonym."""
    previous: str
    digest: str


def append(
    connection: Connection, org: str, act: str, subject: str, now: datetime, *, person: str = "", role: str = SHELL
) -> Act:
    """Write down what somebody did.

    Args:
        subject: the id of what it was done to; never text.
        person: the id of who did it; empty for the command line.

    Raises:
        RefusedError: an act there is not, or a subject that is no id.
    """
    if act not in ACTS or not subject.isascii() or len(subject) > 300 or any(each.isspace() for each in subject):
        raise RefusedError("the audit trail takes acts of its list and ids, no text")
    organisations.take_turn(connection, org)
    last = connection.execute(
        select(audit_rows.c.number, audit_rows.c.digest).where(audit_rows.c.org == org)
        .order_by(audit_rows.c.number.desc()).limit(1)
    ).first()  # fmt: skip
    who = pseudonym(key_of(connection, org), person) if person else ""
    hour = hour_of(now)
    number, previous = (last.number + 1, last.digest) if last else (1, "")
    values = (number, hour, role, act, subject, who, previous)
    made = Act(*values, _digest(org, *values))
    connection.execute(insert(audit_rows).values(org=org, **{name: getattr(made, name) for name in Act.__slots__}))
    return made


def all_of(connection: Connection, org: str) -> tuple[Act, ...]:
    """The whole chain, oldest first."""
    rows = connection.execute(select(audit_rows).where(audit_rows.c.org == org).order_by(audit_rows.c.number))
    return tuple(_value(row) for row in rows)


def first_fault(org: str, chain: "tuple[Act, ...]") -> int | None:
    """The number of the first row that does not follow from the one before; `None` where the chain holds."""
    previous = ""
    for number, each in enumerate(chain, 1):
        values = (each.number, each.hour, each.role, each.act, each.subject, each.person, each.previous)
        if each.number != number or each.previous != previous or each.digest != _digest(org, *values):
            return number
        previous = each.digest
    return None


def key_in(connection: Connection, org: str) -> bytes:
    """What makes pseudonyms of this organisation's people; empty before the first act."""
    found: bytes | None = connection.execute(select(audit_keys.c.key).where(audit_keys.c.org == org)).scalar()
    return found or b""


def key_of(connection: Connection, org: str) -> bytes:
    """The same, made at the first act."""
    found = key_in(connection, org)
    if not found:
        found = secrets.token_bytes(32)
        connection.execute(insert(audit_keys).values(org=org, key=found))
    return found


def _digest(
    org: str, number: int, hour: datetime, role: str, act: str, subject: str, person: str, previous: str
) -> str:
    values = [org, number, hour.isoformat(), role, act, subject, person, previous]
    return hashlib.sha256(orjson.dumps(values)).hexdigest()


def _value(row: Row[tuple[object, ...]]) -> Act:
    found = row._mapping
    return Act(**{name: found[name] for name in Act.__slots__})

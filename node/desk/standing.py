"""How each pinned member stands with us: its log here, who froze it, what waits, what a person should look at.

Warnings, as codes of the catalogue ("member-warning"):
- *rollback*: two heads that it signed prove that its log was set back;
- *fork*: two entries of its log claim one place;
- *frozen*: nothing past an entry is believed here;
- *declared*: other members declare that its key is not to be trusted;
- *deletes*: withdrawals of it wait for a second word;
- *no-recovery*: its first entry commits to no recovery key, so that nobody could prove to be its successor;
- *silent*: it has not answered for long, or never.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node.errors import RefusedError
from node.models import contacts, declarations, deletes, documents, logs
from node.models.contacts import MEMBER, Member
from node.models.organisations import Organisation


@dataclass(frozen=True, slots=True)
class Standing:
    """One member, current or former."""

    member: Member
    sequence: int
    """The last entry of its log that is held here without a gap, and believed."""
    ours: bool
    """A freeze of our own stands."""
    declared: int
    """So many others declare its key not to be trusted."""
    waiting: int
    """Texts that are hidden and wait for a second word."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One of the newest entries of a log, without its text."""

    sequence: int
    kind: str
    received: datetime


def all_of(
    connection: Connection, organisation: Organisation, now: datetime, silent_after: timedelta
) -> tuple[Standing, ...]:
    """Everybody who was ever pinned: members first, each in the order in which they were pinned.

    Args:
        silent_after: without an answer for so long a member is called silent.
    """
    org = organisation.did
    heads = {did: head.sequence for did, head in logs.head_table(connection, org).items()}
    forked, proven = logs.forked(connection, org), documents.proven_against(connection, org)
    waiting = deletes.waiting(connection, org)
    found = sorted(contacts.members_of(connection, org, all_states=True), key=lambda each: each.state != MEMBER)
    standings = []
    for each in found:
        words = {word.by for word in declarations.about(connection, org, each.did)}
        seen = {
            "rollback": each.did in proven,
            "fork": each.did in forked,
            "frozen": each.frozen is not None,
            "declared": bool(words - {org}),
            "deletes": waiting.get(each.did, 0) > 0,
            "no-recovery": not each.recovery,
            "silent": each.state == MEMBER and (each.synced is None or each.synced < now - silent_after),
        }
        standings.append(_standing(each, heads, org in words, len(words - {org}), waiting, seen))
    return tuple(standings)


def one(
    connection: Connection, organisation: Organisation, did: str, now: datetime, silent_after: timedelta
) -> Standing:
    """One of them.

    Raises:
        RefusedError: nobody of this did was ever pinned.
    """
    for each in all_of(connection, organisation, now, silent_after):
        if each.member.did == did:
            return each
    raise RefusedError("no such member here")


def newest(connection: Connection, organisation: Organisation, did: str, limit: int = 10) -> tuple[Line, ...]:
    """The newest entries of a log that are believed: after which of them a freeze should begin is seen here."""
    last = (2**31 - 1, 2**53)
    found = logs.read(connection, organisation.did, did, last, limit, newest=True)
    return tuple(Line(each.header.sequence, each.type, each.received) for each in found)


def _standing(
    member: Member, heads: Mapping[str, int], ours: bool, declared: int, waiting: Mapping[str, int],
    seen: Mapping[str, bool],
) -> Standing:  # fmt: skip
    warnings = tuple(code for code, true in seen.items() if true)
    return Standing(member, heads.get(member.did, 0), ours, declared, waiting.get(member.did, 0), warnings)

"""An organisation takes trust back, alone or together with others, and gives the second word that Deletes wait for.

A freeze by hand works here and at once. Told to the others, it is one voice of as many as each of them wants to hear.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from node import declarations as rules
from node import recovery
from node.desk import members
from node.errors import ProtocolError, RefusedError
from node.federation import outbox
from node.federation.outbox import Published, Speech
from node.federation.protocol import integrity_proofs
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE
from node.federation.protocol.keys import OrganisationKey
from node.federation.trust import freeze_by_hand, weigh
from node.models import declarations, deletes, logs, organisations
from node.models.contacts import Member
from node.models.declarations import LOCAL, Declaration
from node.models.organisations import Organisation
from node.models.views import View

TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        **{name: f"tadamun:{name}" for name in (*rules.TYPES, rules.CONFIRM_DELETES)},
        **{name: {"@id": f"tadamun:{name}", "@type": "@json"} for name in ("after", "until", "texts")},
    }
)
MAX_QUORUM = 50


def freeze(
    connection: Connection, organisation: Organisation, did: str, after: int, now: datetime
) -> tuple[Member, int]:
    """Believe nothing of this member past entry `after`, and undo here what it did since.

    Returns:
        The member, and how many withdrawn texts came back.

    Raises:
        RefusedError: no such member.
    """
    member = members.find(connection, organisation, did)
    epoch, _ = _place(connection, organisation, member, after)
    back = freeze_by_hand(View(connection, organisation), member.did, (epoch, after), now)
    return members.find(connection, organisation, member.did), back


def declare(
    connection: Connection, organisation: Organisation, key: OrganisationKey, did: str, now: datetime
) -> Published:
    """Tell the members of a freeze by hand: one voice towards freezing this did everywhere.

    Raises:
        RefusedError: it is not frozen here by hand, or publishing is on hold.
    """
    member = members.find(connection, organisation, did)
    held = _own_words(connection, organisation, member)
    if not held:
        raise RefusedError(f"this member is not frozen here: 'tadamun member freeze' first ({member.handle})")
    epoch, sequence = held[0].after
    _, digest = _place(connection, organisation, member, sequence)
    place = {"epoch": epoch, "sequence": sequence, "digest": digest}
    return _say(connection, organisation, key, rules.FREEZE, {"id": member.uri}, {"after": place}, now)


def freeze_and_tell(
    connection: Connection, organisation: Organisation, key: OrganisationKey, did: str, after: int, now: datetime, *,
    tell: bool,
) -> tuple[Member, int]:  # fmt: skip
    """Freeze a member and, where that is wanted, tell the others: `freeze`, then `declare`."""
    frozen, back = freeze(connection, organisation, did, after, now)
    if tell:
        declare(connection, organisation, key, frozen.did, now)
    return frozen, back


def unfreeze(
    connection: Connection, organisation: Organisation, key: OrganisationKey, did: str, now: datetime
) -> Member:
    """Take our own word back; where enough others still declare it, the member stays frozen.

    Raises:
        RefusedError: no word of ours freezes it.
    """
    member = members.find(connection, organisation, did)
    held = _own_words(connection, organisation, member)
    if not held:
        raise RefusedError(f"not frozen by this organisation: 'tadamun member list' shows by whom ({member.handle})")
    if held[0].id.startswith(LOCAL):
        view = View(connection, organisation)
        declarations.retract(connection, organisation.did, organisation.did, held[0].id)
        weigh(view, member.did, now)
        view.flush()
    else:
        _say(connection, organisation, key, rules.UNFREEZE, {"id": held[0].id}, {}, now)
    return members.find(connection, organisation, member.did)


def confirm_deletes(
    connection: Connection, organisation: Organisation, key: OrganisationKey, did: str, spare: OrganisationKey | None,
    now: datetime,
) -> tuple[str, int]:  # fmt: skip
    """Give the second word that many or late Deletes wait for, up to the newest that is held here.

    Args:
        did: another member's, or our own.
        spare: the recovery key, for our own.

    Returns:
        The did, and how many texts waited here.

    Raises:
        RefusedError: nothing waits, no such member, or our own without the recovery key.
    """
    own = did in (organisation.did, organisation.address, organisation.address.removeprefix("@"))
    about = organisation.did if own else members.find(connection, organisation, did).did
    uri = organisation.uri if own else members.find(connection, organisation, did).uri
    waits = deletes.waiting(connection, organisation.did).get(about, 0)
    head = logs.head(connection, organisation.did, about)
    if not waits or head is None:
        raise RefusedError("no withdrawal of it waits for a second word")
    until = {"epoch": head.epoch, "sequence": head.sequence}
    if own:
        if spare is None:
            raise RefusedError("our own Deletes are confirmed with the recovery sheet, or by another member")
        _check_recovery(organisation, spare)
        bare = {"@context": [AS2, DATA_INTEGRITY, dict(TERMS)], **rules.statement(about, head.epoch, head.sequence)}
        signed = integrity_proofs.sign(bare, spare, outbox.log_method(spare), now)
        _say(connection, organisation, key, rules.CONFIRM, signed, {}, now)
    else:
        _say(connection, organisation, key, rules.CONFIRM, {"id": uri}, {"until": until}, now)
    return about, waits


def restore_texts(
    connection: Connection, organisation: Organisation, key: OrganisationKey, texts: tuple[str, ...], now: datetime
) -> Published:
    """As the successor of a stolen key: consent was asked again, these texts of the old one may come back.

    Args:
        texts: ids of objects; empty for all.

    Raises:
        RefusedError: this organisation succeeded nobody.
    """
    old = next((each for each in organisations.all_of(connection) if each.successor == organisation.did), None)
    if old is None:
        raise RefusedError("this organisation succeeds no other: only a successor gives texts back")
    given = list(texts) if texts else "all"
    return _say(connection, organisation, key, rules.CONFIRM, {"id": old.uri}, {"texts": given}, now)


def set_quorum(connection: Connection, organisation: Organisation, quorum: int) -> None:
    """How many members must declare a did frozen before it is frozen here.

    Raises:
        RefusedError: not a number that makes sense.
    """
    if not 1 <= quorum <= MAX_QUORUM:
        raise RefusedError(f"the quorum is a number from 1 to {MAX_QUORUM}")
    organisations.set_quorum(connection, organisation.did, quorum)


def _own_words(connection: Connection, organisation: Organisation, member: Member) -> list[Declaration]:
    words = declarations.about(connection, organisation.did, member.did)
    return [word for word in words if word.by == organisation.did]


def _check_recovery(organisation: Organisation, spare: OrganisationKey) -> None:
    try:
        recovery.check_commitment(spare.did, organisation.recovery)
    except ProtocolError as error:
        raise RefusedError("this sheet is not the recovery sheet of " + organisation.address) from error


def _place(connection: Connection, organisation: Organisation, member: Member, after: int) -> tuple[int, str]:
    """Epoch and digest of entry `after` of a member's main line, as far as they are known here."""
    if after < 0:
        raise RefusedError("--after takes the number of the last entry that is still believed")
    head = logs.head(connection, organisation.did, member.did)
    line = {header.sequence: header for header in logs.line(connection, organisation.did, member.did)}
    if after in line:
        return line[after].epoch, line[after].digest
    return (head.epoch if head else 1), ""


def _say(
    connection: Connection, organisation: Organisation, key: OrganisationKey, kind: str, about: dict[str, Any],
    extra: Mapping[str, Any], now: datetime,
) -> Published:  # fmt: skip
    speech = Speech(
        kind, about, outbox.audience(organisation, members_only=True), dict(TERMS), followers=False, extra=extra
    )
    return outbox.publish(connection, organisation, key, speech, now)

"""Custodians: chosen by an author for the day it cannot speak, and what they do on that day.

The author's part is one letter to each custodian. The custodians' part takes k people, each on a node of their own: who
wants the alert withdrawn hands their part to the others, and whose node holds k parts says it.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import custody as rules
from node import letters as letter_rules
from node import releases, sharing
from node.custody import Deposit, Given
from node.desk import withdrawals as board
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.outbox import Speech
from node.federation.protocol import ids, integrity_proofs, sealing
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.letters import Letter
from node.models import alerts, audit, contacts, documents, logs, relays
from node.models import letters as letter_rows
from node.models import withdrawals as rows
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation
from node.models.withdrawals import Custody

_DEPOSITS = 3
"""The newest of one alert that are still of use: an update that not everybody got makes another."""
_TEXTS = ("Create", "Update")


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that we are a custodian of."""

    author: str
    about: str
    deposits: tuple[Deposit, ...]
    """Newest first."""
    asked: tuple[Given, ...]
    """Parts that others handed to us, and what we handed to them."""
    withdrawn: bool

    @property
    def wanting(self) -> tuple[str, ...]:
        """The dids of those who want it withdrawn."""
        return tuple(sorted({each.by for each in self.asked}))


@dataclass(frozen=True, slots=True)
class Released:
    """What came of a custodian's word."""

    published: bool
    wanting: int
    threshold: int


def entrust(
    connection: Connection, organisation: Organisation, key: OrganisationKey, record: AlertRecord,
    custodians: Sequence[str], threshold: int, now: datetime,
) -> Custody:  # fmt: skip
    """Sign the withdrawal of one of our alerts in advance and lay it down with these members.

    Raises:
        RefusedError: they may not be custodians, or one of them cannot be sealed to.
    """
    members = contacts.members_of(connection, organisation.did)
    rules.check_choice(custodians, threshold, {each.did for each in members if each.frozen is None})
    statement = _statement(connection, organisation, key, record, now)
    name, secret = outbox.token(), secrets.token_bytes(sharing.KEY_SIZE)
    sealed = rules.seal(statement, secret, name)
    parts = sharing.split(secret, len(custodians), threshold, secrets.token_bytes)
    for did, part in zip(custodians, parts, strict=True):
        deposit = Deposit(name, organisation.did, record.object_id, threshold, tuple(custodians), sealed, part)
        letters.send(
            connection, organisation, key, letter_rules.CUSTODY, record.object_id, rules.deposit_body(deposit), (did,),
            now, token=outbox.token(),
        )  # fmt: skip
    made = Custody(record.object_id, threshold, tuple(custodians), now)
    rows.save_custody(connection, organisation.did, made)
    return made


def renew(
    connection: Connection, organisation: Organisation, key: OrganisationKey, record: AlertRecord, now: datetime
) -> None:
    """New words were said of an alert that has custodians: what they hold shall name these too.

    Who is no member any more, or cannot be sealed to, is left out; with too few left, what they hold stays as it is.
    """
    held = rows.custody(connection, organisation.did, record.object_id)
    if held is None:
        return
    able = {
        each.did
        for each in contacts.members_of(connection, organisation.did)
        if each.frozen is None and letters.can_reach(connection, each.did)
    }
    custodians = [did for did in held.custodians if did in able]
    if len(custodians) >= held.threshold:
        entrust(connection, organisation, key, record, custodians, held.threshold, now)


def held_by(connection: Connection, organisation: Organisation, secret: Sequence[str]) -> tuple[Held, ...]:
    """What we are custodians of, newest first, and who wants what withdrawn.

    Args:
        secret: what opens the room it lies in.
    """
    deposits: dict[str, list[Deposit]] = {}
    for letter in _opened(connection, organisation.did, letter_rules.CUSTODY, secret):
        deposit = _deposit(letter)
        if deposit is not None and organisation.did in deposit.custodians:
            deposits.setdefault(deposit.about, []).append(deposit)
    given: dict[str, list[Given]] = {}
    for letter in _opened(connection, organisation.did, letter_rules.CUSTODY_PART, secret):
        part = _part(letter)
        if part is not None:
            given.setdefault(part.about, []).append(part)
    return tuple(
        Held(
            found[0].author, about, tuple(found[:_DEPOSITS]), _of(found, given.get(about, ())),
            _is_gone(connection, organisation.did, about),
        )
        for about, found in deposits.items()
    )  # fmt: skip


def release(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, secret: Sequence[str],
    why: str, now: datetime, *, dead_after: timedelta, author_asked: bool = False, person: str = "",
) -> Released:  # fmt: skip
    """As a custodian: this alert shall be withdrawn in its author's place.

    Args:
        why: in words; the other custodians read it, and it is kept sealed with what we handed to them.
        author_asked: the author asked for it, so its server may well answer.
        person: whoever does it; empty for the command line.

    Raises:
        RefusedError: we are no custodian of it, it is withdrawn already, nobody said why, or its author can speak.
    """
    found = _find(held_by(connection, organisation, secret), name)
    if not why.strip():
        raise RefusedError("say why in a line: the other custodians read it")
    if found.withdrawn:
        raise RefusedError("this alert is withdrawn already")
    if not author_asked:
        _check_silent(connection, organisation, found.author, now, dead_after)
    act = "custody.asked" if author_asked else "custody.release"
    audit.append(connection, organisation.did, act, found.about, now, person=person)
    ours = tuple(
        Given(organisation.did, each.id, found.about, each.parts, why.strip()[: rules.MAX_WHY])
        for each in found.deposits
    )
    threshold = found.deposits[0].threshold
    for deposit in found.deposits:
        opened = _open(deposit, (*found.asked, *ours))
        if opened is not None:
            _publish(connection, organisation, key, found.about, *opened, now)
            return Released(True, threshold, threshold)
    _hand_on(connection, organisation, key, found, ours, now)
    return Released(False, len({*found.wanting, organisation.did}), threshold)


def _publish(
    connection: Connection, organisation: Organisation, key: OrganisationKey, about: str, statement: JsonObject,
    promise: releases.Withdrawal, now: datetime,
) -> None:  # fmt: skip
    named = set(promise.entries)
    later = [
        {"epoch": each.header.epoch, "sequence": each.header.sequence, "content": each.header.content}
        for name in promise.objects
        for each in logs.of_object(connection, organisation.did, promise.author, name)
        if each.type in _TEXTS and (*each.header.order, each.header.content) not in named
    ]
    speech = Speech(
        releases.TYPE, statement, outbox.audience(organisation, members_only=True), dict(releases.TERMS),
        tuple(later[: releases.MAX_ENTRIES]), followers=False,
    )  # fmt: skip
    said = outbox.publish(connection, organisation, key, speech, now)
    board.note(connection, organisation.did, about, "", (ids.canonical(said.id),), now, released=True)


def _hand_on(
    connection: Connection, organisation: Organisation, key: OrganisationKey, found: Held, ours: Collection[Given],
    now: datetime,
) -> None:  # fmt: skip
    """Our part, to the other custodians: each of them may be the one whose node completes it."""
    members = {each.did for each in contacts.members_of(connection, organisation.did) if each.frozen is None}
    for deposit, part in zip(found.deposits, ours, strict=True):
        others = [did for did in deposit.custodians if did in members and letters.can_reach(connection, did)]
        if not others:
            raise RefusedError("no other custodian is a member that can be sealed to: nobody could complete it")
        letters.send(
            connection, organisation, key, letter_rules.CUSTODY_PART, found.about, rules.part_body(part), others, now,
            token=outbox.token(), urgent=True,
        )  # fmt: skip


def _check_silent(
    connection: Connection, organisation: Organisation, author: str, now: datetime, dead_after: timedelta
) -> None:
    known = relays.origins_of(connection, organisation.did)
    origin = known.get(author)
    rules.check_silent(
        origin.failing_since if origin else None, origin.checked if origin else None, now, dead_after
    )
    others = [each for did, each in known.items() if did != author]
    if others and all(each.failing_since is not None for each in others):
        raise RefusedError("no other member answers either: it may be this node that is cut off")


def _statement(
    connection: Connection, organisation: Organisation, key: OrganisationKey, record: AlertRecord, now: datetime
) -> JsonObject:
    family = (record, *alerts.translations_of(connection, organisation.did, record.object_id))
    objects = [each.object_id for each in family][: releases.MAX_OBJECTS]
    entries = [
        (*each.header.order, each.header.content)
        for name in objects
        for each in logs.of_object(connection, organisation.did, organisation.did, name)
        if each.type in _TEXTS
    ]
    head = logs.head(connection, organisation.did, organisation.did)
    until = head.order if head else (1, 1)
    bare = releases.statement(objects, entries[-releases.MAX_ENTRIES :], until, now)
    return integrity_proofs.sign(bare, key, outbox.log_method(key), now)


def _opened(connection: Connection, org: str, kind: str, secret: Sequence[str]) -> list[Letter]:
    found = []
    for kept in letter_rows.of_kind(connection, org, (kind,)):
        if kept.sealed is None:
            continue
        try:
            found.append(letter_rules.parse(sealing.open_sealed(kept.sealed, secret)))
        except ProtocolError:
            continue
    return found


def _deposit(letter: Letter) -> Deposit | None:
    try:
        return rules.parse_deposit(letter)
    except ProtocolError:
        return None


def _part(letter: Letter) -> Given | None:
    try:
        return rules.parse_part(letter)
    except ProtocolError:
        return None


def _open(deposit: Deposit, given: Collection[Given]) -> tuple[JsonObject, releases.Withdrawal] | None:
    try:
        return rules.open_deposit(deposit, given)
    except ProtocolError:
        return None  # a false part, or a false deposit; another may do


def _of(deposits: Collection[Deposit], given: Collection[Given]) -> tuple[Given, ...]:
    """Parts count from custodians of that very deposit."""
    able = {each.id: each.custodians for each in deposits}
    return tuple(each for each in given if each.by in able.get(each.deposit, ()))


def _find(found: Collection[Held], name: str) -> Held:
    wanted = ids.canonical(name) if ":" in name else name
    for each in found:
        if wanted in (each.about, documents.page_name(each.about)):
            return each
    raise RefusedError(f"we are no custodian of {name[:120]!r}; 'tadamun custody list' shows what we are")


def _is_gone(connection: Connection, org: str, about: str) -> bool:
    held = documents.stored(connection, org, about)
    return held is not None and held.state == documents.GONE

"""Those who ask to join a network: taken in at our door, given to sponsors, read and answered.

What is asked is sealed before it is a row; a sponsor's letter carries it, and nothing else does. The answer is opened
by the number alone that whoever asked was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import joinings as rules
from node import letters as letter_rules
from node import receipts
from node.desk import directory
from node.desk import network_sheets as sheets
from node.desk import networks as acts
from node.desk.networks import Desk
from node.errors import ProtocolError, RefusedError
from node.federation import joinings, letters, outbox
from node.federation.protocol import sealing
from node.federation.protocol.messages import parse_document
from node.joinings import Answer, Asking
from node.members import Standing, State
from node.models import contacts, fronts
from node.models import joinings as rows
from node.models import networks as network_rows
from node.models.fronts import Front
from node.models.joinings import Joining
from node.models.organisations import Organisation
from node.moments import hour_of
from node.people import NETWORK
from node.receipts import Opening, Receipt


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that asks, as far as these secrets open it."""

    row: Joining
    asking: Asking | None
    """`None` where we are no sponsor of it, or hold no key."""
    here: bool
    """It was asked on our own page."""

    def is_overdue(self, now: datetime) -> bool:
        """Whether it waits longer than was promised."""
        return self.row.answered is None and self.row.due < now


def door(connection: Connection, organisation: Organisation, state: State, front: Front) -> tuple[Standing, ...]:
    """Who reads what is asked on our page; nobody where there is no form."""
    return directory.readers(connection, organisation, front, state) if front.form else ()


def ask(desk: Desk, asking: Asking, receipt: Receipt) -> Joining:
    """Take in what somebody asks, and give it to the sponsors.

    Raises:
        RefusedError: there is no form, nobody could read it, or too many wait.
    """
    connection, own = desk.connection, desk.own
    front = fronts.current(connection, own)
    state = network_rows.state_of(connection, own, front.network) if front else None
    readers = door(connection, desk.organisation, state, front) if front and state else ()
    if front is None or not readers:
        raise RefusedError("nobody can read what is asked here at present")
    if rows.open_count(connection, own, own) >= rules.MOST_OPEN:
        raise RefusedError("too many wait for an answer at present")
    dids = tuple(each.did for each in readers)
    hour, plain = hour_of(desk.now), orjson.dumps(asking.body())
    made = Joining(
        rules.name_of(own, outbox.token()), front.network, own,
        hour, hour + rules.ANSWERED_WITHIN, hour + rules.UNANSWERED_FOR,
        letters.rest(connection, own, NETWORK, plain) if own in dids else None, dids,
        tag=receipt.tag, public=receipt.public, wrapped=receipt.wrapped,
    )  # fmt: skip
    rows.add(connection, own, made)
    others = [did for did in dids if did != own]
    if others:
        _send(desk, letter_rules.JOIN_REQUEST, made.id, {"network": front.network, "asking": asking.body()}, others)
    return made


def read_answer(connection: Connection, org: str, opening: Opening) -> tuple[Joining, Answer | None]:
    """The answer for who holds the number. Equal work whether there is such a request or not.

    Raises:
        ProtocolError: no request has this number.
    """
    row = rows.by_tag(connection, org, opening.tag)
    secret = receipts.unwrap(opening, row.wrapped if row and row.wrapped else bytes(12 + 74 + 16))
    if row is None:
        raise ProtocolError("no request has this number", spec="Tadamun joining 1", status=404)
    if row.answer is None:
        return row, None
    return row, rules.parse_answer(parse_document(sealing.open_sealed(row.answer, (secret,))).value)


def current(connection: Connection, organisation: Organisation, secrets: Sequence[str]) -> tuple[Waiting, ...]:
    """Every one that is here, those that wait first, the one promised soonest before the others."""
    return tuple(
        Waiting(row, _opened(row, secrets), row.tag is not None) for row in rows.all_of(connection, organisation.did)
    )


def find(connection: Connection, organisation: Organisation, name: str, secrets: Sequence[str]) -> Waiting | None:
    """One by its id."""
    row = rows.find(connection, organisation.did, name)
    return Waiting(row, _opened(row, secrets), row.tag is not None) if row is not None else None


def invite(desk: Desk, name: str, words: str) -> Joining:
    """Invite whoever asks: writes a sheet, on which we stand alone.

    Raises:
        RefusedError: it is not ours to answer, was answered, or we may not invite.
    """
    row = _answerable(desk, name)
    answer = rules.invite("-", words)  # bounds first: nothing is signed for words that are too long
    sheet = acts.invite(desk, row.network, lasts=rules.KEPT)  # as long as the answer can be read
    alone = replace(sheet, members=sheet.members[:1])
    return _answer(desk, row, replace(answer, sheet=sheets.written(alone.value())))


def decline(desk: Desk, name: str, reason: str, words: str) -> Joining:
    """Say no to whoever asks.

    Raises:
        RefusedError: it is not ours to answer, was answered, or says nothing.
    """
    return _answer(desk, _answerable(desk, name), rules.decline(reason, words))


def tell(desk: Desk, row: Joining) -> None:
    """The other sponsors learn that it was answered, and by whom; whoever cannot be reached sees it run out."""
    others = acts.reachable(desk.connection, desk.own, set(row.sponsors) - {row.by})
    if others:
        _send(desk, letter_rules.JOIN_SETTLED, row.id, {"by": row.by}, others)
    rows.mark_told(desk.connection, desk.own, row.id)


def _answerable(desk: Desk, name: str) -> Joining:
    row = rows.find(desk.connection, desk.own, name)
    if row is None or row.sealed is None:
        raise RefusedError("no such request to join is ours to answer")
    if row.answered is not None:
        raise RefusedError("this request was answered already")
    if not directory.is_inside(network_rows.state_of(desk.connection, desk.own, row.network), desk.own):
        raise RefusedError("this organisation is no member of that network")
    return row


def _answer(desk: Desk, row: Joining, answer: Answer) -> Joining:
    if row.tag is not None:
        joinings.settle(desk.connection, desk.own, row, desk.own, answer, desk.now)
        return row
    if contacts.member(desk.connection, desk.own, row.host) is None:
        raise RefusedError("where it was asked is no member of ours any more")
    _send(desk, letter_rules.JOIN_ANSWER, row.id, answer.body(), [row.host])
    rows.settle(desk.connection, desk.own, row.id, desk.own, desk.now, desk.now + rules.KEPT)
    return row


def _send(desk: Desk, kind: str, about: str, body: dict[str, object], to: Sequence[str]) -> None:
    letters.send(
        desk.connection, desk.organisation, desk.key, kind, about, body, to, desk.now, token=outbox.token()
    )  # fmt: skip


def _opened(row: Joining, secrets: Sequence[str]) -> Asking | None:
    if row.sealed is None:
        return None
    try:
        return rules.parse_asking(parse_document(sealing.open_sealed(row.sealed, secrets)).value)
    except ProtocolError:
        return None

"""A confidential request and its thread: words go in sealed, answers come out for who holds the number.

What is asked is sealed to the case workers before it is a row. Answers are sealed to the request's own key, and to the
case workers, who may read what they said. More words of whoever asked are sealed to the case workers alone: the number
does not open them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import receipts
from node.alert_forms import clean
from node.cases import Ask, Who
from node.desk import cases as desk
from node.desk.cases import Done, Room
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import sealing
from node.federation.protocol.messages import parse_document
from node.models import cases
from node.models.cases import RequestRow
from node.moments import hour_of
from node.receipts import Opening, Receipt

MAX_WORDS = 6_000
"""Characters of one message."""
MAX_THREAD = 60
_MAX_LINE = 400
_LEAST = 8 * 1024
_FIELDS = ("what", "who", "place", "contact", "avoid", "vouched_by")


@dataclass(frozen=True, slots=True)
class Word:
    """One message of a thread, opened."""

    answer: bool
    hour: datetime
    text: str


def parse_ask(fields: dict[str, str], language: str) -> Ask:
    """What somebody wrote in the form.

    Raises:
        RefusedError: nothing was said, or a field is too long.
    """
    read = {each: clean(fields.get(each, "")) for each in _FIELDS}
    if not read["what"]:
        raise RefusedError("what: empty")
    long = [each for each in _FIELDS if len(read[each]) > (MAX_WORDS if each == "what" else _MAX_LINE)]
    if long:
        raise RefusedError(*(f"{each}: too long" for each in long))
    return Ask(language=language, imminent=fields.get("imminent", "") == "yes", **read)


def open_request(
    connection: Connection, org: str, recipient: str, ask: Ask, receipt: Receipt, now: datetime
) -> str:
    """Keep a request; returns the id of the case that begins with it."""
    case = desk.create(connection, org, recipient, ask, now, promised=True)
    row = RequestRow(receipt.tag, case, receipt.public, receipt.wrapped, hour_of(now))
    cases.add_request(connection, org, row)
    return case


def read_answers(connection: Connection, org: str, opening: Opening) -> tuple[str, tuple[Word, ...]]:
    """The case and its answers, for who holds the number. Equal work whether there is such a request or not.

    Raises:
        ProtocolError: no request has this number.
    """
    row = cases.request_by_tag(connection, org, opening.tag)
    secret = receipts.unwrap(opening, row.wrapped if row else bytes(12 + 74 + 16))
    if row is None:
        raise ProtocolError("no request has this number", spec="Tadamun request 1", status=404)
    return row.case_id, _read(connection, org, row.case_id, (secret,), answers_only=True)


def add_words(connection: Connection, org: str, recipient: str, case: str, text: str, now: datetime) -> None:
    """Whoever asked says more.

    Raises:
        RefusedError: nothing, too much, or the thread is full.
    """
    _add(connection, org, case, text, (recipient,), now, answer=False)


def answer(
    connection: Connection, org: str, room: Room, case: str, version: int, text: str, who: Who, now: datetime
) -> Done:
    """The organisation answers; the promise is kept (R14).

    Raises:
        RefusedError: nobody can read an answer of this case; or as `add_words`.
    """
    row = cases.request_of(connection, org, case)
    if row is None:
        raise RefusedError("this case did not begin with a request, or its thread is gone")
    _add(connection, org, case, text, (row.public, room.recipient), now, answer=True)
    return desk.answered(connection, org, room, case, version, who, now)


def thread(connection: Connection, org: str, case: str, secrets: Sequence[str]) -> tuple[Word, ...]:
    """Both sides, for the case workers."""
    return _read(connection, org, case, secrets, answers_only=False)


def _add(
    connection: Connection, org: str, case: str, text: str, recipients: tuple[str, ...], now: datetime, *, answer: bool
) -> None:
    said = clean(text)
    if not 0 < len(said) <= MAX_WORDS:
        raise RefusedError(f"write 1 to {MAX_WORDS} characters")
    value = {"text": said}
    missing = _LEAST - len(orjson.dumps(value))
    sealed = sealing.seal(orjson.dumps(value | {"pad": " " * max(0, missing)}), recipients)
    cases.add_word(connection, org, case, sealed, hour_of(now), answer=answer, most=MAX_THREAD)


def _read(
    connection: Connection, org: str, case: str, secrets: Sequence[str], *, answers_only: bool
) -> tuple[Word, ...]:
    rows = [each for each in cases.thread(connection, org, case) if each.answer or not answers_only]
    return tuple(Word(each.answer, each.hour, _text(sealing.open_sealed(each.sealed, secrets))) for each in rows)


def _text(raw: bytes) -> str:
    found = parse_document(raw).value.get("text")
    return found if isinstance(found, str) else ""

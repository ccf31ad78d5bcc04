"""Letters about those who ask to join: given to sponsors, answered by one of them, and said to the others.

`take` judges what comes. Rules, in order:

1. `join-request`: its author is a member of the network that it names, and so are we; it is new, and named after its
   author, who has room. What was asked rests sealed to those who read what is of the network, from the first row.
2. `join-answer`: of one that was asked here, waits, and was given to its author, who is a member of that network still
   and not suspended; a sheet is of that network and by its author. It rests sealed to the receipt.
3. `join-settled`: of one that its author asked us; no words are in it, only who was first.
"""

from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import joinings as rules
from node import letters as letter_rules
from node.errors import ProtocolError
from node.federation.protocol import sealing
from node.federation.protocol.messages import parse_document
from node.joinings import Answer
from node.letters import Letter
from node.members import MEMBER
from node.models import joinings as rows
from node.models import networks
from node.models.joinings import Joining
from node.models.views import View

LETTERS = (letter_rules.JOIN_REQUEST, letter_rules.JOIN_ANSWER, letter_rules.JOIN_SETTLED)
_LONGEST_ID = 60
_SPEC = "Tadamun joining 1"


def take(view: View, letter: Letter, room: str, now: datetime) -> None:
    """Do what such a letter says, or count why not.

    Args:
        room: to whom is sealed what is of the network, `age1…`.
    """
    try:
        if not 16 <= len(letter.about) <= _LONGEST_ID or not letter.about.replace("-", "").replace("_", "").isalnum():
            raise ProtocolError("a request to join is named by a token", spec=_SPEC)
        match letter.kind:
            case letter_rules.JOIN_REQUEST:
                _take_request(view, letter, room, now)
            case letter_rules.JOIN_ANSWER:
                _take_answer(view, letter, now)
            case _:
                _take_settled(view, letter, now)
    except ProtocolError as error:
        view.count(f"a letter about joining, not taken: {error.spec}")


def _take_request(view: View, letter: Letter, room: str, now: datetime) -> None:
    connection, org, network = view.connection, view.org, letter.body.get("network")
    asked = letter.body.get("asking")
    if not isinstance(network, str) or not isinstance(asked, dict):
        raise ProtocolError("a request to join names its network", spec=_SPEC)
    asking = rules.parse_asking(asked)
    if not letter.about.startswith(rules.name_of(letter.author, "")) or now - letter.sent > rules.TAKEN_WITHIN:
        raise ProtocolError("not named after its author, or too old", spec=_SPEC)
    if rows.find(connection, org, letter.about) is not None:
        raise ProtocolError("held already", spec=_SPEC)
    if rows.count(connection, org, letter.author) >= rules.MOST_KEPT:
        raise ProtocolError("too many of its author are here", spec=_SPEC)
    _check_inside(connection, org, network, letter.author, org)
    rows.add(
        connection, org,
        Joining(
            letter.about, network, letter.author, letter.sent, letter.sent + rules.ANSWERED_WITHIN,
            letter.sent + rules.UNANSWERED_FOR, sealing.seal(orjson.dumps(asking.body()), (room,)), (),
        ),
    )  # fmt: skip


def _take_answer(view: View, letter: Letter, now: datetime) -> None:
    connection, org = view.connection, view.org
    answer, held = rules.parse_answer(letter.body), rows.find(connection, org, letter.about)
    if held is None or held.tag is None or letter.author not in held.sponsors:
        raise ProtocolError("an answer of one who was not asked", spec=_SPEC)
    if held.answered is not None:
        raise ProtocolError("answered already", spec=_SPEC)
    _check_inside(connection, org, held.network, letter.author)
    check_sheet(answer, held.network, letter.author)
    settle(connection, org, held, letter.author, answer, now)


def _take_settled(view: View, letter: Letter, now: datetime) -> None:
    connection, org, by = view.connection, view.org, letter.body.get("by")
    held = rows.find(connection, org, letter.about)
    if held is None or held.tag is not None or held.host != letter.author or not isinstance(by, str):
        raise ProtocolError("it is not for its author to say", spec=_SPEC)
    if len(by) > 80:
        raise ProtocolError("an answer is a did's", spec=_SPEC)
    rows.settle(connection, org, held.id, by, held.answered or now, now + rules.KEPT)


def settle(connection: Connection, org: str, held: Joining, by: str, answer: Answer, now: datetime) -> None:
    """Where it was asked: keep the answer for whoever has the receipt; the other sponsors are to be told."""
    sealed = sealing.seal(orjson.dumps(answer.body()), (held.public,))
    rows.settle(connection, org, held.id, by, now, now + rules.KEPT, sealed, told=False)


def check_sheet(answer: Answer, network: str, by: str) -> None:
    """A sheet is an invitation to this network by whoever answers; nobody else stands on it.

    Raises:
        ProtocolError: it is not.
    """
    if not answer.sheet:
        return
    sheet = parse_document(answer.sheet.encode(), rules.MAX_SHEET).value
    named = sheet.get("members")
    dids = [each.get("did") for each in named if isinstance(each, dict)] if isinstance(named, list) else []
    if sheet.get("network") != network or dids != [by]:
        raise ProtocolError("a sheet of another network, or of another member", spec=_SPEC)


def _check_inside(connection: Connection, org: str, network: str, *dids: str) -> None:
    if networks.find(connection, org, network) is None:
        raise ProtocolError("a network that is not known here", spec=_SPEC)
    members = networks.state_of(connection, org, network).members
    if not all(did in members and members[did].state == MEMBER for did in dids):
        raise ProtocolError("of one who is no member of that network", spec=_SPEC)

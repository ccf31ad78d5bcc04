"""What people do with an alert of ours at the desk after it was published, and with a member's alert that they sign.

Rules, in order:

1. an alert that belongs to a case is changed from its case, where consent and who is concerned are known (B3);
2. words that everyone or the members will read wait for another person's word: news, a changed text, a correction, a
   closure, an office's answer (R2);
3. taking it away, asking for signatures and laying down its withdrawal with custodians add no such words, and are done
   at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from node.alerts import Answer
from node.desk import alerts as open_desk
from node.desk import approvals, custody, endorsements, restatements, sealed_alerts
from node.desk.alerts import Said
from node.desk.approvals import Asked
from node.desk.endorsements import Taken
from node.desk.sealed_alerts import SealedAlert
from node.errors import RefusedError
from node.federation.outbox import Published
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import cases
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation
from node.models.withdrawals import Custody

NEWS, UPDATE, CORRECT, CLOSE, ANSWER = "news", "update", "correct", "close", "answer"
OPEN, DELIVER, ENTRUST, WITHDRAW = "sign-on", "deliver", "custody", "withdraw"
ENDORSE, UNENDORSE = "endorse", "unendorse"
SPOKEN = (NEWS, UPDATE, CORRECT, CLOSE, ANSWER, OPEN, DELIVER, ENTRUST, WITHDRAW)
"""Of our own alerts."""
OF_A_CASE = (NEWS, UPDATE, CORRECT, CLOSE, WITHDRAW)
"""What is done from the case, where there is one."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, for whom, and when."""

    connection: Connection
    organisation: Organisation
    key: OrganisationKey
    person: str
    network: Sequence[str]
    """What opens the room "network"."""
    now: datetime


def find(mine: Author, name: str) -> AlertRecord | SealedAlert:
    """One alert of ours, public or sealed, by its page's name or any of its ids.

    Raises:
        RefusedError: there is none that this session opens.
    """
    sealed = sealed_alerts.find(mine.connection, mine.organisation.did, name, mine.network)
    if sealed is not None and sealed.author == mine.organisation.did:
        return sealed
    return open_desk.find_own(mine.connection, mine.organisation, name)


def about(found: AlertRecord | SealedAlert) -> str:
    """The canonical id of an alert."""
    return found.about if isinstance(found, SealedAlert) else found.object_id


def check_free(mine: Author, found: AlertRecord | SealedAlert) -> None:
    """Whether it is changed here.

    Raises:
        RefusedError: it belongs to a case.
    """
    if cases.of_alert(mine.connection, mine.organisation.did, about(found)):
        raise RefusedError("B3: this alert belongs to a case: it is changed from there")


def ask_words(mine: Author, name: str, act: str, text: str, *, result: str = "", attribution: str = "") -> Asked:
    """Ask another to look at a correction, or at how it ended.

    Raises:
        RefusedError: no such alert of ours, it belongs to a case, or there are no words.
    """
    found = find(mine, name)
    check_free(mine, found)
    if act not in (CORRECT, CLOSE):
        raise RefusedError("there is no such act")
    before = found if isinstance(found, SealedAlert) else None
    return restatements.ask(
        mine.connection, mine.organisation, mine.key, mine.person, act, about(found), text, mine.now, before=before,
        result=result, attribution=attribution,
    )  # fmt: skip


def ask_answer(mine: Author, name: str, by: str, kind: str, day: date, text: str) -> Asked:
    """Ask another to look at what an office answered.

    Raises:
        RefusedError: no such alert of ours, it is sealed, or it is no answer.
    """
    found = find(mine, name)
    if isinstance(found, SealedAlert):
        raise RefusedError("answers: what was sealed to members carries none; write an update")
    given = Answer(by, kind, day, text)
    return restatements.ask_to_answer(
        mine.connection, mine.organisation, mine.key, mine.person, found.object_id, given, mine.now
    )


def ask_text(mine: Author, name: str, act: str, value: JsonObject) -> Asked:
    """Ask others to look at news of an alert, or at a changed text. One piece of news of an alert waits at a time: a
    second one takes the place of the first.

    Args:
        value: the alert as `parse_input` reads it.

    Raises:
        RefusedError: no such alert of ours, it belongs to a case, or a rule forbids it.
    """
    found = find(mine, name)
    check_free(mine, found)
    if act == NEWS and isinstance(found, SealedAlert):
        raise RefusedError("news: what was sealed to members is updated")
    if act == NEWS and isinstance(found, AlertRecord):
        return approvals.ask(
            mine.connection, mine.organisation, mine.key, mine.person, value, mine.now, news_of=found.object_id,
            thread=found.page,
        )  # fmt: skip
    before = found if isinstance(found, SealedAlert) else None
    return approvals.ask(
        mine.connection, mine.organisation, mine.key, mine.person, value, mine.now, replaces=about(found),
        before=before,
    )  # fmt: skip


def withdraw(mine: Author, name: str) -> Said:
    """Take it back, silently and at once.

    Raises:
        RefusedError: no such alert of ours, or it belongs to a case.
    """
    found = find(mine, name)
    check_free(mine, found)
    if isinstance(found, SealedAlert):
        return sealed_alerts.withdraw(mine.connection, mine.organisation, mine.key, found.about, mine.now)
    return open_desk.withdraw(mine.connection, mine.organisation, mine.key, found.object_id, mine.now)


def open_sign_on(mine: Author, name: str, closes: datetime) -> Published:
    """Freeze the text and ask the members to sign it.

    Raises:
        RefusedError: as `endorsements.open_sign_on`.
    """
    return endorsements.open_sign_on(mine.connection, mine.organisation, mine.key, name, closes, mine.now)


def deliver(mine: Author, name: str, to: str) -> Published:
    """End the window, and say to whom the list was handed.

    Raises:
        RefusedError: as `endorsements.deliver`.
    """
    return endorsements.deliver(mine.connection, mine.organisation, mine.key, name, to, mine.now)


def entrust(mine: Author, name: str, custodians: Sequence[str], threshold: int) -> Custody:
    """Sign the withdrawal in advance and lay it down with members.

    Raises:
        RefusedError: it is sealed, or they may not be custodians.
    """
    found = find(mine, name)
    if isinstance(found, SealedAlert):
        raise RefusedError("what is sealed to members stands in no log; only what is for everyone has custodians")
    return custody.entrust(
        mine.connection, mine.organisation, mine.key, found, custodians, threshold, mine.now
    )


def endorse(mine: Author, name: str, *, withheld: bool) -> None:
    """Put our organisation's own name under a member's alert; nobody's words are added to it.

    Args:
        withheld: only the network learns the name.

    Raises:
        RefusedError: nobody is asked, the window is closed, the text is another one, or we signed already.
    """
    place = (mine.connection, mine.organisation, mine.key, name)
    if withheld:
        endorsements.endorse_withheld(*place, "", mine.now)
    else:
        endorsements.endorse(*place, "", "", mine.now)


def unendorse(mine: Author, name: str) -> Taken:
    """Take our name off again.

    Raises:
        RefusedError: it stands under no text of this alert.
    """
    return endorsements.unendorse(mine.connection, mine.organisation, mine.key, name, mine.now)

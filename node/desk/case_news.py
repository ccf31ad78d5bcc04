"""What is new about a published case: a text of its own in the chain of its alert, approved like the first.

The case stays where it is. Only the words are new: who it is about, their consent and the place are the case's, so a
consent that is changed takes this request back as well.
"""

from dataclasses import replace

from sqlalchemy import Connection

from node import cases as rules
from node.case_alerts import leaks
from node.case_terms import NETWORK_ONLY
from node.cases import Case, Words
from node.desk import approvals, casework
from node.desk import cases as desk
from node.desk.cases import Opened
from node.desk.casework import Seat
from node.errors import RefusedError

KIND = "new-information"


def news_of(case: Case, text: Words) -> Case:
    """The case as it would be told with these words."""
    return replace(case, texts=(text,), grading=replace(case.grading, kind=KIND, deadline=None))


def ask(connection: Connection, seat: Seat, name: str, version: int, text: Words) -> Opened:
    """Ask others to look at the news of a case.

    Raises:
        RefusedError: nothing of this case is public, a rule forbids it, or somebody else changed it meanwhile.
    """
    held = casework.current(connection, seat, name)
    case = held.case
    if not case.alert or case.state not in rules.SHOWN or case.strategy == NETWORK_ONLY:
        raise RefusedError("B3: nothing of this case stands in public; what members were sent is revised")
    if held.version != version:
        raise RefusedError("somebody else changed this case meanwhile: open it again")
    told = news_of(case, text)
    found = tuple(f"R4: words of {field} stand in the public text" for field in leaks(told))
    if found:
        raise RefusedError(*found)
    org, accounts = seat.organisation, {each.account for each in case.people if each.account}
    approvals.ask(
        connection, org, seat.key, seat.person.id, rules.public_alert(told, seat.now), seat.now,
        subjects=accounts, news_of=case.alert, thread=name,
    )  # fmt: skip
    noted = case.did(seat.who().role, "news", seat.now)
    return desk.catch_up(connection, org.did, seat.room, held, noted, seat.now)

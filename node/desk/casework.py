"""People at work on a case: what joins the case with the approvals, the alert and whoever asked.

The row of the request for approval is the truth about it. Its thread bears the case's id, so the state of a case in
the clear follows the moment something is published, in the same transaction (`approvals.publish_due`); the sealed
document catches up when somebody opens the case (`current`). Rules:

1. Approving and publishing are done where only the public text is shown, never from inside the room (R2).
2. Who wrote the text, or is concerned by it, is not asked for their word (R2).
3. What becomes public outside of the text, an outcome or a correction, is searched for what stays inside as well (R4).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from node import alerts as alert_rules
from node import approvals as approval_rules
from node import cases as rules
from node.case_alerts import leaks
from node.case_terms import APPROVER, CASE_WORKER, DRAFT, EMBARGO, NETWORK_ONLY, REVIEW, step
from node.cases import Approval, Case, No, Who, Words
from node.desk import alerts as open_desk
from node.desk import approvals, requests, restatements, sealed_alerts
from node.desk import cases as desk
from node.desk.cases import Done, Opened, Room, Voice
from node.desk.publishing import CLOSE, CORRECT
from node.errors import RefusedError
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import approvals as approval_rows
from node.models.approvals import Row
from node.models.organisations import Organisation
from node.moments import hour_of
from node.people import Person

ELSEWHERE = ("approve", "publish", "hold")
"""Acts of the table that nobody does from inside the room."""
PUBLISHER = "publisher"


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at work, with what their session opens."""

    organisation: Organisation
    key: OrganisationKey
    person: Person
    room: Room
    network: Sequence[str]
    """What opens the room "network": to change what members were sent."""
    now: datetime

    def who(self, act: str = "", state: str = "") -> Who:
        """The person in the first of their roles that may do this act, else as case worker."""
        line = step(state, act)
        role = next((each for each in (line.who if line else ()) if each in self.person.counting), CASE_WORKER)
        return Who(self.person.id, role, self.organisation.did)


def current(connection: Connection, seat: Seat, name: str) -> Opened:
    """A case as it stands, after it caught up with what others said of its text.

    Raises:
        RefusedError: there is none.
        ProtocolError: this session does not open it.
    """
    org = seat.organisation.did
    held = desk.open_case(connection, org, name, seat.room.secrets)
    found = request_of(connection, org, held.case)
    if found is None:
        return held
    words = approval_rows.words_of(connection, org, found.request.id)
    said = tuple(
        Approval(each.by, APPROVER, each.org, rules.digest(held.case, seat.now), hour_of(each.made))
        for each in words if each.verdict == approval_rules.YES
    )  # fmt: skip
    changed = _caught_up(held.case, found, said, seat.now)
    return held if changed == held.case else desk.catch_up(connection, org, seat.room, held, changed, seat.now)


def request_of(connection: Connection, org: str, case: Case) -> Row | None:
    """The newest request for approval of its text."""
    return approval_rows.find(connection, org, case.asked) if case.asked else None


def write(connection: Connection, seat: Seat, case: Case, version: int) -> Done:
    """Keep what somebody wrote. What stands in public is changed by a revision only, but for a consent, which counts
    at once.

    Raises:
        RefusedError: a rule forbids it, or somebody else changed the case meanwhile.
    """
    held = current(connection, seat, case.id)
    if held.case.state in rules.SHOWN and rules.digest(held.case, seat.now) != rules.digest(case, seat.now):
        raise RefusedError("B3: this stands in public: begin a revision first, then change it")
    return desk.save(
        connection, seat.organisation.did, seat.room, case, version, seat.who(), seat.now, _voice(connection, seat)
    )


def act(
    connection: Connection, seat: Seat, name: str, version: int, act: str, note: str = "", attribution: str = ""
) -> Done:
    """Do one act of the table, with what follows from it in public.

    Raises:
        RefusedError: a rule forbids it, each with its number; or somebody else changed the case meanwhile.
    """
    if act in ELSEWHERE:
        raise RefusedError("R2: approvals are given where only the public text is shown, and publishing follows them")
    if act == "submit":
        return ask(connection, seat, name, version)
    case = current(connection, seat, name).case
    done = desk.act(
        connection, seat.organisation.did, seat.room, name, version, act, seat.who(act, case.state), seat.now,
        note=note, voice=_voice(connection, seat),
    )  # fmt: skip
    if act == "close" and case.alert:
        _check_leaks(case, case.outcome.text)
        _restate(connection, seat, case, CLOSE, case.outcome.text, case.outcome.kind, attribution)
    return done


def ask(
    connection: Connection, seat: Seat, name: str, version: int, *, concerned: Collection[str] = (),
    spread: bool = False, networks: Collection[str] = (),
) -> Done:  # fmt: skip
    """Ask others to look at the text of a case; once enough of them said yes, it is published by itself.

    Args:
        concerned: ids of colleagues whom it is about.
        spread: send it at some moment of the hour after the last word.
        networks: digests of those whose members it is for, where it is not for everyone and we are in several.

    Raises:
        RefusedError: a rule forbids it, or nobody could give the words that it needs.
    """
    held, org = current(connection, seat, name), seat.organisation
    case = held.case
    who = seat.who("submit", case.state)
    done = desk.act(connection, org.did, seat.room, name, version, "submit", who, seat.now)
    authors = set(done.opened.case.authors) - {seat.person.id}
    accounts = {each.account for each in case.people if each.account}
    before = sealed_alerts.find(connection, org.did, case.alert, seat.network) if case.alert else None
    value = rules.public_alert(case, seat.now)
    if networks and case.strategy == NETWORK_ONLY:
        value["networks"] = sorted(networks)
    asked = approvals.ask(
        connection, org, seat.key, seat.person.id, value, seat.now,
        subjects={*concerned, *accounts, *authors}, replaces=case.alert, before=before, thread=name, spread=spread,
    )  # fmt: skip
    waits = replace(done.opened.case, asked=asked.row.request.id)
    return replace(done, opened=desk.catch_up(connection, org.did, seat.room, done.opened, waits, seat.now))


def answer(connection: Connection, seat: Seat, name: str, version: int, text: str) -> Done:
    """Answer whoever asked.

    Raises:
        RefusedError: nobody can read it, nothing was written, or somebody else changed the case meanwhile.
    """
    current(connection, seat, name)
    return requests.answer(connection, seat.organisation.did, seat.room, name, version, text, seat.who(), seat.now)


def correct(connection: Connection, seat: Seat, name: str, version: int, reason: str) -> Opened:
    """Ask another to look at a correction of what stands in public: the text stays, the reason stands above it.

    Raises:
        RefusedError: nothing stands there, no reason, or words that stay inside.
    """
    held = current(connection, seat, name)
    case = held.case
    if not case.alert or case.state not in rules.SHOWN:
        raise RefusedError("B3: nothing of this case stands in public")
    if held.version != version:
        raise RefusedError("somebody else changed this case meanwhile: open it again")
    _check_leaks(case, reason)
    _restate(connection, seat, case, CORRECT, reason)
    noted = case.did(seat.who().role, "correct", seat.now)
    return desk.catch_up(connection, seat.organisation.did, seat.room, held, noted, seat.now)


def take_back(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: str, now: datetime
) -> None:
    """Withdraw an alert, whether everyone or members only were told. Nothing needs to be opened for that.

    Raises:
        RefusedError: no such alert of ours.
    """
    if sealed_alerts.has(connection, organisation, alert):
        sealed_alerts.withdraw(connection, organisation, key, alert, now)
    else:
        open_desk.withdraw(connection, organisation, key, alert, now)


def _caught_up(case: Case, found: Row, said: tuple[Approval, ...], now: datetime) -> Case:
    state = found.request.state
    last = next((each.act for each in reversed(case.history) if each.act in ("submit", "publish")), "")
    if state == approval_rules.PUBLISHED and last == "submit":
        noted = replace(case, approvals=said)
        for each in said:
            noted = noted.did(each.role, "approve", each.hour)
        note = "" if len(said) >= found.request.needed else "override"
        return noted.did(PUBLISHER, "publish", found.due or now, note)
    if case.state not in (REVIEW, EMBARGO):
        return case
    if found.held and case.state == REVIEW:
        return replace(case, state=EMBARGO, approvals=said).did(PUBLISHER, "hold", now)
    if state in (approval_rules.REFUSED, approval_rules.CANCELLED, approval_rules.STALE):
        return replace(case, state=DRAFT, approvals=()).did(APPROVER, "return", now, found.outcome)
    for each in said:
        brought = None if each.who in {given.who for given in case.approvals} else rules.bring(case, each, now)
        case = case if brought is None or isinstance(brought, No) else brought
    return case


def _voice(connection: Connection, seat: Seat) -> Voice:
    return Voice(partial(_end_earlier, connection, seat), partial(_withdraw, connection, seat))


def _end_earlier(connection: Connection, seat: Seat, value: JsonObject, alert: str) -> str:
    """A consent was shortened: what stands there says so, word for word the same otherwise."""
    read = alert_rules.parse_input(value)
    found = sealed_alerts.find(connection, seat.organisation.did, alert, seat.network)
    if found is not None:
        said = sealed_alerts.update(
            connection, seat.organisation, seat.key, found, read, seat.now, approved=True
        )
    else:
        said = open_desk.update(
            connection, seat.organisation, seat.key, alert, read, seat.now, loopback=False, approved=True
        )
    return said.portable_id


def _withdraw(connection: Connection, seat: Seat, alert: str) -> None:
    take_back(connection, seat.organisation, seat.key, alert, seat.now)


def _restate(
    connection: Connection, seat: Seat, case: Case, act: str, text: str, result: str = "", attribution: str = ""
) -> None:
    """Words above what stands there wait for another's word, like the text itself did (R2)."""
    before = sealed_alerts.find(connection, seat.organisation.did, case.alert, seat.network)
    accounts = {each.account for each in case.people if each.account}
    restatements.ask(
        connection, seat.organisation, seat.key, seat.person.id, act, case.alert, text, seat.now, before=before,
        result=result, attribution=attribution, thread=case.id, subjects=accounts,
    )  # fmt: skip


def _check_leaks(case: Case, text: str) -> None:
    language = case.texts[0].language if case.texts else "en"
    found = tuple(leaks(replace(case, texts=(Words(language, narrative=text),))))
    if found:
        raise RefusedError(*(f"R4: words of {field} stand in what would be public" for field in found))

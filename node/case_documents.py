"""The case document: everything an organisation knows of one case. It lies sealed, but while a room is open.

`parse` and `render` are its JSON form, versioned. `sealed_words` lists what must occur in nothing public. The public
alert is another object, built in `case_alerts`. Persons act here by their account's id and role; the history has roles
and hours only (R9).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson

from node.case_json import from_json, to_json
from node.case_terms import REQUEST, STATES
from node.consents import About, Consent
from node.errors import ProtocolError
from node.federation.protocol.messages import parse_document
from node.moments import hour_of

VERSION = 1
MAX_CASE = 2 * 1024 * 1024
_LEAST = 24 * 1024
_SPEC = "Tadamun case 1"


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asked for, in their own words."""

    language: str = ""
    what: str = ""
    who: str = ""
    place: str = ""
    contact: str = ""
    avoid: str = ""
    vouched_by: str = ""
    imminent: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the case is about, or at risk with them."""

    subject: str
    """`p1`, `p2` …: the name within the case."""
    name: str = ""
    kind: str = "person"
    publication_level: str = "collective"
    """R3: without a decision, nobody is told apart."""
    public_name: str = ""
    minor: bool = False
    relative: bool = False
    situation: str = "free"
    account: str = ""
    """Their own account on this node, where they have one: who is concerned approves nothing (R2)."""
    contact: str = ""
    sensitive: str = ""
    """R12: sexual violence, honour, orientation, health. Nothing public has room for it."""
    sensitive_types: bool = False
    """R12: the kinds of violation that tell of it may be named. Off until somebody decides."""
    in_alert: bool | None = None
    """Whether the alert speaks of them; without a decision a relative is left out (R3)."""

    def about(self) -> About:
        """What weighing a consent needs."""
        collective = self.kind in ("group", "community")
        return About(self.subject, self.situation, self.minor, self.relative or self.kind == "family", collective)

    @property
    def shown(self) -> bool:
        """Whether the alert speaks of them."""
        return (not self.about().relative) if self.in_alert is None else self.in_alert


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is known from. Never outside the case team (R9)."""

    kind: str
    note: str = ""
    reliability: str = "unknown"
    independent: bool = False
    document: bool = False
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """How the facts were checked."""

    level: str = ""
    status: str = "unknown"
    note: str = ""
    by_role: str = ""
    hour: datetime | None = None


@dataclass(frozen=True, slots=True)
class Perpetrator:
    """To whom a violation is attributed."""

    name: str = ""
    description: str = ""
    """What may be said without naming anybody: `a security force`."""
    kind: str = "unknown"
    sources: int = 0
    official: bool = False
    """An official act or a court says so."""

    @property
    def verified(self) -> bool:
        """R6: two sources or an official act; else it is said as alleged, and without a name."""
        return self.sources >= 2 or self.official


@dataclass(frozen=True, slots=True)
class Words:
    """The text of the alert in one language."""

    language: str
    headline: str = ""
    narrative: str = ""
    link_to_work: str = ""
    demands: tuple[str, ...] = ()
    translator_role: str = ""
    checked_by: str = ""
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Office:
    """An office that is asked to act."""

    office: str
    country: str
    language: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Grading:
    """The closed lists of the alert."""

    kind: str = "urgent-appeal"
    status: str = "actual"
    country: str = ""
    severity: str = "unknown"
    urgency: str = "unknown"
    certainty: str = "unknown"
    violation_types: tuple[str, ...] = ()
    relation_to_network: str = ""
    drivers: tuple[str, ...] = ()
    company_or_project: str = ""
    endorsement_mode: str = "individual"
    deadline: datetime | None = None
    expires: datetime | None = None
    republish: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to exactly this text."""

    who: str
    role: str
    organisation: str
    digest: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended."""

    kind: str = "unknown"
    text: str = ""
    known: datetime | None = None
    lessons: str = ""
    proactive_next: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    """R17: how long a closed case is kept, and what then."""

    months: int = 12
    then: str = "delete"
    """`delete`, or `archive`: exported to the trusted archive, then deleted."""


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the history: a role did something in an hour."""

    role: str
    act: str
    hour: datetime
    note: str = ""
    """Why, for the case team. Never in the audit (R9)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    id: str
    opened: datetime
    state: str = REQUEST
    imminent: bool = False
    due: datetime | None = None
    """When somebody must have acted (R14)."""
    promised: datetime | None = None
    """When whoever asked was promised an answer; `None` where nobody asked."""
    answered: bool = False
    ask: Ask = Ask()
    people: tuple[Person, ...] = ()
    sources: tuple[Source, ...] = ()
    contacts: tuple[str, ...] = ()
    place_full: str = ""
    travel_plan: str = ""
    lawyer: str = ""
    notes: str = ""
    risks: str = ""
    """What publicity may do, for and against: without it nothing becomes public."""
    consents: tuple[Consent, ...] = ()
    verification: Verification = Verification()
    strategy: str = ""
    grading: Grading = Grading()
    perpetrators: tuple[Perpetrator, ...] = ()
    offices: tuple[Office, ...] = ()
    texts: tuple[Words, ...] = ()
    """Main language first."""
    authors: tuple[str, ...] = ()
    """Everybody who wrote in the texts: none of them approves (R2)."""
    approvals: tuple[Approval, ...] = ()
    embargo_until: datetime | None = None
    asked: str = ""
    """The request for others' approval of the text as it stands; empty where nobody was asked."""
    alert: str = ""
    """The published alert's id."""
    outcome: Result = Result()
    retention: Retention = Retention()
    history: tuple[Act, ...] = ()

    def did(self, role: str, act: str, now: datetime, note: str = "") -> "Case":
        """The same case with one more line of history."""
        return replace(self, history=(*self.history, Act(role, act, hour_of(now), note)))


def next_hour(moment: datetime) -> datetime:
    """The full hour at or after a moment."""
    found = hour_of(moment)
    return found if found == moment else found + timedelta(hours=1)


def render(case: Case) -> bytes:
    """The document, to be sealed; never so short that its size tells a first word from a long one."""
    value = {"version": VERSION, "case": to_json(case)}
    missing = _LEAST - len(orjson.dumps(value))
    return orjson.dumps(value | {"pad": " " * max(0, missing)})


def parse(raw: bytes) -> Case:
    """A document that was opened.

    Raises:
        ProtocolError: of another version, or not a case.
    """
    value = parse_document(raw, MAX_CASE).value
    if value.get("version") != VERSION:
        raise ProtocolError(f"a case of version {str(value.get('version'))[:20]!r}", spec=_SPEC)
    case = from_json(Case, _without_typed_approvers(value.get("case")))
    if case.state not in STATES:
        raise ProtocolError(f"no such state: {case.state[:40]!r}", spec=_SPEC)
    return case


def _without_typed_approvers(value: object) -> object:
    """Until a presumption's approvers were those of the text, their names were typed into the consent."""
    consents = value.get("consents") if isinstance(value, dict) else None
    for each in consents if isinstance(consents, list) else ():
        if isinstance(each, dict):
            each.pop("approved_by", None)
    return value


def sealed_words(case: Case) -> Iterator[tuple[str, str]]:
    """(field, text) of everything that stays inside and could be copied into a public text by mistake."""
    yield from (("place_full", case.place_full), ("travel_plan", case.travel_plan), ("lawyer", case.lawyer))
    yield from (("contacts", each) for each in (*case.contacts, case.ask.contact, *(p.contact for p in case.people)))
    yield from (("sources", text) for each in case.sources for text in (each.note, each.contact))
    yield from (("sensitive", person.sensitive) for person in case.people)
    yield from (("perpetrators", each.name) for each in case.perpetrators if not each.verified)
    for number, person in enumerate(case.people):
        if person.publication_level != "named" or not person.shown:
            yield f"people[{number}].name", person.name

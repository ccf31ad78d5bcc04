"""What a coordinator looks at: evidence against logs, what was refused and by which rule, what other servers report.

Every piece comes with a code for its plain sentence, which the catalogue has: a fault of `node/evidence`, a family of
rules, or a kind of report. Families of rules:
- *signature*: somebody's signature or proof does not hold;
- *author*: who spoke is not who owns what was spoken about, or answers for another host;
- *log*: it does not fit the log that it claims to be of;
- *limit*: too much, or too large;
- *harm*: one of our own do-no-harm rules (`R2` …);
- *none*: no rule was broken; something could not be reached, or is our own bug;
- *form*: anything else that a standard asks and the message did not have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import Connection

from node import evidence as rules
from node.models import alerts, contacts, documents, sightings
from node.models.organisations import Organisation
from node.models.sightings import Recent

T = TypeVar("T")
PER_PAGE = 20
LATELY = timedelta(days=7)
_FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "signature": (
            "RFC 9421", "cavage", "RFC 9530", "RFC 3230", "FEP-8b32", "FEP-521a", "RsaSignature2017", "RDF", "RFC 8785",
        ),
        "author": ("FEP-fe34", "FEP-ef61", "FEP-2c59"),
        "log": ("Tadamun log", "Tadamun §3", "Tadamun design", "Tadamun wire"),
        "limit": ("RFC 6585", "RFC 9110 §15.5.14"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """One piece of evidence."""

    fault: str
    name: str
    """Whom it is about: the name we know, else empty."""
    did: str
    host: str
    made: datetime
    proven: bool
    by: str
    """The member that told us; empty where this node saw it."""
    note: str
    """What was seen, in English, as it is kept."""
    number: int
    """Of its document; 0 where there is none any more."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One delivery that was refused."""

    kind: str
    family: str
    rule: str
    reason: str
    host: str
    received: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """What another server told us that a person should read."""

    kind: str
    actor: str
    about: str
    headline: str
    """Of the alert that it is about, where it is one that is shown here."""
    language: str
    path: str
    made: datetime


def seen(connection: Connection, organisation: Organisation, number: int) -> tuple[tuple[Seen, ...], bool]:
    """A page of the evidence, and whether there is another one after it."""
    org = organisation.did
    names = {each.did: each.name or each.handle for each in contacts.members_of(connection, org, all_states=True)}
    names[org] = organisation.name
    found, more = _page(lambda offset, limit: sightings.evidence_page(connection, org, offset, limit), number)
    views = (
        Seen(
            each.kind, names.get(each.did, ""), each.did, each.via, each.made, each.proven,
            names.get(each.by, each.by), each.note, each.id if rules.read(each.document) is not None else 0,
        )
        for each in found
    )  # fmt: skip
    return tuple(views), more


def refusals(connection: Connection, organisation: Organisation, number: int) -> tuple[tuple[Refusal, ...], bool]:
    """A page of what was refused, and whether there is another one after it."""
    org = organisation.did
    found, more = _page(lambda offset, limit: sightings.refused_page(connection, org, offset, limit), number)
    views = (
        Refusal(each.kind, family(each.rule), each.rule, each.reason, each.via, each.received) for each in found
    )
    return tuple(views), more


def reports(connection: Connection, organisation: Organisation, number: int) -> tuple[tuple[Reported, ...], bool]:
    """A page of what others report, and whether there is another one after it."""
    org = organisation.did
    found, more = _page(lambda offset, limit: sightings.reports_page(connection, org, offset, limit), number)
    return tuple(_report(connection, org, each) for each in found), more


def recent(connection: Connection, organisation: Organisation, now: datetime) -> Recent:
    """What came within a week: the number for the desk's front page."""
    return sightings.recent(connection, organisation.did, now - LATELY)


def family(rule: str) -> str:
    """Which sentence explains a refusal by this rule."""
    if not rule:
        return "none"
    if rule[0] == "R" and rule[1:2].isdigit():
        return "harm"
    return next((name for name, heads in _FAMILIES.items() if rule.startswith(heads)), "form")


def _page(read: Callable[[int, int], tuple[T, ...]], number: int) -> tuple[tuple[T, ...], bool]:
    found = read((number - 1) * PER_PAGE, PER_PAGE + 1)
    return found[:PER_PAGE], len(found) > PER_PAGE


def _report(connection: Connection, org: str, each: documents.Reported) -> Reported:
    record = alerts.find(connection, org, each.object_id)
    headline, language, path = ("", "", "") if record is None else (
        record.headline, record.language, f"/alerts/{record.page}",
    )  # fmt: skip
    return Reported(each.kind, each.actor, each.object_id, headline, language, path, each.made)

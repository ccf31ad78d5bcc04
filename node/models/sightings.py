"""What a person should look at, in pages of a list, newest first: evidence, refused deliveries, reports of others.

The rows are those of `documents` and `queues`; here they are counted and paged, and no body is given away.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, Connection, func, select

from node.models.documents import Finding, Reported, evidence, reports
from node.models.queues import FAILED, REFUSED, incoming

_LONGEST_KIND = 40


@dataclass(frozen=True, slots=True)
class Refused:
    """One delivery that was refused or failed: of what it brought only the type."""

    received: datetime
    kind: str
    """`Create`, `Follow` …; empty where it is not known or is no single word."""
    via: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recent:
    """How much is new."""

    evidence: int = 0
    refused: int = 0
    reports: int = 0


def evidence_page(connection: Connection, org: str, offset: int, limit: int) -> tuple[Finding, ...]:
    """Evidence."""
    names = [evidence.c[name] for name in Finding.__slots__]
    query = select(*names).where(evidence.c.org == org).order_by(evidence.c.id.desc())
    return tuple(Finding(*row) for row in connection.execute(query.offset(offset).limit(limit)))


def refused_page(connection: Connection, org: str, offset: int, limit: int) -> tuple[Refused, ...]:
    """Refused and failed deliveries, to this organisation and to the shared inbox."""
    names = ("received", "body", "via", "rule", "reason")
    query = select(*(incoming.c[name] for name in names)).where(_refused(org)).order_by(incoming.c.id.desc())
    rows = connection.execute(query.offset(offset).limit(limit))
    return tuple(Refused(row.received, _kind(row.body), row.via, row.rule, row.reason) for row in rows)


def reports_page(connection: Connection, org: str, offset: int, limit: int) -> tuple[Reported, ...]:
    """Reports, blocks, boosts."""
    names = [reports.c[name] for name in Reported.__slots__]
    query = select(*names).where(reports.c.org == org).order_by(reports.c.id.desc())
    return tuple(Reported(*row) for row in connection.execute(query.offset(offset).limit(limit)))


def recent(connection: Connection, org: str, since: datetime) -> Recent:
    """How much came since then. Of reports only those that accuse somebody here (Flag)."""
    flags = (reports.c.org == org) & (reports.c.kind == "Flag") & (reports.c.made >= since)
    return Recent(
        evidence=_count(connection, (evidence.c.org == org) & (evidence.c.made >= since)),
        refused=_count(connection, _refused(org) & (incoming.c.received >= since)),
        reports=_count(connection, flags),
    )


def total(connection: Connection, org: str) -> Recent:
    """How much there is in all."""
    return Recent(
        evidence=_count(connection, evidence.c.org == org),
        refused=_count(connection, _refused(org)),
        reports=_count(connection, reports.c.org == org),
    )


def _refused(org: str) -> ColumnElement[bool]:
    return incoming.c.state.in_((REFUSED, FAILED)) & incoming.c.org.in_((org, ""))


def _count(connection: Connection, where: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).where(where)).scalar_one()


def _kind(body: bytes | None) -> str:
    """The type that a refused body claims; it may be no JSON at all."""
    try:
        value = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return ""
    kind = value.get("type") if isinstance(value, dict) else ""
    return kind if isinstance(kind, str) and kind.isascii() and kind.isalpha() and len(kind) <= _LONGEST_KIND else ""

"""What the operator decided about others' alerts; see `node/policies.py` for what it means."""

from sqlalchemy import Boolean, Column, Connection, String, Table, delete, insert, select

from node.models.base import metadata
from node.policies import Policies, Rule

policies = Table(
    "policies",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("switch", String(8), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("kind", String(100), primary_key=True),
    Column("allow", Boolean, nullable=False),
)


def of(connection: Connection, org: str) -> Policies:
    """Every rule of one organisation."""
    columns = (policies.c.switch, policies.c.country, policies.c.kind, policies.c.allow)
    rows = connection.execute(select(*columns).where(policies.c.org == org).order_by(*columns[:3]))
    return Policies(tuple(Rule(*row) for row in rows))


def put(connection: Connection, org: str, rule: Rule) -> None:
    """Keep a rule in place of the one about the same alerts."""
    drop(connection, org, rule)
    values = {"switch": rule.switch, "country": rule.country, "kind": rule.kind, "allow": rule.allow}
    connection.execute(insert(policies).values(org=org, **values))


def drop(connection: Connection, org: str, rule: Rule) -> None:
    """No rule about these alerts any more, whatever it said."""
    where = (policies.c.org == org) & (policies.c.switch == rule.switch)
    same = (policies.c.country == rule.country) & (policies.c.kind == rule.kind)
    connection.execute(delete(policies).where(where & same))

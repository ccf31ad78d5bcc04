"""Which network an organisation shows on its public pages, and who there answers those who ask to join.

One, by this node's own choice; without a row nothing of any network is public here.
"""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Connection, String, Table, Text, delete, insert, select, update

from node.models.base import metadata

fronts = Table(
    "network_fronts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("network", String(80), nullable=False),
    Column("form", Boolean, nullable=False),
    Column("sponsors", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Front:
    """What an organisation shows."""

    network: str
    form: bool
    """Whether anybody may ask to join there."""
    sponsors: tuple[str, ...]
    """Dids of those who read and answer it; none: this organisation alone."""


def current(connection: Connection, org: str) -> Front | None:
    """What is shown; nothing at first."""
    row = connection.execute(select(fronts).where(fronts.c.org == org)).first()
    return Front(row.network, row.form, tuple(row.sponsors.split())) if row else None


def show(connection: Connection, org: str, network: str) -> None:
    """Show this network, in place of another; the form of joining is switched on by itself."""
    held = current(connection, org)
    if held is None or held.network != network:
        hide(connection, org)
        connection.execute(insert(fronts).values(org=org, network=network, form=False, sponsors=""))


def hide(connection: Connection, org: str) -> None:
    """Show none."""
    connection.execute(delete(fronts).where(fronts.c.org == org))


def set_form(connection: Connection, org: str, *, form: bool) -> None:
    """Whether anybody may ask to join."""
    connection.execute(update(fronts).where(fronts.c.org == org).values(form=form))


def set_sponsors(connection: Connection, org: str, dids: tuple[str, ...]) -> None:
    """Who reads and answers it."""
    connection.execute(update(fronts).where(fronts.c.org == org).values(sponsors=" ".join(dids)))

"""Which network an organisation shows on its public pages, and who there answers those who ask to join.

One, by this node's own choice; without a row nothing of any network is public here.
"""

from dataclasses import dataclass

import orjson
from sqlalchemy import Boolean, Column, Connection, String, Table, Text, delete, insert, select, update

from node.directory import Told, Unnamed
from node.models.base import metadata

fronts = Table(
    "network_fronts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("network", String(80), nullable=False),
    Column("form", Boolean, nullable=False),
    Column("sponsors", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("hidden", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Front:
    """What an organisation shows."""

    network: str
    form: bool
    """Whether anybody may ask to join there."""
    sponsors: tuple[str, ...]
    """Dids of those who read and answer it; none: this organisation alone."""
    told: Told | None = None
    """Of the members that are not named."""


def current(connection: Connection, org: str) -> Front | None:
    """What is shown; nothing at first."""
    columns = (fronts.c.network, fronts.c.form, fronts.c.sponsors, fronts.c.told)
    row = connection.execute(select(*columns).where(fronts.c.org == org)).first()
    return Front(row.network, row.form, tuple(row.sponsors.split()), _told(row.told)) if row else None


def all_of(connection: Connection) -> tuple[tuple[str, str], ...]:
    """(org, network) of all that are shown."""
    return tuple((row.org, row.network) for row in connection.execute(select(fronts.c.org, fronts.c.network)))


def show(connection: Connection, org: str, network: str) -> None:
    """Show this network, in place of another; the form of joining is switched on by itself."""
    held = current(connection, org)
    if held is None or held.network != network:
        hide(connection, org)
        connection.execute(
            insert(fronts).values(org=org, network=network, form=False, sponsors="", told="", hidden="")
        )


def hide(connection: Connection, org: str) -> None:
    """Show none."""
    connection.execute(delete(fronts).where(fronts.c.org == org))


def set_form(connection: Connection, org: str, *, form: bool) -> None:
    """Whether anybody may ask to join."""
    connection.execute(update(fronts).where(fronts.c.org == org).values(form=form))


def set_sponsors(connection: Connection, org: str, dids: tuple[str, ...]) -> None:
    """Who reads and answers it."""
    connection.execute(update(fronts).where(fronts.c.org == org).values(sponsors=" ".join(dids)))


def hidden(connection: Connection, org: str) -> Unnamed | None:
    """The members that were not named when something was told of them last; nothing where that never was."""
    text = connection.execute(select(fronts.c.hidden).where(fronts.c.org == org)).scalar()
    return frozenset((did, country, kind) for did, country, kind in orjson.loads(text)) if text else None


def set_told(connection: Connection, org: str, told: Told, whom: Unnamed) -> None:
    """What is told of the unnamed from now on, and who they were."""
    said = {"regions": dict(told.regions), "kinds": dict(told.kinds), "countries": told.countries}
    values = {"told": orjson.dumps(said).decode(), "hidden": orjson.dumps(sorted(whom)).decode()}
    connection.execute(update(fronts).where(fronts.c.org == org).values(**values))


def _told(text: str) -> Told | None:
    value = orjson.loads(text) if text else None
    return Told(value["regions"], value["kinds"], tuple(value["countries"])) if value else None

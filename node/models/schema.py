"""Whether the database is of the schema this version needs. Asked at every start, so without the migration tool."""

from sqlalchemy import inspect, text

from node.errors import ConfigurationError
from node.models.base import Database

REVISIONS = (
    "0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012", "0013", "0014",
    "0015", "0016", "0017", "0018", "0019", "0020", "0021", "0022", "0023", "0024", "0025",
)
"""Every revision of the schema, oldest first. A test holds it equal to the migrations."""


def is_empty(database: Database) -> bool:
    """Whether nothing was ever made in it, or its making was broken off."""
    with database.engine.connect() as connection, connection.begin():
        return not inspect(connection).get_table_names()


def check(database: Database) -> None:
    """The schema is the one this version needs.

    Raises:
        ConfigurationError: it is older or newer, with the mend.
    """
    with database.engine.connect() as connection, connection.begin():
        found: str | None = None
        if inspect(connection).has_table("alembic_version"):
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise ConfigurationError("the database was made by a newer version of tadamun: install that version")
    if found != REVISIONS[-1]:
        raise ConfigurationError("the database is older than this version: run 'tadamun migrate'")

"""Bringing the database to the schema this version needs: alembic, forward only, one history for both engines."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from node.errors import ConfigurationError
from node.models.base import Database

_MIGRATIONS = Path(__file__).parent / "migrations"
_TURN = 0x7461646D
"""The lock that one who migrates holds; SQLite has one writer anyway."""


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema up to date; returns the revision before and after.

    Raises:
        ConfigurationError: the database is newer than this version.
    """
    config = _config(database)
    with database.engine.connect() as connection, connection.begin():
        if not database.sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_TURN)))
        before = _current(connection)
        _check_known(config, before)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, _current(connection) or ""


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(config: Config, found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError("the database was made by a newer version of tadamun: install that version")

"""A database of each kind for every test that asks for `database`: made by the migrations, empty, its own."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy

from node.models import setup
from node.models.base import Database, metadata
from node.models.schema import REVISIONS
from tests.support.postgres import Missing, Server

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL for the whole run."""
    try:
        found = Server()
    except Missing as error:
        pytest.skip(str(error))
    yield found
    found.stop()


@pytest.fixture(scope="session")
def postgres_url(server: Server) -> str:
    """A migrated database in it, which the tests use one after another."""
    url = server.url(server.database())
    _migrate(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    path = tmp_path_factory.mktemp("template") / "node.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'node.sqlite'}"
        return
    server: Server = request.getfixturevalue("server")
    name = server.database()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "node.sqlite")
        yield f"sqlite:///{tmp_path / 'node.sqlite'}"
        return
    found: str = request.getfixturevalue("postgres_url")
    yield found
    _empty(found)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The database, opened."""
    found = Database(url)
    yield found
    found.close()


@pytest.fixture
def now() -> datetime:
    """A moment to start from."""
    return datetime(2026, 11, 20, 10, tzinfo=UTC)


def _empty(url: str) -> None:
    """Cheaper by far than a new database for each test."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for table in metadata.tables.values():
            connection.execute(table.delete())
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'")
    engine.dispose()


def _migrate(url: str) -> None:
    database = Database(url)
    try:
        setup.migrate(database)
    finally:
        database.close()

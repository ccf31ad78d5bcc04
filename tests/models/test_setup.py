"""The schema: made from nothing on both engines, equal to what the code expects, and never run backwards."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from node.errors import ConfigurationError
from node.models import (
    alerts,
    approvals,
    audit,
    base,
    boosts,
    cases,
    contacts,
    declarations,
    deliveries,
    documents,
    letters,
    logs,
    media,
    organisations,
    people,
    policies,
    queues,
    relays,
    rooms,
    schema,
    sessions,
    setup,
    signatures,
    withdrawals,
    withheld,
)
from node.models.base import Database

TABLES = (
    alerts, approvals, audit, boosts, cases, contacts, declarations, deliveries, documents, letters, logs, media,
    organisations, people, policies, queues, relays, rooms, sessions, signatures, withdrawals,
    withheld,
)  # fmt: skip
MIGRATIONS = Path(setup.__file__).parent / "migrations"
HEAD = ScriptDirectory(str(MIGRATIONS)).get_current_head()


@pytest.fixture
def empty(empty_url):
    found = Database(empty_url)
    yield found
    found.close()


def tables(database) -> set[str]:
    return set(sqlalchemy.inspect(database.engine).get_table_names())


def test_a_database_is_made_from_nothing_and_then_left_alone(empty):
    assert setup.migrate(empty) == (None, HEAD)
    assert tables(empty) == {*base.metadata.tables, "alembic_version"}
    assert setup.migrate(empty) == (HEAD, HEAD)
    schema.check(empty)


def test_the_check_at_the_start_knows_the_revisions_there_are():
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == schema.REVISIONS


def test_the_migrations_make_what_the_code_expects(database):
    with database.engine.connect() as connection:
        # SQLite gives an empty default back without its quotes, which alembic takes for another one.
        options = {"compare_type": True, "compare_server_default": not database.sqlite}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, base.metadata) == []


def test_every_table_carries_its_organisation():
    without = {name for name, table in base.metadata.tables.items() if "org" not in table.columns}
    assert without == {"organisations"}


def test_a_database_without_its_schema_is_refused_with_the_mend(empty):
    with pytest.raises(ConfigurationError, match="tadamun migrate"):
        schema.check(empty)
    assert tables(empty) == set()


@pytest.mark.parametrize("act", [schema.check, setup.migrate])
def test_a_newer_database_is_refused_and_not_touched(database, act):
    newer = sqlalchemy.text("UPDATE alembic_version SET version_num = '9999'")
    database.write_now(lambda connection: connection.execute(newer))
    with pytest.raises(ConfigurationError, match="newer version"):
        act(database)
    found = sqlalchemy.text("SELECT version_num FROM alembic_version")
    assert database.read_now(lambda connection: connection.execute(found).scalar_one()) == "9999"


def test_a_migration_that_fails_leaves_nothing(empty):
    """The first table that stands in its way stops it; what it had made before goes again."""
    name = sorted(base.metadata.tables)[10]
    with empty.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(f"CREATE TABLE {name} (x INTEGER)")
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="already exists"):
        setup.migrate(empty)
    assert tables(empty) == {name}
    with empty.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(f"DROP TABLE {name}")
    assert setup.migrate(empty) == (None, HEAD)


def test_several_who_migrate_at_once_do_it_once(empty_url):
    code = f"from node.models import base, setup; d = base.Database({empty_url!r}); print(setup.migrate(d)); d.close()"

    def run(_) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", code], cwd=MIGRATIONS.parents[2], capture_output=True, text=True, timeout=60
        )

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, range(2)))
    assert [each.returncode for each in done] == [0, 0], "\n".join(each.stderr for each in done)
    assert {each.stdout.strip() for each in done} == {str((None, HEAD)), str((HEAD, HEAD))}


def test_numbers_of_migrations_follow_one_another():
    script = ScriptDirectory(str(MIGRATIONS))
    revisions = [each.revision for each in script.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert len(script.get_heads()) == 1
    assert not [path for path in (MIGRATIONS / "versions").glob("*.py") if "def downgrade" in path.read_text()]

"""What our own failures tell: no words, no keys, no tokens on stderr."""

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from node.desk import people
from node.models import approvals as rows
from tests.support.network import Network

PLANTED = "EXERCISE-words-that-nobody-logs"


async def test_an_error_of_the_database_does_not_repeat_what_was_to_be_written(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("one", start=False)
        values = {"org": house.did, "did": PLANTED, "since": house.clock()}

        def twice(connection):
            for _ in range(2):
                connection.execute(insert(rows.standbys).values(**values))

        with pytest.raises(SQLAlchemyError) as caught:
            await house.write(twice)
        assert PLANTED not in str(caught.value)


async def test_a_page_that_fails_does_not_log_the_link_that_invites(tmp_path, caplog):
    async with Network(tmp_path) as network:
        house = await network.house("one")
        made = await house.write(
            lambda connection: people.invite(
                connection, house.organisation, "Hana (exercise)", ["approver"], house.clock()
            )
        )
        token = made.link.rpartition("/")[2]
        await house.write(lambda connection: connection.exec_driver_sql("ALTER TABLE people RENAME TO elsewhere"))
        with caplog.at_level("ERROR", "tadamun"):
            answer = await house.get(f"/desk/join/{token}")
        assert answer.status == 500
        assert "web.failed" in caplog.text
        assert token not in caplog.text

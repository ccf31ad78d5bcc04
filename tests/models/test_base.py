"""The database: what a write that returned has promised, who shares a transaction with whom, what a reader sees."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from sqlalchemy import Connection, insert, select

from node.models.alerts import numbers
from node.models.base import Database, Instant


def put(value):
    def work(connection: Connection):
        connection.execute(insert(numbers).values(org="o", name=f"n{value:03}", value=value))
        return value

    return work


def names(connection: Connection) -> list[int]:
    return list(connection.execute(select(numbers.c.value).order_by(numbers.c.name)).scalars())


@contextmanager
def busy(database: Database):
    """The writer is held up, so that what is handed in meanwhile comes together."""
    begun, go = threading.Event(), threading.Event()

    def wait(connection: Connection) -> None:
        begun.set()
        assert go.wait(10)

    with ThreadPoolExecutor(40) as pool:
        held = pool.submit(database.write_now, wait)
        assert begun.wait(10)
        try:
            yield pool
            threading.Event().wait(0.2)
        finally:
            go.set()
        held.result(10)


def test_a_write_gives_back_what_the_work_gave_and_readers_see_it(database):
    assert database.write_now(put(1)) == 1
    assert database.read_now(names) == [1]


async def test_writes_and_reads_work_from_an_event_loop(database):
    assert sorted(await asyncio.gather(*(database.write(put(value)) for value in range(30)))) == list(range(30))
    assert await database.read(names) == list(range(30))


def test_writes_that_arrive_together_share_one_transaction(database):
    with busy(database) as pool:
        waiting = [pool.submit(database.write_now, lambda connection: connection) for _ in range(20)]
    assert len({id(each.result(10)) for each in waiting}) == 1


def test_writes_run_in_the_order_they_came(database):
    ran = []

    async def run():
        await asyncio.gather(*(database.write(lambda connection, n=n: ran.append(n)) for n in range(300)))

    asyncio.run(run())
    assert ran == list(range(300))


@pytest.mark.parametrize("fault", ["the rows", "the code"])
def test_one_that_fails_takes_nobody_with_it(database, fault):
    database.write_now(put(7))

    def fails(connection: Connection) -> None:
        put(100)(connection)
        if fault == "the code":
            raise LookupError("mine")
        put(7)(connection)

    with busy(database) as pool:
        before = [pool.submit(database.write_now, put(value)) for value in range(5)]
        failing = pool.submit(database.write_now, fails)
        after = [pool.submit(database.write_now, put(value)) for value in range(10, 15)]
    assert [each.result(10) for each in (*before, *after)] == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    with pytest.raises(LookupError if fault == "the code" else sqlalchemy.exc.IntegrityError):
        failing.result(10)
    assert database.read_now(names) == [0, 1, 2, 3, 4, 7, 10, 11, 12, 13, 14]


def test_a_lone_write_that_fails_leaves_nothing(database):
    def fails(connection: Connection) -> None:
        put(1)(connection)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        database.write_now(fails)
    assert database.read_now(names) == []
    assert database.write_now(put(2)) == 2


def test_when_the_transaction_itself_fails_everybody_hears_and_nothing_stays(database):
    with busy(database) as pool:
        first = [pool.submit(database.write_now, put(value)) for value in range(3)]
        threading.Event().wait(0.1)
        breaking = pool.submit(database.write_now, lambda connection: connection.invalidate())
    for each in (*first, breaking):
        with pytest.raises(sqlalchemy.exc.SQLAlchemyError):
            each.result(10)
    assert database.read_now(names) == []
    assert database.write_now(put(9)) == 9


async def test_one_who_gives_up_while_waiting_is_passed_over(database):
    go = threading.Event()
    first = asyncio.create_task(database.write(lambda connection: go.wait(10)))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(database.write(put(1)))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    go.set()
    assert await asyncio.wait_for(first, 10)
    assert await asyncio.wait_for(database.write(put(2)), 10) == 2
    assert await database.read(names) == [2]


async def test_one_who_gives_up_while_it_runs_does_not_stop_the_writer(database):
    begun, go = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        begun.set()
        go.wait(10)
        put(1)(connection)

    task = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    go.set()
    assert await asyncio.wait_for(database.write(put(2)), 10) == 2
    assert await database.read(names) == [1, 2]


def test_close_finishes_what_was_handed_in_and_ends_the_writer(url):
    database = Database(url)
    begun, go = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        begun.set()
        go.wait(10)

    with ThreadPoolExecutor(22) as pool:
        pool.submit(database.write_now, slow)
        assert begun.wait(10)
        waiting = [pool.submit(database.write_now, put(value)) for value in range(20)]
        threading.Event().wait(0.2)
        closing = pool.submit(database.close)
        go.set()
        closing.result(10)
        assert sorted(each.result(10) for each in waiting) == list(range(20))
    assert not [thread for thread in threading.enumerate() if thread.name == "writer"]
    again = Database(url)
    assert again.read_now(names) == list(range(20))
    again.close()


def test_sqlite_flushes_every_transaction_and_wipes_what_is_deleted(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'node.sqlite'}")
    for ask in (database.write_now, database.read_now):
        found = {
            name: ask(lambda connection, name=name: connection.exec_driver_sql(f"PRAGMA {name}").scalar())
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
        assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["node.sqlite"]


def test_a_reader_sees_one_moment_while_the_writer_goes_on(database):
    database.write_now(put(1))

    def read(connection: Connection) -> tuple[list[int], list[int]]:
        before = names(connection)
        database.write_now(put(2))
        return before, names(connection)

    assert database.read_now(read) == ([1], [1])
    assert database.read_now(names) == [1, 2]


def test_a_reader_cannot_write(database):
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-?only"):
        database.read_now(put(1))
    assert database.write_now(put(2)) == 2


def test_a_writer_waits_for_another_process(url):
    first, second = Database(url), Database(url)
    begun, go = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        put(1)(connection)
        begun.set()
        go.wait(10)

    with ThreadPoolExecutor(2) as pool:
        slow_one = pool.submit(first.write_now, slow)
        assert begun.wait(10)
        other = pool.submit(second.write_now, put(2))
        threading.Event().wait(0.2)
        go.set()
        slow_one.result(10)
        assert other.result(25) == 2
    assert second.read_now(names) == [1, 2]
    first.close()
    second.close()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 10, 0, 0, 123456, UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        None,
    ],
)
def test_a_moment_is_kept_to_the_microsecond(database, moment):
    kind = Instant()
    stored = kind.process_bind_param(moment, None)
    assert kind.process_result_value(stored, None) == moment
    found = database.read_now(
        lambda connection: connection.execute(select(sqlalchemy.literal(moment, Instant()))).scalar()
    )
    assert found == moment


def test_moments_compare_as_they_follow(database):
    first = datetime(2026, 11, 20, tzinfo=UTC)
    later = first + timedelta(microseconds=1)
    compared = sqlalchemy.literal(first, Instant()) < sqlalchemy.literal(later, Instant())
    assert database.read_now(lambda connection: connection.execute(select(compared)).scalar())


def test_text_with_a_zero_in_it_harms_nobody(database):
    """JSON may hold U+0000; PostgreSQL's text cannot."""
    work = insert(numbers).values(org="o", name="a\0b", value=1)
    database.write_now(lambda connection: connection.execute(work))
    found = database.read_now(lambda connection: connection.execute(select(numbers.c.name)).scalar_one())
    assert found == ("a\0b" if database.sqlite else "a\ufffdb")

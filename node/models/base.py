"""The database: one class for SQLite and PostgreSQL, one writer with group commit, readers beside it.

SQLite runs in WAL mode with `synchronous=FULL`: what a call of `write` returned for is on the disk. Writes that arrive
within the same two milliseconds share one transaction and one flush, each in a savepoint of its own, so that one that
fails takes nobody with it. On PostgreSQL the same code runs; rows that order matters for are locked.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, Engine, Integer, MetaData, create_engine, event, make_url
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")
Work = Callable[[Connection], T]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Id = BigInteger().with_variant(Integer, "sqlite")
"""A row number; SQLite counts by itself only in INTEGER."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINGER = 0.002
"""Seconds a transaction waits for company; without it the mean batch is 1.3 (see DECISIONS)."""
_BATCH = 256


class Instant(TypeDecorator[datetime]):
    """A moment, stored as microseconds since 1970 UTC: the same order and value in both engines."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Aware datetime to microseconds."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """Microseconds to aware datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Database:
    """A connection to one node's rows. Close it, or the writer's thread lives on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        file = make_url(url).database if self.sqlite else None
        self._log = Path(f"{file}-wal") if file else None
        kept: dict[str, Any] = {}
        self._writer = _engine(url, kept, write=True)
        # PostgreSQL would give each statement a view of its own; two engines then share one pool.
        self._reader = (
            _engine(url, kept, write=False)
            if self.sqlite
            else self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        )
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="reader")
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction; returns when it is flushed to disk."""
        return await asyncio.wrap_future(self._submit(work))

    def write_now(self, work: Work[T]) -> T:
        """`write` for callers outside an event loop."""
        return self._submit(work).result()

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a consistent view, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read_now, work)

    def read_now(self, work: Work[T]) -> T:
        """`read` for callers outside an event loop."""
        with self._reader.connect() as connection, connection.begin():
            return work(connection)

    async def scrub(self) -> bool:
        """After text was destroyed: write SQLite's write-ahead log back and empty it, for it still holds the bytes.

        Returns:
            Whether it is done; a reader at work prevents it, and it is to be tried again.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._scrub)

    def _scrub(self) -> bool:
        if not self.sqlite:
            return True
        connection = self._reader.raw_connection()
        try:
            # Outside of any transaction, or SQLite finds its own table locked.
            cursor = connection.cursor()
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.close()
            return bool(busy) and busy[0] == 0
        finally:
            connection.close()

    def stamp(self) -> object:
        """Other than before where anybody, another process too, has written meanwhile; costs two microseconds and no
        thread. A write within four milliseconds of the one before may keep it: ask now and then in any case.
        """
        if self._log is None:
            return object()
        try:
            found = self._log.stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns

    async def follow(self, work: Callable[[], Awaitable[None]], pause: float, due: Callable[[float], float]) -> None:
        """Work at once, then where something was written, else when it is due; until cancelled.

        Args:
            pause: seconds between two looks.
            due: the loop's time after the work → the time when it is done in any case.
        """
        loop = asyncio.get_running_loop()
        seen: object = None
        again = 0.0
        while True:
            stamp = self.stamp()
            if stamp != seen or loop.time() >= again:
                seen = stamp
                await work()
                again = due(loop.time())
            await asyncio.sleep(pause)

    def close(self) -> None:
        """Finish what was handed in and let go of every connection."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()
        self._pool.shutdown()
        self._reader.dispose()
        self._writer.dispose()

    def _submit(self, work: Work[T]) -> "Future[T]":
        future: Future[T] = Future()
        self._queue.put((work, future))
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                    self._thread.start()
        return future

    def _run(self) -> None:
        while True:
            batch, more = self._gather()
            if batch:
                self._commit(batch)
            if not more:
                return

    def _gather(self) -> tuple[list[tuple[Work[Any], Future[Any]]], bool]:
        first = self._queue.get()
        if first is None:
            return [], False
        batch = [first]
        time.sleep(_LINGER)
        while len(batch) < _BATCH:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return batch, False
            batch.append(item)
        return batch, True

    def _commit(self, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
        # Who gave up while waiting is passed over; once work has begun, nobody can cancel its future under us.
        batch = [(work, future) for work, future in batch if future.set_running_or_notify_cancel()]
        if not batch:
            return
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self._writer.connect() as connection, connection.begin():
                for work, future in batch:
                    try:
                        if len(batch) == 1:
                            done.append((future, work(connection)))
                        else:
                            with connection.begin_nested():
                                result = work(connection)
                            done.append((future, result))
                    except Exception as error:
                        if len(batch) == 1:
                            raise
                        future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - the transaction is gone: everybody hears why
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)


def kept(connection: Connection) -> dict[str, Any]:
    """What was made of rows and is kept beside them in memory, for every connection of one `Database`. Whoever keeps
    something there tells by the rows that are seen whether it still fits.
    """
    found: dict[str, Any] = connection.get_execution_options().get("kept", {})
    return found


def _engine(url: str, kept: dict[str, Any], *, write: bool) -> Engine:
    if not url.startswith("sqlite"):
        return _postgres(url, kept)
    engine = create_engine(
        url, pool_size=1 if write else 3, max_overflow=0, connect_args={"check_same_thread": False, "timeout": 20},
        hide_parameters=True,  # an error is logged, and what was to be written may be anybody's words
        execution_options={"kept": kept},
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        for pragma in (
            "journal_mode=WAL",
            f"query_only={'OFF' if write else 'ON'}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "temp_store=MEMORY",
            "cache_size=-8000",
            "wal_autocheckpoint=4000",  # 16 MB: writing back four times as seldom saves a tenth of a row's cost
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _postgres(url: str, kept: dict[str, Any]) -> Engine:
    engine = create_engine(
        url, pool_size=4, max_overflow=4, pool_pre_ping=True, hide_parameters=True, execution_options={"kept": kept}
    )

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def before(
        connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        listed = many and isinstance(parameters, list | tuple)  # rows merged into one statement come as one dict
        return statement, [_plain(row) for row in parameters] if listed else _plain(parameters)

    return engine


def _plain(row: Any) -> Any:
    """JSON strings and URL paths may hold U+0000, which PostgreSQL's text cannot; SQLite's can."""
    if not isinstance(row, dict):
        return row
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value for name, value in row.items()
    }

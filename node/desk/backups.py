"""Copies of a node's data: one file with the database and the pictures, without private keys unless they are wanted.

Sealed, it is packed through a pipe into a process that seals (`strongbox`): no unsealed file of it is ever on the disk
but the copy of the database, which lies in the data directory and has no name any more before its first byte is packed.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

import orjson

from node.desk import strongbox
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.media import Medium
from node.models import media
from node.models.base import Database
from node.models.keyring import key_files
from node.people import check_password
from node.settings import Settings

MAX_BY_PASSPHRASE = 64 * 1024 * 1024
"""Bytes of a backup that is sealed with a passphrase: age seals by passphrase in memory alone."""
MAX_RECIPIENTS = 8
NO_ROOM = "there is not enough room on the disk for a backup"


def pack(settings: Settings, database: Database, stream: BinaryIO, *, with_keys: bool = False) -> None:
    """Write a backup that `restore` reads.

    Args:
        stream: need not be seekable.
        with_keys: put the private keys in too.

    Raises:
        RefusedError: the database is not SQLite.
        OSError: the disk is full.
    """
    check(settings)
    held = database.read_now(media.held)
    with closing(_copied(settings)) as copy, tarfile.open(fileobj=stream, mode="w|gz") as archive:
        archive.addfile(_entry("node.sqlite", copy), copy)
        for path in key_files(settings.keys) if with_keys else ():
            archive.add(path, f"keys/{path.name}")
        for medium in held:
            with suppress(FileNotFoundError):  # destroyed since the database was copied
                archive.add(settings.media / medium.digest, f"media/{medium.digest}")


def sealed_to(settings: Settings, database: Database, recipients: Sequence[str]) -> BinaryIO:
    """A backup without keys that only these recipients open, as a file without a name, to be read from its start.

    Args:
        recipients: `age1…`, of keys whose other halves lie elsewhere.

    Raises:
        RefusedError: no recipient, too many, no room, or the database is not SQLite.
        ProtocolError: one of them is no recipient.
    """
    if not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise RefusedError(f"give 1 to {MAX_RECIPIENTS} age recipients, each begins with age1")
    named = [sealing.check_recipient(each) for each in recipients]
    return _sealed(settings, database, {"recipients": named}, None)


def sealed_by(settings: Settings, database: Database, passphrase: str) -> BinaryIO:
    """The same, opened by a passphrase; for small backups, since it is made in memory.

    Raises:
        RefusedError: a passphrase that others would guess, a backup too large for it, no room, or no SQLite.
    """
    return _sealed(settings, database, {"passphrase": check_password(passphrase, "")}, MAX_BY_PASSPHRASE)


def check(settings: Settings) -> None:
    """Backups are made of SQLite.

    Raises:
        RefusedError: the node is on PostgreSQL.
    """
    if settings.database_url:
        raise RefusedError("this node is on PostgreSQL: use pg_dump, and keep a copy of keys/ and media/")


class _Bounded:
    """A stream to write to, up to a bound."""

    def __init__(self, stream: IO[bytes], most: int | None) -> None:
        self._stream = stream
        self._left = most

    def write(self, data: bytes) -> int:
        """Pass more on.

        Raises:
            RefusedError: it is too much.
        """
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise RefusedError("this backup is too large for a passphrase: give an age recipient")
        return self._stream.write(data)


def _sealed(settings: Settings, database: Database, asked: Mapping[str, object], most: int | None) -> BinaryIO:
    """Pack at one end of a pipe; at the other a process of its own seals into a file without a name."""
    check(settings)
    _check_room(settings, database.read_now(media.held))
    with ExitStack() as stack:
        sealed = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile(dir=settings.data)))
        # -P: a folder called "node" where the command is run is not ours.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", strongbox.__name__], stdin=subprocess.PIPE, stdout=sealed,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _hand_over(settings, database, process, asked, most)
        except OSError as error:
            raise RefusedError(NO_ROOM) from error
        finally:
            process.kill()  # it has ended by itself, or what it does is of no use any more
            process.wait()
        if process.returncode != 0:
            raise RefusedError(NO_ROOM)
        sealed.seek(0)
        stack.pop_all()  # it stays open for who reads it
    return sealed


def _hand_over(
    settings: Settings, database: Database, process: "subprocess.Popen[bytes]", asked: Mapping[str, object],
    most: int | None,
) -> None:  # fmt: skip
    stream = process.stdin
    if stream is None:
        raise RefusedError(NO_ROOM)
    with suppress(BrokenPipeError), stream:  # it stopped: its exit code tells
        stream.write(orjson.dumps(asked) + b"\n")
        pack(settings, database, cast(BinaryIO, _Bounded(stream, most)))
    process.wait()


def _copied(settings: Settings) -> BinaryIO:
    """A copy of the database as it is now, open and without a name: it goes when it is closed, whatever happens."""
    with tempfile.TemporaryDirectory(dir=settings.data) as folder:
        path = Path(folder) / "node.sqlite"
        try:
            with (
                closing(sqlite3.connect(settings.data / "node.sqlite")) as source,
                closing(sqlite3.connect(path)) as target,
            ):
                source.backup(target)
        except sqlite3.OperationalError as error:
            raise OSError(f"the database could not be copied: {error}") from error
        return path.open("rb")


def _entry(name: str, file: BinaryIO) -> tarfile.TarInfo:
    status = os.fstat(file.fileno())
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = status.st_size, int(status.st_mtime), 0o600
    return entry


def _check_room(settings: Settings, held: Sequence[Medium]) -> None:
    database = (settings.data / "node.sqlite").stat().st_size if not settings.database_url else 0
    if shutil.disk_usage(settings.data).free < 2 * database + sum(each.size for each in held):
        raise RefusedError(NO_ROOM)

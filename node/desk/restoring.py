"""A backup is put back: by the command line at once, by the pages of the set-up when the node begins anew.

1. `stage` reads the backup into a folder of its own. Publishing is on hold, what was said is not shown, and no session
   is open, before the copy can take the database's name: a stop at any point makes no fork, and brings nothing back to
   light that was withdrawn after the backup.
2. `confirm` gives the folder the name `READY`: from then on it is decided.
3. `put_in_place` moves what is ready to where it belongs, the database last; stopped anywhere, it is done again.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import IO, BinaryIO, cast

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from node.desk import strongbox
from node.errors import ConfigurationError, RefusedError
from node.federation import outbox
from node.media import is_name
from node.models import contacts, deliveries, logs, organisations, sessions
from node.models.base import Database
from node.models.keyring import KEY_FILES, Keyring, key_files, sync_folder
from node.models.organisations import ORGANISATION, Organisation
from node.settings import Settings

VEILED = timedelta(days=1)
"""So long a restored node shows nothing where not every member answers."""
READY = ".restored"
_STAGED = ".restoring"
_DATABASE = "node.sqlite"
_PLAIN, _SEALED = b"\x1f\x8b", b"age-encryption.org/v1"
_HOLD = "the data was restored from a backup: run 'tadamun sync', or 'tadamun epoch' if no member answers"
_NO_BACKUP = "this file is no backup that can be read"
_NOT_OPENED = "this passphrase or key does not open the backup, or the file is damaged"


@dataclass(frozen=True, slots=True)
class Restored:
    """One organisation of a backup."""

    name: str
    address: str
    origin: str
    sequence: int
    """The last entry of its log that the backup holds."""
    keys: bool
    """Its private keys are in the backup, or here."""


def stage(
    settings: Settings, archive: BinaryIO, now: datetime, name: str = "this file",
    check_whole: Callable[[], None] = lambda: None,
) -> tuple[Restored, ...]:  # fmt: skip
    """Read a backup beside what is here; says who is in it.

    Args:
        archive: the backup, opened if it was sealed; need not be seekable.
        name: what the reasons call it.
        check_whole: raises where what came was not all of it; called when it was read to its end.

    Raises:
        RefusedError: it holds what no backup holds, or nobody.
        ConfigurationError: it cannot be read, or there is no room for it.
    """
    staged = settings.data / _STAGED
    give_up(settings)
    staged.mkdir(mode=0o700, parents=True)
    try:
        unpack(archive, staged, name)
        check_whole()
        found = _hold_all(staged / _DATABASE, now, (staged / "keys", settings.keys))
        if not found:
            raise RefusedError(f"{name} holds no organisation")
        sync_folder(staged)
    except BaseException:
        give_up(settings)
        raise
    return found


def confirm(settings: Settings) -> None:
    """What is staged is to be put in place."""
    (settings.data / _STAGED).rename(settings.data / READY)
    sync_folder(settings.data)


def give_up(settings: Settings) -> None:
    """A backup that was staged, or half staged, is not wanted after all."""
    for name in (_STAGED, READY):
        shutil.rmtree(settings.data / name, ignore_errors=True)


def put_in_place(settings: Settings) -> bool:
    """Move what is ready; whether there was anything. What stands there now is kept under a name with the date. What
    was staged and never confirmed goes.

    Raises:
        RefusedError: a running node has the database open.
    """
    ready, data = settings.data / READY, settings.data
    shutil.rmtree(data / _STAGED, ignore_errors=True)
    if not ready.is_dir():
        return False
    if (ready / _DATABASE).exists():
        _set_aside(data)
    _move(ready, data)
    shutil.rmtree(ready, ignore_errors=True)
    return True


def open_sealed(settings: Settings, sealed: BinaryIO, opener: str, now: datetime) -> tuple[Restored, ...]:
    """Stage a backup that is sealed with age, or plain. It is opened through a pipe, and never stands open on the disk.

    Args:
        sealed: a real file, at its start.
        opener: the passphrase, or the secret half of an age key (`AGE-SECRET-KEY-1...`); unused for a plain one.

    Raises:
        RefusedError: it is no backup, this does not open it, or it holds what no backup holds.
        ConfigurationError: it cannot be read, or there is no room for it.
    """
    start = sealed.read(len(_SEALED))
    sealed.seek(0)
    if start.startswith(_PLAIN):
        return stage(settings, sealed, now)
    if not start.startswith(_SEALED):
        raise RefusedError("this file is no backup of ours: it ends in .tar.gz.age, or .tar.gz")
    if not opener:
        raise RefusedError("this backup is sealed: give its passphrase, or the secret half of an age key")
    how = {"identity": opener.upper()} if opener.upper().startswith("AGE-SECRET-KEY-1") else {"passphrase": opener}
    # -P: a folder called "node" where the command is run is not ours.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", strongbox.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, pass_fds=(sealed.fileno(),),
    )  # fmt: skip
    with process:
        try:
            return _stage_from(settings, process, {"sealed": sealed.fileno(), **how}, now)
        finally:
            process.kill()  # it has ended by itself, or what it does is of no use any more


def _stage_from(
    settings: Settings, process: "subprocess.Popen[bytes]", asked: Mapping[str, object], now: datetime
) -> tuple[Restored, ...]:
    source, target = process.stdin, cast(BinaryIO, process.stdout)
    if source is None:
        raise ConfigurationError(_NO_BACKUP)
    with source:
        source.write(orjson.dumps(asked) + b"\n")

    def check_whole() -> None:
        if process.wait() != 0:
            raise RefusedError(_NOT_OPENED)

    try:
        return stage(settings, target, now, check_whole=check_whole)
    except ConfigurationError as error:
        target.close()
        if process.wait() == strongbox.WRONG:
            raise RefusedError(_NOT_OPENED) from error
        raise


def begin_epoch(connection: Connection, keyring: Keyring, organisation: Organisation, now: datetime) -> None:
    """Go on from the log that is here: say who we are again, one epoch up, and lift the hold.

    Raises:
        RefusedError: publishing is not on hold, or another did goes on.
        ConfigurationError: the organisation's keys are not here.
    """
    if not organisation.hold or organisation.successor:
        raise RefusedError("publishing is not on hold; a new epoch is only for after a restore")
    key, rsa = keyring.organisation(organisation.did), keyring.rsa(organisation.did).public_key()
    outbox.publish_actor(connection, organisation, key, rsa, now, new_epoch=True)
    organisations.set_hold(connection, organisation.did, "")


def unpack(archive: BinaryIO, folder: Path, name: str) -> None:
    """Only the kinds of file that a backup holds; links and other paths are refused (CVE-2025-32949).

    Raises:
        RefusedError: something else is in it.
        ConfigurationError: it cannot be read, or there is no room for it.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r|gz") as read:
            for member in read:
                path = Path(member.name)
                key = path.parent == Path("keys") and path.suffix in KEY_FILES
                picture = path.parent == Path("media") and is_name(path.name)
                if not member.isreg() or not (path == Path(_DATABASE) or key or picture):
                    raise RefusedError(f"{name} holds {member.name[:80]!r}, which no backup of ours does")
                source = read.extractfile(member)
                if source is not None:
                    _write(source, folder / path)
        while archive.read(1 << 20):
            pass  # what follows the archive is part of what was sealed, and must be whole too
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ConfigurationError(f"{name} is no backup that can be read ({error})") from error
    if not (folder / _DATABASE).exists():
        raise ConfigurationError(f"{name} is no backup that can be read (there is no database in it)")


def _write(source: IO[bytes], target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _hold_all(path: Path, now: datetime, folders: Sequence[Path]) -> tuple[Restored, ...]:
    def work(connection: Connection) -> tuple[Restored, ...]:
        found = []
        for organisation in organisations.all_of(connection):
            if not organisation.successor:
                organisations.set_hold(connection, organisation.did, _HOLD)
            if contacts.members_of(connection, organisation.did):
                organisations.veil(connection, organisation.did, now + VEILED)
            deliveries.give_up_texts(connection, organisation.did)
            sessions.end_all(connection, organisation.did)  # whoever holds a cookie of then signs in again
            if organisation.kind == ORGANISATION and not organisation.successor:
                head = logs.head(connection, organisation.did, organisation.did)
                keys = any(Keyring(folder).has(organisation.did) for folder in folders)
                found.append(Restored(
                    organisation.name, organisation.address, organisation.origin, head.sequence if head else 0, keys
                ))  # fmt: skip
        return tuple(found)

    database = Database(f"sqlite:///{path}")
    try:
        # Loaded for this alone: a node that serves carries no migration tool, which weighs 12 MB.
        import_module("node.models.setup").migrate(database)
        return database.write_now(work)
    except DatabaseError as error:
        raise ConfigurationError(f"{_NO_BACKUP} (its database is none)") from error
    finally:
        database.close()


def _set_aside(data: Path) -> None:
    """What stands there now is kept under a name with the date, its last writes included; an empty one is not."""
    current = data / _DATABASE
    if current.exists():
        try:
            with closing(sqlite3.connect(current, timeout=2)) as connection:
                connection.execute("PRAGMA journal_mode=DELETE")  # takes the -wal in; needs the file for itself
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise RefusedError("a running 'tadamun serve' has the database open: stop it first") from error
            # It is damaged, and may be why somebody restores: its files are kept as they are.
    empty = current.exists() and _is_empty(current)
    kept = f"{_DATABASE}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for suffix in ("", "-wal"):
        path = data / f"{_DATABASE}{suffix}"
        if path.exists() and empty:
            path.unlink()
        elif path.exists():
            path.rename(data / f"{kept}{suffix}")
    (data / f"{_DATABASE}-shm").unlink(missing_ok=True)


def _is_empty(path: Path) -> bool:
    """Whether nobody lives in this database: it is the one that `serve` made for the set-up."""
    try:
        with closing(sqlite3.connect(path, timeout=2)) as connection:
            return bool(connection.execute("SELECT count(*) FROM organisations").fetchone() == (0,))
    except sqlite3.DatabaseError:
        return False


def _move(ready: Path, data: Path) -> None:
    """Keys and pictures that are here already stay; the database takes its name last."""
    for name, sources in (("keys", key_files(ready / "keys")), ("media", sorted((ready / "media").glob("*")))):
        for source in sources:
            (data / name).mkdir(mode=0o700, exist_ok=True)
            if not (data / name / source.name).exists():
                source.rename(data / name / source.name)
        if (data / name).exists():
            sync_folder(data / name)
    with suppress(FileNotFoundError):  # it has its name already: the stop came after that
        (ready / _DATABASE).rename(data / _DATABASE)
    sync_folder(data)
    sync_folder(data.absolute().parent)

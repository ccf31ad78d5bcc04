"""The `mirror` command: the whole public site as files, for any web space or a stick.

What is made stands beside the old copy under a name of its own, and takes its place whole: a stop leaves the old one.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from node import copies
from node.commands.context import Office, common
from node.errors import ProtocolError, RefusedError

_TELL = 200
"""Files between two lines of progress."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--stick", is_flag=True, help="File names without colons: for sticks (FAT) and Windows.")
@common
def mirror(office: Office, folder: Path, stick: bool) -> None:
    """Write the whole public site to DIR as files that any web space serves and a browser opens from a stick.

    Pages in every language with their pictures, feeds and CAP files, the signed documents and logs behind them, one
    bundle of all logs, and 'freshness.json', signed: 'tadamun verify DIR' checks every file against it. Exercises and
    tests are the members' and stay out. DIR is new, empty, or an earlier mirror, which is replaced as a whole when the
    new one is complete.
    """
    organisation, folder = office.organisation, folder.absolute()

    def tell(files: int) -> None:
        if not office.json and files % _TELL == 0:
            click.echo(f"{files} files …", err=True)

    with _place(folder, organisation.did) as new:
        colons = not stick and _takes_colons(new)
        done = office.call(lambda node: node.write_copy(organisation, new, colons=colons, tell=tell))
        _swap(new, folder)
    counts = done.counts
    office.show(
        {"folder": str(folder), **counts, "made": done.made},
        [
            f"{folder}: files {counts['files']}, alerts {counts['alerts']}, logs {counts['logs']}",
            f"open   {folder / 'index.html'}",
            f"check  tadamun verify {folder}",
        ],
    )


@contextmanager
def _place(folder: Path, did: str) -> Iterator[Path]:
    """An empty folder beside the one that is wanted, ours alone while it is filled.

    Raises:
        RefusedError: the wanted folder holds something else, or nothing can be written there.
    """
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    if folder.is_mount():
        raise RefusedError(f"{folder} is a whole disk: name a folder on it, such as {folder / 'tadamun'}")
    try:
        new.mkdir(parents=True, exist_ok=True)
        lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RefusedError(f"{folder.parent} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RefusedError(f"another mirror is being written to {folder} just now") from error
    try:
        if old.is_dir() and not folder.exists():
            old.rename(folder)  # stopped between the two names, the last time
        _check_replaceable(folder, did)
        yield new
    except OSError as error:
        raise RefusedError(f"{folder}: {error.strerror}; the old copy is as it was") from error
    finally:
        os.close(lock)
        shutil.rmtree(new, ignore_errors=True)


def _check_replaceable(folder: Path, did: str) -> None:
    """Absent, empty, or an earlier mirror of this organisation with nothing else in it.

    Raises:
        RefusedError: it holds what no mirror wrote.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        before = copies.parse((folder / copies.FRESHNESS).read_bytes())
    except (OSError, ProtocolError) as error:
        raise RefusedError(f"{folder} is neither empty nor an earlier mirror: nothing was written there") from error
    if before.did != did:
        raise RefusedError(f"{folder} is the mirror of another organisation ({before.did})")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}
    strange = sorted(there - before.files.keys() - {copies.FRESHNESS})
    if strange:
        raise RefusedError(f"{folder} holds {strange[0]!r}, which no mirror wrote: move it away first")


def _takes_colons(folder: Path) -> bool:
    try:
        (folder / "a:b").touch()
    except OSError:
        return False
    return True


def _swap(new: Path, folder: Path) -> None:
    """Put the complete copy in its place; everything is on the disk before it takes the name."""
    os.sync()
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    with suppress(FileNotFoundError):
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)

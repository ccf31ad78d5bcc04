"""The `mirror` command: the whole public site as files, for any web space or a stick.

What is made stands beside the old copy under a name of its own, and takes its place whole: a stop leaves the old one.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import click
import orjson
from sqlalchemy import Connection

from node import bundles, copies
from node.app import Node, utc_now
from node.commands.context import Office, common
from node.desk import copies as desk
from node.desk.copies import Plan
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.federation.protocol.messages import MAX_PAGE
from node.models.organisations import Organisation
from node.web import copies as web
from node.web.copies import MovedError
from node.web.pages.public import PER_PAGE
from node.web.site import Site

_TRIES = 3
_LINES = 500
_TELL = 200
"""Files between two lines of progress."""


class Pile:
    """The files of a copy as they are written, each with its digest."""

    def __init__(self, folder: Path, tell: bool) -> None:
        self.folder = folder
        self.digests: dict[str, str] = {}
        self._tell = tell

    def add(self, name: str, content: bytes) -> None:
        """Write one file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.digests[name] = hashlib.sha256(content).hexdigest()
        if self._tell and len(self.digests) % _TELL == 0:
            click.echo(f"{len(self.digests)} files …", err=True)


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
    organisation, key, made = office.organisation, office.key, utc_now()
    folder = folder.absolute()
    with _place(folder, organisation.did) as new:
        colons = not stick and _takes_colons(new)
        pile, plan = _attempts(office, new, organisation, made, colons)
        signed = copies.render(organisation.uri, key, plan.heads, pile.digests, made)
        (new / copies.FRESHNESS).write_bytes(orjson.dumps(signed))
        _swap(new, folder)
    files, alerts, logs, pictures = len(pile.digests) + 1, len(plan.alerts), len(plan.heads), len(plan.media)
    counts = {"files": files, "alerts": alerts, "logs": logs, "pictures": pictures}
    office.show(
        {"folder": str(folder), **counts, "made": signed["published"]},
        [
            f"{folder}: files {files}, alerts {alerts}, logs {logs}",
            f"open   {folder / 'index.html'}",
            f"check  tadamun verify {folder}",
        ],
    )


def _attempts(
    office: Office, new: Path, organisation: Organisation, made: datetime, colons: bool
) -> tuple[Pile, Plan]:
    """Again from the start when something was withdrawn or frozen meanwhile: nothing of it may stay in the files."""
    for _ in range(_TRIES):
        _clear(new)
        pile = Pile(new, not office.json)
        try:
            plan = office.call(lambda node, pile=pile: _write(node, pile, organisation, made, colons))  # type: ignore[misc]
            return pile, plan
        except MovedError as error:
            moved = error
    raise RefusedError(f"alerts are being withdrawn just now ({moved}): try again; the old copy is as it was")


async def _write(node: Node, pile: Pile, organisation: Organisation, made: datetime, colons: bool) -> Plan:
    site = node.web().state.site
    if not isinstance(site, Site):
        raise TypeError("the application has no site")

    def begin(connection: Connection) -> Plan:
        plan = desk.plan(connection, organisation, PER_PAGE)
        _write_logs(connection, pile, organisation, plan, made, colons)
        return plan

    plan = await node.database.read(begin)
    found = web.layout(organisation, site, plan, colons=colons)
    async for name, content in web.render(site, found, made):
        pile.add(name, content)
    later = await node.database.read(lambda connection: desk.plan(connection, organisation, PER_PAGE))
    gone = {*plan.pages, *plan.documents, *plan.caps} - {*later.pages, *later.documents, *later.caps}
    gone |= {each.digest for each in plan.media} - {each.digest for each in later.media}
    behind = [did for did, head in plan.heads.items() if did not in later.heads or later.heads[did].order < head.order]
    if gone or behind:
        raise MovedError(f"{len(gone) + len(behind)} went away while they were copied")
    return plan


def _write_logs(
    connection: Connection, pile: Pile, organisation: Organisation, plan: Plan, made: datetime, colons: bool
) -> None:
    """Each log as pages, under the paths where whoever catches up asks next, and all of them as bundles."""
    bundle: list[bytes] = []
    size = parts = 0
    for did in plan.heads:
        page: list[bytes] = []
        start, held = "1/1", 0
        base = f"{ids.GATEWAY_PATH.strip('/')}/{did if colons else did.replace(':', '_')}/log"
        for line in desk.lines_of(connection, organisation.did, did, public=True):
            if page and (len(page) == _LINES or held + len(line) > MAX_PAGE - 65_536):
                pile.add(f"{base}/{start}", b"\n".join(page))
                start, page, held = _after(page[-1]), [], 0
            if size + len(line) > bundles.MAX_BUNDLE - 65_536:
                parts += 1
                pile.add(copies.BUNDLE.replace(".", f"-{parts}.", 1), bundles.render(bundle, made))
                bundle, size = [], 0
            page.append(line)
            bundle.append(line)
            held, size = held + len(line) + 1, size + len(line) + 1
        pile.add(f"{base}/{start}", b"\n".join(page))
    pile.add(copies.BUNDLE, bundles.render(bundle, made))


def _after(line: bytes) -> str:
    """Where the entry after this one is asked for."""
    value: Mapping[str, Mapping[str, int]] = orjson.loads(line)
    place = value.get("log") or value["stub"]
    return f"{place['epoch']}/{place['sequence'] + 1}"


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


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


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

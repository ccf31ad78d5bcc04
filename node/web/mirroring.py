"""The whole public site as files in a folder: pages, feeds, documents, logs, one bundle, and a signed list of all.

The command `mirror` puts such a folder in the place of an older one, and the desk packs it into one file. Where
something is withdrawn or frozen while it is written, it is begun again: nothing of it may stay in the files.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from sqlalchemy import Connection

from node import bundles, copies
from node.desk import copies as desk
from node.desk.copies import Plan
from node.errors import RefusedError
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import MAX_PAGE
from node.models.organisations import Organisation
from node.web import copies as web
from node.web.copies import MovedError
from node.web.pages.public import PER_PAGE
from node.web.site import Site

_TRIES = 3
_LINES = 500


@dataclass(frozen=True, slots=True)
class Written:
    """One copy, complete."""

    plan: Plan
    files: int
    made: str
    """As `freshness.json` says it."""

    @property
    def counts(self) -> dict[str, int]:
        """How many of what."""
        plan = self.plan
        return {
            "files": self.files, "alerts": len(plan.alerts), "logs": len(plan.heads), "pictures": len(plan.media),
        }  # fmt: skip


class Pile:
    """The files of a copy as they are written, each with its digest."""

    def __init__(self, folder: Path, tell: Callable[[int], None]) -> None:
        self.folder = folder
        self.digests: dict[str, str] = {}
        self._tell = tell

    def add(self, name: str, content: bytes) -> None:
        """Write one file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.digests[name] = hashlib.sha256(content).hexdigest()
        self._tell(len(self.digests))


def quiet(files: int) -> None:
    """Nobody waits for progress."""


async def write(
    site: Site, organisation: Organisation, key: OrganisationKey, folder: Path, made: datetime, *, colons: bool,
    tell: Callable[[int], None],
) -> Written:  # fmt: skip
    """Write it.

    Args:
        folder: ours alone; what is in it goes.
        colons: whether file names may have them: those of sticks (FAT) and of Windows may not.
        tell: is told how many files there are, after each.

    Raises:
        RefusedError: something was withdrawn at each attempt.
        OSError: the disk is full.
    """
    for _ in range(_TRIES):
        _clear(folder)
        pile = Pile(folder, tell)
        try:
            plan = await _write(site, pile, organisation, made, colons)
        except MovedError as error:
            moved = error
            continue
        signed = copies.render(organisation.uri, key, plan.heads, pile.digests, made)
        (folder / copies.FRESHNESS).write_bytes(orjson.dumps(signed))
        return Written(plan, len(pile.digests) + 1, str(signed["published"]))
    raise RefusedError(f"alerts are being withdrawn just now ({moved}): try again; the old copy is as it was")


async def _write(site: Site, pile: Pile, organisation: Organisation, made: datetime, colons: bool) -> Plan:
    def begin(connection: Connection) -> Plan:
        plan = desk.plan(connection, organisation, PER_PAGE)
        _write_logs(connection, pile, organisation, plan, made, colons)
        return plan

    plan = await site.database.read(begin)
    found = web.layout(organisation, site, plan, colons=colons)
    async for name, content in web.render(site, found, made):
        pile.add(name, content)
    later = await site.database.read(lambda connection: desk.plan(connection, organisation, PER_PAGE))
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


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

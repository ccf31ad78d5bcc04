"""How this node is, at the desk: findings, numbers, room, deliveries; comparing with the members; an encrypted backup.

Coordinators and technical administrators; it opens nothing that is sealed. A backup wants a fresh second factor.
"""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from node import __version__
from node.desk import backups, catch_up, checkup, restoring
from node.desk import people as people_desk
from node.errors import NodeError, RefusedError
from node.federation.mirror import Report
from node.findings import Finding
from node.models import audit, backlogs, contacts, media, schema
from node.models.organisations import Organisation
from node.web import desk
from node.web.desk import Fields, Session
from node.web.pages.desk import acting
from node.web.site import Site, site_of

_PAGE = "/desk/node"
_PATIENCE = 20.0
"""Seconds that a member may take while somebody waits for the page."""
_CHUNK = 256 * 1024
_ACTS = 50
"""Rows of a page of the audit trail."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing with one member brought."""

    host: str
    entries: int
    refused: int
    problem: str


async def index(request: Request) -> Response:
    """How the node is."""
    session = await desk.signed_in(request, act="node")
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Compare with every member now; shows what came."""
    session = await desk.signed_in(request, act="node")
    if isinstance(session, Response):
        return session
    site, organisation = site_of(request), session.organisation
    members = await site.database.read(lambda connection: contacts.members_of(connection, organisation.did))
    if not members:
        return await _index(request, session, problem="there is no member to compare with")
    try:
        await acting.do(request, session, "node", "sync", organisation.did, lambda connection: None)
    except RefusedError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    reports = await catch_up.compare(site.mirror, organisation, members, _PATIENCE)
    return await _index(request, session, compared=[_compared(each) for each in reports])


async def backup(request: Request) -> Response:
    """One sealed file with the database and the pictures."""
    session = await desk.signed_in(request, act="node", fresh_factor=True)
    if isinstance(session, Response):
        return session
    make = partial(_sealed, site_of(request), session.fields)
    return await _hand_out(request, session, "backup", make, ".tar.gz.age", "application/octet-stream")


async def epoch(request: Request) -> Response:
    """After a restore, when no member answers: go on from the log that is here, in a new epoch."""
    session = await desk.signed_in(request, act="profile", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, organisation = site_of(request), session.organisation
    work = partial(restoring.begin_epoch, keyring=site.keyring, organisation=organisation, now=site.clock())
    try:
        if not session.fields.one("sure"):
            raise RefusedError("tick that you mean it")
        await acting.do(request, session, "profile", "epoch", organisation.did, work)
    except NodeError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    return desk.go(request, _PAGE)


async def trail(request: Request) -> Response:
    """What our people did, newest first; whether a row was changed or is gone."""
    session = await desk.signed_in(request, act="profile")
    if isinstance(session, Response):
        return session
    number = request.path_params.get("before", 10**9)

    def read(connection: Connection) -> tuple[tuple[audit.Act, ...], dict[str, str]]:
        org = session.organisation.did
        return audit.all_of(connection, org), people_desk.named(connection, org)

    chain, names = await site_of(request).database.read(read)
    older = [each for each in chain if each.number < number]
    shown = older[: -_ACTS - 1 : -1]
    return desk.page(
        request, session, session.organisation, "desk/audit.html", acts=shown, names=names,
        fault=audit.first_fault(session.organisation.did, chain), digest=chain[-1].digest if chain else "",
        before=shown[-1].number if len(older) > len(shown) else 0, shell=audit.SHELL,
    )  # fmt: skip


async def mirror(request: Request) -> Response:
    """The whole public site as files, in one ZIP: for a web space, a stick, an address that is not blocked."""
    session = await desk.signed_in(request, act="node")
    if isinstance(session, Response):
        return session
    make = partial(_packed, site_of(request), session.organisation)
    return await _hand_out(request, session, "mirror", make, ".zip", "application/zip")


async def _hand_out(
    request: Request, session: Session, act: str, make: Callable[[], Awaitable[BinaryIO]], ending: str, kind: str
) -> Response:
    """One large file, made while no other is, written down, and given to whoever asked.

    Args:
        act: an act of `audit.ACTS`.
        ending: of its name.
        kind: its media type.
    """
    site, organisation = site_of(request), session.organisation
    if site.packing.locked():
        return await _index(request, session, problem="another backup is just being made: try again when it is done")
    try:
        async with site.packing:
            file = await make()
    except NodeError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    try:
        await acting.do(request, session, "node", act, organisation.did, lambda connection: None)
    except RefusedError as error:
        file.close()
        return await _index(request, session, problem=acting.reason_of(error))
    name = f"tadamun-{organisation.handle}-{site.clock():%Y%m%d}{ending}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return desk.inert(StreamingResponse(_chunks(file), headers=headers, media_type=kind))


async def _packed(site: Site, organisation: Organisation) -> BinaryIO:
    """A file without a name, at its start.

    Raises:
        NodeError: there is no room, the keys are not here, or alerts are being withdrawn just now.
    """
    with ExitStack() as stack:
        packed = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile(dir=site.settings.data)))
        try:
            with tempfile.TemporaryDirectory(dir=site.settings.data) as folder:
                await site.write_copy(organisation, Path(folder))
                await asyncio.to_thread(_zip, Path(folder), packed)
        except OSError as error:
            raise RefusedError(backups.NO_ROOM) from error
        packed.seek(0)
        stack.pop_all()  # it stays open for who reads it
    return packed


def _zip(folder: Path, target: BinaryIO) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            archive.write(path, path.relative_to(folder))


async def _sealed(site: Site, fields: Fields) -> BinaryIO:
    """Made off the event loop.

    Raises:
        NodeError: to nobody, with a bad passphrase, or there is no room.
    """
    recipients, phrase = fields.one("recipients").split(), fields.typed("passphrase")
    if recipients and phrase:
        raise RefusedError("give an age recipient or a passphrase, not both")
    if recipients:
        return await asyncio.to_thread(backups.sealed_to, site.settings, site.database, recipients)
    if phrase != fields.typed("again"):
        raise RefusedError("the two passphrases differ")
    return await asyncio.to_thread(backups.sealed_by, site.settings, site.database, phrase)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def _compared(report: Report) -> Compared:
    return Compared(report.host, sum(report.entries.values()), report.refused, report.problem)


async def _index(
    request: Request, session: Session, *, problem: str = "", compared: Sequence[Compared] = ()
) -> Response:
    site, organisation = site_of(request), session.organisation

    shown = await site.database.read(partial(_read, session=session, now=site.clock()))
    room = await asyncio.to_thread(checkup.room, site.settings, shown.pop("pictures"))
    of_machine = await asyncio.to_thread(checkup.of_machine, site.settings, site.keyring)
    return desk.page(
        request, session, organisation, "desk/node.html", status=409 if problem else 200, problem=problem,
        ours=organisation, mute=not site.keyring.has(organisation.did), may_recover=session.person.may("profile"),
        compared=compared, findings=_once((*of_machine, *shown.pop("findings"))), room=room, megabyte=_MEGABYTE,
        version=__version__, schema=schema.REVISIONS[-1], fresh=acting.is_fresh(request, session),
        sqlite=not site.settings.database_url, most_recipients=backups.MAX_RECIPIENTS,
        most_by_passphrase=backups.MAX_BY_PASSPHRASE // (1024 * 1024), **shown,
    )  # fmt: skip


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """One line for all evidence of one fault about one member: each piece stands on the page of evidence. A hold has a
    part of the page of its own.
    """
    found: dict[tuple[object, ...], Finding] = {}
    for at, each in enumerate(findings):
        if each.code == "hold":
            continue
        evidence = each.code == "evidence"
        found.setdefault((each.values["fault"], each.values["did"]) if evidence else (at,), each)
    return list(found.values())


def _read(connection: Connection, *, session: Session, now: datetime) -> dict[str, Any]:
    organisation = session.organisation
    chain = audit.all_of(connection, organisation.did)
    return {
        "numbers": checkup.numbers(connection, organisation),
        "findings": checkup.of_rows(connection, organisation, now),
        "backlogs": backlogs.of(connection, organisation.did),
        "members": contacts.members_of(connection, organisation.did),
        "pictures": sum(each.size for each in media.held(connection)),
        "last_backup": next((each.hour for each in reversed(chain) if each.act == "backup"), None),
    }

"""Going on under the recovery key, at the desk: the sheet is typed, the next one printed and copied back, and then a
new key speaks. For when the old key is lost, stolen, or known to one who left; and after a restore without keys.

Coordinators alone, each step with a fresh second factor. Rules, in order: the sheet is this organisation's; the last
entry of the old key that counts is one that is here; nothing is made before lines of the next sheet were copied back
from paper. Then all is made in one transaction, every session ends, and the process begins anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import recovery_parts
from node.desk import succession
from node.desk.succession import Succession
from node.errors import RefusedError
from node.models import alerts, contacts, logs
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import acting
from node.web.recoveries import Recovery
from node.web.sheets import Bearer
from node.web.site import site_of

_PAGE = "/desk/recovery"
_SHOWN, _FEW = 12, 4
_FAR = (2**31 - 1, 2**63 - 1)
_BEGIN_AGAIN = "begin again: what was typed is not here any more"


@dataclass(frozen=True, slots=True)
class Entry:
    """One of our newest log entries, so that somebody finds the last that was theirs."""

    sequence: int
    headline: str
    language: str
    received: datetime


async def index(request: Request) -> Response:
    """The step that comes next."""
    session = await desk.signed_in(request, act="profile", fresh_factor=True)
    return session if isinstance(session, Response) else await _page(request, session)


async def take(request: Request) -> Response:
    """One step of it."""
    session = await desk.signed_in(request, act="profile", fresh_factor=True)
    if isinstance(session, Response):
        return session
    work = _TAKE.get(session.fields.one("do"))
    try:
        if work is None:
            raise RefusedError("this page has no such button")
        return await work(request, session)
    except RefusedError as error:
        return await _page(request, session, error.reasons)


async def _take_sheet(request: Request, session: Session) -> Response:
    """The sheet, or two of three, as somebody typed them."""
    site, fields, organisation = site_of(request), session.fields, session.organisation
    texts = [text for name in ("sheet", "second") if (text := fields.one(name))]
    spare = await asyncio.to_thread(recovery_parts.read_key, texts)
    succession.check(organisation, spare)
    after = int(fields.one("after")) if fields.one("after").isascii() and fields.one("after").isdigit() else 0
    await site.database.read(partial(succession.check_after, org=organisation.did, after=after))
    site.recoveries.begin(session.row.digest, spare, after, site.clock())
    return desk.go(request, _PAGE)


async def _take_form(request: Request, session: Session) -> Response:
    """Draw the next sheets."""
    found, organisation, now = _found(request, session), session.organisation, site_of(request).clock()
    bearer = Bearer(organisation.name, organisation.address, found.spare.did, organisation.language)
    found.sheets.draw(session.fields.one("form_of"), bearer, now)
    found.printed = False
    return desk.go(request, _PAGE)


async def _take_printed(request: Request, session: Session) -> Response:
    """To the lines that are to be copied back, and from them back to the sheets."""
    _found(request, session).printed = bool(session.fields.one("yes"))
    return desk.go(request, _PAGE)


async def _take_lines(request: Request, session: Session) -> Response:
    sheets = _found(request, session).sheets
    sheets.copied(tuple(session.fields.one(f"line{number}") for number in range(len(sheets.wanted))))
    return desk.go(request, _PAGE)


async def _take_stop(request: Request, session: Session) -> Response:
    """Not after all: the key of the sheet is let go of."""
    site_of(request).recoveries.close(session.row.digest)
    return desk.go(request, "/desk/node")


async def _take_go_on(request: Request, session: Session) -> Response:
    """The new key speaks. Every session has ended, and whoever is here signs in again."""
    site, found, old = site_of(request), _found(request, session), session.organisation
    if not found.sheets.commitment or not session.fields.one("sure"):
        raise RefusedError("tick that you mean it")
    await asyncio.to_thread(site.keyring.adopt, found.spare)

    def work(connection: Connection) -> Succession:
        return succession.succeed(
            connection, site.keyring, old, found.spare, found.sheets.commitment, found.after, site.clock()
        )

    done = await acting.do(request, session, "profile", "succeed", old.did, work)
    site.recoveries.close(session.row.digest)
    await site.inbox.refresh()
    site.renew()
    answer = desk.page(request, None, done.new, "desk/recovered.html", done=done)
    desk.take_cookie(answer, old, shared=session.row.shared)
    return answer


_TAKE: Mapping[str, Callable[[Request, Session], Awaitable[Response]]] = MappingProxyType(
    {
        "sheet": _take_sheet, "form": _take_form, "printed": _take_printed, "lines": _take_lines,
        "stop": _take_stop, "go-on": _take_go_on,
    }
)  # fmt: skip


def _found(request: Request, session: Session) -> Recovery:
    found = site_of(request).recoveries.find(session.row.digest, site_of(request).clock())
    if found is None:
        raise RefusedError(_BEGIN_AGAIN)
    return found


async def _page(request: Request, session: Session, problem: tuple[str, ...] = ()) -> Response:
    site, organisation = site_of(request), session.organisation
    found = site.recoveries.find(session.row.digest, site.clock())
    entries, followers, members = await site.database.read(partial(_read, org=organisation.did))
    return desk.page(
        request, session, organisation, "desk/recovery.html", status=409 if problem else 200, problem=problem,
        recovery=found, step=_step(found), entries=entries, followers=followers, members=members,
        mute=not site.keyring.has(organisation.did), typed=session.fields, few=_FEW,
    )  # fmt: skip


def _step(found: Recovery | None) -> str:
    if found is None:
        return "sheet"
    if found.sheets.commitment:
        return "go-on"
    return "form" if not found.sheets.shown else "lines" if found.printed else "printed"


def _read(connection: Connection, *, org: str) -> tuple[tuple[Entry, ...], int, int]:
    entries = []
    for each in logs.read(connection, org, org, _FAR, _SHOWN, newest=True):
        alert = alerts.find(connection, org, each.object_id) if each.object_id else None
        headline, language = (alert.headline, alert.language) if alert is not None else ("", "")
        entries.append(Entry(each.header.sequence, headline, language, each.received))
    return tuple(entries), contacts.count_followers(connection, org), len(contacts.members_of(connection, org))

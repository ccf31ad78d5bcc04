"""The lock: one page, to be kept as a bookmark on any phone, that stops everything; and the page that opens it again.

Whoever is in session with a fresh second factor presses one button. Whoever is not gives name, password and code on the
same page, and it is done. Rules: nothing is destroyed; every session of the organisation ends; that it is locked is
written down first, and then the process begins anew, so that no key is left in its memory.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import people as rules
from node import people_keys
from node.desk import people as acts
from node.desk import sign_in
from node.desk.sign_in import Answer, Entered, Waits, Wrong
from node.errors import ProtocolError, RefusedError
from node.models import sessions
from node.models.organisations import Organisation
from node.people import Person
from node.people_keys import digest
from node.web import desk
from node.web.desk import Fields
from node.web.pages import public
from node.web.pages.desk.sign_in import minutes_of
from node.web.site import site_of


async def lock_form(request: Request) -> Response:
    """What it does, and the button; with name, password and code for whoever is not in session."""
    organisation = await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site_of(request), request, None, 404)
    return await _page(request, organisation)


async def take_lock(request: Request) -> Response:
    """Lock."""
    site, organisation = site_of(request), await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        fields = await desk.read_fields(request, organisation)
        by = await _in_session(request, fields) or await _shown(request, organisation, fields)
        if not isinstance(by, Person):
            return await _page(request, organisation, found=by, status=403)
        work = partial(acts.lock, organisation=organisation, by=by, now=site.clock())
        await site.database.write(work)
    except ProtocolError as error:
        return desk.refused(request, None, error.reason, error.status)
    except RefusedError as error:
        return desk.refused(request, None, str(error))
    site.locks.close(organisation.host)
    site.renew()
    answer = public.show(site, request, None, "errors/closed.html", "", noindex=True, status=503)
    desk.take_cookie(answer, organisation, shared=True)  # whatever computer this is, it forgets
    return desk.inert(answer)


async def unlock_form(request: Request) -> Response:
    """What opening means."""
    session = await desk.signed_in(request, act="unlock", fresh_factor=True)
    if isinstance(session, Response):
        return session
    return desk.page(request, session, session.organisation, "desk/unlock.html")


async def take_unlock(request: Request) -> Response:
    """Open again."""
    session = await desk.signed_in(request, act="unlock", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, organisation = site_of(request), session.organisation
    work = partial(acts.unlock, organisation=organisation, by=session.person, now=site.clock())
    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return desk.refused(request, session, str(error))
    site.locks.open(organisation.host)
    site.renew()
    return desk.go(request, "/desk")


async def _in_session(request: Request, fields: Fields) -> Person | None:
    """Who is in session with a fresh second factor, and sent this from a page of it."""
    session = await desk.session_of(request)
    if session is None or not rules.is_fresh(session.second_factor, site_of(request).clock()):
        return None
    return session.person if desk.carries(fields, session) else None


async def _shown(request: Request, organisation: Organisation, fields: Fields) -> Person | Answer:
    """Whoever gives name, password and code at once. The session that this begins ends in the same moment."""
    site, now = site_of(request), site_of(request).clock()
    found = await sign_in.sign_in(
        site.reception, site.database, organisation, fields.one("name"), fields.typed("password"), now, shared=True,
        browser=desk.browser_of(request, organisation),
    )  # fmt: skip
    if not isinstance(found, Entered):
        return found
    return await site.database.write(
        partial(_judge, entered=found, organisation=organisation, code=fields.one("code"), now=now)
    )


def _judge(
    connection: Connection, *, entered: Entered, organisation: Organisation, code: str, now: datetime
) -> Person | Answer:
    row = sessions.current(connection, digest(entered.cookie), now)
    if row is None:
        return Wrong()
    secret = people_keys.reopen(row.sealed, entered.cookie)
    shown = sign_in.show_code(connection, row, entered.person, secret, code, now)
    sessions.end(connection, organisation.did, entered.person.id, row.digest)
    if isinstance(shown, Waits):
        return shown
    return entered.person if shown else Wrong()


async def _page(
    request: Request, organisation: Organisation, *, found: Answer | None = None, status: int = 200
) -> Response:
    site, session = site_of(request), await desk.session_of(request)
    fresh = session is not None and rules.is_fresh(session.second_factor, site.clock())
    return desk.page(
        request, session, organisation, "desk/lock.html", status=status, at_once=fresh, wrong=isinstance(found, Wrong),
        minutes=minutes_of(found, request) if isinstance(found, Waits) else 0,
    )  # fmt: skip

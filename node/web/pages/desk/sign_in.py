"""Signing in and out: the password, then the second factor; both work without a script."""

from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from node.desk import sign_in
from node.desk.sign_in import Entered, Waits
from node.errors import ProtocolError, RefusedError
from node.models import people, sessions
from node.models.organisations import Organisation
from node.web import desk
from node.web.pages import public
from node.web.site import site_of


async def sign_in_form(request: Request) -> Response:
    """The page that asks for name and password."""
    organisation = await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site_of(request), request, None, 404)
    if await desk.session_of(request) is not None:
        return desk.go(request, "/desk")
    return _form(request, organisation)


async def shared_form(request: Request) -> Response:
    """The door of a computer that others use. Opening it makes the browser forget whoever sat here before: that is also
    what a page of a shared session turns into when nobody touched it for five minutes.
    """
    organisation = await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site_of(request), request, None, 404)
    answer = _form(request, organisation, shared=True)
    desk.forget(answer)
    return answer


async def take_sign_in(request: Request) -> Response:
    """Try a name and a password."""
    site, organisation = site_of(request), await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        fields = await desk.read_fields(request, organisation)
        name, shared = fields.one("name"), bool(fields.one("shared"))
        found = await sign_in.sign_in(
            site.reception, site.database, organisation, name, fields.typed("password"), site.clock(), shared=shared,
            browser=desk.browser_of(request, organisation),
        )
    except ProtocolError as error:
        return desk.refused(request, None, error.reason, error.status)
    except RefusedError as error:
        return desk.refused(request, None, str(error), 503)
    if isinstance(found, Waits):
        return _form(request, organisation, minutes=minutes_of(found, request), status=429, shared=shared)
    if not isinstance(found, Entered):
        return _form(request, organisation, wrong=True, status=403, shared=shared)
    answer = desk.go(request, "/desk")
    desk.give_cookie(answer, organisation, found.cookie, shared=shared)
    if found.browser:
        desk.know_browser(answer, organisation, found.browser)
    return answer


async def factor_form(request: Request) -> Response:
    """The page that asks for a second factor."""
    session = await desk.arrived(request)
    if isinstance(session, Response):
        return session
    if not session.person.factors:
        return desk.go(request, desk.FACTORS)
    return await _factor(request, session)


async def take_factor(request: Request) -> Response:
    """A code, a recovery code, or a passkey's answer."""
    session = await desk.arrived(request)
    if isinstance(session, Response):
        return session
    site, answer = site_of(request), session.fields.one("passkey")
    if answer:
        show = partial(
            sign_in.show_passkey, organisation=session.organisation, session=session.row, person=session.person,
            answer=answer, now=site.clock(),
        )  # fmt: skip
    else:
        show = partial(
            sign_in.show_code, session=session.row, person=session.person, secret=session.key,
            code=session.fields.one("code"), now=site.clock(),
        )  # fmt: skip
    shown = await site.database.write(show)
    if isinstance(shown, Waits):
        return await _factor(request, session, minutes=minutes_of(shown, request), status=429)
    if not shown:
        return await _factor(request, session, wrong=True, status=403)
    return desk.go(request, desk.following(request))


async def sign_out(request: Request) -> Response:
    """End this session."""
    session = await desk.arrived(request)
    if isinstance(session, Response):
        return session
    row = session.row
    await site_of(request).database.write(
        lambda connection: sessions.end(connection, row.org, row.person, row.digest)
    )
    answer = desk.go(request, desk.SHARED_SIGN_IN if row.shared else desk.SIGN_IN)
    desk.take_cookie(answer, session.organisation, shared=row.shared)
    return answer


def _form(
    request: Request, organisation: Organisation, *, wrong: bool = False, minutes: int = 0, status: int = 200,
    shared: bool = False,
) -> Response:  # fmt: skip
    return desk.page(
        request, None, organisation, "desk/sign_in.html", status=status, wrong=wrong, minutes=minutes, shared=shared
    )


async def _factor(
    request: Request, session: desk.Session, *, wrong: bool = False, minutes: int = 0, status: int = 200
) -> Response:
    site = site_of(request)
    ask = partial(
        sign_in.ask_passkey, organisation=session.organisation, session=session.row, person=session.person
    )
    options = await site.database.write(ask)
    codes = await site.database.read(lambda connection: people.codes_left(connection, session.person.id))
    return desk.page(
        request, session, session.organisation, "desk/factor.html", status=status, wrong=wrong,
        minutes=minutes, options=options, codes=codes, following=desk.following(request),
    )  # fmt: skip


def minutes_of(waits: Waits, request: Request) -> int:
    """For how many minutes nobody tries this name."""
    left = waits.until - site_of(request).clock()
    return max(1, -(-left // timedelta(minutes=1)))

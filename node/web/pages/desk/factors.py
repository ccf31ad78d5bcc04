"""A person's own second factors, recovery codes and password."""

import asyncio
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import people as rules
from node import people_factors
from node.desk import sign_in
from node.errors import RefusedError
from node.models import people, sessions
from node.web import desk
from node.web.desk import Session
from node.web.pages.bundles import draw
from node.web.site import site_of


async def factors(request: Request) -> Response:
    """What is enrolled, and the forms to enrol more; somebody with a factor shows it first."""
    session = await _own(request)
    return session if isinstance(session, Response) else await _show(request, session)


async def take_totp(request: Request) -> Response:
    """Enrol the code generator that was offered."""
    session = await _own(request)
    if isinstance(session, Response):
        return session
    site, code = site_of(request), session.fields.one("code")
    enrol = partial(
        sign_in.enrol_totp, session=session.row, person=session.person, secret=session.key, code=code,
        now=site.clock(),
    )  # fmt: skip
    return await _enrol(request, session, enrol)


async def take_passkey(request: Request) -> Response:
    """Enrol a passkey that answers."""
    session = await _own(request)
    if isinstance(session, Response):
        return session
    site, answer = site_of(request), session.fields.one("passkey")
    enrol = partial(
        sign_in.enrol_passkey, organisation=session.organisation, session=session.row, person=session.person,
        answer=answer, now=site.clock(),
    )  # fmt: skip
    return await _enrol(request, session, enrol)


async def new_passkey(request: Request) -> Response:
    """The page whose script asks the browser for a new passkey."""
    session = await _own(request)
    if isinstance(session, Response):
        return session
    ask = partial(
        sign_in.ask_new_passkey, organisation=session.organisation, session=session.row, person=session.person
    )
    options = await site_of(request).database.write(ask)
    return desk.page(request, session, session.organisation, "desk/passkey.html", options=options)


async def remove(request: Request) -> Response:
    """Take a factor back."""
    session = await desk.signed_in(request, fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, factor = site_of(request), session.fields.one("factor")
    try:
        await desk.write(
            request, session,
            lambda connection: sign_in.remove_factor(connection, session.person, factor, site.clock()),
        )  # fmt: skip
    except RefusedError as error:
        return desk.refused(request, session, str(error))
    return desk.go(request, desk.FACTORS)


async def renew_codes(request: Request) -> Response:
    """New recovery codes, shown once."""
    session = await desk.signed_in(request, fresh_factor=True)
    if isinstance(session, Response):
        return session
    site = site_of(request)
    try:
        codes = await desk.write(
            request, session, lambda connection: sign_in.new_codes(connection, session.person, site.clock())
        )
    except RefusedError as error:
        return desk.refused(request, session, str(error))
    return desk.page(request, session, session.organisation, "desk/codes.html", codes=codes)


async def totp_qr(request: Request) -> Response:
    """What a code generator scans; only for the session that it was offered to."""
    session = await _own(request)
    if isinstance(session, Response):
        return session
    secret = sign_in.offered_totp(session.row, session.key)
    if not secret:
        return desk.refused(request, session, "nothing is offered in this session", 404)
    text = people_factors.totp_uri(secret, session.person.name, session.organisation.name)
    return desk.inert(Response(await asyncio.to_thread(draw, text), media_type="image/svg+xml"))


async def take_password(request: Request) -> Response:
    """Another password for the same key; every other session of the person ends."""
    session = await desk.signed_in(request, fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, person = site_of(request), session.person
    try:
        password = rules.check_password(session.fields.typed("password"), person.name)
        if session.fields.typed("again") != session.fields.typed("password"):
            raise RefusedError("the two passwords differ")
        wrapped = await site.reception.derive(partial(sign_in.rewrap, session.key, password, site.reception.cost))
        await desk.write(
            request, session,
            lambda connection: sign_in.change_password(connection, session.row, person, wrapped, site.clock()),
        )  # fmt: skip
    except RefusedError as error:
        return desk.refused(request, session, str(error), 422)
    return desk.go(request, "/desk")


async def end_session(request: Request) -> Response:
    """End another session of one's own."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    row, which = session.row, session.fields.one("session")

    def work(connection: Connection) -> None:
        for each in sessions.of_person(connection, row.org, row.person, site_of(request).clock()):
            if each.digest.startswith(which) and len(which) == desk.SHORT:
                sessions.end(connection, row.org, row.person, each.digest)

    await site_of(request).database.write(work)
    return desk.go(request, "/desk")


async def _own(request: Request) -> Session | Response:
    """Whoever has no factor enrols the first with the password; whoever has one shows it, lately."""
    session = await desk.arrived(request)
    if isinstance(session, Response) or not session.person.factors:
        return session
    if not rules.is_fresh(session.second_factor, site_of(request).clock()):
        return desk.go(request, f"{desk.FACTOR}?next={desk.FACTORS}")
    return session


async def _enrol(request: Request, session: Session, enrol: "partial[None]") -> Response:
    """Enrol; with the first factor come the recovery codes."""
    site, person = site_of(request), session.person

    def work(connection: Connection) -> tuple[str, ...]:
        enrol(connection)
        if people.codes_left(connection, person.id):
            return ()
        return tuple(sign_in.new_codes(connection, person, site.clock()))

    try:
        codes = await desk.write(request, session, work)
    except RefusedError as error:
        return await _show(request, session, problem=str(error), status=422)
    if not codes:
        return desk.go(request, desk.FACTORS)
    return desk.page(request, session, session.organisation, "desk/codes.html", codes=codes)


async def _show(request: Request, session: Session, *, problem: str = "", status: int = 200) -> Response:
    site, person = site_of(request), session.person

    def work(connection: Connection) -> tuple[str, bool, tuple[people.Passkey, ...], int]:
        return (
            sign_in.offer_totp(connection, session.row, person, session.key),
            people.totp_of(connection, person.id) is not None,
            people.passkeys_of(connection, person.id),
            people.codes_left(connection, person.id),
        )

    offered, has_totp, passkeys, codes = await site.database.write(work)
    return desk.page(
        request, session, session.organisation, "desk/factors.html", status=status, problem=problem, offered=offered,
        has_totp=has_totp, passkeys=passkeys, codes=codes, must=person.needs_factor and not person.factors,
    )  # fmt: skip

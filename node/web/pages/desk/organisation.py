"""What our organisation says of itself and how it is reached, at the desk: a form for each, and what is fixed.

Coordinators alone, with a fresh second factor: what is said becomes a log entry, and an entry cannot be taken back.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from node import recovery
from node.alert_countries import COUNTRIES, EXERCISE_COUNTRY
from node.desk import profile
from node.errors import RefusedError
from node.models.organisations import Organisation
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import acting
from node.web.site import site_of

_PAGE = "/desk/organisation"
_SAID = ("name", "summary", "country", "listed")
"""The fields of the form that becomes a log entry."""
_REACHED = ("requests", "safe_channels", "press_contact", "moderators_contact")
"""Those of the form that this node's own pages show."""
_BOXES = ("listed", "requests")


async def index(request: Request) -> Response:
    """What is said now, and the form."""
    session = await desk.signed_in(request, act="profile")
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Say something else."""
    session = await desk.signed_in(request, act="profile", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, fields, organisation = site_of(request), session.fields, session.organisation
    now, key, rsa = site.clock(), site.keyring.organisation(organisation.did), site.keyring.rsa(organisation.did)
    about = _REACHED if fields.one("about") == "reached" else _SAID
    given: dict[str, str | bool] = {name: fields.one(name) for name in about if name in fields.values}
    given |= {name: bool(fields.one(name)) for name in _BOXES if name in about}
    if not site.settings.requests:
        given.pop("requests", None)  # its box is closed, and says nothing
    try:
        if not fields.one("sure"):
            raise RefusedError("tick that you mean it")
        await acting.do(
            request, session, "profile", "profile", organisation.did,
            lambda connection: profile.change(connection, organisation, key, rsa.public_key(), given, now),
        )  # fmt: skip
    except RefusedError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    return desk.go(request, _PAGE)


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    site, organisation = site_of(request), session.organisation
    six, numbers = await asyncio.to_thread(recovery.spoken, organisation.did)
    return desk.page(
        request, session, organisation, "desk/organisation.html", status=409 if problem else 200, problem=problem,
        ours=organisation, said=_said(session, organisation) if problem else _now(organisation),
        countries=sorted({*COUNTRIES} - {EXERCISE_COUNTRY}), six=" ".join(six), digits=" ".join(numbers),
        settings=site.settings, fresh=acting.is_fresh(request, session), most_name=profile.MAX_NAME,
        most_summary=profile.MAX_SUMMARY, most_contact=profile.MAX_CONTACT,
    )  # fmt: skip


def _now(ours: Organisation) -> dict[str, str | bool]:
    return {name: getattr(ours, name) for name in (*_SAID, *_REACHED)}


def _said(session: Session, ours: Organisation) -> dict[str, str | bool]:
    """What was typed and not taken: nobody types it again."""
    fields, about = session.fields, _REACHED if session.fields.one("about") == "reached" else _SAID
    typed = {name: bool(fields.one(name)) if name in _BOXES else fields.one(name) for name in about}
    return {**_now(ours), **typed}

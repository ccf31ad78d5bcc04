"""Accepting an invitation: who opens the link chooses a password, and goes on to a second factor."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from node import people as rules
from node.desk import people as acts
from node.errors import ProtocolError, RefusedError
from node.models.organisations import Organisation
from node.people import Person
from node.web import desk
from node.web.pages import public
from node.web.site import site_of


async def join_form(request: Request) -> Response:
    """The page behind the link; opening it uses nothing up, for messengers open links to preview them."""
    site, organisation = site_of(request), await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        invited = await _invited(request, organisation)
    except RefusedError as error:
        return desk.refused(request, None, str(error), 404)
    return _form(request, organisation, invited)


async def take_join(request: Request) -> Response:
    """A password is chosen: the link is used up and a session begins."""
    site, organisation = site_of(request), await desk.host_of(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        fields = await desk.read_fields(request, organisation)
        invited = await _invited(request, organisation)
    except ProtocolError as error:
        return desk.refused(request, None, error.reason, error.status)
    except RefusedError as error:
        return desk.refused(request, None, str(error), 404)
    shared = bool(fields.one("shared"))
    try:
        password = rules.check_password(fields.typed("password"), invited.name)
        if fields.typed("again") != fields.typed("password"):
            raise RefusedError("the two passwords differ")
    except RefusedError as error:
        return _form(request, organisation, invited, problem=str(error), status=422)
    try:
        key = await site.reception.derive(partial(acts.prepare, password, site.reception.cost))
        work = partial(
            acts.join, organisation=organisation, keyring=site.keyring, token=request.path_params["token"], key=key,
            now=site.clock(), shared=shared,
        )  # fmt: skip
        person, cookie = await site.database.write(work)
    except RefusedError as error:
        return desk.refused(request, None, str(error))
    if rules.NETWORK in person.rooms:
        site.keyring.drop_network(organisation.did)
    answer = desk.go(request, desk.FACTORS)
    desk.give_cookie(answer, organisation, cookie, shared=shared)
    return answer


async def _invited(request: Request, organisation: Organisation) -> Person:
    site, token = site_of(request), request.path_params["token"]
    return await site.database.read(
        lambda connection: acts.invited_by(connection, organisation, token, site.clock())
    )


def _form(
    request: Request, organisation: Organisation, invited: Person, *, problem: str = "", status: int = 200
) -> Response:
    return desk.page(
        request, None, organisation, "desk/join.html", status=status, invited=invited, problem=problem,
        roles=sorted(invited.roles),
    )  # fmt: skip

"""The directory of a network, for members: everybody in it, as a page and as files; how we stand in it; what is public.

Everybody in session reads it; coordinators act for the organisation, with a fresh second factor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import directory as rules
from node.desk import directory as acts
from node.desk.networks import Desk
from node.errors import RefusedError
from node.federation.protocol.messages import JsonObject
from node.groups import Group
from node.members import Standing, State
from node.models import fronts
from node.models import networks as rows
from node.models.fronts import Front
from node.people import COORDINATOR
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """What the page shows."""

    names: dict[str, str]
    ours: Standing | None
    members: tuple[Standing, ...]
    front: Front | None
    """What is shown in public, where it is this network."""
    other: bool
    """Another network is shown."""
    readers: tuple[str, ...]
    """Dids of those who read what is asked, if the form is there."""
    groups: tuple[Group, ...]


async def one(request: Request) -> Response:
    """Everybody in a network, and the forms."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _one(request, session)


async def act(request: Request) -> Response:
    """Say how we stand, or what is public here."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True)
    if isinstance(session, Response):
        return session
    network, site = request.path_params["network"], site_of(request)

    def work(connection: Connection) -> object:
        key = site.keyring.organisation(session.organisation.did)
        return _work(network, session.fields)(Desk(connection, session.organisation, key, site.clock()))

    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _one(request, session, problem="; ".join(error.reasons))
    return desk.go(request, f"/desk/networks/{network}/directory")


def _work(network: str, fields: desk.Fields) -> Callable[[Desk], object]:
    """What one button does.

    Raises:
        RefusedError: it does not know such a button.
    """
    known: dict[str, Callable[[Desk], object]] = {
        "profile": lambda mine: acts.profile(
            mine, network, listed=bool(fields.one("listed")), name=fields.one("name"), country=fields.one("country"),
            languages=fields.one("languages").replace(",", " ").replace("،", " ").split(), groups=fields.all("group"),
        ),
        "publish": lambda mine: acts.publish(mine, network),
        "unpublish": acts.unpublish,
        "sponsors": lambda mine: _door(mine, fields),
    }  # fmt: skip
    if fields.one("do") not in known:
        raise RefusedError("this form has no such button")
    return known[fields.one("do")]


def _door(mine: Desk, fields: desk.Fields) -> None:
    acts.set_sponsors(mine, fields.all("sponsor"))
    acts.set_form(mine, form=bool(fields.one("open")))


async def sheet(request: Request) -> Response:
    """Everybody, for spreadsheets."""
    found = await _members(request)
    if isinstance(found, Response):
        return found
    return _file(rules.sheet(found).encode(), "text/csv; charset=utf-8", "directory.csv")


async def entries(request: Request) -> Response:
    """Everybody, as JSON."""
    found = await _members(request)
    if isinstance(found, Response):
        return found
    return _file(orjson.dumps(found), "application/json", "directory.json")


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return desk.inert(Response(body, headers=headers, media_type=kind))


async def _members(request: Request) -> list[JsonObject] | Response:
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    org, network, site = session.organisation.did, request.path_params["network"], site_of(request)

    def read(connection: Connection) -> State | None:
        known = rows.find(connection, org, network) is not None
        return rows.state_of(connection, org, network) if known else None

    state = await site.database.read(read)
    if state is None or org not in state.members:
        return desk.refused(request, session, "no such network here", 404)
    return rules.entries(state.members.values(), state.groups.values())


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    network = request.path_params["network"]
    view = await site_of(request).database.read(partial(_read, request, session, network))
    if view is None:
        return desk.refused(request, session, "no such network here", 404)
    return desk.page(
        request, session, session.organisation, "desk/directory.html", status=409 if problem else 200, problem=problem,
        view=view, above=f"/desk/networks/{network}", may_act=COORDINATOR in session.person.counting,
        typed=session.fields, own=session.organisation.did,
    )  # fmt: skip


def _read(request: Request, session: Session, network: str, connection: Connection) -> DirectoryPage | None:
    organisation, org = session.organisation, session.organisation.did
    joined = rows.find(connection, org, network)
    if joined is None:
        return None
    state = rows.state_of(connection, org, network)
    front = fronts.current(connection, org)
    ours = front if front is not None and front.network == network else None
    readers = acts.readers(connection, organisation, ours, state) if ours is not None else ()
    return DirectoryPage(
        joined.names, state.members.get(org),
        tuple(sorted(state.members.values(), key=lambda each: (each.name, each.did))), ours,
        front is not None and ours is None, tuple(each.did for each in readers), tuple(state.groups.values()),
    )  # fmt: skip

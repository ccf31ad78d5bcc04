"""Charters at the desk: read, compare, affirm article by article, choose whether our name is shown, take it back.

Everybody in session reads; coordinators affirm for the organisation, with a fresh second factor. Who will see our name
stands before the button.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.charters import Charter
from node.desk import charters as acts
from node.errors import RefusedError
from node.federation.protocol.keys import OrganisationKey
from node.models import charters as rows
from node.models.organisations import Organisation
from node.people import COORDINATOR
from node.web import desk
from node.web.charters import CharterCard, CharterPage
from node.web.desk import Fields, Session
from node.web.pages.charters import Shelf
from node.web.site import site_of

_LIST = "/desk/charters"


async def index(request: Request) -> Response:
    """The charters that are held here, and which of them we affirm."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    organisation, key = session.organisation, _key(request, session)

    def read(connection: Connection) -> list[CharterCard]:
        held = rows.newest(connection, organisation.did)
        cards = Shelf(connection, organisation, _LIST).cards(held)
        ours = [_ours(acts.own(connection, organisation, key, each)) for each in held]
        return [replace(card, affirmed=mine) for card, mine in zip(cards, ours, strict=True)]

    cards = await site_of(request).database.read(read)
    return desk.page(request, session, organisation, "desk/charters.html", cards=cards)


async def one(request: Request) -> Response:
    """One charter, with the form to affirm it."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _one(request, session)


async def act(request: Request) -> Response:
    """Affirm a charter, or take that back."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True)
    if isinstance(session, Response):
        return session
    organisation, key, now = session.organisation, _key(request, session), site_of(request).clock()
    name, fields = request.path_params["page"], session.fields

    def work(connection: Connection) -> None:
        charter = acts.find(connection, organisation, name)
        match fields.one("do"):
            case "affirm":
                _affirm(connection, organisation, key, charter, fields, now)
            case "withdraw" if fields.one("sure"):
                acts.withdraw(connection, organisation, key, charter.id, now)
            case "withdraw":
                raise RefusedError("tick that we take it back")
            case _:
                raise RefusedError("nothing of this kind can be done here")

    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _one(request, session, problem="; ".join(error.reasons))
    return desk.go(request, f"{_LIST}/{name}")


def _affirm(
    connection: Connection, organisation: Organisation, key: OrganisationKey, charter: Charter, fields: Fields,
    now: datetime,
) -> None:  # fmt: skip
    articles = fields.all("article")
    if not articles:
        raise RefusedError("tick the articles that we affirm")
    match fields.one("shown"):
        case "everyone":
            acts.affirm(connection, organisation, key, charter.id, articles, fields.one("name"), "", now)
        case "network" if set(articles) != set(charter.text.numbers):
            raise RefusedError("without the name a text is affirmed whole: tick every article")
        case "network":
            acts.affirm_withheld(connection, organisation, key, charter.id, now)
        case _:
            raise RefusedError("choose who may know our name")


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    organisation, key, name = session.organisation, _key(request, session), request.path_params["page"]

    def read(connection: Connection) -> tuple[CharterPage, Charter, acts.Own, tuple[acts.Adoption, ...]] | None:
        try:
            charter = acts.find(connection, organisation, name)
        except RefusedError:
            return None
        page = Shelf(connection, organisation, _LIST).page(charter, site_of(request).clock())
        own = acts.own(connection, organisation, key, charter)
        return page, charter, own, acts.adoptions(connection, organisation, charter.digest)

    found = await site_of(request).database.read(read)
    if found is None:
        return desk.refused(request, session, "no such charter here", 404)
    page, charter, own, adoptions = found
    said = own.public
    whole = charter.text.numbers if said is not None else ()
    ticked = session.fields.all("article") or (said.articles if said is not None else ()) or whole
    return desk.page(
        request, session, organisation, "desk/charter.html", status=409 if problem else 200, problem=problem,
        charter=page, adoptions=adoptions, ours=_ours(own), ticked=ticked,
        keeps=charter.did == organisation.did, may_act=COORDINATOR in session.person.counting, typed=session.fields,
        name=said.name if said is not None else organisation.name,
    )  # fmt: skip


def _ours(own: acts.Own) -> str:
    return "named" if own.public is not None else "withheld" if own.withheld else ""


def _key(request: Request, session: Session) -> OrganisationKey:
    return site_of(request).keyring.organisation(session.organisation.did)

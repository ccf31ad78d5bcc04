"""What members were told and not everyone: alerts that came sealed, opened for whoever is in session."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.alerts import PublicAlert, parse
from node.desk import sealed_alerts
from node.desk.sealed_alerts import SealedAlert
from node.models import contacts, documents
from node.people import NETWORK
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of


@dataclass(frozen=True, slots=True)
class SealedCard:
    """One sealed alert in a list."""

    path: str
    author: str
    headline: str
    language: str
    kind: str
    country: str
    severity: str
    status: str
    state: str
    sent: datetime
    to: int
    """For how many organisations it is."""


async def index(request: Request) -> Response:
    """Everything that this session opens, newest first."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session

    def read(connection: Connection) -> list[SealedCard]:
        names = _names(connection, session)
        found = sealed_alerts.current(connection, session.organisation.did, session.secrets.get(NETWORK, ()))
        return [_card(each, names) for each in found]

    cards = await site_of(request).database.read(read)
    return desk.page(
        request, session, session.organisation, "desk/network.html", cards=cards, opens=NETWORK in session.secrets
    )


async def one(request: Request) -> Response:
    """One sealed alert, whole, in every language it came in."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    name = request.path_params["page"]

    def read(connection: Connection) -> tuple[SealedCard, tuple[PublicAlert, ...]] | None:
        secrets = session.secrets.get(NETWORK, ())
        found = sealed_alerts.find(connection, session.organisation.did, name, secrets)
        return (_card(found, _names(connection, session)), tuple(map(parse, found.notes))) if found else None

    shown = await site_of(request).database.read(read)
    if shown is None:
        return desk.refused(request, session, "nothing that this session opens is at this address", 404)
    card, notes = shown
    return desk.page(request, session, session.organisation, "desk/sealed.html", card=card, notes=notes)


def _names(connection: Connection, session: Session) -> dict[str, str]:
    org = session.organisation
    return {each.did: each.name for each in contacts.members_of(connection, org.did, all_states=True)} | {
        org.did: org.name
    }


def _card(found: SealedAlert, names: dict[str, str]) -> SealedCard:
    note = found.main
    return SealedCard(
        path=f"/desk/network/{documents.page_name(found.about)}", author=names.get(found.author, found.author),
        headline=note.headline, language=note.language, kind=note.kind, country=note.country, severity=note.severity,
        status=note.status, state=note.state, sent=found.sent, to=len(found.to),
    )  # fmt: skip

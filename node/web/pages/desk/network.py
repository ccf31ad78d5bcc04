"""What members were told and not everyone: alerts that came sealed, opened for whoever is in session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.alerts import PublicAlert, parse
from node.desk import sealed_alerts, withheld
from node.desk.sealed_alerts import SealedAlert
from node.models import alerts, charters, contacts, documents
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
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class End:
    """What stands above the text of an alert that is over, closed or corrected."""

    expires: datetime | None
    outcome: str
    outcome_result: str
    outcome_attribution: str
    correction: str


@dataclass(frozen=True, slots=True)
class Signers:
    """Who signed one alert or charter with their name withheld. Its path is empty where that is not here any more."""

    path: str
    headline: str
    language: str
    names: tuple[tuple[str, str], ...]
    """As it signed, and as we call it."""


async def index(request: Request) -> Response:
    """Everything that this session opens, newest first."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session

    def read(connection: Connection) -> tuple[list[SealedCard], tuple[Signers, ...]]:
        names, secrets = _names(connection, session), session.secrets.get(NETWORK, ())
        found = sealed_alerts.current(connection, session.organisation.did, secrets)
        cards = [_card(each, names, site_of(request).clock()) for each in found]
        return cards, _signers(connection, session.organisation.did, secrets, names)

    cards, signers = await site_of(request).database.read(read)
    return desk.page(
        request, session, session.organisation, "desk/network.html", cards=cards, signers=signers,
        opens=NETWORK in session.secrets,
    )  # fmt: skip


async def one(request: Request) -> Response:
    """One sealed alert, whole, in every language it came in."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    name = request.path_params["page"]

    def read(connection: Connection) -> tuple[SealedCard, tuple[PublicAlert, ...]] | None:
        secrets = session.secrets.get(NETWORK, ())
        found = sealed_alerts.find(connection, session.organisation.did, name, secrets)
        if found is None:
            return None
        return _card(found, _names(connection, session), site_of(request).clock()), tuple(map(parse, found.notes))

    shown = await site_of(request).database.read(read)
    if shown is None:
        return desk.refused(request, session, "nothing that this session opens is at this address", 404)
    card, notes = shown
    return desk.page(
        request, session, session.organisation, "desk/sealed.html", card=card, notes=notes, end=end_of(notes[0])
    )


def _names(connection: Connection, session: Session) -> dict[str, str]:
    org = session.organisation
    return {each.did: each.name for each in contacts.members_of(connection, org.did, all_states=True)} | {
        org.did: org.name
    }


def _signers(
    connection: Connection, org: str, secrets: Sequence[str], names: dict[str, str]
) -> tuple[Signers, ...]:
    """By alert, the one that was signed last first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in withheld.signatories(connection, org, secrets):
        found.setdefault(each.alert, []).append((each.name, names.get(each.did, each.did)))
    shown = []
    for alert, signed in found.items():
        shown.append(Signers(*_named(connection, org, alert), tuple(signed)))
    return tuple(shown)


def _named(connection: Connection, org: str, about: str) -> tuple[str, str, str]:
    """Path, title and language of what was signed: an alert or a charter."""
    record = alerts.find(connection, org, about)
    if record is not None:
        return f"/alerts/{record.page}", record.headline, record.language
    charter = next(iter(charters.find(connection, org, about)), None)
    if charter is not None:
        return f"/desk/charters/{documents.page_name(charter.id)}", charter.title, charter.language
    return "", "", ""


def _card(found: SealedAlert, names: dict[str, str], now: datetime) -> SealedCard:
    note = found.main
    return SealedCard(
        path=f"/desk/network/{documents.page_name(found.about)}", author=names.get(found.author, found.author),
        headline=note.headline, language=note.language, kind=note.kind, country=note.country, severity=note.severity,
        status=note.status, state="expired" if note.state != "closed" and note.is_expired(now) else note.state,
        sent=found.sent, to=len(found.to), updated=note.updated,
    )  # fmt: skip


def end_of(note: PublicAlert) -> End:
    """What stands above the text."""
    return End(
        note.expires, note.state_note if note.state == "closed" else "", note.outcome_result, note.outcome_attribution,
        note.state_note if note.state == "corrected" else "",
    )

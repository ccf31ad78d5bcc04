"""Help in answer to an alert, in the browser: what was offered to us, what we offered, and the forms for both.

Who is in session and holds the room's key reads it; case workers and coordinators offer and answer for the
organisation. Nothing of it is on a public page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import offers as rules
from node.alert_forms import parse_moment
from node.desk import offers as acts
from node.desk import sealed_alerts
from node.desk.offers import Offered
from node.errors import RefusedError
from node.models import alerts, contacts, documents
from node.people import CASE_WORKER, CASES, COORDINATOR, NETWORK, Person
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of

_MOST = 200
_PAGE = "/desk/offers"
_STATUSES = ("actual", "exercise", "test")


@dataclass(frozen=True, slots=True)
class Choice:
    """An alert that an offer may be about."""

    id: str
    author: str
    headline: str
    language: str
    path: str
    status: str


@dataclass(frozen=True, slots=True)
class OfferView:
    """One offer."""

    path: str
    kind: str
    words: str
    contact: str
    until: datetime
    sent: datetime
    other: str
    """The organisation at the other end."""
    state: str
    reply: str


@dataclass(frozen=True, slots=True)
class AboutView:
    """The offers about one alert. Its path is empty where the alert is not here any more."""

    headline: str
    language: str
    path: str
    status: str
    offers: tuple[OfferView, ...]


async def index(request: Request) -> Response:
    """Everything that this session opens, and the form to offer."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _index(request, session)


async def offer(request: Request) -> Response:
    """Offer help to the author of an alert."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, fields, organisation = site_of(request), session.fields, session.organisation
    try:
        until = parse_moment(fields.one("until")) if fields.one("until") else None
    except ValueError:
        return await _index(request, session, problem="until: write a date")
    work = partial(
        acts.offer, organisation=organisation, key=site.keyring.organisation(organisation.did),
        about=fields.one("alert"), kind=fields.one("kind"), words=fields.one("words"), contact=fields.one("contact"),
        until=until, now=site.clock(),
    )  # fmt: skip
    return await _do(request, session, work)


async def answer(request: Request) -> Response:
    """Take an offer, decline it, or take our own back."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, fields, organisation = site_of(request), session.fields, session.organisation
    work = partial(
        acts.answer, organisation=organisation, key=site.keyring.organisation(organisation.did),
        offer_id=request.path_params["offer"], said=fields.one("answer"), words=fields.one("words"),
        secrets=secrets_of(session), now=site.clock(),
    )  # fmt: skip
    return await _do(request, session, work)


def secrets_of(session: Session) -> tuple[str, ...]:
    """What this session opens of offers: they rest with the network while nobody is in the other room."""
    return (*session.secrets.get(CASES, ()), *session.secrets.get(NETWORK, ()))


def may_speak(person: Person) -> bool:
    """Whether a person offers and answers for the organisation."""
    return bool(person.counting & {CASE_WORKER, COORDINATOR})


async def _do(request: Request, session: Session, work: Callable[[Connection], Offered]) -> Response:
    if not may_speak(session.person):
        return desk.refused(request, session, "your roles do not allow this", 403)
    try:
        await desk.write(request, session, work)
    except RefusedError as error:
        return await _index(request, session, problem="; ".join(error.reasons))
    return desk.go(request, _PAGE)


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    now, organisation = site_of(request).clock(), session.organisation

    def read(connection: Connection) -> dict[str, Any]:
        names = {each.did: each.name for each in contacts.members_of(connection, organisation.did, all_states=True)}
        found = acts.current(connection, organisation, secrets_of(session))
        sealed = _sealed(connection, session, names)
        known = {each.id: each for each in sealed}
        return {
            "received": _grouped(
                connection, organisation.did, [each for each in found if each.to == organisation.did], names, known, now
            ),
            "made": _grouped(
                connection, organisation.did, [each for each in found if each.by == organisation.did], names, known, now
            ),
            "choices": _public(connection, organisation.did, names, now)
            + tuple(each for each in sealed if each.author != organisation.name),
        }

    shown = await site_of(request).database.read(read)
    return desk.page(
        request, session, organisation, "desk/offers.html", status=409 if problem else 200, problem=problem,
        opens=bool(secrets_of(session)), may_speak=may_speak(session.person), kinds=rules.KINDS,
        typed=session.fields, most_words=rules.MAX_WORDS, most_contact=rules.MAX_CONTACT, **shown,
    )  # fmt: skip


def _public(connection: Connection, org: str, names: dict[str, str], now: datetime) -> tuple[Choice, ...]:
    """Members' alerts that are shown here and not over."""
    found = alerts.newest(connection, org, statuses=_STATUSES, limit=_MOST)
    return tuple(
        Choice(each.object_id, names[each.did], each.headline, each.language, f"/alerts/{each.page}", each.status)
        for each in found
        if each.did != org and each.did in names and each.state != "closed" and (each.expires or now) >= now
    )


def _sealed(connection: Connection, session: Session, names: dict[str, str]) -> tuple[Choice, ...]:
    own = session.organisation
    return tuple(
        Choice(
            each.about, own.name if each.author == own.did else names.get(each.author, each.author),
            each.main.headline, each.main.language, f"/desk/network/{documents.page_name(each.about)}",
            each.main.status,
        )
        for each in sealed_alerts.current(connection, own.did, session.secrets.get(NETWORK, ()))
        if each.main.state != "closed"
    )  # fmt: skip


def _grouped(
    connection: Connection, org: str, found: Sequence[Offered], names: dict[str, str], sealed: dict[str, Choice],
    now: datetime,
) -> tuple[AboutView, ...]:  # fmt: skip
    """By alert, the one with the newest offer first."""
    groups: dict[str, list[OfferView]] = {}
    for each in found:
        other = each.by if each.to == org else each.to
        groups.setdefault(each.about, []).append(_view(each, names.get(other, other), now))
    return tuple(_about(connection, org, name, sealed, tuple(offers)) for name, offers in groups.items())


def _about(
    connection: Connection, org: str, name: str, sealed: dict[str, Choice], offers: tuple[OfferView, ...]
) -> AboutView:
    record = alerts.find(connection, org, name)
    if record is not None:
        return AboutView(record.headline, record.language, f"/alerts/{record.page}", record.status, offers)
    known = sealed.get(name)
    if known is not None:
        return AboutView(known.headline, known.language, known.path, known.status, offers)
    return AboutView("", "", "", "", offers)


def _view(each: Offered, other: str, now: datetime) -> OfferView:
    state = each.answer.answer if each.answer else "open" if each.is_open(now) else "over"
    made = each.offer
    return OfferView(
        f"{_PAGE}/{made.id}", made.kind, made.words, made.contact, made.until, each.sent, other, state,
        each.answer.words if each.answer else "",
    )  # fmt: skip

"""Our alerts after they are published: the list, the page of each, and the board that says who has it.

Everybody in session reads them, as far as their keys go; what is done with them is in `alert_acts` and `alert_texts`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.alerts import PublicAlert, parse
from node.coverage import Coverage
from node.desk import alert_life, coverage, endorsements, own_alerts
from node.desk import sealed_alerts as sealed
from node.desk.sealed_alerts import SealedAlert
from node.models import alerts, cases, contacts, coverages, documents
from node.models import withdrawals as withdrawal_rows
from node.models.alerts import AlertRecord
from node.people import COORDINATOR, NETWORK, Person
from node.web import desk, sisters
from node.web.desk import Session
from node.web.pages import public
from node.web.pages.desk import network
from node.web.pages.desk.network import End
from node.web.pages.public import missing_page
from node.web.site import site_of
from node.web.views import AlertPage

LIST = "/desk/alerts"


@dataclass(frozen=True, slots=True)
class WaitView:
    """A request that waits for a word."""

    path: str
    state: str
    made: datetime


@dataclass(frozen=True, slots=True)
class BoardView:
    """Who has an alert."""

    path: str
    coverage: Coverage
    same: tuple[str, ...]
    """Addresses of members' nodes where it can be read."""
    boosts: tuple[datetime, ...]
    as_of: datetime
    sealed: bool


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert, with all that can be done with it."""

    path: str
    own: bool
    author: str
    headline: str
    language: str
    status: str
    state: str
    sealed: bool
    reference: str
    public_path: str
    updated: datetime | None
    dues: tuple[str, ...] = ()
    waiting: tuple[WaitView, ...] = ()
    case: str = ""
    """The path of the case that it belongs to."""
    acts: tuple[str, ...] = ()
    story: AlertPage | None = None
    notes: tuple[PublicAlert, ...] = ()
    """Of a sealed one, in every language."""
    end: End | None = None
    custodians: tuple[str, ...] = ()
    threshold: int = 0
    board: BoardView | None = None


async def index(request: Request) -> Response:
    """All that this session opens, newest first; `state` narrows it."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, chosen = site_of(request), request.path_params.get("state", "")
    secrets = session.secrets.get(NETWORK, ())
    found = await site.database.read(
        lambda connection: own_alerts.listed(connection, session.organisation, secrets, site.clock())
    )
    counts = {name: sum(each.is_in(name) for each in found) for name in own_alerts.FILTERS}
    return desk.page(
        request, session, session.organisation, "desk/alerts.html", chosen=chosen, counts=counts, total=len(found),
        alerts=[each for each in found if each.is_in(chosen)], opens=NETWORK in session.secrets,
    )  # fmt: skip


async def one(request: Request) -> Response:
    """One alert; of one that was withdrawn, the way to what became of that."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    found = await view_of(request, session)
    return found if isinstance(found, Response) else await show(request, session, found)


async def board(request: Request) -> Response:
    """Who has it, alone on a page: the desk's script fetches this and puts it in place of what stands there. To look
    at it again and again keeps no session alive.
    """
    session = await desk.signed_in(request, watched=False)
    if isinstance(session, Response):
        return session
    found = await view_of(request, session)
    if isinstance(found, Response):
        return found
    if found.board is None:
        return desk.inert(missing_page(site_of(request), request, session.organisation, 404))
    return desk.page(request, session, session.organisation, "desk/alert_board.html", view=found)


async def show(
    request: Request, session: Session, found: AlertView, *, problem: tuple[str, ...] = ()
) -> Response:
    """The page of an alert, with what was refused above it."""
    return desk.page(
        request, session, session.organisation, "desk/alert.html", view=found, problem=problem,
        status=409 if problem else 200,
    )  # fmt: skip


async def view_of(request: Request, session: Session) -> AlertView | Response:
    """One alert, or the answer where there is none."""
    site, name = site_of(request), request.path_params["page"]
    read = partial(_find, session=session, name=name, now=site.clock()) if ":" not in name else None
    found = await site.database.read(read) if read else None
    if isinstance(found, AlertView):
        return found
    if found is not None:
        return desk.go(request, found)
    return desk.inert(missing_page(site, request, session.organisation, 404))


def may_write(person: Person) -> bool:
    """Whether a person changes what was published."""
    return person.may("write")


def may_sign(person: Person) -> bool:
    """Whether a person puts the organisation's name under another's alert."""
    return person.may("write") or COORDINATOR in person.counting


def _find(connection: Connection, session: Session, name: str, now: datetime) -> AlertView | str | None:
    org = session.organisation.did
    record = alerts.find(connection, org, name)
    if record is not None:
        chain = alerts.chain(connection, org, record.object_id) or alerts.Chain(record)
        if chain.first.page != name:
            return f"{LIST}/{chain.first.page}"
        return _public(connection, session, chain, now)
    found = sealed.find(connection, org, name, session.secrets.get(NETWORK, ()))
    if found is not None:
        if found.author != org:
            return f"/desk/network/{documents.page_name(found.about)}"
        return _sealed(connection, session, found, now)
    gone = withdrawal_rows.find(connection, org, name)
    return f"/desk/withdrawals/{gone.page}" if gone is not None else None


def _public(connection: Connection, session: Session, chain: alerts.Chain, now: datetime) -> AlertView | None:
    organisation, record = session.organisation, chain.first
    cards = public.Cards(connection, organisation, now)
    story = cards.page(record)
    if story is None:
        return None
    own, path = record.did == organisation.did, f"{LIST}/{record.page}"
    common: dict[str, Any] = {
        "path": path, "own": own, "author": cards.author(record)[0], "headline": record.headline,
        "language": record.language, "status": record.status, "state": story.card.state, "sealed": False,
        "reference": record.reference, "public_path": f"/alerts/{record.page}", "updated": record.updated,
        "story": story,
    }  # fmt: skip
    if not own:
        signed = _has_signed(connection, session, record, now)
        return AlertView(**common, acts=_signing_acts(session.person, story, signed=signed))
    case = cases.of_alert(connection, organisation.did, record.object_id)
    custody = withdrawal_rows.custody(connection, organisation.did, record.object_id)
    told = max(each.updated or each.published for each in (chain.first, *chain.news))
    note = own_alerts.note_of(connection, organisation.did, record)
    closed = record.state == "closed"
    expires = chain.newest.expires
    board = BoardView(
        f"{path}/board", coverage.of_chain(connection, organisation, chain),
        sisters.addresses(connection, organisation, record, now),
        coverages.boosted(connection, record.object_id), now, sealed=False,
    )  # fmt: skip
    return AlertView(
        **common, dues=own_alerts.dues_of(note, closed=closed, told=told, expires=expires, now=now),
        waiting=_waiting(connection, organisation.did, record.object_id, record.page),
        case=f"/desk/cases/{case}" if case else "", acts=_acts(session.person, story, case=case),
        custodians=_names(connection, organisation.did, custody.custodians) if custody else (),
        threshold=custody.threshold if custody else 0, board=board,
    )  # fmt: skip


def _sealed(connection: Connection, session: Session, found: SealedAlert, now: datetime) -> AlertView:
    organisation, note, page = session.organisation, found.main, documents.page_name(found.about)
    closed, case = note.state == "closed", cases.of_alert(connection, organisation.did, found.about)
    standing = own_alerts.of_sealed(connection, organisation.did, found, None, now)
    path = f"{LIST}/{page}"
    board = BoardView(
        f"{path}/board", coverage.of_sealed(connection, organisation, found.about), (), (), now, sealed=True
    )
    acts = () if closed else (alert_life.UPDATE, alert_life.CORRECT, alert_life.CLOSE)
    return AlertView(
        path=path, own=True, author=organisation.name, headline=note.headline, language=note.language,
        status=note.status, state=standing.state, sealed=True, reference=note.reference,
        public_path=f"/desk/network/{page}", updated=note.updated,
        dues=standing.dues,
        waiting=_waiting(connection, organisation.did, found.about, page),
        case=f"/desk/cases/{case}" if case else "",
        acts=(*acts, alert_life.WITHDRAW) if may_write(session.person) and not case else (),
        notes=tuple(map(parse, found.notes)), end=network.end_of(note), board=board,
    )  # fmt: skip


def _acts(person: Person, story: AlertPage, *, case: str) -> tuple[str, ...]:
    """What this person may do with an alert of ours as it stands, in the order of its life."""
    if not may_write(person):
        return ()
    closed = story.card.state == "closed"
    signing = story.signing
    found = [] if closed else [alert_life.NEWS, alert_life.UPDATE, alert_life.CORRECT, alert_life.ANSWER]
    if not closed and story.card.state != "expired" and story.endorsement_mode != "none":
        found.append(alert_life.OPEN)
    if signing is not None and signing.count and signing.phase != "delivered" and not signing.changed:
        found.append(alert_life.DELIVER)
    found += [] if closed else [alert_life.ENTRUST, alert_life.CLOSE]
    found.append(alert_life.WITHDRAW)
    return tuple(each for each in found if not case or each not in alert_life.OF_A_CASE)


def _signing_acts(person: Person, story: AlertPage, *, signed: bool) -> tuple[str, ...]:
    if not may_sign(person):
        return ()
    signing = story.signing
    if signed:
        return (alert_life.UNENDORSE,)
    is_open = signing is not None and signing.phase == "open" and not signing.changed
    return (alert_life.ENDORSE,) if is_open else ()


def _has_signed(connection: Connection, session: Session, record: AlertRecord, now: datetime) -> bool:
    found = endorsements.signatories(connection, session.organisation, record, now)
    return found is not None and any(each.did == session.organisation.did for each in found.names)


def _waiting(connection: Connection, org: str, about: str, page: str) -> tuple[WaitView, ...]:
    return tuple(
        WaitView(f"/desk/approvals/{row.request.id}", row.request.state, row.request.made)
        for row in own_alerts.waiting_for(connection, org, about, page)
    )


def _names(connection: Connection, org: str, dids: tuple[str, ...]) -> tuple[str, ...]:
    names = {each.did: each.name for each in contacts.members_of(connection, org, all_states=True)}
    return tuple(names.get(did, did) for did in dids)

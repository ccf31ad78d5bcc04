"""Networks in the browser: who is there, whom we invite and vouch for, what is proposed, and how we vote.

Everybody in session reads it; coordinators act for the organisation, with a fresh second factor. Sheets and answers are
text that is saved as a file, shown as a QR code, or pasted: hands carry them.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import governance as rules
from node import recovery
from node.desk import network_sheets as sheets
from node.desk import networks as acts
from node.desk.networks import Desk
from node.errors import RefusedError
from node.members import PASSED, State
from node.models import contacts
from node.models import networks as rows
from node.people import COORDINATOR, NETWORK
from node.web import desk
from node.web.desk import Session
from node.web.pages.bundles import draw
from node.web.pages.desk import joinings
from node.web.site import site_of

T = TypeVar("T")
_LIST = "/desk/networks"
_MAX_FORM = 32 * 1024


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """One network in the list."""

    path: str
    names: dict[str, str]
    members: int
    countries: int
    inside: bool
    waits: bool
    """We are a candidate, or named as a founder."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """One organisation in a network."""

    did: str
    name: str
    handle: str
    kind: str
    country: str
    state: str
    voter: bool


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One proposal."""

    proposal: str
    subject: str
    names: tuple[str, ...]
    grounds: str
    state: str
    yes: int
    voters: int
    mine: str
    author: str
    enough: bool


async def index(request: Request) -> Response:
    """The networks that we know, and the forms to found and to join one."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Found a network, or take up an invitation."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True, limit=_MAX_FORM)
    if isinstance(session, Response):
        return session
    fields = session.fields
    try:
        if fields.one("do") == "join":
            sheet = sheets.read_sheet(fields.file("sheet"), site_of(request).clock())
            kind, listed = fields.one("kind"), bool(fields.one("listed"))
            if kind not in rules.MEMBER_KINDS:
                raise RefusedError("choose what you are: an organisation, a coalition or an individual")
            affirms = fields.all("affirm")
            if not set(sheet.articles) <= set(affirms):
                asked = "this network asks whoever joins to affirm articles of its charter, one by one"
                return await _index(request, session, problem=asked, sheet=sheet)
            await _do(request, session, lambda mine: acts.accept(mine, sheet, kind, listed=listed, affirms=affirms))
            return desk.go(request, f"{_LIST}/{sheet.network}/answer")
        names = {code: fields.one(f"name-{code}") for code in ("ar", "en") if fields.one(f"name-{code}")}
        if not names:
            raise RefusedError("give the network a name")
        founded = await _do(
            request, session,
            lambda mine: acts.found(mine, names, fields.all("founder"), blocks=bool(fields.one("blocks"))),
        )  # fmt: skip
    except RefusedError as error:
        return await _index(request, session, problem="; ".join(error.reasons))
    return desk.go(request, f"{_LIST}/{founded.network}")


async def one(request: Request) -> Response:
    """One network."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _one(request, session)


async def act(request: Request) -> Response:
    """Do one thing in a network."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True, limit=_MAX_FORM)
    if isinstance(session, Response):
        return session
    network, fields = request.path_params["network"], session.fields
    try:
        if fields.one("do") == "invite":
            sheet = await _do(request, session, lambda mine: acts.invite(mine, network))
            return desk.go(request, f"{_LIST}/{network}/sheet/{sheet.invitation}")
        work = _work(network, fields)
        await _do(request, session, work)
    except RefusedError as error:
        return await _one(request, session, problem="; ".join(error.reasons))
    return desk.go(request, f"{_LIST}/{network}")


def _work(network: str, fields: desk.Fields) -> Callable[[Desk], object]:
    """What one button of a network's page does.

    Raises:
        RefusedError: it does not know such a button, or what was carried cannot be read.
    """
    about = fields.one("about")
    plain: dict[str, Callable[[Desk], object]] = {
        "accept": lambda mine: acts.accept_founding(mine, network),
        "close": lambda mine: acts.close(mine, network, about),
        "cancel": lambda mine: acts.cancel(mine, network, about),
    }
    if fields.one("do") in plain:
        return plain[fields.one("do")]
    match fields.one("do"):
        case "admit":
            if not fields.one("compared"):
                raise RefusedError("compare the six words by voice first, and tick that you did")
            candidate = sheets.read_answer(fields.file("answer")) if fields.file("answer") else about
            return lambda mine: acts.vouch(mine, network, candidate)
        case "propose":
            subject, names, grounds = fields.one("subject"), fields.all("name"), fields.one("grounds")
            if subject not in (rules.ROLL, rules.REMOVE, rules.SUSPEND, rules.LIFT) or not names:
                raise RefusedError("choose what is proposed, and about whom")
            return lambda mine: acts.propose(mine, network, subject, names, grounds=grounds)
        case "vote" if fields.one("choice") in rules.CHOICES:
            choice, reason = fields.one("choice"), fields.one("reason")
            return lambda mine: acts.vote(mine, network, about, choice, reason)
        case "leave" if fields.one("sure"):
            return lambda mine: acts.leave(mine, network)
        case "leave":
            raise RefusedError("tick that you want to leave: coming back takes a new invitation")
    raise RefusedError("nothing of this kind can be done here")


async def _do(request: Request, session: Session, work: Callable[[Desk], T]) -> T:
    site = site_of(request)
    organisation, key, now = session.organisation, site.keyring.organisation(session.organisation.did), site.clock()
    return await desk.write(request, session, lambda connection: work(Desk(connection, organisation, key, now)))


async def words(request: Request) -> Response:
    """What two people compare by voice, of one member or candidate: it takes a tenth of a second, so not of all."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    org, network, did = session.organisation.did, request.path_params["network"], request.path_params["did"]
    found = await site_of(request).database.read(partial(_named, org=org, network=network, did=did))
    if found is None:
        return desk.refused(request, session, "no such network here", 404)
    name, handle = found
    six, numbers = await asyncio.to_thread(recovery.spoken, did)
    return desk.page(
        request, session, session.organisation, "desk/words.html", name=name, handle=handle, network=network,
        six=" ".join(six), digits=" ".join(numbers),
    )  # fmt: skip


def _named(connection: Connection, *, org: str, network: str, did: str) -> tuple[str, str] | None:
    """Name and address of a member or candidate."""
    if rows.find(connection, org, network) is None:
        return None
    ledger = rows.ledger_of(connection, org, network)
    state = ledger.state()
    if did in state.members:
        return state.members[did].name, state.members[did].handle
    accepted = state.candidates.get(did, ("", 0))[0]
    act = next((each for each in ledger.acts if each.digest == accepted), None)
    return (str(act.says["name"]), str(act.says["handle"])) if act is not None else None


async def sheet(request: Request) -> Response:
    """An invitation of ours, to be carried by hand."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    found = await _sheet(request, session)
    if found is None:
        return desk.refused(request, session, "no such network here", 404)
    picture = f"{request.url.path}/qr.svg"
    return _carried(request, session, "sheet", sheets.written(found.value()), picture, found.members[:1])


async def sheet_qr(request: Request) -> Response:
    """The same as a QR code."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    found = await _sheet(request, session)
    if found is None:
        return desk.refused(request, session, "no such network here", 404)
    picture = await asyncio.to_thread(draw, sheets.written(found.value()))
    return desk.inert(Response(picture, media_type="image/svg+xml"))


async def answer(request: Request) -> Response:
    """Our acceptance, to be carried back."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    network, organisation = request.path_params["network"], session.organisation

    def read(connection: Connection) -> tuple[str, tuple[tuple[str, str], ...]]:
        joined = rows.find(connection, organisation.did, network)
        text = sheets.written(sheets.answer_of(connection, organisation, network))
        return text, tuple(joined.sheet.items()) if joined else ()

    try:
        text, others = await site_of(request).database.read(read)
    except RefusedError:
        return desk.refused(request, session, "no such network here", 404)
    return _carried(request, session, "answer", text, "", others)


async def _sheet(request: Request, session: Session) -> sheets.Sheet | None:
    network, invitation = request.path_params["network"], request.path_params["invitation"]
    try:
        return await site_of(request).database.read(
            lambda connection: sheets.sheet_of(connection, session.organisation, network, invitation)
        )
    except RefusedError:
        return None


def _carried(
    request: Request, session: Session, what: str, text: str, picture: str, others: tuple[tuple[str, str], ...]
) -> Response:
    """What hands carry: to be photographed or copied, with the words to compare."""
    own = session.organisation.did
    return desk.page(
        request, session, session.organisation, "desk/carried.html", what=what, text=text, picture=picture,
        ours=acts.six_words(own), theirs=[(handle, acts.six_words(did)) for did, handle in others if did != own],
    )  # fmt: skip


async def _index(
    request: Request, session: Session, *, problem: str = "", sheet: sheets.Sheet | None = None
) -> Response:
    org, now = session.organisation.did, site_of(request).clock()

    def read(connection: Connection) -> dict[str, Any]:
        members = contacts.members_of(connection, org)
        return {
            "cards": [_card(connection, org, each) for each in rows.all_of(connection, org)],
            "pinned": [(each.did, each.name) for each in members],
            "joinings": joinings.cards(connection, session, now),
        }

    shown = await site_of(request).database.read(read)
    return desk.page(
        request, session, session.organisation, "desk/networks.html", status=409 if problem else 200, problem=problem,
        typed=session.fields, articles=sheet.articles if sheet else (), charter=sheet.charter if sheet else "",
        inviter=sheet.members[0][1] if sheet else "",
        kinds=rules.MEMBER_KINDS, may_act=COORDINATOR in session.person.counting, **shown,
    )  # fmt: skip


def _card(connection: Connection, org: str, each: rows.Joined) -> NetworkCard:
    state = rows.state_of(connection, org, each.network)
    countries = {member.country for member in state.members.values() if member.country}
    return NetworkCard(
        f"{_LIST}/{each.network}", each.names, len(state.members), len(countries), org in state.members,
        org not in state.members,
    )  # fmt: skip


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    org, network = session.organisation.did, request.path_params["network"]
    secrets = session.secrets.get(NETWORK, ())
    found = await site_of(request).database.read(partial(_read, org=org, network=network, secrets=secrets))
    if found is None:
        return desk.refused(request, session, "no such network here", 404)
    joined, state, ledger, grounds = found
    member = state.members.get(org)
    named = {each.did: each.name for each in state.members.values()}
    acts_ = {act.digest: act for act in ledger}
    founding = acts_.get(network)
    vouched = {act.about for act in ledger if act.kind == rules.SPONSOR and act.author == org}
    return desk.page(
        request, session, session.organisation, "desk/network_page.html", status=409 if problem else 200,
        problem=problem, names=joined.names, digest=state.digest, network=network, rules=state.rules,
        members=[_member(each) for each in state.members.values()], inside=member is not None,
        votes=member is not None and member.voter, missing=len(state.missing),
        founder=member is None and founding is not None and org in founding.founders,
        candidates=[
            (did, str(acts_[digest].says["name"]), voices, digest in vouched)
            for did, (digest, voices) in state.candidates.items() if did != org
        ],
        waits="" if member is not None else _accepted(ledger, org),
        invitations=_invitations(ledger, org, site_of(request).clock()),
        proposals=[
            _proposal(each, state, org, named, acts_[each], grounds) for each in reversed(tuple(state.decisions))
        ],
        may_act=COORDINATOR in session.person.counting, choices=rules.CHOICES, typed=session.fields,
        subjects=(rules.ROLL, rules.REMOVE, rules.SUSPEND, rules.LIFT),
    )  # fmt: skip


def _invitations(ledger: Sequence[rules.Act], org: str, now: datetime) -> list[tuple[str, datetime]]:
    """(digest, until when) of ours that nobody took up yet, and that we did not take back."""
    done = {act.about for act in ledger if act.kind == rules.ACCEPT or (act.kind == rules.CANCEL and act.author == org)}
    ours = [act for act in ledger if act.kind == rules.INVITE and act.author == org and act.digest not in done]
    found = [(act.digest, rules.moment_of(act.says["expires"])) for act in ours]
    return [(digest, until) for digest, until in found if until > now]


def _accepted(ledger: Sequence[rules.Act], org: str) -> str:
    """The digest of our acceptance, where we did not take it back; the network may be here or not yet."""
    done = {act.about for act in ledger if act.kind == rules.CANCEL and act.author == org}
    left = any(act.kind == rules.LEAVE and act.author == org for act in ledger)
    ours = [act for act in ledger if act.kind == rules.ACCEPT and act.author == org and act.digest not in done]
    return "" if left or not ours else max(ours, key=lambda act: act.number).digest


def _read(
    connection: Connection, *, org: str, network: str, secrets: Sequence[str]
) -> tuple[rows.Joined, State, tuple[rules.Act, ...], dict[str, str]] | None:
    joined = rows.find(connection, org, network)
    if joined is None:
        return None
    return (
        joined, rows.state_of(connection, org, network), rows.acts_of(connection, org, network),
        acts.grounds_of(connection, org, network, secrets),
    )  # fmt: skip


def _member(each: Any) -> MemberView:
    return MemberView(
        each.did, each.name, each.handle, each.kind, each.country, each.state, each.voter
    )


def _proposal(
    digest: str, state: State, org: str, named: dict[str, str], made: rules.Act, grounds: dict[str, str]
) -> ProposalView:
    tally = state.decisions[digest]
    yes = sum(choice == rules.YES for choice in tally.votes.values())
    numerator, denominator = state.rules.quorum
    return ProposalView(
        digest, tally.subject, tuple(named.get(each, each) for each in tally.names),
        grounds.get(made.says["grounds"], ""), tally.state, yes, tally.voters, tally.votes.get(org, ""),
        named.get(made.author, made.author),
        tally.state != PASSED and yes * denominator > numerator * tally.voters,
    )  # fmt: skip

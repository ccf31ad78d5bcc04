"""Working groups in the browser: who is in one, what is said inside, its plans, its word to everyone, and its hosts.

Everybody in session reads what their keys open; who writes for the organisation speaks inside; coordinators join, give
roles, hand in, publish and carry on, with a fresh second factor. Each button says before who will see what it sends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import governance as rules
from node import group_entries as entries
from node import plans
from node.alert_forms import latin_digits
from node.desk import drafts, group_hosts, restatements
from node.desk import groups as acts
from node.desk import plans as plan_desk
from node.desk.drafts import Draft
from node.desk.groups import Heard, Place
from node.desk.networks import Desk
from node.errors import RefusedError
from node.group_starters import STARTERS
from node.models import networks as network_rows
from node.models import organisations
from node.models.organisations import Organisation
from node.people import COORDINATOR, NETWORK
from node.plans import YearPlan
from node.web import desk
from node.web.charters import CitedView
from node.web.desk import Fields, Session
from node.web.pages.desk.group_papers import draft_of, goals_of, plan_of
from node.web.pages.desk.group_views import WRITERS, Said, articles_of, said_of, titles_of, year_of
from node.web.pages.groups import Update
from node.web.pages.groups import updates_of as page_updates
from node.web.site import site_of

T = TypeVar("T")
_LIST = "/desk/groups"
_MAX_FORM = 256 * 1024
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class GroupCard:
    """One group in the list."""

    path: str
    names: Mapping[str, str]
    role: str
    """Ours; empty where we are not in it."""
    waiting: bool
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation in a group."""

    did: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class HostView:
    """One host of a group."""

    did: str
    name: str
    address: str
    speaks: bool
    named_by: tuple[str, ...]
    """Who names it to carry the group on."""


async def index(request: Request) -> Response:
    """The groups of our networks, and the form to found one."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Found a group."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True, limit=_MAX_FORM)
    if isinstance(session, Response):
        return session
    fields = session.fields
    starter, hosts = fields.one("starter"), tuple(dict.fromkeys(each for each in fields.all("host") if each))
    names = dict(STARTERS.get(starter, {}))
    names |= {code: fields.one(f"name-{code}") for code in ("ar", "en") if fields.one(f"name-{code}")}
    handle = fields.one("handle").lower() or starter
    try:
        if not names or not handle:
            raise RefusedError("give the group a name and an address, or choose a theme")
        digest = await _do(
            request, session,
            lambda mine: _found(
                request, mine, fields.one("network"), names, handle, hosts, open_=not fields.one("closed")
            ),
        )  # fmt: skip
    except RefusedError as error:
        return await _index(request, session, problem="; ".join(error.reasons))
    return desk.go(request, f"{_LIST}/{digest}")


def _found(
    request: Request, mine: Desk, network: str, names: Mapping[str, str], handle: str, hosts: Sequence[str],
    *, open_: bool,
) -> str:  # fmt: skip
    digest, _ = acts.found(mine, network, names, handle, hosts, open_=open_)
    group_hosts.open_actor(mine, site_of(request).keyring, digest)
    return digest


async def one(request: Request) -> Response:
    """One group."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _one(request, session)


async def say(request: Request) -> Response:
    """Say something inside."""
    session = await desk.signed_in(request, limit=_MAX_FORM)
    if isinstance(session, Response):
        return session
    if not WRITERS & session.person.counting:
        return desk.refused(request, session, "your roles do not allow this", 403)
    return await _act(request, session, _say_work)


async def act(request: Request) -> Response:
    """Do what binds the organisation."""
    session = await desk.signed_in(request, role=COORDINATOR, fresh_factor=True, limit=_MAX_FORM)
    return session if isinstance(session, Response) else await _act(request, session, _act_work)


async def _act(
    request: Request, session: Session, work: Callable[[Request, Session, str, str], Callable[[Desk], object]]
) -> Response:
    group = request.path_params["group"]
    try:
        await _do(request, session, work(request, session, group, session.fields.one("do")))
    except RefusedError as error:
        return await _one(request, session, problem="; ".join(error.reasons))
    if session.fields.one("do") == "freeze":
        return desk.go(request, "/desk/charters")
    back = session.fields.one("back")
    return desk.go(request, f"{_LIST}/{group}" + (f"/plans/{back}" if back.isascii() and back.isdigit() else ""))


def _act_work(request: Request, session: Session, group: str, what: str) -> Callable[[Desk], object]:
    """What one button of a group's page does, where it takes a coordinator.

    Raises:
        RefusedError: it does not know such a button.
    """
    fields, secrets = session.fields, session.secrets.get(NETWORK, ())
    who, about = fields.one("who"), fields.one("about")
    author, title, text = session.person.id, fields.one("title"), fields.one("text")
    plain: dict[str, Callable[[Desk], object]] = {
        "join": lambda mine: acts.join(mine, group),
        "leave": lambda mine: acts.leave(mine, group),
        "role": lambda mine: acts.give_role(mine, group, who, fields.one("role")),
        "host": lambda mine: group_hosts.open_actor(mine, site_of(request).keyring, group),
        "share": lambda mine: acts.share(mine, group, who, secrets),
        "carry": lambda mine: _carry(mine, group, who, secrets),
        "hand-in": lambda mine: plan_desk.hand_in(mine, group, year_of(fields.one("year")), secrets),
        "freeze": lambda mine: drafts.freeze(mine, group, about, secrets),
        "unpublish": lambda mine: acts.unpublish(mine, about),
        "publish": lambda mine: restatements.ask_to_announce(mine, author, group, title, text),
    }
    if what not in plain:
        raise RefusedError("nothing of this kind can be done here")
    return plain[what]


def _say_work(request: Request, session: Session, group: str, what: str) -> Callable[[Desk], object]:
    """What one form of a group's pages says.

    Raises:
        RefusedError: it does not know such a form, or something is missing.
    """
    fields, secrets = session.fields, session.secrets.get(NETWORK, ())
    about, year = fields.one("about"), year_of(fields.one("year"))
    if what == "take-back":
        return lambda mine: acts.take_back(mine, group, about, secrets)
    if what == "step":
        return lambda mine: plan_desk.step(mine, group, year, fields.one("step"), secrets)
    if what == "draft":
        value = draft_of(fields.one("text"))
        return lambda mine: drafts.propose(mine, group, value, secrets, about)
    if what == "plan":
        says = plan_of(fields)
        return lambda mine: plan_desk.write(mine, group, says, secrets)
    if what == "review":
        said = {
            "period": fields.one("period"), "done": fields.one("done"), "evaluation": fields.one("evaluation"),
            "changed": goals_of(fields, "changed"),
        }  # fmt: skip
        return lambda mine: plan_desk.review(mine, group, year, said, secrets)
    if what in (entries.POST, entries.COMMENT, entries.DOCUMENT, entries.MEETING):
        words = _words(fields, what)
        return lambda mine: acts.speak(mine, group, what, words, about=about)
    raise RefusedError("nothing of this kind can be done here")


def _words(fields: Fields, kind: str) -> dict[str, Any]:
    if kind == entries.COMMENT:
        return {"text": fields.one("text"), "article": fields.one("article")}
    if kind == entries.MEETING:
        day, starts, ends = (latin_digits(fields.one(name)) for name in ("day", "starts", "ends"))
        return {
            "title": fields.one("title"), "starts": f"{day}T{starts}:00Z", "ends": f"{day}T{ends}:00Z",
            "place": fields.one("place"), "text": fields.one("text"),
        }  # fmt: skip
    words: dict[str, Any] = {"title": fields.one("title"), "text": fields.one("text")}
    return words | ({"cites": fields.one("cites").split()} if kind == entries.POST else {})


def _carry(mine: Desk, group: str, who: str, secrets: Sequence[str]) -> None:
    found = acts.carry_on(mine, group, who)
    if found.host == mine.own:
        try:
            group_hosts.call_followers(mine, group, secrets)
        except RefusedError:
            return  # the host before left nothing here: who followed it follows anew


async def _do(request: Request, session: Session, work: Callable[[Desk], T]) -> T:
    site = site_of(request)
    organisation, key, now = session.organisation, site.keyring.organisation(session.organisation.did), site.clock()
    return await desk.write(request, session, lambda connection: work(Desk(connection, organisation, key, now)))


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    org = session.organisation.did

    def read(connection: Connection) -> dict[str, Any]:
        networks = []
        for each in network_rows.all_of(connection, org):
            state = network_rows.state_of(connection, org, each.network)
            if org in state.members:
                others = [(did, member.name) for did, member in state.members.items() if did != org]
                networks.append((each.network, each.names, others))
        return {"cards": [_card(each, org) for each in acts.places(connection, org)], "networks": networks}

    shown = await site_of(request).database.read(read)
    return desk.page(
        request, session, session.organisation, "desk/groups.html", status=409 if problem else 200, problem=problem,
        typed=session.fields, starters=STARTERS, may_act=COORDINATOR in session.person.counting, **shown,
    )  # fmt: skip


def _card(at: Place, org: str) -> GroupCard:
    return GroupCard(
        f"{_LIST}/{at.group.digest}", at.group.names, at.group.roles.get(org, ""), org in at.group.waiting,
        len(at.group.roles),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Room:
    """A group as one session opens it."""

    at: Place
    heard: tuple[Heard, ...]
    hosting: bool
    """We have an actor for it."""
    public: tuple[Update, ...]
    """Our own words to everyone."""
    drafts: tuple[Draft, ...]
    articles: Mapping[str, CitedView]

    @property
    def plans(self) -> tuple[YearPlan, ...]:
        """Every year that has one."""
        said = [each.entry for each in self.heard]
        return plans.work_out(said, self.at.group.steered, self.at.state.decisions)


def _open(connection: Connection, organisation: Organisation, name: str, secrets: Sequence[str]) -> _Room:
    org = organisation.did
    at = acts.place(connection, org, name)
    heard = acts.history(connection, org, at.group, secrets)
    hosted = organisations.hosted(connection, org)
    return _Room(
        at, heard, any(each.working_group == at.group.digest for each in hosted),
        tuple(each for each in page_updates(connection, organisation, at) if each.did == org),
        drafts.current(connection, org, at.group.digest, secrets),
        articles_of(connection, org, [each.entry for each in heard]),
    )  # fmt: skip


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    org, name, site = session.organisation.did, request.path_params["group"], site_of(request)
    secrets = session.secrets.get(NETWORK, ())
    try:
        room = await site.database.read(lambda connection: _open(connection, session.organisation, name, secrets))
    except RefusedError:
        return desk.refused(request, session, "no such working group here", 404)
    group, found, today = room.at.group, room.plans, site.clock().date()
    names = {did: each.name for did, each in room.at.state.members.items()}
    years, goals = plans.side_by_side(found)
    role, coordinates = group.roles.get(org, ""), COORDINATOR in session.person.counting
    is_host = any(each.member == org for each in group.hosts)
    return desk.page(
        request, session, session.organisation, "desk/group.html", status=409 if problem else 200, problem=problem,
        group=group, role=role, waits=org in group.waiting, typed=session.fields,
        members=[Member(did, names.get(did, did), each) for did, each in group.roles.items()],
        waiting=[(did, names.get(did, did)) for did in group.waiting], hosts=_hosts(room.at, names),
        may_host=coordinates and is_host and not room.hosting,
        may_carry=coordinates and room.hosting and group.host != org, roles=rules.ROLES,
        said=_threads(room.heard, names, org), plans=found, years=years, goals=goals,
        due=[(each, _midnight(each.by)) for each in plans.due(found, today)],
        may_write=bool(WRITERS & session.person.counting) and bool(role), may_act=coordinates,
        leads=role == rules.COORDINATOR, steers=group.steers(org), next_year=today.year + 1,
        opens=NETWORK in session.secrets, own=org, articles=room.articles, public=room.public,
        drafts=[(each.entry.digest, titles_of(each), len(each.comments)) for each in room.drafts],
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _hosts(at: Place, names: Mapping[str, str]) -> list[HostView]:
    return [
        HostView(
            each.member, names.get(each.member, each.member), each.handle, each.member == at.group.host,
            tuple(names.get(by, by) for by, whom in at.group.words.items() if whom == each.member),
        )
        for each in at.group.hosts
    ]  # fmt: skip


def _threads(heard: Sequence[Heard], names: Mapping[str, str], org: str) -> list[Said]:
    """Posts, documents and meetings, the newest first, each with what answers it; plans have a page of their own."""
    answers: dict[str, list[Said]] = {}
    for each in heard:
        if each.entry.kind == entries.COMMENT:
            answers.setdefault(each.entry.about, []).append(said_of(each, names, org))
    shown = [each for each in heard if each.entry.kind in (entries.POST, entries.DOCUMENT, entries.MEETING)]
    replaced = {each.entry.about for each in shown if each.entry.kind != entries.POST}
    return [
        said_of(each, names, org, tuple(answers.get(each.entry.digest, ())))
        for each in reversed(shown) if each.entry.digest not in replaced
    ][:_SHOWN]  # fmt: skip



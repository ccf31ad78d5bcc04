"""The desk's first page, the people of an organisation, and the lock."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import people as rules
from node.desk import front, notices
from node.desk import people as acts
from node.errors import RefusedError
from node.models import cases, drafts, joinings, people, rooms, sessions
from node.people import NETWORK, Person
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import approvals, offers
from node.web.pages.desk.start import start_of
from node.web.site import site_of
from node.web.views import PersonView, SessionView

T = TypeVar("T")


async def home(request: Request) -> Response:
    """What waits for whoever is in session."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, person = site_of(request), session.person

    def read(connection: Connection) -> dict[str, Any]:
        everybody = people.all_of(connection, person.org)
        waiting = acts.waiting(connection, session.organisation)
        own = sessions.of_person(connection, person.org, person.id, site.clock())
        return {
            "to_confirm": [_view(each) for each in everybody if each.state == rules.JOINED and person.may("people")],
            "to_grant": [
                (_view(each.person), each.room)
                for each in waiting
                if each.room in session.secrets and each.person.id != person.id
            ],
            "missing": [each.room for each in waiting if each.person.id == person.id],
            "sessions": [
                SessionView(each.digest[: desk.SHORT], each.made, each.seen, each.shared, each == session.row)
                for each in own
                if each.second_factor is not None or not person.factors
            ],
            "overdue": cases.overdue(connection, person.org, site.clock()) if person.may("cases") else 0,
            "late": joinings.overdue(connection, person.org, site.clock()),
            "notices": notices.count_new(connection, session.organisation, person, site.clock()),
            "codes": people.codes_left(connection, person.id),
            "start": start_of(connection, person.org).left if person.may("people") else 0,
            "drafts": [(each.form, each.touched) for each in drafts.of_person(connection, person.org, person.id)],
            "waits": front.waits(
                connection, session.organisation, person, site.clock(), approval_secrets=approvals.secrets_of(session),
                offer_secrets=offers.secrets_of(session), network_secrets=session.secrets.get(NETWORK, ()),
            ),
        }

    found, mute = await site.database.read(read), not site.keyring.has(session.organisation.did)
    return desk.page(request, session, session.organisation, "desk/home.html", mine=_view(person), mute=mute, **found)


async def index(request: Request) -> Response:
    """Everybody, and the forms to invite, confirm and disable."""
    session = await desk.signed_in(request, act="disable")
    return session if isinstance(session, Response) else await _index(request, session)


async def person_page(request: Request) -> Response:
    """One person, and what may be done about them; what cannot be taken back is asked here."""
    session = await desk.signed_in(request, act="disable", fresh_factor=True)
    if isinstance(session, Response):
        return session
    return await _person(request, session)


async def invite(request: Request) -> Response:
    """Make a link, shown once."""
    session = await desk.signed_in(request, act="people", fresh_factor=True)
    if isinstance(session, Response):
        return session
    fields, now = session.fields, site_of(request).clock()
    work = partial(
        acts.invite, organisation=session.organisation, name=fields.one("name"), roles=fields.all("role"), now=now,
        by=session.person,
    )  # fmt: skip
    made = await _try(request, session, work)
    if isinstance(made, Response):
        return made
    return desk.page(
        request, session, session.organisation, "desk/invited.html", link_given=made.link, expires=made.expires,
        person=_view(made.person),
    )  # fmt: skip


async def confirm(request: Request) -> Response:
    """The roles of a person count from now on."""
    session = await desk.signed_in(request, act="people", fresh_factor=True)
    if isinstance(session, Response):
        return session
    site, name = site_of(request), request.path_params["person"]
    work = partial(
        acts.confirm, organisation=session.organisation, keyring=site.keyring, by=session.person, secret=session.key,
        name=name, now=site.clock(),
    )  # fmt: skip
    done = await _try(request, session, work)
    if isinstance(done, Response):
        return done
    if rules.NETWORK in done.rooms:
        site.keyring.drop_network(session.organisation.did)
    return desk.go(request, "/desk/people")


async def grant(request: Request) -> Response:
    """Let somebody into a room."""
    session = await desk.signed_in(request, fresh_factor=True)
    if isinstance(session, Response):
        return session
    name, room = session.fields.one("person"), session.fields.one("room")
    work = partial(
        acts.grant, organisation=session.organisation, by=session.person, secret=session.key, name=name, room=room,
        now=site_of(request).clock(),
    )  # fmt: skip
    done = await _try(request, session, work)
    return done if isinstance(done, Response) else desk.go(request, "/desk")


async def disable(request: Request) -> Response:
    """Disable somebody, asked once more on their page."""
    session = await desk.signed_in(request, act="disable", fresh_factor=True)
    if isinstance(session, Response):
        return session
    fields = session.fields
    if not fields.one("sure"):
        return await _person(request, session)
    work = partial(
        acts.disable, organisation=session.organisation, name=request.path_params["person"],
        now=site_of(request).clock(), by=session.person, losing=bool(fields.one("losing")),
    )  # fmt: skip
    done = await _try(request, session, work)
    if isinstance(done, Response):
        return done
    return desk.page(
        request, session, session.organisation, "desk/disabled.html", released=done, person=_view(done.person)
    )


async def _index(request: Request, session: Session) -> Response:
    everybody = await site_of(request).database.read(
        lambda connection: people.all_of(connection, session.organisation.did)
    )
    return desk.page(
        request, session, session.organisation, "desk/people.html", people=[_view(each) for each in everybody],
        roles=rules.ROLES, may_invite=session.person.may("people"),
    )  # fmt: skip


async def _person(request: Request, session: Session) -> Response:
    name = request.path_params["person"]

    def read(connection: Connection) -> tuple[Person | None, list[str]]:
        person = people.get(connection, session.organisation.did, name)
        held = [(room, rooms.holders(connection, session.organisation.did, room)) for room in rules.ROOMS]
        return person, [room for room, holders in held if holders == {name}]

    person, alone = await site_of(request).database.read(read)
    if person is None:
        return desk.refused(request, session, "nobody here is called so", 404)
    return desk.page(
        request, session, session.organisation, "desk/person.html", person=_view(person), alone=alone,
        may_confirm=session.person.may("people") and person.state == rules.JOINED,
        may_disable=person.state != rules.DISABLED,
    )  # fmt: skip


async def _try(request: Request, session: Session, work: Callable[[Connection], T]) -> T | Response:
    try:
        return await desk.write(request, session, work)
    except RefusedError as error:
        return desk.refused(request, session, str(error))


def _view(person: Person) -> PersonView:
    return PersonView(
        id=person.id, name=person.name, language=person.language, roles=tuple(sorted(person.roles)),
        state=person.state, factors=person.factors, made=person.made, confirmed=person.confirmed,
    )  # fmt: skip

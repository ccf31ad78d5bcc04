"""Search at the desk: what is public, and what this session opens.

A query may name somebody in danger. So it comes as a form's POST, with the session's token: it stands in no address, in
no history of a shared computer and in no log of a proxy. Of what is sealed each part is shown to those alone who may
open its own pages: cases to case workers, what waits for a second word to those who give it, with a fresh second
factor.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import people
from node import search as rules
from node.desk import search as acts
from node.desk.search import Sifted
from node.models import contacts, networks
from node.people import CASES, NETWORK
from node.search import Query
from node.web import desk, found_names
from node.web.desk import Session
from node.web.found import CASE, DRAFT, INSIDE, SEALED, Finder, Found, FoundOrganisation
from node.web.pages import public
from node.web.pages.desk.approvals import secrets_of
from node.web.pages.desk.cases import title_of
from node.web.pages.search import page_of
from node.web.site import site_of

_SECONDS = 0.5
"""So long may it take to open what is sealed, of each kind."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was found among one kind of sealed things."""

    kind: str
    found: tuple[Found, ...] = ()
    more: bool = False
    looked: int = 0
    partial: bool = False
    stale: bool = False
    """The second factor is not fresh: nothing was opened."""


@dataclass(frozen=True, slots=True)
class DeskSearch:
    """Everything that answers."""

    query: Query
    parts: tuple[Part, ...] = ()
    public: tuple[Found, ...] = ()
    organisations: tuple[FoundOrganisation, ...] = ()
    page: int = 1
    more: bool = False
    partial: bool = False

    @property
    def real(self) -> tuple[Found, ...]:
        """What is public and no exercise."""
        return tuple(each for each in self.public if each.status == "actual")

    @property
    def exercises(self) -> tuple[Found, ...]:
        """What is public and never happened."""
        return tuple(each for each in self.public if each.status != "actual")

    @property
    def nothing(self) -> bool:
        """Nothing answers."""
        return not (self.public or self.organisations or any(each.found for each in self.parts))


async def form(request: Request) -> Response:
    """The empty form. What an address says is not looked for."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else _page(request, session, DeskSearch(rules.parse("")))


async def take(request: Request) -> Response:
    """What answers."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, query = site_of(request), rules.parse(session.fields.one("q"))
    number = page_of(session.fields.one("page"))
    language = public.locale_of(site, request, session.organisation).code

    def read(connection: Connection) -> DeskSearch:
        organisation, now = session.organisation, site.clock()
        hits = acts.public(
            connection, organisation, query, language=language, country=site.languages.countries, page=number,
            desk=True,
        )  # fmt: skip
        finder = Finder(connection, organisation, query, now, base="/desk")
        named = found_names.answering(connection, organisation, query, site.languages, desk=True)
        fresh = people.is_fresh(session.second_factor, now)
        return DeskSearch(
            query, _parts(connection, session, query, finder, fresh=fresh) if number == 1 else (),
            tuple(each for each in map(finder.public, hits.hits) if each is not None),
            tuple(map(finder.organisation, named)) if number == 1 else (), number,
            hits.more and number < acts.MOST_PAGES, hits.partial,
        )  # fmt: skip

    return _page(request, session, await site.database.read(read) if query.terms else DeskSearch(query))


def _page(request: Request, session: Session, view: DeskSearch) -> Response:
    return desk.page(request, session, session.organisation, "desk/search.html", search=view)


def _parts(
    connection: Connection, session: Session, query: Query, finder: Finder, *, fresh: bool
) -> tuple[Part, ...]:
    """What is sealed and this person may open, each kind within its own time."""
    org, secrets = session.organisation.did, session.secrets.get(NETWORK, ())
    names = _names(connection, session)
    sealed = acts.sealed(connection, org, secrets, query, names, _tired())
    parts = [_part(SEALED, sealed, [finder.sealed(each, names.get(each.author, "")) for each in sealed.found])]
    said = acts.in_groups(connection, org, secrets, query, names, _tired())
    parts.append(_part(INSIDE, said, [finder.inside(each, names.get(each.entry.author, "")) for each in said.found]))
    if session.person.may("cases") and session.secrets.get(CASES):
        opened = acts.in_cases(
            connection, org, session.secrets[CASES], query, lambda each: title_of(each.case), _tired()
        )
        parts.append(_part(CASE, opened, [finder.case(each, title_of(each.case)) for each in opened.found]))
    if session.person.may("approve") and not fresh:
        parts.append(Part(DRAFT, stale=True))
    elif session.person.may("approve"):
        waits = acts.waiting(connection, org, secrets_of(session), query, _tired())
        parts.append(_part(DRAFT, waits, [finder.waiting(*each) for each in waits.found]))
    return tuple(parts)


def _part(kind: str, sifted: Sifted[Any], found: list[Found]) -> Part:
    return Part(kind, tuple(found), sifted.more, sifted.looked, sifted.partial)


def _names(connection: Connection, session: Session) -> dict[str, str]:
    """Did → what it is called, of members and of those who are in our networks."""
    org = session.organisation
    found = {
        did: each.name
        for network in networks.all_of(connection, org.did)
        for did, each in networks.state_of(connection, org.did, network.network).members.items()
    }
    found |= {each.did: each.name for each in contacts.members_of(connection, org.did, all_states=True)}
    return found | {org.did: org.name}


def _tired() -> Callable[[], bool]:
    end = time.monotonic() + _SECONDS
    return lambda: time.monotonic() > end

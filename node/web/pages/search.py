"""Search for everyone: what the public pages say, and nothing else. The query is in the address; nobody writes it down.

Behind the veil, in no cache, in no index of a search engine, and in no copy of the site: its form is left out there.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import search as rules
from node.desk import search as desk
from node.errors import ProtocolError
from node.models.organisations import Organisation
from node.search import Query
from node.web import found_names
from node.web.found import Finder, Found, FoundOrganisation
from node.web.middleware import FORM_POLICY
from node.web.pages.public import locale_of, missing_page, show
from node.web.site import Site, site_of


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of results."""

    query: Query
    found: tuple[Found, ...] = ()
    organisations: tuple[FoundOrganisation, ...] = ()
    newer: str = ""
    older: str = ""
    partial: bool = False
    busy: bool = False

    @property
    def real(self) -> tuple[Found, ...]:
        """What is no exercise."""
        return tuple(each for each in self.found if each.status == "actual")

    @property
    def exercises(self) -> tuple[Found, ...]:
        """What never happened."""
        return tuple(each for each in self.found if each.status != "actual")


async def index(request: Request) -> Response:
    """The form, and what answers."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)
    query, status = rules.parse(request.query_params.get("q", "")), 200
    view = SearchPage(query)
    try:
        if query.terms:
            async with site.searches.turn():
                view = await _searched(request, site, organisation, query)
    except ProtocolError as error:
        view, status = SearchPage(query, busy=True), error.status
    answer = show(site, request, organisation, "search.html", "", noindex=True, status=status, search=view)
    answer.headers["content-security-policy"] = FORM_POLICY
    answer.headers["cache-control"] = "no-store"
    if view.busy:
        answer.headers["retry-after"] = "10"
    return answer


async def _searched(request: Request, site: Site, organisation: Organisation, query: Query) -> SearchPage:
    choice = site.languages.chosen(request.query_params.get("lang"))
    locale = locale_of(site, request, organisation)
    number = page_of(request.query_params.get("page", ""))

    def read(connection: Connection) -> SearchPage:
        hits = desk.public(
            connection, organisation, query, language=locale.code, country=site.languages.countries, page=number
        )
        finder = Finder(connection, organisation, query, site.clock())
        frozen = desk.frozen(connection, organisation.did)
        named = (
            found_names.answering(connection, organisation, query, site.languages, desk=False, without=frozen)
            if number == 1 else ()
        )  # fmt: skip
        return SearchPage(
            query, tuple(each for each in map(finder.public, hits.hits) if each is not None),
            tuple(map(finder.organisation, named)),
            _path(query, number - 1, choice) if number > 1 else "",
            _path(query, number + 1, choice) if hits.more and number < desk.MOST_PAGES else "", hits.partial,
        )  # fmt: skip

    return await site.database.read(read)


def page_of(text: str) -> int:
    """The number of a page of results; the first where there is none such."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return number if 1 <= number <= desk.MOST_PAGES else 1


def _path(query: Query, number: int, choice: str | None) -> str:
    values = {"q": query.written} | ({"page": str(number)} if number > 1 else {}) | ({"lang": choice} if choice else {})
    return f"/search?{urlencode(values)}"

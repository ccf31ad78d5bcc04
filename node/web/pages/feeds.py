"""Feeds and CAP files: the same alerts as on the pages, for programs that read them.

Exercises and what cannot be proved stand in none; a withdrawn alert is gone from each at once, and its CAP file is the
same neutral 410 as its page: no Cancel tells the world that somebody was spoken of.
"""

import re
from collections.abc import Callable

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import cap, feeds
from node.alert_terms import primary, rounded
from node.desk.exports import Exported, Outlet
from node.federation.protocol import ids
from node.feeds import Capped, Entry, Feed
from node.models import alerts, contacts, documents
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation
from node.web.pages.public import Cards
from node.web.render import clean
from node.web.site import Site, problem, site_of

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_ALERTS = "/alerts"
_GONE = "not here"


async def atom(request: Request) -> Response:
    """The newest alerts of this organisation and its members, or of one organisation, in Atom.

    Spec: RFC 4287
    """
    return await _answer(request, "atom", feeds.render_atom, feeds.ATOM_XML)


async def json(request: Request) -> Response:
    """The same as JSON Feed.

    Spec: JSON Feed 1.1
    """
    return await _answer(request, "json", feeds.render_json, feeds.FEED_JSON)


async def cap_feed(request: Request) -> Response:
    """The newest alerts as an Atom feed of CAP files."""
    return await _answer(request, "cap", feeds.render_cap_feed, feeds.ATOM_XML)


async def cap_file(request: Request) -> Response:
    """The newest CAP message of one alert, in all its languages.

    Spec: CAP 1.2
    """
    site = site_of(request)
    organisation = await site.organisation(request)
    name = request.path_params["id"]
    if organisation is None:
        return problem(404, _GONE)

    def read(connection: Connection) -> tuple[bytes | None, int]:
        cards, outlet = Cards(connection, organisation, site.clock()), Outlet(connection, organisation)
        record = outlet.main(alerts.find(connection, organisation.did, name))
        chain = outlet.chain(record) if record is not None else ()
        if record is None or not chain:
            gone = documents.page_gone(connection, organisation.did, name)
            return None, 410 if gone else 404
        source = cap.Source(
            did=record.did,
            address=cards.handle(record).removeprefix("@"),
            name=cards.author(record)[0],
            page=f"{organisation.origin}/alerts/{record.page}",
            proof=f"{organisation.origin}/alerts/{record.page}/bundle",
        )
        return cap.render(chain, outlet.translations(record), source), 200

    body, status = await site.database.read(read)
    if body is None:
        return problem(status, _GONE)
    return site.versions.answer(request, body, cap.CAP_XML, site.clock())


async def _answer(request: Request, form: str, render: Callable[[Feed], bytes], kind: str) -> Response:
    site = site_of(request)
    organisation = await site.organisation(request)
    did, lang = request.path_params.get("did", ""), request.query_params.get("lang", "")
    if organisation is None:
        return problem(404, _GONE)
    if lang and not _LANGUAGE.fullmatch(lang):
        return problem(400, "lang takes a language such as ar", "RFC 5646 §2.1")
    language = primary(lang) if lang and form != "cap" else None

    def read(connection: Connection) -> Feed | None:
        return _feed(connection, site, organisation, did, language, form)

    found = await site.database.read(read)
    if found is None:
        return problem(404, _GONE)
    return site.versions.answer(request, render(found), kind, site.clock())


def _feed(
    connection: Connection, site: Site, organisation: Organisation, did: str, language: str | None, form: str
) -> Feed | None:
    cards, outlet = Cards(connection, organisation, site.clock()), Outlet(connection, organisation)
    author = str(ids.Portable(did, "/actor")) if ids.is_did(did) else None
    if did and author is None:
        return None
    found = outlet.newest(author, language)
    whose = _whose(cards, did, author or "") if did else (organisation.name, organisation.language, _ALERTS)
    if whose is None:
        return None
    name, spoken, home = whose
    base = f"/organisations/{did}/alerts" if did else _ALERTS
    path = f"{base}/cap" if form == "cap" else f"{base}.{form}"
    query = f"?lang={language}" if language else ""
    return Feed(
        id=f"{organisation.actor}{path}{query}",
        title=name,
        language=language or spoken,
        home=organisation.origin + home,
        address=organisation.origin + path + query,
        entries=tuple(_entry(cards, outlet, each) for each in found),
        made=rounded(organisation.made),
    )


def _whose(cards: Cards, did: str, author: str) -> tuple[str, str, str] | None:
    """Name, language and page of one organisation, if it may be named here: listed, or with an alert on the pages."""
    own = cards.own(did)
    if own is not None:
        return own.name, own.language, f"/@{own.handle}"
    member = contacts.member(cards.connection, cards.organisation.did, did)
    if member is None:
        return None
    if not (member.listed or alerts.newest(cards.connection, cards.organisation.did, author=author, limit=1,
                                           translations=True)):
        return None
    return member.name, "", f"/organisations/{did}"


def _entry(cards: Cards, outlet: Outlet, each: Exported) -> Entry:
    record, alert = each.record, each.alert
    name, _, path = cards.author(record)
    origin = cards.organisation.origin
    published, head = rounded(record.published), outlet.head(record)
    updated = head.moment if head is not None else rounded(record.updated or record.published)
    return Entry(
        id=record.object_id,
        page=f"{origin}/alerts/{record.page}",
        name=name,
        name_page=origin + path,
        headline=alert.headline,
        language=alert.language,
        published=published,
        updated=max(published, updated),
        content=str(clean(alert.content)),
        tags=tuple(tag for tag in (alert.kind, alert.country) if tag),
        cap=_capped(outlet, record, origin),
    )


def _capped(outlet: Outlet, record: AlertRecord, origin: str) -> Capped | None:
    main = outlet.main(record)
    head = outlet.head(main) if main is not None else None
    if main is None or head is None:
        return None
    expires = cap.timestamp(main.expires) if main.expires else ""
    return Capped(f"{origin}/alerts/{main.page}/cap", head.identifier, head.sent, expires)

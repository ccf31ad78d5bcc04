"""What happened since somebody last looked, and the feed that tells them so where they are not signed in.

The feed says that something waits, and how much: no name, no word of content, not even whose desk it is.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.alert_terms import rounded
from node.desk import notices as acts
from node.desk.notices import Digest, Notice
from node.feeds import ATOM_XML
from node.models import notices as rows
from node.people import Person
from node.web import desk
from node.web.desk import Session
from node.web.languages import Locale
from node.web.site import problem, site_of

PAGE = "/desk/notices"
_BITS = 32
"""Bytes of a feed's token."""
_LONGEST = 64
_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class NoticeView:
    """Things of one sort that lead to one page."""

    sort: str
    path: str
    count: int
    moment: datetime | None


async def index(request: Request) -> Response:
    """What is new, and what is older and still so. Having seen it, nothing of it is new any more."""
    session = await desk.signed_in(request)
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Make a feed or another address for it, or end it. The address is shown once."""
    session = await desk.signed_in(request, fresh_factor=True)
    if isinstance(session, Response):
        return session
    org, person, now = session.organisation.did, session.person.id, site_of(request).clock()
    if session.fields.one("do") == "end":
        await desk.write(request, session, lambda connection: rows.revoke(connection, org, person))
        return desk.go(request, PAGE)
    token = secrets.token_urlsafe(_BITS)
    await desk.write(request, session, lambda connection: acts.renew_feed(connection, org, person, token, now))
    return await _index(request, session, address=f"{session.organisation.origin}{PAGE}/{token}.atom")


async def feed(request: Request) -> Response:
    """A person's feed, for whoever knows its address.

    Spec: RFC 4287 §4
    """
    site, token = site_of(request), request.path_params["token"]
    organisation = await site.organisation(request)
    if organisation is None or len(token) > _LONGEST:
        return desk.inert(problem(404, "not here"))
    now = site.clock()
    found = await site.database.read(lambda connection: acts.of_feed(connection, organisation, token, now))
    if found is None:
        return desk.inert(problem(404, "not here"))
    person, digest = found
    locale = site.languages.negotiate(None, _language(request, person))
    body = _atom(locale, digest, organisation.origin + PAGE, now)
    return desk.inert(Response(body, media_type=ATOM_XML))


async def _index(request: Request, session: Session, *, address: str = "") -> Response:
    site, org, person = site_of(request), session.organisation.did, session.person
    now = site.clock()

    def read(connection: Connection) -> tuple[tuple[Notice, ...], rows.Feed | None]:
        found = acts.current(connection, session.organisation, person, now)
        return found, rows.feed_of(connection, org, person.id)

    found, feed_row = await site.database.read(read)
    if any(each.new for each in found):
        await site.database.write(lambda connection: rows.look(connection, org, person.id, now))
    new = _together([each for each in found if each.new])
    return desk.page(
        request, session, session.organisation, "desk/notices.html", new=new,
        earlier=_together([each for each in found if not each.new]), feed=feed_row, made=address,
        number=sum(each.count for each in new),
    )  # fmt: skip


def _together(found: Sequence[Notice]) -> list[NoticeView]:
    """One line for all of one sort on one page; the newest moment counts."""
    groups: dict[tuple[str, str], list[Notice]] = {}
    for each in found:
        groups.setdefault((each.sort, each.path), []).append(each)
    return [NoticeView(sort, path, len(each), each[0].moment) for (sort, path), each in groups.items()]


def _language(request: Request, person: Person) -> str | None:
    languages = site_of(request).languages
    return languages.chosen(request.query_params.get("lang")) or languages.chosen(person.language)


def _atom(locale: Locale, digest: Digest, home: str, now: datetime) -> bytes:
    """One entry while something is new, with another id whenever that changes; none where nothing is."""
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    moment = rounded(digest.newest or now)
    _add(root, "id", "urn:tadamun:notices")
    _add(root, "title", locale.gettext("Desk"))
    _add(root, "updated", moment.isoformat())
    if digest.count:
        entry = ElementTree.SubElement(root, f"{{{_ATOM}}}entry")
        _add(entry, "id", f"urn:tadamun:notices:{digest.name}")
        _add(entry, "title", locale.gettext("Something waits at the desk."))
        _add(entry, "updated", moment.isoformat())
        ElementTree.SubElement(entry, f"{{{_ATOM}}}link", {"rel": "alternate", "href": home})
        ElementTree.SubElement(_add(entry, "author", ""), f"{{{_ATOM}}}name").text = locale.gettext("Desk")
        said = locale.ngettext("%(num)s thing is new.", "%(num)s things are new.", digest.count)
        _add(entry, "summary", said % {"num": locale.number(digest.count)})
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    made.text = text or None
    return made

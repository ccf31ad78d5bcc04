"""Working groups as everybody may see them: their names, where they are followed, and what they say to everyone.

Who is in a group, and what is said inside, stands on no page. A group is shown here where this organisation is in it,
or hosts it. What it says is shown once the group's actor announced it, with its author's name and proof.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import feeds
from node.alert_forms import parse_moment
from node.alert_terms import rounded
from node.desk import groups as desk
from node.desk.exports import proof_holds
from node.desk.group_hosts import uri_of
from node.desk.groups import Place
from node.federation.protocol import ids
from node.feeds import Entry
from node.models import contacts, documents, organisations
from node.models import groups as updates
from node.models.groups import GroupUpdate
from node.models.organisations import Organisation
from node.web import activitypub
from node.web.pages.public import missing_page, show
from node.web.render import clean
from node.web.site import problem, site_of
from node.web.views import Feed

_SHOWN = 30
_DISTANT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GroupCard:
    """One group in the list."""

    path: str
    names: dict[str, str]
    address: str
    """`@handle@host`; empty while nobody hosts it."""
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that a group says to everyone."""

    author: str
    author_path: str
    content: Markup
    text: str
    """The first words, plain."""
    language: str
    published: datetime | None
    verified: bool
    id: str
    """The portable id."""
    did: str
    """The author's."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One group, whole."""

    card: GroupCard
    did: str
    updates: tuple[Update, ...]
    others: tuple[str, ...]
    """Where it goes on if its host is lost."""


async def index(request: Request) -> Response:
    """The working groups that this organisation is in or hosts."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)
    cards = await site.database.read(
        lambda connection: [_card(connection, organisation, each) for each in desk.shown(connection, organisation.did)]
    )
    return show(site, request, organisation, "groups/index.html", "groups", groups=cards)


async def one(request: Request) -> Response:
    """One group, and what it says to everyone."""
    site = site_of(request)
    organisation = await site.organisation(request)
    handle = request.path_params["handle"]
    if organisation is None:
        return missing_page(site, request, None, 404)

    def read(connection: Connection) -> tuple[GroupPage, str] | None:
        found = _find(connection, organisation, handle)
        if found is None:
            return None
        speaker = found.group.actor
        return _page(connection, organisation, found), uri_of(organisation.origin, speaker) if speaker else ""

    found = await site.database.read(read)
    if found is None:
        return missing_page(site, request, organisation, 404)
    page, uri = found
    if activitypub.wants_document(request) and uri:
        return RedirectResponse(uri, 303, headers={"vary": "Accept"})
    offered = feeds_of(page.card.path)
    return show(site, request, organisation, "groups/group.html", "groups", feeds=offered, group=page)


async def atom(request: Request) -> Response:
    """What one group says to everyone, in Atom.

    Spec: RFC 4287
    """
    return await _feed(request, "atom", feeds.render_atom, feeds.ATOM_XML)


async def json(request: Request) -> Response:
    """The same as JSON Feed.

    Spec: JSON Feed 1.1
    """
    return await _feed(request, "json", feeds.render_json, feeds.FEED_JSON)


async def _feed(request: Request, form: str, render: Callable[[feeds.Feed], bytes], kind: str) -> Response:
    site = site_of(request)
    organisation = await site.organisation(request)
    handle = request.path_params["handle"]
    if organisation is None:
        return problem(404, "not here")

    def read(connection: Connection) -> feeds.Feed | None:
        found = _find(connection, organisation, handle)
        if found is None:
            return None
        page, origin = _page(connection, organisation, found), organisation.origin
        name = named(found.group.names, organisation.language)
        return feeds.Feed(
            id=f"{organisation.actor}{page.card.path}.{form}", title=name, language=organisation.language,
            home=origin + page.card.path, address=f"{origin}{page.card.path}.{form}",
            entries=tuple(_entry(each, origin + page.card.path, origin) for each in page.updates if each.verified),
            made=rounded(organisation.made),
        )  # fmt: skip

    feed = await site.database.read(read)
    if feed is None:
        return problem(404, "not here")
    return site.versions.answer(request, render(feed), kind, site.clock())


def named(names: object, language: str) -> str:
    """A group's name in this language, else in the first that it has."""
    found = names if isinstance(names, dict) else {}
    return str(found.get(language) or next(iter(found.values()), ""))


def feeds_of(path: str) -> tuple[Feed, ...]:
    """The feeds of a group, by the path of its page."""
    return Feed("atom", f"{path}.atom"), Feed("json", f"{path}.json")


def card_of(connection: Connection, organisation: Organisation, handle: str) -> GroupCard | None:
    """A group that is shown here."""
    found = _find(connection, organisation, handle)
    return _card(connection, organisation, found) if found is not None else None


def _find(connection: Connection, organisation: Organisation, handle: str) -> Place | None:
    return next((each for each in desk.shown(connection, organisation.did) if each.group.handle == handle), None)


def _card(connection: Connection, organisation: Organisation, at: Place) -> GroupCard:
    latest = _announced(connection, organisation, at, 1)
    return GroupCard(
        f"/groups/{at.group.handle}", dict(at.group.names), at.group.actor.handle if at.group.actor else "",
        latest[0].received if latest else None,
    )  # fmt: skip


def _announced(
    connection: Connection, organisation: Organisation, at: Place, most: int
) -> tuple[GroupUpdate, ...]:
    return updates.of_actors(connection, organisation.did, at.group.dids, updates.ANNOUNCED, most)


def _page(connection: Connection, organisation: Organisation, at: Place) -> GroupPage:
    speaker = at.group.actor
    return GroupPage(
        _card(connection, organisation, at), speaker.did if speaker else "",
        updates_of(connection, organisation, at),
        tuple(each.handle for each in at.group.hosts if each.did and each != speaker),
    )  # fmt: skip


def updates_of(connection: Connection, organisation: Organisation, at: Place) -> tuple[Update, ...]:
    """What a group said to everyone and stands, the newest first."""
    found = (_update(connection, organisation, each) for each in _announced(connection, organisation, at, _SHOWN))
    return tuple(sorted((each for each in found if each is not None), key=_age, reverse=True))


def _age(update: Update) -> float:
    return update.published.timestamp() if update.published else 0.0


def _update(connection: Connection, organisation: Organisation, each: GroupUpdate) -> Update | None:
    held = documents.stored(connection, organisation.did, each.object_id)
    author = ids.portable(held.author) if held is not None else None
    if held is None or held.raw is None or held.state != documents.SHOWN or author is None:
        return None
    note = orjson.loads(held.raw)
    name, path = _author(connection, organisation, author.did)
    language = next(iter(note.get("contentMap") or {}), "")
    content = clean(str(note.get("content", "")))
    return Update(
        name, path, content, " ".join(content.striptags().split())[:120], str(language)[:35],
        _moment(note.get("published")), proof_holds(held.raw, author.did), each.object_id,
        author.did,
    )  # fmt: skip


def _author(connection: Connection, organisation: Organisation, did: str) -> tuple[str, str]:
    own = organisations.get(connection, did)
    if own is not None:
        return own.name, f"/@{own.handle}"
    member = contacts.member(connection, organisation.did, did)
    return (member.name if member else did), f"/organisations/{did}"


def _moment(value: object) -> datetime | None:
    try:
        return parse_moment(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _entry(update: Update, page: str, origin: str) -> Entry:
    moment = rounded(update.published or _DISTANT)
    return Entry(
        id=update.id, page=page, name=update.author, name_page=origin + update.author_path, headline=update.text,
        language=update.language, published=moment, updated=moment, content=str(update.content),
    )  # fmt: skip

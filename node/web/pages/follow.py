"""Following: an address to copy, the way to the dialogue of a reader's own server, and feeds, which nobody sees read.

What is written into the form is answered and forgotten: no server is asked, nothing is stored, logged or put into an
address. A form that another site sends is not answered with links, for they would bear our name. In a copy of the site
there is no such page: the address stands in its pages as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import follow_links
from node.errors import ProtocolError, RefusedError
from node.follow_links import Dialogue
from node.models import boosts
from node.models.organisations import Organisation
from node.web import counter
from node.web.pages import groups, public
from node.web.site import Site, site_of
from node.web.views import Caveat, Feed

_MAX_FORM = 8 * 1024
_OURS = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class FollowView:
    """Whom to follow, and where."""

    names: Mapping[str, str]
    """By language; an empty one means nobody said."""
    address: str
    """`@handle@host`."""
    path: str
    """Of the page about them."""
    form_path: str
    feeds: tuple[Feed, ...]
    network: str = ""
    """The address that passes on the whole network's alerts; empty where it passes nothing on."""
    warnings: tuple[Caveat, ...] = ()
    declared: int = 0
    said: str = ""
    problem: bool = False
    host: str = ""
    """The reader's server."""
    dialogues: tuple[Dialogue, ...] = ()


async def form(request: Request) -> Response:
    """The page, before anything was written."""
    site, organisation, view = await _open(request)
    if organisation is None or view is None:
        return public.missing_page(site, request, organisation, 404)
    return counter.show(request, organisation, "follow/index.html", nav="", follow=view)


async def take(request: Request) -> Response:
    """The same page with links to the reader's server."""
    site, organisation, view = await _open(request)
    if organisation is None or view is None:
        return public.missing_page(site, request, organisation, 404)
    if request.headers.get("sec-fetch-site", "none") not in _OURS:
        return counter.show(request, organisation, "follow/index.html", 403, "", follow=view)
    try:
        said = (await counter.fields_of(request, _MAX_FORM)).get("server", "")[: follow_links.LONGEST + 1]
        host = follow_links.parse_server(said)
    except RefusedError:
        made = replace(view, said=said, problem=True)
        return counter.show(request, organisation, "follow/index.html", 422, "", follow=made)
    except ProtocolError as error:
        made = replace(view, problem=True)
        return counter.show(request, organisation, "follow/index.html", error.status, "", follow=made)
    made = replace(view, said=said, host=host, dialogues=follow_links.dialogues(host, view.address))
    return counter.show(request, organisation, "follow/index.html", nav="", follow=made)


async def _open(request: Request) -> tuple[Site, Organisation | None, FollowView | None]:
    site = site_of(request)
    organisation = None if site.copied is not None else await site.organisation(request)
    if organisation is None:
        return site, None, None
    did, handle = request.path_params.get("did"), request.path_params.get("handle")
    if request.url.path.startswith("/groups/"):
        view = await site.database.read(lambda connection: _group(connection, organisation, str(handle)))
    elif did is None and handle is None:
        view = await site.database.read(lambda connection: _host(connection, organisation))
    else:
        view = await _organisation(site, organisation, did, handle)
    return site, organisation, replace(view, form_path=request.url.path) if view else None


def _host(connection: Connection, organisation: Organisation) -> FollowView:
    voice = next((each for owner, each in boosts.voices(connection) if owner.did == organisation.did), None)
    passes = voice is not None and bool(boosts.asked_for(connection, organisation.did))
    network = f"@{voice.handle}@{organisation.host}" if voice is not None and passes else ""
    return replace(_own(organisation), feeds=public.SITE_FEEDS[:2], network=network)


async def _organisation(
    site: Site, organisation: Organisation, did: str | None, handle: str | None
) -> FollowView | None:
    for each in await site.organisations():
        if handle == each.handle or did == each.did:
            return _own(each)
    found = await site.database.read(
        lambda connection: public.member_view(connection, organisation, did, site.clock())
    )
    if found is None or not found.handle:
        return None
    return FollowView(
        {found.language: found.name}, found.handle, found.path, "", public.feeds_of(found.did),
        warnings=found.warnings, declared=found.declared,
    )  # fmt: skip


def _own(organisation: Organisation) -> FollowView:
    names, path = {organisation.language: organisation.name}, f"/@{organisation.handle}"
    return FollowView(names, organisation.address, path, "", public.feeds_of(organisation.did))


def _group(connection: Connection, organisation: Organisation, handle: str) -> FollowView | None:
    card = groups.card_of(connection, organisation, handle)
    if card is None or not card.address:
        return None
    return FollowView(card.names, card.address, card.path, "", groups.feeds_of(card.path))

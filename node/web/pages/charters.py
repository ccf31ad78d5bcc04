"""Charters for everyone: the list, a text and who affirms it, what differs between two, the file that proves it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.charters import Affirmed, Charter
from node.desk import charter_bundles as files
from node.desk import charters as desk
from node.errors import RefusedError
from node.federation.protocol import ids
from node.models import alerts, contacts, documents, organisations
from node.models import charters as rows
from node.models.organisations import Organisation
from node.web import activitypub
from node.web import charters as views
from node.web.charters import CharterCard, CharterPage
from node.web.pages import public
from node.web.site import Site, problem, site_of

_MOST = 100
"""Charters in the list."""


@dataclass(slots=True)
class Shelf:
    """Turns charters into views, and looks each organisation up once."""

    connection: Connection
    organisation: Organisation
    base: str = "/charters"
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def keeper(self, did: str) -> tuple[str, str]:
        """Name and path of an organisation; the path is empty where it has no page here."""
        if did not in self._known:
            self._known[did] = self._look_up(did)
        return self._known[did]

    def _look_up(self, did: str) -> tuple[str, str]:
        own = next((each for each in organisations.all_of(self.connection) if each.did == did), None)
        if own is not None:
            return own.name, f"/@{own.handle}"
        author = str(ids.Portable(did, "/actor"))
        actor, member = documents.actor(self.connection, author), contacts.member(self.connection, self.org, did)
        name = (actor.name or actor.handle) if actor else member.name if member else did
        has_page = member is not None and alerts.has_page(self.connection, self.org, member)
        return name, f"/organisations/{did}" if has_page else ""

    @property
    def org(self) -> str:
        """The did of whose shelf this is."""
        return self.organisation.did

    def cards(self, charters: Iterable[Charter]) -> tuple[CharterCard, ...]:
        """Texts in a list."""
        held = tuple(charters)
        affirmed = desk.affirmed_each(self.connection, self.organisation, held)
        return tuple(self._card(each, affirmed[each.id]) for each in held)

    def page(self, charter: Charter, now: datetime) -> CharterPage:
        """One text, whole."""
        caveats = public.Cards(self.connection, self.organisation, now)
        kept = desk.versions(self.connection, self.organisation, charter)
        each_ = desk.affirmed_each(self.connection, self.organisation, kept)
        affirmed = each_[charter.id]
        found = ids.portable(charter.id)
        return CharterPage(
            card=self._card(charter, affirmed),
            adoption=charter.adoption,
            texts=views.texts(charter),
            signatories=views.signatories(charter, affirmed.names[: views.SHOWN], self.keeper),
            affirmed=affirmed,
            versions=tuple(self._card(each, each_[each.id]) for each in kept),
            proof_url=found.at(self.organisation.origin) if found else "",
            heads=views.heads(affirmed.as_of) if len(affirmed.as_of) <= views.SHOWN else (),
            warnings=caveats.warnings(charter.did),
            declared=caveats.declared(charter.did),
        )

    def _card(self, charter: Charter, affirmed: Affirmed) -> CharterCard:
        name, path = self.keeper(charter.did)
        changing = rows.changing(self.connection, self.org, charter.digest)
        return CharterCard(
            path=f"{self.base}/{documents.page_name(charter.id)}",
            title=charter.title,
            language=charter.language,
            kind=charter.kind,
            keeper=name,
            keeper_path=path,
            published=charter.published,
            count=affirmed.count,
            digest=charter.digest,
            replaced=any(each.kind == "amendment" and each.did == charter.did for each in changing),
        )


async def index(request: Request) -> Response:
    """The charters that are held here, the newest first."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)

    def read(connection: Connection) -> tuple[CharterCard, ...]:
        return Shelf(connection, organisation).cards(rows.newest(connection, organisation.did, _MOST))

    cards = await site.database.read(read)
    return public.show(site, request, organisation, "charters/index.html", "charters", charters=cards)


async def one(request: Request) -> Response:
    """One text; 410 with the neutral page once its keeper took it off."""
    site = site_of(request)
    organisation = await site.organisation(request)
    name = request.path_params["page"]
    if organisation is None:
        return public.missing_page(site, request, None, 404)

    def read(connection: Connection) -> CharterPage | None:
        charter = _find(connection, organisation, name)
        return Shelf(connection, organisation).page(charter, site.clock()) if charter else None

    page = await site.database.read(read)
    if page is None:
        gone = await site.database.read(lambda connection: documents.page_gone(connection, organisation.did, name))
        return public.missing_page(site, request, organisation, 410 if gone else 404)
    if activitypub.wants_document(request):
        return RedirectResponse(page.proof_url, 303, headers={"vary": "Accept"})
    return public.show(
        site, request, organisation, "charters/charter.html", "charters", charter=page
    )


async def bundle(request: Request) -> Response:
    """The text, who affirms it and every proof, as a file that needs no server."""
    site = site_of(request)
    organisation = await site.organisation(request)
    name = request.path_params["page"]
    if organisation is None:
        return problem(404, "not here")

    def read(connection: Connection) -> bytes | None:
        charter, key = _find(connection, organisation, name), site.keyring.organisation(organisation.did)
        return files.bundle(connection, organisation, key, charter, site.clock()) if charter else None

    try:
        raw = await site.database.read(read)
    except RefusedError as error:
        return problem(503, "; ".join(error.reasons))
    if raw is None:
        return problem(404, "not here")
    kept = f'attachment; filename="tadamun-charter-{name}.json"'
    return Response(
        raw, headers={"cache-control": "no-cache", "content-disposition": kept}, media_type="application/json"
    )


async def compare(request: Request) -> Response:
    """What differs between this text and another that belongs to it, the earlier one first."""
    site = site_of(request)
    organisation = await site.organisation(request)
    name, digest = request.path_params["page"], request.path_params["digest"]
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    found = await site.database.read(lambda connection: pair(connection, organisation, name, digest))
    if found is None:
        return public.missing_page(site, request, organisation, 404)
    return await compared(site, request, organisation, found)


async def compared(
    site: Site, request: Request, organisation: Organisation, found: tuple[Charter, Charter]
) -> Response:  # fmt: skip
    """The page of two texts side by side."""
    old, new = found
    differ = await asyncio.to_thread(views.differences, old, new)
    cards = await site.database.read(lambda connection: Shelf(connection, organisation).cards(found))
    return public.show(
        site, request, organisation, "charters/compare.html", "charters", noindex=True, old=cards[0], new=cards[1],
        differences=differ,
    )  # fmt: skip


def pair(
    connection: Connection, organisation: Organisation, name: str, digest: str
) -> tuple[Charter, Charter] | None:  # fmt: skip
    """Two versions of one charter, the earlier one first."""
    charter = _find(connection, organisation, name)
    if charter is None:
        return None
    kept = desk.versions(connection, organisation, charter)
    both = [each for each in kept if each.id == charter.id or each.digest == digest]
    return (both[0], both[1]) if len(both) == 2 else None


def _find(connection: Connection, organisation: Organisation, page: str) -> Charter | None:
    found = rows.find(connection, organisation.did, page)
    return found[0] if len(found) == 1 else None

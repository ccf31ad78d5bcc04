"""The public pages: read, call, answer. Everything shown is built field by field from what is public."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import alert_share, appeals
from node import alerts as rules
from node import media as media_rules
from node.alert_bidi import titled
from node.alert_forms import parse_moment
from node.alerts import PublicAlert
from node.desk import exports
from node.desk.exports import proof_holds
from node.federation.protocol import ids
from node.federation.protocol.actors import Actor
from node.media import Picture
from node.models import alerts, contacts, documents, logs, media, organisations
from node.models.alerts import AlertRecord
from node.models.contacts import Member
from node.models.organisations import Organisation
from node.web import activitypub, directories, sisters, stories
from node.web.citations import cited
from node.web.languages import Locale
from node.web.middleware import FORM_POLICY
from node.web.site import Site, is_veiled, site_of
from node.web.views import (
    AlertCard,
    AlertList,
    AlertPage,
    Answer,
    Caveat,
    Feed,
    Frame,
    HomeView,
    MemberCard,
    MemberList,
    OrganisationView,
    Share,
    Shown,
    Status,
    Subject,
    Target,
)

PER_PAGE = 20
SITE_FEEDS = (Feed("atom", "/alerts.atom"), Feed("json", "/alerts.json"), Feed("cap", "/alerts/cap"))
_DRILLS = ("exercise", "test", "unknown")
_STATUSES: Mapping[str, Status] = MappingProxyType({"actual": "actual", "exercise": "exercise", "test": "test"})


async def home(request: Request) -> Response:
    """The front page."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)

    def read(connection: Connection) -> HomeView:
        cards = Cards(connection, organisation, site.clock())
        newest = alerts.newest(connection, organisation.did, limit=5)
        view = own_view(organisation, tuple(cards.card(record) for record in newest))
        return HomeView(view, len(contacts.members_of(connection, organisation.did)))

    view = await site.database.read(read)
    return show(site, request, organisation, "home.html", "home", feeds=SITE_FEEDS, home=view)


async def alert_list(request: Request) -> Response:
    """Alerts of this organisation and of its members, newest first; exercises apart, on the first page."""
    site = site_of(request)
    organisation = await site.organisation(request)
    text = request.path_params.get("number", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if organisation is None or not 1 <= number <= 10_000:
        return missing_page(site, request, organisation, 404)

    def read(connection: Connection) -> AlertList:
        cards = Cards(connection, organisation, site.clock())
        found = alerts.newest(connection, organisation.did, offset=(number - 1) * PER_PAGE, limit=PER_PAGE + 1)
        with_drills = number == 1 and site.copied is None
        drills = alerts.newest(connection, organisation.did, statuses=_DRILLS) if with_drills else ()
        return AlertList(
            alerts=tuple(cards.card(record) for record in found[:PER_PAGE]),
            exercises=tuple(cards.card(record) for record in drills),
            newer=_page_path(number - 1) if number > 1 else None,
            older=_page_path(number + 1) if len(found) > PER_PAGE else None,
        )

    view = await site.database.read(read)
    if number > 1 and not view.alerts:
        return missing_page(site, request, organisation, 404)
    noindex = bool(view.exercises)
    answer = show(
        site, request, organisation, "alerts/index.html", "alerts", noindex=noindex, feeds=SITE_FEEDS, list=view
    )
    answer.headers["content-security-policy"] = FORM_POLICY  # the form of the search
    return answer


async def alert_page(request: Request) -> Response:
    """One alert; 410 with the neutral text once it is withdrawn."""
    site = site_of(request)
    organisation = await site.organisation(request)
    name = request.path_params["id"]
    if organisation is None:
        return missing_page(site, request, None, 404)

    def read(connection: Connection) -> tuple[AlertPage | None, str | None]:
        record = alerts.find(connection, organisation.did, name)
        if record is None or (site.copied is not None and record.status != "actual"):
            return None, None
        return Cards(connection, organisation, site.clock()).page(record), record.uri

    view, uri = await site.database.read(read)
    if view is None or uri is None:
        gone = await site.database.read(lambda connection: documents.page_gone(connection, organisation.did, name))
        return missing_page(site, request, organisation, 410 if gone else 404)
    if activitypub.wants_document(request):
        # To the copy that is held here: the author's own host may be gone.
        return RedirectResponse(view.proof_url or uri, 303, headers={"vary": "Accept"})
    noindex = view.card.status != "actual"
    return show(site, request, organisation, "alerts/alert.html", "alerts", noindex=noindex, alert=view)


async def member_list(request: Request) -> Response:
    """The network that is shown here, and the members of whom copies are kept: those who agreed to be listed, and the
    number of the others. An act of a network goes before what an actor document says.
    """
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)
    veiled = await is_veiled(site)  # a backup remembers names that were taken off since

    def read(connection: Connection) -> MemberList:
        members = contacts.members_of(connection, organisation.did)
        cards = Cards(connection, organisation, site.clock())
        found = None if veiled else directories.shown(connection, organisation)
        if found is None:
            listed = tuple(_member_card(cards, member) for member in members if member.listed)
            return MemberList(listed, len(members) - len(listed))
        front, shown = found
        named = {each.did for each in shown.directory.named}
        others = [each for each in members if each.did not in named]
        cards_ = tuple(_member_card(cards, each) for each in others if each.listed and each.did not in shown.unlisted)
        choice = site.languages.chosen(request.query_params.get("lang"))
        view = directories.view(request, front, shown, choice, copied=site.copied is not None)
        return MemberList(cards_, len(others) - len(cards_), view, len(members) - len(others))

    view = await site.database.read(read)
    return show(site, request, organisation, "members/index.html", "members", members=view)


async def organisation_page(request: Request) -> Response:
    """An organisation's own page: ours by handle, a listed member's by did."""
    site = site_of(request)
    organisation = await site.organisation(request)
    did, handle = request.path_params.get("did"), request.path_params.get("handle")
    if organisation is None:
        return missing_page(site, request, None, 404)
    for each in await site.organisations():
        if handle == each.handle or did == each.did:
            if activitypub.wants_document(request):
                return RedirectResponse(each.uri, 303, headers={"vary": "Accept"})
            if each.kind == organisations.GROUP:
                return RedirectResponse(f"/groups/{each.handle}", 303, headers={"vary": "Accept"})
            return await _own_page(site, request, each)
    view = await site.database.read(lambda connection: member_view(connection, organisation, did, site.clock()))
    if view is None:
        return missing_page(site, request, organisation, 404)
    return show(
        site, request, organisation, "organisations/organisation.html", "members", feeds=feeds_of(view.did),
        organisation=view,
    )  # fmt: skip


async def missing(request: Request) -> Response:
    """Nothing at this address, and nothing said about why."""
    site = site_of(request)
    return missing_page(site, request, await site.organisation(request), 404)


async def static(request: Request) -> Response:
    """The stylesheet and the icon, under names that change with their content."""
    site = site_of(request)
    found = site.renderer.file(request.path_params["name"])
    if found is None:
        return missing_page(site, request, await site.organisation(request), 404)
    body, kind = found
    return Response(body, headers={"cache-control": "public, max-age=31536000, immutable"}, media_type=kind)


def show(
    site: Site, request: Request, host: Organisation | None, template: str, nav: str, *,
    noindex: bool = False, status: int = 200, feeds: tuple[Feed, ...] = (), **views: object,
) -> Response:  # fmt: skip
    """Render a page in the reader's language."""
    choice, locale = site.languages.chosen(request.query_params.get("lang")), locale_of(site, request, host)
    home = host.language if host else ""
    frame = Frame(
        organisation=host.name if host else "",
        organisation_language=home,
        path=request.scope["path"],
        nav=nav,
        choice=choice,
        noindex=noindex,
        requests=host is not None and host.requests and site.settings.requests and site.copied is None,
        feeds=feeds,
        copied=site.copied,
        live=host.origin + request.scope["path"] if host and site.copied else "",
    )
    body = site.renderer.page(template, locale, frame, **views)
    headers = {"vary": "Accept-Language, Accept", "content-language": locale.code, "cache-control": "no-cache"}
    if noindex:
        headers["x-robots-tag"] = "noindex"
    return Response(body, status, headers=headers, media_type="text/html")


def locale_of(site: Site, request: Request, host: Organisation | None) -> Locale:
    """The language of the page that a reader gets."""
    choice = site.languages.chosen(request.query_params.get("lang"))
    home = host.language if host else ""
    return site.languages.negotiate(request.headers.get("accept-language"), choice, home)


def missing_page(site: Site, request: Request, organisation: Organisation | None, status: int) -> Response:
    """The neutral page of 404 and 410."""
    return show(site, request, organisation, "errors/missing.html", "", noindex=True, status=status)


class Cards:
    """Turns rows into views, and looks each author up once."""

    def __init__(self, connection: Connection, organisation: Organisation, now: datetime) -> None:
        self.connection = connection
        self.organisation = organisation
        self.now = now
        self._authors: dict[str, Actor | None] = {}
        self._own = {each.did: each for each in organisations.all_of(connection)}
        self._members: dict[str, Member | None] = {}
        members = contacts.members_of(connection, organisation.did)
        self._named = {ids.host_of(member.uri) for member in members if member.listed}
        self._forked = logs.forked(connection, organisation.did)
        self._proven = documents.proven_against(connection, organisation.did)
        self._declared = exports.declared_by(connection, organisation)

    def own(self, did: str) -> Organisation | None:
        """An organisation of this node."""
        return self._own.get(did)

    def handle(self, record: AlertRecord) -> str:
        """Where an alert's author can be followed, `@handle@host`; empty where we do not know."""
        own = self._own.get(record.did)
        if own is not None:
            return own.address
        self.author(record)
        actor = self._authors[record.author]
        return f"@{actor.handle}@{ids.host_of(actor.uri)}" if actor else ""

    def author(self, record: AlertRecord) -> tuple[str, str, str]:
        """Name, language and page of an alert's author."""
        own = self._own.get(record.did)
        if own is not None:
            return own.name, own.language, f"/@{own.handle}"
        if record.author not in self._authors:
            self._authors[record.author] = documents.actor(self.connection, record.author)
        actor = self._authors[record.author]
        return (actor.name or actor.handle) if actor else record.did, "", f"/organisations/{record.did}"

    def card(self, record: AlertRecord) -> AlertCard:
        """One alert in a list; its proof is checked again as it is shown."""
        name, language, path = self.author(record)
        held = documents.stored(self.connection, self.organisation.did, record.object_id)
        chain = stories.chain_of(self.connection, self.organisation.did, record)
        news = chain.news if record.news_of is None else ()
        return AlertCard(
            path=f"/alerts/{record.page}",
            author_name=name,
            author_language=language,
            author_path=path,
            headline=record.headline,
            language=record.language,
            kind=record.kind,
            country=record.country,
            severity=record.severity,
            urgency=record.urgency,
            certainty=record.certainty,
            published=record.published,
            updated=record.updated,
            state=stories.state_of(record, chain, self.now),
            status=_STATUSES.get(record.status, "unknown"),
            verified=held is not None and proof_holds(held.raw, record.did),
            via=self._via(record),
            reference=record.reference,
            warnings=self.warnings(record.did),
            declared=self.declared(record.did),
            updates=len(news),
            latest=news[-1].published if news else None,
        )

    def _via(self, record: AlertRecord) -> str | None:
        """Where a copy came from: the author's own host, or a member that agreed to be named; else nothing is said."""
        if record.did == self.organisation.did or not record.via:
            return None
        return record.via if record.via in self._named or record.via == ids.host_of(record.uri) else None

    def page(self, record: AlertRecord) -> AlertPage | None:
        """One alert, whole."""
        held = documents.stored(self.connection, self.organisation.did, record.object_id)
        if held is None or held.raw is None:
            return None
        note = rules.parse(orjson.loads(held.raw))
        connection, org = self.connection, self.organisation.did
        chain = stories.chain_of(connection, org, record)
        whole = stories.whole_of(connection, org, record, chain)
        card, outlet = self.card(record), exports.Outlet(connection, self.organisation)
        main = outlet.main(record)
        return replace(
            _page(card, note),
            expires=chain.newest.expires if whole is None else note.expires,
            outcome=stories.outcome_of(connection, org, chain, record.language),
            news=stories.news_items(connection, org, chain, record.language, self.now) if whole is None else (),
            whole=whole,
            signing=stories.signing(connection, self.organisation, record, note, self.now),
            did=record.did,
            handle=self.handle(record),
            epoch=held.epoch or 0,
            sequence=held.sequence or 0,
            proof_url=self.organisation.origin + record.uri.removeprefix(ids.origin_of_location(record.uri)),
            original_url=record.uri,
            translations=self._translations(record),
            letters_path="" if appeals.objection(note, self.now) else f"/alerts/{record.page}/letters",
            bundle_path=f"/alerts/{record.page}/bundle" if record.status == "actual" else "",
            qr_path=f"/alerts/{record.page}/qr.svg" if record.status == "actual" else "",
            pictures=self._pictures(note),
            cap_path=f"/alerts/{main.page}/cap" if main is not None and outlet.chain(main) else "",
            share=self._share(card, note) if outlet.alert(record) is not None else None,
            cited=cited(connection, org, note.cited),
            sisters=sisters.addresses(self.connection, self.organisation, record, self.now),
        )

    def _pictures(self, note: PublicAlert) -> tuple[Shown, ...]:
        names = frozenset(media_rules.digests_of(note.pictures))
        here = media.here(self.connection, self.organisation.did, names) if names else names
        return tuple(_shown(picture, here) for picture in note.pictures)

    def _share(self, card: AlertCard, note: PublicAlert) -> Share:
        title = titled(card.author_name, note.headline, note.language)
        address = self.organisation.origin + card.path
        text = alert_share.share_text(note, card.author_name, address, self.now)
        return Share(
            text=text,
            language=note.language,
            ways=alert_share.addresses(text, title),
            title=title,
            description=alert_share.teaser(note, self.now),
            address=address,
            site=self.organisation.name,
        )

    def _translations(self, record: AlertRecord) -> tuple[tuple[str, str], ...]:
        main = record.translation_of or record.object_id
        family = list(alerts.translations_of(self.connection, self.organisation.did, main))
        first = alerts.find(self.connection, self.organisation.did, main)
        others = [each for each in [first, *family] if each is not None and each.object_id != record.object_id]
        return tuple((each.language, f"/alerts/{each.page}") for each in others)

    def warnings(self, did: str) -> tuple[Caveat, ...]:
        """What a reader of this author should know."""
        found: list[Caveat] = []
        if did in self._forked:
            found.append("fork")
        if did not in self._members:
            self._members[did] = contacts.member(self.connection, self.organisation.did, did)
        member = self._members[did]
        if member is not None and member.frozen is not None:
            found.append("frozen")
        if did in self._proven:
            found.append("proven")
        return tuple(found)

    def declared(self, did: str) -> int:
        """How many declare that this key is no longer to be trusted; nobody is accused on the word of too few."""
        return self._declared.get(did, 0)


def own_view(organisation: Organisation, cards: tuple[AlertCard, ...], older: str | None = None) -> OrganisationView:
    """One of our own organisations."""
    return OrganisationView(
        name=organisation.name,
        language=organisation.language,
        country=organisation.country,
        handle=organisation.address,
        did=organisation.did,
        path=f"/@{organisation.handle}",
        languages=(organisation.language,) if organisation.language else (),
        summary=organisation.summary,
        alerts=cards,
        older=older,
    )


async def _own_page(site: Site, request: Request, organisation: Organisation) -> Response:
    def read(connection: Connection) -> OrganisationView:
        cards = Cards(connection, organisation, site.clock())
        found = alerts.newest(connection, organisation.did, author=organisation.actor)
        view = own_view(organisation, tuple(cards.card(record) for record in found))
        return replace(view, declared=cards.declared(organisation.did))

    view = await site.database.read(read)
    return show(
        site, request, organisation, "organisations/organisation.html", "home", feeds=feeds_of(view.did),
        organisation=view,
    )  # fmt: skip


def member_view(
    connection: Connection, organisation: Organisation, did: str | None, now: datetime
) -> OrganisationView | None:
    """A member's page: a listed member's, or one whose alerts are here."""
    member = contacts.member(connection, organisation.did, did) if did else None
    if member is None:
        return None
    if not alerts.has_page(connection, organisation.did, member):
        return None
    author = str(ids.Portable(member.did, "/actor"))
    actor = documents.actor(connection, author)
    cards = Cards(connection, organisation, now)
    found = alerts.newest(connection, organisation.did, author=author)
    return OrganisationView(
        name=actor.name if actor else member.name,
        language="",
        country=_country(actor),
        handle=member.handle,
        did=member.did,
        path=f"/organisations/{member.did}",
        summary=actor.summary if actor else "",
        alerts=tuple(cards.card(record) for record in found),
        warnings=cards.warnings(member.did),
        declared=cards.declared(member.did),
    )


def _member_card(cards: Cards, member: Member) -> MemberCard:
    connection, organisation = cards.connection, cards.organisation
    author = str(ids.Portable(member.did, "/actor"))
    return MemberCard(
        name=member.name,
        language="",
        country=_country(documents.actor(connection, author)),
        handle=member.handle,
        did=member.did,
        path=f"/organisations/{member.did}",
        alerts_count=alerts.count(connection, organisation.did, ("actual",), author),
        declared=cards.declared(member.did),
    )


def _country(actor: Actor | None) -> str:
    value = actor.document.value.get("countryCode") if actor else None
    return value if isinstance(value, str) and len(value) == 2 else ""


def _page(card: AlertCard, note: PublicAlert) -> AlertPage:
    return AlertPage(
        card=card,
        did="",
        handle="",
        epoch=0,
        sequence=0,
        proof_url="",
        original_url="",
        content_html=note.content,
        narrative=note.narrative,
        link_to_work=note.link_to_work,
        demands=note.demands,
        subjects=tuple(Subject(each.name, each.kind) for each in note.subjects),
        targets=tuple(Target(each.office, each.country, each.body) for each in note.targets),
        answers=tuple(Answer(each.by, each.kind, day_of(each.day), each.text) for each in note.answers),
        do_not=note.do_not,
        actions=note.actions,
        outcome_result=note.outcome_result,
        outcome_attribution=note.outcome_attribution,
        deadline=note.deadline,
        expires=note.expires,
        correction=note.state_note if note.state == "corrected" else "",
        violation_types=note.violation_types,
        drivers=note.drivers,
        relation_to_network=note.relation_to_network,
        endorsement_mode=note.endorsement_mode,
        company_or_project=note.company_or_project,
        verification_level=note.verification_level,
    )


def day_of(text: str) -> datetime | None:
    """A day of a Note as a moment; `None` for one that no calendar has."""
    try:
        return parse_moment(text) if text else None
    except ValueError:
        return None


def _shown(picture: Picture, here: frozenset[str]) -> Shown:
    full, small = picture.full, picture.thumbnail or picture.full
    return Shown(
        alt=picture.alt,
        path=media_rules.path(full.digest) if full.digest in here else "",
        thumbnail=media_rules.path(small.digest) if picture.thumbnail and small.digest in here else "",
        width=small.width,
        height=small.height,
        kilobytes=max(1, round(full.size / 1000)),
    )


def feeds_of(did: str) -> tuple[Feed, ...]:
    """The feeds of one organisation."""
    base = f"/organisations/{did}/alerts"
    return Feed("atom", f"{base}.atom"), Feed("json", f"{base}.json")


def _page_path(number: int) -> str:
    return "/alerts" if number == 1 else f"/alerts/page/{number}"


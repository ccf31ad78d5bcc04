"""Letters to those whom an alert addresses: to copy, to print, to send after a warning.

No robot keeps them, and no copy of the site has them: a letter must end with its alert, and a file does not learn of
that. What a reader writes reaches nobody here; there is no form.
"""

from dataclasses import dataclass, replace

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import alerts as rules
from node import appeals
from node.alerts import PublicAlert, PublicTarget
from node.models import alerts, documents
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation
from node.web.pages.public import Cards, day_of, missing_page, show
from node.web.site import Site, site_of
from node.web.views import AlertCard, LetterList, LetterPage, Office


@dataclass(frozen=True, slots=True)
class _Case:
    """An alert with all that its letters are made of."""

    alert: PublicAlert
    translations: tuple[PublicAlert, ...]
    card: AlertCard
    path: str
    reason: str


async def index(request: Request) -> Response:
    """The offices, each with the languages of the letters to it."""
    site, organisation, case = await _case(request)
    if organisation is None or case is None:
        return missing_page(site, request, organisation, 404)
    offices = tuple(
        _office(case, number, target) for number, target in enumerate(() if case.reason else case.alert.targets, 1)
    )
    view = LetterList(case.card, offices, case.alert.do_not, case.reason)
    return show(site, request, organisation, "letters/index.html", "alerts", noindex=True, letters=view)


async def letter(request: Request) -> Response:
    """A person's letter."""
    return await _letter(request, "letters/letter.html", organisation=False)


async def organisation_letter(request: Request) -> Response:
    """An organisation's letter."""
    return await _letter(request, "letters/letter.html", organisation=True)


async def sheet(request: Request) -> Response:
    """A person's letter on A4."""
    return await _letter(request, "letters/print.html", organisation=False)


async def organisation_sheet(request: Request) -> Response:
    """An organisation's letter on A4."""
    return await _letter(request, "letters/print.html", organisation=True)


async def _letter(request: Request, template: str, *, organisation: bool) -> Response:
    site, host, case = await _case(request)
    found = _chosen(request, case) if case else None
    if host is None or case is None or found is None:
        return missing_page(site, request, host, 404)
    number, target, language = found
    letter = appeals.write(
        case.alert, target, language, case.card.author_name, case.translations, organisation=organisation
    )
    path = f"{case.path}/{number}/{language}"
    own, other = (f"{path}/organisation", path) if organisation else (path, f"{path}/organisation")
    mail = appeals.link(letter, target)
    view = LetterPage(
        card=case.card,
        office=_office(case, number, target),
        language=language,
        rtl=letter.rtl,
        text=letter.text,
        organisation=organisation,
        drill=letter.drill,
        path=own,
        other_path=other,
        print_path=f"{own}/print",
        list_path=case.path,
        mail=mail,
        whole="&body=" in mail,
        facts_language="" if letter.facts_language == language else letter.facts_language,
        do_not=case.alert.do_not,
    )
    return show(site, request, host, template, "alerts", noindex=True, letter=view)


def _chosen(request: Request, case: _Case) -> tuple[int, PublicTarget, str] | None:
    """The office and language that the path names, `None` where there is no such letter (any more)."""
    number, language = request.path_params["number"], request.path_params["language"]
    if case.reason or not (number.isascii() and number.isdigit() and len(number) <= 2):
        return None
    if not 1 <= int(number) <= len(case.alert.targets):
        return None
    target = case.alert.targets[int(number) - 1]
    if language not in appeals.languages(case.alert, target, case.translations):
        return None
    return int(number), target, language


async def _case(request: Request) -> tuple[Site, Organisation | None, _Case | None]:
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None or site.copied is not None:
        return site, organisation, None
    name = request.path_params["id"]
    return site, organisation, await site.database.read(lambda connection: _read(connection, organisation, name, site))


def _read(connection: Connection, organisation: Organisation, name: str, site: Site) -> _Case | None:
    record = alerts.find(connection, organisation.did, name)
    alert = _alert(connection, organisation, record)
    if record is None or alert is None:
        return None
    now = site.clock()
    main = record.translation_of or record.object_id
    org = organisation.did
    family = (alerts.find(connection, org, main), *alerts.translations_of(connection, org, main))
    others = (_alert(connection, organisation, each) for each in family if each and each.object_id != record.object_id)
    return _Case(
        alert=alert,
        translations=tuple(each for each in others if each is not None),
        card=Cards(connection, organisation, now).card(record),
        path=f"/alerts/{record.page}/letters",
        reason=appeals.objection(alert, now),
    )


def _alert(connection: Connection, organisation: Organisation, record: AlertRecord | None) -> PublicAlert | None:
    held = documents.stored(connection, organisation.did, record.object_id) if record else None
    return rules.parse(orjson.loads(held.raw)) if held and held.raw else None


def _office(case: _Case, number: int, target: PublicTarget) -> Office:
    found = appeals.languages(case.alert, target, case.translations)
    office = Office(
        office=target.office,
        language=case.alert.language,
        body=target.body,
        country=target.country,
        checked=day_of(target.last_checked),
        letters=tuple((each, f"{case.path}/{number}/{each}") for each in found),
    )
    if case.alert.is_drill:
        return office  # nobody is to write for an exercise
    return replace(office, email=target.email, post=target.post, fax=target.fax, web=target.web)

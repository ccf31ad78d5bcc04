"""Setting up an organisation, page by page, for whoever has the link: what it is, its sheets, its first person.

Rules, in order:
1. The link is 256 random bits, and is all that lets somebody in; whoever has another gets the neutral 404. A form comes
   from a page of ours (Origin).
2. A page further on than what was done so far leads back to what is to be done now.
3. Nothing is made before the sheets were copied back from paper (`setups`). Then all is made at once, the link opens
   nothing any more, and the first person goes on to choose a password like everybody who is invited.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import people as rules
from node import people_keys
from node.alert_countries import COUNTRIES
from node.desk import founding
from node.desk import people as people_desk
from node.desk.founding import Founding
from node.desk.people import Invitation
from node.errors import ProtocolError, RefusedError
from node.models import hostings
from node.models.organisations import Organisation
from node.policies import Rule
from node.web import desk
from node.web.desk import Fields
from node.web.middleware import FORM_POLICY
from node.web.pages import public
from node.web.setups import SetUp
from node.web.site import Site, site_of

LANGUAGES = ("ar", "ckb", "ku", "en", "fr", "es", "fa", "tr")
STEPS = ("welcome", "organisation", "sheets", "check", "person")
_FIRST_ROLES = (rules.COORDINATOR, rules.ADMINISTRATOR)
_MORE_ROLES = (rules.AUTHOR, rules.CASE_WORKER)


async def step(request: Request) -> Response:
    """One page of the set-up, asked for or sent."""
    name = request.path_params.get("step", STEPS[0])
    found = await _found(request)
    if found is None or name not in STEPS:
        return await missing(request)
    if STEPS.index(name) > STEPS.index(_furthest(found)):
        return _go(request, _furthest(found))
    if request.method == "GET":
        return _page(request, found, name)
    try:
        fields = await _read(request)
        return await _TAKE[name](request, found, fields)
    except ProtocolError as error:
        return _page(request, found, name, (error.reason,), error.status)
    except RefusedError as error:
        return _page(request, found, name, error.reasons, 409, fields)


async def _take_welcome(request: Request, found: SetUp, fields: Fields) -> Response:
    return _go(request, "organisation")


async def _take_organisation(request: Request, found: SetUp, fields: Fields) -> Response:
    site, country = site_of(request), fields.one("country").upper()
    wishes = [Rule(name, country, "", False) for name in ("hold", "show") if country and not fields.one(name)]
    asked = Founding(
        origin=_origin(request, found) if found.host else fields.one("origin"), name=fields.one("name"),
        handle=fields.one("handle"), language=fields.one("language"), country=country, summary=fields.one("summary"),
        listed=bool(fields.one("listed")), wishes=tuple(wishes),
    )  # fmt: skip
    if asked.language not in LANGUAGES or (country and country not in COUNTRIES):
        raise RefusedError("choose a language and a country of the lists")
    found.describe(
        founding.check(asked, await site.organisations(), loopback=site.settings.loopback_allowed)
    )
    return _go(request, "sheets")


async def _take_sheets(request: Request, found: SetUp, fields: Fields) -> Response:
    if fields.one("printed"):
        return _go(request, "check")
    found.draw(fields.one("form"), site_of(request).clock())
    return _go(request, "sheets")


async def _take_check(request: Request, found: SetUp, fields: Fields) -> Response:
    sheets = found.sheets
    sheets.copied(tuple(fields.one(f"line{number}") for number in range(len(sheets.wanted))))
    return _go(request, "person")


async def _take_person(request: Request, found: SetUp, fields: Fields) -> Response:
    """All is made. The first person goes on to choose a password, at the organisation's own address."""
    site, token = site_of(request), request.path_params["token"]
    asked, key = found.asked, found.key
    if asked is None or key is None or found.done:
        raise RefusedError("begin again: what was typed is not here any more")
    person = rules.check_name(fields.one("person"))
    more = [each for each in _MORE_ROLES if each in fields.all("role")]
    checked = founding.check(asked, await site.organisations(), loopback=site.settings.loopback_allowed)
    found.done = True  # a second press of the button makes no second organisation
    try:
        await asyncio.to_thread(site.keyring.adopt, key)

        def work(connection: Connection) -> tuple[Organisation, Invitation]:
            now = site.clock()
            made = founding.begin(connection, site.keyring, checked, key, found.sheets.commitment, now)
            hostings.drop_digest(connection, people_keys.digest(token))
            return made, people_desk.invite(connection, made, person, (*_FIRST_ROLES, *more), now)

        _, invitation = await site.database.write(work)
    except BaseException:
        found.done = False
        raise
    site.setups.close(token)
    site.renew()
    return desk.go(request, invitation.link)


_TAKE: Mapping[str, Callable[[Request, SetUp, Fields], Awaitable[Response]]] = MappingProxyType(
    {
        "welcome": _take_welcome, "organisation": _take_organisation, "sheets": _take_sheets, "check": _take_check,
        "person": _take_person,
    }
)  # fmt: skip


async def _found(request: Request) -> SetUp | None:
    """The set-up of this link: what `serve` printed, or a place that is kept for another organisation."""
    site, token = site_of(request), request.path_params["token"]
    found = site.setups.find(token)
    if found is None:
        digest, now = people_keys.digest(token), site.clock()
        kept = await site.database.read(lambda connection: hostings.find(connection, digest, now))
        found = site.setups.admit(digest, kept.host) if kept is not None else None
    if found is None or (found.host and found.host != request.headers.get("host", "").lower()):
        return None
    return found


def _furthest(found: SetUp) -> str:
    if found.sheets.commitment:
        return "person"
    if found.sheets.shown:
        return "check"
    return "sheets" if found.asked is not None else "organisation"


async def _read(request: Request) -> Fields:
    """What a form of ours brought. There is no organisation yet whose origin it could come from: it is the Host's."""
    check_origin(request)
    return await desk.read_form(request)


def check_origin(request: Request) -> None:
    """A form of the set-up comes from a page of this node.

    Raises:
        ProtocolError: another site sent it.
    """
    host = request.headers.get("host", "").lower()
    if request.headers.get("origin", "").partition("://")[2].lower() != host or not host:
        raise ProtocolError("this form was not sent by a page of this node", spec="OWASP CSRF", status=403)


async def missing(request: Request) -> Response:
    """The link opens nothing: whoever asks learns no more than at any other address."""
    site = site_of(request)
    return public.missing_page(site, request, await site.organisation(request), 404)


def _origin(request: Request, found: SetUp) -> str:
    """Where the organisation will answer, as this page was opened."""
    host = found.host or request.headers.get("host", "").lower()
    return founding.origin_at(host, loopback=site_of(request).settings.loopback_allowed)


def _go(request: Request, name: str) -> Response:
    return desk.go(request, f"/setup/{request.path_params['token']}/{name}")


def _page(
    request: Request, found: SetUp, name: str, problem: tuple[str, ...] = (), status: int = 200,
    fields: Fields | None = None,
) -> Response:  # fmt: skip
    site = site_of(request)
    typed = _typed(request, found) if fields is None else fields
    answer = public.show(
        site, request, None, f"setup/{name}.html", "", noindex=True, status=status, session=None, problem=problem,
        base=f"/setup/{request.path_params['token']}", number=STEPS.index(name) + 1, count=len(STEPS), setup=found,
        typed=typed, languages=LANGUAGES, countries=_countries(site, request), fixed=bool(found.host),
    )  # fmt: skip
    answer.headers["content-security-policy"] = FORM_POLICY
    return desk.inert(answer)


def _typed(request: Request, found: SetUp) -> Fields:
    """What stands in the form of the organisation when it is opened."""
    asked = found.asked
    if asked is None:
        locale = public.locale_of(site_of(request), request, None)
        asked = replace(Founding("", "", "", locale.code), origin=_origin(request, found))
    refused = {each.switch for each in asked.wishes}
    values = {
        "origin": asked.origin, "name": asked.name, "handle": asked.handle, "language": asked.language,
        "country": asked.country, "summary": asked.summary, "listed": "yes" if asked.listed else "",
        **{name: "" if name in refused else "yes" for name in ("hold", "show")},
    }  # fmt: skip
    return Fields({name: (value.encode(),) for name, value in values.items()})


def _countries(site: Site, request: Request) -> list[tuple[str, str]]:
    """(code, name) in the reader's language, in its order."""
    locale = public.locale_of(site, request, None)
    named = [(code, locale.country(code)) for code in COUNTRIES]
    return sorted(named, key=lambda each: each[1])

"""Which alerts of others this node holds, shows and boosts, at the desk: said before what each choice does, then asked.

Coordinators choose, with a fresh second factor. A rule takes two presses: the first says what would become of the
alerts that are here. What this organisation publishes itself is never touched.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import alert_terms
from node.alert_countries import COUNTRIES
from node.desk import boosts, policies
from node.desk.boosts import Asked
from node.errors import RefusedError
from node.models import policies as rows
from node.policies import SWITCHES, Rule, parse_country, parse_kind
from node.web import desk
from node.web.desk import Fields, Session
from node.web.pages.desk import acting
from node.web.pages.desk.case_lists import VIOLATIONS
from node.web.site import site_of

_PAGE = "/desk/choices"
_KINDS = tuple(each for each in alert_terms.KINDS if each not in ("closure", "withdrawal"))


async def index(request: Request) -> Response:
    """What was chosen, and the forms to choose."""
    session = await desk.signed_in(request, act="trust")
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Ask what a rule would do, decide it, or say what `@alerts` boosts."""
    session = await desk.signed_in(request, act="trust", fresh_factor=True)
    if isinstance(session, Response):
        return session
    fields = session.fields
    try:
        match fields.one("do"):
            case "ask":
                return await _ask(request, session, _rule(fields), drop=_drops(fields))
            case "decide":
                await _decide(request, session, _rule(fields), drop=_drops(fields))
            case "boost":
                await _boost(request, session, [_country_and_kind(fields)], anew=False)
            case "boost-none":
                await _boost(request, session, [], anew=True)
            case _:
                raise RefusedError("nothing of this kind can be done here")
    except RefusedError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    return desk.go(request, _PAGE)


async def _decide(request: Request, session: Session, rule: Rule, *, drop: bool) -> None:
    organisation, now = session.organisation, site_of(request).clock()
    await acting.do(
        request, session, "trust", "policy", f"{rule.switch}:{rule.country or '*'}",
        lambda connection: policies.decide(connection, organisation, [rule], now, drop=drop),
    )  # fmt: skip


async def _boost(request: Request, session: Session, wanted: list[tuple[str, str]], *, anew: bool) -> None:
    organisation, now = session.organisation, site_of(request).clock()
    await acting.do(
        request, session, "trust", "boosts", organisation.did,
        lambda connection: boosts.choose(connection, organisation, wanted, now, anew=anew),
    )  # fmt: skip


def _rule(fields: Fields) -> Rule:
    """The rule that a form brings.

    Raises:
        RefusedError: it is none.
    """
    switch, wish = fields.one("switch"), fields.one("wish")
    if switch not in SWITCHES or wish not in ("allow", "deny", "default"):
        raise RefusedError("choose what this node does with these alerts, and whether it may")
    return Rule(switch, *_country_and_kind(fields), wish == "allow")


def _country_and_kind(fields: Fields) -> tuple[str, str]:
    country, kind = fields.one("country"), fields.one("other") or fields.one("kind")
    return parse_country(country) if country else "", parse_kind(kind) if kind else ""


def _drops(fields: Fields) -> bool:
    return fields.one("wish") == "default"


async def _ask(request: Request, session: Session, rule: Rule, *, drop: bool) -> Response:
    """What the rule would do, and the button that does it."""
    found = await site_of(request).database.read(
        partial(policies.forecast, organisation=session.organisation, given=[rule], drop=drop)
    )
    return desk.page(
        request, session, session.organisation, "desk/choice.html", chosen=rule, drop=drop, forecast=found,
        wish="default" if drop else "allow" if rule.allow else "deny",
    )  # fmt: skip


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    organisation = session.organisation

    def read(connection: Connection) -> dict[str, Any]:
        return {"policies": rows.of(connection, organisation.did).rules, "asked": _asked(connection, session)}

    shown = await site_of(request).database.read(read)
    return desk.page(
        request, session, organisation, "desk/choices.html", status=409 if problem else 200, problem=problem,
        fresh=acting.is_fresh(request, session), typed=session.fields, switches=SWITCHES, countries=sorted(COUNTRIES),
        kinds=_KINDS, violations=VIOLATIONS, **shown,
    )  # fmt: skip


def _asked(connection: Connection, session: Session) -> Asked | None:
    """What `@alerts` boosts; `None` where another organisation of this host looks after it."""
    try:
        return boosts.asked(connection, session.organisation)
    except RefusedError:
        return None

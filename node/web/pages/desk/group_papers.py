"""A working group's plans and proposed charters in the browser, and its calendar."""

from collections.abc import Mapping
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import group_entries as entries
from node import plans
from node.desk import calendars, drafts
from node.desk import groups as acts
from node.desk import plans as plan_desk
from node.desk.drafts import Draft
from node.desk.groups import Heard, Place
from node.errors import RefusedError
from node.people import COORDINATOR, NETWORK
from node.plans import YearPlan
from node.web import desk
from node.web.charters import CitedView
from node.web.desk import Fields
from node.web.pages.desk.group_views import WRITERS, articles_of, said_of, titles_of, year_of
from node.web.site import site_of

_SPARE = 3
"""Empty rows that a plan's form offers."""
_EMPTY: Mapping[str, Any] = MappingProxyType(
    {"goals": (), "priorities": (), "activities": (), "risks": (), "protection": "", "cites": ()}
)


async def plan(request: Request) -> Response:
    """One year's plan, its comments and reviews, and the form of its next version."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    year = year_of(request.path_params["year"])
    name, org = request.path_params["group"], session.organisation.did
    secrets = session.secrets.get(NETWORK, ())

    def read(connection: Connection) -> tuple[Place, tuple[YearPlan, ...], dict[str, CitedView]]:
        held = plan_desk.current(connection, org, name, secrets)
        return acts.place(connection, org, name), held, articles_of(connection, org, [e.current for e in held])

    try:
        at, found, articles = await site_of(request).database.read(read)
    except RefusedError:
        return desk.refused(request, session, "no such working group here", 404)
    if not year:
        return desk.refused(request, session, "no such working group here", 404)
    held = next((each for each in found if each.year == year), None)
    earlier = next((each for each in found if each.year < year), None)
    said = (held or earlier)
    names = {did: each.name for did, each in at.state.members.items()}
    says: Mapping[str, Any] = said.current.says if said else _EMPTY
    leads = [names.get(did, did) for did in at.group.roles]
    leads += [each["lead"] for each in says["activities"] if each["lead"] not in leads]
    return desk.page(
        request, session, session.organisation, "desk/plan.html", group=at.group, year=year, plan=held,
        says=says, old=earlier, may_write=at.group.steers(org) and bool(WRITERS & session.person.counting),
        may_comment=org in at.group.roles and bool(WRITERS & session.person.counting),
        may_act=at.group.steers(org) and COORDINATOR in session.person.counting,
        steps=plans.steps_of(held) if held else (), spare=range(_SPARE), leads=sorted(set(leads)),
        comments=[said_of(Heard(each, "", each.author), names, org) for each in held.comments] if held else [],
        reviews=held.reviews if held else (), articles=articles, periods=entries.PERIODS, names=names,
    )  # fmt: skip


async def draft(request: Request) -> Response:
    """One proposed charter: its articles, what was said about each, and what its newest version changed."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    name, digest, org = request.path_params["group"], request.path_params["draft"], session.organisation.did
    secrets = session.secrets.get(NETWORK, ())

    def read(connection: Connection) -> tuple[Place, Draft]:
        return acts.place(connection, org, name), drafts.find(connection, org, name, digest, secrets)

    try:
        at, found = await site_of(request).database.read(read)
    except RefusedError:
        return desk.refused(request, session, "no such draft here", 404)
    names = {did: each.name for did, each in at.state.members.items()}
    comments = [
        (each.says["article"], said_of(Heard(each, "", each.author), names, org)) for each in found.comments
    ]
    changed = [(code, [part for part in found.changed[code] if part.kind != "same"]) for code in sorted(found.changed)]
    return desk.page(
        request, session, session.organisation, "desk/draft.html", group=at.group, draft=found,
        author=names.get(found.entry.author, found.entry.author), titles=titles_of(found),
        versions=found.text.versions, comments=comments,
        changed=[(code, parts) for code, parts in changed if parts], numbers=found.text.numbers,
        may_write=org in at.group.roles and bool(WRITERS & session.person.counting),
        may_act=org in at.group.roles and COORDINATOR in session.person.counting,
    )  # fmt: skip


async def calendar(request: Request) -> Response:
    """Meetings and what is due, for a phone's calendar: its titles say nothing.

    Spec: RFC 5545
    """
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    name, secrets, site = request.path_params["group"], session.secrets.get(NETWORK, ()), site_of(request)
    try:
        raw = await site.database.read(
            lambda connection: calendars.of_group(connection, session.organisation, name, secrets, site.clock())
        )
    except RefusedError:
        return desk.refused(request, session, "no such working group here", 404)
    headers = {"content-disposition": 'attachment; filename="calendar.ics"'}
    return desk.inert(Response(raw, headers=headers, media_type="text/calendar"))


def plan_of(fields: Fields) -> dict[str, Any]:
    """A plan as its form brings it: rows that are empty are left out, and a goal keeps its key.

    Raises:
        RefusedError: no year, or no goal.
    """
    year = year_of(fields.one("year"))
    goals = goals_of(fields, "goal")
    if not year or not goals:
        raise RefusedError("a plan is of one year, and has a goal at least")
    activities = zip_longest(fields.all("activity"), fields.all("lead"), fields.all("serves"), fillvalue="")
    risks = zip_longest(fields.all("challenge"), fields.all("response"), fillvalue="")
    return {
        "year": year,
        "goals": goals,
        "priorities": [each.strip() for each in fields.one("priorities").splitlines() if each.strip()],
        "activities": [
            {"text": text.strip(), "lead": lead.strip(), "goal": goal.strip()}
            for text, lead, goal in activities if text.strip()
        ],
        "risks": [
            {"challenge": challenge.strip(), "response": response.strip()}
            for challenge, response in risks if challenge.strip()
        ],
        "protection": fields.one("protection"),
        "cites": fields.one("cites").split(),
    }  # fmt: skip


def goals_of(fields: Fields, name: str) -> list[dict[str, str]]:
    """Goals as a form brings them; who has no key yet gets one."""
    keys, texts = fields.all(f"{name}-key"), fields.all(name)
    taken = {key for key in keys if key}
    found = []
    for at, text in enumerate(texts):
        if text.strip():
            key = (keys[at] if at < len(keys) else "") or next(
                new for number in range(1, 999) if (new := f"g{number}") not in taken
            )
            taken.add(key)
            found.append({"key": key, "text": text.strip()})
    return found


def draft_of(text: str) -> Any:
    """A proposed text as somebody pasted it.

    Raises:
        RefusedError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise RefusedError("this is no text of a charter: paste the file as it is") from error

"""A text without a case: a statement, a letter of solidarity. It names nobody, and others approve it like any other.

What was typed is on the page, first as a form and then beside its preview; nobody else sees it before others are asked.
"""

from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import alert_terms as terms
from node import alerts as alert_rules
from node.consents import ANONYMISED, MANDATE
from node.desk import approvals
from node.errors import RefusedError
from node.federation.protocol.messages import JsonObject
from node.web import desk, drafts
from node.web.desk import Session
from node.web.pages.desk import case_fields
from node.web.pages.desk.case_acts import Preview, previews
from node.web.pages.desk.case_edit import FormView, nothing, with_draft
from node.web.pages.desk.case_fields import Field
from node.web.pages.desk.case_lists import GRADES, TEXT
from node.web.site import site_of

KINDS = ("statement", "solidarity-letter", "open-letter")
_FORM = 256 * 1024
WRITE = (
    Field("audience", "choice", terms.AUDIENCES, "audience", required=True),
    Field("kind", "choice", KINDS, "kind", required=True),
    *TEXT,
    *GRADES,
    Field("nobody", "tick"),
)


async def form(request: Request) -> Response:
    """An empty text; who will see it is chosen first."""
    session = await desk.signed_in(request, act="write")
    if isinstance(session, Response):
        return session
    usual = {name: ("unknown",) for name in ("severity", "urgency", "certainty")}
    empty = nothing(WRITE, republish=("yes",), status=("actual",), endorsement_mode=("individual",), **usual)
    view = FormView("write", WRITE, empty, 0, "/desk", public=True)
    return _page(request, session, await with_draft(request, session, view))


async def take(request: Request) -> Response:
    """Show it as it will be read, or ask others to look at it."""
    session = await desk.signed_in(request, act="write", limit=_FORM)
    if isinstance(session, Response):
        return session
    if (later := await drafts.wants_keeping(request, session)) is not None:
        return later
    site, org, given = site_of(request), session.organisation, session.fields
    view = FormView("write", WRITE, case_fields.typed(given, WRITE), 0, "/desk", public=True)
    try:
        value = written(case_fields.read(given, WRITE))
        alert = alert_rules.parse_input(value)
        alert_rules.check_publishable(alert, site.clock(), approvals_exist=True, loopback=False)
        if given.one("ask") != "yes":
            return _page(request, session, view, seen=previews(alert, org, site.clock()))
        await site.database.write(partial(_ask, request, session, value))
    except RefusedError as error:
        return _page(request, session, view, problem=error.reasons)
    await drafts.drop(request, session)
    return desk.go(request, "/desk/approvals")


def written(read: JsonObject) -> JsonObject:
    """The alert as `parse_input` reads it.

    Raises:
        RefusedError: nobody said that it names nobody.
    """
    if not read["nobody"]:
        raise RefusedError("nobody: a text about somebody begins with a case, and with their consent")
    until = read["expires"].strftime("%Y-%m-%dT%H:%M:%SZ")
    named = {name: each for name, each in read.items() if each and name not in ("nobody", "expires")}
    level = ANONYMISED if read["audience"] == "everyone" else "network"
    consent = {"given_by": MANDATE, "how": "the organisation's own text", "level": level, "valid_until": until}
    subject = {"kind": "group", "publication_level": "collective"}
    lists = {"demands": list(read["demands"]), "drivers": list(read["drivers"])}
    more = {"expires": until, "republish": read["republish"], "consent": consent, "subjects": [subject]}
    return {**named, **lists, **more}


def _ask(request: Request, session: Session, value: JsonObject, connection: Connection) -> None:
    site, org = site_of(request), session.organisation
    approvals.ask(
        connection, org, site.keyring.organisation(org.did), session.person.id, value, site.clock(),
        spread=session.fields.one("spread") == "yes",
    )  # fmt: skip


def _page(
    request: Request, session: Session, view: FormView, *, problem: tuple[str, ...] = (),
    seen: tuple[Preview, ...] = (),
) -> Response:  # fmt: skip
    return desk.page(
        request, session, session.organisation, "desk/write.html", view=view, problem=problem, previews=seen,
        status=409 if problem else 200,
    )  # fmt: skip

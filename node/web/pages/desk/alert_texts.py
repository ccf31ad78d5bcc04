"""News of an alert that names nobody, and its changed text: written, looked at as it will be read, and asked about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import alert_terms as terms
from node import alerts as alert_rules
from node.alerts import PublicAlert
from node.desk import alert_life as acts
from node.desk import alert_texts as texts
from node.desk.sealed_alerts import SealedAlert
from node.errors import RefusedError
from node.federation.protocol.messages import JsonObject
from node.models import alerts as rows
from node.models import documents
from node.web import desk, drafts
from node.web.desk import Session
from node.web.pages.desk import alert_acts, alerts, case_fields
from node.web.pages.desk.case_acts import Preview, previews
from node.web.pages.desk.case_edit import FormView, nothing
from node.web.pages.desk.case_fields import Field
from node.web.pages.desk.case_lists import TEXT
from node.web.site import site_of

_FORM = 256 * 1024
_WORDS = tuple(each for each in TEXT if each.name != "language")
_GRADES = (
    Field("severity", "choice", terms.SEVERITIES, "severity"),
    Field("urgency", "choice", terms.URGENCIES, "urgency"),
    Field("certainty", "choice", terms.CERTAINTIES, "certainty"),
    Field("expires", "day", required=True),
    Field("nobody", "tick"),
)
FIELDS = (*_WORDS, *_GRADES)
_FORMS: Mapping[str, str] = MappingProxyType({acts.NEWS: "alert-news", acts.UPDATE: "alert-update"})


@dataclass(frozen=True, slots=True)
class Held:
    """The alert whose text is written anew."""

    note: PublicAlert
    translations: tuple[PublicAlert, ...]
    sealed: bool


async def form(request: Request) -> Response:
    """An empty form for news, the present text for a change."""
    session = await desk.signed_in(request, act="write")
    if isinstance(session, Response):
        return session
    held = await _held(request, session)
    if isinstance(held, Response):
        return held
    note = held.note
    grades = {name: (getattr(note, name),) for name in ("severity", "urgency", "certainty")}
    if request.path_params["act"] == acts.UPDATE:
        said = {
            "headline": (note.headline,), "narrative": (note.narrative,), "link_to_work": (note.link_to_work,),
            "demands": note.demands, "expires": (f"{note.expires:%Y-%m-%d}" if note.expires else "",),
        }  # fmt: skip
        return await _begun(request, session, held, nothing(FIELDS, **said, **grades))
    return await _begun(request, session, held, nothing(FIELDS, link_to_work=(note.link_to_work,), **grades))


async def _begun(request: Request, session: Session, held: Held, shown: case_fields.Shown) -> Response:
    """The form as it was left, or as it begins."""
    left = await drafts.kept(request, session)
    if left is None:
        return _page(request, session, held, shown)
    return _page(request, session, held, drafts.shown(left[0], shown), left=left[1])


async def take(request: Request) -> Response:
    """Show it as it will be read, or ask others to look at it."""
    session = await desk.signed_in(request, act="write", limit=_FORM)
    if isinstance(session, Response):
        return session
    if (later := await drafts.wants_keeping(request, session)) is not None:
        return later
    held = await _held(request, session)
    if isinstance(held, Response):
        return held
    site, given, act = site_of(request), session.fields, request.path_params["act"]
    shown = case_fields.typed(given, FIELDS)
    try:
        kept = replace(held, translations=()) if given.one("untranslated") == "yes" else held
        value = _value(act, kept, case_fields.read(given, FIELDS))
        alert = alert_rules.parse_input(value)
        alert_rules.check_publishable(alert, site.clock(), approvals_exist=True, loopback=False)
        if given.one("ask") != "yes":
            return _page(request, session, held, shown, seen=previews(alert, session.organisation, site.clock()))
        await desk.write(request, session, partial(_ask, request=request, session=session, value=value))
    except RefusedError as error:
        return _page(request, session, held, shown, problem=error.reasons)
    await drafts.drop(request, session)
    return desk.go(request, "/desk/approvals")


def _ask(connection: Connection, request: Request, session: Session, value: JsonObject) -> None:
    mine = alert_acts.author_of(request, session, connection)
    acts.ask_text(mine, request.path_params["page"], request.path_params["act"], value)


def _value(act: str, held: Held, read: JsonObject) -> JsonObject:
    if not read["nobody"]:
        raise RefusedError("nobody: a text about somebody begins with a case, and with their consent")
    written = {name: list(each) if isinstance(each, tuple) else each for name, each in read.items() if each}
    del written["nobody"]
    written["expires"] = f"{read['expires']:%Y-%m-%dT%H:%M:%SZ}"
    if act == acts.NEWS:
        return texts.news(held.note, written)
    return texts.changed(held.note, held.translations, written, sealed=held.sealed)


async def _held(request: Request, session: Session) -> Held | Response:
    act, name = request.path_params["act"], request.path_params["page"]

    def read(connection: Connection) -> Held:
        mine = alert_acts.author_of(request, session, connection)
        found = acts.find(mine, name)
        acts.check_free(mine, found)
        if isinstance(found, SealedAlert):
            notes = tuple(map(alert_rules.parse, found.notes))
            held = Held(notes[0], notes[1:], sealed=True)
        else:
            org = session.organisation.did
            family = (found, *rows.translations_of(connection, org, found.object_id))
            stored = (documents.stored(connection, org, each.object_id) for each in family)
            notes = tuple(alert_rules.parse(orjson.loads(each.raw)) for each in stored if each and each.raw)
            if not notes:
                raise RefusedError("the alert's text is not here any more")
            held = Held(notes[0], notes[1:], sealed=False)
        if act not in _FORMS or held.note.state == "closed" or (act == acts.NEWS and held.sealed):
            raise RefusedError("this cannot be done with this alert as it stands")
        texts.check_writable(held.note)
        return held

    try:
        return await site_of(request).database.read(read)
    except RefusedError as error:
        return desk.refused(request, session, error.reasons[0])


def _page(
    request: Request, session: Session, held: Held, shown: case_fields.Shown, *, problem: tuple[str, ...] = (),
    seen: tuple[Preview, ...] = (), left: datetime | None = None,
) -> Response:  # fmt: skip
    act = request.path_params["act"]
    back = f"{alerts.LIST}/{request.path_params['page']}"
    view = FormView(_FORMS[act], FIELDS, shown, 0, back, public=True, left=left)
    return desk.page(
        request, session, session.organisation, "desk/alert_text.html", view=view, problem=problem, previews=seen,
        held=held, untranslated=session.fields.one("untranslated") == "yes", status=409 if problem else 200,
    )  # fmt: skip

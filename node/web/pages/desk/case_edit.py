"""Writing in a case: one form for each part of it, and the words by which people allow or take back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.case_documents import Words
from node.desk import case_news, casework
from node.desk import cases as desk_cases
from node.desk.casework import Seat
from node.errors import RefusedError
from node.web import counter, desk, drafts
from node.web.desk import Session
from node.web.pages.desk import case_fields, case_forms, cases
from node.web.pages.desk.case_fields import Field, Shown
from node.web.pages.desk.case_forms import NEW, PARTS
from node.web.pages.desk.case_lists import ASK, CONSENT, TEXT
from node.web.site import site_of

NEWS = "news"
_FORM = 256 * 1024


@dataclass(frozen=True, slots=True)
class FormView:
    """One form, as it stands."""

    form: str
    """Its name: the heading and the words about who will see it."""
    fields: tuple[Field, ...]
    shown: Shown
    version: int
    back: str
    public: bool = False
    removable: bool = False
    voids: bool = False
    """Others are asked to look at the text: a change makes that void."""
    beside: Words | None = None
    """The text in the main language, to be read beside a translation."""
    left: datetime | None = None
    """What is shown was typed before and not handed in; to the hour when."""


async def new_form(request: Request) -> Response:
    """A case from scratch."""
    session = await desk.signed_in(request, act="cases")
    if isinstance(session, Response):
        return session
    view = FormView("case", ASK, nothing(ASK), 0, "/desk/cases")
    return _page(request, session, await with_draft(request, session, view))


async def take_new(request: Request) -> Response:
    """Open it."""
    session = await desk.signed_in(request, act="cases")
    if isinstance(session, Response):
        return session
    if (later := await drafts.wants_keeping(request, session)) is not None:
        return later
    language = counter.language_of(site_of(request), request, session.organisation)

    def work(connection: Connection, seat: Seat) -> str:
        asked = case_forms.asked(session.fields, language)
        return desk_cases.create(connection, seat.organisation.did, seat.room.recipient, asked, seat.now)

    done = await cases.attempt(request, session, work)
    if isinstance(done, RefusedError):
        typed = case_fields.typed(session.fields, ASK)
        return _page(request, session, FormView("case", ASK, typed, 0, "/desk/cases"), done)
    if isinstance(done, Response):
        return done
    await drafts.drop(request, session)
    return desk.go(request, f"/desk/cases/{done}/guide")


async def form(request: Request) -> Response:
    """One part of a case, to be written in."""
    session = await desk.signed_in(request, act="cases")
    return session if isinstance(session, Response) else await _show(request, session)


async def take(request: Request) -> Response:
    """Keep what was written in one part."""
    session = await desk.signed_in(request, act="cases", limit=_FORM)
    if isinstance(session, Response):
        return session
    if (later := await drafts.wants_keeping(request, session)) is not None:
        return later
    name, which = request.path_params["form"], request.path_params["which"]
    version, case_id = cases.version_of(session), request.path_params["case"]

    def work(connection: Connection, seat: Seat) -> None:
        case = casework.current(connection, seat, case_id).case
        if name == NEWS:
            text = Words(**case_fields.read(session.fields, TEXT))
            case_news.ask(connection, seat, case_id, version, text)
            return
        if name == "consent":
            changed = case_forms.consented(case, which, session.fields, seat.now)
        else:
            changed = case_forms.written(case, _known(name), which, session.fields, seat.now)
        casework.write(connection, seat, changed, version)

    done = await cases.attempt(request, session, work)
    if isinstance(done, RefusedError):
        return await _show(request, session, done)
    if isinstance(done, Response):
        return done
    await drafts.drop(request, session)
    return desk.go(request, _back(request))


async def change_consent(request: Request) -> Response:
    """A word was taken back, or a presumption was reviewed: it counts at once."""
    session = await desk.signed_in(request, act="cases")
    if isinstance(session, Response):
        return session
    case_id, given, version = request.path_params["case"], session.fields, cases.version_of(session)
    number = int(given.one("number")) if given.one("number").isdecimal() else -1

    def work(connection: Connection, seat: Seat) -> None:
        case = casework.current(connection, seat, case_id).case
        changed = case_forms.reconsented(case, number, given.one("change"), seat.now)
        casework.write(connection, seat, changed, version)

    done = await cases.attempt(request, session, work)
    if isinstance(done, RefusedError):
        return await cases.show(request, session, problem=done)
    return done if isinstance(done, Response) else desk.go(request, f"/desk/cases/{case_id}")


async def _show(request: Request, session: Session, problem: RefusedError | None = None) -> Response:
    name, which = request.path_params["form"], request.path_params["which"]

    def work(connection: Connection, seat: Seat) -> FormView:
        held = casework.current(connection, seat, request.path_params["case"])
        back, main = _back(request), held.case.texts[:1]
        waits = held.case.state in ("review", "embargo")
        if name == "consent":
            return FormView(name, CONSENT, nothing(CONSENT), held.version, back, voids=waits)
        if name == NEWS:
            given = {"language": (main[0].language,)} if main else {}
            return FormView(name, TEXT, nothing(TEXT, **given), held.version, back, public=True)
        part = PARTS[_known(name)]
        return FormView(
            name, part.fields, case_forms.shown(held.case, name, which), held.version, back, part.public,
            part.empty is not None and which != NEW, waits and part.public,
            main[0] if name == "text" and main and main[0].language != which else None,
        )  # fmt: skip

    found = await cases.attempt(request, session, work)
    if isinstance(found, RefusedError):
        return desk.refused(request, session, str(found), 404)
    if isinstance(found, Response):
        return found
    if problem is not None:
        typed = case_fields.typed(session.fields, found.fields)
        found = replace(found, shown=typed, version=cases.version_of(session))
    elif request.method == "GET":
        found = await with_draft(request, session, found)
    return _page(request, session, found, problem)


async def with_draft(request: Request, session: Session, view: FormView) -> FormView:
    """The form as this person left it, where they left it in the middle."""
    found = await drafts.kept(request, session)
    return view if found is None else replace(view, shown=drafts.shown(found[0], view.shown), left=found[1])


def _back(request: Request) -> str:
    """To the case, or to the guide that led here."""
    case = f"/desk/cases/{request.path_params['case']}"
    return f"{case}/guide" if request.scope["path"].startswith(f"{case}/guide/") else case


def _page(
    request: Request, session: Session, view: FormView, problem: RefusedError | None = None
) -> Response:
    return desk.page(
        request, session, session.organisation, "desk/case_form.html", view=view, problem=cases.reasons(problem),
        status=409 if problem else 200,
    )  # fmt: skip


def nothing(fields: tuple[Field, ...], **given: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """What an empty form shows, but for what is given."""
    return MappingProxyType({each.name: given.get(each.name, ()) for each in fields})


def _known(name: str) -> str:
    if name not in PARTS:
        raise RefusedError("no such form")
    return name

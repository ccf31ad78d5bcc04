"""Writing an alert step by step: what is done, the one thing to do now, and who will see what comes of it."""

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import case_guide as rules
from node.case_guide import GuideStep
from node.case_terms import step
from node.desk import casework
from node.desk.casework import Seat
from node.errors import RefusedError
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import cases
from node.web.pages.desk.cases import ActView

PRESSED = ("take", "accept", "verify", "consent", "renew", *rules.AUDIENCES)
"""Acts that the guide does at one press; asking for approval has a page of its own."""


@dataclass(frozen=True, slots=True)
class GuideView:
    """A case on its way."""

    path: str
    title: str
    language: str
    state: str
    strategy: str
    version: int
    steps: tuple[GuideStep, ...]
    following: GuideStep | None
    acts: tuple[ActView, ...]
    """Those of the step that follows, with what is missing for each."""


async def one(request: Request) -> Response:
    """Where the case stands on its way to an alert."""
    session = await desk.signed_in(request, act="cases")
    return session if isinstance(session, Response) else await _show(request, session)


async def act(request: Request) -> Response:
    """Do what follows, where it takes one press."""
    session = await desk.signed_in(request, act="cases")
    if isinstance(session, Response):
        return session
    name, wanted, version = request.path_params["case"], session.fields.one("act"), cases.version_of(session)

    def work(connection: Connection, seat: Seat) -> None:
        found = rules.following(casework.current(connection, seat, name).case)
        if found is None or wanted not in found.acts or wanted not in PRESSED:
            raise RefusedError("there is no such act in this state")
        done = casework.act(connection, seat, name, version, wanted)
        if wanted == "take":
            casework.act(connection, seat, name, done.opened.version, "accept")

    done = await cases.attempt(request, session, work)
    if isinstance(done, RefusedError):
        return await _show(request, session, done)
    return done if isinstance(done, Response) else desk.go(request, f"/desk/cases/{name}/guide")


async def _show(request: Request, session: Session, problem: RefusedError | None = None) -> Response:
    name = request.path_params["case"]

    def work(connection: Connection, seat: Seat) -> GuideView:
        held = casework.current(connection, seat, name)
        following = rules.following(held.case)
        lines = [step(held.case.state, each) for each in (following.acts if following is not None else ())]
        return GuideView(
            f"/desk/cases/{name}", cases.title_of(held.case),
            held.case.texts[0].language if held.case.texts else held.case.ask.language, held.case.state,
            held.case.strategy, held.version, rules.steps(held.case), following,
            tuple(cases.act_of(held.case, line, seat) for line in lines if line is not None),
        )  # fmt: skip

    found = await cases.attempt(request, session, work)
    if isinstance(found, RefusedError):
        return desk.refused(request, session, str(found), 404)
    if isinstance(found, Response):
        return found
    return desk.page(
        request, session, session.organisation, "desk/guide.html", view=found, problem=cases.reasons(problem),
        pressed=PRESSED, status=409 if problem else 200,
    )  # fmt: skip

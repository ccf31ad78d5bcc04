"""Asking to join a network: a form without an account, the names of those who read it, a number, and the answer to it.

How things are handed in and numbers are heard: `web/counter`, at a door of its own. The form is there where a network
is shown and its form was switched on; the answer can be read as long as it is kept, also when the form is gone. The
pages are in no copy of the site, in no cache and in no index.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import joinings as rules
from node import receipts
from node.desk import joinings as desk
from node.desk import networks
from node.desk.networks import Desk
from node.errors import ProtocolError, RefusedError
from node.governance import MEMBER_KINDS
from node.joinings import Answer, Asking
from node.models import fronts
from node.models.joinings import Joining
from node.models.networks import find, state_of
from node.models.organisations import Organisation
from node.moments import hour_of
from node.receipts import Opening, Receipt
from node.web import counter
from node.web.pages import public
from node.web.site import Site, is_veiled, site_of


@dataclass(frozen=True, slots=True)
class DoorView:
    """The form, or what came of it."""

    names: Mapping[str, str]
    readers: tuple[str, ...]
    """Names of those who read it; none: it is closed."""
    until: datetime
    bounds: Mapping[str, int] = field(default_factory=lambda: rules.BOUNDS)
    needed: tuple[str, ...] = rules.NEEDED
    kinds: tuple[str, ...] = MEMBER_KINDS
    problem: int = 0
    wrong: tuple[str, ...] = ()
    """Fields that were not taken."""
    said: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    number: str = ""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a number opened."""

    problem: int = 0
    opened: bool = False
    due: datetime | None = None
    deletes: datetime | None = None
    answer: Answer | None = None
    words: str = ""
    """Six of whoever invites, to be compared by voice."""


async def door_form(request: Request) -> Response:
    """The page with the form."""
    site, organisation, view = await _open(request)
    if organisation is None or view is None:
        return public.missing_page(site, request, organisation, 404)
    return counter.show(request, organisation, "join/index.html", nav="members", door=view)


async def take_asking(request: Request) -> Response:
    """Seal what was written, give it to the sponsors, and show the number once."""
    site, organisation, view = await _open(request)
    if organisation is None or view is None:
        return public.missing_page(site, request, organisation, 404)
    if not view.readers:
        return counter.show(request, organisation, "join/index.html", 503, "members", door=view)
    fields: dict[str, str] = {}
    changes: dict[str, object] = {}
    status, template = 200, "join/receipt.html"
    try:
        async with site.doorstep.requests.place(site.clock()):
            fields = await counter.fields_of(request)
            asking = rules.parse_form(fields, counter.language_of(site, request, organisation))
            async with site.doorstep.requests.turn():
                receipt = await counter.new_receipt(site, organisation)
            await site.database.write(partial(_keep, site, organisation, asking, receipt))
        changes = {"number": receipts.shown(receipt.number)}
    except RefusedError as error:
        wrong = tuple(name for each in error.reasons if (name := each.partition(":")[0]) in {*rules.BOUNDS, "kind"})
        status, template = 422 if wrong else 503, "join/index.html"
        changes = {"problem": status, "wrong": wrong, "said": MappingProxyType(fields)}
    except ProtocolError as error:
        status, template = error.status, "join/index.html"
        changes = {"problem": status, "said": MappingProxyType(fields)}
    made = DoorView(view.names, view.readers, view.until, **changes)  # type: ignore[arg-type]
    return counter.show(request, organisation, template, status, "members", door=made)


async def answer_form(request: Request) -> Response:
    """The page that asks for the number."""
    site = site_of(request)
    organisation = None if site.copied is not None else await site.organisation(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    return counter.show(request, organisation, "join/answer.html", nav="members", answer=AnswerView())


async def take_number(request: Request) -> Response:
    """Open the answer."""
    site = site_of(request)
    organisation = None if site.copied is not None else await site.organisation(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        async with site.doorstep.answers.place(site.clock()):
            fields = await counter.fields_of(request)
            number = receipts.parse(fields.get("number", ""))
            async with site.doorstep.answers.turn():
                view = await _answer(site, organisation, number)
    except ProtocolError as error:
        view = AnswerView(problem=error.status)
        return counter.show(request, organisation, "join/answer.html", error.status, "members", answer=view)
    return counter.show(request, organisation, "join/answer.html", nav="members", answer=view)


async def _answer(site: Site, organisation: Organisation, number: str) -> AnswerView:
    opening = await counter.opening_of(site, site.doorstep, organisation, number)
    try:
        row, answer = await site.database.read(partial(_read, organisation.did, opening))
    except ProtocolError:
        site.doorstep.patience.wrong(site.clock())
        raise
    words = networks.six_words(row.by) if answer is not None and answer.sheet else ""
    return AnswerView(opened=True, due=row.due, deletes=row.deletes, answer=answer, words=words)


def _read(org: str, opening: Opening, connection: Connection) -> tuple[Joining, Answer | None]:
    return desk.read_answer(connection, org, opening)


def _keep(site: Site, organisation: Organisation, asking: Asking, receipt: Receipt, connection: Connection) -> None:
    key = site.keyring.organisation(organisation.did)
    desk.ask(Desk(connection, organisation, key, site.clock()), asking, receipt)


async def _open(request: Request) -> tuple[Site, Organisation | None, DoorView | None]:
    """The site, whose page it is, and the form; no form in a copy, or before it is known what was taken back."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None or site.copied is not None or await is_veiled(site):
        return site, organisation, None
    return site, organisation, await site.database.read(partial(_view, site, organisation))


def _view(site: Site, organisation: Organisation, connection: Connection) -> DoorView | None:
    front = fronts.current(connection, organisation.did)
    joined = find(connection, organisation.did, front.network) if front is not None else None
    if front is None or joined is None or not front.form:
        return None
    state = state_of(connection, organisation.did, front.network)
    readers = desk.door(connection, organisation, state, front)
    until = hour_of(site.clock()) + rules.ANSWERED_WITHIN
    return DoorView(joined.names, tuple(each.name for each in readers), until)

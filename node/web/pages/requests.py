"""The confidential request: a form without an account, a number on paper, and the place where the number opens answers.

How things are handed in and numbers are heard: `web/counter`. The pages are in no copy of the site, in no cache and in
no index.
"""

from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import receipts
from node.cases import Ask
from node.desk import requests as desk
from node.errors import ProtocolError, RefusedError
from node.models.organisations import Organisation
from node.receipts import Opening, Receipt
from node.web import counter
from node.web.counter import show
from node.web.pages import public
from node.web.site import Site, site_of
from node.web.views import RequestView, ThreadView


async def request_form(request: Request) -> Response:
    """The page with the form, or with other ways where nobody could read what is written."""
    site, organisation = await _open(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    room = await _room(site, organisation)
    return show(request, organisation, "requests/index.html", asked=RequestView(open=room is not None))


async def take_request(request: Request) -> Response:
    """Seal what was written, and show the number once."""
    site, organisation = await _open(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    room = await _room(site, organisation)
    if room is None:
        return show(request, organisation, "requests/index.html", 503, asked=RequestView(open=False))
    fields: dict[str, str] = {}
    try:
        async with site.counter.requests.place(site.clock()):
            fields = await counter.fields_of(request)
            ask = desk.parse_ask(fields, counter.language_of(site, request, organisation))
            async with site.counter.requests.turn():
                receipt = await counter.new_receipt(site, organisation)
            keep = partial(_keep, organisation.did, room, ask, receipt, site)
            await site.database.write(keep)
    except RefusedError as error:
        wrong = tuple(each.partition(":")[0] for each in error.reasons)
        view = RequestView(open=True, problem=422, fields=wrong, said=MappingProxyType(fields))
        return show(request, organisation, "requests/index.html", 422, asked=view)
    except ProtocolError as error:
        view = RequestView(open=True, problem=error.status)
        return show(request, organisation, "requests/index.html", error.status, asked=view)
    view = RequestView(open=True, number=receipts.shown(receipt.number), imminent=ask.imminent)
    return show(request, organisation, "requests/receipt.html", asked=view)


async def answer_form(request: Request) -> Response:
    """The page that asks for the number."""
    site, organisation = await _open(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    return show(request, organisation, "requests/answer.html", thread=ThreadView())


async def take_number(request: Request) -> Response:
    """Open the answers, and take more words in."""
    site, organisation = await _open(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        async with site.counter.answers.place(site.clock()):
            fields = await counter.fields_of(request)
            number = receipts.parse(fields.get("number", ""))
            async with site.counter.answers.turn():
                view = await _thread(site, organisation, number, fields.get("words", ""))
    except ProtocolError as error:
        view = ThreadView(problem=error.status)
        return show(request, organisation, "requests/answer.html", error.status, thread=view)
    return show(request, organisation, "requests/answer.html", thread=view)


async def _thread(site: Site, organisation: Organisation, number: str, more: str) -> ThreadView:
    opening = await counter.opening_of(site, site.counter, organisation, number)
    try:
        case, words = await site.database.read(partial(_answers, organisation.did, opening))
    except ProtocolError:
        site.counter.patience.wrong(site.clock())
        raise
    answers = tuple((each.hour, each.text) for each in words)
    if not more.strip():
        return ThreadView(opened=True, answers=answers)
    try:
        await site.database.write(partial(_add, site, organisation.did, case, more))
    except RefusedError:
        return ThreadView(opened=True, answers=answers, refused=True)
    return ThreadView(opened=True, answers=answers, added=True)


def _answers(org: str, opening: Opening, connection: Connection) -> tuple[str, tuple[desk.Word, ...]]:
    return desk.read_answers(connection, org, opening)


def _add(site: Site, org: str, case: str, text: str, connection: Connection) -> None:
    room = site.case_room(connection, org)
    if room is None:
        raise RefusedError("nobody could read it")
    desk.add_words(connection, org, room, case, text, site.clock())


def _keep(org: str, room: str, ask: Ask, receipt: Receipt, site: Site, connection: Connection) -> None:
    desk.open_request(connection, org, room, ask, receipt, site.clock())


async def _open(request: Request) -> tuple[Site, Organisation | None]:
    """The site and whose page it is; nobody's where it or the operator took it away, or in a copy."""
    site = site_of(request)
    if not site.settings.requests or site.copied is not None:
        return site, None
    organisation = await site.organisation(request)
    return site, organisation if organisation is not None and organisation.requests else None


async def _room(site: Site, organisation: Organisation) -> str | None:
    return await site.database.read(lambda connection: site.case_room(connection, organisation.did))

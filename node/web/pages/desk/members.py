"""The organisations that are pinned here, at the desk: who they are, how they stand with us, and whom we believe.

Everybody whose role counts reads it. Coordinators pin, freeze, unfreeze and remove, with a fresh second factor. To pin
takes two presses: the first fetches and shows the six words, the second says that they were compared by voice.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import recovery
from node.desk import approvals, members, standing, trust
from node.desk.standing import Line, Standing
from node.errors import NodeError, RefusedError
from node.models import approvals as words
from node.models import contacts, deletes
from node.models.contacts import MEMBER, Member
from node.web import desk
from node.web.desk import Session
from node.web.pages.desk import acting
from node.web.site import site_of

_PAGE = "/desk/members"
_SPEAKING = "no role of yours counts yet: a coordinator must confirm you"


async def index(request: Request) -> Response:
    """Everybody who is or was pinned, and the form to pin another."""
    session = await _reader(request)
    return session if isinstance(session, Response) else await _index(request, session)


async def take(request: Request) -> Response:
    """Look somebody up, pin who was looked up, or change how trust is counted."""
    session = await desk.signed_in(request, act="trust", fresh_factor=True)
    if isinstance(session, Response):
        return session
    fields = session.fields
    try:
        match fields.one("do"):
            case "look":
                return await _found(request, session, await _look_up(request, session))
            case "pin":
                await _pin(request, session)
            case "quorum":
                await _quorum(request, session)
            case "standbys":
                now, organisation = site_of(request).clock(), session.organisation
                named, person = fields.all("did"), session.person
                await desk.write(
                    request, session,
                    lambda connection: approvals.name_standbys(connection, organisation, named, now, by=person),
                )  # fmt: skip
            case _:
                raise RefusedError("nothing of this kind can be done here")
    except NodeError as error:
        return await _index(request, session, problem=acting.reason_of(error))
    return desk.go(request, _PAGE)


async def one(request: Request) -> Response:
    """One member, with the words to compare and what can be done about it."""
    session = await _reader(request)
    return session if isinstance(session, Response) else await _one(request, session)


async def act(request: Request) -> Response:
    """Freeze, unfreeze, remove a member; give the second word that its Deletes wait for."""
    session = await desk.signed_in(request, act="trust", fresh_factor=True)
    if isinstance(session, Response):
        return session
    did, do = request.path_params["did"], session.fields.one("do")
    try:
        work = _work(request, session, did)
        await acting.do(request, session, "trust", f"trust.{do}", did, work)
    except RefusedError as error:
        return await _one(request, session, problem=acting.reason_of(error))
    return desk.go(request, f"{_PAGE}/{did}")


def _work(request: Request, session: Session, did: str) -> Callable[[Connection], object]:
    """What one button of a member's page does.

    Raises:
        RefusedError: it was not ticked that it is meant, or there is no such button.
    """
    fields, organisation, now = session.fields, session.organisation, site_of(request).clock()
    key, do = site_of(request).keyring.organisation(organisation.did), fields.one("do")
    if not fields.one("sure"):
        raise RefusedError("tick that you mean it")
    if do == "freeze":
        after, tell = _number(fields.one("after")), bool(fields.one("tell"))
        return lambda connection: trust.freeze_and_tell(connection, organisation, key, did, after, now, tell=tell)
    plain: dict[str, Callable[[Connection], object]] = {
        "unfreeze": lambda connection: trust.unfreeze(connection, organisation, key, did, now),
        "confirm": lambda connection: trust.confirm_deletes(connection, organisation, key, did, None, now),
        "remove": lambda connection: members.remove(connection, organisation, did),
    }
    if do not in plain:
        raise RefusedError("nothing of this kind can be done here")
    return plain[do]


async def _reader(request: Request) -> Session | Response:
    session = await desk.signed_in(request)
    if isinstance(session, Response) or session.person.counting:
        return session
    return desk.refused(request, session, _SPEAKING, 403)


async def _look_up(request: Request, session: Session, did: str | None = None) -> Member:
    site, name = site_of(request), session.fields.one("name")[:500]
    if not name:
        raise RefusedError("write a handle, such as @alerts@host, or an address")
    return await acting.call(members.look_up(site.discovery, session.organisation, name, did, site.clock()))


async def _pin(request: Request, session: Session) -> None:
    """What was compared is the did; it is looked up anew, for what a form brings is nobody's word."""
    fields, organisation = session.fields, session.organisation
    if not fields.one("compared"):
        raise RefusedError("compare the six words by voice first, and tick that you did")
    member = await _look_up(request, session, fields.one("did"))
    await acting.do(
        request, session, "trust", "trust.pin", member.did,
        lambda connection: members.pin(connection, organisation, member),
    )  # fmt: skip
    await site_of(request).inbox.refresh()


async def _quorum(request: Request, session: Session) -> None:
    organisation, number = session.organisation, _number(session.fields.one("quorum"))
    await acting.do(
        request, session, "trust", "trust.quorum", organisation.did,
        lambda connection: trust.set_quorum(connection, organisation, number),
    )  # fmt: skip


def _number(text: str) -> int:
    """A whole number as it was typed, in Latin, Arabic or Persian digits.

    Raises:
        RefusedError: none.
    """
    if not text.isdecimal() or len(text) > 15:
        raise RefusedError("write a whole number")
    return int(text)


async def _found(request: Request, session: Session, member: Member) -> Response:
    """Who was fetched, not pinned yet."""
    org = session.organisation.did
    known = await site_of(request).database.read(lambda connection: contacts.member(connection, org, member.did))
    six, numbers = await asyncio.to_thread(recovery.spoken, member.did)
    return desk.page(
        request, session, session.organisation, "desk/member_found.html", member=member, six=" ".join(six),
        digits=" ".join(numbers), asked=session.fields.one("name"), known=known is not None and known.state == MEMBER,
    )  # fmt: skip


async def _index(request: Request, session: Session, *, problem: str = "") -> Response:
    site, organisation = site_of(request), session.organisation

    def read(connection: Connection) -> dict[str, Any]:
        return {
            "standings": standing.all_of(connection, organisation, site.clock(), _silent(request)),
            "standbys": words.standbys_of(connection, organisation.did),
            "own_waiting": deletes.waiting(connection, organisation.did).get(organisation.did, 0),
        }

    shown = await site.database.read(read)
    return desk.page(
        request, session, organisation, "desk/members.html", status=409 if problem else 200, problem=problem,
        may_act=session.person.may("trust"), fresh=acting.is_fresh(request, session), quorum=organisation.quorum,
        typed=session.fields, most_standbys=words.MOST_STANDBYS, most_quorum=trust.MAX_QUORUM, **shown,
    )  # fmt: skip


async def _one(request: Request, session: Session, *, problem: str = "") -> Response:
    site, organisation, did = site_of(request), session.organisation, request.path_params["did"]

    def read(connection: Connection) -> tuple[Standing, tuple[Line, ...]]:
        found = standing.one(connection, organisation, did, site.clock(), _silent(request))
        return found, standing.newest(connection, organisation, did)

    try:
        found, newest = await site.database.read(read)
    except RefusedError:
        return desk.refused(request, session, "no such member here", 404)
    six, numbers = await asyncio.to_thread(recovery.spoken, did)
    return desk.page(
        request, session, organisation, "desk/member.html", status=409 if problem else 200, problem=problem, it=found,
        newest=newest, six=" ".join(six), digits=" ".join(numbers), may_act=session.person.may("trust"),
        fresh=acting.is_fresh(request, session), typed=session.fields, quorum=organisation.quorum,
    )  # fmt: skip


def _silent(request: Request) -> timedelta:
    return timedelta(seconds=site_of(request).settings.dead_after)

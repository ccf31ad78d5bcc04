"""How the office pages of the desk act: noted in the audit trail, outside calls with an end, reasons in one line."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from node import people as rules
from node.errors import FetchError, NodeError, ProtocolError, RefusedError
from node.models import audit
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of

T = TypeVar("T")
_LONGEST_CALL = 30.0


def is_fresh(request: Request, session: Session) -> bool:
    """Whether the forms of this page would be taken: else the page says first that a second factor is wanted."""
    return rules.is_fresh(session.second_factor, site_of(request).clock())


async def do(
    request: Request, session: Session, duty: str, act: str, subject: str, work: Callable[[Connection], T]
) -> T:
    """Do what a form asks and write down that it was done, in one transaction.

    Args:
        duty: the act of `people.DUTIES` by which they may.
        act: an act of `audit.ACTS`.
        subject: the id of what it is done to.

    Raises:
        RefusedError: a rule says no, or the session changed meanwhile.
    """
    person, now = session.person, site_of(request).clock()

    def done(connection: Connection) -> T:
        found = work(connection)
        audit.append(connection, person.org, act, subject, now, person=person.id, role=person.role_for(duty))
        return found

    return await desk.write(request, session, done)


async def call(work: Awaitable[T], seconds: float = _LONGEST_CALL) -> T:
    """Wait for what calls another server: somebody sits in front of the page.

    Raises:
        NodeError: what the work raises; a `RefusedError` where it took too long.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise RefusedError("the other server did not answer in time: try again later") from error


def reason_of(error: NodeError) -> str:
    """One line for the page: of the catalogue, but for what breaks a standard."""
    if isinstance(error, RefusedError):
        return "; ".join(error.reasons)
    if isinstance(error, FetchError):
        gone = error.status in (404, 410)
        return "the other server knows nobody of this name" if gone else "the other server could not be reached"
    return str(error) if isinstance(error, ProtocolError) else error.args[0]

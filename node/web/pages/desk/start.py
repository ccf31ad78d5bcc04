"""The first days of an organisation: what is still to be done before it can be relied on, each with its way there."""

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import people as rules
from node.alert_terms import HELD_STATUSES
from node.models import alerts, approvals, contacts, networks, people
from node.people import Person
from node.web import desk
from node.web.site import site_of

ADMINISTRATORS, APPROVERS = 2, 2
_ASKED = ("waiting", "ready", "published")


@dataclass(frozen=True, slots=True)
class Start:
    """How far an organisation is."""

    administrators: int
    """People who run it, invited ones with them."""
    approvers: int
    joined: bool
    """It is in a network, or has pinned somebody."""
    spoke: bool
    """An alert was written, an exercise as well."""

    @property
    def left(self) -> int:
        """How many steps are to be done."""
        done = (self.administrators >= ADMINISTRATORS, self.approvers >= APPROVERS, self.joined, self.spoke)
        return done.count(False)


async def index(request: Request) -> Response:
    """The list, with the forms to invite whoever is missing."""
    session = await desk.signed_in(request, act="people")
    if isinstance(session, Response):
        return session
    org = session.organisation.did
    found = await site_of(request).database.read(lambda connection: start_of(connection, org))
    return desk.page(
        request, session, session.organisation, "desk/start.html", start=found, administrators=ADMINISTRATORS,
        approvers=APPROVERS,
    )  # fmt: skip


def start_of(connection: Connection, org: str) -> Start:
    """How far an organisation is."""
    here = [each for each in people.all_of(connection, org) if each.state != rules.DISABLED]
    return Start(
        administrators=_count(here, rules.ADMINISTRATOR), approvers=_count(here, rules.APPROVER),
        joined=bool(networks.all_of(connection, org) or contacts.members_of(connection, org)),
        spoke=any(each.did == org for each in alerts.newest(connection, org, statuses=HELD_STATUSES))
        or bool(approvals.of_state(connection, org, *_ASKED)),
    )  # fmt: skip


def _count(here: list[Person], role: str) -> int:
    return sum(role in each.roles for each in here)

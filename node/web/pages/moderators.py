"""The page for moderators of other servers: who speaks from this one, what is sent, how to report and to block it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import __version__
from node.models import alerts, boosts, organisations
from node.models.organisations import Organisation
from node.web.pages.public import missing_page, show
from node.web.site import site_of
from node.web.views import PressView

_LATELY = timedelta(days=30)
_MOST = 200
"""Alerts that are counted: what is more is told as so many."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account that other servers meet."""

    address: str
    """`@handle@host`; empty for the actor that only fetches."""
    kind: str
    """organisation, group, alerts or fetcher: the words for it stand in the catalogue."""
    type: str
    """As its document says."""
    key: str
    """The id of the key that its requests are signed with."""


@dataclass(frozen=True, slots=True)
class ModeratorsView:
    """What moderators ask first."""

    contact: str
    mail: str
    """The contact, where it is an address for e-mail."""
    press: bool
    """There is a contact for the press at least."""
    accounts: tuple[Account, ...]
    lately: int
    """Alerts of this organisation within thirty days."""
    agent: str
    """How our requests call themselves."""
    host: str


async def index(request: Request) -> Response:
    """The page; nothing on it is a secret, and all of it can be had from documents too."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)

    def read(connection: Connection) -> ModeratorsView:
        contact = organisation.moderators_contact or site.settings.contact
        return ModeratorsView(
            contact, PressView(contact).mail, bool(organisation.press_contact), _accounts(connection, organisation),
            _lately(connection, organisation, site.clock()), f"tadamun/{__version__}", organisation.host,
        )  # fmt: skip

    view = await site.database.read(read)
    return show(site, request, organisation, "moderators/index.html", "", moderators=view)


def _accounts(connection: Connection, organisation: Organisation) -> tuple[Account, ...]:
    here = [each for each in organisations.all_of(connection) if each.host == organisation.host and not each.successor]
    own = (
        Account(each.address, "group", "Group", each.uri + "#main-key")
        if each.kind == organisations.GROUP
        else Account(each.address, "organisation", "Organization", each.uri + "#main-key")
        for each in here
    )
    voices = (each for _, each in boosts.voices(connection) if each.origin == organisation.origin)
    passing = (
        Account(f"@{each.handle}@{organisation.host}", "alerts", "Service", each.uri + "#main-key") for each in voices
    )
    fetcher = Account("", "fetcher", "Application", f"{organisation.origin}/actor#main-key")
    return (*own, *passing, fetcher)


def _lately(connection: Connection, organisation: Organisation, now: datetime) -> int:
    found = alerts.newest(connection, organisation.did, author=organisation.actor, limit=_MOST)
    return sum(each.published >= now - _LATELY for each in found)

"""The page for journalists: whom to ask, how to check an alert, what not to print, and where the feeds are."""

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.models import alerts
from node.web.pages.public import SITE_FEEDS, Cards, missing_page, show
from node.web.site import site_of
from node.web.views import PressView

_SHOWN = 5


async def index(request: Request) -> Response:
    """The page; the contact only where the organisation gives one."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)

    def read(connection: Connection) -> PressView:
        cards = Cards(connection, organisation, site.clock())
        newest = alerts.newest(connection, organisation.did, limit=_SHOWN)
        return PressView(
            contact=organisation.press_contact,
            language=organisation.language,
            alerts=tuple(cards.card(record) for record in newest),
            languages=site.languages.available if site.copied is None else site.languages.whole,
        )

    view = await site.database.read(read)
    return show(site, request, organisation, "press/index.html", "", feeds=SITE_FEEDS, press=view)

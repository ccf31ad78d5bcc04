"""What the network said, by day; filtered by sort, and paged by path."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk import timeline
from node.desk.timeline import Item
from node.people import NETWORK
from node.web import desk
from node.web.pages.public import missing_page
from node.web.site import site_of

PAGE = "/desk/timeline"
_ON_ONE = 40


@dataclass(frozen=True, slots=True)
class Day:
    """What was said on one day."""

    day: date
    items: tuple[Item, ...]


async def index(request: Request) -> Response:
    """One page of it."""
    session = await desk.signed_in(request)
    if isinstance(session, Response):
        return session
    site, sort = site_of(request), request.path_params.get("sort", "")
    number = request.path_params.get("number", 1)
    secrets = session.secrets.get(NETWORK, ())

    def read(connection: Connection) -> tuple[Item, ...]:
        return timeline.items(connection, session.organisation, secrets, sort)

    found = await site.database.read(read)
    shown = found[(number - 1) * _ON_ONE : number * _ON_ONE]
    if (sort and sort not in timeline.SORTS) or (number != 1 and not shown):
        return desk.inert(missing_page(site, request, session.organisation, 404))
    days = groupby(shown, key=lambda item: item.moment.date())
    base = f"{PAGE}/{sort}" if sort else PAGE
    return desk.page(
        request, session, session.organisation, "desk/timeline.html", sort=sort, sorts=timeline.SORTS,
        days=[Day(day, tuple(items)) for day, items in days], opens=NETWORK in session.secrets,
        newer=_path(base, number - 1) if number > 1 else "",
        older=_path(base, number + 1) if len(found) > number * _ON_ONE else "",
    )  # fmt: skip


def _path(base: str, number: int) -> str:
    return base if number == 1 else f"{base}/page/{number}"

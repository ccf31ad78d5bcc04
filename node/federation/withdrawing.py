"""Withdrawals first: whoever catches up asks what was taken back before it pulls a single text.

A text and what takes it back may stand pages apart in one log, or in two members' logs where custodians spoke. So what
withdraws is asked for by itself, and heeded; the entries come again in their turn and take their places.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from node.errors import FetchError
from node.federation import commit, pages, receipts
from node.federation.discovery import Discovery
from node.federation.protocol import ids
from node.federation.protocol.messages import MAX_PAGE
from node.federation.protocol.replicas import Head, Header
from node.federation.protocol.verification import Verified
from node.kinds import Surroundings
from node.models.base import Database
from node.models.organisations import Organisation
from node.models.views import View

_MAX_PAGES = 200


class Withdrawing:
    """Asks members for what was withdrawn."""

    def __init__(self, database: Database, discovery: Discovery, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._discovery = discovery
        self._clock = clock

    async def ask(self, organisation: Organisation, ahead: Mapping[str, Head | None], origin: str) -> None:
        """Heed what these logs withdraw beyond what we hold of them, as one member has it.

        Args:
            ahead: did → where our copy ends.

        Raises:
            FetchError, ProtocolError: it does not answer, or not as it should; an older node's 404 is no fault.
        """
        for did, ours in ahead.items():
            epoch, start = (ours.epoch, ours.sequence + 1) if ours else (1, 1)
            for _ in range(_MAX_PAGES):
                last = await self._page(organisation, did, (epoch, start), origin)
                if last is None or last < (epoch, start):
                    break
                epoch, start = last[0], last[1] + 1

    async def _page(
        self, organisation: Organisation, did: str, start: tuple[int, int], origin: str
    ) -> tuple[int, int] | None:
        """Heed one page; returns the place of its last entry."""
        url = ids.Portable(did, f"/withdrawals/{start[0]}/{start[1]}").at(origin)
        try:
            page = await self._discovery.fetcher.get(
                url, accept=pages.LINES, content_types=pages.is_lines, signer=self._discovery.sign, limit=MAX_PAGE
            )
        except FetchError as error:
            if error.status in (404, 410):
                return None
            raise
        items, _ = await asyncio.get_running_loop().run_in_executor(None, pages.verify_page, page.body, did)
        return await self.heed(organisation, items, ids.host_of(origin + "/"))

    async def heed(
        self, organisation: Organisation, items: Sequence[Verified | Header], via: str
    ) -> tuple[int, int] | None:
        """Heed what verified entries withdraw; returns the place of the last that does."""
        found = [item for item in items if isinstance(item, Verified) and item.activity.type in receipts.TYPES]
        around = Surroundings(self._clock(), via)

        def write(connection: Connection) -> None:
            view = View(connection, organisation)
            for item in found:
                commit.foretell(view, item, around)
            view.flush()

        if found:
            await self._database.write(write)
        places = [item.activity.position.order for item in found if item.activity.position is not None]
        return max(places, default=None)

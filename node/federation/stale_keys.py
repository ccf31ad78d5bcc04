"""A key that did not fit is asked for again: its owner may have another by now, or somebody tries it on."""

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

from node import log
from node.errors import NodeError
from node.federation.discovery import Discovery
from node.federation.protocol import ids
from node.federation.protocol.keys import PublicKey
from node.models import documents
from node.models.base import Database

_EVERY = timedelta(minutes=10)
_SEEN = 20_000
"""Keys whose last refresh is remembered."""


class StaleKeys:
    """At most one refresh of a key in ten minutes, whoever asks for it how often; the peer tries again by itself."""

    def __init__(self, database: Database, discovery: Discovery, fetching: asyncio.Semaphore) -> None:
        """`fetching`: how many may be under way at once, with whatever else is fetched."""
        self._database = database
        self._discovery = discovery
        self._fetching = fetching
        self._last: OrderedDict[str, datetime] = OrderedDict()

    def is_due(self, key: PublicKey, now: datetime) -> bool:
        """Whether it may be refreshed; if so, it is taken for refreshed."""
        last = self._last.get(key.id)
        if last is not None and now - last < _EVERY:
            return False
        self._last[key.id] = now
        if len(self._last) > _SEEN:
            self._last.popitem(last=False)
        return True

    async def refresh(self, key: PublicKey, key_id: str) -> None:
        """A portable key is asked for where its actor lives, not where a request with a bad signature says."""
        async with self._fetching:
            try:
                if ids.portable(key.id) is None:
                    await self._discovery.refresh_key(key_id)
                else:
                    await self._discovery.actor(await self._place_of(key.owner), fresh=True)
            except NodeError as error:
                log.info("key.refresh_failed", reason=error)

    async def _place_of(self, actor_id: str) -> str:
        held = await self._database.read(lambda connection: documents.actor(connection, actor_id))
        return held.uri if held else actor_id

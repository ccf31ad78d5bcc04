"""The search is filled: after an upgrade, a restore, or when its rules have changed, and by 'tadamun rebuild'.

An object's row is written and removed with the object; what lies here from before has none, or one of other rules.
"""

import asyncio
from functools import partial

import orjson
from sqlalchemy import Connection

from node.models import documents, organisations, search
from node.models.base import Database

_BATCH = 50


def fill(connection: Connection, org: str, after: str = "", most: int = _BATCH) -> tuple[str, int]:
    """Make some of the rows that are lacking; returns where to go on (empty when all are made) and how many were."""
    found = documents.to_be_searched(connection, org, after, most)
    made = sum(
        search.note(connection, org, each.id, each.type, each.author, orjson.loads(each.raw or b"{}"))
        for each in found
    )
    return (found[-1].id if len(found) == most else ""), made


def fill_all(connection: Connection, org: str) -> int:
    """Make every row anew; returns how many there are."""
    search.drop_all(connection, org)
    after, total = fill(connection, org)
    while after:
        after, made = fill(connection, org, after)
        total += made
    return total


class Indexer:
    """Fills what is lacking when a node starts, in small transactions; everything after that is written as it comes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Until cancelled."""
        for each in await self._database.read(organisations.all_of):
            await self.fill(each.did)
        await asyncio.Event().wait()

    async def fill(self, org: str) -> None:
        """Make every row of one organisation that is lacking."""
        if not await self._database.read(lambda connection: documents.to_be_searched(connection, org, "", 1)):
            return
        after, _ = await self._database.write(partial(fill, org=org))
        while after:
            after, _ = await self._database.write(partial(fill, org=org, after=after))

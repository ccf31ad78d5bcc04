"""Comparing heads with members because somebody asked for it: what came from where, or why nothing did."""

import asyncio
from collections.abc import Sequence

from node.federation.mirror import Mirror, Report
from node.federation.protocol import ids
from node.models.contacts import Member
from node.models.organisations import Organisation

_AT_ONCE = 4


async def compare(
    mirror: Mirror, organisation: Organisation, members: Sequence[Member], patience: float | None = None
) -> list[Report]:
    """A report for each member, in the order in which they were given.

    Args:
        patience: seconds until a member is given up; what it brought until then is kept.
    """
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(member: Member) -> Report:
        async with turn:
            try:
                async with asyncio.timeout(patience):
                    return await mirror.sync(organisation, member)
            except TimeoutError:
                return Report(ids.host_of(member.uri), problem="it did not answer in time")

    return list(await asyncio.gather(*(one(each) for each in members)))

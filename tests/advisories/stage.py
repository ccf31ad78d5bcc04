"""A node that follows some, has members, and judges what comes when it is told to."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Route

from node.federation.protocol import ids
from node.models import documents, queues
from tests.support.letters import (
    Letter,
    Person,
    Portable,
    post,
)
from tests.support.network import House, Network, Served, free_port


@dataclass(slots=True)
class Scene:
    """A node, those it follows, and its members; `work` lets it judge what came."""

    net: Network
    house: House
    amal: Person
    badr: Person
    mallory: Person
    member: Portable
    other: Portable

    async def take(self, letter: Letter) -> tuple[int, str, str]:
        """Hand a letter in and let it be judged: status, and how the newest row ended."""
        status = (await post(self.house, letter)).status
        await self.work()
        table = queues.incoming
        query = select(table.c.state, table.c.reason).order_by(table.c.id.desc()).limit(1)
        row = self.house.read(lambda connection: connection.execute(query).first())
        return status, row[0] if row else "", row[1] if row else ""

    async def hear(self, person: Person, kind: str, value: Any, **changes: Any) -> tuple[int, str, str]:
        """Somebody says something, signed by themselves."""
        return await self.take(person.letter(self.house, person.says(kind, value, **changes)))

    async def work(self) -> None:
        while await self.house.node.inbox.work_once():
            await self.house.node.inbox.drain()

    def stored(self, object_id: str) -> documents.Stored | None:
        return self.house.read(
            lambda connection: documents.stored(connection, self.house.did, ids.canonical(object_id))
        )


async def serve(net: Network, *routes: Route, number: int = 1) -> str:
    """A server of a stranger's; returns its origin."""
    place = (f"127.79.{number}.1", free_port(f"127.79.{number}.1"))
    served = Served(Starlette(routes=list(routes)), [place])
    await served.ready()
    net.others.append(served)
    return f"http://{place[0]}:{place[1]}"


def alert(member: Portable, **changes: Any) -> dict[str, Any]:
    """A member's alert, with its proof."""
    terms = {
        "alertKind": "urgent-appeal",
        "alertStatus": "actual",
        "headline": "An exercise",
        "severity": "severe",
        "urgency": "immediate",
        "certainty": "likely",
        "countryCode": "XX",
        "reference": "XXX 001",
        "contentMap": {"en": "<p>An exercise</p>"},
        "url": "https://member.example/alerts/1",
    }
    return member.note(**{**terms, **changes})

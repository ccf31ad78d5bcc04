"""Nodes to be measured: `tadamun serve` in a process of its own, and beside it an office that prepares what is needed.

The office opens the same data directory with the project's own functions, as the command line does; a hundred commands
of half a second each would only take longer. Whatever crosses the wire does so between real sockets: actor documents,
Follows and Accepts go the way they go between servers.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from node.app import Node as Office
from node.app import utc_now
from node.desk import members
from node.federation.protocol import ids
from node.models import contacts, deliveries, queues
from node.models.organisations import Organisation
from node.settings import load
from tests.bench import posts, sender
from tests.bench.posts import Author
from tests.bench.world import World
from tests.support.processes import Node, Process

_T = TypeVar("_T")
_PATIENCE = 60.0
_ENVIRONMENT = {"TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8,::1/128"}


@dataclass(slots=True)
class Stage:
    """One node that serves, with its office. Made by `open_stage`."""

    node: Node
    office: Office
    organisation: Organisation

    @property
    def pid(self) -> int:
        """Of the serving process."""
        return self.node.pid

    @property
    def host(self) -> str:
        """`address:port`."""
        return f"{self.node.host}:{self.node.port}"

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """Read the node's rows."""
        return self.office.database.read_now(work)

    def waiting(self) -> int:
        """Activities that are not judged yet."""
        return self.read(queues.waiting)

    def owed(self) -> bool:
        """Whether a delivery is still to be made."""
        return self.read(deliveries.next_due) is not None

    def accepted(self) -> int:
        """What `tadamun status` calls `received.accepted`."""
        return self.read(lambda connection: queues.counts(connection, self.organisation.did))[queues.ACCEPTED]

    async def send(self, requests: Sequence[bytes]) -> sender.Sent:
        """Send these; every one must be taken."""
        sent = await sender.send(self.node.host, self.node.port, requests)
        sent.check(len(requests))
        return sent


@asynccontextmanager
async def open_stage(folder: Path, name: str, host: str) -> AsyncIterator[Stage]:
    """Make a node, serve it, open its office; stop all of it in the end."""
    with Node(folder / name, host, handle=name) as node:
        office = Office.open(load(node.data, _ENVIRONMENT))
        try:
            yield Stage(node, office, office.organisation())
        finally:
            await office.close()


@contextmanager
def only_the_door(stage: Stage) -> Iterator[int]:
    """The same node in a process without workers, in place of `serve`; gives its pid."""
    stage.node.stop()
    words = [sys.executable, "-m", "tests.bench.door", str(stage.node.data), stage.host]
    environment = {**_ENVIRONMENT, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])}
    process = Process(words, stage.node.data.with_name("door.log"), environment)
    try:
        process.wait_ready(f"http://{stage.host}/healthz")
        yield process.pid
        process.stop()
    except BaseException:
        process.kill()
        raise
    stage.node.start()


async def until(
    check: Callable[[], object], what: str, pause: float = 0.02, patience: float = _PATIENCE
) -> None:
    """Ask again until it is so.

    Raises:
        AssertionError: it was not so in time (seconds).
    """
    deadline = time.monotonic() + patience
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {patience:g} s: {what}")
        await asyncio.sleep(pause)


async def follow_all(stage: Stage, world: World, authors: Sequence[Author]) -> None:
    """The node follows these authors, and they accept: it fetches their documents and believes their keys from then on.

    What `tadamun follow` does is done here for all of them by the same function.
    """
    organisation, office = stage.organisation, stage.office
    key = office.keyring.organisation(organisation.did)
    world.listening = True
    for author in authors:
        await members.follow(office.database, office.discovery, organisation, key, author.uri, utc_now())
    await until(lambda: len(world.follows) >= len(authors), "every author has our Follow")
    world.listening = False
    answers = [posts.post(author, stage.host, posts.accept(author, given)) for author, given in world.follows]
    world.follows.clear()
    await stage.send(answers)
    wanted = {ids.canonical(author.uri) for author in authors}
    await until(
        lambda: stage.read(lambda connection: contacts.followed_among(connection, organisation.did, wanted)) == wanted,
        "every Follow of ours is accepted",
    )


async def be_followed(stage: Stage, authors: Sequence[Author]) -> None:
    """These authors follow the node, and have its Accept."""
    did = stage.organisation.did
    asked = [posts.post(author, stage.host, posts.follow(author, stage.organisation.uri)) for author in authors]
    await stage.send(asked)
    await until(
        lambda: stage.read(lambda connection: contacts.count_followers(connection, did)) >= len(authors),
        "every author follows us",
    )
    await until(lambda: not stage.owed(), "every Follow is answered")


async def settle(stage: Stage) -> None:
    """Nothing waits, neither to be judged nor to be delivered."""
    await until(lambda: stage.waiting() == 0 and not stage.owed(), "the node has nothing to do")

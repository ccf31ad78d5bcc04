"""What comes in: how fast it is accepted (202, on the disk), and how fast it is verified, judged and stored."""

import time

from node.models import queues
from tests.bench import machine
from tests.bench.sender import CONNECTIONS
from tests.bench.stage import Stage, only_the_door, settle, until
from tests.bench.table import Row, Target
from tests.bench.world import World

AUTHORS = 50


async def warm(stage: Stage, world: World, count: int) -> None:
    """Send some, and wait until they are judged: keys, connections, statements and pages of memory are there."""
    await stage.send(_notes(stage, world, count))
    await settle(stage)


async def accept(stage: Stage, world: World, count: int) -> Row:
    """The rate of 202, from the whole node: its worker judges meanwhile, and what it does is in the CPU time."""
    requests = _notes(stage, world, count)
    with machine.apart(stage.pid):
        used = machine.cpu_seconds(stage.pid)
        sent = await stage.send(requests)
        used = machine.cpu_seconds(stage.pid) - used
        judged = count - stage.waiting()
        what = f"inbox, accepted by serve ({CONNECTIONS} connections; {judged / count:.0%} judged meanwhile)"
        await settle(stage)
    return Row(what, count, sent.seconds, used, sent.times, target=Target(rate=4000))


async def door(stage: Stage, world: World, count: int) -> Row:
    """The same from a process without workers: what the door alone costs."""
    requests = _notes(stage, world, count + count // 10)
    first, rest = requests[: count // 10], requests[count // 10 :]
    with only_the_door(stage) as pid, machine.apart(pid):
        await stage.send(first)
        used = machine.cpu_seconds(pid)
        sent = await stage.send(rest)
        used = machine.cpu_seconds(pid) - used
    await settle(stage)
    what = f"inbox, accepted by the door alone ({CONNECTIONS} connections)"
    return Row(what, count, sent.seconds, used, sent.times, target=Target(rate=4000, cpu=200))


async def process(stage: Stage, world: World, count: int) -> Row:
    """From the first byte sent until the last Note is verified, judged and stored."""
    requests = _notes(stage, world, count)
    before = stage.accepted()
    with machine.apart(stage.pid):
        used = machine.cpu_seconds(stage.pid)
        began = time.monotonic()
        await stage.send(requests)
        await until(lambda: stage.waiting() == 0, "everything is judged")
        seconds = time.monotonic() - began
        used = machine.cpu_seconds(stage.pid) - used
    stored = stage.accepted() - before
    if stored != count:
        found = stage.read(lambda connection: queues.counts(connection, stage.organisation.did))
        raise AssertionError(f"{count} sent, {stored} accepted: {found}")
    what = "inbox, in all (verified, judged, stored)"
    return Row(what, count, seconds, used, target=Target(rate=2000, cpu=450))


def _notes(stage: Stage, world: World, count: int) -> list[bytes]:
    return world.workshop.make_notes(world.authors[:AUTHORS], stage.host, count)

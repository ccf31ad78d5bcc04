"""How long an exercise takes from the node that publishes it to the last member's list.

All nodes share this machine's cores, so with more nodes than cores this measures their CPU time as much as the wait.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from node.app import utc_now
from node.desk import members
from node.federation.protocol.ids import canonical
from node.models import alerts, logs
from tests.bench import machine
from tests.bench.outbox_runs import publish, read_alert
from tests.bench.stage import Stage, open_stage, until
from tests.bench.table import Row


@dataclass(slots=True)
class Network:
    """Nodes that have pinned each other. It grows; its nodes end with the stack."""

    folder: Path
    stack: AsyncExitStack
    stages: list[Stage] = field(default_factory=list)

    async def grow(self, size: int) -> None:
        """Add nodes up to this number, pin everybody to everybody, wait until all hold all logs."""
        known = len(self.stages)
        for number in range(known, size):
            opened = open_stage(self.folder, f"org{number}", f"127.21.0.{number + 1}")
            self.stages.append(await self.stack.enter_async_context(opened))
        for stage in self.stages:
            others = self.stages if stage.node.host not in self._hosts(known) else self.stages[known:]
            for other in others:
                if other is not stage:
                    await _pin(stage, other)
        await until(lambda: all(_heads(stage) == size for stage in self.stages), "every node holds every log")

    def _hosts(self, known: int) -> set[str]:
        return {stage.node.host for stage in self.stages[:known]}


async def propagate(network: Network, rounds: int) -> Row:
    """Exercises from one node after the other, until each is listed on all."""
    stages = network.stages
    used = sum(machine.cpu_seconds(stage.pid) for stage in stages)
    times = [await _once(stages, stages[number % len(stages)]) for number in range(rounds)]
    used = sum(machine.cpu_seconds(stage.pid) for stage in stages) - used
    return Row(f"exercise until the last of {len(stages)} nodes lists it (CPU of all)", rounds, cpu=used, times=times)


async def _once(stages: list[Stage], author: Stage) -> float:
    await asyncio.sleep(0.5)
    said = publish(author, read_alert("exercise"))[0]
    began = time.monotonic()
    missing = [stage for stage in stages if stage is not author]

    def arrived() -> bool:
        missing[:] = [stage for stage in missing if not _lists(stage, said.id)]
        return not missing

    await until(arrived, "every node lists the exercise", 0.005)
    return time.monotonic() - began


def _lists(stage: Stage, uri: str) -> bool:
    """Whether `tadamun alert list` would show it: the same row is read."""
    did = stage.organisation.did
    return stage.read(lambda connection: alerts.find(connection, did, canonical(uri))) is not None


def _heads(stage: Stage) -> int:
    return len(stage.read(lambda connection: logs.head_table(connection, stage.organisation.did)))


async def _pin(stage: Stage, other: Stage) -> None:
    """What `tadamun member add` does."""
    office = stage.office
    handle = other.organisation.address
    await members.add(
        office.database, office.discovery, stage.organisation, handle, other.organisation.did, utc_now()
    )

"""Rates and CPU time for each activity, on this machine: `make bench`, or `python -m tests.bench --quick`.

One process plays a hundred invented servers and measures; the nodes are `tadamun serve` in processes of their own, on
loopback and plain http. Where there are two cores, the node has one for itself and the invented servers the other, so a
rate here is that of one core. Judge by CPU time: rates depend on who else uses the machine.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench import assembly_runs, inbox_runs, machine, outbox_runs, stage
from tests.bench.assembly_runs import Scale
from tests.bench.catchup_run import catch_up
from tests.bench.network_run import Network, propagate
from tests.bench.stage import Stage, open_stage
from tests.bench.table import Row, Target, render
from tests.bench.world import open_world

RUNS = ("accept", "process", "deliver", "spread", "catchup", "memory", "members")
_WHOLE = 1500.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    hosts: int
    warm: int
    accept: int
    process: int
    alerts: int
    rounds: int
    networks: tuple[int, ...]
    log: int
    members: tuple[tuple[int, int], ...]
    """Members of a network, and its years."""


FULL = Size(
    hosts=100, warm=1000, accept=16_000, process=12_000, alerts=60, rounds=7, networks=(3, 10), log=100_000,
    members=((90, 1), (300, 1), (300, 10)),
)  # fmt: skip
QUICK = Size(
    hosts=20, warm=100, accept=1_000, process=600, alerts=10, rounds=2, networks=(3,), log=600, members=((12, 1),)
)


async def measure(size: Size, chosen: Sequence[str], folder: Path, stack: AsyncExitStack) -> AsyncIterator[Row]:
    """Run what was chosen, one after the other."""
    if "catchup" in chosen:
        say(f"a log of {size.log:,} entries is written, and caught up with")
        reader = await stack.enter_async_context(open_stage(folder, "reader", "127.19.0.2"))
        yield await catch_up(reader, size.log)
        yield _memory("after that catch-up", reader, Target())
    if set(chosen) - {"spread", "catchup", "members"}:
        host = await stack.enter_async_context(open_stage(folder, "bench", "127.19.0.1"))
        async for row in _one_node(size, chosen, host, stack):
            yield row
    if "spread" in chosen:
        network = Network(folder, stack)
        for count in size.networks:
            say(f"a network of {count} nodes")
            await network.grow(count)
            yield await propagate(network, size.rounds)


async def _one_node(size: Size, chosen: Sequence[str], host: Stage, stack: AsyncExitStack) -> AsyncIterator[Row]:
    if "memory" in chosen:
        await asyncio.sleep(1)
        yield _memory("idle", host, Target(megabytes=100))
    say("invented servers, their keys, who follows whom")
    world = await open_world(size.hosts, min(inbox_runs.AUTHORS, size.hosts))
    stack.callback(world.close)
    if {"accept", "process", "memory"} & set(chosen):
        await stage.follow_all(host, world, world.authors[: inbox_runs.AUTHORS])
        await inbox_runs.warm(host, world, size.warm)
    if "accept" in chosen:
        say("accepted")
        yield await inbox_runs.accept(host, world, size.accept)
        yield await inbox_runs.door(host, world, size.accept)
        await inbox_runs.warm(host, world, size.warm)
    if {"process", "memory"} & set(chosen):
        say("in all")
        row = await inbox_runs.process(host, world, size.process)
        if "process" in chosen:
            yield row
    if "deliver" in chosen:
        say("deliveries")
        await stage.be_followed(host, world.authors)
        yield await outbox_runs.deliver(host, world, size.alerts)
        yield await outbox_runs.spread_one(host, world, size.rounds)
    if "memory" in chosen:
        yield _memory("after the runs above", host, Target())


def _memory(when: str, host: Stage, target: Target) -> Row:
    held = machine.memory(host.pid)
    return Row(f"memory, {when}: RSS {held.rss:.0f} MB, PSS {held.pss:.0f} MB", megabytes=held.rss, target=target)


def say(text: str) -> None:
    """What is being done, for whoever waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


async def _scales(sizes: Sequence[tuple[int, int]], folder: Path) -> AsyncIterator[Scale]:
    for members, years in sizes:
        say(f"a network of {members} members and {years} years")
        with tempfile.TemporaryDirectory(dir=folder) as its:
            yield await assembly_runs.measure(Path(its), members, years)


async def run(size: Size, chosen: Sequence[str], rows: list[Row], scales: list[Scale]) -> None:
    """Measure within 25 minutes, and leave nothing behind; what was measured is there also after a failure."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="tadamun-bench-") as folder:
        async with AsyncExitStack() as stack, asyncio.timeout(_WHOLE):
            async for row in measure(size, chosen, Path(folder), stack):
                rows.append(row)
            async for scale in _scales(size.members if "members" in chosen else (), Path(folder)):
                scales.append(scale)


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run of about 15 s; its numbers say little")
    parser.add_argument("--only", action="append", choices=RUNS, help="one run only; may stand several times")
    given = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        sys.exit("the bench reads CPU time and memory from /proc, which only Linux has")
    print(machine.describe())
    print(f"calibration: {machine.calibrate()}", flush=True)
    rows: list[Row] = []
    scales: list[Scale] = []
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(QUICK if given.quick else FULL, given.only or RUNS, rows, scales))
    finally:
        if rows or not scales:
            print(render(rows))
        if scales:
            print(assembly_runs.render(scales))


if __name__ == "__main__":
    main()

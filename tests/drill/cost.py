"""What one alert costs each node, by the size of the network: `python -m tests.drill.cost`. CPU, bytes, their law.

All nodes live in this process, so what is measured is theirs together; what they use while nothing happens is taken
off. Each sends the entry to ln N + 2 others and is sent it as often: one is verified and kept, the others are dropped
by their bytes.
"""

import argparse
import asyncio
import logging
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from node.federation.protocol import spread
from tests.drill.crowd import Crowd
from tests.support.network import Network

_SIZES = (10, 30, 90)
_ALERTS = 3
_REST = 5.0
"""Seconds in which the crowd is measured while nothing happens."""


async def measure(size: int, folder: Path, seed: int) -> tuple[float, float]:
    """CPU ms and kB sent of each node and alert. Nobody is asked anything meanwhile: to ask would cost more."""
    async with Network(folder) as network:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        made = Crowd(network, Random(seed))
        await made.gather(size)
        await made.spread([await made.publish(made.houses[0])], made.houses)
        await asyncio.sleep(1 + size / 5)
        idle = await _idle()
        before, began, used = made.sent(), time.monotonic(), time.process_time()
        names = []
        for number in range(_ALERTS):
            names.append(await made.publish(made.houses[number % size]))
            await asyncio.sleep(1 + size / 5)
        busy, seconds = time.process_time() - used, time.monotonic() - began
        busy -= (idle + await _idle()) / 2 * seconds
        _, held = await made.spread(names, made.houses)
        if held != size:
            raise AssertionError(f"{held} of {size} have them")
        sent = sum((made.sent() - before).values())
        await made.seize(made.houses)
    return busy * 1000 / size / _ALERTS, sent / 1000 / size / _ALERTS


async def _idle() -> float:
    """CPU seconds a second, while nothing happens."""
    began, used = time.monotonic(), time.process_time()
    await asyncio.sleep(_REST)
    return (time.process_time() - used) / (time.monotonic() - began)


def lines(sizes: Sequence[int], seed: int) -> Iterator[str]:
    """The table."""
    yield "|   N | told by each | CPU ms each | kB sent each | CPU ms a copy | kB a copy |"
    yield "|-----|--------------|-------------|--------------|---------------|-----------|"
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="tadamun-cost-") as folder:
            cpu, sent = asyncio.run(measure(size, Path(folder), seed))
        told = spread.fan_out(size - 2)
        copies = told + (size - 1) / size
        yield f"| {size:3} | {told:12} | {cpu:11.1f} | {sent:12.1f} | {cpu / copies:13.2f} | {sent / copies:9.1f} |"
    far = spread.fan_out(298) + 299 / 300
    yield (
        f"A copy is a delivery sent and one taken. Each node sends ln N + {spread.EXTRA}, the author one to each member"
        f" besides: at N = 300 about {far:.1f} copies each (ln 300 = {math.log(300):.1f})."
    )


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill.cost", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, action="append", help="this many nodes; may stand several times")
    given = parser.parse_args()
    for text in lines(given.size or _SIZES, given.seed):
        print(text, flush=True)


if __name__ == "__main__":
    main()

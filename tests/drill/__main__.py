"""The drill: real nodes in namespaces of their own, and what may happen to them. `make drill`, or this module, as root.

Each case ends in one row of a table; whatever happened, nothing that a survivor received may be lost, and nothing false
may be shown as true. Ninety nodes in one process follow; they need no root. `python -m tests.drill.simulation` says
what a thousand would do.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import SystemRandom

from tests.drill.cases import CASES
from tests.drill.crowd import crowd
from tests.drill.field import opened
from tests.drill.table import Row, render
from tests.drill.wires import PREFIX, Missing, laid

_CROWD = 540.0
"""Seconds for all of the crowd's cases."""


def drill(size: int, chosen: Sequence[str], seed: int) -> Iterator[Row]:
    """Run these cases, one after the other, in one network.

    Raises:
        Missing: this machine cannot.
    """
    with laid(size) as wires, tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        say(f"{size} nodes are made; seed {seed}")
        with opened(Path(folder), wires, seed) as field:
            for letter in chosen:
                field.mend()
                began = time.monotonic()
                row = CASES[letter](field)
                say(f"case {letter} took {time.monotonic() - began:.0f} s")
                yield row


def crowd_drill(size: int, seed: int, rows: list[Row]) -> None:
    """So many nodes in this process; their rows are in `rows` also after a failure."""

    async def run(folder: Path) -> None:
        async with asyncio.timeout(_CROWD):
            async for row in crowd(size, folder, seed):
                rows.append(row)

    say(f"{size} nodes are made in this process; seed {seed}")
    with tempfile.TemporaryDirectory(prefix="tadamun-crowd-") as folder:
        asyncio.run(run(Path(folder)))


def say(text: str) -> None:
    """What is being done, for whoever waits."""
    print(f"drill: {text}", file=sys.stderr, flush=True)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run, print one table, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=12, help="how many, from 6 to 60 [12]")
    parser.add_argument("--case", action="append", choices=tuple(CASES), help="one case only; may stand several times")
    parser.add_argument("--crowd", type=int, help="this many in one process, alone; 0 for none [90]")
    parser.add_argument("--seed", type=int, default=None, help="of who is chosen; what is timed differs anyway")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    many = given.crowd if given.crowd is not None else 0 if given.case else 90
    rows: list[Row] = []
    try:
        if given.case or not given.crowd:
            for row in drill(min(max(given.nodes, 6), 60), given.case or tuple(CASES), seed):
                rows.append(row)
        if many:
            crowd_drill(max(many, 6), seed, rows)
    except Missing as error:
        sys.exit(str(error))
    finally:
        if rows:
            print(render(rows), flush=True)
    for row in rows:
        row.check()


if __name__ == "__main__":
    main()

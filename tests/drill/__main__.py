"""The drill: real nodes in namespaces of their own, and what may happen to them. `make drill`, or this module, as root.

Each case ends in one row of a table; whatever happened, nothing that a survivor received may be lost, and nothing false
may be shown as true.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import SystemRandom

from tests.drill.cases import CASES
from tests.drill.field import opened
from tests.drill.table import Row, render
from tests.drill.wires import Missing, laid


def drill(size: int, chosen: Sequence[str], seed: int) -> Iterator[Row]:
    """Run these cases, one after the other, in one network.

    Raises:
        Missing: this machine cannot.
    """
    with laid(size) as wires, tempfile.TemporaryDirectory(prefix="tadamun-drill-") as folder:
        say(f"{size} nodes are made; seed {seed}")
        with opened(Path(folder), wires, seed) as field:
            for letter in chosen:
                field.mend()
                began = time.monotonic()
                row = CASES[letter](field)
                say(f"case {letter} took {time.monotonic() - began:.0f} s")
                yield row


def say(text: str) -> None:
    """What is being done, for whoever waits."""
    print(f"drill: {text}", file=sys.stderr, flush=True)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run, print one table, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=12, help="how many, from 5 to 60 [12]")
    parser.add_argument("--case", action="append", choices=tuple(CASES), help="one case only; may stand several times")
    parser.add_argument("--seed", type=int, default=None, help="of who is chosen; what is timed differs anyway")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    rows: list[Row] = []
    try:
        for row in drill(min(max(given.nodes, 5), 60), given.case or tuple(CASES), seed):
            rows.append(row)
    except Missing as error:
        sys.exit(str(error))
    finally:
        if rows:
            print(render(rows))
    for row in rows:
        row.check()


if __name__ == "__main__":
    main()

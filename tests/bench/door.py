"""A node without its workers: it takes in, and judges nothing. What `serve` costs at the door is measured with it.

    python -m tests.bench.door DATA HOST:PORT
"""

import asyncio
import sys
from pathlib import Path

import uvloop

from node.app import Node
from node.commands.running import listen, run
from node.settings import load


class Door(Node):
    """A node whose workers never start."""

    async def start(self, *, workers: bool = True) -> None:
        """As a node starts, but for the workers."""
        await super().start(workers=False)


def main() -> None:
    """Serve until a signal comes."""
    data, bind = sys.argv[1:]
    host, _, port = bind.rpartition(":")
    node = Door.open(load(Path(data)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(node, listen(host, int(port))))


if __name__ == "__main__":
    main()

"""A process of its own in which one picture is made anew: bytes come in, a line of sizes and two files go out.

Run by `desk/pictures.py` and by nobody else. Its first act is to give up what a decoder that was taken over could use:
it opens no file, starts no process, and has so much memory and processor time and no more.
"""

import resource
import sys

import orjson

from node import pictures
from node.errors import ProtocolError

MEMORY = 1_500_000_000
"""Bytes of address space: 50 megapixels with four channels, twice, and the interpreter."""
SECONDS = 30
REFUSED = 3


def confine() -> None:
    """From here on: bounded memory and time, no files written or opened, no processes, no core dump."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(what, (most, most))


def main() -> int:
    """One picture; exit 3 with the reason where it is refused."""
    pictures.prepare()
    confine()
    raw = sys.stdin.buffer.read(pictures.MAX_INPUT + 1)
    try:
        made = pictures.develop(raw)
    except ProtocolError as error:
        sys.stderr.write(error.reason)
        return REFUSED
    sys.stdout.buffer.write(orjson.dumps([[len(each.raw), each.width, each.height] for each in made]) + b"\n")
    for each in made:
        sys.stdout.buffer.write(each.raw)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Stands in for a decoder that was taken over: behind the darkroom's bounds it wants memory, files and processes."""

import os
import sys

from node.desk import darkroom

if __name__ == "__main__":
    darkroom.confine()
    try:
        open("/etc/hostname")  # noqa: SIM115 - it must not open
    except OSError:
        try:
            bytearray(2 * darkroom.MEMORY)
        except MemoryError:
            sys.exit(9)
    os._exit(0)

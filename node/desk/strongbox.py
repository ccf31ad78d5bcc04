"""A process of its own in which a backup is sealed: a line says to whom, then its bytes come in, sealed bytes go out.

Run by `desk/backups.py` and by nobody else. Sealing holds the interpreter for seconds; the node answers meanwhile. What
opens the backup comes by the pipe, so that no list of processes shows it.
"""

import sys

import orjson

from node.federation.protocol import sealing


def main() -> int:
    """One backup; the first line is `{"recipients": […]}` or `{"passphrase": "…"}`."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    asked = orjson.loads(source.readline())
    if "recipients" in asked:
        sealing.seal_stream(source, target, asked["recipients"])
    else:
        target.write(sealing.seal_by_passphrase(source.read(), asked["passphrase"]))
    target.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A process of its own in which a backup is sealed or opened: a line says how, then its bytes come in, others go out.

Run by `desk/backups.py` and `desk/restoring.py` and by nobody else. Age holds the interpreter for seconds; the node
answers meanwhile. What opens a backup comes by the pipe, so that no list of processes shows it.
"""

import os
import sys

import orjson

from node.errors import ProtocolError
from node.federation.protocol import sealing

WRONG = 3
"""The exit code of one that was asked to open something with what does not open it."""


def main() -> int:
    """One backup. The first line is `{"recipients": [...]}` or `{"passphrase": "..."}` for what follows it, or with
    `"sealed": N` besides a passphrase or an `"identity"` what stands in the open file N.
    """
    source, target = sys.stdin.buffer, sys.stdout.buffer
    asked = orjson.loads(source.readline())
    if "sealed" in asked:
        return _open(asked)
    if "recipients" in asked:
        sealing.seal_stream(source, target, asked["recipients"])
    else:
        target.write(sealing.seal_by_passphrase(source.read(), asked["passphrase"]))
    target.flush()
    return 0


def _open(asked: dict[str, str | int]) -> int:
    target = sys.stdout.buffer
    with os.fdopen(int(asked["sealed"]), "rb") as sealed:
        sealed.seek(0)  # whoever opened it may have read of it: the two share one place in it
        try:
            if "identity" in asked:
                sealing.open_stream(sealed, target, str(asked["identity"]))
            else:
                target.write(sealing.open_by_passphrase(sealed.read(), str(asked["passphrase"])))
        except ProtocolError:
            return WRONG
    target.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Signed bundles: logs as one file, for a stick or an attachment.

A file of lines: first `{"tadamun": "bundle", "version": 1, "made": …}`, then entries and stubs as catch-up carries
them. Nothing in the file says that it may be believed: every line bears its author's own proof, and an import meets the
same rules as the network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson

from node.errors import ProtocolError
from node.federation.protocol import replicas, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import MAX_ENTRY, JsonObject, parse_document
from node.federation.protocol.replicas import Header
from node.federation.protocol.verification import Carrier, Verified

MAX_BUNDLE = 64 * 1024 * 1024
VERSION = 1
_SPEC = "Tadamun bundle 1"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds, each entry verified; `refused` names what did not hold, by line."""

    entries: tuple[Verified, ...]
    stubs: tuple[Header, ...]
    refused: tuple[str, ...]


def render(lines: Iterable[bytes], made: datetime) -> bytes:
    """A bundle of log lines."""
    head = orjson.dumps({"tadamun": "bundle", "version": VERSION, "made": f"{made:%Y-%m-%dT%H:%M:%SZ}"})
    return b"\n".join([head, *lines]) + b"\n"


def is_bundle(raw: bytes) -> bool:
    """Whether a file begins as a bundle does."""
    return raw[:64].replace(b" ", b"").startswith(b'{"tadamun":"bundle"')


def parse(raw: bytes) -> Bundle:
    """Read a bundle and verify every line of it.

    Raises:
        ProtocolError: it is no bundle, too large, or of a version that we do not know.
    """
    if len(raw) > MAX_BUNDLE:
        raise ProtocolError(f"a bundle of more than {MAX_BUNDLE} bytes", spec=_SPEC)
    first, _, rest = raw.partition(b"\n")
    head = parse_document(first, 4096).value
    if head.get("tadamun") != "bundle" or head.get("version") != VERSION:
        raise ProtocolError("not a bundle of version 1", spec=_SPEC)
    entries: list[Verified] = []
    stubs: list[Header] = []
    refused: list[str] = []
    for number, line in enumerate(rest.split(b"\n"), 2):
        if not line.strip():
            continue
        try:
            item = _line(line)
        except ProtocolError as error:
            refused.append(f"line {number}: {error}")
            continue
        if isinstance(item, Header):
            stubs.append(item)
        else:
            entries.append(item)
    return Bundle(tuple(entries), tuple(stubs), tuple(refused))


def in_order(bundle: Bundle) -> tuple[Verified, ...]:
    """Withdrawals first, so that nothing is shown that was taken back; then each log in its order."""

    def place(item: Verified) -> tuple[bool, str, tuple[int, int]]:
        position = item.activity.position
        return item.activity.type != "Delete", item.activity.did or "", position.order if position else (0, 0)

    return tuple(sorted(bundle.entries, key=place))


def _line(line: bytes) -> Verified | Header:
    document = parse_document(line, MAX_ENTRY)
    if "stub" in document.value:
        return replicas.parse_stub(document.value["stub"])
    activity = parse_activity(document)
    if activity.position is None or activity.did is None:
        raise ProtocolError("not a log entry", spec=_SPEC)
    return verification.verify_activity(activity, Carrier(None, replica=True))


def describe(activity: Activity) -> JsonObject:
    """Where an entry says it stands."""
    position = activity.position
    if position is None or activity.did is None:
        return {}
    header = replicas.header_of(activity)
    return {
        "epoch": position.epoch,
        "sequence": position.sequence,
        "previous": position.previous,
        "content": header.content,
        "header": header.digest,
    }

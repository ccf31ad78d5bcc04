"""Pages of a log as they travel, in catch-up, bundles and mirrors: one signed entry a line, or `{"stub": header}` where
a text was withdrawn.
"""

from collections.abc import Iterable, Iterator

import orjson

from node.errors import ProtocolError
from node.federation.protocol import (
    digests,
    replicas,
    verification,
)
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import MAX_ENTRY, MAX_PAGE, parse_document
from node.federation.protocol.replicas import Header
from node.federation.protocol.verification import Carrier, Verified
from node.models import logs
from node.models.logs import Entry

LINES = "application/jsonl"


def is_lines(content_type: str | None) -> bool:
    """Whether a Content-Type names a page of a log."""
    return (content_type or "").startswith(LINES)


def render_lines(entries: Iterable[Entry], limit: int = MAX_PAGE - 65_536) -> bytes:
    """A page of a log: entries as they were signed, one a line, at most about 1 MiB."""
    lines: list[bytes] = []
    size = 0
    for entry in entries:
        held = entry.raw is not None and entry.state == logs.HELD and b"\n" not in entry.raw
        line = entry.raw if held and entry.raw else orjson.dumps({"stub": entry.header.value()})
        size += len(line) + 1
        if lines and size > limit:
            break
        lines.append(line)
    return b"\n".join(lines)


def parse_lines(body: bytes) -> Iterator[Activity | Header]:
    """Read a page of a log.

    Raises:
        ProtocolError: a line is neither an activity nor a stub.
    """
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        document = parse_document(line, MAX_ENTRY)
        if "stub" in document.value:
            yield replicas.parse_stub(document.value["stub"])
        else:
            yield parse_activity(document)


def verify_page(body: bytes, did: str) -> tuple[list[Verified | Header], list[tuple[str, str]]]:
    """Everything of one did in a page, verified; of what does not hold the digest and the rule, and no more."""
    found: list[Verified | Header] = []
    refused: list[tuple[str, str]] = []
    for item in parse_lines(body):
        if isinstance(item, Header):
            if item.did == did:
                found.append(item)
            continue
        try:
            if item.did != did or item.position is None:
                raise ProtocolError("an entry of another log", spec="Tadamun log §3")
            found.append(verification.verify_activity(item, Carrier(None, replica=True)))
        except ProtocolError as error:
            refused.append((digests.multibase(item.raw), str(error)))
    return found, refused


def trailing(items: list[Verified | Header]) -> list[Header]:
    """The stubs at the end, which only what follows can vouch for."""
    found: list[Header] = []
    for item in reversed(items):
        if not isinstance(item, Header):
            break
        found.append(item)
    return found[::-1][-10_000:]

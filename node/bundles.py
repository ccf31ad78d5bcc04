"""Signed bundles: logs as one file, for a stick or an attachment.

A file of lines: first `{"tadamun": "bundle", "version": 1, "made": …}`, then entries and stubs as catch-up carries
them. Nothing in the file says that it may be believed: every line bears its author's own proof, and an import meets the
same rules as the network.

A line may also bring a picture that an entry names by digest: `{"tadamun": "picture", "digest": …, "data": base64}`. It
needs no proof, for the digest is in the proof. Lines with a `tadamun` that is not known are passed over, and counted.

A small bundle also has a form for paper: `TADAMUN1:` and the base45 (RFC 9285) of its zlib stream (RFC 1950), in the
letters of a QR code's alphanumeric mode. Wherever a bundle is read, this form is read too.
"""

import base64
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from node import releases
from node.errors import ProtocolError
from node.federation.protocol import base45, digests, replicas, verification
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import MAX_ENTRY, JsonObject, parse_document
from node.federation.protocol.replicas import Header
from node.federation.protocol.verification import Carrier, Verified
from node.media import MAX_BYTES

MAX_BUNDLE = 64 * 1024 * 1024
VERSION = 1
CODE = "TADAMUN1:"
PICTURE = "picture"
MAX_CODE = 4296
"""Letters of the largest QR code in alphanumeric mode (version 40, level L)."""
_MAX_UNPACKED = 1024 * 1024
_MAX_REASONS = 100
_MAX_PICTURE = MAX_BYTES * 4 // 3 + 1024
"""Bytes of a line that brings one."""
_SPEC = "Tadamun bundle 1"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds, each entry verified."""

    entries: tuple[Verified, ...]
    stubs: tuple[Header, ...]
    refused: tuple[str, ...]
    """What did not hold, by line, and by which rule; of very many the first hundred."""

    bad: int = 0
    """How many lines did not hold."""

    skipped: int = 0
    """Lines of dids that nobody asked for; they were not verified. And lines of kinds that are not known here."""

    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """Digest → the bytes that have it."""


def render(lines: Iterable[bytes], made: datetime) -> bytes:
    """A bundle of log lines."""
    head = orjson.dumps({"tadamun": "bundle", "version": VERSION, "made": f"{made:%Y-%m-%dT%H:%M:%SZ}"})
    return b"\n".join([head, *lines]) + b"\n"


def render_picture(digest: str, raw: bytes) -> bytes:
    """A picture as a line."""
    return orjson.dumps({"tadamun": PICTURE, "digest": digest, "data": base64.b64encode(raw).decode()})


def is_bundle(raw: bytes) -> bool:
    """Whether a file begins as a bundle does, in either form."""
    return raw[:64].replace(b" ", b"").startswith(b'{"tadamun":"bundle"') or is_code(raw)


def render_code(bundle: bytes) -> str | None:
    """A bundle in the form for paper; `None` where it does not fit into one QR code."""
    code = CODE + base45.encode(zlib.compress(bundle, 9))
    while code.endswith(" ") and len(code) <= MAX_CODE:
        bundle += b"\n"  # a space at the end is a letter that scanners and messengers cut off
        code = CODE + base45.encode(zlib.compress(bundle, 9))
    return code if len(code) <= MAX_CODE else None


def is_code(raw: bytes) -> bool:
    """Whether it is a bundle in the form for paper."""
    return raw[:64].lstrip().startswith(CODE.encode())


def read_code(raw: bytes) -> bytes:
    """The bundle that stands in the form for paper. White space around it is passed over: it never ends in any.

    Raises:
        ProtocolError: not base45, not zlib, or more than 1 MiB.

    Spec: RFC 9285, RFC 1950
    """
    if len(raw) > 4 * MAX_CODE:
        raise ProtocolError("longer than any QR code", spec=_SPEC, status=413)
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise ProtocolError("a letter that base45 does not have", spec="RFC 9285 §4") from error
    packed = base45.decode(text.removeprefix(CODE))
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, _MAX_UNPACKED)
    except zlib.error as error:
        raise ProtocolError("the code does not unpack", spec="RFC 1950") from error
    if not stream.eof or stream.unused_data:
        raise ProtocolError("the code is cut off, or holds more than 1 MiB", spec="RFC 1950")
    return found


def parse(raw: bytes, wanted: Callable[[str], bool] | None = None, limit: int | None = None) -> Bundle:
    """Read a bundle, in either form, and verify every line of it.

    Args:
        wanted: whose lines; others' are counted and not verified.
        limit: the most lines that are read.

    Raises:
        ProtocolError: it is no bundle, too large, or of a version that we do not know.
    """
    raw = read_code(raw) if is_code(raw) else raw
    if len(raw) > MAX_BUNDLE:
        raise ProtocolError(f"a bundle of more than {MAX_BUNDLE} bytes", spec=_SPEC)
    first, _, rest = raw.partition(b"\n")
    head = parse_document(first, 4096).value
    if head.get("tadamun") != "bundle" or head.get("version") != VERSION:
        raise ProtocolError("not a bundle of version 1", spec=_SPEC)
    lines = [(number, line) for number, line in enumerate(rest.split(b"\n"), 2) if line.strip()]
    if limit is not None and len(lines) > limit:
        raise ProtocolError(f"a bundle of {len(lines)} lines; {limit} are read here", spec=_SPEC, status=413)
    entries: list[Verified] = []
    stubs: list[Header] = []
    refused: list[str] = []
    pictures: dict[str, bytes] = {}
    bad = skipped = 0
    for number, line in lines:
        try:
            item = _line(line, wanted)
        except ProtocolError as error:
            bad += 1
            refused += [f"line {number}: {error}"] if bad <= _MAX_REASONS else []
            continue
        if item is None:
            skipped += 1
        elif isinstance(item, Header):
            stubs.append(item)
        elif isinstance(item, tuple):
            pictures[item[0]] = item[1]
        else:
            entries.append(item)
    return Bundle(tuple(entries), tuple(stubs), tuple(refused), bad, skipped, pictures)


def in_order(bundle: Bundle) -> tuple[Verified, ...]:
    """Withdrawals first, so that nothing is shown that was taken back; then each log in its order."""

    def place(item: Verified) -> tuple[bool, str, tuple[int, int]]:
        position = item.activity.position
        shows = item.activity.type not in ("Delete", releases.TYPE)
        return shows, item.activity.did or "", position.order if position else (0, 0)

    return tuple(sorted(bundle.entries, key=place))


def _line(line: bytes, wanted: Callable[[str], bool] | None) -> Verified | Header | tuple[str, bytes] | None:
    marked = line[:40].replace(b" ", b"").startswith(b'{"tadamun":')
    document = parse_document(line, _MAX_PICTURE if marked else MAX_ENTRY)
    if "tadamun" in document.value:
        return _picture(document.value) if document.value["tadamun"] == PICTURE else None
    if "stub" in document.value:
        header = replicas.parse_stub(document.value["stub"])
        return header if wanted is None or wanted(header.did) else None
    activity = parse_activity(document)
    if activity.position is None or activity.did is None:
        raise ProtocolError("not a log entry", spec=_SPEC)
    if wanted is not None and not wanted(activity.did):
        return None
    return verification.verify_activity(activity, Carrier(None, replica=True))


def _picture(value: JsonObject) -> tuple[str, bytes]:
    digest = digests.check_multibase(value.get("digest"))
    try:
        raw = base64.b64decode(str(value.get("data")), validate=True)
    except ValueError as error:
        raise ProtocolError("a picture that is no base64", spec="RFC 4648 §4") from error
    if digests.multibase(raw) != digest:
        raise ProtocolError("a picture of another digest than it says", spec=_SPEC)
    return digest, raw


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

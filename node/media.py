"""Pictures as values: which bytes are one, how a Note names it by digest, and what we take for that when it comes in.

A picture has two files: itself, and a thumbnail. Each is named by the SHA-256 of its bytes, so whoever has it may give
it. Rules of `check`, in order: the size that was signed; the digest that was signed; a type that the bytes themselves
show, and the one that was signed. What `parse` does not understand it passes over: a Note may carry anything, and a
strange attachment must not hide an alert.

Spec: FEP-ef61 (media), FEP-1311
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from node.errors import ProtocolError
from node.federation.protocol import digests, ids
from node.federation.protocol.messages import JsonObject, as_list

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
TYPES = (JPEG, PNG, WEBP)
ACCEPT = ", ".join(TYPES)
MAX_PICTURES = 4
"""As many as Mastodon shows."""
MAX_BYTES = 512 * 1024
"""Of a picture; our own are smaller."""
MAX_THUMBNAIL = 16 * 1024
MAX_SIDE = 10_000
MAX_ALT = 1_500
PEOPLE = ("none", "blurred", "consented")
"""What a picture shows of faces: nobody's, none that can be known, or those who agreed to it."""
SCHEME = "hl:"
_LOOKED_AT = 20
_NAME = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{40,58}")
_SPEC = "Tadamun media"


@dataclass(frozen=True, slots=True)
class Medium:
    """One file, as its author signed it."""

    digest: str
    """`digestMultibase`; also its name."""
    media_type: str
    size: int
    """Bytes."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an alert with its thumbnail."""

    full: Medium
    thumbnail: Medium | None
    alt: str

    @property
    def files(self) -> tuple[Medium, ...]:
        """The picture first."""
        return (self.full,) if self.thumbnail is None else (self.full, self.thumbnail)


def sniff(raw: bytes) -> str | None:
    """The type that the bytes show, whatever anybody says of them; `None` for what is no picture of ours.

    Spec: WHATWG MIME Sniffing §6.1
    """
    if raw.startswith(b"\xff\xd8\xff"):
        return JPEG
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if raw[:4] == b"RIFF" and raw[8:14] == b"WEBPVP":
        return WEBP
    return None


def describe(raw: bytes, width: int, height: int) -> Medium:
    """A file of our own making.

    Raises:
        ProtocolError: it is no picture.
    """
    kind = sniff(raw)
    if kind is None:
        raise ProtocolError("no JPEG, PNG or WebP", spec=_SPEC)
    return Medium(digests.multibase(raw), kind, len(raw), width, height)


def check(raw: bytes, medium: Medium) -> None:
    """The bytes are those that the author signed, and a picture of the type that stands beside them.

    Raises:
        ProtocolError: naming the rule of this module that broke.
    """
    if len(raw) != medium.size:
        raise ProtocolError(f"{len(raw)} bytes where {medium.size} were signed", spec=_SPEC)
    if digests.multibase(raw) != medium.digest:
        raise ProtocolError("other bytes than those that were signed", spec=_SPEC)
    if sniff(raw) != medium.media_type:
        raise ProtocolError(f"the bytes are no {medium.media_type}", spec=_SPEC)


def is_picture(content_type: str | None) -> bool:
    """Whether a Content-Type names one of ours."""
    return (content_type or "").partition(";")[0].strip().lower() in TYPES


def is_name(text: str) -> bool:
    """Whether it can be a file's name: a multibase digest, and so nothing that leads to another folder."""
    return _NAME.fullmatch(text) is not None


def path(digest: str) -> str:
    """Where every node that has the file serves it.

    Spec: FEP-ef61 (gateways serve media by hashlink)
    """
    return f"{ids.GATEWAY_PATH}{SCHEME}{digest}"


def render(pictures: tuple[Picture, ...], origin: str) -> list[JsonObject]:
    """`attachment` of a Note: this list of fields is the whitelist.

    `Document` is the type that Mastodon itself sends; `preview` it passes over, where an `icon` would be fetched too.

    Spec: FEP-1311; AS2 vocabulary (preview)
    """
    found = []
    for picture in pictures:
        value = {"type": "Document", **_file(picture.full, origin), "name": picture.alt}
        if picture.thumbnail is not None:
            value["preview"] = {"type": "Image", **_file(picture.thumbnail, origin)}
        found.append(value)
    return found


def _file(medium: Medium, origin: str) -> JsonObject:
    return {
        "mediaType": medium.media_type,
        "url": origin + path(medium.digest),
        "digestMultibase": medium.digest,
        "width": medium.width,
        "height": medium.height,
        "size": medium.size,
    }


def parse(attachment: Any) -> tuple[Picture, ...]:
    """The pictures among whatever a Note carries: of the first twenty values the first four that are some."""
    found = (_picture(value) for value in as_list(attachment)[:_LOOKED_AT])
    return tuple(picture for picture in found if picture is not None)[:MAX_PICTURES]


def _picture(value: Any) -> Picture | None:
    if not isinstance(value, dict) or value.get("type") not in ("Document", "Image"):
        return None
    full = _medium(value, MAX_BYTES)
    if full is None:
        return None
    alt = value.get("name")
    preview = value.get("preview")
    small = _medium(preview, MAX_THUMBNAIL) if isinstance(preview, dict) else None
    return Picture(full, small, alt[:MAX_ALT] if isinstance(alt, str) else "")


def _medium(value: JsonObject, most: int) -> Medium | None:
    digest, kind = value.get("digestMultibase"), value.get("mediaType")
    if kind not in TYPES or not _within(value.get("size"), most):
        return None
    if not all(_within(value.get(side), MAX_SIDE) for side in ("width", "height")):
        return None
    try:
        name = digests.check_multibase(digest)
    except ProtocolError:
        return None
    return Medium(name, str(kind), int(value["size"]), int(value["width"]), int(value["height"]))


def _within(value: Any, most: int) -> bool:
    return type(value) is int and 0 < value <= most


def digests_of(pictures: tuple[Picture, ...]) -> Iterator[str]:
    """The names of all their files."""
    return (medium.digest for picture in pictures for medium in picture.files)

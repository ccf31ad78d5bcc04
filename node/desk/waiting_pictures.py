"""Pictures of what waits for a second word: inside the sealed package and nowhere else, until it is published."""

import base64
from collections.abc import Sequence

from node.desk.pictures import Developed
from node.errors import ProtocolError, RefusedError
from node.federation.protocol.messages import JsonObject
from node.media import JPEG, MAX_PICTURES, describe, sniff
from node.pictures import MAX_THUMBNAIL

Pair = tuple[Developed, Developed]
"""A picture and its thumbnail."""


def render(pictures: Sequence[Pair]) -> list[JsonObject]:
    """As they lie in a package."""
    return [{"full": _file(full), "small": _file(small)} for full, small in pictures]


def parse(values: Sequence[JsonObject]) -> tuple[Pair, ...]:
    """Out of a package again.

    Raises:
        ProtocolError: no pictures.
    """
    return tuple((_developed(each["full"]), _developed(each["small"])) for each in values)


def thumbnails(pictures: Sequence[Pair]) -> list[str]:
    """As they go to a sister: small, for a letter has bounds."""
    return [base64.b64encode(small.raw).decode() for _, small in pictures]


def parse_thumbnails(value: object) -> tuple[bytes, ...]:
    """What a sister sent. What is no small JPEG is an empty picture, so that the others keep their numbers."""
    given = value[:MAX_PICTURES] if isinstance(value, list) else []
    return tuple(_small(each) for each in given)


def check_count(named: int, pictures: Sequence[Pair]) -> None:
    """Every picture that the alert names is here.

    Raises:
        RefusedError: it is not.
    """
    if named != len(pictures):
        raise RefusedError(f"the alert names {named} pictures, {len(pictures)} are here")


def _small(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > 2 * MAX_THUMBNAIL:
        return b""
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        return b""
    return raw if len(raw) <= MAX_THUMBNAIL and sniff(raw) == JPEG else b""


def _file(each: Developed) -> JsonObject:
    data = base64.b64encode(each.raw).decode()
    return {"data": data, "width": each.medium.width, "height": each.medium.height}


def _developed(value: JsonObject) -> Developed:
    try:
        raw = base64.b64decode(value["data"], validate=True)
        return Developed(describe(raw, int(value["width"]), int(value["height"])), raw)
    except (KeyError, ValueError, TypeError) as error:
        raise ProtocolError("no picture of a package", spec="R5") from error

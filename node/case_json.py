"""Frozen values as JSON and back, strictly: every field known, every type right, every text within bounds.

What is sealed to a public key can be written by anybody who can write to the database: so what is opened is read as a
stranger's document is. Moments are RFC 3339 in UTC.
"""

import dataclasses
from datetime import UTC, datetime
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from node.alert_forms import parse_moment
from node.errors import ProtocolError
from node.federation.protocol.messages import JsonObject

T = TypeVar("T")
MAX_TEXT = 40_000
MAX_ITEMS = 500
_SPEC = "Tadamun case 1"


def to_json(value: Any) -> Any:
    """A frozen value as plain JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    return value


def from_json(kind: type[T], value: object, where: str = "case") -> T:
    """A frozen value again.

    Raises:
        ProtocolError: a field that is missing, unknown, or of another type.
    """
    if not isinstance(value, dict):
        raise ProtocolError(f"{where}: no object", spec=_SPEC)
    hints = get_type_hints(kind)
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(value) - set(fields))
    if unknown:
        raise ProtocolError(f"{where}: {unknown[0][:40]!r} is not known", spec=_SPEC)
    read: JsonObject = {}
    for name, each in fields.items():
        if name in value:
            read[name] = _read(hints[name], value[name], f"{where}.{name}")
        elif each.default is dataclasses.MISSING:
            raise ProtocolError(f"{where}.{name} is missing", spec=_SPEC)
    return kind(**read)


def _read(kind: Any, value: object, where: str) -> Any:
    if get_origin(kind) is UnionType:
        return None if value is None else _read(get_args(kind)[0], value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise ProtocolError(f"{where}: no list of up to {MAX_ITEMS}", spec=_SPEC)
        return tuple(_read(get_args(kind)[0], each, f"{where}[{number}]") for number, each in enumerate(value))
    if kind is datetime:
        return _moment(value, where)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return from_json(kind, value, where)
    if type(value) is not kind or (isinstance(value, str) and len(value) > MAX_TEXT):
        raise ProtocolError(f"{where}: no {kind.__name__} within bounds", spec=_SPEC)
    return value


def _moment(value: object, where: str) -> datetime:
    try:
        return parse_moment(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ProtocolError(f"{where}: no moment", spec="RFC 3339 §5.6") from error

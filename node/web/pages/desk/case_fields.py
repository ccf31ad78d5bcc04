"""Fields of a form, and frozen values: what a form shows of a value, and what a value becomes by what was typed.

A form is a list of fields, each named as the value's own field. What was typed stays on the page when it is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from node.alert_forms import clean, latin_digits, parse_moment
from node.case_json import MAX_TEXT
from node.errors import RefusedError
from node.web.desk import Fields

Shown = Mapping[str, tuple[str, ...]]
"""Field → what stands in it; of boxes those that are ticked."""
_LINE = 600
_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    name: str
    kind: str
    """line, text, lines, number, choice, many, tick, maybe, day (its end), moment."""
    options: tuple[str, ...] = ()
    words: str = ""
    """The vocabulary of the options."""
    required: bool = False
    group: str = ""
    """What is seldom needed stands under one heading that opens."""


def shown(value: object, fields: Iterable[Field]) -> Shown:
    """What a form shows of a value."""
    return MappingProxyType({each.name: _shown(getattr(value, each.name)) for each in fields})


def typed(given: Fields, fields: Iterable[Field]) -> Shown:
    """What was typed, as it was."""
    return MappingProxyType({each.name: given.all(each.name) for each in fields})


def read(given: Fields, fields: Sequence[Field]) -> dict[str, Any]:
    """Field → value, to be put into a frozen value with `replace`.

    Raises:
        RefusedError: one reason for each field that cannot be read.
    """
    found: dict[str, Any] = {}
    reasons = []
    for each in fields:
        try:
            found[each.name] = _value(each, given)
        except ValueError as error:
            reasons.append(f"{each.name}: {error}")
    if reasons:
        raise RefusedError(*reasons)
    return found


def _shown(value: object) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(str(each) for each in value)
    if isinstance(value, datetime):
        return (value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M"),)
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    return (str(value),) if value else ()


def _value(field: Field, given: Fields) -> Any:
    text = clean(given.one(field.name))
    if field.required and not text:
        raise ValueError("empty")
    match field.kind:
        case "tick":
            return text == "yes"
        case "maybe":
            return {"yes": True, "no": False}.get(text)
        case "many":
            return tuple(each for each in field.options if each in given.all(field.name))
        case "lines":
            return _lines(text)
        case "day" | "moment":
            return _moment(field.kind, text)
        case "number":
            number = latin_digits(text)
            return int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
        case "choice":
            return _chosen(field, text)
    if len(text) > (_LINE if field.kind == "line" else MAX_TEXT // 2):
        raise ValueError("too long")
    return text


def _lines(text: str) -> tuple[str, ...]:
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(found) > _ITEMS or any(len(line) > 2 * _LINE for line in found):
        raise ValueError("too many or too long")
    return found


def _chosen(field: Field, text: str) -> str:
    if text and text not in field.options:
        raise ValueError("not in the list")
    return text


def _moment(kind: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        if kind == "day":
            return parse_moment(text[:10])
        return parse_moment(text if "Z" in text.upper() or "+" in text else f"{text[:16]}:00Z")
    except ValueError as error:
        raise ValueError("write a day, as 2026-11-20") from error

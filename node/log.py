"""One logfmt line for each finished unit of work.

INFO: the world changed. WARNING: an operator should look. ERROR: our bug. Never a body, a key, a token or an address:
values are names, counts and ids, cut at 200 characters.
"""

import logging
import sys
from typing import Any

_LOGGER = logging.getLogger("tadamun")


def start(level: int = logging.INFO) -> None:
    """Send log lines to stderr; called once by the command line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s level=%(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    _LOGGER.handlers[:] = [handler]
    _LOGGER.setLevel(level)
    _LOGGER.propagate = False


def info(event: str, **facts: Any) -> None:
    """The world changed."""
    if _LOGGER.isEnabledFor(logging.INFO):
        _LOGGER.info(line(event, facts))


def warning(event: str, **facts: Any) -> None:
    """An operator should look."""
    _LOGGER.warning(line(event, facts))


def error(event: str, *, exception: BaseException | None = None, **facts: Any) -> None:
    """Our bug; the traceback stands once, here."""
    _LOGGER.error(line(event, facts), exc_info=exception)


def line(event: str, facts: dict[str, Any]) -> str:
    """`event=… name=value …`, quoted where a value needs it."""
    return " ".join([f"event={event}", *(f"{name}={_value(value)}" for name, value in facts.items())])


def _value(value: Any) -> str:
    text = str(value)[:200]
    if text and not any(mark in text for mark in ' "=\n\r\t\\'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'

"""An operator's picture files become what may be published: read, made anew in a process apart, kept by digest.

Nothing of the original is kept. `develop` runs before the transaction, and in the operator's command, never in the
server; `keep` is part of the transaction that publishes, so that no row names bytes that are not on the disk.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from sqlalchemy import Connection

from node.alert_input import Shot
from node.desk import darkroom
from node.errors import ProtocolError, RefusedError
from node.media import Medium, describe
from node.models import media
from node.models.organisations import Organisation
from node.models.storage import Storage
from node.pictures import MAX_INPUT

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Developed:
    """One file that was made anew."""

    medium: Medium
    raw: bytes


def develop(
    folder: Path, shots: Sequence[Shot], *, room: str = darkroom.__name__
) -> tuple[tuple[Developed, Developed], ...]:
    """Each picture with its thumbnail.

    Args:
        folder: where the alert's file lies; a picture lies there or below.
        room: the module that runs in the process apart.

    Raises:
        RefusedError: one reason for each file that is not there, leads elsewhere or is no picture.
    """
    found: list[tuple[Developed, Developed]] = []
    reasons: list[str] = []
    for number, shot in enumerate(shots):
        try:
            found.append(_made_anew(_read(folder, shot.file), room))
        except RefusedError as error:
            reasons += [f"media[{number}].file: {reason}" for reason in error.reasons]
    if reasons:
        raise RefusedError(*reasons)
    return tuple(found)


def keep(
    connection: Connection, organisation: Organisation, storage: Storage,
    pictures: Sequence[tuple[Developed, Developed]], now: datetime,
) -> tuple[tuple[Medium, Medium], ...]:  # fmt: skip
    """The bytes onto the disk, then the rows that say so."""
    for each in (file for pair in pictures for file in pair):
        storage.put(each.medium.digest, each.raw)
        media.hold(connection, organisation.did, each.medium, now)
    return tuple((full.medium, small.medium) for full, small in pictures)


def _read(folder: Path, name: str) -> bytes:
    root = folder.resolve()
    path = (root / name).resolve()
    if root not in path.parents:
        raise RefusedError(f"{name[:80]!r} leads out of the folder of the alert's file")
    try:
        if not path.is_file():
            raise RefusedError(f"there is no file {name[:80]!r} beside the alert's file")
        with path.open("rb") as file:
            raw = file.read(MAX_INPUT + 1)
    except OSError as error:
        raise RefusedError(f"{name[:80]!r} cannot be read: {error.strerror}") from error
    if len(raw) > MAX_INPUT:
        raise RefusedError(f"{name[:80]!r} has more than {MAX_INPUT} bytes")
    return raw


def _made_anew(raw: bytes, room: str) -> tuple[Developed, Developed]:
    # -P: a folder called "node" where the command is run is not ours.
    command = [sys.executable, "-P", "-m", room]
    try:
        done = subprocess.run(command, input=raw, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise RefusedError("R5: the picture took too long to decode") from error
    if done.returncode == darkroom.REFUSED:
        raise RefusedError(f"R5: {done.stderr.decode(errors='replace')[:200]}")
    if done.returncode != 0:
        raise RefusedError("R5: the picture could not be decoded within the bounds of memory and time")
    return _parse(done.stdout)


def _parse(out: bytes) -> tuple[Developed, Developed]:
    """What the darkroom hands out is looked at like a stranger's: a decoder may have been taken over in there."""
    head, _, rest = out.partition(b"\n")
    found: list[Developed] = []
    try:
        for size, width, height in orjson.loads(head):
            raw, rest = rest[:size], rest[size:]
            found.append(Developed(describe(raw, width, height), raw))
        full, small = found
    except (ValueError, TypeError, ProtocolError) as error:
        raise RefusedError("R5: the picture could not be decoded") from error
    return full, small

"""What the commands of working groups share: who acts, what the shell opens, and how texts come in."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from node import group_entries as entries
from node.app import utc_now
from node.commands.context import Office
from node.desk import groups as desk
from node.desk.groups import Heard
from node.desk.networks import Desk
from node.errors import RefusedError
from node.models import rooms

T = TypeVar("T")
MOST = 128 * 1024
"""Bytes of a file that is read in."""


def tell_what_was_said(office: Office, work: Callable[[Desk], tuple[entries.GroupEntry, Any]]) -> None:
    """Say something inside, and print what became of it."""
    made, sent = act(office, work)
    to = len(sent.to) if sent else 0
    value = {"entry": made.digest, "to": list(sent.to) if sent else []}
    office.show(value, [f"said       {made.digest}", f"sealed to  {to} other organisations"])


def heard(office: Office, name: str) -> Sequence[Heard]:
    """What was said in a group, as far as the shell opens it."""
    org = office.organisation.did

    def read(connection: Connection) -> Sequence[Heard]:
        return desk.history(connection, org, desk.place(connection, org, name).group, secrets_of(office))

    return office.read(read)


def entry_of(office: Office, name: str, digest: str) -> entries.GroupEntry:
    """One entry by the first letters of its digest.

    Raises:
        RefusedError: none, or several.
    """
    fitting = [each.entry for each in heard(office, name) if each.entry.digest.startswith(digest)]
    if len(fitting) != 1:
        raise RefusedError("no such entry, or several begin so; 'tadamun group read' shows them")
    return fitting[0]


def names_of(office: Office, name: str) -> dict[str, str]:
    """did → name of the members of a group's network."""
    org = office.organisation.did
    at = office.read(lambda connection: desk.place(connection, org, name))
    return {each.did: each.name for each in at.state.members.values()}


def secrets_of(office: Office) -> tuple[str, ...]:
    """What the shell opens: all of it while nobody signed in to this node, nothing that came later."""
    org, keyring = office.organisation.did, office.node.keyring
    return office.read(lambda connection: rooms.network_secrets(connection, org, keyring))


def act(office: Office, work: Callable[[Desk], T]) -> T:
    """One act of the organisation, in one transaction."""
    organisation, key = office.organisation, office.key
    return office.write(lambda connection: work(Desk(connection, organisation, key, utc_now())))


def text_of(text: str) -> str:
    """A text as typed, or of the file that @FILE names.

    Raises:
        BadParameter: no such file, or a larger one than is carried.
    """
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    if not path.is_file() or path.stat().st_size > MOST:
        raise click.BadParameter(f"{path}: a text file of up to {MOST} bytes")
    return path.read_text(encoding="utf-8")


def json_of(file: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        RefusedError: there is none in it.
    """
    try:
        value = json.loads(text_of(f"@{file}"))
    except ValueError as error:
        raise RefusedError(f"{file.name} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError(f"{file.name}: an object, as 'tadamun group plan --help' shows")
    return value

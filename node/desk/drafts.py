"""A charter before it is frozen: proposed and commented on inside a working group, version after version.

A draft is an entry of the group (`group_entries`), sealed to who is in it; its text is the same JSON value that
`charters` freezes. Whoever is in the group may write one or a version of one, and comment on it by article. Freezing is
one organisation's public act, and names the text by the same digest that the draft had.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from node import charter_differences as differences
from node import charter_texts as texts
from node import group_entries as entries
from node.charter_differences import Difference
from node.charter_texts import CharterText
from node.desk import charters, groups
from node.desk.networks import Desk
from node.errors import ProtocolError, RefusedError
from node.federation.letters import Sent
from node.federation.outbox import Published
from node.group_entries import GroupEntry


@dataclass(frozen=True, slots=True)
class Draft:
    """One proposed text as it stands."""

    entry: GroupEntry
    """Its newest version."""
    text: CharterText
    earlier: tuple[GroupEntry, ...]
    """The versions before, oldest first."""
    comments: tuple[GroupEntry, ...]
    """On all of its versions."""
    changed: Mapping[str, tuple[Difference, ...]]
    """By language, what the newest version changed."""


def current(connection: Connection, org: str, name: str, secrets: Sequence[str]) -> tuple[Draft, ...]:
    """The drafts of a group, as far as these secrets open them, the newest first."""
    at = groups.place(connection, org, name)
    heard = [each.entry for each in groups.history(connection, org, at.group, secrets)]
    held = {each.digest: each for each in heard if each.kind == entries.DRAFT and _text(each) is not None}
    replaced = {each.about for each in held.values()}
    newest = [each for each in held.values() if each.digest not in replaced]
    comments = [each for each in heard if each.kind == entries.COMMENT]
    return tuple(_draft(each, held, comments) for each in reversed(newest))


def find(connection: Connection, org: str, name: str, digest: str, secrets: Sequence[str]) -> Draft:
    """One draft by the digest of its newest version, or the first letters of it.

    Raises:
        RefusedError: there is none that is opened here.
    """
    fitting = [each for each in current(connection, org, name, secrets) if each.entry.digest.startswith(digest)]
    if len(fitting) != 1 or not digest:
        raise RefusedError("no such draft that is opened here; 'tadamun group drafts' shows them")
    return fitting[0]


def propose(
    desk: Desk, name: str, value: Any, secrets: Sequence[str], about: str = ""
) -> tuple[GroupEntry, Sent | None]:  # fmt: skip
    """Propose a text, or a version that takes the place of a draft.

    Args:
        value: as `charter_texts` reads it.
        about: the draft whose place it takes.

    Raises:
        RefusedError: a rule of the text forbids it, or we are not in the group.
    """
    try:
        text = texts.parse(texts.tidy(value))
    except ProtocolError as error:
        raise RefusedError(str(error)) from error
    if about:
        about = find(desk.connection, desk.own, name, about, secrets).entry.digest
    return groups.speak(desk, name, entries.DRAFT, {"text": text.value}, about=about, language=text.language(""))


def freeze(desk: Desk, name: str, digest: str, secrets: Sequence[str], adoption: str = "each") -> Published:
    """Publish a draft as it stands: everybody reads it, and nobody can change it any more.

    Raises:
        RefusedError: there is no such draft, or a rule of charters forbids it.
    """
    found = find(desk.connection, desk.own, name, digest, secrets)
    made = charters.draft(desk.connection, desk.organisation, found.text.value, desk.now, adoption=adoption)
    return charters.freeze(desk.connection, desk.organisation, desk.key, made, desk.now)


def _draft(entry: GroupEntry, held: Mapping[str, GroupEntry], comments: Sequence[GroupEntry]) -> Draft:
    chain: list[GroupEntry] = []
    about = entry.about
    while about in held and held[about] not in chain:
        chain.append(held[about])
        about = held[about].about
    names = {entry.digest, *(each.digest for each in chain)}
    text = texts.parse(entry.says["text"])
    changed = differences.compare(texts.parse(chain[0].says["text"]), text) if chain else {}
    return Draft(
        entry, text, tuple(reversed(chain)), tuple(each for each in comments if each.about in names), changed
    )


def _text(entry: GroupEntry) -> CharterText | None:
    try:
        return texts.parse(entry.says["text"])
    except ProtocolError:
        return None

"""An organisation says which alerts of its network `@alerts` of its host passes on. At first: none."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node.boosts import Rule
from node.errors import RefusedError
from node.models import boosts, contacts, organisations
from node.models.organisations import Organisation


@dataclass(frozen=True, slots=True)
class Asked:
    """What `@alerts` of a host is asked to boost."""

    handle: str
    """`@alerts@host`."""
    followers: int
    rules: tuple[Rule, ...]


def choose(
    connection: Connection, organisation: Organisation, wanted: Collection[tuple[str, str]], now: datetime, *,
    anew: bool = False,
) -> Asked:  # fmt: skip
    """Boost these from now on, too.

    Args:
        wanted: country and kind, each empty for any.
        anew: and nothing else: what was asked for earlier counts no more.

    Raises:
        RefusedError: another organisation looks after the `@alerts` of this host.
    """
    asked(connection, organisation)
    if anew:
        boosts.ask_for_none(connection, organisation.did)
    boosts.ask_for(connection, organisation.did, [Rule(country, kind, now) for country, kind in wanted])
    return asked(connection, organisation)


def asked(connection: Connection, organisation: Organisation) -> Asked:
    """What it boosts now.

    Raises:
        RefusedError: another organisation looks after the `@alerts` of this host.
    """
    voice = boosts.voice_of(organisation, organisations.all_of(connection))
    if voice is None:
        raise RefusedError("another organisation looks after the @alerts of this host: name it with --org")
    return Asked(
        f"@{voice.handle}@{voice.origin.partition('://')[2]}",
        contacts.count_followers(connection, voice.key),
        boosts.asked_for(connection, organisation.did),
    )

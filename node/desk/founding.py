"""An organisation begins on a node: what it is called, its keys, what it holds of others, its first log entry.

The command line (`init`) and the pages of the set-up (`web/pages/setup.py`) ask; what may be answered, and what is then
made, stands here. The recovery key is the caller's: it is on paper before this begins, and only its commitment comes
here.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from node.alert_forms import clean
from node.desk import policies, profile
from node.errors import ProtocolError, RefusedError
from node.federation import letterbox, outbox
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.models import organisations
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.policies import Rule

_HANDLE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_LOOPBACK = ("127.", "localhost", "[::1]")
_LONGEST_HANDLE = 30


@dataclass(frozen=True, slots=True)
class Founding:
    """What somebody wants to begin."""

    origin: str
    """`https://host`: where the organisation answers, and the first gateway of its ids."""
    name: str
    handle: str
    language: str
    """BCP 47: its main language."""
    country: str = ""
    """ISO 3166-1, two letters."""
    summary: str = ""
    listed: bool = False
    wishes: tuple[Rule, ...] = ()
    """Which alerts of others it holds and shows, where that differs from all."""

    @property
    def address(self) -> str:
        """`@handle@host`."""
        return f"@{self.handle}@{self.origin.partition('://')[2]}"


def check(asked: Founding, here: Collection[Organisation], *, loopback: bool) -> Founding:
    """What was asked for, in the one spelling that is kept.

    Args:
        here: who lives on this node already.
        loopback: this is a node of a test or a demo.

    Raises:
        RefusedError: each reason begins with the name of the field that it is about.
    """
    handle = asked.handle.lower().removeprefix("@")
    reasons = []
    if not handle or len(handle) > _LONGEST_HANDLE or not set(handle) <= _HANDLE:
        reasons.append("handle takes 1 to 30 of a-z, 0-9 and _: other servers read no other")
    name, summary = clean(asked.name).strip(), clean(asked.summary).strip()
    if not name or len(name) > profile.MAX_NAME or "\n" in name:
        reasons.append(f"name takes one line of 1 to {profile.MAX_NAME} characters")
    if len(summary) > profile.MAX_SUMMARY:
        reasons.append(f"summary takes up to {profile.MAX_SUMMARY} characters")
    try:
        profile.check_country(asked.country)
    except RefusedError:
        reasons.append("country takes the two letters of ISO 3166-1, such as IQ")
    origin = ""
    try:
        origin = _origin(asked.origin, loopback=loopback)
    except RefusedError as error:
        reasons += error.reasons
    if reasons:
        raise RefusedError(*reasons)
    checked = replace(
        asked, origin=origin, handle=handle, name=name, summary=summary, country=asked.country.upper()
    )
    for each in here:
        if each.address == checked.address and not each.successor:
            raise RefusedError(f"{each.address} lives on this node already ({each.did})")
    return checked


def origin_at(host: str, *, loopback: bool) -> str:
    """The origin of whoever answers at a host name: by https, but for onion hosts and for those of a test or a demo."""
    plain = host.endswith(".onion") or ".onion:" in host or (loopback and host.startswith(_LOOPBACK))
    return f"{'http' if plain else 'https'}://{host}"


def _origin(origin: str, *, loopback: bool) -> str:
    try:
        found = ids.origin_of_location(origin)
    except ProtocolError as error:
        raise RefusedError(f"origin takes https://host: {error}") from error
    if origin.rstrip("/") != found:
        raise RefusedError(f"origin takes the bare origin, {found}")
    onion = found.endswith(".onion") or ".onion:" in found
    if found.startswith("http://") and not (loopback or onion):
        raise RefusedError("origin needs https (plain http is for onion hosts, and for tests with allow_networks)")
    return found


def begin(
    connection: Connection, keyring: Keyring, checked: Founding, key: OrganisationKey, commitment: str, now: datetime
) -> Organisation:
    """Keep it, and say its first word: log entry 1, which carries the commitment to the recovery key. The key lies in
    the keyring already.
    """
    made = Organisation(
        did=key.did, handle=checked.handle, name=checked.name, summary=checked.summary, language=checked.language,
        country=checked.country, origin=checked.origin, recovery=commitment, hold="", made=now, listed=checked.listed,
    )  # fmt: skip
    organisations.add(connection, made)
    letterbox.begin(connection, keyring, made, now)
    policies.decide(connection, made, list(checked.wishes), now)
    outbox.publish_actor(connection, made, key, keyring.rsa(made.did).public_key(), now)
    return made

"""What an organisation says of itself: name, summary, country, whether it is listed; and how it is reached.

The first four are its actor document, a log entry that members and followers get. How it is reached stands on this
node's own pages, and no other server is told: the page for confidential requests and the safe ways beside it, whom
journalists and whom moderators of other servers may ask.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from sqlalchemy import Connection

from node.alert_forms import clean
from node.errors import RefusedError
from node.federation import outbox
from node.federation.protocol.keys import OrganisationKey
from node.models import organisations
from node.models.organisations import Organisation

MAX_NAME, MAX_SUMMARY, MAX_CONTACT = 200, 2_000, 200
_LINES: Mapping[str, str] = MappingProxyType({
    "press_contact": f"the contact for journalists is one line of up to {MAX_CONTACT} characters",
    "moderators_contact": f"the contact for moderators is one line of up to {MAX_CONTACT} characters",
    "safe_channels": f"the safe ways to reach us are one line of up to {MAX_CONTACT} characters",
})  # fmt: skip
"""Fields that are a line of this node's own pages → what is said where one is not."""
HERE = frozenset({*_LINES, "requests"})
"""What no other server is told."""
FIELDS = ("name", "summary", "country", "listed", *HERE)


def change(
    connection: Connection, organisation: Organisation, key: OrganisationKey, rsa: RSAPublicKey,
    given: Mapping[str, str | bool], now: datetime,
) -> tuple[Mapping[str, str | bool], int | None]:  # fmt: skip
    """Keep what is given, and say it where others are told.

    Args:
        given: some of `FIELDS`; what stays out stays as it is.

    Returns:
        What is new, and the number of the log entry that says so; `None` where nobody else is told.

    Raises:
        RefusedError: a value that is none, or publishing is on hold.
    """
    wanted = {name: _checked(name, value) for name, value in given.items() if name in FIELDS}
    before = organisations.lock(connection, organisation.did)
    changes = {name: value for name, value in wanted.items() if value != getattr(before, name)}
    if not changes:
        return changes, None
    organisations.describe(connection, organisation.did, **changes)
    if HERE.issuperset(changes):
        return changes, None
    changed = organisations.lock(connection, organisation.did)
    return changes, outbox.publish_actor(connection, changed, key, rsa, now).sequence


def check_country(country: str) -> None:
    """Two letters, or nothing.

    Raises:
        RefusedError: something else.
    """
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise RefusedError("a country is two letters of ISO 3166-1, as IQ")


def _checked(name: str, value: str | bool) -> str | bool:
    if isinstance(value, bool):
        return value
    if name == "country":
        check_country(value)
        return value.upper()
    if name in _LINES:
        if len(value) > MAX_CONTACT or value != clean(value) or "\n" in value:
            raise RefusedError(_LINES[name])
        return value
    value = clean(value)
    if name == "name":
        value = " ".join(value.split())
    if name == "name" and not 0 < len(value) <= MAX_NAME:
        raise RefusedError(f"a name has 1 to {MAX_NAME} characters")
    if name == "summary" and len(value) > MAX_SUMMARY:
        raise RefusedError(f"a summary has up to {MAX_SUMMARY} characters")
    return value

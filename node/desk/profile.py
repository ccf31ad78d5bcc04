"""What an organisation says of itself: name, summary, country, whether it is listed; and whom journalists may ask.

All but the last is its actor document, a log entry that members and followers get. The contact for the press stands on
this node's page for journalists only.
"""

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from sqlalchemy import Connection

from node.alert_forms import clean
from node.errors import RefusedError
from node.federation import outbox
from node.federation.protocol.keys import OrganisationKey
from node.models import organisations
from node.models.organisations import Organisation

MAX_NAME, MAX_SUMMARY, MAX_CONTACT = 200, 2_000, 200
PRESS = "press_contact"
FIELDS = ("name", "summary", "country", "listed", PRESS)


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
    if set(changes) == {PRESS}:
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
    value = clean(value) if name != PRESS else value
    if name == PRESS and (len(value) > MAX_CONTACT or value != clean(value) or "\n" in value):
        raise RefusedError(f"the contact for journalists is one line of up to {MAX_CONTACT} characters")
    if name == "name":
        value = " ".join(value.split())
    if name == "name" and not 0 < len(value) <= MAX_NAME:
        raise RefusedError(f"a name has 1 to {MAX_NAME} characters")
    if name == "summary" and len(value) > MAX_SUMMARY:
        raise RefusedError(f"a summary has up to {MAX_SUMMARY} characters")
    return value

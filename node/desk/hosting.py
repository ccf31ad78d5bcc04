"""A sister organisation keeps a place on its node for a small one that has no machine of its own.

The small one is an organisation like any other: its own keys, its own people, its own log, at a host name of its own
that leads to the same machine. Who runs the machine could read its keys from the disk, so it is for organisations that
trust each other; and it can leave at any time, by succession, to a node of its own.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import people_keys
from node.desk import founding
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.models import audit, hostings, organisations
from node.models.hostings import Hosting
from node.models.organisations import Organisation
from node.people import Person

KEPT = timedelta(hours=72)


def keep_place(
    connection: Connection, organisation: Organisation, by: Person, host: str, now: datetime, *, loopback: bool
) -> tuple[str, datetime]:
    """Keep a place for whoever answers at this host name; returns the link to hand over, and until when it holds.

    Args:
        loopback: this is a node of a test or a demo.

    Raises:
        RefusedError: nobody who may, no host name, or somebody lives there already.
    """
    if not by.may("people"):
        raise RefusedError("only a coordinator keeps a place for another organisation")
    found = host.strip().lower().removeprefix("https://").rstrip("/")
    try:
        origin = ids.origin_of_location(founding.origin_at(found, loopback=loopback))
    except ProtocolError as error:
        raise RefusedError("write the host name alone, such as small.example.org") from error
    name = origin.partition("://")[2]
    if any(each.host == name for each in organisations.all_of(connection)):
        raise RefusedError("an organisation of this node answers at this host name: each needs one of its own")
    token, until = people_keys.new_token(), now + KEPT
    hostings.add(connection, Hosting(people_keys.digest(token), organisation.did, name, until))
    audit.append(connection, organisation.did, "host", name, now, person=by.id, role=by.role_for("people"))
    return f"{origin}/setup/{token}", until


def answers_here(connection: Connection, host: str, now: datetime) -> bool:
    """Whether a certificate for this host name is this machine's: somebody lives there, or a place is kept."""
    name = host.lower()
    return any(each.host == name for each in organisations.all_of(connection)) or hostings.is_kept(
        connection, name, now
    )

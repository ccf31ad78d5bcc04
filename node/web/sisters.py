"""Where else the same alert can be read: members' nodes that may be named and that answered lately.

Rules, in order: the member agreed to be listed, is a member still, and is not frozen; heads were compared with it
within a day, and its host did not fail lately; it keeps the author's log, as far as can be known from here: it is the
author, or the alert is ours and it once showed us its heads, which it does to whom it pinned, or both are members of a
network of ours. The author comes first, then whom we know longest; at most five, each host once, and never our own.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from node.federation.protocol import ids
from node.models import contacts, declarations, deliveries, networks
from node.models.alerts import AlertRecord
from node.models.contacts import Member
from node.models.organisations import Organisation

MOST = 5
LATELY = timedelta(hours=24)


def addresses(
    connection: Connection, organisation: Organisation, record: AlertRecord, now: datetime
) -> tuple[str, ...]:
    """The addresses of this alert on sister nodes; a page has the same name on all of them."""
    if record.status != "actual":
        return ()
    silent = deliveries.closed_hosts(connection)
    together = _together(connection, organisation.did, record.did)
    members = [
        member
        for member in contacts.members_of(connection, organisation.did)
        if _may_be_named(member, now)
        and ids.host_of(member.uri) not in silent
        and (member.did in together or _knows_us(connection, organisation.did, member.did, record.did))
    ]
    members.sort(key=lambda member: (member.did != record.did, member.pinned, member.did))
    origins = dict.fromkeys(ids.origin_of_location(member.uri) for member in members)
    origins.pop(organisation.origin, None)
    return tuple(f"{origin}/alerts/{record.page}" for origin in origins)[:MOST]


def _together(connection: Connection, org: str, author: str) -> frozenset[str]:
    """The author, and who is in a network with it: members of one network pin each other."""
    joined = (networks.state_of(connection, org, each.network).members for each in networks.all_of(connection, org))
    return frozenset({author}.union(*(members for members in joined if author in members)))


def _knows_us(connection: Connection, org: str, member: str, author: str) -> bool:
    return author == org and declarations.claim(connection, org, member) is not None


def _may_be_named(member: Member, now: datetime) -> bool:
    answered = member.synced is not None and now - LATELY <= member.synced <= now + LATELY
    return member.listed and member.frozen is None and answered

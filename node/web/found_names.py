"""Which organisations and working groups a search may name, and where each has its page.

In public those whom a page names already: ourselves, members that said that they may be listed, the working groups that
we show. At the desk everybody whom this node knows, as its other pages do.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from node import search as rules
from node.desk import groups
from node.federation.protocol import ids
from node.models import alerts, contacts, documents, networks
from node.models.contacts import Member
from node.models.organisations import Organisation
from node.search import Query
from node.web import directories
from node.web.languages import Languages

MOST = 10


@dataclass(frozen=True, slots=True)
class FoundName:
    """One organisation or working group, as it is named."""

    path: str
    """Of its page; empty where it has none."""
    name: str
    handle: str = ""
    country: str = ""
    language: str = ""
    did: str = ""


def answering(
    connection: Connection, organisation: Organisation, query: Query, languages: Languages, *, desk: bool,
    without: frozenset[str] = frozenset(),
) -> tuple[FoundName, ...]:  # fmt: skip
    """Those whose name, address or country answers, each once.

    Args:
        without: actors that are not to be found.
    """
    found: dict[str, FoundName] = {}
    for each in (*_organisations(connection, organisation, desk=desk), *_groups(connection, organisation, desk=desk)):
        names = languages.countries(each.country) if each.country else ()
        key = each.did or each.path
        hidden = bool(each.did) and str(ids.Portable(each.did, "/actor")) in without
        if key not in found and not hidden and query.fits(rules.text_of([each.name, each.handle, *names])):
            found[key] = each
    return tuple(found.values())[:MOST]


def _organisations(connection: Connection, organisation: Organisation, *, desk: bool) -> Iterator[FoundName]:
    org = organisation.did
    yield FoundName(
        f"/@{organisation.handle}", organisation.name, organisation.address, organisation.country,
        organisation.language, org,
    )  # fmt: skip
    members = {each.did: each for each in contacts.members_of(connection, org)}
    shown = None if desk else directories.shown(connection, organisation)
    hidden = shown[1].unlisted if shown else frozenset()
    for named in shown[1].directory.named if shown else ():
        path = _path(connection, org, members.get(named.did)) or "/members"
        yield FoundName(path, named.name, named.handle, named.country, did=named.did)
    for member in members.values():
        if desk or (member.listed and member.did not in hidden):
            country = _country(connection, member)
            yield FoundName(_path(connection, org, member), member.name, member.handle, country, did=member.did)
    if desk:
        yield from _in_networks(connection, org)


def _in_networks(connection: Connection, org: str) -> Iterator[FoundName]:
    for network in networks.all_of(connection, org):
        for did, standing in networks.state_of(connection, org, network.network).members.items():
            yield FoundName(f"/desk/networks/{network.network}", standing.name, "", standing.country, did=did)


def _groups(connection: Connection, organisation: Organisation, *, desk: bool) -> Iterator[FoundName]:
    for at in groups.places(connection, organisation.did) if desk else groups.shown(connection, organisation.did):
        path = f"/desk/groups/{at.group.digest}" if desk else f"/groups/{at.group.handle}"
        for language, name in at.group.names.items():
            yield FoundName(path, name, at.group.actor.handle if at.group.actor else "", language=language)


def _path(connection: Connection, org: str, member: Member | None) -> str:
    """Its page, where it has one."""
    if member is None or not alerts.has_page(connection, org, member):
        return ""
    return f"/organisations/{member.did}"


def _country(connection: Connection, member: Member) -> str:
    actor = documents.actor(connection, str(ids.Portable(member.did, "/actor")))
    value = actor.document.value.get("countryCode") if actor else None
    return value if isinstance(value, str) and len(value) == 2 else ""

"""What the network said, newest first: alerts and news, what was sealed to members, working groups, charters,
decisions, who came and who left, and whose key is declared untrusted. As far as the session opens it; what was
withdrawn is not there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import governance
from node.alert_terms import HELD_STATUSES
from node.desk import groups, sealed_alerts
from node.members import PASSED
from node.models import alerts, charters, contacts, declarations, documents, networks
from node.models import groups as group_rows
from node.models.organisations import Organisation

ALERTS, MEMBERS, GROUPS, CHARTERS, DECISIONS, PEOPLE, KEYS = (
    "alerts", "members", "groups", "charters", "decisions", "membership", "keys",
)  # fmt: skip
SORTS = (ALERTS, MEMBERS, GROUPS, CHARTERS, DECISIONS, PEOPLE, KEYS)
_MOST = 1_000
"""Of each sort; what is older stands on the pages of its own."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was said."""

    moment: datetime
    sort: str
    name: str
    """The organisation that said it."""
    what: str
    """A word of the vocabulary `timeline`."""
    headline: str = ""
    language: str = ""
    path: str = ""
    status: str = "actual"
    other: str = ""
    """The organisation that it is about."""


def items(
    connection: Connection, organisation: Organisation, secrets: Sequence[str], sort: str = ""
) -> tuple[Item, ...]:
    """Everything, or one sort of it.

    Args:
        secrets: of the room "network".
    """
    org = organisation.did
    names = {each.did: each.name for each in contacts.members_of(connection, org, all_states=True)}
    names[org] = organisation.name
    sources = {
        ALERTS: lambda: _alerts(connection, org, names),
        MEMBERS: lambda: _sealed(connection, org, names, secrets),
        GROUPS: lambda: _groups(connection, org, names, secrets),
        CHARTERS: lambda: _charters(connection, org, names),
        DECISIONS: lambda: _decisions(connection, org),
        PEOPLE: lambda: _membership(connection, org),
        KEYS: lambda: _keys(connection, org, names),
    }  # fmt: skip
    chosen = (sort,) if sort in SORTS else SORTS
    found = [item for each in chosen for item in sources[each]()]
    return tuple(sorted(found, key=lambda item: item.moment, reverse=True))


def _alerts(connection: Connection, org: str, names: Mapping[str, str]) -> Iterator[Item]:
    for each in alerts.newest(connection, org, statuses=HELD_STATUSES, limit=_MOST, translations=True):
        if each.translation_of is None:
            what = "news" if each.news_of else "closed" if each.state == "closed" else "alert"
            moment = each.updated if what == "closed" and each.updated else each.published
            yield Item(
                moment, ALERTS, names.get(each.did, each.did), what, each.headline, each.language,
                f"/alerts/{each.page}", each.status,
            )  # fmt: skip


def _sealed(
    connection: Connection, org: str, names: Mapping[str, str], secrets: Sequence[str]
) -> Iterator[Item]:
    for each in sealed_alerts.current(connection, org, secrets)[:_MOST]:
        note = each.main
        yield Item(
            each.sent, MEMBERS, names.get(each.author, each.author), "sealed", note.headline, note.language,
            f"/desk/network/{documents.page_name(each.about)}", note.status,
        )  # fmt: skip


def _groups(
    connection: Connection, org: str, names: Mapping[str, str], secrets: Sequence[str]
) -> Iterator[Item]:
    """What is said inside the groups that we are in; and what groups say to everyone."""
    for at in groups.places(connection, org):
        path = f"/desk/groups/{at.group.handle}"
        called = dict(networks.state_of(connection, org, at.network).members)
        if org in at.group.roles:
            for heard in groups.history(connection, org, at.group, secrets)[-_MOST:]:
                entry = heard.entry
                name = called[entry.author].name if entry.author in called else names.get(entry.author, entry.author)
                what = entry.kind if entry.kind in ("post", "document", "meeting", "plan", "review") else "said"
                title = entry.title or _group_name(at.group.names, entry.language)
                yield Item(entry.published, GROUPS, name, f"group-{what}", title, entry.language, path)
        told = group_rows.of_actors(connection, org, at.group.dids, group_rows.ANNOUNCED, _MOST)
        for update in told:
            name = names.get(update.author, update.author)
            title = _group_name(at.group.names, "")
            yield Item(update.received, GROUPS, name, "group-public", title, "", f"/groups/{at.group.handle}")


def _charters(connection: Connection, org: str, names: Mapping[str, str]) -> Iterator[Item]:
    for each in charters.newest(connection, org):
        yield Item(
            each.published, CHARTERS, names.get(each.did, each.did), "charter", each.title, each.language,
            f"/desk/charters/{documents.page_name(each.id)}",
        )  # fmt: skip


def _decisions(connection: Connection, org: str) -> Iterator[Item]:
    """What was put to a vote, and what was decided: dated by the last vote that is here."""
    for network, path, title, language in _networks(connection, org):
        state, acts = networks.state_of(connection, org, network), networks.acts_of(connection, org, network)
        called = _called(connection, org, network)
        for act in acts:
            tally = state.decisions.get(act.digest) if act.kind == governance.PROPOSE else None
            if tally is None:
                continue
            about = ", ".join(called.get(did, did) for did in tally.names)
            author = called.get(act.author, act.author)
            yield Item(act.published, DECISIONS, author, f"put-{tally.subject}", title, language, path, other=about)
            if tally.state == PASSED:
                votes = [each.published for each in acts if each.kind == governance.VOTE and each.about == act.digest]
                moment = max(votes, default=act.published)
                yield Item(moment, DECISIONS, author, f"passed-{tally.subject}", title, language, path, other=about)


def _membership(connection: Connection, org: str) -> Iterator[Item]:
    """Who founded a network, joined it, or left."""
    for network, path, title, language in _networks(connection, org):
        state, called = networks.state_of(connection, org, network), _called(connection, org, network)
        accepted = {each.accepted for each in state.members.values()}
        for act in networks.acts_of(connection, org, network):
            name = called.get(act.author, act.author)
            if act.kind == governance.FOUND:
                yield Item(act.published, PEOPLE, name, "founded", title, language, path)
            elif act.kind == governance.ACCEPT and act.digest in accepted:
                yield Item(act.published, PEOPLE, name, "joined", title, language, path)
            elif act.kind == governance.LEAVE:
                yield Item(act.published, PEOPLE, name, "left", title, language, path)


def _keys(connection: Connection, org: str, names: Mapping[str, str]) -> Iterator[Item]:
    for each in declarations.all_of(connection, org):
        yield Item(
            each.made, KEYS, names.get(each.by, each.by), "untrusted", path="/evidence",
            other=names.get(each.about, each.about),
        )  # fmt: skip


def _networks(connection: Connection, org: str) -> Iterator[tuple[str, str, str, str]]:
    """(digest, path, name, its language) of those that we are in."""
    for each in networks.all_of(connection, org):
        if org in networks.state_of(connection, org, each.network).members:
            language, name = next(iter(each.names.items()), ("", ""))
            yield each.network, f"/desk/networks/{each.network}", name, language


def _called(connection: Connection, org: str, network: str) -> dict[str, str]:
    """did → name, of all who ever accepted."""
    acts = networks.acts_of(connection, org, network)
    said = {act.author: str(act.says.get("name", "")) for act in acts if act.kind == governance.ACCEPT}
    known = networks.state_of(connection, org, network).members
    return {did: name for did, name in said.items() if name} | {did: each.name for did, each in known.items()}


def _group_name(names: Mapping[str, str], language: str) -> str:
    return names.get(language) or next(iter(names.values()), "")

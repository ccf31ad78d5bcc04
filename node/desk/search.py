"""What a search finds: in what is public, from its table; in what is sealed, by opening it for whoever asks.

In public nobody finds what the operator does not show, nor anything of an author whose key is frozen here; at the desk
the latter is found, with its caveat. What is sealed is in no table: it is opened in memory, the newest first, within
bounds of number and time, and what was not looked at is said. Bounds, each for one kind of thing: 500 opened, 21 found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from node import search as rules
from node.alerts import parse
from node.desk import approvals, cases, groups, sealed_alerts
from node.desk.cases import Opened
from node.desk.groups import Place
from node.desk.sealed_alerts import SealedAlert
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject
from node.group_entries import DOCUMENT, DRAFT, MEETING, PLAN, GroupEntry
from node.models import alerts, contacts, documents, organisations, search
from node.models import groups as updates
from node.models.alerts import AlertRecord
from node.models.approvals import Row
from node.models.organisations import Organisation
from node.models.search import Entry, Wanted
from node.search import Query
from node.search_objects import ALERT, POST, fields_of_alert, strings_of

T = TypeVar("T")
PER_PAGE = 20
MOST_PAGES = 50
MOST_READ = 20_000
"""Rows of the table that one search reads."""
MOST_OPENED = 500
_MOST_FOLLOWED = 200
_MOST_POSTS = 2_000
_REPLACED = (PLAN, DRAFT, DOCUMENT, MEETING)
Tired = Callable[[], bool]
"""Whether it took long enough."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One public thing that answers."""

    entry: Entry
    record: AlertRecord | None = None
    """Of an alert: in the language that was asked for, where that answers too."""
    group: Place | None = None
    """Of a post: the group that passed it on."""


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of what is public."""

    hits: tuple[Hit, ...] = ()
    more: bool = False
    partial: bool = False
    """What is older was not looked at."""


@dataclass(frozen=True, slots=True)
class Sifted(Generic[T]):
    """What answers among things that were opened."""

    found: tuple[T, ...] = ()
    more: bool = False
    looked: int = 0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said inside a group."""

    at: Place
    entry: GroupEntry


def public(
    connection: Connection, organisation: Organisation, query: Query, *, language: str = "",
    country: Callable[[str], Iterable[str]] = lambda code: (), page: int = 1, desk: bool = False,
) -> Hits:  # fmt: skip
    """What everybody may read and answers, the newest first; of an alert one language.

    Args:
        language: the one of them that the reader wants.
        country: country code → what it is called, in every language of the pages.
        desk: for somebody in session: what frozen authors said is found too.
    """
    if not query.terms:
        return Hits()
    org = organisation.did
    wanted = _wanted(connection, organisation, query, country)
    without = frozenset() if desk else frozen(connection, org)
    posts = _announced(connection, org, desk=desk)
    found: dict[str, list[Hit]] = {}
    start, partial = (page - 1) * PER_PAGE, False
    for some in search.answering(connection, org, wanted, without=without, most=MOST_READ):
        if some is None:
            partial = True
            break
        for hit in _hits(connection, org, some, posts):
            # One more than is shown says that there is more; its languages stand beside it.
            key = (hit.record.translation_of if hit.record else None) or hit.entry.object_id
            if key in found or len(found) <= start + PER_PAGE:
                found.setdefault(key, []).append(hit)
        if len(found) > start + PER_PAGE:
            break
    shown = [_best(each, language) for each in found.values()]
    return Hits(tuple(shown[start : start + PER_PAGE]), len(shown) > start + PER_PAGE, partial)


def frozen(connection: Connection, org: str) -> frozenset[str]:
    """Actors that are frozen here and that nobody succeeded: until somebody decides, a search leads to nothing of
    theirs.
    """
    members = contacts.members_of(connection, org, all_states=True, groups=True)
    held = (each for each in members if each.frozen is not None and each.state != contacts.SUCCEEDED)
    return frozenset(str(ids.Portable(each.did, "/actor")) for each in held)


def sealed(
    connection: Connection, org: str, secrets: tuple[str, ...], query: Query, names: Mapping[str, str], tired: Tired
) -> Sifted[SealedAlert]:  # fmt: skip
    """Alerts that members were sent.

    Args:
        names: did → what it is called.
    """

    def fits(found: SealedAlert) -> bool:
        texts = [text for note in found.notes for text in fields_of_alert(parse(note))]
        return query.fits(rules.text_of([*texts, names.get(found.author, "")]))

    return _sift(sealed_alerts.opening(connection, org, secrets) if secrets else (), fits, tired)


def in_cases(
    connection: Connection, org: str, secrets: tuple[str, ...], query: Query, title: Callable[[Opened], str],
    tired: Tired,
) -> Sifted[Opened]:  # fmt: skip
    """Cases, by their titles."""
    opened = cases.opening(connection, org, secrets) if secrets else ()
    return _sift(opened, lambda found: query.fits(rules.text_of([title(found)])), tired)


def in_groups(
    connection: Connection, org: str, secrets: tuple[str, ...], query: Query, names: Mapping[str, str], tired: Tired
) -> Sifted[Said]:  # fmt: skip
    """What was said inside working groups, in its newest version."""

    def each() -> Iterable[Said | None]:
        seen, replaced = set[str](), set[str]()
        for at in groups.places(connection, org):
            for heard in groups.opening(connection, org, at.group, secrets):
                yield None
                for entry in sorted((one.entry for one in heard), key=lambda one: one.published, reverse=True):
                    replaced |= {entry.about} if entry.kind in _REPLACED and entry.about else set()
                    if entry.digest not in seen | replaced:
                        seen.add(entry.digest)
                        yield Said(at, entry)

    def fits(found: Said) -> bool:
        return query.fits(rules.text_of([*strings_of(found.entry.says), names.get(found.entry.author, "")]))

    return _sift(each() if secrets else (), fits, tired)


def waiting(
    connection: Connection, org: str, secrets: tuple[str, ...], query: Query, tired: Tired
) -> Sifted[tuple[Row, JsonObject]]:
    """What waits for a second word, by all that whoever is asked reads."""
    opened = approvals.waiting(connection, org, secrets) if secrets else ()
    return _sift(opened, lambda found: query.fits(rules.text_of(strings_of(found[1]))), tired)


def _sift(items: Iterable[T | None], fits: Callable[[T], bool], tired: Tired) -> Sifted[T]:
    found: list[T] = []
    looked = 0
    for item in items:
        if looked >= MOST_OPENED or tired():
            return Sifted(tuple(found), looked=looked, partial=True)
        looked += 1
        if item is not None and fits(item):
            found.append(item)
            if len(found) > PER_PAGE:
                return Sifted(tuple(found[:PER_PAGE]), more=True, looked=looked)
    return Sifted(tuple(found), looked=looked)


def _wanted(
    connection: Connection, organisation: Organisation, query: Query, country: Callable[[str], Iterable[str]]
) -> tuple[Wanted, ...]:
    names = _authors(connection, organisation)
    there = {code: rules.text_of(country(code)) for code in search.countries(connection, organisation.did)}
    wanted = [
        Wanted(
            term,
            frozenset(actor for actor, name in names.items() if term.stands(name)),
            frozenset(code for code, name in there.items() if term.stands(name)),
        )
        for term in query.terms
    ]
    return tuple(sorted(wanted, key=_ways))  # what most do not answer is asked first


def _ways(wanted: Wanted) -> tuple[int, int]:
    longest = max(sum(map(len, needle.said)) for needle in wanted.term.needles)
    return len(wanted.authors) + len(wanted.countries) + len(wanted.term.needles), -longest


def _authors(connection: Connection, organisation: Organisation) -> dict[str, str]:
    """Actor → its folded names: ours, members', and those whose posts we asked for."""
    org = organisation.did
    names = {each.actor: (each.name, each.address) for each in organisations.all_of(connection)}
    for member in contacts.members_of(connection, org, all_states=True, groups=True):
        names[str(ids.Portable(member.did, "/actor"))] = (member.name, member.handle)
    for followed in contacts.followings_of(connection, org)[:_MOST_FOLLOWED]:
        if followed.actor not in names and (actor := documents.actor(connection, followed.actor)) is not None:
            names[followed.actor] = (actor.name, f"@{actor.handle}@{ids.host_of(actor.uri)}")
    return {actor: rules.text_of(each) for actor, each in names.items()}


def _announced(connection: Connection, org: str, *, desk: bool) -> dict[str, Place]:
    """Posts that a working group passed on → that group."""
    shown = groups.places(connection, org) if desk else groups.shown(connection, org)
    return {
        each.object_id: at
        for at in shown if at.group.dids
        for each in updates.of_actors(connection, org, at.group.dids, updates.ANNOUNCED, _MOST_POSTS)
    }  # fmt: skip


def _hits(
    connection: Connection, org: str, entries: Sequence[Entry], posts: Mapping[str, Place]
) -> Iterable[Hit]:
    """What rows stand for, as far as that is shown."""
    there = [each.object_id for each in entries if each.kind == ALERT]
    records = alerts.shown_among(connection, org, there) if there else {}
    for entry in entries:
        if entry.kind == ALERT and entry.object_id in records:
            yield Hit(entry, records[entry.object_id])
        elif entry.kind == POST and entry.object_id in posts:
            yield Hit(entry, group=posts[entry.object_id])
        elif entry.kind not in (ALERT, POST):
            yield Hit(entry)


def _best(hits: list[Hit], language: str) -> Hit:
    """Of one alert's languages that answer: the reader's, else the one it was written in, else any."""

    def rank(hit: Hit) -> tuple[bool, bool]:
        record = hit.record
        return record is None or record.language != language, record is None or record.translation_of is not None

    return min(hits, key=rank)

"""What leaves the node as files and comes in as files: logs, the proof of one alert, bundles from elsewhere.

Files for everyone hold what is addressed to everyone, and Deletes, which name a withdrawn text and do not tell it.
Exercises and tests stay with the members, and an unlisted member that has no public alert here is not named.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from node import bundles, kinds
from node.bundles import Bundle
from node.desk import groups
from node.desk.exports import Outlet, said_of
from node.effects import Refuse, ReplyLetter
from node.errors import ProtocolError, RefusedError
from node.federation import commit, outbox, pages
from node.federation.protocol import ids
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import parse_document
from node.federation.protocol.replicas import Head, Header
from node.federation.protocol.verification import Verified
from node.kinds import Surroundings
from node.media import Medium, check
from node.models import alerts, charters, contacts, deletes, documents, logs, media, organisations
from node.models.alerts import AlertRecord
from node.models.logs import Entry
from node.models.organisations import Organisation
from node.models.storage import Storage
from node.models.views import View

_BATCH = 500
_MAX_ALERTS = 1_000_000
_SHOWN_ALERTS = 20
FEEDS = ("/alerts.atom", "/alerts.json")
"""Of the node; each organisation has the same below its address."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The log entries that prove one public alert, as lines of a bundle."""

    record: AlertRecord
    lines: tuple[bytes, ...]
    """The author's newest actor document, then what was said of the alert, in the log's order."""

    content: str
    """The content digest of the entry that counts."""

    @property
    def made(self) -> datetime:
        """When the alert became what it is: the same on every node, so the same file comes from each."""
        return self.record.updated or self.record.published

    @property
    def bundle(self) -> bytes:
        """As a file."""
        return bundles.render(self.lines, self.made)

    @property
    def code(self) -> str | None:
        """In the form for paper, with the author's actor document or else without; `None` where neither fits."""
        return bundles.render_code(self.bundle) or bundles.render_code(bundles.render(self.lines[-1:], self.made))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a copy of the public site holds."""

    pages: tuple[str, ...]
    """Paths of pages, which exist in every language."""

    alerts: tuple[str, ...]
    """The last parts of the addresses of alerts that a file can prove."""

    documents: tuple[str, ...]
    """Paths of signed documents: actors and alerts."""

    feeds: tuple[str, ...]
    """Paths of feeds, which exist for every language and for all."""

    caps: tuple[str, ...]
    """The last parts of the addresses of alerts that have a CAP file."""

    heads: dict[str, Head]
    charters: tuple[str, ...] = ()
    """The last parts of the addresses of charters."""
    media: tuple[Medium, ...] = ()
    """The pictures that are here, of those alerts."""


@dataclass(slots=True)
class Taken:
    """What came of a bundle."""

    new: int = 0
    held: int = 0
    skipped: int = 0
    stubs: int = 0
    refused: int = 0
    pictures: int = 0
    reasons: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    """Canonical ids of the alerts that new entries are about."""

    def add(self, other: "Taken") -> None:
        """Count another part of the same bundle too."""
        for name in ("new", "held", "skipped", "stubs", "refused", "pictures"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons
        self.alerts += other.alerts

    def shown(self) -> dict[str, Any]:
        """For `--json`."""
        names = ("new", "held", "skipped", "stubs", "refused", "pictures")
        return {**{name: getattr(self, name) for name in names}, "reasons": self.reasons[:20]}


def lines_of(connection: Connection, org: str, did: str, *, public: bool = False) -> Iterator[bytes]:
    """One log as lines, oldest first; with `public` only what may be given to everyone."""
    after = (0, 0)
    hidden = alerts.hidden_ids(connection, org, did) if public else frozenset()
    while batch := logs.read(connection, org, did, after, _BATCH):
        told = (entry for entry in batch if not public or (is_public(entry) and entry.object_id not in hidden))
        yield from (pages.render_lines([entry]) for entry in told)
        last = batch[-1].header
        after = (last.epoch, last.sequence + 1)


def is_public(entry: Entry) -> bool:
    """Whether everyone may be given this entry: addressed to everyone and no exercise, or nothing but a withdrawal."""
    if entry.raw is None or entry.state != logs.HELD:
        return True  # only its header is told
    activity = parse_activity(parse_document(entry.raw))
    return (activity.public or activity.type == "Delete") and not kinds.is_drill(activity)


def plan(connection: Connection, organisation: Organisation, per_page: int) -> Plan:
    """What a copy of this organisation's public site holds now."""
    org = organisation.did
    records = alerts.newest(connection, org, limit=_MAX_ALERTS, translations=True)
    members = contacts.members_of(connection, org, all_states=True)
    listed = {member.did for member in members if member.listed and member.state == contacts.MEMBER}
    own = {each.did: each for each in organisations.all_of(connection)}
    known = {org, *own, *(member.did for member in members)}
    named = (({record.did for record in records} & known) | listed | {org})
    heads = {did: head for did, head in logs.head_table(connection, org).items() if did in named}
    kept = charters.newest(connection, org)
    numbers = range(2, math.ceil(alerts.count(connection, org, ("actual",)) / per_page) + 1)
    pages = [
        *("/", "/alerts", "/members", "/groups", "/charters", "/press"),
        *(f"/alerts/page/{number}" for number in numbers),
        *(f"/@{own[did].handle}" if did in own else f"/organisations/{did}" for did in sorted(named)),
        *(f"/alerts/{record.page}" for record in records),
        *(f"/groups/{at.group.handle}" for at in groups.shown(connection, org)),
        *(f"/charters/{documents.page_name(each.id)}" for each in kept),
    ]
    actors = [f"{ids.GATEWAY_PATH}{did}/actor" for did in sorted(named) if _has_actor(connection, did)]
    signed = [record for record in records if record.did and said_of(connection, org, record.did, record.object_id)]
    objects = [record.uri.removeprefix(ids.origin_of_location(record.uri)) for record in signed]
    feeds = [*FEEDS, *(f"/organisations/{did}{path}" for did in sorted(named) for path in FEEDS)]
    outlet = Outlet(connection, organisation)
    caps = [record.page for record in records if record.translation_of is None and outlet.chain(record)]
    pages_of = tuple(record.page for record in signed)
    pictures = dict.fromkeys(each for record in records for each in media.of_object(connection, org, record.object_id))
    texts = [f"{ids.GATEWAY_PATH}{each.id.removeprefix(ids.PORTABLE)}" for each in kept]
    charters_of = tuple(documents.page_name(each.id) for each in kept)
    documents_of = (*actors, *objects, *texts)
    return Plan(tuple(pages), pages_of, documents_of, tuple(feeds), tuple(caps), heads, charters_of, tuple(pictures))


def prove(connection: Connection, organisation: Organisation, name: str) -> Proof | None:
    """The proof of one actual alert; `None` where there is none, or it is an exercise, or no longer shown.

    Args:
        name: any id of the alert, or the last part of its page's address.
    """
    record = alerts.find(connection, organisation.did, name)
    if record is None or record.status != "actual" or not record.did:
        return None
    said = said_of(connection, organisation.did, record.did, record.object_id)
    if not said:
        return None
    actor = said_of(connection, organisation.did, record.did, record.author)[-1:]
    lines = tuple(pages.render_lines([entry]) for entry in (*actor, *said))
    return Proof(record, lines, said[-1].header.content)


def proof_of(connection: Connection, organisation: Organisation, name: str) -> Proof:
    """As `prove`.

    Raises:
        RefusedError: there is no such alert here, or it is an exercise, or no longer shown.
    """
    found = prove(connection, organisation, ids.canonical(name) if ":" in name else name)
    if found is None:
        raise RefusedError(f"no actual alert {name[:120]!r} here; 'tadamun alert list' shows them")
    return found


def wanted(connection: Connection, organisation: Organisation, *, own: bool = False) -> frozenset[str]:
    """The dids whose entries are taken from a bundle: members, former ones too, for their Deletes are obeyed.

    Args:
        own: ours too, while our log is put together again after a restore.
    """
    found = {member.did for member in contacts.members_of(connection, organisation.did, all_states=True)}
    return frozenset(found | {organisation.did} if own and organisation.hold else found)


def take(
    connection: Connection, organisation: Organisation, items: tuple[Verified, ...], around: Surroundings,
    taken: Taken, *, key: OrganisationKey, pass_on: bool = False,
) -> None:  # fmt: skip
    """Commit verified entries of a bundle, in one transaction; what came of them is added to `taken`.

    Args:
        key: ours, for receipts of what it withdraws.
    """
    view = View(connection, organisation)
    for item in items:
        done = commit.commit(view, item, around, pass_on=pass_on)
        for reply in done.replies:
            if isinstance(reply, ReplyLetter):
                outbox.answer(view, key, reply, around)
        taken.new += done.new
        if isinstance(done.decision, Refuse):
            taken.refused += 1
            taken.reasons.append(f"entry {_place(item.activity)}: {done.decision.reason} ({done.decision.spec})")
        elif not done.new:
            taken.held += 1
        if done.new and item.activity.object_id is not None:
            taken.alerts.append(item.activity.object_id)
    view.flush()


def pictures_of(
    connection: Connection, organisation: Organisation, storage: Storage, names: Iterable[str], room: int
) -> tuple[list[bytes], int]:
    """Lines of a bundle with the pictures of these alerts, as far as they are here and there is room.

    Args:
        names: canonical ids.

    Returns:
        The lines, and how many files were left out.
    """
    lines: list[bytes] = []
    left_out = 0
    org = organisation.did
    for medium in dict.fromkeys(each for name in names for each in media.of_object(connection, org, name)):
        if media.shown(connection, org, medium.digest) is None:
            continue
        raw = storage.get(medium.digest)
        line = bundles.render_picture(medium.digest, raw) if raw is not None else b""
        if not line or len(line) + 1 > room:
            left_out += 1
            continue
        lines.append(line)
        room -= len(line) + 1
    return lines, left_out


def take_pictures(
    connection: Connection, organisation: Organisation, storage: Storage, given: Mapping[str, bytes], now: datetime
) -> int:
    """Of the pictures of a bundle keep those that an alert here needs and has not; how many those were.

    Args:
        given: digest → bytes that were seen to have it.
    """
    taken = 0
    for digest, raw in given.items():
        medium = media.is_wanted(connection, organisation.did, digest)
        if medium is None:
            continue
        try:
            check(raw, medium)
        except ProtocolError:
            continue
        storage.put(digest, raw)
        media.hold(connection, organisation.did, medium, now)
        taken += 1
    return taken


def take_stubs(
    connection: Connection, organisation: Organisation, stubs: tuple[Header, ...], via: str, now: datetime,
    *, withdrawn_only: bool,
) -> int:  # fmt: skip
    """Keep the bare headers of a bundle; how many are new.

    Args:
        withdrawn_only: only those that a signed Delete names. A stub that anybody may bring would else stand in the
            way of the text, which nobody would ask for any more.
    """
    org = organisation.did
    taken = [
        header
        for header in stubs
        if not withdrawn_only or deletes.withdrawal(connection, org, header.did, header.order) == header.content
    ]
    return logs.add_stubs(connection, org, taken, via, now)


def counted(bundle: Bundle) -> Taken:
    """What can be said of a bundle before anything of it is taken."""
    return Taken(skipped=bundle.skipped, refused=bundle.bad, reasons=list(bundle.refused))


def shown_alerts(connection: Connection, organisation: Organisation, taken: Taken) -> tuple[AlertRecord, ...]:
    """The alerts of a bundle that have a page here now."""
    found = (alerts.find(connection, organisation.did, name) for name in dict.fromkeys(taken.alerts))
    return tuple(record for record in found if record is not None)[:_SHOWN_ALERTS]


def _has_actor(connection: Connection, did: str) -> bool:
    return documents.actor(connection, str(ids.Portable(did, "/actor"))) is not None


def _place(activity: Activity) -> str:
    return f"{activity.position.epoch}/{activity.position.sequence}" if activity.position else "without a place"

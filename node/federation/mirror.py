"""Catch-up: compare what is held, pull what is missing, from anyone who has it.

A member asks another for its head table (a root digest first: equal roots, nothing to say), then pulls each log that
reaches further there, in batches of at most 1 MiB that are verified off the event loop and written as they come, so
that a stop loses nothing. Entries travel as lines: the signed bytes, or `{"stub": header}` where a text was withdrawn.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

import orjson
from sqlalchemy import Connection

from node import evidence, log, recovery, successions
from node.effects import FollowAgain, Reply, ReplyLetter
from node.errors import ConfigurationError, FetchError, NodeError, ProtocolError, ReplicaError
from node.evidence import Evidence
from node.federation import commit, outbox, pages, receipts, saving
from node.federation.discovery import Discovery
from node.federation.fetcher import Signer
from node.federation.protocol import heads as head_tables
from node.federation.protocol import (
    http_signatures,
    ids,
    replicas,
    spread,
    verification,
)
from node.federation.protocol.messages import MAX_PAGE, JsonObject, Request, parse_document
from node.federation.protocol.replicas import Head, Header
from node.federation.protocol.verification import Verified
from node.federation.withdrawing import Withdrawing
from node.kinds import Surroundings
from node.models import contacts, coverages, declarations, logs, organisations, withdrawals
from node.models.base import Database
from node.models.contacts import Member
from node.models.declarations import Claim
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.views import View

_BATCH = 100
_BRANCH_AGAIN = timedelta(hours=1)
_FEW = 6
_AT_ONCE = 4
_WHOLE_ROUND = 3600.0
"""Seconds between two rounds in which every member is compared with; in the others it is ln N + 2 of them."""
_BEHIND = "a member holds more of our log than we do: 'tadamun sync' pulls it back"
_CHANCES = 3
"""So many times a member that claims more of our log may hold us up without showing it."""
_NEW_AGAIN = 15.0
"""Seconds until a new member that did not answer is called again."""
_MAX_SUCCESSIONS = 50
_MAX_PAGES = 2_000
_ALL = Head(1, 2**52, "")
"""Where nobody said how far a log reaches: as far as its pages go."""


@dataclass(slots=True)
class Report:
    """What one comparison brought."""

    host: str
    same: bool = False
    entries: dict[str, int] = field(default_factory=dict)
    """did → entries that are new here."""
    refused: int = 0
    problem: str = ""

    def shown(self) -> JsonObject:
        """As `tadamun sync --json` prints it."""
        return {
            "host": self.host,
            "same": self.same,
            "entries": self.entries,
            "refused": self.refused,
            "problem": self.problem,
        }


class Mirror:
    """Catch-up of one node with its members."""

    def __init__(
        self, database: Database, discovery: Discovery, keyring: Keyring, clock: Callable[[], datetime],
        stirred: Callable[[], None], *, interval: float = 60.0,
    ) -> None:  # fmt: skip
        self._database = database
        self._discovery = discovery
        self._keyring = keyring
        self._clock = clock
        self._stirred = stirred
        self._interval = interval
        self._withdrawing = Withdrawing(database, discovery, clock)
        self._answers: dict[str, dict[str, bool]] = {}
        """For each organisation the members that answered and hold no more of its log; whether they hold any."""
        self._behind: dict[str, set[str]] = {}
        """For each organisation the members that claim more of its log and have not been asked for it to the end."""
        self._doubts: dict[tuple[str, str], int] = {}
        self._unscrubbed = False
        self._pulling: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._again: dict[tuple[str, str], float] = {}
        self._branches: dict[tuple[str, str, str], datetime] = {}

    async def run(self) -> None:
        """Compare with members at intervals, new ones at once, until cancelled."""
        due, whole = 0.0, 0.0
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            fresh, pairs = await self._unsynced(), await self._pairs()
            if now < due:
                pairs = [pair for pair in pairs if self._is_new(*pair, fresh, now)]
            else:
                due = now + self._interval * (0.75 + random.random() / 2)
                if now < whole:
                    pairs = _some(pairs)
                else:
                    whole = now + _WHOLE_ROUND
            await self._round(pairs)
            if due > now:
                await self._destroy_due()
            await asyncio.sleep(1.0)

    async def _round(self, pairs: Sequence[tuple[Organisation, Member]]) -> None:
        """Compare with these, a few at once: a round with many silent members must not take an hour."""
        left = list(pairs)

        async def work() -> None:
            while left:
                organisation, member = left.pop()
                report = await self.sync(organisation, member)
                if report.entries or report.refused:
                    log.info("sync.done", host=report.host, entries=sum(report.entries.values()))

        await asyncio.gather(*(work() for _ in range(min(_AT_ONCE, len(left)))))

    def _is_new(self, organisation: Organisation, member: Member, fresh: frozenset[str], moment: float) -> bool:
        """Whether a member was never compared with: it is called at once, and if it is silent every few seconds."""
        name = (organisation.did, member.did)
        if member.did not in fresh or moment < self._again.get(name, 0.0):
            return False
        self._again[name] = moment + _NEW_AGAIN
        return True

    async def sync(self, organisation: Organisation, member: Member, *, whole: bool = True) -> Report:
        """Compare heads with one member and pull what reaches further there.

        Args:
            whole: also pull others' logs from it, not only its own.
        """
        report = Report(ids.host_of(member.uri))
        try:
            await self._sync(organisation, member, report, whole)
        except NodeError as error:
            report.problem = str(error)
        else:
            now = self._clock()
            await self._database.write(
                lambda connection: contacts.mark_synced(connection, organisation.did, member.did, now)
            )
        if report.entries:
            self._stirred()
        return report

    async def _sync(self, organisation: Organisation, member: Member, report: Report, whole: bool) -> None:
        origin = ids.origin_of_location(member.uri)
        held = await self._database.read(lambda connection: logs.head_table(connection, organisation.did))
        document = await self._heads(organisation, member, held)
        theirs = head_tables.parse_table(document, member.did) if document else None
        if document == {}:
            theirs = await self._public_head(organisation, member)
        elif document is not None and isinstance(document.get("own"), dict):
            await self._compare_claims(organisation, member, document["own"])
        if theirs is None:
            report.same = True
            await self._ask_reach(organisation, member, held)
            await self._check_own(organisation, member.did, held.get(organisation.did))
            return
        if document:
            await self._note_reach(organisation, member, theirs)
            await self._learn_successions(organisation, document.get("successors"), origin)
        pinned = await self._database.read(
            lambda connection: {
                each.did: each for each in contacts.members_of(connection, organisation.did, groups=True)
            }
        )
        kept = await self._database.read(
            lambda connection: {did: logs.head(connection, organisation.did, did) for did in theirs}
        )
        wanted_dids = {organisation.did, *(pinned if whole else (member.did,))}
        ahead = {did: kept[did] for did, head in theirs.items() if did in wanted_dids and _is_far(kept[did], head)}
        await self._withdrawing.ask(organisation, ahead, origin)
        for did, head in theirs.items():
            ours = kept[did]
            wanted = did == member.did or did == organisation.did or (whole and did in pinned)
            if not wanted or ours == head:
                continue
            if ours is None or ours.order < head.order:
                if did == organisation.did:
                    await self._doubt(organisation, member.did)
                await self.pull(organisation, did, origin, ours, head, report)
            if await self._is_branch(organisation, did, head, origin):
                await self.pull(organisation, did, origin, None, head, report, whole=True)
        await self._check_own(organisation, member.did, theirs.get(organisation.did))

    async def _ask_reach(self, organisation: Organisation, member: Member, held: dict[str, Head]) -> None:
        """That all heads are equal is said without a signature: once for each word of ours the signed table is asked
        for, which our coverage board rests on.
        """
        own = held.get(organisation.did)
        noted = await self._database.read(
            lambda connection: coverages.reach_of(connection, organisation.did, member.did)
        )
        if own is not None and own != noted:
            document = await self._heads(organisation, member, {})
            if document:
                await self._note_reach(organisation, member, head_tables.parse_table(document, member.did))

    async def _note_reach(self, organisation: Organisation, member: Member, theirs: dict[str, Head]) -> None:
        """Whoever signs a head of our log holds it that far."""
        head, now = theirs.get(organisation.did), self._clock()
        noted = await self._database.read(
            lambda connection: coverages.reach_of(connection, organisation.did, member.did)
        )
        if head is not None and head != noted:
            await self._database.write(
                lambda connection: coverages.save(connection, organisation.did, member.did, head, now)
            )

    async def _learn_successions(self, organisation: Organisation, told: object, origin: str) -> None:
        """A succession that happened while we were away: a hint by any member, proven by the recovery key's own log."""
        for old, new in list(told.items())[:_MAX_SUCCESSIONS] if isinstance(told, dict) else ():
            if not (isinstance(new, str) and ids.is_did(old) and ids.is_did(new)):
                continue
            if await self._database.read(partial(_is_unknown_heir, org=organisation.did, old=old, new=new)):
                await self._take_succession(organisation, old, new, origin)

    async def _take_succession(self, organisation: Organisation, old: str, new: str, origin: str) -> None:
        page = await self._discovery.fetcher.get(
            ids.Portable(new, "/log/1/1").at(origin), accept=pages.LINES, content_types=pages.is_lines,
            signer=self._discovery.sign, limit=MAX_PAGE,
        )  # fmt: skip
        items, _ = await asyncio.get_running_loop().run_in_executor(None, pages.verify_page, page.body, new)
        entries = [item for item in items if isinstance(item, Verified)]
        first = entries[0].activity.object if entries else None
        word = next(
            (each for each in entries if each.activity.type == successions.TYPE
             and successions.named_did(each.activity) == old), None,
        )  # fmt: skip
        if first is None or word is None:
            return
        heir = verification.verify_actor(parse_document(orjson.dumps(first)), None)
        around = Surroundings(self._clock(), ids.host_of(origin + "/"), sender=heir)

        def write(connection: Connection) -> None:
            view = View(connection, organisation)
            commit.commit(view, word, around, pass_on=False)
            view.flush()

        await self._database.write(write)
        log.info("succession.learned", old=old, new=new)

    async def _is_branch(self, organisation: Organisation, did: str, claimed: Head, origin: str) -> bool:
        """Whether the claimed head stands on a branch that we do not hold: it is read from the beginning, for nobody
        says where it left ours. Asked of one host about one log at most once an hour.
        """

        def holds(connection: Connection) -> bool:
            head = logs.head(connection, organisation.did, did)
            reached = head is not None and head.order >= claimed.order
            return reached and logs.holds(connection, organisation.did, did, claimed.digest)

        if not claimed.digest or await self._database.read(holds):
            return False
        name, now = (organisation.did, did, origin), self._clock()
        last = self._branches.get(name)
        if last is not None and now - last < _BRANCH_AGAIN:
            return False
        self._branches[name] = now
        return True

    async def _heads(
        self, organisation: Organisation, member: Member, held: dict[str, Head]
    ) -> JsonObject | None:
        """The member's head table, `None` when it equals ours, empty when it shows us none, because it does not know
        us: then its own log is all there is to see.
        """
        url = f"{member.uri}/heads/{replicas.root_digest(held)}"
        try:
            _, document = await self._discovery.fetcher.get_json(url, signer=self._signer(organisation))
        except FetchError as error:
            if error.status not in (401, 403, 404):
                raise
            return {}
        return None if document.value.get("same") is True else document.value

    def _signer(self, organisation: Organisation) -> Signer:
        """As the organisation, for some texts are for members only; as the node, where its keys are not here."""
        if not self._keyring.has(organisation.did):
            return self._discovery.sign

        def sign(request: Request) -> tuple[tuple[str, str], ...]:
            key_id = organisation.uri + "#main-key"
            return http_signatures.sign(request, self._keyring.rsa(organisation.did), key_id, self._clock())

        return sign

    async def _compare_claims(self, organisation: Organisation, member: Member, own: JsonObject) -> None:
        """A member that signs a lower head of its own log than before went back: kept, whatever the reason was."""
        raw = orjson.dumps(own)
        head, published = head_tables.parse_head(raw, member.did)
        host = ids.host_of(member.uri)

        def look(connection: Connection) -> None:
            now = self._clock()
            last = declarations.claim(connection, organisation.did, member.did)
            new = Claim(head, raw, now)
            if last is None:
                declarations.save_claim(connection, organisation.did, member.did, new)
                return
            before = head_tables.parse_head(last.document, member.did)
            if head_tables.went_back(before, (head, published)):
                note = (
                    f"signed head {head.epoch}/{head.sequence} after {before[0].epoch}/{before[0].sequence}"
                    if head.order != before[0].order else f"signed two heads for {head.epoch}/{head.sequence}"
                )  # fmt: skip
                exhibits = (last.document.decode(), raw.decode())
                seen = Evidence(evidence.ROLLBACK, member.did, host, note, (), exhibits)
                saving.keep_evidence(View(connection, organisation), seen, now)
            elif head.order > before[0].order:
                declarations.save_claim(connection, organisation.did, member.did, new)

        await self._database.write(look)

    async def _public_head(self, organisation: Organisation, member: Member) -> dict[str, Head]:
        """From the member's proven actor document: at least as far as the entry that carries it. Without our keys,
        after a restore, nobody shows us a table: then our own log is asked for as well.
        """
        actor = await self._discovery.actor(member.uri, fresh=True)
        own = {} if self._keyring.has(organisation.did) else {organisation.did: _ALL}
        return {member.did: replace(_ALL, epoch=max(actor.order[0], 1)), **own}

    async def pull(
        self, organisation: Organisation, did: str, origin: str, ours: Head | None, claimed: Head, report: Report,
        *, whole: bool = False,
    ) -> None:  # fmt: skip
        """Fetch one log from `ours` on, page by page, until it brings nothing more; from one member at a time.

        Args:
            whole: from its beginning, for a branch that left ours nobody knows where.
        """
        name = (organisation.did, did)
        lock = self._pulling.get(name) or asyncio.Lock()
        self._pulling[name] = lock
        waited = lock.locked()
        async with lock:
            if waited and not whole:
                ours = await self._database.read(lambda connection: logs.head(connection, organisation.did, did))
            await self._pull(organisation, did, origin, ours, claimed, report)

    async def _pull(
        self, organisation: Organisation, did: str, origin: str, ours: Head | None, claimed: Head, report: Report
    ) -> None:
        sign = self._signer(organisation)
        epoch, start = (ours.epoch, ours.sequence + 1) if ours else (1, 1)
        waiting: list[Header] = []
        for _ in range(_MAX_PAGES):
            url = f"{ids.Portable(did, f'/log/{epoch}/{start}').at(origin)}"
            try:
                page = await self._discovery.fetcher.get(
                    url, accept=pages.LINES, content_types=pages.is_lines, signer=sign, limit=MAX_PAGE
                )
            except FetchError as error:
                if error.status == 404:
                    return
                raise
            last = await self._take_page(organisation, did, page.body, report, waiting)
            if last is None:
                await self._judge_claim(organisation, did, claimed, origin)
                return
            if (last.epoch, last.sequence + 1) <= (epoch, start):
                return
            epoch, start = last.epoch, last.sequence + 1

    async def _take_page(
        self, organisation: Organisation, did: str, body: bytes, report: Report, waiting: list[Header]
    ) -> Header | None:
        """Verify and write one page; returns the last header in it.

        Args:
            waiting: stubs whose signed successor has not come yet; changed here.
        """
        loop = asyncio.get_running_loop()
        items, refused = await loop.run_in_executor(None, pages.verify_page, body, did)
        report.refused += len(refused)
        if len(items) > _BATCH:  # within one transaction nothing is shown in between
            await self._withdrawing.heed(organisation, items, report.host)
        if refused:
            await self._note_forged(organisation, did, report.host, refused)
        last: Header | None = None
        via = report.host
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            added, last = await self._database.write(partial(self._write, organisation, [*waiting, *batch], via))
            waiting[:] = pages.trailing([*waiting, *batch])
            if added:
                report.entries[did] = report.entries.get(did, 0) + added
        return last

    def _write(
        self, organisation: Organisation, batch: list[Verified | Header], via: str, connection: Connection
    ) -> tuple[int, Header]:
        view = View(connection, organisation)
        found = [item for item in batch if isinstance(item, Verified)]
        view.preload([item.activity for item in found])
        places = [item.activity.position.sequence for item in found if item.activity.position is not None]
        if places:
            view.preload_log(found[0].activity.did or "", min(places), max(places))
        stubs = [item for item in batch if isinstance(item, Header)]
        around = Surroundings(self._clock(), via)
        done = [commit.commit(view, item, around, pass_on=False) for item in found]
        added = sum(each.new for each in done)
        self._answer(view, [each for item in done for each in item.replies if isinstance(each, ReplyLetter)], around)
        view.flush()
        last = batch[-1] if batch else None
        header = replicas.header_of(last.activity) if isinstance(last, Verified) else last
        added += logs.add_stubs(connection, organisation.did, stubs, via, self._clock())
        view.flush()
        if header is None:
            raise ReplicaError("an empty batch")
        return added, header

    def _answer(self, view: View, replies: Sequence[Reply | FollowAgain | ReplyLetter], around: Surroundings) -> None:
        """Receipts for what was withdrawn while we were away."""
        if not replies:
            return
        try:
            key = self._keyring.organisation(view.org)
        except ConfigurationError:
            return  # its keys are not on this machine any more
        for reply in replies:
            outbox.answer(view, key, reply, around)

    async def _judge_claim(self, organisation: Organisation, did: str, claimed: Head, origin: str) -> None:
        """Somebody claimed a head and did not supply it, or left texts out that nobody withdrew: evidence."""
        if not claimed.digest:
            return
        host = origin.partition("://")[2]

        def look(connection: Connection) -> None:
            view, now = View(connection, organisation), self._clock()
            head = logs.head(connection, organisation.did, did)
            if head is None or head.order < claimed.order:
                note = f"claimed head {claimed.epoch}/{claimed.sequence}, did not supply it"
                saving.keep_evidence(view, Evidence(evidence.WITHHELD, did, host, note), now)
            for header in withdrawals.withheld(connection, organisation.did, did):
                note = f"text of {header.epoch}/{header.sequence} withheld: no Delete by its author names it"
                saving.keep_evidence(view, Evidence(evidence.WITHHELD, did, host, note, (header,)), now)

        await self._database.write(look)

    async def _note_forged(
        self, organisation: Organisation, did: str, host: str, refused: list[tuple[str, str]]
    ) -> None:
        """Of entries that their author did not sign the digest is kept, and nothing of what they say."""

        def write(connection: Connection) -> None:
            view = View(connection, organisation)
            for digest, reason in refused[:3]:
                note = f"an entry that does not hold, {digest[:20]}…: {reason}"[: evidence.MAX_NOTE]
                saving.keep_evidence(view, Evidence(evidence.FORGED, did, host, note), self._clock())

        await self._database.write(write)

    async def _doubt(self, organisation: Organisation, member: str) -> None:
        """A member claims more of our log than we have, which only we can have signed: nothing is published until it
        was asked for it. Who claims again and again, and never answers, does not silence us.
        """
        name = (organisation.did, member)
        self._doubts[name] = self._doubts.get(name, 0) + 1
        waiting = self._behind.setdefault(organisation.did, set())
        if self._doubts[name] <= _CHANCES:
            waiting.add(member)
        else:
            waiting.discard(member)

        def write(connection: Connection) -> None:
            held = organisations.get(connection, organisation.did)
            if held is not None and not held.successor and held.hold in ("", _BEHIND):
                organisations.set_hold(connection, organisation.did, _BEHIND if waiting else "")

        await self._database.write(write)

    async def _check_own(self, organisation: Organisation, member: str, claimed: Head | None) -> None:
        """A member has shown what it holds of our log. What it claimed and did not show counts for nothing.

        A hold after a restore is lifted when every member has answered and one at least holds any of our log: one that
        is itself behind proves nothing.
        """
        answers = self._answers.setdefault(organisation.did, {})
        waiting = self._behind.setdefault(organisation.did, set())

        def look(connection: Connection) -> bool:
            head = logs.head(connection, organisation.did, organisation.did)
            held = organisations.get(connection, organisation.did)
            behind = claimed is not None and (head is None or claimed.order > head.order)
            if held is None or held.successor:
                return behind
            answers[member] = claimed is not None and not behind
            waiting.discard(member)
            everyone = {each.did for each in contacts.members_of(connection, organisation.did)}
            over = not waiting if held.hold == _BEHIND else everyone <= answers.keys() and any(answers.values())
            if held.hold and over:
                organisations.set_hold(connection, organisation.did, "")
                log.info("log.complete", did=organisation.did)
            return behind

        if not await self._database.write(look):
            self._doubts.pop((organisation.did, member), None)

    async def _unsynced(self) -> frozenset[str]:
        def read(connection: Connection) -> frozenset[str]:
            return frozenset(
                member.did
                for organisation in organisations.all_of(connection)
                for member in contacts.members_of(connection, organisation.did, groups=True)
                if member.synced is None
            )

        return await self._database.read(read)

    async def _pairs(self) -> list[tuple[Organisation, Member]]:
        def read(connection: Connection) -> list[tuple[Organisation, Member]]:
            return [
                (organisation, member)
                for organisation in organisations.all_of(connection)
                for member in contacts.members_of(connection, organisation.did, groups=True)
            ]

        return await self._database.read(read)

    async def _destroy_due(self) -> None:
        gone = await self._database.write(self._destroy)
        if gone:
            log.info("log.destroyed", entries=gone)
            self._stirred()
        if gone or self._unscrubbed:
            self._unscrubbed = not await self._database.scrub()


    def _destroy(self, connection: Connection) -> int:
        now = self._clock()
        gone = commit.destroy_due(connection, now)
        for org, reply in receipts.of_destroyed(connection, gone):
            organisation = organisations.get(connection, org)
            if organisation is not None and not organisation.successor:
                self._answer(View(connection, organisation), (reply,), Surroundings(now, organisation.host))
        return len(gone)


def _some(pairs: Sequence[tuple[Organisation, Member]]) -> list[tuple[Organisation, Member]]:
    """Whom to compare with this time: ln N + 2 members at random, all where they are few or while publishing waits."""
    found: list[tuple[Organisation, Member]] = []
    for did in dict.fromkeys(organisation.did for organisation, _ in pairs):
        mine = [pair for pair in pairs if pair[0].did == did]
        if len(mine) <= _FEW or mine[0][0].hold:
            found += mine
        else:
            found += spread.choose(mine, (), random.SystemRandom())
    return found


def _is_far(ours: Head | None, theirs: Head) -> bool:
    """Whether more than one entry is missing: a text and what takes it back may come apart."""
    return theirs.sequence - (ours.sequence if ours else 0) > 1


def _is_unknown_heir(connection: Connection, org: str, old: str, new: str) -> bool:
    """Whether `new` is the recovery key that a member of ours committed to, and not known as its successor yet."""
    member = contacts.member(connection, org, old)
    if member is None or member.state != contacts.MEMBER or not member.recovery:
        return False
    try:
        recovery.check_commitment(new, member.recovery)
    except ProtocolError:
        return False
    return contacts.member(connection, org, new) is None



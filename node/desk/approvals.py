"""Asking for a second word, giving it, and publishing what got enough of them.

A text is sealed twice when it is asked for: once to a key of its own, to be published; and, with that key, to the room
"approvals", to be looked at. So nobody who has the database or the configuration reads it, and nobody publishes it
before those who looked at it have let go of the key.
"""

import hashlib
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from node import alerts as alert_rules
from node import approvals as rules
from node import letters as letter_rules
from node.approvals import Request, Word
from node.desk import publishing, waiting_pictures
from node.desk import sealed_alerts as sealed_desk
from node.desk.alerts import Said
from node.desk.sealed_alerts import SealedAlert
from node.desk.waiting_pictures import Pair
from node.effects import Refuse
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.protocol import sealing
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.findings import Finding, finding
from node.letters import Letter
from node.models import approvals as rows
from node.models import audit, contacts, people
from node.models import cases as case_rows
from node.models import letters as letter_rows
from node.models.approvals import Row
from node.models.organisations import Organisation
from node.models.storage import Storage
from node.people import APPROVER, Person

LOOK_WITHIN = timedelta(days=1)
"""A case whose alert became public is looked at within so long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits."""

    row: Row
    sisters: tuple[str, ...]
    """The dids that were asked as well."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What whoever approves is shown."""

    row: Row
    shown: JsonObject
    changed: dict[str, tuple[Any, Any]]
    """What is other than in the version they looked at before."""
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class SisterRequest:
    """A request of a sister organisation, opened."""

    letter: str
    author: str
    """The did that asks."""
    request: str
    digest: str
    shown: JsonObject
    urgent: bool
    review: str
    """The reason of an emergency that was published already; empty where it waits."""
    sent: datetime
    answered: bool
    thumbnails: tuple[bytes, ...] = ()
    """Of its pictures; empty bytes where one is none."""


def ask(
    connection: Connection, organisation: Organisation, key: OrganisationKey, author: str, value: JsonObject,
    now: datetime, *, subjects: Collection[str] = (), replaces: str = "", before: SealedAlert | None = None,
    thread: str = "", spread: bool = False, pictures: Sequence[Pair] = (), news_of: str = "",
) -> Asked:  # fmt: skip
    """Ask others to look at a text before it is published.

    Args:
        author: the id of the person who wrote it, or `approvals.SHELL`.
        value: the alert as `parse_input` reads it.
        subjects: ids of people of this organisation whom it is about.
        replaces: the alert that this is an update of.
        before: that alert, opened, where it is a sealed one.
        thread: the request that this is a new version of; or the id of the case whose text it is.
        news_of: the alert that this is news of.
        spread: send it at some moment of the hour after the last word.
        pictures: what became of the alert's `media`, in its order.

    Raises:
        RefusedError: a rule forbids publishing it, or nobody could give the word that it needs.
    """
    alert = alert_rules.parse_input(value)
    held = alert.embargo_until if alert.embargo_until is not None and alert.embargo_until > now else None
    alert_rules.check_publishable(alert, held or now, approvals_exist=True, loopback=False)
    sealed_desk.check_pictures(alert)
    sealed_desk.check_addressed(connection, organisation, alert)
    waiting_pictures.check_count(len(alert.media), pictures)
    needed, sister = rules.needed(alert)
    standbys = rows.standbys_of(connection, organisation.did)
    if sister and not standbys:
        raise RefusedError(
            "R2: where a person is named one word must be a sister organisation's; name two of them first, with"
            " 'tadamun member standby'"
        )
    for version in rows.of_thread(connection, organisation.did, thread) if thread else ():
        if version.request.state == rules.WAITING:
            rows.settle(connection, organisation.did, version.request.id, rules.CANCELLED)
    name, digest = outbox.token(), rules.digest_of(value, [full.medium.digest for full, _ in pictures])
    request = Request(
        id=name, author=author, digest=digest, needed=needed, sister=sister,
        subjects=frozenset(subjects), state=rules.WAITING, urgent=alert.urgency == "immediate", made=now,
    )  # fmt: skip
    package = {
        "alert": value, "replaces": replaces, "news_of": news_of, "before": publishing.carried(before),
        "pictures": waiting_pictures.render(pictures),
    }  # fmt: skip
    return wait(
        connection, organisation, key, request, rules.brief(value), package, thread=thread, replaces=replaces,
        held=held, spread=spread and alert.urgency != "immediate",
        thumbnails=waiting_pictures.thumbnails(pictures),
    )  # fmt: skip


def wait(
    connection: Connection, organisation: Organisation, key: OrganisationKey, request: Request, shown: JsonObject,
    package: JsonObject, *, thread: str = "", replaces: str = "", held: datetime | None = None, spread: bool = False,
    thumbnails: Sequence[str] = (),
) -> Asked:  # fmt: skip
    """Seal what is to be done, and what of it is shown, and ask whoever must say yes to it.

    Args:
        package: what `publishing.publish` takes.
        held: not before this moment.

    Raises:
        RefusedError: nobody could give the word that it needs.
    """
    release, name, now = sealing.generate(), request.id, request.made
    row = Row(
        request, thread or name, replaces, sealing.seal(orjson.dumps(package), [release.public]),
        letters.rest(connection, organisation.did, "approvals", _brief_bytes(shown, release.secret)),
        None, held, spread, None, "",
    )  # fmt: skip
    rows.add(connection, organisation.did, row)
    audit.append(connection, organisation.did, "draft", name, now, **_who(request.author))
    short = _lacks_approvers(connection, organisation.did, request.author, request.needed)
    asked = rows.standbys_of(connection, organisation.did) if request.sister or short else ()
    if asked:
        asked = _ask_sisters(
            connection, organisation, key, request, shown, release.secret, asked, now, thumbnails=thumbnails
        )
    return Asked(row, asked)


def look(
    connection: Connection, organisation: Organisation, person: Person, name: str, secrets: Sequence[str]
) -> Brief:
    """What waits, and what changed since this person looked last.

    Raises:
        RefusedError: no such request, or this session does not open it.
    """
    row = _find(connection, organisation, name)
    shown, _ = _open(row, secrets)
    before = rows.look(connection, organisation.did, person.id, row.thread, name)
    changed: dict[str, tuple[Any, Any]] = {}
    if before and before != name:
        earlier = rows.find(connection, organisation.did, before)
        if earlier is not None and earlier.brief is not None:
            changed = dict(rules.changes(_open(earlier, secrets)[0], shown))
    return Brief(row, shown, changed, rows.words_of(connection, organisation.did, name))


def waiting(connection: Connection, org: str, secrets: Sequence[str]) -> Iterator[tuple[Row, JsonObject] | None]:
    """What waits, the newest first, each opened as it is asked for; `None` for what these secrets do not open."""
    for row in rows.of_state(connection, org, rules.WAITING):
        try:
            yield row, _open(row, secrets)[0]
        except RefusedError:
            yield None


def picture(
    connection: Connection, organisation: Organisation, name: str, number: int, secrets: Sequence[str]
) -> Pair:
    """One picture of what waits, with its thumbnail.

    Raises:
        RefusedError: no such request or picture, or this session does not open it.
    """
    row = _find(connection, organisation, name)
    found = _pictures(row, _open(row, secrets)[1])
    if not 0 < number <= len(found):
        raise RefusedError("no such picture here")
    return found[number - 1]


def speak(
    connection: Connection, organisation: Organisation, person: Person, name: str, word: Word, secrets: Sequence[str],
    now: datetime, *, fresh: bool,
) -> Row:  # fmt: skip
    """Say yes or no.

    Args:
        word: with the digest of what was shown; who says it is filled in here.
        secrets: what opens the room "approvals" in this session.

    Raises:
        RefusedError: the rule that says no.
    """
    row = _find(connection, organisation, name)
    said = replace(word, org=organisation.did, by=person.id, made=now)
    words = rows.words_of(connection, organisation.did, name)
    facts = rules.Facts(organisation.did, APPROVER in person.counting, fresh, now)
    _check(rules.decide(row.request, words, said, facts))
    rows.add_word(connection, organisation.did, name, said)
    act = "approve" if said.verdict == rules.YES else "refuse"
    audit.append(connection, organisation.did, act, name, now, person=person.id, role=APPROVER)
    if said.verdict == rules.NO:
        rows.settle(connection, organisation.did, name, rules.REFUSED)
    elif rules.is_enough(row.request, (*words, said), organisation.did):
        rows.make_ready(connection, organisation.did, row, _open(row, secrets)[1], now, moment_of(row, now))
    return _find(connection, organisation, name)


def send_held(
    connection: Connection, organisation: Organisation, person: Person, name: str, secrets: Sequence[str],
    now: datetime, *, fresh: bool,
) -> Row:  # fmt: skip
    """Send what was approved and held back until now (R8). The key to it lay with those who approve, and nowhere else.

    Raises:
        RefusedError: it is not held back, its time has not come, or this person may not.
    """
    row = _find(connection, organisation, name)
    if APPROVER not in person.counting or not fresh:
        raise RefusedError("R2: an approver sends it, with a fresh second factor")
    if not row.held or row.due is None:
        raise RefusedError("R8: this is not held back")
    if now < row.due:
        raise RefusedError(f"R8: held back: send it later ({row.due:%Y-%m-%d %H:%M} UTC)")
    rows.make_ready(connection, organisation.did, row, _open(row, secrets)[1], now, now)
    audit.append(connection, organisation.did, "send", name, now, person=person.id, role=APPROVER)
    return _find(connection, organisation, name)


def override(
    connection: Connection, organisation: Organisation, key: OrganisationKey, person: Person, name: str, reason: str,
    secrets: Sequence[str], now: datetime, *, fresh: bool,
) -> Row:  # fmt: skip
    """An emergency: publish with the one word that is there. The sisters are asked to look at it within 24 hours.

    Raises:
        RefusedError: the rule that says no, or there is no sister to look at it.
    """
    row = _find(connection, organisation, name)
    if APPROVER not in person.counting or not fresh:
        raise RefusedError("R2: an approver says so, with a fresh second factor")
    words, (shown, release) = rows.words_of(connection, organisation.did, name), _open(row, secrets)
    if row.due is not None and now < row.due:
        raise RefusedError(f"R8: held back: ask again without an embargo ({row.due:%Y-%m-%d %H:%M} UTC)")
    presumed = rules.is_presumed(shown)
    _check(rules.decide_override(row.request, words, reason, organisation.did, presumed=presumed))
    standbys = rows.standbys_of(connection, organisation.did)
    if not standbys:
        raise RefusedError("R2: no sister organisation is named that could look at it; see 'tadamun member standby'")
    seen = _pictures(row, release)
    rows.make_ready(connection, organisation.did, row, release, now, now)
    rows.want_review(connection, organisation.did, name, now + rules.REVIEW_WITHIN)
    audit.append(connection, organisation.did, "override", name, now, person=person.id, role=APPROVER)
    _ask_sisters(
        connection, organisation, key, row.request, shown, "", standbys, now, review=reason,
        thumbnails=waiting_pictures.thumbnails(seen),
    )  # fmt: skip
    return _find(connection, organisation, name)


def cancel(connection: Connection, organisation: Organisation, name: str, now: datetime, person: str) -> None:
    """Whoever asked takes it back.

    Raises:
        RefusedError: it waits no more.
    """
    row = _find(connection, organisation, name)
    if row.request.state not in (rules.WAITING, rules.READY):
        raise RefusedError(f"the request is not at that point ({row.request.state})")
    rows.settle(connection, organisation.did, name, rules.CANCELLED)
    audit.append(connection, organisation.did, "refuse", name, now, **_who(person))


def sister_requests(
    connection: Connection, organisation: Organisation, secrets: Sequence[str], now: datetime
) -> tuple[SisterRequest, ...]:
    """What sister organisations ask us to look at, newest first."""
    found = []
    answered = {
        kept.about
        for kept in letter_rows.of_kind(connection, organisation.did, (letter_rules.APPROVAL_ANSWER,))
        if kept.author == organisation.did
    }
    for kept in letter_rows.of_kind(connection, organisation.did, (letter_rules.APPROVAL_REQUEST,)):
        if kept.author == organisation.did or kept.sealed is None or now - kept.sent > rules.PATIENCE:
            continue
        try:
            letter = letter_rules.parse(sealing.open_sealed(kept.sealed, secrets))
        except ProtocolError:
            continue
        found.append(_sister_request(letter, kept.about in answered))
    return tuple(found)


def answer_sister(
    connection: Connection, organisation: Organisation, key: OrganisationKey, person: Person, letter_id: str,
    word: Word, secrets: Sequence[str], now: datetime, *, fresh: bool,
) -> None:  # fmt: skip
    """Give a sister organisation our word. Who of us said it stays a name that means nothing to them.

    Raises:
        RefusedError: the rule that says no.
    """
    kept = letter_rows.find(connection, organisation.did, letter_id)
    if kept is None or kept.sealed is None or kept.kind != letter_rules.APPROVAL_REQUEST:
        raise RefusedError("no such request here")
    letter = letter_rules.parse(sealing.open_sealed(kept.sealed, secrets))
    asked = _sister_request(letter, False)
    by = hashlib.sha256(f"{organisation.did} {person.id} {asked.request}".encode()).hexdigest()[:32]
    said = replace(word, org=organisation.did, by=by, digest=asked.digest, made=now)
    request = Request(
        id=asked.request, author="", digest=asked.digest, needed=1, sister=False, subjects=frozenset(),
        state=rules.WAITING, urgent=asked.urgent, made=kept.sent,
    )  # fmt: skip
    _check(rules.decide(request, (), said, rules.Facts("", APPROVER in person.counting, fresh, now)))
    body = rules.answer_body(asked.request, said, str(letter.body.get("release", "")))
    letters.send(
        connection, organisation, key, letter_rules.APPROVAL_ANSWER, kept.about, body, (kept.author,), now,
        token=outbox.token(), urgent=True,
    )  # fmt: skip
    act = "approve" if said.verdict == rules.YES else "refuse"
    audit.append(connection, organisation.did, act, letter_id, now, person=person.id, role=APPROVER)


def publish_due(
    connection: Connection, organisation: Organisation, key: OrganisationKey, row: Row, storage: Storage,
    now: datetime,
) -> Said | None:  # fmt: skip
    """Publish what got enough words; what the rules forbid by now (consent ran out, it expired) is refused, and the
    request says which rule it was. Where the text is a case's (its thread bears the case's id), the case goes on to
    published in the same transaction. Returns what was published.
    """
    if row.package is None or row.release is None:
        return None
    try:
        package = orjson.loads(sealing.open_sealed(row.package, (row.release,)))
        seen = [full.medium.digest for full, _ in waiting_pictures.parse(package.get("pictures") or ())]
        if rules.digest_of(package["alert"], seen) != row.request.digest:
            raise RefusedError("R2: another text than the one that was approved")
        with connection.begin_nested():
            said = publishing.publish(connection, organisation, key, package, storage, now)
    except (RefusedError, ProtocolError) as error:
        rows.settle(connection, organisation.did, row.request.id, rules.REFUSED, str(error)[:300])
        return None
    rows.settle(connection, organisation.did, row.request.id, rules.PUBLISHED, said.portable_id)
    case_rows.follow(connection, organisation.did, row.thread, said.portable_id, now + LOOK_WITHIN)
    audit.append(connection, organisation.did, "publish", row.request.id, now)
    return said


def name_standbys(
    connection: Connection, organisation: Organisation, dids: Sequence[str], now: datetime, by: Person | None = None
) -> None:
    """The sister organisations whose approvers may be asked.

    Raises:
        RefusedError: too many, or one is no member.
    """
    members = {member.did for member in contacts.members_of(connection, organisation.did)}
    for did in dids:
        if did not in members:
            raise RefusedError(f"{did} is no member here; 'tadamun member list' shows them")
    if len(set(dids)) > rows.MOST_STANDBYS:
        raise RefusedError(f"at most {rows.MOST_STANDBYS} sister organisations stand by")
    rows.set_standbys(connection, organisation.did, tuple(dids), now)
    audit.append(connection, organisation.did, "settings", "standbys", now, **_who_of(by))


def release_person(
    connection: Connection, organisation: Organisation, person: Person, now: datetime
) -> tuple[str, ...]:
    """Somebody is disabled: their words count no more where something waits, and what they asked for is handed to a
    coordinator, who then does not approve it.
    """
    withdrawn = rows.withdraw_words(connection, organisation.did, person.id)
    heirs = [each for each in people.active(connection, organisation.did, "coordinator") if each.id != person.id]
    handed = rows.hand_over(connection, organisation.did, person.id, heirs[0].id) if heirs else 0
    lines = []
    if withdrawn:
        lines.append(f"{withdrawn} approvals of theirs count no more")
    if handed:
        lines.append(f"{handed} drafts of theirs are handed to {heirs[0].name}")
    return tuple(lines)


def findings(connection: Connection, organisation: Organisation, now: datetime) -> tuple[Finding, ...]:
    """What of this an operator should look at."""
    found = [
        finding("emergency-late", request=row.request.id, until=f"{row.review_by:%Y-%m-%d %H:%M}")
        for row in rows.to_review(connection, organisation.did)
        if row.review_by is not None and row.review_by < now
    ]
    if people.active(connection, organisation.did, APPROVER) and not rows.standbys_of(connection, organisation.did):
        found.append(finding("no-standby"))
    return tuple(found)


def moment_of(row: Row, now: datetime) -> datetime:
    """When what is held back no more is sent: now, or within the hour at random where that was asked for."""
    if not row.spread:
        return now
    return now + timedelta(seconds=random.SystemRandom().uniform(0, rules.SPREAD.total_seconds()))


def _lacks_approvers(connection: Connection, org: str, author: str, needed: int) -> bool:
    return len([each for each in people.active(connection, org, APPROVER) if each.id != author]) < needed


def _ask_sisters(
    connection: Connection, organisation: Organisation, key: OrganisationKey, request: Request, shown: JsonObject,
    release: str, dids: Sequence[str], now: datetime, *, review: str = "", thumbnails: Sequence[str] = (),
) -> tuple[str, ...]:  # fmt: skip
    """Each by herself; one who cannot be sealed to keeps none of the others from being asked. Returns who was.

    Raises:
        RefusedError: none of them can be sealed to.
    """
    reached, refused = [], RefusedError("no sister organisation is named")
    body = rules.ask_body(request, shown, release, review=review, thumbnails=thumbnails)
    for did in dids:
        try:
            letters.send(
                connection, organisation, key, letter_rules.APPROVAL_REQUEST, request.id, body, (did,), now,
                token=outbox.token(), urgent=True,
            )  # fmt: skip
            reached.append(did)
        except ProtocolError as error:
            raise RefusedError(
                "R2: text and pictures together are too long for a letter to a sister: fewer pictures or translations"
            ) from error
        except RefusedError as error:
            refused = error
    if not reached:
        raise refused
    return tuple(reached)


def _sister_request(letter: Letter, answered: bool) -> SisterRequest:
    body = letter.body
    shown, review = body.get("brief"), body.get("review")
    return SisterRequest(
        letter=letter.id, author=letter.author, request=str(body.get("request", ""))[:40],
        digest=str(body.get("digest", ""))[:80], shown=shown if isinstance(shown, dict) else {},
        urgent=body.get("urgent") is True, review=review if isinstance(review, str) else "", sent=letter.sent,
        answered=answered, thumbnails=waiting_pictures.parse_thumbnails(body.get("thumbnails")),
    )  # fmt: skip


def _find(connection: Connection, organisation: Organisation, name: str) -> Row:
    row = rows.find(connection, organisation.did, name)
    if row is None:
        raise RefusedError(f"no request {name[:40]!r} here; 'tadamun alert drafts' shows them")
    return row


def _brief_bytes(shown: JsonObject, release: str) -> bytes:
    return orjson.dumps({"brief": shown, "release": release})


def _open(row: Row, secrets: Sequence[str]) -> tuple[JsonObject, str]:
    if row.brief is None:
        raise RefusedError("the text of this request is destroyed")
    try:
        value = orjson.loads(sealing.open_sealed(row.brief, secrets))
    except ProtocolError as error:
        raise RefusedError("this session does not open it: ask somebody in the room to let you in") from error
    return value["brief"], value["release"]


def _pictures(row: Row, release: str) -> tuple[Pair, ...]:
    """What lies in the package of what is not settled yet."""
    if row.package is None:
        return ()
    package = orjson.loads(sealing.open_sealed(row.package, (release,)))
    return waiting_pictures.parse(package.get("pictures") or ())


def _check(decision: object) -> None:
    if isinstance(decision, Refuse):
        raise RefusedError(f"{decision.spec}: {decision.reason}")


def _who_of(by: Person | None) -> dict[str, str]:
    return {"person": by.id, "role": by.role_for("trust")} if by is not None else {}


def _who(author: str) -> dict[str, str]:
    return {} if author == rules.SHELL else {"person": author, "role": "author"}

"""Sealed letters: written, sealed to their addressees' keys and queued; opened, kept and passed on.

A letter goes to each addressee by itself, under its author's proof, and stands in no log. Of what goes to many, who
gets it passes the same bytes on to a few of the other addressees, so that an author whose line is cut reaches all
through one. What was inside rests sealed to those whose duty it is (`models/rooms`), from the first row.
"""

import random
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import approvals as approval_rules
from node import governance, log, releases
from node import letters as rules
from node import withheld as withheld_rules
from node.effects import Accept, KeepLetter
from node.errors import ConfigurationError, ProtocolError, RefusedError
from node.federation import joinings
from node.federation.protocol import ids, integrity_proofs, retry, sealing, spread
from node.federation.protocol.activities import AS2, Activity
from node.federation.protocol.actors import DATA_INTEGRITY, timestamp
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.governance import Act, Grounds
from node.kinds import Surroundings
from node.letters import Letter
from node.models import approvals, contacts, deliveries, documents, logs, networks, rooms, withheld
from node.models import letters as rows
from node.models.approvals import Row
from node.models.contacts import Member
from node.models.deliveries import Lane, Recipient
from node.models.keyring import Keyring
from node.models.letters import Kept, Receipt
from node.models.organisations import Organisation
from node.models.views import View
from node.people import NETWORK

_MOST_ACTS = 200
"""Acts that one letter brings."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter of ours that is on its way."""

    letter: Letter
    to: tuple[str, ...]
    """The dids it was sealed to."""
    unreached: tuple[str, ...]
    """Dids that were meant and have published no key yet."""


def send(
    connection: Connection, organisation: Organisation, key: OrganisationKey, kind: str, about: str, body: JsonObject,
    to: Collection[str], now: datetime, *, token: str, urgent: bool = False,
) -> Sent:  # fmt: skip
    """Seal a letter to these members, keep our own copy, and queue it.

    Args:
        to: dids of pinned members.
        token: 128 random bits, the last part of the letter's id.

    Raises:
        RefusedError: nobody it is for can be sealed to.
    """
    members = {each.did: each for each in contacts.members_of(connection, organisation.did) if each.did in to}
    found = {did: _keys_of(connection, did) for did in members}
    reached = tuple(sorted(did for did, keys in found.items() if keys))
    if not reached:
        raise RefusedError("none of those it is for has published a key to seal to; 'tadamun sync' asks them again")
    uri = organisation.at(rules.new_id(token))
    letter = Letter(ids.canonical(uri), organisation.did, reached, kind, about, now, body)
    recipients = tuple(key for did in reached for key in found[did])
    activity: JsonObject = {
        "@context": [AS2, DATA_INTEGRITY, dict(rules.TERMS)],
        "id": uri,
        "type": rules.TYPE,
        "actor": organisation.uri,
        "object": rules.envelope(letter, recipients),
        "to": [organisation.uri + "/members"],
        "published": timestamp(now),
    }
    raw = orjson.dumps(integrity_proofs.sign(activity, key, f"{key.did}#{key.multikey}", now))
    payload = deliveries.add_payload(connection, organisation.did, letter.id, raw, None, now)
    lane = Lane.ALERT_MEMBER if urgent else Lane.MEMBER
    _queue(connection, organisation.did, payload, [members[did] for did in reached], lane, now, kind)
    _keep(connection, organisation.did, letter, raw, now + rows.OWN_FOR, now)  # sealed to them: we cannot open it
    return Sent(letter, reached, tuple(sorted(set(to) - set(reached))))


def keep_own(
    connection: Connection, organisation: Organisation, kind: str, about: str, body: JsonObject, now: datetime,
    *, token: str,
) -> Letter:  # fmt: skip
    """Keep what we would say where there is nobody else yet: it rests sealed like what is sent."""
    name = ids.canonical(organisation.at(rules.new_id(token)))
    letter = Letter(name, organisation.did, (organisation.did,), kind, about, now, body)
    _keep(connection, organisation.did, letter, None, now, now)
    return letter


def can_reach(connection: Connection, did: str) -> bool:
    """Whether a letter can be sealed to this did."""
    return bool(_keys_of(connection, did))


def open_all(activity: Activity, secrets: dict[str, tuple[str, ...]]) -> dict[str, Letter]:
    """Open an envelope with each organisation's keys; those it is not for find nothing.

    Args:
        secrets: our dids, each with the secrets of its sealing keys.
    """
    found: dict[str, Letter] = {}
    for did, mine in secrets.items():
        try:
            found[did] = rules.open_letter(activity, mine)
        except ProtocolError:
            continue
    return found


def secrets_of(connection: Connection, keyring: Keyring, org: str) -> tuple[str, ...]:
    """The secrets of an organisation's sealing keys that are not destroyed, the newest first.

    What is not on this machine (a did that was succeeded, a restore without keys) opens nothing and holds nobody up.
    """
    found = []
    for key in rows.keys_of(connection, org):
        with suppress(ConfigurationError):
            found.append(keyring.sealing(org, key.public).secret)
    return tuple(found)


def keep(view: View, effect: KeepLetter, activity: Activity, around: Surroundings) -> None:
    """Keep a letter that was judged ours, do what its kind asks of the machine, and pass it on."""
    connection, org = view.connection, view.org
    letter = Letter(effect.id, effect.author, effect.to, effect.kind, effect.about, effect.sent, effect.body)
    kind = rules.KINDS[letter.kind]
    _take_back(view, letter)  # first of all: that needs no room
    if not rows.has_room(connection, org, letter.author):
        view.count("letters beyond the bound")
        return
    if letter.kind == rules.RECEIPT:
        _take_receipt(connection, org, letter, around.now)
        return
    if letter.kind == rules.GOVERNANCE_ASK:
        _take_ask(view, letter)
        return
    _heed(view, letter, around.now)
    raw = activity.raw if kind.carried else None
    until = around.now + (rows.CARRIED_FOR if kind.carried else rows.OWN_FOR)
    _keep(connection, org, letter, raw, until, around.now)
    if kind.carried:
        _pass_on(view, letter, activity, around)


def _take_back(view: View, letter: Letter) -> None:
    """Destroy what its author takes back."""
    if letter.kind == rules.WITHDRAWAL:
        rows.withdraw(view.connection, view.org, letter.author, letter.about)
    if letter.kind == rules.GROUP_WITHDRAWAL and isinstance(letter.body.get("of"), str):
        rows.take_back(view.connection, view.org, letter.author, letter.body["of"])


def _heed(view: View, letter: Letter, now: datetime) -> None:
    """What a kind asks of the machine beside being kept."""
    connection, org = view.connection, view.org
    if letter.kind == rules.APPROVAL_ANSWER:
        _take_answer(view, letter, now)
    elif letter.kind == rules.GOVERNANCE:
        _take_acts(view, letter, now)
    elif letter.kind in joinings.LETTERS:
        joinings.take(view, letter, _resting_place(connection, org, NETWORK), now)
    elif letter.kind == rules.GROUP_HANDOVER:
        rows.drop_earlier(connection, org, letter.author, letter.kind, letter.about)


def _keep(
    connection: Connection, org: str, letter: Letter, raw: bytes | None, until: datetime, now: datetime
) -> None:
    kind = rules.KINDS[letter.kind]
    sealed = None
    if kind.hidden:
        _keep_apart(connection, org, letter)
        kind, letter = rules.Kind(""), replace(letter, kind="", about="")
    if kind.room:
        sealed = rest(connection, org, kind.room, rules.render(letter))
    rows.save(
        connection, org,
        Kept(
            id=letter.id, author=letter.author, kind=letter.kind, about=letter.about, addressed=letter.to, raw=raw,
            until=until, sealed=sealed, room=kind.room, sent=letter.sent, received=now,
            gone=letter.kind == rules.WITHDRAWAL,
        ),
    )  # fmt: skip


def _keep_apart(connection: Connection, org: str, letter: Letter) -> None:
    """A signature whose name is withheld: counted without its name, which rests sealed beside the count."""
    try:
        found = withheld_rules.parse(letter)
    except ProtocolError as error:
        log.info("letters.no_endorsement", rule=error.spec)
        return
    withheld.save(connection, org, found, rest(connection, org, NETWORK, rules.render(letter)))


def rest(connection: Connection, org: str, room: str, plain: bytes) -> bytes:
    """Seal something to those whose duty it is.

    Raises:
        RefusedError: this organisation has no key to seal to yet.
    """
    return sealing.seal(plain, [_resting_place(connection, org, room)])


def _resting_place(connection: Connection, org: str, room: str) -> str:
    """To whom a body is sealed: to the room whose duty it is; while nobody is in it, to the network's."""
    found = rooms.recipient(connection, org, room) or rooms.recipient(connection, org, NETWORK)
    if found is None:
        current = rows.current_key(connection, org)
        if current is None:
            raise RefusedError("this organisation has no sealing key yet; 'tadamun serve' makes one at its start")
        return current.public
    return found


def _take_receipt(connection: Connection, org: str, letter: Letter, now: datetime) -> None:
    """Only of a letter that we sent to whoever says so, or of a Delete or a Release in our own log, which is for every
    member. What it is about is ours to know: what the receipt says of that is not read.
    """
    of, kind = letter.body.get("of"), letter.body.get("kind")
    if not isinstance(of, str) or not isinstance(kind, str):
        return
    sent = rows.find(connection, org, of)
    if sent is not None:
        if sent.author == org and letter.author in sent.addressed:
            rows.add_receipt(connection, org, Receipt(sent.id, letter.author, sent.about, kind[:40], now))
        return
    entry = logs.by_activity(connection, org, of)
    if entry is None or entry.header.did != org or entry.type not in ("Delete", releases.TYPE):
        return
    if kind in (rules.TAKEN, rules.DESTROYED):
        gone = now if kind == rules.DESTROYED else None
        rows.add_receipt(connection, org, Receipt(of, letter.author, entry.object_id or "", rules.TAKEN, now, gone))


def _take_answer(view: View, letter: Letter, now: datetime) -> None:
    """A sister's word on something of ours that waits, or on an emergency that is to be looked at afterwards."""
    connection, org = view.connection, view.org
    try:
        name, word, release = approval_rules.parse_answer(letter.body, letter.author, now)
    except ProtocolError as error:
        view.count(f"an answer that is none: {error.spec}")
        return
    row = approvals.find(connection, org, name)
    standby = letter.author in approvals.standbys_of(connection, org)
    if row is None or letter.about != name or not standby:
        return
    if row.review_by is not None:
        if approval_rules.is_review(row.request, word) and word.verdict == approval_rules.YES:
            approvals.want_review(connection, org, name, None)
        return
    words = approvals.words_of(connection, org, name)
    decision = approval_rules.decide(row.request, words, word, approval_rules.Facts(org, standby, True, now))
    if not isinstance(decision, Accept) or (word.verdict == approval_rules.YES and not _opens(row, release)):
        view.count("a sister's word that does not count")
        return
    approvals.add_word(connection, org, name, word)
    if word.verdict == approval_rules.NO:
        approvals.settle(connection, org, name, approval_rules.REFUSED)
    elif approval_rules.is_enough(row.request, (*words, word), org):
        approvals.make_ready(connection, org, row, release, now, now)


def _take_acts(view: View, letter: Letter, now: datetime) -> None:
    """Acts of a network that we know, or that names us as a founder; each proves itself, whoever sent it."""
    acts = _proved(view, letter.body.get("acts"))
    known = networks.find(view.connection, view.org, letter.about) is not None
    founding = next((act for act in acts if act.digest == letter.about), None)
    if not known and founding is not None and founding.author == letter.author and view.org in founding.founders:
        networks.know(view.connection, view.org, founding.network, dict(founding.says["name"]), now)
        known = True
    if not known:
        return
    networks.add_all(view.connection, view.org, letter.about, acts, now)
    _take_grounds(view, letter, {str(act.says.get(name, "")) for act in acts for name in ("grounds", "reason")})


def _proved(view: View, given: object) -> list[Act]:
    """The acts that a letter carries. Of those that are here the proof held before: who catches up is told the same by
    several, and proofs are what costs.
    """
    acts = []
    for value in given[:_MOST_ACTS] if isinstance(given, list) else ():
        try:
            found = governance.read(value)
            held = networks.missing(view.connection, view.org, [found.digest]) == ()
            acts.append(found if held else governance.proved(found))
        except ProtocolError as error:
            view.count(f"an act that is none: {error.spec}")
    return acts


def _take_grounds(view: View, letter: Letter, named: set[str]) -> None:
    """Words that these acts name; others are nobody's."""
    given = letter.body.get("grounds")
    for value in given[:_MOST_ACTS] if isinstance(given, list) else ():
        try:
            found = governance.parse_grounds(value)
        except ProtocolError:
            continue
        if found.digest in named:
            keep_grounds(view.connection, view.org, letter.about, found)


def keep_grounds(connection: Connection, org: str, network: str, found: Grounds) -> None:
    """Let words rest sealed to those who read what members send."""
    sealed = rest(connection, org, NETWORK, orjson.dumps(found.value()))
    networks.keep_grounds(connection, org, network, found.digest, sealed)


def _take_ask(view: View, letter: Letter) -> None:
    heads = letter.body.get("heads")
    if isinstance(heads, list) and networks.find(view.connection, view.org, letter.about) is not None:
        named = [each for each in heads[: governance.MAX_SEEN] if isinstance(each, str) and 0 < len(each) <= 80]
        if not any(part.isspace() for each in named for part in each):
            networks.ask(view.connection, view.org, letter.about, letter.author, named)


def _opens(row: Row, release: str) -> bool:
    try:
        return row.package is not None and bool(sealing.open_sealed(row.package, (release,)))
    except ProtocolError:
        return False


def _pass_on(view: View, letter: Letter, activity: Activity, around: Surroundings) -> None:
    """To ln N + 2 of the others it is for, not to its author nor to who brought it; to nobody else."""
    connection, org = view.connection, view.org
    others = [each for each in contacts.members_of(connection, org) if each.did in letter.to]
    told = [each for each in others if each.did == letter.author or ids.host_of(each.inbox) == around.via]
    chosen = spread.choose(others, told, random.SystemRandom())
    if chosen:
        payload = deliveries.add_payload(connection, org, letter.id, activity.raw, None, around.now)
        lane = Lane.ALERT_MEMBER if letter.kind in (rules.ALERT, rules.WITHDRAWAL) else Lane.MEMBER
        _queue(connection, org, payload, chosen, lane, around.now, letter.kind)


def _queue(
    connection: Connection, org: str, payload: int, members: Sequence[Member], lane: Lane, now: datetime, kind: str
) -> None:
    inboxes = dict.fromkeys(member.inbox for member in members)
    patience = retry.patience(withdraws=kind == rules.WITHDRAWAL)
    deliveries.enqueue(connection, org, payload, [Recipient(inbox, "log", lane, patience) for inbox in inboxes], now)


def _keys_of(connection: Connection, did: str) -> tuple[str, ...]:
    actor = documents.actor(connection, str(ids.Portable(did, "/actor")))
    return actor.sealing if actor else ()

"""Offering help in answer to an alert, and answering: sealed letters between two organisations, and nothing public."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import letters as letter_rules
from node import offers as rules
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.protocol import ids, sealing
from node.federation.protocol.keys import OrganisationKey
from node.letters import Letter
from node.models import alerts, contacts
from node.models import letters as rows
from node.models.letters import Kept
from node.models.organisations import Organisation
from node.offers import Answer, Offer


@dataclass(frozen=True, slots=True)
class Offered:
    """One offer with what became of it."""

    offer: Offer
    by: str
    """The did that offers."""
    to: str
    """The did whose alert it answers."""
    about: str
    """The canonical id of the alert."""
    sent: datetime
    answer: Answer | None

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be taken."""
        return self.answer is None and self.offer.until > now


def offer(
    connection: Connection, organisation: Organisation, key: OrganisationKey, about: str, kind: str, words: str,
    contact: str, until: datetime | None, now: datetime,
) -> Offered:  # fmt: skip
    """Offer help to the author of an alert that is held here.

    Raises:
        RefusedError: no such alert of a member, or something is missing.
    """
    author, name = _author(connection, organisation, about)
    made = rules.make(outbox.token(), kind, words, contact, until, now)
    letters.send(
        connection, organisation, key, letter_rules.OFFER, name, made.body(), (author,), now, token=outbox.token()
    )
    return Offered(made, organisation.did, author, name, now, None)


def answer(
    connection: Connection, organisation: Organisation, key: OrganisationKey, offer_id: str, said: str, words: str,
    secrets: Sequence[str], now: datetime,
) -> Offered:  # fmt: skip
    """Take an offer, decline it, or take one's own back.

    Raises:
        RefusedError: no such offer, not ours to answer so, or answered already.
    """
    found = next((each for each in current(connection, organisation, secrets) if each.offer.id == offer_id), None)
    if found is None:
        raise RefusedError("no such offer opens here; 'tadamun offers' and /desk/offers show them")
    ours = found.by == organisation.did
    reply = rules.reply(offer_id, said, words)
    if ours != (said == rules.WITHDRAWN):
        raise RefusedError("who offered may take it back; who was offered it takes or declines it")
    if found.answer is not None:
        raise RefusedError(f"this offer is {found.answer.answer} already")
    if said == rules.TAKEN and not found.is_open(now):
        raise RefusedError("this offer has run out")
    to = found.to if ours else found.by
    letters.send(
        connection, organisation, key, letter_rules.OFFER_ANSWER, found.about, reply.body(), (to,), now,
        token=outbox.token(),
    )  # fmt: skip
    return found


def current(connection: Connection, organisation: Organisation, secrets: Sequence[str]) -> tuple[Offered, ...]:
    """Every offer made to us or by us that these secrets open, newest first."""
    opened = [
        (kept, letter)
        for kept in rows.of_kind(connection, organisation.did, (letter_rules.OFFER, letter_rules.OFFER_ANSWER))
        if (letter := _open(kept, secrets)) is not None
    ]
    answers: dict[tuple[str, frozenset[str]], list[tuple[str, Answer]]] = {}
    for _, letter in reversed(opened):
        said = _answer(letter) if letter.kind == letter_rules.OFFER_ANSWER else None
        if said is not None:
            answers.setdefault((said.id, _between(letter)), []).append((letter.author, said))
    found = []
    for _, letter in opened:
        made = _offer(letter) if letter.kind == letter_rules.OFFER else None
        if made is not None:
            result = rules.outcome(letter.author, answers.get((made.id, _between(letter)), ()))
            found.append(Offered(made, letter.author, letter.to[0], letter.about, letter.sent, result))
    return tuple(found)


def open_count(
    connection: Connection, organisation: Organisation, secrets: Sequence[str], now: datetime
) -> int:
    """How many offers that were made to us can still be taken, as far as these secrets open them."""
    found = current(connection, organisation, secrets)
    return sum(each.to == organisation.did and each.is_open(now) for each in found)


def _between(letter: Letter) -> frozenset[str]:
    """An answer counts only between the two that the offer was between."""
    return frozenset((letter.author, *letter.to))


def _author(connection: Connection, organisation: Organisation, about: str) -> tuple[str, str]:
    """Whose alert it is and its canonical id: a public one that is held here, or one that came sealed."""
    record = alerts.find(connection, organisation.did, ids.canonical(about) if ":" in about else about)
    if record is not None:
        author, name = record.did, record.object_id
    else:
        kept = rows.about(connection, organisation.did, about, (letter_rules.ALERT,))
        author, name = (kept[0].author, about) if kept else ("", "")
    member = contacts.member(connection, organisation.did, author) if author else None
    if member is None:
        raise RefusedError("no alert of a member here is called so; 'tadamun alert list' shows them")
    return author, name


def _open(kept: Kept, secrets: Sequence[str]) -> Letter | None:
    if kept.sealed is None:
        return None
    try:
        return letter_rules.parse(sealing.open_sealed(kept.sealed, secrets))
    except ProtocolError:
        return None


def _offer(letter: Letter) -> Offer | None:
    if len(letter.to) != 1 or not rules.is_of(letter.about, letter.to[0]):
        return None
    try:
        return rules.parse_offer(letter.body)
    except ProtocolError:
        return None


def _answer(letter: Letter) -> Answer | None:
    try:
        return rules.parse_answer(letter.body)
    except ProtocolError:
        return None

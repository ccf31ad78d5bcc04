"""Alerts for some and not for everyone: sealed to the members they are for, in no log, on no public page.

The Notes are those of any alert, each with its author's proof; they travel in one letter and rest sealed to the room
"network". Changing one's text needs what was said before, so it needs somebody who can open that room; withdrawing
needs nobody.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import alerts as rules
from node import letters as letter_rules
from node import sealed_notes
from node.alerts import Alert, Place, PublicAlert
from node.desk import alerts as desk
from node.desk import withdrawals
from node.desk.alerts import Said
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.protocol import ids, sealing
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import contacts, documents, networks
from node.models import letters as rows
from node.models.contacts import Member
from node.models.letters import Kept
from node.models.organisations import Organisation

_PAGE = "/desk/network"


@dataclass(frozen=True, slots=True)
class SealedAlert:
    """One alert that members were sent, opened."""

    about: str
    """The canonical id of its main Note."""
    author: str
    notes: tuple[JsonObject, ...]
    """Signed, the main language first; each one's proof holds."""
    to: tuple[str, ...]
    """Whom its newest letter is for."""
    sent: datetime

    @property
    def main(self) -> PublicAlert:
        """The Note in its main language, read."""
        return rules.parse(self.notes[0])


def check_pictures(alert: Alert) -> None:
    """What is for some carries no pictures yet: pictures are served to whoever knows their digest.

    Raises:
        RefusedError: it names some.
    """
    if alert.sealed and alert.media:
        raise RefusedError(
            "R5: an alert for members only carries no pictures yet, for whoever knows a picture's digest is handed it:"
            " leave media out, or publish for everyone"
        )


def publish(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: Alert, now: datetime,
    *, approved: bool,
) -> Said:  # fmt: skip
    """Send a new alert to the members it is for.

    Args:
        approved: a second person said yes, or none is needed here.

    Raises:
        RefusedError: a rule forbids it, or nobody it is for can be sealed to.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=approved)
    check_pictures(alert)
    to = _addressed(connection, organisation, alert)
    reference = desk.next_reference(connection, organisation, alert, now)
    languages = [text.language for text in alert.texts()]
    note_ids = {language: organisation.at(f"/objects/{outbox.token()}") for language in languages}
    notes = [
        _note(alert, language, _place(organisation, alert, note_ids, language, reference, now, None), key, now)
        for language in languages
    ]
    return _send(connection, organisation, key, notes, to, now)


def update(
    connection: Connection, organisation: Organisation, key: OrganisationKey, found: SealedAlert, alert: Alert,
    now: datetime, *, approved: bool,
) -> Said:  # fmt: skip
    """Replace the text of one of our own.

    Raises:
        RefusedError: a rule forbids it, or it would go from some to everyone.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=approved)
    check_pictures(alert)
    old = found.main
    if not alert.sealed:
        raise RefusedError("what was said to some is not put before everyone by an update: publish it as a new alert")
    if alert.status != old.status or alert.text.language != old.language:
        raise RefusedError(f"status {old.status} and main language {old.language} of a published alert stay")
    moment = _later(now, found)
    known = {rules.parse(note).language: str(note["id"]) for note in found.notes}
    note_ids = {
        text.language: known.get(text.language) or organisation.at(f"/objects/{outbox.token()}")
        for text in alert.texts()
    }
    published = old.published or now
    notes = [
        _note(
            alert, language,
            _place(organisation, alert, note_ids, language, old.reference, published, moment), key, moment,
        )
        for language in note_ids
    ]  # fmt: skip
    to = {*_addressed(connection, organisation, alert), *_told(connection, organisation, found.about)}
    return _send(connection, organisation, key, notes, to, moment)


def restate(
    connection: Connection, organisation: Organisation, key: OrganisationKey, found: SealedAlert, text: str,
    now: datetime, change: Callable[[JsonObject, str, str, datetime], JsonObject],
) -> Said:  # fmt: skip
    """Correct or close one of our own.

    Raises:
        RefusedError: no reason, or no outcome.
    """
    if not text.strip():
        raise RefusedError("say why: readers see this text beside the alert")
    moment = _later(now, found)
    notes = [
        outbox.sign_object(change(note, text, rules.parse(note).language, moment), key, dict(rules.TERMS), moment)
        for note in found.notes
    ]
    return _send(connection, organisation, key, notes, _told(connection, organisation, found.about), moment)


def withdraw(
    connection: Connection, organisation: Organisation, key: OrganisationKey, about: str, now: datetime
) -> Said:
    """Take one of our own back from everybody who was ever sent it. Nothing needs to be opened for that.

    Raises:
        RefusedError: none of ours is about this.
    """
    to = _told(connection, organisation, about)
    if not to:
        raise RefusedError(f"no alert {about[:120]!r} of ours here")
    rows.withdraw(connection, organisation.did, organisation.did, about)
    sent = letters.send(
        connection, organisation, key, letter_rules.WITHDRAWAL, about, {}, to, now, token=outbox.token(), urgent=True
    )
    withdrawals.note(connection, organisation.did, about, "", (sent.letter.id,), now)
    uri = (ids.portable(about) or ids.Portable(organisation.did, "")).at(organisation.origin)
    return Said(uri, about, _page(organisation, about), 0, "")


def current(connection: Connection, org: str, secrets: Sequence[str]) -> tuple[SealedAlert, ...]:
    """Every alert that was sealed to us or by us, as it stands now, newest first.

    Args:
        secrets: of the room "network"; what they do not open is left out.
    """
    return tuple(found for found in opening(connection, org, secrets) if found is not None)


def opening(connection: Connection, org: str, secrets: Sequence[str]) -> Iterator[SealedAlert | None]:
    """The same, each opened as it is asked for; `None` for one that these secrets do not open."""
    for kept in rows.of_kind(connection, org, (letter_rules.ALERT,), last=True):
        yield _open(kept, secrets)


def find(connection: Connection, org: str, name: str, secrets: Sequence[str]) -> SealedAlert | None:
    """One of them, by any id of it, or the last part of its page's address."""
    for each in current(connection, org, secrets):
        uris = [str(note["id"]) for note in each.notes]
        names = {each.about, documents.page_name(each.about), *uris, *map(ids.canonical, uris)}
        if name in names:
            return each
    return None


def has(connection: Connection, organisation: Organisation, name: str) -> bool:
    """Whether one of our own sealed alerts is about this; needs no secret."""
    return bool(_told(connection, organisation, name))


def _open(kept: Kept, secrets: Sequence[str]) -> SealedAlert | None:
    if kept.sealed is None:
        return None
    try:
        letter = letter_rules.parse(sealing.open_sealed(kept.sealed, secrets))
        sealed_notes.check(letter)
    except ProtocolError:
        return None
    return SealedAlert(letter.about, letter.author, tuple(letter.body["notes"]), letter.to, letter.sent)


def check_addressed(connection: Connection, organisation: Organisation, alert: Alert) -> None:
    """Whether there is anybody whom a sealed alert is for, asked before others look at it.

    Raises:
        RefusedError: nobody, or it does not say which of our networks.
    """
    if alert.sealed:
        _addressed(connection, organisation, alert)


def _network(connection: Connection, organisation: Organisation, alert: Alert) -> set[str]:
    """Whom "network" means: the members of the networks that are named; of our one network, if we are in one; where
    there is none, every pinned member. What is said in one network is never sent to another by itself.
    """
    org = organisation.did
    states = [networks.state_of(connection, org, each.network) for each in networks.all_of(connection, org)]
    ours = {state.network: set(state.members) for state in states if org in state.members}
    if len(ours) > 1 and not alert.networks:
        raise RefusedError("networks: this organisation is in several; name those that it is for, as"
                           " 'tadamun network list' shows them")
    chosen = alert.networks or tuple(ours)
    found: set[str] = set()
    for name in chosen:
        fitting = [network for network in ours if network.startswith(name)]
        if len(fitting) != 1:
            raise RefusedError(f"networks: {name!r} is none of ours; 'tadamun network list' shows them")
        found |= ours[fitting[0]]
    return found if chosen else {member.did for member in contacts.members_of(connection, org)}


def _addressed(connection: Connection, organisation: Organisation, alert: Alert) -> frozenset[str]:
    members = contacts.members_of(connection, organisation.did)
    if alert.audience == "network":
        wanted = _network(connection, organisation, alert) & {member.did for member in members}
    else:
        wanted = set(alert.audience)
    unknown = wanted - {member.did for member in members}
    if unknown:
        raise RefusedError(f"audience: {min(unknown)} is no member here; 'tadamun member list' shows them")
    found = frozenset(
        member.did
        for member in members
        if member.did in wanted and member.frozen is None and not _is_left_out(connection, alert, member)
    )
    if not found:
        raise RefusedError("audience: nobody is left whom this is for; 'tadamun member list' shows the members")
    return found


def _is_left_out(connection: Connection, alert: Alert, member: Member) -> bool:
    """By did, or by country; where countries are left out, so is who does not say its own."""
    countries = [each for each in alert.left_out if len(each) == 2]
    if member.did in alert.left_out or not countries:
        return member.did in alert.left_out
    actor = documents.actor(connection, str(ids.Portable(member.did, "/actor")))
    value = actor.document.value.get("countryCode") if actor else None
    return not value or value in countries


def _told(connection: Connection, organisation: Organisation, about: str) -> frozenset[str]:
    """Everybody who was ever sent one of our letters about this."""
    found = rows.about(connection, organisation.did, about, (letter_rules.ALERT,))
    ours = (kept for kept in found if kept.author == organisation.did and not kept.gone)
    return frozenset(did for kept in ours for did in kept.addressed)


def _note(alert: Alert, language: str, place: Place, key: OrganisationKey, now: datetime) -> JsonObject:
    return outbox.sign_object(rules.render(alert, language, place), key, dict(rules.TERMS), now)


def _place(
    organisation: Organisation, alert: Alert, note_ids: dict[str, str], language: str, reference: str,
    published: datetime, updated: datetime | None,
) -> Place:  # fmt: skip
    main = note_ids[alert.text.language]
    return Place(
        note_id=note_ids[language],
        actor_id=organisation.uri,
        author_name=organisation.name,
        page_url=_page(organisation, ids.canonical(main)),
        reference=reference,
        sister_urls=(),
        published=published,
        updated=updated,
        to=(organisation.uri + "/members",),
        cc=(),
        translation_of=None if language == alert.text.language else main,
        translations=tuple(each for each in note_ids.items() if each[0] != language),
    )


def _page(organisation: Organisation, about: str) -> str:
    return f"{organisation.origin}{_PAGE}/{documents.page_name(about)}"


def _send(
    connection: Connection, organisation: Organisation, key: OrganisationKey, notes: Sequence[JsonObject],
    to: Collection[str], now: datetime,
) -> Said:  # fmt: skip
    uri = str(notes[0]["id"])
    about = ids.canonical(uri)
    letters.send(
        connection, organisation, key, letter_rules.ALERT, about, {"notes": list(notes)}, to, now,
        token=outbox.token(), urgent=True,
    )  # fmt: skip
    return Said(uri, about, _page(organisation, about), 0, rules.parse(notes[0]).reference)


def _later(now: datetime, found: SealedAlert) -> datetime:
    last = found.main.updated or found.main.published or now
    return max(now, last + timedelta(seconds=1), found.sent + timedelta(seconds=1))

"""An organisation publishes, updates, corrects, closes and withdraws its alerts, and tells what is new about them.

Each function is one transaction: the Note in its main language, its translations, their log entries and deliveries, all
or nothing. Followers get the main language; translations are Notes of their own, linked, for members and pages. What is
told of the moment (`published`, `updated`, the proofs' `created`) is rounded down to ten minutes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import orjson
from sqlalchemy import Connection

from node import alerts as rules
from node.alert_terms import rounded
from node.alerts import Alert, Answer, Further, Place
from node.desk import custody, withdrawals
from node.errors import ProtocolError, RefusedError
from node.federation import outbox
from node.federation.outbox import Published, Speech
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.media import Medium
from node.models import alerts, contacts, documents, signatures
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation

Pictures = Sequence[tuple[Medium, Medium]]
"""Each picture with its thumbnail."""
_SISTERS = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What an act on an alert brought, as the command line prints it."""

    id: str
    portable_id: str
    url: str
    sequence: int
    reference: str

    def shown(self) -> JsonObject:
        """For `--json`."""
        return {
            "id": self.id,
            "portable_id": self.portable_id,
            "url": self.url,
            "sequence": self.sequence,
            "reference": self.reference,
        }


def publish(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: Alert, now: datetime,
    *, loopback: bool, approved: bool = False, pictures: Pictures = (),
) -> Said:  # fmt: skip
    """Publish a new alert with its translations.

    Args:
        approved: others gave the words that it needs.
        pictures: what became of the alert's `media`, in its order, kept already.

    Raises:
        RefusedError: consent, audience or another rule forbids it; every reason is named.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=loopback)
    _check_open(alert)
    _check_pictures(alert, pictures)
    reference = next_reference(connection, organisation, alert, now)
    return _create(connection, organisation, key, alert, reference, None, now, rounded(now), pictures)


def news(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, alert: Alert, now: datetime,
    *, loopback: bool, approved: bool = False, pictures: Pictures = (),
) -> Said:  # fmt: skip
    """Tell what is new about an alert: a text of its own in the same chain, for everyone who got the first.

    Args:
        name: the first alert, or any news of it.

    Raises:
        RefusedError: no such alert of ours, it is closed, or a rule forbids it; every reason is named.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=loopback)
    _check_open(alert)
    _check_pictures(alert, pictures)
    first = _first_of(connection, organisation, find_own(connection, organisation, name))
    check_news(alert, first)
    before = (first, *alerts.news_of(connection, organisation.did, first))[-1]
    told = max(rounded(now), before.published + timedelta(seconds=1))
    reference = _next_news(connection, organisation, first)
    return _create(connection, organisation, key, alert, reference, first, now, told, pictures)


def check_news(alert: Alert, first: AlertRecord) -> None:
    """Judge whether this text may stand in the chain of that alert.

    Raises:
        RefusedError: one reason for each rule that says no.
    """
    reasons = []
    if first.state == "closed":
        reasons.append("the alert is closed: publish a new one")
    if alert.kind != "new-information":
        reasons.append("kind: news of an alert is new-information")
    if alert.status != first.status:
        reasons.append(f"status: the alert was published as {first.status}, so is its news")
    if alert.text.language != first.language:
        reasons.append(f"language: the main language of this alert is {first.language}, so is its news'")
    if alert.country != first.country:
        reasons.append(f"country: the alert is about {first.country}; publish a new one about another country")
    if reasons:
        raise RefusedError(*reasons)


def _create(
    connection: Connection, organisation: Organisation, key: OrganisationKey, alert: Alert, reference: str,
    first: AlertRecord | None, now: datetime, told: datetime, pictures: Pictures,
) -> Said:  # fmt: skip
    languages = [alert.text.language, *(text.language for text in alert.translations)]
    note_ids = {language: organisation.at(f"/objects/{outbox.token()}") for language in languages}
    results = [
        _say(
            connection, organisation, key, "Create", alert, language,
            _place(connection, organisation, alert, note_ids, language, reference, told, None, first, pictures),
            now, told,
        )
        for language in languages
    ]  # fmt: skip
    if alert.custodians:
        record = find_own(connection, organisation, note_ids[languages[0]])
        custody.entrust(connection, organisation, key, record, alert.custodians, alert.custody_threshold, now)
    return _said(organisation, note_ids[languages[0]], results[0], reference)


def update(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, alert: Alert, now: datetime,
    *, loopback: bool, approved: bool = False, pictures: Pictures = (),
) -> Said:  # fmt: skip
    """Replace the text and the pictures of a published alert; readers of Mastodon see it as an edit.

    Args:
        pictures: as with `publish`; those that were there before and are not among them go.

    Raises:
        RefusedError: no such alert of ours, or a rule forbids it.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=loopback)
    _check_open(alert)
    _check_pictures(alert, pictures)
    record = find_own(connection, organisation, name)
    if alert.status != record.status:
        raise RefusedError(f"an alert that was published as {record.status} stays {record.status}")
    if alert.text.language != record.language:
        raise RefusedError(f"the main language of this alert is {record.language}; publish a new one to change it")
    first = _first_of(connection, organisation, record)
    if record.news_of is not None:
        check_news(alert, first)
    told = _later(now, record)
    known = {record.language: record.uri}
    others = alerts.translations_of(connection, organisation.did, record.object_id)
    known |= {each.language: each.uri for each in others}
    wanted = {text.language for text in alert.translations} | {record.language}
    note_ids = {language: known.get(language) or organisation.at(f"/objects/{outbox.token()}") for language in wanted}
    result: Published | None = None
    for language in [record.language, *sorted(wanted - {record.language})]:
        kind = "Update" if language in known else "Create"
        place = _place(
            connection, organisation, alert, note_ids, language, record.reference, record.published, told,
            first if record.news_of else None, pictures,
        )  # fmt: skip
        said = _say(connection, organisation, key, kind, alert, language, place, now, told)
        result = result or said
    for language in known.keys() - wanted:
        _delete(connection, organisation, key, ids.canonical(known[language]), known[language], record.status, now)
    if result is None:
        raise RefusedError("nothing to update")
    custody.renew(connection, organisation, key, record, now)
    return _said(organisation, record.uri, result, record.reference)


def correct(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, reason: str, now: datetime
) -> Said:
    """Mark an alert as corrected: the text stays, the reason stands above it, and everyone is told.

    Raises:
        RefusedError: no such alert of ours, or no reason.
    """
    return _restate(connection, organisation, key, name, reason, now, rules.with_correction)


def close(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, outcome: str, now: datetime,
    *, result: str = "", attribution: str = "",
) -> Said:  # fmt: skip
    """Close an alert with its outcome, told to everyone who got it; the whole chain is closed with it.

    Raises:
        RefusedError: no such alert of ours, it is only news of one, no outcome, or a result that is in no list.
    """
    record = find_own(connection, organisation, name)
    if record.news_of is not None:
        first = _first_of(connection, organisation, record)
        raise RefusedError(f"this is news; what is closed is the first alert, {first.uri}")
    change = partial(rules.with_closure, result=result, attribution=attribution)
    return _restate(connection, organisation, key, name, outcome, now, change)


def answer(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, given: Answer, now: datetime
) -> Said:
    """Tell everyone who got an alert what an office answered.

    Raises:
        RefusedError: no such alert of ours, or an answer that is none.
    """

    def change(note: JsonObject, by: str, language: str, moment: datetime) -> JsonObject:
        return rules.with_answer(note, replace(given, by=by), language, moment)

    return _restate(connection, organisation, key, name, given.by, now, change)


def withdraw(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> Said:
    """Take an alert back with its news, silently: the same neutral answer as for any removal, and no reason anywhere.

    Raises:
        RefusedError: no such alert of ours.
    """
    record = find_own(connection, organisation, name)
    result: Published | None = None
    words: list[str] = []
    # The first alert last: with it every node hides its news by itself, and then nothing is left to be deleted.
    for part in (*alerts.news_of(connection, organisation.did, record)[::-1], record):
        result = None
        for each in (part, *alerts.translations_of(connection, organisation.did, part.object_id)):
            said = _delete(connection, organisation, key, each.object_id, each.uri, each.status, now)
            result = result or said
            words.append(ids.canonical(said.id))
        _end_sign_on(connection, organisation, key, part, now)
    if result is None:
        raise RefusedError("nothing to withdraw")
    withdrawals.note(connection, organisation.did, record.object_id, record.reference, tuple(words), now)
    return _said(organisation, record.uri, result, record.reference)


def find_own(connection: Connection, organisation: Organisation, name: str) -> AlertRecord:
    """One of our own alerts, by any of its ids or the last part of its page's address.

    Raises:
        RefusedError: there is none, or it is another organisation's.
    """
    try:
        wanted = ids.canonical(name) if ":" in name else name
    except ProtocolError as error:
        raise RefusedError(f"{name[:80]!r} is no alert's id") from error
    record = alerts.find(connection, organisation.did, wanted)
    if record is None:
        raise RefusedError(f"no alert {name[:120]!r} here; 'tadamun alert list' shows them")
    if record.did != organisation.did:
        raise RefusedError("this alert is another organisation's; only its author changes or withdraws it")
    return record


def _check_open(alert: Alert) -> None:
    """What is for some never comes this way: here is the public log."""
    if alert.sealed:
        raise RefusedError("audience: this alert is not for everyone, so it is sealed and stands in no log")


def next_reference(connection: Connection, organisation: Organisation, alert: Alert, now: datetime) -> str:
    """A code that no alert of ours bears: after a restore the counter is behind the log that was pulled back."""
    while True:
        number = alerts.next_number(connection, organisation.did, f"alert {now:%Y}")
        reference = rules.reference_code(alert.country, number, now, organisation.did)
        if not alerts.has_reference(connection, organisation.did, organisation.did, reference):
            return reference


def _next_news(connection: Connection, organisation: Organisation, first: AlertRecord) -> str:
    """As `_next_reference`, counted for one alert."""
    while True:
        number = alerts.next_number(connection, organisation.did, f"news {first.page}")
        reference = rules.news_code(first.reference, number)
        if not alerts.has_reference(connection, organisation.did, organisation.did, reference):
            return reference


def _first_of(connection: Connection, organisation: Organisation, record: AlertRecord) -> AlertRecord:
    """The alert that began the chain of this one.

    Raises:
        RefusedError: it is not here.
    """
    found = alerts.chain(connection, organisation.did, record.object_id)
    if found is None or found.first.news_of is not None:
        raise RefusedError("the first alert of this chain is not here any more")
    return found.first


def _further(connection: Connection, organisation: Organisation, first: AlertRecord, language: str) -> Further:
    family = (first, *alerts.translations_of(connection, organisation.did, first.object_id))
    same = next((each for each in family if each.language == language), first)
    return Further(first.uri, same.uri, first.reference, same.headline, first.published)


def _place(
    connection: Connection, organisation: Organisation, alert: Alert, note_ids: dict[str, str], language: str,
    reference: str, published: datetime, updated: datetime | None, first: AlertRecord | None,
    pictures: Pictures,
) -> Place:  # fmt: skip
    main = alert.text.language
    audience = outbox.audience(organisation, members_only=alert.status != "actual")
    name = documents.page_name(ids.canonical(note_ids[language]))
    sisters = [
        f"{ids.origin_of_location(member.uri)}/alerts/{name}"
        for member in contacts.members_of(connection, organisation.did)
        if member.listed
    ]
    return Place(
        note_id=note_ids[language],
        actor_id=organisation.uri,
        author_name=organisation.name,
        page_url=f"{organisation.origin}/alerts/{name}",
        reference=reference,
        sister_urls=tuple(sisters[:_SISTERS]),
        published=published,
        updated=updated,
        to=audience.to,
        cc=audience.cc,
        translation_of=None if language == main else note_ids[main],
        translations=tuple(each for each in note_ids.items() if each[0] != language),
        further=_further(connection, organisation, first, language) if first else None,
        pictures=tuple(pictures),
    )


def _check_pictures(alert: Alert, pictures: Pictures) -> None:
    if len(alert.media) != len(pictures):
        raise RefusedError(f"the alert names {len(alert.media)} pictures, {len(pictures)} are here")


def _say(
    connection: Connection, organisation: Organisation, key: OrganisationKey, kind: str, alert: Alert, language: str,
    place: Place, now: datetime, told: datetime,
) -> Published:  # fmt: skip
    rendered = rules.render(alert, language, place)
    if kind == "Update":
        held = documents.stored(connection, organisation.did, ids.canonical(place.note_id))
        before = orjson.loads(held.raw) if held and held.raw else {}
        rendered = rules.carry_answers(rendered, before, language)
    note = outbox.sign_object(rendered, key, dict(rules.TERMS), told)
    audience = outbox.audience(organisation, members_only=alert.status != "actual")
    speech = Speech(kind, note, audience, dict(rules.TERMS), followers=language == alert.text.language, stamp=told)
    return outbox.publish(connection, organisation, key, speech, now)


def _restate(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, text: str, now: datetime,
    change: Callable[[JsonObject, str, str, datetime], JsonObject],
) -> Said:  # fmt: skip
    if not text.strip():
        raise RefusedError("say it in words: readers see this text beside the alert")
    record = find_own(connection, organisation, name)
    told = _later(now, record)
    result: Published | None = None
    for each in (record, *alerts.translations_of(connection, organisation.did, record.object_id)):
        held = documents.stored(connection, organisation.did, each.object_id)
        if held is None or held.raw is None:
            continue
        changed = change(orjson.loads(held.raw), text, each.language, told)
        note = outbox.sign_object(changed, key, dict(rules.TERMS), told)
        audience = outbox.audience(organisation, members_only=each.status != "actual")
        speech = Speech("Update", note, audience, dict(rules.TERMS), followers=each.translation_of is None, stamp=told)
        said = outbox.publish(connection, organisation, key, speech, now)
        result = result or said
    if result is None:
        raise RefusedError("the alert's text is not here any more")
    custody.renew(connection, organisation, key, record, now)
    return _said(organisation, record.uri, result, record.reference)


def _delete(
    connection: Connection, organisation: Organisation, key: OrganisationKey, object_id: str, uri: str, status: str,
    now: datetime,
) -> Published:  # fmt: skip
    tombstone = {"id": uri, "type": "Tombstone", "formerType": "Note"}
    audience = outbox.audience(organisation, members_only=status != "actual")
    named = outbox.withdrawn_entries(connection, organisation, object_id)
    speech = Speech("Delete", tombstone, audience, {}, named, stamp=rounded(now))
    return outbox.publish(connection, organisation, key, speech, now)


def _end_sign_on(
    connection: Connection, organisation: Organisation, key: OrganisationKey, record: AlertRecord, now: datetime
) -> None:
    """What is withdrawn is signed by nobody: our own part of its sign-on goes with it."""
    audience = outbox.audience(organisation, members_only=record.status != "actual")
    for each in signatures.about(connection, organisation.did, record.object_id):
        if each.author == organisation.actor:
            outbox.take_back(connection, organisation, key, each, audience, now)


def _later(now: datetime, record: AlertRecord) -> datetime:
    """The moment that an Update tells: rounded, and later than what stands by the second that the wire shows."""
    last = record.updated or record.published
    return max(rounded(now), last + timedelta(seconds=1))


def _said(organisation: Organisation, uri: str, result: Published, reference: str) -> Said:
    portable = ids.canonical(uri)
    page = f"{organisation.origin}/alerts/{documents.page_name(portable)}"
    return Said(uri, portable, page, result.sequence, reference)

"""An organisation publishes, updates, corrects, closes and withdraws its alerts.

Each function is one transaction: the Note in its main language, its translations, their log entries and deliveries, all
or nothing. Followers get the main language; translations are Notes of their own, linked, for members and pages.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import orjson
from sqlalchemy import Connection

from node import alerts as rules
from node.alerts import Alert, Answer, Place
from node.desk import custody, withdrawals
from node.errors import ProtocolError, RefusedError
from node.federation import outbox
from node.federation.outbox import Published, Speech
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import alerts, contacts, documents
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation

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
    *, loopback: bool, approved: bool = False,
) -> Said:  # fmt: skip
    """Publish a new alert with its translations.

    Args:
        approved: others gave the words that it needs.

    Raises:
        RefusedError: consent, audience or another rule forbids it; every reason is named.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=loopback)
    _check_open(alert)
    reference = next_reference(connection, organisation, alert, now)
    languages = [alert.text.language, *(text.language for text in alert.translations)]
    note_ids = {language: organisation.at(f"/objects/{outbox.token()}") for language in languages}
    main = languages[0]
    results = [
        _say(
            connection, organisation, key, "Create", alert, language,
            _place(connection, organisation, alert, note_ids, language, reference, now, None), now,
        )
        for language in languages
    ]  # fmt: skip
    if alert.custodians:
        record = find_own(connection, organisation, note_ids[main])
        custody.entrust(connection, organisation, key, record, alert.custodians, alert.custody_threshold, now)
    return _said(organisation, note_ids[main], results[0], reference)


def update(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, alert: Alert, now: datetime,
    *, loopback: bool, approved: bool = False,
) -> Said:  # fmt: skip
    """Replace the text of a published alert; readers of Mastodon see it as an edit.

    Raises:
        RefusedError: no such alert of ours, or a rule forbids it.
    """
    rules.check_publishable(alert, now, approvals_exist=approved, loopback=loopback)
    _check_open(alert)
    record = find_own(connection, organisation, name)
    if alert.status != record.status:
        raise RefusedError(f"an alert that was published as {record.status} stays {record.status}")
    if alert.text.language != record.language:
        raise RefusedError(f"the main language of this alert is {record.language}; publish a new one to change it")
    now = _later(now, record)
    known = {record.language: record.uri}
    others = alerts.translations_of(connection, organisation.did, record.object_id)
    known |= {each.language: each.uri for each in others}
    wanted = {text.language for text in alert.translations} | {record.language}
    note_ids = {language: known.get(language) or organisation.at(f"/objects/{outbox.token()}") for language in wanted}
    result: Published | None = None
    for language in [record.language, *sorted(wanted - {record.language})]:
        kind = "Update" if language in known else "Create"
        place = _place(connection, organisation, alert, note_ids, language, record.reference, record.published, now)
        said = _say(connection, organisation, key, kind, alert, language, place, now)
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
    """Close an alert with its outcome, told to everyone who got it.

    Raises:
        RefusedError: no such alert of ours, no outcome, or a result that is in no list.
    """
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
    """Take an alert back, silently: the same neutral answer as for any removal, and no reason anywhere.

    Raises:
        RefusedError: no such alert of ours.
    """
    record = find_own(connection, organisation, name)
    said = [
        _delete(connection, organisation, key, each.object_id, each.uri, each.status, now)
        for each in (record, *alerts.translations_of(connection, organisation.did, record.object_id))
    ]
    words = tuple(ids.canonical(each.id) for each in said)
    withdrawals.note(connection, organisation.did, record.object_id, record.reference, words, now)
    return _said(organisation, record.uri, said[0], record.reference)


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


def _place(
    connection: Connection, organisation: Organisation, alert: Alert, note_ids: dict[str, str], language: str,
    reference: str, published: datetime, updated: datetime | None,
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
    )


def _say(
    connection: Connection, organisation: Organisation, key: OrganisationKey, kind: str, alert: Alert, language: str,
    place: Place, now: datetime,
) -> Published:  # fmt: skip
    rendered = rules.render(alert, language, place)
    if kind == "Update":
        held = documents.stored(connection, organisation.did, ids.canonical(place.note_id))
        before = orjson.loads(held.raw) if held and held.raw else {}
        rendered = rules.carry_answers(rendered, before, language)
    note = outbox.sign_object(rendered, key, dict(rules.TERMS), now)
    audience = outbox.audience(organisation, members_only=alert.status != "actual")
    speech = Speech(kind, note, audience, dict(rules.TERMS), followers=language == alert.text.language)
    return outbox.publish(connection, organisation, key, speech, now)


def _restate(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, text: str, now: datetime,
    change: Callable[[JsonObject, str, str, datetime], JsonObject],
) -> Said:  # fmt: skip
    if not text.strip():
        raise RefusedError("say it in words: readers see this text beside the alert")
    record = find_own(connection, organisation, name)
    moment = _later(now, record)
    result: Published | None = None
    for each in (record, *alerts.translations_of(connection, organisation.did, record.object_id)):
        held = documents.stored(connection, organisation.did, each.object_id)
        if held is None or held.raw is None:
            continue
        changed = change(orjson.loads(held.raw), text, each.language, moment)
        note = outbox.sign_object(changed, key, dict(rules.TERMS), moment)
        audience = outbox.audience(organisation, members_only=each.status != "actual")
        speech = Speech("Update", note, audience, dict(rules.TERMS), followers=each.translation_of is None)
        said = outbox.publish(connection, organisation, key, speech, moment)
        result = result or said
    if result is None:
        raise RefusedError("the alert's text is not here any more")
    custody.renew(connection, organisation, key, record, moment)
    return _said(organisation, record.uri, result, record.reference)


def _delete(
    connection: Connection, organisation: Organisation, key: OrganisationKey, object_id: str, uri: str, status: str,
    now: datetime,
) -> Published:  # fmt: skip
    tombstone = {"id": uri, "type": "Tombstone", "formerType": "Note"}
    audience = outbox.audience(organisation, members_only=status != "actual")
    named = outbox.withdrawn_entries(connection, organisation, object_id)
    return outbox.publish(connection, organisation, key, Speech("Delete", tombstone, audience, {}, named), now)


def _later(now: datetime, record: AlertRecord) -> datetime:
    """An Update must be later than what stands, by the second that the wire shows."""
    last = record.updated or record.published
    return max(now, last + timedelta(seconds=1))


def _said(organisation: Organisation, uri: str, result: Published, reference: str) -> Said:
    portable = ids.canonical(uri)
    page = f"{organisation.origin}/alerts/{documents.page_name(portable)}"
    return Said(uri, portable, page, result.sequence, reference)

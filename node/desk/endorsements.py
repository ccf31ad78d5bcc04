"""Sign-on at the desk: an author opens it and hands the list over, others put their names under the text or off it.

What is said is public, stands in the log and is sent to members only: no follower is told of each name. An organisation
may instead sign so that only the network knows its name (`node/withheld.py`); everybody sees that number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection

from node import endorsements as rules
from node import withheld as withheld_rules
from node.alert_forms import clean
from node.desk import rolls, withheld
from node.desk.alerts import find_own
from node.endorsements import Delivery, Endorsement, SignOn, SignOnList
from node.errors import ProtocolError, RefusedError
from node.federation import outbox
from node.federation.letters import Sent
from node.federation.outbox import Audience, Published, Speech
from node.federation.protocol import ids
from node.federation.protocol.activities import PUBLIC
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import alerts, documents, signatures
from node.models import withheld as withheld_rows
from node.models.alerts import AlertRecord
from node.models.documents import Stored
from node.models.organisations import Organisation


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken off, and what that cannot undo."""

    ids: tuple[str, ...]
    delivered: Delivery | None
    """The list was handed over with this name on it, or may have been."""


def open_sign_on(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, closes: datetime, now: datetime
) -> Published:
    """Freeze the text of an alert as it stands and ask the members to sign it.

    Said again, it moves the end of the window; after a change of the text it asks everybody anew.

    Raises:
        RefusedError: no such alert of ours, it asks for no signatures, is over, or the window ends before it begins.
    """
    record = _main(connection, organisation, find_own(connection, organisation, name))
    held = _held(connection, organisation, record)
    if held.get("endorsementMode") == "none":
        raise RefusedError("this alert says that nobody is asked to sign it (endorsement_mode none)")
    if record.state == "closed" or (record.expires is not None and record.expires <= now):
        raise RefusedError("this alert is over: it is closed or has expired")
    if closes <= now:
        raise RefusedError(f"--closes: {closes:%Y-%m-%d %H:%M} UTC has passed; write a later date")
    audience = _audience(organisation, record)
    texts = present(connection, organisation, record)
    made = rules.render_sign_on(
        organisation.at(f"/objects/{outbox.token()}"), organisation.uri, record.uri, texts, (now, closes), audience.to
    )
    return _say(connection, organisation, key, "Create", made, audience, now)


def endorse(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, shown: str, language: str,
    now: datetime,
) -> Published:  # fmt: skip
    """Put our name under the frozen text of a member's alert.

    Args:
        shown: the name as it should appear; empty for the organisation's own.

    Raises:
        RefusedError: nobody is asked, the window is closed, the text is another one, or we signed already.
    """
    record, found, shown = _signable(connection, organisation, name, shown, now)
    withheld.take_back(connection, organisation, key, record.object_id, now)
    audience = _audience(organisation, record)
    made = rules.render_endorsement(
        organisation.at(f"/objects/{outbox.token()}"), organisation.uri, found.sign_on, record.uri,
        (shown, language or organisation.language), now, audience.to,
    )  # fmt: skip
    return _say(connection, organisation, key, "Create", made, audience, now)


def endorse_withheld(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, shown: str, now: datetime
) -> Sent:
    """Put our name under the frozen text so that only the network knows it: everybody else sees a number.

    Raises:
        RefusedError: as for `endorse`.
    """
    record, found, shown = _signable(connection, organisation, name, shown, now)
    return withheld.endorse(
        connection, organisation, key, record.object_id, found.sign_on.digest, shown, now
    )


def unendorse(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> Taken:
    """Take our name off, whatever became of the alert: every node hides it at once and destroys it later.

    Raises:
        RefusedError: our name stands under no text of this alert.
    """
    record = alerts.find(connection, organisation.did, _canonical(name))
    record = _main(connection, organisation, record) if record else None
    alert = record.object_id if record else _canonical(name)
    entries = _entries(signatures.about(connection, organisation.did, alert))
    own = [each for each in entries if isinstance(each, Endorsement) and each.did == organisation.did]
    sealed = withheld.take_back(connection, organisation, key, alert, now)
    if not own and not sealed:
        raise RefusedError("our name stands under no text of this alert")
    for each in own:
        held = documents.stored(connection, organisation.did, each.id)
        if held is not None:
            members_only = not _is_public(held)
            audience = outbox.audience(organisation, members_only=members_only)
            outbox.take_back(connection, organisation, key, held, Audience(audience.to, (), members_only), now)
    given = [each.delivery for each in entries if isinstance(each, SignOn) and each.delivery is not None]
    delivered = next((each for each in given if organisation.did in each.heads), None)
    return Taken((*(each.id for each in own), *sealed), delivered)


def deliver(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, to: str, now: datetime
) -> Published:
    """End the window and say to whom the list was handed, as it stands here now.

    Raises:
        RefusedError: nobody was asked, the text has changed, it was delivered before, or nobody signed.
    """
    record = _main(connection, organisation, find_own(connection, organisation, name))
    found = signatories(connection, organisation, record, now)
    to = clean(to)
    if found is None:
        raise RefusedError("nobody was asked to sign this alert")
    if found.phase == "delivered":
        raise RefusedError("this list was delivered before; 'alert open-signon' asks anew")
    if found.changed:
        raise RefusedError("the text has changed since it was frozen: 'alert open-signon' asks everybody anew")
    if not found.count:
        raise RefusedError("nobody has signed yet")
    if not 0 < len(to) <= rules.MAX_TO:
        raise RefusedError(f"--to: 1 to {rules.MAX_TO} characters: to whom the list is handed")
    held = documents.stored(connection, organisation.did, found.sign_on.id)
    if held is None or held.raw is None:
        raise RefusedError("the sign-on is not here any more")
    moment = max(now, found.sign_on.opens + timedelta(seconds=1))
    delivery = Delivery(moment, to, len(found.names), found.withheld, found.as_of)
    made = rules.with_delivery(orjson.loads(held.raw), delivery)
    return _say(connection, organisation, key, "Update", made, _audience(organisation, record), moment)


def signatories(
    connection: Connection, organisation: Organisation, record: AlertRecord, now: datetime
) -> SignOnList | None:
    """The list of an alert as this node has it; `None` where nobody was asked."""
    record = _main(connection, organisation, record)
    held = signatures.about(connection, organisation.did, record.object_id)
    if not held:
        return None
    here = present(connection, organisation, record)
    heads, roll = rolls.heads_of(connection, organisation), rolls.roll_of(connection, organisation)
    found = rules.list_of(_entries(held), heads, roll, here, now)
    if found is None:
        return None
    sealed = withheld_rows.about(connection, organisation.did, record.object_id)
    return replace(found, withheld=withheld_rules.count(sealed, found.sign_on))


def find(connection: Connection, organisation: Organisation, name: str) -> AlertRecord:
    """An alert that is held here, by any of its ids; of a translation its original.

    Raises:
        RefusedError: there is none.
    """
    return _main(connection, organisation, _find(connection, organisation, name))


def present(connection: Connection, organisation: Organisation, record: AlertRecord) -> dict[str, str]:
    """Language → digest of each text of an alert that is held here."""
    found = {}
    for each in (record, *alerts.translations_of(connection, organisation.did, record.object_id)):
        held = documents.stored(connection, organisation.did, each.object_id)
        if held is not None and held.raw is not None:
            found[each.language] = rules.digest_of(orjson.loads(held.raw))
    return found


def _signable(
    connection: Connection, organisation: Organisation, name: str, shown: str, now: datetime
) -> tuple[AlertRecord, SignOnList, str]:
    """What we may sign, and our name as it appears.

    Raises:
        RefusedError: nobody is asked, the window is closed, the text is another one, or we signed already.
    """
    record = _main(connection, organisation, _find(connection, organisation, name))
    found = signatories(connection, organisation, record, now)
    if record.did == organisation.did:
        raise RefusedError("this alert is our own: its author stands above the list")
    if found is None:
        raise RefusedError("nobody is asked to sign this alert: its author opens that with 'alert open-signon'")
    _check_open(found)
    if any(each.did == organisation.did for each in found.names):
        raise RefusedError("our name stands under this text already")
    shown = " ".join(clean(shown or organisation.name).split())
    if not 0 < len(shown) <= rules.MAX_NAME:
        raise RefusedError(f"--name: 1 to {rules.MAX_NAME} characters")
    return record, found, shown


def _check_open(found: SignOnList) -> None:
    if found.changed:
        raise RefusedError("the text has changed since it was frozen: its author has to open the sign-on anew")
    if found.missing:
        raise RefusedError(f"the frozen text is not here in {', '.join(found.missing)} yet: read it first")
    if found.phase != "open":
        raise RefusedError("the list is closed: nobody can sign any more")


def _entries(held: Sequence[Stored]) -> list[SignOn | Endorsement]:
    """What the held objects say; what cannot be read any more says nothing."""
    found = []
    for each in held:
        try:
            found.append(rules.parse(orjson.loads(each.raw or b"{}"), (each.epoch or 0, each.sequence or 0)))
        except ProtocolError:
            continue
    return found


def _find(connection: Connection, organisation: Organisation, name: str) -> AlertRecord:
    record = alerts.find(connection, organisation.did, _canonical(name))
    if record is None:
        raise RefusedError(f"no alert {name[:120]!r} here; 'tadamun alert list' shows them")
    return record


def _canonical(name: str) -> str:
    try:
        return ids.canonical(name) if ":" in name else name
    except ProtocolError as error:
        raise RefusedError(f"{name[:80]!r} is no alert's id") from error


def _main(connection: Connection, organisation: Organisation, record: AlertRecord) -> AlertRecord:
    if record.translation_of is None:
        return record
    return alerts.find(connection, organisation.did, record.translation_of) or record


def _held(connection: Connection, organisation: Organisation, record: AlertRecord) -> JsonObject:
    held = documents.stored(connection, organisation.did, record.object_id)
    if held is None or held.raw is None:
        raise RefusedError("the alert's text is not here any more")
    value: JsonObject = orjson.loads(held.raw)
    return value


def _audience(organisation: Organisation, record: AlertRecord) -> Audience:
    """Everyone may know it, and the members are sent it; an exercise is the members' alone."""
    wide = outbox.audience(organisation, members_only=record.status != "actual")
    return replace(wide, cc=())


def _is_public(held: Stored) -> bool:
    return PUBLIC in orjson.loads(held.raw or b"{}").get("to", [])


def _say(
    connection: Connection, organisation: Organisation, key: OrganisationKey, kind: str, thing: JsonObject,
    audience: Audience, now: datetime,
) -> Published:  # fmt: skip
    signed = outbox.sign_object(thing, key, dict(rules.TERMS), now)
    speech = Speech(kind, signed, audience, dict(rules.TERMS), followers=False)
    return outbox.publish(connection, organisation, key, speech, now)

"""What may leave for readers who see no caveat: feeds, CAP files, texts to pass on.

Rules, in order: it is marked as real (R15); its author's own proof holds over the text as it is held; not enough
members declare that the author's key is in other hands (a page shows the text with a warning, a feed cannot), unless
the author is frozen here: then only what was said before is shown, and that is believed; for a CAP file also the
entries of the log must be held. A log that was set back excludes nobody: honest nodes restore backups.
"""

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from node import alerts as rules
from node import cap, feeds
from node.alerts import PublicAlert
from node.cap import Message
from node.errors import ProtocolError
from node.federation.protocol import verification
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.messages import parse_document
from node.models import alerts, contacts, declarations, documents, logs
from node.models.alerts import AlertRecord
from node.models.logs import Entry
from node.models.organisations import Organisation

_BATCHES = 4
"""So many times fifty rows are looked at to fill a feed."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One alert that may leave."""

    record: AlertRecord
    alert: PublicAlert


class Outlet:
    """What one organisation's node gives out; what it distrusts is looked up once."""

    def __init__(self, connection: Connection, organisation: Organisation) -> None:
        self.connection = connection
        self.organisation = organisation
        accused = declared_by(connection, organisation).keys()
        members = contacts.members_of(connection, organisation.did, all_states=True)
        self._distrusted = accused - {member.did for member in members if member.frozen is not None}

    def alert(self, record: AlertRecord | None) -> PublicAlert | None:
        """The alert of a row, if it may leave."""
        if record is None or record.status != "actual" or not record.did or record.did in self._distrusted:
            return None
        held = documents.stored(self.connection, self.organisation.did, record.object_id)
        if held is None or held.raw is None or not proof_holds(held.raw, record.did):
            return None
        alert = rules.parse(orjson.loads(held.raw))
        return None if alert.is_drill else alert

    def newest(self, author: str | None = None, language: str | None = None) -> tuple[Exported, ...]:
        """The newest alerts that may leave: in their main language, or those that have a text in the wanted one."""
        found: list[Exported] = []
        for batch in range(_BATCHES):
            records = alerts.newest(
                self.connection, self.organisation.did, author=author, offset=batch * feeds.MOST, limit=feeds.MOST,
                translations=language is not None, language=language,
            )  # fmt: skip
            found += [Exported(record, alert) for record in records if (alert := self.alert(record)) is not None]
            if len(found) >= feeds.MOST or len(records) < feeds.MOST:
                break
        return tuple(found[: feeds.MOST])

    def chain(self, record: AlertRecord) -> tuple[Message, ...]:
        """Every message about an alert, oldest first; empty where it cannot be told whole."""
        if self.alert(record) is None:
            return ()
        said = said_of(self.connection, self.organisation.did, record.did, record.object_id)
        found = [message for entry in said if (message := _message(entry)) is not None]
        return tuple(found) if len(found) == len(said) else ()

    def main(self, record: AlertRecord | None) -> AlertRecord | None:
        """The alert itself, where a translation was asked for."""
        if record is None or record.translation_of is None:
            return record
        return alerts.find(self.connection, self.organisation.did, record.translation_of)

    def translations(self, record: AlertRecord) -> tuple[PublicAlert, ...]:
        """The alert in its other languages, each under the same author's proof."""
        others = alerts.translations_of(self.connection, self.organisation.did, record.object_id)
        mine = (self.alert(other) for other in others if other.did == record.did)
        return tuple(alert for alert in mine if alert is not None)

    def head(self, record: AlertRecord) -> cap.Head | None:
        """What tells the newest message apart; `None` where there is no CAP file."""
        chain = self.chain(record)
        return cap.heads(chain, record.did)[-1] if chain else None


def said_of(connection: Connection, org: str, did: str, object_id: str) -> tuple[Entry, ...]:
    """What was said of an object and stands: not withdrawn, and not past a freeze (`by_activity` ends there)."""
    return tuple(
        entry
        for entry in logs.of_object(connection, org, did, object_id)
        if entry.raw is not None and entry.state == logs.HELD and entry.type in ("Create", "Update")
        if logs.by_activity(connection, org, entry.activity_id or "") is not None
    )


def declared_by(connection: Connection, organisation: Organisation) -> dict[str, int]:
    """did → how many declare that its key is no longer to be trusted; nobody is accused on the word of too few."""
    members = contacts.members_of(connection, organisation.did)
    believed = {organisation.did, *(member.did for member in members)}
    voices: dict[str, set[str]] = {}
    for word in declarations.all_of(connection, organisation.did):
        if word.by in believed:
            voices.setdefault(word.about, set()).add(word.by)
    return {
        did: len(by) for did, by in voices.items() if organisation.did in by or len(by) >= organisation.quorum
    }


def proof_holds(raw: bytes | None, did: str) -> bool:
    """Whether a held object still bears its author's proof."""
    if raw is None or not did:
        return False
    try:
        verification.verify_own_proof(orjson.loads(raw), did)
    except ProtocolError:
        return False
    return True


def _message(entry: Entry) -> Message | None:
    if entry.raw is None:
        return None
    note = parse_activity(parse_document(entry.raw)).object
    if note is None or not rules.is_alert(note):
        return None
    try:
        alert = rules.parse(note)
    except ProtocolError:
        return None
    made = alert.updated or alert.published or entry.received
    return Message(alert, entry.header.epoch, entry.header.sequence, made)

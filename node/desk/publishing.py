"""What is done once enough have said yes: a text is published, an update, news, a correction or a closure.

The package that waited holds all of it. `approvals` opens it, and nobody else calls this.
"""

from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection

from node import alerts as alert_rules
from node.alerts import Alert, Answer
from node.desk import alerts as open_desk
from node.desk import groups, waiting_pictures
from node.desk import pictures as pictures_desk
from node.desk import sealed_alerts as sealed_desk
from node.desk.alerts import Said
from node.desk.networks import Desk
from node.desk.sealed_alerts import SealedAlert
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models.organisations import Organisation
from node.models.storage import Storage

CORRECT, CLOSE, ANSWER, ANNOUNCE = "correct", "close", "answer", "announce"
"""What is put above or below a text that stands already; and what a working group says to everyone."""


def publish(
    connection: Connection, organisation: Organisation, key: OrganisationKey, package: JsonObject, storage: Storage,
    now: datetime,
) -> Said:  # fmt: skip
    """Do what a package says.

    Raises:
        RefusedError: the rules forbid it by now.
    """
    if package["alert"].get("restate"):
        return _restate(connection, organisation, key, package, now)
    alert: Alert = alert_rules.parse_input(package["alert"])
    replaces = str(package.get("replaces") or "")
    if alert.sealed and package.get("before"):
        before = restored(package["before"])
        return sealed_desk.update(connection, organisation, key, before, alert, now, approved=True)
    if alert.sealed:
        return sealed_desk.publish(connection, organisation, key, alert, now, approved=True)
    found = waiting_pictures.parse(package.get("pictures") or ())
    kept = pictures_desk.keep(connection, organisation, storage, found, now)
    if news := str(package.get("news_of") or ""):
        return open_desk.news(
            connection, organisation, key, news, alert, now, loopback=False, approved=True, pictures=kept
        )
    if replaces:
        return open_desk.update(
            connection, organisation, key, replaces, alert, now, loopback=False, approved=True, pictures=kept
        )
    return open_desk.publish(
        connection, organisation, key, alert, now, loopback=False, approved=True, pictures=kept
    )


def carried(before: SealedAlert | None) -> JsonObject | None:
    """A sealed alert as it stands, to wait in a package."""
    if before is None:
        return None
    return {
        "about": before.about, "author": before.author, "notes": list(before.notes), "to": list(before.to),
        "sent": before.sent.isoformat(),
    }  # fmt: skip


def restored(value: JsonObject) -> SealedAlert:
    """The same again."""
    sent = datetime.fromisoformat(value["sent"])
    return SealedAlert(value["about"], value["author"], tuple(value["notes"]), tuple(value["to"]), sent)


def _restate(
    connection: Connection, organisation: Organisation, key: OrganisationKey, package: JsonObject, now: datetime
) -> Said:
    value = package["alert"]
    if value["restate"] == ANNOUNCE:
        mine = Desk(connection, organisation, key, now)
        made = groups.publish(mine, value["alert"], value["headline"], value["text"], value["language"])
        uri = str(made.object_id)
        return Said(uri, ids.canonical(uri), f"{organisation.origin}/groups/{value['result']}", made.sequence, "")
    alert, text = str(value["alert"]), str(value["text"])
    result, attribution = str(value["result"]), str(value["attribution"])
    if value["restate"] == ANSWER:
        given = Answer(str(value["by"]), result, date.fromisoformat(value["day"]), text)
        return open_desk.answer(connection, organisation, key, alert, given, now)
    if package.get("before"):
        closed = partial(alert_rules.with_closure, result=result, attribution=attribution)
        change = closed if value["restate"] == CLOSE else alert_rules.with_correction
        return sealed_desk.restate(connection, organisation, key, restored(package["before"]), text, now, change)
    if value["restate"] == CLOSE:
        return open_desk.close(
            connection, organisation, key, alert, text, now, result=result, attribution=attribution
        )
    return open_desk.correct(connection, organisation, key, alert, text, now)

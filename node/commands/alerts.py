"""The `alert` commands: publish, list, update, correct, close, withdraw, restore."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from node import alerts as rules
from node.alerts import Alert
from node.app import utc_now
from node.commands.context import Office, common
from node.desk import alerts as desk
from node.desk import trust
from node.desk.alerts import Said
from node.desk.exports import proof_holds
from node.errors import ProtocolError, RefusedError
from node.federation.protocol.messages import parse_document
from node.models import alerts, documents
from node.models.alerts import AlertRecord

_ALL = ("actual", "exercise", "test", "unknown")


@click.group()
def alert() -> None:
    """Urgent alerts: publish one from a JSON file, change it, close it, take it back."""


@alert.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def publish(office: Office, file: Path) -> None:
    """Publish an alert from FILE.json. It is signed, written to the log and sent at once by a running 'serve'.

    Refused, naming every reason, when a field is missing or consent does not cover the audience. An actual alert on a
    node that is open to the world becomes a draft until two people can approve it.
    """
    given, organisation = read_alert(file), office.organisation
    loopback = office.settings.loopback_allowed and _is_loopback(organisation.origin)
    if given.status == "actual" and not loopback:
        rules.check_publishable(given, utc_now(), approvals_exist=False, loopback=True)
        draft = office.write(lambda connection: desk.keep_draft(connection, organisation, given, utc_now()))
        office.show(
            {"draft": draft, "published": False},
            "kept as a draft that waits for approval, not published; exercises and tests are published at once",
        )
        return
    key = office.key
    said = office.write(
        lambda connection: desk.publish(connection, organisation, key, given, utc_now(), loopback=loopback)
    )
    _show(office, said, "published")


@alert.command("list")
@common
def list_alerts(office: Office) -> None:
    """All alerts held here, our own and members', newest first, with whether each signature holds."""
    organisation = office.organisation

    def read(connection: Connection) -> list[dict[str, Any]]:
        return [
            _listed(connection, organisation.did, record)
            for record in alerts.newest(
                connection, organisation.did, statuses=_ALL, limit=100_000, translations=True
            )
        ]

    found = office.read(read)
    lines = [
        f"{'✓' if each['verified'] else '✗'} {each['published']}  {each['status']:8} {each['severity']:8} "
        f"{each['headline']}\n    {each['id']}  via {each['via']}"
        for each in found
    ]
    office.show(found, lines or ["no alerts yet: publish one with 'tadamun alert publish FILE.json'"])


def _listed(connection: Connection, org: str, record: AlertRecord) -> dict[str, Any]:
    held = documents.stored(connection, org, record.object_id)
    return {
        "id": record.uri,
        "portable_id": record.object_id,
        "author": record.did,
        "headline": record.headline,
        "language": record.language,
        "severity": record.severity,
        "status": record.status,
        "state": record.state,
        "reference": record.reference,
        "published": f"{record.published:%Y-%m-%dT%H:%M:%SZ}",
        "verified": held is not None and proof_holds(held.raw, record.did),
        "via": record.via,
    }


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def update(office: Office, alert_id: str, file: Path) -> None:
    """Replace the text of alert ID by FILE.json: readers see an edit."""
    given, organisation, key = read_alert(file), office.organisation, office.key
    loopback = office.settings.loopback_allowed and _is_loopback(organisation.origin)
    said = office.write(
        lambda connection: desk.update(connection, organisation, key, alert_id, given, utc_now(), loopback=loopback)
    )
    _show(office, said, "updated")


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.option("--reason", required=True, help="What was wrong; readers see it above the text.")
@common
def correct(office: Office, alert_id: str, reason: str) -> None:
    """Say loudly that alert ID was wrong: the text stays, marked, and everyone is told."""
    organisation, key = office.organisation, office.key
    said = office.write(
        lambda connection: desk.correct(connection, organisation, key, alert_id, reason, utc_now())
    )
    _show(office, said, "corrected")


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.option("--outcome", required=True, help="How it ended; readers see it.")
@common
def close(office: Office, alert_id: str, outcome: str) -> None:
    """Close alert ID with its outcome."""
    organisation, key = office.organisation, office.key
    said = office.write(lambda connection: desk.close(connection, organisation, key, alert_id, outcome, utc_now()))
    _show(office, said, "closed")


@alert.command()
@click.argument("alert_id", metavar="ID")
@common
def withdraw(office: Office, alert_id: str) -> None:
    """Take alert ID back silently: a neutral answer everywhere, no reason. Copies on other servers may remain."""
    organisation, key = office.organisation, office.key
    said = office.write(lambda connection: desk.withdraw(connection, organisation, key, alert_id, utc_now()))
    _show(office, said, "withdrawn")


def read_alert(file: Path) -> Alert:
    """An alert from its file.

    Raises:
        RefusedError: naming every field that is missing or wrong.
    """
    try:
        value = parse_document(file.read_bytes(), 1 << 20).value
    except ProtocolError as error:
        raise RefusedError(f"{file.name}: {error.reason}") from error
    return rules.parse_input(value)


def _is_loopback(origin: str) -> bool:
    host = origin.partition("://")[2]
    return host.startswith(("127.", "localhost", "[::1]"))


def _show(office: Office, said: Said, done: str) -> None:
    office.show(
        said.shown(),
        [
            f"{done}  {said.reference}",
            f"id         {said.id}",
            f"page       {said.url}",
            f"log entry  {said.sequence}",
        ],
    )


@alert.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that the old key deleted after its last good entry.")
@common
def restore(office: Office, ids: tuple[str, ...], everything: bool) -> None:
    """As the successor of a stolen key: texts that the thief deleted come back on every member.

    Only after consent was asked again: a text that is down may have been dangerous to somebody.
    """
    if bool(ids) == everything:
        raise click.UsageError("name the texts, or say --all")
    organisation, key = office.organisation, office.key
    said = office.write(lambda connection: trust.restore_texts(connection, organisation, key, ids, utc_now()))
    office.show({"id": said.id, "sequence": said.sequence}, "the members are told; a running 'serve' sends it")

"""The `alert` commands of sign-on: open it, endorse, take the name off, hand the list over, read it."""

from datetime import datetime
from typing import Any

import click
from sqlalchemy import Connection

from node.alert_forms import EXAMPLE_MOMENT, parse_moment
from node.app import utc_now
from node.commands.context import Office, common
from node.desk import endorsements as desk
from node.desk.exports import proof_holds
from node.endorsements import Endorsement, SignOnList
from node.errors import RefusedError
from node.federation.outbox import Published
from node.models import documents
from node.rolls import Place


@click.command("open-signon")
@click.argument("alert_id", metavar="ID")
@click.option("--closes", required=True, help="The last moment for signing, e.g. 2027-01-15 or 2027-01-15T12:00:00Z.")
@common
def open_sign_on(office: Office, alert_id: str, closes: str) -> None:
    """Freeze the text of our alert ID and ask the members to sign exactly that text.

    Said again, it moves the end of the window. After a change of the text it has to be said again, and everybody signs
    anew.
    """
    organisation, key = office.organisation, office.key
    try:
        until = parse_moment(closes)
    except ValueError as error:
        raise RefusedError(f"--closes: write {EXAMPLE_MOMENT}") from error
    said = office.write(
        lambda connection: desk.open_sign_on(connection, organisation, key, alert_id, until, utc_now())
    )
    digest = str(said.value["object"]["textDigest"])
    office.show(
        _shown(said) | {"digest": digest, "closes": _moment(until)},
        [
            f"the text is frozen   {digest}",
            f"open until           {_moment(until)}",
            "a running 'serve' tells the members",
        ],
    )


@click.command()
@click.argument("alert_id", metavar="ID")
@click.option("--name", default="", help="Our name as it should appear; else the organisation's own.")
@click.option("--language", default="", help="The language of that name, e.g. ar.")
@click.option("--withheld", is_flag=True, help="Only members learn the name, sealed; everybody else sees a number.")
@common
def endorse(office: Office, alert_id: str, name: str, language: str, withheld: bool) -> None:
    """Put our name under the frozen text of a member's alert ID. It is public, and can be taken off later.

    With --withheld it stands in no log: the members are told in a sealed letter, and count it. Whoever joins the
    network later is not told.
    """
    organisation, key = office.organisation, office.key
    if withheld:
        sent = office.write(
            lambda connection: desk.endorse_withheld(connection, organisation, key, alert_id, name, utc_now())
        )
        office.show(
            {"id": sent.letter.id, "withheld": True, "to": list(sent.to), "unreached": list(sent.unreached)},
            f"signed, the name withheld and known to the network ({len(sent.to)}); a running 'serve' tells the members",
        )
        return
    said = office.write(
        lambda connection: desk.endorse(connection, organisation, key, alert_id, name, language, utc_now())
    )
    thing = said.value["object"]
    office.show(
        _shown(said) | {"name": thing["name"], "digest": thing["textDigest"]},
        [f"signed as  {thing['name']}", f"text       {thing['textDigest']}", "a running 'serve' tells the members"],
    )


@click.command()
@click.argument("alert_id", metavar="ID")
@common
def unendorse(office: Office, alert_id: str) -> None:
    """Take our name off alert ID: off every node's pages at once, out of every log after 72 hours.

    What cannot be undone: that others read it, printed it or copied it; and if the list was handed over already, it was
    handed over with our name, and the number that is told of it stays.
    """
    organisation, key = office.organisation, office.key
    taken = office.write(lambda connection: desk.unendorse(connection, organisation, key, alert_id, utc_now()))
    lines = ["our name is taken off; a running 'serve' tells the members, who hide it at once"]
    if taken.delivered is not None:
        lines.append(f"the list was handed to {taken.delivered.to} on {_moment(taken.delivered.at)}, with our name")
    lines.append("what others printed or copied meanwhile cannot be taken back")
    office.show({"taken_off": list(taken.ids), "delivered_before": taken.delivered is not None}, lines)


@click.command("deliver-signon")
@click.argument("alert_id", metavar="ID")
@click.option("--to", required=True, help="To whom the list is handed; everyone can read it.")
@common
def deliver_sign_on(office: Office, alert_id: str, to: str) -> None:
    """End the sign-on of our alert ID: the list as it stands here now, with the date and to whom it was handed."""
    organisation, key = office.organisation, office.key
    said = office.write(lambda connection: desk.deliver(connection, organisation, key, alert_id, to, utc_now()))
    count = said.value["object"]["delivery"]["count"]
    lines = f"the list of {count} is delivered and closed; a running 'serve' tells the members"
    office.show(_shown(said) | {"count": count}, lines)


@click.command()
@click.argument("alert_id", metavar="ID")
@common
def signatories(office: Office, alert_id: str) -> None:
    """Who signed alert ID, as this node's copies of the logs have it; its author's own node is not asked."""
    organisation = office.organisation

    def read(connection: Connection) -> dict[str, Any] | None:
        record = desk.find(connection, organisation, alert_id)
        found = desk.signatories(connection, organisation, record, utc_now())
        return None if found is None else _listed(connection, organisation.did, found)

    found = office.read(read)
    if found is None:
        raise RefusedError("nobody was asked to sign this alert")
    lines = [
        f"{'✓' if each['verified'] else '✗'} {each['said']}  {each['name']}  {each['did']}" for each in found["names"]
    ]
    changed = ", the text has changed since" if found["changed"] else ""
    if found["withheld"]:
        lines.append(f"+ {found['withheld']} whose names are withheld and known to the network")
    lines.append(f"{found['count']} of {found['known']} signed, {found['phase']}{changed}")
    lines.append(f"text {found['digest']}")
    office.show(found, lines)


def _listed(connection: Connection, org: str, found: SignOnList) -> dict[str, Any]:
    asked = found.sign_on
    delivery = asked.delivery
    return {
        "alert": asked.alert,
        "sign_on": asked.id,
        "sign_on_verified": _verified(connection, org, asked.id, asked.did),
        "digest": asked.digest,
        "texts": dict(asked.texts),
        "opens": _moment(asked.opens),
        "closes": _moment(asked.closes),
        "phase": found.phase,
        "changed": found.changed,
        "missing": list(found.missing),
        "count": found.count,
        "withheld": found.withheld,
        "known": found.known,
        "names": [_name(connection, org, each) for each in found.names],
        "as_of": {did: _place(place) for did, place in found.as_of.items()},
        "delivery": None
        if delivery is None
        else {
            "at": _moment(delivery.at),
            "to": delivery.to,
            "count": delivery.count,
            "withheld": delivery.withheld,
            "heads": {did: _place(place) for did, place in delivery.heads.items()},
        },
    }


def _name(connection: Connection, org: str, each: Endorsement) -> dict[str, Any]:
    return {
        "did": each.did,
        "name": each.name,
        "language": each.language,
        "said": _moment(each.said),
        "id": each.id,
        "entry": list(each.order),
        "verified": _verified(connection, org, each.id, each.did),
    }


def _verified(connection: Connection, org: str, name: str, did: str) -> bool:
    held = documents.stored(connection, org, name)
    return held is not None and proof_holds(held.raw, did)


def _place(place: Place) -> dict[str, Any]:
    return {"epoch": place[0], "sequence": place[1], "digest": place[2]}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _shown(said: Published) -> dict[str, Any]:
    return {"id": said.object_id, "sequence": said.sequence}

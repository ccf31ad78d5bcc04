"""The `offer` and `offers` commands: help for the author of an alert, sealed."""

from typing import Any

import click
from sqlalchemy import Connection

from node import offers as rules
from node.alert_forms import parse_moment
from node.app import utc_now
from node.commands.context import Office, common
from node.desk import offers as desk
from node.desk.offers import Offered
from node.errors import RefusedError
from node.models import rooms


@click.command()
@click.argument("alert_id", metavar="ALERT-ID")
@click.option("--kind", type=click.Choice(rules.KINDS), required=True, help="What you can give.")
@click.option("--words", required=True, help="What is there, for whom, under which conditions.")
@click.option("--contact", required=True, help="How to reach you safely.")
@click.option("--until", default="", help="A date or a time [two weeks].")
@common
def offer(office: Office, alert_id: str, kind: str, words: str, contact: str, until: str) -> None:
    """Offer help to the author of an alert. It is sealed to them alone: nobody else ever reads it."""
    organisation, key = office.organisation, office.key
    try:
        moment = parse_moment(until) if until else None
    except ValueError as error:
        raise RefusedError("--until takes a date such as 2027-01-15") from error
    made = office.write(
        lambda connection: desk.offer(
            connection, organisation, key, alert_id, kind, words, contact, moment, utc_now()
        )
    )
    office.show(_shown(made), f"offered, sealed to the author; offer {made.offer.id}")


@click.command()
@click.option("--answer", type=(str, click.Choice(rules.ANSWERS)), default=None, help="OFFER and taken or declined.")
@click.option("--words", default="", help="What to say with an answer.")
@common
def offers(office: Office, answer: tuple[str, str] | None, words: str) -> None:
    """Help that was offered to us and by us; with --answer take or decline one, or take one's own back (withdrawn).

    Once people sign in to this node, offers open at the desk only.
    """
    organisation, key = office.organisation, office.key

    def secrets(connection: Connection) -> tuple[str, ...]:
        return rooms.network_secrets(connection, organisation.did, office.node.keyring)

    if answer is not None:
        name, said = answer
        office.write(
            lambda connection: desk.answer(
                connection, organisation, key, name, said, words, secrets(connection), utc_now()
            )
        )
    found = office.read(lambda connection: desk.current(connection, organisation, secrets(connection)))
    lines = [
        f"{each.offer.id}  {each.offer.kind:12} {each.answer.answer if each.answer else 'open':9} {each.about}\n"
        f"    {each.offer.words}\n    {each.offer.contact}"
        for each in found
    ]
    office.show([_shown(each) for each in found], lines or ["no offers that the command line can open"])


def _shown(each: Offered) -> dict[str, Any]:
    return {
        **each.offer.body(),
        "by": each.by,
        "to": each.to,
        "about": each.about,
        "state": each.answer.answer if each.answer else "open",
        "answer": each.answer.words if each.answer else "",
    }

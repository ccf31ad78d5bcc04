"""The `custody` commands: what we are custodians of, and withdrawing it in its author's place."""

from datetime import timedelta
from typing import Any

import click
from sqlalchemy import Connection

from node.app import utc_now
from node.commands.context import Office, common
from node.desk import custody as desk
from node.desk.custody import Held
from node.desk.withdrawals import RELEASED
from node.errors import RefusedError
from node.models import contacts, rooms


@click.group()
def custody() -> None:
    """Alerts of others that we may withdraw together with others, when their author's server is dead."""


@custody.command("list")
@common
def list_custody(office: Office) -> None:
    """What we are a custodian of, and who wants it withdrawn."""
    organisation = office.organisation

    def read(connection: Connection) -> list[dict[str, Any]]:
        return [
            _shown(connection, organisation.did, each)
            for each in desk.held_by(connection, organisation, _secrets(office, connection))
        ]

    found = office.read(read)
    lines: list[str] = []
    for each in found:
        state = "withdrawn" if each["withdrawn"] else f"{len(each['wanting'])} of {each['threshold']} want it withdrawn"
        lines += [f"{each['id']}  by {each['author_name']}: {state}"]
        lines += [f"    {said['name']}: {said['why']}" for said in each["words"]]
    office.show(found, lines or ["we are custodians of nothing here"])


@custody.command()
@click.argument("alert_id", metavar="ALERT-ID")
@click.option("--why-dead", metavar="TEXT", help="How we know that its author cannot speak; the others read it.")
@click.option("--author-asked", metavar="TEXT", help="The author asked us to: how and when, in a line that is kept.")
@common
def release(office: Office, alert_id: str, why_dead: str | None, author_asked: str | None) -> None:
    """Want ALERT-ID withdrawn in its author's place. When enough custodians do, members' nodes hide and destroy it.

    Refused while the author's server answers, or has not been silent for long enough (TADAMUN_DEAD_AFTER), unless the
    author asked. Nobody can undo it.
    """
    if bool(why_dead) == bool(author_asked):
        raise click.UsageError("say --why-dead TEXT, or --author-asked TEXT")
    organisation, key = office.organisation, office.key
    dead_after = timedelta(seconds=office.settings.dead_after)

    def work(connection: Connection) -> desk.Released:
        return desk.release(
            connection, organisation, key, alert_id, _secrets(office, connection), why_dead or author_asked or "",
            utc_now(), dead_after=dead_after, author_asked=bool(author_asked),
        )  # fmt: skip

    done = office.write(work)
    lines = (
        ["released: the members are told; a running 'serve' sends it", RELEASED, f"see        alert board {alert_id}"]
        if done.published
        else [f"the other custodians are told: {done.wanting} of {done.threshold} want it withdrawn"]
    )
    office.show({"published": done.published, "wanting": done.wanting, "threshold": done.threshold}, lines)


def _secrets(office: Office, connection: Connection) -> tuple[str, ...]:
    """What the command line can open.

    Raises:
        RefusedError: people sign in to this node, and only they open the room.
    """
    found = rooms.network_secrets(connection, office.organisation.did, office.node.keyring)
    if not found:
        raise RefusedError("custody lies in a room that people open: sign in at /desk/custody")
    return found


def _shown(connection: Connection, org: str, held: Held) -> dict[str, Any]:
    names = {each.did: each.name for each in contacts.members_of(connection, org, all_states=True)} | {org: "we"}
    newest = held.deposits[0]
    words = {each.by: each.why for each in held.asked}
    return {
        "id": held.about,
        "author": held.author,
        "author_name": names.get(held.author, held.author),
        "threshold": newest.threshold,
        "custodians": list(newest.custodians),
        "wanting": list(held.wanting),
        "words": [{"did": did, "name": names.get(did, did), "why": why} for did, why in words.items()],
        "withdrawn": held.withdrawn,
    }

"""The commands of a network's directory and door: how we stand in it, what is public, who asks to join, the answer."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from node import directory as rules
from node import joinings as joining_rules
from node.app import utc_now
from node.commands.context import Office, common
from node.desk import directory as desk
from node.desk import joinings as door
from node.desk import networks
from node.desk.joinings import Waiting
from node.desk.networks import Desk
from node.models import rooms

T = TypeVar("T")


@click.command()
@click.option("--listed/--unlisted", default=None, help="Whether our name may stand in public; taken back at any time.")
@click.option("--name", "called", default=None, help="Our name in the lists of this network.")
@click.option("--country", default=None, metavar="CC", help="Two letters of ISO 3166-1.")
@click.option("--language", "languages", multiple=True, metavar="CODE", help="Of our work, as ckb; repeatable.")
@click.option(
    "--group", "groups", multiple=True, metavar="HANDLE", help="Shown in public as in this working group; repeatable."
)
@click.option("--no-groups", is_flag=True, help="Shown in none.")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def profile(
    office: Office, listed: bool | None, called: str | None, country: str | None, languages: tuple[str, ...],
    groups: tuple[str, ...], no_groups: bool, name: str,
) -> None:
    """Say how we stand in the lists of a network. Listed, everybody may read our name: what others copied stays."""
    state = _do(
        office,
        lambda mine: desk.profile(
            mine, name, listed=listed, name=called, country=country, languages=languages or None,
            groups=() if no_groups else groups or None,
        ),
    )
    ours = state.members[office.organisation.did]
    told = "named in public" if ours.listed else "counted without a name"
    lines = [f"{told}: {ours.name}  {ours.country}  {' '.join(ours.languages)}".rstrip()]
    office.show(rules.entries([ours])[0], lines)


@click.command()
@click.argument("name", metavar="NETWORK", required=False, default="")
@click.option("--form/--no-form", default=None, help="Whether anybody may ask to join on our page /join.")
@common
def publish(office: Office, name: str, form: bool | None) -> None:
    """Show a network on our public page /members: its name, numbers, and those who agreed to be named."""

    def work(mine: Desk) -> str:
        shown = desk.publish(mine, name)
        if form is not None:
            desk.set_form(mine, form=form)
        return shown

    shown = _do(office, work)
    office.show({"network": shown}, [f"shown      {shown}", f"see        {office.organisation.origin}/members"])


@click.command()
@common
def unpublish(office: Office) -> None:
    """Show no network in public, and take the form of joining away."""
    _do(office, desk.unpublish)
    office.show({"network": ""}, ["no network is shown"])


@click.command()
@click.argument("dids", nargs=-1, metavar="[DID]...")
@common
def sponsors(office: Office, dids: tuple[str, ...]) -> None:
    """Name the members that read and answer those who ask to join on our page; without one, we alone do."""
    _do(office, lambda mine: desk.set_sponsors(mine, dids))
    office.show({"sponsors": list(dids)}, [*dids] or ["this organisation alone"])


@click.command()
@click.argument("name", metavar="NETWORK", required=False, default="")
@click.option("--csv", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@common
def directory(office: Office, name: str, target: Path | None) -> None:
    """Every member of a network, for members; with --csv as a file for spreadsheets."""
    organisation, key, now = office.organisation, office.key, utc_now()
    ledger = office.read(lambda connection: networks.opened(Desk(connection, organisation, key, now), name)[1])
    state = ledger.state()
    entries = rules.entries(state.members.values(), state.groups.values())
    if target is not None:
        target.write_text(rules.sheet(entries), encoding="utf-8", newline="")
    lines = [
        f"{each['country']:2} {each['name']}  {' '.join([*each['languages'], *each['groups']])}" for each in entries
    ]
    office.show(entries, [f"written    {target}"] if target is not None else lines)


@click.command()
@common
def joinings(office: Office) -> None:
    """Those who ask to join, on our page or another member's, and until when an answer is promised."""
    organisation, now = office.organisation, utc_now()

    def read(connection: Connection) -> list[dict[str, Any]]:
        secrets = rooms.network_secrets(connection, organisation.did, office.node.keyring)
        return [_asking(each, now) for each in door.current(connection, organisation, secrets)]

    found = office.read(read)
    lines = [
        f"{each['state']:8}  {each['due'][:10]}  {each['id']}  {each['asking'].get('name', 'not opened here')}"
        for each in found
    ]
    office.show(found, lines or ["nobody asks to join"])


def _asking(each: Waiting, now: datetime) -> dict[str, Any]:
    row, state = each.row, "answered" if each.row.answered else "overdue" if each.is_overdue(now) else "waits"
    return {
        "id": row.id, "network": row.network, "state": state, "asked": row.asked.isoformat(),
        "due": row.due.isoformat(), "by": row.by, "asking": each.asking.body() if each.asking else {},
    }  # fmt: skip


@click.command()
@click.argument("joining", metavar="ID")
@click.argument("verdict", type=click.Choice(("invite", "decline")))
@click.option("--reason", type=click.Choice(joining_rules.REASONS), default="own-words", show_default=True)
@click.option("--words", default="", help="Words to whoever asks, who reads them with a number.")
@common
def reply(office: Office, joining: str, verdict: str, reason: str, words: str) -> None:
    """Answer one who asks to join: the first answer of a sponsor counts."""

    def work(mine: Desk) -> Any:
        if verdict == "invite":
            return door.invite(mine, joining, words)
        return door.decline(mine, joining, reason, words)

    done = _do(office, work)
    office.show({"id": done.id, "verdict": verdict}, [f"answered   {done.id}; deleted in 30 days"])


COMMANDS = (profile, publish, unpublish, sponsors, directory, joinings, reply)
"""Of the group `network`."""


def _do(office: Office, work: Callable[[Desk], T]) -> T:
    organisation, key = office.organisation, office.key
    return office.write(lambda connection: work(Desk(connection, organisation, key, utc_now())))

"""The commands about the people of an organisation: user, audit. None of them opens anything or confirms anybody."""

from typing import Any

import click
from sqlalchemy import Connection

from node import people as rules
from node.app import utc_now
from node.commands.context import Office, common
from node.desk import people as desk
from node.errors import RefusedError
from node.models import audit as trail
from node.models import people


@click.group()
def user() -> None:
    """People: who may write, approve, work on cases, coordinate. They sign in on the page /desk."""


@user.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(rules.ROLES), help="May be repeated.")
@common
def add(office: Office, name: str, roles: tuple[str, ...]) -> None:
    """Make a one-time link for NAME, good for 72 hours. Give it to them and to nobody else.

    The first coordinator is active as soon as they have joined. Everybody else is confirmed by a coordinator on the
    page, in a session with a second factor: from here nobody is made an approver.
    """
    organisation = office.organisation
    made = office.write(lambda connection: desk.invite(connection, organisation, name, roles, utc_now()))
    shown = {
        "name": made.person.name,
        "roles": sorted(made.person.roles),
        "link": made.link,
        "expires": f"{made.expires:%Y-%m-%dT%H:%M:%SZ}",
    }
    lines = [
        f"{made.person.name} is invited as {', '.join(sorted(made.person.roles))}",
        f"link       {made.link}",
        f"expires    {shown['expires']}; it works once",
    ]
    office.show(shown, lines)


@user.command("list")
@common
def list_people(office: Office) -> None:
    """Everybody, with roles and state; the disabled too."""
    organisation = office.organisation
    shown: list[dict[str, Any]] = [
        {
            "id": each.id, "name": each.name, "roles": sorted(each.roles), "state": each.state,
            "factors": each.factors, "made": f"{each.made:%Y-%m-%d}",
        }
        for each in office.read(lambda connection: people.all_of(connection, organisation.did))
    ]  # fmt: skip
    lines = [f"{each['state']:9} {each['name']}  {', '.join(each['roles'])}  {each['id']}" for each in shown]
    office.show(shown, lines or ["nobody yet: 'tadamun user add NAME --role coordinator'"])


@user.command("disable")
@click.argument("name")
@click.option("--losing", is_flag=True, help="What only they could open may be lost.")
@common
def disable(office: Office, name: str, losing: bool) -> None:
    """End all of NAME at once: sessions, factors, keys, invitation. NAME may be the id that 'user list' shows."""
    organisation = office.organisation
    done = office.write(lambda connection: desk.disable(connection, organisation, name, utc_now(), losing=losing))
    shown = {
        "name": done.person.name, "state": done.person.state, "sessions": done.sessions, "rooms": list(done.rooms),
        "lost": list(done.lost), "open": list(done.open),
    }  # fmt: skip
    lines = [f"{done.person.name} is disabled; {done.sessions} sessions ended"]
    lines += [f"new key    {room}, for those who stay" for room in done.rooms]
    lines += [f"lost       what was sealed to {room}" for room in done.lost]
    lines += [f"was open   {line}" for line in done.open]
    office.show(shown, lines)


@click.command()
@common
def audit(office: Office) -> None:
    """Show what people did, and check that no row was changed or taken out. Note the last digest elsewhere."""
    organisation = office.organisation

    def read(connection: Connection) -> tuple[tuple[trail.Act, ...], dict[str, str]]:
        return trail.all_of(connection, organisation.did), desk.named(connection, organisation.did)

    chain, names = office.read(read)
    fault = trail.first_fault(organisation.did, chain)
    rows: list[dict[str, Any]] = [
        {
            "number": each.number, "hour": f"{each.hour:%Y-%m-%dT%HZ}", "role": each.role, "act": each.act,
            "subject": each.subject, "person": each.person, "name": names.get(each.person, ""),
        }
        for each in chain
    ]  # fmt: skip
    head = chain[-1].digest if chain else ""
    lines = [
        f"{each['number']:6} {each['hour']}  {each['role']:13} {each['act']:14} {each['subject']}  "
        f"{each['name'] or each['person']}"
        for each in rows
    ]
    lines += [f"digest     {head}"] if head else ["nothing was done yet"]
    office.show({"holds": fault is None, "digest": head, "acts": rows}, lines)
    if fault is not None:
        raise RefusedError(f"the audit trail does not hold: row {fault} was changed, or one before it is gone")

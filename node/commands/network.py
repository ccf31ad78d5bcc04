"""The commands about others: member, follow, unfollow, sync, status."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from node import recovery
from node.app import utc_now
from node.commands.context import Office, common
from node.desk import approvals as word
from node.desk import catch_up, checkup, standing, trust
from node.desk import members as desk
from node.errors import RefusedError
from node.federation.protocol import ids
from node.models import approvals, contacts, documents, queues


@click.group()
def member() -> None:
    """Members: organisations whose key is pinned here, whose log this node holds and passes on."""


@member.command()
@click.argument("name", metavar="HANDLE-OR-URL")
@click.option("--did", help="Insist on this did.")
@common
def add(office: Office, name: str, did: str | None) -> None:
    """Pin an organisation by handle or URL, one way. Compare the six words with them by voice before you trust it."""
    organisation = office.organisation
    pinned = office.call(lambda node: desk.add(node.database, node.discovery, organisation, name, did, utc_now()))
    shown = pinned.shown()
    office.show(
        shown,
        [
            f"pinned     {pinned.member.name}  {pinned.member.handle}",
            f"did        {pinned.member.did}",
            f"six words  {' '.join(shown['words'])}",
            f"numbers    {' '.join(shown['numbers'])}",
            "Read the words to each other over the phone. If they differ: tadamun member remove " + pinned.member.did,
        ],
    )


@member.command("list")
@common
def list_members(office: Office) -> None:
    """The pinned members, and how far this node holds their logs."""
    organisation = office.organisation

    silent = timedelta(seconds=office.settings.dead_after)
    standings = office.read(lambda connection: standing.all_of(connection, organisation, utc_now(), silent))
    found = [
        {
            "did": each.member.did,
            "handle": each.member.handle,
            "name": each.member.name,
            "state": each.member.state,
            "sequence": each.sequence,
            "frozen_after": each.member.frozen_sequence,
            "successor": each.member.successor,
            "listed": each.member.listed,
            "warnings": list(each.warnings),
        }
        for each in standings
    ]
    lines = [
        f"{each['state']:10} {each['sequence']:6} entries  {each['handle']}  {each['name']}"
        + (f"  frozen after {each['frozen_after']}" if each["frozen_after"] is not None else "")
        for each in found
    ]
    office.show(found, lines or ["no members yet: pin one with 'tadamun member add @handle@host'"])


@member.command()
@click.argument("did", metavar="DID")
@click.option("--after", type=int, required=True, help="The number of the last log entry that is still believed.")
@click.option("--declare", is_flag=True, help="Tell the members: one voice towards freezing it on their nodes too.")
@common
def freeze(office: Office, did: str, after: int, declare: bool) -> None:
    """Believe nothing of this member past entry N: its later posts, Deletes and key changes are undone here, at once.

    With --declare the other members hear of it. Each of them freezes the did when as many members as it wants to hear
    ('tadamun member quorum', two at first) have declared so.
    """
    organisation, key = office.organisation, office.key

    frozen, back = office.write(
        lambda connection: trust.freeze_and_tell(connection, organisation, key, did, after, utc_now(), tell=declare)
    )
    lines = [f"{frozen.handle} is frozen after entry {frozen.frozen_sequence}; {back} withdrawn entries came back"]
    if declare:
        lines.append("the members are told; a running 'serve' sends it")
    result = {"did": frozen.did, "frozen_after": frozen.frozen_sequence, "restored": back, "declared": declare}
    office.show(result, lines)


@member.command()
@click.argument("did", metavar="DID")
@common
def unfreeze(office: Office, did: str) -> None:
    """Take our own word back. Where enough other members still declare it, the member stays frozen."""
    organisation, key = office.organisation, office.key
    found = office.write(lambda connection: trust.unfreeze(connection, organisation, key, did, utc_now()))
    state = f"still frozen after entry {found.frozen_sequence}" if found.frozen else "believed again"
    office.show({"did": found.did, "frozen_after": found.frozen_sequence}, f"{found.handle} is {state}")


@member.command()
@click.argument("number", metavar="K", type=int)
@common
def quorum(office: Office, number: int) -> None:
    """So many members must declare a key frozen before it is frozen here too; our own word counts at once."""
    organisation = office.organisation
    office.write(lambda connection: trust.set_quorum(connection, organisation, number))
    office.show({"quorum": number}, f"a key is frozen here when {number} members declare it")


@member.command("confirm-deletes")
@click.argument("did", metavar="DID")
@click.option("--recovery-sheet", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="For our own.")
@common
def confirm_deletes(office: Office, did: str, recovery_sheet: Path | None) -> None:
    """Give the second word that many Deletes in a day, or late ones, wait for: their texts are destroyed in 72 hours.

    They are hidden already. Ask the organisation by voice whether they are its own before you confirm another's.
    """
    organisation, key = office.organisation, office.key
    spare = recovery.parse_sheet(recovery_sheet.read_text("utf-8")) if recovery_sheet else None
    about, waits = office.write(
        lambda connection: trust.confirm_deletes(connection, organisation, key, did, spare, utc_now())
    )
    office.show({"did": about, "texts": waits}, f"confirmed: {waits} texts are destroyed in 72 hours, on every node")


@member.command()
@click.argument("dids", metavar="DID...", nargs=-1)
@common
def standby(office: Office, dids: tuple[str, ...]) -> None:
    """Name up to two sister organisations whose approvers are asked for a second word, sealed; without any, show them.

    Where a person is named in an alert for everyone, one of the two words must be theirs.
    """
    organisation = office.organisation
    if dids:
        office.write(lambda connection: word.name_standbys(connection, organisation, dids, utc_now()))
    found = office.read(lambda connection: approvals.standbys_of(connection, organisation.did))
    office.show({"standbys": list(found)}, list(found) or ["no sister organisation stands by yet"])


@member.command()
@click.argument("did", metavar="DID")
@common
def remove(office: Office, did: str) -> None:
    """Unpin a member. What it said stays; its Deletes are still obeyed."""
    organisation = office.organisation
    gone = office.write(lambda connection: desk.remove(connection, organisation, did))
    office.show({"did": gone.did, "state": contacts.FORMER}, f"{gone.handle} is no member any more")


@click.command()
@click.argument("name", metavar="HANDLE-OR-URL")
@common
def follow(office: Office, name: str) -> None:
    """Follow any fediverse actor: its public posts come here once it accepts."""
    organisation, key = office.organisation, office.key
    actor = office.call(lambda node: desk.follow(node.database, node.discovery, organisation, key, name, utc_now()))
    office.show({"actor": actor.uri, "state": "requested"}, f"asked to follow {actor.uri}; a running 'serve' sends it")


@click.command()
@click.argument("name", metavar="HANDLE-OR-URL")
@common
def unfollow(office: Office, name: str) -> None:
    """Stop following."""
    organisation, key = office.organisation, office.key
    uri = office.write(lambda connection: desk.unfollow(connection, organisation, key, name, utc_now()))
    office.show({"actor": uri}, f"{uri} is not followed any more")


@click.command()
@click.option("--with", "host", help="Only with the member at this host.")
@common
def sync(office: Office, host: str | None) -> None:
    """Compare heads with the members and catch up now; says what came from where."""
    organisation = office.organisation
    members = office.read(lambda connection: contacts.members_of(connection, organisation.did))
    chosen = [each for each in members if host is None or ids.host_of(each.uri) == host]
    if not chosen:
        raise RefusedError(f"no member at {host}" if host else "no members to compare with")
    reports = office.call(lambda node: catch_up.compare(node.mirror, organisation, chosen))
    lines = []
    for report in reports:
        brought = ", ".join(f"{count} of …{did[-8:]}" for did, count in report.entries.items())
        lines.append(f"{report.host}: {report.problem or brought or 'nothing new'}")
    office.show([report.shown() for report in reports], lines)
    if all(report.problem for report in reports):
        raise RefusedError("no member answered")


@click.command()
@common
def status(office: Office) -> None:
    """Numbers: followers, members, the log, what came in and what is owed."""
    organisation = office.organisation

    counted = office.read(lambda connection: checkup.numbers(connection, organisation))
    found: dict[str, Any] = {
        "did": organisation.did,
        "handle": organisation.address,
        "followers": counted.followers,
        "following": {each.uri: each.state for each in counted.following},
        "members": counted.members,
        "log": {"epoch": counted.epoch, "sequence": counted.sequence},
        "received": counted.received,
        "deliveries": counted.deliveries,
        "drafts": counted.drafts,
        "evidence": counted.evidence,
        "unknown": counted.unknown,
        "hold": organisation.hold,
        "networks": [{"network": network, "state": state} for network, state in counted.networks],
    }
    lines = [
        f"{name:11} {_flat(value)}" for name, value in found.items() if value not in ("", {}) and name != "networks"
    ]
    lines += [f"{'network':11} {each['network']}  state {each['state']}" for each in found["networks"]]
    office.show(found, lines)


@click.command()
@common
def reports(office: Office) -> None:
    """What others told us that a person should read: reports (Flag), blocks, boosts of our posts."""
    organisation = office.organisation
    found = office.read(lambda connection: documents.reports_of(connection, organisation.did))
    shown = [
        {"made": f"{each.made:%Y-%m-%dT%H:%M:%SZ}", "kind": each.kind, "actor": each.actor, "object": each.object_id}
        for each in found
    ]
    lines = [f"{each['made']}  {each['kind']:8}  {each['actor']}  {each['object']}" for each in shown]
    office.show(shown, lines or ["nothing was reported"])


@click.command()
@common
def refusals(office: Office) -> None:
    """What was refused or failed lately, with the rule it broke."""
    organisation = office.organisation
    found = office.read(lambda connection: queues.refusals(connection, organisation.did))
    shown = [
        {
            "received": f"{each.received + timedelta():%Y-%m-%dT%H:%M:%SZ}",
            "activity": each.activity_id,
            "via": each.via,
            "rule": each.rule,
            "reason": each.reason,
        }
        for each in found
    ]
    lines = [f"{each['received']}  {each['rule']}: {each['reason']}  {each['activity']}" for each in shown]
    office.show(shown, lines or ["nothing was refused"])


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {inner}" for name, inner in value.items())
    return str(value)

"""Making a node and looking after it: init, settings, migrate, doctor, rebuild, backup, restore."""

import dataclasses
import os
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import Connection

from node import recovery, recovery_parts
from node.app import Node, utc_now
from node.commands import policies
from node.commands.context import Office, common
from node.desk import backups, checkup, founding, restoring, search_fill, succession
from node.desk import profile as profile_desk
from node.desk.founding import Founding
from node.errors import RefusedError
from node.federation import trust
from node.models import (
    logs,
    organisations,
    setup,
)
from node.models.base import Database
from node.models.keyring import sync_folder, write_private
from node.models.organisations import Organisation
from node.models.views import View
from node.policies import Policies, Rule


@click.command()
@click.option("--origin", required=True, help="https://host this node answers at; the first gateway of its ids.")
@click.option("--name", required=True, help="The organisation's name, as readers see it.")
@click.option("--handle", required=True, help="The part before the @, in small Latin letters, digits and _.")
@click.option("--language", default="ar", show_default=True, help="Main language, BCP 47.")
@click.option("--country", default="", help="ISO 3166-1 code of two letters.")
@click.option("--summary", default="", help="One or two sentences about the organisation.")
@click.option("--listed/--not-listed", help="Whether others may name it as a member of the network [not listed].")
@click.option(
    "--policy", "policy", multiple=True, help="Others' alerts: show:IQ:*=deny, hold:IQ:arrest=deny; see 'policy -h'."
)
@click.option("--recovery-file", required=True, help="Where the recovery sheet goes, not in the data; - prints it.")
@common
def init(
    office: Office, origin: str, name: str, handle: str, language: str, country: str, summary: str, listed: bool,
    policy: tuple[str, ...], recovery_file: str,
) -> None:
    """Make the data directory, keys and database, or add an organisation to them.

    The recovery key is not kept on this machine: print the sheet, keep it with a person you trust, delete the file.
    """
    settings = office.settings
    _check_outside(recovery_file, settings.data)
    asked = Founding(origin, name, handle, language, country, summary, listed)
    _check(asked, (), settings.loopback_allowed)
    wishes = [policies.read_flag(each) for each in policy] or _asked_policies(office, country)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(settings.data.absolute().parent)
    database = Database(settings.url)
    try:
        setup.migrate(database)
        here = database.read_now(organisations.all_of)
    finally:
        database.close()
    checked = _check(replace(asked, wishes=tuple(wishes)), here, settings.loopback_allowed)
    node = Node(settings)
    spare = recovery.generate()
    key = node.keyring.create()
    now = utc_now()
    sheet = recovery.render_sheet(spare, checked.name, checked.address, key.did, now, language)
    sheet += "\n" + recovery.render_qr(spare)
    if recovery_file != "-":
        write_private(Path(recovery_file), sheet.encode())
    office._node = node
    made = office.write(
        lambda connection: founding.begin(connection, node.keyring, checked, key, recovery.commitment(spare), now)
    )
    result = {"did": made.did, "actor": made.uri, "handle": made.address, "recovery_file": recovery_file}
    words, numbers = recovery.spoken(made.did)
    lines = [
        f"{made.name} is {made.address}",
        f"did        {made.did}",
        f"actor      {made.uri}",
        f"six words  {' '.join(words)}",
        f"numbers    {' '.join(numbers)}",
    ]
    if recovery_file == "-":
        if office.json:
            result["recovery_sheet"] = sheet
        lines += ["", sheet]
    else:
        lines += [f"recovery   {recovery_file}: print it, keep it away from this machine, then delete the file"]
    lines += policies.lines(Policies(tuple(wishes)))
    lines += ["next       tadamun serve"]
    office.show(result, lines)


def _check(asked: Founding, here: Collection[Organisation], loopback: bool) -> Founding:
    """The rules of `founding`, as options of this command."""
    try:
        return founding.check(asked, here, loopback=loopback)
    except RefusedError as error:
        fields = {each.name for each in dataclasses.fields(Founding)}
        named = [f"--{each}" if each.partition(" ")[0] in fields else each for each in error.reasons]
        raise RefusedError(*named) from error


def _asked_policies(office: Office, country: str) -> list[Rule]:
    """The switches about the operator's own country, asked of a person at a terminal; a script gets the defaults."""
    code = country.upper()
    if office.json or not code or not sys.stdin.isatty():
        return []
    click.echo(f"Others' alerts about {code}: {policies.WHY}.", err=True)
    wishes = []
    for switch, question in (("hold", "Keep their text on this machine"), ("show", "Show them to everyone")):
        if not click.confirm(f"{question}?", default=True, err=True):
            wishes.append(Rule(switch, code, "", False))
    return wishes


def _check_outside(recovery_file: str, data: Path) -> None:
    if recovery_file == "-":
        return
    path = Path(recovery_file).absolute()
    if data.absolute() in path.parents:
        raise RefusedError("--recovery-file must lie outside the data directory: whoever takes one must not have both")
    if path.exists():
        raise RefusedError(f"{path} is there already; it is never overwritten")


@click.command()
@click.option("--name", help="The organisation's name.")
@click.option("--summary", help="One or two sentences about it.")
@click.option("--country", help="ISO 3166-1 code of two letters.")
@click.option("--listed/--not-listed", default=None, help="Whether others may name it as a member of the network.")
@click.option("--press-contact", help="Whom journalists may ask, one line on this node's /press; '' takes it away.")
@common
def profile(office: Office, **given: str | bool | None) -> None:
    """Change what the organisation says of itself; members and followers get the new actor document.

    The contact for the press stands on this node's page for journalists only, and is told to nobody else.
    """
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError(
            "say what to change: --name, --summary, --country, --listed, --not-listed or --press-contact"
        )
    organisation, key = office.organisation, office.key
    rsa = office.node.keyring.rsa(organisation.did).public_key()

    changed, sequence = office.write(
        lambda connection: profile_desk.change(connection, organisation, key, rsa, changes, utc_now())
    )
    where = f"said in log entry {sequence}" if sequence else "changed on this node's page"
    line = f"{where}: {', '.join(changed)}" if changed else "nothing changed: it was so already"
    office.show({"changed": dict(changed), "sequence": sequence}, line)


@click.command()
@common
def settings(office: Office) -> None:
    """Show every setting and where the node reads it from (tadamun.toml in the data directory, TADAMUN_*)."""
    shown = office.settings.shown()
    office.show(shown, [f"{name:22} {value}" for name, value in shown.items()])


@click.command()
@common
def migrate(office: Office) -> None:
    """Bring the database to the schema this version needs."""
    database = Database(office.settings.url)
    try:
        before, after = setup.migrate(database)
    finally:
        database.close()
    office.show({"before": before, "after": after}, f"schema {before or 'none'} → {after}")


@click.command()
@common
def rebuild(office: Office) -> None:
    """Make pages and lists anew from the logs, which are the truth."""
    organisation, now = office.organisation, utc_now()

    def work(connection: Connection) -> tuple[dict[str, int], int]:
        view, org = View(connection, organisation), organisation.did
        judged = {did: trust.rebuild(view, did, now) for did in logs.head_table(connection, org)}
        return judged, search_fill.fill_all(connection, org)

    judged, searched = office.write(work)
    lines = [f"{count:6} entries of {did}" for did, count in judged.items()]
    office.show({"entries": judged, "searched": searched}, [*lines, f"{searched:6} texts can be searched"])


@click.command()
@common
def doctor(office: Office) -> None:
    """Look for what is wrong, and say what to do about it. Exit 1 when something is."""
    organisation, now = office.organisation, office.node.clock()
    found = (
        *checkup.of_machine(office.settings, office.node.keyring),
        *checkup.of_keys(office.node.keyring, organisation),
        *office.read(lambda connection: checkup.of_rows(connection, organisation, now)),
    )
    findings = [each.text for each in found]
    office.show(
        {"problems": findings, "ok": not findings},
        [f"✗ {finding}" for finding in findings] or ["✓ nothing wrong that can be seen from here"],
    )
    if findings:
        raise SystemExit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-keys", is_flag=True, help="Put the private keys in too: whoever has the file speaks as you.")
@common
def backup(office: Office, file: Path, with_keys: bool) -> None:
    """Copy the data and the pictures into one file (mode 600), without private keys unless you ask. Seal it before it
    travels."""
    backups.check(office.settings)
    _ = office.organisation
    if file.exists():
        raise RefusedError(f"{file} is there already")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        backups.pack(office.settings, office.node.database, stream, with_keys=with_keys)
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(file.absolute().parent)
    office.show(
        {"file": str(file), "keys": with_keys, "bytes": file.stat().st_size},
        f"{file}: {file.stat().st_size} bytes, {'with' if with_keys else 'without'} private keys",
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--new-epoch", is_flag=True, help="Nobody has a newer log: go on from this one, in a new epoch.")
@common
def restore(office: Office, file: Path, new_epoch: bool) -> None:
    """Put a backup back. Publishing stays on hold until 'tadamun sync' has pulled our log back from the members.

    Until they answered, or a day has passed, no page shows an alert: some may have been withdrawn since.
    """
    settings = office.settings
    if settings.database_url:
        raise RefusedError("this node is on PostgreSQL: use pg_restore, and before publishing again 'tadamun sync'")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("rb") as archive:
        restoring.stage(settings, archive, utc_now(), file.name)
    restoring.confirm(settings)
    try:
        restoring.put_in_place(settings)
    except RefusedError:
        restoring.give_up(settings)
        raise
    held = office.node.organisations()
    for organisation in held if new_epoch else ():
        if not organisation.successor:
            _begin_epoch(office, organisation)
    done = "a new epoch has begun" if new_epoch else "publishing is on hold until 'tadamun sync' has run"
    office.show({"organisations": [each.did for each in held], "new_epoch": new_epoch}, f"restored; {done}")


@click.command()
@click.argument(
    "sheets", metavar="SHEET…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--after", type=int, required=True, help="The number of the last log entry of the old key that counts.")
@click.option("--recovery-file", required=True, help="Where the NEXT recovery sheet goes, or - to print it.")
@common
def succeed(office: Office, sheets: tuple[Path, ...], after: int, recovery_file: str) -> None:
    """Go on under the recovery key of SHEET: when the old key is lost, stolen, or known to one who left. Of three
    sheets of which two are needed, give two files.

    Members who pinned you accept it by themselves, because your log committed to this key in its first entry; they
    believe nothing of the old key past entry N. Followers on Mastodon are sent on to the new address.
    """
    old, node, now = office.organisation, office.node, utc_now()
    spare = recovery_parts.read_key([sheet.read_text("utf-8") for sheet in sheets])
    succession.check(old, spare)
    _check_outside(recovery_file, office.settings.data)
    following = recovery.generate()
    node.keyring.adopt(spare)
    text = recovery.render_sheet(following, old.name, old.address, spare.did, now, old.language)
    text += "\n" + recovery.render_qr(following)
    if recovery_file != "-":
        write_private(Path(recovery_file), text.encode())
    commitment = recovery.commitment(following)
    done = office.write(
        lambda connection: succession.succeed(connection, node.keyring, old, spare, commitment, after, now)
    )
    office.show(
        {
            "did": done.new.did, "old": done.old.did, "after": done.after, "followers_told": done.told,
            "networks_left": list(done.left),
        },
        [
            f"{done.new.address} goes on as {done.new.did}",
            f"members believe the old key up to entry {done.after}; {done.told} followers are sent on",
            *(f"network {each}: be invited anew" for each in done.left),
            *([text] if recovery_file == "-" else [f"the next recovery sheet is in {recovery_file}"]),
        ],
    )


@click.command()
@common
def epoch(office: Office) -> None:
    """After a restore, when no member answers: go on from the log we have, in a new epoch."""
    organisation = office.organisation
    _begin_epoch(office, organisation)
    office.show({"did": organisation.did}, "a new epoch has begun; entries of the other branch stay readable, marked")


def _begin_epoch(office: Office, organisation: Organisation) -> None:
    keyring = office.node.keyring
    office.write(lambda connection: restoring.begin_epoch(connection, keyring, organisation, utc_now()))

"""The commands of working groups: found, host, join; speak inside and to everyone; carry on."""

import json
from collections.abc import Mapping
from typing import Any

import click

from node import governance as rules
from node import group_entries as entries
from node.approvals import SHELL
from node.commands import group_papers as papers
from node.commands.alerts import on_loopback
from node.commands.context import Office, common
from node.commands.group_office import act, entry_of, heard, names_of, secrets_of, tell_what_was_said, text_of
from node.commands.networks import named
from node.desk import group_hosts, restatements
from node.desk import groups as desk
from node.desk.groups import Heard, Place
from node.errors import RefusedError
from node.group_starters import STARTERS
from node.groups import Group


@click.group()
def group() -> None:
    """Working groups of a network: each hosted by a member, carried on by others, followed from anywhere."""


@group.command()
@common
def starters(office: Office) -> None:
    """The themes that a network may begin with; 'group found --starter' takes one."""
    office.show(
        {handle: dict(names) for handle, names in STARTERS.items()},
        [f"{handle:12} {' / '.join(names.values())}" for handle, names in STARTERS.items()],
    )


@group.command()
@click.argument("name", metavar="NAME", required=False, default="")
@click.option("--handle", default="", help="Where it is followed: @HANDLE@host. a-z, 0-9 and _.")
@click.option("--language", default="ar", show_default=True, help="The language of NAME.")
@click.option("--also", multiple=True, metavar="LANG=NAME", help="Its name in another language; may be repeated.")
@click.option("--starter", type=click.Choice(tuple(STARTERS)), help="One of 'group starters', in four languages.")
@click.option("--host", "hosts", multiple=True, metavar="DID", help="A member that would carry it on; repeatable.")
@click.option("--closed", is_flag=True, help="Members are in it once a coordinator says so.")
@click.option("--network", "network_name", default="", metavar="NETWORK")
@common
def found(
    office: Office, name: str, handle: str, language: str, also: tuple[str, ...], starter: str | None,
    hosts: tuple[str, ...], closed: bool, network_name: str,
) -> None:  # fmt: skip
    """Begin a working group, which this organisation coordinates and hosts."""
    names = dict(STARTERS[starter]) if starter else {}
    names |= ({language: name} if name else {}) | dict(named(each) for each in also)
    handle = handle or starter or ""
    if not names or not handle:
        raise click.UsageError("give it a NAME and a --handle, or choose a --starter")
    digest, _ = act(office, lambda mine: desk.found(mine, network_name, names, handle, hosts, open_=not closed))
    actor = act(office, lambda mine: group_hosts.open_actor(mine, office.node.keyring, digest))
    lines = [f"founded    {' / '.join(names.values())}", f"group      {digest}", f"followed   {actor.address}"]
    if hosts:
        lines.append("Each other host says with which actor it would carry on: tadamun group host " + handle)
    _show(office, digest, lines)


@group.command()
@click.argument("name", metavar="GROUP")
@common
def host(office: Office, name: str) -> None:
    """Begin our own actor for a group that names us among its hosts: it speaks if the group is to be carried on."""
    actor = act(office, lambda mine: group_hosts.open_actor(mine, office.node.keyring, name))
    _show(office, name, [f"ready      {actor.address}"])


@group.command()
@click.argument("name", metavar="GROUP")
@common
def join(office: Office, name: str) -> None:
    """Join a group; a closed one waits for a coordinator's word."""
    found_ = act(office, lambda mine: desk.join(mine, name))
    inside = office.organisation.did in found_.roles
    _show(office, name, ["joined" if inside else "asked; a coordinator of the group lets us in"])


@group.command()
@click.argument("name", metavar="GROUP")
@common
def leave(office: Office, name: str) -> None:
    """Leave a group."""
    act(office, lambda mine: desk.leave(mine, name))
    _show(office, name, ["left"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("who", metavar="DID")
@click.argument("role", type=click.Choice(rules.ROLES))
@common
def role(office: Office, name: str, who: str, role: str) -> None:
    """Say what a member does in the group; none takes them out. Coordinators do."""
    act(office, lambda mine: desk.give_role(mine, name, who, role))
    _show(office, name, [f"{who} is {role}" if role != rules.NONE else f"{who} is out of the group"])


@group.command("list")
@common
def list_groups(office: Office) -> None:
    """The working groups of our networks."""
    org = office.organisation.did
    found_ = [_value(each, org) for each in office.read(lambda connection: desk.places(connection, org))]
    lines = [
        f"{each['role'] or '-':12} {each['handle']:12} {len(each['members'])} members"
        f"  {' / '.join(each['names'].values())}"
        for each in found_
    ]
    office.show(found_, lines or ["no working group yet: 'tadamun group found', 'tadamun group starters' shows themes"])


@group.command()
@click.argument("name", metavar="GROUP")
@common
def show(office: Office, name: str) -> None:
    """One group: who is in it, who hosts it and who would carry it on."""
    _show(office, name, [])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("kind", type=click.Choice((entries.POST, entries.COMMENT, entries.DOCUMENT)))
@click.argument("text", metavar="TEXT-OR-@FILE")
@click.option("--title", default="", help="A document has one.")
@click.option("--about", default="", metavar="ENTRY", help="What a comment answers; a document replaces.")
@click.option("--article", default="", help="Of a charter's draft, the article that a comment is about.")
@click.option("--cite", "cites", multiple=True, metavar="DIGEST#NUMBER", help="An article that a post stands on.")
@click.option("--language", default="", help="Of the text; the organisation's own where none is given.")
@common
def say(
    office: Office, name: str, kind: str, text: str, title: str, about: str, article: str, cites: tuple[str, ...],
    language: str,
) -> None:  # fmt: skip
    """Say something inside, sealed to the organisations that are in the group now."""
    text = text_of(text)
    says: dict[str, Any] = {"text": text, "title": title}
    if kind == entries.COMMENT:
        says = {"text": text, "article": article}
    elif kind == entries.POST:
        says["cites"] = list(cites)
    about = entry_of(office, name, about).digest if about else ""
    tell_what_was_said(office, lambda mine: desk.speak(mine, name, kind, says, about=about, language=language))


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("title")
@click.option("--starts", required=True, metavar="TIME", help="As 2026-12-01T15:00:00Z.")
@click.option("--ends", required=True, metavar="TIME")
@click.option("--place", default="", help="An address or a link.")
@click.option("--text", default="", help="The agenda.")
@common
def meeting(office: Office, name: str, title: str, starts: str, ends: str, place: str, text: str) -> None:
    """Call a meeting; 'group calendar' puts it into calendars under a neutral title."""
    says = {"title": title, "starts": starts, "ends": ends, "place": place, "text": text}
    tell_what_was_said(office, lambda mine: desk.speak(mine, name, entries.MEETING, says))


@group.command()
@click.argument("name", metavar="GROUP")
@common
def read(office: Office, name: str) -> None:
    """What was said inside, oldest first, as far as it is opened here."""
    found_ = heard(office, name)
    names = names_of(office, name)
    lines = [
        f"{each.entry.published:%Y-%m-%d %H:%M}  {names.get(each.entry.author, each.entry.author)}  {each.entry.kind}"
        f"  {each.entry.digest[:14]}\n  {_gist(each.entry)}"
        for each in found_
    ]
    office.show([_entry_value(each) for each in found_], lines or ["nothing was said here yet that is opened here"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("who", metavar="DID")
@common
def share(office: Office, name: str, who: str) -> None:
    """Hand what was said before to an organisation that joined since."""
    count = act(office, lambda mine: desk.share(mine, name, who, secrets_of(office)))
    office.show({"shared": count}, [f"{count} entries are on their way"])


@group.command("take-back")
@click.argument("name", metavar="GROUP")
@click.argument("entry")
@common
def take_back(office: Office, name: str, entry: str) -> None:
    """Take back what we said inside; its bytes are destroyed wherever our letter went."""
    gone = act(office, lambda mine: desk.take_back(mine, name, entry, secrets_of(office)))
    office.show({"entry": gone.digest}, ["taken back"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("text", metavar="TEXT-OR-@FILE")
@click.option("--title", default="")
@click.option("--language", default="")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def publish(office: Office, name: str, text: str, title: str, language: str, yes: bool) -> None:
    """Say something to everyone, for the group: its host passes it on to all who follow the group."""
    text = text_of(text)
    if not yes:
        click.confirm("Everyone in the world will be able to read this, for good. Publish it?", abort=True, err=True)
    if not on_loopback(office):
        asked = act(office, lambda mine: restatements.ask_to_announce(mine, SHELL, name, title, text, language))
        request = asked.row.request.id
        office.show({"request": request}, [f"waits      {request}", "Another person looks at it at the desk first."])
        return
    made = act(office, lambda mine: desk.publish(mine, name, title, text, language))
    office.show({"id": made.object_id, "sequence": made.sequence}, [f"published  {made.object_id}"])


@group.command()
@click.argument("object_id", metavar="ID")
@common
def unpublish(office: Office, object_id: str) -> None:
    """Take back what we said to everyone; servers outside the network are asked to, and copies may remain."""
    made = act(office, lambda mine: desk.unpublish(mine, object_id))
    office.show({"id": made.object_id, "sequence": made.sequence}, ["taken back"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.option("--to", "who", default="", metavar="DID", help="Another host than ourselves.")
@common
def carry(office: Office, name: str, who: str) -> None:
    """Name who carries the group on, as one of its hosts: it does once more than half of the other hosts say so.

    Where that makes us the host, the followers of the host before us are called over.
    """
    found_ = act(office, lambda mine: desk.carry_on(mine, name, who))
    ours = found_.host == office.organisation.did
    lines = [f"hosted by  {names_of(office, name).get(found_.host, found_.host)}"]
    if ours and not who:
        lines.append(_call(office, name))
    _show(office, name, lines)


@group.command()
@click.argument("name", metavar="GROUP")
@common
def call(office: Office, name: str) -> None:
    """As the host, call the followers of the host before us again."""
    office.show({}, [_call(office, name)])


def _call(office: Office, name: str) -> str:
    try:
        called = act(office, lambda mine: group_hosts.call_followers(mine, name, secrets_of(office)))
    except RefusedError as error:
        return "followers  " + "; ".join(error.reasons)
    return f"followers  {called} servers are told where the group is now"


def _value(at: Place, own: str) -> dict[str, Any]:
    each = at.group
    return {
        "group": each.digest, "network": at.network, "names": dict(each.names), "handle": each.handle,
        "open": each.open, "role": each.roles.get(own, ""), "host": each.host,
        "actor": each.actor.handle if each.actor else "", "did": each.actor.did if each.actor else "",
        "members": dict(each.roles), "waiting": list(each.waiting),
        "hosts": [{"member": h.member, "did": h.did, "handle": h.handle} for h in each.hosts],
        "words": dict(each.words),
    }  # fmt: skip


def _show(office: Office, name: str, lines: list[str]) -> None:
    org = office.organisation.did
    at = office.read(lambda connection: desk.place(connection, org, name))
    names = {each.did: each.name for each in at.state.members.values()}
    shown = at.group.names.get(office.organisation.language) or next(iter(at.group.names.values()))
    lines = lines + [f"group        {shown}  {at.group.digest}"]
    lines += [f"{role:12} {names.get(did, did)}  {did}" for did, role in at.group.roles.items()]
    lines += [f"waiting      {names.get(did, did)}  {did}" for did in at.group.waiting]
    lines += [_host_line(at.group, each.member, names) for each in at.group.hosts]
    office.show(_value(at, org), lines)


def _host_line(found_: Group, member: str, names: Mapping[str, str]) -> str:
    at = next(each for each in found_.hosts if each.member == member)
    does = "hosts now" if member == found_.host else "would host"
    return f"{does:12} {names.get(member, member)}  {at.handle or 'no actor yet'}"


def _entry_value(each: Heard) -> dict[str, Any]:
    entry = each.entry
    return {
        "entry": entry.digest, "kind": entry.kind, "author": entry.author, "about": entry.about,
        "language": entry.language, "published": entry.published.isoformat(), "says": dict(entry.says), "by": each.by,
    }  # fmt: skip


def _gist(entry: entries.GroupEntry) -> str:
    return entry.title or entry.text[:300] or json.dumps(dict(entry.says), ensure_ascii=False)[:300]


for _each in papers.COMMANDS:
    group.add_command(_each)

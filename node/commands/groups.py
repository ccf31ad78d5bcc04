"""The commands of working groups: found, host, join; speak inside and to everyone; plans through the year; carry on."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from node import governance as rules
from node import group_entries as entries
from node import plans
from node.app import utc_now
from node.approvals import SHELL
from node.commands.alerts import on_loopback
from node.commands.context import Office, common
from node.commands.networks import named
from node.desk import calendars, drafts, group_hosts, restatements
from node.desk import groups as desk
from node.desk import plans as plan_desk
from node.desk.groups import Heard, Place
from node.desk.networks import Desk
from node.errors import RefusedError
from node.group_starters import STARTERS
from node.groups import Group
from node.models import rooms
from node.plans import YearPlan

T = TypeVar("T")
_MOST = 128 * 1024


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
    digest, _ = _do(office, lambda mine: desk.found(mine, network_name, names, handle, hosts, open_=not closed))
    actor = _do(office, lambda mine: group_hosts.open_actor(mine, office.node.keyring, digest))
    lines = [f"founded    {' / '.join(names.values())}", f"group      {digest}", f"followed   {actor.address}"]
    if hosts:
        lines.append("Each other host says with which actor it would carry on: tadamun group host " + handle)
    _show(office, digest, lines)


@group.command()
@click.argument("name", metavar="GROUP")
@common
def host(office: Office, name: str) -> None:
    """Begin our own actor for a group that names us among its hosts: it speaks if the group is to be carried on."""
    actor = _do(office, lambda mine: group_hosts.open_actor(mine, office.node.keyring, name))
    _show(office, name, [f"ready      {actor.address}"])


@group.command()
@click.argument("name", metavar="GROUP")
@common
def join(office: Office, name: str) -> None:
    """Join a group; a closed one waits for a coordinator's word."""
    found_ = _do(office, lambda mine: desk.join(mine, name))
    inside = office.organisation.did in found_.roles
    _show(office, name, ["joined" if inside else "asked; a coordinator of the group lets us in"])


@group.command()
@click.argument("name", metavar="GROUP")
@common
def leave(office: Office, name: str) -> None:
    """Leave a group."""
    _do(office, lambda mine: desk.leave(mine, name))
    _show(office, name, ["left"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("who", metavar="DID")
@click.argument("role", type=click.Choice(rules.ROLES))
@common
def role(office: Office, name: str, who: str, role: str) -> None:
    """Say what a member does in the group; none takes them out. Coordinators do."""
    _do(office, lambda mine: desk.give_role(mine, name, who, role))
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
@click.option("--language", default="", help="Of the text; the organisation's own where none is given.")
@common
def say(
    office: Office, name: str, kind: str, text: str, title: str, about: str, article: str, language: str
) -> None:
    """Say something inside, sealed to the organisations that are in the group now."""
    text = _text(text)
    says = {"text": text, "article": article} if kind == entries.COMMENT else {"text": text, "title": title}
    about = _entry(office, name, about).digest if about else ""
    _said(office, lambda mine: desk.speak(mine, name, kind, says, about=about, language=language))


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
    _said(office, lambda mine: desk.speak(mine, name, entries.MEETING, says))


@group.command()
@click.argument("name", metavar="GROUP")
@common
def read(office: Office, name: str) -> None:
    """What was said inside, oldest first, as far as it is opened here."""
    heard = _history(office, name)
    names = _names(office, name)
    lines = [
        f"{each.entry.published:%Y-%m-%d %H:%M}  {names.get(each.entry.author, each.entry.author)}  {each.entry.kind}"
        f"  {each.entry.digest[:14]}\n  {_gist(each.entry)}"
        for each in heard
    ]
    office.show([_entry_value(each) for each in heard], lines or ["nothing was said here yet that is opened here"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("who", metavar="DID")
@common
def share(office: Office, name: str, who: str) -> None:
    """Hand what was said before to an organisation that joined since."""
    count = _do(office, lambda mine: desk.share(mine, name, who, _secrets(office)))
    office.show({"shared": count}, [f"{count} entries are on their way"])


@group.command("take-back")
@click.argument("name", metavar="GROUP")
@click.argument("entry")
@common
def take_back(office: Office, name: str, entry: str) -> None:
    """Take back what we said inside; its bytes are destroyed wherever our letter went."""
    gone = _do(office, lambda mine: desk.take_back(mine, name, entry, _secrets(office)))
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
    text = _text(text)
    if not yes:
        click.confirm("Everyone in the world will be able to read this, for good. Publish it?", abort=True, err=True)
    if not on_loopback(office):
        asked = _do(office, lambda mine: restatements.ask_to_announce(mine, SHELL, name, title, text, language))
        request = asked.row.request.id
        office.show({"request": request}, [f"waits      {request}", "Another person looks at it at the desk first."])
        return
    made = _do(office, lambda mine: desk.publish(mine, name, title, text, language))
    office.show({"id": made.object_id, "sequence": made.sequence}, [f"published  {made.object_id}"])


@group.command()
@click.argument("object_id", metavar="ID")
@common
def unpublish(office: Office, object_id: str) -> None:
    """Take back what we said to everyone; servers outside the network are asked to, and copies may remain."""
    made = _do(office, lambda mine: desk.unpublish(mine, object_id))
    office.show({"id": made.object_id, "sequence": made.sequence}, ["taken back"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.option("--to", "who", default="", metavar="DID", help="Another host than ourselves.")
@common
def carry(office: Office, name: str, who: str) -> None:
    """Name who carries the group on, as one of its hosts: it does once more than half of the other hosts say so.

    Where that makes us the host, the followers of the host before us are called over.
    """
    found_ = _do(office, lambda mine: desk.carry_on(mine, name, who))
    ours = found_.host == office.organisation.did
    lines = [f"hosted by  {_names(office, name).get(found_.host, found_.host)}"]
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
        called = _do(office, lambda mine: group_hosts.call_followers(mine, name, _secrets(office)))
    except RefusedError as error:
        return "followers  " + "; ".join(error.reasons)
    return f"followers  {called} servers are told where the group is now"


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def plan(office: Office, name: str, file: Path) -> None:
    """Write the plan of a year from a JSON file, or a version of it; 'group plans' shows where each year stands.

    The file: {"year": 2027, "goals": [{"key": "water", "text": "…"}], "priorities": ["…"], "activities": [{"text":
    "…", "lead": "an organisation", "goal": "water"}], "risks": [{"challenge": "…", "response": "…"}], "protection":
    "how this plan protects defenders"}
    """
    says = _json(file)
    _said(office, lambda mine: plan_desk.write(mine, name, says, _secrets(office)))


@group.command("plans")
@click.argument("name", metavar="GROUP")
@common
def list_plans(office: Office, name: str) -> None:
    """Where each year's plan stands, what comes next, and the goals side by side."""
    org = office.organisation.did
    found_ = office.read(lambda connection: plan_desk.current(connection, org, name, _secrets(office)))
    years, goals = plans.side_by_side(found_)
    coming = plans.due(found_, utc_now().date())
    lines = [
        f"{each.year}  {each.phase:10} {each.current.digest[:14]}  {len(each.goals())} goals, "
        f"{len(each.comments)} comments, {len(each.reviews)} reviews"
        for each in found_
    ]
    for row in goals:
        cells = (f"{change or ''} {text}".strip() for text, change in zip(row.texts, row.changes, strict=True))
        lines.append(f"{row.key:12} {'  |  '.join(cells)}")
    lines += [f"{'LATE' if each.late else 'next':5} {each.year} {each.what} by {each.by}" for each in coming]
    value = {
        "plans": [_plan_value(each) for each in found_],
        "years": list(years),
        "goals": [{"key": r.key, "texts": list(r.texts), "changes": list(r.changes)} for r in goals],
        "due": [{"year": e.year, "what": e.what, "by": e.by.isoformat(), "late": e.late} for e in coming],
    }
    office.show(value, lines or ["no plan yet: 'tadamun group plan GROUP FILE'"])


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("year", type=int)
@click.argument("what", type=click.Choice((*entries.STEPS, plans.HAND_IN)))
@common
def step(office: Office, name: str, year: int, what: str) -> None:
    """The plan's next step: open it for comments, hand it in for the network's approval, close the year."""
    if what == plans.HAND_IN:
        proposal = _do(office, lambda mine: plan_desk.hand_in(mine, name, year, _secrets(office)))
        lines = [f"proposed   {proposal}", f"vote with: tadamun decision vote {proposal[:12]} yes"]
        office.show({"proposal": proposal}, lines)
        return
    _said(office, lambda mine: plan_desk.step(mine, name, year, what, _secrets(office)))


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("year", type=int)
@click.argument("period", type=click.Choice(entries.PERIODS))
@click.argument("done", metavar="WHAT-WAS-DONE")
@click.option("--evaluation", default="")
@click.option("--changed", multiple=True, metavar="KEY=TEXT", help="A goal that reads otherwise from now on.")
@common
def review(
    office: Office, name: str, year: int, period: str, done: str, evaluation: str, changed: tuple[str, ...]
) -> None:
    """Review a quarter, or the year."""
    goals = [dict(zip(("key", "text"), named(each), strict=True)) for each in changed]
    says = {"period": period, "done": _text(done), "evaluation": evaluation, "changed": goals}
    _said(office, lambda mine: plan_desk.review(mine, name, year, says, _secrets(office)))


@group.command()
@click.argument("name", metavar="GROUP")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--about", default="", metavar="DRAFT", help="The draft whose place it takes.")
@common
def draft(office: Office, name: str, file: Path, about: str) -> None:
    """Propose a charter inside the group, or a version of one; 'charter example' prints such a file.

    Members comment with 'group say GROUP comment TEXT --about DRAFT --article 3'. 'group draft-text' prints the text
    for 'charter freeze'.
    """
    value = _json(file)
    _said(office, lambda mine: drafts.propose(mine, name, value, _secrets(office), about))


@group.command("drafts")
@click.argument("name", metavar="GROUP")
@common
def list_drafts(office: Office, name: str) -> None:
    """The charters that are proposed inside, with what was said about each article and what changed last."""
    org = office.organisation.did
    found_ = office.read(lambda connection: drafts.current(connection, org, name, _secrets(office)))
    names = _names(office, name)
    lines = []
    for each in found_:
        title = each.text.versions[each.text.language(office.organisation.language)].title
        changed = sum(part.kind != "same" for parts in each.changed.values() for part in parts)
        count = len(each.earlier) + 1
        lines.append(f"{each.entry.digest[:14]}  {title}  {count} versions, {changed} parts changed last")
        for said in each.comments:
            part = f"article {said.says['article']}" if said.says["article"] else "all"
            lines.append(f"  {part:12} {names.get(said.author, said.author)}: {said.text[:200]}")
    value = [
        {
            "draft": each.entry.digest, "text": each.text.value, "digest": each.text.digest,
            "earlier": [one.digest for one in each.earlier],
            "comments": [{"author": c.author, "article": c.says["article"], "text": c.text} for c in each.comments],
        }
        for each in found_
    ]  # fmt: skip
    office.show(value, lines or ["no draft yet: 'tadamun group draft GROUP FILE'"])


@group.command("draft-text")
@click.argument("name", metavar="GROUP")
@click.argument("entry", metavar="DRAFT")
@common
def draft_text(office: Office, name: str, entry: str) -> None:
    """Print a draft's text as JSON, for 'charter freeze'."""
    org = office.organisation.did
    found_ = office.read(lambda connection: drafts.find(connection, org, name, entry, _secrets(office)))
    office.show(found_.text.value, json.dumps(found_.text.value, ensure_ascii=False, indent=2))


@group.command()
@click.argument("name", metavar="GROUP")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), required=True)
@common
def calendar(office: Office, name: str, target: Path) -> None:
    """Write meetings and what is due as an iCalendar file. Titles say nothing: calendars are read over shoulders."""
    org = office.organisation
    raw = office.read(lambda connection: calendars.of_group(connection, org, name, _secrets(office), utc_now()))
    target.write_bytes(raw)
    office.show({"file": str(target), "bytes": len(raw)}, [f"written    {target}"])


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


def _plan_value(each: YearPlan) -> dict[str, Any]:
    return {
        "year": each.year, "phase": each.phase, "plan": each.current.digest,
        "approved": each.approved.digest if each.approved else "", "goals": each.goals(),
        "comments": len(each.comments), "reviews": [review.says["period"] for review in each.reviews],
    }  # fmt: skip


def _entry_value(each: Heard) -> dict[str, Any]:
    entry = each.entry
    return {
        "entry": entry.digest, "kind": entry.kind, "author": entry.author, "about": entry.about,
        "language": entry.language, "published": entry.published.isoformat(), "says": dict(entry.says), "by": each.by,
    }  # fmt: skip


def _gist(entry: entries.GroupEntry) -> str:
    return entry.title or entry.text[:300] or json.dumps(dict(entry.says), ensure_ascii=False)[:300]


def _said(office: Office, work: Callable[[Desk], tuple[entries.GroupEntry, Any]]) -> None:
    made, sent = _do(office, work)
    to = len(sent.to) if sent else 0
    value = {"entry": made.digest, "to": list(sent.to) if sent else []}
    office.show(value, [f"said       {made.digest}", f"sealed to  {to} other organisations"])


def _history(office: Office, name: str) -> Sequence[Heard]:
    org = office.organisation.did

    def read(connection: Connection) -> Sequence[Heard]:
        return desk.history(connection, org, desk.place(connection, org, name).group, _secrets(office))

    return office.read(read)


def _entry(office: Office, name: str, digest: str) -> entries.GroupEntry:
    fitting = [each.entry for each in _history(office, name) if each.entry.digest.startswith(digest)]
    if len(fitting) != 1:
        raise RefusedError("no such entry, or several begin so; 'tadamun group read' shows them")
    return fitting[0]


def _names(office: Office, name: str) -> dict[str, str]:
    org = office.organisation.did
    at = office.read(lambda connection: desk.place(connection, org, name))
    return {each.did: each.name for each in at.state.members.values()}


def _secrets(office: Office) -> tuple[str, ...]:
    """What the shell opens: all of it while nobody signed in to this node, nothing that came later."""
    org, keyring = office.organisation.did, office.node.keyring
    return office.read(lambda connection: rooms.network_secrets(connection, org, keyring))


def _do(office: Office, work: Callable[[Desk], T]) -> T:
    organisation, key = office.organisation, office.key
    return office.write(lambda connection: work(Desk(connection, organisation, key, utc_now())))


def _text(text: str) -> str:
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    if not path.is_file() or path.stat().st_size > _MOST:
        raise click.BadParameter(f"{path}: a text file of up to {_MOST} bytes")
    return path.read_text(encoding="utf-8")


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(_text(f"@{file}"))
    except ValueError as error:
        raise RefusedError(f"{file.name} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError(f"{file.name}: an object, as 'tadamun group plan --help' shows")
    return value

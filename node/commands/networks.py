"""The commands of networks: found, invite, join, admit, leave; proposals, votes and what they decided."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from node import governance as rules
from node.app import utc_now
from node.commands import directory
from node.commands.context import Office, common
from node.desk import network_sheets as sheets
from node.desk import networks as desk
from node.desk.networks import Desk
from node.errors import NodeError
from node.members import State
from node.models import networks as rows

T = TypeVar("T")
_CHOICE = click.Choice(rules.CHOICES)


@click.group()
def network() -> None:
    """Networks: who belongs to one is worked out by every node from signed acts; there is no registrar."""


for each in directory.COMMANDS:
    network.add_command(each)


@click.group()
def decision() -> None:
    """Decisions of a network: proposals, votes, and closing acts by which they stand."""


@network.command()
@click.argument("name", metavar="NAME")
@click.option("--language", default="ar", show_default=True, help="The language of NAME.")
@click.option("--also", multiple=True, metavar="LANG=NAME", help="Its name in another language; may be repeated.")
@click.option("--founder", "founders", multiple=True, metavar="DID", help="Another founder, pinned here; repeatable.")
@click.option(
    "--sponsors", type=click.IntRange(1, 20), default=2, show_default=True, help="Members who vouch for a candidate."
)
@click.option(
    "--quorum", default="1/2", show_default=True, metavar="N/M", help="Decisions take more than this part of the roll."
)
@click.option("--individuals", is_flag=True, help="Individuals may be members too; they do not vote.")
@click.option("--blocks", is_flag=True, help="One block with a reason stops a decision.")
@click.option("--charter", default="", metavar="DIGEST", help="The text that the network stands on.")
@click.option("--article", "articles", multiple=True, metavar="NUMBER", help="Of it, what whoever joins affirms.")
@common
def found(
    office: Office, name: str, language: str, also: tuple[str, ...], founders: tuple[str, ...], sponsors: int,
    quorum: str, individuals: bool, blocks: bool, charter: str, articles: tuple[str, ...],
) -> None:  # fmt: skip
    """Begin a network. Its rules stand for good: whoever joins reads them in the founding act."""
    names = {language: name} | dict(named(each) for each in also)
    kinds = (rules.ORGANISATION, rules.COALITION, *((rules.INDIVIDUAL,) if individuals else ()))
    state = _do(
        office,
        lambda mine: desk.found(
            mine, names, founders, sponsors=sponsors, quorum=_quorum(quorum), kinds=kinds, blocks=blocks,
            charter=charter, articles=articles,
        ),
    )
    _show(office, state, [f"founded    {name}", f"network    {state.network}", _next(founders)])


def _next(founders: tuple[str, ...]) -> str:
    return (
        "Each other founder accepts with: tadamun network accept" if founders else
        "Invite the first member with: tadamun network invite --to FILE"
    )  # fmt: skip


@network.command()
@click.argument("name", metavar="NETWORK", required=False, default="")
@common
def accept(office: Office, name: str) -> None:
    """Say that we are a founder, as the founding act names us."""
    _show(office, _do(office, lambda mine: desk.accept_founding(mine, name)), ["accepted: we are a founder"])


@network.command()
@click.argument("name", metavar="NETWORK", required=False, default="")
@click.option("--who", default="", metavar="DID", help="For this organisation alone, where its did is known.")
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True)
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the sheet to this file.")
@common
def invite(office: Office, name: str, who: str, days: int, target: Path | None) -> None:
    """Write an invitation, to be carried by hand. It lets nobody in: members vouch after comparing six words."""
    sheet = _do(office, lambda mine: desk.invite(mine, name, who, timedelta(days=days)))
    text = sheets.written(sheet.value())
    if target is not None:
        target.write_text(text, encoding="utf-8")
    lines = [
        f"invitation {sheet.invitation}", f"network    {sheet.network}",
        f"good until {sheet.expires:%Y-%m-%d %H:%M} UTC",
        f"our words  {desk.six_words(office.organisation.did)}", "",
        "Give the sheet to the organisation by a way that you trust. There: tadamun network join SHEET --to ANSWER",
    ]  # fmt: skip
    office.show(sheet.value(), lines if target else [*lines, "", text])


@network.command()
@click.argument("sheet", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", type=click.Choice(rules.MEMBER_KINDS), default=rules.ORGANISATION, show_default=True)
@click.option("--listed", is_flag=True, help="Our name may stand on public lists of the network.")
@click.option("--affirm", "affirms", multiple=True, metavar="NUMBER", help="An article of the charter; one by one.")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the answer to this file.")
@common
def join(
    office: Office, sheet: Path, kind: str, listed: bool, affirms: tuple[str, ...], target: Path | None
) -> None:
    """Take up an invitation: pins the members on the sheet, and writes the answer that goes back by hand."""
    found = sheets.read_sheet(sheet.read_bytes(), utc_now())
    organisation = office.organisation
    pinned = []
    for did, handle in found.members:
        try:
            pinned.append(_pin(office, did, handle))
        except NodeError:  # a running 'serve' tries the others again
            if did == found.members[0][0]:
                raise
    answer = _do(office, lambda mine: desk.accept(mine, found, kind, listed=listed, affirms=affirms))
    text = sheets.written(answer)
    if target is not None:
        target.write_text(text, encoding="utf-8")
    lines = [
        f"accepted   {' / '.join(found.names.values())}", f"our words  {desk.six_words(organisation.did)}",
        *(f"{handle:40} {words}" for handle, words in pinned), "",
        "Compare the words by voice with whoever invited you, and send the answer back.",
        "There: tadamun network admit ANSWER",
    ]  # fmt: skip
    office.show(answer, lines if target else [*lines, "", text])


@network.command()
@click.argument("candidate", metavar="ANSWER-OR-DID")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def admit(office: Office, candidate: str, name: str) -> None:
    """Vouch for a candidate, by the answer that came back or by its did: compare six words with it by voice first."""
    path = Path(candidate)
    about: Any = candidate
    if path.is_file():
        about = sheets.read_answer(path.read_bytes())
        _pin(office, about.accepted.author, about.handle)
        name = name or about.accepted.network
    state = _do(office, lambda mine: desk.vouch(mine, name, about))
    did = about if isinstance(about, str) else about.accepted.author
    inside = did in state.members
    words = desk.six_words(did)
    told = "is a member now" if inside else f"has {state.candidates[did][1]} of {state.rules.sponsors} voices"
    _show(office, state, [f"vouched    {did} {told}", f"six words  {words}"])


@network.command()
@click.argument("digest", metavar="INVITATION")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def cancel(office: Office, digest: str, name: str) -> None:
    """Take back our own invitation or acceptance."""
    _show(office, _do(office, lambda mine: desk.cancel(mine, name, digest)), ["taken back"])


@network.command()
@click.argument("name", metavar="NETWORK", required=False, default="")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def leave(office: Office, name: str, yes: bool) -> None:
    """Leave a network; the members that it brought are no longer pinned here."""
    if not yes:
        click.confirm("Leave this network? Coming back takes a new invitation.", abort=True, err=True)
    _show(office, _do(office, lambda mine: desk.leave(mine, name)), ["left; a running 'serve' tells the others"])


@network.command("list")
@common
def list_networks(office: Office) -> None:
    """The networks that we know, with how many members each has and the digest of its state."""
    org = office.organisation.did

    def read(connection: Connection) -> list[dict[str, Any]]:
        return [
            shown(rows.ledger_of(connection, org, each.network).state(), org) | {"names": each.names}
            for each in rows.all_of(connection, org)
        ]

    found = office.read(read)
    lines = [
        f"{' / '.join(each['names'].values())}  {len(each['members'])} members, {each['voters']} vote;"
        f" {'member' if each['inside'] else 'not a member'}\n  {each['network']}\n  state {each['state']}"
        for each in found
    ]
    office.show(found, lines or ["no network yet: 'tadamun network found NAME', or 'tadamun network join SHEET'"])


@network.command()
@click.argument("name", metavar="NETWORK", required=False, default="")
@common
def show(office: Office, name: str) -> None:
    """One network: its members, who vote, and its candidates."""
    state = _read(office, name)
    value = shown(state, office.organisation.did)
    lines = [f"network {state.network}", f"state   {state.digest}"]
    lines += [
        f"{each.state:10} {'votes' if each.voter else '     '}  {each.handle or each.did}  {each.name}"
        for each in state.members.values()
    ]
    lines += [f"candidate  {voices} voices  {did}" for did, (_, voices) in state.candidates.items()]
    if state.missing:
        lines.append(f"{len(state.missing)} acts that others name are not here yet; members are asked for them")
    office.show(value, lines)


@decision.command("propose")
@click.argument("subject", type=click.Choice(rules.SUBJECTS))
@click.argument("names", nargs=-1, metavar="[DID]...")
@click.option("--text", default="", metavar="DIGEST", help="Of the text that is to be adopted.")
@click.option("--grounds", default="", help="Why; members alone read it.")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def propose(office: Office, subject: str, names: tuple[str, ...], text: str, grounds: str, name: str) -> None:
    """Propose: names for the voters' roll, a removal, a suspension, its end, or a text to adopt."""
    digest, state = _do(office, lambda mine: desk.propose(mine, name, subject, names, text=text, grounds=grounds))
    lines = [f"proposed   {digest}", f"vote with: tadamun decision vote {digest[:12]} yes"]
    _show(office, state, lines, proposal=digest)


@decision.command("vote")
@click.argument("proposal")
@click.argument("choice", type=_CHOICE)
@click.option("--reason", default="", help="A block needs one.")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def vote(office: Office, proposal: str, choice: str, reason: str, name: str) -> None:
    """Vote; a later vote takes the place of an earlier one."""
    _show(office, _do(office, lambda mine: desk.vote(mine, name, proposal, choice, reason)), [f"voted {choice}"])


@decision.command("close")
@click.argument("proposal")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def close(office: Office, proposal: str, name: str) -> None:
    """Close a proposal with the votes that are here: from then on it stands."""
    _show(office, _do(office, lambda mine: desk.close(mine, name, proposal)), ["decided"])


@decision.command("list")
@click.option("--network", "name", default="", metavar="NETWORK")
@common
def list_decisions(office: Office, name: str) -> None:
    """Proposals, the votes that count, and what was decided."""
    state = _read(office, name)
    found = shown(state, office.organisation.did)["decisions"]
    lines = [
        f"{each['state']:7} {each['subject']:8} {list(each['votes'].values()).count('yes')} of {each['voters']} yes"
        f"  {each['proposal']}  {' '.join(each['names'])}"
        for each in found
    ]
    office.show(found, lines or ["nothing was proposed yet"])


def shown(state: State, own: str) -> dict[str, Any]:
    """For `--json`."""
    return {
        "network": state.network,
        "state": state.digest,
        "inside": own in state.members,
        "voters": sum(each.voter for each in state.members.values()),
        "members": [
            {
                "did": each.did, "name": each.name, "kind": each.kind, "country": each.country, "handle": each.handle,
                "state": each.state, "voter": each.voter, "listed": each.listed,
            }
            for each in state.members.values()
        ],
        "candidates": [
            {"did": did, "acceptance": digest, "voices": voices} for did, (digest, voices) in state.candidates.items()
        ],
        "decisions": [
            {
                "proposal": each.proposal, "subject": each.subject, "names": list(each.names), "text": each.text,
                "state": each.state, "votes": dict(each.votes), "voters": each.voters,
            }
            for each in state.decisions.values()
        ],
        "missing": len(state.missing),
        "heirs": dict(state.heirs),
    }  # fmt: skip


def _read(office: Office, name: str) -> State:
    organisation, key = office.organisation, office.key
    return office.read(
        lambda connection: desk.opened(Desk(connection, organisation, key, utc_now()), name)[1].state()
    )


def _do(office: Office, work: Callable[[Desk], T]) -> T:
    organisation, key = office.organisation, office.key
    return office.write(lambda connection: work(Desk(connection, organisation, key, utc_now())))


def _pin(office: Office, did: str, handle: str) -> tuple[str, str]:
    """Pin somebody at this address if that did answers there; (handle, six words)."""
    organisation = office.organisation
    if did != organisation.did:
        office.call(lambda node: desk.pin(node.database, node.discovery, organisation, did, handle, utc_now()))
    return handle, desk.six_words(did)


def _show(office: Office, state: State, lines: list[str], **more: Any) -> None:
    office.show(shown(state, office.organisation.did) | more, lines)


def named(text: str) -> tuple[str, str]:
    """LANG=NAME as an option gives it."""
    language, equals, name = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r}: write LANG=NAME, as en=Exercise network")
    return language, name


def _quorum(text: str) -> tuple[int, int]:
    part, slash, whole = text.partition("/")
    if not slash or not part.isdigit() or not whole.isdigit():
        raise click.BadParameter(f"{text!r}: write N/M, as 2/3")
    return int(part), int(whole)

"""The `charter` commands: freeze a text, affirm it or take that back, list, show, compare, and write its bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
from sqlalchemy import Connection

from node import charter_differences as differences
from node import charters as rules
from node.app import utc_now
from node.charter_differences import Difference
from node.charters import Affirmation, Affirmed, Charter
from node.commands.context import Office, common
from node.desk import charter_bundles as files
from node.desk import charters as desk
from node.desk.exports import proof_holds
from node.errors import ProtocolError, RefusedError
from node.federation.protocol.messages import JsonObject, parse_document
from node.models import charters as rows
from node.models import documents
from node.web import charter_sheets

EXAMPLE = Path(__file__).parent.parent / "demo_charter.json"
_MAX_FILE = 256 * 1024
_MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"removed": ("[-", "-]"), "added": ("{+", "+}"), "same": ("", "")}
)


@click.group()
def charter() -> None:
    """Charters: common texts, frozen by their digest, that organisations affirm.

    \b
    tadamun charter example > charter.json      a text to begin from; it says EXERCISE
    tadamun charter freeze charter.json         it stands from now on; members and followers are told
    tadamun charter affirm DIGEST --show-name   on a member's node; or --no-name
    tadamun charter bundle DIGEST --to FILE     one file that 'tadamun verify' proves offline
    """


@charter.command()
@click.option("--json", "as_json", is_flag=True, hidden=True)
def example(as_json: bool) -> None:
    """Print a text to begin from, in Arabic and English. It is an exercise and says so."""
    click.echo(EXAMPLE.read_text("utf-8").rstrip())


@charter.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", type=click.Choice(rules.KINDS), help="[charter; with --amends: amendment]")
@click.option("--amends", metavar="DIGEST", default="", help="The text of ours that it changes or is added to.")
@click.option(
    "--adoption", type=click.Choice(rules.ADOPTIONS), default="each", show_default=True,
    help="Whether it binds each organisation that affirms it, or a network that adopts it by its quorum.",
)
@click.option("--language", default="", help="What other servers show [the organisation's own, where the text has it].")
@click.option("--yes", is_flag=True, help="Do not ask before it is published.")
@common
def freeze(
    office: Office, file: Path, kind: str | None, amends: str, adoption: str, language: str, yes: bool
) -> None:  # fmt: skip
    """Freeze the text in FILE.json and publish it: everybody can read it, and nobody can change it any more.

    The file is one JSON value, the same that a draft is: {"ar": {"title": "…", "preamble": "…", "articles": [{"number":
    "1", "heading": "…", "text": "…"}]}, "en": {…}}. Every language has the same numbers in the same order.
    'charter example' prints one.

    A frozen text is named by its digest. To change it, freeze another one with --amends DIGEST: --kind amendment takes
    its place, --kind addendum stands beside it. What is affirmed is always one text: nobody who affirmed the old one is
    taken to affirm the new one.
    """
    organisation, key = office.organisation, office.key
    value, kind = _read(file), kind or ("amendment" if amends else "charter")
    made = office.read(
        lambda connection: desk.draft(
            connection, organisation, value, utc_now(), kind=kind, amends=amends, adoption=adoption, language=language
        )
    )
    if not yes:
        click.echo("\n".join(_draft_lines(made)), err=True)
        click.confirm("Publish this text? It stands for good.", abort=True, err=True)
    said = office.write(lambda connection: desk.freeze(connection, organisation, key, made, utc_now()))
    told = {"id": said.object_id, "digest": made["textDigest"], "url": made["url"], "sequence": said.sequence}
    office.show(
        told,
        [f"frozen   {told['digest']}", f"page     {told['url']}", "a running 'serve' tells members and followers"],
    )


@charter.command()
@click.argument("digest")
@click.option("--articles", default="", metavar="1,2", help="Only these articles [all].")
@click.option("--show-name/--no-name", default=None, help="Whether our name stands on the public list.")
@click.option("--name", default="", help="Our name as it should appear; else the organisation's own.")
@click.option("--language", default="", help="The language of that name, e.g. ar.")
@common
def affirm(
    office: Office, digest: str, articles: str, show_name: bool | None, name: str, language: str
) -> None:  # fmt: skip
    """Affirm the text DIGEST, ours or a member's. Said again it replaces what we said before.

    With --show-name our name stands in our public log and on every node's page, and in every bundle made from now on,
    until 'charter withdraw'. With --no-name the members are told in a sealed letter and count it, and everybody else
    sees a number; that is for a whole text.
    """
    if show_name is None:
        raise click.UsageError("say --show-name (everybody reads our name) or --no-name (members alone know it)")
    organisation, key = office.organisation, office.key
    chosen = [each.strip() for each in articles.split(",") if each.strip()]
    if not show_name:
        if chosen or name:
            raise click.UsageError("--no-name is for a whole text, and without --name")
        sent = office.write(lambda connection: desk.affirm_withheld(connection, organisation, key, digest, utc_now()))
        office.show(
            {"id": sent.letter.id, "withheld": True, "to": list(sent.to), "unreached": list(sent.unreached)},
            f"affirmed, the name known to the network alone ({len(sent.to)}); a running 'serve' tells the members",
        )
        return
    said = office.write(
        lambda connection: desk.affirm(connection, organisation, key, digest, chosen, name, language, utc_now())
    )
    thing = said.value["object"]
    office.show(
        {
            "id": said.object_id, "sequence": said.sequence, "withheld": False, "name": thing["name"],
            "digest": thing["textDigest"], "articles": thing.get("affirmedArticles", []),
        },
        [f"affirmed as  {thing['name']}", f"text         {thing['textDigest']}", "a running 'serve' tells the members"],
    )  # fmt: skip


@charter.command()
@click.argument("digest")
@common
def withdraw(office: Office, digest: str) -> None:
    """Take our affirmation of DIGEST back: off every page at once, out of every log after 72 hours.

    What cannot be undone: that others read it, printed it, or keep a bundle that was made before.
    """
    organisation, key = office.organisation, office.key
    taken = office.write(lambda connection: desk.withdraw(connection, organisation, key, digest, utc_now()))
    office.show(
        {"taken_back": list(taken)},
        ["our affirmation is taken back; a running 'serve' tells the members, who hide it at once",
         "what others printed, or keep in a bundle made before, cannot be taken back"],
    )  # fmt: skip


@charter.command()
@click.argument("digest")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def remove(office: Office, digest: str, yes: bool) -> None:
    """Take our charter DIGEST off, with the list of who affirms it: a text that should not have been frozen.

    It is not how a charter is changed: for that, freeze another text with --amends. What others copied cannot be taken
    back.
    """
    organisation, key = office.organisation, office.key
    if not yes:
        click.confirm("Take this charter off every node's pages?", abort=True, err=True)
    said = office.write(lambda connection: desk.remove(connection, organisation, key, digest, utc_now()))
    lines = "the charter is taken off; a running 'serve' tells members and followers"
    office.show({"id": said.object_id, "sequence": said.sequence}, lines)


@charter.command("list")
@common
def list_charters(office: Office) -> None:
    """The charters that are held here, the newest first."""
    organisation, key = office.organisation, office.key

    def read(connection: Connection) -> list[JsonObject]:
        found = rows.newest(connection, organisation.did)
        affirmed = desk.affirmed_each(connection, organisation, found)
        return [
            _summary(each, affirmed[each.id])
            | {"ours": _own(desk.own(connection, organisation, key, each))}
            for each in found
        ]

    found = office.read(read)
    lines = [
        f"{each['digest']}  {each['affirmed']:>4} affirm{'  we too' if each['ours'] else '':8}  {each['title']}"
        for each in found
    ]
    office.show(found, lines or "no charter yet; 'tadamun charter example' prints a text to begin from")


@charter.command()
@click.argument("digest")
@common
def show(office: Office, digest: str) -> None:
    """The text DIGEST in every language, and who affirms it, as this node's copies of the logs have it."""
    organisation = office.organisation

    def read(connection: Connection) -> tuple[Charter, JsonObject]:
        found = desk.find(connection, organisation, digest)
        kept = desk.versions(connection, organisation, found)
        each_ = desk.affirmed_each(connection, organisation, kept)
        affirmed = each_[found.id]
        return found, _summary(found, affirmed) | {
            "text": found.text.value,
            "names": [_name(connection, organisation.did, found, each) for each in affirmed.names],
            "as_of": {did: list(place) for did, place in affirmed.as_of.items()},
            "versions": [_summary(each, each_[each.id]) for each in kept if each.id != found.id],
            "networks": [asdict(each) for each in desk.adoptions(connection, organisation, found.digest)],
        }

    found, told = office.read(read)
    office.show(told, [*_text_lines(found), *_affirmed_lines(told)])


@charter.command()
@click.argument("old")
@click.argument("new")
@common
def diff(office: Office, old: str, new: str) -> None:
    """What differs between the texts OLD and NEW, article by article: [-gone-] and {+come+}."""
    organisation = office.organisation

    def read(connection: Connection) -> tuple[Charter, Charter]:
        return desk.find(connection, organisation, old), desk.find(connection, organisation, new)

    before, after = office.read(read)
    found = differences.compare(before.text, after.text)
    differ = {language: [each for each in parts if each.kind != "same"] for language, parts in found.items()}
    told = {language: [_difference(each) for each in parts] for language, parts in differ.items() if parts}
    lines = [line for language, parts in differ.items() for line in _difference_lines(language, parts)]
    office.show({"old": before.digest, "new": after.digest, "differences": told}, lines or "no difference")


@charter.command()
@click.argument("digest")
@click.option("--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also a page to read and to print.")
@common
def bundle(office: Office, digest: str, file: Path, html: Path | None) -> None:
    """Write the charter DIGEST as one file: its text, who affirms it with a name, and every proof.

    'tadamun verify FILE' proves it on any machine, with no node and no network, as of the heads that stand in it. Who
    took an affirmation back is in no file made later.
    """
    for each in (file, html):
        if each is not None and each.exists():
            raise RefusedError(f"{each} is there already")
    organisation, key = office.organisation, office.key

    def read(connection: Connection) -> tuple[Charter, bytes]:
        found = desk.find(connection, organisation, digest)
        return found, files.bundle(connection, organisation, key, found, utc_now())

    found, raw = office.read(read)
    file.write_bytes(raw)
    if html is not None:
        html.write_bytes(charter_sheets.render(raw, found.language))
    lines = [f"{file}: {found.title}, {len(raw)} bytes", f"prove it with: tadamun verify {file}"]
    told = {"file": str(file), "html": str(html) if html else None, "digest": found.digest, "bytes": len(raw)}
    office.show(told, lines)


def _read(file: Path) -> JsonObject:
    if file.stat().st_size > _MAX_FILE:
        raise RefusedError(f"{file.name}: more than {_MAX_FILE} bytes")
    try:
        return parse_document(file.read_bytes(), _MAX_FILE).value
    except ProtocolError as error:
        raise RefusedError(f"{file.name}: {error}") from error


def _draft_lines(made: JsonObject) -> list[str]:
    found = rules.parse(made, (1, 1))
    if not isinstance(found, Charter):
        raise RefusedError("no charter")
    return [
        *_text_lines(found),
        "",
        f"digest       {found.digest}",
        f"kind         {found.kind}{f', of {found.amends}' if found.amends else ''}; adopted by {found.adoption}",
        f"other servers show the text in {found.language}, with a link to {made['url']}",
        "Everybody will be able to read it. It can be taken off, but never changed.",
    ]


def _text_lines(found: Charter) -> list[str]:
    lines = []
    for language, version in found.text.versions.items():
        lines += [f"[{language}] {version.title}", *([version.preamble] if version.preamble else [])]
        lines += [f"  {each.number}. {each.heading}\n     {each.text}" for each in version.articles]
    return lines


def _affirmed_lines(told: JsonObject) -> list[str]:
    lines = [""] + [
        f"{'✓' if each['verified'] else '✗'} {each['said']}  {each['name']}"
        + (f"  (articles {', '.join(each['articles'])})" if each["articles"] else "") + f"  {each['did']}"
        for each in told["names"]
    ]  # fmt: skip
    if told["withheld"]:
        lines.append(f"+ {told['withheld']} whose names are withheld and known to the network")
    lines.append(f"{told['affirmed']} affirm {told['digest']}")
    for each in told["networks"]:
        names = " · ".join(each["names"].values())
        lines.append(f"  network {names}: {each['state']}, {each['yes']} of {each['voters']} voters said yes")
    return lines + [f"  {each['kind']}: {each['title']}  {each['digest']}" for each in told["versions"]]


def _summary(found: Charter, affirmed: Affirmed) -> JsonObject:
    return {
        "id": found.id, "digest": found.digest, "title": found.title, "kind": found.kind,
        "amends": found.amends or None, "adoption": found.adoption, "keeper": found.did,
        "languages": [*found.text.versions], "articles": list(found.text.numbers),
        "published": f"{found.published:%Y-%m-%dT%H:%M:%SZ}",
        "affirmed": affirmed.count, "withheld": affirmed.withheld, "page": f"/charters/{documents.page_name(found.id)}",
    }  # fmt: skip


def _own(own: desk.Own) -> str:
    return "named" if own.public is not None else "withheld" if own.withheld else ""


def _name(connection: Connection, org: str, found: Charter, each: Affirmation) -> JsonObject:
    held = documents.stored(connection, org, each.id)
    return {
        "did": each.did, "name": each.name, "language": each.language, "said": f"{each.said:%Y-%m-%dT%H:%M:%SZ}",
        "articles": list(rules.articles_of(each, found)) if each.articles else [], "id": each.id,
        "entry": list(each.order), "verified": held is not None and proof_holds(held.raw, each.did),
    }  # fmt: skip


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "part": each.part, "kind": each.kind, "heading": [[piece.step, piece.text] for piece in each.heading],
        "text": [[piece.step, piece.text] for piece in each.text],
    }  # fmt: skip


def _difference_lines(language: str, parts: Sequence[Difference]) -> list[str]:
    lines = []
    for each in parts:
        heading, text = (
            "".join(_MARKS[piece.step][0] + piece.text + _MARKS[piece.step][1] for piece in pieces)
            for pieces in (each.heading, each.text)
        )
        lines += [f"[{language}] {each.part} {each.kind}", *([f"  {heading}"] if heading else []), f"  {text}"]
    return lines

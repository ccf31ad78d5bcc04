"""The commands that need nobody's word: verify, export, import."""

import asyncio
import hashlib
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from node import __version__, bundles, charter_bundles, charters, copies
from node.app import utc_now
from node.charter_bundles import Proven
from node.commands.context import Office, common
from node.copies import Copy
from node.desk import copies as desk
from node.desk.copies import Taken
from node.errors import ProtocolError, RefusedError
from node.federation.fetcher import Fetcher
from node.federation.protocol import actors, ids, integrity_proofs, verification
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.addressing import Policy
from node.federation.protocol.messages import MAX_PAGE, Document, JsonObject, as_list, parse_document
from node.federation.protocol.verification import Carrier
from node.kinds import Surroundings
from node.models import logs, media
from node.settings import Settings, load

_SOME = 5


@click.command()
@click.argument("source", metavar="FILE-OR-URL")
@common
def verify(office: Office, source: str) -> None:
    """Check a document's proof and author from the document alone: no node, no network (but to fetch a URL).

    Takes an alert, an activity, an actor document, a bundle (or the text of its QR code), the bundle of a charter, or
    the folder of a copy that 'tadamun mirror' made, with every file in it. Says what position in its author's log it
    claims. Exit 1, with the reason, if the signature does not hold. A signature that holds says who wrote it and that
    nothing was changed; it does not say that the facts were checked.
    """
    if "://" not in source and Path(source).is_dir():
        found = _verify_folder(Path(source))
    else:
        raw = _fetch(source, load(office.data)) if "://" in source else _read(source)
        found = _verify_any(raw)
    if found["kind"] == "charter":
        office.show(found, _charter_lines(found))
        return
    lines = [f"✓ signature holds: written by {found['author']} and not changed since"]
    if found.get("log"):
        lines.append(f"  claims entry {found['log']['sequence']} (epoch {found['log']['epoch']}) of its author's log")
    names = ("type", "id", "signed", "entries", "made", "files")
    lines += [f"  {name:8} {found[name]}" for name in names if found.get(name)]
    office.show(found, lines)


def _verify_any(raw: bytes) -> JsonObject:
    if bundles.is_bundle(raw):
        return _verify_bundle(raw)
    if copies.is_copy(raw):
        return _shown(copies.parse(raw))
    if charter_bundles.is_charter_bundle(raw):
        return _charter(charter_bundles.parse(raw))
    return _verify_one(parse_document(raw, MAX_PAGE))


def _shown(copy: Copy) -> JsonObject:
    heads = {did: [head.epoch, head.sequence, head.digest] for did, head in copy.heads.items()}
    return {
        "ok": True, "kind": "copy", "author": copy.did, "made": copy.made, "heads": heads, "files": len(copy.files),
    }  # fmt: skip


def _charter(proven: Proven) -> JsonObject:
    charter = proven.charter
    return {
        "ok": True, "kind": "charter", "author": charter.did, "keeper": proven.name(charter.did), "id": charter.id,
        "title": charter.title, "titles": {code: each.title for code, each in charter.text.versions.items()},
        "digest": charter.digest, "charter_kind": charter.kind, "articles": list(charter.text.numbers),
        "amends": [{"digest": each.digest, "title": each.title} for each in proven.earlier],
        "names": [
            {
                "did": each.did, "name": each.name, "called": proven.name(each.did),
                "said": f"{each.said:%Y-%m-%dT%H:%M:%SZ}",
                "articles": list(charters.articles_of(each, charter)) if each.articles else [],
            }
            for each in proven.affirmed.names
        ],
        "count": proven.affirmed.count, "withheld": proven.affirmed.withheld, "maker": proven.maker,
        "maker_name": proven.name(proven.maker), "made": proven.made,
        "as_of": {did: list(place) for did, place in proven.heads.items()},
    }  # fmt: skip


def _charter_lines(found: JsonObject) -> list[str]:
    lines = [f"✓ every signature holds: kept by {found['keeper']} ({found['author']}) and not changed since"]
    lines += [f"  title    [{code}] {title}" for code, title in found["titles"].items()]
    lines += [f"  digest   {found['digest']}"]
    lines += [f"  changes  {each['digest']}  {each['title']}" for each in found["amends"]]
    for each in found["names"]:
        called = "" if each["called"] == each["name"] else f", which calls itself {each['called']}"
        some = f" (articles {', '.join(each['articles'])})" if each["articles"] else ""
        lines.append(f"✓ {each['said']}  {each['name']}{some}{called}  {each['did']}")
    if found["withheld"]:
        lines.append(f"+ {found['withheld']} whose names are withheld: the word of whoever made the file")
    lines += [f"affirmed by {found['count']}, as of these heads, says {found['maker_name']} ({found['maker']}):"]
    return lines + [f"  {did}  {place[0]}/{place[1]}  {place[2]}" for did, place in found["as_of"].items()]


def _verify_folder(folder: Path) -> JsonObject:
    """The signed list, then every file against it: none changed, none missing, none added."""
    copy = copies.parse(_read(str(folder / copies.FRESHNESS)))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}
    faults = [f"{name} is missing" for name in sorted(copy.files.keys() - there)]
    faults += [f"{name} is not of this copy" for name in sorted(there - copy.files.keys() - {copies.FRESHNESS})]
    for name in sorted(copy.files.keys() & there):
        path = folder / name
        if path.is_symlink() or _digest(path) != copy.files[name]:
            faults.append(f"{name} was changed")
    if faults:
        raise RefusedError(*faults[:_SOME], *([f"and {len(faults) - _SOME} more"] if len(faults) > _SOME else ()))
    return _shown(copy)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error


def _read(source: str) -> bytes:
    path = Path(source)
    try:
        if path.stat().st_size > bundles.MAX_BUNDLE:
            raise RefusedError(f"{path.name} is larger than any bundle")
        return path.read_bytes()
    except OSError as error:
        raise RefusedError(f"{source[:200]}: {error.strerror}") from error


def _fetch(url: str, settings: Settings) -> bytes:
    async def run() -> bytes:
        policy = Policy(settings.allow_networks)
        async with Fetcher(policy, settings.socks_proxy or None, f"tadamun/{__version__}") as fetcher:
            _, document = await fetcher.get_json(url)
            return document.raw

    return asyncio.run(run())


def _verify_bundle(raw: bytes) -> JsonObject:
    bundle = bundles.parse(raw)
    if bundle.refused:
        raise RefusedError(*bundle.refused[:5])
    if not bundle.entries:
        raise RefusedError("the bundle holds no entry")
    authors = sorted({item.activity.did or "" for item in bundle.entries})
    counts = {"entries": len(bundle.entries), "stubs": len(bundle.stubs)}
    return {"ok": True, "kind": "bundle", "author": ", ".join(authors), **counts}


def _verify_one(document: Document) -> JsonObject:
    value = document.value
    given = value.get("id")
    found = ids.portable(given) if isinstance(given, str) else None
    if found is None:
        raise RefusedError("the document has no portable id (did:key), so only its own server could vouch for it")
    proof = integrity_proofs.check(value)
    result: JsonObject = {
        "ok": True,
        "kind": "object",
        "author": found.did,
        "id": given,
        "portable_id": str(found),
        "type": value.get("type"),
        "signed": proof.created,
    }
    if as_list(value.get("type"))[:1] and as_list(value["type"])[0] in actors.TYPES:
        verification.verify_actor(document, None)
        return {**result, "kind": "actor", "log": value.get("logPosition")}
    if "actor" in value:
        activity = parse_activity(document)
        verification.verify_activity(activity, Carrier(None, replica=True))
        return {**result, "kind": "activity", "log": bundles.describe(activity) or None}
    author = verification.verify_object(document, None).get("attributedTo")
    if isinstance(author, str) and not ids.same_origin(author, str(found)):
        raise ProtocolError("signed by another than the author it names", spec="FEP-fe34")
    return result


@click.command("export")
@click.option("--alerts", is_flag=True, help="Alerts of this node and of its members, with their logs.")
@click.option("--alert", "alert_id", metavar="ID", help="One alert: what was said of it, and who its author is.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common
def export(office: Office, alerts: bool, alert_id: str | None, file: Path) -> None:
    """Write a signed bundle for a stick or an attachment. It holds only what is public, and proves itself.

    Pictures that are here go with it, as far as a bundle has room; each is proven by its digest.
    """
    if alerts == bool(alert_id):
        raise click.UsageError("say what to export: --alerts, or --alert ID")
    if file.exists():
        raise RefusedError(f"{file} is there already")
    organisation = office.organisation

    def read(connection: Connection) -> tuple[list[bytes], list[bytes], int, datetime]:
        names: tuple[str, ...]
        if alert_id:
            proof = desk.proof_of(connection, organisation, alert_id)
            lines, made, names = list(proof.lines), proof.made, (proof.record.object_id,)
        else:
            dids = logs.head_table(connection, organisation.did)
            lines = [line for did in dids for line in desk.lines_of(connection, organisation.did, did)]
            made, names = utc_now(), media.objects(connection, organisation.did)
        room = bundles.MAX_BUNDLE - sum(len(line) + 1 for line in lines) - 4096
        pictures, left_out = desk.pictures_of(connection, organisation, office.node.storage, names, room)
        return lines, pictures, left_out, made

    lines, pictures, left_out, made = office.read(read)
    bundle = bundles.render([*lines, *pictures], made)
    file.write_bytes(bundle)
    counts = {"entries": len(lines), "pictures": len(pictures), "left_out": left_out, "bytes": len(bundle)}
    told = f"{file}: {len(lines)} log entries, {len(pictures)} pictures, {len(bundle)} bytes"
    missing = [f"{left_out} pictures did not fit or are not here"] if left_out else []
    office.show({"file": str(file), **counts}, [told, *missing])


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def import_bundle(office: Office, file: Path) -> None:
    """Take in a bundle. Its entries meet the same rules as from the network; those of non-members are skipped."""
    organisation, key, now = office.organisation, office.key, utc_now()
    dids = office.read(lambda connection: desk.wanted(connection, organisation, own=True))
    bundle = bundles.parse(_read(str(file)), dids.__contains__)
    around = Surroundings(now, f"file:{file.name[:60]}")

    def work(connection: Connection) -> Taken:
        taken = desk.counted(bundle)
        desk.take(connection, organisation, bundles.in_order(bundle), around, taken, key=key)
        taken.stubs = desk.take_stubs(connection, organisation, bundle.stubs, around.via, now, withdrawn_only=False)
        taken.pictures = desk.take_pictures(connection, organisation, office.node.storage, bundle.pictures, now)
        return taken

    taken = office.write(work)
    office.show(
        taken.shown(),
        [
            f"{taken.new} new, {taken.held} held already, {taken.skipped} of non-members, {taken.pictures} pictures",
            *taken.reasons[:_SOME],
        ],
    )
    if not taken.new and not taken.held:
        reasons = taken.reasons[:3] or ["nothing in it is by a member of this node; pin its author first"]
        raise RefusedError(*reasons)

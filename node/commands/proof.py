"""The commands that need nobody's word: verify, export, import."""

import asyncio
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from node import __version__, bundles
from node.app import utc_now
from node.commands.context import Office, common
from node.errors import ProtocolError, RefusedError
from node.federation import commit, mirror
from node.federation.fetcher import Fetcher
from node.federation.protocol import actors, ids, integrity_proofs, verification
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.addressing import Policy
from node.federation.protocol.messages import MAX_PAGE, Document, JsonObject, as_list, parse_document
from node.federation.protocol.verification import Carrier
from node.kinds import Surroundings
from node.models import logs
from node.models.views import View
from node.settings import Settings, load


@click.command()
@click.argument("source", metavar="FILE-OR-URL")
@common
def verify(office: Office, source: str) -> None:
    """Check a document's proof and author from the document alone: no node, no network (but to fetch a URL).

    Takes an alert, an activity, an actor document, or a bundle. Says what position in its author's log it claims. Exit
    1, with the reason, if the signature does not hold. A signature that holds says who wrote it and that nothing was
    changed; it does not say that the facts were checked.
    """
    raw = _fetch(source, load(office.data)) if "://" in source else _read(source)
    found = _verify_bundle(raw) if bundles.is_bundle(raw) else _verify_one(parse_document(raw, MAX_PAGE))
    lines = [f"✓ signature holds: written by {found['author']} and not changed since"]
    if found.get("log"):
        lines.append(f"  claims entry {found['log']['sequence']} (epoch {found['log']['epoch']}) of its author's log")
    lines += [f"  {name:8} {found[name]}" for name in ("type", "id", "signed", "entries") if found.get(name)]
    office.show(found, lines)


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
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common
def export(office: Office, alerts: bool, file: Path) -> None:
    """Write a signed bundle for a stick or an attachment. It holds only what is public, and proves itself."""
    if not alerts:
        raise click.UsageError("say what to export: --alerts")
    if file.exists():
        raise RefusedError(f"{file} is there already")
    organisation = office.organisation

    def read(connection: Connection) -> list[bytes]:
        lines: list[bytes] = []
        for did in logs.head_table(connection, organisation.did):
            lines += _lines_of(connection, organisation.did, did)
        return lines

    lines = office.read(read)
    file.write_bytes(bundles.render(lines, utc_now()))
    office.show(
        {"file": str(file), "entries": len(lines), "bytes": file.stat().st_size},
        f"{file}: {len(lines)} log entries, {file.stat().st_size} bytes",
    )


def _lines_of(connection: Connection, org: str, did: str) -> list[bytes]:
    lines: list[bytes] = []
    after = (0, 0)
    while batch := logs.read(connection, org, did, after, 500):
        lines += mirror.render_lines(batch, 1 << 40).split(b"\n")
        last = batch[-1].header
        after = (last.epoch, last.sequence + 1)
    return lines


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def import_bundle(office: Office, file: Path) -> None:
    """Take in a bundle. Its entries meet the same rules as from the network; those of non-members are skipped."""
    organisation, now = office.organisation, utc_now()
    bundle = bundles.parse(_read(str(file)))

    def work(connection: Connection) -> dict[str, Any]:
        view = View(connection, organisation)
        counts = {"new": 0, "held": 0, "skipped": 0, "stubs": 0, "refused": len(bundle.refused)}
        around = Surroundings(now, f"file:{file.name[:60]}")
        for item in bundles.in_order(bundle):
            if not _is_wanted(view, item.activity.did):
                counts["skipped"] += 1
                continue
            done = commit.commit(view, item, around, pass_on=False)
            counts["new" if done.new else "held"] += 1
        stubs = [each for each in bundle.stubs if _is_wanted(view, each.did)]
        counts["stubs"] = logs.add_stubs(connection, organisation.did, stubs, around.via, now)
        view.flush()
        return counts

    counts = office.write(work)
    office.show(
        {**counts, "reasons": list(bundle.refused[:20])},
        [
            f"{counts['new']} new, {counts['held']} held already, {counts['skipped']} of non-members",
            *bundle.refused[:5],
        ],
    )
    if not counts["new"] and not counts["held"]:
        reasons = bundle.refused[:3] or ("nothing in it is by a member of this node; pin its author first",)
        raise RefusedError(*reasons)


def _is_wanted(view: View, did: str | None) -> bool:
    """Members' logs, and our own while it is being put together again after a restore."""
    return view.member(did) is not None or (did == view.org and bool(view.organisation.hold))

"""The public site as files: whole, relative, signed, without exercises, and the old copy stays when a new one fails."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from node import bundles, copies
from node.cli import tadamun
from node.desk import copies as desk
from node.errors import NodeError, ProtocolError, RefusedError
from node.federation.protocol import integrity_proofs, keys
from node.federation.protocol.messages import parse_document
from node.federation.protocol.replicas import Head
from node.media import path
from node.models import media as rows
from node.web.copies import Layout
from node.web.languages import Languages
from tests.support.exercises import write_exercise
from tests.support.network import Network, page_of, wait_until
from tests.support.pictures import camera, developed, shot

KEY = keys.generate_organisation_key()
ACTOR = f"https://node0.example/.well-known/apgateway/{KEY.did}/actor"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DIGEST = "ab" * 32


def statement(**changes):
    signed = copies.render(ACTOR, KEY, {KEY.did: Head(1, 7, "zQm")}, {"index.html": DIGEST}, NOON)
    return integrity_proofs.sign(signed | changes, KEY, f"{KEY.did}#{KEY.multikey}", NOON) if changes else signed


def raw(value):
    return json.dumps(value).encode()


def test_a_statement_says_whose_copy_it_is_and_of_when():
    found = copies.parse(raw(statement()))
    assert (found.did, found.made) == (KEY.did, "2026-11-20T12:00:00Z")
    assert found.heads == {KEY.did: Head(1, 7, "zQm")}
    assert found.files == {"index.html": DIGEST}
    assert copies.is_copy(raw(statement()))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "https://node0.example/copy"},
        {"type": "Heads"},
        {"heads": []},
        {"heads": {KEY.did: [0, 7, "zQm"]}},
        {"heads": {KEY.did: [1, True, "zQm"]}},
        {"heads": {"did:web:x": [1, 7, "zQm"]}},
        {"files": {"../index.html": DIGEST}},
        {"files": {"/etc/index.html": DIGEST}},
        {"files": {"a/./b": DIGEST}},
        {"files": {"a\\b": DIGEST}},
        {"files": {"": DIGEST}},
        {"files": {"index.html": DIGEST.upper()}},
        {"files": {"index.html": None}},
        {"published": 5},
    ],
)
def test_a_statement_with_one_thing_broken_is_refused(changes):
    with pytest.raises(ProtocolError):
        copies.parse(raw(statement(**changes)))


def test_a_statement_that_somebody_changed_is_refused():
    for changes in ({"published": "2027-01-01T00:00:00Z"}, {"files": {}}, {"heads": {}}):
        with pytest.raises(ProtocolError, match="does not hold"):
            copies.parse(raw(statement() | changes))


@given(st.dictionaries(st.sampled_from(["id", "type", "heads", "files", "published", "proof"]), st.none() | st.text()))
def test_no_statement_breaks_the_reader(changes):
    try:
        copies.parse(raw(statement() | changes))
    except NodeError:
        assert changes


LAYOUT = Layout(
    organisation=None,  # type: ignore[arg-type]
    languages=("ar", "en"),
    pages=frozenset({"/", "/alerts", "/alerts/ab", "/organisations/did:key:z6"}),
    files={
        "/static/site.css": "static/site.css",
        "/.well-known/apgateway/did:key:z6/actor": ".well-known/x/did:key:z6",
        "/alerts/cap": "alerts/cap.atom",
        "/alerts/ab/cap": "alerts/ab/cap.xml",
    },
    feeds=frozenset({"/alerts.atom", "/organisations/did:key:z6/alerts.json"}),
)


class Organisation:
    origin = "https://node0.example"


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("/", "../../index.html"),
        ("/alerts", "../index.html"),
        ("/alerts?lang=en", "../index.en.html"),
        ("/alerts/ab?lang=ar", "index.html"),
        ("/static/site.css?v=12", "../../static/site.css"),
        ("/organisations/did:key:z6", "../../organisations/did:key:z6/index.html"),
        ("https://node0.example/.well-known/apgateway/did:key:z6/actor", "../../.well-known/x/did:key:z6"),
        ("https://node0.example/alerts/ab", "https://node0.example/alerts/ab"),
        ("https://node1.example/alerts/ab", "https://node1.example/alerts/ab"),
        ("/bundles?lang=en", "https://node0.example/bundles?lang=en"),
        ("//node1.example/", "//node1.example/"),
        ("#main", "#main"),
        ("/alerts#top", "../index.html#top"),
        ("/alerts.atom", "../../alerts.atom"),
        ("/alerts.atom?lang=en", "../../alerts.en.atom"),
        ("/alerts.atom?lang=xx", "../../alerts.atom"),
        ("/organisations/did:key:z6/alerts.json?lang=ar", "../../organisations/did:key:z6/alerts.ar.json"),
        ("/alerts/cap", "../cap.atom"),
        ("/alerts/ab/cap", "cap.xml"),
        ("whatsapp://send?text=a", "whatsapp://send?text=a"),
    ],
)
def test_a_link_becomes_relative_where_the_copy_has_its_target(href, expected):
    layout = replace(LAYOUT, organisation=Organisation())
    assert layout.relink(f'<a href="{href}">', "/alerts/ab", "ar") == f'<a href="{expected}">'


def test_in_a_feed_whole_addresses_of_ours_become_relative_and_no_others():
    layout = replace(LAYOUT, organisation=Organisation())
    xml = '<link href="https://node0.example/alerts/ab" /><link href="https://node0.example/alerts/ab/cap" />'
    xml += '<link href="https://node0.example/alerts.atom?lang=en" /><link href="https://node1.example/alerts/ab" />'
    assert re.findall('href="([^"]*)"', layout.relink_feed(xml, "alerts/cap.atom")) == [
        "ab/index.html", "ab/cap.xml", "../alerts.en.atom", "https://node1.example/alerts/ab",
    ]  # fmt: skip


def test_names_for_sticks_have_no_colons():
    layout = replace(LAYOUT, organisation=Organisation(), colons=False)
    assert layout.file("/organisations/did:key:z6", "en") == "organisations/did_key_z6/index.en.html"
    assert layout.relink('<a href="/organisations/did:key:z6">', "/", "ar") == (
        '<a href="organisations/did_key_z6/index.html">'
    )


# --- whole nodes ------------------------------------------------------------------------------------------------------


async def run(house, *words):
    """A command, in a thread, for this node's data."""

    def work():
        environment = {"TADAMUN_DATA": str(house.data), "TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8"}
        result = CliRunner().invoke(tadamun, list(words), env=environment)
        if isinstance(result.exception, NodeError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    return await asyncio.to_thread(work)


async def mirror(house, folder, *words):
    return json.loads((await run(house, "mirror", str(folder), "--json", *words)).stdout)


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def links(folder):
    """(page, target) for every link of every page."""
    for page in folder.rglob("*.html"):
        for target in re.findall(r'\s(?:href|src)="([^"]*)"', page.read_text("utf-8")):
            yield page, target


async def settled(a, b, said):
    await wait_until(lambda: b.holds(said), "the alert is there")


async def test_a_mirror_is_whole_and_every_link_in_it_leads_to_a_file(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual")
        own = [await b.publish(status="actual", translations={}, headline=f"Exercise alert {n}") for n in range(21)]
        drill = await a.publish(headline="Exercise: a drill that stays with the members")
        for each in (said, drill, own[-1]):
            await settled(a, b, each)
        folder = tmp_path / "copy"
        done = await mirror(b, folder)
        assert done["alerts"] == 23
        found = names(folder)
        page = page_of(said).strip("/")
        for name in ("index", "alerts/index", "alerts/page/2/index", "members/index", "@b/index", page + "/index"):
            assert {f"{name}.html", f"{name}.en.html"} <= found
        assert f"organisations/{a.did}/index.html" in found
        assert f".well-known/apgateway/{a.did}/actor" in found
        assert f".well-known/apgateway/{a.did}/log/1/1" in found
        assert said.id.split("/", 3)[3] in found
        assert {"press/index.html", "alerts.atom", "alerts.en.json", "alerts/cap.atom", page + "/cap.xml"} <= found
        assert f"organisations/{a.did}/alerts.ar.atom" in found
        feeds = [name for name in found if name.endswith(".atom")]
        for name in feeds:
            for target in re.findall(r'<link [^>]*href="([^"]*)"', (folder / name).read_text("utf-8")):
                assert ((folder / name).parent / unquote(target)).resolve().is_file(), f"{name}: {target}"
        assert len(feeds) == 3 + len(Languages().whole) * 3 + 1
        for page, target in links(folder):
            parts = urlsplit(target)
            assert not target.startswith("/"), f"{page}: {target}"
            if not parts.scheme and parts.path:
                assert (page.parent / unquote(parts.path)).resolve().is_file(), f"{page}: {target}"
        everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert b"stays with the members" not in everything
        assert not any(page_of(drill).strip("/") in name for name in found)
        arabic, english = (folder / page_of(said).strip("/") / name for name in ("index.html", "index.en.html"))
        assert '<html lang="ar" dir="rtl">' in arabic.read_text()
        assert '<html lang="en" dir="ltr">' in english.read_text()
        assert 'href="index.en.html"' in arabic.read_text()
        assert 'href="index.html" lang="ar"' in english.read_text()
        assert 'href="index.fr.html" lang="fr"' in arabic.read_text() and "ckb" not in arabic.read_text()


async def test_a_mirror_verifies_and_any_change_in_it_is_found(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        said = await a.publish(status="actual", translations={})
        folder = tmp_path / "copy"
        await mirror(a, folder)
        shown = json.loads((await run(a, "verify", str(folder), "--json")).stdout)
        assert (shown["author"], shown["kind"], shown["files"]) == (a.did, "copy", len(names(folder)) - 1)
        assert shown["heads"][a.did][:2] == list(a.head(a.did))
        alone = json.loads((await run(a, "verify", str(folder / "freshness.json"), "--json")).stdout)
        assert alone == shown
        for name in (copies.BUNDLE, f"{page_of(said).strip('/')}/tadamun-{page_of(said)[8:]}.jsonl"):
            assert json.loads((await run(a, "verify", str(folder / name), "--json")).stdout)["author"] == a.did
        page = folder / page_of(said).strip("/") / "index.html"
        before = page.read_bytes()
        page.write_bytes(before.replace(b"</html>", b"<!-- x --></html>"))
        with pytest.raises(RefusedError, match="was changed"):
            await run(a, "verify", str(folder))
        page.write_bytes(before)
        (folder / "more.html").write_text("more")
        with pytest.raises(RefusedError, match=r"more\.html is not of this copy"):
            await run(a, "verify", str(folder))
        (folder / "more.html").unlink()
        page.unlink()
        with pytest.raises(RefusedError, match="is missing"):
            await run(a, "verify", str(folder))
        (tmp_path / "same.html").write_bytes(before)
        page.symlink_to(tmp_path / "same.html")
        with pytest.raises(RefusedError, match="was changed"):
            await run(a, "verify", str(folder))


async def test_what_was_withdrawn_vanishes_from_an_earlier_mirror(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        gone = await a.publish(status="actual", translations={}, headline="Exercise: to be withdrawn")
        stays = await a.publish(status="actual", translations={})
        folder = tmp_path / "copy"
        await mirror(a, folder)
        assert b"to be withdrawn" in (folder / "alerts/index.html").read_bytes()
        await a.withdraw(gone.id)
        await mirror(a, folder)
        assert not (folder / page_of(gone).strip("/")).exists()
        assert (folder / page_of(stays).strip("/") / "index.html").is_file()
        assert b"to be withdrawn" not in b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
        assert json.loads((await run(a, "verify", str(folder), "--json")).stdout)["ok"]
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".copy")] == []


async def test_nothing_past_a_freeze_and_no_unlisted_member_is_in_a_mirror(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        before = await a.publish(status="actual", translations={}, headline="Exercise: before")
        await a.update(before.id, status="actual", translations={}, headline="Exercise: changed past the freeze")
        await a.publish(status="actual", translations={}, headline="Exercise: past the freeze")
        await wait_until(lambda: b.head(a.did) == (1, 4), "all of it is there")
        await b.freeze(a.did, 2)
        folder = tmp_path / "copy"
        await mirror(b, folder)
        everything = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
        assert b"past the freeze" not in everything
        assert (folder / page_of(before).strip("/") / "index.html").is_file()
        found = copies.parse((folder / copies.FRESHNESS).read_bytes())
        assert found.heads[a.did].order == (1, 2)
        assert set(found.heads) == {a.did, b.did}, "c is a member that nobody may name"
        assert c.did.encode() not in everything


async def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a"), await net.house("b")
        folder = tmp_path / "copy"
        folder.mkdir()
        await mirror(a, folder)
        with pytest.raises(RefusedError, match="another organisation"):
            await mirror(b, folder)
        (folder / "notes.txt").write_text("mine")
        with pytest.raises(RefusedError, match=r"notes\.txt"):
            await mirror(a, folder)
        assert (folder / "notes.txt").read_text() == "mine"
        (folder / copies.FRESHNESS).unlink()
        with pytest.raises(RefusedError, match="neither empty nor an earlier mirror"):
            await mirror(a, folder)


async def test_a_mirror_that_was_stopped_leaves_the_old_one_whole(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        await a.publish(status="actual", translations={})
        folder = tmp_path / "copy"
        await mirror(a, folder)
        half = tmp_path / ".copy.new"
        half.mkdir()
        (half / "index.html").write_text("half")
        assert json.loads((await run(a, "verify", str(folder), "--json")).stdout)["ok"]
        folder.rename(tmp_path / ".copy.old")  # stopped between the two names
        await mirror(a, folder)
        assert json.loads((await run(a, "verify", str(folder), "--json")).stdout)["ok"]
        assert not half.exists() and not (tmp_path / ".copy.old").exists()
        half.mkdir()
        lock = os.open(half, os.O_RDONLY)
        try:
            subprocess.run(["flock", "-n", str(half), "true"], check=True)
            held = subprocess.Popen(["flock", str(half), "sleep", "20"])
            await wait_until(lambda: subprocess.run(["flock", "-n", str(half), "true"]).returncode, "it is locked")
            with pytest.raises(RefusedError, match="another mirror"):
                await mirror(a, folder)
            held.terminate()
            held.wait()
        finally:
            os.close(lock)
        assert half.exists(), "the other one's files are not touched"


async def test_a_mirror_for_a_stick_has_no_colons_and_verifies(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        await a.publish(status="actual", translations={})
        folder = tmp_path / "copy"
        await mirror(a, folder, "--stick")
        assert not [name for name in names(folder) if ":" in name]
        shutil.copytree(folder, tmp_path / "elsewhere")
        assert json.loads((await run(a, "verify", str(tmp_path / "elsewhere"), "--json")).stdout)["ok"]


async def test_the_logs_of_a_mirror_can_be_taken_in_where_nobody_met_their_author(tmp_path):
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        drill = await a.publish(translations={})
        said = await a.publish(status="actual", translations={})
        await c.pin_row(a.organisation)
        folder = tmp_path / "copy"
        await mirror(a, folder)
        counts = json.loads((await run(c, "import", str(folder / copies.BUNDLE), "--json")).stdout)
        assert (counts["new"], counts["refused"]) == (2, 0)
        assert (await c.get(page_of(said))).status == 200
        assert (await c.get(page_of(drill))).status == 404
        assert (await c.sync(a)).problem == ""
        assert c.head(a.did) == a.head(a.did), "the gap closes as soon as anybody can be asked"


async def test_an_alert_is_exported_alone(tmp_path):
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        said = await a.publish(status="actual", translations={})
        await a.publish(status="actual", translations={}, headline="Exercise: another")
        await a.update(said.id, status="actual", translations={}, headline="Exercise: other words")
        file = tmp_path / "one.jsonl"
        done = await run(a, "export", "--alert", said.url[-16:], str(file), "--json")
        assert json.loads(done.stdout)["entries"] == 3
        bundle = bundles.parse(file.read_bytes())
        assert [item.activity.type for item in bundle.entries] == ["Update", "Create", "Update"]
        await c.pin_row(a.organisation)
        assert json.loads((await run(c, "import", str(file), "--json")).stdout)["new"] == 3
        assert "Exercise: other words" in (await c.get(page_of(said))).text
        drill = await a.publish(translations={})
        with pytest.raises(RefusedError, match="no actual alert"):
            await run(a, "export", "--alert", drill.id, str(tmp_path / "no.jsonl"))


async def test_what_may_be_given_to_everyone_is_public_or_a_withdrawal(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        drill = await a.publish(translations={})
        await a.publish(status="actual", translations={})
        assert [desk.is_public(entry) for entry in a.entries(a.did)] == [True, False, True]
        loose = replace(a.entries(a.did)[2], raw=a.entries(a.did)[2].raw.replace(b':"actual"', b':"exercise"'))
        assert not desk.is_public(loose), "an exercise that its author addressed to everyone stays out too"
        await a.withdraw(drill.id)
        lines = a.read(lambda connection: list(desk.lines_of(connection, a.did, a.did, public=True)))
        kinds = [parse_document(line).value.get("type", "stub") for line in lines]
        assert kinds == ["Update", "stub", "Create", "Delete"]




async def test_pictures_go_with_a_mirror_and_with_bundles(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(camera())
    digests = [each.medium.digest for each in developed(camera())]
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c", start=False)
        await c.start(workers=False)
        said = await a.publish(status="actual", translations={}, media=[shot()])
        await a.publish(translations={}, media=[shot(alt="of an exercise")])
        folder = tmp_path / "copy"
        assert (await mirror(a, folder, "--stick"))["pictures"] == 2
        assert sorted(path.name for path in (folder / "media").iterdir()) == sorted(f"{each}.jpeg" for each in digests)
        page = (folder / page_of(said).strip("/") / "index.en.html").read_text("utf-8")
        assert f'href="../../media/{digests[0]}.jpeg"' in page and f'src="../../media/{digests[1]}.jpeg"' in page
        assert (await run(a, "verify", str(folder))).exit_code == 0
        (folder / "media" / f"{digests[0]}.jpeg").write_bytes(b"\xff\xd8\xff other")
        with pytest.raises(RefusedError, match="was changed"):
            await run(a, "verify", str(folder))
        file = tmp_path / "all.jsonl"
        counts = json.loads((await run(a, "export", "--alerts", str(file), "--json")).stdout)
        assert (counts["pictures"], counts["left_out"]) == (2, 0)
        await c.pin_row(a.organisation)
        text, *_ = file.read_bytes().partition(b'{"tadamun":"picture"')
        (tmp_path / "text.jsonl").write_bytes(text)
        assert json.loads((await run(c, "import", str(tmp_path / "text.jsonl"), "--json")).stdout)["pictures"] == 0
        missing = c.read(lambda connection: rows.wanted(connection, c.did))
        assert missing == 2
        assert json.loads((await run(c, "import", str(file), "--json")).stdout)["pictures"] == 2
        assert json.loads((await run(c, "import", str(file), "--json")).stdout)["pictures"] == 0
        assert (await c.get(path(digests[0]))).status == 200


async def test_pictures_that_nothing_here_needs_are_not_taken(tmp_path):
    full, _ = developed(camera(3))
    async with Network(tmp_path) as net:
        a, c = await net.house("a"), await net.house("c")
        await a.publish(translations={})
        await c.pin_row(a.organisation)
        lines = a.read(lambda connection: list(desk.lines_of(connection, a.did, a.did)))
        file = tmp_path / "all.jsonl"
        file.write_bytes(bundles.render([*lines, bundles.render_picture(full.medium.digest, full.raw)], NOON))
        assert json.loads((await run(c, "import", str(file), "--json")).stdout)["pictures"] == 0
        assert not (c.data / "media").exists()


async def test_the_commands_publish_back_up_and_restore_pictures(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(camera())
    full, small = (each.medium.digest for each in developed(camera()))
    async with Network(tmp_path) as net:
        a = await net.house("a", start=False)
        file = write_exercise(tmp_path / "alert.json", "EXERCISE with a picture")
        plain = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps(plain | {"media": [shot()]}), "utf-8")
        said = json.loads((await run(a, "alert", "publish", str(file), "--json")).stdout)
        assert {each.name for each in (a.data / "media").iterdir()} == {full, small}
        await run(a, "backup", str(tmp_path / "backup.tar.gz"))
        file.write_text(json.dumps(plain), "utf-8")
        await run(a, "alert", "update", said["id"], str(file))
        shutil.rmtree(a.data / "media")
        await a.stop()
        await run(a, "restore", str(tmp_path / "backup.tar.gz"))
        assert {each.name for each in (a.data / "media").iterdir()} == {full, small}
        assert {each.stat().st_mode & 0o777 for each in (a.data / "media").iterdir()} == {0o600}
        await a.start(workers=False)
        assert (await a.get(path(full))).status == 200
        (a.data / "media" / full).unlink()
        await a.node.porter.sweep()
        environment = {"TADAMUN_DATA": str(a.data), "TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8"}
        done = await asyncio.to_thread(CliRunner().invoke, tadamun, ["doctor", "--json"], env=environment)
        assert any(each.startswith("1 pictures of alerts are not here") for each in json.loads(done.stdout)["problems"])
        file.write_text(json.dumps(plain | {"media": [shot(consent=False)]}), "utf-8")
        with pytest.raises(RefusedError, match="R3"):
            await run(a, "alert", "publish", str(file))

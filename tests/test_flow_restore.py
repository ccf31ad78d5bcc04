"""A server is lost: on an empty one its organisation is brought back from a backup, and goes on with its sheet."""

import re
import shutil
from datetime import timedelta
from html import unescape

import pyrage
import pytest
from sqlalchemy import delete

from node import people_keys, recovery
from node.commands.setup import utc_now
from node.desk import restoring
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.models import audit, contacts, logs, organisations
from node.models.base import Database
from node.settings import Settings
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.support.processes import Node, request
from tests.support.processes import wait_until as wait
from tests.test_flow_setup import SettingUp

PAGE, NODE = "/desk/recovery", "/desk/node"
PHRASE = "six words by chance of an exercise"
BOUNDARY = "an-exercise-boundary"


def upload(page, packed, opener="", origin=None, name="backup", language="en"):
    parts = [("opener", "", opener.encode()), (name, '; filename="b.tar.gz.age"', packed)]
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{each}"{more}\r\n\r\n'.encode() + value + b"\r\n"
        for each, more, value in parts
    )
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Origin": origin or page.node.origin,
        "Accept-Language": language,
    }  # fmt: skip
    body += f"--{BOUNDARY}--\r\n".encode()
    return request("POST", page.node.origin + page.base + "/restore", body=body, headers=headers, timeout=60.0)


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """A node that is no more, and a backup of it without keys."""
    folder = tmp_path_factory.mktemp("lost")
    with Node(folder / "data", "127.5.0.7") as node:
        node.cli("profile", "--summary", "EXERCISE, before the backup")
        node.cli("backup", str(folder / "plain.tar.gz"))
    packed = (folder / "plain.tar.gz").read_bytes()
    keys = folder / "keys"
    shutil.copytree(node.data / "keys", keys)
    shutil.rmtree(node.data)
    return node, packed, keys


def test_a_backup_is_shown_before_it_is_put_back_and_then_the_organisation_is_here_again(tmp_path, lost):
    before, packed, keys = lost
    sealed = pyrage.passphrase.encrypt(packed, PHRASE)
    with SettingUp(tmp_path, before.host, before.port) as page:
        assert page.node.origin == before.origin
        shown = page.get("/restore")
        assert shown.status == 200 and b"Bring an organisation back" in shown.body
        assert "Bring an organisation back" in page.get().body.decode(), "the first page leads there"
        assert upload(page, sealed, PHRASE, origin="https://evil.example").status == 403
        for opener, said in (("", "is sealed: give its passphrase"), ("another one of six words", "does not open")):
            refused = upload(page, sealed, opener)
            assert refused.status == 409 and said in refused.body.decode()
        cut = upload(page, sealed[:-200], PHRASE)
        assert cut.status == 409 and "does not open the backup, or the file is damaged" in cut.body.decode()
        assert upload(page, b"no backup", PHRASE).status == 409
        assert upload(page, b"\x1f\x8bno backup").status == 409
        assert b"This is in the backup" not in page.get("/restore").body, "nothing of that is left"
        answer = upload(page, sealed, PHRASE)
        assert answer.status == 303, re.findall("role=.alert.*", answer.body.decode())
        shown = page.get("/restore").body.decode()
        assert before.handle in shown and "Log up to entry" in shown and "Its keys are not in the backup" in shown
        assert page.node.get("/alerts").status == 404, "nothing is in its place yet"
        assert upload(page, b"no backup", PHRASE).status == 409
        gone = page.post("/restore", {"do": "go-on"})
        assert gone.status == 409 and "Begin again" in gone.body.decode(), "the one before it is not there any more"
        assert upload(page, sealed, PHRASE).status == 303
        dropped = page.post("/restore", {"do": "drop"})
        assert dropped.status == 303 and b"This is in the backup" not in page.get("/restore").body
        assert not list(page.node.data.glob(".rest*"))
        # The keys were kept apart, and lie here already.
        shutil.copytree(keys, page.node.data / "keys", dirs_exist_ok=True)
        assert upload(page, packed).status == 303
        assert "Its keys are not in the backup" not in page.get("/restore").body.decode()
        done = page.post("/restore", {"do": "go-on"})
        assert done.status == 200 and b"It is put back now" in done.body
        wait(lambda: "event=node.restored" in page.log.read_text(), "the node began anew")
        page.process.wait_ready(f"{page.node.origin}/healthz")
        assert page.get().status == 404 and page.get("/restore").status == 404, "the link opens nothing any more"
        assert page.node.get("/").status == 200
        database = Database(f"sqlite:///{page.node.data / 'node.sqlite'}")
        (found,) = database.read_now(organisations.all_of)
        database.close()
        assert found.did == before.did and "restored from a backup" in found.hold
        assert not [path for path in page.node.data.iterdir() if "restor" in path.name], "the empty one is not kept"


def test_a_backup_of_another_address_and_a_node_that_is_lived_in_are_left_alone(tmp_path, lost):
    before, packed, _ = lost
    with SettingUp(tmp_path) as page:
        refused = upload(page, packed)
        assert refused.status == 409
        assert "answers at another address" in refused.body.decode() and before.origin in refused.body.decode()
        assert not list(page.node.data.glob(".rest*"))
        for file, said in ((packed, "منظمة هذه النسخة تجيب على عنوان آخر"), (b"\x1f\x8b", "لا يمكن قراءة هذا الملف")):
            assert said in upload(page, file, language="ar").body.decode(), "a refusal is in the reader's language"
    with Node(tmp_path / "lived-in", "127.5.0.8") as node:
        assert node.get("/setup/x/restore").status == 404


def test_a_stop_at_any_point_leaves_the_old_or_the_new(tmp_path, lost):
    _, packed, _ = lost
    settings = Settings(data=tmp_path / "data")
    settings.data.mkdir()

    def staged():
        (tmp_path / "b").write_bytes(packed)
        with (tmp_path / "b").open("rb") as archive:
            return restoring.stage(settings, archive, utc_now())

    (found,) = staged()
    assert found.sequence >= 2 and not found.keys
    assert restoring.put_in_place(settings) is False, "nobody said that it is wanted"
    assert not list(settings.data.iterdir())
    staged()
    restoring.confirm(settings)
    ready = settings.data / restoring.READY
    (ready / "node.sqlite").rename(settings.data / "node.sqlite")  # stopped after the last move
    assert restoring.put_in_place(settings) is True
    assert restoring.put_in_place(settings) is False
    assert [path.name for path in settings.data.iterdir()] == ["node.sqlite"]


def test_what_is_sealed_is_taken_whole_or_not_at_all(tmp_path, lost):
    """The archive came to its end, and what was sealed after it did not: somebody cut it."""
    _, packed, _ = lost
    settings, key = Settings(data=tmp_path / "data"), sealing.generate()
    settings.data.mkdir()
    sealed = pyrage.encrypt(packed + bytes(300_000), [pyrage.x25519.Recipient.from_str(key.public)])
    for blob, whole in ((sealed[:-100], False), (sealed, True)):
        with (tmp_path / "sealed").open("w+b") as file:
            file.write(blob)
            file.seek(0)
            if whole:
                assert restoring.open_sealed(settings, file, key.secret.lower(), utc_now())
                continue
            with pytest.raises(RefusedError, match="does not open the backup"):
                restoring.open_sealed(settings, file, key.secret, utc_now())
            assert not list(settings.data.iterdir())


async def test_only_an_empty_node_takes_a_backup_and_by_no_link_of_a_place_that_is_kept(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        token = a.node.setups.begin()
        assert (await a.get(f"/setup/{token}")).status == 200
        assert (await a.get(f"/setup/{token}/restore")).status == 404
        await a.write(lambda connection: connection.execute(delete(organisations.organisations)))
        assert (await a.get(f"/setup/{token}/restore")).status == 200
        kept = people_keys.new_token()
        a.node.setups.admit(people_keys.digest(kept), a.places[0][0])
        assert (await a.get(f"/setup/{kept}/restore")).status == 404


async def typed(worker, **fields):
    return await worker.post(PAGE, fields)


def written(page):
    """What stands on the sheets of a page."""
    return "\n".join(map(unescape, re.findall(r"<pre dir=\"auto\">(.*?)</pre>", page, re.S)))


def asked(page, sheet):
    """The lines that a page wants to have copied back."""
    lines = {}
    for field, label in re.findall(r'<label for="line(\d)">(.*?)</label>', page):
        number, of = map(int, re.search(r"(\d+)/(\d+)", re.sub("<[^>]+>", "", label)).groups())
        lines[f"line{field}"] = re.search(rf"{number}/{of} +(\S+ \S+ \S+)", sheet)[1]
    return lines


async def test_without_keys_it_asks_its_members_and_goes_on_with_the_sheet_typed_at_the_desk(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        zainab = await join(a, "Zainab (exercise)", "coordinator")
        hana = await join(a, "Hana (exercise)", "approver", by=zainab)
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "the member holds our log")
        await a.stop()
        old = (a.data / "node.sqlite").read_bytes()
        await a.start()
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "the member holds what came after the backup")
        last = a.head(a.did)[1]
        await a.stop()
        for path in (*(a.data / "keys").glob("*"), *a.data.glob("node.sqlite*")):
            path.unlink()
        (a.data / "node.sqlite").write_bytes(old)
        await a.start()
        assert (await zainab.sign_in()).status == 303
        home = await zainab.get("/desk")
        assert "the node can be read, and cannot speak" in home.text and PAGE in home.text
        compared = await zainab.post(NODE)
        assert compared.status == 200 and "new entr" in compared.text, compared.text
        assert a.head(a.did)[1] == last, "what came after the backup is here again"
        assert await a.holds(said)
        assert (await hana.sign_in()).status == 303
        assert (await hana.get(PAGE)).status == 403

        await zainab.refresh()
        page = (await zainab.get(PAGE)).text
        assert "cannot speak" in page and f'value="{last}"' in page
        sheet = (tmp_path / "a.sheet").read_text("utf-8")
        wrong = await typed(zainab, do="sheet", sheet=(tmp_path / "b.sheet").read_text("utf-8"), after=last)
        assert wrong.status == 409 and "This is not the recovery sheet" in wrong.text
        other = sheet.replace(sheet[0], "0" if sheet[0] != "0" else "1", 1)
        misread = await typed(zainab, do="sheet", sheet=other, after=last)
        assert misread.status == 409 and "Line " in misread.text
        far = await typed(zainab, do="sheet", sheet=sheet, after=last + 1)
        assert far.status == 409 and "does not hold this entry" in far.text
        assert (await typed(zainab, do="go-on", sure="yes")).status == 409, "no step is left out"
        assert (await typed(zainab, do="sheet", sheet=sheet, after=last)).status == 303
        assert (await typed(zainab, do="form", form_of="neither")).status == 409
        assert (await typed(zainab, do="form", form_of="whole")).status == 303
        next_sheet = written((await zainab.get(PAGE)).text)
        assert (await typed(zainab, do="go-on", sure="yes")).status == 409, "not before it is on paper"
        assert (await typed(zainab, do="printed", yes="yes")).status == 303
        lines = asked((await zainab.get(PAGE)).text, next_sheet)
        assert (await typed(zainab, do="lines", **dict.fromkeys(lines, "000 000 000"))).status == 409
        assert (await typed(zainab, do="lines", **lines)).status == 303
        assert (await typed(zainab, do="go-on")).status == 409, "the box is not ticked"
        assert not list((a.data / "keys").glob("*.ed25519.pem")), "no key touches the disk before that"
        done = await typed(zainab, do="go-on", sure="yes")
        assert done.status == 200 and "The organisation goes on" in done.text
        new = recovery.parse_sheet(sheet).did
        assert new in done.text
        await a.stop()  # the process begins anew
        await a.start()
        assert (await zainab.get("/desk")).status == 303, "every session has ended"
        acts = a.read(lambda connection: audit.all_of(connection, a.did))
        assert acts[-1].act == "succeed"

        def follows():
            held = b.read(lambda connection: contacts.member(connection, b.did, a.did))
            return held.successor == new and held.frozen == (1, last)

        await wait_until(follows, "the member follows")
        head = a.read(lambda connection: logs.head(connection, new, new))
        await wait_until(lambda: b.head(new) == (head.epoch, head.sequence), "and holds the new log")
        ours = a.read(lambda connection: organisations.get(connection, new))
        assert ours.recovery == recovery.commitment(recovery.parse_sheet(next_sheet)), "the next sheet is the way on"


async def test_what_was_typed_is_let_go_of_after_half_an_hour_or_when_somebody_stops(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        zainab = await join(a, "Zainab (exercise)", "coordinator")
        sheet = (tmp_path / "a.sheet").read_text("utf-8")
        for ends in ("time", "stop"):
            await zainab.refresh()
            assert (await typed(zainab, do="sheet", sheet=sheet, after=1)).status == 303
            assert "The sheet is the right one" in (await zainab.get(PAGE)).text
            if ends == "time":
                net.clock.forward(timedelta(minutes=31))
                await zainab.refresh()
            else:
                assert (await typed(zainab, do="stop")).status == 303
            assert "Check the sheet" in (await zainab.get(PAGE)).text
            assert (await typed(zainab, do="form", form_of="whole")).status == 409


async def test_after_a_restore_a_new_epoch_begins_where_nobody_answers_and_the_trail_tells_who_did_it(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        zainab = await join(a, "Zainab (exercise)", "coordinator")
        karwan = await join(a, "Karwan (exercise)", "administrator", by=zainab)
        refused = await zainab.post(f"{NODE}/epoch", {"sure": "yes"})
        assert refused.status == 409 and "Publishing is not on hold" in refused.text
        await a.write(lambda connection: organisations.set_hold(connection, a.did, "an exercise"))
        assert "Publishing is on hold" in (await zainab.get("/desk")).text
        assert "Begin a new epoch" in (await zainab.get(NODE)).text
        assert "Begin a new epoch" not in (await karwan.get(NODE)).text
        assert (await karwan.post(f"{NODE}/epoch", {"sure": "yes"})).status == 403
        assert (await zainab.post(f"{NODE}/epoch")).status == 409
        assert (await zainab.post(f"{NODE}/epoch", {"sure": "yes"})).status == 303
        assert a.organisation.did and a.head(a.did)[0] == 2
        assert (await karwan.get(f"{NODE}/audit")).status == 403
        page = (await zainab.get(f"{NODE}/audit")).text
        assert "Began a new epoch" in page and "Zainab (exercise)" in page and "from the command line" in page
        last = a.read(lambda connection: audit.all_of(connection, a.did))[-1]
        assert last.digest in page and last.act == "epoch"
        earlier = (await zainab.get(f"{NODE}/audit/2")).text
        assert "Began a new epoch" not in earlier and "Invited somebody" in earlier
        await a.write(lambda connection: connection.exec_driver_sql("update audit set act = 'backup' where number = 1"))
        assert "The trail does not hold: row" in (await zainab.get(f"{NODE}/audit")).text

"""Our organisation and the node at the desk: what is said of us, how the machine is, comparing, an encrypted backup."""

import asyncio
import io
import sqlite3
import tarfile
import zipfile

import pyrage
import pytest
from click.testing import CliRunner

from node.cli import tadamun
from node.desk import backups
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import sealing
from node.models import audit, organisations
from node.settings import Settings
from tests.support.desk import join
from tests.support.network import Network, page_of, wait_until

PAGE, OURS = "/desk/node", "/desk/organisation"
PHRASE = "six invented words of an exercise"


def names(packed):
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


async def test_a_new_name_goes_out_as_a_log_entry_and_the_press_contact_does_not(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        karwan = await join(one, "Karwan (exercise)", "administrator", by=zainab)
        for worker, path in ((karwan, OURS), (karwan, "/desk/choices"), (karwan, "/desk/following")):
            assert (await worker.get(path)).status == 403
        page = (await zainab.get(OURS)).text
        assert one.organisation.address in page and one.did in page and "Other safe ways to reach us" in page
        before = one.head(one.did)[1]
        said = {"name": "Exercise house of water", "summary": "EXERCISE", "country": "IQ"}
        missing = await zainab.post(OURS, said)
        assert missing.status == 409 and "Exercise house of water" in missing.text, "nobody types it again"
        assert (await zainab.post(OURS, {**said, "name": " ", "sure": "yes"})).status == 409
        assert (await zainab.post(OURS, {**said, "sure": "yes"})).status == 303
        assert one.head(one.did)[1] == before + 1
        await wait_until(lambda: two.member(one.did).name == "Exercise house of water", "the member heard")
        assert (await one.get("/request")).status == 200
        reached = {
            "about": "reached", "press_contact": "press@house.example", "safe_channels": "Signal +999 EXERCISE",
            "moderators_contact": "moderators@house.example", "sure": "yes",
        }  # fmt: skip
        long = await zainab.post(OURS, {**reached, "safe_channels": "x" * 201})
        assert long.status == 409 and "one line of up to 200" in long.text and "press@house.example" in long.text
        assert (await zainab.post(OURS, reached)).status == 303
        assert one.head(one.did)[1] == before + 1, "it is told to nobody"
        ours = one.read(lambda connection: organisations.get(connection, one.did))
        assert (ours.press_contact, ours.country, ours.listed) == ("press@house.example", "IQ", False)
        assert (await one.get("/request")).status == 404, "its box was not ticked"
        assert "moderators@house.example" in (await one.get("/moderators")).text
        assert b"moderators@house.example" in (await one.get("/nodeinfo/2.1")).body
        assert (await zainab.post(OURS, {**reached, "requests": "yes"})).status == 303
        assert "Signal +999 EXERCISE" in (await one.get("/request")).text


async def test_the_node_says_how_it_is_and_compares_with_the_members(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.house("one"), await net.house("two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        karwan = await join(one, "Karwan (exercise)", "administrator", by=zainab)
        hana = await join(one, "Hana (exercise)", "approver", by=zainab)
        assert (await hana.get(PAGE)).status == 403
        assert (await karwan.post(PAGE)).status == 409, "there is nobody to compare with"
        await one.pin(two)
        page = (await karwan.get(PAGE)).text
        assert "1 of the two approvers" in page and "No sister organisation stands by" in page
        assert "MB" in page and "Everything was delivered" in page
        done = await karwan.post(PAGE)
        assert done.status == 200 and "Compared just now" in done.text and two.organisation.host in done.text
        await two.stop()
        assert "card grave" in (await karwan.post(PAGE)).text


async def test_a_backup_is_sealed_to_whom_was_named_and_holds_no_key(tmp_path):
    async with Network(tmp_path) as net:
        one = await net.house("one")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        key = sealing.generate()
        sealed = await zainab.post(f"{PAGE}/backup", {"recipients": key.public})
        assert sealed.status == 200 and sealed.headers["cache-control"] == "no-store"
        assert b"SQLite" not in sealed.body and sealed.body.startswith(b"age-encryption.org/v1")
        found = names(pyrage.decrypt(sealed.body, [pyrage.x25519.Identity.from_str(key.secret)]))
        assert set(found) == {"node.sqlite"}
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes(found["node.sqlite"])
        read = sqlite3.connect(copy)
        assert read.execute("select handle from organisations").fetchall() == [("one",)]
        read.close()
        by_phrase = await zainab.post(f"{PAGE}/backup", {"passphrase": PHRASE, "again": PHRASE})
        for wrong in (
            {}, {"passphrase": PHRASE}, {"passphrase": "short", "again": "short"}, {"recipients": "age1nobody"},
            {"recipients": key.public, "passphrase": PHRASE, "again": PHRASE},
            {"recipients": " ".join([key.public] * 9)},
        ):  # fmt: skip
            assert (await zainab.post(f"{PAGE}/backup", wrong)).status == 409, wrong
        left = [path.name for path in one.data.iterdir() if path.name.startswith(("tmp", "."))]
        assert left == [], "nothing unsealed stays behind"
        acts = [each.act for each in one.read(lambda connection: audit.all_of(connection, one.did))]
        assert acts[-2:] == ["backup", "backup"]
    # Last: it holds the interpreter so long that connections would be closed as idle.
    assert set(names(pyrage.passphrase.decrypt(by_phrase.body, PHRASE))) == {"node.sqlite"}


def test_a_backup_by_passphrase_is_bounded_and_postgresql_makes_its_own(tmp_path):
    bounded = backups._Bounded(io.BytesIO(), backups.MAX_BY_PASSPHRASE)
    bounded.write(bytes(backups.MAX_BY_PASSPHRASE))
    with pytest.raises(RefusedError, match="too large"):
        bounded.write(b"x")
    with pytest.raises(RefusedError, match="pg_dump"):
        backups.check(Settings(data=tmp_path, database_url="postgresql+psycopg://x"))


def test_a_stream_is_sealed_whole_and_to_recipients_alone():
    key, out = sealing.generate(), io.BytesIO()
    sealing.seal_stream(io.BytesIO(b"exercise" * 50_000), out, [key.public])
    assert pyrage.decrypt(out.getvalue(), [pyrage.x25519.Identity.from_str(key.secret)]) == b"exercise" * 50_000
    with pytest.raises(ProtocolError):
        sealing.seal_stream(io.BytesIO(b""), io.BytesIO(), ["age1nobody"])
    with pytest.raises(OSError, match="full"):
        sealing.seal_stream(io.BytesIO(b"x" * 200_000), Full(), [key.public])


class Full(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        raise OSError(28, "the disk is full")


async def test_the_public_site_is_one_file_that_opens_anywhere_and_proves_itself(tmp_path):
    async with Network(tmp_path) as net:
        one = await net.house("one")
        said = await one.publish(status="actual", translations={})
        drill = await one.publish(status="exercise", translations={})
        karwan = await join(one, "Karwan (exercise)", "coordinator", "administrator")
        hana = await join(one, "Hana (exercise)", "approver", by=karwan)
        assert (await hana.post(f"{PAGE}/mirror")).status == 403
        packed = await karwan.post(f"{PAGE}/mirror")
        assert packed.status == 200 and packed.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(packed.body)) as archive:
            names_of = archive.namelist()
            assert "index.html" in names_of and "freshness.json" in names_of
            assert any(page_of(said)[8:] in each for each in names_of)
            assert not any(page_of(drill)[8:] in each for each in names_of), "an exercise is the members'"
            assert not [each for each in names_of if ":" in each or each.startswith(("/", ".."))]
            archive.extractall(tmp_path / "copy")
        done = await asyncio.to_thread(CliRunner().invoke, tadamun, ["verify", str(tmp_path / "copy")])
        assert done.exit_code == 0, done.output
        left = [path.name for path in one.data.iterdir() if path.name.startswith(("tmp", "."))]
        assert left == []
        assert one.read(lambda connection: audit.all_of(connection, one.did))[-1].act == "mirror"

"""An organisation goes on under its recovery key: members accept it by themselves, and nobody else can claim it."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from node import recovery, recovery_parts, successions
from node.cli import tadamun
from node.effects import Accept, Ignore, Refuse, Succeed
from node.errors import RefusedError
from node.federation.protocol.activities import Activity
from node.models import contacts, people, rooms
from tests.support.desk import join, room_secrets, secret_of
from tests.support.network import Network, wait_until

OLD, NEW = recovery.generate().did, recovery.generate().did
DIGEST = recovery.commitment(recovery.generate())
AFTER = {"epoch": 1, "sequence": 3, "digest": DIGEST}
FACTS = successions.Facts(OLD, commitment_holds=True)
SPEC = "Tadamun design §4"


def statement(after=AFTER, did=NEW):
    who, whom = f"ap+ef61://{did}/actor", f"ap+ef61://{OLD}/actor"
    return Activity(f"ap+ef61://{did}/activities/1", "Succeed", who, whom, None, None, {"after": after}, b"")


@pytest.mark.parametrize(
    ("activity", "facts", "decision"),
    [
        (statement(), FACTS, Accept((Succeed(OLD, NEW, 1, 3, DIGEST),))),
        (statement(), successions.Facts(None), Ignore("it succeeds nobody who is pinned here")),
        (
            statement(),
            successions.Facts(OLD, commitment_holds=False),
            Refuse("not the recovery key that log entry 1 committed to", SPEC),
        ),
        (statement(None), FACTS, Refuse("a succession names the last entry that counts", SPEC)),
        (statement({**AFTER, "sequence": 0}), FACTS, Refuse("a succession names the last entry that counts", SPEC)),
        (statement({**AFTER, "epoch": True}), FACTS, Refuse("a succession names the last entry that counts", SPEC)),
        (
            statement({**AFTER, "digest": "zz"}),
            FACTS,
            Refuse("a digest is not a base58btc multihash", "Tadamun log §3"),
        ),
        (statement(), successions.Facts(OLD, True, NEW), Ignore("succeeded already")),
        (statement(), successions.Facts(OLD, True, OLD), Refuse("succeeded by another already", SPEC)),
    ],
)
def test_each_rule_of_a_succession(activity, facts, decision):
    assert successions.decide(activity, facts) == decision


def succeed(house, sheet, after, *others):
    following = str(sheet.parent / "next")
    words = ["succeed", str(sheet), *map(str, others), "--after", str(after), "--recovery-file", following]
    return CliRunner().invoke(tadamun, [*words, "--data", str(house.data), "--json"])


def member(house, did):
    return house.read(lambda connection: contacts.member(connection, house.did, did))


async def test_members_follow_the_recovery_key_though_the_old_keys_are_gone(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await a.publish(status="actual", translations={})
        await a.publish(status="actual", translations={})
        await wait_until(lambda: b.head(a.did) == c.head(a.did) == (1, 3), "both hold three entries")
        await a.stop()
        for path in (a.data / "keys").glob(f"{a.did.removeprefix('did:key:')}*"):
            path.unlink()
        done = succeed(a, tmp_path / "a.sheet", 2)
        assert done.exit_code == 0, done.output
        new = json.loads(done.stdout)["did"]
        # The command has the world's clock, the network its own: what one queued is due when the other caught up.
        net.clock.forward(max(timedelta(0), datetime.now(UTC) - net.clock()) + timedelta(seconds=1))
        await a.start()
        for house in (b, c):
            await wait_until(lambda house=house: member(house, new) is not None, "the new did is pinned")
            old = member(house, a.did)
            assert (old.state, old.successor, old.frozen) == (contacts.SUCCEEDED, new, (1, 2))
            await wait_until(lambda house=house: house.head(new) == (1, 2), "the new log is held")
            assert await house.holds(said)
        assert recovery.parse_sheet((tmp_path / "next").read_text("utf-8")).did != new


async def test_two_of_three_sheets_speak_for_the_organisation_and_one_does_not(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        await a.stop()
        whole = recovery.parse_sheet((tmp_path / "a.sheet").read_text("utf-8"))
        files = [tmp_path / f"part-{name}" for name in recovery_parts.NAMES]
        for file, part in zip(files, recovery_parts.split(whole, secrets.token_bytes), strict=True):
            file.write_text("\n".join(part.lines), "utf-8")
        refused = succeed(a, files[0], 1)
        assert (refused.exit_code, "two of the three sheets" in str(refused.exception)) == (1, True)
        done = succeed(a, files[2], 1, files[0])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["did"] == whole.did


async def test_people_and_what_is_sealed_to_them_go_with_the_organisation(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        zainab = await join(a, "Zainab (exercise)", "coordinator", "case_worker")
        before = room_secrets(a, zainab, "cases")
        assert before
        await a.stop()
        done = succeed(a, tmp_path / "a.sheet", 1)
        assert done.exit_code == 0, done.output
        net.clock.forward(max(timedelta(0), datetime.now(UTC) - net.clock()) + timedelta(minutes=1))
        await a.start()
        assert (await zainab.get("/desk")).status == 303  # whoever has to go may sit in a session
        assert (await zainab.sign_in()).status == 303
        assert (await zainab.get("/desk")).status == 200
        new = json.loads(done.stdout)["did"]
        found = a.read(lambda connection: people.by_name(connection, new, zainab.name))
        secret = secret_of(a, zainab)
        assert a.read(lambda connection: rooms.opened(connection, found, secret))["cases"] == before


async def test_another_sheet_is_refused_and_nothing_changes(tmp_path):
    async with Network(tmp_path) as net:
        a, _ = await net.members("a", "b")
        await a.stop()
        before = sorted(path.name for path in (a.data / "keys").iterdir())
        done = succeed(a, tmp_path / "b.sheet", 1)
        assert isinstance(done.exception, RefusedError)
        assert "not the recovery sheet" in str(done.exception)
        assert sorted(path.name for path in (a.data / "keys").iterdir()) == before
        assert not (tmp_path / "next").exists()
        await a.start()


def test_a_sheet_made_today_can_be_typed_in_again():
    spare = recovery.generate()
    text = recovery.render_sheet(spare, "Exercise", "@a@org.example", OLD, datetime(2026, 11, 20, tzinfo=UTC), "ar")
    assert recovery.parse_sheet(text).did == spare.did


async def test_who_was_away_learns_of_it_from_any_member(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await a.publish(status="actual", translations={})
        await wait_until(lambda: b.head(a.did) == c.head(a.did) == (1, 2), "both hold two entries")
        await c.stop()
        await a.stop()
        done = succeed(a, tmp_path / "a.sheet", 2)
        assert done.exit_code == 0, done.output
        new = json.loads(done.stdout)["did"]
        net.clock.forward(max(timedelta(0), datetime.now(UTC) - net.clock()) + timedelta(seconds=1))
        await a.start()
        await wait_until(lambda: b.head(new) == (1, 2), "one member followed")
        await a.stop()
        await c.start(workers=False)
        report = await c.sync(b)
        assert report.problem == ""
        old = member(c, a.did)
        assert (old.state, old.successor, old.frozen) == (contacts.SUCCEEDED, new, (1, 2))
        await c.sync(b)
        assert c.head(new) == (1, 2)


async def test_nobody_is_succeeded_by_hearsay(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await b.node.mirror._learn_successions(b.organisation, {a.did: c.did, "x": 1, a.did + "x": NEW}, c.origin)
        await b.node.mirror._learn_successions(b.organisation, ["x"], c.origin)
        assert member(b, a.did).state == contacts.MEMBER

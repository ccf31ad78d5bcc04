"""Trust withdrawn together: several members' word freezes a stolen key on nodes whose operators are asleep."""

import json
from datetime import UTC, datetime, timedelta

from click.testing import CliRunner

from node.cli import tadamun
from node.desk import trust
from node.effects import Accept, Refuse
from node.errors import RefusedError
from node.federation import commit
from node.federation.protocol import verification
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.messages import parse_document
from node.federation.protocol.verification import Carrier
from node.kinds import Surroundings
from node.models import alerts, contacts, declarations, deletes, logs
from node.models.views import View
from tests.support.network import Network, said_by, wait_until


def shown(house, did):
    """The headlines of one author that a house shows."""
    found = house.read(lambda connection: alerts.newest(connection, house.did, statuses=("actual",)))
    return {each.headline for each in found if each.did == did}


async def declare(house, did, after):
    await house.write(
        lambda connection: trust.freeze(connection, house.organisation, did, after, house.clock())
    )
    await house.write(
        lambda connection: trust.declare(connection, house.organisation, house.key, did, house.clock())
    )


def frozen(house, did):
    member = house.member(did)
    return member.frozen if member else None


async def test_two_members_word_freezes_a_key_elsewhere_and_one_members_does_not(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c, d = await net.members("a", "b", "c", "d")
        await a.publish(status="actual", translations={}, headline="Exercise: the true one")
        await wait_until(lambda: d.head(a.did) == (1, 2), "the alert is there")
        await a.publish(status="actual", translations={}, headline="Exercise: the thief's")
        await wait_until(lambda: d.head(a.did) == (1, 3), "the thief's too")
        await declare(b, a.did, 2)
        assert shown(b, a.did) == {"Exercise: the true one"}
        await wait_until(lambda: d.head(b.did) == (1, 2) and c.head(b.did) == (1, 2), "the word of one is there")
        assert frozen(d, a.did) is None
        assert shown(d, a.did) == {"Exercise: the true one", "Exercise: the thief's"}
        await declare(c, a.did, 2)
        await wait_until(lambda: frozen(d, a.did) == (1, 2), "with the second word it is frozen")
        assert shown(d, a.did) == {"Exercise: the true one"}
        assert frozen(a, a.did) is None
        heard = a.read(lambda connection: declarations.about(connection, a.did, a.did))
        assert {each.by for each in heard} == {b.did, c.did}, "who is accused can read it"


async def test_a_word_taken_back_lifts_the_freeze_again(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c, d = await net.members("a", "b", "c", "d")
        await a.publish(status="actual", translations={}, headline="Exercise: one")
        await wait_until(lambda: all(each.head(a.did) == (1, 2) for each in (b, c, d)), "the alert is there")
        await declare(b, a.did, 1)
        await declare(c, a.did, 1)
        await wait_until(lambda: frozen(d, a.did) == (1, 1), "frozen")
        assert shown(d, a.did) == set()
        await c.write(lambda connection: trust.unfreeze(connection, c.organisation, c.key, a.did, c.clock()))
        await wait_until(lambda: frozen(d, a.did) is None, "believed again")
        assert shown(d, a.did) == {"Exercise: one"}
        assert frozen(b, a.did) == (1, 1), "who said so still means it"


async def test_a_text_that_a_stolen_key_deleted_stays_hidden_until_its_successor_confirms(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c, d = await net.members("a", "b", "c", "d")
        said = await a.publish(status="actual", translations={}, headline="Exercise: taken back by a thief")
        await wait_until(lambda: all(each.head(a.did) == (1, 2) for each in (b, c, d)), "the alert is there")
        await a.withdraw(said.id)
        await wait_until(lambda: all(each.head(a.did) == (1, 3) for each in (b, c, d)), "the Delete too")
        await declare(b, a.did, 2)
        await declare(c, a.did, 2)
        await wait_until(lambda: frozen(d, a.did) == (1, 2), "frozen together")
        assert shown(d, a.did) == set()
        assert shown(b, a.did) == {"Exercise: taken back by a thief"}, "its own operator decided so"
        net.clock.forward(timedelta(hours=80))
        await d.node.mirror._destroy_due()
        states = {entry.header.sequence: entry.state for entry in d.entries(a.did)}
        assert states[2] == logs.HIDDEN, "nothing is destroyed meanwhile"
        object_id = d.entries(a.did)[1].object_id
        stranger = await d.write(lambda connection: _restore(connection, d, b, a, [object_id, "https://x.example/1"]))
        assert isinstance(stranger, Refuse)
        assert isinstance(await d.write(lambda connection: _restore(connection, d, c, a, [object_id])), Accept)
        assert shown(d, a.did) == {"Exercise: taken back by a thief"}


def _restore(connection, house, heir, old, texts):
    """The successor's word, as it comes by catch-up."""
    contacts.set_state(connection, house.did, old.did, contacts.SUCCEEDED, heir.did)
    head = logs.head(connection, house.did, heir.did)
    place = (head.epoch, head.sequence + 1, head.digest)
    raw = said_by(heir, "Confirm", {"id": old.organisation.uri}, position=place, texts=texts)
    verified = verification.verify_activity(parse_activity(parse_document(raw)), Carrier(None, replica=True))
    return commit.commit(View(connection, house.organisation), verified, Surroundings(house.clock(), "test")).decision


async def test_many_deletes_wait_until_another_member_says_they_are_the_authors_own(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = [
            await a.publish(status="actual", translations={}, headline=f"Exercise {number}") for number in range(12)
        ]
        await wait_until(lambda: b.head(a.did) == c.head(a.did) == (1, 13), "twelve alerts are there")
        for each in said:
            await a.withdraw(each.id)
        await wait_until(lambda: b.head(a.did) == c.head(a.did) == (1, 25), "and taken back")
        net.clock.forward(timedelta(hours=80))
        await c.node.mirror._destroy_due()
        assert c.read(lambda connection: deletes.waiting(connection, c.did)) == {a.did: 12}
        await b.write(
            lambda connection: trust.confirm_deletes(connection, b.organisation, b.key, a.did, None, b.clock())
        )
        await wait_until(
            lambda: c.read(lambda connection: deletes.waiting(connection, c.did)) == {}, "the second word is there"
        )
        net.clock.forward(timedelta(hours=80))
        await c.node.mirror._destroy_due()
        assert {entry.state for entry in c.entries(a.did)[1:13]} == {logs.STUB}


def run(house, *words):
    done = CliRunner().invoke(tadamun, [*words, "--data", str(house.data), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def catch_up_with_the_world(net):
    """The commands have the world's clock, the network its own: what one queued is due when the other caught up."""
    net.clock.forward(max(timedelta(0), datetime.now(UTC) - net.clock()) + timedelta(seconds=1))


async def test_the_commands_say_what_they_did(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c, d = await net.members("a", "b", "c", "d")
        await a.publish(status="actual", translations={}, headline="Exercise: one")
        await wait_until(lambda: all(each.head(a.did) == (1, 2) for each in (b, c, d)), "the alert is there")
        assert run(d, "member", "quorum", "1") == {"quorum": 1}
        refused = CliRunner().invoke(tadamun, ["member", "quorum", "0", "--data", str(d.data)])
        assert isinstance(refused.exception, RefusedError)
        done = run(b, "member", "freeze", a.did, "--after", "1", "--declare")
        assert done == {"did": a.did, "frozen_after": 1, "restored": 0, "declared": True}
        catch_up_with_the_world(net)
        await wait_until(lambda: frozen(d, a.did) == (1, 1), "one word is enough there")
        assert frozen(c, a.did) is None, "and not here"
        assert run(b, "member", "unfreeze", a.did) == {"did": a.did, "frozen_after": None}
        catch_up_with_the_world(net)
        await wait_until(lambda: frozen(d, a.did) is None, "believed again")
        words = CliRunner().invoke(tadamun, ["member", "unfreeze", a.did, "--data", str(b.data)])
        assert "not frozen by this organisation" in str(words.exception)
        words = CliRunner().invoke(tadamun, ["member", "confirm-deletes", a.did, "--data", str(b.data)])
        assert "no withdrawal of it waits" in str(words.exception)
        words = CliRunner().invoke(tadamun, ["alert", "restore", "--all", "--data", str(b.data)])
        assert "succeeds no other" in str(words.exception)


async def test_our_own_many_deletes_are_confirmed_by_the_recovery_sheet(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = [
            await a.publish(status="actual", translations={}, headline=f"Exercise {number}") for number in range(12)
        ]
        for each in said:
            await a.withdraw(each.id)
        await wait_until(lambda: b.head(a.did) == (1, 25), "twelve alerts, and taken back")
        words = CliRunner().invoke(tadamun, ["member", "confirm-deletes", a.did, "--data", str(a.data)])
        assert "recovery sheet" in str(words.exception)
        wrong = ["member", "confirm-deletes", a.did, "--recovery-sheet", str(tmp_path / "b.sheet")]
        assert "not the recovery sheet" in str(CliRunner().invoke(tadamun, [*wrong, "--data", str(a.data)]).exception)
        sheet = str(tmp_path / "a.sheet")
        assert run(a, "member", "confirm-deletes", a.did, "--recovery-sheet", sheet) == {"did": a.did, "texts": 12}
        catch_up_with_the_world(net)
        await wait_until(
            lambda: b.read(lambda connection: deletes.waiting(connection, b.did)) == {}, "the second word is there"
        )

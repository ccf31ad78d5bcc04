"""Sign-on among nodes: one list everywhere, which outlives the author's node, and names that come off everywhere."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from node.cli import tadamun
from node.commands.context import Office
from node.desk import endorsements as desk
from node.errors import RefusedError
from node.federation import trust
from node.federation.protocol import ids
from node.models import contacts, logs
from node.models.views import View
from tests.support.fediverse import Host
from tests.support.network import Network, page_of, wait_until


async def act(house, do, *words):
    """One act at the desk."""
    done = await house.write(
        lambda connection: do(connection, house.organisation, house.key, *words, house.clock())
    )
    house.node.delivery.wake()
    return done


async def ask(house, said, days=3):
    return await act(house, desk.open_sign_on, said.id, house.clock() + timedelta(days=days))


async def endorse(house, said, name=""):
    return await act(house, desk.endorse, said.portable_id, name, "en")


def signed(house, said):
    """The list of an alert as a house has it."""
    record = house.read(lambda connection: desk.find(connection, house.organisation, said.portable_id))
    return house.read(lambda connection: desk.signatories(connection, house.organisation, record, house.clock()))


def names(house, said):
    found = signed(house, said)
    return None if found is None else {each.name for each in found.names}


def same(house, said):
    """What is the same on every node."""
    found = signed(house, said)
    return (found.sign_on, found.names, found.phase, found.changed, dict(found.as_of))


async def asked(a, *others, **changes):
    """An alert of `a`, held by the others, with its text frozen."""
    said = await a.publish(**({"status": "actual"} | changes))
    await ask(a, said)
    for house in others:
        await wait_until(lambda house=house: house.head(a.did) == a.head(a.did), "everybody is asked")
    return said


async def test_the_list_is_the_same_everywhere_and_outlives_its_author(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c, d = await net.members("a", "b", "c", "d")
        elsewhere = await Host(net, 1, "amal").start()
        for house in (a, b):
            assert (await elsewhere.follow("amal", house)).status == 202
        await wait_until(lambda: len(elsewhere.got("Accept")) == 2, "the follows are accepted")
        for house in (a, b, d):
            await house.write(
                lambda connection, house=house: connection.execute(
                    contacts.members.update().where(contacts.members.c.did == c.did).values(listed=True)
                )
            )
        said = await asked(a, b, c, d)
        await endorse(b, said, "Exercise organisation of b")
        await endorse(c, said, "Exercise organisation of c")
        wanted = {"Exercise organisation of b", "Exercise organisation of c"}
        for house in (a, b, c, d):
            await wait_until(lambda house=house: names(house, said) == wanted, "both names are there")
        with pytest.raises(RefusedError, match="already"):
            await endorse(b, said)
        with pytest.raises(RefusedError, match="our own"):
            await endorse(a, said)
        await a.write(
            lambda connection: desk.deliver(
                connection, a.organisation, a.key, said.id, "an office (exercise)", a.clock()
            )
        )
        a.node.delivery.wake()
        await wait_until(lambda: signed(d, said).phase == "delivered", "the list is delivered")
        with pytest.raises(RefusedError, match="closed"):
            await endorse(d, said)
        kinds = {(each["type"], each["object"]["type"]) for each in elsewhere.got("Create")}
        assert kinds == {("Create", "Note")}, "no follower is bothered with names"
        before = same(a, said)
        await a.stop()
        assert same(c, said) == same(d, said) == before
        late = await net.house("e")
        await d.pin(late)
        await late.pin(d)
        for other in (a, b, c):
            await late.pin_row(other.organisation, d.origin)
        await late.sync(d)
        assert same(late, said) == before
        shown = (await d.get(page_of(said), Accept="text/html", Accept_Language="en")).text
        assert "Exercise organisation of c" in shown
        assert "Exercise organisation of b" not in shown, "it did not agree to be named as a member"
        assert "1 organisation that signed is not named here" in shown
        assert signed(d, said).sign_on.digest in shown


async def test_a_name_comes_off_everywhere_and_out_of_the_logs_and_the_number_stays(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await asked(a, b, c)
        await endorse(b, said, "Exercise name of b")
        await endorse(c, said, "Exercise name of c")
        await wait_until(lambda: len(signed(a, said).names) == 2, "both signed")
        await a.write(
            lambda connection: desk.deliver(
                connection, a.organisation, a.key, said.id, "an office (exercise)", a.clock()
            )
        )
        a.node.delivery.wake()
        await wait_until(lambda: signed(b, said).phase == "delivered", "b knows")
        taken = await act(b, desk.unendorse, said.portable_id)
        assert taken.delivered is not None
        for house in (a, b, c):
            await wait_until(lambda house=house: names(house, said) == {"Exercise name of c"}, "the name is off")
            assert signed(house, said).sign_on.delivery.count == 2
            log = await house.get(f"/.well-known/apgateway/{b.did}/log/1/1")
            assert "Exercise name of b" not in log.text
            gone = await house.get(ids.portable(taken.ids[0]).at(""), Accept="application/activity+json")
            assert gone.status == 410
        with pytest.raises(RefusedError, match="under no text"):
            await act(b, desk.unendorse, said.portable_id)


async def test_a_changed_text_asks_everybody_again(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await asked(a, b, c)
        await endorse(b, said, "Exercise name of b")
        await wait_until(lambda: names(a, said) == {"Exercise name of b"}, "b signed")
        earlier = signed(a, said).sign_on.digest
        await a.update(said.id, status="actual", headline="Exercise: another headline")
        await wait_until(lambda: signed(c, said).changed, "the text is another one")
        with pytest.raises(RefusedError, match="text has changed"):
            await endorse(c, said)
        with pytest.raises(RefusedError, match="text has changed"):
            await a.write(
                lambda connection: desk.deliver(connection, a.organisation, a.key, said.id, "x", a.clock())
            )
        await ask(a, said)
        await wait_until(lambda: signed(b, said).sign_on.digest != earlier, "everybody is asked anew")
        assert (names(b, said), signed(b, said).changed) == (set(), False)
        await endorse(b, said, "Exercise name of b, again")
        await wait_until(lambda: names(c, said) == {"Exercise name of b, again"}, "said again")
        await a.withdraw(said.id)
        await wait_until(lambda: c.head(a.did) == a.head(a.did), "withdrawn")
        with pytest.raises(RefusedError, match="no alert"):
            signed(c, said)
        assert await act(b, desk.unendorse, said.portable_id), "a name comes off even then"


async def test_a_frozen_keys_signature_past_the_freeze_does_not_count(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await asked(a, b, c)
        await endorse(b, said)
        await wait_until(lambda: len(signed(c, said).names) == 1, "b signed")
        epoch, sequence = c.head(b.did)
        await c.freeze(b.did, sequence)
        assert len(signed(c, said).names) == 1
        await c.freeze(b.did, sequence - 1)
        assert len(signed(c, said).names) == 0
        assert len(signed(a, said).names) == 1


async def test_the_list_is_made_anew_from_the_logs(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await asked(a, b, status="exercise")
        await endorse(b, said)
        await wait_until(lambda: len(signed(a, said).names) == 1, "b signed")
        before = same(a, said)

        def rebuild(connection):
            view = View(connection, a.organisation)
            return [trust.rebuild(view, did, a.clock()) for did in logs.head_table(connection, a.did)]

        await a.write(rebuild)
        assert same(a, said) == before


async def test_the_commands_open_sign_list_and_take_off(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="exercise", translations={}, expires="2090-01-01")
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "the alert is there")

        def run(house, *words):
            answer = CliRunner().invoke(tadamun, ["alert", *words, "--json"], obj=Office(house.data))
            assert answer.exit_code == 0, answer.output + repr(answer.exception)
            return json.loads(answer.output)

        raw = a.data
        await a.stop()
        opened = run(a, "open-signon", said.id, "--data", str(raw), "--closes", "2089-12-31")
        await a.start()
        await b.sync(a)
        await b.stop()
        run(b, "endorse", said.portable_id, "--data", str(b.data), "--name", "Exercise name")
        found = run(b, "signatories", said.portable_id, "--data", str(b.data))
        assert found["digest"] == opened["digest"]
        assert [(each["name"], each["verified"]) for each in found["names"]] == [("Exercise name", True)]
        assert found["sign_on_verified"]
        assert set(found["as_of"]) == {a.did, b.did}
        taken = run(b, "unendorse", said.portable_id, "--data", str(b.data))
        assert len(taken["taken_off"]) == 1
        assert run(b, "signatories", said.portable_id, "--data", str(b.data))["names"] == []

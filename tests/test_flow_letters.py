"""Sealed letters among whole nodes: who can read them, how they go round, and what of them lies on a disk."""

from datetime import timedelta

import orjson
import pytest

from node import letters as rules
from node.errors import RefusedError
from node.federation import letterbox, letters, outbox
from node.federation.protocol import sealing
from node.models import letters as rows
from node.models import rooms
from tests.support.network import Network, wait_until

WORDS = "EXERCISE: these words are for members"


async def write_to(house, *others, kind="endorsement", about="exercise:1", body=None):
    sent = await house.write(
        lambda connection: letters.send(
            connection, house.organisation, house.key, kind, about, body or {"words": WORDS},
            [other.did for other in others], house.clock(), token=outbox.token(),
        )
    )  # fmt: skip
    house.node.delivery.wake()
    return sent


def kept(house, sent):
    return house.read(lambda connection: rows.find(connection, house.did, sent.letter.id))


def read(house, found):
    """What whoever holds the key reads."""
    secrets = house.read(lambda connection: rooms.network_secrets(connection, house.did, house.node.keyring))
    return rules.parse(sealing.open_sealed(found.sealed, secrets))


async def test_a_letter_reaches_those_it_is_for_and_nobody_else(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, other = await network.members("one", "two", "three")
        sent = await write_to(author, friend, kind="offer")
        found = await wait_until(lambda: kept(friend, sent), "the letter is there")
        assert read(friend, found).body == {"words": WORDS}
        assert read(friend, found).to == (friend.did,)
        assert kept(other, sent) is None
        heard = (each.body + each.answer for house in network.houses for each in house.exchanges)
        assert not any(WORDS.encode() in each for each in heard)
        for house in network.houses:
            assert WORDS.encode() not in house.files()


async def test_addressees_pass_it_on_to_each_other_when_its_author_reaches_only_one(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, late = await network.members("one", "two", "three")
        await late.stop()
        sent = await write_to(author, friend, late)
        await wait_until(lambda: kept(friend, sent), "the letter is there")
        await author.stop()
        await late.start()
        friend.node.delivery.heard(late.organisation.host)
        await wait_until(lambda: kept(late, sent), "it came by way of another addressee")


async def test_who_was_away_asks_for_what_was_missed(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        await friend.stop()
        sent = await write_to(author, friend, kind="offer")
        await friend.start(workers=False)
        member = friend.member(author.did)
        assert await friend.node.letterbox.ask(friend.organisation, member) == 1
        assert await friend.node.letterbox.ask(friend.organisation, member) == 0
        assert read(friend, kept(friend, sent)).body == {"words": WORDS}


async def test_letters_are_handed_only_to_members_they_are_for(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, other = await network.members("one", "two", "three")
        sent = await write_to(author, friend)
        path = "/" + author.organisation.at("").split("/", 3)[3] + "/letters/" + sent.letter.id.rpartition("/")[2]
        assert (await author.get(path)).status == 404
        assert await other.node.letterbox.ask(other.organisation, other.member(author.did)) == 0
        assert (await author.get("/" + author.organisation.uri.split("/", 3)[3] + "/letters")).status == 401


async def test_a_stolen_envelope_in_another_wrapping_is_refused(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, thief = await network.members("one", "two", "three")
        sent = await write_to(author, friend)
        await wait_until(lambda: kept(friend, sent), "the letter is there")
        raw = orjson.loads(kept(author, sent).raw)

        def wrap(connection):
            outbox.send(
                connection, thief.organisation, thief.key, rules.TYPE, raw["object"],
                to=friend.organisation.uri, inbox=friend.organisation.origin + "/inbox", now=thief.clock(),
                terms=rules.TERMS,
            )  # fmt: skip

        await thief.write(wrap)
        thief.node.delivery.wake()
        await wait_until(lambda: friend.received()["refused"] == 1, "it is refused")


async def test_keys_change_every_month_and_old_ones_are_destroyed(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        before = friend.read(lambda connection: rows.current_key(connection, friend.did))
        network.clock.forward(letterbox.MONTH + timedelta(days=1))
        await friend.node.letterbox.tend()
        after = friend.read(lambda connection: rows.current_key(connection, friend.did))
        assert after.public != before.public
        sent = await write_to(author, friend)  # before the new actor document came
        await wait_until(lambda: kept(friend, sent), "what is sealed to the key before is opened")
        network.clock.forward(letterbox.GRACE + timedelta(days=1))
        files = set((friend.data / "keys").glob("*.age"))
        await friend.node.letterbox.tend()
        assert len(files - set((friend.data / "keys").glob("*.age"))) == 1
        assert before.public not in {
            key.public for key in friend.read(lambda connection: rows.keys_of(connection, friend.did))
        }


async def test_nobody_to_seal_to_is_said(tmp_path):
    async with Network(tmp_path) as network:
        author = await network.house("one")
        with pytest.raises(RefusedError, match="published a key"):
            await write_to(author, author)

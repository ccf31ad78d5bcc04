"""Offers of help between two organisations, in browsers and from the command line; nothing of them is public."""

import json
import re

import pytest
from click.testing import CliRunner

from node import letters as letter_rules
from node import offers as rules
from node.app import utc_now
from node.cli import tadamun
from node.commands.context import Office
from node.desk import offers as desk
from node.errors import RefusedError
from node.federation import letters, outbox
from node.models import letters as rows
from node.models import rooms
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_sealed_alerts import held
from tests.test_flow_sealed_alerts import publish as publish_sealed

WORDS = "EXERCISE: two lawyers speak the language"
CONTACT = "+000 (exercise)"
FORM = {"kind": "lawyer", "words": WORDS, "contact": CONTACT}


def opened(house):
    def read(connection):
        secrets = rooms.network_secrets(connection, house.did, house.node.keyring)
        return desk.current(connection, house.organisation, secrets)

    return house.read(read)


async def say(house, do, *words):
    done = await house.write(lambda connection: do(connection, house.organisation, house.key, *words))
    house.node.delivery.wake()
    return done


async def offer(house, about):
    return await say(house, desk.offer, about, "lawyer", WORDS, CONTACT, None, house.clock())


async def answer(house, made, said):
    secrets = house.read(lambda connection: rooms.network_secrets(connection, house.did, house.node.keyring))
    return await say(house, desk.answer, made.offer.id, said, "EXERCISE answer", secrets, house.clock())


async def post(worker, path, fields):
    done = await worker.post(path, fields)
    worker.house.node.delivery.wake()
    return done


async def shows(worker, text):
    async def there():
        page = (await worker.get("/desk/offers")).text
        return page if text in page else None

    return await wait_until(there, f"{text!r} is on the page")


async def test_help_is_offered_taken_and_declined_in_two_browsers(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        zainab = await join(author, "Zainab (exercise)", "coordinator")
        sara = await join(author, "Sara (exercise)", "case_worker", by=zainab)
        hana = await join(author, "Hana (exercise)", "approver", by=zainab)
        karwan = await join(friend, "Karwan (exercise)", "coordinator")
        said, sealed = await author.publish(), await publish_sealed(author)
        await wait_until(lambda: friend.head(author.did) == author.head(author.did), "the alert is there")
        form = await shows(karwan, sealed.portable_id)
        assert said.portable_id in form
        for about in (said.portable_id, sealed.portable_id):
            assert (await post(karwan, "/desk/offers", {**FORM, "alert": about})).status == 303
        wrong = await karwan.post("/desk/offers", {**FORM, "alert": said.portable_id, "until": "2020-01-01"})
        assert wrong.status == 409 and WORDS in wrong.text and "day has passed" in wrong.text

        async def both():
            found = re.findall(r'action="(/desk/offers/\w+)[^"]*"', (await sara.get("/desk/offers")).text)
            return found if len(found) == 2 else None

        first, second = await wait_until(both, "both offers are there")
        assert WORDS in sara.seen[-1].text and CONTACT in sara.seen[-1].text
        shown = (await hana.get("/desk/offers")).text
        assert WORDS not in shown and CONTACT not in shown, "the room of the cases is not theirs"
        assert (await hana.post(first, {"answer": "taken"})).status == 403
        assert (await sara.post(first, {"answer": "withdrawn"})).status == 409
        assert (await post(sara, first, {"answer": "taken", "words": "EXERCISE we call you"})).status == 303
        assert (await post(sara, second, {"answer": "declined"})).status == 303
        page = await shows(karwan, "EXERCISE we call you")
        assert "Taken" in page and (await shows(karwan, "Declined")).count("<form") == 2, "sign out, and offer"
        assert (await sara.post(first, {"answer": "taken"})).status == 409
        for house in (author, friend):
            assert (await house.get("/desk/offers")).status == 303
            for path in ("/", "/alerts", "/alerts/" + said.url.rpartition("/")[2], "/members"):
                assert WORDS not in (await house.get(path)).text
            assert WORDS.encode() not in house.files() and CONTACT.encode() not in house.files()


async def test_nodes_without_people_offer_and_answer_from_the_command_line(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        network.clock.forward(utc_now() - network.clock())  # commands have no other clock
        said = await publish_sealed(author)
        await wait_until(lambda: held(friend, said), "the alert is there")

        async def run(house, *words):
            await house.stop()
            done = CliRunner().invoke(tadamun, [*words, "--data", str(house.data), "--json"], obj=Office(house.data))
            await house.start()
            return json.loads(done.output) if done.exit_code == 0 else repr(done.exception)

        words = ("offer", said.portable_id, "--kind", "lawyer", "--words", WORDS, "--contact", CONTACT)
        assert "has passed" in await run(friend, *words, "--until", "2020-01-01")
        made = await run(friend, *words)
        await wait_until(lambda: opened(author), "it is there")
        (listed,) = await run(author, "offers", "--answer", made["offer"], "taken", "--words", "EXERCISE we call")
        assert (listed["words"], listed["state"], listed["answer"]) == (WORDS, "taken", "EXERCISE we call")
        assert "taken already" in await run(author, "offers", "--answer", made["offer"], "declined")
        await wait_until(lambda: opened(friend)[0].answer, "the answer is there")


async def test_who_offered_takes_it_back_and_then_nobody_takes_it(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        said = await publish_sealed(author)
        await wait_until(lambda: held(friend, said), "the alert is there")
        made = await offer(friend, said.portable_id)
        await wait_until(lambda: opened(author), "it is there")
        with pytest.raises(RefusedError, match="takes or declines"):
            await answer(friend, made, rules.TAKEN)
        await answer(friend, made, rules.WITHDRAWN)
        await wait_until(lambda: opened(author)[0].answer, "it is taken back")
        with pytest.raises(RefusedError, match="withdrawn already"):
            await answer(author, made, rules.TAKEN)
        with pytest.raises(RefusedError, match="no alert of a member"):
            await offer(author, said.portable_id)


async def test_what_ran_out_is_not_taken_and_one_about_anothers_alert_is_none(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        said = await publish_sealed(author)
        await wait_until(lambda: held(friend, said), "the alert is there")
        made = await offer(friend, said.portable_id)
        await wait_until(lambda: opened(author), "it is there")
        body, now = {**made.offer.body(), "offer": "stray"}, friend.clock()
        sent = await friend.write(
            lambda connection: letters.send(
                connection, friend.organisation, friend.key, letter_rules.OFFER, f"ap+ef61://{friend.did}/objects/x",
                body, [author.did], now, token=outbox.token(),
            )
        )  # fmt: skip
        friend.node.delivery.wake()
        await wait_until(
            lambda: author.read(lambda connection: rows.find(connection, author.did, sent.letter.id)), "it is there"
        )
        assert [each.offer.id for each in opened(author)] == [made.offer.id]
        network.clock.forward(rules.LASTS)
        with pytest.raises(RefusedError, match="run out"):
            await answer(author, made, rules.TAKEN)
        assert (await answer(author, made, rules.DECLINED)).offer == made.offer

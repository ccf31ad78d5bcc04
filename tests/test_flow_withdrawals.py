"""Withdrawal among whole nodes: who signed that it is done, who speaks for a dead author, and what never comes back."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from node import bundles, custody
from node.cli import tadamun
from node.desk import copies
from node.desk import custody as desk
from node.desk import withdrawals as boards
from node.errors import RefusedError
from node.federation import letters as sending
from node.federation import outbox, trust
from node.federation.protocol.retry import LAST_ATTEMPT, LAST_ATTEMPT_TO_WITHDRAW
from node.kinds import Surroundings
from node.models import deliveries, letters, relays, rooms
from node.models.views import View
from tests.support.desk import join
from tests.support.network import Network, page_of, path_of, wait_until

WORDS = "EXERCISE: the words that must not come back"
DEAD_AFTER = timedelta(hours=6)


def board(house, said):
    found = house.read(lambda connection: boards.board(connection, house.organisation, said.portable_id))
    return {each.host: each for each in found.servers}


def room(house):
    return house.read(lambda connection: rooms.network_secrets(connection, house.did, house.node.keyring))


def held(house):
    return house.read(lambda connection: desk.held_by(connection, house.organisation, room(house)))


async def release(house, said, why="EXERCISE: their server is gone", **more):
    def work(connection):
        return desk.release(
            connection, house.organisation, house.key, said.portable_id, room(house), why, house.clock(),
            dead_after=DEAD_AFTER, **more,
        )  # fmt: skip

    done = await house.write(work)
    house.node.delivery.wake()
    return done


async def bring(house, bundle):
    """Take in a bundle as `import` does."""
    found = bundles.parse(bundle)
    taken = copies.counted(found)
    around = Surroundings(house.clock(), "file:test")

    def work(connection):
        copies.take(connection, house.organisation, bundles.in_order(found), around, taken, key=house.key)
        copies.take_stubs(connection, house.organisation, found.stubs, "file:test", around.now, withdrawn_only=False)

    await house.write(work)
    house.node.delivery.wake()
    return taken


def export(house, *dids):
    def read(connection):
        return [line for did in dids for line in copies.lines_of(connection, house.did, did)]

    return bundles.render(house.read(read), house.clock())


async def shown(house, said):
    """What a node answers wherever the text could stand; `True` where it does."""
    paths = (
        "/", "/alerts", page_of(said), page_of(said) + "/bundle", page_of(said) + "/qr.svg", path_of(said.id),
        f"/organisations/{said.portable_id.split('/')[2]}",
        f"/.well-known/apgateway/{said.portable_id.split('/')[2]}/log/1/1",
        f"/.well-known/apgateway/{said.portable_id.split('/')[2]}/actor/outbox/99/999",
    )  # fmt: skip
    answers = [await house.get(path) for path in paths]
    return any(WORDS in each.body.decode("utf-8", "replace") for each in answers)


async def test_members_sign_that_it_is_done_and_the_author_sees_it_server_by_server(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, away = await network.members("one", "two", "three")
        said = await author.publish(headline=WORDS)
        for house in (friend, away):
            await wait_until(lambda house=house: shown(house, said), "it is shown")
        await away.stop()
        with pytest.raises(RefusedError, match="nothing"):
            board(author, said)
        await author.withdraw(said.portable_id)
        host, lost = friend.organisation.host, away.organisation.host
        await wait_until(lambda: board(author, said)[host].state == "confirmed", "the member signs")
        assert board(author, said)[host].destroyed is None
        assert board(author, said)[lost].state == "waiting" and board(author, said)[lost].next_try is not None
        assert {each.name for each in board(author, said)[host].members} == {friend.organisation.name}
        reader = await join(author, "Zainab (exercise)", "coordinator")
        place = "/desk/withdrawals/" + page_of(said).rpartition("/")[2]
        page = (await reader.get(place)).text
        assert host in page and lost in page and friend.organisation.name in page and WORDS not in page
        assert place in (await reader.get("/desk/withdrawals")).text
        assert (await author.get(place)).status == 303  # nobody else sees who is a member
        assert (await reader.get("/desk/withdrawals/nothing")).status == 404
        receipts = author.read(lambda connection: letters.receipts_about(connection, author.did, said.portable_id))
        assert [each.by for each in receipts] == [friend.did]
        network.clock.forward(timedelta(hours=73))
        await friend.node.mirror._destroy_due()
        friend.node.delivery.wake()
        await wait_until(lambda: board(author, said)[host].destroyed is not None, "and that the bytes are gone")
        assert WORDS.encode() not in friend.files()

        # Who was away answers too, though it hears of it by catch-up.
        await away.start()
        away.node.delivery.wake()
        await wait_until(lambda: board(author, said)[lost].state == "confirmed", "the other signs as well")
        assert not await shown(away, said)


async def test_what_takes_a_text_back_is_tried_for_thirty_days_and_everything_else_for_two_weeks(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        await friend.stop()
        said = await author.publish(headline=WORDS)
        await author.withdraw(said.portable_id)
        table = deliveries.deliveries

        def patience(connection):
            return sorted(connection.execute(table.select().with_only_columns(table.c.patience)).scalars())

        assert set(author.read(patience)) == {LAST_ATTEMPT, LAST_ATTEMPT_TO_WITHDRAW}


async def test_a_receipt_counts_from_members_about_our_own_words_only(tmp_path):
    async with Network(tmp_path) as network:
        author, friend, other = await network.members("one", "two", "three")
        said = await author.publish(headline=WORDS)
        theirs = await friend.publish(headline=WORDS + " 2")
        for house in (author, other):
            await wait_until(lambda house=house: house.head(friend.did) == friend.head(friend.did), "it is here")
        entry = next(each for each in author.entries(friend.did) if each.object_id == theirs.portable_id)
        own = next(each for each in author.entries(author.did) if each.object_id == said.portable_id)
        for of in (entry.activity_id, own.activity_id, "ap+ef61://nothing", 7):
            body = {"of": of, "kind": "withdrawn"}
            await other.write(lambda connection, body=body: sending.send(
                connection, other.organisation, other.key, "receipt", said.portable_id, body, (author.did,),
                other.clock(), token=outbox.token(),
            ))  # fmt: skip
        other.node.delivery.wake()
        await wait_until(lambda: author.received()["accepted"] >= 4, "they came")
        assert not author.read(lambda connection: letters.receipts_about(connection, author.did, said.portable_id))
        assert not author.read(lambda connection: letters.receipts_of(connection, author.did, [own.activity_id]))


async def custodians(network):
    """An author that is dead, two custodians, another member, and an alert that was laid down with the two."""
    author, two, three, four = await network.members("one", "two", "three", "four")
    said = await author.publish(
        headline=WORDS, status="actual", custodians=[two.did, three.did], custody_threshold=2
    )
    for house in (two, three, four):
        await wait_until(lambda house=house: shown(house, said), "it is shown")
    for house in (two, three):
        await wait_until(lambda house=house: held(house), "it is in custody")
    return author, two, three, four, said


async def bury(network, author, *houses):
    """The author's server is gone, and everybody has noticed for long enough."""
    await author.stop()
    for moment in (timedelta(0), DEAD_AFTER):
        network.clock.forward(moment)
        for house in houses:
            await house.write(
                lambda connection, house=house: relays.note_probe(
                    connection, house.did, author.did, False, house.clock()
                )
            )


async def test_custodians_withdraw_for_a_dead_author_and_the_text_appears_nowhere(tmp_path):
    async with Network(tmp_path) as network:
        author, two, three, four, said = await custodians(network)
        old_bundle = export(two, author.did, two.did)
        backup = tmp_path / "old.tar.gz"
        done = CliRunner().invoke(tadamun, ["--data", str(four.data), "backup", str(backup)])
        assert done.exit_code == 0, done.output
        with pytest.raises(RefusedError, match="lately|answers"):
            await release(two, said)
        await bury(network, author, two, three)
        with pytest.raises(RefusedError, match="custodian"):
            await release(four, said)
        assert await release(two, said) == desk.Released(False, 1, 2)
        assert await shown(four, said)  # one is not enough
        await wait_until(lambda: held(three)[0].wanting == (two.did,), "the other hears of it")
        assert held(three)[0].asked[0].why == "EXERCISE: their server is gone"
        assert (await release(three, said)).published

        for house in (two, three, four):
            await wait_until(lambda house=house: _gone(house, said), "it is gone")
            assert not await shown(house, said)
        host = two.organisation.host
        await wait_until(lambda: board(three, said)[host].state == "confirmed", "members sign it to who released it")
        with pytest.raises(RefusedError, match="already"):
            await release(two, said)

        # An old bundle, where it is known, and on a new node that never saw any of this.
        await bring(four, old_bundle)
        assert not await shown(four, said)
        fresh = await network.house("five")
        await fresh.pin_row(author.organisation)
        for house in (two, three, four):
            await house.pin(fresh)
            await fresh.pin(house)
        await bring(fresh, old_bundle)  # it knows no better yet
        for house in (two, three, four):
            await fresh.sync(house)
        assert not await shown(fresh, said)
        await bring(fresh, old_bundle)
        assert not await shown(fresh, said)

        # An old backup.
        await four.stop()
        done = CliRunner().invoke(tadamun, ["--data", str(four.data), "restore", str(backup)])
        assert done.exit_code == 0, done.output
        await four.start(workers=False)
        assert four.organisation.did == four.did and (await four.get(page_of(said))).status == 503
        assert not await shown(four, said)
        await four.sync(two)
        await four.sync(three)
        network.clock.forward(timedelta(days=30))  # longer than the veil
        assert await _gone(four, said)
        assert not await shown(four, said)

        # Not after the view was made anew, and after 72 hours in no file.
        def rebuild(connection):
            trust.rebuild(View(connection, four.organisation), author.did, four.clock())

        await four.write(rebuild)
        assert not await shown(four, said)
        for house in (two, three, four, fresh):
            await house.node.mirror._destroy_due()
            await house.node.database.scrub()
            assert not await shown(house, said)
            for aside in house.data.glob("*.before-restore-*"):
                aside.unlink()  # as 'doctor' asks of the operator
            assert WORDS.encode() not in house.files()


async def _gone(house, said):
    return (await house.get(page_of(said))).status == 410


@pytest.mark.drill
async def test_an_update_renews_what_custodians_hold_and_is_withdrawn_too(tmp_path):
    async with Network(tmp_path) as network:
        author, two, three, four, said = await custodians(network)
        await author.update(said.portable_id, headline=WORDS + " again", status="actual")
        await wait_until(lambda: len(held(two)[0].deposits) == 2 == len(held(three)[0].deposits), "renewed")
        await bury(network, author, two, three)
        await release(two, said, author_asked=True)
        await wait_until(lambda: held(three)[0].wanting, "asked")
        assert (await release(three, said)).published
        await wait_until(lambda: _gone(four, said), "it is gone")
        states = {each.state for each in four.entries(author.did) if each.object_id == said.portable_id}
        assert states == {"hidden"}


@pytest.mark.drill
async def test_an_author_who_comes_back_obeys_its_own_word(tmp_path):
    async with Network(tmp_path) as network:
        author, two, three, _, said = await custodians(network)
        await bury(network, author, two, three)
        await release(two, said)
        await wait_until(lambda: held(three)[0].wanting, "asked")
        await release(three, said)
        await author.start()
        await wait_until(lambda: _gone(author, said), "it is gone at home too")


async def test_custodians_that_are_no_members_are_refused_before_anything_is_said(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        before = author.head(author.did)
        with pytest.raises(RefusedError, match="no member"):
            await author.publish(custodians=[friend.did, author.did])
        assert author.head(author.did) == before
        assert custody.MOST_CUSTODIANS == 5


async def test_nothing_tells_a_withdrawal_from_any_other_removal(tmp_path):
    async with Network(tmp_path) as network:
        author, friend = await network.members("one", "two")
        current = await author.publish(headline=WORDS, status="actual")
        expired = await author.publish(headline=WORDS, status="actual")
        practice = await author.publish(headline=WORDS)
        dropped = await author.publish(headline=WORDS, status="actual")
        for said in (current, expired, practice, dropped):
            await wait_until(lambda said=said: shown(friend, said), "it is shown")
        network.clock.forward(timedelta(days=3650))  # everything has expired by now
        for said in (current, expired, practice, dropped):
            await author.withdraw(said.portable_id)
            await wait_until(lambda said=said: _gone(friend, said), "it is gone")
        for house in (author, friend):
            seen = set()
            for said in (current, expired, practice, dropped):
                page, name = page_of(said), said.portable_id.rpartition("/")[2]
                for kind, path in (("page", page), ("bundle", page + "/bundle"), ("qr", page + "/qr.svg"),
                                   ("object", path_of(said.id))):  # fmt: skip
                    accept = "text/html" if kind == "page" else "application/activity+json"
                    answer = await house.get(path, accept=accept)
                    assert answer.status == 410, path
                    headers = {key: value for key, value in answer.headers.items() if key != "date"}
                    body = answer.text.replace(page.rpartition("/")[2], "ID").replace(name, "ID")
                    seen.add((kind, tuple(sorted(headers.items())), body))
            assert len(seen) == 4  # one answer for each kind of address, whatever was removed and why


async def test_custodians_with_people_withdraw_in_their_browsers_one_before_and_one_after_they_joined(tmp_path):
    async with Network(tmp_path) as network:
        author, two, three = await network.members("one", "two", "three")
        hana = await join(two, "Hana (exercise)", "coordinator", "approver")
        said = await author.publish(
            headline=WORDS, status="actual", custodians=[two.did, three.did], custody_threshold=2
        )
        for house in (two, three):
            await wait_until(lambda house=house: laid_down(house, said), "it is in custody")
        sara = await join(three, "Sara (exercise)", "coordinator", "approver")
        assert said.portable_id in (await hana.get("/desk/custody")).text
        asked = {"about": said.portable_id, "why": "EXERCISE: their server is gone", "sure": "yes"}
        assert (await hana.post("/desk/custody", {**asked, "sure": ""})).status == 409
        assert (await hana.post("/desk/custody", asked)).status == 409  # the author still answers
        await bury(network, author, two, three)
        for person in (hana, sara):
            await person.refresh()
        assert (await hana.post("/desk/custody", asked)).status == 303

        async def heard():
            return "their server is gone" in (await sara.get("/desk/custody")).text

        await wait_until(heard, "the other custodian reads why")
        await sara.refresh()
        assert (await sara.post("/desk/custody", asked)).status == 303
        for house in (two, three):
            await wait_until(lambda house=house: _gone(house, said), "it is gone")
        assert (await three.get("/desk/custody")).status == 303


def laid_down(house, said):
    return house.read(lambda connection: letters.about(connection, house.did, said.portable_id, ("custody",)))

"""What the network said, by day; and what happened since somebody last looked, on the page and in a feed of theirs."""

from datetime import timedelta
from xml.etree import ElementTree

from node.desk import timeline
from node.models import notices
from tests.support.desk import join
from tests.support.network import Network, example, wait_until
from tests.test_flow_approvals import ask, office, speak
from tests.test_flow_desk_alerts import OURS, place
from tests.test_flow_sealed_alerts import publish as publish_sealed
from tests.test_flow_sign_on import ask as ask_to_sign

ATOM = "{http://www.w3.org/2005/Atom}"


async def test_everything_that_was_said_stands_on_its_day(tmp_path):
    async with Network(tmp_path) as net:
        author, house = await net.members("one", "two")
        reader = await join(house, "Zainab (exercise)", "coordinator")
        assert "Nothing was said yet" in (await reader.get("/desk/timeline")).text
        said = await author.publish(**OURS, headline="EXERCISE the first")
        net.clock.forward(timedelta(days=1))
        await publish_sealed(author, headline="EXERCISE sealed words")
        await wait_until(lambda: house.holds(said), "the alert is there")
        await reader.sign_in()

        async def there():
            return "EXERCISE sealed words" in (await reader.get("/desk/timeline")).text

        await wait_until(there, "the letter is there")
        page = reader.seen[-1].text
        assert page.index("21 November 2026") < page.index("EXERCISE sealed words") < page.index("20 November 2026")
        assert page.index("20 November 2026") < page.index("EXERCISE the first")
        assert author.organisation.name in page and "Sent to members only" in page
        only = (await reader.get("/desk/timeline/alerts")).text
        assert "EXERCISE the first" in only and "sealed words" not in only
        assert "Nothing of this sort" in (await reader.get("/desk/timeline/decisions")).text
        for nowhere in ("/desk/timeline/page/2", "/desk/timeline/nothing", "/desk/timeline/page/0"):
            assert (await reader.get(nowhere)).status == 404, nowhere
        assert (await house.get("/desk/timeline")).status == 303

        # What was withdrawn is not there, and whoever holds no key sees no sealed words.
        await author.withdraw(said.portable_id)

        async def gone():
            return "EXERCISE the first" not in (await reader.get("/desk/timeline")).text

        await wait_until(gone, "it is gone")
        found = house.read(lambda connection: timeline.items(connection, house.organisation, ()))
        assert found == ()
        await house.freeze(author.did, 1)
        page = (await reader.get("/desk/timeline/keys")).text
        assert author.organisation.name in page and "no longer to be trusted" in page


async def test_notices_name_nobody_and_are_new_once(tmp_path):
    async with Network(tmp_path) as net:
        house, boss, (karwan, hana) = await office(net, "one")
        friend = await net.house("two")
        await net.befriend(house, friend)
        sara = await join(house, "Sara (exercise)", "author", by=boss)
        assert "Nothing new" in (await karwan.get("/desk/notices")).text
        request = await ask(house, example(status="actual", headline="EXERCISE a secret headline"), author=sara.id)
        signed = await friend.publish(status="actual")
        await ask_to_sign(friend, signed)
        await wait_until(lambda: house.head(friend.did) == friend.head(friend.did), "we are asked to sign")

        assert "<title>(1) Desk" in (await hana.get("/desk")).text
        page = (await hana.get("/desk/notices")).text
        assert "<title>(1) Notices</title>" in page and "A text waits for your word" in page
        assert "secret headline" not in page and sara.name not in page
        again = (await hana.get("/desk/notices")).text
        assert "<title>Notices</title>" in again and "A text waits for your word" in again, "it is old, and still so"

        mine = (await sara.get("/desk/notices")).text
        assert "A text can be signed" in mine and place(signed) in mine and "waits for your word" not in mine
        await speak(house, karwan, request.id)
        assert "Somebody gave their word" in (await sara.get("/desk/notices")).text
        net.clock.forward(timedelta(seconds=1))
        await house.freeze(friend.did, 1)
        page = (await boss.get("/desk/notices")).text
        assert "key is in question" in page and "is frozen here" in page and friend.organisation.name not in page


async def test_a_feed_says_that_something_waits_and_nothing_else(tmp_path):
    async with Network(tmp_path) as net:
        house, boss, (karwan, hana) = await office(net, "one")
        answer = await hana.post("/desk/notices", {"do": "renew"})
        address = "/desk/notices/" + answer.text.partition(house.origin + "/desk/notices/")[2].partition("<")[0]
        assert address.startswith("/desk/notices/") and address.endswith(".atom")
        token = address.rpartition("/")[2].removesuffix(".atom")
        assert len(token) == 43 and token.encode() not in house.files()
        assert "shown once" not in (await hana.get("/desk/notices")).text

        bare, address = address, address + "?lang=en"
        quiet = await house.get(address)
        assert quiet.status == 200 and quiet.headers["cache-control"] == "no-store"
        assert ElementTree.fromstring(quiet.body).findall(f"{ATOM}entry") == []
        await ask(house, example(status="actual", headline="EXERCISE a secret headline"), author=karwan.id)
        told = await house.get(address)
        (entry,) = ElementTree.fromstring(told.body).findall(f"{ATOM}entry")
        assert entry.findtext(f"{ATOM}title") == "Something waits at the desk."
        assert entry.findtext(f"{ATOM}summary") == "1 thing is new."
        for word in ("secret", hana.name, house.organisation.name, house.organisation.handle, house.did):
            assert word not in told.text.replace(house.origin, ""), word
        assert (await house.get(address)).body == told.body, "the same news is told once"
        net.clock.forward(timedelta(minutes=1))
        await ask(house, example(status="actual"), author=karwan.id)
        (newer,) = ElementTree.fromstring((await house.get(address)).body).findall(f"{ATOM}entry")
        assert newer.findtext(f"{ATOM}id") != entry.findtext(f"{ATOM}id")

        assert "شيء ينتظر في المكتب." in (await house.get(bare)).text, "in the language of its person"
        await hana.refresh()
        other = await hana.post("/desk/notices", {"do": "renew"})
        assert other.status == 200 and (await house.get(address)).status == 404, "the old address is dead"
        await hana.post("/desk/notices", {"do": "end"})
        assert house.read(lambda connection: notices.feed_of(connection, house.did, hana.id)) is None
        assert (await house.get("/desk/notices/nothing.atom")).status == 404
        net.clock.forward(timedelta(minutes=11))
        assert "/desk/factor" in (await hana.post("/desk/notices", {"do": "renew"})).headers["location"]

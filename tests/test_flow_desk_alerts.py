"""Alerts at the desk after they are published: who has them, what is done with them, and what is asked first."""

from datetime import timedelta

from node.models import alerts, coverages
from node.models import approvals as rows
from tests.support.desk import join
from tests.support.fediverse import Host
from tests.support.network import Network, example, page_of, wait_until
from tests.test_flow_approvals import office, speak, state
from tests.test_flow_sealed_alerts import held
from tests.test_flow_sealed_alerts import publish as publish_sealed

WORDS = "EXERCISE: the statement of an invented organisation"
GROUP = [{"kind": "group", "publication_level": "collective", "public_name": "EXERCISE an invented group"}]
MANDATE = {
    "given_by": "organisation-mandate", "how": "EXERCISE", "level": "public-anonymised",
    "valid_until": "2027-06-01T00:00:00Z",
}  # fmt: skip
OURS = {"status": "actual", "audience": "everyone", "subjects": GROUP, "consent": MANDATE, "media": []}


def page_name(said):
    return page_of(said).rpartition("/")[2]


def place(said):
    return "/desk/alerts/" + page_name(said)


async def test_the_board_says_who_holds_an_alert_and_who_does_not(tmp_path):
    async with Network(tmp_path) as net:
        author, friend, away = await net.members("one", "two", "three")
        elsewhere = await Host(net, 1, "amal").start()
        assert (await elsewhere.follow("amal", author)).status == 202
        await wait_until(lambda: elsewhere.got("Accept"), "the follow is accepted")
        await away.stop()
        reader = await join(author, "Zainab (exercise)", "coordinator")
        said = await author.publish(**OURS, headline=WORDS)

        async def board():
            return (await reader.get(place(said) + "/board")).text

        async def taken():
            found = await board()
            return "Held by 1 of 2 members" in found and "cannot be reached" in found

        await wait_until(taken, "one server took it, the other is silent")
        found = reader.seen[-1].text
        assert "Its server took it" in found and "proved it" not in found
        assert "Not taken yet, tried again" in found
        assert friend.organisation.name in found and away.organisation.host in found and WORDS in found

        async def told():
            return elsewhere.host in await board()

        await wait_until(told, "the follower's server took it")
        # Equal heads are said without a signature: the signed table is asked for once.
        await wait_until(lambda: friend.head(author.did) == author.head(author.did), "it is held")
        await author.sync(friend)
        assert "1 proved it by signature" in await board()
        asked = len(friend.exchanges)
        await author.sync(friend)
        assert len(friend.exchanges) == asked + 1
        reach = author.read(lambda connection: coverages.reached(connection, author.did))
        assert reach[friend.did].place == author.head(author.did)

        await away.start()
        author.node.delivery.wake()
        await wait_until(lambda: away.head(author.did) == author.head(author.did), "the other has it now")
        await author.sync(away)
        assert "Held by 2 of 2 members" in await board()

        # A newer word is proven by nobody yet.
        await author.correct(said.portable_id, "EXERCISE: it was another day")
        assert "2 proved it" not in await board()
        assert (await author.get(place(said) + "/board")).status == 303, "nobody else sees who is a member"
        assert (await reader.get("/desk/alerts/nothing")).status == 404


def requests_of(house):
    return house.read(lambda connection: rows.of_state(connection, house.did, "waiting"))


async def approve(house, *people):
    """Everybody says yes to the one request that waits, and it goes out."""
    (row,) = requests_of(house)
    for person in people:
        said = await speak(house, person, row.request.id)
    assert said == "ready"
    house.node.delivery.wake()
    await wait_until(lambda: state(house, row.request.id) == "published", "it is out")


async def test_words_wait_for_another_person_and_taking_it_away_for_nobody(tmp_path):
    async with Network(tmp_path) as net:
        house, boss, (karwan, hana) = await office(net, "one")
        friend = await net.house("two")
        await net.befriend(house, friend)
        sara = await join(house, "Sara (exercise)", "author", by=boss)
        begin = (await sara.get("/desk/alerts")).text
        assert "published nothing yet" in begin and "/desk/write" in begin
        said = await house.publish(**OURS, headline=WORDS)
        await wait_until(lambda: friend.holds(said), "it is held")
        listed = (await sara.get("/desk/alerts/in/standing")).text
        assert place(said) in listed and "Published" in listed
        assert (await hana.post(place(said) + "/act/correct", {"text": "EXERCISE"})).status == 403

        empty = await sara.post(place(said) + "/act/correct", {"text": " "})
        assert empty.status == 409 and "Say it in words" in empty.text
        assert (await sara.post(place(said) + "/act/correct", {"text": "EXERCISE another day"})).status == 303
        assert "What is due" in (await sara.get(place(said))).text and "/desk/approvals" in sara.seen[-1].text
        assert "1 request about it waits for a word" in (await sara.get("/desk/alerts/in/due")).text
        assert "another day" not in (await house.get(page_of(said))).text
        await approve(house, hana)
        assert "another day" in (await house.get(page_of(said))).text

        given = {"by": "EXERCISE an office", "kind": "pledge", "day": "2026-11-19", "text": "EXERCISE they promise"}
        odd = await sara.post(place(said) + "/act/answer", {**given, "day": "soon"})
        assert odd.status == 409 and "EXERCISE they promise" in odd.text
        assert (await sara.post(place(said) + "/act/answer", given)).status == 303
        (row,) = requests_of(house)
        looked = (await hana.get(f"/desk/approvals/{row.request.id}")).text
        assert "EXERCISE an office" in looked and "they promise" in looked
        assert "they promise" not in (await house.get(page_of(said))).text
        await approve(house, karwan)
        assert "they promise" in (await house.get(page_of(said))).text
        assert "they promise" in (await sara.get(place(said))).text

        net.clock.forward(timedelta(minutes=11))
        assert "/desk/factor?" in (await sara.get(place(said) + "/act/withdraw")).headers["location"]
        await sara.refresh()
        before = (await sara.get(place(said) + "/act/withdraw")).text
        assert "neutral page that gives no reason" in before and "never comes back" in before
        gone = await sara.post(place(said) + "/act/withdraw")
        assert gone.headers["location"] == "/desk/withdrawals/" + page_name(said)
        assert (await house.get(page_of(said))).status == 410

        async def obeyed():
            return (await friend.get(page_of(said))).status == 410

        await wait_until(obeyed, "the member obeys")
        assert (await sara.get(place(said))).headers["location"] == gone.headers["location"]
        assert WORDS not in (await sara.get("/desk/alerts")).text


async def test_news_and_a_changed_text_are_looked_at_before_they_are_asked_about(tmp_path):
    async with Network(tmp_path) as net:
        house, boss, people = await office(net, "one")
        sara = await join(house, "Sara (exercise)", "author", by=boss)
        said, person = await house.publish(**OURS, headline=WORDS), await house.publish(status="actual")
        told = {
            "headline": "EXERCISE there is news", "narrative": "EXERCISE what is new", "link_to_work": "EXERCISE why",
            "demands": "EXERCISE one thing\nEXERCISE another", "severity": "severe", "urgency": "expected",
            "certainty": "likely", "expires": "2027-01-15",
        }  # fmt: skip
        news = place(said) + "/text/news"
        assert "names nobody" in (await sara.get(news)).text.lower() or "nobody" in sara.seen[-1].text
        refused = await sara.post(news, told)
        assert refused.status == 409 and "EXERCISE what is new" in refused.text
        seen = await sara.post(news, {**told, "nobody": "yes"})
        assert seen.status == 200 and "As it will be read" in seen.text and not requests_of(house)
        assert (await sara.post(news, {**told, "nobody": "yes", "ask": "yes"})).status == 303
        first = (requests_of(house))[0].request.id
        assert (await sara.post(news, {**told, "nobody": "yes", "ask": "yes"})).status == 303
        assert state(house, first) == "cancelled", "one piece of news waits at a time"
        await approve(house, *people)
        assert "EXERCISE there is news" in (await house.get(page_of(said))).text
        assert "EXERCISE there is news" in (await sara.get(place(said))).text

        update = place(said) + "/text/update"
        assert WORDS in (await sara.get(update)).text
        changed = {**told, "headline": "EXERCISE another headline", "nobody": "yes", "ask": "yes"}
        odd = await sara.post(update, changed)
        assert odd.status == 409 and "as many demands" in odd.text
        demands = "\n".join(f"EXERCISE {number}" for number in range(len(example()["demands"])))
        assert (await sara.post(update, {**changed, "demands": demands})).status == 303
        await approve(house, *people)
        page = (await house.get(page_of(said))).text
        assert "EXERCISE another headline" in page and "EXERCISE there is news" in page
        record = house.read(lambda connection: alerts.find(connection, house.did, said.portable_id))
        others = house.read(lambda connection: alerts.translations_of(connection, house.did, said.portable_id))
        assert record.headline == "EXERCISE another headline" and [each.language for each in others] == ["en"]
        assert (await sara.post(update, {**changed, "untranslated": "yes"})).status == 303
        await approve(house, *people)
        assert not house.read(lambda connection: alerts.translations_of(connection, house.did, said.portable_id))

        about = await sara.get(place(person) + "/text/news")
        assert about.status == 409 and "about somebody" in about.text


async def test_a_list_is_opened_signed_in_another_browser_and_handed_over(tmp_path):
    async with Network(tmp_path) as net:
        author, friend, other = await net.members("one", "two", "three")
        zainab = await join(author, "Zainab (exercise)", "case_worker", "coordinator")
        karwan = await join(friend, "Karwan (exercise)", "coordinator")
        said = await author.publish(**OURS)
        await wait_until(lambda: friend.holds(said), "it is held")
        assert (await karwan.get(place(said) + "/act/endorse")).status == 409, "nobody is asked"
        assert (await zainab.post(place(said) + "/act/sign-on", {"closes": "2026-12-20"})).status == 303
        assert (await zainab.post(place(said) + "/act/deliver", {"to": "EXERCISE"})).status == 409
        await wait_until(lambda: friend.head(author.did) == author.head(author.did), "they are asked")
        ask = (await karwan.get(place(said) + "/act/endorse")).text
        assert "exactly this text" in ask and "Withheld" in ask
        assert (await karwan.post(place(said) + "/act/endorse", {"withheld": "no"})).status == 303
        assert "Take our name off" in (await karwan.get(place(said))).text
        friend.node.delivery.wake()
        await wait_until(lambda: author.head(friend.did) == friend.head(friend.did), "it is signed")
        assert "1 organisation has signed" in (await zainab.get(place(said))).text
        assert (await zainab.post(place(said) + "/act/deliver", {"to": "EXERCISE an envoy"})).status == 303
        assert "EXERCISE an envoy" in (await author.get(page_of(said))).text
        trusted = {"member": [friend.did, other.did], "threshold": "2"}
        one = await zainab.post(place(said) + "/act/custody", {**trusted, "member": [friend.did]})
        assert one.status == 409
        assert (await zainab.post(place(said) + "/act/custody", trusted)).status == 303
        assert "2 of these can withdraw it together" in (await zainab.get(place(said))).text


async def test_a_sealed_alert_has_a_board_and_an_end_of_its_own(tmp_path):
    async with Network(tmp_path) as net:
        house, friend, other = await net.members("one", "two", "three")
        zainab = await join(house, "Zainab (exercise)", "coordinator", "author")
        said = await publish_sealed(house, exclude={"members": [other.did]})
        await wait_until(lambda: held(friend, said), "it is there")

        async def board():
            return "Held by 1 of 1 member" in (await zainab.get(place(said) + "/board")).text

        await wait_until(board, "who it is for has it, and nobody else is on the board")
        assert other.organisation.name not in zainab.seen[-1].text
        assert "For members only" in (await zainab.get("/desk/alerts/in/members")).text
        assert (await house.get("/alerts/" + page_name(said))).status == 404
        assert (await zainab.post(place(said) + "/act/withdraw")).status == 303
        await wait_until(lambda: held(friend, said) is None, "it is gone")


async def test_a_script_that_looks_at_a_board_keeps_no_session_alive(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("one")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        said = await house.publish(**OURS)
        await zainab.sign_in(shared=True)
        assert (await zainab.get(place(said))).status == 200
        net.clock.forward(timedelta(minutes=3))
        assert (await zainab.get(place(said) + "/board")).status == 200
        net.clock.forward(timedelta(minutes=3))
        assert "/desk/sign-in" in (await zainab.get(place(said) + "/board")).headers["location"]

"""Alerts at the desk after they are published: who has them, what is done with them, and what is asked first."""


from node.models import coverages
from tests.support.desk import join
from tests.support.fediverse import Host
from tests.support.network import Network, page_of, wait_until

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

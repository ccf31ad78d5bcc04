"""The page of evidence: whoever is not listed is not named."""

import json

from node.evidence import Evidence
from node.models import contacts, documents
from tests.support.network import Network, wait_until
from tests.test_flow_together import declare


async def see(house, *seen, by=""):
    def write(connection):
        for each in seen:
            documents.keep_evidence(connection, house.did, each, house.clock(), by=by)

    await house.write(write)


async def unlist(house, did):
    def write(connection):
        connection.execute(contacts.members.update().where(contacts.members.c.did == did).values(listed=False))

    await house.write(write)


async def list_(house, did):
    await house.write(
        lambda connection: connection.execute(
            contacts.members.update().where(contacts.members.c.did == did).values(listed=True)
        )
    )


async def test_with_nothing_seen_the_page_says_so(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        assert "Nothing of the kind was seen." in (await a.get("/evidence?lang=en")).text
        assert (await a.get("/evidence/1")).status == 404
        assert (await a.get("/evidence/x")).status == 404


async def test_it_names_listed_members_and_counts_the_others(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await list_(a, b.did)
        await unlist(a, c.did)
        named = Evidence("withheld", b.did, b.organisation.host, "claimed head 1/9, did not supply it")
        hidden = Evidence("forged", c.did, c.organisation.host, "an entry that does not hold")
        await see(a, named, hidden)
        await see(a, named, by=c.did)
        page = await a.get("/evidence?lang=en")
        assert page.status == 200
        assert "Entries were withheld" in page.text
        assert "Seen by this node" in page.text
        assert "Told by 1 member organisation" in page.text
        assert "1 finding is about an organisation that is not named here." in page.text
        assert c.did not in page.text and c.organisation.host not in page.text
        assert "قيود حُجبت" in (await a.get("/evidence?lang=ar")).text
        found = json.loads((await a.get("/evidence/1")).body)
        assert (found["fault"], found["about"], found["proven"], found["by"]) == ("withheld", b.did, False, a.did)
        assert (await a.get("/evidence/2")).status == 404, "the document about an unlisted member is nobody's to read"


async def test_a_key_that_members_declare_frozen_bears_a_banner_on_every_page_of_its_owner(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the alert is there")
        await declare(b, a.did, 2)
        banner = "1 member organisation declares that this organisation"
        await list_(b, a.did)
        for path in ("/", "/members", "/alerts", "/alerts/" + said.url.rpartition("/")[2], f"/organisations/{a.did}"):
            assert banner in (await b.get(path + "?lang=en")).text, path


async def test_one_members_word_accuses_nobody_and_a_former_members_none(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c, d = await net.members("a", "b", "c", "d")
        await wait_until(lambda: c.head(a.did) == d.head(a.did) == (1, 1), "known")
        await declare(b, a.did, 1)
        await wait_until(lambda: d.head(b.did) == (1, 2) and a.head(b.did) == (1, 2), "one word is there")
        banner = "no longer to be trusted"
        for house in (a, d):
            assert banner not in (await house.get("/?lang=en")).text
            assert banner not in (await house.get(f"/organisations/{a.did}?lang=en")).text
        await declare(c, a.did, 1)
        await wait_until(lambda: a.head(c.did) == (1, 2), "the second is there")
        own = f"/@{a.organisation.handle}?lang=en"
        assert "2 member organisations declare" in (await a.get(own)).text
        await a.write(lambda connection: contacts.set_state(connection, a.did, b.did, contacts.FORMER))
        assert banner not in (await a.get(own)).text

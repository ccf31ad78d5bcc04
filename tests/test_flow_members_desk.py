"""Pinned organisations and evidence at the desk: pinned after two presses, frozen, removed; what was refused."""

import re
from datetime import timedelta

from node import evidence
from node.evidence import Evidence
from node.models import approvals, audit, contacts, documents, organisations, queues
from node.models.queues import Incoming
from tests.support.desk import join
from tests.support.network import Network, wait_until

PAGE = "/desk/members"
SURE = {"sure": "yes"}


async def test_a_coordinator_pins_after_the_words_were_compared_and_nobody_else_does(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.house("one"), await net.house("two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        karwan = await join(one, "Karwan (exercise)", "administrator", by=zainab)
        hana = await join(one, "Hana (exercise)", "author")
        assert "No organisation is pinned yet" in (await zainab.get(PAGE)).text
        assert (await hana.get(PAGE)).status == 403, "nobody has confirmed her"
        address = two.organisation.address
        assert (await karwan.post(PAGE, {"do": "look", "name": address})).status == 403
        found = await zainab.post(PAGE, {"do": "look", "name": address})
        assert found.status == 200 and two.did in found.text and one.member(two.did) is None
        form = {"do": "pin", "name": address, "did": two.did}
        assert (await zainab.post(PAGE, form)).status == 409, "the words were not compared"
        wrong = await zainab.post(PAGE, {**form, "did": one.did, "compared": "yes"})
        assert wrong.status == 409 and "nothing was pinned" in wrong.text and one.member(two.did) is None
        assert (await zainab.post(PAGE, {**form, "compared": "yes"})).status == 303
        assert one.member(two.did).state == contacts.MEMBER
        page = await zainab.get(f"{PAGE}/{two.did}")
        assert re.search(r"Six words</dt><dd><bdi[^>]*>([a-z ]+)<", page.text)[1] in found.text
        assert 'name="do"' not in (await karwan.get(f"{PAGE}/{two.did}")).text
        gone = await zainab.post(PAGE, {"do": "look", "name": "@nobody@127.77.9.9:1"})
        assert gone.status == 409 and "could not be reached" in gone.text
        assert (await zainab.get(f"{PAGE}/did:key:z6MkNobody")).status == 404
        net.clock.forward(timedelta(minutes=11))
        assert "Show your second factor first" in (await zainab.get(PAGE)).text
        assert (await zainab.post(PAGE, {"do": "look", "name": address})).status == 303, "it is fresh no more"


async def test_trust_is_taken_back_and_given_again_at_the_desk(tmp_path):
    async with Network(tmp_path) as net:
        one, two, three = await net.members("one", "two", "three")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        said = await two.publish()
        await wait_until(lambda: one.head(two.did) == two.head(two.did), "the alert is there")
        path = f"{PAGE}/{two.did}"
        assert await one.holds(said)
        form = {"do": "freeze", "after": "1"}
        assert (await zainab.post(path, form)).status == 409, "it was not ticked that it is meant"
        assert (await zainab.post(path, {**form, **SURE, "after": "-1"})).status == 409
        assert (await zainab.post(path, {**form, **SURE, "tell": "yes"})).status == 303
        assert not await one.holds(said) and one.member(two.did).frozen_sequence == 1
        shown = (await zainab.get(path)).text
        assert "Nothing after entry 1 is believed" in shown and "Take our word back" in shown
        await wait_until(lambda: three.head(one.did) == one.head(one.did), "the others are told")
        address = two.organisation.address
        again = {"do": "pin", "name": address, "did": two.did, "compared": "yes"}
        assert (await zainab.post(PAGE, again)).status == 409
        assert one.member(two.did).frozen_sequence == 1, "pinning anew lifts no freeze"
        assert (await zainab.post(path, {"do": "unfreeze", **SURE})).status == 303
        assert await one.holds(said) and one.member(two.did).frozen is None
        assert (await zainab.post(PAGE, {"do": "quorum", "quorum": "٣"})).status == 303
        assert one.read(lambda connection: organisations.get(connection, one.did)).quorum == 3
        assert (await zainab.post(PAGE, {"do": "quorum", "quorum": "0"})).status == 409
        assert (await zainab.post(PAGE, {"do": "standbys", "did": [two.did, three.did]})).status == 303
        assert set(one.read(lambda connection: approvals.standbys_of(connection, one.did))) == {two.did, three.did}
        assert (await zainab.post(path, {"do": "confirm", **SURE})).status == 409, "no withdrawal waits"
        assert (await zainab.post(path, {"do": "remove", **SURE})).status == 303
        assert one.member(two.did).state == contacts.FORMER
        acts = [each.act for each in one.read(lambda connection: audit.all_of(connection, one.did))]
        wanted = ["trust.freeze", "trust.unfreeze", "trust.quorum", "settings", "trust.remove"]
        assert acts[-len(wanted) :] == wanted


async def test_evidence_refusals_and_reports_are_listed_with_their_rule_and_never_a_body(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        karwan = await join(one, "Karwan (exercise)", "administrator", by=zainab)
        assert "Nothing of the kind was seen" in (await zainab.get("/desk/evidence")).text

        def fill(connection):
            seen = Evidence(evidence.WITHHELD, two.did, "host.example", "EXERCISE: entry 4 is missing")
            documents.keep_evidence(connection, one.did, seen, one.clock())
            for number in range(21):
                body = b'{"type": "Create", "content": "EXERCISE secret words"}'
                row = Incoming(
                    0, "", one.clock(), f"https://x.example/{number}", bytes([number]) * 32, body, "", "", None,
                    f"host{number}.example",
                )  # fmt: skip
                queues.note_refused(connection, row, "FEP-fe34", "the owner is of another origin")
            documents.report(connection, one.did, "Flag", "https://x.example/actor", "ap://nothing", one.clock())

        await one.write(fill)
        page = (await zainab.get("/desk/evidence")).text
        assert "Entries were withheld" in page and "What to do:" in page and "EXERCISE: entry 4" in page
        document = await zainab.get(re.search(r'href="(/desk/evidence/\d+/document)"', page)[1])
        assert document.json()["about"] == two.did
        refused = (await zainab.get("/desk/evidence/refusals")).text
        assert "FEP-fe34" in refused and "Create" in refused and "host20.example" in refused
        assert "host0.example" not in refused and "secret words" not in refused
        assert "host0.example" in (await zainab.get("/desk/evidence/refusals/page/2")).text
        assert (await zainab.get("/desk/evidence/refusals/page/3")).status == 404
        assert "x.example/actor" in (await zainab.get("/desk/evidence/reports")).text
        for path in ("/desk/evidence", "/desk/evidence/refusals", "/desk/evidence/1/document"):
            assert (await karwan.get(path)).status == 403, "only who looks after trust reads it"
            assert (await one.get(path)).status == 303

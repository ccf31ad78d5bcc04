"""Against the desk: one who speaks twice, one who is disabled half-way, and texts other than those that were shown."""

import asyncio
import re
from dataclasses import replace
from urllib.parse import urlencode

import orjson
import pytest

from node import alerts as alert_rules
from node import approvals as rules
from node.approvals import Facts, Request, Word
from node.desk import approvals as desk
from node.desk import people
from node.effects import Accept
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.protocol import sealing
from node.models import approvals as rows
from node.models import rooms
from node.people import NETWORK
from tests.support.alert_examples import PLACE
from tests.support.desk import join, room_secrets
from tests.support.letters import Portable, pin
from tests.support.network import NOON, Network, example, wait_until
from tests.support.pictures import camera, developed
from tests.test_flow_approval_pages import TICKS, digest_in
from tests.test_flow_approvals import TICKED, ask, named, office, speak, state

OWN, SISTER, OTHER = "did:key:zOwn", "did:key:zSister", "did:key:zOther"
REQUEST = Request("r", "shell", "zDigest", 2, True, frozenset(), rules.WAITING, True, NOON)


def said(org: str, by: str) -> Word:
    return Word(org, by, rules.YES, "zDigest", TICKED, "", NOON)


def test_a_sister_is_one_word_whatever_names_it_speaks_under():
    first, second = said(SISTER, "one"), said(SISTER, "two")
    assert not rules.is_enough(REQUEST, (first, second), OWN)
    assert not isinstance(rules.decide(REQUEST, (first,), second, Facts(OWN, True, True, NOON)), Accept)
    no = replace(second, verdict=rules.NO, reason="EXERCISE")
    assert isinstance(rules.decide(REQUEST, (first,), no, Facts(OWN, True, True, NOON)), Accept)
    assert rules.is_enough(REQUEST, (first, said(OWN, "hana")), OWN)
    assert rules.is_enough(replace(REQUEST, sister=False), (said(OWN, "hana"), said(OWN, "karwan")), OWN)
    assert rules.is_enough(REQUEST, (first, said(OTHER, "x")), OWN)


async def test_nothing_that_opens_a_text_stays_on_the_disk_after_it_went_out(tmp_path):
    async with Network(tmp_path) as network:
        house, other = await network.members("one", "two")
        boss = await join(house, "Zainab (exercise)", "coordinator")
        hana = await join(house, "Hana (exercise)", "approver", by=boss)
        request = await ask(house, example(status="actual", audience="network"))
        assert await speak(house, hana, request.id) == rules.READY
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is sent")
        await wait_until(lambda: b"AGE-SECRET-KEY-1" not in house.files(), "what opened it is gone from every file", 5)


async def test_who_copied_the_operators_key_reads_nothing_that_comes_when_people_are_there(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("a")
        keyring = house.node.keyring
        await house.write(lambda connection: rooms.ensure_network_room(connection, house.did, keyring, house.clock()))
        copied = keyring.network(house.did).secret
        before = sealing.seal(b"EXERCISE before", (rooms_public(house),))
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        later = sealing.seal(b"EXERCISE later", (rooms_public(house),))
        with pytest.raises(ProtocolError, match="not to us"):
            sealing.open_sealed(later, (copied,))
        secrets = room_secrets(house, zainab, NETWORK)
        found = [sealing.open_sealed(each, secrets) for each in (before, later)]
        assert found == [b"EXERCISE before", b"EXERCISE later"]


def rooms_public(house):
    return house.read(lambda connection: rooms.recipient(connection, house.did, NETWORK))


async def test_what_waits_for_its_hour_goes_back_when_who_approved_it_is_disabled(tmp_path):
    async with Network(tmp_path) as network:
        house, boss, (karwan, hana) = await office(network, "one")
        await house.stop()
        await house.start(workers=False)
        request = await ask(house, example(status="actual", urgency="expected"), spread=True)
        await speak(house, hana, request.id)
        assert await speak(house, karwan, request.id) == rules.READY
        await house.write(
            lambda connection: people.disable(connection, house.organisation, karwan.id, house.clock(), losing=True)
        )
        row = house.read(lambda connection: rows.find(connection, house.did, request.id))
        assert (row.request.state, row.release, row.due) == (rules.WAITING, None, None)
        sara = await join(house, "Sara (exercise)", "approver", by=boss)
        await hana.post("/desk/rooms/grant", {"person": sara.id, "room": "approvals"})
        assert await speak(house, sara, request.id) == rules.READY


async def test_a_form_that_began_before_its_sender_was_disabled_does_nothing(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        request = await ask(house, example(status="actual"))
        path = f"/desk/approvals/{request.id}"
        page = (await hana.get(path)).text
        body = urlencode({"word": "yes", "digest": digest_in(page), "form": hana.token, **TICKS}).encode()
        cookies = "; ".join(f"{name}={value}" for name, value in hana.cookies.items())
        lines = [
            f"POST {path} HTTP/1.1", f"Host: {house.organisation.host}", f"Origin: {house.origin}",
            f"Cookie: {cookies}", "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}",
            "Connection: close", "", "",
        ]  # fmt: skip
        reader, writer = await asyncio.open_connection(*house.places[0])
        writer.write("\r\n".join(lines).encode() + body[:10])
        await writer.drain()
        await asyncio.sleep(0.2)
        await house.write(
            lambda connection: people.disable(connection, house.organisation, hana.id, house.clock(), losing=True)
        )
        writer.write(body[10:])
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 409")
        assert house.read(lambda connection: rows.words_of(connection, house.did, request.id)) == ()


PLANTED = {
    "headline": "EXERCISE-1", "narrative": "EXERCISE-2", "link_to_work": "EXERCISE-3", "demands": ["EXERCISE-4"],
    "do_not": ["EXERCISE-5"], "company_or_project": "EXERCISE-6", "drivers": ["exercise-7"],
    "violation_types": ["exercise-8"], "relation_to_network": "exercise-9", "actions": ["share"],
    "verification": {"level": "exercise-a"},
    "targets": [{
        "office": "EXERCISE-b", "country": "XX", "language": "ar", "body": "EXERCISE-c", "honorific": "EXERCISE-d",
        "public_contacts": True,
        "contacts": {
            "email": "exercise-e@example.org", "post": "EXERCISE-f", "web": "https://exercise-g.example/",
            "fax": "+1 555 0100", "phone": "SECRET",
        },
    }],
    "media": [{"file": "SECRET.jpg", "alt": "EXERCISE-h", "people": "none", "consent": True, "rights": "SECRET"}],
    "deadline": "2027-01-14T12:00:00Z", "translations": {},
}  # fmt: skip


async def test_whoever_approves_sees_every_word_that_will_be_public(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (_, hana) = await office(network, "one")
        value = example(status="actual", **PLANTED)
        request = await ask(house, value, replaces="ap+ef61://exercise/objects/1", pictures=[developed(camera(1))])
        page = (await hana.get(f"/desk/approvals/{request.id}")).text
        note = orjson.dumps(alert_rules.render(alert_rules.parse_input(value), "ar", PLACE)).decode()
        public = set(re.findall(r"(?i)exercise-[0-9a-h]", note)) | {"+1 555 0100", "2027-01-14", "EXERCISE-h"}
        assert len(public) == 19
        assert {each for each in public if each not in page} == set()
        assert "ap+ef61://exercise/objects/1" in page
        assert "SECRET" not in page


async def test_nothing_goes_out_but_the_text_whose_digest_was_approved(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        await house.stop()
        await house.start(workers=False)
        request = await ask(house, example(status="actual"))
        await speak(house, hana, request.id)
        await speak(house, karwan, request.id)

        def swap(connection):
            row = rows.find(connection, house.did, request.id)
            other = {"alert": example(status="actual", headline="EXERCISE: another"), "replaces": "", "before": None}
            package = sealing.seal(orjson.dumps(other), [sealing.load(row.release).public])
            changed = replace(row, package=package)
            said = desk.publish_due(connection, house.organisation, house.key, changed, house.node.storage, NOON)
            return said, rows.find(connection, house.did, request.id)

        said, row = await house.write(swap)
        assert said is None
        assert row.request.state == rules.REFUSED
        assert "another text" in row.outcome


async def test_an_emergency_counts_as_looked_at_only_by_a_sisters_word_on_that_text(tmp_path):
    async with Network(tmp_path) as network:
        house, sister = await network.members("one", "two")
        boss = await join(house, "Zainab (exercise)", "coordinator")
        hana = await join(house, "Hana (exercise)", "approver", by=boss)
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [sister.did], house.clock())
        )
        request = await ask(house, named())
        await speak(house, hana, request.id)
        secrets = room_secrets(house, hana, "approvals")
        await house.write(
            lambda connection: desk.override(
                connection, house.organisation, house.key, hana.person, request.id, "EXERCISE: taken away right now",
                secrets, house.clock(), fresh=True,
            )
        )  # fmt: skip
        bare = {"request": request.id, "reason": "", "by": "x", "release": "", "ticks": []}

        async def answer(**changes):
            body = {**bare, "digest": request.digest, "verdict": "yes", "ticks": list(TICKED), **changes}
            before = house.received()["accepted"]
            await sister.write(
                lambda connection: letters.send(
                    connection, sister.organisation, sister.key, "approval-answer", request.id, body, (house.did,),
                    sister.clock(), token=outbox.token(),
                )
            )  # fmt: skip
            sister.node.delivery.wake()
            await wait_until(lambda: house.received()["accepted"] > before, "it came")
            return house.read(lambda connection: rows.find(connection, house.did, request.id)).review_by

        assert await answer(verdict="perhaps") is not None
        assert await answer(digest="zOther") is not None
        assert await answer(ticks=["name"]) is not None
        assert await answer() is None


async def test_one_sister_who_takes_her_keys_away_stops_neither_an_alert_nor_an_emergency(tmp_path):
    async with Network(tmp_path) as network:
        house, sister = await network.members("one", "two")
        ghost = Portable("ghost", "ghost.example")
        await pin(house, ghost)
        boss = await join(house, "Zainab (exercise)", "coordinator")
        hana = await join(house, "Hana (exercise)", "approver", by=boss)
        both = [ghost.did, sister.did]
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, both, house.clock())
        )
        request = await ask(house, named())
        await speak(house, hana, request.id)
        secrets = room_secrets(house, hana, "approvals")
        row = await house.write(
            lambda connection: desk.override(
                connection, house.organisation, house.key, hana.person, request.id, "EXERCISE: taken away right now",
                secrets, house.clock(), fresh=True,
            )
        )  # fmt: skip
        assert row.request.state == rules.READY
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [ghost.did], house.clock())
        )
        with pytest.raises(RefusedError, match="published a key"):
            await ask(house, named())

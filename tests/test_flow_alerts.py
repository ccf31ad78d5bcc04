"""An alert goes round: it arrives, it can be proved, it outlives its node; and what may not go round does not."""

import json
from datetime import timedelta

import pytest

from node import bundles
from node.commands.proof import _verify_one
from node.federation.protocol import ids
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.messages import parse_document
from node.models import alerts, deliveries, documents, logs
from tests.support.fediverse import Host, post_as
from tests.support.network import Network, page_of, path_of, said_by, wait_until

ACTIVITY = "application/activity+json"
MARK = "ghazalmark"


async def test_an_alert_reaches_every_member_and_outlives_its_node(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await a.publish(status="actual")
        for house in (b, c):
            await wait_until(lambda house=house: house.head(a.did) == (1, 3), "the alert and its translation are held")
            (record,) = house.read(lambda connection, did=house.did: alerts.newest(connection, did))
            assert (record.object_id, record.did, record.status) == (said.portable_id, a.did, "actual")
            assert record.via in (a.organisation.host, b.organisation.host, c.organisation.host)
        activity = next(each for each in a.entries(a.did) if each.object_id == said.portable_id)
        uri = ids.portable(activity.activity_id).at(a.origin)
        paths = [path_of(said.id), path_of(uri), path_of(a.organisation.uri)]
        paths.append(f"/.well-known/apgateway/{a.did}/log/1/1")
        original = {path: (await a.get(path, Accept=ACTIVITY)).body for path in paths}
        await a.stop()
        for house in (b, c):
            for path in paths:
                answer = await house.get(path, Accept=ACTIVITY)
                assert (answer.status, answer.body) == (200, original[path])
            for path in paths[:3]:
                assert _verify_one(parse_document(original[path]))["author"] == a.did
            arabic = await house.get(page_of(said), Accept="text/html", Accept_Language="ar")
            english = await house.get(page_of(said), Accept="text/html", Accept_Language="en")
            assert '<html lang="ar" dir="rtl"' in arabic.text
            assert '<html lang="en" dir="ltr"' in english.text
            assert "احتجاز مدافعة" in arabic.text
            assert "احتجاز مدافعة" in english.text
            posted = await post_as(house, house.origin + paths[2] + "/inbox", b"{}")
            assert posted.status == 404


async def test_an_exercise_goes_to_members_only(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        elsewhere = await Host(net, 1, "amal", "badr").start()
        for name in elsewhere.names:
            assert (await elsewhere.follow(name, a)).status == 202
        await wait_until(lambda: len(elsewhere.got("Accept")) == 2, "the follows are accepted")
        before = len(elsewhere.deliveries)
        drill = await a.publish(status="exercise", headline="Exercise headline of nobody")
        await wait_until(lambda: b.holds(drill), "the exercise is with the member")
        outbox = f"{path_of(a.organisation.uri)}/outbox"
        first = (await a.get(outbox)).json()["first"]
        page = await a.get(path_of(first))
        assert drill.id not in page.text
        assert [each["type"] for each in page.json()["orderedItems"]] == ["Update"]
        assert "Exercise headline" not in (await a.get("/", Accept_Language="en")).text
        said = await a.publish(status="actual")
        await wait_until(lambda: elsewhere.got("Create"), "the actual alert is with the followers")
        await wait_until(lambda: b.head(a.did) == (1, 5), "the member has everything")
        assert len(elsewhere.deliveries) == before + 1
        (create,) = elsewhere.got("Create")
        assert elsewhere.deliveries[-1].path == "/inbox"
        assert create["object"]["id"] == said.id
        assert create["proof"]["verificationMethod"] == a.organisation.uri + "#ed25519-key"
        assert list(create["object"]["contentMap"]) == ["ar"]
        listed = (await a.get(path_of(first))).json()["orderedItems"]
        assert [each["type"] for each in listed] == ["Create", "Create", "Update"]


async def test_what_is_the_organisations_own_stands_in_no_federated_byte(tmp_path):
    hidden = {
        "sources": [{"kind": "witness", "note": f"{MARK}-source"}],
        "case_id": f"{MARK}-case",
        "place_full": f"{MARK}-place",
        "publicity_risk": f"{MARK}-risk",
        "notes": f"{MARK}-notes",
        "verification": {"level": "two-independent", "by": f"{MARK}-verifier"},
        "consent": {
            "given_by": "self", "how": f"{MARK}-how", "level": "public-anonymised", "valid_until": "2027-06-30",
            "excluded": [f"{MARK}-excluded"], "witness": f"{MARK}-consent",
        },
        "targets": [
            {"office": "Exercise office", "country": "XX", "language": "ar"}
            | {
                name: f"{MARK}-{name}"
                for name in ("email", "phone", "fax", "post", "social", "name", "last_verified")
            }
        ],
        "subjects": [
            {
                "name": f"{MARK} subject", "kind": "person", "publication_level": level, "public_name": public,
                "role": f"{MARK}-role", "gender": f"{MARK}-gender", "organisation": f"{MARK}-organisation",
                "contact": f"{MARK}-contact", "notes": f"{MARK}-subject-notes",
                "consent": {
                    "given_by": "family", "how": f"{MARK}-how", "level": "public-anonymised",
                    "valid_until": "2027-06-30", "witness": f"{MARK}-consent",
                },
            }
            for level, public in (("withheld", ""), ("pseudonym", "Cedar"))
        ],
    }  # fmt: skip
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        elsewhere = await Host(net, 1, "amal").start()
        await elsewhere.follow("amal", a)
        await wait_until(lambda: elsewhere.got("Accept"), "the follow is accepted")
        said = await a.publish(status="actual", **hidden)
        await a.publish(status="exercise", **hidden)
        await a.update(said.id, status="actual", **hidden)
        await a.correct(said.id, "Exercise: a date was wrong")
        await wait_until(lambda: len(elsewhere.got("Update")) == 2, "the follower has everything")
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "the member has everything")
        for house in (a, b):
            for path in ("/", "/alerts", page_of(said), "/members", f"/organisations/{a.did}"):
                await house.get(path, Accept="text/html")
            for entry in house.entries(a.did):
                await house.get(path_of(ids.portable(entry.activity_id).at(a.origin)))
                await house.get(path_of(ids.portable(entry.object_id).at(a.origin)))
            await house.get(f"/.well-known/apgateway/{a.did}/log/1/1")
            await house.get(f"/.well-known/apgateway/{a.did}/actor/outbox/9/9")
        everything = [*a.exchanges, *b.exchanges, *elsewhere.served.exchanges]
        assert sum(each.status == 200 for each in everything) > 40
        assert any(b"Cedar" in each.answer for each in everything)
        assert not [each.path for each in everything if MARK.encode() in each.body + each.answer]


async def test_a_withdrawn_alert_is_gone_everywhere_and_does_not_come_back(tmp_path):
    async with Network(tmp_path, interval=1) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await a.publish(status="actual", headline=f"Exercise {MARK}", translations={})
        for house in (b, c):
            await wait_until(lambda house=house: house.holds(said), "the alert is there")
        (create,) = [each for each in a.entries(a.did) if each.object_id == said.portable_id]
        uri = path_of(ids.portable(create.activity_id).at(a.origin))
        await a.withdraw(said.id)
        for house in (b, c):
            await wait_until(lambda house=house: house.head(a.did) == (1, 3), "the withdrawal is there")
        missing = (await a.get("/alerts/0000000000000000", Accept_Language="en")).text
        for house in (a, b, c):
            page = await house.get(page_of(said), Accept="text/html", Accept_Language="en")
            nothing = await house.get("/alerts/0000000000000000", Accept="text/html", Accept_Language="en")
            assert page.status == 410
            assert page.text.replace(page_of(said), "") == nothing.text.replace("/alerts/0000000000000000", "")
            assert (await house.get(path_of(said.id), Accept=ACTIVITY)).status == 410
            assert (await house.get(uri, Accept=ACTIVITY)).status == 410
            assert MARK not in (await house.get("/alerts")).text + (await house.get("/")).text
            lines = (await house.get(f"/.well-known/apgateway/{a.did}/log/1/1")).body.split(b"\n")
            assert json.loads(lines[1]) == {"stub": create.header.value()}
            assert len(lines) == 3
        assert missing
        await _replay(a, b, create.raw, b.origin + "/inbox")
        net.clock.forward(timedelta(hours=72, minutes=1))
        for house in (a, b, c):
            await wait_until(
                lambda house=house: house.entries(a.did)[1].state == logs.STUB and MARK.encode() not in house.files(),
                "the bytes are destroyed",
            )
        await b.stop()
        await b.start()
        await _replay(a, b, create.raw, b.organisation.uri + "/inbox")
        await wait_until(b.node.database.scrub, "the write-ahead log is written back")
        assert MARK.encode() not in b.files()
        assert [each.state for each in b.entries(a.did)] == [logs.HELD, logs.STUB, logs.HELD]


async def _replay(a, b, raw, inbox):
    """The old Create comes once more: by push from a member, and in a bundle."""
    assert (await post_as(a, inbox, raw)).status == 202
    await wait_until(lambda: b.received()["waiting"] == 0, "it was judged")
    assert bundles.in_order(bundles.parse(bundles.render([raw], b.clock())))[0].activity.raw == raw
    assert (await b.take(raw)).new is False
    object_id = parse_activity(parse_document(raw)).object_id
    held = b.read(lambda connection: documents.stored(connection, b.did, object_id))
    assert (held.state, held.raw) == (documents.GONE, None)


async def test_changes_reach_everyone_and_old_ones_change_nothing(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", headline="Exercise: first words", translations={})
        await wait_until(lambda: b.holds(said), "the alert is there")
        await a.update(said.id, status="actual", headline="Exercise: second words", translations={})
        await wait_until(lambda: b.head(a.did) == (1, 3), "the update is there")
        assert "second words" in (await b.get(page_of(said), Accept_Language="en")).text
        await a.correct(said.id, "Exercise: the date was wrong")
        await wait_until(lambda: b.head(a.did) == (1, 4), "the correction is there")
        assert "the date was wrong" in (await b.get(page_of(said), Accept_Language="en")).text
        await a.close(said.id, "Exercise: released")
        await wait_until(lambda: b.head(a.did) == (1, 5), "the end is there")
        page = (await b.get(page_of(said), Accept_Language="en")).text
        assert "Exercise: released" in page
        assert "first words" not in page
        third = a.entries(a.did)[2]
        await post_as(a, b.origin + "/inbox", third.raw)
        await wait_until(lambda: b.received()["waiting"] == 0, "it was judged")
        assert (await b.get(page_of(said), Accept_Language="en")).text == page


async def test_a_late_older_update_does_not_replace_a_newer_one(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        b = await net.house("b")
        await b.pin(a)
        said = await a.publish(status="actual", headline="Exercise: first words", translations={})
        for words in ("second", "third"):
            await a.update(said.id, status="actual", headline=f"Exercise: {words} words", translations={})
        entries = a.entries(a.did)
        for number in (0, 1, 3, 2):
            assert (await post_as(a, b.origin + "/inbox", entries[number].raw)).status == 202
            await wait_until(lambda number=number: len(b.entries(a.did)) > 0, "kept")
            await wait_until(lambda: b.received()["waiting"] == 0, "judged")
        assert b.head(a.did) == (1, 4)
        assert "third words" in (await b.get(page_of(said), Accept_Language="en")).text


async def test_an_id_is_not_taken_over_by_another_author(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        said = await a.publish(status="actual", translations={})
        for house in (b, c):
            await wait_until(lambda house=house: house.holds(said), "the alert is there")
        before = (await c.get(path_of(said.id), Accept=ACTIVITY)).body
        stolen = json.loads(before)
        del stolen["proof"]
        for author in (b.organisation.uri, a.organisation.uri):
            note = {**stolen, "attributedTo": author, "content": "<p>taken</p>"}
            del note["@context"]
            body = said_by(b, "Update", note)
            answer = await post_as(b, c.origin + "/inbox", body)
            assert answer.status in (202, 401, 403)
        await wait_until(lambda: c.received()["waiting"] == 0, "it was judged")
        assert c.received()["refused"] == 2
        assert (await c.get(path_of(said.id), Accept=ACTIVITY)).body == before


@pytest.mark.parametrize("status", ["exercise", "test"])
async def test_a_drill_that_is_withdrawn_reaches_no_follower_either(tmp_path, status):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        elsewhere = await Host(net, 1, "amal").start()
        await elsewhere.follow("amal", a)
        await wait_until(lambda: elsewhere.got("Accept"), "the follow is accepted")
        said = await a.publish(status=status, translations={})
        await wait_until(lambda: b.holds(said), "the member has it")
        await a.update(said.id, status=status, translations={}, headline="Exercise: other words")
        await a.withdraw(said.id)
        await wait_until(lambda: b.head(a.did) == (1, 4), "the member has everything")
        await wait_until(lambda: not a.node.delivery._underway, "nothing is under way")
        assert [json.loads(each.body)["type"] for each in elsewhere.deliveries] == ["Accept"]


async def test_a_follower_who_was_away_gets_no_alert_that_was_withdrawn_meanwhile(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        elsewhere = await Host(net, 1, "amal").start()
        await elsewhere.follow("amal", a)
        await wait_until(lambda: elsewhere.got("Accept"), "the follow is accepted")
        elsewhere.answer = lambda request: (503, {"Retry-After": "60"})
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: len(elsewhere.deliveries) == 2, "tried once")
        await a.withdraw(said.id)
        await wait_until(lambda: len(elsewhere.deliveries) == 3, "its Delete was tried once")
        await wait_until(lambda: _settled(a), "and that is written down")
        elsewhere.answer = lambda request: (202, {})
        net.clock.forward(timedelta(hours=1))
        a.node.delivery.wake()
        await wait_until(lambda: elsewhere.got("Delete"), "its Delete came")
        assert elsewhere.got("Create") == []


def _settled(house):
    table = deliveries.deliveries
    claimed = table.select().where(table.c.state == "waiting", table.c.lease.is_not(None))
    return house.read(lambda connection: connection.execute(claimed).first()) is None

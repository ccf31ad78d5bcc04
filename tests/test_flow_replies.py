"""Replies to an alert through whole nodes: held, sealed, read by those whose duty it is, judged, and destroyed."""

import json
import logging
import re
import zipfile
from datetime import timedelta
from io import BytesIO

import pyrage

from node import replies as rules
from node.federation.protocol import sealing
from node.federation.replies import FULL
from node.models import audit, documents
from node.models import replies as rows
from tests.support.desk import join
from tests.support.fediverse import AS2, Host
from tests.support.network import Network, page_of, wait_until

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
WORDS = "zq-we-know-where-you-live"


def create(host, name, parent, number=1, kind="Create", text=WORDS, **changes):
    """A reply as Mastodon sends it. `parent`: the id of an alert."""
    actor = host.uri(name)
    note = {
        "id": f"{actor}/statuses/{number}",
        "type": "Note",
        "summary": None,
        "inReplyTo": parent,
        "published": "2026-11-20T12:00:00Z",
        "url": f"{host.origin}/@{name}/{number}",
        "attributedTo": actor,
        "to": [PUBLIC],
        "cc": [actor + "/followers"],
        "sensitive": False,
        "content": f"<p>EXERCISE {text}<br>and more</p>",
        "contentMap": {"en": f"<p>EXERCISE {text}<br>and more</p>"},
        "attachment": [],
        "tag": [],
        **changes,
    }
    return {
        "@context": AS2, "id": f"{actor}/statuses/{number}/{kind.lower()}", "type": kind, "actor": actor,
        "published": note["published"], "to": note["to"], "cc": note["cc"], "object": note,
    }  # fmt: skip


def counted(house):
    return house.read(lambda connection: rows.counts(connection, house.did))


async def deliver(host, name, house, activity):
    return (await host.post(name, house.origin + "/inbox", activity)).status


async def office(net):
    house = await net.house("one")
    boss = await join(house, "Zainab (exercise)", "coordinator")
    sara = await join(house, "Sara (exercise)", "case_worker", by=boss)
    hana = await join(house, "Hana (exercise)", "approver", by=boss)
    said = await house.publish(status="actual", translations={}, headline="Exercise: an alert")
    return house, boss, sara, hana, said


def held(house):
    """What is held, by state."""
    return {state: number for state, number in counted(house).items() if state != rules.GONE}


def row_of(house):
    """The one reply that is evidence."""
    (found,) = house.read(lambda connection: rows.all_of(connection, house.did, rules.EVIDENCE, 2))
    return found


def dropped(house):
    return house.read(lambda connection: documents.counted(connection, house.did)).get(FULL, 0)


def tell(deletes):
    """An activity that deletes one's own."""
    return {"@context": AS2, "id": f"{deletes}#delete", "type": "Delete", "actor": deletes.partition("/statuses")[0],
            "to": [PUBLIC], "object": {"id": deletes, "type": "Tombstone"}}  # fmt: skip


def path_in(text):
    return re.search(r'href="(/desk/replies/[0-9a-f]{32})', text)[1]


async def act(worker, path, act, **fields):
    """Do something from the page of a reply, as its form says."""
    page = (await worker.get(path)).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    way = act in ("destroy", "export", "case", "block", "report")
    if way:
        await worker.get(f"{path}/{act}")
    values = {"version": version, **fields} | ({} if way else {"act": act})
    return await worker.post(f"{path}/{act}" if way else path, values)


async def test_a_threat_is_held_sealed_read_by_two_kept_as_evidence_and_destroyed_by_two(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with Network(tmp_path) as net:
        house, boss, sara, hana, said = await office(net)
        writer = await join(house, "Amal (exercise)", "author", by=boss)
        host = await Host(net, 1, "zq-mallory", "zq-badr").start()
        sent_bytes = create(host, "zq-mallory", said.id, text=f"{WORDS}, we will kill you")
        assert await deliver(host, "zq-mallory", house, sent_bytes) == 202
        await wait_until(lambda: held(house) == {rules.WAITING: 1}, "it is held")

        def clean():
            return not any(each in house.files() for each in (WORDS.encode(), b"zq-mallory", host.host.encode()))

        await wait_until(clean, "nothing of it lies in the clear")
        assert host.deliveries == [], "nobody is answered by itself"
        public = [await house.get(path) for path in ("/", "/alerts", page_of(said), "/alerts.json")]
        assert all(WORDS.encode() not in each.body for each in public)

        listed = (await sara.get("/desk/replies")).text
        assert "It may hold a threat" in listed and WORDS not in listed and "zq-mallory" not in listed
        assert "1 reply to what was published waits" in (await hana.get("/desk")).text
        path = path_in(listed)
        for page in ("/desk/replies", path, f"{path}/destroy"):
            assert (await writer.get(page)).status == 403
            assert (await house.get(page)).status == 303
        assert (await writer.post(path, {"act": "spam", "version": "1"})).status == 403
        shown = (await sara.get(path)).text
        before, _, closed = shown.partition('<details class="closed">')
        assert WORDS not in before and closed.index("<details>") < closed.index(WORDS), "closed twice"
        assert "<script" not in shown.partition("<main")[2] and "<br>and more" not in shown
        assert (await act(sara, path, "ask", person=hana.id)).status == 303
        assert "asked to look at these" not in (await sara.get("/desk/replies")).text
        assert "asked to look at these" in (await hana.get("/desk/replies")).text
        assert (await act(sara, path, "harmless")).status == 303
        assert held(house) == {"harmless": 1}
        stale = await hana.post(path, {"act": "spam", "version": "1"})
        assert stale.status == 409 and "meanwhile" in stale.text
        assert (await act(hana, path, "threat")).status == 303
        assert held(house) == {"threat": 1}, "one who says so is enough"
        page = (await boss.get(path)).text
        assert "Sara (exercise)" in page and "Hana (exercise)" in page, "both verdicts stand there"

        refused = await sara.get(f"{path}/export")
        assert refused.status == 404, "only evidence is exported"
        assert (await act(sara, path, "evidence")).status == 303
        changed = create(host, "zq-mallory", said.id, kind="Update", text="EXERCISE harmless now")
        assert await deliver(host, "zq-mallory", house, changed) == 202
        await wait_until(lambda: row_of(house).version == 6, "the new version is there")
        forged = {**tell(sent_bytes["object"]["id"]), "actor": host.uri("zq-badr")}
        assert await deliver(host, "zq-badr", house, forged) == 202
        assert await deliver(host, "zq-mallory", house, tell(sent_bytes["object"]["id"])) == 202
        await wait_until(lambda: row_of(house).deleted, "its author deleted it")
        assert held(house) == {"evidence": 1}
        net.clock.forward(timedelta(days=400))
        await house.write(lambda connection: rows.prune(connection, house.clock()))
        assert held(house) == {"evidence": 1}, "evidence has no end by itself"
        for each in (sara, hana):
            await each.sign_in()
        file = await act(sara, path, "export", sure="yes")
        packed = zipfile.ZipFile(BytesIO(file.body))
        assert json.loads(packed.read("reply-1.json")) == sent_bytes and "reply-2.json" in packed.namelist()
        facts = json.loads(packed.read("facts.json"))
        assert facts["deleted_by_author"] and facts["versions"][0]["key_id"] == host.uri("zq-mallory") + "#main-key"
        assert b"signature" in packed.read("request-1.json") and b"publicKeyPem" in packed.read("author-1.json")
        key = sealing.generate()
        sealed = await act(sara, path, "export", recipient=key.public)
        opened = pyrage.decrypt(sealed.body, [pyrage.x25519.Identity.from_str(key.secret)])
        assert zipfile.ZipFile(BytesIO(opened)).namelist() == packed.namelist()
        assert (await act(sara, path, "destroy")).status == 303
        assert held(house) == {"evidence": 1}, "two are needed"
        assert (await sara.get(f"{path}/destroy")).status == 404
        assert (await act(hana, path, "destroy")).status == 303
        assert held(house) == {} and (await sara.get(path)).status == 409
        acts = house.read(lambda connection: audit.all_of(connection, house.did))
        trail = [each.act for each in acts if each.act.startswith("reply.")]
        assert trail == [
            "reply.ask", "reply.judge", "reply.judge", "reply.evidence", "reply.export", "reply.export",
            "reply.destroy", "reply.destroy",
        ]  # fmt: skip
        noted = next(each.subject for each in acts if each.act == "reply.evidence")
        assert len(noted) == 32 + 1 + 64 and audit.first_fault(house.did, acts) is None
        await wait_until(clean, "nothing of it lies in the clear")
        assert WORDS not in caplog.text and "zq-mallory" not in caplog.text


async def test_spam_goes_a_plea_becomes_a_case_and_what_is_private_or_blocked_is_not_held(tmp_path):
    async with Network(tmp_path) as net:
        house, _, sara, hana, said = await office(net)
        host = await Host(net, 1, "amal", "badr").start()
        spam = create(host, "amal", said.id, text="zq-buy")
        await deliver(host, "amal", house, spam)
        await wait_until(lambda: held(house) == {"waiting": 1}, "it is held")
        await deliver(host, "amal", house, spam)
        path = path_in((await sara.get("/desk/replies")).text)
        assert (await act(sara, path, "spam")).status == 303
        net.clock.forward(rules.DISMISSED_FOR + timedelta(hours=2))
        await house.write(lambda connection: rows.prune(connection, house.clock()))
        assert held(house) == {}, "a dismissal destroys"
        await sara.sign_in()
        again = create(host, "amal", said.id, kind="Update", text="zq-buy")
        await deliver(host, "amal", house, again)
        mention = [{"type": "Mention", "href": house.organisation.uri, "name": "@one"}]
        plea = create(host, "badr", None, text="zq-please help us", tag=mention)
        await deliver(host, "badr", house, plea)
        await wait_until(lambda: held(house) == {"waiting": 1}, "the plea is held, the spam is not again")
        private = create(host, "badr", said.id, 2, text="zq-private", to=[house.organisation.uri], cc=[], tag=mention)
        await deliver(host, "badr", house, private)
        await wait_until(lambda: host.got("Create"), "a private message is answered")
        assert held(house) == {"waiting": 1}, "and not held, though it names an alert"

        path = path_in((await sara.get("/desk/replies")).text)
        opened = (await act(sara, path, "case")).headers["location"]
        case = (await sara.get(opened)).text
        assert "zq-please help us" in case and host.uri("badr") in case
        assert (await sara.get(f"{path}/case")).status == 404, "one case of one plea"
        assert (await act(sara, path, "report")).status == 303
        flag = (await wait_until(lambda: host.got("Flag"), "their server has the report"))[0]
        assert flag["actor"] == house.organisation.uri and flag["object"] == [host.uri("badr"), plea["object"]["id"]]
        assert "Sara" not in json.dumps(flag)
        assert (await act(sara, path, "block", whom="author")).status == 303
        await deliver(host, "badr", house, create(host, "badr", said.id, 3, text="zq-blocked"))
        await deliver(host, "amal", house, create(host, "amal", said.id, 4, text="zq-thanks"))
        await wait_until(lambda: held(house) == {"waiting": 2}, "another of the same server is held")
        await deliver(host, "amal", house, tell(host.uri("amal") + "/statuses/4"))
        await wait_until(lambda: held(house) == {"waiting": 1}, "its author took it back: it is destroyed")
        page = (await sara.get("/desk/replies")).text
        assert host.uri("badr") in page and "zq-blocked" not in page
        tag = re.search(r'name="tag" value="([0-9a-f]{64})"', page)[1]
        assert (await sara.post("/desk/replies", {"tag": tag})).status == 303
        assert "Nobody is blocked" in (await sara.get("/desk/replies")).text
        for number in range(10, 10 + rules.FROM_AN_ACTOR + 2):
            await deliver(host, "badr", house, create(host, "badr", said.id, number, text="zq-flood"))
        await wait_until(lambda: held(house)["waiting"] >= rules.FROM_AN_ACTOR, "so many in a day")
        await wait_until(lambda: dropped(house), "and more came")
        assert "too many came" in (await sara.get("/desk/replies")).text
        words = (b"zq-buy", b"zq-please", b"zq-private", b"zq-blocked", b"zq-thanks", b"zq-flood")
        await wait_until(lambda: not any(each in house.files() for each in words), "nothing lies in the clear")

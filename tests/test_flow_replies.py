"""Replies to an alert through whole nodes: held, sealed, read by those whose duty it is, judged, and destroyed."""

import logging

from node import replies as rules
from node.models import replies as rows
from tests.support.desk import join
from tests.support.fediverse import AS2, Host
from tests.support.network import Network, wait_until

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


async def sent(host, name, house, activity):
    return (await host.post(name, house.origin + "/inbox", activity)).status


async def office(net):
    house = await net.house("one")
    boss = await join(house, "Zainab (exercise)", "coordinator")
    sara = await join(house, "Sara (exercise)", "case_worker", by=boss)
    hana = await join(house, "Hana (exercise)", "approver", by=boss)
    said = await house.publish(status="actual", translations={}, headline="Exercise: an alert")
    return house, boss, sara, hana, said


async def test_a_reply_is_held_and_the_disk_shows_neither_its_words_nor_who_wrote_it(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with Network(tmp_path) as net:
        house, *_, said = await office(net)
        host = await Host(net, 1, "zq-mallory").start()
        assert await sent(host, "zq-mallory", house, create(host, "zq-mallory", said.id)) == 202
        await wait_until(lambda: counted(house).get(rules.WAITING) == 1, "it is held")

        async def clean():
            return not any(each in house.files() for each in (WORDS.encode(), b"zq-mallory", host.host.encode()))

        await wait_until(clean, "nothing of it lies in the clear")
        assert WORDS not in caplog.text and "zq-mallory" not in caplog.text

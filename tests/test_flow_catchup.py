"""Being away: catch-up, restored backups, honest forks, bundles on a stick, and hosts that answer badly or not."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from node import bundles
from node.cli import tadamun
from node.errors import RefusedError
from node.federation.protocol import heads as head_tables
from node.federation.protocol import http_signatures, replicas
from node.federation.protocol.messages import Request
from node.models import alerts, contacts, deliveries, documents, logs, organisations
from tests.support.fediverse import Host, post_as
from tests.support.network import Network, page_of, path_of, said_by, wait_until
from tests.test_flow_trust import publish_many

COUNT = 30
FORK = '<p class="banner caution">'


def heads(house):
    return house.read(lambda connection: logs.head_table(connection, house.did))


def owed(house):
    return house.read(lambda connection: deliveries.counts(connection, house.did))


def findings(house):
    return {each.kind for each in house.read(lambda connection: documents.evidence_of(connection, house.did))}


async def test_a_node_that_was_down_has_everything_and_was_pushed_nothing(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        assert (await b.sync(a)).same
        await b.stop()
        said = await publish_many(a, COUNT)
        await wait_until(
            lambda: not a.node.delivery._underway
            and not a.read(lambda connection: deliveries.is_due(connection, net.clock())),
            "every delivery was tried",
        )
        await a.write(lambda connection: deliveries.give_up_inbox(connection, b.origin + "/inbox", net.clock()))
        assert a.head(a.did) == (1, 1 + COUNT)
        await b.start()
        await wait_until(lambda: heads(b) == heads(a), "both hold the same")
        assert [each.method for each in b.exchanges].count("POST") == 0
        for one in (said[0], said[-1]):
            assert await b.holds(one)
        again = await b.sync(a)
        assert (again.same, again.entries, again.problem) == (True, {}, "")
        assert sum(b.received().values()) == 0


async def test_what_one_lacks_is_pulled_from_any_member_that_has_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await c.stop()
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "one member has it")
        await a.stop()
        await c.start()
        await wait_until(lambda: c.holds(said), "the other has it from there")
        assert (await c.sync(b)).same


async def test_head_tables_are_for_members(tmp_path):
    async with Network(tmp_path) as net:
        a, b, d = [await net.house(name) for name in "abd"]
        await net.befriend(a, b)
        table = path_of(a.organisation.uri) + "/heads/" + replicas.root_digest({})
        assert (await a.get(table)).status == 401

        async def ask(house):
            headers = (("host", a.organisation.host), ("accept", "application/json"))
            request = Request("GET", table, headers, b"", "http")
            key = house.node.keyring.rsa(house.did)
            signed = http_signatures.sign(request, key, house.organisation.uri + "#main-key", net.clock())
            return await a.network.request("GET", a.origin + table, b"", {"Accept": "application/json", **dict(signed)})

        assert (await ask(d)).status == 401
        await a.node.discovery.actor(d.organisation.uri)
        assert (await ask(d)).status == 403
        allowed = await ask(b)
        assert allowed.status == 200
        assert set(head_tables.parse_table(allowed.json(), a.did)) == {a.did, b.did}
        await a.write(lambda connection: contacts.set_state(connection, a.did, b.did, contacts.FORMER))
        assert (await ask(b)).status == 403


def run(house, *words):
    """A command on a node that does not run."""
    done = CliRunner().invoke(tadamun, [*words, "--data", str(house.data), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


async def restored(net, *, meanwhile=2):
    """A node put back to an old backup while its member holds more."""
    a, b = await net.members("a", "b")
    await a.publish(status="actual", translations={})
    run(a, "backup", str(net.folder / "old.tar.gz"))
    for _ in range(meanwhile):
        await a.publish(status="actual", translations={})
    await wait_until(lambda: b.head(a.did) == (1, 2 + meanwhile), "the member has everything")
    await a.stop()
    return a, b


async def test_after_a_restore_nothing_is_published_until_the_log_is_back(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await restored(net)
        run(a, "restore", str(tmp_path / "old.tar.gz"))
        assert a.head(a.did) == (1, 2)
        with pytest.raises(RefusedError, match="restored from a backup"):
            await a.publish(status="actual", translations={})
        assert a.head(a.did) == (1, 2)
        await a.start()
        await wait_until(lambda: not a.node.organisations()[0].hold, "the log is back")
        assert heads(a) == heads(b)
        said = await a.publish(status="actual", translations={})
        assert said.sequence == 5
        await wait_until(lambda: b.holds(said), "the member has the next one")
        assert heads(a) == heads(b)
        assert b.read(lambda connection: logs.forked(connection, b.did)) == frozenset()
        assert findings(a) == findings(b) == set()
        assert len({each.reference for each in _records(a)}) == len(_records(a)), "no reference is given twice"


def _records(house):
    return house.read(lambda connection: alerts.newest(connection, house.did, limit=100))


async def test_a_restore_of_a_backup_that_is_not_old_goes_on_at_once(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await restored(net, meanwhile=0)
        run(a, "restore", str(tmp_path / "old.tar.gz"))
        await a.start()
        await wait_until(lambda: not a.node.organisations()[0].hold, "the log is known to be whole")
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the member has the next one")
        assert heads(a) == heads(b)


async def test_a_hold_is_not_lifted_by_the_word_of_one_member_alone(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await a.publish(status="actual", translations={})
        await wait_until(lambda: heads(b) == heads(a) == heads(c), "all hold the same")
        await b.stop()
        await c.stop()
        await a.stop()
        await a.start(workers=False)
        await c.start(workers=False)
        hold = a.node.database.write_now
        hold(lambda connection: organisations.set_hold(connection, a.did, "restored"))
        await a.sync(c)
        assert a.node.organisations()[0].hold == "restored"  # c may be as far behind as we are
        await b.start(workers=False)
        await a.sync(b)
        assert not a.node.organisations()[0].hold


async def test_where_nobody_answers_a_new_epoch_goes_on_and_members_mark_the_other_branch(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await restored(net)
        lost = b.entries(a.did)[-1]
        await b.stop()
        run(a, "restore", str(tmp_path / "old.tar.gz"), "--new-epoch")
        await a.start()
        said = await a.publish(status="actual", translations={})
        assert a.head(a.did) == (2, 4)
        await b.start()
        await wait_until(lambda: b.head(a.did) == (2, 4), "the member is on the new line")
        assert await b.holds(said)
        assert b.read(lambda connection: logs.forked(connection, b.did)) == {a.did}
        page = await b.get(page_of(said), Accept="text/html", Accept_Language="en")
        assert FORK in page.text
        still = await b.get(path_of(lost.activity_id.replace("ap+ef61://", "http://x/.well-known/apgateway/")))
        assert (still.status, still.body) == (200, lost.raw)


async def test_an_honest_fork_is_marked_and_kept(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        snapshot = await net.copy(a, "snapshot")
        first = await a.publish(status="actual", translations={}, headline="Exercise: one branch")
        await wait_until(lambda: b.holds(first), "the first branch is there")
        await a.stop()
        second = await snapshot.publish(status="actual", translations={}, headline="Exercise: other branch")
        third = await snapshot.publish(status="actual", translations={}, headline="Exercise: other branch, next")
        await snapshot.start()
        for said in (second, third):
            await wait_until(lambda said=said: b.holds(said), "the other branch is there")
        assert await b.holds(first)
        assert b.read(lambda connection: logs.forked(connection, b.did)) == {a.did}
        assert "fork" in findings(b)
        assert b.head(a.did) == (1, 3)
        for said in (first, third):
            assert FORK in (await b.get(page_of(said), Accept_Language="en")).text


async def test_a_fork_is_found_by_comparing_heads_too(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        snapshot = await net.copy(a, "snapshot")
        await a.publish(status="actual", translations={}, headline="Exercise: one branch")
        await wait_until(lambda: b.head(a.did) == (1, 2), "the first branch is there")
        await a.stop()
        await b.stop()
        said = await snapshot.publish(status="actual", translations={}, headline="Exercise: other branch")
        await snapshot.write(lambda connection: deliveries.give_up_inbox(connection, b.origin + "/inbox", net.clock()))
        await snapshot.start()
        await b.start()
        await wait_until(lambda: b.holds(said), "the other branch is there")
        assert b.read(lambda connection: logs.forked(connection, b.did)) == {a.did}
        assert "fork" in findings(b)


async def test_a_bundle_travels_between_nodes_that_never_met(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a", start=False), await net.house("b", start=False)
        said = await publish_many(a, 3)
        await a.withdraw(said[0].id)
        stick = tmp_path / "stick.jsonl"
        assert run(a, "export", "--alerts", str(stick))["entries"] == 5
        with pytest.raises(RefusedError, match="pin its author first"):
            run(b, "import", str(stick))
        assert b.entries(a.did) == ()
        await b.pin_row(a.organisation)
        await b.stop()
        counts = run(b, "import", str(stick))
        assert (counts["new"], counts["stubs"], counts["refused"]) == (4, 1, 0)
        assert b.head(a.did) == (1, 5)
        assert run(b, "import", str(stick))["new"] == 0
        await b.start(workers=False)
        assert (await b.get(page_of(said[1]))).status == 200
        assert (await b.get(page_of(said[0]))).status in (404, 410)


async def test_our_own_log_comes_back_from_a_members_stick(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        run(a, "backup", str(tmp_path / "old.tar.gz"))
        said = await publish_many(a, 2)
        await a.withdraw(said[0].id)
        await b.sync(a)
        assert b.head(a.did) == (1, 4)
        await a.stop()
        await b.stop()
        run(b, "export", "--alerts", str(tmp_path / "stick.jsonl"))
        run(a, "restore", str(tmp_path / "old.tar.gz"))
        assert a.head(a.did) == (1, 1)
        counts = run(a, "import", str(tmp_path / "stick.jsonl"))
        assert (counts["new"], counts["stubs"]) == (2, 1)
        assert a.head(a.did) == (1, 4)
        await a.start(workers=False)
        assert (await a.get(page_of(said[1]))).status == 503  # members were not asked yet
        net.clock.forward(timedelta(days=30))  # longer than that is waited for
        assert (await a.get(page_of(said[1]))).status == 200


async def test_a_tampered_line_of_a_bundle_is_refused_by_name(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a", start=False), await net.house("b", start=False)
        said = await publish_many(a, 3)
        stick = tmp_path / "stick.jsonl"
        run(a, "export", "--alerts", str(stick))
        lines = stick.read_bytes().split(b"\n")
        lines[3] = lines[3].replace(b"Exercise alert 1", b"Exercise alert X")
        stick.write_bytes(b"\n".join(lines))
        await b.pin_row(a.organisation)
        await b.stop()
        counts = run(b, "import", str(stick))
        assert (counts["new"], counts["refused"]) == (3, 1)
        assert counts["reasons"][0].startswith("line 4: ")
        assert bundles.parse(stick.read_bytes()).refused == tuple(counts["reasons"])
        await b.start(workers=False)
        assert (await b.get(page_of(said[1]))).status == 404
        assert (await b.get(page_of(said[2]))).status == 200


async def test_a_gone_inbox_ends_the_delivery_and_the_follow(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        elsewhere = await Host(net, 1, "amal").start()
        await elsewhere.follow("amal", a)
        await wait_until(lambda: owed(a)["done"] == 1, "the follow is accepted")
        elsewhere.answer = lambda request: (410, {})
        await a.publish(status="actual", translations={})
        await wait_until(lambda: owed(a)["failed"] == 1, "the delivery ended")
        await wait_until(
            lambda: a.read(lambda connection: contacts.count_followers(connection, a.did)) == 0, "the follower is gone"
        )
        await a.publish(status="actual", translations={})
        assert owed(a) == {"waiting": 0, "done": 1, "failed": 1}
        assert len(elsewhere.deliveries) == 2


async def test_retry_after_is_obeyed(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        elsewhere = await Host(net, 1, "amal").start()
        await elsewhere.follow("amal", a)
        await wait_until(lambda: owed(a)["done"] == 1, "the follow is accepted")
        elsewhere.answer = lambda request: (503, {"Retry-After": "3600"})
        await a.publish(status="actual", translations={})
        await wait_until(lambda: len(elsewhere.deliveries) == 2, "tried once")
        await wait_until(lambda: _waits(a), "and that was written down")
        elsewhere.answer = lambda request: (202, {})
        net.clock.forward(timedelta(minutes=59))
        assert await _quiet(a, elsewhere) == 2
        net.clock.forward(timedelta(minutes=2))
        await wait_until(lambda: owed(a)["done"] == 2, "delivered after the hour")


async def _quiet(house, elsewhere):
    """How many deliveries came, after the worker has looked again."""
    for _ in range(3):
        await house.node.delivery.work_once()
    return len(elsewhere.deliveries)


async def test_a_host_that_is_back_gets_at_once_what_it_missed(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await b.stop()
        await a.publish(status="actual", translations={})
        await wait_until(lambda: _waits(a), "the first try failed")
        net.clock.forward(timedelta(hours=1))
        a.node.delivery.wake()
        await wait_until(lambda: _waits(a, 2), "and the second")
        assert owed(a)["waiting"] == 1
        await b.start(workers=False)
        await post_as(b, a.origin + "/inbox", said_by(b, "Like", a.organisation.uri))
        await wait_until(lambda: owed(a)["waiting"] == 0, "what waited was sent when the host spoke")
        assert any(each.method == "POST" and each.status == 202 for each in b.exchanges)


def _waits(house, attempts=1):
    query = deliveries.deliveries.select().where(
        deliveries.deliveries.c.state == "waiting",
        deliveries.deliveries.c.attempts >= attempts,
        deliveries.deliveries.c.lease.is_(None),
    )
    return house.read(lambda connection: connection.execute(query).first())

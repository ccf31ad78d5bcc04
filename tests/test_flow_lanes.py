"""Lanes: what is urgent overtakes what waits, however much that is."""

from node.models import deliveries
from node.models.deliveries import Lane, Recipient
from tests.support.fediverse import Host
from tests.support.network import Network, wait_until

WAITING = 10_000


async def test_an_alert_overtakes_ten_thousand_ordinary_deliveries(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        crowd = await Host(net, 1, "amal").start()
        now = net.clock()

        def fill(connection):
            body = b'{"type": "Note"}'
            payload = deliveries.add_payload(connection, a.did, "ap:exercise", body, None, now)
            recipients = [
                Recipient(f"{crowd.origin}/users/{number}/inbox", "follower", Lane.OTHER) for number in range(WAITING)
            ]
            return deliveries.enqueue(connection, a.did, payload, recipients, now)

        assert await a.write(fill) == WAITING
        a.node.delivery.wake()
        await wait_until(lambda: len(crowd.deliveries) > 50, "the crowd is being served")
        before = len(crowd.deliveries)
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the member has the alert")
        passed = len(crowd.deliveries) - before
        assert passed < WAITING / 10, f"{passed} ordinary ones went first"
        left = a.read(lambda connection: deliveries.counts(connection, a.did))["waiting"]
        assert left > WAITING / 2


async def test_hosts_that_never_answer_leave_room_for_an_alert(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        worker = a.node.delivery
        for number in range(worker._concurrency - worker._reserved):
            worker._enter(f"silent{number}.example")
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "the member has the alert")
        for number in range(worker._concurrency - worker._reserved):
            worker._leave(f"silent{number}.example")

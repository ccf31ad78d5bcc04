"""A node that is told to stop stops, whatever its workers were just woken for."""

import asyncio
from datetime import UTC, datetime

import pytest

from node.app import Node
from node.models import organisations, setup
from node.models.base import Database
from node.models.organisations import Organisation
from node.settings import Settings


@pytest.fixture
async def node(tmp_path):
    settings = Settings(data=tmp_path)
    database = Database(settings.url)
    setup.migrate(database)
    database.close()
    found = Node(settings)
    made = Organisation(
        did=found.keyring.create().did,
        handle="one",
        name="Exercise organisation",
        summary="",
        language="ar",
        country="XX",
        origin="https://one.example",
        recovery="",
        hold="",
        made=datetime(2026, 11, 20, tzinfo=UTC),
    )
    found.database.write_now(lambda connection: organisations.add(connection, made))
    return found


@pytest.mark.parametrize("ticks", range(6))
async def test_a_worker_woken_at_the_last_moment_does_not_hold_the_node_up(node, ticks):
    """Python 3.11's wait_for takes no notice of a cancellation that comes when what it waits for has just happened."""
    await node.start()
    await asyncio.sleep(0.1)
    node.inbox.wake()
    node.delivery.wake()
    for _ in range(ticks):
        await asyncio.sleep(0)
    await asyncio.wait_for(node.stop(), 5)
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert left == []


async def test_a_write_under_way_when_the_node_stops_is_finished(node):
    await node.start()
    now = datetime(2026, 11, 21, tzinfo=UTC)
    did = node.organisation().did
    writes = [
        asyncio.create_task(node.database.write(lambda connection: organisations.set_hold(connection, did, f"{now}")))
        for _ in range(20)
    ]
    await asyncio.sleep(0)
    await asyncio.wait_for(node.stop(), 5)
    assert await asyncio.gather(*writes) == [None] * 20

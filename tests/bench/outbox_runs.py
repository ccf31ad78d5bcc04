"""What goes out: one alert to followers on many hosts.

Alerts are published by the office, in one transaction, so that many are due at one moment: a command for each would
publish slower than the node delivers. A running node looks for such work every 0.4 s, and that wait is in the times.
"""

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from node import alerts
from node.alerts import Alert
from node.app import utc_now
from node.desk import alerts as desk
from node.desk.alerts import Said
from tests.bench import machine
from tests.bench.stage import Stage, settle, until
from tests.bench.table import Row, Target
from tests.bench.world import World

_EXAMPLE = Path(__file__).parent.parent / "vectors" / "alert-ar.json"


def read_alert(status: str) -> Alert:
    """The invented alert of the tests, without translations, which go to members only."""
    value = json.loads(_EXAMPLE.read_text("utf-8")) | {"status": status, "translations": {}}
    value["country"] = "IQ" if status == "actual" else value["country"]
    now = utc_now()
    value["consent"] = value["consent"] | {"valid_until": f"{now + timedelta(days=90):%Y-%m-%d}"}
    value["deadline"] = f"{now + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    value["expires"] = f"{now + timedelta(days=60):%Y-%m-%dT%H:%M:%SZ}"
    return alerts.parse_input(value)


def publish(stage: Stage, alert: Alert, count: int = 1) -> list[Said]:
    """Publish it so many times, in one transaction."""
    organisation = stage.organisation
    key = stage.office.keyring.organisation(organisation.did)

    def write(connection: Connection) -> list[Said]:
        return [
            desk.publish(connection, organisation, key, alert, utc_now(), loopback=True) for _ in range(count)
        ]

    return stage.office.database.write_now(write)


async def deliver(stage: Stage, world: World, count: int) -> Row:
    """So many alerts in a row, each to every follower: deliveries in a second."""
    alert, followers = read_alert("actual"), len(world.authors)
    wanted = count * followers
    await _drained(stage, world, alert)
    with machine.apart(stage.pid):
        used = machine.cpu_seconds(stage.pid)
        publish(stage, alert, count)
        began = time.monotonic()
        await until(lambda: len(world.arrivals) >= wanted, "every delivery has arrived")
        seconds = world.arrivals[-1] - began
        await until(lambda: not stage.owed(), "every delivery is written down")
        used = machine.cpu_seconds(stage.pid) - used
    _check(world, wanted)
    what = f"deliveries: {count} alerts to {followers} hosts"
    return Row(what, wanted, seconds, used, target=Target(rate=2000, cpu=450))


async def spread_one(stage: Stage, world: World, rounds: int) -> Row:
    """One alert at a time: from its commit until the last of all followers has it."""
    alert, followers = read_alert("actual"), len(world.authors)
    await _drained(stage, world, alert)
    times = []
    with machine.apart(stage.pid):
        used = machine.cpu_seconds(stage.pid)
        for _ in range(rounds):
            world.arrivals.clear()
            publish(stage, alert)
            began = time.monotonic()
            await until(lambda: len(world.arrivals) >= followers, "every follower has the alert", 0.005)
            times.append(world.arrivals[-1] - began)
            await until(lambda: not stage.owed(), "every delivery is written down")
            _check(world, followers)
            await asyncio.sleep(0.5)
        used = machine.cpu_seconds(stage.pid) - used
    return Row(f"one alert until the last of {followers} hosts has it", rounds, cpu=used, times=times)


async def _drained(stage: Stage, world: World, alert: Alert) -> None:
    """One round that is not counted: connections to all hosts stand."""
    publish(stage, alert)
    await asyncio.sleep(0.5)
    await settle(stage)
    world.arrivals.clear()


def _check(world: World, wanted: int) -> None:
    if len(world.arrivals) != wanted:
        raise AssertionError(f"{len(world.arrivals)} deliveries arrived, {wanted} were owed")

"""Against sessions and caches: a password alone keeps no door open, and addresses take no room."""

from datetime import timedelta

from starlette.requests import Request

from node import people as rules
from node.web.versions import Versions
from tests.support.desk import Worker, join
from tests.support.network import NOON, Network


async def test_a_password_alone_keeps_no_session_open_on_a_shared_computer(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        half = Worker(house=house, name=zainab.name)
        await half.post("/desk/sign-in", {"name": zainab.name, "password": zainab.password, "shared": "yes"})
        for _ in range(4):
            assert (await half.get("/desk")).headers["location"] == "/desk/factor"
            house.clock.forward(rules.ARRIVAL / 4)
        house.clock.forward(timedelta(seconds=1))
        assert (await half.get("/desk")).headers["location"] == "/desk/sign-in"


def test_long_addresses_that_strangers_make_up_are_not_kept():
    versions = Versions()
    for number in range(20):
        query = f"x={number}{'a' * 60_000}".encode()
        scope = {"type": "http", "method": "GET", "path": "/alerts.atom", "query_string": query, "headers": []}
        assert versions.answer(Request(scope), b"the same", "text/plain", NOON).status_code == 200
    assert sum(len(str(each)) for each in vars(versions)["_since"]) < 20 * 100

"""Hosts that answer slowly hold up nobody but themselves."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node.models import contacts
from tests.support.fediverse import Host
from tests.support.letters import Person, post
from tests.support.network import Network, Served, free_port, wait_until

CROWD = 40


async def test_a_follow_is_answered_while_a_slow_host_has_many_keys_asked_for(tmp_path):
    asked: list[str] = []

    async def slow(request: Request) -> Response:
        asked.append(request.url.path)
        await asyncio.sleep(6)
        return Response(status_code=503)

    async with Network(tmp_path) as net:
        a = await net.house("a")
        place = ("127.79.0.1", free_port("127.79.0.1"))
        served = Served(Starlette(routes=[Route("/{rest:path}", slow)]), [place])
        await served.ready()
        net.others.append(served)
        for number in range(CROWD):
            person = Person(f"p{number}", f"{place[0]}:{place[1]}")
            person.origin, person.uri = f"http://{place[0]}:{place[1]}", person.uri.replace("https", "http")
            person.key_id = f"{person.uri}#main-key"
            note = person.note(attributedTo=person.uri)
            assert (await post(a, person.letter(a, person.says("Create", note)))).status == 202
        await wait_until(lambda: len(asked) >= 4, "the slow host is being asked")
        quick = await Host(net, 1, "amal").start()
        await quick.follow("amal", a)
        await wait_until(
            lambda: a.read(lambda connection: contacts.count_followers(connection, a.did)) == 1, "followed", 3
        )
        assert len(asked) <= 8

"""Catch-up is resumable: a stop in the midst of a long log loses nothing and asks for nothing twice."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from node.models import contacts
from tests.bench import catchup_run
from tests.support.network import Network, Served, free_port, wait_until

ENTRIES = 3_000


async def test_a_stop_in_the_midst_of_a_long_log_loses_nothing(tmp_path):
    asked: list[int] = []
    host = f"127.83.0.1:{free_port('127.83.0.1')}"
    library = catchup_run.write_log(host, ENTRIES)
    inner = catchup_run._server(library)

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "/log/1/" in scope["path"]:
            asked.append(int(Request(scope).url.path.rpartition("/")[2]))
        await inner(scope, receive, send)

    async with Network(tmp_path) as net:
        b = await net.house("b")
        served = Served(counted, [("127.83.0.1", int(host.rpartition(":")[2]))])
        await served.ready()
        net.others.append(served)
        await b.write(lambda connection: contacts.pin(connection, b.did, catchup_run._row(library)))
        did = library.member.did
        await wait_until(lambda: b.head(did)[1] >= 100, "it has begun", 20)
        await b.stop()
        _, reached = b.head(did)
        assert reached in range(100, ENTRIES), "the stop came in the midst of it"
        before = len(asked)
        await b.start()
        await wait_until(lambda: b.head(did) == (1, ENTRIES), "all of it is held", 30)
        again = [start for start in asked[before:] if start <= reached]
        assert again == [], f"held up to {reached}, asked again from {again}"

"""Catching up with a long log: how many entries a second, at which price, and how long a reader waits meanwhile.

The member is invented: it serves its actor, its head table and its log from this process, made before the clock starts.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node.federation import pages
from node.federation.protocol import replicas
from node.federation.protocol.messages import ACTIVITY_JSON
from node.models import contacts, logs
from node.models.contacts import Member
from tests.bench import machine
from tests.bench.stage import Stage, until
from tests.bench.table import Row, Target
from tests.support.letters import NOON, Portable
from tests.support.network import Served, free_port

_ADDRESS = "127.22.0.1"
_PAGE = 500
_PROBE = 0.05


@dataclass(slots=True)
class Library:
    """A member with a long log."""

    member: Portable
    lines: list[bytes]

    def page(self, start: int) -> bytes:
        """Some lines from this sequence on, at most about 1 MB."""
        chosen: list[bytes] = []
        size = 0
        for line in self.lines[start - 1 : start - 1 + _PAGE]:
            size += len(line) + 1
            if size > 980_000:
                break
            chosen.append(line)
        return b"\n".join(chosen)


def write_log(host: str, count: int) -> Library:
    """So many signed entries: the actor document, then posts."""
    member = Portable("library", host)
    member.origin = f"http://{host}"
    member.uri = member.uri.replace("https://", "http://")
    lines = [orjson.dumps(member.updates_itself())]
    for number in range(2, count + 1):
        note = {"id": member.at(f"/objects/{number}"), "type": "Note", "content": f"<p>Exercise post {number}</p>",
                "attributedTo": member.uri, "published": "2026-11-20T11:00:00Z"}  # fmt: skip
        lines.append(orjson.dumps(member.logs("Create", member.sign({"@context": member.note()["@context"], **note}))))
    return Library(member, lines)


async def catch_up(stage: Stage, count: int) -> Row:
    """From pinning a member with a long log until all of it is held; readers ask for a page meanwhile."""
    host = f"{_ADDRESS}:{free_port(_ADDRESS)}"
    library = await asyncio.get_running_loop().run_in_executor(None, write_log, host, count)
    served = Served(_server(library), [(_ADDRESS, int(host.rpartition(":")[2]))])
    await served.ready()
    try:
        used = machine.cpu_seconds(stage.pid)
        began = time.monotonic()
        row, org = _row(library), stage.organisation.did
        stage.office.database.write_now(lambda connection: contacts.pin(connection, org, row))
        waits = await _read_meanwhile(stage, library.member.did, count)
        seconds = time.monotonic() - began
        used = machine.cpu_seconds(stage.pid) - used
    finally:
        await served.stop()
    what = f"entries caught up with, one log of {count:,}; times are of a page read meanwhile"
    return Row(what, count, seconds, used, waits, target=Target(p99=100))


async def _read_meanwhile(stage: Stage, did: str, count: int) -> Sequence[float]:
    waits: list[float] = []
    done = asyncio.create_task(until(lambda: _reached(stage, did) >= count, "the whole log is held", 0.5, 600))
    async with aiohttp.ClientSession() as client:
        while not done.done():
            began = time.monotonic()
            async with client.get(f"http://{stage.host}/alerts") as answer:
                await answer.read()
            waits.append(time.monotonic() - began)
            await asyncio.sleep(_PROBE)
    await done
    return waits


def _reached(stage: Stage, did: str) -> int:
    head = stage.read(lambda connection: logs.head(connection, stage.organisation.did, did))
    return head.sequence if head else 0


def _row(library: Library) -> Member:
    each = library.member
    return Member(
        did=each.did, uri=each.uri, handle="@library", name="Exercise library", inbox=f"{each.origin}/inbox",
        recovery="", listed=False, state=contacts.MEMBER, frozen_epoch=None, frozen_sequence=None, successor=None,
        pinned=NOON, synced=None,
    )  # fmt: skip


def _server(library: Library) -> Starlette:
    member = library.member
    head = member.head
    if head is None:
        raise AssertionError("a log without a head")
    table = {member.did: [head.epoch, head.sequence, head.digest]}

    async def heads(request: Request) -> Response:
        if request.path_params["root"] == replicas.root_digest({member.did: head}):
            return _answer({"type": "Heads", "same": True})
        context = member.note()["@context"]
        return _answer(member.sign({"@context": context, "type": "Heads", "actor": member.uri, "heads": table}))

    async def log(request: Request) -> Response:
        return Response(library.page(int(request.path_params["start"])), media_type=pages.LINES)

    async def actor(request: Request) -> Response:
        return _answer(member.document((1, 1)))

    base = f"/.well-known/apgateway/{member.did}"
    return Starlette(
        routes=[
            Route(f"{base}/actor/heads/{{root}}", heads),
            Route(f"{base}/log/1/{{start:int}}", log),
            Route(f"{base}/actor", actor),
        ]
    )


def _answer(value: object) -> Response:
    return Response(json.dumps(value).encode(), media_type=ACTIVITY_JSON)

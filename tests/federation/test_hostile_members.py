"""What a pinned member that turned hostile may try with logs, its own and others', and what it does not achieve."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node.federation.mirror import Report
from node.federation.pages import LINES
from node.federation.protocol import digests
from node.federation.protocol.replicas import Head, Header
from node.models import documents, logs
from tests.support.letters import Portable, header_of, pin, post
from tests.support.network import House, Network, Served, free_port

FAR = 2**31 - 1


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    async with Network(tmp_path) as made:
        yield made


@pytest.fixture
async def house(net: Network) -> House:
    made = await net.house("org", start=False)
    await made.start(workers=False)
    return made


@pytest.fixture
async def good(house: House) -> Portable:
    """A member with two entries here."""
    made = Portable("good", "good.example")
    await pin(house, made)
    for value in (made.updates_itself(), made.logs("Create", made.note())):
        await take(house, made, value)
    assert house.head(made.did) == (1, 2)
    return made


@pytest.fixture
async def bad(house: House) -> Portable:
    """A member that turned hostile."""
    made = Portable("bad", "bad.example")
    await pin(house, made)
    await take(house, made, made.updates_itself())
    return made


async def take(house: House, carrier: Portable, value: Any) -> None:
    """Deliver one activity and let it be judged."""
    assert (await post(house, carrier.letter(house, value))).status == 202
    while await house.node.inbox.work_once():
        await house.node.inbox.drain()


async def pull(net: Network, house: House, did: str, pages: Sequence[Sequence[Any]], claimed: Head) -> Report:
    """Pull one log from a member that serves these pages, then nothing."""
    left = [b"\n".join(json.dumps(line).encode() for line in page) for page in pages]

    async def page(request: Request) -> Response:
        return Response(left.pop(0) if left else b"", media_type=LINES)

    place = ("127.80.1.1", free_port("127.80.1.1"))
    served = Served(Starlette(routes=[Route("/{rest:path}", page)]), [place])
    await served.ready()
    net.others.append(served)
    report = Report("bad.example")
    ours = house.read(lambda connection: logs.head(connection, house.did, did))
    await house.node.mirror.pull(house.organisation, did, f"http://{place[0]}:{place[1]}", ours, claimed, report)
    return report


def stub(did: str, sequence: int, previous: str | None, *, epoch: int = 1) -> dict[str, Any]:
    """A header that nobody signed."""
    return {"stub": Header(did, epoch, sequence, previous, digests.multibase(b"forged")).value()}


async def test_stubs_that_nobody_signed_move_no_head(net: Network, house: House, good: Portable) -> None:
    """Of another member's log, and of our own: an invented next entry, a later epoch, a whole chain, a first entry."""
    own = house.read(lambda connection: logs.head(connection, house.did, house.did))
    assert own is not None
    assert good.head is not None
    before = {did: house.entries(did) for did in (good.did, house.did)}
    for did, head in ((good.did, good.head), (house.did, own)):
        first = stub(did, head.sequence + 1, head.digest)
        chain = [first, stub(did, head.sequence + 2, _digest(first))]
        far = stub(did, head.sequence + 1, head.digest, epoch=FAR)
        for lines in ([first], [far], chain, [stub(did, 1, None, epoch=FAR)], [stub(did, 2**52, head.digest)]):
            await pull(net, house, did, [lines], Head(FAR, 2**52, head.digest))
            assert house.head(did) == head.order
            assert house.entries(did) == before[did]
    said = await house.publish()
    assert said.sequence == own.sequence + 1
    await take(house, good, good.logs("Create", good.note(id=good.at("/objects/2"))))
    assert house.head(good.did) == (1, 3)


def _digest(value: dict[str, Any]) -> str:
    return Header(**value["stub"]).digest


async def test_pages_with_others_lines_bring_only_what_they_are_asked_for(
    net: Network, house: House, good: Portable, bad: Portable
) -> None:
    stranger = Portable("stranger", "far.example")
    assert good.head is not None
    lines = [
        stranger.updates_itself(),
        bad.logs("Create", bad.note()),
        good.says("Like", "https://peer.example/1"),
        {**good.logs("Create", good.note()), "summary": "changed"},
        bad.sign(header_less(good)),
        stub(stranger.did, 1, None),
    ]
    report = await pull(net, house, good.did, [lines], Head(1, 3, good.head.digest))
    assert report.refused == 5
    assert report.entries == {}
    assert house.head(good.did) == (1, 2)
    assert house.entries(stranger.did) == ()


def header_less(member: Portable) -> dict[str, Any]:
    """An entry of a member, without its proof."""
    return {name: item for name, item in member.logs("Create", member.note()).items() if name != "proof"}


@pytest.mark.parametrize("place", [{"sequence": 2**52}, {"sequence": 3, "epoch": FAR}, {"sequence": 9, "epoch": FAR}])
async def test_a_place_far_ahead_moves_no_head_and_shuts_nobody_out(
    house: House, bad: Portable, place: dict[str, int]
) -> None:
    assert bad.head is not None
    log = {"epoch": 1, "previous": bad.head.digest, "nonce": "n" * 22, **place}
    await take(
        house, bad, bad.says("Create", bad.note(id=bad.at("/objects/far")), id=bad.at("/activities/far"), log=log)
    )
    assert house.head(bad.did) == (1, 1)
    await take(house, bad, bad.logs("Create", bad.note()))
    assert house.head(bad.did) == (1, 2)


async def test_an_actor_document_from_far_ahead_is_not_taken(house: House, bad: Portable) -> None:
    """A thief's document of the last epoch would outlive every true one."""
    await take(house, bad, bad.logs("Update", bad.document((FAR, 2**52))))
    held = house.read(lambda connection: documents.actor(connection, bad.id))
    assert held is not None
    assert held.order == (1, 1)
    await take(house, bad, bad.updates_itself())
    held = house.read(lambda connection: documents.actor(connection, bad.id))
    assert held is not None
    assert held.order == (1, 3)


async def test_a_delete_withdraws_the_authors_own_entries_and_nothing_else(
    house: House, good: Portable, bad: Portable
) -> None:
    theirs = [header_of(json.loads(each.raw or b"")) for each in house.entries(good.did)]
    named = [{"epoch": each.epoch, "sequence": each.sequence, "content": each.content} for each in theirs]
    for number, object_id in enumerate((good.at("/objects/1"), good.uri, house.organisation.uri, bad.at("/objects/1"))):
        delete = bad.logs(
            "Delete", object_id, withdraws=[*named, 7, None, {}, {"epoch": "1"}], id=bad.at(f"/activities/d{number}")
        )
        await take(house, bad, delete)
    assert [each.state for each in house.entries(good.did)] == ["held", "held"]
    held = house.read(lambda connection: documents.stored(connection, house.did, f"ap+ef61://{good.did}/objects/1"))
    assert held is not None
    assert held.state == documents.SHOWN

"""A network of four real nodes: founded, joined by sheets that hands carry, a vote, a removal; the same on each."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.networks import decisions, inside, joined, network, pinned, until, voted
from tests.support.processes import CommandFailed, Node

HANDLES = ("aman", "jisr", "sanad", "nida")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    with ExitStack() as stack:
        made = [Node(tmp_path / each, f"127.4.7.{at}", handle=each) for at, each in enumerate(HANDLES, 1)]
        yield [stack.enter_context(each) for each in made]


def test_a_network_is_founded_joined_by_hand_votes_and_removes(nodes, tmp_path):
    aman, jisr, sanad, nida = nodes
    aman.cli("member", "add", jisr.handle, "--did", jisr.did)
    jisr.cli("member", "add", aman.handle, "--did", aman.did)
    aman.cli("network", "found", "شبكة تدريب", "--also", "en=Exercise network", "--founder", jisr.did)
    until(lambda: aman.did in inside(jisr), "the other founder is told")
    jisr.cli("network", "accept")
    until(lambda: inside(aman) == {aman.did, jisr.did}, "both are founders")
    with pytest.raises(CommandFailed, match="this file is not an invitation"):
        sanad.cli("network", "join", __file__)

    joined(tmp_path, sanad, aman, jisr)
    joined(tmp_path, nida, jisr, aman)
    for each in nodes:
        others = {other.did for other in nodes if other is not each}
        until(lambda each=each, others=others: pinned(each) == others, "pins follow membership")
    assert network(nida)["voters"] == 2, "who joins has no vote by that"

    roll = aman.cli("decision", "propose", "roll", sanad.did, nida.did, json=True)["proposal"]
    aman.cli("decision", "vote", roll[:16], "yes")
    with pytest.raises(CommandFailed, match="too few voters said yes"):
        aman.cli("decision", "close", roll[:16])
    until(lambda: roll in decisions(sanad), "the proposal is there")
    with pytest.raises(CommandFailed, match="not on the roll"):
        sanad.cli("decision", "vote", roll[:16], "yes")
    voted(roll, [jisr], aman, count=2)
    until(lambda: {network(each)["voters"] for each in nodes} == {4}, "all four vote")
    until(lambda: len({network(each)["state"] for each in nodes}) == 1, "every node has the same state")
    assert {each.status()["networks"][0]["state"] for each in nodes} == {network(aman)["state"]}

    said = jisr.cli("decision", "propose", "remove", nida.did, "--grounds", "EXERCISE grounds", json=True)
    voted(said["proposal"], [aman, jisr, sanad], sanad)
    until(lambda: all(nida.did not in inside(each) for each in nodes), "it is out on every node, its own too")
    until(lambda: not any(nida.did in pinned(each) for each in (aman, jisr, sanad)), "its pins go")
    until(lambda: pinned(nida) == set(), "and those it had")

    invited = aman.cli("network", "invite", json=True)["invitation"]
    until(lambda: len({network(each)["state"] for each in (aman, jisr, sanad)}) == 1, "the three go on")
    held = b"".join(path.read_bytes() for path in nida.data.glob("node.sqlite*"))
    assert invited.encode() not in held, "nothing that came later is there"
    sanad.cli("network", "leave", "--yes")
    until(lambda: inside(aman) == {aman.did, jisr.did} == inside(jisr), "who leaves is out")

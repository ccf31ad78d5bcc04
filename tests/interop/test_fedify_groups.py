"""A working group followed by a real Fedify server: what it announces, and how its followers are called to a new host.

The old host is killed first: what calls them over is signed by its key beforehand, and passed on by the new host.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.interop.peer import Peer
from tests.support.networks import founded, until
from tests.support.processes import Node

pytestmark = pytest.mark.interop
AS2 = "https://www.w3.org/ns/activitystreams"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    with ExitStack() as stack:
        made = [Node(tmp_path / each, f"127.4.10.{at}", handle=each) for at, each in enumerate(("aman", "jisr"), 1)]
        yield [stack.enter_context(each) for each in made]


def group(node: Node) -> Any:
    found = node.cli("group", "list", json=True)
    return found[0] if found else {"actor": "", "did": "", "hosts": []}


def actor(node: Node, did: str) -> str:
    return f"{node.origin}/.well-known/apgateway/{did}/actor"


def heard(alice: Peer, kind: str, check: Any) -> Any:
    return until(lambda: next((e for e in alice.received() if e["activity"]["type"] == kind and check(e)), None), kind)


def test_fedify_follows_a_group_and_is_called_over_when_its_host_is_gone(nodes: list[Node], alice: Peer) -> None:
    aman, jisr = nodes
    founded(aman, jisr)
    aman.cli("group", "found", "--starter", "women", "--host", jisr.did)
    until(lambda: group(jisr)["actor"], "the other host knows the group")
    jisr.cli("group", "host", "women")
    jisr.cli("group", "join", "women")
    until(lambda: all(each["did"] for each in group(aman)["hosts"]), "both have an actor for it")
    old, new = (actor(node, each["did"]) for node, each in zip(nodes, group(aman)["hosts"], strict=True))

    [seen] = alice.lookup(old)
    assert seen["@type"] == [f"{AS2}#Group"]
    alice.follow(old)
    alice.wait_received("Accept")

    made = jisr.cli("group", "publish", "women", "EXERCISE: read by Fedify", "--yes", json=True)
    announced = heard(alice, "Announce", lambda each: each["activity"]["object"] == made["id"])
    assert (announced["activity"]["actor"], announced["auth"]["proof"]) == (old, True)
    whole = heard(alice, "Announce", lambda each: isinstance(each["activity"]["object"], dict))
    assert whole["activity"]["object"]["type"] == "Create" and whole["auth"]["proof"] is True
    assert whole["activity"]["object"]["object"]["audience"] == old
    [note] = alice.lookup(made["id"])
    assert "read by Fedify" in note[f"{AS2}#content"][0]["@value"]

    def handed() -> bool:
        return b"group-handover" in b"".join(path.read_bytes() for path in jisr.data.glob("node.sqlite*"))

    until(handed, "what the next host needs is there")
    aman.kill()
    assert "1 servers are told" in jisr.cli("group", "carry", "women")
    move = heard(alice, "Move", lambda each: each["auth"].get("ld") is True)
    assert (move["activity"]["actor"], move["activity"]["target"]) == (old, new)
    assert move["believed"] == "ld"
    heard(alice, "Move", lambda each: each["auth"].get("proof") is True)
    [seen] = alice.lookup(new)
    assert {"@id": old} in seen[f"{AS2}#alsoKnownAs"]

    alice.follow(new)
    until(lambda: jisr.status() and b"women" in jisr.get("/groups/women").body, "it goes on")
    made = jisr.cli("group", "publish", "women", "EXERCISE: from the new host", "--yes", json=True)
    announced = heard(alice, "Announce", lambda each: each["activity"]["object"] == made["id"])
    assert announced["activity"]["actor"] == new

"""A working group on four real nodes: its year, its public voice, its host seized, a removed member locked out."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.networks import decisions, founded, inside, joined, network, until, voted
from tests.support.processes import CommandFailed, Node

HANDLES = ("aman", "jisr", "sanad", "nida")
SECRET = "zq-what-the-group-said"
PLAN = {
    "year": 2027,
    "goals": [{"key": "water", "text": "EXERCISE: water for all"}, {"key": "land", "text": "EXERCISE: land"}],
    "priorities": ["EXERCISE: one region first"],
    "activities": [{"text": "EXERCISE: a map", "lead": "aman", "goal": "water"}],
    "risks": [{"challenge": "EXERCISE: reprisals", "response": "EXERCISE: nobody goes alone"}],
    "protection": "EXERCISE: organisations speak, nobody is named",
}


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    with ExitStack() as stack:
        made = [Node(tmp_path / each, f"127.4.9.{at}", handle=each) for at, each in enumerate(HANDLES, 1)]
        yield [stack.enter_context(each) for each in made]


def group(node):
    found = node.cli("group", "list", json=True)
    return found[0] if found else {"actor": "", "members": {}, "host": "", "hosts": []}


def said(node):
    return [each["says"].get("text") for each in node.cli("group", "read", "women", json=True)]


def year(node):
    return node.cli("group", "plans", "women", json=True)["plans"][0]


def page(node):
    answer = node.get("/groups/women")
    return answer.body.decode() if answer.status == 200 else ""


def test_a_group_lives_its_year_loses_its_host_and_locks_out_who_was_removed(nodes, tmp_path):
    aman, jisr, sanad, nida = nodes
    founded(aman, jisr)
    joined(tmp_path, sanad, aman, jisr)
    joined(tmp_path, nida, jisr, aman)

    # Founded with two who would carry it on; each member joins from its own node.
    aman.cli("group", "found", "--starter", "women", "--host", jisr.did, "--host", sanad.did)
    for each in (jisr, sanad):
        until(lambda each=each: group(each)["actor"], "the group is known, with its actor")
        each.cli("group", "host", "women")
        each.cli("group", "join", "women")
    with pytest.raises(CommandFailed, match="does not name this organisation among the group's hosts"):
        until(lambda: group(nida)["actor"], "the group is known")
        nida.cli("group", "host", "women")
    with pytest.raises(CommandFailed, match="not in that working group"):
        nida.cli("group", "say", "women", "post", "too early")
    nida.cli("group", "join", "women")
    until(lambda: len(group(aman)["members"]) == 4 and all(each["did"] for each in group(aman)["hosts"]), "all are in")
    with pytest.raises(CommandFailed, match="coordinators of the group give roles"):
        jisr.cli("group", "role", "women", jisr.did, "steering")
    aman.cli("group", "role", "women", jisr.did, "steering")

    # What is said inside is read inside, and lies in no database.
    nida.cli("group", "say", "women", "post", SECRET)
    until(lambda: SECRET in said(sanad), "it is read by the others")
    for each in nodes:
        held = b"".join(path.read_bytes() for path in each.data.glob("node.sqlite*"))
        assert SECRET.encode() not in held

    # October to the first review.
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(PLAN))
    with pytest.raises(CommandFailed, match="the coordinators and the steering committee"):
        nida.cli("group", "plan", "women", str(plan))
    aman.cli("group", "plan", "women", str(plan))
    aman.cli("group", "step", "women", "2027", "comments")
    until(lambda: nida.cli("group", "plans", "women", json=True)["plans"] and year(nida)["phase"] == "comments", "open")
    nida.cli("group", "say", "women", "comment", "EXERCISE: and seeds?", "--about", year(nida)["plan"][:14])
    until(lambda: year(aman)["comments"] == 1, "the comment is there")
    plan.write_text(json.dumps(PLAN | {"goals": [*PLAN["goals"], {"key": "seeds", "text": "EXERCISE: seeds"}]}))
    aman.cli("group", "plan", "women", str(plan))
    assert year(aman)["phase"] == "revised"
    proposal = aman.cli("group", "step", "women", "2027", "hand-in", json=True)["proposal"]
    voted(proposal, [aman, jisr], jisr)
    until(lambda: {year(each)["phase"] for each in nodes} == {"approved"}, "every node has it approved")
    aman.cli("group", "review", "women", "2027", "1", "EXERCISE: mapped", "--changed", "land=EXERCISE: land and rivers")
    until(lambda: year(nida)["reviews"] == ["1"], "the review is there")
    assert year(nida)["goals"]["land"] == "EXERCISE: land and rivers"

    # To everyone: written on one node, announced by the host, shown on all, in a feed.
    nida.cli("group", "publish", "women", "EXERCISE: the first word to everyone", "--yes")
    until(lambda: all("the first word to everyone" in page(each) for each in nodes), "every node shows it")
    assert "the first word to everyone" in sanad.get("/groups/women.atom").body.decode()
    assert SECRET not in page(sanad)

    # The host is seized. One of two words is not enough; with both the group goes on, and nothing is lost.
    aman.kill()
    assert f"hosted by  {network_name(jisr, aman)}" in jisr.cli("group", "carry", "women")
    until(lambda: group(sanad)["words"] == {jisr.did: jisr.did}, "its word is there")
    sanad.cli("group", "carry", "women", "--to", jisr.did)
    until(lambda: all(group(each)["host"] == jisr.did for each in (jisr, sanad, nida)), "all have the same new host")
    until(lambda: f"@women@{jisr.host}" in page(nida), "the page says where it is followed now")
    nida.cli("group", "publish", "women", "EXERCISE: we go on", "--yes")
    until(lambda: all("we go on" in page(each) for each in (jisr, sanad, nida)), "the new host announces")
    assert "the first word to everyone" in page(jisr), "and what was said before stands"
    assert SECRET in said(jisr) and year(jisr)["phase"] == "approved", "the whole history is there"
    until(lambda: len({network(each)["state"] for each in (jisr, sanad, nida)}) == 1, "the same state everywhere")

    # Who is removed hears nothing that comes later.
    roll = jisr.cli("decision", "propose", "remove", aman.did, json=True)["proposal"]
    until(lambda: roll in decisions(sanad), "the proposal is there")
    voted(roll, [jisr], jisr)
    until(lambda: all(aman.did not in inside(each) for each in (jisr, sanad, nida)), "it is out")
    sanad.cli("group", "say", "women", "post", "zq-later-words")
    until(lambda: "zq-later-words" in said(nida), "the others read it")
    aman.start()
    until(lambda: aman.did not in inside(aman), "it hears that it is out")
    assert aman.cli("group", "list", json=True) == []
    assert "zq-later-words" not in str(aman.cli("alert", "list", json=True))


def network_name(node, other):
    return next(each["name"] for each in network(node)["members"] if each["did"] == other.did)

"""A whole node on PostgreSQL, as its operator runs it: made, served, spoken from, and read by a neighbour on SQLite."""

import json

import pytest

from tests.support.exercises import write_exercise
from tests.support.postgres import Server
from tests.support.processes import CommandFailed, Node

pytestmark = pytest.mark.postgres


class OnPostgres(Node):
    """A node whose rows are in PostgreSQL."""

    database_url = ""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"TADAMUN_DATABASE_URL": self.database_url}


@pytest.fixture(scope="module")
def pair(server: Server, tmp_path_factory: pytest.TempPathFactory):
    """A node on PostgreSQL and one on SQLite, members of each other."""
    name, folder = server.database(), tmp_path_factory.mktemp("pair")
    first = OnPostgres(folder / "one", "127.2.5.1", handle="one")
    first.database_url = server.url(name)
    with first, Node(folder / "two", "127.2.5.2", handle="two") as second:
        first.cli("member", "add", second.handle, "--did", second.did)
        second.cli("member", "add", first.handle, "--did", first.did)
        yield first, second
    server.drop(name)


def test_a_node_on_postgresql_publishes_and_receives(pair, tmp_path):
    first, _ = pair
    before = first.status()
    spoken = {}
    for node in pair:
        file = write_exercise(tmp_path / f"{node.did[-4:]}.json", f"EXERCISE from {node.handle}")
        spoken[node.did] = node.cli("alert", "publish", str(file), json=True)["portable_id"]
    for node in pair:
        node.wait_until(lambda node=node: set(spoken.values()) <= names(node), "both alerts are there")
        assert all(each["verified"] for each in alerts(node))
    for node in pair:
        node.wait_until(lambda node=node: node.status()["deliveries"]["waiting"] == 0, "everything is delivered")
    status = first.status()
    assert status["members"] == 1
    assert status["log"] == {"epoch": 1, "sequence": before["log"]["sequence"] + 2}
    assert status["deliveries"] == {"waiting": 0, "done": status["log"]["sequence"] - 1, "failed": 0}
    assert (status["received"]["refused"], status["received"]["failed"]) == (0, 0)
    assert not (first.data / "node.sqlite").exists()
    first.stop()
    first.start()
    assert names(first) >= set(spoken.values())


def test_its_pages_and_collections_are_served(pair, tmp_path):
    first, _ = pair
    file = write_exercise(tmp_path / "alert.json", "EXERCISE")
    last = first.cli("alert", "publish", str(file), json=True)["sequence"] + 1
    base = first.actor.removeprefix(first.origin)
    outbox = first.get(base + "/outbox", Accept="application/activity+json").json()
    page = outbox["first"].removeprefix(first.origin)
    assert first.get(page, Accept="application/activity+json").status == 200
    log = first.get(base.removesuffix("/actor") + "/log/1/1")
    assert [json.loads(line)["log"]["sequence"] for line in log.body.splitlines()] == list(range(1, last + 1))
    far = first.get(base.removesuffix("/actor") + "/log/9999999999/999999999")
    assert (far.status, far.body) == (200, b"")
    for path in ("/", "/alerts", "/members", "/alerts/%00"):
        assert first.get(path, Accept="text/html").status in (200, 404), path


def test_commands_that_are_for_a_file_say_what_to_use_instead(pair, tmp_path):
    first, _ = pair
    with pytest.raises(CommandFailed, match="pg_dump"):
        first.cli("backup", str(tmp_path / "backup.tar.gz"))


def alerts(node: Node) -> list[dict]:
    return node.cli("alert", "list", json=True)


def names(node: Node) -> set[str]:
    return {each["portable_id"] for each in alerts(node)}

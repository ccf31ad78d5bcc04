"""Two nodes that are killed again and again: nothing that was promised is lost, nothing is half-done or there twice.

Each round both sides publish, one serving process is killed with SIGKILL and started again, and often a publishing
command is killed too, half of the time just when the database is being written. What must hold at the end stands in
`support/wreckage.py`; what is compared between the nodes stands here.
"""

import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.exercises import write_exercise
from tests.support.processes import TADAMUN, CommandFailed, Node
from tests.support.wreckage import Rows, check_own, check_theirs, rows_of

ROUNDS, BOUND = 3, 150.0
"""Rounds of the loop in CI, and the seconds after which it begins no further one."""
DRILL_ROUNDS = 200
SETTLE = 60.0
_COMMAND = 60.0


class Struck(Node):
    """A node whose commands can be started without waiting for them."""

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(TADAMUN), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )


@dataclass
class Drill:
    """One run of the loop: what was promised, and what was killed."""

    nodes: tuple[Struck, Struck]
    chance: random.Random
    folder: Path
    promised: set[str] = field(default_factory=set)
    """Alerts whose command left with 0."""
    begun: int = 0
    killed: dict[str, int] = field(default_factory=lambda: {"publish": 0, "serve": 0})

    def round(self) -> None:
        """Both publish; one serving process falls, and perhaps a command too."""
        commands = [(node, self._publish(node)) for node in self.nodes]
        victim = self.chance.choice(self.nodes)
        doomed = self.chance.choice(commands) if self.chance.random() < 0.7 else None
        self._wait_for_a_moment(victim, commands[0][1])
        victim.kill()
        self.killed["serve"] += 1
        if doomed is not None and doomed[1].poll() is None:
            if self.chance.random() < 0.5:
                self._wait_for_a_write(doomed[0], doomed[1])
            doomed[1].kill()
        victim.start()
        for _, command in commands:
            self._settle(command)

    def _publish(self, node: Struck) -> "subprocess.Popen[str]":
        self.begun += 1
        file = write_exercise(self.folder / f"{self.begun}.json", f"EXERCISE {node.handle} {self.begun}")
        return node.begin("alert", "publish", str(file), "--json")

    def _settle(self, command: "subprocess.Popen[str]") -> None:
        said, complained = command.communicate(timeout=_COMMAND)
        if command.returncode == 0:
            self.promised.add(json.loads(said)["portable_id"])
            return
        assert command.returncode == -9, complained
        self.killed["publish"] += 1

    def _wait_for_a_moment(self, node: Struck, command: "subprocess.Popen[str]") -> None:
        """Somewhere in the life of a command, or right when this node's database is written."""
        if self.chance.random() < 0.5:
            self._wait_for_a_write(node, command)
        else:
            time.sleep(self.chance.uniform(0.0, 1.0))

    def _wait_for_a_write(self, node: Struck, command: "subprocess.Popen[str]") -> None:
        path = node.data / "node.sqlite-wal"
        before, deadline = _stamp(path), time.monotonic() + 3
        while _stamp(path) == before and command.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(self.chance.uniform(0.0, 0.004))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@contextmanager
def serving(folder: Path, hosts: str) -> Iterator[tuple[Struck, Struck]]:
    """Two nodes, members of each other, serving."""
    with (
        Struck(folder / "one", f"{hosts}.1", handle="one") as first,
        Struck(folder / "two", f"{hosts}.2", handle="two") as second,
    ):
        first.cli("member", "add", second.handle, "--did", second.did)
        second.cli("member", "add", first.handle, "--did", first.did)
        yield first, second


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Struck, Struck]]:
    """Two nodes of a test's own."""
    with serving(tmp_path, "127.2.7") as found:
        yield found


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Struck, Struck]]:
    """Two nodes for the tests that leave them whole; in whatever order, each begins with what the other has said."""
    with serving(tmp_path_factory.mktemp("neighbours"), "127.2.9") as found:
        agree(found)
        yield found


def run(pair: tuple[Struck, Struck], folder: Path, rounds: int, bound: float) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    drill = Drill(pair, random.Random(seed), folder)
    deadline = time.monotonic() + bound
    done = 0
    while done < rounds and time.monotonic() < deadline:
        drill.round()
        done += 1
    agree(pair)
    both = look(pair)
    found = [rows.alerts for rows in both]
    assert found[0] == found[1]
    assert drill.promised <= found[0]
    compare(both)
    print(
        f"{done} rounds; killed {drill.killed['serve']} serving and {drill.killed['publish']} publishing processes; "
        f"{drill.begun} alerts begun, {len(drill.promised)} promised, {len(found[0]) // 2} there in two languages; "
        f"rows: {[len(rows.own) for rows in both]} entries, {[len(rows.incoming) for rows in both]} came in"
    )
    assert drill.killed["serve"] == done
    assert done >= rounds // 2


def agree(pair: tuple[Struck, Struck]) -> None:
    """Left in peace they come to hold the same, and owe each other nothing."""
    for node, other in (pair, pair[::-1]):
        node.wait_until(
            lambda node=node, other=other: _reach(other, node.did) == node.status()["log"]["sequence"],
            "the neighbour holds the whole log",
            SETTLE,
        )
    for node in pair:
        node.wait_until(
            lambda node=node: node.status()["received"]["waiting"] == 0, "everything that came in is judged", SETTLE
        )
    for node, other in (pair, pair[::-1]):
        assert _log(node, node.did) == _log(other, node.did)
        assert all(each["verified"] for each in node.cli("alert", "list", json=True))


def look(pair: tuple[Struck, Struck]) -> tuple[Rows, Rows]:
    """Stop both, and check what each holds by itself."""
    for node in pair:
        node.kill()
    first, second = pair
    both = rows_of(first.data, first.did, second.did), rows_of(second.data, second.did, first.did)
    for rows, other in zip(both, (second, first), strict=True):
        check_own(rows, f"{other.origin}/inbox")
        check_theirs(rows)
    return both


def compare(both: tuple[Rows, Rows]) -> None:
    """What one said the other holds, byte for byte; what one counts as delivered came in or was known there."""
    for rows, other in (both, both[::-1]):
        assert [each.raw for each in rows.own] == [each.raw for each in other.theirs]
        said = {each.activity_id for each in rows.own}
        assert {name for name, _, _ in other.incoming} <= said
        languages = {each.object_id for each in rows.own if each.type == "Create"}
        assert len(languages) % 2 == 0  # each exercise is said in two languages, in one transaction


def _reach(node: Struck, did: str) -> int:
    (found,) = [each["sequence"] for each in node.cli("member", "list", json=True) if each["did"] == did]
    return int(found)


def _log(node: Struck, did: str) -> list[bytes]:
    """The whole log as this node serves it."""
    lines: list[bytes] = []
    while True:
        page = node.get(f"/.well-known/apgateway/{did}/log/1/{len(lines) + 1}")
        assert page.status == 200
        if not page.body:
            return lines
        lines += page.body.split(b"\n")


def test_nothing_promised_is_lost_and_nothing_is_half_done(pair, tmp_path):
    run(pair, tmp_path, ROUNDS, BOUND)


@pytest.mark.drill
def test_nothing_promised_is_lost_in_two_hundred_rounds(pair, tmp_path):
    run(pair, tmp_path, DRILL_ROUNDS, 3600.0)


# An old backup


def publish(node: Node, folder: Path, headline: str) -> dict:
    return node.cli("alert", "publish", str(write_exercise(folder / f"{headline}.json", headline)), json=True)


def back_up_and_go_on(first: Node, second: Node, folder: Path) -> int:
    """A backup, and entries after it that the neighbour holds; returns the last one's number."""
    first.cli("backup", str(folder / "backup.tar.gz"))
    last = publish(first, folder, "later")["sequence"] + 1
    second.wait_until(lambda: _reach(second, first.did) == last, "the neighbour holds what the backup does not")
    return last


def test_a_node_restored_from_an_old_backup_goes_on_without_a_fork(neighbours, tmp_path):
    first, second = neighbours
    last = back_up_and_go_on(first, second, tmp_path)
    first.kill()
    first.cli("restore", str(tmp_path / "backup.tar.gz"))
    assert first.status()["log"]["sequence"] == last - 2
    with pytest.raises(CommandFailed, match="restored from a backup") as refused:
        publish(first, tmp_path, "too early")
    assert refused.value.code == 1
    (report,) = first.cli("sync", json=True)
    assert report["entries"] == {first.did: 2}
    assert publish(first, tmp_path, "after")["sequence"] == last + 1

    first.start()
    agree(neighbours)
    for node in neighbours:
        status = node.status()
        assert (status["evidence"], status["log"]["epoch"]) == (0, 1)


def test_a_restored_node_that_serves_pulls_its_log_back_by_itself(neighbours, tmp_path):
    first, second = neighbours
    last = back_up_and_go_on(first, second, tmp_path)
    first.kill()
    first.cli("restore", str(tmp_path / "backup.tar.gz"))
    first.start()
    first.wait_until(lambda: first.status()["hold"] == "", "publishing is allowed again")
    assert publish(first, tmp_path, "after")["sequence"] == last + 1


def test_a_restore_is_refused_while_the_node_runs_and_changes_nothing(neighbours, tmp_path):
    first, _ = neighbours
    first.cli("backup", str(tmp_path / "backup.tar.gz"))
    said = publish(first, tmp_path, "later")["sequence"]
    with pytest.raises(CommandFailed, match="serve"):
        first.cli("restore", str(tmp_path / "backup.tar.gz"))
    status = first.status()
    assert (status["hold"], status["log"]["sequence"]) == ("", said + 1)


def test_what_is_no_backup_changes_nothing(tmp_path):
    node = Node(tmp_path / "one", "127.2.7.3")
    node.init()
    shutil.make_archive(str(tmp_path / "other"), "gztar", node.data)
    for content in (b"", b"no archive", (tmp_path / "other.tar.gz").read_bytes()):
        (tmp_path / "backup.tar.gz").write_bytes(content)
        with pytest.raises(CommandFailed, match="backup"):
            node.cli("restore", str(tmp_path / "backup.tar.gz"))
    assert sorted(path.name for path in node.data.iterdir()) == ["keys", "node.sqlite"]
    assert node.status()["hold"] == ""


def test_what_stood_there_before_a_restore_is_kept_with_its_last_words(neighbours, tmp_path):
    """A killed node's last transactions lie in the -wal beside its database."""
    first, second = neighbours
    last = back_up_and_go_on(first, second, tmp_path)
    first.kill()
    known = set(first.data.glob("node.sqlite.before-restore-*"))
    first.cli("restore", str(tmp_path / "backup.tar.gz"))
    (kept,) = set(first.data.glob("node.sqlite.before-restore-*")) - known
    (tmp_path / "aside").mkdir()
    shutil.copy(kept, tmp_path / "aside" / "node.sqlite")
    assert len(rows_of(tmp_path / "aside", first.did, second.did).own) == last
    assert len(rows_of(first.data, first.did, second.did).own) == last - 2
    first.start()
    first.wait_until(lambda: first.status()["hold"] == "", "publishing is allowed again")

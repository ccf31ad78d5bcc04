"""The power goes: everything that was promised is on the disk, and no log forks when the node comes back.

Promised is an alert whose command left with 0, a 202 that a peer was given, and each file a command said it wrote.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.exercises import write_exercise
from tests.support.powerloss import Disk, Missing, compiled
from tests.support.processes import TADAMUN, CommandFailed, Node
from tests.support.wreckage import Rows, check_own, check_theirs, rows_of

ROUNDS, DRILL_ROUNDS = 2, 12
"""Two: a cut on either side; torn cuts come with the third, in the drill."""
_COMMAND = 60.0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim."""
    try:
        return compiled(tmp_path_factory.mktemp("shim"))
    except Missing as error:
        pytest.skip(str(error))


@pytest.fixture
def disk(tmp_path: Path, library: Path) -> Disk:
    """One disk."""
    return Disk.at(tmp_path / "disk", library)


class OnDisk(Node):
    """A node with everything it owns on a disk that may lose its power."""

    def __init__(self, disk: Disk, host: str, handle: str) -> None:
        super().__init__(disk.root / "data", host, handle=handle)
        self.disk = disk

    def begin_publishing(self, file: Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(TADAMUN), "alert", "publish", str(file), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )

    def _environment(self) -> dict[str, str]:
        return super()._environment() | self.disk.environment()


# The shim


def run(disk: Disk, code: str) -> None:
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words, cwd=disk.root, env=os.environ | disk.environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


WRITE = """
import os, pathlib
def put(path, text, flush=True):
    with open(path, "w") as file:
        file.write(text); file.flush()
        if flush: os.fsync(file.fileno())
def flush(folder="."):
    folder = os.open(folder, os.O_RDONLY); os.fsync(folder); os.close(folder)
"""


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("put('a', 'x'); flush()", {"a": "x"}),
        ("put('a', 'x', flush=False); flush()", {"a": ""}),
        ("put('a', 'x')", {}),
        ("put('a', 'old'); flush(); put('a', 'new', flush=False)", {"a": "old"}),
        ("put('a', 'old'); flush(); put('a', 'new')", {"a": "new"}),
        ("put('a', 'x'); flush(); os.rename('a', 'b')", {"a": "x"}),
        ("put('a', 'x'); flush(); os.rename('a', 'b'); flush()", {"b": "x"}),
        ("put('a', 'x'); flush(); os.unlink('a')", {"a": "x"}),
        ("put('a', 'x'); flush(); os.unlink('a'); put('a', 'y')", {"a": "x"}),
        ("put('a', 'x'); flush(); os.unlink('a'); flush()", {}),
        ("os.mkdir('f'); put('f/a', 'x'); flush('f')", {}),
        ("os.mkdir('f'); put('f/a', 'x'); flush(); flush('f')", {"f/a": "x"}),
        ("os.mkdir('f'); put('f/a', 'x'); flush('f'); flush()", {"f/a": "x"}),
    ],
)
def test_a_cut_leaves_what_was_flushed(disk, code, left):
    run(disk, WRITE + code)
    for _ in range(2):
        disk.cut()
        found = {str(path.relative_to(disk.root)): path.read_text() for path in disk.root.rglob("*") if path.is_file()}
        assert found == left


def test_a_torn_cut_leaves_flushed_and_unflushed_blocks(disk):
    run(disk, WRITE + "put('a', 'o' * 65536); flush(); put('a', 'n' * 65536, flush=False)")
    disk.cut(random.Random(1))
    found = (disk.root / "a").read_text()
    assert {found[start : start + 4096] for start in range(0, 65536, 4096)} == {"o" * 4096, "n" * 4096}


COMMIT = """
import sqlite3, os
connection = sqlite3.connect("rows", isolation_level=None)
for pragma in ("journal_mode=WAL", "synchronous=FULL"): connection.execute("PRAGMA " + pragma)
connection.execute("CREATE TABLE IF NOT EXISTS said (n)")
connection.execute("PRAGMA synchronous=%s")
connection.execute("INSERT INTO said VALUES (1)")
os._exit(0)
"""


@pytest.mark.parametrize(("synchronous", "left"), [("FULL", 1), ("OFF", 0)])
def test_the_cut_sees_whether_a_commit_was_flushed(disk, synchronous, left):
    """The control: with any weaker setting the tests below would find rows missing."""
    run(disk, COMMIT % synchronous)
    disk.cut()
    count = "import sqlite3; print(sqlite3.connect('rows').execute('SELECT count(*) FROM said').fetchone()[0])"
    done = subprocess.run([sys.executable, "-c", count], cwd=disk.root, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(left), done.stderr


# The node


def publish(node: OnDisk, folder: Path, name: str) -> dict:
    return node.cli("alert", "publish", str(write_exercise(folder / f"{name}.json", f"EXERCISE {name}")), json=True)


def test_what_init_restore_and_backup_wrote_is_there_after_the_cut(disk, tmp_path):
    node = OnDisk(disk, "127.2.8.1", "one")
    node.init()
    disk.cut()
    assert "Exercise organisation one" in node.recovery_file.read_text()
    assert node.recovery_file.stat().st_mode & 0o777 == 0o600
    keys = {path.name: path.stat().st_mode & 0o777 for path in (node.data / "keys").iterdir()}
    assert len(keys) == 5  # what it is, what it signs requests with, the node's, letters' and the network room's
    assert set(keys.values()) == {0o600}
    assert node.status()["log"] == {"epoch": 1, "sequence": 1}

    backup = disk.root / "backup.tar.gz"
    node.cli("backup", str(backup), "--with-keys")
    disk.cut()
    said = publish(node, tmp_path, "one")
    disk.cut()
    assert said["portable_id"] in rows_after(node, node, tmp_path).alerts

    node.cli("restore", str(backup))
    disk.cut()
    assert len(rows_after(node, node, tmp_path).own) == 1
    assert len(list(node.data.glob("node.sqlite.before-restore-*"))) == 1
    with pytest.raises(CommandFailed, match="restored from a backup"):
        publish(node, tmp_path, "two")


@pytest.fixture
def pair(tmp_path: Path, library: Path) -> Iterator[tuple[OnDisk, OnDisk]]:
    """Two nodes on a disk each, members of each other, serving."""
    first = OnDisk(Disk.at(tmp_path / "disk one", library), "127.2.8.2", "one")
    second = OnDisk(Disk.at(tmp_path / "disk two", library), "127.2.8.3", "two")
    with first, second:
        first.cli("member", "add", second.handle, "--did", second.did)
        second.cli("member", "add", first.handle, "--did", first.did)
        yield first, second


def test_what_was_promised_is_there_after_every_cut_and_no_log_forks(pair, tmp_path):
    cut(pair, tmp_path, ROUNDS)


@pytest.mark.drill
def test_what_was_promised_is_there_after_twelve_cuts_some_of_them_torn(pair, tmp_path):
    cut(pair, tmp_path, DRILL_ROUNDS)


def cut(pair: tuple[OnDisk, OnDisk], tmp_path: Path, rounds: int) -> None:
    speaker, hearer = pair
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    promised: set[str] = set()
    for number in range(rounds):
        files = [write_exercise(tmp_path / f"{number}-{each}.json", f"EXERCISE {number}-{each}") for each in "ab"]
        commands = [speaker.begin_publishing(file) for file in files]
        tear = chance if number % 4 > 1 else None
        if number % 2:
            promised |= ended(commands)
            wait_for_writes(hearer, chance)
            cut_hearer(speaker, hearer, tear, tmp_path)
        else:
            if tear is None:
                wait_for_writes(speaker, chance)
            else:
                wait_for_one(commands)
            speaker.kill()
            for command in commands:
                command.kill()
            promised |= ended(commands)
            speaker.disk.cut(tear)
            rows = rows_after(speaker, hearer, tmp_path)
            assert promised <= rows.alerts
            check_own(rows, f"{hearer.origin}/inbox")
            speaker.start()
    print(f"seed {seed}: {rounds} cuts, {2 * rounds} alerts begun, {len(promised)} promised")
    assert promised
    said = publish(speaker, tmp_path, "the last")["sequence"]
    hearer.wait_until(lambda: reach(hearer, speaker.did) == said + 1, "the neighbour holds the whole log", 60)
    for node, other in (pair, pair[::-1]):
        node.kill()
        rows = rows_after(node, other, tmp_path)
        check_own(rows, f"{other.origin}/inbox")
        check_theirs(rows)
        assert promised <= rows.alerts


def ended(commands: "list[subprocess.Popen[str]]") -> set[str]:
    """The alerts whose command left with 0."""
    found = set()
    for command in commands:
        said, complained = command.communicate(timeout=_COMMAND)
        assert command.returncode in (0, -9), complained
        if command.returncode == 0:
            found.add(json.loads(said)["portable_id"])
    return found


def wait_for_one(commands: "list[subprocess.Popen[str]]") -> None:
    """Until the first has left, and not a moment longer."""
    deadline = time.monotonic() + _COMMAND
    while all(command.poll() is None for command in commands) and time.monotonic() < deadline:
        time.sleep(0.0005)


def wait_for_writes(node: OnDisk, chance: random.Random) -> None:
    """Until this node's database is written, and a moment longer."""
    path = node.data / "node.sqlite-wal"
    before, deadline = path.stat().st_mtime_ns, time.monotonic() + 3
    while path.stat().st_mtime_ns == before and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(chance.choice((0.0, 0.002, 0.01, 0.1)))


def cut_hearer(speaker: OnDisk, hearer: OnDisk, tear: random.Random | None, folder: Path) -> None:
    """Everything the speaker counts as delivered was answered 202: it must be there."""
    hearer.kill()
    time.sleep(0.2)  # the speaker writes down the answers it still has
    owed = rows_of(speaker.data, speaker.did, hearer.did).owed
    hearer.disk.cut(tear)
    rows = rows_after(hearer, speaker, folder)
    held = {name for name, _, _ in rows.incoming} | {each.activity_id for each in rows.theirs}
    assert {name for name, _, state in owed if state == "done"} <= held
    hearer.start()


def rows_after(node: OnDisk, other: OnDisk, folder: Path) -> Rows:
    """The rows of a node that is down, read from a copy: SQLite would mend the files it reads, unseen by the disk."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(node.data, copy)
    return rows_of(copy, node.did, other.did)


def reach(node: Node, did: str) -> int:
    (found,) = [each["sequence"] for each in node.cli("member", "list", json=True) if each["did"] == did]
    return int(found)

"""(h) The power goes for a third of the nodes while they publish: what was promised is there, and no log forks.

Those nodes stand on disks of their own, which give back what was flushed and nothing else (`support/powerloss.py`).
Only processes on such a disk may write there, so no office is open while one of its nodes is killed.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from node.models import logs
from tests.drill.field import Field, Place, exercise, until
from tests.drill.table import Row, added
from tests.support import powerloss
from tests.support.powerloss import Disk
from tests.support.processes import TADAMUN

_ROUNDS = (0, 1, 2, 3)
"""How many of the four have had their promise when the power goes."""
_COMMAND = 60.0
_FLUSHED_COPY = """
import os, shutil, sys
shutil.copytree(sys.argv[1], sys.argv[2])
for folder, _, files in os.walk(sys.argv[2], topdown=False):
    for name in (*files, "."):
        opened = os.open(os.path.join(folder, name), os.O_RDONLY)
        os.fsync(opened)
        os.close(opened)
opened = os.open(os.path.dirname(sys.argv[2]), os.O_RDONLY)
os.fsync(opened)
"""


def power_loss(field: Field) -> Row:
    """Four times: a third of the nodes publish and lose their power meanwhile; every other time disks are torn."""
    victims = field.chance.sample(field.places, len(field.places) // 3)
    library = powerloss.compiled(field.folder)
    for place in victims:
        _move_to_disk(field, place, library)
    rows = [_cut(field, victims, number, torn=number % 2 > 0) for number in _ROUNDS]
    return added("h: power loss on a third while publishing", rows)


def _move_to_disk(field: Field, place: Place, library: Path) -> None:
    place.node.stop()
    place.running = False
    place.close()
    disk = Disk.at(field.folder / f"disk{place.number}", library)
    words = [sys.executable, "-c", _FLUSHED_COPY, str(place.node.data), str(disk.root / "data")]
    subprocess.run(words, env={"PATH": "/usr/bin:/bin", **disk.environment()}, check=True, timeout=60)
    place.node.data = disk.root / "data"
    place.node.disk = disk
    field.start([place])
    place.open(field.clock)


def _cut(field: Field, victims: Sequence[Place], promised: int, *, torn: bool) -> Row:
    field.mend()
    speakers = [*victims, next(place for place in field.places if place not in victims)]
    for place in victims:
        place.close()
    field.begin()
    commands = [_begin_publishing(field, place) for place in speakers]
    if promised:
        until(lambda: _ended(commands[:-1]) >= promised, "so many have their promise", pause=0.0005)
    else:
        _wait_for_a_write(victims[0])
    field.seize(victims, silent=False)
    for command in commands[:-1]:
        command.kill()
    names: list[str] = []
    for place, command in zip(speakers, commands, strict=True):
        names += _promised(field, place, command)
    for place in victims:
        disk = place.node.disk
        assert disk is not None
        disk.cut(field.chance if torn else None)
    began = time.monotonic()
    field.start(victims)
    for place in victims:
        place.open(field.clock)
    field.wait_held(names, field.places)
    field.settle()
    seconds = time.monotonic() - began
    for place in field.places:
        assert not place.read(lambda connection, place=place: logs.forked(connection, place.did)), "a log forked"
    remarks = f"{'torn' if torn else 'cut'}: {len(names)} of {len(commands)} promised"
    return field.row("", names, field.places, seconds, remarks)


def _begin_publishing(field: Field, place: Place) -> "subprocess.Popen[str]":
    """The command itself: what it writes, the disk sees."""
    headline = field.headline(place)
    field.begun.add((place.did, headline))
    file = field.folder / f"{headline.split()[1]}.json"
    file.write_text(json.dumps(exercise(headline, field.clock()), ensure_ascii=False), "utf-8")
    return subprocess.Popen(
        [*place.node.prefix, str(TADAMUN), "alert", "publish", str(file), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=place.node.environment(),
    )


def _promised(field: Field, place: Place, command: "subprocess.Popen[str]") -> list[str]:
    """The alert, if the command left with 0."""
    said, complained = command.communicate(timeout=_COMMAND)
    assert command.returncode in (0, -9), complained
    if command.returncode != 0:
        return []
    name = str(json.loads(said)["portable_id"])
    field.truth[name] = (place.did, json.loads(Path(command.args[-2]).read_text("utf-8"))["headline"])
    return [name]


def _ended(commands: "Sequence[subprocess.Popen[str]]") -> int:
    return sum(command.poll() is not None for command in commands)


def _wait_for_a_write(place: Place) -> None:
    """Until this node's database is written."""
    path = place.node.data / "node.sqlite-wal"
    before = _stamp(path)
    until(lambda: _stamp(path) != before, "something is written", pause=0.0005)


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0

"""The folder of pictures: whole or not at all, for our eyes only, and nothing that nobody knows stays."""

import os

import pytest

from node.federation.protocol import digests
from node.models.storage import Disk

RAW = b"\xff\xd8\xff exercise"
NAME = digests.multibase(RAW)


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "media")


def test_bytes_are_kept_read_and_destroyed(disk):
    assert (disk.get(NAME), disk.has(NAME)) == (None, False)
    disk.remove(NAME)
    disk.put(NAME, RAW)
    disk.put(NAME, b"other")
    assert (disk.get(NAME), disk.has(NAME)) == (RAW, True)
    assert (disk.folder / NAME).stat().st_mode & 0o777 == 0o600
    assert disk.folder.stat().st_mode & 0o777 == 0o700
    disk.remove(NAME)
    assert list(disk.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../photo", "/etc/passwd", "", ".", "zQm", NAME + "/x", NAME + "\n"])
def test_a_name_that_is_no_digest_touches_nothing(disk, name):
    for act in (disk.get, disk.has, disk.remove, lambda name: disk.put(name, RAW)):
        with pytest.raises(ValueError, match="digest"):
            act(name)


def test_what_a_stop_left_half_written_is_no_file_and_is_written_again(disk):
    disk.folder.mkdir()
    (disk.folder / f".{NAME}.{os.getpid()}.part").write_bytes(RAW[:3])
    assert not disk.has(NAME)
    disk.put(NAME, RAW)
    assert [path.name for path in disk.folder.iterdir()] == [NAME]


def test_what_nobody_knows_goes_when_it_is_old(disk):
    other = digests.multibase(b"other")
    for name in (NAME, other):
        disk.put(name, RAW)
    (disk.folder / f".{other}.1.part").write_bytes(b"half")
    assert disk.remove_strays({NAME}, 0) == 0, "somebody may be about to write its row"
    made = (disk.folder / NAME).stat().st_mtime
    assert disk.remove_strays({NAME}, made + 60) == 2
    assert [path.name for path in disk.folder.iterdir()] == [NAME]

"""A power cut for one folder: what was not flushed is gone, as `powerloss.c` saw it.

Two kinds: nothing survives that was not flushed, or, torn, of what was written and not flushed any block may have
reached the disk. A file whose name was not flushed is gone either way, and one whose removal was not is back. Only
processes with the disk's `environment` may write there: what others flush goes unseen.
"""

import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_BLOCK = 4096
_SHORT_LIVED = "-shm"
"""Shared memory of SQLite's: it lies in a file, and nobody believes it after a restart."""


class Missing(Exception):
    """What this machine lacks, in one sentence that a skip can show."""


def compiled(folder: Path) -> Path:
    """The shim, compiled into this folder.

    Raises:
        Missing: there is no C compiler.
    """
    if shutil.which("gcc") is None:
        raise Missing("gcc is not installed (Debian: apt-get install gcc libc6-dev)")
    library = folder / "powerloss.so"
    words = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-format-truncation", "-shared", "-fPIC"]
    words += ["-o", str(library), str(_SOURCE), "-ldl"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return library


@dataclass(frozen=True)
class Disk:
    """One folder on a disk that loses its power."""

    root: Path
    safe: Path
    library: Path

    @classmethod
    def at(cls, root: Path, library: Path) -> "Disk":
        """A new disk, empty and flushed."""
        root.mkdir()
        safe = root.with_name(root.name + ".safe")
        safe.mkdir()
        return cls(root.resolve(), safe.resolve(), library)

    def environment(self) -> dict[str, str]:
        """What a process on this disk has in its environment."""
        return {
            "LD_PRELOAD": str(self.library),
            "POWERLOSS_ROOT": str(self.root),
            "POWERLOSS_SAFE": str(self.safe),
        }

    def cut(self, chance: random.Random | None = None) -> None:
        """Put the folder back to what was flushed. Nobody may be using it.

        Args:
            chance: tear what was written and not flushed; without it all of that is lost.
        """
        before = self.root.with_name(self.root.name + ".before")
        self.root.rename(before)
        self.root.mkdir()
        try:
            self._put_back(_identity(before), before, self.root, chance)
        finally:
            shutil.rmtree(before)

    def _put_back(self, name: str, before: Path, folder: Path, chance: random.Random | None) -> None:
        listing = self.safe / f"d-{name}"
        for line in listing.read_text().splitlines() if listing.exists() else ():
            kind, identity, entry = line.split(" ", 2)
            if entry.endswith(_SHORT_LIVED):
                continue
            if kind == "d":
                (folder / entry).mkdir(mode=0o700)
                self._put_back(identity, before / entry, folder / entry, chance)
            else:
                self._put_back_file(identity, before / entry, folder / entry, chance)
        if listing.exists():
            # The folder is another inode now: what was known of it is known of that one.
            shutil.copy(listing, self.safe / f"d-{_identity(folder)}")
            self._rename_in(folder)

    def _put_back_file(self, identity: str, before: Path, file: Path, chance: random.Random | None) -> None:
        flushed = self.safe / f"f-{identity}"
        content = flushed.read_bytes() if flushed.exists() else b""
        if chance is not None and before.is_file() and _identity(before) == identity:
            content = _torn(content, before.read_bytes(), chance)
        file.write_bytes(content)
        file.chmod(flushed.stat().st_mode & 0o7777 if flushed.exists() else 0o600)
        shutil.copy(file, self.safe / f"f-{_identity(file)}")

    def _rename_in(self, folder: Path) -> None:
        lines = [f"{'d' if each.is_dir() else 'f'} {_identity(each)} {each.name}\n" for each in folder.iterdir()]
        (self.safe / f"d-{_identity(folder)}").write_text("".join(lines))


def _torn(flushed: bytes, written: bytes, chance: random.Random) -> bytes:
    """Each block as it was flushed or as it was written last; the length one of the two."""
    length = len(chance.choice((flushed, written)))
    blocks = []
    for start in range(0, length, _BLOCK):
        block = chance.choice((flushed, written))[start : start + _BLOCK]
        blocks.append(block.ljust(min(_BLOCK, length - start), b"\0"))
    return b"".join(blocks)[:length]


def _identity(path: Path) -> str:
    """As `powerloss.c` names an inode; Python's `stat` has no time of birth, the program of that name has."""
    done = subprocess.run(["stat", "--format=%i %W %w", str(path)], capture_output=True, text=True, check=True)
    inode, second, rest = done.stdout.split(" ", 2)
    fraction = rest.split(" ")[1].partition(".")[2] if rest.startswith(tuple("0123456789")) else "0"
    return f"{inode}-{second}-{int(fraction or 0)}"

"""Where the bytes of pictures lie: one interface, and the folder on the local disk that is behind it today.

A file is named by its digest and never changes. It is there whole or not at all, also after a power cut: it is flushed
under another name and takes its own last, as a key does. Modes are those of the keys: others on this machine see
nothing.
"""

import os
from collections.abc import Container
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from node.media import is_name
from node.models.keyring import sync_folder


class Storage(Protocol):
    """What is asked of a place for bytes; a bucket elsewhere could be another one."""

    def put(self, digest: str, raw: bytes) -> None:
        """Keep bytes under their digest; on the disk when it returns."""

    def get(self, digest: str) -> bytes | None:
        """The bytes, `None` where they are not here."""

    def has(self, digest: str) -> bool:
        """Whether they are here."""

    def remove(self, digest: str) -> None:
        """Destroy them; nothing happens where they are not here."""

    def remove_strays(self, known: Container[str], before: float) -> int:
        """Destroy what is in no list of ours, half-written or whole, and was put before a second since 1970."""


class Disk:
    """A folder, mode 700, of files, mode 600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, digest: str, raw: bytes) -> None:
        """Whole or not at all; what is there already stays.

        Raises:
            ValueError: the name is no digest.
        """
        path = self._path(digest)
        if path.exists():
            return
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        part = self.folder / f".{digest}.{os.getpid()}.part"
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(self.folder)

    def get(self, digest: str) -> bytes | None:
        """The bytes."""
        try:
            return self._path(digest).read_bytes()
        except OSError:
            return None

    def has(self, digest: str) -> bool:
        """Whether there is a file."""
        return self._path(digest).is_file()

    def remove(self, digest: str) -> None:
        """Destroy the file, its name too."""
        path = self._path(digest)
        if path.exists():
            path.unlink(missing_ok=True)
            sync_folder(self.folder)

    def remove_strays(self, known: Container[str], before: float) -> int:
        """What a stop left behind goes; returns how many files."""
        removed = 0
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            with suppress(FileNotFoundError):
                if path.name not in known and path.is_file() and path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, digest: str) -> Path:
        if not is_name(digest):
            raise ValueError("a file's name is its digest")
        return self.folder / digest

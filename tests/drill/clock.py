"""One clock for all nodes of a drill and for the drill itself, which can be put forward while they run.

The nodes are the product as it is shipped: `clock.c`, loaded into their processes, changes what the system tells them.
"""

import shutil
import struct
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.drill.wires import Missing

_SOURCE = Path(__file__).with_suffix(".c")


@dataclass(slots=True)
class SharedClock:
    """The time of everybody in the drill."""

    file: Path
    library: Path
    offset: timedelta = timedelta(0)

    @classmethod
    def made(cls, folder: Path) -> "SharedClock":
        """Compile the shim; the clock is the system's until it is put forward.

        Raises:
            Missing: there is no C compiler.
        """
        if shutil.which("gcc") is None:
            raise Missing("the drill needs gcc (Debian: apt-get install gcc libc6-dev)")
        library = folder / "clock.so"
        words = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        words += ["-o", str(library), str(_SOURCE), "-ldl"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        made = cls(folder / "clock.offset", library)
        made.forward(timedelta(0))
        return made

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def forward(self, by: timedelta) -> None:
        """Later, for everybody at once."""
        self.offset += by
        with self.file.open("r+b" if self.file.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("=q", round(self.offset.total_seconds())))

    def environment(self) -> dict[str, str]:
        """What a process on this clock has in its environment."""
        return {"LD_PRELOAD": str(self.library), "CLOCK_OFFSET": str(self.file)}

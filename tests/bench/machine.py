"""The machine as the bench sees it: which CPU, how fast at RSA, what a process has used, which core it may use.

Everything is read from /proc, so it works on Linux only; elsewhere the bench says so and stops.
"""

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.federation.protocol import keys

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """What one process holds, in MB (10^6 bytes). PSS counts a page shared by n processes as 1/n."""

    rss: float
    pss: float


def describe() -> str:
    """CPU model, cores and Python, on one line."""
    models = [line.partition(":")[2].strip() for line in _lines(_PROC / "cpuinfo") if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    return (
        f"{models[0] if models else platform.machine()}, {cores} core{'s' if cores != 1 else ''}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.2f}"
    )


def calibrate() -> str:
    """RSA-2048 on one core in this run: the yardstick to read the other numbers by.

    A second time with the other core busy, as it is while something is measured: where two cores are two threads of
    one, either is slower then.
    """
    alone = _calibrate()
    words = [sys.executable, "-c", "import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass"]
    with subprocess.Popen(words) as busy:
        time.sleep(0.2)
        together = _calibrate()
        busy.kill()
    return f"RSA-2048 {alone}; beside a busy process {together}"


def _calibrate() -> str:
    secret = keys.generate_rsa_key()
    public = keys.public_from_pem(keys.public_pem(secret.public_key()), "https://exercise.example/#k", "")
    data = b"x" * 300
    signature = keys.sign_rsa(secret, data)
    sign = _cost(lambda: keys.sign_rsa(secret, data), 200)
    verify = _cost(lambda: public.verify(signature, data), 2000)
    return f"sign {sign:.0f} µs, verify {verify:.1f} µs"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads, to a hundredth of a second."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def memory(pid: int) -> Memory:
    """What a process holds now."""
    sizes = {}
    for line in _lines(_PROC / str(pid) / "smaps_rollup"):
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss"):
            sizes[name] = int(rest.split()[0]) * 1024 / 1e6
    return Memory(sizes["Rss"], sizes["Pss"])


@contextmanager
def apart(pid: int) -> Iterator[None]:
    """While this runs, the process has the first core for itself and we have the last; with one core, nothing."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield
        return
    _pin(pid, {cores[0]})
    _pin(os.getpid(), {cores[-1]})
    try:
        yield
    finally:
        _pin(pid, set(cores))
        _pin(os.getpid(), set(cores))


def _pin(pid: int, cores: set[int]) -> None:
    """Every thread: the system call moves one only."""
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
    except FileNotFoundError:
        return
    for thread in threads:
        try:
            os.sched_setaffinity(int(thread.name), cores)
        except ProcessLookupError:
            continue


def _cost(work: Callable[[], object], times: int) -> float:
    """CPU µs of one call: the median of five rounds."""
    rounds = []
    for _ in range(5):
        before = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - before) / times * 1e6)
    return statistics.median(rounds)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()

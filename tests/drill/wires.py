"""A network of its own for each node: namespaces, one veth pair each, all on one bridge. Linux only, root only.

A block is silent, as a censor's is: the two sides are given a hardware address that nobody has, so what they send is
carried nowhere, and only a deadline ends a call. A node that is cut off has its link taken down.

A guardian process outlives the drill: when the drill ends, however it ends, it ends the processes in these namespaces
and removes them, the bridge and the nodes' data. What an earlier run left, because the machine went down with it, goes
at the start.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NETWORK = "10.77.0.0/16"
PREFIX = "tadamun-drill-"
BRIDGE = "tddrill"
_HERE = "10.77.255.254"
_NOBODY = "02:de:ad:00:00:01"
_LOCK = Path("/run/tadamun-drill.lock")
_STATISTICS = Path("/sys/class/net")
_CLONE_NEWNET = 0x40000000
_PATIENCE = 5.0


class Missing(Exception):
    """What this machine lacks for a drill, in one line that a skip can show."""


def check() -> None:
    """Whether namespaces can be made here.

    Raises:
        Missing: not root, not Linux, no `ip`, or a kernel without one of the three.
    """
    if not sys.platform.startswith("linux"):
        raise Missing("the drill needs Linux: it gives each node a network namespace")
    if os.geteuid() != 0:
        raise Missing("the drill needs root: it makes network namespaces; run it with sudo")
    if shutil.which("ip") is None:
        raise Missing("the drill needs the command 'ip' (Debian: apt-get install iproute2)")
    probe = f"{PREFIX}probe"
    try:
        _ip("netns", "add", probe)
        _ip("link", "add", "tdprobe", "type", "bridge")
        _ip("link", "add", "tdprobev", "type", "veth", "peer", "name", "eth0", "netns", probe)
        _ip("link", "set", "tdprobev", "master", "tdprobe")
    except subprocess.CalledProcessError as error:
        raise Missing(f"the drill needs network namespaces, veth and a bridge: {error.stderr.strip()}") from error
    finally:
        for words in (("link", "del", "tdprobev"), ("link", "del", "tdprobe"), ("netns", "del", probe)):
            _ip(*words, check=False)


def address(number: int) -> str:
    """Of the node with this number, from 0."""
    return f"10.77.{number // 200}.{number % 200 + 1}"


def name(number: int) -> str:
    """The namespace of a node."""
    return f"{PREFIX}{number}"


def prefix(number: int) -> tuple[str, ...]:
    """What stands before a command that runs in a node's namespace."""
    return ("ip", "netns", "exec", name(number))


def sweep() -> None:
    """End every process in a drill's namespaces, and remove them, the bridge and the nodes' data."""
    for each in _namespaces():
        for pid in _ip("netns", "pids", each, check=False).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
    deadline = time.monotonic() + _PATIENCE
    while any(_ip("netns", "pids", each, check=False).strip() for each in _namespaces()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    for each in _namespaces():
        _ip("netns", "del", each, check=False)
    for link in _STATISTICS.glob("tdv*"):
        _ip("link", "del", link.name, check=False)
    _ip("link", "del", BRIDGE, check=False)
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)


class Wires:
    """Namespaces 0 to n-1 and what connects them. Made by `laid`."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._blocked: set[tuple[int, int]] = set()
        self._down: set[int] = set()

    def lay(self) -> None:
        """Make all of it."""
        commands = [
            f"link add {BRIDGE} type bridge",
            f"addr add {_HERE}/16 dev {BRIDGE}",
            f"link set {BRIDGE} addrgenmode none up",
        ]
        for number in range(self.size):
            _ip("netns", "add", name(number))
            link = f"tdv{number}"
            commands += [
                f"link add {link} type veth peer name eth0 netns {name(number)}",
                f"link set {link} master {BRIDGE}",
                f"link set {link} addrgenmode none up",
            ]
        _batch(commands)
        for number in range(self.size):
            ours = ["link set lo up", f"addr add {address(number)}/16 dev eth0", "link set eth0 addrgenmode none up"]
            _batch(ours, name(number))

    def block(self, ones: Iterable[int], others: Iterable[int]) -> None:
        """Nothing passes between any of the ones and any of the others, either way."""
        pairs = {(one, other) for one in ones for other in list(others) if one != other}
        pairs |= {(other, one) for one, other in pairs}
        self._set(pairs - self._blocked, lambda to: f"neigh replace {to} lladdr {_NOBODY} dev eth0 nud permanent")
        self._blocked |= pairs

    def cut_off(self, numbers: Iterable[int]) -> None:
        """These hear nothing and are heard by nobody, from this moment."""
        chosen = set(numbers)
        _batch([f"link set tdv{number} down" for number in chosen])
        self._down |= chosen

    def heal(self) -> None:
        """Everybody reaches everybody."""
        self._set(self._blocked, lambda to: f"neigh del {to} dev eth0")
        self._blocked = set()
        _batch([f"link set tdv{number} up" for number in self._down])
        self._down = set()

    def sent(self) -> list[int]:
        """Bytes that each node has put on the wire so far, headers of every layer included."""
        return [
            int((_STATISTICS / f"tdv{number}" / "statistics" / "rx_bytes").read_text()) for number in range(self.size)
        ]

    def _set(self, pairs: Iterable[tuple[int, int]], command: Callable[[str], str]) -> None:
        by_sender: dict[int, list[str]] = {}
        for one, other in pairs:
            by_sender.setdefault(one, []).append(command(address(other)))
        for one, commands in by_sender.items():
            _batch(commands, name(one))


@contextmanager
def laid(size: int) -> Iterator[Wires]:
    """Namespaces for so many nodes, gone in the end with every process in them.

    Raises:
        Missing: this machine cannot, or a drill runs already.
    """
    check()
    with _LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Missing("another drill runs on this machine; its namespaces would be removed under it") from error
        sweep()
        words = [sys.executable, "-m", "tests.drill.wires"]
        root = Path(__file__).parents[2]
        # In a session of its own, or Ctrl-C would end it with us; with the lock, or the next drill began too early.
        guardian = subprocess.Popen(
            words, stdin=subprocess.PIPE, cwd=root, start_new_session=True, pass_fds=(lock.fileno(),)
        )
        with guardian:
            try:
                wires = Wires(size)
                wires.lay()
                yield wires
            finally:
                guardian.communicate(timeout=60)


@contextmanager
def inside(number: int) -> Iterator[None]:
    """Sockets that this thread opens here belong to a node's namespace, for as long as they live."""
    with Path("/proc/thread-self/ns/net").open() as ours, Path(f"/run/netns/{name(number)}").open() as theirs:
        _enter(theirs.fileno())
        try:
            yield
        finally:
            _enter(ours.fileno())


def listening(number: int, port: int) -> socket.socket:
    """A listening socket at a node's address."""
    with inside(number):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address(number), port))
    made.listen(256)
    made.setblocking(False)
    return made


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _namespaces() -> list[str]:
    return [line.split()[0] for line in _ip("netns", "list", check=False).splitlines() if line.startswith(PREFIX)]


def _batch(commands: Sequence[str], namespace: str | None = None) -> None:
    if commands:
        within = ("-n", namespace) if namespace else ()
        _ip(*within, "-batch", "-", given="\n".join(commands) + "\n")


def _ip(*words: str, given: str = "", check: bool = True) -> str:
    done = subprocess.run(["ip", *words], input=given, capture_output=True, text=True, check=check, timeout=30)
    return done.stdout


def _guard() -> None:
    """Wait until whoever started us is gone, then sweep."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.stdin.read()
    sweep()


if __name__ == "__main__":
    _guard()

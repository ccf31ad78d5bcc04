"""Real processes for tests: a Tadamun node as its operator runs it, and any other program that is waited for.

Knows only the public contract (commands, settings, HTTP), so the tests that use it hold for any version.
Every wait has a deadline, and a failure shows the last lines the process wrote.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from tests.support.forked import Forked

START = 30.0
"""Seconds a process may take until it answers."""
STOP = 12.0
"""Seconds it may take to leave: the contract says 10."""
COMMAND = 60.0
"""Seconds for one command."""
SETTLE = 20.0
"""Seconds for a thing to become true in processes that talk to each other."""
_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_TAIL = 30

_T = TypeVar("_T")

TADAMUN = Path(sys.executable).with_name("tadamun")


class CommandFailed(AssertionError):
    """A command that left with another code than 0; `code` and `stderr` say how."""

    def __init__(self, words: Sequence[str], code: int, stderr: str) -> None:
        super().__init__(f"{' '.join(words)}: exit {code}\n{stderr}")
        self.code = code
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        try:
            return loads(self.body)
        except (JSONDecodeError, UnicodeDecodeError) as error:
            raise AssertionError(f"not JSON ({self.status}): {self.body[:2000]!r}") from error


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
) -> Answer:
    """One plain-http request, with no proxy and no redirect followed.

    Args:
        timeout: seconds for each step on the wire.

    Raises:
        OSError: nobody listens, or the answer took too long.
    """
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        connection.request(method, target or "/", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())
    finally:
        connection.close()


def post_json(url: str, document: Any, *, timeout: float = 30.0) -> Answer:
    """POST a document as `application/json`."""
    body = dumps(document).encode()
    return request("POST", url, body=body, headers={"Content-Type": "application/json"}, timeout=timeout)


def free_port(host: str) -> int:
    """A port that nobody used on this address a moment ago."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    check: Callable[[], _T], what: str, seconds: float = SETTLE, tail: Callable[[], str] = str
) -> _T:
    """Ask again until the answer is true, and give it back.

    Args:
        what: the end of the sentence "still not true: …".
        tail: more to show on failure.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"still not true after {seconds:g} s: {what}\n{tail()}")
        # Asking by a command costs what the nodes need to get there: half the time is theirs.
        time.sleep(max(_PAUSE, min(time.monotonic() - asked, _LONGEST_PAUSE)))


def _may_fork(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    """A library that must be loaded first needs a program of its own, and so does whatever another program runs."""
    return words[0] == str(TADAMUN) and "LD_PRELOAD" not in environment


def run(words: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end.

    Raises:
        TimeoutExpired: it took longer than `COMMAND`.
    """
    if not _may_fork(words, environment):
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND, env=dict(environment),
            check=False,
        )  # fmt: skip
    with TemporaryDirectory(prefix="tadamun-command-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = Forked(words[1:], environment, Path.cwd(), output, errors)
        try:
            code = process.wait(COMMAND)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(words, code, _read(output), _read(errors))


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


class Process:
    """A started program whose output goes to a file, so that it never blocks and can be shown on failure."""

    def __init__(self, words: Sequence[str], output: Path, environment: Mapping[str, str]) -> None:
        """Start it, with the directory of its output file as working directory."""
        self.name = Path(words[0]).name
        self.output = output
        self._process: subprocess.Popen[bytes] | Forked
        if _may_fork(words, environment):
            self._process = Forked(words[1:], environment, output.parent, output, output)
            return
        with output.open("ab") as sink:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=dict(environment),
                cwd=output.parent,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def tail(self) -> str:
        """The last lines it wrote."""
        lines = self.output.read_text(errors="replace").splitlines()[-_TAIL:]
        return "\n".join([f"--- the end of what {self.name} wrote ---", *lines])

    def wait_ready(self, url: str) -> None:
        """Wait until this URL answers 200.

        Raises:
            AssertionError: the process ended, or did not answer in time.
        """

        def answers() -> bool:
            if not self.running:
                raise AssertionError(f"{self.name} ended with {self._process.returncode}\n{self.tail()}")
            with suppress(OSError, HTTPException):
                return request("GET", url, timeout=2.0).status == 200
            return False

        wait_until(answers, f"{self.name} answers at {url}", START, self.tail)

    def stop(self) -> int:
        """SIGTERM, and its exit code.

        Raises:
            AssertionError: it had to be killed.
        """
        self._process.terminate()
        try:
            return self._process.wait(STOP)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise AssertionError(f"{self.name} did not leave in {STOP:g} s\n{self.tail()}") from error

    def kill(self) -> None:
        """SIGKILL: as a power cut would end it."""
        self._process.kill()
        self._process.wait(STOP)


class Node:
    """A node: made with `tadamun init`, run with `tadamun serve`, spoken to with commands and HTTP.

    As a context manager it is made (unless its data directory is there already) and started, and in the end
    stopped.
    """

    def __init__(
        self,
        data: Path,
        host: str = "127.2.0.1",
        port: int | None = None,
        *,
        name: str = "",
        handle: str = "org1",
    ) -> None:
        self.data = data
        self.host = host
        self.port = port or free_port(host)
        self.origin = f"http://{host}:{self.port}"
        self.handle = f"@{handle}@{host}:{self.port}"
        self.recovery_file = data.with_name(data.name + ".recovery")
        self.did = ""
        self.actor = ""
        self.prefix: tuple[str, ...] = ()
        """What stands before each of its commands: `ip netns exec NAME` runs them in a network of their own."""
        self._local_handle = handle
        self._name = name or f"Exercise organisation {handle}"
        self._process: Process | None = None

    def __enter__(self) -> Self:
        if not self.data.exists():
            self.init()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or not self._process.running:
            return
        if kind is None:
            self.stop()
            return
        # The test has failed already: what the node wrote says why; a slow end must not hide that failure.
        print(self._process.tail(), file=sys.stderr)
        self.kill()

    def init(self, *options: str) -> None:
        """`tadamun init`; further options go to it."""
        made = self.cli(
            "init", "--origin", self.origin, "--name", self._name, "--handle", self._local_handle,
            "--recovery-file", str(self.recovery_file), *options, json=True,
        )  # fmt: skip
        self.did, self.actor = made["did"], made["actor"]

    def start(self) -> None:
        """`tadamun serve`, and wait for /healthz."""
        words = [*self.prefix, str(TADAMUN), "serve", "--bind", f"{self.host}:{self.port}"]
        self._process = Process(words, self.data.with_name(self.data.name + ".log"), self._environment())
        try:
            self._process.wait_ready(f"{self.origin}/healthz")
        except BaseException:
            self._process.kill()
            raise

    def stop(self) -> int:
        """SIGTERM and wait; the exit code."""
        return self._running().stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._running().kill()

    @property
    def pid(self) -> int:
        """The process id of `serve`."""
        return self._running().pid

    def tail(self) -> str:
        """The last lines `serve` wrote."""
        return self._running().tail()

    def cli(self, *words: str, json: bool = False) -> Any:
        """Run `tadamun WORDS` for this data directory.

        Args:
            json: add `--json` and read what comes.

        Returns:
            The document with `json`, else what stood on stdout.

        Raises:
            CommandFailed: it left with another code than 0.
        """
        words = (*words, "--json") if json else words
        done = run([*self.prefix, str(TADAMUN), *words], self._environment())
        if done.returncode != 0:
            raise CommandFailed(("tadamun", *words), done.returncode, done.stderr)
        return loads(done.stdout) if json else done.stdout

    def status(self) -> Any:
        """`tadamun status --json`."""
        return self.cli("status", json=True)

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path of this node; `_` in a header's name stands for `-`."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return request("GET", self.origin + path, headers=names)

    def wait_until(self, check: Callable[[], _T], what: str, seconds: float = SETTLE) -> _T:
        """As the function of this name, showing this node's last lines on failure."""
        return wait_until(check, what, seconds, self.tail)

    def _running(self) -> Process:
        if self._process is None:
            raise AssertionError(f"{self.handle} was never started")
        return self._process

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TADAMUN_")}
        return inherited | {
            "TADAMUN_DATA": str(self.data),
            "TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
        }

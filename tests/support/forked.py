"""`tadamun` as a process that need not load its modules again: a server that has loaded them forks it.

What runs is `node.cli.main` with its own arguments, environment, directory and standard streams, as after `exec`;
loading takes two seconds of CPU, forking milliseconds, and the tests start some hundred of them. What must be a fresh
interpreter (a library loaded before it, a network namespace, a memory figure) is started as a program: see `processes`.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.context import ForkServerContext
from pathlib import Path

from node import cli

_PRELOADED = ("node.cli", *{place.partition(":")[0] for place in cli.COMMANDS.values()}, __name__)


class Forked:
    """One such process; the members of `subprocess.Popen` that its users need."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], folder: Path, output: Path, errors: Path
    ) -> None:
        """Start `tadamun WORDS` in this folder, with its output at the end of these files."""
        context = _server()
        self._process = context.Process(
            target=_become, args=(tuple(words), dict(environment), str(folder), str(output), str(errors))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The process id."""
        found = self._process.pid
        assert found is not None
        return found

    @property
    def returncode(self) -> int | None:
        """As `poll`."""
        return self.poll()

    def poll(self) -> int | None:
        """The exit code, -N if signal N ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """The exit code.

        Raises:
            TimeoutExpired: it runs on.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("tadamun", timeout)
        return code

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()


def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    return context


def _become(words: tuple[str, ...], environment: dict[str, str], folder: str, output: str, errors: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, output, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
        (2, errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.argv = ["tadamun", *words]
    sys.exit(import_module("node.cli").main())

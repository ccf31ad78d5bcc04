"""A PostgreSQL of the tests' own: made in a temporary folder, reached by a socket there, gone with the tests.

Its programs come from the Debian package `postgresql`. It will not run as root, so root starts it as the system user
`postgres`. Nothing is flushed to disk: what is tested on it is what it answers, not what it survives.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import sqlalchemy

START = 30.0
"""Seconds it may take until it answers."""
STOP = 15.0
_PAUSE = 0.05
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}


class Missing(Exception):
    """What this machine lacks, in one sentence that a skip can show."""


def programs() -> Path:
    """The folder of the newest `initdb` and `postgres` here.

    Raises:
        Missing: there are none, or nobody who may run them.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if not found:
        raise Missing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        raise Missing("PostgreSQL does not run as root, and setpriv is not here to become somebody else")
    return found[-1].parent


class Server:
    """One server; `database` makes a fresh database in it and gives its URL."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            Missing: this machine lacks something.
            AssertionError: it did not come up.
        """
        self._programs = programs()
        self._user = _user()
        self._names = count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="tadamun-pg-"))
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        try:
            self._run("initdb", "-D", f"{self.folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
            self._process = self._start()
            self._admin = sqlalchemy.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
            self._wait_ready()
        except BaseException:
            self.stop()
            raise

    def url(self, name: str) -> str:
        """The URL of a database by name, as `database_url` takes it."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def database(self, template: str = "template0") -> str:
        """Make a database, empty or as a copy of another that nobody has open; returns its name."""
        name = f"test_{next(self._names)}"
        self._execute(f'CREATE DATABASE {name} TEMPLATE {template} ENCODING "UTF8" LOCALE "C"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever still has it open."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """Stop at once and leave nothing behind."""
        admin = getattr(self, "_admin", None)
        if admin is not None:
            admin.dispose()
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def _start(self) -> "subprocess.Popen[bytes]":
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        words = [f"{self._programs}/postgres", "-D", f"{self.folder}/data", "-k", str(self.folder), *options]
        with (self.folder / "log").open("wb") as sink:
            return subprocess.Popen(
                self._as_user(words, ends_with_us=True), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd="/"
            )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START
        while True:
            with suppress(sqlalchemy.exc.OperationalError):
                self._execute("SELECT 1")
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL did not come up:\n{(self.folder / 'log').read_text()}")
            time.sleep(_PAUSE)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            self._as_user([f"{self._programs}/{program}", *words]),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd="/", check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr}"

    def _as_user(self, words: Sequence[str], *, ends_with_us: bool = False) -> list[str]:
        """The command as somebody who is not root; a server ends when the tests are killed."""
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            return list(words)
        before = [setpriv]
        if self._user is not None:
            before += [f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]
        if ends_with_us:
            before += ["--pdeathsig", "QUIT"]
        return [*before, *words] if len(before) > 1 else list(words)


def _user() -> pwd.struct_passwd | None:
    """Whom root becomes; nobody else becomes anybody."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError as error:
        raise Missing("PostgreSQL does not run as root, and there is no user postgres to become") from error

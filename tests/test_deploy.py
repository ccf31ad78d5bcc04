"""The files of deploy/ do what they say, as far as one machine can tell.

Caddy is run for real on loopback, with the addresses of the Caddyfile replaced; systemd reads its units; the
backup script runs with stand-ins for the two programs that it calls.
"""

import http.client
import os
import re
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
UNITS = ("tadamun.service", "tadamun-backup.service", "tadamun-backup.timer")
VISITOR = "127.9.9.9"
"""Where the visitor of these tests comes from: an address that stands nowhere else."""

needs_caddy = pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


@dataclass
class Front:
    """A running Caddy before a node of the test."""

    port: int
    onion_port: int
    log: Path
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def get(self, path: str, port: int | None = None, **headers: str) -> http.client.HTTPResponse:
        place = ("127.0.0.1", port or self.port)
        connection = http.client.HTTPConnection(*place, 20, source_address=(VISITOR, 0))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=sent)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response


@pytest.fixture(scope="module")
def front(tmp_path_factory) -> Iterator[Front]:
    ports = _free_ports(3)
    found = Front(ports[0], ports[1], tmp_path_factory.mktemp("caddy") / "log")

    class Node(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/broken":
                self.close_connection = True
                return
            found.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            return

    node = ThreadingHTTPServer(("127.0.0.1", ports[2]), Node)
    thread = threading.Thread(target=node.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    config = found.log.with_name("Caddyfile")
    config.write_text(
        (DEPLOY / "Caddyfile")
        .read_text("utf-8")
        .replace("node.example {", f"http://:{ports[0]} {{\n\tbind 127.0.0.1")
        .replace("http://:8080", f"http://:{ports[1]}")
        .replace("127.0.0.1:8000", f"127.0.0.1:{ports[2]}")
        .replace("lb_try_duration 10s", "lb_try_duration 1s")
    )
    folder = str(found.log.parent)
    environment = dict.fromkeys(["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"], folder)
    environment["PATH"] = os.environ["PATH"]
    with found.log.open("wb") as log:
        caddy = subprocess.Popen(
            ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)], stderr=log, env=environment
        )
        try:
            _wait_for(ports[0])
            yield found
        finally:
            caddy.terminate()
            caddy.wait(20)
            node.shutdown()
            node.server_close()
            thread.join(10)


@needs_caddy
def test_caddy_takes_the_file_as_it_stands():
    done = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"warn"' not in done.stderr


@needs_caddy
@pytest.mark.parametrize("door", ["port", "onion_port"])
def test_the_node_does_not_learn_who_visits(front, door):
    front.seen.clear()
    front.get(
        "/alerts",
        getattr(front, door),
        X_Forwarded_For="203.0.113.7",
        X_Real_IP="203.0.113.7",
        Forwarded="for=203.0.113.7",
        True_Client_IP="203.0.113.7",
        CF_Connecting_IP="203.0.113.7",
        Via="1.1 203.0.113.7",
    )
    ((path, headers),) = front.seen
    assert path == "/alerts"
    assert "203.0.113.7" not in str(headers)
    assert VISITOR not in str(headers)


@needs_caddy
def test_what_a_signature_covers_reaches_the_node_unchanged(front):
    front.seen.clear()
    front.get("/a%2Fb/%7Ec?x=%20y&z", Host="node.example", Date="today", Signature="s", Digest="d")
    ((path, headers),) = front.seen
    assert path == "/a%2Fb/%7Ec?x=%20y&z"
    assert headers["host"] == "node.example"
    assert {"date", "signature", "digest"} <= set(headers)


@needs_caddy
@pytest.mark.parametrize("door", ["port", "onion_port"])
@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics?x", "/%6Detrics", "//metrics", "/METRICS", "/a/../healthz", "/healthz"],
)
def test_what_is_for_this_machine_only_stays_closed(front, door, path):
    front.seen.clear()
    assert front.get(path, getattr(front, door)).status == 404
    assert not front.seen


@needs_caddy
def test_only_the_door_with_a_certificate_promises_https(front):
    assert front.get("/").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert front.get("/", front.onion_port).headers["Strict-Transport-Security"] is None
    assert front.get("/").headers["Server"] is None


@needs_caddy
def test_no_visitors_address_stands_in_caddys_log_even_when_the_node_breaks(front):
    assert front.get("/alerts").status == 200
    assert front.get("/broken").status == 502
    with socket.create_connection(("127.0.0.1", front.port), 10, source_address=(VISITOR, 0)) as connection:
        connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        connection.recv(1000)
    assert VISITOR not in front.log.read_text("utf-8", "replace")


@needs_systemd
def test_systemd_takes_the_units(tmp_path):
    for program in (tmp_path / ".venv/bin/tadamun", tmp_path / "deploy/backup.sh"):
        program.parent.mkdir(parents=True, exist_ok=True)
        _script(program, "exit 0")
    for name in UNITS:
        text = (DEPLOY / name).read_text("utf-8").replace("/opt/tadamun", str(tmp_path))
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", ["tadamun.service", "tadamun-backup.service"])
def test_the_walls_of_a_unit_are_high(name):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(DEPLOY / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:]


@pytest.mark.parametrize("name", ["tadamun.service", "tadamun-backup.service"])
def test_keys_stay_out_of_core_files_and_swap(name):
    lines = (DEPLOY / name).read_text("utf-8").splitlines()
    assert {"LimitCORE=0", "MemorySwapMax=0", "UMask=0077", "NoNewPrivileges=yes"} <= set(lines)


def test_a_backup_is_sealed_and_the_plain_copy_is_gone(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    _script(programs / "tadamun", 'echo plain > "$2"')
    _script(programs / "age", 'sed s/plain/sealed/ "$5" > "$4"')
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(10, 30):
        (folder / f"tadamun-202601{day}T030000Z.age").write_text("old")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "TADAMUN": str(programs / "tadamun")}
    command = ["sh", str(DEPLOY / "backup.sh"), "recipients", str(folder)]
    subprocess.run(command, env=environment, check=True, timeout=60)
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 14
    assert (folder / names[-1]).read_text() == "sealed\n"
    assert stat.S_IMODE((folder / names[-1]).stat().st_mode) == 0o600
    _script(programs / "age", "exit 1")
    assert subprocess.run(command, env=environment, check=False, timeout=60).returncode != 0
    assert sorted(path.name for path in folder.iterdir()) == names


def test_the_scripts_are_executable_and_shells_can_read_them():
    for path in DEPLOY.glob("*.sh"):
        assert path.stat().st_mode & stat.S_IXUSR, f"{path.name} is not executable"
        subprocess.run(["bash", "-n", str(path)], check=True, timeout=60)


def test_the_container_runs_as_nobody_in_particular_with_pinned_packages():
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    assert re.search(r"^USER tadamun$", text, re.M)
    assert "--require-hashes -r requirements/main.txt" in text
    assert re.findall(r"^FROM (\S+)", text, re.M) == ["debian:12-slim", "debian:12-slim"]


def test_the_onion_service_leads_to_the_door_that_filters():
    assert "HiddenServicePort 80 127.0.0.1:8080" in (DEPLOY / "torrc.example").read_text("utf-8")
    assert "http://:8080 {\n\tbind 127.0.0.1\n\timport tadamun" in (DEPLOY / "Caddyfile").read_text("utf-8")


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nobody listens on port {port} after 10 s")

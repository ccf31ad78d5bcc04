"""The `serve` command: web and workers in one process, one event loop."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module

import click
import uvicorn
import uvloop

from node import log
from node.app import Node
from node.commands.context import Office, common
from node.desk import restoring
from node.errors import ConfigurationError
from node.models import schema
from node.models.base import Database
from node.settings import Settings
from node.web.site import stay

_GRACE = 6.5
_PROGRAM = "from node.cli import main; main()"


@click.command()
@click.option("--bind", metavar="HOST:PORT", help="Where to listen [127.0.0.1:8000, or the setting 'bind'].")
@click.option("--fd", type=int, hidden=True, help="A socket that listens already: of the process that began this one.")
@common
def serve(office: Office, bind: str | None, fd: int | None) -> None:
    """Run the node: pages, inbox, deliveries and catch-up. Stops cleanly on SIGTERM or Ctrl-C, within ten seconds.

    On an empty data directory it prints one address: open it in a browser, and set up your organisation there.
    """
    log.start()
    host, port = _address(bind or office.settings.bind)
    node = _open(office.settings)
    bound = listen(host, port) if fd is None else socket.socket(fileno=fd)
    bound.set_inheritable(True)
    kept = bound.dup()
    kept.set_inheritable(True)
    _say(node, f"http://{f'[{host}]' if ':' in host else host}:{port}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        again = runner.run(run(node, bound))
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)  # what has a handler here would be ignored while the next one starts
    if again():
        # What was in memory, keys above all, goes with this program; who asks meanwhile waits at the socket.
        words = [sys.executable, "-c", _PROGRAM, "serve", "--data", str(office.settings.data.absolute())]
        os.execv(sys.executable, [*words, "--bind", f"{host}:{port}", "--fd", str(kept.fileno())])
    kept.close()


def _open(settings: Settings) -> Node:
    """The node of the data directory; an empty one where nothing is there yet.

    Raises:
        ConfigurationError: the schema is not this version's, or the directory cannot be made.
    """
    if not settings.database_url:
        try:
            settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{settings.data} cannot be made: {error.strerror}") from error
        if restoring.put_in_place(settings):
            log.info("node.restored")
    database = Database(settings.url)
    try:
        if schema.is_empty(database):
            # Loaded for this alone: a node that serves carries no migration tool, which weighs 12 MB.
            import_module("node.models.setup").migrate(database)
    finally:
        database.close()
    return Node.open(settings)


def _say(node: Node, address: str) -> None:
    found = node.organisations()
    if found:
        click.echo(f"{found[0].name} {found[0].address} listens on {address}")
        return
    token = node.setups.begin()
    click.echo("There is no organisation on this node yet. To set one up, open this address in a browser:")
    click.echo("لم تُنشأ منظمة على هذا الخادم بعد. لإنشائها افتحوا هذا العنوان في المتصفّح:")
    click.echo(f"\n  {address}/setup/{token}\n")
    click.echo("Whoever has the address can do it, once. Behind a proxy, put your own host in its place: https://…/setup/…")


async def run(node: Node, bound: socket.socket) -> Callable[[], bool]:
    """Serve until a signal comes, then finish what is claimed; returns what knows whether the process is to begin anew,
    for until then a signal may still say that it is to leave.
    """
    config = uvicorn.Config(
        node.web(),
        http="httptools",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=90,
        timeout_graceful_shutdown=3,
        limit_concurrency=2000,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    again = False

    def renew() -> None:
        nonlocal again
        again = server.should_exit = True

    node.renew = renew
    found = node.organisations()
    await node.start(workers=bool(found))
    gc.collect()
    gc.set_threshold(20_000, 20, 50)
    gc.freeze()  # what lives as long as the node is not looked at again: a fifth of the inbox's CPU, and its p99
    log.info("node.started", origin=found[0].origin if found else "none yet")

    def leave(number: int, frame: object) -> None:
        nonlocal again
        again, server.should_exit = False, True
        node.renew = stay

    for each in (signal.SIGINT, signal.SIGTERM):
        # While it serves, uvicorn listens to these; when it is done it raises them again, and we are not done yet.
        signal.signal(each, leave)
    try:
        await server.serve(sockets=[bound])
    finally:
        try:
            async with asyncio.timeout(_GRACE):
                await node.stop()
            log.info("node.stopped")
        except TimeoutError:
            log.warning("node.stopped_late", note="what was under way is tried again at the next start")
    return lambda: again


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigurationError: somebody else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(f"bind {host}:{port}: {error.strerror}") from error
    bound.listen(1024)
    bound.setblocking(False)
    return bound


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigurationError(f"bind takes HOST:PORT, not {text[:60]!r}")
    return host.strip("[]"), int(port)

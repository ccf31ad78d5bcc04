"""The `serve` command: web and workers in one process, one event loop."""

import asyncio
import signal
import socket

import click
import uvicorn
import uvloop

from node import log
from node.app import Node
from node.commands.context import Office, common
from node.errors import ConfigurationError

_GRACE = 6.5


@click.command()
@click.option("--bind", metavar="HOST:PORT", help="Where to listen [127.0.0.1:8000, or the setting 'bind'].")
@common
def serve(office: Office, bind: str | None) -> None:
    """Run the node: pages, inbox, deliveries and catch-up. Stops cleanly on SIGTERM or Ctrl-C, within ten seconds."""
    log.start()
    host, port = _address(bind or office.settings.bind)
    node = Node.open(office.settings)
    organisation = node.organisation()
    click.echo(f"{organisation.name} {organisation.address} listens on http://{host}:{port}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(node, host, port))


async def run(node: Node, host: str, port: int) -> None:
    """Serve until a signal comes, then finish what is claimed."""
    config = uvicorn.Config(
        node.web(),
        host=host,
        port=port,
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
    bound = _bind(host, port)
    await node.start()
    log.info("node.started", origin=node.organisation().origin)
    for each in (signal.SIGINT, signal.SIGTERM):
        # While it serves, uvicorn listens to these; when it is done it raises them again, and we are not done yet.
        signal.signal(each, signal.SIG_IGN)
    try:
        await server.serve(sockets=[bound])
    finally:
        try:
            async with asyncio.timeout(_GRACE):
                await node.stop()
            log.info("node.stopped")
        except TimeoutError:
            log.warning("node.stopped_late", note="what was under way is tried again at the next start")


def _bind(host: str, port: int) -> socket.socket:
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

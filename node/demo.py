"""`tadamun demo`: three invented organisations on this machine, an exercise that goes round, a node that dies, and an
empty node of your own, which is set up in the browser and becomes a member of the two that live on.

Everything runs through the real commands and real sockets, in processes of their own, in a folder that goes when the
demo ends. Nothing leaves this machine.
"""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import click

from node.errors import NodeError, RefusedError
from node.federation.fetcher import Fetcher
from node.federation.protocol import verification
from node.federation.protocol.addressing import Policy
from node.federation.protocol.messages import Document, parse_document
from node.models import organisations
from node.models.base import Database
from node.settings import load

_NETWORKS = "127.0.0.0/8,::1/128"
_WAIT = 60.0
_ORGANISATIONS = (
    ("waha", "واحة للحقوق (تدريب)", "Waha for Rights (exercise)"),
    ("jisr", "جسر التضامن (تدريب)", "Jisr Solidarity (exercise)"),
    ("sanad", "سند للمدافعات (تدريب)", "Sanad for Defenders (exercise)"),
)
_ALERT = Path(__file__).parent / "demo_alert.json"


@dataclass(slots=True)
class Member:
    """One organisation of the demo: its folder, its address, its process."""

    handle: str
    name: str
    folder: Path
    port: int
    did: str = ""
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


@click.command()
@click.option("--once", is_flag=True, help="Stop after the story instead of leaving the survivors open.")
def demo(once: bool) -> None:
    """Three invented organisations on this machine: an exercise goes round, its node dies, the others prove it.

    Then a node of your own: open the address that is printed, set your organisation up in the browser, and write an
    exercise that the two others show.
    """
    with tempfile.TemporaryDirectory(prefix="tadamun-demo-") as folder:
        members = [
            Member(handle, f"{arabic} · {english}", Path(folder) / handle, _free_port(8101 + number))
            for number, (handle, arabic, english) in enumerate(_ORGANISATIONS)
        ]
        try:
            asyncio.run(_story(members, Path(folder)))
            if not once:
                own = Member("yours", "", Path(folder) / "yours", _free_port(8104))
                members.append(own)
                _stay(members[1:3], own)
        except KeyboardInterrupt:
            click.echo("\nstopping")
        finally:
            for member in members:
                _stop(member)


async def _story(members: list[Member], folder: Path) -> None:
    origin, *others = members
    _say("1", "Three invented organisations make their nodes: keys, database, recovery sheet")
    await asyncio.gather(*(_init(member, folder) for member in members))
    for member in members:
        click.echo(f"      {member.name}\n        {member.did}")
    _say("2", "Each node starts, and pins the other two by their keys")
    for member in members:
        member.process = _serve(member)
    await asyncio.gather(*(_ready(member) for member in members))
    pairs = [(each, other) for each in members for other in members if each is not other]
    adding = (_command(each, "member", "add", f"@{other.handle}@127.0.0.1:{other.port}") for each, other in pairs)
    await asyncio.gather(*adding)
    _say("3", f"{origin.handle} publishes an exercise alert in Arabic with an English translation")
    policy = Policy(load(None, {"TADAMUN_ALLOW_NETWORKS": _NETWORKS}).allow_networks)
    async with Fetcher(policy, None, "tadamun-demo") as fetcher:
        began = time.perf_counter()
        shown = [asyncio.create_task(_shown(fetcher, member)) for member in others]
        said = await _command(origin, "alert", "publish", str(_ALERT))
        returned = time.perf_counter() - began
        click.echo(f"      reference {said['reference']}, log entry {said['sequence']}")
        click.echo(f"      the command, with the start of Python, took {returned:.2f} s")
        for member, moment in zip(others, await asyncio.gather(*shown), strict=True):
            click.echo(f"      on {member.handle}'s page {moment - began:.2f} s after Enter")
        path = said["id"].removeprefix(origin.origin)
        _say("4", f"{origin.handle}'s node is killed, as by a raid: no warning, no farewell")
        _kill(origin)
        _say("5", "The others still serve it, and anyone can prove who wrote it")
        document = Document(b"", {})
        for member in others:
            document = await _fetch(fetcher, member.origin + path)
            verification.verify_object(document, None)
            click.echo(f"      {member.origin}{path[:34]}…  signature of {origin.did[:20]}… holds")
    _say("6", "A tampered copy is refused")
    _refuse_tampered(document)


def _refuse_tampered(document: Document) -> None:
    changed = json.loads(document.raw)
    changed["headline"] = changed["headline"] + " (changed by a stranger)"
    try:
        verification.verify_object(parse_document(json.dumps(changed).encode()), None)
    except NodeError as error:
        click.echo(f"      refused: {error}")
        return
    raise RefusedError("the tampered copy was taken: this is a bug, please report it")


def _stay(others: list[Member], own: Member) -> None:
    _say("→", "Look at it in the browser · انظروا إليه في المتصفّح:")
    for member in others:
        click.echo(f"      {member.origin}/alerts   {member.name}")
    click.echo(f"      in English: {others[0].origin}/alerts?lang=en")
    own.folder.mkdir()
    with (own.folder.parent / "yours.log").open("wb") as log:
        own.process = _serve(own, log)
    _say("→", "A node of your own: set it up in the browser · خادم لكم أنتم: أنشئوه في المتصفّح:")
    click.echo(f"      {_address(own)}")
    click.echo("      It becomes a member of the two above. Ctrl-C ends everything, and nothing is left behind.")
    click.echo("      تصبح عضواً مع المنظمتين أعلاه. بالضغط على Ctrl-C ينتهي كل شيء ولا يبقى أثر.")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    greeted = False
    while all(member.process is None or member.process.poll() is None for member in (*others, own)):
        time.sleep(1)
        if not greeted and (found := _organisation(own)) is not None:
            asyncio.run(_greet(others, own, found))
            greeted = True
    raise RefusedError("a node of the demo stopped by itself; run it again, or look at 'tadamun serve'")


def _address(own: Member) -> str:
    """What `serve` printed: where an empty node is set up."""
    log = own.folder.parent / "yours.log"
    for _ in range(int(_WAIT * 20)):
        found = re.search(r"http://\S+/setup/\S+", log.read_text("utf-8"))
        if found is not None:
            return found[0]
        time.sleep(0.05)
    raise RefusedError(f"your node did not start within {_WAIT:.0f} s: {log.read_text('utf-8')[-300:]}")


def _organisation(own: Member) -> str | None:
    """Its handle, once it was set up. Read beside the node, as every command does."""
    database = Database(f"sqlite:///{own.folder / 'node.sqlite'}")
    try:
        found = database.read_now(organisations.all_of)
    finally:
        database.close()
    return found[0].address if found else None


async def _greet(others: list[Member], own: Member, address: str) -> None:
    """Each of the three pins the two others, as their people would after comparing six words by voice."""
    await _ready(own)
    adding = [_command(own, "member", "add", f"@{each.handle}@127.0.0.1:{each.port}") for each in others]
    adding += [_command(each, "member", "add", address) for each in others]
    await asyncio.gather(*adding)
    _say("→", f"{address} · jisr · sanad")
    click.echo("      Members of each other now: an exercise that you write, and a second person approves, they show.")
    click.echo("      صرتم أعضاء بعضكم لبعض: التدريب الذي تكتبونه ويعتمده شخص ثانٍ يظهر على صفحاتهم.")
    sys.stdout.flush()


async def _init(member: Member, folder: Path) -> None:
    recovery = str(folder / f"{member.handle}-recovery.txt")
    made = await _command(
        member, "init", "--origin", member.origin, "--name", member.name, "--handle", member.handle,
        "--summary", "Invented for an exercise. منظمة متخيَّلة لأغراض التدريب.", "--listed", "--recovery-file", recovery,
    )  # fmt: skip
    member.did = made["did"]


async def _command(member: Member, *words: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        *_program(), *words, "--data", str(member.folder), "--json",
        env={"PATH": "", "TADAMUN_ALLOW_NETWORKS": _NETWORKS, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), _WAIT)
    except TimeoutError as error:
        process.kill()
        late = f"tadamun {' '.join(words[:2])} took longer than {_WAIT:.0f} s: is the machine busy?"
        raise RefusedError(late) from error
    if process.returncode != 0:
        raise RefusedError(f"tadamun {' '.join(words[:2])}: {err.decode().strip()[-300:]}")
    return json.loads(out)


def _serve(member: Member, log: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*_program(), "serve", "--data", str(member.folder), "--bind", f"127.0.0.1:{member.port}"],
        env={"PATH": "", "TADAMUN_ALLOW_NETWORKS": _NETWORKS, "PYTHONUTF8": "1"},
        stdout=log or subprocess.DEVNULL,
        stderr=log or subprocess.DEVNULL,
    )


def _program() -> list[str]:
    return [sys.executable, "-c", "from node.cli import main; main()"]


async def _ready(member: Member) -> None:
    for _ in range(int(_WAIT * 20)):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", member.port)
            writer.close()
            await writer.wait_closed()
            return
        except OSError:
            await asyncio.sleep(0.05)
    raise RefusedError(f"{member.handle}'s node did not start within {_WAIT:.0f} s")


async def _shown(fetcher: Fetcher, member: Member) -> float:
    """Look at a member's page until the alert stands there; when that was."""
    for _ in range(int(_WAIT * 50)):
        page = await fetcher.get(f"{member.origin}/alerts", accept="text/html", content_types=lambda kind: bool(kind))
        if b'href="/alerts/' in page.body:
            return time.perf_counter()
        await asyncio.sleep(0.02)
    raise RefusedError(f"the alert did not come to {member.handle} within {_WAIT:.0f} s")


async def _fetch(fetcher: Fetcher, url: str) -> Document:
    """Ask until it is there: the alert is on its way."""
    for _ in range(int(_WAIT * 50)):
        try:
            return (await fetcher.get_json(url))[1]
        except NodeError:
            await asyncio.sleep(0.02)
    raise RefusedError(f"nothing came to {url[:60]} within {_WAIT:.0f} s")


def _kill(member: Member) -> None:
    if member.process is not None:
        member.process.kill()
        member.process.wait(10)
        member.process = None


def _stop(member: Member) -> None:
    if member.process is not None and member.process.poll() is None:
        member.process.terminate()
        try:
            member.process.wait(10)
        except subprocess.TimeoutExpired:
            member.process.kill()
            member.process.wait(10)


def _free_port(wanted: int) -> int:
    """The usual port, or any other when somebody has it."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RefusedError("no free port on 127.0.0.1")


def _say(number: str, text: str) -> None:
    click.echo(f"\n  {number}   {text}")
    sys.stdout.flush()

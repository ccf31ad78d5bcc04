"""What every command has: the settings, the node of `--data`, and one way to print."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from node.app import Node
from node.federation.protocol.keys import OrganisationKey
from node.models.organisations import Organisation
from node.settings import Settings, load

T = TypeVar("T")


@dataclass(slots=True)
class Office:
    """One command's run: opened when it is first needed, closed when the command ends."""

    data: Path | None
    org: str | None = None
    json: bool = False
    _node: Node | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the data directory."""
        return load(self.data)

    @property
    def node(self) -> Node:
        """The node of the data directory."""
        if self._node is None:
            self._node = Node.open(self.settings)
        return self._node

    @property
    def organisation(self) -> Organisation:
        """The organisation the command is about: `--org`, else the first made."""
        return self.node.organisation(self.org)

    @property
    def key(self) -> OrganisationKey:
        """Its key."""
        return self.node.keyring.organisation(self.organisation.did)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run one transaction."""
        return self.node.database.write_now(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Read."""
        return self.node.database.read_now(work)

    def call(self, work: Callable[[Node], Coroutine[Any, Any, T]]) -> T:
        """Run something that calls others."""
        node = self.node

        async def run() -> T:
            try:
                return await work(node)
            finally:
                await node.fetcher.close()

        return asyncio.run(run())

    def close(self) -> None:
        """Let go of the database."""
        if self._node is not None:
            self._node.delivery.close()
            self._node.database.close()

    def show(self, value: Any, lines: "list[str] | str") -> None:
        """Print one JSON document with `--json`, else these lines for people."""
        if self.json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        else:
            click.echo(lines if isinstance(lines, str) else "\n".join(lines))


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data`, `--org` and `--json`, on every command."""
    command = click.pass_obj(_with_options(command))
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."),
        click.option("--org", help="Handle or did, where several organisations live on this node."),
        click.option(
            "--data", type=click.Path(path_type=Path, file_okay=False),
            help="The data directory [$TADAMUN_DATA, else ./data].",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    def run(parent: Office, data: Path | None, org: str | None, as_json: bool, **rest: Any) -> Any:
        office = Office(data or parent.data, org, as_json)
        try:
            return command(office, **rest)
        finally:
            office.close()

    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    return run

"""The command line: one line on stderr and exit 1 when a rule says no, exit 2 for wrong usage or settings."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import click

from node import __version__
from node.commands.context import Office
from node.errors import ConfigurationError, NodeError

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "alert": "node.commands.alerts:alert",
        "audit": "node.commands.people:audit",
        "backup": "node.commands.setup:backup",
        "boosts": "node.commands.boosts:boosts",
        "charter": "node.commands.charters:charter",
        "custody": "node.commands.custody:custody",
        "decision": "node.commands.networks:decision",
        "demo": "node.demo:demo",
        "doctor": "node.commands.setup:doctor",
        "epoch": "node.commands.setup:epoch",
        "export": "node.commands.proof:export",
        "follow": "node.commands.network:follow",
        "import": "node.commands.proof:import_bundle",
        "group": "node.commands.groups:group",
        "init": "node.commands.setup:init",
        "member": "node.commands.network:member",
        "migrate": "node.commands.setup:migrate",
        "mirror": "node.commands.copies:mirror",
        "network": "node.commands.networks:network",
        "offer": "node.commands.offers:offer",
        "offers": "node.commands.offers:offers",
        "policy": "node.commands.policies:policy",
        "profile": "node.commands.setup:profile",
        "rebuild": "node.commands.setup:rebuild",
        "refusals": "node.commands.network:refusals",
        "reports": "node.commands.network:reports",
        "restore": "node.commands.setup:restore",
        "serve": "node.commands.running:serve",
        "settings": "node.commands.setup:settings",
        "status": "node.commands.network:status",
        "succeed": "node.commands.setup:succeed",
        "sync": "node.commands.network:sync",
        "unfollow": "node.commands.network:unfollow",
        "user": "node.commands.people:user",
        "verify": "node.commands.proof:verify",
    }
)


class Commands(click.Group):
    """Commands by name; a command's module is loaded when it is called for, so that `serve` carries no tool it has no
    use for (12 MB for the migration tool alone).
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found = getattr(import_module(module), name)
        return found if isinstance(found, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tadamun")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="The data directory [$TADAMUN_DATA, else ./data]."
)
@click.pass_context
def tadamun(context: click.Context, data: Path | None) -> None:
    """A node that a human-rights organisation runs for itself.

    \b
    Start here:
      tadamun demo                      three invented organisations on this machine
      tadamun init --origin https://alerts.example.org --name "…" --handle alerts \\
                   --recovery-file /media/stick/recovery.txt
      tadamun serve
      tadamun member add @handle@host   pin another organisation
      tadamun alert publish FILE.json   publish; see examples in tests/vectors/alert-ar.json
    """
    context.obj = Office(data)


def main() -> None:
    """Run one command."""
    try:
        code = tadamun.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except ConfigurationError as error:
        click.echo(f"tadamun: {error}", err=True)
        sys.exit(2)
    except NodeError as error:
        click.echo(f"tadamun: {error}", err=True)
        sys.exit(1)

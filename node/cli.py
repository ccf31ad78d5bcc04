"""The command line: one line on stderr and exit 1 when a rule says no, exit 2 for wrong usage or settings."""

import sys
from pathlib import Path

import click

from node import __version__, demo
from node.commands import alerts, network, proof, running, setup
from node.commands.context import Office
from node.errors import ConfigurationError, NodeError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (
    setup.init,
    running.serve,
    alerts.alert,
    network.member,
    network.follow,
    network.unfollow,
    network.status,
    network.sync,
    network.refusals,
    network.reports,
    proof.verify,
    proof.export,
    proof.import_bundle,
    setup.profile,
    setup.settings,
    setup.doctor,
    setup.migrate,
    setup.rebuild,
    setup.backup,
    setup.restore,
    setup.epoch,
    setup.succeed,
    demo.demo,
):
    tadamun.add_command(command)


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

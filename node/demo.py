"""`tadamun demo`: placeholder until the thin path runs."""

import click


@click.command()
def demo() -> None:
    """Three invented organisations on this machine."""

"""The command about `@alerts`: which of the network's alerts it boosts."""

import click

from node.app import utc_now
from node.commands.context import Office, common
from node.desk import boosts as desk
from node.policies import parse_country, parse_kind


@click.command()
@click.option("--country", "countries", multiple=True, help="Two letters of ISO 3166-1; may be given again.")
@click.option("--kind", "kinds", multiple=True, help="An alert's kind or violation type; may be given again.")
@click.option("--all", "everything", is_flag=True, help="Boost every public alert of the network.")
@click.option("--none", "nothing", is_flag=True, help="Boost nothing, and carry nothing on.")
@common
def boosts(
    office: Office, countries: tuple[str, ...], kinds: tuple[str, ...], everything: bool, nothing: bool
) -> None:
    """Say which alerts @alerts passes on to its followers, from now on; without options, show it. At first: none.

    An alert of a chosen country and kind is boosted; if its author's server is gone for long, and the author agreed
    beforehand, it may be carried on under the name of this organisation.
    """
    if sum((everything, nothing, bool(countries or kinds))) > 1:
        raise click.UsageError("--all, --none, or --country and --kind: one of the three")
    organisation = office.organisation
    wanted = [] if nothing else [("", "")] if everything else _wanted(countries, kinds)
    found = office.write(
        lambda connection: desk.choose(connection, organisation, wanted, utc_now(), anew=everything or nothing)
    )
    shown = [{"country": each.country or None, "kind": each.kind or None} for each in found.rules]
    lines = [f"boosted    country {each.country or 'any':4} kind {each.kind or 'any'}" for each in found.rules]
    office.show(
        {"handle": found.handle, "followers": found.followers, "boosted": shown},
        [f"{found.handle} has {found.followers} followers", *(lines or ["boosted    nothing"])],
    )


def _wanted(countries: tuple[str, ...], kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    if not countries and not kinds:
        return []
    return [
        (country, kind)
        for country in [parse_country(each) for each in countries] or [""]
        for kind in [parse_kind(each) for each in kinds] or [""]
    ]

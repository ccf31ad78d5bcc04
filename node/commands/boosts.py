"""The command about `@alerts`: which of the network's alerts it boosts."""

from datetime import datetime

import click
from sqlalchemy import Connection

from node.alert_countries import COUNTRIES
from node.alert_input import MAX_TEXT
from node.app import utc_now
from node.boosts import Rule
from node.commands.context import Office, common
from node.errors import RefusedError
from node.models import boosts as rows
from node.models import contacts, organisations


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
    wanted = _wanted(countries, kinds, everything, utc_now())

    def work(connection: Connection) -> tuple[tuple[Rule, ...], str, int]:
        voice = rows.voice_of(organisation, organisations.all_of(connection))
        if voice is None:
            raise RefusedError("another organisation looks after the @alerts of this host: name it with --org")
        if everything or nothing:
            rows.ask_for_none(connection, organisation.did)
        rows.ask_for(connection, organisation.did, wanted)
        host = voice.origin.partition("://")[2]
        followers = contacts.count_followers(connection, voice.key)
        return rows.asked_for(connection, organisation.did), f"@{voice.handle}@{host}", followers

    found, handle, followers = office.write(work)
    shown = [{"country": each.country or None, "kind": each.kind or None} for each in found]
    lines = [f"boosted    country {each.country or 'any':4} kind {each.kind or 'any'}" for each in found]
    office.show(
        {"handle": handle, "followers": followers, "boosted": shown},
        [f"{handle} has {followers} followers", *(lines or ["boosted    nothing"])],
    )


def _wanted(
    countries: tuple[str, ...], kinds: tuple[str, ...], everything: bool, now: datetime
) -> tuple[Rule, ...]:
    if everything:
        return (Rule("", "", now),)
    if not countries and not kinds:
        return ()
    for code in countries:
        if code.upper() not in COUNTRIES:
            raise RefusedError(f"--country takes the two letters of ISO 3166-1, such as IQ, not {code[:20]!r}")
    if any(len(kind) > min(MAX_TEXT, 100) for kind in kinds):
        raise RefusedError("--kind takes an alert's kind or violation type, such as urgent-appeal")
    return tuple(Rule(code.upper(), kind.lower(), now) for code in countries or ("",) for kind in kinds or ("",))

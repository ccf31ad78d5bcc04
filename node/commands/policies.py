"""The command about others' alerts: which of them this node holds, shows and boosts."""

from collections.abc import Mapping
from types import MappingProxyType

import click

from node.app import utc_now
from node.commands.context import Office, common
from node.desk import policies as desk
from node.errors import RefusedError
from node.models import policies as rows
from node.policies import SWITCHES, Policies, Rule, parse_country, parse_kind

WHY = "republishing others' alerts is an offence in some countries: ask a lawyer which of these is safe for you"
_MEANING: Mapping[str, str] = MappingProxyType(
    {
        "hold": "keep the text and serve it to members",
        "show": "pages, lists, documents and copies for everyone",
        "boost": "by @alerts, where 'boosts' asked for it",
    }
)


@click.command()
@click.argument("switch", required=False, type=click.Choice(SWITCHES))
@click.option("--country", "countries", multiple=True, help="Two letters of ISO 3166-1; may be given again [any].")
@click.option("--kind", "kinds", multiple=True, help="An alert's kind or violation type; may be given again [any].")
@click.option("--allow", "wish", flag_value="allow", help="Do it, from now on.")
@click.option("--deny", "wish", flag_value="deny", help="Do it no more; what is here already follows at once.")
@click.option("--default", "wish", flag_value="default", help="Drop the rule about these: what is wider decides.")
@common
def policy(
    office: Office, switch: str | None, countries: tuple[str, ...], kinds: tuple[str, ...], wish: str | None
) -> None:
    """Say which alerts of OTHER organisations this node holds, shows and boosts; without arguments, show it.

    \b
    tadamun policy show --country IQ --deny             nothing about Iraq for everyone, here
    tadamun policy hold --country IQ --kind arrest --deny
    At first everything is held and shown, and nothing is boosted. The narrowest rule decides, and of equals the one
    that denies. Republishing is an offence in some countries; so may be keeping. With 'hold' denied only the header of
    a log entry stays, which proves the others; its text is destroyed, and comes again by catch-up if it is allowed
    again. What the organisations of this node publish themselves is never touched.
    """
    if (wish is None) != (switch is None) or (switch is None and (countries or kinds)):
        raise click.UsageError("say hold, show or boost, and --allow, --deny or --default; or nothing at all")
    organisation = office.organisation
    if switch is None:
        found = office.read(lambda connection: rows.of(connection, organisation.did))
        office.show({"policies": shown(found)}, lines(found))
        return
    given = [
        Rule(switch, country, kind, wish == "allow")
        for country in [parse_country(each) for each in countries] or [""]
        for kind in [parse_kind(each) for each in kinds] or [""]
    ]
    outcome = office.write(
        lambda connection: desk.decide(connection, organisation, given, utc_now(), drop=wish == "default")
    )
    counts = {"hidden": outcome.hidden, "let_go": outcome.let_go, "asked_again": outcome.asked_again}
    office.show(
        {"policies": shown(outcome.policies), **counts},
        [
            *lines(outcome.policies),
            f"not shown  {outcome.hidden} alerts that are held",
            *([f"let go     the text of {outcome.let_go} log entries"] if outcome.let_go else []),
            *([f"asked for  {outcome.asked_again} log entries, by the next 'sync'"] if outcome.asked_again else []),
        ],
    )


def read_flag(text: str) -> Rule:
    """A rule as `init --policy` takes it: `show:IQ:arrest=deny`, with `*` for any country or kind.

    Raises:
        RefusedError: it is none.
    """
    what, _, wish = text.partition("=")
    parts = what.split(":")
    if len(parts) != 3 or parts[0] not in SWITCHES or wish not in ("allow", "deny"):
        raise RefusedError(f"--policy takes SWITCH:COUNTRY:KIND=allow or =deny (show:IQ:*=deny), not {text[:60]!r}")
    country = "" if parts[1] == "*" else parse_country(parts[1])
    kind = "" if parts[2] == "*" else parse_kind(parts[2])
    return Rule(parts[0], country, kind, wish == "allow")


def shown(found: Policies) -> list[dict[str, object]]:
    """For `--json`."""
    return [
        {"switch": each.switch, "country": each.country or None, "kind": each.kind or None, "allow": each.allow}
        for each in found.rules
    ]


def lines(found: Policies) -> list[str]:
    """For people: the three switches, each with its rules."""
    told = []
    for switch in SWITCHES:
        told.append(f"{switch:10} {'nothing' if switch == 'boost' else 'everything'} but these: {_MEANING[switch]}")
        told += [
            f"  {'allow' if each.allow else 'deny':8} country {each.country or 'any':4} kind {each.kind or 'any'}"
            for each in found.rules
            if each.switch == switch
        ]
    return [*told, f"why        {WHY}"]

"""An operator decides which alerts of others are held, shown and boosted; what is here already follows at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import alerts as rules
from node.alert_terms import HELD_STATUSES
from node.boosts import Rule as Wish
from node.federation import holding
from node.models import alerts, boosts, documents, organisations, policies, unheld
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation
from node.policies import Policies, Rule

_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did to what was here."""

    policies: Policies
    hidden: int
    """Alerts that are not shown now."""
    let_go: int
    """Log entries whose text was destroyed by this change."""
    asked_again: int
    """Log entries without text that the next catch-up brings again."""


def decide(
    connection: Connection, organisation: Organisation, given: list[Rule], now: datetime, *, drop: bool = False
) -> Outcome:
    """Keep these rules (or drop them) and bring what is held into line with them.

    To allow a boost is to ask for it too.
    """
    org = organisation.did
    for rule in given:
        (policies.drop if drop else policies.put)(connection, org, rule)
        if rule.switch == "boost" and rule.allow and not drop:
            boosts.ask_for(connection, org, [Wish(rule.country, rule.kind, now)])
    current = policies.of(connection, org)
    wider = any(rule.switch == "hold" and (rule.allow or drop) for rule in given)
    return apply(connection, organisation, current, wider=wider)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a change would do to the alerts of others that are here."""

    appear: int
    """They would be shown and are not now."""
    disappear: int
    """They are shown now and would not be; what is let go is among them."""
    let_go: int
    """Their text would be destroyed here."""


def forecast(
    connection: Connection, organisation: Organisation, given: list[Rule], *, drop: bool = False
) -> Forecast:
    """What `decide` would do. What is not held now is not counted: nobody knows what it says."""
    then = policies.of(connection, organisation.did).changed(given, drop=drop)
    appear = disappear = gone = 0
    for record, traits in _others(connection, organisation):
        holds, shows = then.holds(*traits), then.shows(*traits)
        gone += not holds
        appear += shows and not record.shown
        disappear += record.shown and not shows
    return Forecast(appear, disappear, gone)


def _others(
    connection: Connection, organisation: Organisation
) -> Iterator[tuple[AlertRecord, tuple[str, frozenset[str]]]]:
    """Alerts of others that are held, with country and kinds."""
    org = organisation.did
    own = {each.did for each in organisations.all_of(connection)}
    for record in alerts.newest(connection, org, statuses=HELD_STATUSES, limit=_MOST, translations=True, hidden=True):
        held = documents.stored(connection, org, record.object_id)
        if record.did not in own and held is not None and held.raw is not None:
            yield record, rules.traits(orjson.loads(held.raw))


def apply(connection: Connection, organisation: Organisation, current: Policies, *, wider: bool = False) -> Outcome:
    """Bring what is held into line with the rules.

    Args:
        wider: something is to be held now that was not: the entries without text are asked for again.
    """
    org = organisation.did
    hidden = let_go = 0
    for record, (country, kinds) in list(_others(connection, organisation)):
        if not current.holds(country, kinds):
            let_go += holding.let_go(connection, org, record.author, record.did, record.object_id)
            continue
        shown = current.shows(country, kinds)
        hidden += not shown
        if shown != record.shown:
            alerts.mark_shown(connection, org, record.object_id, shown)
    return Outcome(current, hidden, let_go, unheld.ask_again(connection, org) if wider else 0)

"""Plans of a working group at the desk: written and opened for comments by who steers it, approved by the network."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from node import governance as rules
from node import group_entries as entries
from node import plans
from node.desk import groups, networks
from node.desk.networks import Desk
from node.errors import RefusedError
from node.federation.letters import Sent
from node.group_entries import GroupEntry
from node.plans import YearPlan


def current(connection: Connection, org: str, name: str, secrets: Sequence[str]) -> tuple[YearPlan, ...]:
    """Every year that has a plan, the latest first, as far as these secrets open what was said."""
    at = groups.place(connection, org, name)
    heard = [each.entry for each in groups.history(connection, org, at.group, secrets)]
    return plans.work_out(heard, at.group.steered, at.state.decisions)


def write(
    desk: Desk, name: str, says: Mapping[str, Any], secrets: Sequence[str], language: str = ""
) -> tuple[GroupEntry, Sent | None]:
    """Write a year's plan, or the version that takes the current one's place.

    Raises:
        RefusedError: a part of it is missing, or we do not steer the group.
    """
    held = [each for each in current(desk.connection, desk.own, name, secrets) if each.year == says.get("year")]
    about = held[0].current.digest if held else ""
    return groups.speak(desk, name, entries.PLAN, {"cites": [], **says}, about=about, language=language)


def step(desk: Desk, name: str, year: int, what: str, secrets: Sequence[str]) -> tuple[GroupEntry, Sent | None]:
    """Open a plan for comments, or close its year.

    Raises:
        RefusedError: it is not at that point.
    """
    found = of_year(desk, name, year, secrets)
    if what not in plans.steps_of(found):
        raise RefusedError(f"that step does not follow from where the plan is ({year}; {found.phase})")
    return groups.speak(desk, name, entries.STEP, {"step": what}, about=found.current.digest)


def hand_in(desk: Desk, name: str, year: int, secrets: Sequence[str]) -> str:
    """Show the plan to the whole network and propose that it approves it; returns the proposal's digest.

    Raises:
        RefusedError: it is not at that point, or we do not steer the group.
    """
    found = of_year(desk, name, year, secrets)
    at = groups.place(desk.connection, desk.own, name)
    if plans.HAND_IN not in plans.steps_of(found):
        raise RefusedError(f"the plan is not to be handed in now ({year}; {found.phase})")
    if not at.group.steers(desk.own):
        raise RefusedError("the coordinators and the steering committee hand a plan in")
    groups.show_to(desk, at, found.current, set(at.state.members))
    return networks.propose(desk, at.network, rules.ADOPT, text=found.current.digest)[0]


def review(
    desk: Desk, name: str, year: int, says: Mapping[str, Any], secrets: Sequence[str]
) -> tuple[GroupEntry, Sent | None]:
    """Review a quarter, or the year.

    Raises:
        RefusedError: no plan of that year is approved, or a part is missing.
    """
    found = of_year(desk, name, year, secrets)
    if found.approved is None:
        raise RefusedError(f"a plan is reviewed once it is approved ({year}; {found.phase})")
    return groups.speak(desk, name, entries.REVIEW, says, about=found.approved.digest)


def of_year(desk: Desk, name: str, year: int, secrets: Sequence[str]) -> YearPlan:
    """The plan of one year.

    Raises:
        RefusedError: there is none that is opened here.
    """
    for each in current(desk.connection, desk.own, name, secrets):
        if each.year == year:
            return each
    raise RefusedError(f"no plan of that year is opened here: 'tadamun group plan' writes one ({year})")

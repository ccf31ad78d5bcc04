"""The commands of a working group's plans and proposed charters, and its calendar."""

import json
from pathlib import Path
from typing import Any

import click

from node import group_entries as entries
from node import plans
from node.app import utc_now
from node.commands.context import Office, common
from node.commands.group_office import act, json_of, names_of, secrets_of, tell_what_was_said, text_of
from node.commands.networks import named
from node.desk import calendars, drafts
from node.desk import plans as plan_desk
from node.plans import YearPlan


@click.command()
@click.argument("name", metavar="GROUP")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def plan(office: Office, name: str, file: Path) -> None:
    """Write the plan of a year from a JSON file, or a version of it; 'group plans' shows where each year stands.

    The file: {"year": 2027, "goals": [{"key": "water", "text": "…"}], "priorities": ["…"], "activities": [{"text":
    "…", "lead": "an organisation", "goal": "water"}], "risks": [{"challenge": "…", "response": "…"}], "protection":
    "how this plan protects defenders", "cites": ["DIGEST#3"]}
    """
    says = json_of(file)
    tell_what_was_said(office, lambda mine: plan_desk.write(mine, name, says, secrets_of(office)))


@click.command("plans")
@click.argument("name", metavar="GROUP")
@common
def list_plans(office: Office, name: str) -> None:
    """Where each year's plan stands, what comes next, and the goals side by side."""
    org = office.organisation.did
    found_ = office.read(lambda connection: plan_desk.current(connection, org, name, secrets_of(office)))
    years, goals = plans.side_by_side(found_)
    coming = plans.due(found_, utc_now().date())
    lines = [
        f"{each.year}  {each.phase:10} {each.current.digest[:14]}  {len(each.goals())} goals, "
        f"{len(each.comments)} comments, {len(each.reviews)} reviews"
        for each in found_
    ]
    for row in goals:
        cells = (f"{change or ''} {text}".strip() for text, change in zip(row.texts, row.changes, strict=True))
        lines.append(f"{row.key:12} {'  |  '.join(cells)}")
    lines += [f"{'LATE' if each.late else 'next':5} {each.year} {each.what} by {each.by}" for each in coming]
    value = {
        "plans": [_plan_value(each) for each in found_],
        "years": list(years),
        "goals": [{"key": r.key, "texts": list(r.texts), "changes": list(r.changes)} for r in goals],
        "due": [{"year": e.year, "what": e.what, "by": e.by.isoformat(), "late": e.late} for e in coming],
    }
    office.show(value, lines or ["no plan yet: 'tadamun group plan GROUP FILE'"])


@click.command()
@click.argument("name", metavar="GROUP")
@click.argument("year", type=int)
@click.argument("what", type=click.Choice((*entries.STEPS, plans.HAND_IN)))
@common
def step(office: Office, name: str, year: int, what: str) -> None:
    """The plan's next step: open it for comments, hand it in for the network's approval, close the year."""
    if what == plans.HAND_IN:
        proposal = act(office, lambda mine: plan_desk.hand_in(mine, name, year, secrets_of(office)))
        lines = [f"proposed   {proposal}", f"vote with: tadamun decision vote {proposal[:12]} yes"]
        office.show({"proposal": proposal}, lines)
        return
    tell_what_was_said(office, lambda mine: plan_desk.step(mine, name, year, what, secrets_of(office)))


@click.command()
@click.argument("name", metavar="GROUP")
@click.argument("year", type=int)
@click.argument("period", type=click.Choice(entries.PERIODS))
@click.argument("done", metavar="WHAT-WAS-DONE")
@click.option("--evaluation", default="")
@click.option("--changed", multiple=True, metavar="KEY=TEXT", help="A goal that reads otherwise from now on.")
@common
def review(
    office: Office, name: str, year: int, period: str, done: str, evaluation: str, changed: tuple[str, ...]
) -> None:
    """Review a quarter, or the year."""
    goals = [dict(zip(("key", "text"), named(each), strict=True)) for each in changed]
    says = {"period": period, "done": text_of(done), "evaluation": evaluation, "changed": goals}
    tell_what_was_said(office, lambda mine: plan_desk.review(mine, name, year, says, secrets_of(office)))


@click.command()
@click.argument("name", metavar="GROUP")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--about", default="", metavar="DRAFT", help="The draft whose place it takes.")
@common
def draft(office: Office, name: str, file: Path, about: str) -> None:
    """Propose a charter inside the group, or a version of one; 'charter example' prints such a file.

    Members comment with 'group say GROUP comment TEXT --about DRAFT --article 3'. 'group draft-text' prints the text
    for 'charter freeze'.
    """
    value = json_of(file)
    tell_what_was_said(office, lambda mine: drafts.propose(mine, name, value, secrets_of(office), about))


@click.command("drafts")
@click.argument("name", metavar="GROUP")
@common
def list_drafts(office: Office, name: str) -> None:
    """The charters that are proposed inside, with what was said about each article and what changed last."""
    org = office.organisation.did
    found_ = office.read(lambda connection: drafts.current(connection, org, name, secrets_of(office)))
    names = names_of(office, name)
    lines = []
    for each in found_:
        title = each.text.versions[each.text.language(office.organisation.language)].title
        changed = sum(part.kind != "same" for parts in each.changed.values() for part in parts)
        count = len(each.earlier) + 1
        lines.append(f"{each.entry.digest[:14]}  {title}  {count} versions, {changed} parts changed last")
        for said in each.comments:
            part = f"article {said.says['article']}" if said.says["article"] else "all"
            lines.append(f"  {part:12} {names.get(said.author, said.author)}: {said.text[:200]}")
    value = [
        {
            "draft": each.entry.digest, "text": each.text.value, "digest": each.text.digest,
            "earlier": [one.digest for one in each.earlier],
            "comments": [{"author": c.author, "article": c.says["article"], "text": c.text} for c in each.comments],
        }
        for each in found_
    ]  # fmt: skip
    office.show(value, lines or ["no draft yet: 'tadamun group draft GROUP FILE'"])


@click.command("draft-text")
@click.argument("name", metavar="GROUP")
@click.argument("entry", metavar="DRAFT")
@common
def draft_text(office: Office, name: str, entry: str) -> None:
    """Print a draft's text as JSON, for 'charter freeze'."""
    org = office.organisation.did
    found_ = office.read(lambda connection: drafts.find(connection, org, name, entry, secrets_of(office)))
    office.show(found_.text.value, json.dumps(found_.text.value, ensure_ascii=False, indent=2))


@click.command()
@click.argument("name", metavar="GROUP")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), required=True)
@common
def calendar(office: Office, name: str, target: Path) -> None:
    """Write meetings and what is due as an iCalendar file. Titles say nothing: calendars are read over shoulders."""
    org = office.organisation
    raw = office.read(lambda connection: calendars.of_group(connection, org, name, secrets_of(office), utc_now()))
    target.write_bytes(raw)
    office.show({"file": str(target), "bytes": len(raw)}, [f"written    {target}"])


def _plan_value(each: YearPlan) -> dict[str, Any]:
    return {
        "year": each.year, "phase": each.phase, "plan": each.current.digest,
        "approved": each.approved.digest if each.approved else "", "goals": each.goals(),
        "comments": len(each.comments), "reviews": [review.says["period"] for review in each.reviews],
    }  # fmt: skip


COMMANDS = (plan, list_plans, step, review, draft, list_drafts, draft_text, calendar)

"""The yearly cycle of a working group: draft, comments, approval, quarterly reviews, and the year's goals side by side.

A plan is a chain of entries (`group_entries`); the network approves one version of it by a decision that names its
digest (`members`). Nothing here is stored: it follows from the entries, the decisions and the calendar.
Rules, in order:

1. Plans, steps and reviews count from whoever coordinates the group or is of its steering committee, or was; comments
   from anybody in it.
2. Of a year's versions the current one is the newest that no other takes the place of.
3. A plan is a draft; open for comments from that step on; revised by a version after it; handed in while a proposal
   names its digest; approved once that decision stands; closed by that step. A version after the approved one begins
   anew, and the approved one stands meanwhile.
4. October drafts, November comments, January approves, and each quarter is reviewed at its end: what is not done by
   then is late. These days follow the cycle that the field uses; they remind and forbid nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from node.group_entries import CLOSED, COMMENT, COMMENTS, PERIODS, PLAN, REVIEW, STEP, GroupEntry
from node.members import OPEN, PASSED, Tally

Phase = Literal["draft", "comments", "revised", "handed-in", "approved", "closed"]
Change = Literal["kept", "changed", "new", "dropped"]
HAND_IN = "hand-in"
_QUARTERS = ((3, 31), (6, 30), (9, 30), (12, 31))


@dataclass(frozen=True, slots=True)
class YearPlan:
    """The plan of one year as it stands."""

    year: int
    current: GroupEntry
    approved: GroupEntry | None
    """The version that the network approved."""
    phase: Phase
    versions: tuple[GroupEntry, ...]
    """Oldest first."""
    comments: tuple[GroupEntry, ...]
    reviews: tuple[GroupEntry, ...]

    def goals(self) -> dict[str, str]:
        """Key → text: of the approved version, else of the current one, with what reviews changed."""
        chosen = self.approved or self.current
        found = {each["key"]: str(each["text"]) for each in chosen.says["goals"]}
        for review in self.reviews:
            if review.published >= chosen.published:
                found |= {each["key"]: str(each["text"]) for each in review.says["changed"]}
        return found


@dataclass(frozen=True, slots=True)
class GoalRow:
    """One goal across the years."""

    key: str
    texts: tuple[str, ...]
    """One for each year, empty where it is not in that plan."""
    changes: tuple[Change | None, ...]
    """Against the year before; nothing for the first and where it is in neither."""


@dataclass(frozen=True, slots=True)
class Due:
    """What comes next in a year, and by when."""

    year: int
    what: str
    """draft, comments, approval, or a period of `PERIODS`."""
    by: date
    late: bool


def work_out(
    entries: Sequence[GroupEntry], steering: Collection[str], decisions: Mapping[str, Tally]
) -> tuple[YearPlan, ...]:
    """Every year that has a plan, the latest first.

    Args:
        steering: dids that coordinate or steer the group, or did.
        decisions: of the network.
    """
    counted = [each for each in entries if each.kind == COMMENT or each.author in steering]
    years = sorted({each.says["year"] for each in counted if each.kind == PLAN}, reverse=True)
    by_text: dict[str, str] = {}
    for tally in decisions.values():
        if tally.text and by_text.get(tally.text) != PASSED:
            by_text[tally.text] = tally.state
    return tuple(_year_plan(year, counted, by_text) for year in years)


def _year_plan(year: int, entries: Sequence[GroupEntry], decided: Mapping[str, str]) -> YearPlan:
    versions = sorted((e for e in entries if e.kind == PLAN and e.says["year"] == year), key=_age)
    replaced = {each.about for each in versions}
    current = max((each for each in versions if each.digest not in replaced), key=_age, default=versions[-1])
    names = {each.digest for each in versions}
    told = sorted((each for each in entries if each.about in names and each.kind != PLAN), key=_age)
    approved = max((e for e in versions if decided.get(e.digest) == PASSED), key=_age, default=None)
    return YearPlan(
        year, current, approved, _phase(current, [each for each in told if each.kind == STEP], decided),
        tuple(versions), tuple(each for each in told if each.kind == COMMENT),
        tuple(each for each in told if each.kind == REVIEW),
    )  # fmt: skip


def _phase(current: GroupEntry, steps: Sequence[GroupEntry], decided: Mapping[str, str]) -> Phase:
    mine = {each.says["step"] for each in steps if each.about == current.digest}
    if decided.get(current.digest) == PASSED:
        return "closed" if CLOSED in mine else "approved"
    if decided.get(current.digest) == OPEN:
        return "handed-in"
    if COMMENTS in mine:
        return "comments"
    return "revised" if any(each.says["step"] == COMMENTS for each in steps) else "draft"


def _age(entry: GroupEntry) -> tuple[object, str]:
    return entry.published, entry.digest


def side_by_side(plans: Sequence[YearPlan]) -> tuple[tuple[int, ...], tuple[GoalRow, ...]]:
    """(years, goals): what stayed, changed, came and went, the earliest year first."""
    ordered = sorted(plans, key=lambda each: each.year)
    goals = [each.goals() for each in ordered]
    keys = dict.fromkeys(key for each in goals for key in each)
    return tuple(each.year for each in ordered), tuple(_row(key, [each.get(key, "") for each in goals]) for key in keys)


def _row(key: str, texts: Sequence[str]) -> GoalRow:
    changes: list[Change | None] = []
    for at, text in enumerate(texts):
        before = texts[at - 1] if at else ""
        if at == 0 or not (text or before):
            changes.append(None)
        elif not before:
            changes.append("new")
        elif not text:
            changes.append("dropped")
        else:
            changes.append("kept" if text == before else "changed")
    return GoalRow(key, tuple(texts), tuple(changes))


def due(plans: Sequence[YearPlan], today: date) -> tuple[Due, ...]:
    """What comes next in this year and the coming one, soonest first; a plan is asked for from October on."""
    found: list[Due] = []
    by_year = {each.year: each for each in plans}
    for year in (today.year, today.year + 1):
        found += _due_of(year, by_year.get(year), today)
    return tuple(sorted(found, key=lambda each: (each.by, each.what)))


def _due_of(year: int, plan: YearPlan | None, today: date) -> list[Due]:
    steps = [("draft", date(year - 1, 10, 31)), ("comments", date(year - 1, 11, 30)), ("approval", date(year, 1, 31))]
    done = {"draft": 1, "comments": 2, "revised": 2, "handed-in": 2, "approved": 3, "closed": 3}
    reached = done[plan.phase] if plan else 0
    if plan is not None and plan.approved is not None:
        reached = 3
    if reached < len(steps):
        what, by = steps[reached]
        begun = plan is not None or date(year - 1, 10, 1) <= today < date(year, 1, 1)
        return [Due(year, what, by, today > by)] if begun else []
    if plan is None or plan.phase == "closed":
        return []
    reviewed = {each.says["period"] for each in plan.reviews}
    quarters = [(period, date(year, *day)) for period, day in zip(PERIODS, _QUARTERS, strict=False)]
    left = [(period, by) for period, by in quarters if period not in reviewed]
    if not left:
        return [Due(year, "year", date(year, 12, 31), today > date(year, 12, 31))]
    return [Due(year, period, by, today > by) for period, by in left if by <= today or (period, by) == left[0]]


def steps_of(plan: YearPlan) -> tuple[str, ...]:
    """What the steering committee may do next."""
    return {
        "draft": (COMMENTS, HAND_IN), "comments": (HAND_IN,), "revised": (HAND_IN,), "handed-in": (),
        "approved": (CLOSED,), "closed": (),
    }[plan.phase]  # fmt: skip

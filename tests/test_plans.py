"""A plan through its year: where it stands, what comes next, what its goals were before."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from node import group_entries as entries
from node import plans
from node.group_entries import GroupEntry
from node.members import Tally

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
NUMBERS = count(1)
GOAL = [{"key": "a", "text": "EXERCISE: water"}]


def entry(kind, says, about="", author="lead", days=0):
    number = next(NUMBERS)
    return GroupEntry(
        f"e{number}", "net", "group", author, kind, about, "en", START + timedelta(days=days, seconds=number), says, {}
    )  # fmt: skip


def plan(year=2027, goals=GOAL, about="", **more):
    return entry(entries.PLAN, {"year": year, "goals": goals}, about, **more)


def step(what, about, **more):
    return entry(entries.STEP, {"step": what}, about, **more)


def review(about, period="1", changed=(), **more):
    says = {"period": period, "done": "x", "evaluation": "", "changed": list(changed)}
    return entry(entries.REVIEW, says, about, **more)


def decided(text, state):
    return {"p": Tally("p", "adopt", (), text, state, {}, 3)}


def current(*said, decisions=None):
    return plans.work_out(said, {"lead"}, decisions or {})


def test_a_plan_goes_through_its_year():
    first = plan()
    assert current(first)[0].phase == "draft"
    opened = step("comments", first.digest)
    comment = entry(entries.COMMENT, {"text": "x", "article": ""}, first.digest, author="member")
    found = current(first, opened, comment)[0]
    assert (found.phase, found.comments) == ("comments", (comment,))
    second = plan(about=first.digest)
    said = (first, opened, comment, second)
    assert current(*said)[0].phase == "revised" and current(*said)[0].current == second
    assert current(*said, decisions=decided(second.digest, "open"))[0].phase == "handed-in"
    passed = decided(second.digest, "passed")
    assert current(*said, decisions=passed)[0].phase == "approved"
    closing = step("closed", second.digest)
    assert current(*said, closing, decisions=passed)[0].phase == "closed"
    assert current(*said, closing)[0].phase == "revised", "what was not approved is not closed"


def test_an_approved_plan_stands_while_a_new_version_is_written():
    first = plan()
    second = plan(about=first.digest, goals=[{"key": "a", "text": "other"}])
    found = current(first, second, decisions=decided(first.digest, "passed"))[0]
    assert (found.phase, found.current, found.approved) == ("draft", second, first)
    assert found.goals() == {"a": "EXERCISE: water"}


def test_what_others_than_the_steering_write_is_no_plan():
    first = plan()
    assert current(plan(author="member")) == ()
    assert current(first, step("comments", first.digest, author="member"))[0].phase == "draft"
    assert current(first, review(first.digest, author="member"))[0].reviews == ()


def test_of_two_versions_written_at_once_the_newer_is_the_current_one():
    first = plan()
    one, other = plan(about=first.digest), plan(about=first.digest)
    assert current(one, first, other)[0].current == other == current(other, one, first)[0].current


def test_reviews_change_goals():
    first = plan()
    said = review(first.digest, changed=[{"key": "a", "text": "rivers"}])
    found = current(first, said, decisions=decided(first.digest, "passed"))[0]
    assert found.goals() == {"a": "rivers"}


def test_goals_stand_year_against_year():
    old = plan(2026, [{"key": "a", "text": "x"}, {"key": "b", "text": "y"}, {"key": "c", "text": "z"}])
    new = plan(2027, [{"key": "a", "text": "x"}, {"key": "b", "text": "other"}, {"key": "d", "text": "w"}])
    years, rows = plans.side_by_side(current(old, new))
    assert years == (2026, 2027)
    assert {row.key: row.changes[1] for row in rows} == {"a": "kept", "b": "changed", "c": "dropped", "d": "new"}
    assert rows[0].texts == ("x", "x") and rows[2].texts == ("z", "")


@pytest.mark.parametrize(
    ("day", "phase", "expected"),
    [
        (date(2026, 9, 30), None, []),
        (date(2026, 10, 1), None, [("draft", date(2026, 10, 31), False)]),
        (date(2026, 11, 2), None, [("draft", date(2026, 10, 31), True)]),
        (date(2026, 11, 2), "draft", [("comments", date(2026, 11, 30), False)]),
        (date(2026, 12, 20), "comments", [("approval", date(2027, 1, 31), False)]),
        (date(2027, 2, 1), "handed-in", [("approval", date(2027, 1, 31), True)]),
        (date(2027, 2, 1), "approved", [("1", date(2027, 3, 31), False)]),
        (date(2027, 7, 1), "approved", [("1", date(2027, 3, 31), True), ("2", date(2027, 6, 30), True)]),
        (date(2027, 7, 1), "closed", []),
    ],
)
def test_what_comes_next(day, phase, expected):
    first = plan()
    said, decisions = [first], {}
    if phase == "comments":
        said.append(step("comments", first.digest))
    if phase in ("approved", "closed"):
        decisions = decided(first.digest, "passed")
    if phase == "handed-in":
        decisions = decided(first.digest, "open")
    if phase == "closed":
        said.append(step("closed", first.digest))
    found = plans.due(current(*said, decisions=decisions) if phase else (), day)
    assert [(each.what, each.by, each.late) for each in found if each.year == 2027] == expected


def test_after_four_reviews_the_year_is_closed():
    first = plan()
    said = [review(first.digest, period) for period in ("1", "2", "3", "4")]
    found = current(first, *said, decisions=decided(first.digest, "passed"))
    assert plans.due(found, date(2027, 12, 1)) == (
        plans.Due(2027, "year", date(2027, 12, 31), False), plans.Due(2028, "draft", date(2027, 10, 31), True)
    )[::-1]  # fmt: skip
    assert plans.steps_of(found[0]) == ("closed",)

"""The papers say what the code does: short where they must be, complete where somebody relies on them."""

import ast
import re
from datetime import date
from pathlib import Path

import click
import pytest

from node.cli import COMMANDS, Commands

ROOT = Path(__file__).resolve().parent.parent
KINDS_OF_CHANGE = frozenset({"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"})
FEDERATION_SECTIONS = ("supported federation protocols and standards", "supported feps", "activitypub")
"""Every FEDERATION.md has these (FEP-67ff)."""
PAPERS = (
    "README.md",
    "CONTRIBUTING.md",
    "FEDERATION.md",
    "CHANGELOG.md",
    "DECISIONS.md",
    "SECURITY.md",
    "deploy/README.md",
)


def paper(name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        pytest.fail(f"{name} is missing: the house style lists it under Papers")
    return path.read_text("utf-8")


def headings(text: str, level: int) -> list[str]:
    mark = "#" * level + " "
    return [line.removeprefix(mark).strip() for line in _outside_code(text) if line.startswith(mark)]


def sections(text: str, level: int) -> list[tuple[str, list[str]]]:
    """Each heading of this level with the lines below it, up to the next of the same or a higher level."""
    found: list[tuple[str, list[str]]] = []
    for line in _outside_code(text):
        depth = len(line) - len(line.lstrip("#"))
        if depth == level and line[level : level + 1] == " ":
            found.append((line[level:].strip(), []))
        elif 0 < depth < level and line[depth : depth + 1] == " ":
            found.append(("", []))
        elif found:
            found[-1][1].append(line)
    return [(title, lines) for title, lines in found if title]


def changelog_faults(text: str) -> list[str]:
    """Keep a Changelog: Unreleased, then versions with their day, newest first, and six kinds of change."""
    faults = []
    releases = sections(text, 2)
    if headings(text, 1)[:1] != ["Changelog"]:
        faults.append("the first heading is not '# Changelog'")
    if not releases or releases[0][0] not in ("[Unreleased]", "Unreleased"):
        faults.append("the first section is not '## [Unreleased]'")
    days = []
    for title, _ in releases[1:]:
        match = re.fullmatch(r"\[?(\d+\.\d+\.\d+)\]? - (\d{4}-\d{2}-\d{2})(?: \[YANKED\])?", title)
        if match is None:
            faults.append(f"{title!r} is not '[1.2.3] - 2026-01-31'")
        else:
            days.append(_day(match[2]))
    if None in days or days != sorted(filter(None, days), reverse=True):
        faults.append("the releases are not newest first, each with a day that exists")
    for title in headings(text, 3):
        if title not in KINDS_OF_CHANGE:
            faults.append(f"{title!r} is not one of {', '.join(sorted(KINDS_OF_CHANGE))}")
    return faults


def decision_faults(text: str) -> list[str]:
    """Each entry: a number that follows the last, a day, at most 25 lines with its heading."""
    faults = []
    entries = sections(text, 2)
    if not entries:
        return ["no entry"]
    for expected, (title, lines) in enumerate(entries, 1):
        match = re.match(r"(\d+)\b", title)
        if match is None or int(match[1]) != expected:
            faults.append(f"{title!r} is not number {expected}")
        found = re.search(r"\b(\d{4}-\d{2}-\d{2})\b", "\n".join([title, *lines[:4]]))
        if found is None or _day(found[1]) is None:
            faults.append(f"{title!r} has no day at its head")
        length = 1 + len("\n".join(lines).strip().splitlines())
        if length > 25:
            faults.append(f"{title!r} has {length} lines, 25 allowed")
        if length < 3:
            faults.append(f"{title!r} gives no context, choice and cost")
    return faults


def setting_names() -> list[str]:
    tree = ast.parse((ROOT / "node/settings.py").read_text("utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    if not classes:
        pytest.fail("node/settings.py has no class Settings")
    return [
        node.target.id
        for node in classes[0].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


@pytest.mark.parametrize("name", PAPERS)
def test_the_paper_is_there_and_has_a_heading(name):
    assert headings(paper(name), 1), f"{name} has no heading"


def test_the_readme_is_short_and_begins_with_the_two_commands():
    lines = paper("README.md").splitlines()
    assert len(lines) < 120
    for command in ("make run", "make test"):
        assert any(command in line for line in lines[:30]), f"{command!r} is not in the first 30 lines"


def test_every_setting_is_documented():
    text = paper("README.md") + paper("deploy/README.md")
    missing = [name for name in setting_names() if f"TADAMUN_{name.upper()}" not in text]
    assert not missing, f"neither README.md nor deploy/README.md says what these do: {', '.join(missing)}"


def test_no_documented_setting_is_gone():
    known = {f"TADAMUN_{name.upper()}" for name in setting_names()}
    text = paper("README.md") + paper("deploy/README.md")
    assert set(re.findall(r"\bTADAMUN_[A-Z_]+\b", text)) <= known


def ways(text: str) -> list[tuple[str, list[str]]]:
    """The rows under "Finding your way": what one wants to change, and the paths to open."""
    found = next((lines for title, lines in sections(text, 2) if title == "Finding your way"), [])
    rows = [line.strip().strip("|").split("|") for line in found if line.startswith("| ")]
    return [(cells[0].strip(), re.findall(r"`([^`]+)`", cells[-1])) for cells in rows[1:]]


def test_whoever_wants_to_change_something_finds_the_file():
    rows = ways(paper("CONTRIBUTING.md"))
    assert len(rows) >= 20
    lost = [wanted for wanted, paths in rows if not paths or not all((ROOT / path).exists() for path in paths)]
    assert not lost, f"CONTRIBUTING.md sends these to a file that is not there: {lost}"


def test_a_way_to_a_file_that_is_gone_is_caught():
    text = "## Finding your way\n\n| you want | you open |\n|---|---|\n| a | `node/app.py`, `node/gone.py` |\n"
    assert ways(text) == [("a", ["node/app.py", "node/gone.py"])]
    assert not (ROOT / "node/gone.py").exists()


def test_every_command_is_in_the_readme_and_no_other():
    text = paper("README.md")
    commands = set(COMMANDS)
    table = "\n".join(line for line in text.splitlines() if line.startswith("| `") and "TADAMUN_" not in line)
    shown = {word.split()[0] for line in table.splitlines() for word in re.findall(r"`([^`]+)`", line.split("|")[1])}
    under_a_group = {"list", "update", "correct", "answer", "close", "withdraw"}
    under_a_group |= {"freeze", "unfreeze", "quorum", "remove"}
    assert commands <= shown, f"README.md does not name {sorted(commands - shown)}"
    assert shown <= commands | under_a_group, f"README.md names {sorted(shown - commands)}, which is no command"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_loads_and_teaches(name):
    command = Commands().get_command(click.Context(click.Group()), name)
    assert command is not None and command.help and command.name == name


def test_the_federation_paper_has_the_sections_that_others_look_for():
    found = [title.lower() for title in headings(paper("FEDERATION.md"), 2)]
    missing = [wanted for wanted in FEDERATION_SECTIONS if not any(wanted in title for title in found)]
    assert not missing, f"FEDERATION.md has no section {missing}; it has {found}"


def test_the_federation_paper_shows_json_that_is_closed():
    text = paper("FEDERATION.md")
    assert text.count("```") % 2 == 0
    assert "```json" in text, "FEDERATION.md shows no example"


def test_the_changelog_keeps_its_form():
    assert not changelog_faults(paper("CHANGELOG.md"))


def test_the_decisions_are_numbered_dated_and_short():
    assert not decision_faults(paper("DECISIONS.md"))


def test_the_security_paper_fits_one_page():
    text = paper("SECURITY.md")
    assert len(text.splitlines()) <= 90
    assert len(text.split()) <= 1100


def test_links_between_papers_lead_somewhere():
    broken = []
    for name in PAPERS:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", "\n".join(_outside_code(paper(name)))):
            if "://" not in target and not ((ROOT / name).parent / target).exists():
                broken.append(f"{name} → {target}")
    assert not broken


GOOD_CHANGELOG = """# Changelog

## [Unreleased]

### Added
- x

## [0.2.0] - 2026-02-01

## [0.1.0] - 2026-01-31
"""
GOOD_DECISIONS = """# Decisions

## 1. One
2026-01-31

Context, choice, cost.

## 2. Two (2026-02-01)

Why.
How.
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Changelog", "# News"),
        ("## [Unreleased]", "## [Next]"),
        ("### Added", "### New"),
        ("2026-02-01", "yesterday"),
        ("2026-02-01", "2026-02-30"),
        ("2026-02-01", "2025-02-01"),
        ("[0.1.0] - ", "[0.1] - "),
    ],
)
def test_a_changelog_with_one_thing_broken_is_caught(old, new):
    assert not changelog_faults(GOOD_CHANGELOG)
    assert changelog_faults(GOOD_CHANGELOG.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## 2.", "## 3."),
        ("## 1. One", "## One"),
        ("2026-01-31\n", ""),
        ("2026-02-01", "2026-02-31"),
        ("Why.", "Why.\n" * 25),
        ("Why.\nHow.\n", ""),
        ("## 1", "### 1"),
    ],
)
def test_a_decision_with_one_thing_broken_is_caught(old, new):
    assert not decision_faults(GOOD_DECISIONS)
    assert decision_faults(GOOD_DECISIONS.replace(old, new, 1))


def _outside_code(text: str) -> list[str]:
    lines, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines.append(line)
    return lines


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

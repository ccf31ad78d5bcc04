"""Every page of a node, as somebody opens it: an Arabic reader's phone, and a wide window in English.

What each must be: answered as it should be, one heading, no fault that axe-core knows (WCAG 2.2 A and AA, best
practices), nothing too wide at 320 and 360 pixels or with letters twice as large, nothing too small to touch, silent
console, no request elsewhere, no style or script in the page. Pictures are made where `PAGE_PICTURES` names a folder.
"""

import os
from pathlib import Path

import pytest
import pytest_asyncio

from node.web.routes import ROUTES
from tests.support.network import Network
from tests.support.walker import MISSING, WINDOWS, Walker
from tests.web import world_office
from tests.web.every_page import CLOSED, NO_PAGES, PAGES, WHO, picture_name
from tests.web.world import build

MOST = 30_000
"""Bytes of a public page and its style sheet: what somebody on a poor line waits for."""
LOOKS = [
    pytest.param(
        route, visit, window, id=f"{picture_name(route, visit)}-{window.language}",
        marks=[pytest.mark.drill] if window.language == "en" and (at or visit.path.startswith("/desk")) else [],
    )
    for route, visits in PAGES.items()
    for at, visit in enumerate(visits)
    for window in WINDOWS
]  # fmt: skip
"""Every page in each of its states on an Arabic phone, and every public one in a wide English window; the desk's wide
windows, and those of the other states, are a drill.
"""


def in_a_browser(test):
    """All of them in one loop, in front of one world."""
    for mark in (
        pytest.mark.chromium,
        pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}"),
        pytest.mark.asyncio(loop_scope="module"),
    ):
        test = mark(test)
    return test


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walk(tmp_path_factory):
    """The world, a browser in front of it, and what public pages weigh."""
    named = os.environ.get("PAGE_PICTURES")
    folder = Path(named) if named else None
    weights: dict[str, tuple[int, int, int]] = {}
    async with Network(tmp_path_factory.mktemp("world")) as net:
        world = await build(net)
        await still(world)
        async with Walker(folder) as walker:
            yield world, walker, weights
    if folder is not None:
        (folder / "weights.txt").write_text(table(weights))


async def still(world):
    """The neighbours are gone and nothing goes on in the background: what a page shows is what is held."""
    for house in world.houses:
        await house.stop()
    for house in {each.house.origin: each.house for each in world.people.values()}.values():
        await house.start(workers=False)
    await world_office.last(world)
    world.house.clock.stop()


def table(weights):
    """Bytes of each public page, the heaviest first."""
    rows = sorted(weights.items(), key=lambda each: -sum(each[1][:2]))
    lines = [f"bytes of {len(rows)} looks at public pages"]
    lines += [f"{'HTML':>8}{'CSS':>8}{'both':>8}{'pictures':>10}  page"]
    lines += [f"{html:8}{css:8}{html + css:8}{images:10}  {name}" for name, (html, css, images) in rows]
    return "\n".join([*lines, ""])


def test_every_route_that_can_be_opened_stands_in_a_table():
    opened = {each.path for each in ROUTES if each.methods is None or "GET" in each.methods}
    missing = sorted(opened - PAGES.keys() - NO_PAGES.keys())
    assert not missing, "\n".join(
        f'add to tests/web/every_page.py: "{each}": (Visit("…", who),) to PAGES, with what it shows made in '
        f"tests/web/world.py; or to NO_PAGES, where it answers no HTML"
        for each in missing
    )
    gone = sorted((PAGES.keys() | NO_PAGES.keys()) - opened)
    assert not gone, f"take out of tests/web/every_page.py, there is no such route: {gone}"
    assert not PAGES.keys() & NO_PAGES.keys()


@in_a_browser
@pytest.mark.parametrize("route", NO_PAGES)
async def test_what_is_no_page_answers_no_html(walk, route):
    world, _, _ = walk
    path = NO_PAGES[route].format(**world.paths)
    answer = await world.people[WHO.get(route, "coordinator" if path.startswith("/desk") else "nobody")].get(path)
    assert answer.status < 400 or path.endswith("nothing") or route in CLOSED, f"{path} says {answer.status}"
    assert "text/html" not in answer.headers.get("content-type", ""), f"{path} belongs to PAGES"


@in_a_browser
@pytest.mark.parametrize(("route", "visit", "window"), LOOKS)
async def test_a_page(walk, route, visit, window):
    world, walker, weights = walk
    path, name = visit.path.format(**world.paths), picture_name(route, visit)
    public = visit.who == "nobody" and not path.startswith(("/desk", "/setup"))
    person, filled = world.people[visit.who], {key: each.format(**world.paths) for key, each in visit.fields.items()}
    seen = await walker.look(
        person.house.origin + path, name, window, person.cookies, status=visit.status, language=visit.language,
        press=visit.press, fields=filled,
    )  # fmt: skip
    html, css, _ = seen.weight
    if public:
        weights[f"{name}-{window.language}"] = seen.weight
        if html + css > MOST:
            seen.faults.append(f"{html} bytes of HTML and {css} of CSS are more than {MOST}")
    assert not seen.faults, "\n".join([f"{path} as {visit.who}:", *seen.faults])

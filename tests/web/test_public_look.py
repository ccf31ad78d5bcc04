"""The public pages by keyboard, on paper, and with five languages in the switch, in a real browser."""

import itertools
import threading
from http.server import ThreadingHTTPServer

import pytest

from node.web.languages import Languages
from node.web.render import Renderer
from tests.support.chromium import CHROMIUM, Chromium
from tests.web.samples import PAGES
from tests.web.test_pages_look import _answering

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
SHOWN = ("home", "alert-story", "alerts-full", "follow-links", "moderators", "charter", "letters", "missing")
FOCUSED = """(() => { const e = document.activeElement, s = getComputedStyle(e);
  return {tag: e.tagName, skip: e.className == "skip", main: !!e.closest("main"), outline: parseFloat(s.outlineWidth),
    style: s.outlineStyle, name:
    (e.textContent.trim() || e.labels?.[0]?.textContent || e.getAttribute("aria-label") ||
     e.querySelector("img")?.alt || "").trim()}; })()"""
SEEN = """(() => { const b = document.activeElement.getBoundingClientRect();
  return b.width > 0 && b.top < innerHeight && b.bottom > 0; })()"""
FIVE = """(() => { const p = document.querySelector(".switch");
  for (const t of ["Français", "Español", "کوردیی ناوەندی"]) {
    const a = p.firstElementChild.cloneNode(); a.textContent = t; p.append(a); }
  return document.documentElement.scrollWidth - innerWidth; })()"""
PAPER = """(() => { const gone = e => !e || !e.checkVisibility(), all = s => [...document.querySelectorAll(s)];
  const s = getComputedStyle(document.body);
  return {hidden: all("nav, footer, .switch, .skip, .button, form, .more").filter(e => !gone(e)).map(e => e.outerHTML
    .slice(0, 80)), paper: s.backgroundColor, ink: s.color, owner: document.querySelector("h1").checkVisibility(),
    printed: all(".printed").every(e => !gone(e))}; })()"""


@pytest.fixture(scope="module")
def place():
    """Where the sample pages are served."""
    languages = Languages()
    renderer = Renderer(languages)
    bodies = {
        f"/{name}-{code}": renderer.page(PAGES[name][0], languages.locales[code], PAGES[name][1], **PAGES[name][2])
        for name in SHOWN
        for code in ("ar", "en")
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), _answering(bodies)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def press(chromium, key):
    for kind in ("rawKeyDown", "keyUp"):
        code = {"Tab": 9, "Enter": 13}[key]
        await chromium.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


async def test_pages_by_keyboard_on_paper_and_with_five_languages(tmp_path, place):
    async with Chromium(tmp_path / "profile", language="ar", width=320) as chromium:
        for name in SHOWN:
            await by_keyboard(chromium, f"{place}/{name}-ar")
            assert await chromium.run(FIVE) == 0, name
        for code in ("ar", "en"):
            await chromium.ask("Emulation.setEmulatedMedia", media="print", features=DARK)
            for name in SHOWN:
                await chromium.open(f"{place}/{name}-{code}")
                found = await chromium.run(PAPER)
                assert found == {
                    "hidden": [], "paper": "rgb(255, 255, 255)", "ink": "rgb(0, 0, 0)", "owner": True, "printed": True,
                }, (name, code)  # fmt: skip
            await chromium.ask("Emulation.setEmulatedMedia", media="", features=[])


DARK = [{"name": "prefers-color-scheme", "value": "dark"}]


async def by_keyboard(chromium, url):
    """The first stop leads past the navigation; each stop shows itself, has a name, and none is a trap."""
    await chromium.open(url)
    await press(chromium, "Tab")
    first = await chromium.run(FOCUSED)
    assert first["skip"], "the way past the navigation is the first stop"
    await chromium.until(SEEN)
    seen = []
    for _ in range(60):
        await press(chromium, "Tab")
        await chromium.until(SEEN)
        found = await chromium.run(FOCUSED)
        if found["tag"] in ("BODY", "HTML") or found["skip"]:
            break
        seen.append(found)
    assert all(each["outline"] >= 2 and each["style"] == "solid" for each in seen), seen
    assert all(each["name"] for each in seen), [each for each in seen if not each["name"]]
    inside = [each["main"] for each in seen]
    assert any(inside)
    changes = sum(before != after for before, after in itertools.pairwise(inside))
    assert changes <= 2, "navigation, content, foot"

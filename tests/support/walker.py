"""A reader who opens pages in Debian's Chromium by way of Playwright, and says all that is wrong with each.

    async with Walker(house.origin, folder) as walker:
        seen = await walker.look("/alerts", "alerts", PHONE)
        assert seen.faults == ()

A page is judged under its own policy, nothing of which is switched off: a style or a script that stands in the page is
an error on the browser's console. Only axe-core is put into it, as a debugger does.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.chromium import CHROMIUM

try:
    from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response, async_playwright
except ImportError:  # the tests are skipped, and say so
    pass

AXE = Path(__file__).parent.parent / "interop" / "node_modules" / "axe-core" / "axe.min.js"
MISSING = ", ".join(
    name
    for name, there in (
        ("chromium", CHROMIUM is not None),
        ("playwright", find_spec("playwright") is not None),
        ("axe-core (.ci/interop-setup.sh)", AXE.exists()),
    )
    if not there
)
"""What is not installed."""
NARROW = (360, 320)
"""Widths at which nothing may stick out, whatever the window was before."""

_FACTS = """() => ({
  lang: document.documentElement.lang,
  dir: document.documentElement.dir,
  headings: document.querySelectorAll("h1").length,
  inline: [...document.querySelectorAll("[style], style, script:not([src])")].map(each => each.outerHTML.slice(0, 80)),
  handlers: [...document.querySelectorAll("*")].flatMap(each => [...each.attributes])
    .filter(each => each.name.startsWith("on")).map(each => each.name),
})"""
_OPEN = 'document.querySelectorAll("details").forEach(each => { each.open = true })'
_OVERFLOW = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter(each => each.checkVisibility()).filter(each => {
    const box = each.getBoundingClientRect();
    return box.width > 0 && (box.right > root.clientWidth + 1 || box.left < -1);
  });
  return [`${root.scrollWidth - root.clientWidth} px`, ...wide.slice(-3).map(each => each.outerHTML.slice(0, 90))];
}"""
# A link within a sentence is as high as its line (WCAG 2.5.8, exception "inline"); a box is touched by its label.
_SMALL = """() => [...document.querySelectorAll("a, button, summary, select, textarea, input, .tick label")]
  .filter(each => each.checkVisibility() && !each.closest(".skip") && each.type != "hidden")
  .filter(each => !(["checkbox", "radio"].includes(each.type) && each.closest("label")))
  .filter(each => {
    const block = each.parentElement.closest("p, li, dd, td, div, label, h1, h2, h3") || each.parentElement;
    const alone = block.textContent.trim() == each.textContent.trim();
    const inline = each.localName == "a" && getComputedStyle(each).display == "inline" && !alone;
    const box = each.getBoundingClientRect();
    return !inline && (box.height < 43.5 || box.width < 43.5);
  })
  .map(each => each.outerHTML.replace(/\\s+/g, " ").slice(0, 100))"""
_AXE = """async (only) => (await axe.run(document, {
  runOnly: only, resultTypes: ["violations"],
})).violations.map(each => `axe ${each.id}: ${each.nodes.map(node => node.html.slice(0, 100)).slice(0, 3).join(" … ")}`)"""
_TAGS = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
}
_CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


@dataclass(frozen=True, slots=True)
class Window:
    """Whose window it is: which language is asked for, and its size."""

    language: str
    direction: str
    width: int
    height: int


PHONE = Window("ar", "rtl", 360, 740)
DESKTOP = Window("en", "ltr", 1280, 800)
WINDOWS = (PHONE, DESKTOP)


@dataclass(slots=True)
class Seen:
    """What was found on one page. `weight`: bytes of its HTML, of its style sheets, of its pictures."""

    status: int
    faults: list[str] = field(default_factory=list)
    weight: tuple[int, int, int] = (0, 0, 0)


class Walker:
    """One browser; a window for each language, opened when it is first used."""

    def __init__(self, origin: str, pictures: Path) -> None:
        self.origin = origin
        self.pictures = pictures
        self._contexts: dict[Window, BrowserContext] = {}
        self._pages: dict[Window, Page] = {}

    async def __aenter__(self) -> Self:
        self._playwright = await async_playwright().start()
        self.browser = await self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        self.pictures.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.browser.close()
        await self._playwright.stop()

    async def window(self, window: Window) -> Page:
        """The page of a window."""
        if window not in self._pages:
            context = await self.browser.new_context(
                viewport={"width": window.width, "height": window.height}, locale=window.language
            )
            await context.add_init_script(path=AXE)
            self._contexts[window] = context
            self._pages[window] = await context.new_page()
        return self._pages[window]

    async def look(
        self, path: str, name: str, window: Window, cookies: Mapping[str, str], *, status: int = 200, dark: bool = False
    ) -> Seen:
        """Open a page and judge it; its picture is `name`-`language`.png.

        Args:
            cookies: who looks.
            status: what the node must answer.
            dark: judge the contrast of dark colours too.
        """
        page = await self.window(window)
        await self._contexts[window].clear_cookies()
        await self._contexts[window].add_cookies(
            [{"name": key, "value": value, "url": self.origin} for key, value in cookies.items()]
        )
        await page.set_viewport_size({"width": window.width, "height": window.height})
        heard = _Heard(self.origin)
        heard.listen(page)
        try:
            answer = await page.goto(self.origin + path)
            assert answer is not None
            seen = Seen(answer.status)
            seen.faults += await self._judge(page, answer, window, name, status, dark)
            seen.faults += heard.faults(status)
            seen.weight = await heard.weight()
        finally:
            heard.leave(page)
        return seen

    async def _judge(
        self, page: Page, answer: Response, window: Window, name: str, status: int, dark: bool
    ) -> list[str]:
        faults = []
        path = answer.url.removeprefix(self.origin)
        if answer.request.redirected_from is not None:
            faults.append(f"it leads to {path}")
        if answer.status != status:
            faults.append(f"status {answer.status}, not {status}")
        if "content-security-policy" not in answer.headers:
            faults.append("no policy (content-security-policy)")
        faults += _plain_faults(await page.evaluate(_FACTS), window)
        await self.picture(page, f"{name}-{window.language}")
        if await page.evaluate('document.querySelector("details:not([open])") != null'):
            await page.evaluate(_OPEN)
            await self.picture(page, f"{name}-{window.language}-open")
        faults += await page.evaluate(_AXE, _TAGS)
        faults += [f"smaller than 44 px: {each}" for each in await page.evaluate(_SMALL)]
        faults += await self._too_wide(page, window)
        if dark:
            await page.emulate_media(color_scheme="dark")
            faults += [f"dark: {each}" for each in await page.evaluate(_AXE, _CONTRAST)]
            await page.emulate_media(color_scheme="light")
        return faults

    async def _too_wide(self, page: Page, window: Window) -> list[str]:
        """At narrow widths, and in the window itself with letters twice as large."""
        faults = []
        await page.evaluate('document.documentElement.style.fontSize = "200%"')
        faults += [f"too wide at 200 %: {each}" for each in await page.evaluate(_OVERFLOW)]
        await page.evaluate('document.documentElement.style.fontSize = ""')
        for width in NARROW:
            await page.set_viewport_size({"width": width, "height": window.height})
            faults += [f"too wide at {width} px: {each}" for each in await page.evaluate(_OVERFLOW)]
        await page.set_viewport_size({"width": window.width, "height": window.height})
        return faults

    async def picture(self, page: Page, name: str) -> None:
        """The whole page as it is, nothing put into it."""
        await page.screenshot(
            path=self.pictures / f"{name}.png", full_page=True, caret="initial", animations="allow"
        )


def _plain_faults(facts: Mapping[str, Any], window: Window) -> list[str]:
    faults = []
    if (facts["lang"], facts["dir"]) != (window.language, window.direction):
        faults.append(f"<html lang dir> is {facts['lang']} {facts['dir']}")
    if facts["headings"] != 1:
        faults.append(f"{facts['headings']} headings of the first rank")
    faults += [f"style or script in the page: {each}" for each in (*facts["inline"], *facts["handlers"])]
    return faults


class _Heard:
    """What a page asked for, and what the browser complained of, while it was open."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.asked: list[str] = []
        self.came: list[Response] = []
        self.said: list[str] = []

    def listen(self, page: Page) -> None:
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("console", self._console)
        page.on("pageerror", self._failed)

    def leave(self, page: Page) -> None:
        page.remove_listener("request", self._request)
        page.remove_listener("response", self._response)
        page.remove_listener("console", self._console)
        page.remove_listener("pageerror", self._failed)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def _response(self, response: Response) -> None:
        self.came.append(response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def _failed(self, error: Any) -> None:
        self.said.append(str(error))

    def faults(self, status: int) -> list[str]:
        """Requests to others, and complaints; that the page itself is refused is no complaint."""
        refused = f"Failed to load resource: the server responded with a status of {status}"
        away = [each for each in self.asked if not each.startswith((self.origin + "/", "data:"))]
        return [
            *(f"asks another origin: {each}" for each in away),
            *(f"the browser says: {each}" for each in self.said if status < 400 or not each.startswith(refused)),
        ]

    async def weight(self) -> tuple[int, int, int]:
        """Bytes of the document, its style sheets, its pictures."""
        kinds = {"document": 0, "stylesheet": 0, "image": 0}
        for each in self.came:
            if each.request.resource_type in kinds and each.status < 300 or each.request.resource_type == "document":
                kinds[each.request.resource_type] += len(await each.body()) if each.status not in (301, 302, 303) else 0
        return kinds["document"], kinds["stylesheet"], kinds["image"]

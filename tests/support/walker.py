"""A reader who opens pages in Debian's Chromium by way of Playwright, and says all that is wrong with each.

    async with Walker(folder_for_pictures) as walker:
        seen = await walker.look(house.origin + "/alerts", "alerts", PHONE, {})
        assert seen.faults == []

English is read in dark colours, so that both are judged. A page is judged under its own policy, nothing of which is
switched off: a style or a script that stands in the page is an error on the browser's console. Only axe-core is put
into it, as a debugger does.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.support.chromium import CHROMIUM

with suppress(ImportError):  # where it is missing the tests are skipped, and say so
    from playwright.async_api import BrowserContext, CDPSession, ConsoleMessage, Error, Page, Request, Response
    from playwright.async_api import async_playwright as play

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
_FILL = """(fields) => {
  for (const form of document.forms) form.noValidate = true;
  for (const [name, value] of Object.entries(fields)) for (const each of document.getElementsByName(name)) {
    if (["checkbox", "radio"].includes(each.type)) each.checked = each.value == value;
    else if (each.type != "hidden") each.value = value;
  }
}"""
_OPEN = """() => [...document.querySelectorAll("details:not([open])")].map(each => { each.open = true }).length"""
_OVERFLOW = """(size) => {
  const root = document.documentElement;
  root.style.fontSize = size;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter(each => each.checkVisibility()).filter(each => {
    const box = each.getBoundingClientRect();
    return box.width > 0 && (box.right > root.clientWidth + 1 || box.left < -1);
  });
  return [`${root.scrollWidth - root.clientWidth} px`, ...wide.slice(-3).map(each => each.outerHTML.slice(0, 90))];
}"""
# A link within a sentence is as high as its line (WCAG 2.5.8, exception "inline"); a box is touched by its label.
SMALL = """() => [...document.querySelectorAll("a, button, summary, select, textarea, input, .tick label")]
  .filter(each => each.checkVisibility() && !each.closest(".skip") && each.type != "hidden")
  .filter(each => !(["checkbox", "radio"].includes(each.type) && each.labels.length))
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
})).violations.map(({id, nodes}) =>
  [`axe ${id}:`, ...nodes.slice(0, 3).map(each => each.html.slice(0, 100))].join(" "))"""
_TAGS = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
}


@dataclass(frozen=True, slots=True)
class Window:
    """Whose window it is: which language is asked for, its size, its colours."""

    language: str
    width: int
    height: int
    colours: Literal["light", "dark"]


PHONE = Window("ar", 360, 740, "light")
DESKTOP = Window("en", 1280, 800, "dark")
WINDOWS = (PHONE, DESKTOP)


@dataclass(slots=True)
class Seen:
    """What was found on one page. `weight`: bytes of its HTML, of its style sheets, of its pictures."""

    status: int
    faults: list[str] = field(default_factory=list)
    weight: tuple[int, int, int] = (0, 0, 0)


class Walker:
    """One browser; a window for each language, opened when it is first used."""

    def __init__(self, pictures: Path | None = None) -> None:
        self.pictures = pictures
        self._contexts: dict[Window, BrowserContext] = {}
        self._pages: dict[Window, Page] = {}
        self._wires: dict[Page, CDPSession] = {}
        self._axe = AXE.read_text("utf-8")

    async def __aenter__(self) -> Self:
        self._playwright = await play().start()
        self.browser = await self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        if self.pictures is not None:
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
                viewport={"width": window.width, "height": window.height},
                locale=window.language,
                color_scheme=window.colours,
            )
            page = await context.new_page()
            self._contexts[window], self._pages[window] = context, page
            self._wires[page] = await context.new_cdp_session(page)
        return self._pages[window]

    async def look(
        self, address: str, name: str, window: Window, cookies: Mapping[str, str], *, status: int = 200,
        language: str = "", press: str = "", fields: Mapping[str, str] | None = None,
    ) -> Seen:  # fmt: skip
        """Open a page and judge it; its picture is `name`-`language`.png.

        Args:
            cookies: who looks.
            status: what the node must answer.
            language: the page's own, where it is not the reader's.
            press: a button of the page (CSS); then what it leads to is judged.
            fields: what is filled in before, by name; nothing that the browser would ask for is asked.
        """
        page, origin = await self.window(window), "/".join(address.split("/")[:3])
        context = self._contexts[window]
        await context.clear_cookies()
        await context.add_cookies([{"name": key, "value": value, "url": origin} for key, value in cookies.items()])
        heard = _Heard(origin)
        heard.listen(page)
        try:
            answer = await page.goto(address)
            if press:
                await page.evaluate(_FILL, dict(fields or {}))
                heard.forget()
                async with page.expect_navigation() as coming:
                    await page.click(press)
                answer = await coming.value
            assert answer is not None
            seen = Seen(answer.status, _answer_faults(answer, origin, status))
            seen.faults += await self._judge(page, window, name, language or window.language)
            seen.faults += heard.faults(status)
            seen.weight = await heard.weight()
        finally:
            heard.leave(page)
        return seen

    async def _judge(self, page: Page, window: Window, name: str, language: str) -> list[str]:
        faults = _plain_faults(await page.evaluate(_FACTS), language)
        await self.picture(page, f"{name}-{window.language}")
        if await page.evaluate(_OPEN):
            await self.picture(page, f"{name}-{window.language}-open")
        await page.evaluate(self._axe + "; 0")
        faults += await page.evaluate(_AXE, _TAGS)
        return faults + await self._measured(page, window)

    async def _measured(self, page: Page, window: Window) -> list[str]:
        """In the window itself, there with letters twice as large, and at narrow widths."""
        faults = [f"smaller than 44 px: {each}" for each in await page.evaluate(SMALL)]
        faults += [f"too wide at 200 %: {each}" for each in await page.evaluate(_OVERFLOW, "200%")]
        for width in NARROW:
            if width != window.width:
                await self._resize(page, width, window.height)
            faults += [f"too wide at {width} px: {each}" for each in await page.evaluate(_OVERFLOW, "")]
        await self._resize(page, window.width, window.height)
        return faults

    async def _resize(self, page: Page, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self._wires[page].send("Emulation.setDeviceMetricsOverride", size)

    async def picture(self, page: Page, name: str) -> None:
        """The whole page as it is, nothing put into it; where nobody wants to look, none is made."""
        if self.pictures is None:
            return
        options = {"captureBeyondViewport": True, "optimizeForSpeed": True}
        try:
            found = await self._wires[page].send("Page.captureScreenshot", options)
        except Error:  # a picture is for people to look at, and no rule: on a busy machine there may be none
            return
        (self.pictures / f"{name}.png").write_bytes(base64.b64decode(found["data"]))


def _answer_faults(answer: Response, origin: str, status: int) -> list[str]:
    faults = []
    if answer.request.redirected_from is not None:
        faults.append(f"it leads to {answer.url.removeprefix(origin)}")
    if answer.status != status:
        faults.append(f"status {answer.status}, not {status}")
    if "content-security-policy" not in answer.headers:
        faults.append("no policy (content-security-policy)")
    return faults


def _plain_faults(facts: Mapping[str, Any], language: str) -> list[str]:
    faults = []
    if (facts["lang"], facts["dir"]) != (language, "rtl" if language == "ar" else "ltr"):
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

    def forget(self) -> None:
        """What came before is another page's."""
        self.asked.clear()
        self.came.clear()

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

"""Debian's Chromium, asked by its debugging protocol: real forms, real cookies, a phone's width, a passkey in software.

    async with Chromium(tmp_path / "profile", language="ar") as chromium:
        await chromium.open(house.origin + "/desk/sign-in")
        await chromium.fill({"#name": "Zainab (exercise)", "#password": PASSWORD}, press=".entry button")
        await chromium.until("location.pathname == '/desk/factor'")
"""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.support.network import wait_until

CHROMIUM = shutil.which("chromium")
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
_ANSWER = 20.0
_SMALL = """[...document.querySelectorAll("main a, main button, main .tick label, main summary")]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 43.5)
    .map(each => each.outerHTML.slice(0, 80))"""


class Chromium:
    """One browser with one page."""

    def __init__(self, profile: Path, *, language: str = "en", width: int = 360) -> None:
        self.profile = profile
        self.language = language
        self.width = width
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        assert CHROMIUM is not None
        self._process = subprocess.Popen(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *_QUIET, "--remote-debugging-port=0",
                f"--user-data-dir={self.profile}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._client = aiohttp.ClientSession()
        try:
            await self._connect()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _connect(self) -> None:
        port = await wait_until(self._port, "Chromium listens", 30)
        async with self._client.get(f"http://127.0.0.1:{port}/json") as answer:
            tabs = await answer.json()
        url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        self._socket = await self._client.ws_connect(url, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Network", "WebAuthn"):
            await self.ask(f"{domain}.enable")
        await self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": self.language})
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=self.width, height=740, deviceScaleFactor=1, mobile=True
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()
        if hasattr(self, "_reader"):
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 20)

    def _port(self) -> str:
        file = self.profile / "DevToolsActivePort"
        return file.read_text().partition("\n")[0] if file.exists() else ""

    async def _read(self) -> None:
        async for message in self._socket:
            found = json.loads(message.data)
            waiting = self._asked.pop(found.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(found)

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol."""
        number = next(self._numbers)
        waiting = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        found = await asyncio.wait_for(waiting, _ANSWER)
        assert "error" not in found, (method, found)
        result: dict[str, Any] = found["result"]
        return result

    async def run(self, script: str) -> Any:
        """What an expression is in the page; `None` while another page is coming."""
        found = await self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        return found["result"].get("value")

    async def until(self, script: str) -> None:
        """Returns when a page is whole and the expression is true in it."""

        async def there() -> bool:
            return bool(await self.run(f"document.readyState == 'complete' && !!({script})"))

        await wait_until(there, script, 20)

    async def open(self, url: str) -> None:
        """Open an address; returns when it, or what it leads to, is whole."""
        await self.ask("Page.navigate", url=url)
        await self.until("document.querySelector('main')")

    async def fill(self, values: dict[str, str], *, press: str) -> None:
        """Put text into fields and press a button, which checks the form as a browser does."""
        for selector, value in values.items():
            await self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")
        await self.run(f"document.querySelector({json.dumps(press)}).click()")

    async def measure(self) -> dict[str, Any]:
        """How far the page is wider than its window, and what is too small to touch."""
        return {
            "overflow": await self.run("document.documentElement.scrollWidth - innerWidth"),
            "small": await self.run(_SMALL),
        }

    async def carry(self, origin: str, cookies: dict[str, str]) -> None:
        """Go on with a session that another browser began."""
        for name, value in cookies.items():
            await self.ask("Network.setCookie", name=name, value=value, url=origin, httpOnly=True, sameSite="Strict")

    async def picture(self, file: Path) -> None:
        """The whole page as a picture."""
        found = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))

    async def add_passkey_holder(self) -> None:
        """A security key in software, whose owner always agrees."""
        options = {
            "protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        await self.ask("WebAuthn.addVirtualAuthenticator", options=options)

"""The public site as files: each page asked of the node's own application, its links made relative.

There is one rendering: this is a client of it, without a socket. A page exists in every language: `index.html` in the
node's own, `index.en.html` and so on beside it, and the switch leads from one to the other. Links to what is in the
copy become relative, so that they work from any folder of any web space and from a stick; links to anything else go to
the node. `Site.copied` keeps exercises out of the pages. Feeds are files too, one for all languages and one for each;
Atom's links become relative like those of a page (RFC 4287 §2), while JSON Feed and CAP have no relative addresses and
name the node.
"""

import posixpath
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape, unescape
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from starlette.types import ASGIApp

from node import media
from node.desk.copies import Plan
from node.errors import NodeError
from node.federation.protocol import ids
from node.federation.protocol.messages import ACTIVITY_JSON
from node.models.organisations import Organisation
from node.web.routes import build
from node.web.site import Site

CAP_FEED = "/alerts/cap"
_LINK = re.compile(r'(?<=\s)(href|src)="([^"]*)"')


class MovedError(NodeError):
    """What was to be copied is not there any more: it was withdrawn while the copy was made."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each path of the node stands among the files."""

    organisation: Organisation
    languages: tuple[str, ...]
    """The node's own first."""

    pages: frozenset[str]
    files: Mapping[str, str]
    """Path → file, for what has no languages."""

    feeds: frozenset[str] = frozenset()
    """Feeds, which exist for all languages together and for each."""

    colons: bool = True
    """Whether file names may have colons: those of sticks (FAT) and of Windows may not."""

    def file(self, path: str, language: str) -> str | None:
        """The file of a path, `None` where the copy has none."""
        if path in self.pages:
            name = "index.html" if language == self.languages[0] else f"index.{language}.html"
            found: str | None = posixpath.join(path.strip("/"), name)
        else:
            found = self.files.get(path)
        return found if found is None or self.colons else found.replace(":", "_")

    def feed(self, path: str, language: str) -> str:
        """The file of a feed; for all languages without one."""
        name, dot, kind = path.strip("/").rpartition(".")
        found = f"{name}.{language}{dot}{kind}" if language in self.languages else name + dot + kind
        return found if self.colons else found.replace(":", "_")

    def relink(self, html: str, path: str, language: str) -> str:
        """A page with its links made relative.

        Args:
            path: the page's own.
        """
        return self._relinked(html, posixpath.dirname(self.file(path, language) or ""), language)

    def relink_feed(self, xml: str, file: str) -> str:
        """An Atom feed with its links made relative: in a feed they are whole addresses."""
        return self._relinked(xml, posixpath.dirname(file), self.languages[0], whole=True)

    def _relinked(self, text: str, here: str, language: str, *, whole: bool = False) -> str:
        def link(match: re.Match[str]) -> str:
            url = unescape(match[2])
            if whole and url.startswith(self.organisation.origin + "/"):
                url = url.removeprefix(self.organisation.origin)
            return f'{match[1]}="{escape(self._target(url, here, language))}"'

        return _LINK.sub(link, text)

    def _target(self, url: str, here: str, language: str) -> str:
        origin = self.organisation.origin
        ours = url.startswith("/") and not url.startswith("//")
        if not ours and not url.startswith(origin + ids.GATEWAY_PATH):
            return url
        parts = urlsplit(url.removeprefix(origin))
        asked = parse_qs(parts.query).get("lang", [""])[0]
        if parts.path in self.feeds:
            file: str | None = self.feed(parts.path, asked)
        else:
            file = self.file(parts.path, asked if asked in self.languages else language)
        if file is None:
            return origin + url.removeprefix(origin)
        relative = quote(posixpath.relpath(file, here or "."), safe="/@:")
        return f"{relative}#{parts.fragment}" if parts.fragment else relative


def layout(organisation: Organisation, site: Site, plan: Plan, *, colons: bool) -> Layout:
    """How a copy of this plan is laid out."""
    known = site.languages.whole
    first = organisation.language if organisation.language in known else site.languages.default.code
    files = {path: path.strip("/") for path in plan.documents}
    files |= {f"/static/{name}": f"static/{name}" for name in site.renderer.names}
    for page in plan.alerts:
        files[f"/alerts/{page}/bundle"] = f"alerts/{page}/tadamun-{page}.jsonl"
        files[f"/alerts/{page}/qr.svg"] = f"alerts/{page}/qr.svg"
    for page in plan.charters:
        files[f"/charters/{page}/bundle"] = f"charters/{page}/tadamun-charter-{page}.json"
    for each in plan.media:
        # With the ending that tells a plain web server its type.
        files[media.path(each.digest)] = f"media/{each.digest}.{each.media_type.removeprefix('image/')}"
    files |= {f"/alerts/{page}/cap": f"alerts/{page}/cap.xml" for page in plan.caps}
    files[CAP_FEED] = f"{CAP_FEED.strip('/')}.atom"
    languages = (first, *(code for code in known if code != first))
    pages, feeds = frozenset(plan.pages), frozenset(plan.feeds)
    return Layout(organisation, languages, pages, MappingProxyType(files), feeds, colons=colons)


async def render(site: Site, found: Layout, made: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Every file of a copy, by name.

    Raises:
        MovedError: something was withdrawn meanwhile.
    """
    app = build(replace(site, copied=made))
    for path in sorted(found.pages):
        for language in found.languages:
            query = "" if language == found.languages[0] else f"lang={language}"
            headers = {"host": found.organisation.host, "accept": "text/html", "accept-language": language}
            html = (await ask(app, path, query, headers)).decode()
            yield found.file(path, language) or "", found.relink(html, path, language).encode()
    headers = {"host": found.organisation.host, "accept": ACTIVITY_JSON}
    for path in sorted(found.files):
        file = found.file(path, "") or ""
        yield file, _as_file(found, file, await ask(app, path, "", headers))
    for path in sorted(found.feeds):
        for language in ("", *found.languages):
            file = found.feed(path, language)
            yield file, _as_file(found, file, await ask(app, path, f"lang={language}" if language else "", headers))


def _as_file(found: Layout, file: str, content: bytes) -> bytes:
    return found.relink_feed(content.decode(), file).encode() if file.endswith(".atom") else content


async def ask(app: ASGIApp, path: str, query: str, headers: Mapping[str, str]) -> bytes:
    """GET one path of an application, in this process.

    Raises:
        MovedError: any other answer than 200.
    """
    status, body = 0, bytearray()
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": quote(path, safe="/@:").encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": None, "server": None,
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))

    await app(scope, receive, send)
    if status != 200:
        raise MovedError(f"{path}: {status}")
    return bytes(body)

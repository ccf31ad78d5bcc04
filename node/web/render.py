"""Pages out of templates: a Jinja2 environment for each language, always escaping, undefined names an error.

What strangers wrote passes through here and nowhere else: `clean` lets a little harmless HTML through and
drops everything that could run, load, frame, style or track; `plain` takes those characters out of a line of
text that turn the direction of what stands around it.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import Any

import nh3
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from node.people import SHARED_IDLE
from node.web.languages import Languages, Locale
from node.web.views import Frame

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

_TURNING = MappingProxyType(dict.fromkeys((*range(0x202A, 0x202F), 0x200E, 0x200F, 0x061C)))
"""Embeddings, overrides and marks (UAX #9 §2); isolates close with their element and may stay."""

_TAGS = frozenset(
    {"p", "br", "a", "strong", "em", "b", "i", "del", "ul", "ol", "li", "blockquote", "code", "pre", "span"}
)
_ATTRIBUTES = MappingProxyType(
    {"*": set(), "a": {"href"}, "p": {"lang"}, "span": {"lang"}, "li": {"lang"}, "blockquote": {"lang"}}
)
"""The empty `*` is needed: without it nh3 lets `title` through everywhere."""

_IDLE = int(SHARED_IDLE / timedelta(seconds=1))
"""Seconds without use after which a page of a shared session turns away."""
_BLOCKS = ("p", "li", "blockquote")
_OVERRIDES = MappingProxyType(dict.fromkeys((0x202D, 0x202E)))

_DESK = frozenset({"desk.css", "desk.js"})
_TYPES: Mapping[str, str] = MappingProxyType({".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"})


def clean(html: str) -> Markup:
    """Foreign HTML that is safe to put into a page: words, links, lists; each block with its own direction.

    No images or other loads (a reader's address is nobody's business), no classes, styles, ids or scripts;
    links go to http and https only and tell the target nothing.
    """
    cleaned = nh3.clean(
        html.translate(_OVERRIDES),
        tags=set(_TAGS),
        clean_content_tags={"script", "style"},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        set_tag_attribute_values={tag: {"dir": "auto"} for tag in _BLOCKS},
        url_schemes={"http", "https"},
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(cleaned)


def plain(text: str) -> str:
    """One line of a stranger's text without the characters that turn the direction of their surroundings."""
    return text.translate(_TURNING)


def apart(text: str) -> str:
    """A stranger's text inside a line that has no elements (a title): it turns nothing around it.

    Spec: UAX #9 §2.4.2
    """
    return f"\u2068{plain(text)}\u2069"


def on_the_web(address: str) -> bool:
    """Whether an address that a stranger gave may become a link: http or https, nothing that runs."""
    return address.lower().startswith(("https://", "http://"))


def is_line_flaw(reason: str) -> bool:
    """Whether a refusal is about one line of a recovery sheet."""
    return reason.startswith("line ")


class Compiled(BytecodeCache):
    """Templates, each compiled once for all languages: what differs between these are values, not the program."""

    def __init__(self) -> None:
        self._programs: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the program of this template, if it is here."""
        bucket.code = self._programs.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        if bucket.code is not None:
            self._programs[bucket.key, bucket.checksum] = bucket.code


class Renderer:
    """Makes pages. Holds the compiled templates, and nothing about any reader."""

    def __init__(self, languages: Languages, compiled: Compiled | None = None) -> None:
        self.languages = languages
        self._compiled = compiled if compiled is not None else Compiled()
        self.stylesheet = f"/static/site.css?v={_fingerprint(STATIC / 'site.css')}"
        self.forms_stylesheet = f"/static/forms.css?v={_fingerprint(STATIC / 'forms.css')}"
        self.desk_stylesheet = f"/static/desk.css?v={_fingerprint(STATIC / 'desk.css')}"
        self.desk_script = f"/static/desk.js?v={_fingerprint(STATIC / 'desk.js')}"
        served = [path for path in STATIC.iterdir() if path.suffix in _TYPES]
        files = {path.name: (_served(path), _TYPES[path.suffix]) for path in served}
        self._files: Mapping[str, tuple[bytes, str]] = MappingProxyType(files)
        environments = {locale.key: self._environment(locale) for locale in languages.every()}
        self._environments: Mapping[str, Environment] = MappingProxyType(environments)

    @property
    def names(self) -> tuple[str, ...]:
        """The static files of the public pages, which have no script; the desk's own is none of them."""
        return tuple(name for name in self._files if name not in _DESK)

    def file(self, name: str) -> tuple[bytes, str] | None:
        """A static file and its type; there are a handful, read once, so no path is ever looked up."""
        return self._files.get(name)

    def page(self, template: str, locale: Locale, frame: Frame, **views: Any) -> bytes:
        """A whole page, encoded as UTF-8.

        Args:
            template: path below `templates/`, e.g. `alerts/index.html`.
            views: what this template shows, by the names it uses.
        """
        switch = self.languages.doors(locale, frames=frame.copied is None)  # a copy has no files for frames
        around = {"frame": frame, "link": _linker(frame.choice), "switch": switch}
        around["fallbacks"] = self.languages.fallbacks(locale)
        return self._environments[locale.key].get_template(template).render(**around, **views).encode()

    def _environment(self, locale: Locale) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=self._compiled,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            locale.gettext,
            locale.ngettext,
            newstyle=True,
            pgettext=locale.pgettext,
            npgettext=locale.npgettext,
        )
        environment.filters.update(clean=clean, plain=plain, apart=apart)
        environment.tests.update(on_the_web=on_the_web, line_flaw=is_line_flaw)
        environment.globals.update(typing=False, shared_idle=_IDLE)
        environment.globals.update(locale=locale, stylesheet=self.stylesheet, desk_script=self.desk_script)
        environment.globals.update(desk_stylesheet=self.desk_stylesheet, forms_stylesheet=self.forms_stylesheet)
        return environment


def _linker(choice: str | None) -> Callable[[str], str]:
    """Our own paths, with the reader's chosen language carried on."""
    query = f"?lang={choice}" if choice else ""
    return lambda path: f"{path}{query}"


def pressed(css: str) -> str:
    """A stylesheet without comments and without the blanks that nothing needs: readers pay for each byte."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return re.sub(r";}", "}", re.sub(r"([,:]) +", r"\1", re.sub(r"\s*([{};])\s*", r"\1", bare))).strip()


def _served(path: Path) -> bytes:
    return pressed(path.read_text("utf-8")).encode() if path.suffix == ".css" else path.read_bytes()


def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]

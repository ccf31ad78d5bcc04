"""What only a browser can say about the pages: they fit a phone, can be touched, are mirrored.

A page is opened in a frame of the wanted width, served from loopback under the strict policy; the page around
it measures it and writes what it found into its own document, which Chromium prints.
"""

import json
import shutil
import subprocess
import threading
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from node.web.languages import Languages
from node.web.render import STATIC, Renderer
from tests.web.samples import PAGES

CHROMIUM = shutil.which("chromium")
CSP = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
WIDTHS = (320, 1100)
MEASURED_WHOLE = ("-ar", "-en")
"""The others are measured in the window that is the hardest, with their longer words."""
LARGE = "320 large"
"""The narrowest window with text at twice its size."""
MEASURE = """<!DOCTYPE html><body><pre id=out></pre><script>
const jobs = %s, found = {};
const size = (w, e) => parseFloat(w.getComputedStyle(e).fontSize);
const seen = e => e.checkVisibility() && e.getBoundingClientRect().width > 0;
const open = (url, width) => new Promise(done => {
  const f = document.createElement("iframe");
  f.width = width; f.height = 800; f.onload = () => done(f); f.src = url; document.body.append(f); });
(async () => {
  for (const [url, width, large] of jobs) {
    const f = await open(url, width), w = f.contentWindow, d = f.contentDocument, root = d.documentElement;
    if (large) root.style.fontSize = "200%%";
    const all = [...d.body.querySelectorAll("*")].filter(seen).filter(e => !e.closest(".skip"));
    const box = e => e.getBoundingClientRect();
    const alone = "a, button, summary, select, textarea, input:not([type=checkbox]), .tick label";
    // A link within a sentence may be as high as its line (WCAG 2.2 §2.5.8).
    const inline = e => e.matches("a") && w.getComputedStyle(e).display == "inline" &&
      [...e.parentNode.childNodes].some(n => n.nodeType == 3 && n.data.trim());
    const largest = scope => { let best = null;
      for (const e of scope.querySelectorAll("*")) if (seen(e) && [...e.childNodes].some(n => n.nodeType == 3
        && n.data.trim())) if (!best || size(w, e) > size(w, best)) best = e;
      return best && best.closest(".name, .author") ? "name" : best && best.className + best.tagName; };
    found[url + " " + width + (large ? " large" : "")] = {
      styled: w.getComputedStyle(d.body).margin == "0px",
      overflow: root.scrollWidth - root.clientWidth,
      outside: all.filter(e => box(e).left < -1 || box(e).right > width + 1)
        .map(e => e.outerHTML.slice(0, 80)),
      small: [...d.querySelectorAll(alone)].filter(seen).filter(e => box(e).height < 43.5 && !inline(e) &&
        !e.closest(".skip"))
        .map(e => e.outerHTML.slice(0, 80)),
      largest: largest(d.querySelector("main")),
      cards: [...d.querySelectorAll(".card")].filter(c => c.querySelector(".author")).map(largest),
      start: [...d.querySelectorAll(".card")].map(c => w.getComputedStyle(c).borderRightWidth),
      slanted: all.filter(e => w.getComputedStyle(e).fontStyle != "normal").length,
      spaced: all.filter(e => !["normal", "0px"].includes(w.getComputedStyle(e).letterSpacing)).length,
      leading: Math.min(...[...d.querySelectorAll(".body p")].map(e =>
        parseFloat(w.getComputedStyle(e).lineHeight) / size(w, e))),
    };
    f.remove();
  }
  document.getElementById("out").textContent = JSON.stringify(found);
})();
</script>"""

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Everything measured in one start of the browser."""
    languages = Languages()
    renderer = Renderer(languages)
    bodies = {
        f"/{name}-{locale.key}": renderer.page(template, locale, around, **views)
        for name, (template, around, views) in PAGES.items()
        for locale in (*languages.locales.values(), languages.framed["ckb.fr"])
    }
    jobs = [[path, width, False] for path in bodies if path[-3:] in MEASURED_WHOLE for width in WIDTHS]
    jobs += [[path, 320, True] for path in bodies]
    bodies["/measure"] = (MEASURE % json.dumps(jobs)).encode()
    with ThreadingHTTPServer(("127.0.0.1", 0), _answering(bodies)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            text = _dump(
                f"http://127.0.0.1:{server.server_port}/measure", tmp_path_factory.mktemp("chromium")
            )
        finally:
            server.shutdown()
    found = json.loads(unescape(text.partition('<pre id="out">')[2].partition("</pre>")[0]))
    assert len(found) == len(jobs)
    return found


def _answering(bodies):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            file = STATIC / path.removeprefix("/static/")
            body = bodies.get(path) or (file.read_bytes() if path.startswith("/static/") else b"")
            kind = {".css": "text/css", ".svg": "image/svg+xml"}.get(
                Path(path).suffix, "text/html; charset=utf-8"
            )
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            if path != "/measure":
                self.send_header("content-security-policy", CSP)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Nothing is logged."""

    return Answer


def _dump(address: str, profile: Path) -> str:
    quiet = (
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    )
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            *quiet,
            f"--user-data-dir={profile}",
            "--virtual-time-budget=60000",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout.decode()


CODES = [*Languages().whole, "ckb.fr"]
every_page = pytest.mark.parametrize("name", PAGES)
each_window = pytest.mark.parametrize(
    ("code", "width"),
    [(code, width) for code in CODES for width in (*WIDTHS, LARGE) if width == LARGE or f"-{code}" in MEASURED_WHOLE],
)


@every_page
@each_window
def test_a_page_fits_its_window_under_the_strict_policy(measured, name, code, width):
    found = measured[f"/{name}-{code} {width}"]
    assert found["styled"], "the stylesheet was not applied"
    assert found["overflow"] == 0
    assert found["outside"] == []


@every_page
@each_window
def test_what_is_to_be_touched_is_44_pixels_high(measured, name, code, width):
    assert measured[f"/{name}-{code} {width}"]["small"] == []


@pytest.mark.parametrize(
    "name", ["home", "home-empty", "alert", "alert-exercise", "alert-html", "organisation", "alerts"]
)
@each_window
def test_the_name_of_who_speaks_is_the_largest_text(measured, name, code, width):
    found = measured[f"/{name}-{code} {width}"]
    assert found["largest"] == "name"
    assert set(found["cards"]) <= {"name"}


def test_arabic_pages_are_mirrored(measured):
    assert set(measured["/alerts-ar 1100"]["start"]) == {"4px"}
    assert set(measured["/alerts-en 1100"]["start"]) == {"0px"}


@every_page
def test_arabic_is_neither_slanted_nor_spaced_and_has_room(measured, name):
    found = measured[f"/{name}-ar 320"]
    assert (found["slanted"], found["spaced"]) == (0, 0)
    assert found["leading"] is None or found["leading"] >= 1.79

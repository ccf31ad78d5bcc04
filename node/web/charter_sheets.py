"""A charter's bundle as one page to read and to print: no script, nothing that is loaded, what the file proves and no
more.
"""

from datetime import datetime
from functools import partial

from node import charter_bundles as rules
from node.alert_terms import primary, ui_language
from node.charter_bundles import Proven
from node.web import charters as views
from node.web.languages import Languages
from node.web.render import Renderer
from node.web.views import Frame


def render(raw: bytes, language: str) -> bytes:
    """The page of a bundle, in one of our languages: the words of the charter stand in all of theirs.

    Raises:
        ProtocolError: the file does not hold together.
    """
    return page(rules.parse(raw), Renderer(Languages()), language)


def page(proven: Proven, renderer: Renderer, language: str) -> bytes:
    """The page of what was proven."""
    charter = proven.charter
    known = renderer.languages.locales
    locale = known.get(primary(language), known[ui_language(language)])
    names = views.signatories(charter, proven.affirmed.names, partial(_known, proven))
    return renderer.page(
        "charters/sheet.html", locale, Frame("", "", "/charters"),
        charter=charter, texts=views.texts(charter), keeper=proven.name(charter.did), maker=proven.name(proven.maker),
        maker_did=proven.maker, made=datetime.fromisoformat(proven.made), earlier=proven.earlier,
        affirmed=proven.affirmed, signatories=names, heads=views.heads(proven.heads),
    )  # fmt: skip


def _known(proven: Proven, did: str) -> tuple[str, str]:
    return proven.name(did) if did in proven.actors else "", ""

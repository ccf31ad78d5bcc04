"""The HTML of what a working group says to everyone: paragraphs of plain text, as every server shows them."""

import html

from node.alert_bidi import harmless
from node.alert_forms import clean


def content(title: str, text: str) -> str:
    """A title, where there is one, and paragraphs; a line break stays one."""
    head = [f"<p><strong>{_safe(title)}</strong></p>"] if title.strip() else []
    blocks = (block.strip("\n") for block in clean(text).replace("\r\n", "\n").split("\n\n"))
    return "".join([*head, *(f"<p>{'<br>'.join(map(_safe, block.split(chr(10))))}</p>" for block in blocks if block)])


def _safe(text: str) -> str:
    return html.escape(harmless(clean(text)), quote=False)

"""What a private message to the organisation gets for an answer: neutral words, and where it is safe to write.

A message of the fediverse is read by every server it passes. It is answered and not kept; the answer quotes nothing and
names no case. Rules: it goes to the sender alone; never to another node of the network, or two nodes would talk to each
other; at most one a day to each sender and sixty an hour in all. Who was answered is remembered in memory only, for a
list of who wrote is what nobody may find.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from node.federation.protocol.actors import timestamp
from node.federation.protocol.messages import JsonObject

A_DAY = timedelta(days=1)
AN_HOUR = 60
_MOST = 5_000
_TEXTS = (
    (
        "ar",
        "هذا رد آلي. لا تُقرأ الرسائل الخاصة المرسلة إلى هذا الحساب ولا تُحفظ، ويمكن لكل خادم مرّت به أن يطّلع عليها.",
        "لطلب المساعدة بسرّية ودون حساب:",
        "قنوات آمنة أخرى:",
    ),
    (
        "en",
        "This is an automatic answer. Private messages to this account are neither read nor kept, and every server they"
        " passed can read them.",
        "To ask for help confidentially and without an account:",
        "Other safe ways:",
    ),
)


@dataclass(frozen=True, slots=True)
class Ways:
    """The safe ways to one organisation."""

    page: str
    """Path of the request page; empty where there is none."""
    channels: str
    """What it said, or else the operator of its node."""


def render(note_id: str, actor: str, origin: str, to: str, ways: Ways, now: datetime) -> JsonObject:
    """The Note that answers, to its sender alone.

    Spec: AP §5.6
    """
    content = "".join(_paragraph(*text, origin, ways) for text in _TEXTS)
    return {
        "id": note_id,
        "type": "Note",
        "attributedTo": actor,
        "content": content,
        "published": timestamp(now),
        "to": [to],
        "tag": [{"type": "Mention", "href": to}],
    }


def _paragraph(language: str, said: str, page: str, other: str, origin: str, ways: Ways) -> str:
    lines = [said]
    if ways.page:
        address = escape(f"{origin}{ways.page}?lang={language}")
        lines.append(f'{page} <a href="{address}">{address}</a>')
    if ways.channels:
        lines.append(f"{other} {escape(ways.channels)}")
    return f"<p>{'<br>'.join(lines)}</p>"


class Answered:
    """Whom we answered within a day."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def may(self, org: str, sender: str, now: datetime) -> bool:
        """Whether this sender gets an answer now; if so, it is noted."""
        while self._last and not now - A_DAY < next(iter(self._last.values())) <= now:
            self._last.popitem(last=False)
        recent = sum(1 for moment in reversed(self._last.values()) if moment > now - timedelta(hours=1))
        if (org, sender) in self._last or recent >= AN_HOUR or len(self._last) >= _MOST:
            return False
        self._last[org, sender] = now
        return True

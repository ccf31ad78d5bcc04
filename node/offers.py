"""Help that members offer each other in answer to an alert, sealed from one to one: nothing of it is public.

An offer names its kind, says in words what is there and how to reach whoever can give it, and until when. The alert's
author answers: taken, or not needed, with words. Rules: an offer is sent to one, and is about an alert of that one; its
words are bounded; only whoever offered takes it back, only whoever it was made to takes or declines it, and the first
word that counts stays; what was answered or ran out cannot be taken any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.alert_forms import clean, parse_moment
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject

KINDS = ("lawyer", "shelter", "transport", "money", "translation", "psychosocial", "observer", "other")
TAKEN, DECLINED, WITHDRAWN = "taken", "declined", "withdrawn"
ANSWERS = (TAKEN, DECLINED, WITHDRAWN)
"""The last is said by whoever offered."""
LASTS = timedelta(days=14)
MAX_WORDS = 2_000
MAX_CONTACT = 300
_SPEC = "Tadamun letters 1"


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody has to give."""

    id: str
    """A token, the same in the offer and in its answers."""
    kind: str
    words: str
    contact: str
    until: datetime

    def body(self) -> JsonObject:
        """As it travels in a letter."""
        return {
            "offer": self.id,
            "kind": self.kind,
            "words": self.words,
            "contact": self.contact,
            "until": f"{self.until:%Y-%m-%dT%H:%M:%SZ}",
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an offer."""

    id: str
    answer: str
    words: str

    def body(self) -> JsonObject:
        """As it travels in a letter."""
        return {"offer": self.id, "answer": self.answer, "words": self.words}


def make(token: str, kind: str, words: str, contact: str, until: datetime | None, now: datetime) -> Offer:
    """Read what one of our people writes.

    Raises:
        RefusedError: naming what is missing or too long.
    """
    words, contact = clean(words), " ".join(clean(contact).split())
    reasons = []
    if kind not in KINDS:
        reasons.append(f"kind: write one of {', '.join(KINDS)}")
    if not 0 < len(words) <= MAX_WORDS:
        reasons.append(f"words: say what you can give, in up to {MAX_WORDS} characters")
    if not 0 < len(contact) <= MAX_CONTACT:
        reasons.append(f"contact: how to reach you safely, in up to {MAX_CONTACT} characters")
    if until is not None and until <= now:
        reasons.append("until: this moment has passed")
    if reasons:
        raise RefusedError(*reasons)
    return Offer(token, kind, words, contact, (until or now + LASTS).replace(microsecond=0))


def reply(offer: str, answer: str, words: str) -> Answer:
    """Read what one of our people answers.

    Raises:
        RefusedError: no such answer, or too long.
    """
    words = clean(words)
    if answer not in ANSWERS:
        raise RefusedError(f"answer: write one of {', '.join(ANSWERS)}")
    if len(words) > MAX_WORDS:
        raise RefusedError(f"words: up to {MAX_WORDS} characters")
    return Answer(offer, answer, words)


def is_of(about: str, did: str) -> bool:
    """Whether the alert that an offer names is this organisation's."""
    found = ids.portable(about)
    return found is not None and found.did == did


def outcome(by: str, answers: Iterable[tuple[str, Answer]]) -> Answer | None:
    """What became of an offer: the first answer that its author may give; `None` while nobody answered.

    Args:
        by: the did that offered.
        answers: who said it, and what, oldest first.
    """
    return next((each for did, each in answers if (did == by) == (each.answer == WITHDRAWN)), None)


def parse_offer(body: JsonObject) -> Offer:
    """Read an offer that came.

    Raises:
        ProtocolError: it is none.
    """
    bounds = (("offer", 40), ("words", MAX_WORDS), ("contact", MAX_CONTACT))
    fields = [_text(body, name, limit) for name, limit in bounds]
    kind = body.get("kind")
    try:
        until = parse_moment(_text(body, "until", 40))
    except ValueError as error:
        raise ProtocolError("an offer says until when", spec=_SPEC) from error
    return Offer(fields[0], kind if isinstance(kind, str) and kind in KINDS else "other", fields[1], fields[2], until)


def parse_answer(body: JsonObject) -> Answer:
    """Read an answer that came.

    Raises:
        ProtocolError: it is none.
    """
    answer = body.get("answer")
    if not isinstance(answer, str) or answer not in ANSWERS:
        raise ProtocolError("an answer to an offer that is not known", spec=_SPEC)
    return Answer(_text(body, "offer", 40), answer, _text(body, "words", MAX_WORDS))


def _text(body: JsonObject, name: str, limit: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > limit:
        raise ProtocolError(f"{name}: a text of up to {limit} characters", spec=_SPEC)
    return clean(value)

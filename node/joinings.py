"""Asking to join a network without an invitation: what is asked, who answers until when, and what an answer may be.

What was asked is for the sponsors that the page names, and for nobody else. Rules, in order:

1. Every field is text within bounds; a name, the work, and a way to reach whoever asks are needed.
2. It is answered within `ANSWERED_WITHIN`, by a sponsor it was given to that is a member still; the first answer
   counts. A letter that brings it later than `TAKEN_WITHIN` is a replay of what may be deleted already.
3. An answer invites, and brings a sheet that this sponsor signed for this network, which lets nobody in by itself; or
   it declines, by one of fixed words that judge nobody, or by words of its own.
4. `KEPT` after its answer everything of it is deleted; what nobody answered, `UNANSWERED_FOR` after it was asked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from types import MappingProxyType

from node.alert_forms import clean
from node.errors import ProtocolError, RefusedError
from node.federation.protocol.messages import JsonObject
from node.governance import MEMBER_KINDS

ANSWERED_WITHIN = timedelta(days=14)
TAKEN_WITHIN = timedelta(days=30)
"""Shorter than `models.letters.OWN_FOR`, for so long an envelope that came is known again."""
KEPT = timedelta(days=30)
UNANSWERED_FOR = timedelta(days=60)
MOST_OPEN = 200
"""That wait for an answer at once: a flood ends here, and sponsors are not drowned in it."""
MOST_KEPT = 600
"""Of one member's page that a sponsor keeps, answered or not."""
INVITED, DECLINED = "invited", "declined"
REASONS = ("not-now", "not-known", "other-network", "own-words")
"""Why not: we take in nobody at present; nobody here knows you yet; another network fits better; see the words."""
MAX_WORDS = 2_000
MAX_SHEET = 16 * 1024
BOUNDS: Mapping[str, int] = MappingProxyType(
    {"name": 200, "country": 100, "languages": 200, "work": 4_000, "known_by": 600, "contact": 300}
)
"""Fields that whoever asks writes, with the most characters of each."""
NEEDED = ("name", "work", "contact")
_TAIL = 12
_SPEC = "Tadamun joining 1"


@dataclass(frozen=True, slots=True)
class Asking:
    """What an organisation says that asks to join."""

    name: str
    country: str
    kind: str
    languages: str
    work: str
    known_by: str
    """Who of the members knows it, in its own words."""
    contact: str
    language: str
    """Of the page on which it was written."""

    def body(self) -> JsonObject:
        """As it travels, and as it rests sealed."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sponsor says to it."""

    verdict: str
    reason: str
    """Of `REASONS`; empty in an invitation."""
    words: str
    sheet: str
    """The text of an invitation sheet; empty where it declines."""

    def body(self) -> JsonObject:
        """As it travels, and as it rests sealed."""
        return asdict(self)


def name_of(host: str, token: str) -> str:
    """What a request to join is called in letters: after where it was asked, so that nobody else names one so.

    Args:
        host: the did of the organisation on whose page it was asked.
    """
    return f"{host[-_TAIL:]}-{token}"


def parse_form(written: Mapping[str, str], language: str) -> Asking:
    """What somebody wrote.

    Raises:
        RefusedError: `field: what is wrong`, for each.
    """
    read = {name: clean(written.get(name, "")) for name in BOUNDS}
    wrong = [f"{name}: empty" for name in NEEDED if not read[name]]
    wrong += [f"{name}: too long" for name, most in BOUNDS.items() if len(read[name]) > most]
    kind = written.get("kind", "")
    if kind not in MEMBER_KINDS:
        wrong.append("kind: not one of those there are")
    if wrong:
        raise RefusedError(*wrong)
    return Asking(kind=kind, language=language, **read)


def parse_asking(body: JsonObject) -> Asking:
    """Read what another node was asked.

    Raises:
        ProtocolError: it is nothing that a form takes.
    """
    names = [each.name for each in fields(Asking)]
    if set(body) != set(names) or not all(isinstance(body[name], str) for name in names):
        raise ProtocolError("whoever asks to join says what the form asks, and nothing else", spec=_SPEC)
    if len(body["language"]) > 12:
        raise ProtocolError("a language by its code", spec=_SPEC)
    try:
        return parse_form(body, body["language"])
    except RefusedError as error:
        raise ProtocolError(f"no form takes that: {error}", spec=_SPEC) from error


def invite(sheet: str, words: str) -> Answer:
    """An invitation.

    Raises:
        RefusedError: the words are too long.
    """
    return Answer(INVITED, "", _words(words), sheet)


def decline(reason: str, words: str) -> Answer:
    """No.

    Raises:
        RefusedError: no such reason, words that are too long, or none where the reason is one's own words.
    """
    said = _words(words)
    if reason not in REASONS:
        raise RefusedError("choose a reason, or write your own")
    if reason == "own-words" and not said:
        raise RefusedError("choose a reason, or write your own")
    return Answer(DECLINED, reason, said, "")


def parse_answer(body: JsonObject) -> Answer:
    """Read an answer that came, or that was kept.

    Raises:
        ProtocolError: it is none.
    """
    if set(body) != {"verdict", "reason", "words", "sheet"} or not all(isinstance(each, str) for each in body.values()):
        raise ProtocolError("an answer has a verdict, a reason, words and a sheet", spec=_SPEC)
    found = Answer(body["verdict"], body["reason"], clean(body["words"]), body["sheet"])
    if len(found.words) > MAX_WORDS or len(found.sheet) > MAX_SHEET:
        raise ProtocolError("an answer that is too long", spec=_SPEC)
    invites = found.verdict == INVITED and not found.reason and bool(found.sheet)
    declines = found.verdict == DECLINED and found.reason in REASONS and not found.sheet
    if not invites and not declines:
        raise ProtocolError("an answer invites with a sheet, or declines with a reason", spec=_SPEC)
    return found


def _words(text: str) -> str:
    said = clean(text)
    if len(said) > MAX_WORDS:
        raise RefusedError(f"write up to {MAX_WORDS} characters")
    return said

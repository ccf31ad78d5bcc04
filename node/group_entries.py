"""What is said inside a working group: posts, comments, documents, meetings, plans and reviews, sealed to its members.

An entry is signed by the organisation that speaks and proves itself wherever it is found (FEP-8b32), so whoever joins
later can be handed what was said before. It travels in a sealed letter and rests sealed; no act and no log names it.
Its name is the SHA-256 of its canonical form without the proof. Rules of `parse`, in order:

1. the proof holds, and its did is the author;
2. it is one of `KINDS`, with the members that kind has and no other, each within its bounds;
3. what answers another entry names it; a plan that takes the place of another names that one.

Whether the author is in the group, and may say this there, is for `plans` and for whoever shows it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from node import citations
from node.citations import Citation
from node.errors import ProtocolError
from node.federation.protocol import digests, ids, verification
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, timestamp
from node.federation.protocol.messages import JsonObject
from node.governance import moment_of

TYPE = "GroupEntry"
POST, COMMENT, DOCUMENT, MEETING = "post", "comment", "document", "meeting"
PLAN, REVIEW, STEP, DRAFT = "plan", "review", "step", "draft"
COMMENTS, CLOSED = "comments", "closed"
STEPS = (COMMENTS, CLOSED)
"""The steering committee opens the time for comments, and closes the year."""
PERIODS = ("1", "2", "3", "4", "year")
MAX_TITLE = 300
MAX_TEXT = 20_000
MAX_DOCUMENT = 40_000
MAX_ITEM = 2_000
MAX_ITEMS = 60
YEARS = (2000, 2200)
_SPEC = "Tadamun groups 1"
_Check = Callable[[Any], bool]

TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        TYPE: f"tadamun:{TYPE}",
        "network": "tadamun:network",
        "group": "tadamun:group",
        "entry": "tadamun:entry",
        "about": "tadamun:about",
        "language": "tadamun:language",
        "author": {"@id": "tadamun:author", "@type": "@id"},
        "says": {"@id": "tadamun:says", "@type": "@json"},
    }
)
_MEMBERS = frozenset(
    {"@context", "type", "network", "group", "author", "entry", "about", "language", "published", "says", "proof"}
)


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """One entry, read and proved."""

    digest: str
    network: str
    group: str
    author: str
    """A did."""
    kind: str
    about: str
    """The digest of the entry that it answers or takes the place of; empty where it does neither."""
    language: str
    published: datetime
    """As its author says."""
    says: Mapping[str, Any]
    raw: JsonObject

    @property
    def title(self) -> str:
        """Its title; of what has none, nothing."""
        return str(self.says.get("title", ""))

    @property
    def cited(self) -> tuple[Citation, ...]:
        """The articles of charters that it stands on."""
        return tuple(citations.parse(each) for each in self.says.get("cites", ()))

    @property
    def text(self) -> str:
        """Its text; of what has none, nothing."""
        return str(self.says.get("text", ""))


def _text(most: int, least: int = 1) -> _Check:
    return lambda value: isinstance(value, str) and least <= len(value.strip()) and len(value) <= most


def _list(check: _Check, least: int = 0) -> _Check:
    return lambda value: isinstance(value, list) and least <= len(value) <= MAX_ITEMS and all(map(check, value))


def _record(fields: Mapping[str, _Check]) -> _Check:
    return lambda value: (
        isinstance(value, dict) and set(value) == set(fields) and all(check(value[k]) for k, check in fields.items())
    )


def _moment(value: Any) -> bool:
    try:
        moment_of(value)
    except ProtocolError:
        return False
    return True


def _citation(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) <= citations.MAX_LENGTH and str(citations.parse(value)) == value
    except ProtocolError:
        return False


def _cites(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= citations.MAX_CITED and all(map(_citation, value))


def _one_of(*values: str) -> _Check:
    return lambda value: isinstance(value, str) and value in values


def _year(value: Any) -> bool:
    return type(value) is int and YEARS[0] <= value <= YEARS[1]


def _goals(value: Any) -> bool:
    return _list(_GOAL, 1)(value) and len({each["key"] for each in value}) == len(value)


def _versions(value: Any) -> bool:
    """Language → what it says; how a charter is written is for `charters`."""
    return isinstance(value, dict) and 0 < len(value) <= 20 and all(isinstance(each, dict) for each in value.values())


_GOAL = _record({"key": _text(40), "text": _text(MAX_ITEM)})
_SAYS: Mapping[str, Mapping[str, _Check]] = MappingProxyType(
    {
        POST: {"title": _text(MAX_TITLE, 0), "text": _text(MAX_TEXT), "cites": _cites},
        COMMENT: {"text": _text(MAX_TEXT), "article": _text(10, 0)},
        DOCUMENT: {"title": _text(MAX_TITLE), "text": _text(MAX_DOCUMENT)},
        MEETING: {
            "title": _text(MAX_TITLE), "starts": _moment, "ends": _moment, "place": _text(MAX_TITLE, 0),
            "text": _text(MAX_TEXT, 0),
        },
        PLAN: {
            "year": _year,
            "goals": _goals,
            "priorities": _list(_text(MAX_ITEM)),
            "activities": _list(_record({"text": _text(MAX_ITEM), "lead": _text(MAX_TITLE), "goal": _text(40, 0)})),
            "risks": _list(_record({"challenge": _text(MAX_ITEM), "response": _text(MAX_ITEM)})),
            "protection": _text(MAX_TEXT),
            "cites": _cites,
        },
        REVIEW: {
            "period": _one_of(*PERIODS), "done": _text(MAX_TEXT), "evaluation": _text(MAX_TEXT, 0),
            "changed": _list(_GOAL),
        },
        STEP: {"step": _one_of(*STEPS)},
        DRAFT: {"text": _versions},
    }
)  # fmt: skip
KINDS = tuple(_SAYS)
_ANSWERS = (COMMENT, REVIEW, STEP)
_REPLACES = (PLAN, DRAFT, DOCUMENT, MEETING)
"""A later version names the one whose place it takes."""


def render(
    network: str, group: str, kind: str, author: str, about: str, language: str, says: Mapping[str, Any], now: datetime
) -> JsonObject:
    """An entry before it is signed."""
    return {
        "@context": [AS2, DATA_INTEGRITY, dict(TERMS)],
        "type": TYPE,
        "network": network,
        "group": group,
        "author": author,
        "entry": kind,
        "about": about,
        "language": language,
        "published": timestamp(now),
        "says": dict(says),
    }


def digest_of(value: JsonObject) -> str:
    """The name of an entry: what its proof is over, and not the proof."""
    return digests.multibase(digests.jcs({name: item for name, item in value.items() if name != "proof"}))


def parse(value: Any) -> GroupEntry:
    """Read an entry, and see that it is its author's.

    Raises:
        ProtocolError: not one, or its proof does not hold; with the rule.

    Spec: FEP-8b32
    """
    found = read(value)
    if verification.verify_statement(found.raw) != found.author:
        raise ProtocolError("the proof is not its author's", spec="FEP-8b32", status=401)
    return found


def read(value: Any) -> GroupEntry:
    """Read an entry whose proof was looked at already.

    Raises:
        ProtocolError: not one; with the rule.
    """
    if not isinstance(value, dict) or value.get("type") != TYPE or set(value) != _MEMBERS:
        raise ProtocolError("an entry has its own members and no other", spec=_SPEC)
    kind, says, about, author = value["entry"], value["says"], value["about"], value["author"]
    if not isinstance(author, str) or not ids.is_did(author):
        raise ProtocolError("an entry is a did's", spec=_SPEC)
    if not all(_digest(value[name]) for name in ("network", "group")) or not (about == "" or _digest(about)):
        raise ProtocolError("an entry is of one group, and names others by digest", spec=_SPEC)
    if not isinstance(value["language"], str) or not 2 <= len(value["language"]) <= 12:
        raise ProtocolError("an entry says in which language it is", spec="RFC 5646")
    if not isinstance(kind, str) or kind not in _SAYS:
        raise ProtocolError("an entry of a kind that is not known", spec=_SPEC)
    check_says(kind, about, says)
    return GroupEntry(
        digest_of(value), value["network"], value["group"], author, kind, about, value["language"],
        moment_of(value["published"]), says, value,
    )  # fmt: skip


def check_says(kind: str, about: str, says: Any) -> None:
    """Rules 2 and 3.

    Raises:
        ProtocolError: with the member that is wrong.
    """
    checks = _SAYS[kind]
    if not isinstance(says, dict) or set(says) != set(checks):
        raise ProtocolError(f"{kind} says {', '.join(sorted(checks))}, and nothing else", spec=_SPEC)
    wrong = sorted(name for name, check in checks.items() if not check(says[name]))
    if wrong:
        raise ProtocolError(f"{kind}: {wrong[0]} is missing, too long or cannot be so", spec=_SPEC)
    if kind == MEETING and not moment_of(says["starts"]) < moment_of(says["ends"]):
        raise ProtocolError("meeting: it ends after it starts", spec="RFC 5545 §3.8.2.2")
    if (kind in _ANSWERS and not about) or (about and kind not in (*_ANSWERS, *_REPLACES, POST)):
        raise ProtocolError(f"{kind}: it names the entry that it answers", spec=_SPEC)


def _digest(value: Any) -> bool:
    try:
        return isinstance(value, str) and digests.check_multibase(value) == value
    except ProtocolError:
        return False

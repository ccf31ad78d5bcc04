"""A second word before something leaves the house: who may give it, over what, and when it is enough (R2).

Whoever writes asks; others look at names, audience, place and consent, tick each, and say yes or no. Rules, in order:

1. the request is open, and the text is the one that was looked at: a changed text is another request;
2. the author never approves, neither does anybody whom it is about, and nobody counts twice; a sister is one voice;
3. a yes has all four ticks; a no has a reason, and ends the request;
4. the shell never approves: a word comes from an approver in a browser, with a fresh second factor, or sealed from a
   sister organisation that was named beforehand;
5. for everyone two words are needed, for members one, but two where a consent is presumed (R1); where a person is
   named one of the two is a sister's;
6. an emergency: one word and a written reason, when danger is immediate; the sisters look at it within 24 hours. Not
   where a consent is presumed: that is an emergency already, and two people answer for it.

What is published is what was approved: the text is sealed to a key that only those who look at it hold, and each yes
brings that key back. So it can be published when nobody is at a desk, and not before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from node.alert_input import Alert
from node.alert_terms import PRESUMED
from node.effects import Accept, Decision, Refuse
from node.errors import ProtocolError
from node.federation.protocol import digests
from node.federation.protocol.messages import JsonObject

TICKS = ("name", "audience", "place", "consent")
"""What whoever approves has looked at, each by itself."""
YES, NO = "yes", "no"
WAITING, READY, PUBLISHED, REFUSED, CANCELLED, STALE = (
    "waiting", "ready", "published", "refused", "cancelled", "stale",
)  # fmt: skip
STATES = (WAITING, READY, PUBLISHED, REFUSED, CANCELLED, STALE)
SHELL = "shell"
"""Who asks from the command line; nobody signs in as that."""
PATIENCE = timedelta(days=14)
"""A request that nobody answered for so long is stale."""
REVIEW_WITHIN = timedelta(hours=24)
SPREAD = timedelta(hours=1)
"""Within so long at random something is sent that is not urgent, so that its hour says little about who wrote it."""
MAX_REASON = 2_000
_LEAST_REASON = 20
_SPEC = "R2"
_SUBJECT = ("name", "kind", "publication_level", "public_name", "minor", "relative")
_CONSENT = ("given_by", "how", "level", "valid_until", "excluded", "family_safe", "advance_instruction", "necessity")
_SHOWN = (
    "audience", "networks", "exclude", "language", "headline", "kind", "country", "status", "severity", "urgency",
    "certainty", "narrative", "link_to_work", "demands", "do_not", "actions", "translations", "expires", "deadline",
    "violation_types", "charter_articles",
    "drivers", "company_or_project", "relation_to_network", "verification", "endorsement_mode", "republish",
    "embargo_until",
)  # fmt: skip
_BESIDE = (
    "status", "targets", "actions", "deadline", "expires", "violation_types", "drivers", "company_or_project",
    "relation_to_network", "verification", "endorsement_mode", "republish", "charter_articles",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """Something that waits for others' word."""

    id: str
    author: str
    """A person's id, or `SHELL`."""
    digest: str
    needed: int
    sister: bool
    """One of the words must be another organisation's."""
    subjects: frozenset[str]
    """Ids of people of this organisation whom it is about."""
    state: str
    urgent: bool
    """Danger is immediate."""
    made: datetime


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said of a request."""

    org: str
    """The did they spoke for."""
    by: str
    """A person's id; of another organisation's person a name that means nothing outside it."""
    verdict: str
    digest: str
    ticks: frozenset[str]
    reason: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows and the session say of the one who speaks."""

    own: str
    """Our did."""
    approver: bool
    """An active approver of ours in session; for a sister, an organisation that was named as standby."""
    fresh: bool
    """The second factor was shown within minutes; sisters see to that themselves."""
    now: datetime


def needed(alert: Alert) -> tuple[int, bool]:
    """How many words an alert needs, and whether one must be a sister's."""
    if alert.sealed:
        return (2 if alert.presumed else 1), False
    return 2, any(subject.publication_level == "named" for subject in alert.subjects)


def digest_of(value: JsonObject, pictures: Sequence[str] = ()) -> str:
    """The digest of a text as handed in, and of its pictures.

    Args:
        pictures: the digests of the pictures as they will be published.

    Raises:
        ProtocolError: it has no canonical form.
    """
    return digests.multibase(digests.jcs({"alert": value, "pictures": list(pictures)} if pictures else value))


def brief(value: JsonObject) -> JsonObject:
    """What whoever approves is shown: every word that will be public, who it is about, and the consent. Sources,
    contacts that are not printed and notes are not theirs to know (R9): this is a list of what is shown, and what is
    not in it does not get in.
    """
    shown: JsonObject = {name: value[name] for name in _SHOWN if name in value}
    shown["subjects"] = [_picked(each, (*_SUBJECT, "consent")) for each in _objects(value.get("subjects"))]
    for subject in shown["subjects"]:
        if "consent" in subject:
            subject["consent"] = _picked(subject["consent"], _CONSENT)
    shown["consent"] = _picked(value.get("consent"), _CONSENT)
    shown["targets"] = [_target(each) for each in _objects(value.get("targets"))]
    shown["media"] = [
        _picked(each, ("alt", "people", "consent")) | {"file": f"{number}.jpg"}
        for number, each in enumerate(_objects(value.get("media")), 1)
    ]
    verification = value.get("verification")
    shown["verification"] = _picked(verification, ("level",))
    return shown


def _target(value: JsonObject) -> JsonObject:
    """An office as it will be printed, with the contacts to which readers are asked to write."""
    found = _picked(value, ("office", "country", "language", "body", "honorific", "last_checked", "public_contacts"))
    if value.get("public_contacts") is True and "contacts" in value:
        found["contacts"] = _picked(value["contacts"], ("email", "post", "fax", "web"))
    return found


def also_public(shown: JsonObject) -> JsonObject:
    """Of a brief what stands neither in the text nor among the names: field → value, as it will be public."""
    media = [_picked(each, ("alt", "people")) for each in _objects(shown.get("media"))]
    found = {name: shown[name] for name in _BESIDE if name in shown} | {"media": media}
    return {name: value for name, value in found.items() if value not in ("", [], {}, None)}


def changes(before: JsonObject, after: JsonObject) -> Mapping[str, tuple[Any, Any]]:
    """Field → what stood there and what stands there now, of two briefs: what changed since it was last looked at."""
    names = sorted({*before, *after})
    return MappingProxyType(
        {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
    )


def decide(request: Request, words: Collection[Word], word: Word, facts: Facts) -> Decision:
    """Judge one word."""
    refusal = _standing(request, word, facts) or _who(request, words, word, facts)
    if refusal is not None:
        return refusal
    if word.verdict == NO:
        return Accept() if word.reason.strip() else Refuse("a no says why", _SPEC)
    if word.verdict != YES:
        return Refuse("a word is yes or no", _SPEC)
    missing = [tick for tick in TICKS if tick not in word.ticks]
    if missing:
        return Refuse(f"not looked at yet ({'; '.join(missing)})", _SPEC)
    return Accept()


def is_review(request: Request, word: Word) -> bool:
    """Whether a sister has looked at an emergency: her whole word, on that text."""
    said = TICKS if word.verdict == YES else ()
    judged = word.verdict == YES or (word.verdict == NO and bool(word.reason.strip()))
    return judged and word.digest == request.digest and word.ticks >= set(said)


def _standing(request: Request, word: Word, facts: Facts) -> Refuse | None:
    if request.state != WAITING:
        return Refuse(f"the request does not wait any more ({request.state})", _SPEC)
    if facts.now - request.made > PATIENCE:
        return Refuse("asked too long ago: ask again", _SPEC)
    if word.digest != request.digest:
        return Refuse("another text than the one that waits", _SPEC)
    return None


def _who(request: Request, words: Collection[Word], word: Word, facts: Facts) -> Refuse | None:
    if not facts.approver:
        return Refuse("only approvers, and standby organisations named beforehand, give this word", _SPEC)
    if not facts.fresh:
        return Refuse("show the second factor again", _SPEC)
    if word.org == facts.own and word.by in (request.author, SHELL):
        return Refuse("the author does not approve", _SPEC)
    if word.org == facts.own and word.by in request.subjects:
        return Refuse("nobody approves what is about themselves", _SPEC)
    same = [each for each in words if _voice(each, facts.own) == _voice(word, facts.own)]
    if any(each.by == word.by for each in same) or (same and word.verdict == YES):
        return Refuse("nobody counts twice", _SPEC)
    return None


def is_enough(request: Request, words: Collection[Word], own: str) -> bool:
    """Whether it may be published."""
    said = {_voice(each, own): each.org for each in words if each.verdict == YES and each.digest == request.digest}
    return len(said) >= request.needed and (not request.sister or any(org != own for org in said.values()))


def _voice(word: Word, own: str) -> tuple[str, str]:
    """Whose word it is: a person's here; a sister's is one, whatever names it gives, for we cannot tell them apart."""
    return (word.org, word.by if word.org == own else "")


def is_presumed(shown: JsonObject) -> bool:
    """Whether a brief rests on a consent that is presumed."""
    said = [shown.get("consent"), *(each.get("consent") for each in _objects(shown.get("subjects")))]
    return any(each.get("given_by") == PRESUMED for each in said if isinstance(each, dict))


def decide_override(
    request: Request, words: Collection[Word], reason: str, own: str, *, presumed: bool = False
) -> Decision:
    """Judge an emergency: one word that is there already, danger that is immediate, and a written reason."""
    if request.state != WAITING:
        return Refuse(f"the request does not wait any more ({request.state})", _SPEC)
    if not request.urgent:
        return Refuse("an emergency is one where danger is immediate (urgency)", _SPEC)
    if presumed:
        return Refuse("a consent is presumed: two approvers answer for it, whatever the hurry", "R1")
    if len(reason.strip()) < _LEAST_REASON or len(reason) > MAX_REASON:
        return Refuse(f"write the reason, {_LEAST_REASON} to {MAX_REASON} characters: the sisters will read it", _SPEC)
    if not any(each.verdict == YES and each.digest == request.digest and each.org == own for each in words):
        return Refuse("one approver must have said yes", _SPEC)
    return Accept()


def ask_body(
    request: Request, shown: JsonObject, release: str, *, review: str = "", thumbnails: Sequence[str] = ()
) -> JsonObject:
    """The letter that asks a sister.

    Args:
        thumbnails: of the pictures, in base64.
        release: the secret that opens what is to be published; it comes back with a yes.
        review: the written reason of an emergency that was published already.
    """
    return {
        "request": request.id,
        "digest": request.digest,
        "brief": shown,
        "release": release,
        "urgent": request.urgent,
        "review": review,
        "author": request.author if request.author == SHELL else "",
        "thumbnails": list(thumbnails),
    }


def answer_body(request: str, word: Word, release: str) -> JsonObject:
    """The letter that answers."""
    return {
        "request": request,
        "digest": word.digest,
        "verdict": word.verdict,
        "ticks": sorted(word.ticks),
        "reason": word.reason,
        "by": word.by,
        "release": release if word.verdict == YES else "",
    }


def parse_answer(body: JsonObject, org: str, now: datetime) -> tuple[str, Word, str]:
    """Read an answer: the request it is about, the word, and the release.

    Raises:
        ProtocolError: it is none.
    """
    texts = {name: body.get(name) for name in ("request", "digest", "verdict", "reason", "by", "release")}
    ticks = body.get("ticks")
    if not all(isinstance(each, str) and len(each) <= MAX_REASON for each in texts.values()):
        raise ProtocolError("an answer names its request, what was looked at, and the verdict", spec=_SPEC)
    if not isinstance(ticks, list) or len(ticks) > 20 or not all(isinstance(each, str) for each in ticks):
        raise ProtocolError("an answer says what was looked at", spec=_SPEC)
    found = {name: str(value) for name, value in texts.items()}
    if not found["by"] or len(found["by"]) > 80:
        raise ProtocolError("an answer is somebody's", spec=_SPEC)
    word = Word(org, found["by"], found["verdict"], found["digest"], frozenset(ticks), found["reason"], now)
    return found["request"], word, found["release"]


def _picked(value: object, names: Collection[str]) -> JsonObject:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else {}


def _objects(value: object) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

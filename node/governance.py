"""Acts of a network: what a member says about who belongs to it and what it decides, each signed by its author.

An act names the acts its author had seen (`seen`), so that anybody can tell what it was said in view of. It stands in
no public log: it travels in sealed letters among the members, and proves itself wherever it is found (FEP-8b32).
What follows from many of them is for `members`. Rules of `parse`, in order:

1. the proof holds, and its did is the author;
2. it is one of `KINDS`, with the members that kind has and no other;
3. it counts on: `number` is its author's next in this network, `seen` are digests, the author's last one among what
   they stand on (that is for `members`, which has them).

Why something is proposed or blocked stands in no act, only the digest of those words with a nonce: the words travel
beside, to those who are members then, and rest sealed to people. Who joins later learns what was decided, not why.

An act's name is the SHA-256 of its canonical form without the proof; a network's name is that of its founding act.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from node.errors import ProtocolError
from node.federation.protocol import digests, ids, verification
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, timestamp
from node.federation.protocol.messages import JsonObject

TYPE = "GovernanceAct"
FOUND, INVITE, ACCEPT, SPONSOR, CANCEL, LEAVE = "found", "invite", "accept", "sponsor", "cancel", "leave"
SUCCEED = "succeed"
"""The recovery key of a member goes on in its place."""
PROPOSE, VOTE, CLOSE = "propose", "vote", "close"
GROUP, GROUP_HOST, GROUP_CARRY = "group", "group-host", "group-carry"
GROUP_JOIN, GROUP_LEAVE, GROUP_ROLE = "group-join", "group-leave", "group-role"
"""Of working groups (`groups`): one is founded, hosted, carried on by another host; joined, left, and who does what."""
PROFILE = "profile"
"""What a member says of itself, and whether its name may stand in public; said anew at any time."""
ROLL, REMOVE, SUSPEND, LIFT, ADOPT = "roll", "remove", "suspend", "lift", "adopt"
SUBJECTS = (ROLL, REMOVE, SUSPEND, LIFT, ADOPT)
"""What is proposed: names for the voters' roll, a removal, a suspension, its end, a text named by its digest."""
YES, NO, ABSTAIN, BLOCK = "yes", "no", "abstain", "block"
CHOICES = (YES, NO, ABSTAIN, BLOCK)
ORGANISATION, COALITION, INDIVIDUAL = "organisation", "coalition", "individual"
MEMBER_KINDS = (ORGANISATION, COALITION, INDIVIDUAL)
COORDINATOR, STEERING, MEMBER, NONE = "coordinator", "steering", "member", "none"
ROLES = (COORDINATOR, STEERING, MEMBER, NONE)
"""What somebody does in a working group; none takes them out of it."""
MAX_HOSTS = 10
MAX_ARTICLES = 100
MAX_SEEN = 400
MAX_NAMES = 400
MAX_TEXT = 300
MAX_GROUNDS = 4_000
MAX_NUMBER = 1_000_000
_HANDLE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
MAX_LANGUAGES = 12
MAX_GROUPS = 20
_SPEC = "Tadamun governance 1"
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?")

TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        TYPE: f"tadamun:{TYPE}",
        "network": "tadamun:network",
        "act": "tadamun:act",
        "author": {"@id": "tadamun:author", "@type": "@id"},
        "number": "tadamun:number",
        "seen": {"@id": "tadamun:seen", "@type": "@json"},
        "says": {"@id": "tadamun:says", "@type": "@json"},
    }
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a founding act lays down for good."""

    sponsors: int
    """Members who must vouch for a candidate."""
    quorum: tuple[int, int]
    """More than so much of the roll says yes: (1, 2) is more than half."""
    kinds: tuple[str, ...]
    """Who may be a member."""
    voters: tuple[str, ...]
    """Kinds that may stand on the voters' roll."""
    blocks: bool = False
    """One block with a reason stops a decision."""
    articles: tuple[str, ...] = ()
    """Of the charter: what whoever joins affirms, one by one."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act, read and proved."""

    digest: str
    network: str
    """The digest of the founding act; of a founding act its own."""
    author: str
    """A did."""
    kind: str
    number: int
    """1 for an author's first act in this network, and so on."""
    seen: tuple[str, ...]
    """Digests of acts that nothing else the author had seen stands on."""
    published: datetime
    """As its author says; nothing but an invitation's end is judged by it."""
    says: Mapping[str, Any]
    raw: JsonObject

    @property
    def about(self) -> str:
        """The digest of the act that this one answers; empty where it answers none."""
        return str(self.says.get("about", ""))

    @property
    def founders(self) -> tuple[str, ...]:
        """Whom a founding act names."""
        return tuple(self.says.get("founders", ()))


def _text(value: Any, least: int = 1, most: int = MAX_TEXT) -> bool:
    return isinstance(value, str) and least <= len(value) <= most


def _digest(value: Any) -> bool:
    try:
        return isinstance(value, str) and digests.check_multibase(value) == value
    except ProtocolError:
        return False


def _did(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 80 and ids.is_did(value)


def _dids(value: Any) -> bool:
    return (
        isinstance(value, list) and 0 < len(value) <= MAX_NAMES and all(map(_did, value))
        and len(set(value)) == len(value)
    )  # fmt: skip


def _groups(value: Any) -> bool:
    """Digests of working groups."""
    return (
        isinstance(value, list) and len(value) <= MAX_GROUPS and all(map(_digest, value))
        and len(set(value)) == len(value)
    )  # fmt: skip


def _handle(value: Any) -> bool:
    """What other servers read as one."""
    return _text(value, 1, 30) and set(value) <= _HANDLE


def _names(value: Any) -> bool:
    """Language → name."""
    return (
        isinstance(value, dict) and 0 < len(value) <= 20
        and all(_text(name, 2, 12) and _text(text) for name, text in value.items())
    )  # fmt: skip


def are_languages(value: Any) -> bool:
    """Tags as `ar` and `pt-BR`, none twice (RFC 5646 §2.1: language, script, region)."""
    return (
        isinstance(value, list) and len(value) <= MAX_LANGUAGES and len({*map(str, value)}) == len(value)
        and all(isinstance(each, str) and _TAG.fullmatch(each) for each in value)
    )  # fmt: skip


def _commitments(value: Any) -> bool:
    """Did → its commitment to a recovery key."""
    return isinstance(value, dict) and len(value) <= MAX_NAMES and all(
        _did(did) and _digest(commitment) for did, commitment in value.items()
    )


def _kinds(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= 3 and all(each in MEMBER_KINDS for each in value)


def _articles(value: Any) -> bool:
    """Numbers of articles."""
    return (
        isinstance(value, list) and len(value) <= MAX_ARTICLES and len({*map(str, value)}) == len(value)
        and all(_text(each, 1, 10) for each in value)
    )  # fmt: skip


def _rules(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) - {"sponsors", "quorum", "kinds", "voters", "blocks", "articles"}:
        return False
    quorum, sponsors = value.get("quorum"), value.get("sponsors")
    return (
        type(sponsors) is int and 1 <= sponsors <= 20
        and isinstance(quorum, list) and len(quorum) == 2 and all(type(each) is int for each in quorum)
        and 1 <= quorum[1] <= 100 and quorum[1] <= 2 * quorum[0] < 2 * quorum[1]
        and _kinds(value.get("kinds")) and _kinds(value.get("voters")) and type(value.get("blocks", False)) is bool
        and _articles(value.get("articles", []))
    )  # fmt: skip


def _moment(value: Any) -> bool:
    try:
        moment_of(value)
    except ProtocolError:
        return False
    return True


def _one_of(*values: str) -> Any:
    return lambda value: value in values


def _maybe(check: Any) -> Any:
    return lambda value: value == "" or check(value)


_SAYS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        FOUND: {"name": _names, "charter": _maybe(_digest), "founders": _dids, "rules": _rules},
        INVITE: {"who": _maybe(_did), "expires": _moment},
        ACCEPT: {
            "about": _digest, "name": _text, "kind": _one_of(*MEMBER_KINDS), "handle": _text,
            "country": lambda value: _text(value, 0, 2), "listed": lambda value: type(value) is bool,
        },
        SPONSOR: {"about": _digest},
        CANCEL: {"about": _digest},
        LEAVE: {},
        PROFILE: {
            "name": _text, "country": lambda value: _text(value, 0, 2), "languages": are_languages,
            "listed": lambda value: type(value) is bool,
        },
        PROPOSE: {
            "subject": _one_of(*SUBJECTS), "names": lambda value: value == [] or _dids(value),
            "text": _maybe(_digest), "grounds": _maybe(_digest),
        },
        VOTE: {
            "about": _digest, "choice": _one_of(*CHOICES), "reason": _maybe(_digest),
        },
        CLOSE: {"about": _digest},
        GROUP: {
            "name": _names, "handle": _handle, "open": lambda value: type(value) is bool,
            "hosts": lambda value: _dids(value) and len(value) <= MAX_HOSTS,
        },
        GROUP_HOST: {"about": _digest, "did": _did, "handle": _text},
        GROUP_CARRY: {"about": _digest, "who": _did},
        GROUP_JOIN: {"about": _digest},
        GROUP_LEAVE: {"about": _digest},
        GROUP_ROLE: {"about": _digest, "who": _did, "role": _one_of(*ROLES)},
        SUCCEED: {"about": _digest},
    }
)  # fmt: skip
KINDS = tuple(_SAYS)
_MAY_SAY: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        FOUND: {"recovery": _commitments}, ACCEPT: {"recovery": _digest, "affirms": _articles},
        PROFILE: {"groups": _groups},
    }
)
"""What an act of a kind may say and need not."""


def render(
    network: str, kind: str, author: str, number: int, seen: Sequence[str], says: Mapping[str, Any], now: datetime
) -> JsonObject:
    """An act before it is signed.

    Args:
        network: empty in a founding act.
        seen: the digests that its author's view ends with (`members.Ledger.heads`).
    """
    return {
        "@context": [AS2, DATA_INTEGRITY, dict(TERMS)],
        "type": TYPE,
        "network": network,
        "act": kind,
        "author": author,
        "number": number,
        "seen": sorted(seen),
        "published": timestamp(now),
        "says": dict(says),
    }


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why: words that an act names by their digest."""

    text: str
    nonce: str
    """128 random bits, so that nobody guesses the words from the digest."""

    @property
    def digest(self) -> str:
        """As the act names them."""
        return digests.multibase(digests.jcs(self.value()))

    def value(self) -> JsonObject:
        """As they travel."""
        return {"text": self.text, "nonce": self.nonce}


def parse_grounds(value: Any) -> Grounds:
    """Read words that came beside acts.

    Raises:
        ProtocolError: they are none.
    """
    if not isinstance(value, dict) or set(value) != {"text", "nonce"}:
        raise ProtocolError("grounds are a text and a nonce", spec=_SPEC)
    if not _text(value["text"], 1, MAX_GROUNDS) or not _text(value["nonce"], 20, 40):
        raise ProtocolError(f"grounds are up to {MAX_GROUNDS} characters", spec=_SPEC)
    return Grounds(value["text"], value["nonce"])


def digest_of(value: JsonObject) -> str:
    """The name of an act: what its proof is over, and not the proof."""
    return digests.multibase(digests.jcs({name: item for name, item in value.items() if name != "proof"}))


def parse(value: Any) -> Act:
    """Read an act, and see that it is its author's.

    Raises:
        ProtocolError: not one, or its proof does not hold; with the rule.

    Spec: FEP-8b32
    """
    return proved(read(value))


def proved(act: Act) -> Act:
    """An act that was read, when its proof holds.

    Raises:
        ProtocolError: it does not, or is another's.

    Spec: FEP-8b32
    """
    if verification.verify_statement(act.raw) != act.author:
        raise ProtocolError("the proof is not its author's", spec="FEP-8b32", status=401)
    return act


def read(value: Any) -> Act:
    """Read an act, whoever signed it.

    Raises:
        ProtocolError: not one; with the rule.
    """
    if not isinstance(value, dict) or value.get("type") != TYPE:
        raise ProtocolError(f"a {TYPE} is an object of that type", spec=_SPEC)
    if set(value) != {"@context", "type", "network", "act", "author", "number", "seen", "published", "says", "proof"}:
        raise ProtocolError("an act has its own members and no other", spec=_SPEC)
    author, kind, says = value["author"], value["act"], value["says"]
    if not _did(author):
        raise ProtocolError("an act is a did's", spec=_SPEC)
    if not isinstance(kind, str) or kind not in _SAYS:
        raise ProtocolError("an act of a kind that is not known", spec=_SPEC)
    checks, may = _SAYS[kind], _MAY_SAY.get(kind, {})
    if not isinstance(says, dict) or set(says) - set(may) != set(checks):
        raise ProtocolError(f"{kind} says {', '.join(sorted(checks)) or 'nothing'}, and nothing else", spec=_SPEC)
    wrong = sorted(name for name, check in {**checks, **may}.items() if name in says and not check(says[name]))
    if wrong:
        raise ProtocolError(f"{kind}: {wrong[0]} cannot be so", spec=_SPEC)
    return _placed(value, author, kind, says)


def recall(digest: str, value: JsonObject) -> Act:
    """An act that was read and proved before it was kept under this digest; nothing of it is checked again."""
    return Act(
        digest, value["network"] or digest, value["author"], value["act"], value["number"], tuple(value["seen"]),
        datetime.fromisoformat(value["published"]).astimezone(UTC), value["says"], value,
    )  # fmt: skip


def _placed(value: JsonObject, author: str, kind: str, says: Mapping[str, Any]) -> Act:
    """Its network, its number, and what it was said in view of (rule 3)."""
    digest, founds = digest_of(value), kind == FOUND
    network = digest if founds else value["network"]
    if founds != (value["network"] == "") or not _digest(network):
        raise ProtocolError("an act is of one network; a founding act names none", spec=_SPEC)
    number, seen = value["number"], value["seen"]
    if type(number) is not int or not 1 <= number <= MAX_NUMBER:
        raise ProtocolError("acts are counted from 1", spec=_SPEC)
    if not isinstance(seen, list) or len(seen) > MAX_SEEN or not all(map(_digest, seen)) or len({*seen}) < len(seen):
        raise ProtocolError("an act names the acts its author had seen, by digest", spec=_SPEC)
    if founds != (not seen) or (founds and number != 1):
        raise ProtocolError("a founding act is the first, and the only one that has seen nothing", spec=_SPEC)
    return Act(digest, network, author, kind, number, tuple(seen), moment_of(value["published"]), says, value)


def commitment_in(accepted: Act, founding: Act) -> str:
    """What an acceptance binds its author's recovery key to; empty where it does not.

    A founder's stands in the founding act, and anybody else's in the acceptance that members vouched for: who has a
    member's stolen key may accept again, or write the log's first entry again, but neither of these.
    """
    if accepted.about == founding.digest:
        return str(founding.says.get("recovery", {}).get(accepted.author, ""))
    return str(accepted.says.get("recovery", ""))


def stamp(moment: datetime) -> str:
    """A moment as acts write it."""
    return timestamp(moment)


def rules_of(act: Act) -> Rules:
    """What a founding act lays down."""
    given = act.says["rules"]
    return Rules(
        given["sponsors"], (given["quorum"][0], given["quorum"][1]), tuple(given["kinds"]), tuple(given["voters"]),
        given.get("blocks", False), tuple(given.get("articles", ())),
    )


def moment_of(value: Any) -> datetime:
    """A moment as acts write it.

    Raises:
        ProtocolError: it is none.

    Spec: RFC 3339 §5.6
    """
    try:
        if isinstance(value, str) and len(value) <= 40:
            found = datetime.fromisoformat(value)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ProtocolError("a moment, as 2026-11-20T12:00:00Z", spec="RFC 3339 §5.6") from error
    raise ProtocolError("a moment, as 2026-11-20T12:00:00Z", spec="RFC 3339 §5.6")

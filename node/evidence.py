"""Evidence, not silence: what was seen that should not be, as a document that another node can check.

Faults:
- *rollback*: a member signed a lower head of its own log after a higher one. Two signed heads prove it.
- *fork*: two entries for one place. Whoever holds both signed entries has the proof; the document names their headers.
- *withheld*: a host claimed a head and did not supply what leads to it, or left texts out that nobody withdrew.
- *forged*: a host brought an entry that its author did not sign, or for a picture other bytes than were signed.
- *replayed*: a host answered with an actor document older than one already proven. The two documents prove it.
- *impersonation*: a host answered for a did with a document that the did did not sign.

A document names headers and digests and never holds the text of an entry: what is withdrawn must not live on in
evidence against somebody. What a document does not prove by itself is the word of the organisation that signed it, and
shown so.

Spec: Tadamun design §4
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from node.effects import Accept, Decision, Ignore, Refuse, Testimony
from node.errors import ProtocolError
from node.federation.protocol import heads, ids, replicas, verification
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import NAMESPACE
from node.federation.protocol.messages import MAX_PAGE, JsonObject, parse_document
from node.federation.protocol.replicas import Header

TYPE = "Testify"
EVIDENCE = "Evidence"
ROLLBACK, FORK, WITHHELD, FORGED, REPLAYED, IMPERSONATION = (
    "rollback", "fork", "withheld", "forged", "replayed", "impersonation",
)  # fmt: skip
FAULTS = (ROLLBACK, FORK, WITHHELD, FORGED, REPLAYED, IMPERSONATION)
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        **{name: f"tadamun:{name}" for name in (TYPE, EVIDENCE, heads.HEAD, "fault", "about", "seenAt")},
        **{name: {"@id": f"tadamun:{name}", "@type": "@json"} for name in ("headers", "exhibits", "head")},
    }
)
MAX_NOTE = 400
MAX_EXHIBIT = 32 * 1024
_SPEC = "Tadamun design §4"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen."""

    fault: str
    about: str
    """The did whose log or actor it concerns."""
    host: str
    """`host[:port]` that supplied it, or failed to."""
    note: str
    headers: tuple[Header, ...] = ()
    exhibits: tuple[str, ...] = ()
    """Signed documents as text: heads, actor documents."""

    def value(self) -> JsonObject:
        """As it is kept and travels, without a signature."""
        return {
            "type": EVIDENCE,
            "fault": self.fault,
            "about": self.about,
            "seenAt": self.host,
            "summary": self.note,
            "headers": [header.value() for header in self.headers],
            "exhibits": list(self.exhibits),
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows of the one who testifies."""

    member: bool
    frozen: bool


def parse(value: Any) -> Evidence:
    """Read a piece of evidence.

    Raises:
        ProtocolError: it is none.
    """
    if not isinstance(value, dict) or value.get("type") != EVIDENCE or value.get("fault") not in FAULTS:
        raise ProtocolError("no evidence of a kind that is known", spec=_SPEC)
    about, host, note = value.get("about"), value.get("seenAt"), value.get("summary")
    headers, exhibits = value.get("headers") or [], value.get("exhibits") or []
    if not isinstance(about, str) or not ids.is_did(about):
        raise ProtocolError("evidence about nobody", spec=_SPEC)
    if not isinstance(host, str) or len(host) > 300 or not isinstance(note, str) or len(note) > MAX_NOTE:
        raise ProtocolError("evidence names a host and says in short what was seen", spec=_SPEC)
    if not isinstance(headers, list) or not isinstance(exhibits, list) or len(headers) > 2 or len(exhibits) > 2:
        raise ProtocolError("evidence holds two headers and two documents at most", spec=_SPEC)
    if any(not isinstance(each, str) or len(each) > MAX_EXHIBIT for each in exhibits):
        raise ProtocolError(f"a document of evidence is text of at most {MAX_EXHIBIT} characters", spec=_SPEC)
    found = tuple(replicas.parse_stub(each) for each in headers)
    if any(header.did != about for header in found):
        raise ProtocolError("a header of somebody else's log", spec=_SPEC)
    return Evidence(value["fault"], about, host, note, found, tuple(exhibits))


def proves(evidence: Evidence, holds: Callable[[Header], bool]) -> bool:
    """Whether it is proven without anybody's word.

    Args:
        holds: whether the signed entry of this header is held here.
    """
    try:
        if evidence.fault == ROLLBACK:
            return _proves_rollback(evidence)
        if evidence.fault == FORK:
            return contradict(evidence.headers) and all(map(holds, evidence.headers))
        if evidence.fault == REPLAYED:
            return _proves_replay(evidence)
    except ProtocolError:
        return False
    return False


def contradict(headers: Sequence[Header]) -> bool:
    """Whether one author cannot have signed both and kept to one log: one place twice, or a link to another entry."""
    if len(headers) != 2 or headers[0].did != headers[1].did or headers[0] == headers[1]:
        return False
    first, second = sorted(headers, key=lambda header: header.sequence)
    if first.epoch != second.epoch:
        return False
    if first.sequence == second.sequence:
        return True
    return second.sequence == first.sequence + 1 and second.previous != first.digest


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge a testimony: a member's, about anybody, read and bounded.

    Spec: Tadamun design §4
    """
    if not facts.member:
        return Ignore("only members testify")
    if facts.frozen:
        return Ignore("the member is frozen")
    try:
        found = parse(activity.object)
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    return Accept((Testimony(activity.did or "", found.value()),))


def _proves_rollback(evidence: Evidence) -> bool:
    if len(evidence.exhibits) != 2:
        return False
    earlier, later = (heads.parse_head(text, evidence.about) for text in evidence.exhibits)
    return heads.went_back(earlier, later)


def _proves_replay(evidence: Evidence) -> bool:
    if len(evidence.exhibits) != 2:
        return False
    older, newer = (
        verification.verify_actor(parse_document(text.encode(), MAX_PAGE), None) for text in evidence.exhibits
    )
    return older.did == newer.did == evidence.about and older.order < newer.order


def read(raw: bytes) -> Evidence | None:
    """A kept document again; `None` for one of an older form, or one whose text was destroyed."""
    try:
        return parse(json.loads(raw))
    except (ValueError, ProtocolError):
        return None

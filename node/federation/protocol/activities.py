"""An activity as the rules see it: parsed once, frozen, its ids in canonical form.

Rules, in order: `@context` names AS2 (AS2 §2.1.3); `type` is one name; `id` and `actor` are ids of the same origin
(FEP-fe34); `object` has an id where the type needs one; a log position is whole or absent (Tadamun log §3).
"""

from dataclasses import dataclass
from typing import Any

from node.errors import ProtocolError
from node.federation.protocol import ids
from node.federation.protocol.messages import Document, JsonObject, as_list, id_of

AS2 = "https://www.w3.org/ns/activitystreams"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_PUBLIC_FORMS = frozenset({PUBLIC, "as:Public", "Public"})
_MAX_ADDRESSES = 1000
MAX_ID = 500
"""Characters of an actor's or a key's id: the database looks things up by them."""
MAX_EPOCH = 2**31 - 1
"""Epochs are counted by hand; the database keeps them in 32 bits."""
_LOG = "Tadamun log §3"


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where an activity says it stands in its author's log."""

    epoch: int
    sequence: int
    previous: str | None
    nonce: str

    @property
    def order(self) -> tuple[int, int]:
        """Positions compare by epoch, then sequence."""
        return self.epoch, self.sequence


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity. `value` and `raw` are the same document, parsed and as received."""

    id: str
    type: str
    actor: str
    object_id: str | None
    object: JsonObject | None
    position: LogPosition | None
    value: JsonObject
    raw: bytes

    @property
    def did(self) -> str | None:
        """The did whose activity this is, `None` for an actor that lives on a domain."""
        found = ids.portable(self.actor)
        return found.did if found else None

    @property
    def object_type(self) -> str | None:
        """The embedded object's type; of a list the first name."""
        names = as_list((self.object or {}).get("type"))
        return names[0] if names and isinstance(names[0], str) else None

    @property
    def addresses(self) -> frozenset[str]:
        """`to`, `cc` and `audience` together, the public collection in its full form."""
        return addresses(self.value)

    @property
    def public(self) -> bool:
        """Whether it is addressed to everyone."""
        return PUBLIC in self.addresses


def parse_activity(document: Document) -> Activity:
    """Read one activity.

    Raises:
        ProtocolError: 400, naming the rule of this module that broke.

    Spec: AP §7, AS2 §4.1
    """
    value = document.value
    if not has_context(value):
        raise ProtocolError("@context does not name ActivityStreams", spec="AS2 §2.1.3")
    kind = value.get("type")
    if not isinstance(kind, str) or not kind or len(kind) > 100:
        raise ProtocolError("an activity's type is one name", spec="AS2 §4.1")
    actor = id_of(value.get("actor"))
    given = value.get("id")
    if actor is None or not isinstance(given, str) or len(actor) > MAX_ID:
        raise ProtocolError("an activity needs an id and an actor", spec="AP §3.1, §4")
    if not ids.same_origin(given, actor):
        raise ProtocolError("the activity's id is not of its actor's origin", spec="FEP-fe34", status=403)
    target = value.get("object")
    if isinstance(target, list):
        if len(target) != 1 and kind != "Flag":  # Mastodon reports several posts at once
            raise ProtocolError("one object an activity is taken", spec="AP §7.1")
        target = target[0] if target else None
    named = id_of(target)
    return Activity(
        id=ids.canonical(given),
        type=kind,
        actor=ids.canonical(actor),
        object_id=ids.canonical(named) if named else None,
        object=target if isinstance(target, dict) else None,
        position=parse_position(value.get("log")),
        value=value,
        raw=document.raw,
    )


def parse_position(value: Any) -> LogPosition | None:
    """Read `log`: `None` where it is absent.

    Raises:
        ProtocolError: there, but not whole.

    Spec: Tadamun log §3
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ProtocolError("log is not an object", spec=_LOG)
    epoch, sequence, previous, nonce = (value.get(name) for name in ("epoch", "sequence", "previous", "nonce"))
    if type(epoch) is not int or type(sequence) is not int or not 1 <= epoch <= MAX_EPOCH or sequence < 1:
        raise ProtocolError("log needs epoch and sequence from 1 up", spec=_LOG)
    if not isinstance(nonce, str) or not 20 <= len(nonce) <= 64:
        raise ProtocolError("log needs a nonce of 128 bits", spec=_LOG)
    if (previous is None) != (sequence == 1) or not isinstance(previous, str | None):
        raise ProtocolError("log needs previous, but in the first entry", spec=_LOG)
    return LogPosition(epoch, sequence, previous, nonce)


def has_context(value: JsonObject) -> bool:
    """Whether `@context` holds the AS2 address literally: what Mastodon asks for."""
    return AS2 in [item for item in as_list(value.get("@context")) if isinstance(item, str)]


def addresses(value: JsonObject) -> frozenset[str]:
    """Everybody a document is addressed to; at most 1,000 are read."""
    found: set[str] = set()
    for name in ("to", "cc", "audience"):
        for item in as_list(value.get(name))[:_MAX_ADDRESSES]:
            address = id_of(item)
            if address in _PUBLIC_FORMS:
                found.add(PUBLIC)
            elif address is not None:
                found.add(_address(address))
    return frozenset(found)


def _address(address: str) -> str:
    try:
        return ids.canonical(address)
    except ProtocolError:
        return address

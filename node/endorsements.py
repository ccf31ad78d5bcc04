"""Sign-on: an alert's text is frozen by its digest, and organisations put their names under exactly that text.

Two kinds of object, each of its own author's log. A `SignOn`, by the alert's author, freezes the text, opens a window
and says later to whom the list was handed. An `Endorsement`, by any other organisation, names the alert, the digest and
the name as it should appear; deleting it takes the name off everywhere. What arrives is judged one by one and kept; who
stands on the list is worked out anew from all that is held (`list_of`), so that every node with the same entries shows
the same list, in whatever order they came and whoever's server is gone.

`decide`, in order:
1. only a pinned member, or we ourselves; what a frozen key says past its freeze is nobody's word;
2. id and author are the activity's actor's (FEP-fe34), and nobody takes over another's id (AP §7.3);
3. what was deleted never comes back;
4. a SignOn is of its author's own alert, and its digest is that of the texts it names; an Endorsement is not;
5. an Endorsement is never changed, only taken back; a SignOn is replaced by a newer one (AP §7.3).

`list_of`, in order:
1. the author's newest SignOn counts, for the text that it froze;
2. an Endorsement of another text counts for nothing here: any change of the text asks everybody again (R18);
3. it was said before the window closed; once the list was handed over, it stands before the heads named then;
4. its organisation is a member here or succeeded by one; past a freeze it does not count;
5. an organisation stands there once, and so does one that succeeded another; the author does not endorse itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from node import rolls
from node.alert_forms import parse_moment
from node.effects import Accept, Decision, Ignore, Refuse, StoreObject
from node.errors import ProtocolError
from node.federation.protocol import digests, ids
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import NAMESPACE
from node.federation.protocol.messages import JsonObject, id_of
from node.rolls import Place, Standing

SIGN_ON, ENDORSEMENT = "SignOn", "Endorsement"
TYPES = (SIGN_ON, ENDORSEMENT)
MAX_NAME = 200
MAX_TO = 300
MAX_LANGUAGES = 51
MAX_HEADS = 1_000
_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
_SPEC = "Tadamun sign-on"
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        **{name: f"tadamun:{name}" for name in (*TYPES, "textDigest")},
        "alert": {"@id": "tadamun:alert", "@type": "@id"},
        **{name: {"@id": f"tadamun:{name}", "@type": _DATE_TIME} for name in ("opens", "closes")},
        **{name: {"@id": f"tadamun:{name}", "@type": "@json"} for name in ("frozenTexts", "delivery")},
    }
)

Phase = Literal["open", "closed", "delivered"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The list as it was handed over: what was true then stays a number, whoever takes a name off later."""

    at: datetime
    to: str
    count: int
    withheld: int
    heads: Mapping[str, Place]
    """did → the last entry of it that counted; only those who signed, and the author."""


@dataclass(frozen=True, slots=True)
class SignOn:
    """The author's word: this text is frozen, and can be signed until then."""

    id: str
    did: str
    alert: str
    """Canonical id of the alert's Note in its main language."""
    digest: str
    """Of all frozen texts together: what an Endorsement names."""
    texts: Mapping[str, str]
    """Language → digest of the Note in it."""
    opens: datetime
    closes: datetime
    delivery: Delivery | None
    order: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Endorsement:
    """One organisation's name under one text."""

    id: str
    did: str
    alert: str
    digest: str
    name: str
    language: str
    said: datetime
    order: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SignOnList:
    """Who signed, as of some heads."""

    sign_on: SignOn
    names: tuple[Endorsement, ...]
    """In the order in which they say they signed."""
    withheld: int
    """Organisations whose names are withheld and known to the network."""
    phase: Phase
    changed: bool
    """The alert's text is another by now: these names stand under the earlier one."""
    missing: tuple[str, ...]
    """Languages of the frozen text that are not held here."""
    known: int
    """Organisations that this node knows and that could sign."""
    listed: frozenset[str]
    """The dids among the names that agreed to be named as members of the network."""
    as_of: Mapping[str, Place]

    @property
    def count(self) -> int:
        """Everyone who signed."""
        return len(self.names) + self.withheld


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows when one of these objects is judged."""

    known: bool
    """Its author is a pinned member, was one, or is ourselves."""
    frozen: bool
    known_author: str | None = None
    known_updated: str | None = None
    gone: bool = False


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge a Create or Update of a SignOn or an Endorsement. A Delete is judged as that of any object.

    Spec: AP §7.2, §7.3; FEP-fe34
    """
    thing = activity.object
    if thing is None or activity.object_id is None or activity.did is None:
        return Ignore("a sign-on is embedded, and of a portable actor")
    if not facts.known:
        return Ignore("only members sign")
    if facts.frozen:
        return Ignore("the member is frozen")
    if facts.known_author not in (None, activity.actor):
        return Refuse("the id belongs to another author", "AP §7.3")
    if facts.gone:
        return Ignore("it was deleted")
    try:
        found = parse(thing, (1, 1))
        if ids.canonical(id_of(thing.get("attributedTo")) or "") != activity.actor or found.did != activity.did:
            return Refuse("the object is not of the actor's origin", "FEP-fe34")
        updated = _moment(thing, "updated") if "updated" in thing else None
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    if activity.type == "Update" and isinstance(found, Endorsement):
        return Refuse("an endorsement is taken back and said again, not changed", _SPEC)
    known = parse_moment(facts.known_updated) if facts.known_updated else None
    newer = activity.type == "Update" and updated is not None and (known is None or updated > known)
    if facts.known_author is not None and not newer:
        return Ignore("not newer than what we have")
    kind = SIGN_ON if isinstance(found, SignOn) else ENDORSEMENT
    stamps = [value if isinstance(value, str) else "" for value in (thing.get("published"), thing.get("updated"))]
    return Accept((StoreObject(activity.object_id, kind, activity.actor, thing, stamps[0], stamps[1] or None),))


def list_of(
    entries: Iterable[SignOn | Endorsement], heads: Mapping[str, Place], roll: Mapping[str, Standing],
    present: Mapping[str, str], now: datetime, *, withheld: int = 0,
) -> SignOnList | None:  # fmt: skip
    """Who signed one alert; `None` where nobody was asked, or the alert is not held (any more).

    Args:
        entries: all that is held about this alert, in any order.
        heads: the last entry of each log that is to count.
        roll: did → how it stands here.
        present: language → digest of each text of the alert that is held now.
        withheld: endorsements that came sealed: organisations that the network knows and nobody names.
    """
    found = rolls.within(entries, heads)
    openings = [each for each in found if isinstance(each, SignOn)]
    if not openings or not present:
        return None
    asked = max(openings, key=lambda each: (each.order, each.id))
    under = [each for each in found if isinstance(each, Endorsement) and _counts(each, asked, roll)]
    signed = rolls.last_words(under, roll)
    signed.pop(rolls.final(asked.did, roll), None)
    names = tuple(sorted(signed.values(), key=lambda each: (each.said, each.did)))
    could = {rolls.final(did, roll) for did in roll} - {rolls.final(asked.did, roll)}
    return SignOnList(
        sign_on=asked,
        names=names,
        withheld=withheld,
        phase="delivered" if asked.delivery else "closed" if now > asked.closes else "open",
        changed=any(present.get(language, digest) != digest for language, digest in asked.texts.items()),
        missing=tuple(sorted(asked.texts.keys() - present.keys())),
        known=len(could),
        listed=frozenset(each.did for each in names if roll[each.did].listed),
        as_of={did: heads[did] for did in sorted({asked.did, *(each.did for each in names)})},
    )


def digest_of(note: JsonObject) -> str:
    """The digest of one text: of the Note as it was signed, without its proof.

    Spec: RFC 8785; Controlled Identifiers 1.0 §2.4
    """
    return digests.multibase(digests.jcs({name: value for name, value in note.items() if name != "proof"}))


def digest_of_all(texts: Mapping[str, str]) -> str:
    """The digest of all texts together."""
    return digests.multibase(digests.jcs(dict(texts)))


def render_sign_on(
    name: str, actor: str, alert: str, texts: Mapping[str, str], window: tuple[datetime, datetime], to: tuple[str, ...],
) -> JsonObject:  # fmt: skip
    """A SignOn, not signed yet.

    Args:
        name: its id.
        alert: id of the alert's Note in its main language.
    """
    return {
        "id": name,
        "type": SIGN_ON,
        "attributedTo": actor,
        "alert": alert,
        "frozenTexts": dict(texts),
        "textDigest": digest_of_all(texts),
        "opens": _timestamp(window[0]),
        "closes": _timestamp(window[1]),
        "published": _timestamp(window[0]),
        "to": list(to),
    }


def with_delivery(sign_on: JsonObject, delivery: Delivery) -> JsonObject:
    """The same SignOn after the list was handed over: nobody signs any more."""
    kept = {name: value for name, value in sign_on.items() if name not in ("@context", "proof")}
    moment = _timestamp(delivery.at)
    return kept | {
        "updated": moment,
        "delivery": {
            "at": moment,
            "to": delivery.to,
            "count": delivery.count,
            "withheld": delivery.withheld,
            "heads": {did: list(place) for did, place in delivery.heads.items()},
        },
    }


def render_endorsement(
    name: str, actor: str, asked: SignOn, alert: str, shown: tuple[str, str], now: datetime, to: tuple[str, ...],
) -> JsonObject:  # fmt: skip
    """An Endorsement, not signed yet.

    Args:
        name: its id.
        shown: the organisation's name as it should appear, and the language of it.
    """
    return {
        "id": name,
        "type": ENDORSEMENT,
        "attributedTo": actor,
        "alert": alert,
        "textDigest": asked.digest,
        "name": shown[0],
        **({"nameMap": {shown[1]: shown[0]}} if shown[1] else {}),
        "published": _timestamp(now),
        "to": list(to),
    }


def parse(thing: JsonObject, order: tuple[int, int]) -> SignOn | Endorsement:
    """Read one of the two.

    Args:
        order: the place of its entry in its author's log.

    Raises:
        ProtocolError: a field is missing, too long or of another kind; or rule 4 of `decide`.
    """
    name, alert = _portable(thing.get("id"), "id"), _portable(thing.get("alert"), "alert")
    digest = digests.check_multibase(thing.get("textDigest"))
    if thing.get("type") not in TYPES:
        raise ProtocolError("neither a SignOn nor an Endorsement", spec=_SPEC)
    if thing["type"] == ENDORSEMENT:
        shown, language = _text(thing, "name", MAX_NAME), _language(thing)
        said = _moment(thing, "published")
        return Endorsement(str(name), name.did, str(alert), digest, shown, language, said, order)
    if alert.did != name.did:
        raise ProtocolError("a sign-on is opened by the alert's author", spec=_SPEC)
    texts = _texts(thing.get("frozenTexts"))
    if digest_of_all(texts) != digest:
        raise ProtocolError("textDigest is not that of the frozen texts", spec=_SPEC)
    opens, closes = _moment(thing, "opens"), _moment(thing, "closes")
    delivery = _delivery(thing["delivery"]) if thing.get("delivery") is not None else None
    return SignOn(str(name), name.did, str(alert), digest, texts, opens, closes, delivery, order)


def _counts(each: Endorsement, asked: SignOn, roll: Mapping[str, Standing]) -> bool:
    if not rolls.counts(each, roll):
        return False
    if (each.alert, each.digest) != (asked.alert, asked.digest) or each.said > asked.closes:
        return False
    return asked.delivery is None or each.order <= asked.delivery.heads.get(each.did, (0, 0, ""))[:2]


def _portable(value: Any, name: str) -> ids.Portable:
    found = ids.portable(value) if isinstance(value, str) else None
    if found is None:
        raise ProtocolError(f"{name}: not a portable id", spec="FEP-ef61")
    return found


def _text(thing: JsonObject, name: str, limit: int) -> str:
    value = thing.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise ProtocolError(f"{name}: a text of 1 to {limit} characters", spec=_SPEC)
    return value


def _language(thing: JsonObject) -> str:
    mapped = thing.get("nameMap")
    language = next(iter(mapped), "") if isinstance(mapped, dict) else ""
    return language if len(language) <= 35 else ""


def _moment(thing: JsonObject, name: str) -> datetime:
    try:
        return parse_moment(_text(thing, name, 40))
    except ValueError as error:
        raise ProtocolError(f"{name}: not an RFC 3339 time", spec="RFC 3339 §5.6") from error


def _texts(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_LANGUAGES:
        raise ProtocolError(f"frozenTexts: 1 to {MAX_LANGUAGES} languages with their digests", spec=_SPEC)
    return {language[:35]: digests.check_multibase(digest) for language, digest in value.items()}


def _delivery(value: Any) -> Delivery:
    heads = value.get("heads") if isinstance(value, dict) else None
    if not isinstance(heads, dict) or len(heads) > MAX_HEADS:
        raise ProtocolError("delivery: at, to, count, withheld and heads", spec=_SPEC)
    return Delivery(
        at=_moment(value, "at"),
        to=_text(value, "to", MAX_TO),
        count=_number(value, "count"),
        withheld=_number(value, "withheld"),
        heads={did: rolls.parse_place(place) for did, place in heads.items() if ids.is_did(did)},
    )


def _number(value: JsonObject, name: str) -> int:
    found = value.get(name)
    if type(found) is not int or not 0 <= found < 2**31:
        raise ProtocolError(f"{name}: a number", spec=_SPEC)
    return found


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

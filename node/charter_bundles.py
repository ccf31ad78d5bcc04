"""A charter as one file that proves itself: the text, who affirmed it, and nothing that a server would have to answer.

The file is one JSON document. It holds log entries as their authors signed them: the charter's, those of the earlier
texts that it changes, each affirmation's, and the newest actor document of everybody named in it, for the names. Around
them stands what only the maker's own machine can say, under the maker's proof: as of which heads, that these
organisations count as members there, and how many more affirmed with their names withheld.

Rules of `parse`, in order:
1. a document with a portable id and the proof of that did (FEP-8b32); of type `CharterBundle`;
2. heads are places in logs, `withheld` is a number, and each entry is of a log, under its author's proof;
3. the charter that is named is there, with that digest; every other text is one that it changes, step by step;
4. every affirmation counts (`node/charters.py`), lies within the heads, and is its organisation's only one;
5. an actor document is its own log's, and of somebody named; nothing else is in the file.

Any change of any value breaks the maker's proof; a maker who changes another's word breaks that one's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from node import charters as rules
from node import rolls
from node.charters import Affirmation, Affirmed, Charter
from node.errors import ProtocolError
from node.federation.protocol import actors, digests, ids, integrity_proofs, verification
from node.federation.protocol.activities import AS2, Activity, parse_activity
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, Actor, timestamp
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import MAX_ENTRY, Document, JsonObject, parse_document
from node.federation.protocol.verification import Carrier
from node.rolls import Place, Standing

TYPE = "CharterBundle"
MAX_FILE = 64 * 1024 * 1024
MAX_AFFIRMATIONS = 10_000
MAX_EARLIER = 20
"""Texts that an amendment leads back to."""
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        **{name: f"tadamun:{name}" for name in (TYPE, "textDigest", "withheld")},
        "charter": {"@id": "tadamun:charter", "@type": "@id"},
        **{name: {"@id": f"tadamun:{name}", "@type": "@json"} for name in ("entries", "heads")},
    }
)
_MEMBERS = frozenset(
    {
        "@context", "id", "type", "attributedTo", "published", "charter", "textDigest", "withheld", "heads", "entries",
        "proof",
    }  # fmt: skip
)
_SPEC = "Tadamun charter bundle 1"


@dataclass(frozen=True, slots=True)
class Proven:
    """What such a file proves."""

    maker: str
    """The did of whoever put it together: heads, membership and the number of the withheld are its word."""
    made: str
    charter: Charter
    earlier: tuple[Charter, ...]
    """What it changes, the nearest first."""
    affirmed: Affirmed
    actors: Mapping[str, Actor]
    """did → who that says it is."""
    heads: Mapping[str, Place]

    def name(self, did: str) -> str:
        """What an organisation calls itself; the did where the file does not have it."""
        actor = self.actors.get(did)
        return (actor.name or actor.handle) if actor else did


def render(
    actor: str, key: OrganisationKey, charter: Charter, entries: Iterable[bytes], affirmed: Affirmed,
    heads: Mapping[str, Place], made: datetime,
) -> bytes:  # fmt: skip
    """The file, signed.

    Args:
        actor: the https id of the organisation that makes it.
        entries: log entries as they were signed.
        heads: of everybody whose entries are in it.
    """
    document = {
        "@context": [AS2, DATA_INTEGRITY, dict(TERMS)],
        "id": actor + "/charter-bundle",
        "type": TYPE,
        "attributedTo": actor,
        "published": timestamp(made),
        "charter": charter.id,
        "textDigest": charter.digest,
        "withheld": affirmed.withheld,
        "heads": {did: list(place) for did, place in sorted(heads.items())},
        "entries": [orjson.loads(entry) for entry in entries],
    }
    return orjson.dumps(integrity_proofs.sign(document, key, f"{key.did}#{key.multikey}", made))


def is_charter_bundle(raw: bytes) -> bool:
    """Whether a document looks like such a file."""
    return b'"type":"CharterBundle"' in raw[:4000].replace(b" ", b"").replace(b"\n", b"")


def parse(raw: bytes) -> Proven:
    """Read such a file and check everything in it.

    Raises:
        ProtocolError: naming the rule of this module that broke.

    Spec: FEP-8b32
    """
    value = parse_document(raw, MAX_FILE).value
    found = ids.portable(str(value.get("id")))
    if found is None:
        raise ProtocolError("a charter bundle is told apart by a portable id", spec=_SPEC)
    verification.verify_own_proof(value, found.did)
    if value.get("type") != TYPE or value.keys() != _MEMBERS:
        raise ProtocolError("no charter bundle of this version", spec=_SPEC)
    if ids.canonical(str(value["attributedTo"])) != str(ids.Portable(found.did, "/actor")):
        raise ProtocolError("made by another than whose proof it bears", spec="FEP-fe34")
    heads, withheld = _heads(value["heads"]), value["withheld"]
    if type(withheld) is not int or not 0 <= withheld < 2**31 or not isinstance(value["published"], str):
        raise ProtocolError("withheld is a number, and published a moment", spec=_SPEC)
    texts, said, named = _sorted(_entries(value["entries"]))
    charter = texts.pop(ids.canonical(str(value["charter"])), None)
    if charter is None or charter.digest != digests.check_multibase(value["textDigest"]):
        raise ProtocolError("the charter that is named is not in the file, or is another text", spec=_SPEC)
    _check_within((charter, *texts.values(), *said), heads)
    affirmed = _affirmed(charter, said, heads, withheld)
    _check_actors(named, {found.did, charter.did, *(each.did for each in said)})
    return Proven(found.did, value["published"], charter, _earlier(charter, texts), affirmed, named, heads)


def _entries(value: Any) -> list[Activity]:
    if not isinstance(value, list) or not 0 < len(value) <= 2 * MAX_AFFIRMATIONS + MAX_EARLIER + 2:
        raise ProtocolError("entries: a list of log entries", spec=_SPEC)
    return [_entry(each) for each in value]


def _entry(value: Any) -> Activity:
    raw = orjson.dumps(value)
    if not isinstance(value, dict) or len(raw) > MAX_ENTRY:
        raise ProtocolError(f"an entry is an object of at most {MAX_ENTRY} bytes", spec=_SPEC)
    activity = parse_activity(Document(raw, value))
    if activity.position is None or activity.did is None:
        raise ProtocolError("not a log entry", spec=_SPEC)
    return verification.verify_activity(activity, Carrier(None, replica=True)).activity


def _sorted(entries: list[Activity]) -> tuple[dict[str, Charter], list[Affirmation], dict[str, Actor]]:
    """Texts by id, affirmations, and actor documents by did."""
    texts: dict[str, Charter] = {}
    said: list[Affirmation] = []
    named: dict[str, Actor] = {}
    for activity in entries:
        thing, position, did = activity.object or {}, activity.position, activity.did or ""
        if activity.type == "Update" and activity.object_type in actors.TYPES and did not in named:
            named[did] = _actor(thing, did)
            continue
        if activity.type != "Create" or position is None:
            raise ProtocolError(f"a charter bundle holds no {activity.type} of this kind", spec=_SPEC)
        found = rules.parse(thing, position.order)
        if found.did != did:
            raise ProtocolError("the object is not of the actor's origin", spec="FEP-fe34")
        if isinstance(found, Affirmation):
            said.append(found)
        elif texts.setdefault(found.id, found) is not found:
            raise ProtocolError("two texts under one id", spec=_SPEC)
    return texts, said, named


def _actor(thing: JsonObject, did: str) -> Actor:
    actor = verification.verify_actor(Document(orjson.dumps(thing), thing), None)
    if actor.did != did:
        raise ProtocolError("an actor document is its own log's", spec=_SPEC)
    return actor


def _check_within(found: Iterable[Charter | Affirmation], heads: Mapping[str, Place]) -> None:
    for each in found:
        if each.did not in heads or each.order > heads[each.did][:2]:
            raise ProtocolError(f"entry {each.order[0]}/{each.order[1]} lies past the heads that are named", spec=_SPEC)


def _affirmed(charter: Charter, said: list[Affirmation], heads: Mapping[str, Place], withheld: int) -> Affirmed:
    roll = {each.did: Standing(listed=True) for each in said}
    found = rules.list_of(charter, said, heads, roll, withheld=withheld)
    if len(found.names) != len(said):
        raise ProtocolError("an affirmation that does not count, or two of one organisation", spec=_SPEC)
    return found


def _earlier(charter: Charter, texts: dict[str, Charter]) -> tuple[Charter, ...]:
    by_digest = {each.digest: each for each in texts.values()}
    steps: list[Charter] = []
    wanted = charter.amends
    while wanted in by_digest:
        step = by_digest.pop(wanted)
        steps.append(step)
        wanted = step.amends
    if len(steps) != len(texts):
        raise ProtocolError("a text that this charter does not change", spec=_SPEC)
    return tuple(steps)


def _check_actors(named: Mapping[str, Actor], wanted: set[str]) -> None:
    if named.keys() - wanted:
        raise ProtocolError("an actor document of somebody who is not named", spec=_SPEC)


def _heads(value: Any) -> dict[str, Place]:
    if not isinstance(value, dict) or len(value) > MAX_AFFIRMATIONS + MAX_EARLIER + 2:
        raise ProtocolError("heads: did → [epoch, sequence, digest]", spec=_SPEC)
    if not all(ids.is_did(did) for did in value):
        raise ProtocolError("heads: did → [epoch, sequence, digest]", spec=_SPEC)
    return {did: rolls.parse_place(place) for did, place in value.items()}

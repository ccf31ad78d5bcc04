"""Carrying on what a member said whose server is gone: who does it, so that one does it and not ninety.

Members tell each other, in small signed notices that expire, whose server they cannot reach and which alerts they
carry. A notice is the whole of what its author says now: a later one replaces it, and nothing is lost with an earlier.
`decide` looks at one alert from one node. Rules, in order:

1. who carries it and sees a member of a better rank carry it takes its own copy back: a network that was split and
   heals is left with one;
2. who carries it goes on;
3. what another member carries is carried;
4. who can reach the author, or was not asked by its operator to pass anything on, does nothing;
5. at least three members have noticed, or all where there are fewer;
6. the rank of a member is SHA-256(alert's id || did), the smallest first, among those who noticed, are alive and are
   willing; the first speaks `PATIENCE` after the notices were enough, each next one `PATIENCE` later.

A carrier that cannot be reached counts as no carrier, so that the next in order takes over.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from node.errors import ProtocolError
from node.federation.protocol import ids
from node.federation.protocol.activities import AS2, Activity
from node.federation.protocol.actors import DATA_INTEGRITY, NAMESPACE, timestamp
from node.federation.protocol.messages import JsonObject

TYPE = "Notice"
QUORUM = 3
PATIENCE = timedelta(minutes=5)
VALID = timedelta(hours=2)
"""How long a notice counts; it is said again long before."""
REPEAT = timedelta(minutes=30)
_AHEAD = timedelta(minutes=10)
"""How far another's clock may be ahead of ours."""
_LONG_AGO = timedelta(days=3650)
_MOST = 500
"""Members, and alerts, in one notice."""
_SPEC = "Tadamun design §4"
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        "Notice": "tadamun:Notice",
        "unreachable": {"@id": "tadamun:unreachable", "@type": "@json"},
        "carried": {"@id": "tadamun:carried", "@type": "@json"},
        "willing": "tadamun:willing",
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What one member says now."""

    did: str
    published: datetime
    unreachable: Mapping[str, datetime]
    """did → since when its server has not answered."""
    carried: frozenset[str]
    """Canonical ids of the alerts of which it has published a copy."""
    willing: bool
    """It passes alerts on at all."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One alert of an author whose server is gone, from where one node stands."""

    alert: str
    """Its canonical id."""
    own: str
    """Our did."""
    members: frozenset[str]
    """The pinned members, without ourselves and without the author."""
    noticed: frozenset[str]
    """Who says that the author cannot be reached; ourselves, if we do."""
    alive: frozenset[str]
    """Whose server answers us."""
    willing: frozenset[str]
    carried: frozenset[str]
    """Who says that it carries the alert; ourselves, if we do."""
    enough_since: datetime | None
    """Since when the notices have been enough here."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Carry:
    """Publish a copy."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Our copy stays."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Take our copy back: this member carries the alert, and comes before us."""

    better: str


@dataclass(frozen=True, slots=True)
class Wait:
    """It may come to us at this moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stand:
    """Nothing to do for us."""

    reason: str


Verdict = Carry | Keep | Drop | Wait | Stand


def decide(facts: Facts) -> Verdict:
    """Judge one alert by the rules of this module.

    Spec: Tadamun design §4
    """
    others = facts.carried & facts.members & facts.alive
    first = min(others, key=lambda did: rank(facts.alert, did), default=None)
    if facts.own in facts.carried:
        if first is not None and rank(facts.alert, first) < rank(facts.alert, facts.own):
            return Drop(first)
        return Keep()
    if first is not None:
        return Stand("carried by another member")
    if facts.own not in facts.noticed or facts.own not in facts.willing:
        return Stand("not ours to carry: we reach the author, or pass nothing on")
    if not enough(facts.noticed, facts.members) or facts.enough_since is None:
        return Stand("too few have noticed")
    here = facts.members | {facts.own}
    able = (facts.noticed & facts.willing & facts.alive & here) | {facts.own}
    place = sorted(able, key=lambda did: rank(facts.alert, did)).index(facts.own)
    turn = facts.enough_since + PATIENCE * (place + 1)
    return Carry() if facts.now >= turn else Wait(turn)


def rank(alert: str, did: str) -> bytes:
    """The order in which members carry this alert on; nobody can choose it for itself."""
    return hashlib.sha256(alert.encode() + did.encode()).digest()


def enough(noticed: frozenset[str], members: frozenset[str]) -> bool:
    """Whether so many noticed that it is the author's server, and not the way to it; one of them is ourselves.

    Args:
        members: the pinned members, without ourselves and without the author.
    """
    ours = noticed - members
    return len(noticed & members) + min(len(ours), 1) >= min(QUORUM, len(members) + 1)


def dead(failing: Mapping[str, datetime], answering: frozenset[str], now: datetime, after: timedelta) -> frozenset[str]:
    """Whose server counts as gone for us. Where nobody answers at all, it is we who are cut off.

    Args:
        failing: did → since when it has not answered, for members that do not.
        answering: members that answered when they were asked last.
    """
    if len(failing) > 1 and not answering:
        return frozenset()
    return frozenset(did for did, since in failing.items() if now - since >= after)


def render(notice: Notice) -> JsonObject:
    """The members of the activity that say it, beside id, actor and proof."""
    return {
        "@context": [AS2, DATA_INTEGRITY, dict(TERMS)],
        "unreachable": {did: timestamp(since) for did, since in sorted(notice.unreachable.items())[:_MOST]},
        "carried": sorted(notice.carried)[:_MOST],
        "willing": notice.willing,
    }


def parse(activity: Activity, now: datetime) -> Notice:
    """Read a notice.

    Raises:
        ProtocolError: not whole, too long, or not of now.

    Spec: Tadamun design §4
    """
    value = activity.value
    unreachable, carried = value.get("unreachable"), value.get("carried")
    if activity.type != TYPE or activity.did is None:
        raise ProtocolError("not a notice of a member", spec=_SPEC)
    if not isinstance(unreachable, dict) or not isinstance(carried, list) or type(value.get("willing")) is not bool:
        raise ProtocolError("a notice that is not whole", spec=_SPEC)
    if len(unreachable) > _MOST or len(carried) > _MOST:
        raise ProtocolError(f"a notice names at most {_MOST}", spec=_SPEC)
    published = _moment(value.get("published"), now)
    if published < now - VALID:
        raise ProtocolError("a notice that has expired", spec=_SPEC)
    if not all(isinstance(each, str) and ids.portable(each) for each in carried):
        raise ProtocolError("a notice carries alerts by their portable ids", spec=_SPEC)
    if not all(ids.is_did(did) for did in unreachable):
        raise ProtocolError("a notice names members by their dids", spec=_SPEC)
    return Notice(
        did=activity.did,
        published=published,
        unreachable={did: _moment(since, now) for did, since in unreachable.items()},
        carried=frozenset(ids.canonical(each) for each in carried),
        willing=value["willing"],
    )


def _moment(text: object, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
        moment = found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ProtocolError("a notice with a moment that is none", spec=_SPEC) from error
    if found.tzinfo is None or not now - _LONG_AGO < moment < now + _AHEAD:
        raise ProtocolError("a notice with a moment that cannot be", spec=_SPEC)
    return moment

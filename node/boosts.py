"""`@alerts`: the plain actor of a host that brings the network's public alerts to followers anywhere in the fediverse.

Decides which alerts it boosts and what its documents look like. It has no did and no log: its word counts by its own
RSA key. An alert is boosted when, in order:

1. it is actual: no exercise, no test, nothing of a status we do not know (R15);
2. it is the Note in its main language;
3. its author is the organisation of this host, or a pinned member that is not frozen, listed or not;
4. it is neither closed nor expired, and not older than a week: a log that was caught up with floods nobody;
5. the operator asked for its country and kind before it came, by default for none, and forbids it nowhere (`policies`).

A boost is taken back when its alert is: rules 1 to 3 hold no longer, or the text is withdrawn.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from node.federation.protocol import ids, keys
from node.federation.protocol.activities import AS2, PUBLIC
from node.federation.protocol.actors import SECURITY, timestamp
from node.federation.protocol.messages import JsonObject

PATH = "/actors/alerts"
HANDLE, OTHER_HANDLE = "alerts", "network_alerts"
SOONEST, LATEST = timedelta(seconds=5), timedelta(seconds=90)
"""Between these a boost waits, by chance: ninety nodes must not fall on one server at the same moment."""
OLDEST = timedelta(days=7)
_KEY = "alerts:"
_LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Voice:
    """The `@alerts` actor of one host."""

    origin: str
    """`https://host[:port]`."""
    handle: str

    @property
    def uri(self) -> str:
        """Its id."""
        return self.origin + PATH

    @property
    def key(self) -> str:
        """What its rows carry in place of an organisation's did."""
        return key_of(ids.host_of(self.origin + "/"))

    @property
    def followers(self) -> str:
        """The address of those who follow it."""
        return self.uri + "/followers"

    def at(self, path: str) -> str:
        """The id of something of its own."""
        return self.uri + path


@dataclass(frozen=True, slots=True)
class Rule:
    """What the operator wants boosted; an empty field means any."""

    country: str
    kind: str
    """An alert's kind (`urgent-appeal`) or one of its violation types (`arrest`)."""
    since: datetime

    def covers(self, candidate: "Candidate") -> bool:
        """Whether it names this alert, and was there first."""
        named = self.country in ("", candidate.country) and (self.kind == "" or self.kind in candidate.kinds)
        return named and candidate.received >= self.since


@dataclass(frozen=True, slots=True)
class Candidate:
    """An alert as the rules see it."""

    status: str
    state: str
    translation: bool
    own: bool
    member: bool
    """Its author is a pinned member today."""
    frozen: bool
    country: str
    kinds: frozenset[str]
    published: datetime
    expires: datetime | None
    received: datetime
    allowed: bool = True
    """The operator's policies have nothing against it."""


def key_of(host: str) -> str:
    """The name under which the rows of a host's `@alerts` stand; it outlives a change of the organisation's key."""
    name = _KEY + host
    return name if len(name) <= _LONGEST_KEY else _KEY + hashlib.sha256(host.encode()).hexdigest()


def is_voice(org: str) -> bool:
    """Whether rows under this name are those of an `@alerts`."""
    return org.startswith(_KEY)


def handle_beside(taken: Collection[str]) -> str:
    """Its name on a host where organisations bear these: `alerts`, unless one of them is called so."""
    return OTHER_HANDLE if HANDLE in taken else HANDLE


def objection(candidate: Candidate, rules: Collection[Rule], now: datetime) -> str:
    """Why an alert is not boosted; empty when it is."""
    if candidate.status != "actual":
        return "not an actual alert (R15)"
    if candidate.translation:
        return "a translation"
    if not candidate.own and (not candidate.member or candidate.frozen):
        return "not of a member that is believed"
    if candidate.state == "closed" or (candidate.expires is not None and candidate.expires <= now):
        return "closed or expired"
    if candidate.published < now - OLDEST:
        return "too old"
    if not candidate.allowed:
        return "the operator forbids it"
    if not any(rule.covers(candidate) for rule in rules):
        return "the operator did not ask for it"
    return ""


def render_actor(voice: Voice, name: str, rsa: RSAPublicKey) -> JsonObject:
    """Its actor document. No shared inbox: what is meant for it comes to its own.

    Args:
        name: the organisation whose node this is.

    Spec: AP §4.1
    """
    host = voice.origin.partition("://")[2]
    return {
        "@context": [
            AS2,
            SECURITY,
            {
                "toot": "http://joinmastodon.org/ns#",
                "discoverable": "toot:discoverable",
                "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
                "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
            },
        ],
        "id": voice.uri,
        "type": "Service",
        "preferredUsername": voice.handle,
        "name": f"نداءات الشبكة · Network alerts · {name}",
        "summary": "<p>ينقل هذا الحساب آلياً النداءات العلنية لمنظمات الشبكة.</p>"
        "<p>This account passes on the public alerts of the network's organisations, by itself.</p>",
        "url": voice.origin + "/alerts",
        "inbox": voice.at("/inbox"),
        "outbox": voice.at("/outbox"),
        "followers": voice.followers,
        "publicKey": {"id": voice.uri + "#main-key", "owner": voice.uri, "publicKeyPem": keys.public_pem(rsa)},
        "webfinger": f"{voice.handle}@{host}",
        "manuallyApprovesFollowers": False,
        "discoverable": True,
    }


def render_announce(voice: Voice, activity: str, note: str, now: datetime) -> JsonObject:
    """A boost of somebody's Note.

    Spec: AP §7.11
    """
    return {
        "@context": AS2,
        "id": activity,
        "type": "Announce",
        "actor": voice.uri,
        "object": note,
        "to": [PUBLIC],
        "cc": [voice.followers],
        "published": timestamp(now),
    }


def render_undo(voice: Voice, activity: str, note: str, now: datetime) -> JsonObject:
    """A boost taken back, embedded: GoToSocial passes over an Undo of an id.

    Spec: AP §7.12
    """
    undone = {"id": activity, "type": "Announce", "actor": voice.uri, "object": note}
    return {**render_announce(voice, activity + "#undo", note, now), "type": "Undo", "object": undone}


def render_reply(voice: Voice, activity: str, kind: str, answered: JsonObject, to: str) -> JsonObject:
    """An answer to a Follow, which it embeds with its id.

    Spec: AP §7.6
    """
    return {"@context": AS2, "id": activity, "type": kind, "actor": voice.uri, "object": answered, "to": [to]}

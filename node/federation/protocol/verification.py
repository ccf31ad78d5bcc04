"""Every trust decision of the node. What leaves here as `Verified` may be judged; nothing else may.

Who may speak, in order:
1. our own organisation's activities come from inside; from outside they are taken only while we pull our own log back;
2. a portable actor is believed by its own proof alone: the did is the key, no host is asked (FEP-8b32, FEP-ef61); an
   embedded object of the same did carries its own proof;
3. *direct*: the HTTP key's owner is the actor;
4. *forwarded*: the proof authenticates, the HTTP signature names only the forwarder; taken from pinned members about
   pinned dids, and from nobody else; only log entries and sealed letters, which change nothing a second time, for what
   two actors settle between them is nobody's to carry on;
5. an actor that lives on a domain is believed by the HTTP signature of a key in its fetched document, or by a fresh
   proof of such a key (FEP-fe34).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from node.errors import ProtocolError
from node.federation.protocol import actors, http_signatures, ids, integrity_proofs, keys, message_signatures
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import Actor
from node.federation.protocol.keys import PublicKey
from node.federation.protocol.messages import Document, JsonObject, Request

Kind = Literal["proof", "http", "ld", "fetched"]
Claim = http_signatures.Claim | message_signatures.Claim

SEALED = "Seal"
"""The type of an activity that carries a sealed letter."""
_PROOF_ALONE = timedelta(hours=12)
"""How old a proof may be that travels without any HTTP signature."""


@dataclass(frozen=True, slots=True)
class Verified:
    """An activity whose author is known. `kind` says by what; only `proof` may enter a log."""

    kind: Kind
    activity: Activity
    forwarder: str | None = None
    """The canonical id of the actor that carried it, where that is not the author."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who brought an activity: the verified owner of the HTTP key, and what the organisation thinks of the two."""

    owner: str | None
    """Canonical actor id; `None` when the activity came by file, by catch-up, or without an HTTP signature."""
    pinned: bool = False
    """The carrier is a pinned member."""
    author_pinned: bool = False
    """The activity's did is a pinned member."""
    replica: bool = False
    """It came out of a log copy or a bundle, where the proof stands alone."""


def check_request(request: Request, now: datetime) -> Claim | None:
    """Read the HTTP signature and check all of it that needs no key; `None` where there is none.

    Raises:
        ProtocolError: 401, naming the rule.

    Spec: RFC 9421 §3.2, draft-cavage-http-signatures-12 §2.5
    """
    if request.all("signature-input"):
        return message_signatures.check(request, now)
    if request.all("signature"):
        return http_signatures.check(request, now)
    return None


def verify_request(request: Request, claim: Claim, key: PublicKey) -> None:
    """Check the signature itself.

    Raises:
        ProtocolError: 401, it does not hold.
    """
    if isinstance(claim, http_signatures.Claim):
        http_signatures.verify(request, claim, key)
    else:
        message_signatures.verify(request, claim, key)


def verify_activity(activity: Activity, carrier: Carrier) -> Verified:
    """Decide whether an activity is its author's.

    Raises:
        ProtocolError: 401 or 403, naming the rule of this module that broke.

    Spec: FEP-fe34, FEP-ef61, FEP-8b32
    """
    if activity.did is None:
        if carrier.owner is None or carrier.owner != activity.actor:
            raise ProtocolError("the key's owner is not the actor", spec="FEP-fe34", status=401)
        return Verified("http", activity)
    if not carrier.replica and carrier.owner != activity.actor and not (carrier.pinned and carrier.author_pinned):
        raise ProtocolError(
            "forwarded, and not by a pinned member about a pinned member", spec="Tadamun wire §3", status=403
        )
    carried = activity.position is not None or activity.type == SEALED
    if not carrier.replica and carrier.owner != activity.actor and not carried:
        raise ProtocolError("only log entries and letters are passed on by others", spec="Tadamun wire §3", status=403)
    verify_own_proof(activity.value, activity.did)
    embedded = activity.object
    if embedded is not None and embedded.get("attributedTo") is not None and _is_of(embedded, activity.did):
        verify_own_proof(embedded, activity.did, context=activity.value.get("@context"))
    return Verified("proof", activity, None if carrier.owner in (None, activity.actor) else carrier.owner)


def verify_proof_alone(activity: Activity, key: PublicKey, now: datetime) -> Verified:
    """A fresh proof by the actor's own key, without an HTTP signature.

    Raises:
        ProtocolError: 401, stale, or not the actor's.

    Spec: FEP-8b32
    """
    proof = integrity_proofs.check(activity.value)
    check_fresh(proof, now)
    if key.owner != activity.actor or ids.canonical(proof.method) != key.id:
        raise ProtocolError("the proof is not by a key of the actor", spec="FEP-8b32", status=401)
    integrity_proofs.verify(activity.value, proof, key)
    return Verified("proof", activity)


def check_fresh(proof: integrity_proofs.Proof, now: datetime) -> None:
    """A proof that travels without an HTTP signature is not older than twelve hours.

    Raises:
        ProtocolError: 401, stale or from the future.
    """
    made = datetime.fromisoformat(proof.created)
    if not now - _PROOF_ALONE < made < now + timedelta(hours=1):
        raise ProtocolError("a proof that travels alone must be fresh", spec="FEP-8b32", status=401)


def verify_own_proof(value: JsonObject, did: str, context: object = None) -> None:
    """A document's proof is by the did it belongs to. Both forms of `verificationMethod` name the same key.

    Args:
        context: the outer document's `@context`, under which an embedded object was signed.

    Raises:
        ProtocolError: 401, no proof, another's, or it does not hold.
    """
    if context is not None and "@context" not in value:
        value = {"@context": context, **value}
    proof = integrity_proofs.check(value)
    found = ids.portable(proof.method)
    multikey = did.removeprefix(keys.DID_KEY)
    if found is None or found.did != did or found.path not in (f"#{multikey}", "/actor#ed25519-key"):
        raise ProtocolError("the proof is by another did than the document's", spec="FEP-8b32", status=401)
    integrity_proofs.verify(value, proof, keys.public_from_did(did))


def verify_statement(value: JsonObject) -> str:
    """A signed statement without an author of its own; returns the did that its proof is by.

    Raises:
        ProtocolError: 401, no proof, no did key, or it does not hold.

    Spec: FEP-8b32
    """
    found = ids.portable(integrity_proofs.check(value).method)
    if found is None:
        raise ProtocolError("the proof is not by a did", spec="FEP-8b32", status=401)
    verify_own_proof(value, found.did)
    return found.did


def verify_actor(document: Document, fetched_from: str | None) -> Actor:
    """Decide whether an actor document may be believed.

    Args:
        fetched_from: the final URL it was fetched from; `None` when it came another way.

    Raises:
        ProtocolError: a portable actor without its own proof, or another whose id is not where it was fetched.

    Spec: FEP-ef61, FEP-fe34; GHSA-3fjr-858r-92rw
    """
    actor = actors.parse_actor(document)
    if actor.did is not None:
        if actor.id != str(ids.Portable(actor.did, "/actor")):
            raise ProtocolError("an organisation's actor id is did/actor", spec="FEP-ef61")
        verify_own_proof(document.value, actor.did)
    elif fetched_from is None or ids.canonical(fetched_from) != actor.id:
        raise ProtocolError("an actor counts only at its own id", spec="FEP-fe34", status=403)
    return actor


def verify_object(document: Document, fetched_from: str | None) -> JsonObject:
    """Decide whether a fetched object may be believed: by its proof, or by the place that its id names.

    Raises:
        ProtocolError: neither holds.

    Spec: FEP-fe34
    """
    given = document.value.get("id")
    if not isinstance(given, str):
        raise ProtocolError("an object without an id", spec="AP §3.1")
    found = ids.portable(given)
    if found is not None:
        verify_own_proof(document.value, found.did)
    elif fetched_from is None or ids.canonical(fetched_from) != ids.canonical(given):
        raise ProtocolError("an object counts only at its own id", spec="FEP-fe34", status=403)
    return document.value


def check_newer(actor: Actor, known: Actor | None) -> None:
    """An older proven document never replaces a newer one, wherever it comes from.

    Raises:
        ProtocolError: it stands earlier in the log than what we have.

    Spec: Tadamun design §1.2
    """
    if known is not None and actor.did is not None and actor.order < known.order:
        raise ProtocolError("an older actor document than the one we hold", spec="Tadamun log §3", status=403)


def _is_of(value: JsonObject, did: str) -> bool:
    given = value.get("id")
    found = ids.portable(given) if isinstance(given, str) else None
    return found is not None and found.did == did

"""What hands carry between two organisations before they are in one network: a sheet, and the answer to it.

Nothing in either is a secret, and neither lets anybody in: members vouch after two people compared six words by voice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import governance as rules
from node import members
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject, parse_document
from node.governance import Act
from node.models import networks as rows
from node.models.organisations import Organisation

SHEET, ANSWER = "TadamunInvitation", "TadamunAcceptance"
_NAMED = 3
_MOST_SAID = 10
_MAX_SHEET = 16 * 1024


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is carried by hand to whoever is invited: nothing in it is a secret, and nothing in it lets anybody in."""

    network: str
    names: Mapping[str, str]
    charter: str
    invitation: str
    expires: datetime
    members: tuple[tuple[str, str], ...]
    """(did, handle) of three members, the inviting one first."""
    articles: tuple[str, ...] = ()
    """Of the charter: what whoever joins affirms, one by one."""

    def value(self) -> JsonObject:
        """As a file or a QR code holds it."""
        return {
            "type": SHEET,
            "network": self.network,
            "names": dict(self.names),
            "charter": self.charter,
            "invitation": self.invitation,
            "expires": self.expires.isoformat(),
            "members": [{"did": did, "handle": handle} for did, handle in self.members],
            **({"articles": list(self.articles)} if self.articles else {}),
        }


@dataclass(frozen=True, slots=True)
class Candidacy:
    """What was carried back: an acceptance, and what its author had said in the network before."""

    accepted: Act
    acts: tuple[Act, ...]
    handle: str
    """Where its author is found."""


def read_answer(raw: bytes) -> Candidacy:
    """Read what was carried back.

    Raises:
        RefusedError: it is none, or a proof does not hold.
    """
    value = _carried(raw, ANSWER, "an acceptance")
    given = value.get("acts")
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_SAID:
        raise RefusedError("this is no acceptance")
    try:
        found = tuple(rules.parse(each) for each in given)
    except ProtocolError as error:
        raise RefusedError(f"this acceptance is not its author's own ({error})") from error
    accepted = [act for act in found if act.kind == rules.ACCEPT]
    if not accepted or len({(act.author, act.network) for act in found}) != 1:
        raise RefusedError("this is no acceptance")
    return Candidacy(max(accepted, key=lambda act: act.number), found, str(value.get("handle", ""))[:300])


def sheet_of(connection: Connection, organisation: Organisation, network: str, invitation: str) -> Sheet:
    """The sheet of an invitation of ours.

    Raises:
        RefusedError: there is no such invitation.
    """
    ledger = rows.ledger_of(connection, organisation.did, network)
    acts = {act.digest: act for act in ledger.acts}
    made, founding = acts.get(invitation), acts.get(network)
    if made is None or founding is None or made.author != organisation.did or made.kind != rules.INVITE:
        raise RefusedError("no such invitation of ours")
    others = [
        (each.did, each.handle) for each in ledger.state().members.values()
        if each.did != organisation.did and each.state == members.MEMBER
    ]  # fmt: skip
    named = ((organisation.did, organisation.address), *others)
    expires = rules.moment_of(made.says["expires"])
    return Sheet(
        network, founding.says["name"], founding.says["charter"], invitation, expires, named[:_NAMED],
        rules.rules_of(founding).articles,
    )  # fmt: skip


def answer_of(connection: Connection, organisation: Organisation, network: str) -> JsonObject:
    """Our acceptance, to be carried back, with whatever we said in this network before.

    Raises:
        RefusedError: we accepted nothing.
    """
    held = rows.acts_of(connection, organisation.did, network)
    ours = sorted((act for act in held if act.author == organisation.did), key=lambda act: act.number)
    if not any(act.kind == rules.ACCEPT for act in ours):
        raise RefusedError("we accepted no invitation to this network")
    return {"type": ANSWER, "handle": organisation.address, "acts": [act.raw for act in ours[-_MOST_SAID:]]}


def read_sheet(raw: bytes, now: datetime) -> Sheet:
    """Read what was carried here.

    Raises:
        RefusedError: it is no invitation, or over.
    """
    value = _carried(raw, SHEET, "an invitation")
    try:
        named = tuple((str(each["did"]), str(each["handle"])) for each in value["members"])
        sheet = Sheet(
            value["network"], {str(k): str(v) for k, v in value["names"].items()}, value["charter"],
            value["invitation"], rules.moment_of(value["expires"]), named[:_NAMED],
            tuple(str(each) for each in value.get("articles", ()))[: rules.MAX_ARTICLES],
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ProtocolError) as error:
        raise RefusedError("this is no invitation to a network, or a part of it is missing") from error
    if not named or not all(ids.is_did(did) for did, _ in named):
        raise RefusedError("an invitation names members by their dids")
    if sheet.expires <= now:
        raise RefusedError(f"this invitation has run out: ask for another ({sheet.expires:%Y-%m-%d %H:%M} UTC)")
    return sheet


def written(value: JsonObject) -> str:
    """A sheet or an answer, as a file holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _carried(raw: bytes, kind: str, what: str) -> JsonObject:
    try:
        value = parse_document(raw, _MAX_SHEET).value
    except ProtocolError as error:
        raise RefusedError(f"this file is not {what} ({error})") from error
    if value.get("type") != kind:
        raise RefusedError(f"this file is not {what}")
    return value

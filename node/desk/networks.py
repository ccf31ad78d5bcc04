"""What an organisation does in a network: it founds one, invites, accepts, vouches, proposes, votes, closes, leaves.

Every one of these is an act (`governance`) that stands on what this node has seen, is judged by the same function as
everybody's (`members`), and goes sealed to all who are members then. What the function would not count is refused here
before it is signed, with the reason.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from node import governance as rules
from node import letters as letter_rules
from node import members, recovery
from node.desk import members as pins
from node.desk.network_sheets import Candidacy, Sheet, answer_of, sheet_of
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.discovery import Discovery
from node.federation.protocol import integrity_proofs, sealing
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject, parse_document
from node.governance import Act, Grounds
from node.members import Ledger, State, Tally
from node.models import contacts
from node.models import networks as rows
from node.models.base import Database
from node.models.organisations import Organisation

INVITED_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose hand it is."""

    connection: Connection
    organisation: Organisation
    key: OrganisationKey
    now: datetime

    @property
    def own(self) -> str:
        """Our did."""
        return self.organisation.did


def found(
    desk: Desk, names: Mapping[str, str], founders: Sequence[str], *, sponsors: int = 2,
    quorum: tuple[int, int] = (1, 2), kinds: Sequence[str] = (rules.ORGANISATION, rules.COALITION),
    voters: Sequence[str] = (rules.ORGANISATION,), blocks: bool = False, charter: str = "",
    articles: Sequence[str] = (),
) -> State:  # fmt: skip
    """Begin a network. Whoever else is named as a founder is a member once they accept.

    Args:
        names: language → name.
        founders: dids of pinned members, beside ourselves.
        charter: the digest of a text.
        articles: of it, what whoever joins affirms, one by one.

    Raises:
        RefusedError: a rule forbids it.
    """
    recovery_of = {desk.own: desk.organisation.recovery}
    for did in founders:
        pinned = contacts.member(desk.connection, desk.own, did)
        if pinned is None:
            raise RefusedError(f"this organisation is not pinned here: add it to the members first ({did})")
        recovery_of[did] = pinned.recovery
    if articles and not charter:
        raise RefusedError("name the charter whose articles are to be affirmed, by its digest")
    says = {
        "name": dict(names), "charter": charter, "founders": sorted({desk.own, *founders}),
        "rules": {
            "sponsors": sponsors, "quorum": list(quorum), "kinds": list(kinds), "voters": list(voters),
            "blocks": blocks, **({"articles": list(dict.fromkeys(articles))} if articles else {}),
        },
        "recovery": {did: commitment for did, commitment in sorted(recovery_of.items()) if commitment},
    }  # fmt: skip
    made = _signed(desk, rules.render("", rules.FOUND, desk.own, 1, (), says, desk.now))
    rows.know(desk.connection, desk.own, made.digest, dict(names), desk.now)
    rows.add(desk.connection, desk.own, made, desk.now)
    state = accept_founding(desk, made.digest)
    tell(desk, made.digest, rows.ledger_of(desk.connection, desk.own, made.digest).acts, set(founders))
    return state


def accept_founding(desk: Desk, network: str, kind: str = rules.ORGANISATION, *, listed: bool = False) -> State:
    """A founder says that it is one.

    Raises:
        RefusedError: the founding act does not name us, or we are a member.
    """
    network, ledger = opened(desk, network)
    founding = next((act for act in ledger.acts if act.digest == network), None)
    if founding is None or desk.own not in founding.says["founders"]:
        raise RefusedError("the founding act does not name this organisation; it is invited by a member")
    if founding.says.get("recovery", {}).get(desk.own, desk.organisation.recovery) != desk.organisation.recovery:
        raise RefusedError("the founding act binds this organisation to another recovery key than its sheet's")
    return say(desk, network, rules.ACCEPT, _acceptance(desk, network, kind, listed=listed), ledger)


def invite(desk: Desk, network: str, who: str = "", lasts: timedelta = INVITED_FOR) -> Sheet:
    """Write an invitation, for one organisation; the sheet is carried by hand.

    Args:
        who: its did, where it is known.

    Raises:
        RefusedError: we are no member.
    """
    network, ledger = opened(desk, network)
    expires = (desk.now + lasts).replace(microsecond=0)
    made, _ = act(desk, network, rules.INVITE, {"who": who, "expires": rules.stamp(expires)}, ledger)
    return sheet_of(desk.connection, desk.organisation, network, made.digest)


def accept(
    desk: Desk, sheet: Sheet, kind: str = rules.ORGANISATION, *, listed: bool = False, affirms: Sequence[str] = ()
) -> JsonObject:
    """Say that we would be a member; the answer is carried back by hand.

    Args:
        listed: our name may stand on public lists of the network.
        affirms: numbers of articles of the charter.

    Raises:
        RefusedError: the network asks for articles that were not affirmed.
    """
    left = [each for each in sheet.articles if each not in affirms]
    if left:
        named = "; ".join(left)
        raise RefusedError(f"whoever joins affirms articles of the charter, one by one: some are missing ({named})")
    rows.know(desk.connection, desk.own, sheet.network, dict(sheet.names), desk.now, dict(sheet.members))
    held = rows.acts_of(desk.connection, desk.own, sheet.network)
    mine = sorted((act for act in held if act.author == desk.own), key=lambda act: act.number)
    seen = {sheet.invitation, *(act.digest for act in mine[-1:])}
    says = _acceptance(desk, sheet.invitation, kind, listed=listed)
    says |= {"affirms": list(sheet.articles)} if sheet.articles else {}
    made = _signed(
        desk, rules.render(sheet.network, rules.ACCEPT, desk.own, 1 + len(mine), sorted(seen), says, desk.now)
    )
    rows.add(desk.connection, desk.own, made, desk.now)
    return answer_of(desk.connection, desk.organisation, sheet.network)


def vouch(desk: Desk, network: str, about: str | Candidacy) -> State:
    """Vouch for a candidate: a member whom we know, whose six words we compared.

    Args:
        about: what was carried back, or its did where its acceptance is here.

    Raises:
        RefusedError: not a candidate, or a rule forbids it.
    """
    network, _ = opened(desk, network)
    if isinstance(about, Candidacy):
        if about.accepted.network != network:
            raise RefusedError("this acceptance is of another network")
        for each in about.acts:
            rows.add(desk.connection, desk.own, each, desk.now)
        if rows.missing(desk.connection, desk.own, [*about.accepted.seen, about.accepted.digest]):
            raise RefusedError("it answers an invitation that is not here: wait until it has come, or invite again")
    ledger = rows.ledger_of(desk.connection, desk.own, network)
    state = ledger.state()
    did = about.accepted.author if isinstance(about, Candidacy) else about
    candidate = state.candidates.get(did)
    if candidate is None:
        reason = "a member already" if did in state.members else "no candidate, or the invitation is not valid"
        raise RefusedError(f"{reason} ({did})")
    _check_recovery(desk, ledger, candidate[0], did)
    if isinstance(about, Candidacy):
        tell(desk, network, about.acts, set(state.members))
    return say(desk, network, rules.SPONSOR, {"about": candidate[0]}, ledger, extra=[did])


def _check_recovery(desk: Desk, ledger: Ledger, accepted: str, did: str) -> None:
    """Whoever takes a member's place one day is the one that its log names, as far as we have that log."""
    pinned = contacts.member(desk.connection, desk.own, did)
    bound = next(str(act.says.get("recovery", "")) for act in ledger.acts if act.digest == accepted)
    if bound and pinned is not None and pinned.recovery and pinned.recovery != bound:
        raise RefusedError("its acceptance is bound to another recovery key than the first entry of its log")


def cancel(desk: Desk, network: str, digest: str) -> State:
    """Take back our invitation or our acceptance.

    Raises:
        RefusedError: it is neither.
    """
    network, ledger = opened(desk, network)
    held = rows.acts_of(desk.connection, desk.own, network)
    mine = sorted((each for each in held if each.author == desk.own), key=lambda each: each.number)
    if not any(each.digest == digest and each.kind in (rules.INVITE, rules.ACCEPT) for each in mine):
        raise RefusedError("only one's own invitation or acceptance is taken back")
    if any(each.digest == network for each in ledger.acts):
        return say(desk, network, rules.CANCEL, {"about": digest}, ledger)
    # The network itself is not here yet: all that we saw is our own acceptance.
    number, seen = mine[-1].number + 1, [mine[-1].digest]
    value = rules.render(network, rules.CANCEL, desk.own, number, seen, {"about": digest}, desk.now)
    made = _signed(desk, value)
    rows.add(desk.connection, desk.own, made, desk.now)
    joined = rows.find(desk.connection, desk.own, network)
    tell(desk, network, [made], set(joined.sheet) if joined else set())
    return rows.ledger_of(desk.connection, desk.own, network).state()


def propose(
    desk: Desk, network: str, subject: str, names: Sequence[str] = (), *, text: str = "", grounds: str = ""
) -> tuple[str, State]:
    """Propose a decision; returns its digest.

    Raises:
        RefusedError: a rule forbids it.
    """
    network, ledger = opened(desk, network)
    if subject in (rules.REMOVE, rules.SUSPEND) and len(names) != 1:
        raise RefusedError("a removal or suspension is about one member alone")
    words = _grounds(grounds)
    says = {"subject": subject, "names": list(names), "text": text, "grounds": words.digest if words else ""}
    made, state = act(desk, network, rules.PROPOSE, says, ledger, grounds=words)
    return made.digest, state


def vote(desk: Desk, network: str, proposal: str, choice: str, reason: str = "") -> State:
    """Vote; a later vote takes the place of an earlier one.

    Raises:
        RefusedError: no such proposal, no voter, or a block without a reason.
    """
    network, ledger = opened(desk, network)
    state = ledger.state()
    proposal = _proposal(state, proposal).proposal
    standing = state.members.get(desk.own)
    if standing is None or not standing.voter:
        raise RefusedError("this organisation is not on the roll of voters")
    if choice == rules.BLOCK and not reason.strip():
        raise RefusedError("a block says why")
    words = _grounds(reason)
    says = {"about": proposal, "choice": choice, "reason": words.digest if words else ""}
    return say(desk, network, rules.VOTE, says, ledger, grounds=words)


def close(desk: Desk, network: str, proposal: str) -> State:
    """Close a proposal: it stands by the votes that are here now.

    Raises:
        RefusedError: the votes are too few, or it is closed.
    """
    network, ledger = opened(desk, network)
    state = ledger.state()
    tally = _proposal(state, proposal)
    if tally.state == members.PASSED:
        raise RefusedError("it is decided already")
    numerator, denominator = state.rules.quorum
    yes = sum(choice == rules.YES for choice in tally.votes.values())
    if yes * denominator <= numerator * tally.voters:
        raise RefusedError(
            f"too few voters said yes: more are needed ({yes}/{tally.voters}; > {numerator}/{denominator})"
        )
    return say(desk, network, rules.CLOSE, {"about": tally.proposal}, ledger)


def leave(desk: Desk, network: str) -> State:
    """Leave a network.

    Raises:
        RefusedError: we are no member.
    """
    network, ledger = opened(desk, network)
    return say(desk, network, rules.LEAVE, {}, ledger)


def go_on(desk: Desk, old: str) -> tuple[str, ...]:
    """Take the place of a did of ours, whose recovery key we are, in every network of its; returns those networks where
    that cannot be: its acceptance is bound to no key. There it takes a new invitation.
    """
    left = []
    for each in rows.all_of(desk.connection, desk.own):
        ledger = rows.ledger_of(desk.connection, desk.own, each.network)
        before = ledger.state()
        if old not in before.members:
            continue
        accepted = before.members[old].accepted
        seen, number = ledger.view(desk.own, accepted)
        value = rules.render(each.network, rules.SUCCEED, desk.own, number, seen, {"about": accepted}, desk.now)
        made = _signed(desk, value)
        if desk.own not in ledger.take([made]).state().members:
            left.append(each.network)
            continue
        rows.add(desk.connection, desk.own, made, desk.now)
        tell(desk, each.network, [made], set(before.members) - {old})
    return tuple(left)


def opened(desk: Desk, network: str) -> tuple[str, Ledger]:
    """A network by its digest, the first letters of it, or nothing where there is one only.

    Raises:
        RefusedError: there is none, or several.
    """
    known = [each.network for each in rows.all_of(desk.connection, desk.own)]
    fitting = [each for each in known if each.startswith(network)]
    if len(fitting) != 1:
        raise RefusedError(
            "no such network here; 'tadamun network list' shows them" if not fitting else
            "name the network: 'tadamun network list' shows them"
        )  # fmt: skip
    return fitting[0], rows.ledger_of(desk.connection, desk.own, fitting[0])


def say(
    desk: Desk, network: str, kind: str, says: Mapping[str, Any], ledger: Ledger, extra: Sequence[str] = (),
    grounds: Grounds | None = None,
) -> State:  # fmt: skip
    """Sign an act that stands on everything that is here, keep it, and send it to the members with its grounds.

    Raises:
        RefusedError: it would not count.
    """
    return act(desk, network, kind, says, ledger, extra, grounds)[1]


def act(
    desk: Desk, network: str, kind: str, says: Mapping[str, Any], ledger: Ledger, extra: Sequence[str] = (),
    grounds: Grounds | None = None,
) -> tuple[Act, State]:  # fmt: skip
    before = ledger.state()
    if kind not in (rules.ACCEPT, rules.CANCEL):
        standing = before.members.get(desk.own)
        if standing is None:
            raise RefusedError("this organisation is no member of that network")
        if standing.state != members.MEMBER and kind not in (rules.LEAVE, rules.PROFILE):
            raise RefusedError("this organisation is suspended in that network")
    seen, number = ledger.view(desk.own, str(says.get("about", "")))
    made = _signed(desk, rules.render(network, kind, desk.own, number, seen, says, desk.now))
    rows.add(desk.connection, desk.own, made, desk.now)
    after = rows.ledger_of(desk.connection, desk.own, network).state()
    if grounds is not None:
        letters.keep_grounds(desk.connection, desk.own, network, grounds)
    tell(desk, network, [made], {*before.members, *after.members, *extra}, grounds)
    newcomers = set(after.members) - set(before.members) - {desk.own}
    if newcomers:
        tell(desk, network, rows.ledger_of(desk.connection, desk.own, network).acts, newcomers)
    return made, after


def tell(desk: Desk, network: str, acts: Sequence[Act], to: set[str], grounds: Grounds | None = None) -> int:
    """Send acts, sealed, to these; returns to how many. Whom we have not pinned yet, or cannot seal to yet, gets
    everything later, as if it had asked for it.
    """
    reached = reachable(desk.connection, desk.own, to)
    for did in to - {desk.own} - set(reached):
        rows.ask(desk.connection, desk.own, network, did, ())
    if not reached or not acts:
        return 0
    for part in parts([act.raw for act in acts]):
        body: JsonObject = {"acts": part} | ({"grounds": [grounds.value()]} if grounds is not None else {})
        letters.send(
            desk.connection, desk.organisation, desk.key, letter_rules.GOVERNANCE, network, body, reached, desk.now,
            token=outbox.token(),
        )  # fmt: skip
    return len(reached)


async def pin(
    database: Database, discovery: Discovery, organisation: Organisation, did: str, handle: str, now: datetime,
    kind: str = contacts.ORGANISATION,
) -> None:  # fmt: skip
    """Pin somebody because of a network: the pin goes with it. One that a hand made before stays a hand's.

    Raises:
        RefusedError: another did answers at this address.
        FetchError: it cannot be reached.
    """
    held = await database.read(lambda connection: contacts.member(connection, organisation.did, did))
    if held is not None and held.state == contacts.MEMBER:
        return
    await pins.add(database, discovery, organisation, handle, did, now, kind)
    await database.write(lambda connection: rows.set_pinned(connection, organisation.did, did, held=True))


def reachable(connection: Connection, own: str, to: set[str]) -> list[str]:
    """Those of these whom we have pinned and can seal to, ourselves not among them."""
    pinned = {each.did for each in contacts.members_of(connection, own)}
    return [did for did in sorted((to & pinned) - {own}) if letters.can_reach(connection, did)]


def six_words(did: str) -> str:
    """What two people compare by voice before one vouches for the other."""
    return " ".join(recovery.six_words(did))


def parts(values: Sequence[JsonObject]) -> list[list[JsonObject]]:
    """What fits into one letter each."""
    parts: list[list[JsonObject]] = [[]]
    size = 0
    for value in values:
        size += len(json.dumps(value))
        if size > letter_rules.MAX_ACTS_BYTES and parts[-1]:
            parts.append([])
            size = len(json.dumps(value))
        parts[-1].append(value)
    return parts


def grounds_of(connection: Connection, org: str, network: str, secrets: Sequence[str]) -> dict[str, str]:
    """Digest → words, of all that these secrets of the room "network" open."""
    found = {}
    for digest, sealed in rows.grounds_of(connection, org, network).items():
        try:
            words = rules.parse_grounds(parse_document(sealing.open_sealed(sealed, secrets)).value)
        except ProtocolError:
            continue
        found[digest] = words.text
    return found


def _grounds(text: str) -> Grounds | None:
    if len(text) > rules.MAX_GROUNDS:
        raise RefusedError(f"write up to {rules.MAX_GROUNDS} characters")
    return Grounds(text.strip(), outbox.token()) if text.strip() else None


def _proposal(state: State, name: str) -> Tally:
    fitting = [each for each in state.decisions.values() if each.proposal.startswith(name)]
    if len(fitting) != 1 or not name:
        raise RefusedError("no such proposal, or several begin so; 'tadamun decision list' shows them")
    return fitting[0]


def _acceptance(desk: Desk, about: str, kind: str, *, listed: bool) -> dict[str, Any]:
    bound = {"recovery": desk.organisation.recovery} if desk.organisation.recovery else {}
    return {
        "about": about, "name": desk.organisation.name, "kind": kind, "country": desk.organisation.country or "",
        "handle": desk.organisation.address, "listed": listed, **bound,
    }  # fmt: skip


def _signed(desk: Desk, value: JsonObject) -> Act:
    return rules.parse(integrity_proofs.sign(value, desk.key, outbox.log_method(desk.key), desk.now))

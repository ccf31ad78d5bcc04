"""How an organisation stands in the lists of a network, and which network its public pages show.

What it says of itself is a signed act (`governance.PROFILE`) that every member gets. Which network is shown here is
this node's own word, said to nobody: a page that is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from node import directory as rules
from node import governance
from node.alert_countries import COUNTRIES
from node.alert_forms import clean
from node.desk import networks as acts
from node.desk.networks import Desk
from node.directory import Directory
from node.errors import RefusedError
from node.federation import letters
from node.federation.protocol.messages import JsonObject
from node.members import MEMBER, Standing, State
from node.models import contacts, fronts, rooms
from node.models import networks as rows
from node.models.fronts import Front
from node.models.organisations import Organisation
from node.people import NETWORK

MOST_SPONSORS = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """The network that is on the public pages."""

    network: str
    names: dict[str, str]
    directory: Directory
    unlisted: frozenset[str]
    """Dids of its members that are not to be named: for leaving out, not for showing."""


def profile(
    desk: Desk, network: str, *, listed: bool | None = None, name: str | None = None,
    languages: Sequence[str] | None = None, country: str | None = None, groups: Sequence[str] | None = None,
) -> State:  # fmt: skip
    """Say how we stand in the lists of a network; what is not given stays as it is.

    Args:
        groups: handles or digests of the working groups that we are shown in, while we are in them.

    Raises:
        RefusedError: we are no member, or it cannot be said so.
    """
    network, ledger = acts.opened(desk, network)
    held = ledger.state().members.get(desk.own)
    if held is None:
        raise RefusedError("this organisation is no member of that network")
    called = held.name if name is None else " ".join(clean(name).split())
    says: JsonObject = {
        "name": called,
        "country": held.country if country is None else country.strip().upper(),
        "languages": list(held.languages if languages is None else dict.fromkeys(languages)),
        "listed": held.listed if listed is None else listed,
    }
    shown = _shown_in(ledger.state(), desk.own, groups, held.groups)
    if shown:
        says["groups"] = shown
    if not 0 < len(called) <= governance.MAX_TEXT:
        raise RefusedError(f"a name has 1 to {governance.MAX_TEXT} characters")
    if says["country"] and says["country"] not in COUNTRIES:
        raise RefusedError("a country is two letters of ISO 3166-1, as IQ")
    if not governance.are_languages(says["languages"]):
        raise RefusedError(f"up to {governance.MAX_LANGUAGES} languages, by their codes, as ar ckb en")
    return acts.say(desk, network, governance.PROFILE, says, ledger)


def _shown_in(state: State, own: str, named: Sequence[str] | None, held: Sequence[str]) -> list[str]:
    """Digests of the groups that a profile names.

    Raises:
        RefusedError: we are in no group of that name, or in too many.
    """
    ours = {digest: group.handle for digest, group in state.groups.items() if own in group.roles}
    if named is None:
        return [each for each in held if each in ours]
    found = dict.fromkeys(digest for digest, handle in ours.items() if {digest, handle} & {*named})
    strange = [each for each in named if each not in {*ours, *ours.values()}]
    if strange:
        raise RefusedError(f"this organisation is in no such working group of that network ({strange[0]})")
    if len(found) > governance.MAX_GROUPS:
        raise RefusedError(f"up to {governance.MAX_GROUPS} working groups are shown")
    return list(found)


def publish(desk: Desk, network: str) -> str:
    """Show a network on our public pages, in place of another; returns its digest.

    Raises:
        RefusedError: we are no member of it.
    """
    network, ledger = acts.opened(desk, network)
    if not is_inside(ledger.state(), desk.own):
        raise RefusedError("this organisation is no member of that network")
    fronts.show(desk.connection, desk.own, network)
    retell(desk.connection, desk.own, ledger.state())
    return network


def retell(connection: Connection, own: str, state: State) -> None:
    """Tell of the unnamed anew, where enough of them are others."""
    now, before = rules.unnamed(state.members.values(), own), fronts.hidden(connection, own)
    if before is None or rules.are_others(before, now):
        fronts.set_told(connection, own, rules.tell(now), now)


def unpublish(desk: Desk) -> None:
    """Show none, and take the form of joining away."""
    fronts.hide(desk.connection, desk.own)


def set_sponsors(desk: Desk, dids: Sequence[str]) -> None:
    """Who reads and answers those who ask to join; nobody named: this organisation alone.

    Raises:
        RefusedError: too many, or one who may not be named in public or cannot be sealed to.
    """
    front = _front(desk)
    chosen = tuple(dict.fromkeys(dids))
    if len(chosen) > MOST_SPONSORS:
        raise RefusedError(f"up to {MOST_SPONSORS} sponsors")
    state = rows.state_of(desk.connection, desk.own, front.network)
    for did in chosen:
        member = state.members.get(did)
        if member is None or member.state != MEMBER:
            raise RefusedError(f"not a member of that network ({did})")
        if did != desk.own and not member.listed:
            raise RefusedError(f"not on the public list: a sponsor is named on the page ({member.name})")
    fronts.set_sponsors(desk.connection, desk.own, chosen)


def set_form(desk: Desk, *, form: bool) -> None:
    """Whether anybody may ask to join on our page.

    Raises:
        RefusedError: no network is shown, or nobody could read what is asked.
    """
    front = _front(desk)
    state = rows.state_of(desk.connection, desk.own, front.network)
    if form and not readers(desk.connection, desk.organisation, front, state):
        raise RefusedError("nobody could read what is asked: name sponsors that can be reached")
    fronts.set_form(desk.connection, desk.own, form=form)


def readers(
    connection: Connection, organisation: Organisation, front: Front, state: State
) -> tuple[Standing, ...]:
    """Who of the sponsors reads what is asked now: members that may be named and can be sealed to."""
    own = organisation.did
    if not is_inside(state, own):
        return ()
    pinned = {each.did for each in contacts.members_of(connection, own)}
    found = [state.members[did] for did in front.sponsors or (own,) if did in state.members]
    return tuple(
        each for each in found
        if each.state == MEMBER and (
            rooms.recipient(connection, own, NETWORK) is not None if each.did == own else
            each.listed and each.did in pinned and letters.can_reach(connection, each.did)
        )
    )  # fmt: skip


def shown(connection: Connection, organisation: Organisation, front: Front, state: State) -> Shown | None:
    """What everybody may see of the network on our pages; nothing where we are no member any more."""
    own, joined = organisation.did, rows.find(connection, organisation.did, front.network)
    if joined is None or not is_inside(state, own):
        return None
    unlisted = frozenset(each.did for each in state.members.values() if not each.listed)
    public = rules.public(state.members.values(), own, front.told, state.groups)
    return Shown(front.network, joined.names, public, unlisted)


def is_inside(state: State, did: str) -> bool:
    """Whether it is a member that is not suspended."""
    held = state.members.get(did)
    return held is not None and held.state == MEMBER


def _front(desk: Desk) -> Front:
    front = fronts.current(desk.connection, desk.own)
    if front is None:
        raise RefusedError("no network is shown on the public pages; 'tadamun network publish' shows one")
    return front

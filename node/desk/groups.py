"""What an organisation does in working groups: it founds, hosts, joins, gives roles, speaks inside and to everyone.

Acts (`governance`) say who is in a group and who hosts it; what is said inside goes sealed to those who are in it
(`group_entries`); what is said to everyone is a public Note that names the group, and its host passes it on
(`announcements`). What the rules would not count is refused here before it is signed, with the reason.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from node import governance as rules
from node import group_entries as entries
from node import group_notes
from node import letters as letter_rules
from node.alert_terms import rounded
from node.desk import networks
from node.desk.networks import Desk
from node.errors import ProtocolError, RefusedError
from node.federation import letters, outbox
from node.federation.letters import Sent
from node.federation.outbox import Audience, Published, Speech
from node.federation.protocol import ids, integrity_proofs, sealing
from node.federation.protocol.activities import PUBLIC
from node.federation.protocol.actors import timestamp
from node.federation.protocol.messages import JsonObject
from node.group_entries import GroupEntry
from node.groups import Group
from node.members import State
from node.models import documents
from node.models import letters as letter_rows
from node.models import networks as rows
from node.models.documents import Stored
from node.models.letters import Kept

MAX_UPDATE = 12_000
MOST_SHARED = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """A group as this node has it."""

    network: str
    group: Group
    state: State
    """Of the network."""

    @property
    def members(self) -> set[str]:
        """Whom something said inside is sealed to."""
        return set(self.group.roles)


@dataclass(frozen=True, slots=True)
class Heard:
    """One entry as it lies here."""

    entry: GroupEntry
    letter: str
    """The id of the letter that brought it."""
    by: str
    """Whose letter that was: another than the author handed it on."""


def places(connection: Connection, org: str) -> tuple[Place, ...]:
    """Every group of every network that we are a member of."""
    found = []
    for each in rows.all_of(connection, org):
        state = rows.state_of(connection, org, each.network)
        if org in state.members:
            found += [Place(each.network, group, state) for group in state.groups.values()]
    return tuple(found)


def shown(connection: Connection, org: str) -> tuple[Place, ...]:
    """Those that this organisation's public pages show: it is in them, or hosts them."""
    return tuple(each for each in places(connection, org) if org in each.group.roles or each.group.host == org)


def place(connection: Connection, org: str, name: str) -> Place:
    """A group by its handle, its digest or the first letters of it.

    Raises:
        RefusedError: there is none, or several.
    """
    known = places(connection, org)
    fitting = [each for each in known if name and name in (each.group.handle, each.group.digest)]
    fitting = fitting or [each for each in known if name and each.group.digest.startswith(name)]
    if len(fitting) != 1:
        reason = "several working groups are called so; name it by its digest" if fitting else "no such working group"
        raise RefusedError(f"{reason}: 'tadamun group list' shows them")
    return fitting[0]


def found(
    desk: Desk, network: str, names: Mapping[str, str], handle: str, hosts: Sequence[str] = (), *, open_: bool = True
) -> tuple[str, State]:
    """Begin a group, that we coordinate and host.

    Args:
        hosts: members whose nodes would carry it on, in their order.

    Raises:
        RefusedError: a rule forbids it.
    """
    network, ledger = networks.opened(desk, network)
    state = ledger.state()
    strangers = [did for did in hosts if did not in state.members]
    if strangers:
        raise RefusedError(f"not a member of this network ({strangers[0]})")
    if any(each.handle == handle for each in state.groups.values()):
        raise RefusedError(f"a working group of this network is called so already ({handle})")
    says = {"name": dict(names), "handle": handle, "open": open_, "hosts": list(dict.fromkeys((desk.own, *hosts)))}
    made, state = networks.act(desk, network, rules.GROUP, says, ledger)
    return made.digest, state


def join(desk: Desk, name: str) -> Group:
    """Join a group; a closed one waits for a coordinator's word.

    Raises:
        RefusedError: we are in it, or wait already.
    """
    at = place(desk.connection, desk.own, name)
    if desk.own in at.group.roles or desk.own in at.group.waiting:
        raise RefusedError("we are in this group, or wait for its coordinator's word, already")
    return _say(desk, at, rules.GROUP_JOIN, {})


def leave(desk: Desk, name: str) -> Group:
    """Leave a group.

    Raises:
        RefusedError: we are not in it.
    """
    at = place(desk.connection, desk.own, name)
    if desk.own not in at.group.known:
        raise RefusedError("we are not in this group")
    return _say(desk, at, rules.GROUP_LEAVE, {})


def give_role(desk: Desk, name: str, who: str, role: str) -> Group:
    """Say what somebody does in the group; "none" takes them out.

    Raises:
        RefusedError: we do not coordinate it, or they are not in it.
    """
    at = place(desk.connection, desk.own, name)
    if at.group.roles.get(desk.own) != rules.COORDINATOR:
        raise RefusedError("coordinators of the group give roles")
    if who not in at.group.roles and who not in at.group.waiting:
        raise RefusedError("they did not join this group yet: each joins by its own word")
    return _say(desk, at, rules.GROUP_ROLE, {"who": who, "role": role})


def carry_on(desk: Desk, name: str, who: str = "") -> Group:
    """Name who carries the group on, as one of its hosts: ourselves, or another host.

    Raises:
        RefusedError: we are no host of it, or they are none, or have no actor for it yet.
    """
    at = place(desk.connection, desk.own, name)
    who = who or desk.own
    host = next((each for each in at.group.hosts if each.member == who), None)
    if all(each.member != desk.own for each in at.group.hosts) or host is None:
        raise RefusedError("the hosts that the founding act names carry a group on, and nobody else")
    if not host.did:
        raise RefusedError("that host has no actor for this group yet: it says so first, by 'tadamun group host'")
    return _say(desk, at, rules.GROUP_CARRY, {"who": who})


def speak(
    desk: Desk, name: str, kind: str, says: Mapping[str, Any], *, about: str = "", language: str = "",
    wide: bool = False,
) -> tuple[GroupEntry, Sent | None]:  # fmt: skip
    """Say something inside a group.

    Args:
        about: the digest of the entry that it answers or takes the place of.

    Raises:
        RefusedError: we are not in it, may not say this there, or it is too long.
    """
    at = place(desk.connection, desk.own, name)
    if desk.own not in at.group.roles:
        raise RefusedError("this organisation is not in that working group")
    if kind in (entries.PLAN, entries.REVIEW, entries.STEP) and not at.group.steers(desk.own):
        raise RefusedError("plans, their steps and reviews are written by the coordinators and the steering committee")
    value = entries.render(
        at.network, at.group.digest, kind, desk.own, about, language or desk.organisation.language, says, desk.now
    )
    try:
        made = entries.parse(integrity_proofs.sign(value, desk.key, outbox.log_method(desk.key), desk.now))
    except ProtocolError as error:
        raise RefusedError(error.reason) from error
    sent = _send(desk, at, [made.raw], at.members)
    if sent is None:
        _keep_own(desk, at, made)
    return made, sent


def show_to(desk: Desk, at: Place, entry: GroupEntry, to: set[str]) -> None:
    """Send one entry to others of the network, as a plan that they are to approve."""
    if _send(desk, at, [entry.raw], to) is None and len(to) > 1:
        raise RefusedError("none of those who vote has published a key to seal to; try again later")


def share(desk: Desk, name: str, who: str, secrets: Sequence[str]) -> int:
    """Hand what was said before to somebody who joined since; returns how many entries that were.

    Raises:
        RefusedError: they are not in the group, or nothing was said yet.
    """
    at = place(desk.connection, desk.own, name)
    if desk.own not in at.group.roles or who not in at.group.roles:
        raise RefusedError("who is in the group hands its history to others who are")
    heard = [each.entry.raw for each in history(desk.connection, desk.own, at.group, secrets)][:MOST_SHARED]
    if not heard:
        raise RefusedError("nothing was said here yet that this session opens")
    for part in networks.parts(heard):
        if _send(desk, at, part, {who}) is None:
            raise RefusedError("they have published no key to seal to yet; try again later")
    return len(heard)


def take_back(desk: Desk, name: str, digest: str, secrets: Sequence[str]) -> GroupEntry:
    """Take back what we said inside: its bytes are destroyed wherever our letter went.

    Raises:
        RefusedError: we said no such thing.
    """
    at = place(desk.connection, desk.own, name)
    found = [
        each for each in history(desk.connection, desk.own, at.group, secrets)
        if each.entry.digest.startswith(digest) and each.entry.author == desk.own and digest
    ]  # fmt: skip
    if len({each.entry.digest for each in found}) != 1:
        raise RefusedError("we said nothing that is called so; 'tadamun group read' shows what was said")
    for each in found:
        kept = letter_rows.find(desk.connection, desk.own, each.letter)
        letter_rows.take_back(desk.connection, desk.own, desk.own, each.letter)
        to = networks.reachable(desk.connection, desk.own, set(kept.addressed) if kept is not None else set())
        if to:
            letters.send(
                desk.connection, desk.organisation, desk.key, letter_rules.GROUP_WITHDRAWAL, at.group.digest,
                {"of": each.letter}, to, desk.now, token=outbox.token(),
            )  # fmt: skip
    return found[0].entry


def history(connection: Connection, org: str, group: Group, secrets: Sequence[str]) -> tuple[Heard, ...]:
    """What was said in a group, as far as these secrets of the room "network" open it, oldest first; each thing once,
    from its author's own letter where that is here.
    """
    found: dict[str, Heard] = {}
    for kept in letter_rows.about(connection, org, group.digest, (letter_rules.GROUP,)):
        for heard in _said(kept, group, secrets):
            if heard.entry.digest not in found or heard.by == heard.entry.author:
                found[heard.entry.digest] = heard
    return tuple(sorted(found.values(), key=lambda each: (each.entry.published, each.entry.digest)))


def opening(connection: Connection, org: str, group: Group, secrets: Sequence[str]) -> Iterator[tuple[Heard, ...]]:
    """The same letter by letter, the newest first, each opened as it is asked for; empty for one that does not open."""
    for kept in reversed(letter_rows.about(connection, org, group.digest, (letter_rules.GROUP,))):
        yield _said(kept, group, secrets)


def _said(kept: Kept, group: Group, secrets: Sequence[str]) -> tuple[Heard, ...]:
    """What one letter brought, as far as these secrets open it."""
    if kept.sealed is None:
        return ()
    try:
        letter = letter_rules.parse(sealing.open_sealed(kept.sealed, secrets))
    except ProtocolError:
        return ()
    given = letter.body.get("entries")
    values = given[:MOST_SHARED] if isinstance(given, list) else ()
    heard = (_heard(value, letter.author, kept.id, group) for value in values)
    return tuple(each for each in heard if each is not None)


def _heard(value: Any, by: str, letter: str, group: Group) -> Heard | None:
    """What is its author's own word, said in this group by somebody who is in it or was."""
    try:
        own = isinstance(value, dict) and value.get("author") == by  # the letter's proof was looked at as it came
        entry = entries.read(value) if own else entries.parse(value)
    except ProtocolError:
        return None
    if entry.group != group.digest or entry.author not in group.known:
        return None
    return Heard(entry, letter, by)


def publish(desk: Desk, name: str, title: str, text: str, language: str = "") -> Published:
    """Say something to everyone, for a group: a Note of our own, which its host passes on to whoever follows it.

    Raises:
        RefusedError: we are not in it, nobody hosts it, or it is too long.
    """
    at = check_announcement(desk, name, title, text)
    host = at.group.actor or at.group.hosts[0]
    actor = ids.Portable(host.did, "/actor").at(origin_of(desk.organisation.origin, host.handle))
    audience = Audience((PUBLIC,), (desk.organisation.uri + "/followers", actor))
    note = _note(desk, at, actor, audience, title.strip(), text.strip(), language or desk.organisation.language)
    speech = Speech("Create", note, audience, {}, stamp=rounded(desk.now))
    return outbox.publish(desk.connection, desk.organisation, desk.key, speech, desk.now)


def unpublish(desk: Desk, name: str) -> Published:
    """Take back what we said to everyone for a group; its host takes its announcement back.

    Args:
        name: any id of the Note.

    Raises:
        RefusedError: it is none of ours, or gone.
    """
    held = documents.stored(desk.connection, desk.own, ids.canonical(name) if ":" in name else name)
    ours = held is not None and held.author == desk.organisation.actor and held.raw is not None
    if held is None or not ours or held.state == documents.GONE or not _audience_of(held):
        raise RefusedError("no public word of ours for a working group is called so")
    audience = Audience((PUBLIC,), (desk.organisation.uri + "/followers", _audience_of(held)))
    return outbox.take_back(
        desk.connection, desk.organisation, desk.key, held, audience, desk.now, followers=True
    )


def _audience_of(held: Stored) -> str:
    named = orjson.loads(held.raw or b"{}").get("audience")
    return named if isinstance(named, str) else ""


def check_announcement(desk: Desk, name: str, title: str, text: str) -> Place:
    """Whether we may say this to everyone for a group.

    Raises:
        RefusedError: we are not in it, nobody hosts it, or it is too long.
    """
    at = place(desk.connection, desk.own, name)
    if desk.own not in at.group.roles:
        raise RefusedError("this organisation is not in that working group")
    if at.group.actor is None:
        raise RefusedError("nobody hosts this group yet: its host says so first, by 'tadamun group host'")
    if not text.strip() or len(text) > MAX_UPDATE or len(title) > entries.MAX_TITLE:
        raise RefusedError(f"write a text of 1 to {MAX_UPDATE} characters, with a title of up to {entries.MAX_TITLE}")
    return at


def origin_of(ours: str, handle: str) -> str:
    """Where the actor of a handle lives: members of a network speak the same scheme, but for onion hosts."""
    host = handle.rpartition("@")[2]
    scheme = "http" if host.partition(":")[0].endswith(".onion") else ours.partition("://")[0]
    return f"{scheme}://{host}"


def _note(
    desk: Desk, at: Place, actor: str, audience: Audience, title: str, text: str, language: str
) -> JsonObject:
    content = group_notes.content(title, text)
    uri = desk.organisation.at(f"/objects/{outbox.token()}")
    note: JsonObject = {
        "id": uri,
        "type": "Note",
        "attributedTo": desk.organisation.uri,
        "audience": actor,
        "content": content,
        "contentMap": {language: content},
        "published": timestamp(rounded(desk.now)),
        "to": list(audience.to),
        "cc": list(audience.cc),
        "url": f"{desk.organisation.origin}/groups/{at.group.handle}",
    }
    return outbox.sign_object(note, desk.key, {}, rounded(desk.now))


def _say(desk: Desk, at: Place, kind: str, says: Mapping[str, Any]) -> Group:
    ledger = rows.ledger_of(desk.connection, desk.own, at.network)
    _, state = networks.act(desk, at.network, kind, {"about": at.group.digest, **says}, ledger)
    return state.groups[at.group.digest]


def _send(desk: Desk, at: Place, values: Sequence[JsonObject], to: Collection[str]) -> Sent | None:
    reached = networks.reachable(desk.connection, desk.own, set(to))
    if not reached:
        return None
    return letters.send(
        desk.connection, desk.organisation, desk.key, letter_rules.GROUP, at.group.digest, {"entries": list(values)},
        reached, desk.now, token=outbox.token(),
    )  # fmt: skip


def _keep_own(desk: Desk, at: Place, made: GroupEntry) -> None:
    """Who is alone in a group writes for those who join later."""
    letters.keep_own(
        desk.connection, desk.organisation, letter_rules.GROUP, at.group.digest, {"entries": [made.raw]}, desk.now,
        token=outbox.token(),
    )  # fmt: skip

"""Who works here: inviting, joining, confirming, letting into rooms, disabling, and the lock.

The command line invites and disables; it never confirms, for it has no session and nobody knows who types. So a shell
alone makes nobody an approver.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import people as rules
from node import people_keys
from node.desk import approvals, sign_in
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.findings import Finding, finding
from node.models import audit, drafts, organisations, people, rooms, sessions
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.moments import hour_of
from node.people import Person
from node.people_keys import Wrapped


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation; its link is shown once."""

    person: Person
    link: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Released:
    """What one disabled person leaves."""

    person: Person
    sessions: int
    rooms: tuple[str, ...]
    """Rooms that got a new key for those who stay."""
    lost: tuple[str, ...]
    """Rooms that nobody can open any more."""
    open: tuple[str, ...]
    """What was theirs and is now others': lines for whoever disables."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose roles enter a room that they hold no key of."""

    person: Person
    room: str


Release = Callable[[Connection, Organisation, Person, datetime], tuple[str, ...]]
RELEASES: tuple[Release, ...] = (approvals.release_person,)
"""What is asked when somebody is disabled: each takes back what was that person's (approvals, drafts, cases), in the
same transaction, and answers with a line for each thing."""


def invite(
    connection: Connection, organisation: Organisation, name: str, roles: Collection[str], now: datetime,
    by: Person | None = None,
) -> Invitation:  # fmt: skip
    """Make a link, for one person, that holds for 72 hours.

    Raises:
        RefusedError: the name or a role is none, or somebody has the name.
    """
    if by is not None and not by.may("people"):
        raise RefusedError("only a coordinator invites people")
    token = people_keys.new_token()
    person = Person(
        id=rules.person_id(), org=organisation.did, name=rules.check_name(name), roles=rules.check_roles(roles),
        state=rules.INVITED, language=organisation.language, public="", made=now,
    )  # fmt: skip
    expires = now + rules.INVITATION
    people.add(connection, person, people_keys.digest(token), expires)
    audit.append(connection, organisation.did, "invite", person.id, now, **_actor(by, "people"))
    return Invitation(person, f"{organisation.origin}/desk/join/{token}", expires)


def prepare(password: str, cost: people_keys.Cost) -> tuple[str, str, Wrapped]:
    """A new person's key: public half, secret half, and the secret under the password. Dear: off the event loop."""
    key = sealing.generate()
    return key.public, key.secret, people_keys.wrap(key.secret, password, cost)


def join(
    connection: Connection, organisation: Organisation, keyring: Keyring, token: str, key: tuple[str, str, Wrapped],
    now: datetime, *, shared: bool,
) -> tuple[Person, str]:  # fmt: skip
    """Somebody accepts an invitation; returns them and the cookie of their first session.

    Raises:
        RefusedError: the link does not hold.
    """
    invited = invited_by(connection, organisation, token, now)
    public, secret, wrapped = key
    state = rules.joins_as(invited.roles, people.ever_coordinators(connection, organisation.did))
    person = people.join(connection, invited, public, wrapped, state, now)
    audit.append(connection, organisation.did, "join", person.id, now, person=person.id, role="self")
    if person.state == rules.ACTIVE:
        _let_in(connection, organisation, keyring, person, "", now)
    return person, sign_in.enter(connection, person, secret, now, shared=shared)


def invited_by(connection: Connection, organisation: Organisation, token: str, now: datetime) -> Person:
    """Whom a link invites.

    Raises:
        RefusedError: it is used, void or older than 72 hours.
    """
    found = people.by_invitation(connection, organisation.did, people_keys.digest(token), now)
    if found is None:
        raise RefusedError("this invitation is used, withdrawn or too old: ask for a new one")
    return found


def confirm(
    connection: Connection, organisation: Organisation, keyring: Keyring, by: Person, secret: str, name: str,
    now: datetime,
) -> Person:  # fmt: skip
    """A coordinator says that somebody is who they should be: their roles count from now on.

    Args:
        secret: the coordinator's own, of the open session.
        name: the person's id.

    Raises:
        RefusedError: the rule that says no.
    """
    about = find(connection, organisation, name)
    rules.check_confirm(by, about)
    person = people.confirm(connection, about, by.id, now)
    audit.append(connection, organisation.did, "confirm", person.id, now, **_actor(by, "people"))
    _let_in(connection, organisation, keyring, person, secret, now)
    return person


def waiting(connection: Connection, organisation: Organisation) -> tuple[Waiting, ...]:
    """Who waits for the key of a room."""
    held = {room: rooms.holders(connection, organisation.did, room) for room in rules.ROOMS}
    return tuple(
        Waiting(person, room)
        for person in people.all_of(connection, organisation.did)
        for room in rules.ROOMS
        if room in person.rooms and person.id not in held[room]
    )


def grant(
    connection: Connection, organisation: Organisation, by: Person, secret: str, name: str, room: str, now: datetime
) -> Person:
    """Somebody in a room lets another in.

    Raises:
        RefusedError: they are not in it, or the other's roles do not enter it.
    """
    person = find(connection, organisation, name)
    rooms.grant(connection, organisation.did, room, secret, person)
    audit.append(connection, organisation.did, "grant", f"{room}:{person.id}", now, person=by.id, role="self")
    return person


def disable(
    connection: Connection, organisation: Organisation, name: str, now: datetime, *, by: Person | None = None,
    losing: bool = False,
) -> Released:  # fmt: skip
    """One step: sessions, factors, keys and invitation of a person end; rooms get new keys for those who stay.

    Raises:
        RefusedError: the rule that says no.
    """
    if by is not None and not by.may("disable"):
        raise RefusedError("only a coordinator or an administrator disables people")
    person = find(connection, organisation, name)
    held = [each for each in rules.ROOMS if person.id in rooms.holders(connection, organisation.did, each)]
    staying = {room: _staying(connection, organisation, room, person) for room in held}
    alone = tuple(room for room in held if not staying[room])
    coordinators = len(people.active(connection, organisation.did, rules.COORDINATOR))
    rules.check_disable(person, coordinators, alone, losing=losing)
    opened = tuple(line for release in RELEASES for line in release(connection, organisation, person, now))
    ended = sessions.end_of_person(connection, organisation.did, person.id)
    gone = people.disable(connection, person)
    people.forget_browsers(connection, organisation.did, sign_in.counted_as(person.name))
    drafts.drop_of(connection, organisation.did, person.id)
    for room in held:
        rooms.rotate(connection, organisation.did, room, staying[room], now)
    audit.append(connection, organisation.did, "disable", person.id, now, **_actor(by, "disable"))
    return Released(gone, ended, tuple(room for room in held if staying[room]), alone, opened)


def lock(connection: Connection, organisation: Organisation, by: Person, now: datetime) -> int:
    """End every session of the organisation at once; it says nothing, shows nothing and takes nothing in until a
    coordinator opens it again. What others hold of it stays where it is, and nothing here is destroyed.

    Raises:
        RefusedError: their roles do not count.
    """
    if not by.may("lock"):
        raise RefusedError("your roles do not allow this")
    organisations.set_locked(connection, organisation.did, hour_of(now))
    audit.append(connection, organisation.did, "lock", organisation.did, now, **_actor(by, "lock"))
    return sessions.end_all(connection, organisation.did)


def unlock(connection: Connection, organisation: Organisation, by: Person, now: datetime) -> None:
    """Go on.

    Raises:
        RefusedError: only a coordinator may.
    """
    if not by.may("unlock"):
        raise RefusedError("only a coordinator opens what was locked")
    organisations.set_locked(connection, organisation.did, None)
    audit.append(connection, organisation.did, "unlock", organisation.did, now, **_actor(by, "unlock"))


def find(connection: Connection, organisation: Organisation, name: str) -> Person:
    """A person by id, or by name if not disabled.

    Raises:
        RefusedError: there is none.
    """
    found = people.get(connection, organisation.did, name) or people.by_name(connection, organisation.did, name)
    if found is None:
        raise RefusedError(f"nobody here is called {name[:80]!r}; 'tadamun user list' shows who is")
    return found


def findings(connection: Connection, organisation: Organisation) -> tuple[Finding, ...]:
    """What `doctor` says about the people of an organisation."""
    everybody = [each for each in people.all_of(connection, organisation.did) if each.counting]
    found = []
    if not any(rules.COORDINATOR in each.counting for each in everybody):
        found.append(finding("no-coordinator"))
    approvers = sum(rules.APPROVER in each.counting for each in everybody)
    if approvers < 2:
        found.append(finding("few-approvers", count=approvers))
    found += [finding("no-factor", name=each.name) for each in everybody if not each.factors]
    return tuple(found)


def _let_in(
    connection: Connection, organisation: Organisation, keyring: Keyring, person: Person, secret: str, now: datetime
) -> None:
    """The first in a room opens it; where the one who confirms holds the key, it is given on; else it waits."""
    org = organisation.did
    rooms.take_over_network(connection, org, keyring, person, now)
    for room in sorted(person.rooms):
        if rooms.recipient(connection, org, room) is None:
            rooms.create(connection, org, room, (person,), now)
        elif secret and rooms.secrets(connection, org, room, secret):
            rooms.grant(connection, org, room, secret, person)


def _staying(connection: Connection, organisation: Organisation, room: str, leaving: Person) -> tuple[Person, ...]:
    held = rooms.holders(connection, organisation.did, room) - {leaving.id}
    found = (people.get(connection, organisation.did, each) for each in sorted(held))
    return tuple(each for each in found if each is not None and room in each.rooms)


def _actor(by: Person | None, act: str) -> dict[str, str]:
    return {"person": by.id, "role": by.role_for(act)} if by is not None else {}


def named(connection: Connection, org: str) -> dict[str, str]:
    """The names of our people by the pseudonyms of the audit trail."""
    key = audit.key_in(connection, org)
    here = people.all_of(connection, org) if key else ()
    return {people_keys.pseudonym(key, each.id): each.name for each in here}

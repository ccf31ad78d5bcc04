"""Rooms: the keys of a duty, which outlive the people who hold them.

A room is a chain of age key pairs. Anybody may put something in: the public half of the newest generation is for that
and needs no session. The secret halves lie here sealed to each person in the room, and are open only while a session of
one of them is. When somebody leaves, a new generation is made for those who stay; it needs nobody's secret, so it is
made in the same act, and what comes later is closed to who left. What was sealed before stays readable for those who
stay. No secret half ever lies unsealed on a disk, but for one: as long as nobody is active in an organisation, its room
"network" is the operator's, who runs the node from the command line, and its secret is a file of the keyring.

Spec: age-encryption.org/v1
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Column, Connection, Integer, LargeBinary, String, Table, delete, func, insert, select

from node.errors import RefusedError
from node.federation.protocol import sealing
from node.federation.protocol.sealing import SealKey
from node.models.base import Instant, metadata
from node.models.keyring import Keyring
from node.people import NETWORK, ROOMS, Person

rooms = Table(
    "rooms",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("room", String(16), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("public", String(100), nullable=False),
    Column("made", Instant, nullable=False),
)
room_keys = Table(
    "room_keys",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("room", String(16), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("public", String(100), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)


def recipient(connection: Connection, org: str, room: str) -> str | None:
    """To whom something is sealed that is for this room, `age1…`; `None` while nobody could open it.

    Needs no session: anybody can put something in.
    """
    return connection.execute(
        select(rooms.c.public).where(rooms.c.org == org, rooms.c.room == room)
        .order_by(rooms.c.generation.desc()).limit(1)
    ).scalar()  # fmt: skip


def secrets(connection: Connection, org: str, room: str, person_secret: str) -> tuple[str, ...]:
    """What opens what was sealed to this room: the secrets of all generations that this person holds, newest first.

    Args:
        person_secret: of an open session.
    """
    public = sealing.load(person_secret).public
    rows = connection.execute(
        select(room_keys.c.wrapped)
        .where(room_keys.c.org == org, room_keys.c.room == room, room_keys.c.public == public)
        .order_by(room_keys.c.generation.desc())
    ).scalars()
    return tuple(sealing.open_sealed(each, (person_secret,)).decode() for each in rows)


def opened(connection: Connection, person: Person, person_secret: str) -> Mapping[str, tuple[str, ...]]:
    """Every room that this person's roles enter and that they hold a key of, with its secrets."""
    found = {room: secrets(connection, person.org, room, person_secret) for room in sorted(person.rooms)}
    return MappingProxyType({room: held for room, held in found.items() if held})


def create(connection: Connection, org: str, room: str, persons: Sequence[Person], now: datetime) -> str:
    """A new generation for exactly these people; returns its public half.

    Raises:
        RefusedError: no such room, nobody, or somebody whose roles do not enter it.
    """
    _check(room, persons)
    key = sealing.generate()
    _begin(connection, org, room, key.public, now)
    for person in persons:
        _let_in(connection, org, room, key, person)
    return key.public


def grant(connection: Connection, org: str, room: str, holder_secret: str, person: Person) -> int:
    """Somebody in the room lets another in, to all that they can read themselves; returns how many keys that were.

    Args:
        holder_secret: the personal secret of the one who lets in, of an open session.

    Raises:
        RefusedError: they are not in the room, or the other's roles do not enter it.
    """
    _check(room, (person,))
    held = secrets(connection, org, room, holder_secret)
    newest = recipient(connection, org, room)
    keys = [sealing.load(each) for each in held]
    if newest is None or newest not in {key.public for key in keys}:
        raise RefusedError(f"only somebody who is in the room lets others in ({room})")
    return sum(_let_in(connection, org, room, key, person) for key in keys)


def rotate(connection: Connection, org: str, room: str, persons: Sequence[Person], now: datetime) -> str | None:
    """A new generation for those who stay; older keys of everybody else are destroyed.

    Returns:
        The new public half; `None` where nobody stays: then nothing can be put in until the next enters.
    """
    staying = [person.id for person in persons]
    here = (room_keys.c.org == org) & (room_keys.c.room == room)
    connection.execute(delete(room_keys).where(here & room_keys.c.person.not_in(staying)))
    if persons:
        return create(connection, org, room, persons, now)
    connection.execute(delete(rooms).where(rooms.c.org == org, rooms.c.room == room))
    return None


def holders(connection: Connection, org: str, room: str) -> frozenset[str]:
    """The ids of the people who hold the newest key of a room."""
    newest = select(func.max(rooms.c.generation)).where(rooms.c.org == org, rooms.c.room == room).scalar_subquery()
    rows = connection.execute(
        select(room_keys.c.person).where(
            room_keys.c.org == org, room_keys.c.room == room, room_keys.c.generation == newest
        )
    )
    return frozenset(rows.scalars())


# --- the room "network" of a node that nobody has signed in to ----------------------------------------------------


def ensure_network_room(connection: Connection, org: str, keyring: Keyring, now: datetime) -> str:
    """The public half of the room "network"; made, with its secret in a file, where nobody could make it yet."""
    found = recipient(connection, org, NETWORK)
    if found is not None:
        return found
    key = keyring.network(org) or sealing.generate()
    keyring.keep_network(org, key)
    _begin(connection, org, NETWORK, key.public, now)
    return key.public


def network_secrets(connection: Connection, org: str, keyring: Keyring, person_secret: str = "") -> tuple[str, ...]:
    """What opens what members send to the network: a person's keys, and the file's as long as there is one."""
    held = secrets(connection, org, NETWORK, person_secret) if person_secret else ()
    key = keyring.network(org)
    return (*held, key.secret) if key is not None else held


def take_over_network(
    connection: Connection, org: str, keyring: Keyring, person: Person, now: datetime
) -> bool:
    """The first active person who may enter gets what the file held, and a new key: whoever copied the file, from the
    shell or from a backup, reads nothing that comes from now on. The caller destroys the file after the commit.

    Returns:
        Whether there was a file; a crash before it is destroyed leaves it to the next who asks.
    """
    key = keyring.network(org)
    if key is None or NETWORK not in person.rooms:
        return False
    if recipient(connection, org, NETWORK) == key.public:
        _let_in(connection, org, NETWORK, key, person)
        create(connection, org, NETWORK, (person,), now)
    return True


def _check(room: str, persons: Sequence[Person]) -> None:
    if room not in ROOMS:
        raise RefusedError(f"a room is one of {', '.join(ROOMS)}")
    if not persons:
        raise RefusedError(f"the room {room} is opened by somebody")
    for person in persons:
        if room not in person.rooms or not person.public:
            raise RefusedError(f"their roles do not enter this room ({person.name}; {room})")


def _begin(connection: Connection, org: str, room: str, public: str, now: datetime) -> None:
    last = connection.execute(
        select(func.max(rooms.c.generation)).where(rooms.c.org == org, rooms.c.room == room)
    ).scalar()
    connection.execute(
        insert(rooms).values(org=org, room=room, generation=(last or 0) + 1, public=public, made=now)
    )


def _let_in(connection: Connection, org: str, room: str, key: SealKey, person: Person) -> int:
    """Seal one generation to one person; 0 where they hold it already."""
    generation = connection.execute(
        select(rooms.c.generation).where(rooms.c.org == org, rooms.c.room == room, rooms.c.public == key.public)
    ).scalar()
    mine = (room_keys.c.org == org) & (room_keys.c.room == room) & (room_keys.c.person == person.id)
    if generation is None or connection.execute(
        select(room_keys.c.person).where(mine & (room_keys.c.generation == generation))
    ).first():
        return 0
    wrapped = sealing.seal(key.secret.encode(), (person.public,))
    values = {"org": org, "room": room, "generation": generation, "person": person.id, "public": person.public}
    connection.execute(insert(room_keys).values(**values, wrapped=wrapped))
    return 1

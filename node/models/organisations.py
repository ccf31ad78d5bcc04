"""Our own organisations: who lives on this node. Every other row carries one of these dids as `org`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Connection, Integer, Row, String, Table, Text, false, func, insert, select, true, update
from sqlalchemy.schema import Column

from node.federation.protocol import actors, ids
from node.models.base import Instant, metadata

organisations = Table(
    "organisations",
    metadata,
    Column("did", String(80), primary_key=True),
    Column("handle", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("country", String(2), nullable=False),
    Column("origin", Text, nullable=False),
    Column("recovery", String(80), nullable=False),
    Column("hold", Text, nullable=False, server_default=""),
    Column("successor", String(80), nullable=False, server_default=""),
    Column("listed", Boolean, nullable=False, server_default=false()),
    Column("made", Instant, nullable=False),
    Column("quorum", Integer, nullable=False, server_default="2"),
    Column("press_contact", Text, nullable=False, server_default=""),
    Column("veiled_until", Instant),
    Column("kind", String(12), nullable=False, server_default="organisation"),
    Column("parent", String(80), nullable=False, server_default=""),
    Column("working_group", String(80), nullable=False, server_default=""),
    Column("locked", Instant),
    Column("requests", Boolean, nullable=False, server_default=true()),
    Column("safe_channels", Text, nullable=False, server_default=""),
    Column("moderators_contact", Text, nullable=False, server_default=""),
)

ORGANISATION, GROUP = "organisation", "group"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation that speaks from this node."""

    did: str
    handle: str
    name: str
    summary: str
    language: str
    country: str
    origin: str
    recovery: str
    hold: str
    """Why publishing is refused (a restore, a higher head seen elsewhere); empty when it is not."""
    made: datetime
    listed: bool = False
    """It agreed that others name it as a member of the network."""
    successor: str = ""
    """The did that goes on in this one's place; empty while it speaks itself."""
    quorum: int = 2
    """So many members must declare a did frozen before this organisation believes it."""
    press_contact: str = ""
    """Whom journalists may ask; shown on this node's page for them and told to nobody else."""
    veiled_until: datetime | None = None
    """After a restore nothing is shown before members told what was withdrawn meanwhile, or before this moment."""
    kind: str = ORGANISATION
    """Or the actor of a working group that an organisation of this node hosts, or would."""
    parent: str = ""
    """Of a group's actor the did of that organisation, whose members it speaks to."""
    working_group: str = ""
    """And the digest of the act that founded the group."""
    locked: datetime | None = None
    """Since when its people have locked it: it says nothing, shows nothing and takes nothing in."""
    requests: bool = True
    """Anybody may ask it for help confidentially, where the settings of the node allow that."""
    safe_channels: str = ""
    """Other safe ways to reach it, one line; empty: those of the settings."""
    moderators_contact: str = ""
    """Where moderators of other servers can write; empty: the contact of the settings."""

    @property
    def actor(self) -> str:
        """The canonical id of its actor."""
        return str(ids.Portable(self.did, "/actor"))

    @property
    def uri(self) -> str:
        """The gateway form of its actor id."""
        return actors.actor_uri(self.did, self.origin)

    @property
    def host(self) -> str:
        """`host[:port]` of its origin."""
        return self.origin.partition("://")[2]

    @property
    def address(self) -> str:
        """`@handle@host`."""
        return f"@{self.handle}@{self.host}"

    def at(self, path: str) -> str:
        """A portable id of this organisation in gateway form."""
        return ids.Portable(self.did, path).at(self.origin)


def add(connection: Connection, organisation: Organisation) -> None:
    """Keep a new organisation."""
    values = {name: getattr(organisation, name) for name in organisations.columns.keys()}  # noqa: SIM118 - a column collection iterates columns
    connection.execute(insert(organisations).values(**values))


def all_of(connection: Connection) -> tuple[Organisation, ...]:
    """Every organisation of this node: those that still speak first, then by age; last the actors of groups."""
    order = (organisations.c.kind != ORGANISATION, organisations.c.successor != "", organisations.c.made)
    rows = connection.execute(select(organisations).order_by(*order))
    return tuple(_value(row) for row in rows)


def hosted(connection: Connection, parent: str) -> tuple[Organisation, ...]:
    """The actors of working groups that one of our organisations hosts, or would."""
    return tuple(each for each in all_of(connection) if each.kind == GROUP and each.parent == parent)


def adopt(connection: Connection, old: str, new: str) -> None:
    """The actors of groups that one of ours hosts go with it to the did that succeeds it."""
    connection.execute(update(organisations).where(organisations.c.parent == old).values(parent=new))


def get(connection: Connection, did: str) -> Organisation | None:
    """One organisation by its did."""
    row = connection.execute(select(organisations).where(organisations.c.did == did)).first()
    return _value(row) if row else None


def lock(connection: Connection, did: str) -> Organisation:
    """One organisation, its row locked: whoever holds it may append to its log.

    Raises:
        LookupError: there is none of this did.
    """
    row = connection.execute(select(organisations).where(organisations.c.did == did).with_for_update()).first()
    if row is None:
        raise LookupError(did)
    return _value(row)


def take_turn(connection: Connection, did: str) -> None:
    """Wait until no other transaction works on this organisation's logs: heads are read, then written."""
    connection.execute(select(organisations.c.did).where(organisations.c.did == did).with_for_update())


def set_hold(connection: Connection, did: str, reason: str) -> None:
    """Refuse publishing for this reason, or allow it again with the empty one; then everything may be shown, too."""
    values = {"hold": reason} if reason else {"hold": "", "veiled_until": None}
    connection.execute(update(organisations).where(organisations.c.did == did).values(**values))


def veil(connection: Connection, did: str, until: datetime) -> None:
    """Show nothing before this moment, or before publishing is allowed again."""
    connection.execute(update(organisations).where(organisations.c.did == did).values(veiled_until=until))


def is_veiled(connection: Connection, now: datetime) -> bool:
    """Whether this node shows nothing yet: it was restored, and does not know what was withdrawn meanwhile."""
    return connection.execute(select(organisations.c.did).where(organisations.c.veiled_until > now)).first() is not None


def set_locked(connection: Connection, did: str, since: datetime | None) -> None:
    """Lock an organisation and the actors of the groups that it hosts, or open them again."""
    either = (organisations.c.did == did) | (organisations.c.parent == did)
    connection.execute(update(organisations).where(either).values(locked=since))


def set_quorum(connection: Connection, did: str, quorum: int) -> None:
    """How many members' word freezes a did here."""
    connection.execute(update(organisations).where(organisations.c.did == did).values(quorum=quorum))


def describe(connection: Connection, did: str, **changes: str | bool) -> None:
    """Change name, summary, country or listing; the caller publishes the actor anew."""
    connection.execute(update(organisations).where(organisations.c.did == did).values(**changes))


def set_successor(connection: Connection, did: str, successor: str) -> None:
    """Another did goes on; this one publishes nothing any more."""
    values = {"successor": successor, "hold": f"{successor} goes on in this organisation's place"}
    connection.execute(update(organisations).where(organisations.c.did == did).values(**values))


def count(connection: Connection) -> int:
    """How many organisations live here."""
    return connection.execute(select(func.count()).select_from(organisations)).scalar_one()


def _value(row: Row[tuple[object, ...]]) -> Organisation:
    return Organisation(**row._mapping)

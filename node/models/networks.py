"""Networks that an organisation belongs to or was invited to, and the acts by which every node works out the rest.

Acts are kept as they were signed. Nothing that follows from them is kept but a list of names and which pins a network
brought, so that they can go with it.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from node import governance
from node.federation.protocol import digests
from node.governance import Act
from node.members import Ledger, State
from node.models.base import Instant, kept, metadata
from node.models.ledgers import Shelf

networks = Table(
    "networks",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("network", String(80), primary_key=True),
    Column("names", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("dirty", Boolean, nullable=False),
    Column("stamp", String(32), nullable=False, server_default=""),
)
acts = Table(
    "network_acts",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("digest", String(80), primary_key=True),
    Column("network", String(80), nullable=False),
    Column("author", String(80), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("about", String(80), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("taken", Instant, nullable=False),
    Index("ix_network_acts_network", "org", "network", "author"),
    Index("ix_network_acts_about", "org", "about"),
)
asks = Table(
    "network_asks",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("network", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
    Column("heads", Text, nullable=False),
)
grounds = Table(
    "network_grounds",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("digest", String(80), primary_key=True),
    Column("network", String(80), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
pins = Table(
    "network_pins",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("did", String(80), primary_key=True),
)

_FEW = 200
"""Acts that are asked for one by one, and not all read."""
MOST_BY_ONE = 5_000
"""Acts of one member, or former member, that are kept."""
MOST_BY_STRANGER = 10
"""Acts of a candidate, or of whoever took up an invitation."""
MOST_EARLY = 500
"""Acts of one network that wait in memory for those by which they are kept."""
MOST_INVITED = 200
"""Acceptances of one member's invitations: dids cost nothing, and a member could make up as many as it likes."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A network that an organisation of this node knows."""

    network: str
    names: dict[str, str]
    """Language → name; what an invitation said, until the founding act is here."""
    since: datetime
    sheet: dict[str, str]
    """did → handle of the members that an invitation named: whom we speak to before we are told who is there."""


def know(
    connection: Connection, org: str, network: str, names: dict[str, str], now: datetime,
    sheet: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Its acts are taken from now on."""
    told = {"names": orjson.dumps(names).decode(), "sheet": orjson.dumps(sheet or {}).decode(), "dirty": True}
    if find(connection, org, network) is None:
        connection.execute(insert(networks).values(org=org, network=network, since=now, **told))
    elif sheet:
        where = (networks.c.org == org) & (networks.c.network == network)
        connection.execute(update(networks).where(where).values(sheet=told["sheet"], dirty=True))


def find(connection: Connection, org: str, network: str) -> Joined | None:
    """One network, by its whole digest."""
    found = [each for each in all_of(connection, org) if each.network == network]
    return found[0] if found else None


def all_of(connection: Connection, org: str) -> tuple[Joined, ...]:
    """Every network this organisation knows, the oldest first."""
    query = select(networks).where(networks.c.org == org).order_by(networks.c.since, networks.c.network)
    return tuple(
        Joined(row.network, orjson.loads(row.names), row.since, orjson.loads(row.sheet))
        for row in connection.execute(query)
    )


def add(connection: Connection, org: str, act: Act, now: datetime) -> bool:
    """Keep an act that was proved; says whether it is new. Beyond the bounds nothing is kept: what a dishonest member
    can fill is its own share, and that of candidates it made up.
    """
    if not missing(connection, org, [act.digest]) or not _keep(connection, org, act, now):
        return False
    _stamp(connection, org, act.network)
    return True


def add_all(connection: Connection, org: str, network: str, given: Iterable[Act], now: datetime) -> None:
    """Keep acts of one network that were proved, in whatever order they come: what is here before the acts that make
    room for it waits in memory, and is tried again when these came. If it is lost there, it is asked for.
    """
    early: dict[tuple[str, str], dict[str, Act]] = kept(connection).setdefault("early", {})
    waiting = early.pop((org, network), {})
    todo = {act.digest: act for act in given if act.network == network}
    new = False
    while todo:
        lacking = [todo[each] for each in missing(connection, org, list(todo))]
        taken = {act.digest: act.author for act in lacking if _keep(connection, org, act, now)}
        waiting |= {act.digest: act for act in lacking}
        waiting = {digest: act for digest, act in waiting.items() if digest not in taken}
        names = {*taken.keys(), *taken.values()}
        todo = {digest: act for digest, act in waiting.items() if act.about in names or act.author in names}
        new = new or bool(taken)
    if new:
        _stamp(connection, org, network)
    if waiting:
        early[org, network] = dict(list(waiting.items())[-MOST_EARLY:])


def _keep(connection: Connection, org: str, act: Act, now: datetime) -> bool:
    if not _has_room(connection, org, act):
        return False
    connection.execute(
        insert(acts).values(
            org=org, digest=act.digest, network=act.network, author=act.author, kind=act.kind, about=act.about,
            raw=orjson.dumps(act.raw), taken=now,
        )
    )  # fmt: skip
    return True


def _stamp(connection: Connection, org: str, network: str) -> None:
    """In the transaction that keeps an act: whoever sees this stamp sees these acts, no more and no less."""
    where = (networks.c.org == org) & (networks.c.network == network)
    connection.execute(update(networks).where(where).values(dirty=True, stamp=secrets.token_hex(16)))


def _has_room(connection: Connection, org: str, act: Act) -> bool:
    if act.author == org or act.digest == act.network:
        return True
    mine = (acts.c.org == org) & (acts.c.network == act.network) & (acts.c.author == act.author)
    held: int = connection.execute(select(func.count()).select_from(acts).where(mine)).scalar_one()
    if act.kind == governance.ACCEPT and not _is_asked(connection, org, act):
        return False
    if act.kind == governance.SUCCEED and (held >= MOST_BY_STRANGER or not _is_bound(connection, org, act)):
        return False  # it is said once, as the first act
    if held < MOST_BY_STRANGER:
        return held > 0 or act.kind in (governance.ACCEPT, governance.SUCCEED)
    return held < MOST_BY_ONE and (
        act.author in _founders(connection, org, act.network) or _is_vouched_for(connection, org, act)
        or _has_succeeded(connection, mine)
    )  # fmt: skip


def _has_succeeded(connection: Connection, mine: ColumnElement[bool]) -> bool:
    return connection.execute(select(acts.c.digest).where(mine, acts.c.kind == governance.SUCCEED)).first() is not None


def _is_bound(connection: Connection, org: str, act: Act) -> bool:
    """Whether a succession is by the key that an acceptance is bound to, which is here."""
    query = select(acts.c.digest, acts.c.raw).where(acts.c.org == org, acts.c.digest.in_([act.about, act.network]))
    found = {row.digest: governance.recall(row.digest, orjson.loads(row.raw)) for row in connection.execute(query)}
    accepted, founding = found.get(act.about), found.get(act.network)
    if accepted is None or founding is None or accepted.kind != governance.ACCEPT:
        return False  # it comes again when somebody asks for what is missing
    return governance.commitment_in(accepted, founding) == digests.multibase(act.author.encode())


def _founders(connection: Connection, org: str, network: str) -> tuple[str, ...]:
    raw = connection.execute(select(acts.c.raw).where(acts.c.org == org, acts.c.digest == network)).scalar()
    return governance.recall(network, orjson.loads(raw)).founders if raw is not None else ()


def _is_vouched_for(connection: Connection, org: str, act: Act) -> bool:
    mine = (acts.c.org == org) & (acts.c.network == act.network) & (acts.c.author == act.author)
    accepted = select(acts.c.digest).where(mine, acts.c.kind == governance.ACCEPT)
    vouched = (acts.c.org == org) & (acts.c.kind == governance.SPONSOR) & acts.c.about.in_(accepted)
    return connection.execute(select(acts.c.digest).where(vouched)).first() is not None


def _is_asked(connection: Connection, org: str, act: Act) -> bool:
    """Whether an acceptance is a founder's, or answers an invitation that is here, by a member who invited no crowd."""
    if act.about == act.network:
        return act.author in _founders(connection, org, act.network)
    invitation = (acts.c.org == org) & (acts.c.digest == act.about) & (acts.c.kind == governance.INVITE)
    inviter = connection.execute(select(acts.c.author).where(invitation)).scalar()
    if inviter is None:
        return False  # it comes again when somebody asks for what is missing
    theirs = select(acts.c.digest).where(
        acts.c.org == org, acts.c.network == act.network, acts.c.kind == governance.INVITE, acts.c.author == inviter
    )
    accepted = (acts.c.org == org) & (acts.c.kind == governance.ACCEPT) & acts.c.about.in_(theirs)
    held: int = connection.execute(select(func.count()).select_from(acts).where(accepted)).scalar_one()
    return held < MOST_INVITED


def mark(connection: Connection, org: str, network: str, *, dirty: bool) -> None:
    """Whether what follows from its acts is still to be carried out here."""
    where = (networks.c.org == org) & (networks.c.network == network)
    connection.execute(update(networks).where(where).values(dirty=dirty))


def dirty(connection: Connection) -> tuple[tuple[str, str], ...]:
    """(org, network) of all that have acts nobody looked at yet."""
    query = select(networks.c.org, networks.c.network).where(networks.c.dirty)
    return tuple((row.org, row.network) for row in connection.execute(query))


def acts_of(connection: Connection, org: str, network: str) -> tuple[Act, ...]:
    """Every act that is here, also those that wait for others."""
    ledger = ledger_of(connection, org, network)
    return (*ledger.acts, *ledger.waiting)


def count_of(connection: Connection, org: str, network: str) -> int:
    """How many acts are here; they only become more."""
    where = (acts.c.org == org) & (acts.c.network == network)
    found: int = connection.execute(select(func.count()).select_from(acts).where(where)).scalar_one()
    return found


def ledger_of(connection: Connection, org: str, network: str) -> Ledger:
    """What follows from the acts that are here; worked out once for the same acts."""
    shelf: Shelf = kept(connection).setdefault("ledgers", Shelf())
    mine = (networks.c.org == org) & (networks.c.network == network)
    stamp = connection.execute(select(networks.c.stamp).where(mine)).scalar()
    found = shelf.stamped(network, stamp) if stamp else None
    if found is not None:
        return found
    # One statement, for where each has a view of its own the stamp must be that of just these acts.
    query = (
        select(acts.c.digest, networks.c.stamp)
        .outerjoin(networks, (networks.c.org == acts.c.org) & (networks.c.network == acts.c.network))
        .where(acts.c.org == org, acts.c.network == network)
    )
    seen = {row.digest: row.stamp or "" for row in connection.execute(query)}
    nearest = shelf.nearest(network, seen.keys())
    found = nearest.take(_read(connection, org, network, [each for each in seen if not nearest.holds(each)]))
    shelf.put(next(iter(seen.values()), ""), found)
    return found


def _read(connection: Connection, org: str, network: str, digests: Sequence[str]) -> Iterator[Act]:
    """These acts; each was proved before it was kept."""
    query = select(acts.c.digest, acts.c.raw).where(acts.c.org == org, acts.c.network == network)
    if len(digests) <= _FEW:
        query = query.where(acts.c.digest.in_(digests))
    wanted, context = set(digests), None
    for row in connection.execute(query.order_by(acts.c.taken, acts.c.digest)):
        if row.digest in wanted:
            value = orjson.loads(row.raw)
            if value["@context"] == context:
                value["@context"] = context  # one for all: it is most of what an act weighs in memory
            context = value["@context"]
            yield governance.recall(row.digest, value)


def state_of(connection: Connection, org: str, network: str) -> State:
    """The same, as of all of them."""
    return ledger_of(connection, org, network).state()


def pinned(connection: Connection, org: str) -> frozenset[str]:
    """Dids that were pinned because a network has them as members."""
    return frozenset(connection.execute(select(pins.c.did).where(pins.c.org == org)).scalars())


def hand_over(connection: Connection, org: str, heirs: Mapping[str, str]) -> None:
    """The pins that a network brought are those of who goes on in a member's place, old did → new."""
    for old, new in heirs.items():
        set_pinned(connection, org, old, held=False)
        set_pinned(connection, org, new, held=True)


def set_pinned(connection: Connection, org: str, did: str, *, held: bool) -> None:
    """Note that a network brought this pin, or that it is gone."""
    connection.execute(delete(pins).where(pins.c.org == org, pins.c.did == did))
    if held:
        connection.execute(insert(pins).values(org=org, did=did))


def keep_grounds(connection: Connection, org: str, network: str, digest: str, sealed: bytes) -> None:
    """Words that an act here names, sealed to people."""
    mine = (grounds.c.org == org) & (grounds.c.digest == digest)
    if connection.execute(select(grounds.c.digest).where(mine)).first() is None:
        connection.execute(insert(grounds).values(org=org, digest=digest, network=network, sealed=sealed))


def grounds_of(connection: Connection, org: str, network: str) -> dict[str, bytes]:
    """Digest → what is sealed."""
    query = select(grounds.c.digest, grounds.c.sealed).where(grounds.c.org == org, grounds.c.network == network)
    return {row.digest: row.sealed for row in connection.execute(query)}


def ask(connection: Connection, org: str, network: str, did: str, heads: Sequence[str]) -> None:
    """A member asks for what it lacks; one question of each is kept."""
    where = (asks.c.org == org) & (asks.c.network == network) & (asks.c.did == did)
    connection.execute(delete(asks).where(where))
    connection.execute(insert(asks).values(org=org, network=network, did=did, heads=" ".join(heads)))


def asks_of(connection: Connection, org: str, network: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(did, the heads it has) of everybody who asked."""
    query = select(asks.c.did, asks.c.heads).where(asks.c.org == org, asks.c.network == network).order_by(asks.c.did)
    return tuple((row.did, tuple(row.heads.split())) for row in connection.execute(query))


def clear_asks(connection: Connection, org: str, network: str, dids: Sequence[str]) -> None:
    """These were answered."""
    connection.execute(delete(asks).where(asks.c.org == org, asks.c.network == network, asks.c.did.in_(dids)))


def missing(connection: Connection, org: str, digests: Sequence[str]) -> tuple[str, ...]:
    """Which of these acts are not here."""
    held = set(connection.execute(select(acts.c.digest).where(acts.c.org == org, acts.c.digest.in_(digests))).scalars())
    return tuple(each for each in digests if each not in held)

"""People, their wrapped keys and their second factors, and how often a name was tried in vain.

What opens anything here is not here: the password. Who is disabled keeps a name and an id, and nothing that opens.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from node import people as rules
from node.errors import RefusedError
from node.models import organisations
from node.models.base import Instant, metadata
from node.people import Person
from node.people_keys import Wrapped, parse_cost

people = Table(
    "people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("org", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("language", String(16), nullable=False),
    Column("public", String(100), nullable=False),
    Column("wrapped", LargeBinary, nullable=True),
    Column("salt", LargeBinary, nullable=True),
    Column("cost", Text, nullable=False),
    Column("totp", LargeBinary, nullable=True),
    Column("totp_step", BigInteger, nullable=False),
    Column("invitation", String(64), nullable=False),
    Column("invited_until", Instant, nullable=True),
    Column("made", Instant, nullable=False),
    Column("confirmed", Instant, nullable=True),
    Column("confirmed_by", String(32), nullable=False),
    Index("ix_people_org", "org", "folded"),
    Index("ix_people_invitation", "invitation"),
)
passkeys = Table(
    "passkeys",
    metadata,
    Column("org", String(80), nullable=False),
    Column("person", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("credential", LargeBinary, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("made", Instant, nullable=False),
)
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("org", String(80), nullable=False),
    Column("person", String(32), primary_key=True),
    Column("digest", String(64), primary_key=True),
)
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("who", String(64), primary_key=True),
    Column("known", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("until", Instant, nullable=False),
    Column("last", Instant, nullable=False),
)
known_browsers = Table(
    "known_browsers",
    metadata,
    Column("org", String(80), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("who", String(64), nullable=False),
    Column("until", Instant, nullable=False),
)
_BROWSERS = 20
"""Browsers that are known for one name; of more, those that end first are forgotten."""
_STRANGERS = 1_000
"""Names that nobody has, whose tries are remembered; of more, the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey: its public half, and how often it said it was used."""

    number: int
    credential: bytes
    uses: int
    made: datetime


def add(connection: Connection, person: Person, invitation: str, until: datetime) -> None:
    """Keep a person who is invited.

    Args:
        invitation: the digest of the link's token.

    Raises:
        RefusedError: somebody who is not disabled has this name.
    """
    if by_name(connection, person.org, person.name) is not None:
        raise RefusedError("somebody here has this name already: choose one that tells them apart")
    connection.execute(
        insert(people).values(
            id=person.id, org=person.org, name=person.name, folded=rules.folded(person.name),
            roles=" ".join(sorted(person.roles)), state=person.state, language=person.language, public=person.public,
            wrapped=None, salt=None, cost="", totp=None, totp_step=0, invitation=invitation, invited_until=until,
            made=person.made, confirmed=person.confirmed, confirmed_by=person.confirmed_by,
        )
    )  # fmt: skip


def get(connection: Connection, org: str, person: str) -> Person | None:
    """One person by id."""
    return _one(connection, (people.c.org == org) & (people.c.id == person))


def by_name(connection: Connection, org: str, name: str) -> Person | None:
    """One person who is not disabled, by the name they sign in with."""
    here = (people.c.org == org) & (people.c.folded == rules.folded(name))
    return _one(connection, here & (people.c.state != rules.DISABLED))


def by_invitation(connection: Connection, org: str, digest: str, now: datetime) -> Person | None:
    """Whoever was invited by this token, while it holds."""
    here = (people.c.org == org) & (people.c.invitation == digest) & (people.c.state == rules.INVITED)
    return _one(connection, here & (people.c.invited_until > now))


def all_of(connection: Connection, org: str) -> tuple[Person, ...]:
    """Everybody of an organisation, the disabled too, by age."""
    rows = connection.execute(_query().where(people.c.org == org).order_by(people.c.made, people.c.id))
    return tuple(_value(row) for row in rows)


def active(connection: Connection, org: str, role: str) -> tuple[Person, ...]:
    """Whoever holds this role so that it counts."""
    return tuple(each for each in all_of(connection, org) if role in each.counting)


def ever_coordinators(connection: Connection, org: str) -> int:
    """How many coordinators were ever active here; the first one needs nobody's word."""
    return sum(
        rules.COORDINATOR in each.roles and each.confirmed is not None for each in all_of(connection, org)
    )


def join(
    connection: Connection, person: Person, public: str, wrapped: Wrapped, state: str, now: datetime
) -> Person:
    """Somebody accepts an invitation; its link is used up.

    Raises:
        RefusedError: it was used in the meantime.
    """
    values: dict[str, Any] = {
        "state": state, "public": public, "invitation": "", "invited_until": None, "totp_step": 0,
        "confirmed": now if state == rules.ACTIVE else None, **_wrapped(wrapped),
    }  # fmt: skip
    mine = (people.c.id == person.id) & (people.c.state == rules.INVITED) & (people.c.invitation != "")
    if connection.execute(update(people).where(mine).values(**values)).rowcount != 1:
        raise RefusedError("this invitation was used already")
    return _known(connection, person)


def confirm(connection: Connection, person: Person, by: str, now: datetime) -> Person:
    """The roles of this person count from now on."""
    values = {"state": rules.ACTIVE, "confirmed": now, "confirmed_by": by}
    connection.execute(update(people).where(people.c.id == person.id).values(**values))
    return _known(connection, person)


def disable(connection: Connection, person: Person) -> Person:
    """Nothing of this person opens, counts or signs in any more."""
    values: dict[str, Any] = {
        "state": rules.DISABLED, "wrapped": None, "salt": None, "cost": "", "totp": None, "totp_step": 0,
        "invitation": "", "invited_until": None,
    }  # fmt: skip
    connection.execute(update(people).where(people.c.id == person.id).values(**values))
    for table in (passkeys, recovery_codes):
        connection.execute(delete(table).where(table.c.person == person.id))
    return _known(connection, person)


def wrapped_of(connection: Connection, person: str) -> Wrapped | None:
    """The person's secret under their password; `None` for who is invited or disabled."""
    columns = (people.c.wrapped, people.c.salt, people.c.cost)
    row = connection.execute(select(*columns).where(people.c.id == person)).first()
    if row is None or row.wrapped is None:
        return None
    return Wrapped(row.salt, parse_cost(row.cost), row.wrapped)


def set_wrapped(connection: Connection, person: str, wrapped: Wrapped) -> None:
    """The same secret under another password."""
    connection.execute(update(people).where(people.c.id == person).values(**_wrapped(wrapped)))


# --- second factors -----------------------------------------------------------------------------------------------


def totp_of(connection: Connection, person: str) -> bytes | None:
    """The secret of the person's code generator, sealed to them."""
    return connection.execute(select(people.c.totp).where(people.c.id == person)).scalar()


def set_totp(connection: Connection, person: str, sealed: bytes | None, step: int) -> None:
    """Enrol a code generator with the step of the code that showed it, or remove it."""
    connection.execute(update(people).where(people.c.id == person).values(totp=sealed, totp_step=step))


def use_totp(connection: Connection, person: str, step: int) -> bool:
    """Whether a code of this step is new: each is taken once, and none older than the last."""
    new = (people.c.id == person) & (people.c.totp_step < step)
    return connection.execute(update(people).where(new).values(totp_step=step)).rowcount == 1


def passkeys_of(connection: Connection, person: str) -> tuple[Passkey, ...]:
    """The person's passkeys."""
    rows = connection.execute(select(passkeys).where(passkeys.c.person == person).order_by(passkeys.c.number))
    return tuple(Passkey(row.number, row.credential, row.uses, row.made) for row in rows)


def add_passkey(connection: Connection, person: Person, credential: bytes, uses: int, now: datetime) -> None:
    """Enrol a passkey."""
    last = connection.execute(select(func.max(passkeys.c.number)).where(passkeys.c.person == person.id)).scalar()
    connection.execute(
        insert(passkeys).values(
            org=person.org, person=person.id, number=(last or 0) + 1, credential=credential, uses=uses, made=now
        )
    )


def use_passkey(connection: Connection, person: str, number: int, uses: int) -> None:
    """Remember how often it says it was used."""
    mine = (passkeys.c.person == person) & (passkeys.c.number == number)
    connection.execute(update(passkeys).where(mine).values(uses=uses))


def remove_passkey(connection: Connection, person: str, number: int) -> None:
    """Take a passkey back."""
    connection.execute(delete(passkeys).where((passkeys.c.person == person) & (passkeys.c.number == number)))


def set_codes(connection: Connection, person: Person, digests: Collection[str]) -> None:
    """New recovery codes in place of the old."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.person == person.id))
    if digests:
        rows = [{"org": person.org, "person": person.id, "digest": each} for each in digests]
        connection.execute(insert(recovery_codes), rows)


def use_code(connection: Connection, person: str, digest: str) -> bool:
    """Whether this recovery code was unused; now it is used."""
    mine = (recovery_codes.c.person == person) & (recovery_codes.c.digest == digest)
    return connection.execute(delete(recovery_codes).where(mine)).rowcount == 1


def codes_left(connection: Connection, person: str) -> int:
    """How many recovery codes are unused."""
    mine = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.person == person)
    return connection.execute(mine).scalar_one()


# --- tries --------------------------------------------------------------------------------------------------------


def begin_try(connection: Connection, org: str, who: str, known: bool, now: datetime) -> datetime | None:
    """Count a try before it is judged, so that a hundred at once are a hundred; whoever succeeds clears it.

    Args:
        who: digest of the name as compared, so that names which nobody has are no names here either.

    Returns:
        Until when nobody may try, `None` where this one may.
    """
    organisations.take_turn(connection, org)
    mine = (sign_in_tries.c.org == org) & (sign_in_tries.c.who == who)
    row = connection.execute(select(sign_in_tries).where(mine)).first()
    if row is not None and row.until > now:
        until: datetime = row.until
        return until
    tries: int = row.tries + 1 if row is not None else 1
    values = {"tries": tries, "until": now + rules.wait_after(tries), "last": now, "known": known}
    if row is not None:
        connection.execute(update(sign_in_tries).where(mine).values(**values))
    else:
        connection.execute(insert(sign_in_tries).values(org=org, who=who, **values))
    if not known:
        _forget_strangers(connection, org, now)
    return None


def clear_tries(connection: Connection, org: str, who: str) -> None:
    """Somebody signed in, with all that it takes."""
    connection.execute(delete(sign_in_tries).where((sign_in_tries.c.org == org) & (sign_in_tries.c.who == who)))


def know_browser(connection: Connection, org: str, who: str, digest: str, until: datetime, now: datetime) -> None:
    """Somebody of this name signed in with a browser that holds the token of this digest."""
    connection.execute(delete(known_browsers).where(known_browsers.c.org == org, known_browsers.c.until < now))
    connection.execute(insert(known_browsers).values(org=org, digest=digest, who=who, until=until))
    mine = (known_browsers.c.org == org) & (known_browsers.c.who == who)
    order = select(known_browsers.c.digest).where(mine).order_by(known_browsers.c.until.desc()).offset(_BROWSERS)
    beyond = connection.execute(order.limit(_BROWSERS)).scalars().all()
    if beyond:
        connection.execute(delete(known_browsers).where(mine & known_browsers.c.digest.in_(beyond)))


def knows_browser(connection: Connection, org: str, who: str, digest: str, now: datetime) -> bool:
    """Whether this name signed in with it before."""
    mine = (known_browsers.c.org == org) & (known_browsers.c.who == who) & (known_browsers.c.digest == digest)
    found = connection.execute(select(known_browsers.c.org).where(mine, known_browsers.c.until > now))
    return found.first() is not None


def forget_browsers(connection: Connection, org: str, who: str) -> None:
    """They were disabled, or changed their password."""
    connection.execute(delete(known_browsers).where(known_browsers.c.org == org, known_browsers.c.who == who))


def _forget_strangers(connection: Connection, org: str, now: datetime) -> None:
    strangers = (sign_in_tries.c.org == org) & (sign_in_tries.c.known.is_(False))
    connection.execute(delete(sign_in_tries).where(strangers & (sign_in_tries.c.last < now - timedelta(days=1))))
    order = select(sign_in_tries.c.who).where(strangers).order_by(sign_in_tries.c.last.desc()).offset(_STRANGERS)
    beyond = connection.execute(order.limit(_STRANGERS)).scalars().all()
    if beyond:
        connection.execute(delete(sign_in_tries).where(strangers & sign_in_tries.c.who.in_(beyond)))


def _wrapped(wrapped: Wrapped) -> dict[str, Any]:
    return {"wrapped": wrapped.sealed, "salt": wrapped.salt, "cost": str(wrapped.cost)}


def _query() -> Any:
    keys = select(func.count()).where(passkeys.c.person == people.c.id).scalar_subquery()
    return select(people, keys.label("keys"))


def _one(connection: Connection, where: Any) -> Person | None:
    row = connection.execute(_query().where(where)).first()
    return _value(row) if row else None


def _known(connection: Connection, person: Person) -> Person:
    found = get(connection, person.org, person.id)
    if found is None:
        raise RefusedError("this person is not here any more")
    return found


def _value(row: Row[Any]) -> Person:
    return Person(
        id=row.id, org=row.org, name=row.name, roles=frozenset(row.roles.split()), state=row.state,
        language=row.language, public=row.public, made=row.made, confirmed=row.confirmed,
        confirmed_by=row.confirmed_by, factors=row.keys + (row.totp is not None),
    )  # fmt: skip

"""Coming in: a password, a second factor, and what a person does with their own factors and sessions.

A try is counted before it is judged, under the name that was typed and not under an address; a name that nobody has
costs the same work and gets the same answers. Passwords are tried off the event loop, two at once; of too many that
wait, the last are sent away. Answers are values, not errors: an error would take the count back with it.
"""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from node import people as rules
from node import people_factors, people_keys
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.models import audit, people, sessions
from node.models.base import Database
from node.models.organisations import Organisation
from node.models.sessions import OpenSession
from node.people import Person
from node.people_keys import USUAL, Cost, Wrapped

T = TypeVar("T")
_AT_ONCE = 2
_WAITING = 20
_TOTP = "totp:"


@dataclass(frozen=True, slots=True)
class Entered:
    """A password was right."""

    cookie: str = field(repr=False)
    person: Person
    browser: str = field(repr=False)
    """A new token by which this browser is known from now on; empty where it is, or is shared."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Nobody tries this name before then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something was wrong, and it is not said what."""


Answer = Entered | Waits | Wrong


class Reception:
    """Where passwords are tried; one for each site."""

    def __init__(self, cost: Cost = USUAL) -> None:
        self.cost = cost
        """What a new password costs to try; tests make it cheap."""
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def derive(self, work: Callable[[], T]) -> T:
        """Do what takes a tenth of a second and 64 MiB.

        Raises:
            RefusedError: too many wait.
        """
        if self._waiting >= _WAITING:
            raise RefusedError("too many people are signing in at once; try again in a minute")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


async def sign_in(
    reception: Reception, database: Database, organisation: Organisation, name: str, password: str, now: datetime, *,
    shared: bool, browser: str = "",
) -> Answer:  # fmt: skip
    """Try a name and a password.

    Args:
        browser: the token that this browser was given when somebody signed in with it.

    Raises:
        RefusedError: too many try at once.
    """
    org, who, token = organisation.did, counted_as(name), people_keys.digest(browser)

    def begin(connection: Connection) -> Waits | tuple[Person | None, people_keys.Wrapped | None, bool]:
        person = people.by_name(connection, org, name)
        known = bool(browser) and people.knows_browser(connection, org, who, token, now)
        until = people.begin_try(connection, org, _counted(who, token, known), person is not None, now)
        return Waits(until) if until else (person, people.wrapped_of(connection, person.id) if person else None, known)

    begun = await database.write(begin)
    if isinstance(begun, Waits):
        return begun
    person, wrapped, known = begun
    tried = wrapped or people_keys.nobody(reception.cost)
    try:
        secret = await reception.derive(partial(people_keys.unwrap, tried, rules.as_typed(password)))
    except people_keys.WrongPasswordError:
        return Wrong()
    if person is None or wrapped is None:
        return Wrong()
    given = "" if known or shared else people_keys.new_token()
    return await database.write(
        partial(
            _enter, person=person, secret=secret, who=who, counted=_counted(who, token, known), given=given, now=now,
            shared=shared,
        )
    )  # fmt: skip


def _enter(
    connection: Connection, *, person: Person, secret: str, who: str, counted: str, given: str, now: datetime,
    shared: bool,
) -> Answer:  # fmt: skip
    """Nobody enters who was disabled while the password was tried."""
    current = people.get(connection, person.org, person.id)
    if current is None or current.state not in (rules.JOINED, rules.ACTIVE):
        return Wrong()
    people.clear_tries(connection, person.org, counted)
    if given:
        until = now + rules.BROWSER_KNOWN
        people.know_browser(connection, person.org, who, people_keys.digest(given), until, now)
    return Entered(enter(connection, current, secret, now, shared=shared), current, given)


def enter(connection: Connection, person: Person, secret: str, now: datetime, *, shared: bool) -> str:
    """A session for somebody whose secret is open; returns its cookie."""
    cookie = people_keys.new_token()
    sealed = people_keys.keep_open(secret, cookie)
    sessions.begin(connection, people_keys.digest(cookie), person, sealed, now, shared=shared)
    return cookie


def show_code(
    connection: Connection, session: OpenSession, person: Person, secret: str, code: str, now: datetime
) -> Waits | bool:
    """A code of the generator, or a recovery code, as the second factor of this session."""

    def right() -> bool:
        sealed = people.totp_of(connection, person.id)
        step = _step(sealed, secret, code, now)
        if step is not None:
            return people.use_totp(connection, person.id, step)
        return people.use_code(connection, person.id, people_keys.code_digest(person.id, code))

    return _show(connection, session, person, right, now)


def ask_passkey(connection: Connection, organisation: Organisation, session: OpenSession, person: Person) -> str:
    """What the page asks a passkey, as JSON; empty where none is enrolled."""
    known = [each.credential for each in people.passkeys_of(connection, person.id)]
    if not known:
        return ""
    asked = people_factors.ask_to_show(organisation.origin, organisation.name, known)
    sessions.set_challenge(connection, session.digest, asked.state)
    return asked.options


def show_passkey(
    connection: Connection, organisation: Organisation, session: OpenSession, person: Person, answer: str,
    now: datetime,
) -> Waits | bool:  # fmt: skip
    """A passkey's answer as the second factor of this session; each challenge is answered once."""

    def right() -> bool:
        known = people.passkeys_of(connection, person.id)
        pairs = [(each.credential, each.uses) for each in known]
        sessions.set_challenge(connection, session.digest, "")
        try:
            at, uses = people_factors.shown(organisation.origin, organisation.name, session.challenge, answer, pairs)
        except RefusedError:
            return False
        people.use_passkey(connection, person.id, known[at].number, uses)
        return True

    return _show(connection, session, person, right, now)


def _show(
    connection: Connection, session: OpenSession, person: Person, right: Callable[[], bool], now: datetime
) -> Waits | bool:
    who = _who_shows(person)
    until = people.begin_try(connection, person.org, who, True, now)
    if until:
        return Waits(until)
    if not right():
        return False
    people.clear_tries(connection, person.org, who)
    sessions.show_factor(connection, session, now)
    return True


# --- a person's own factors ---------------------------------------------------------------------------------------


def offer_totp(connection: Connection, session: OpenSession, person: Person, secret: str) -> str:
    """The secret of a code generator that may be enrolled; the same until it is, or the session ends."""
    offered = offered_totp(session, secret)
    if not offered:
        offered = people_factors.new_totp()
        sealed = sealing.seal(offered.encode(), (person.public,))
        sessions.set_challenge(connection, session.digest, _TOTP + base64.b64encode(sealed).decode())
    return offered


def offered_totp(session: OpenSession, secret: str) -> str:
    """What was offered in this session; empty where nothing was."""
    if not session.challenge.startswith(_TOTP):
        return ""
    return sealing.open_sealed(base64.b64decode(session.challenge.removeprefix(_TOTP)), (secret,)).decode()


def enrol_totp(
    connection: Connection, session: OpenSession, person: Person, secret: str, code: str, now: datetime
) -> None:
    """The generator shows a right code: it is enrolled, in place of an older one.

    Raises:
        RefusedError: the code is not the generator's, or an enrolled factor was not shown lately.
    """
    _check_enrol(connection, session, person, now)
    offered = offered_totp(session, secret)
    step = people_factors.totp_step(offered, code, now) if offered else None
    if step is None:
        raise RefusedError("this is not the code that the generator shows now")
    people.set_totp(connection, person.id, sealing.seal(offered.encode(), (person.public,)), step)
    _enrolled(connection, session, person, now)


def ask_new_passkey(
    connection: Connection, organisation: Organisation, session: OpenSession, person: Person
) -> str:
    """What the page asks a new passkey, as JSON."""
    known = [each.credential for each in people.passkeys_of(connection, person.id)]
    asked = people_factors.ask_to_make(organisation.origin, organisation.name, person.id, person.name, known)
    sessions.set_challenge(connection, session.digest, asked.state)
    return asked.options


def enrol_passkey(
    connection: Connection, organisation: Organisation, session: OpenSession, person: Person, answer: str,
    now: datetime,
) -> None:  # fmt: skip
    """A new passkey answers.

    Raises:
        RefusedError: it does not answer what was asked.
    """
    _check_enrol(connection, session, person, now)
    credential, uses = people_factors.made(organisation.origin, organisation.name, session.challenge, answer)
    people.add_passkey(connection, person, credential, uses, now)
    _enrolled(connection, session, person, now)


def remove_factor(connection: Connection, person: Person, factor: str, now: datetime) -> None:
    """Take a factor back: `totp`, or the number of a passkey.

    Raises:
        RefusedError: it is the last one of somebody who needs one.
    """
    if person.factors <= 1 and person.needs_factor:
        raise RefusedError("this is your last second factor, and your roles need one: enrol another first")
    if factor == "totp":
        people.set_totp(connection, person.id, None, 0)
    elif factor.isascii() and factor.isdigit():
        people.remove_passkey(connection, person.id, int(factor[:9]))
    audit.append(connection, person.org, "factor.remove", person.id, now, person=person.id, role="self")


def new_codes(connection: Connection, person: Person, now: datetime) -> Sequence[str]:
    """New recovery codes in place of the old; they are shown once and kept as digests."""
    codes = [people_keys.new_code() for _ in range(rules.CODES)]
    people.set_codes(connection, person, [people_keys.code_digest(person.id, each) for each in codes])
    audit.append(connection, person.org, "codes.new", person.id, now, person=person.id, role="self")
    return codes


def rewrap(secret: str, password: str, cost: Cost) -> Wrapped:
    """The same key under another password. Dear: off the event loop."""
    return people_keys.wrap(secret, password, cost)


def change_password(
    connection: Connection, session: OpenSession, person: Person, wrapped: Wrapped, now: datetime
) -> None:
    """Another password from now on; every other session of the person ends."""
    people.set_wrapped(connection, person.id, wrapped)
    sessions.end_of_person(connection, person.org, person.id, but=session.digest)
    people.forget_browsers(connection, person.org, counted_as(person.name))
    audit.append(connection, person.org, "password", person.id, now, person=person.id, role="self")


def _check_enrol(connection: Connection, session: OpenSession, person: Person, now: datetime) -> None:
    """Whoever has only the password of somebody with a factor enrols none of their own."""
    current = people.get(connection, person.org, person.id)
    if current is None or (current.factors and not rules.is_fresh(session.second_factor, now)):
        raise RefusedError("show a second factor that is enrolled before you enrol another")


def _enrolled(connection: Connection, session: OpenSession, person: Person, now: datetime) -> None:
    sessions.show_factor(connection, session, now)
    people.clear_tries(connection, person.org, _who_shows(person))
    audit.append(connection, person.org, "factor.add", person.id, now, person=person.id, role="self")


def _step(sealed: bytes | None, secret: str, code: str, now: datetime) -> int | None:
    if sealed is None:
        return None
    return people_factors.totp_step(sealing.open_sealed(sealed, (secret,)).decode(), code, now)


def counted_as(name: str) -> str:
    """Under what a name's tries are counted: names that nobody has are no names here either."""
    return people_keys.digest(rules.folded(name))


def _counted(who: str, token: str, known: bool) -> str:
    """Under what a try is counted: the name, or the name in a browser that it signed in with before."""
    return people_keys.digest(f"{who} {token}") if known else who


def _who_shows(person: Person) -> str:
    """Tries of a second factor are counted apart: whoever has the password clears nothing by typing it again."""
    return people_keys.digest(f"factor {person.id}")

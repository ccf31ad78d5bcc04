"""People of an organisation: what each role may do, which rooms it enters, passwords, back-off, and the states.

Rules, in order:
1. A role counts only while its person is active: whoever joined waits until a coordinator has confirmed them. Only the
   first coordinator of an organisation is active at once, for there is nobody who could.
2. A duty's keys belong to a room; the roles of a person say which rooms they may enter. A technical administrator
   enters none.
3. Approvers, case workers and coordinators get nowhere without a second factor.
4. What cannot be taken back (confirm, disable, lock, approve) wants a second factor that is fresh.
5. A password has 12 characters at least. Five wrong tries cost a minute, each further one twice as long, up to an hour.
   Tries in a browser that somebody of this name signed in with are counted apart: strangers hold nobody up there.
6. The last coordinator cannot be disabled.
7. Anybody who works here may lock, from any phone, with a second factor; only a coordinator opens again.
8. Nobody approves what they wrote, nobody counts twice, and the command line, which is nobody, never approves.

Spec: NIST SP 800-63B §3.1.1.2
"""

import secrets
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from node.errors import RefusedError

AUTHOR, APPROVER, CASE_WORKER = "author", "approver", "case_worker"
COORDINATOR, ADMINISTRATOR = "coordinator", "administrator"
CASES, APPROVALS, NETWORK = "cases", "approvals", "network"
ROOMS = (CASES, APPROVALS, NETWORK)
"""Keys that belong to a duty: cases; drafts and what waits for a second word; what members send to the network."""

INVITED, JOINED, ACTIVE, DISABLED = "invited", "joined", "active", "disabled"

INVITATION = timedelta(hours=72)
FRESH = timedelta(minutes=10)
"""So long after a second factor was shown, what cannot be taken back may be done."""
SIGNED_IN = timedelta(hours=12)
BROWSER_KNOWN = timedelta(days=90)
SHARED_IDLE = timedelta(minutes=5)
"""A session on a shared computer ends when nothing was asked for so long."""
ARRIVAL = timedelta(minutes=15)
"""So long may somebody who gave the password take for the second factor."""
FREE_TRIES = 5
CODES = 10
_LEAST, _MOST = 12, 1_000
_LONGEST_NAME = 80
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """What one role means."""

    acts: frozenset[str]
    rooms: frozenset[str]
    factor: bool
    """Whether nobody holds it without a second factor."""


DUTIES: Mapping[str, Duty] = MappingProxyType(
    {
        AUTHOR: Duty(frozenset({"write", "lock"}), frozenset({NETWORK}), False),
        APPROVER: Duty(frozenset({"approve", "replies", "lock"}), frozenset({APPROVALS, NETWORK}), True),
        CASE_WORKER: Duty(frozenset({"write", "cases", "replies", "lock"}), frozenset(ROOMS), True),
        COORDINATOR: Duty(
            frozenset({"people", "disable", "lock", "unlock", "replies", "trust", "profile", "node"}),
            frozenset({APPROVALS, NETWORK}), True,
        ),
        ADMINISTRATOR: Duty(frozenset({"disable", "lock", "node"}), frozenset(), False),
    }
)
ROLES = tuple(DUTIES)


@dataclass(frozen=True, slots=True)
class Person:
    """One person of one organisation. Holds nothing secret."""

    id: str
    org: str
    name: str
    roles: frozenset[str]
    """As given; what counts now is `counting`."""
    state: str
    language: str
    public: str
    """What is for this person alone is sealed to this key, `age1…`; empty until they joined."""
    made: datetime
    confirmed: datetime | None = None
    confirmed_by: str = ""
    factors: int = 0
    """How many second factors are enrolled; recovery codes are none."""

    @property
    def counting(self) -> frozenset[str]:
        """The roles that count now."""
        return self.roles if self.state == ACTIVE else frozenset()

    @property
    def needs_factor(self) -> bool:
        """Whether this person gets nowhere without a second factor."""
        return any(DUTIES[role].factor for role in self.roles)

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms that the roles which count let this person enter."""
        return frozenset(room for role in self.counting for room in DUTIES[role].rooms)

    def may(self, act: str) -> bool:
        """Whether a role that counts lets this person do it: an act of `DUTIES`."""
        return bool(self.role_for(act))

    def role_for(self, act: str) -> str:
        """The role in which this person does it; empty where none lets them."""
        return next((role for role in ROLES if role in self.counting and act in DUTIES[role].acts), "")


def person_id() -> str:
    """A name for a new person that says nothing about them."""
    return secrets.token_hex(16)


def check_roles(roles: Collection[str]) -> frozenset[str]:
    """The roles that somebody is invited for.

    Raises:
        RefusedError: none, or one there is not.
    """
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        raise RefusedError(f"a role is one of {', '.join(ROLES)}" + (f", not {', '.join(unknown)}" if unknown else ""))
    return frozenset(roles)


def check_name(name: str) -> str:
    """A name as it is kept: NFC, single spaces, nothing that turns or hides text.

    Raises:
        RefusedError: empty, too long, or with control characters.
    """
    kept = " ".join(unicodedata.normalize("NFC", name).split())
    if not kept or len(kept) > _LONGEST_NAME:
        raise RefusedError(f"a name has 1 to {_LONGEST_NAME} characters")
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co") and each != "\u200c" for each in kept):
        raise RefusedError("a name has no control characters")
    return kept


def folded(name: str) -> str:
    """The form in which names are compared: whoever signs in need not mind capitals or width."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def as_typed(password: str) -> str:
    """A password as it is used: NFC, for keyboards differ; otherwise as typed."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, name: str) -> str:
    """A new password, as it is used.

    Raises:
        RefusedError: too short, too long, one character over and over, or the name itself.
    """
    kept = as_typed(password)
    if len(kept) < _LEAST:
        raise RefusedError(f"a password has {_LEAST} characters at least; four words chosen by chance are good")
    if len(kept) > _MOST:
        raise RefusedError(f"a password has {_MOST} characters at most")
    if len(set(kept)) < 4 or folded(kept) == folded(name):
        raise RefusedError("this password is the first that others would try")
    return kept


def wait_after(tries: int) -> timedelta:
    """How long nobody signs in under a name after so many wrong tries in a row."""
    if tries < FREE_TRIES:
        return timedelta()
    doubled: timedelta = _FIRST_WAIT * (1 << min(tries - FREE_TRIES, 10))
    return min(doubled, _LONGEST_WAIT)


def joins_as(roles: Collection[str], coordinators: int) -> str:
    """The state of somebody who accepted an invitation.

    Args:
        coordinators: how many the organisation has or ever had.
    """
    return ACTIVE if COORDINATOR in roles and coordinators == 0 else JOINED


def check_confirm(by: Person, about: Person) -> None:
    """Somebody may confirm somebody else.

    Raises:
        RefusedError: the rule that says no.
    """
    if not by.may("people"):
        raise RefusedError("only a coordinator confirms people")
    if by.id == about.id:
        raise RefusedError("nobody confirms themselves")
    if about.state != JOINED:
        raise RefusedError("this person does not wait for confirmation")
    if about.needs_factor and not about.factors:
        raise RefusedError("this person has not enrolled a second factor yet")


def check_approve(by: Person, authors: Collection[str], before: Collection[str], second_factor: bool) -> None:
    """Somebody may give their word to what others wrote.

    Args:
        authors: the ids of everybody who wrote or changed it.
        before: the ids of who approved it already.
        second_factor: whether theirs is fresh (`is_fresh`).

    Raises:
        RefusedError: the rule that says no.
    """
    if not by.may("approve"):
        raise RefusedError("only an approver approves")
    if by.id in authors:
        raise RefusedError("nobody approves what they wrote")
    if by.id in before:
        raise RefusedError("nobody counts twice")
    if not second_factor:
        raise RefusedError("approving wants a second factor that was shown within ten minutes")


def check_disable(about: Person, coordinators: int, alone_in: Collection[str], *, losing: bool) -> None:
    """Somebody may be disabled.

    Args:
        coordinators: how many are active.
        alone_in: rooms that nobody else holds a key of.
        losing: it was said that what is sealed in those rooms may be lost.

    Raises:
        RefusedError: the rule that says no.
    """
    if about.state == DISABLED:
        raise RefusedError("this person is disabled already")
    if COORDINATOR in about.counting and coordinators <= 1:
        raise RefusedError("the last coordinator cannot be disabled: confirm another one first")
    if alone_in and not losing:
        raise RefusedError(
            "nobody else holds the keys of some rooms: let somebody in first, or say that what is sealed there may be "
            f"lost ({'; '.join(sorted(alone_in))})"
        )


def is_fresh(second_factor: datetime | None, now: datetime) -> bool:
    """Whether a second factor was shown lately enough for what cannot be taken back."""
    return second_factor is not None and timedelta(0) <= now - second_factor <= FRESH

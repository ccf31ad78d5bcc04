"""The desk's door: who is in session, what a form may do, and what stands around every page of the desk.

An endpoint of the desk begins with one line, and gives back what is no session:

    session = await signed_in(request, role=APPROVER, fresh_factor=True)
    if isinstance(session, Response):
        return session

Rules, in order:
1. The cookie is the key: 256 random bits, `__Host-`, HttpOnly, SameSite=Strict, not kept on a shared computer.
2. Changes are POSTs. A POST comes from a page of ours (Origin) and carries its session's token (`{{ hidden() }}` in the
   form): `signed_in` has checked both before it gives back a session, and the form's fields are `session.fields`.
   It acts through `write`, which asks once more who is in session.
3. Somebody with a second factor is in session only after it was shown; somebody whose roles need one gets nowhere
   before it is enrolled; `fresh_factor` wants it shown within ten minutes.
4. Nothing of the desk is kept by a cache or found by a search engine.

Spec: RFC 6265bis §4.1.3.2, Fetch §3.2, Clear Site Data §3.1
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import people as rules
from node import people_keys
from node.errors import ProtocolError, RefusedError
from node.models import people, rooms, sessions
from node.models.organisations import Organisation
from node.models.sessions import OpenSession
from node.people import Person
from node.web.middleware import FORM_POLICY, SCRIPT_POLICY
from node.web.pages import public
from node.web.site import site_of
from node.web.uploads import parse_form, read_body

T = TypeVar("T")
SHARED_SIGN_IN = "/desk/sign-in/shared"
"""The door of a computer that others use: to be kept there as a bookmark."""
SIGN_IN, FACTOR, FACTORS = "/desk/sign-in", "/desk/factor", "/desk/factors"
FORM_TOKEN = "form"
"""The field of a form that carries the session's token."""
SHORT = 16
"""Characters of a session's digest that name it among a person's own."""
_SPEC = "OWASP CSRF"
_MAX_FORM = 64 * 1024
_MAX_FIELDS = 200
_KNOWN = "-known"


@dataclass(frozen=True, slots=True)
class Fields:
    """What a form brought. Fields that are not there are empty."""

    values: Mapping[str, tuple[bytes, ...]] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def one(self, name: str) -> str:
        """The text of a field, without spaces around it."""
        return self.typed(name).strip()

    def typed(self, name: str) -> str:
        """The text of a field as it was typed."""
        return self.file(name).decode("utf-8", "replace")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field: boxes that were ticked."""
        return tuple(each.decode("utf-8", "replace") for each in self.values.get(name, ()))

    def file(self, name: str) -> bytes:
        """The bytes of a field."""
        return next(iter(self.values.get(name, ())), b"")


@dataclass(frozen=True, slots=True)
class Session:
    """One person in session: who, for whom, and what is open to them for the length of this request."""

    person: Person
    organisation: Organisation
    secrets: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Room → what opens what was sealed to it, newest first; only rooms that the person is in."""
    second_factor: datetime | None
    """When it was shown last; `None` for somebody who has none and needs none."""
    key: str = field(repr=False)
    """The person's own secret: opens what was sealed to `person.public`."""
    form: str = field(repr=False)
    """The token that every form of this session carries."""
    row: OpenSession = field(repr=False)
    fields: Fields = field(default_factory=Fields, repr=False)
    """What the form brought, where this is a POST: checked to come from a page of ours."""


async def session_of(request: Request) -> Session | None:
    """Who is in session, with all that it takes; nothing is said to whoever is not."""
    found = await arrival_of(request)
    return found if found is not None and step_of(found) is None else None


async def signed_in(
    request: Request, *, role: str = "", act: str = "", fresh_factor: bool = False, limit: int = _MAX_FORM,
    watched: bool = True,
) -> Session | Response:  # fmt: skip
    """Who is in session and may be here, or the answer that whoever is not gets.

    Args:
        role: a role that must count.
        act: an act of `people.DUTIES` that a role must allow.
        fresh_factor: a second factor must have been shown within ten minutes.
        limit: bytes of the form.
        watched: somebody asked for it; what a script asks for by itself keeps no session alive.
    """
    session = await arrival_of(request, watched=watched)
    if session is None:
        return go(request, SIGN_IN)
    step = step_of(session)
    if step is not None:
        return go(request, step)
    if (role and role not in session.person.counting) or (act and not session.person.may(act)):
        return refused(request, session, "your roles do not allow this", 403)
    if fresh_factor and not rules.is_fresh(session.second_factor, site_of(request).clock()):
        here = request.scope["path"] if request.method in ("GET", "HEAD") else "/desk"
        return go(request, f"{FACTOR if session.person.factors else FACTORS}?next={quote(here)}")
    return await with_form(request, session, limit)


async def arrived(request: Request) -> Session | Response:
    """Whoever gave the right password, before a second factor is shown or enrolled: for the pages that do that."""
    session = await arrival_of(request)
    return go(request, SIGN_IN) if session is None else await with_form(request, session, _MAX_FORM)


def step_of(session: Session) -> str | None:
    """Where somebody must go before they are in session; `None` for who is."""
    if session.person.factors and session.second_factor is None:
        return FACTOR
    if session.person.needs_factor and not session.person.factors:
        return FACTORS
    return None


async def arrival_of(request: Request, *, watched: bool = True) -> Session | None:
    """Whose cookie this is, whatever they still have to show."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return None
    cookie = request.cookies.get(cookie_name(organisation), "")
    if not 20 < len(cookie) < 100:
        return None
    session = await site.database.read(partial(_open, organisation=organisation, cookie=cookie, now=site.clock()))
    # A password alone keeps nothing open.
    whole = watched and session is not None and step_of(session) is None
    if session is not None and whole and sessions.is_to_be_touched(session.row, site.clock()):
        await site.database.write(lambda connection: sessions.touch(connection, session.row, site.clock()))
    return session


def _open(connection: Connection, *, organisation: Organisation, cookie: str, now: datetime) -> Session | None:
    row = sessions.current(connection, people_keys.digest(cookie), now)
    if row is None or row.org != organisation.did:
        return None
    person = people.get(connection, row.org, row.person)
    if person is None or person.state not in (rules.JOINED, rules.ACTIVE):
        return None
    secret = people_keys.reopen(row.sealed, cookie)
    session = Session(
        person=person, organisation=organisation, secrets=MappingProxyType({}), second_factor=row.second_factor,
        key=secret, form=people_keys.form_token(cookie), row=row,
    )  # fmt: skip
    if step_of(session) is not None:
        return session
    return replace(session, secrets=rooms.opened(connection, person, secret))


# --- forms --------------------------------------------------------------------------------------------------------


async def with_form(request: Request, session: Session, limit: int) -> Session | Response:
    """The session with what its form brought; a GET brings nothing."""
    if request.method in ("GET", "HEAD"):
        return session
    try:
        fields = await read_fields(request, session.organisation, limit)
    except ProtocolError as error:
        return refused(request, session, error.reason, error.status)
    if not carries(fields, session):
        return refused(request, session, "this form is not of this session: open the page again", 403)
    return replace(session, fields=fields)


def carries(fields: Fields, session: Session) -> bool:
    """Whether a form bears the token of this session."""
    return people_keys.same(fields.one(FORM_TOKEN), session.form)


async def write(request: Request, session: Session, work: Callable[[Connection], T]) -> T:
    """Do what a form asks, in one transaction in which its sender is still who they were when it began to come: a form
    may take two minutes, and somebody may be disabled meanwhile.

    Raises:
        RefusedError: the session has ended, or the person or their roles have changed.
    """
    now = site_of(request).clock()

    def checked(connection: Connection) -> T:
        row, person = sessions.current(connection, session.row.digest, now), session.person
        if row is None or people.get(connection, person.org, person.id) != person:
            raise RefusedError("your session ended or changed meanwhile: sign in again")
        return work(connection)

    return await site_of(request).database.write(checked)


async def read_fields(request: Request, organisation: Organisation, limit: int = _MAX_FORM) -> Fields:
    """What a form brought that a page of ours sent.

    Raises:
        ProtocolError: another site sent it, or it is no form.

    Spec: Fetch §3.2
    """
    if request.headers.get("origin") != organisation.origin:
        raise ProtocolError("this form was not sent by a page of this node", spec=_SPEC, status=403)
    return await read_form(request, limit)


async def read_form(request: Request, limit: int = _MAX_FORM) -> Fields:
    """What a form brought, whoever sent it: the caller has looked at that.

    Raises:
        ProtocolError: it is no form.

    Spec: URL §5.1, RFC 7578 §4
    """
    body = await read_body(request, limit)
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == "multipart/form-data":
        return Fields(MappingProxyType({name: (value,) for name, value in parse_form(kind, body).items()}))
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise ProtocolError("this is no form", spec="URL §5.1") from error
    found: dict[str, tuple[bytes, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value.encode())
    return Fields(MappingProxyType(found))


# --- answers ------------------------------------------------------------------------------------------------------


def cookie_name(organisation: Organisation) -> str:
    """`__Host-desk`; a plain http origin is one of loopback or of an onion host, where `__Host-` cannot be."""
    return "__Host-desk" if organisation.origin.startswith("https://") else "desk"


def give_cookie(answer: Response, organisation: Organisation, cookie: str, *, shared: bool) -> None:
    """Begin a session in the browser; a shared one is forgotten when the browser is closed."""
    answer.set_cookie(
        cookie_name(organisation), cookie, max_age=None if shared else int(rules.SIGNED_IN / timedelta(seconds=1)),
        path="/", secure=organisation.origin.startswith("https://"), httponly=True, samesite="strict",
    )  # fmt: skip


def browser_of(request: Request, organisation: Organisation) -> str:
    """The token by which this browser is known to somebody of this organisation."""
    return request.cookies.get(cookie_name(organisation) + _KNOWN, "")[:200]


def know_browser(answer: Response, organisation: Organisation, token: str) -> None:
    """So that wrong tries of strangers under this name do not hold up whoever sits here."""
    answer.set_cookie(
        cookie_name(organisation) + _KNOWN, token, max_age=int(rules.BROWSER_KNOWN / timedelta(seconds=1)), path="/",
        secure=organisation.origin.startswith("https://"), httponly=True, samesite="strict",
    )  # fmt: skip


def take_cookie(answer: Response, organisation: Organisation, *, shared: bool) -> None:
    """End it; a shared computer forgets all that it knows of this node."""
    answer.delete_cookie(
        cookie_name(organisation), path="/", secure=organisation.origin.startswith("https://"), httponly=True,
        samesite="strict",
    )  # fmt: skip
    if shared:
        forget(answer)


def forget(answer: Response) -> None:
    """The browser forgets all that it has of this node.

    Spec: Clear Site Data §3.1
    """
    answer.headers["clear-site-data"] = '"cache", "cookies", "storage"'


def go(request: Request, path: str) -> Response:
    """On to another page of ours, or to another organisation's of this node, in the chosen language."""
    choice = site_of(request).languages.chosen(request.query_params.get("lang"))
    if choice:
        path += ("&" if "?" in path else "?") + f"lang={choice}"
    return inert(RedirectResponse(path, 303))


def following(request: Request) -> str:
    """Where to go on to after a second factor: a page of the desk and nothing else."""
    parts = urlsplit(request.query_params.get("next", ""))
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/desk")
    return parts.path if ours and "\\" not in parts.path else "/desk"


def page(
    request: Request, session: Session | None, organisation: Organisation, template: str, *, status: int = 200,
    **views: Any,
) -> Response:  # fmt: skip
    """A page of the desk: its template extends `desk/base.html`, and every form in it holds `{{ hidden() }}`. Only
    whoever is in session is sent the script, and may be.
    """
    answer = public.show(
        site_of(request), request, organisation, template, "", noindex=True, status=status, session=session, **views
    )
    answer.headers["content-security-policy"] = SCRIPT_POLICY if session is not None else FORM_POLICY
    return inert(answer)


def inert(answer: Response) -> Response:
    """Headers of everything on the desk. With `no-referrer` a browser would send forms with `Origin: null`."""
    answer.headers["cache-control"] = "no-store"
    answer.headers["x-robots-tag"] = "noindex"
    answer.headers["referrer-policy"] = "same-origin"
    return answer


def refused(request: Request, session: Session | None, reason: str, status: int = 409) -> Response:
    """A rule said no: one sentence, of the catalogue where it is there."""
    organisation = session.organisation if session is not None else None
    answer = public.show(
        site_of(request), request, organisation, "desk/refused.html", "", noindex=True, status=status,
        session=session, reason=reason,
    )  # fmt: skip
    answer.headers["content-security-policy"] = SCRIPT_POLICY if session is not None else FORM_POLICY
    return inert(answer)


async def host_of(request: Request) -> Organisation | None:
    """Whose desk this is."""
    return await site_of(request).organisation(request)



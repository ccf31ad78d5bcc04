"""What endpoints need, in one frozen value: they read, call and answer, and hold nothing themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node.desk.sign_in import Reception
from node.errors import RefusedError
from node.federation.discovery import Discovery
from node.federation.inbox import Inbox
from node.federation.mirror import Mirror
from node.models import organisations
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.storage import Storage
from node.receipts import Patience
from node.settings import Settings
from node.web.languages import Languages
from node.web.recoveries import Recoveries
from node.web.render import Renderer
from node.web.setups import SetUps
from node.web.turns import Turns
from node.web.uploads import Uploads
from node.web.versions import Versions

WriteCopy = Callable[[Organisation, Path], Awaitable[object]]
CaseRoom = Callable[[Connection, str], str | None]


class Locks:
    """Which organisations of this node are locked, by the host names at which they answer; read once, at the start."""

    def __init__(self, found: Sequence[Organisation] = ()) -> None:
        self._hosts = {each.host for each in found if each.locked is not None}
        self._first = found[0].host if found else ""
        self._own = {each.host for each in found}

    @property
    def any(self) -> bool:
        """Whether there is one: then this node sends nothing and takes nothing in, for anybody."""
        return bool(self._hosts)

    def closes(self, host: str) -> bool:
        """Whether who asks at this host name gets nothing. A name that is nobody's is the first organisation's."""
        return bool(self._hosts) and (host if host in self._own else self._first) in self._hosts

    def close(self, host: str) -> None:
        """From now on."""
        self._hosts.add(host)

    def open(self, host: str) -> None:
        """No longer."""
        self._hosts.discard(host)


def stay() -> None:
    """A node in a test or a command: there is no process to begin anew."""


async def no_copy(organisation: Organisation, folder: Path) -> object:
    """A site in a test that has nothing to write copies with.

    Raises:
        RefusedError: always.
    """
    raise RefusedError("no copy can be written here")


def nobody(connection: Connection, org: str) -> str | None:
    """No case worker anywhere."""
    return None


class Counter:
    """Where confidential requests are handed in and asked after; one for each site. It knows no addresses."""

    def __init__(self) -> None:
        self.requests = Uploads()
        self.answers = Uploads()
        self.patience = Patience()


@dataclass(frozen=True, slots=True)
class Site:
    """One node, as its web pages see it."""

    settings: Settings
    database: Database
    keyring: Keyring
    storage: Storage
    inbox: Inbox
    discovery: Discovery
    """Calls others, for what somebody in session asks for: never while a transaction is open."""
    mirror: Mirror
    languages: Languages
    renderer: Renderer
    clock: Callable[[], datetime]
    uploads: Uploads = field(default_factory=Uploads)
    reception: Reception = field(default_factory=Reception)
    counter: Counter = field(default_factory=Counter)
    case_room: CaseRoom = nobody
    """To whom requests are sealed: the public half of the room "cases", `None` while nobody is case worker."""
    versions: Versions = field(default_factory=Versions)
    packing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a backup is made: one at a time, for each takes as much room on the disk as all that is here."""
    doorstep: Counter = field(default_factory=Counter)
    """Where organisations ask to join, apart from those who ask for help: neither holds the other up."""
    setups: SetUps = field(default_factory=SetUps)
    """Organisations that are being set up in the browser."""
    recoveries: Recoveries = field(default_factory=Recoveries)
    """Organisations that are about to go on under their recovery keys."""
    locks: Locks = field(default_factory=Locks)
    renew: Callable[[], None] = stay
    """Begin the process anew: another organisation lives here, or its keys must leave the memory."""
    write_copy: WriteCopy = no_copy
    """Write the whole public site of an organisation into a folder, as files."""
    searches: Turns = field(default_factory=Turns)
    copied: datetime | None = None
    """The moment of a copy as files, while one is made: exercises, which are the members', are left out of it."""

    async def organisations(self) -> tuple[Organisation, ...]:
        """Everybody who lives here."""
        return await self.database.read(organisations.all_of)

    async def organisation(self, request: Request) -> Organisation | None:
        """Whose pages a request is for: the organisation of its Host, else the first made."""
        found = await self.organisations()
        host = request.headers.get("host", "").lower()
        return next((each for each in found if each.host == host), found[0] if found else None)


def site_of(request: Request) -> Site:
    """The site that this request came to."""
    found = request.app.state.site
    if not isinstance(found, Site):
        raise TypeError("the application has no site")
    return found


async def is_veiled(site: Site) -> bool:
    """Whether this node was restored and shows nothing yet (`veil`)."""
    now = site.clock()
    return await site.database.read(lambda connection: organisations.is_veiled(connection, now))


def problem(status: int, reason: str, spec: str = "") -> Response:
    """A refusal in plain text that names its rule."""
    text = f"{reason} ({spec})\n" if spec else f"{reason}\n"
    headers = {"retry-after": "60"} if status in (429, 503) else None
    return Response(text, status, headers=headers, media_type="text/plain")

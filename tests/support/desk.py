"""People at the desk, over HTTP: a browser without a script, with cookies, forms and a code generator.

    async with Network(tmp_path) as net:
        house = await net.house("a")
        # The first coordinator is active at once; everybody else is invited, joins, and is confirmed by her.
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(house, "Karwan (exercise)", "approver", "author", by=zainab)
        # The form token of the session and the Origin of the node are added.
        answer = await karwan.post("/desk/drafts/7/approve", {"word": "yes"})
        assert answer.status == 303

`join` leaves both signed in with a second factor that is fresh. `karwan.refresh()` shows it again after the clock went
on; `karwan.sign_in()` begins another session. A code counts once, so both move the clock half a minute on where they
must. `karwan.person` is the person as the node knows them now, `secret_of(house, karwan)` their own secret, and
`room_secrets(house, karwan, "cases")` what their session opens. Passwords cost next to nothing here.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from node import people_factors, people_keys
from node.desk import people as desk
from node.models import people, rooms, sessions
from node.people import Person
from node.people_keys import Cost
from tests.support.network import Answer, House

PASSWORD = "four invented words of an exercise"
CHEAP = Cost(64, 1, 1)
_TOKEN = re.compile(r'name="form" value="([0-9a-f]+)"')
_SECRET = re.compile(r'<bdi class="code" lang="" dir="ltr">([A-Z2-7]{32})</bdi>')
_CODE = re.compile(r">([a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4})<")


@dataclass
class Browser:
    """Cookies, and forms of pages that were opened."""

    house: House
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    """The token of the last page with a form: what every form of the session carries."""
    seen: list[Answer] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page; no redirect is followed."""
        return await self._ask("GET", path, b"", {name.replace("_", "-"): value for name, value in headers.items()})

    async def post(
        self, path: str, fields: dict[str, Any] | None = None, *, origin: str | None = None, token: str | None = None
    ) -> Answer:
        """Send a form as a page of the node would. A list is a field that occurs several times.

        Args:
            origin: another site's, to see it refused.
            token: another one, to see it refused.
        """
        values = {**(fields or {}), "form": self.token if token is None else token}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.house.origin if origin is None else origin,
        }
        return await self._ask("POST", path, urlencode(values, doseq=True).encode(), headers)

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        sent = {"Accept-Language": self.language, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.house.network.request(method, self.house.origin + path, body, sent)
        for line in answer.headers.get("set-cookie", "").splitlines():
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        if found := _TOKEN.search(answer.body.decode("utf-8", "replace")):
            self.token = found[1]
        self.seen.append(answer)
        return answer


@dataclass
class Worker(Browser):
    """A browser with a person in front of it."""

    name: str = ""
    id: str = ""
    password: str = PASSWORD
    totp: str = ""
    """The secret in their code generator."""
    codes: list[str] = field(default_factory=list)
    """Recovery codes, on paper."""
    last_step: int = 0

    @property
    def person(self) -> Person:
        """The person as the node knows them now."""
        found = self.house.read(lambda connection: people.get(connection, self.house.did, self.id))
        assert found is not None
        return found

    def code(self) -> str:
        """The next code that counts; the clock is moved by half a minute where it must."""
        step = int(self.house.clock().timestamp()) // people_factors.STEP
        while step <= self.last_step:
            self.house.clock.forward(timedelta(seconds=people_factors.STEP))
            step = int(self.house.clock().timestamp()) // people_factors.STEP
        self.last_step = step
        return people_factors.totp_code(self.totp, self.house.clock())

    async def sign_in(self, *, shared: bool = False, password: str | None = None) -> Answer:
        """Name and password, then the second factor where one is enrolled; the last answer."""
        cheap(self.house)
        fields = {"name": self.name, "password": self.password if password is None else password}
        answer = await self.post("/desk/sign-in", fields | ({"shared": "yes"} if shared else {}))
        if answer.status != 303 or not self.totp:
            return answer
        return await self.refresh()

    async def refresh(self) -> Answer:
        """Show the second factor, so that it is fresh."""
        await self.get("/desk/factor")
        return await self.post("/desk/factor", {"code": self.code()})

    async def enrol(self) -> Answer:
        """Put the offered secret into the code generator and show its code; keeps the recovery codes."""
        page = await self.get("/desk/factors")
        offered = _SECRET.search(page.text)
        assert offered is not None, page.text
        self.totp = offered[1]
        answer = await self.post("/desk/factors/totp", {"code": self.code()})
        self.codes = [unescape(each) for each in _CODE.findall(answer.text)] or self.codes
        return answer


async def join(house: House, name: str, *roles: str, by: Worker | None = None, enrol: bool = True) -> Worker:
    """Invite somebody from the command line; they accept, enrol a code generator, and are confirmed by `by`."""
    cheap(house)
    invitation = await house.write(
        lambda connection: desk.invite(connection, house.organisation, name, roles, house.clock())
    )
    worker = Worker(house=house, name=name, id=invitation.person.id)
    answer = await worker.post(path_of(invitation.link), {"password": worker.password, "again": worker.password})
    assert answer.status == 303, answer.text
    if enrol:
        answer = await worker.enrol()
        assert answer.status == 200, answer.text
    if by is not None:
        answer = await by.post(f"/desk/people/{worker.id}/confirm")
        assert answer.status == 303, answer.text
        await worker.get("/desk")
    return worker


def path_of(link: str) -> str:
    """The path of a link."""
    return "/" + link.split("/", 3)[3]


def cheap(house: House) -> None:
    """New passwords cost next to nothing to try on this node."""
    house.node.reception.cost = CHEAP


def secret_of(house: House, worker: Worker) -> str:
    """The personal secret of somebody in session, as only their cookie opens it."""
    cookie = next(value for name, value in worker.cookies.items() if not name.endswith("-known"))
    row = house.read(lambda connection: sessions.current(connection, people_keys.digest(cookie), house.clock()))
    assert row is not None
    return people_keys.reopen(row.sealed, cookie)


def room_secrets(house: House, worker: Worker, room: str) -> tuple[str, ...]:
    """What the session of somebody opens of a room."""
    return house.read(lambda connection: rooms.secrets(connection, house.did, room, secret_of(house, worker)))

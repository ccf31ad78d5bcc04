"""Ninety nodes, all members of each other, in one process: real sockets on loopback, real databases. No root needed.

They know each other from the start: 8,010 pins over the wire would measure pinning. Heads are compared when the drill
says so, for ninety nodes that do it every minute need more than the two cores of a small machine. An origin that can
reach one member only is one whose settings let it call nobody else.
"""

import asyncio
import json
import logging
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

from click.testing import CliRunner
from sqlalchemy import Connection

from node import alerts as rules
from node.cli import tadamun
from node.desk import alerts as desk
from node.federation import commit
from node.federation.protocol import verification
from node.federation.protocol.activities import parse_activity
from node.federation.protocol.messages import parse_document
from node.federation.protocol.verification import Carrier, Verified
from node.kinds import Surroundings
from node.models import alerts, contacts, deliveries, queues
from node.models.contacts import Member
from node.models.views import View
from tests.drill.field import exercise
from tests.drill.table import Row
from tests.support.network import House, Network

_KEY_ID = re.compile(r'keyId="http://([^/"]+)/')
_STILL = 1.0
"""Seconds in which nobody has anything to do, after which a rumour is over."""
_TRIES = 8


@dataclass
class Crowd:
    """The nodes, what each is, and what is true."""

    network: Network
    chance: Random
    houses: list[House] = field(default_factory=list)
    work: dict[str, list["asyncio.Task[None]"]] = field(default_factory=dict)
    truth: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def gather(self, size: int) -> None:
        """Make them, and let each know all."""
        self.houses = [await self.network.house(f"org{number}", start=False) for number in range(size)]
        entries = [(house, _first_entry(house)) for house in self.houses]
        for house in self.houses:
            await house.write(lambda connection, house=house: self._introduce(connection, house, entries))
        for house in self.houses:
            await self.start(house)

    def _introduce(self, connection: Connection, house: House, entries: Sequence[tuple[House, Verified]]) -> None:
        now = self.network.clock()
        others = [(other, entry) for other, entry in entries if other is not house]
        for other, _ in others:
            contacts.pin(connection, house.did, _member(other, now))
        view = View(connection, house.organisation)
        for other, entry in others:
            commit.commit(view, entry, Surroundings(now, other.organisation.host), pass_on=False)
        view.flush()

    async def start(self, house: House) -> None:
        """Serve, take in and deliver; heads are compared by `catch_up`."""
        await house.start(workers=False)
        await house.node.inbox.refresh()
        await house.node.delivery.start()
        runs = (house.node.inbox.run, house.node.delivery.run)
        self.work[house.did] = [asyncio.create_task(run()) for run in runs]

    async def seize(self, houses: Sequence[House]) -> None:
        """All of them say nothing more from this moment on, whatever was under way, and soon hear nothing."""
        fallen = {task for house in houses for task in (*self.work.pop(house.did), *house.node.delivery._tasks)}
        while fallen:
            for task in fallen:
                task.cancel()
            _, fallen = await asyncio.wait(fallen, timeout=0.2)  # who swallowed it is told again, as in `Node.stop`
        await asyncio.gather(*(house.stop() for house in houses))

    async def publish(self, house: House) -> str:
        """An exercise; its portable id once it is promised."""
        headline = f"EXERCISE {len(self.truth) + 1} of {house.organisation.handle}"
        now = self.network.clock()
        alert = rules.parse_input(exercise(headline, now))
        said = await house.write(
            lambda connection: desk.publish(connection, house.organisation, house.key, alert, now, loopback=True)
        )
        house.node.delivery.wake()
        self.truth[said.portable_id] = (house.did, headline)
        return said.portable_id

    async def spread(self, names: Sequence[str], houses: Sequence[House]) -> tuple[float, int]:
        """Until all hold these, or the rumour is over; seconds to the last news, and how many hold all."""
        began = last = time.monotonic()
        missing = [(house, name) for house in houses for name in names]
        quiet = began
        while missing and time.monotonic() < quiet + _STILL:
            await asyncio.sleep(0.05)
            left = [(house, name) for house, name in missing if not _holds(house, name)]
            if len(left) < len(missing):
                last = time.monotonic()
            if len(left) < len(missing) or any(_busy(house) for house in houses):
                quiet = time.monotonic()
            missing = left
        return last - began, len(houses) - len({house.did for house, _ in missing})

    async def catch_up(self, names: Sequence[str], houses: Sequence[House], not_with: Sequence[House] = ()) -> int:
        """Who lacks something compares heads with one after the other, as its clock would have it do within 75 s."""
        late = [house for house in houses if not all(_holds(house, name) for name in names)]
        for house in late:
            others = [other for other in houses if other is not house and other not in not_with]
            for other in self.chance.sample(others, min(_TRIES, len(others))):
                if all(_holds(house, name) for name in names):
                    break
                await house.sync(other)
        return len(late)

    def sent(self) -> Counter[str]:
        """Bytes of the deliveries that each host has made."""
        found: Counter[str] = Counter()
        for house in self.houses:
            for each in house.exchanges:
                sender = _KEY_ID.search(each.headers.get("signature", ""))
                if each.method == "POST" and sender:
                    found[sender.group(1)] += len(each.body) + sum(len(n) + len(t) + 4 for n, t in each.headers.items())
        return found

    def row(
        self, case: str, names: Sequence[str], survivors: Sequence[House], seconds: float, before: Counter[str],
        remarks: str,
    ) -> Row:  # fmt: skip
        """Ask every survivor, as its operator would."""
        lists = [_listed(house) for house in survivors]
        proved = [{each["portable_id"] for each in found if each["verified"]} for found in lists]
        received = set().union(*proved)
        false = sum(
            each["verified"] and self.truth.get(each["portable_id"]) != (each["author"], each["headline"])
            for found in lists
            for each in found
        )
        sent = self.sent() - before
        return Row(
            case=case, nodes=len(self.houses), left=len(survivors), published=len(names),
            held=min(len(held & set(names)) for held in proved), lost=len(set().union(*(received - h for h in proved))),
            false=false, seconds=seconds, sent=[sent[house.organisation.host] / 1000 for house in self.houses],
            remarks=remarks,
        )  # fmt: skip


async def crowd(size: int, folder: Path, seed: int) -> AsyncIterator[Row]:
    """One link, six in ten seized, all but one seized."""
    async with Network(folder) as network:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # calls to who is being seized break off
        made = Crowd(network, Random(seed))
        await made.gather(size)
        yield await _one_link(made)
        yield await _seized(made)
        yield await _all_but_one(made)


async def _one_link(made: Crowd) -> Row:
    origin, friend, *_ = made.chance.sample(made.houses, 2)
    await made.seize([origin])
    everybody = origin.settings
    only = (ip_network(friend.places[0][0]), ip_network(origin.places[0][0]))
    origin.settings = replace(everybody, allow_networks=only)
    await made.start(origin)
    before = made.sent()
    name = await made.publish(origin)
    seconds, held = await made.spread([name], made.houses)
    late = await made.catch_up([name], made.houses, [origin])
    remarks = f"{held} of {len(made.houses)} by rumour alone, {late} by comparing heads"
    row = made.row(f"a: {len(made.houses)} nodes, one link", [name], made.houses, seconds, before, remarks)
    await made.seize([origin])
    origin.settings = everybody
    await made.start(origin)
    return row


async def _seized(made: Crowd) -> Row:
    victims = made.chance.sample(made.houses, round(0.6 * len(made.houses)))
    survivors = [house for house in made.houses if house not in victims]
    before = made.sent()
    name = await made.publish(victims[0])
    began = time.monotonic()
    while not any(_holds(house, name) for house in survivors) and time.monotonic() < began + 10:
        await asyncio.sleep(0.01)
    had = sum(_holds(house, name) for house in survivors)
    await made.seize(victims)
    seconds, held = await made.spread([name], survivors)
    late = await made.catch_up([name], survivors)
    remarks = f"{had} of {len(survivors)} had it then, {held} by rumour, {late} by comparing heads"
    row = made.row(f"d: {len(victims)} of {len(made.houses)} seized", [name], survivors, seconds, before, remarks)
    for house in victims:
        await made.start(house)
    await made.catch_up([name], made.houses, victims)  # from those who stayed: the others know no more than they do
    return row


async def _all_but_one(made: Crowd) -> Row:
    authors = made.chance.sample(made.houses, 4)
    before = made.sent()
    names = [await made.publish(author) for author in authors]
    seconds, held = await made.spread(names, made.houses)
    late = await made.catch_up(names, made.houses)
    last = made.chance.choice([house for house in made.houses if house not in authors])
    await made.seize([house for house in made.houses if house is not last])
    known = [*made.truth]
    answers = [(await last.get(f"/alerts/{_page(last, name)}")).status for name in known]
    remarks = f"{held} by push and rumour, {late} by comparing heads; the last one shows {answers.count(200)} pages"
    size = len(made.houses)
    return made.row(f"{size - 1} of {size} seized", known, [last], seconds, before, remarks)


def _first_entry(house: House) -> Verified:
    raw = house.entries(house.did)[0].raw or b""
    return verification.verify_activity(parse_activity(parse_document(raw)), Carrier(None, replica=True))


def _member(other: House, now: Any) -> Member:
    of = other.organisation
    return Member(
        did=of.did, uri=of.uri, handle=of.address, name=of.name, inbox=of.origin + "/inbox", recovery=of.recovery,
        listed=True, state=contacts.MEMBER, frozen_epoch=None, frozen_sequence=None, successor=None, pinned=now,
        synced=now,
    )  # fmt: skip


def _holds(house: House, name: str) -> bool:
    return house.read(lambda connection: alerts.find(connection, house.did, name)) is not None


def _busy(house: House) -> bool:
    """Whether something is to be judged here, or to be delivered by now."""
    now = house.clock()
    return house.node.delivery._count > 0 or house.read(
        lambda connection: queues.waiting(connection) > 0 or deliveries.is_due(connection, now)
    )


def _page(house: House, name: str) -> str:
    found = house.read(lambda connection: alerts.find(connection, house.did, name))
    return found.page if found else ""


def _listed(house: House) -> list[dict[str, Any]]:
    done = CliRunner().invoke(tadamun, ["alert", "list", "--data", str(house.data), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found

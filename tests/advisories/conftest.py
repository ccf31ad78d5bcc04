"""The stage on which each advisory is tried."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.advisories.stage import Scene
from tests.support.letters import (
    Person,
    Portable,
    follow,
    pin,
)
from tests.support.network import Network


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    async with Network(tmp_path) as made:
        yield made


@pytest.fixture
async def scene(net: Network) -> Scene:
    house = await net.house("org", start=False)
    await house.start(workers=False)
    made = Scene(
        net,
        house,
        Person("amal", "peer.example", 1),
        Person("badr", "peer.example", 2),
        Person("mallory", "evil.example", 3),
        Portable("member", "member.example"),
        Portable("other", "other.example"),
    )
    await follow(house, made.amal, made.badr, made.mallory)
    await pin(house, made.member, made.other)
    assert (await made.hear(made.amal, "Create", made.amal.note()))[1] == "accepted"
    return made

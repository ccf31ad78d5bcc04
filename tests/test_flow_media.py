"""A picture goes round with its alert: it outlives its node, comes from whoever has it, and goes when the text goes."""

import time
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node import alerts, evidence, media
from node.desk import alerts as desk
from node.desk import pictures
from node.errors import RefusedError
from node.federation.media import _FAULT
from node.models import documents, organisations
from node.models import media as rows
from tests.support.network import Network, Served, example, page_of, path_of, wait_until
from tests.support.pictures import SECRETS, camera, developed, shot
from tests.test_flow_trust import follow

ACTIVITY = "application/activity+json"


@pytest.fixture(autouse=True)
def photo(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(camera())
    (tmp_path / "other.jpg").write_bytes(camera(2))


def files_of(number=1):
    return [each.medium.digest for each in developed(camera(number))]


async def statuses(house, digests):
    return [(await house.get(media.path(digest))).status for digest in digests]


async def has(house, digests, status=200):
    return await statuses(house, digests) == [status] * len(digests)


async def test_a_picture_reaches_every_member_and_outlives_its_node(tmp_path):
    digests = files_of()
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        late = await net.house("late", start=False)
        said = await a.publish(status="actual", media=[shot()])
        assert await has(a, digests)
        await wait_until(lambda: has(b, digests), "the picture has come to b")
        answer = await b.get(media.path(digests[0]))
        assert media.digests.multibase(answer.body) == digests[0]
        assert {name: answer.headers[name] for name in ("content-type", "x-content-type-options", "etag")} == {
            "content-type": "image/jpeg",
            "x-content-type-options": "nosniff",
            "etag": f'"{digests[0]}"',
        }
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert "immutable" in answer.headers["cache-control"]
        for accept in ("application/activity+json", "text/html", "application/ld+json"):
            asked = await b.get(media.path(digests[0]), Accept=accept)
            assert (asked.status, asked.headers["content-type"]) == (200, "image/jpeg"), "it is a picture for everybody"
        cached = await b.get(media.path(digests[0]), If_None_Match=answer.headers["etag"])
        assert (cached.status, cached.body) == (304, b"")
        head = await net.request("HEAD", b.origin + media.path(digests[0]), b"", {})
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))
        assert not any(secret in each.answer for each in (*a.exchanges, *b.exchanges) for secret in SECRETS)
        page = (await b.get(page_of(said), Accept="text/html", Accept_Language="en")).text
        assert f'<a href="{media.path(digests[0])}"><img src="{media.path(digests[1])}" alt="باب مغلق (تدريب)"' in page
        assert 'loading="lazy"' in page and "The whole picture: " in page and "kilobytes" in page
        # the origin is gone; who comes now gets log and picture from b
        await late.start(workers=False)
        await late.pin(a)
        await late.pin(b)
        await b.pin(late)
        await a.stop()
        await late.sync(b)
        early = (await late.get(page_of(said), Accept="text/html", Accept_Language="en")).text
        assert "has not reached this node yet" in early and "<img" not in early
        await late.stop()
        await late.start()
        await wait_until(lambda: has(late, digests), "the picture has come from b, for a is gone")
        assert (await late.get(media.path(digests[0]))).body == answer.body
        assert not any(path.name not in digests for path in (late.data / "media").iterdir())
        assert {path.stat().st_mode & 0o777 for path in (late.data / "media").iterdir()} == {0o600}


async def test_wrong_bytes_of_a_member_are_dropped_told_and_asked_for_elsewhere(tmp_path):
    digests = files_of()
    wrong = developed(camera(7))[0].raw
    asked = []

    async def lie(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(wrong, media_type="image/jpeg")

    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", media=[shot()])
        await wait_until(lambda: has(b, digests), "the picture has come to b")
        c = await net.house("c", start=False)
        await c.start(workers=False)
        for each in (a, b):
            await c.pin(each)
        await b.pin(c)
        place = a.places[0]
        await a.stop()
        liar = Served(Starlette(routes=[Route("/{rest:path}", lie)]), [place])  # where the author was
        await liar.ready()
        net.others.append(liar)
        await c.sync(b)
        await c.stop()
        await c.start()
        await wait_until(lambda: has(c, digests), "the picture has come from b")
        assert media.path(digests[0]) in asked
        assert await c.holds(said)
        found = c.read(lambda connection: documents.evidence_of(connection, c.did))
        assert [(each.kind, each.did, each.via, each.note) for each in found if each.kind == evidence.FORGED] == [
            (evidence.FORGED, a.did, a.organisation.host, _FAULT)
        ]
        assert wrong not in [path.read_bytes() for path in (c.data / "media").iterdir()]


async def test_a_withdrawn_picture_is_served_nowhere_and_destroyed_with_the_text(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        first = await a.publish(status="actual", media=[shot(), shot("other.jpg")])
        second = await a.publish(status="actual", media=[shot("other.jpg")])
        ours, shared = files_of(1), files_of(2)
        await wait_until(lambda: has(b, ours + shared), "the pictures have come")
        await a.withdraw(first.id)
        assert await has(a, ours, 410)
        await wait_until(lambda: has(b, ours, 410), "the withdrawal has come")
        for house in (a, b):
            assert await has(house, shared), "another alert that is shown needs it"
            assert all((house.data / "media" / name).exists() for name in ours), "it may be contested"
        net.clock.forward(timedelta(hours=73))
        for house in (a, b):
            await house.node.mirror._destroy_due()
        for house in (a, b):
            folder = house.data / "media"
            await wait_until(lambda folder=folder: {p.name for p in folder.iterdir()} == set(shared), "it is destroyed")
            assert await has(house, shared)
            assert await house.holds(second)


async def test_what_an_update_leaves_out_is_hidden_at_once_and_what_it_adds_comes(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="exercise", media=[shot()])
        await wait_until(lambda: has(b, files_of(1)), "the first picture has come")
        await a.update(said.id, status="exercise", media=[shot("other.jpg")])
        await wait_until(lambda: has(b, files_of(2)), "the second picture has come")
        assert await has(a, files_of(1), 404) and await has(b, files_of(1), 404)
        note = (await b.get(path_of(said.id), Accept=ACTIVITY)).json()
        assert [each["digestMultibase"] for each in note["attachment"]] == files_of(2)[:1]
        net.clock.forward(timedelta(hours=73))
        await b.node.porter.sweep()
        assert {path.name for path in (b.data / "media").iterdir()} == set(files_of(2))


async def test_a_freeze_that_gives_texts_back_gives_pictures_back(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", media=[shot()])
        good = a.head(a.did)
        await wait_until(lambda: has(b, files_of()), "the picture has come")
        await a.withdraw(said.id)
        await wait_until(lambda: has(b, files_of(), 410), "the withdrawal has come")
        assert await b.freeze(a.did, good[1])
        assert await has(b, files_of()) and await b.holds(said)
        net.clock.forward(timedelta(hours=73))
        await b.node.mirror._destroy_due()
        await b.node.porter.sweep()
        assert await has(b, files_of())
        await b.freeze(a.did, 1)
        assert await has(b, files_of(), 404), "the alert itself stands past the freeze"


async def test_nothing_is_fetched_for_strangers_and_nothing_beyond_the_room(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        b.node.porter._limit = 100
        await a.publish(status="actual", media=[shot()])
        await wait_until(
            lambda: b.read(lambda connection: rows.wanted(connection, b.did)) == 2, "b knows what it lacks"
        )
        await b.node.porter._fetch(b.organisation, _due(b))
        assert not [each for each in a.exchanges if "/hl:" in each.path]
        assert not (b.data / "media").exists()


async def test_what_a_followed_stranger_shows_is_not_fetched(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.house("a"), await net.house("b")
        await follow(b, a)
        said = await a.publish(status="actual", translations={}, media=[shot()])
        await wait_until(
            lambda: b.read(lambda connection: documents.stored(connection, b.did, said.portable_id)), "the alert came"
        )
        assert b.read(lambda connection: rows.wanted(connection, b.did)) == 0
        assert b.read(rows.names) == frozenset()


def _due(house):
    found = house.read(lambda connection: rows.due(connection, house.did, house.clock() + timedelta(days=1), 1, 99))
    return found[0]


async def test_a_picture_that_the_disk_lost_or_changed_is_fetched_again(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await a.publish(status="actual", media=[shot()])
        full, small = files_of()
        await wait_until(lambda: has(b, [full, small]), "the picture has come")
        (b.data / "media" / full).write_bytes(b"\xff\xd8\xff exercise")
        assert (await b.get(media.path(full))).status == 404
        await wait_until(lambda: has(b, [full]), "it has come again")
        (b.data / "media" / small).unlink()
        await b.node.porter.sweep()
        await wait_until(lambda: has(b, [small]), "the other has come again")


async def test_what_a_refused_alert_left_on_the_disk_goes_but_not_while_a_log_is_pulled_back(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a", start=False)
        full, small = developed(camera())
        a.node.storage.put(full.medium.digest, full.raw)
        with pytest.raises(RefusedError, match="names 0 pictures"):
            await a.write(lambda connection: _publish_wrongly(connection, a, (full, small)))
        assert a.read(rows.names) == frozenset()
        a.node.porter._wall = lambda: time.time() + 3600
        await a.write(lambda connection: organisations.set_hold(connection, a.did, "restored"))
        await a.node.porter.sweep()
        assert len(list((a.data / "media").iterdir())) == 2
        await a.write(lambda connection: organisations.set_hold(connection, a.did, ""))
        await a.node.porter.sweep()
        assert not list((a.data / "media").iterdir())


def _publish_wrongly(connection, house, pair):
    kept = pictures.keep(connection, house.organisation, house.node.storage, [pair], house.clock())
    alert = alerts.parse_input(example(translations={}))
    desk.publish(connection, house.organisation, house.key, alert, house.clock(), loopback=True, pictures=kept)

"""Pictures of what waits for a second word: sealed with the text, seen in session, published or destroyed with it."""

import base64

import pytest

from node import alerts as alert_rules
from node import approvals as rules
from node import media
from node.desk import approvals as desk
from node.desk import sealed_alerts, waiting_pictures
from node.errors import RefusedError
from node.models import approvals as rows
from node.models import media as media_rows
from tests.support.network import Network, example, wait_until
from tests.support.pictures import camera, developed, shot
from tests.test_flow_approval_pages import TICKS, digest_in
from tests.test_flow_approvals import ask, named, office, speak, state, word

HEADERS = {
    "content-type": "image/jpeg",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
}
ALT = "A closed door (exercise)"


def found(number=1):
    return developed(camera(number))


async def ask_with(house, value, *numbers, **more):
    shots = [shot(f"{number}.jpg") for number in numbers]
    return await ask(house, {**value, "media": shots}, pictures=[found(number) for number in numbers], **more)


async def test_whoever_approves_sees_each_picture_and_it_is_published_with_the_text(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        request = await ask_with(house, example(status="actual"), 1, 2)
        path = f"/desk/approvals/{request.id}"
        full, small = found(2)
        for person in (karwan, hana):
            page = (await person.get(path)).text
            assert ALT in page and "Nobody can be seen" in page and f"{path}/small/2" in page
            whole = await person.get(f"{path}/full/2")
            assert (whole.status, whole.body) == (200, full.raw)
            assert (await person.get(f"{path}/small/2")).body == small.raw
            assert {name: whole.headers[name] for name in HEADERS} == HEADERS
        assert (await hana.get(f"{path}/full/3")).status == 404
        assert (await house.get(f"{path}/full/1")).status == 303
        for each in (full, small):
            assert (await house.get(media.path(each.medium.digest))).status == 404
            assert each.raw[20:80] not in house.files() and base64.b64encode(each.raw)[20:80] not in house.files()
        for person in (karwan, hana):
            page = (await person.get(path)).text
            assert (await person.post(path, {"word": "yes", "digest": digest_in(page), **TICKS})).status == 303
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")
        for number in (1, 2):
            for each in found(number):
                answer = await house.get(media.path(each.medium.digest))
                assert (answer.status, answer.body) == (200, each.raw)
        assert (await hana.get(f"{path}/full/1")).status == 404, "once it is public it is looked at there"


async def test_a_sister_sees_thumbnails_in_her_own_session(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("one")
        sister, _, (theirs, _) = await office(network, "two")
        await network.befriend(house, sister)
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [sister.did], house.clock())
        )
        await ask_with(house, named(), 1)

        async def asked():
            page = (await theirs.get("/desk/approvals")).text
            return page.partition('href="/desk/sisters/')[2].partition('"')[0].partition("?")[0]

        path = "/desk/sisters/" + await wait_until(asked, "the sister sees it")
        page = (await theirs.get(path)).text
        assert ALT in page and f'<img src="{path}/pictures/1"' in page
        answer = await theirs.get(f"{path}/pictures/1")
        assert (answer.body, answer.headers["cache-control"]) == (found()[1].raw, "no-store")
        assert (await theirs.get(f"{path}/pictures/2")).status == 404
        assert (await sister.get(f"{path}/pictures/1")).status == 303


async def test_with_a_no_or_a_refusal_they_are_destroyed(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        refused = await ask_with(house, example(status="actual"), 1)
        no = word(refused.digest, verdict="no", ticks=(), reason="EXERCISE a face")
        assert await speak(house, hana, refused.id, no) == rules.REFUSED
        late = await ask_with(house, example(status="actual"), 2, replaces=f"ap+ef61://{house.did}/objects/gone")
        for person in (karwan, hana):
            await speak(house, person, late.id)
        await wait_until(lambda: state(house, late.id) == rules.REFUSED, "what it replaces is not there")
        for request in (refused, late):
            assert house.read(lambda connection, id=request.id: rows.find(connection, house.did, id)).package is None
        for number in (1, 2):
            for each in found(number):
                assert (await house.get(media.path(each.medium.digest))).status == 404
        assert house.read(lambda connection: connection.execute(media_rows.media.select()).all()) == []


async def test_what_does_not_fit_the_text_is_refused_before_anything_is_kept(tmp_path):
    async with Network(tmp_path) as network:
        house = await network.house("one")
        value = example(status="actual", media=[shot()])
        with pytest.raises(RefusedError, match="names 1 pictures, 0 are here"):
            await ask(house, value)
        with pytest.raises(RefusedError, match="R5: an alert for members only"):
            await ask(house, {**value, "audience": "network"}, pictures=[found()])
        given = alert_rules.parse_input(example(audience="network", media=[shot()]))
        with pytest.raises(RefusedError, match="R5: an alert for members only"):
            await house.write(
                lambda connection: sealed_alerts.publish(
                    connection, house.organisation, house.key, given, house.clock(), approved=True
                )
            )
        assert house.read(lambda connection: rows.of_state(connection, house.did, *rules.STATES)) == ()


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (None, 0),
        ("x", 0),
        ([7, "!", base64.b64encode(b"<svg>").decode(), "x" * 50_000], 4),
        ([base64.b64encode(found()[1].raw).decode()] * 9, 4),
    ],
)
def test_what_a_sister_sends_is_looked_at_like_a_strangers(given, number):
    shown = waiting_pictures.parse_thumbnails(given)
    assert len(shown) == number and all(raw in (b"", found()[1].raw) for raw in shown)

"""A second word among real people and real nodes: who may give it, what they see, and when something goes out."""

from datetime import timedelta

import pytest

from node import approvals as rules
from node.approvals import Word
from node.desk import approvals as desk
from node.errors import RefusedError
from node.models import approvals as rows
from tests.support.desk import join, room_secrets
from tests.support.network import Network, example, wait_until

NAME = "EXERCISE Amal Invented"
CONSENT = {"given_by": "self", "how": "signed", "level": "public-anonymised", "valid_until": "2027-06-30"}
TICKED = frozenset(rules.TICKS)


def named(**changes):
    """An alert that names somebody, with all that it needs."""
    consent = {**CONSENT, "level": "public-named"}
    subject = {"name": NAME, "kind": "person", "publication_level": "named"}
    return example(**{"status": "actual", "subjects": [subject], "consent": consent, **changes})


def word(digest="", verdict="yes", ticks=TICKED, reason=""):
    return Word("", "", verdict, digest, frozenset(ticks), reason, rules.datetime.min)


async def ask(house, value, author=rules.SHELL, **more):
    asked = await house.write(
        lambda connection: desk.ask(
            connection, house.organisation, house.key, author, value, house.clock(), **more
        )
    )
    house.node.delivery.wake()
    return asked.row.request


async def look(house, person, name):
    secrets = room_secrets(house, person, "approvals")
    return await house.write(
        lambda connection: desk.look(connection, house.organisation, person.person, name, secrets)
    )


async def speak(house, person, name, said=None, *, fresh=True):
    brief = await look(house, person, name)
    said = said or word(brief.row.request.digest)
    secrets = room_secrets(house, person, "approvals")
    row = await house.write(
        lambda connection: desk.speak(
            connection, house.organisation, person.person, name, said, secrets, house.clock(), fresh=fresh
        )
    )
    return row.request.state


def state(house, name):
    return house.read(lambda connection: rows.find(connection, house.did, name)).request.state


async def office(network, handle):
    """A node with a coordinator and two approvers."""
    house = await network.house(handle)
    boss = await join(house, "Zainab (exercise)", "coordinator")
    people = [await join(house, f"{name} (exercise)", "approver", by=boss) for name in ("Karwan", "Hana")]
    return house, boss, people


async def test_two_others_say_yes_and_it_goes_out_by_itself(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        request = await ask(house, example(status="actual"), author=karwan.person.id)
        with pytest.raises(RefusedError, match="the author does not approve"):
            await speak(house, karwan, request.id)
        with pytest.raises(RefusedError, match="not looked at yet .place"):
            await speak(house, hana, request.id, word(request.digest, ticks=TICKED - {"place"}))
        with pytest.raises(RefusedError, match="second factor"):
            await speak(house, hana, request.id, fresh=False)
        assert await speak(house, hana, request.id) == rules.WAITING
        with pytest.raises(RefusedError, match="nobody counts twice"):
            await speak(house, hana, request.id)
        other = await join(house, "Sara (exercise)", "approver", by=_)
        assert await speak(house, other, request.id) == rules.READY
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")
        outcome = house.read(lambda connection: rows.find(connection, house.did, request.id)).outcome
        assert (await house.get("/alerts")).text.count("/alerts/") >= 1 and outcome.startswith("ap+ef61://")


async def test_what_waits_lies_sealed_and_a_coordinator_without_the_room_sees_nothing(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (_, hana) = await office(network, "one")
        narrative = "EXERCISE words that nobody finds on a disk"
        request = await ask(house, example(status="actual", narrative=narrative))
        assert (await look(house, hana, request.id)).shown["narrative"] == narrative
        assert narrative.encode() not in house.files()
        for path in (house.data / "keys").iterdir():
            assert narrative.encode() not in path.read_bytes()
        with pytest.raises(RefusedError, match="does not open it"):
            await house.write(
                lambda connection: desk.look(connection, house.organisation, hana.person, request.id, ())
            )


async def test_a_no_ends_it_and_a_changed_text_is_asked_for_again(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        first = await ask(house, example(status="actual"))
        await speak(house, hana, first.id)
        again = await ask(house, example(status="actual", narrative="EXERCISE other words"), thread=first.id)
        assert state(house, first.id) == rules.CANCELLED
        brief = await look(house, hana, again.id)
        assert set(brief.changed) == {"narrative"} and brief.words == ()
        with pytest.raises(RefusedError, match="another text"):
            await speak(house, hana, again.id, word(first.digest))
        with pytest.raises(RefusedError, match="a no says why"):
            await speak(house, karwan, again.id, word(again.digest, "no"))
        assert await speak(house, karwan, again.id, word(again.digest, "no", reason="EXERCISE")) == rules.REFUSED


async def test_a_named_person_needs_a_sisters_word_given_sealed_from_another_node(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (_, hana) = await office(network, "one")
        sister, _, (theirs, _) = await office(network, "two")
        await network.befriend(house, sister)
        with pytest.raises(RefusedError, match="must be a sister"):
            await ask(house, named())
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [sister.did], house.clock())
        )
        request = await ask(house, named())
        secrets = room_secrets(sister, theirs, "approvals")

        def asked(connection):
            return desk.sister_requests(connection, sister.organisation, secrets, sister.clock())

        found = await wait_until(lambda: sister.read(asked), "the sister is asked")
        assert found[0].shown["subjects"][0]["name"] == NAME and not found[0].answered
        assert await speak(house, hana, request.id) == rules.WAITING
        await sister.write(
            lambda connection: desk.answer_sister(
                connection, sister.organisation, sister.key, theirs.person, found[0].letter, word(), secrets,
                sister.clock(), fresh=True,
            )
        )  # fmt: skip
        sister.node.delivery.wake()
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")
        assert sister.read(asked)[0].answered
        said = house.read(lambda connection: rows.words_of(connection, house.did, request.id))
        assert {each.org for each in said} == {house.did, sister.did}
        assert theirs.person.id not in {each.by for each in said}


async def test_an_emergency_goes_out_on_one_word_and_a_sister_looks_at_it(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (_, hana) = await office(network, "one")
        sister, _, (theirs, _) = await office(network, "two")
        await network.befriend(house, sister)
        await house.write(
            lambda connection: desk.name_standbys(connection, house.organisation, [sister.did], house.clock())
        )
        request = await ask(house, named())
        secrets = room_secrets(house, hana, "approvals")

        async def override(reason):
            return await house.write(
                lambda connection: desk.override(
                    connection, house.organisation, house.key, hana.person, request.id, reason, secrets, house.clock(),
                    fresh=True,
                )
            )  # fmt: skip

        with pytest.raises(RefusedError, match="must have said yes"):
            await override("EXERCISE: she is taken away right now")
        await speak(house, hana, request.id)
        with pytest.raises(RefusedError, match="write the reason"):
            await override("now")
        await override("EXERCISE: she is taken away right now")
        house.node.delivery.wake()
        await wait_until(lambda: state(house, request.id) == rules.PUBLISHED, "it is published")
        room = room_secrets(sister, theirs, "approvals")

        def reviews(connection):
            found = desk.sister_requests(connection, sister.organisation, room, sister.clock())
            return [each for each in found if each.review]

        found = await wait_until(lambda: sister.read(reviews), "the sister is asked to look at it")
        await sister.write(
            lambda connection: desk.answer_sister(
                connection, sister.organisation, sister.key, theirs.person, found[0].letter, word(), room,
                sister.clock(), fresh=True,
            )
        )  # fmt: skip
        sister.node.delivery.wake()

        def looked_at(connection):
            return rows.find(connection, house.did, request.id).review_by is None

        await wait_until(lambda: house.read(looked_at), "it was looked at")


async def test_consent_that_runs_out_before_the_last_word_stops_it(tmp_path):
    async with Network(tmp_path) as network:
        house, _, (karwan, hana) = await office(network, "one")
        soon = house.clock() + timedelta(hours=1)
        consent = {**CONSENT, "valid_until": f"{soon:%Y-%m-%dT%H:%M:%SZ}"}
        request = await ask(house, example(status="actual", consent=consent))
        await speak(house, hana, request.id)
        network.clock.forward(timedelta(hours=2))
        await karwan.refresh()
        await speak(house, karwan, request.id)
        await wait_until(lambda: state(house, request.id) == rules.REFUSED, "it is refused")
        row = house.read(lambda connection: rows.find(connection, house.did, request.id))
        assert row.outcome.startswith("R1") and row.package is None


def test_what_is_asked_is_a_list_of_what_is_shown():
    target = {"office": "x", "country": "XX", "phone": "SECRET"}
    value = named(sources=["SECRET"], notes="SECRET", place_full="SECRET", targets=[target])
    value["subjects"][0]["contact"] = "SECRET"
    value["consent"]["withdrawal_contact"] = "SECRET"
    assert "SECRET" not in str(rules.brief(value))

"""What dishonest members try with working groups: words in others' names, others' logs, a host's place, floods."""

import pytest

from node import announcements
from node import group_entries as entries
from node import letters as letter_rules
from node.desk import group_hosts, groups, networks
from node.desk import network_sheets as sheets
from node.errors import RefusedError
from node.federation import letters, outbox, trust
from node.federation.outbox import Audience, Speech
from node.federation.protocol import integrity_proofs
from node.federation.protocol.activities import PUBLIC
from node.groups import MOST_BY_ONE
from node.models import contacts, logs, rooms
from node.models import groups as updates
from node.models.views import View
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act, found, state

NAMES = {"en": "EXERCISE group"}


async def begun(house, network, *hosts, handle="women"):
    keyring = house.node.keyring

    def begin(mine):
        digest, _ = groups.found(mine, network, NAMES, handle, hosts)
        group_hosts.open_actor(mine, keyring, digest)
        return digest

    return await act(house, begin)


async def three(net):
    """A network of three, of whom the third is not in the group."""
    one, two, other = await net.members("one", "two", "other")
    network = await found(one, two, "EXERCISE network")
    sheet = await act(one, lambda mine: networks.invite(mine, network))
    answer = await act(other, lambda mine: networks.accept(mine, sheet))
    candidate = sheets.read_answer(sheets.written(answer).encode())
    await act(one, lambda mine: networks.vouch(mine, network, candidate))
    await wait_until(lambda: state(two, network).candidates, "the second hears of it")
    await act(two, lambda mine: networks.vouch(mine, network, other.did))
    await wait_until(lambda: other.did in state(other, network).members, "it is in")
    digest = await begun(one, network, two.did)
    await wait_until(lambda: digest in state(two, network).groups, "the group is known")
    await act(two, lambda mine: groups.join(mine, digest))
    await wait_until(lambda: two.did in state(one, network).groups[digest].roles, "the second is in it")
    await wait_until(lambda: digest in state(other, network).groups, "the third knows of it")
    return one, two, other, network, digest


def heard(house, network, digest):
    def read(connection):
        secrets = rooms.network_secrets(connection, house.did, house.node.keyring)
        return groups.history(connection, house.did, state(house, network).groups[digest], secrets)

    return house.read(read)


def entry(house, network, digest, text):
    says = {"title": "", "text": text, "cites": []}
    value = entries.render(network, digest, "post", house.did, "", "en", says, house.clock())
    return integrity_proofs.sign(value, house.key, outbox.log_method(house.key), house.clock())


async def write(house, digest, values, *to):
    await act(house, lambda mine: letters.send(
        mine.connection, mine.organisation, mine.key, letter_rules.GROUP, digest, {"entries": values}, to, mine.now,
        token=outbox.token()))  # fmt: skip


async def test_words_of_who_is_not_in_the_group_and_in_others_names_are_not_shown(tmp_path):
    async with Network(tmp_path) as net:
        one, two, other, network, digest = await three(net)
        with pytest.raises(RefusedError, match="not in that working group"):
            await act(other, lambda mine: groups.speak(mine, digest, "post", {"title": "", "text": "x", "cites": []}))
        true = entry(two, network, digest, "EXERCISE true")
        forged = true | {"says": {"title": "", "text": "EXERCISE forged"}}
        named = entry(other, network, digest, "EXERCISE named") | {"author": two.did}
        elsewhere = entry(two, network, network, "EXERCISE of another group")
        rubbish = [1, None, "x", {"author": other.did}, {**true, "more": 1}]
        await write(other, digest, [entry(other, network, digest, "EXERCISE outside"), forged, named], one.did)
        await write(other, digest, [elsewhere, *rubbish, true], one.did)
        await wait_until(lambda: heard(one, network, digest), "what is true is there, whoever brought it")
        [only] = heard(one, network, digest)
        assert (only.entry.text, only.entry.author, only.by) == ("EXERCISE true", two.did, other.did)


async def test_nobody_announces_for_a_group_but_its_actor_and_nothing_but_what_is_held(tmp_path):
    async with Network(tmp_path) as net:
        one, two, other, network, digest = await three(net)
        actor = state(one, network).groups[digest].actor
        await wait_until(lambda: one.did and _pinned(two, actor.did) and _pinned(other, actor.did), "its log is kept")
        made = await act(two, lambda mine: groups.publish(mine, digest, "", "EXERCISE: to everyone"))
        note = next(iter(_updates(two, actor.did, updates.NAMED) or _updates(two, actor.did, updates.ANNOUNCED)))
        await wait_until(lambda: _updates(other, actor.did, updates.ANNOUNCED), "it is announced")
        # A member that is not in the group names it as its audience: its host passes that over.
        await act(other, lambda mine: outbox.publish(mine.connection, mine.organisation, mine.key, _speech(
            mine, group_hosts.uri_of(mine.organisation.origin, actor)), mine.now))
        # And it announces something itself.
        note_digest = "zQmWvQxTqbG2Z9HPJgG57jjwR154cKhbtJenbyYTWkjgF3e"
        with pytest.raises(RefusedError, match="no working group of ours"):
            await act(other, lambda mine: _announce(mine, made.object_id, note_digest))
        await act(two, lambda mine: groups.publish(mine, digest, "", "EXERCISE: the second"))
        await wait_until(lambda: len(_updates(other, actor.did, updates.ANNOUNCED)) == 2, "the second is announced")
        assert len(_updates(one, actor.did, updates.ANNOUNCED)) == 2
        assert note.author == two.did and not _updates(one, other.did, updates.ANNOUNCED)
        assert not _updates(two, other.did, updates.ANNOUNCED)
        # Lists that are made anew from the logs make the host say nothing twice.
        said = _announced(one, actor.did)
        for house in (one, other):
            for did in (two.did, one.did, other.did):
                await house.write(lambda connection, did=did, house=house: trust.rebuild(
                    View(connection, house.organisation), did, house.clock()))
        assert len(_updates(other, actor.did, updates.ANNOUNCED)) == 2
        await one.node.convener.work_once()
        assert _announced(one, actor.did) == said and len(said) == 2
        assert len(_updates(one, actor.did, updates.ANNOUNCED)) == 2


async def test_what_its_author_deletes_is_taken_back_by_the_group(tmp_path):
    async with Network(tmp_path) as net:
        one, two, other, network, digest = await three(net)
        actor = state(one, network).groups[digest].actor
        await wait_until(lambda: _pinned(other, actor.did), "its log is kept")
        made = await act(two, lambda mine: groups.publish(mine, digest, "", "EXERCISE zq-withdrawn"))
        await wait_until(lambda: _updates(other, actor.did, updates.ANNOUNCED), "it is announced")
        await act(two, lambda mine: groups.unpublish(mine, made.object_id))
        await wait_until(lambda: not _updates(other, actor.did, updates.ANNOUNCED), "nobody shows it")
        await wait_until(lambda: not _updates(one, actor.did, updates.TAKEN), "its host took it back")
        with pytest.raises(RefusedError, match="no public word of ours"):
            await act(two, lambda mine: groups.unpublish(mine, made.object_id))


async def test_a_member_that_is_no_host_takes_no_hosts_place_and_calls_nobody(tmp_path):
    async with Network(tmp_path) as net:
        one, two, other, network, digest = await three(net)
        with pytest.raises(RefusedError, match="the hosts that the founding act names"):
            await act(other, lambda mine: groups.carry_on(mine, digest))
        with pytest.raises(RefusedError, match="does not name this organisation"):
            await act(other, lambda mine: group_hosts.open_actor(mine, other.node.keyring, digest))
        await act(two, lambda mine: group_hosts.open_actor(mine, two.node.keyring, digest))
        with pytest.raises(RefusedError, match="do not name us"):
            await act(two, lambda mine: group_hosts.call_followers(mine, digest, ()))
        # Another member leaves moves in the old host's name: they are not its word, and go nowhere.
        forged = {"id": "https://x.example/1", "type": "Move", "actor": "https://x.example/a", "object": "x"}
        await act(other, lambda mine: letters.send(
            mine.connection, mine.organisation, mine.key, letter_rules.GROUP_HANDOVER, digest,
            {"moves": [forged], "inboxes": ["https://x.example/inbox"]}, [two.did], mine.now, token=outbox.token()))
        await act(two, lambda mine: groups.carry_on(mine, digest))
        secrets = two.read(lambda connection: rooms.network_secrets(connection, two.did, two.node.keyring))
        with pytest.raises(RefusedError, match="left nothing here"):
            await act(two, lambda mine: group_hosts.call_followers(mine, digest, secrets))


async def test_one_member_founds_so_many_groups_and_no_more(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        network = await found(one, two, "EXERCISE network")

        def flood(mine):
            for number in range(MOST_BY_ONE + 5):
                groups.found(mine, network, NAMES, f"g{number}")

        await act(one, flood)
        assert len(state(one, network).groups) == MOST_BY_ONE


def _pinned(house, did):
    return house.read(lambda connection: contacts.member(connection, house.did, did)) is not None


def _updates(house, did, wanted):
    return house.read(lambda connection: updates.of_actors(connection, house.did, (did,), wanted, 50))


def _announced(house, did):
    found = house.read(lambda connection: logs.read(connection, did, did, (1, 1), 50))
    return [each.digest for each in found if each.type == "Announce"]


def _speech(mine, actor):
    audience = Audience((PUBLIC,), (mine.organisation.uri + "/followers", actor))
    note = {
        "id": mine.organisation.at(f"/objects/{outbox.token()}"), "type": "Note", "content": "<p>EXERCISE: outside</p>",
        "attributedTo": mine.organisation.uri, "audience": actor, "to": [PUBLIC], "cc": list(audience.cc),
        "published": "2026-11-20T12:00:00Z",
    }  # fmt: skip
    return Speech("Create", outbox.sign_object(note, mine.key, {}, mine.now), audience, {})


def _announce(mine, uri, digest):
    speech = Speech(
        "Announce", uri, Audience((PUBLIC,), ()), dict(announcements.TERMS), extra={"objectDigest": digest}
    )
    outbox.publish(mine.connection, mine.organisation, mine.key, speech, mine.now)

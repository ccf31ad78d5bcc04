"""Cases as rows: sealed from the first one, changed by one at a time, ended by the clock."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from node import cases as rules
from node import receipts
from node.cases import Ask
from node.desk import case_clock, requests
from node.desk import cases as desk
from node.desk.cases import Room, Voice
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import sealing
from node.models import cases as rows
from node.models import documents
from tests.support.case_examples import AUTHOR, FIRST, SECOND, WORKER, Who, case, consent
from tests.support.network import NOON, Network, page_of

KEY = sealing.generate()
ROOM = Room(KEY.public, (KEY.secret,))
DAY = timedelta(days=1)
WORDS = ("zq-invented-threat", "zq-invented-name", "zq-invented-source", "zq-invented-street", "zq-invented-why")
ASK = Ask(language="ar", what=f"EXERCISE {WORDS[0]}", who=WORDS[1], place=WORDS[3], contact=WORDS[2])


@asynccontextmanager
async def house_of(tmp_path):
    async with Network(tmp_path) as net:
        made = await net.house("a", start=False)
        try:
            yield made
        finally:
            await made.stop()


async def make(house, **changes):
    """A row with the example's case in it; its id."""
    name = await house.write(lambda connection: desk.create(connection, house.did, KEY.public, ASK, house.clock()))
    whole = replace(case(**changes), id=name, ask=ASK)
    row = desk._row(whole, 1, KEY.public, house.clock())
    await house.write(lambda connection: rows.save(connection, house.did, row))
    return name


def opened(house, name):
    return house.read(lambda connection: desk.open_case(connection, house.did, name, ROOM.secrets))


async def act(house, name, what, who, **more):
    held = opened(house, name)
    return await house.write(
        lambda connection: desk.act(
            connection, house.did, ROOM, name, held.version, what, who, house.clock(), note="EXERCISE", **more
        )
    )


def voice(said, taken):
    return Voice(lambda value, old: said.append(value) or "ap+ef61://did:key:exercise/objects/1", taken.append)


async def test_a_copy_of_database_and_keys_reveals_no_word_of_a_case(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house, notes=WORDS[4])
        held = opened(house, name)
        changed = replace(held.case, notes=WORDS[4] * 2)
        await house.write(
            lambda connection: desk.save(
                connection, house.did, ROOM, changed, held.version, WORKER, house.clock()
            )
        )
        await act(house, name, "submit", AUTHOR)
        await house.stop()
        copied = house.files() + b"".join(path.read_bytes() for path in house.data.rglob("*") if path.is_file())
        for word in (*WORDS, "Amal Exercise", "EXERCISE reason", "Example Quarter", "case_worker"):
            assert word.encode() not in copied
        with pytest.raises(ProtocolError):
            house.read(lambda c: desk.open_case(c, house.did, name, (sealing.generate().secret,)))
        with pytest.raises(ProtocolError):
            house.read(lambda c: desk.open_case(c, house.did, name, ()))
        assert house.read(lambda c: rows.find(c, house.did, name)).opened.minute == 0


async def test_a_row_that_somebody_else_changed_meanwhile_is_not_overwritten(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house)
        row = house.read(lambda c: rows.find(c, house.did, name))
        first, second = opened(house, name), opened(house, name)
        save = partial(desk.save, org=house.did, room=ROOM, who=WORKER, now=house.clock())
        await house.write(lambda c: save(c, case=first.case, version=first.version))
        with pytest.raises(RefusedError, match="somebody else"):
            await house.write(lambda c: rows.save(c, house.did, row))
        with pytest.raises(RefusedError, match="somebody else"):
            await house.write(lambda c: save(c, case=second.case, version=second.version))
        with pytest.raises(RefusedError, match="somebody else"):
            await house.write(
                lambda c: desk.act(c, house.did, ROOM, name, second.version, "submit", AUTHOR, house.clock())
            )


async def test_a_case_is_published_by_the_door_that_can_and_taken_back_when_a_consent_is_lowered(tmp_path):
    async with house_of(tmp_path) as house:
        name, said, taken = await make(house), [], []
        for what, who in (("submit", AUTHOR), ("approve", FIRST), ("approve", SECOND)):
            done = await act(house, name, what, who)
        assert done.audit == rules.Audit("approver", "approve", name, NOON)
        with pytest.raises(RefusedError, match="does not publish"):
            await act(house, name, "publish", WORKER)
        done = await act(house, name, "publish", WORKER, voice=voice(said, taken))
        assert (done.opened.case.state, len(said), taken) == ("published", 1, [])
        row = house.read(lambda c: rows.find(c, house.did, name))
        assert row.alert and row.lapses == consent().valid_until.replace(minute=0)
        lower = replace(done.opened.case, consents=(*done.opened.case.consents, consent(given=NOON, level="network")))
        version = done.opened.version
        with pytest.raises(RefusedError, match="taken back"):
            await house.write(lambda c: desk.save(c, house.did, ROOM, lower, version, WORKER, house.clock()))
        out = await house.write(
            lambda c: desk.save(c, house.did, ROOM, lower, version, WORKER, house.clock(), voice(said, taken))
        )
        assert (out.opened.case.state, taken) == ("withdrawn", [row.alert])
        with pytest.raises(RefusedError, match="never comes back"):
            await act(house, name, "submit", AUTHOR)


async def test_the_clock_stops_what_lapsed_and_deletes_it_thirty_days_later_without_a_key(tmp_path):
    async with house_of(tmp_path) as house:
        said = await house.publish(status="actual", translations={})
        name = await make(house, state="published", alert=said.portable_id)
        kept = opened(house, name)
        clock = house.network.clock
        clock.forward(consent().valid_until - house.clock())
        await case_clock.run(house.node.database, house.node.keyring, house.clock())
        row = house.read(lambda c: rows.find(c, house.did, name))
        assert (row.state, row.lapses) == ("lapsed", None)
        assert row.deletes == consent().valid_until.replace(minute=0) + 30 * DAY
        held = opened(house, name)
        assert (held.case.state, held.case.history[-1].act) == ("lapsed", "lapse")
        assert held.version > kept.version, "who had it open cannot save over it"
        with pytest.raises(RefusedError, match="R1"):
            await act(house, name, "renew", WORKER)
        clock.forward(30 * DAY)
        await case_clock.run(house.node.database, house.node.keyring, house.clock())
        assert house.read(lambda c: rows.find(c, house.did, name)) is None
        assert row.sealed[:200] not in house.files(), "the bytes are gone, not only the row"
        assert house.read(lambda c: documents.page_gone(c, house.did, page_of(said).rpartition("/")[2]))


async def test_a_closed_case_is_deleted_when_its_retention_is_over(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house, state="closed")
        row = house.read(lambda c: rows.find(c, house.did, name))
        assert row.deletes == rules.next_hour(house.clock()) + 360 * DAY
        done = await house.write(lambda c: desk.lapse_due(c, row.deletes))
        assert (done.deleted, house.read(lambda c: rows.find(c, house.did, name))) == (1, None)


async def test_a_thread_goes_both_ways_and_the_number_opens_answers_only(tmp_path):
    async with house_of(tmp_path) as house:
        salt = await house.write(lambda c: rows.make_salt(c, house.did, receipts.SALT))
        receipt = receipts.generate(salt)
        now = house.clock()
        name = await house.write(lambda c: requests.open_request(c, house.did, KEY.public, ASK, receipt, now))
        opening = receipts.derive(receipt.number, salt)
        read = partial(requests.read_answers, org=house.did, opening=opening)
        assert house.read(read) == (name, ())
        await house.write(lambda c: requests.add_words(c, house.did, KEY.public, name, WORDS[4], now))
        assert house.read(lambda c: rows.overdue(c, house.did, now + DAY)) == 0
        assert house.read(lambda c: rows.overdue(c, house.did, rules.next_hour(now + DAY))) == 1
        said = f"EXERCISE {WORDS[2]}-answer"
        with pytest.raises(RefusedError, match="R2"):
            await house.write(
                lambda c: requests.answer(c, house.did, ROOM, name, 1, said, Who("x", "administrator"), now)
            )
        await house.write(lambda c: requests.answer(c, house.did, ROOM, name, 1, said, WORKER, now))
        assert [word.text for word in house.read(read)[1]] == [said]
        both = house.read(lambda c: requests.thread(c, house.did, name, ROOM.secrets))
        assert [(word.answer, word.text) for word in both] == [(False, WORDS[4]), (True, said)]
        assert house.read(lambda c: rows.overdue(c, house.did, now + 300 * DAY)) == 0, "the promise is kept"
        sizes = {len(each.sealed) for each in house.read(lambda c: rows.thread(c, house.did, name))}
        assert max(sizes) - min(sizes) < 300, "one key more, no word more"
        for word in (*WORDS, said):
            assert word.encode() not in house.files()
        await act(house, name, "decline", WORKER)
        assert house.read(lambda c: rows.request_of(c, house.did, name)).deletes == rules.next_hour(now + 30 * DAY)
        await house.write(lambda c: desk.lapse_due(c, now + 31 * DAY))
        with pytest.raises(ProtocolError):
            house.read(read)


async def test_a_thread_has_an_end(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house)
        add = partial(requests.add_words, org=house.did, recipient=KEY.public, case=name, now=house.clock())
        for bad in ("", "  ", "x" * (requests.MAX_WORDS + 1)):
            with pytest.raises(RefusedError):
                await house.write(lambda c, bad=bad: add(c, text=bad))

        def fill(connection):
            for _ in range(requests.MAX_THREAD):
                add(connection, text="EXERCISE")

        await house.write(fill)
        with pytest.raises(RefusedError, match="room for"):
            await house.write(lambda c: add(c, text="EXERCISE"))


async def test_a_row_put_in_anothers_place_or_state_is_not_believed(tmp_path):
    async with house_of(tmp_path) as house:
        one, two = await make(house), await make(house)
        row = house.read(lambda c: rows.find(c, house.did, one))
        await house.write(lambda c: rows.save(c, house.did, replace(row, id=two, version=2)))
        with pytest.raises(ProtocolError, match="another's row"):
            opened(house, two)
        found = house.read(lambda c: desk.list_cases(c, house.did, ROOM.secrets))
        assert ([each.case.id for each in found.opened], found.unreadable) == ([one], (two,))
        await house.write(lambda c: rows.save(c, house.did, replace(row, state="published")))
        with pytest.raises(ProtocolError, match="another state"):
            opened(house, one)


async def test_nobody_keeps_a_case_past_its_time_by_writing_in_it(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house, state="closed")
        ends = house.read(lambda c: rows.find(c, house.did, name)).deletes
        house.network.clock.forward(30 * DAY)
        held = opened(house, name)
        await house.write(
            lambda c: desk.save(c, house.did, ROOM, held.case, held.version, WORKER, house.clock())
        )
        assert house.read(lambda c: rows.find(c, house.did, name)).deletes == ends


async def test_a_consent_that_was_shortened_has_the_alert_end_earlier(tmp_path):
    async with house_of(tmp_path) as house:
        name, said, taken = await make(house, state="published", alert="ap+ef61://did:key:exercise/objects/1"), [], []
        held = opened(house, name)
        short = consent(given=NOON, valid_until=NOON + 2 * DAY)
        changed = replace(held.case, consents=(*held.case.consents, short))
        save = partial(desk.save, org=house.did, room=ROOM, case=changed, version=held.version, who=WORKER)
        with pytest.raises(RefusedError, match="end earlier"):
            await house.write(lambda c: save(c, now=house.clock()))
        await house.write(lambda c: save(c, now=house.clock(), voice=voice(said, taken)))
        assert [each["expires"] for each in said] == ["2026-11-22T12:00:00Z"]
        assert house.read(lambda c: rows.find(c, house.did, name)).lapses == NOON + 2 * DAY


async def test_an_approval_given_outside_of_the_room_counts_for_its_own_text_only(tmp_path):
    async with house_of(tmp_path) as house:
        name = await make(house)
        await act(house, name, "submit", AUTHOR)
        held, now = opened(house, name), house.clock()
        given = rules.Approval("r9", "approver", "org9", rules.digest(held.case, now), NOON)
        bring = partial(desk.bring, org=house.did, room=ROOM, case=name, version=held.version, now=now)
        for change in ({"digest": "0" * 64}, {"who": AUTHOR.id}, {"role": "administrator"}):
            bad = replace(given, **change)
            with pytest.raises(RefusedError, match="R2"):
                await house.write(lambda c, bad=bad: bring(c, given=bad))
        done = await house.write(lambda c: bring(c, given=given))
        assert [each.who for each in done.opened.case.approvals] == ["r9"]

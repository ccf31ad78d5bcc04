"""Which pictures are needed, which are here, and which are to be destroyed: rows alone."""

from datetime import timedelta

import pytest

from node.media import JPEG, Medium, Picture
from node.models import documents, logs, media
from node.models.documents import Stored
from tests.models.samples import ACTOR, DID, NOW, OTHER, chain, entry, settle_in

ORG = DID
ALERT, SECOND = (f"ap+ef61://{OTHER}/objects/{name}" for name in ("one", "two"))


def medium(number, size=1000):
    return Medium(f"zQm{number:043}".replace("0", "1"), JPEG, size, 640, 480)


FULL, SMALL, OTHER_FULL = medium(2), medium(3, 100), medium(4)
PICTURE, OTHER_PICTURE = Picture(FULL, SMALL, "exercise"), Picture(OTHER_FULL, None, "exercise")


@pytest.fixture
def write(database):
    """Do something to the rows of one organisation that has one shown alert with one picture."""
    settle_in(database)
    show(database, ALERT)
    work = lambda call, *args: database.write_now(lambda connection: call(connection, ORG, *args))  # noqa: E731
    work(media.need, OTHER, ALERT, (PICTURE,), NOW)
    return work


def show(database, object_id, state=documents.SHOWN):
    value = Stored(object_id, "alert", ACTOR, b"{}", "", None, state, 1, 1, "org2.example", NOW)
    database.write_now(lambda connection: documents.store(connection, ORG, value))


def hold(write, *media_held):
    for each in media_held:
        write(media.hold, each, NOW)


def wanted(write, now=NOW):
    return [each.medium for each in write(media.due, now, 10, 60)]


def doomed(database):
    return database.read_now(media.doomed)


def test_a_picture_is_wanted_then_held_then_shown(write):
    assert wanted(write) == [FULL, SMALL]
    assert write(media.wanted) == 2
    assert write(media.shown, FULL.digest) is None
    hold(write, FULL)
    assert wanted(write) == [SMALL]
    assert write(media.shown, FULL.digest) == FULL
    assert write(media.here, {FULL.digest, SMALL.digest}) == {FULL.digest}
    assert write(media.of_object, ALERT) == (FULL,)
    write(media.miss, FULL.digest, NOW)
    assert set(wanted(write)) == {FULL, SMALL}


def test_what_is_postponed_waits_and_after_many_tries_rests(write):
    write(media.postpone, FULL.digest, NOW + timedelta(minutes=5))
    assert wanted(write) == [SMALL]
    assert wanted(write, NOW + timedelta(minutes=5)) == [SMALL, FULL], "what was tried least comes first"
    for _ in range(60):
        write(media.postpone, FULL.digest, NOW)
    assert wanted(write) == [SMALL]
    assert write(media.wanted) == 2, "the operator still hears of it"


def test_what_no_shown_object_needs_is_neither_served_nor_fetched(database, write):
    hold(write, FULL)
    show(database, ALERT, documents.GONE)
    assert write(media.shown, FULL.digest) is None
    assert wanted(write) == [] and write(media.wanted) == 0
    assert write(media.is_wanted, SMALL.digest) is None
    assert write(media.was_shown, FULL.digest)


def test_what_an_update_leaves_out_is_hidden_at_once_and_doomed_later(database, write):
    hold(write, FULL, SMALL)
    write(media.need, OTHER, ALERT, (OTHER_PICTURE,), NOW)
    assert write(media.shown, FULL.digest) is None
    assert wanted(write) == [OTHER_FULL]
    write(media.sweep, NOW + timedelta(hours=71))
    assert doomed(database) == frozenset()
    write(media.sweep, NOW + timedelta(hours=72))
    assert doomed(database) == {FULL.digest, SMALL.digest}


def test_what_comes_back_in_time_is_shown_again(database, write):
    hold(write, FULL, SMALL)
    write(media.need, OTHER, ALERT, (), NOW)
    write(media.need, OTHER, ALERT, (PICTURE,), NOW + timedelta(hours=1))
    write(media.sweep, NOW + timedelta(days=9))
    assert write(media.shown, FULL.digest) == FULL
    assert doomed(database) == frozenset()


def test_the_bytes_go_when_the_last_text_that_named_them_is_destroyed(database, write):
    hold(write, FULL, SMALL)
    first, second, third = chain(3)
    for each in (
        entry(first, object_id=ALERT),
        entry(second, object_id=ALERT, type="Update"),
        entry(third, object_id=ALERT, type="Delete"),
    ):
        database.write_now(lambda connection, each=each: logs.append(connection, ORG, each))
    show(database, ALERT, documents.GONE)
    for link, left in ((first, frozenset()), (second, {FULL.digest, SMALL.digest})):
        write(media.release, [ALERT])
        write(media.sweep, NOW)
        assert doomed(database) == frozenset()
        write(logs.hide, [link.digest], NOW)
        gone = database.write_now(lambda connection: logs.destroy_due(connection, NOW))
        write(media.release, [each.object_id for each in gone])
        assert doomed(database) == left


def test_a_picture_of_two_alerts_stays_while_one_stands(database, write):
    hold(write, FULL, SMALL)
    show(database, SECOND)
    write(media.need, OTHER, SECOND, (PICTURE,), NOW)
    show(database, ALERT, documents.GONE)
    write(media.release, [ALERT])
    assert write(media.shown, FULL.digest) == FULL
    assert doomed(database) == frozenset()


def test_a_doomed_picture_that_is_needed_again_is_wanted_again(database, write):
    hold(write, FULL, SMALL)
    write(media.need, OTHER, ALERT, (), NOW)
    write(media.sweep, NOW + timedelta(days=4))
    write(media.need, OTHER, ALERT, (PICTURE,), NOW + timedelta(days=5))
    assert doomed(database) == frozenset()
    assert set(wanted(write, NOW + timedelta(days=5))) == {FULL, SMALL}
    assert not database.write_now(lambda connection: media.bury(connection, FULL.digest)), "its bytes are needed"


def test_a_row_is_buried_once(database, write):
    write(media.need, OTHER, ALERT, (), NOW)
    write(media.sweep, NOW + timedelta(days=4))
    assert database.write_now(lambda connection: media.bury(connection, FULL.digest))
    assert database.read_now(media.names) == {SMALL.digest}


def test_room_is_counted_for_others_and_for_each(write):
    hold(write, FULL, SMALL)
    write(media.need, ORG, SECOND, (OTHER_PICTURE,), NOW)
    hold(write, OTHER_FULL)
    assert write(media.room_taken) == FULL.size + SMALL.size
    assert write(media.room_taken, OTHER) == FULL.size + SMALL.size
    assert write(media.room_taken, ORG) == OTHER_FULL.size


def test_one_member_with_many_pictures_leaves_room_for_the_others(write, database):
    """Else whoever signs hundreds, and answers slowly, keeps every other picture from coming."""
    other = f"ap+ef61://{DID}/objects/other"
    show(database, other)
    many = tuple(Picture(medium(number), None, "exercise") for number in range(10, 60))
    write(media.need, OTHER, ALERT, many, NOW)
    for number in range(20):  # the same picture in many alerts is one picture
        again = f"{ALERT}-{number}"
        show(database, again)
        write(media.need, OTHER, again, (PICTURE,), NOW)
    write(media.need, DID, other, (OTHER_PICTURE,), NOW + timedelta(seconds=1))
    found = wanted(write, NOW + timedelta(seconds=1))
    assert OTHER_FULL in found
    assert len(found) == media.MOST_OF_ONE + 1

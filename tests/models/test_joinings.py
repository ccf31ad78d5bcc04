"""Rows of those who ask to join, and of the network that is shown, in both engines."""

from dataclasses import replace
from datetime import timedelta

from node import directory
from node.models import fronts, joinings, letters
from node.models.fronts import Front
from node.models.joinings import Joining
from node.models.letters import Kept
from tests.models.samples import DID, NOW, OTHER

DAY = timedelta(days=1)
HERE = Joining(
    "here", "net", DID, NOW, NOW + 14 * DAY, NOW + 60 * DAY, b"sealed", (DID, OTHER), tag=b"tag", public="age1",
    wrapped=b"wrapped",
)  # fmt: skip
GIVEN = Joining("given", "net", OTHER, NOW, NOW + 13 * DAY, NOW + 60 * DAY, b"sealed", ())


def test_who_waits_longest_stands_first_and_who_was_answered_last(database):
    def write(connection):
        for each in (HERE, GIVEN, replace(GIVEN, id="done", due=NOW)):
            joinings.add(connection, DID, each)
        joinings.settle(connection, DID, "done", OTHER, NOW, NOW + DAY)

    database.write_now(write)
    assert [each.id for each in database.read_now(lambda c: joinings.all_of(c, DID))] == ["given", "here", "done"]
    assert database.read_now(lambda c: joinings.find(c, DID, "here")) == HERE
    assert database.read_now(lambda c: joinings.by_tag(c, DID, b"tag")) == HERE
    assert database.read_now(lambda c: joinings.by_tag(c, OTHER, b"tag")) is None
    for host, waits in ((DID, 1), (OTHER, 1)):
        assert database.read_now(lambda c, host=host: joinings.open_count(c, DID, host)) == waits
    assert database.read_now(lambda c: joinings.count(c, DID, OTHER)) == 2
    for days, late in ((13, 0), (13.5, 1), (15, 2)):
        assert database.read_now(lambda c, days=days: joinings.overdue(c, DID, NOW + days * DAY)) == late
    assert database.read_now(joinings.untold) == ()


def test_an_answer_is_told_once_and_goes_with_its_envelopes(database):
    envelope = Kept("ap+ef61://x", DID, "join-request", "here", (OTHER,), b"raw", NOW + 40 * DAY, None, "", NOW, NOW)

    def write(connection):
        joinings.add(connection, DID, HERE)
        joinings.settle(connection, DID, "here", OTHER, NOW, NOW + 30 * DAY, b"answer", told=False)
        letters.save(connection, DID, envelope)
        letters.save(connection, DID, replace(envelope, id="ap+ef61://y", about="other"))

    database.write_now(write)
    ((org, row),) = database.read_now(joinings.untold)
    assert (org, row.by, row.answer, row.told) == (DID, OTHER, b"answer", False)
    database.write_now(lambda c: joinings.mark_told(c, DID, "here"))
    assert database.read_now(joinings.untold) == ()
    for days, due in ((29, False), (30, True)):
        assert database.read_now(lambda c, days=days: joinings.is_due(c, NOW + days * DAY)) is due
    assert database.write_now(lambda c: joinings.forget(c, NOW + 30 * DAY, ("join-request",))) == 1
    assert database.read_now(lambda c: joinings.all_of(c, DID)) == ()
    assert [database.read_now(lambda c, n=n: letters.find(c, DID, n)).raw for n in ("ap+ef61://x", "ap+ef61://y")] == [
        None, b"raw",
    ]  # fmt: skip


def test_one_network_is_shown_at_a_time_and_what_is_told_goes_with_it(database):
    hidden = frozenset((f"did:{at}", "IQ", "organisation") for at in range(12))
    told = directory.tell(hidden)

    def write(connection):
        fronts.show(connection, DID, "one")
        fronts.set_form(connection, DID, form=True)
        fronts.set_sponsors(connection, DID, (OTHER, DID))
        fronts.set_told(connection, DID, told, hidden)
        fronts.show(connection, DID, "one")

    database.write_now(write)
    assert database.read_now(lambda c: fronts.current(c, DID)) == Front("one", True, (OTHER, DID), told)
    assert database.read_now(lambda c: fronts.hidden(c, DID)) == hidden
    assert database.read_now(fronts.all_of) == ((DID, "one"),)
    database.write_now(lambda c: fronts.show(c, DID, "two"))
    assert database.read_now(lambda c: fronts.current(c, DID)) == Front("two", False, ())
    assert database.read_now(lambda c: fronts.hidden(c, DID)) is None
    database.write_now(lambda c: fronts.hide(c, DID))
    assert database.read_now(lambda c: fronts.current(c, DID)) is None

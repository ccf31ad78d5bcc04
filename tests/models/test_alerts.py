"""The list of alerts: what is in it, in which order, under which names, and what is left of one that was taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from node.models import alerts
from node.models.alerts import AlertRecord
from tests.models.samples import ACTOR, DID, NOW, OTHER

RECORD = AlertRecord(
    object_id=f"ap+ef61://{OTHER}/objects/1",
    uri=f"https://org2.example/.well-known/apgateway/{OTHER}/objects/1",
    page="0123456789abcdef",
    author=ACTOR,
    did=OTHER,
    reference="XXX 001 / 1126 / 3MDWP",
    headline="تدريب",
    language="ar",
    kind="urgent-appeal",
    severity="severe",
    urgency="immediate",
    certainty="likely",
    country="XX",
    status="actual",
    state="issued",
    published=NOW,
    updated=None,
    expires=NOW + timedelta(days=30),
    translation_of=None,
    via="org2.example",
    received=NOW,
)


def another(name: str, **changes: object) -> AlertRecord:
    made = replace(RECORD, object_id=f"ap+ef61://{OTHER}/objects/{name}", uri=f"https://o.example/{name}", page=name)
    return replace(made, **changes)


@pytest.fixture
def write(database):
    def run(function, *arguments, **options):
        return database.write_now(lambda connection: function(connection, *arguments, **options))

    return run


@pytest.mark.parametrize("name", ["object_id", "uri", "page"])
def test_an_alert_is_found_by_each_of_its_names(write, name):
    write(alerts.save, DID, RECORD)
    assert write(alerts.find, DID, getattr(RECORD, name)) == RECORD
    assert write(alerts.find, OTHER, getattr(RECORD, name)) is None


@pytest.mark.parametrize("name", ["", "nothing", "abc\0", "' OR 1=1 --"])
def test_another_name_finds_nothing(write, name):
    write(alerts.save, DID, RECORD)
    assert write(alerts.find, DID, name) is None


def test_a_newer_text_takes_the_place_and_where_it_first_came_from_stays(write):
    write(alerts.save, DID, RECORD)
    newer = replace(RECORD, headline="corrected", state="corrected", updated=NOW, via="org3.example")
    write(alerts.save, DID, replace(newer, received=NOW + timedelta(hours=1)))
    assert write(alerts.find, DID, RECORD.page) == replace(newer, via="org2.example")


def test_of_one_taken_back_nothing_stays(write):
    write(alerts.save, DID, RECORD)
    write(alerts.remove, DID, RECORD.object_id)
    assert write(alerts.find, DID, RECORD.page) is None


def test_an_authors_alerts_are_dropped_together(write):
    write(alerts.save, DID, RECORD)
    write(alerts.save, DID, another("2", author="https://a.example/a"))
    write(alerts.drop_author, DID, ACTOR)
    assert [each.page for each in write(alerts.newest, DID)] == ["2"]


def test_the_newest_stand_first_page_by_page(write):
    for number in range(5):
        write(alerts.save, DID, another(str(number), published=NOW + timedelta(hours=number)))
    assert [each.page for each in write(alerts.newest, DID, limit=2)] == ["4", "3"]
    assert [each.page for each in write(alerts.newest, DID, limit=2, offset=3)] == ["1", "0"]


def test_a_list_has_the_statuses_and_the_author_it_was_asked_for(write):
    write(alerts.save, DID, RECORD)
    write(alerts.save, DID, another("2", status="exercise"))
    write(alerts.save, DID, another("3", author="https://a.example/a"))
    assert {each.page for each in write(alerts.newest, DID)} == {RECORD.page, "3"}
    assert {each.page for each in write(alerts.newest, DID, statuses=("exercise",))} == {"2"}
    assert {each.page for each in write(alerts.newest, DID, author=ACTOR)} == {RECORD.page}
    assert write(alerts.count, DID, ("actual", "exercise")) == 3
    assert write(alerts.count, DID, ("actual",), ACTOR) == 1


def test_translations_stand_beside_their_original(write):
    write(alerts.save, DID, RECORD)
    english = another("en", translation_of=RECORD.object_id, language="en")
    write(alerts.save, DID, english)
    assert write(alerts.newest, DID) == (RECORD,)
    assert set(write(alerts.newest, DID, translations=True)) == {RECORD, english}
    assert write(alerts.translations_of, DID, RECORD.object_id) == (english,)
    assert write(alerts.count, DID, ("actual",)) == 1


def test_numbers_count_up_for_each_name_and_organisation(write):
    given = [write(alerts.next_number, DID, "alert 2026") for _ in range(3)]
    assert [*given, write(alerts.next_number, DID, "alert 2027")] == [1, 2, 3, 1]
    assert write(alerts.next_number, OTHER, "alert 2026") == 1

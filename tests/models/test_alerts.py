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


FIRST = replace(RECORD, object_id=f"ap+ef61://{OTHER}/objects/first", page="first")


def news(number: int, **changes: object) -> AlertRecord:
    moment = NOW + timedelta(days=number)
    return another(f"news{number}", **({"news_of": FIRST.object_id, "published": moment} | changes))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_a_chain_is_one_place_in_the_list_whatever_came_first(write, order):
    parts = (FIRST, news(1), news(2))
    write(alerts.save, DID, another("between", published=NOW + timedelta(days=1, hours=1)))
    for number in order:
        write(alerts.save, DID, parts[number])
    assert [each.page for each in write(alerts.newest, DID)] == ["first", "between"]
    assert write(alerts.count, DID, ("actual",)) == 2
    for part in parts:
        found = write(alerts.chain, DID, part.object_id)
        assert (found.first, found.news, found.newest) == (FIRST, parts[1:], parts[2])
    write(alerts.remove, DID, parts[2].object_id)
    assert [each.page for each in write(alerts.newest, DID)] == ["between", "first"]


@pytest.mark.parametrize(
    "changes",
    [{"did": DID}, {"status": "exercise"}, {"news_of": f"ap+ef61://{OTHER}/objects/none"}, {"news_of": None}],
)
def test_what_is_of_another_author_or_status_is_no_news(write, changes):
    write(alerts.save, DID, FIRST)
    write(alerts.save, DID, news(1, **changes))
    assert write(alerts.chain, DID, FIRST.object_id).news == ()
    assert len(write(alerts.newest, DID, statuses=("actual", "exercise"))) == 2
    alone = write(alerts.chain, DID, "news1")
    assert alone.first.page == "news1"


def test_news_of_news_hides_nothing(write):
    write(alerts.save, DID, FIRST)
    write(alerts.save, DID, news(1))
    write(alerts.save, DID, another("deeper", news_of=news(1).object_id))
    assert {each.page for each in write(alerts.newest, DID)} == {"first", "deeper"}


def test_news_of_a_closed_alert_is_over(write):
    write(alerts.save, DID, FIRST)
    write(alerts.save, DID, news(1))
    query = alerts.select(alerts.alerts.c.page).where(alerts.is_over(NOW))
    assert write(lambda connection: connection.execute(query).all()) == []
    write(alerts.save, DID, replace(FIRST, state="closed"))
    assert {row.page for row in write(lambda connection: connection.execute(query).all())} == {"first", "news1"}

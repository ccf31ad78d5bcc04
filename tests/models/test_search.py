"""The table of what can be searched, on both engines: found in order, in parts, within a bound, and gone."""

from node.models import documents, search
from node.models.search import Wanted
from node.search import BITS, parse
from tests.support.alert_examples import actual, note

ORG = "did:key:z6MkExercise"


def put(connection, number, day=1, **changes):
    document = note(**actual(**changes)) | {"published": f"2026-11-{day:02}T10:00:00Z"}
    assert search.note(connection, ORG, f"ap://did/objects/{number:04}", "alert", f"ap://did/{number % 2}", document)


def ids(database, query, *, most=20_000, **more):
    wanted = tuple(Wanted(term, **more) for term in parse(query).terms)

    def read(connection):
        return [
            None if each is None else [int(one.object_id[-4:]) for one in each]
            for each in search.answering(connection, ORG, wanted, without=("ap://did/9",), most=most)
        ]

    return database.read_now(read)


def test_what_answers_comes_newest_first_in_parts_and_within_a_bound(database):
    def fill(connection):
        for number in range(130):
            put(connection, number, 1 + number % 3, headline="تدريب: عنوان قديم" if number % 2 else "تدريب: مصباح")

    database.write_now(fill)
    parts = ids(database, "تدريب")
    found = [each for part in parts for each in part]
    assert sorted(found) == list(range(130)) and found == sorted(found, key=lambda each: (each % 3, each), reverse=True)
    assert [each for part in ids(database, "مِصباح") for each in part] == [each for each in found if each % 2 == 0]
    assert ids(database, "لاشيء") == [[]]
    assert ids(database, "تدريب", most=100)[-1] is None
    assert ids(database, "لاشيء", countries=frozenset({"IQ"}))[0] == found[:60]
    assert ids(database, "لاشيء", authors=frozenset({"ap://did/1"}))[0] == [each for each in found if each % 2][:60]


def test_nothing_stays_of_what_is_gone(database):
    def work(connection):
        put(connection, 1, headline="تدريب: مصباح")
        put(connection, 1, headline="تدريب: فانوس")
        put(connection, 2, headline="تدريب: مصباح")
        put(connection, 3, headline="تدريب: مصباح")
        documents.forget_object(connection, ORG, "ap://did/objects/0002")
        documents.drop_author(connection, ORG, "ap://did/1")

    database.write_now(work)
    assert ids(database, "مصباح") == [[]] == ids(database, "فانوس")
    database.write_now(lambda connection: put(connection, 4))
    rows = database.read_now(lambda connection: connection.execute(search.texts.select()).all())
    assert [len(row.signature) for row in rows] == [BITS // 4]
    assert not database.write_now(lambda c: search.note(c, ORG, "ap://did/objects/0004", "note", "a", {"type": "Note"}))
    assert ids(database, "احتجاز") == [[]], "what became a post like any other is searched no more"

"""One organisation's view within a transaction: what was stored is seen at once and written together."""

from dataclasses import replace

import pytest
from sqlalchemy import event, func, select

from node.federation.protocol.activities import Activity
from node.models import contacts, documents
from node.models.documents import Stored
from node.models.views import View
from tests.models.samples import ACTOR, DID, MEMBER, NOW, OTHER, settle_in
from tests.models.test_contacts import FOLLOWING
from tests.models.test_documents import OBJECT, STORED


def within(database, work):
    organisation = settle_in(database)
    return database.write_now(lambda connection: work(View(connection, organisation)))


def named(number: int, **changes: object) -> Stored:
    return replace(STORED, id=f"{OBJECT}{number}", **changes)


def about(number: int) -> Activity:
    return Activity(f"ap:{number}", "Create", ACTOR, named(number).id, None, None, {}, b"{}")


def held(database) -> list[Stored]:
    columns = [documents.objects.c[name] for name in Stored.__slots__]
    query = select(*columns).order_by(documents.objects.c.id)
    return database.read_now(lambda connection: [Stored(*row) for row in connection.execute(query)])


def test_what_is_stored_is_seen_before_it_is_written(database):
    def work(view):
        view.store(STORED)
        before = view.connection.execute(select(func.count()).select_from(documents.objects)).scalar_one()
        seen = view.stored(OBJECT)
        view.flush()
        return before, seen

    assert within(database, work) == (0, STORED)
    assert held(database) == [STORED]


def test_many_objects_new_and_known_are_written_together(database):
    def work(view):
        for number in range(200):
            documents.store(view.connection, DID, named(number)) if number % 2 else None
        for number in range(200):
            view.store(named(number, raw=b"%d" % number, updated="later"))
        view.flush()
        view.flush()

    within(database, work)
    found = held(database)
    assert len(found) == 200
    assert sorted(each.raw for each in found) == sorted(b"%d" % number for number in range(200))
    assert {each.updated for each in found} == {"later"}


def test_of_one_object_stored_twice_the_last_stays(database):
    def work(view):
        view.store(STORED)
        view.store(replace(STORED, raw=b"second"))
        view.flush()

    within(database, work)
    assert [each.raw for each in held(database)] == [b"second"]


def test_the_facts_of_a_batch_are_read_in_few_questions(database):
    asked = []

    def work(view):
        for number in range(50):
            documents.store(view.connection, DID, named(number))
        contacts.set_following(view.connection, DID, FOLLOWING)
        event.listen(view.connection, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
        view.preload(about(number) for number in range(60))
        found = [view.stored(named(number).id) for number in range(60)]
        return found, view.following(ACTOR), view.following("https://nobody.example/")

    found, following, _ = within(database, work)
    assert found == [*(named(number) for number in range(50)), *[None] * 10]
    assert following == FOLLOWING
    assert len(asked) == 4


def test_nothing_is_preloaded_for_nobody(database):
    assert within(database, lambda view: view.preload([])) is None


def test_what_is_hidden_is_gone_also_when_it_was_not_written_yet(database):
    def work(view):
        view.store(STORED)
        view.hide(OBJECT, ACTOR, NOW)
        seen = view.stored(OBJECT)
        view.flush()
        return seen

    assert within(database, work).state == documents.GONE
    assert [(each.state, each.raw) for each in held(database)] == [(documents.GONE, None)]


@pytest.mark.parametrize("did", [OTHER, None])
def test_a_member_is_remembered_until_it_is_to_be_forgotten(database, did):
    def work(view):
        before = view.member(did)
        contacts.pin(view.connection, DID, MEMBER)
        remembered = view.member(did)
        view.forget()
        return before, remembered, view.member(did)

    assert within(database, work) == (None, None, MEMBER if did else None)


def test_counters_are_written_once(database):
    def work(view):
        for _ in range(3):
            view.count("unknown Arrive")
        view.flush()
        view.flush()

    within(database, work)
    assert database.read_now(lambda connection: documents.counted(connection, DID)) == {"unknown Arrive": 3}


def test_another_organisations_view_is_another(database):
    first = settle_in(database)
    second = settle_in(database, did=OTHER, handle="org2")

    def work(connection):
        view = View(connection, first)
        view.store(STORED)
        view.flush()
        return View(connection, second).stored(OBJECT)

    assert database.write_now(work) is None

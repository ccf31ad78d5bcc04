"""The way from an alert to the objects of its sign-on: what is held and shown, and nothing of what was taken back."""

import pytest

from node.models import documents, signatures
from node.models.documents import Stored
from node.models.views import View
from tests.models.samples import ACTOR, DID, NOW, OTHER, settle_in

ALERT = f"ap+ef61://{OTHER}/objects/alert"


def thing(name: str, **changes: object) -> Stored:
    values = {
        "id": f"ap+ef61://{OTHER}/objects/{name}", "type": "Endorsement", "author": ACTOR, "raw": b"{}",
        "published": "2026-11-20T10:00:00Z", "updated": None, "state": documents.SHOWN, "epoch": 1, "sequence": 4,
        "via": "org2.example", "received": NOW,
    }  # fmt: skip
    return Stored(**(values | changes))


@pytest.fixture
def held(database):
    """Keep an object with its place in a sign-on, and ask for all of it."""
    organisation = settle_in(database)

    def keep(*things: Stored, alert: str = ALERT) -> None:
        def work(connection):
            view = View(connection, organisation)
            for each in things:
                view.store(each)
                signatures.save(connection, DID, each.id, alert, each.author)
            view.flush()

        database.write_now(work)

    def ask() -> list[str]:
        return [each.id[-2:] for each in database.read_now(lambda connection: signatures.about(connection, DID, ALERT))]

    return keep, ask


def test_what_is_held_is_found_by_its_alert_and_saying_it_twice_changes_nothing(held):
    keep, ask = held
    keep(thing("e2"), thing("e1"))
    keep(thing("e1"))
    keep(thing("e3"), alert=ALERT + "2")
    assert ask() == ["e1", "e2"]


def test_what_is_gone_is_not_found(held, database):
    keep, ask = held
    keep(thing("e1"), thing("e2", state=documents.GONE), thing("e3", raw=None), thing("e4"))
    assert ask() == ["e1", "e4"]
    database.write_now(lambda connection: signatures.remove(connection, DID, thing("e4").id))
    assert ask() == ["e1"]
    database.write_now(lambda connection: signatures.drop_author(connection, DID, ACTOR))
    assert ask() == []

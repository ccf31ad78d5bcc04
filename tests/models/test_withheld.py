"""Rows of signatures whose names are withheld, in both engines."""

from dataclasses import replace
from datetime import timedelta

from node.models import withheld
from node.withheld import Withheld
from tests.models.samples import DID, NOW, OTHER

ALERT = f"ap+ef61://{OTHER}/objects/one"
SAID = Withheld("tag", ALERT, "z1", NOW, False)
GONE = replace(SAID, said=NOW + timedelta(hours=1), gone=True)


def save(database, value, sealed=b"name", org=DID):
    return database.write_now(lambda c: withheld.save(c, org, value, sealed))


def about(database, org=DID):
    return database.read_now(lambda c: withheld.about(c, org, ALERT))


def test_a_newer_word_takes_the_place_of_an_older_one_and_never_the_other_way_round(database):
    assert save(database, SAID) and not save(database, SAID)
    assert save(database, replace(SAID, tag="other"), b"another")
    assert save(database, GONE) and not save(database, SAID)
    assert {each.tag: each.gone for each in about(database)} == {"tag": True, "other": False}
    assert database.read_now(lambda c: withheld.sealed(c, DID)) == ((ALERT, b"another"),)
    assert about(database, OTHER) == ()


def test_one_alert_has_so_many_and_what_is_withdrawn_leaves_none(database, monkeypatch):
    monkeypatch.setattr(withheld, "_MOST", 1)
    assert save(database, SAID)
    assert not save(database, replace(SAID, tag="other"))
    assert save(database, GONE), "what is here can still be taken back"
    database.write_now(lambda c: withheld.remove(c, DID, ALERT))
    assert about(database) == ()

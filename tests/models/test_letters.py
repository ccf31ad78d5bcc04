"""Rows of sealed letters, in both engines: kept, withdrawn, handed on and forgotten; receipts and keys."""

from dataclasses import replace
from datetime import timedelta

from node.models import letters
from node.models.letters import Kept, Receipt, SealKeyRow
from tests.models.samples import DID, NOW, OTHER

DAY = timedelta(days=1)
ABOUT = f"ap+ef61://{OTHER}/objects/one"
LETTER = Kept(
    id=f"ap+ef61://{OTHER}/letters/one", author=OTHER, kind="alert", about=ABOUT, addressed=(DID, "did:key:third"),
    raw=b"envelope", until=NOW + 7 * DAY, sealed=b"body", room="network", sent=NOW, received=NOW,
)  # fmt: skip


def letter(number, **changes):
    return replace(LETTER, id=f"{LETTER.id}{number}", sent=NOW + timedelta(minutes=number), **changes)


def save(database, *given, org=DID):
    for each in given:
        database.write_now(lambda c, each=each: letters.save(c, org, each))


def test_a_letter_is_kept_whole_and_for_its_organisation_alone(database):
    save(database, LETTER)
    assert database.read_now(lambda c: letters.find(c, DID, LETTER.id)) == LETTER
    assert database.read_now(lambda c: letters.find(c, OTHER, LETTER.id)) is None
    save(database, LETTER, org=OTHER)
    assert database.read_now(lambda c: letters.known(c, DID, {LETTER.id, "x"})) == {LETTER.id}


def test_letters_are_found_by_what_they_are_about_and_by_kind(database):
    first, answer, elsewhere = letter(1), letter(2, kind="offer"), letter(3, about="x")
    save(database, answer, first, elsewhere)
    assert database.read_now(lambda c: letters.about(c, DID, ABOUT)) == (first, answer)
    assert database.read_now(lambda c: letters.about(c, DID, ABOUT, ("offer",))) == (answer,)
    assert database.read_now(lambda c: letters.of_kind(c, DID, ("alert",))) == (elsewhere, first)
    assert database.read_now(lambda c: letters.of_kind(c, DID, ("alert", "offer"), limit=1)) == (elsewhere,)


def test_what_its_author_withdraws_is_destroyed_and_stays_withdrawn(database):
    save(database, letter(1), letter(2), letter(3, author=DID), letter(4, about="x"))
    assert database.write_now(lambda c: letters.withdraw(c, DID, OTHER, ABOUT)) == 2
    found = database.read_now(lambda c: letters.about(c, DID, ABOUT))
    assert [(each.raw, each.sealed, each.gone) for each in found] == [
        (None, None, True), (None, None, True), (b"envelope", b"body", False),
    ]  # fmt: skip
    assert database.read_now(lambda c: letters.is_gone(c, DID, OTHER, ABOUT))
    assert not database.read_now(lambda c: letters.is_gone(c, DID, DID, ABOUT))
    assert len(database.read_now(lambda c: letters.of_kind(c, DID, ("alert",)))) == 2


def test_an_envelope_is_handed_to_those_it_is_for_as_long_as_it_is_kept(database):
    save(database, letter(1), letter(2), letter(3, addressed=(DID,)), letter(4, raw=None), letter(5, until=NOW - DAY))
    held = database.read_now(lambda c: letters.held_for(c, DID, "did:key:third", NOW))
    assert held == (letter(2).id, letter(1).id)
    assert database.read_now(lambda c: letters.held_for(c, DID, "did:key:nobody", NOW)) == ()
    assert database.read_now(lambda c: letters.held_for(c, DID, "did:key:third", NOW + 8 * DAY)) == ()


def test_envelopes_go_and_what_was_inside_or_withdrawn_stays(database):
    receipt = letter(1, sealed=None)
    withdrawn = letter(2, sealed=None, raw=None, gone=True)
    save(database, receipt, withdrawn, letter(3), letter(4, until=NOW + 40 * DAY))
    assert database.write_now(lambda c: letters.forget_envelopes(c, NOW + 6 * DAY)) == 0
    assert database.write_now(lambda c: letters.forget_envelopes(c, NOW + 7 * DAY)) == 2
    assert database.read_now(lambda c: letters.about(c, DID, ABOUT)) == (
        withdrawn, letter(3, raw=None), letter(4, until=NOW + 40 * DAY),
    )  # fmt: skip


def test_one_author_has_room_for_so_many(database, monkeypatch):
    monkeypatch.setattr(letters, "_MOST", 2)
    save(database, letter(1))
    assert database.read_now(lambda c: letters.has_room(c, DID, OTHER))
    save(database, letter(2))
    assert not database.read_now(lambda c: letters.has_room(c, DID, OTHER))
    assert database.read_now(lambda c: letters.has_room(c, DID, DID))
    assert database.read_now(lambda c: letters.has_room(c, OTHER, OTHER))


def test_a_receipt_said_twice_is_one(database):
    receipt = Receipt(LETTER.id, OTHER, ABOUT, "alert", NOW)
    for each in (receipt, replace(receipt, received=NOW + DAY), replace(receipt, by="did:key:third")):
        database.write_now(lambda c, each=each: letters.add_receipt(c, DID, each))
    found = database.read_now(lambda c: letters.receipts_about(c, DID, ABOUT))
    assert set(found) == {receipt, replace(receipt, by="did:key:third")} and len(found) == 2
    assert database.read_now(lambda c: letters.receipts_about(c, OTHER, ABOUT)) == ()


def test_keys_follow_each_other_until_they_are_destroyed(database):
    for number in range(2):
        database.write_now(lambda c, number=number: letters.add_key(c, DID, f"age1{number}", NOW + DAY * number))
    first, second = SealKeyRow("age10", NOW, NOW + DAY), SealKeyRow("age11", NOW + DAY, None)
    assert database.read_now(lambda c: letters.keys_of(c, DID)) == (second, first)
    assert database.read_now(lambda c: letters.current_key(c, DID)) == second
    assert database.read_now(lambda c: letters.current_key(c, OTHER)) is None
    database.write_now(lambda c: letters.drop_key(c, DID, "age10"))
    assert database.read_now(lambda c: letters.keys_of(c, DID)) == (second,)

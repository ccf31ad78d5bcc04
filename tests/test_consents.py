"""Who allowed what for whom, and what follows from it: tables, one thing changed in each line."""

from dataclasses import replace

import pytest

from node import consents
from node.consents import About, effective
from tests.support.case_examples import DAY, NOW, consent

DETAINED = About("p1", "detained")
FAMILY = {"given_by": "family", "family_safe": True, "family_reason": "EXERCISE: her sister lives with her"}
ADVANCE = {"advance": True, "text": "EXERCISE: if I am held, say it aloud", "given": NOW - 30 * DAY}
PRESUMED = {"given_by": "presumed", "necessity": "EXERCISE: he may be moved tonight"}


def level(about, *words, now=NOW, outcome=None):
    return effective((about,), words, now, outcome=outcome)[0].level


def reason(about, *words, now=NOW):
    return effective((about,), words, now)[0].reason


FREE = About("p1")
LEVELS = [
    ("nobody spoke", FREE, (), "nothing"),
    ("an own word", FREE, (consent(),), "public-anonymised"),
    ("an own word about somebody else", FREE, (consent(subject="p2"),), "nothing"),
    ("an own word of tomorrow", FREE, (consent(given=NOW + DAY),), "nothing"),
    ("the newest own word", FREE, (consent(level="public-named"), consent(given=NOW, level="network")), "network"),
    ("an own word taken back", FREE, (consent(withdrawn=NOW),), "nothing"),
    ("an own word that lapsed", FREE, (consent(valid_until=NOW),), "nothing"),
    ("who is free is asked, not their family", FREE, (consent(**FAMILY),), "nothing"),
    ("family that is no threat", DETAINED, (consent(**FAMILY),), "public-anonymised"),
    ("family, and nobody asked whether it is a threat", DETAINED, (consent(given_by="family"),), "nothing"),
    ("family called safe without a reason", DETAINED, (consent(**FAMILY | {"family_reason": " "}),), "nothing"),
    ("a lawyer", DETAINED, (consent(given_by="lawyer"),), "public-anonymised"),
    ("family and lawyer: the lower",
     DETAINED, (consent(**FAMILY), consent(given_by="lawyer", level="network")), "network"),
    ("family takes it back, the lawyer does not",
     DETAINED, (consent(**FAMILY, withdrawn=NOW), consent(given_by="lawyer")), "nothing"),
    ("an instruction over family",
     DETAINED, (consent(**ADVANCE, level="public-named"), consent(**FAMILY, level="network")), "public-named"),
    ("a lower instruction over family",
     DETAINED, (consent(**ADVANCE, level="network"), consent(**FAMILY, level="public-named")), "network"),
    ("an instruction that was written for another case",
     DETAINED, (consent(**ADVANCE, scope=("killed",)), consent(**FAMILY, level="network")), "network"),
    ("an instruction without a text", DETAINED, (consent(**ADVANCE | {"text": ""}), consent(**FAMILY, level="network")),
     "network"),
    ("an instruction taken back", DETAINED, (consent(**ADVANCE, withdrawn=NOW),), "nothing"),
    ("an instruction while the person is free", FREE, (consent(**ADVANCE),), "nothing"),
    ("a word in custody raises nothing",
     DETAINED, (consent(**ADVANCE, level="network"), consent(free=False, level="public-named")), "network"),
    ("a word in custody lowers",
     DETAINED, (consent(**ADVANCE, level="public-named"), consent(free=False, level="network")), "network"),
    ("only a word in custody", DETAINED, (consent(free=False),), "nothing"),
    ("no, said in custody", DETAINED, (consent(**ADVANCE), consent(free=False, level="private-help-only")),
     "private-help-only"),
    ("presumed", DETAINED, (consent(**PRESUMED),), "public-anonymised"),
    ("presumed never names", DETAINED, (consent(**PRESUMED, level="public-named"),), "public-anonymised"),
    ("presumed without necessity", DETAINED, (consent(**PRESUMED | {"necessity": ""}),), "nothing"),
    ("presumed and not reviewed in 72 hours", DETAINED, (consent(**PRESUMED, given=NOW - 3 * DAY),), "nothing"),
    ("presumed and reviewed", DETAINED, (consent(**PRESUMED, given=NOW - 4 * DAY, reviewed=NOW - 2 * DAY),),
     "public-anonymised"),
    ("presumed against the family's word",
     DETAINED, (consent(**PRESUMED), consent(**FAMILY, level="network")), "network"),
    ("presumed although family might be a threat",
     DETAINED, (consent(**PRESUMED), consent(given_by="family")), "nothing"),
    ("a mandate is no person's word", DETAINED, (consent(given_by="organisation-mandate"),), "nothing"),
    ("a mandate for a group", About("p1", collective=True), (consent(given_by="organisation-mandate"),),
     "public-anonymised"),
    ("a minor alone", About("p1", minor=True), (consent(),), "nothing"),
    ("a minor with a guardian", About("p1", minor=True), (consent(), consent(**FAMILY)), "public-anonymised"),
    ("a minor is never named", About("p1", minor=True),
     (consent(level="public-named"), consent(**FAMILY, level="public-named")), "public-anonymised"),
    ("a minor who says no", About("p1", minor=True), (consent(level="private-help-only"), consent(**FAMILY)),
     "private-help-only"),
    ("a minor whose guardian is no safe family", About("p1", minor=True), (consent(), consent(given_by="family")),
     "nothing"),
    ("a relative's own word", About("p1", relative=True), (consent(),), "public-anonymised"),
    ("nobody speaks for a relative", About("p1", "detained", relative=True), (consent(**FAMILY), consent(**PRESUMED)),
     "nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "about", "words", "expected"), LEVELS, ids=[each[0] for each in LEVELS])
def test_how_much_may_be_said(name, about, words, expected):
    assert level(about, *words) == expected
    assert level(about, *reversed(words)) == expected, "the order in which they stand does not matter"


def test_what_is_told_of_an_outcome_needs_a_word_given_after_it_was_known():
    known = NOW - DAY / 2
    assert level(FREE, consent(), outcome=known) == "nothing"
    assert level(FREE, consent(), consent(given=NOW), outcome=known) == "public-anonymised"
    assert level(About("p1", "killed"), consent(**ADVANCE), outcome=known) == "nothing"
    assert level(About("p1", "killed"), consent(**FAMILY | {"given": NOW}), outcome=known) == "public-anonymised"
    assert level(FREE, consent(level="private-help-only"), outcome=known) == "private-help-only", "a no stays"


def test_every_answer_says_why():
    assert reason(FREE).startswith("R1")
    assert reason(About("p1", relative=True)).startswith("R10")
    assert reason(About("p1", minor=True)).startswith("R11")
    assert "instruction" in reason(DETAINED, consent(**ADVANCE))


def test_a_consent_lapses_at_its_last_moment_and_its_text_goes_thirty_days_later():
    until = NOW + 90 * DAY
    before = effective((FREE,), (consent(),), until - DAY)
    after = effective((FREE,), (consent(),), until)
    assert (before[0].lapsed, after[0].lapsed) == (False, True)
    assert consents.lapses(before) == consents.lapses(after) == until
    assert consents.deletes(until) == until + 30 * DAY


def test_of_several_people_the_lowest_word_counts_and_the_first_end():
    both = effective(
        (FREE, About("p2")), (consent(), consent(subject="p2", level="network", valid_until=NOW + DAY)), NOW
    )
    assert consents.level_of(both) == "network"
    assert consents.lapses(both) == NOW + DAY
    assert consents.level_of(()) == "nothing"


def test_what_was_excluded_and_in_which_language_goes_with_the_answer():
    (found,) = effective((FREE,), (consent(excluded=("photo",), languages=("ar",)),), NOW)
    assert (found.excluded, found.languages) == (("photo",), ("ar",))
    assert replace(found, level="unknown to us").allows("network") is False

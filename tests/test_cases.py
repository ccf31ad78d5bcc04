"""The life of a case: every line of the table, what stops it, and that no way leads round the rules."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import cases, consents
from node.case_conditions import CONDITIONS
from node.case_terms import AFTER_CONSENT, CLOCK, OPEN, ROLES, STATES, STEPS, acts, step
from node.cases import Ask, No, Person, Source, Verification, Who, Words
from tests.support.case_examples import (
    AUTHOR,
    COORDINATOR,
    DAY,
    FIRST,
    LINK,
    NOW,
    SECOND,
    WORKER,
    approved,
    case,
    consent,
    do,
    person,
    published,
    result,
)


def reasons(held, act, who, at=NOW, note=""):
    found = cases.decide(held, act, who, at, note)
    return found.reasons if isinstance(found, No) else ()


def test_the_table_knows_only_states_roles_and_conditions_that_there_are():
    for line in STEPS:
        assert {line.before, line.after} <= set(STATES)
        assert set(line.who) <= {*ROLES, CLOCK} - {"administrator"}
        assert set(line.conditions) <= set(CONDITIONS)
    assert {name for line in STEPS for name in line.conditions} == set(CONDITIONS)
    assert len({(line.before, line.act) for line in STEPS}) == len(STEPS)
    assert {line.after for line in STEPS} | {"request"} == set(STATES), "every state can be reached"
    assert acts("withdrawn", "coordinator") == (), "nothing leads out of it"
    assert all(step(each, "withdraw") for each in OPEN)
    assert all(step(each, "lapse") for each in AFTER_CONSENT)


def test_a_case_from_a_first_word_to_its_lessons():
    held = cases.opened("c" * 32, Ask(what="EXERCISE"), NOW)
    whole = case()
    held = do(held, ("take", WORKER), ("accept", WORKER))
    held = cases.answered(held, WORKER, NOW)
    held = replace(whole, state=held.state, due=held.due, history=held.history, strategy="", authors=())
    held = do(
        held, ("verify", WORKER), ("consent", WORKER), ("public", WORKER), ("submit", AUTHOR), ("approve", FIRST),
        ("approve", SECOND), ("publish", WORKER), ("start", WORKER),
    )  # fmt: skip
    fresh = consent(given=NOW + DAY)
    held = replace(held, outcome=result(lessons="EXERCISE"), consents=(*held.consents, fresh))
    held = do(held, ("conclude", WORKER), ("close", COORDINATOR), ("review", COORDINATOR), at=NOW + 2 * DAY)
    assert held.state == "lessons"
    assert [each.act for each in held.history] == [
        "take", "accept", "answer", "verify", "consent", "public", "submit", "approve", "approve", "publish", "start",
        "conclude", "close", "review",
    ]  # fmt: skip
    assert {each.hour.minute for each in held.history} == {0}


STOPS = [
    ("the link to the work is not written", {"texts": (replace(case().texts[0], link_to_work=" "),)}, "A1"),
    ("there is no text", {"texts": ()}, "B2"),
    ("nobody gave a consent", {"consents": ()}, "R1"),
    ("the consent is below the audience", {"consents": (consent(level="network"),)}, "R1"),
    ("the consent has lapsed", {"consents": (consent(valid_until=NOW),)}, "R1"),
    ("the consent allows no name", {"people": (person(publication_level="named"),)}, "R1"),
    ("the consent is for another language", {"consents": (consent(languages=("ar",)),)}, "R1"),
    ("nobody is in it", {"people": ()}, "R1"),
    ("one source alone", {"sources": (Source("witness", independent=True),)}, "R6"),
    ("two documents and no witness", {"sources": (Source("a", document=True), Source("b", document=True))}, "R6"),
    ("how it was checked is not recorded", {"verification": Verification()}, "R6"),
    ("the name stands in the text",
     {"texts": (Words("en", "EXERCISE", "Amal Exercise was held", LINK, ("a",)),)}, "R4"),
    ("a minor is named", {"people": (person(minor=True, publication_level="named"),)}, "R11"),
    ("a relative without a word of their own",
     {"people": (person(), Person("p2", relative=True, in_alert=True))}, "R1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "rule"), STOPS, ids=[each[0] for each in STOPS])
def test_what_keeps_a_text_from_being_submitted_and_published(name, changes, rule):
    assert any(each.startswith(rule) for each in reasons(case(**changes), "submit", AUTHOR))
    late = replace(approved(), **changes)
    assert any(each.startswith(rule) for each in reasons(late, "publish", WORKER))


APPROVALS = [
    ("the author", AUTHOR.id, "R2: whoever wrote"),
    ("the person concerned", "p-account", "R2: who the case is about"),
    ("nobody in particular", "", "R2: an approval is somebody's"),
    ("the same twice", FIRST.id, "R2: this person"),
]


@pytest.mark.parametrize(("name", "account", "told"), APPROVALS, ids=[each[0] for each in APPROVALS])
def test_who_may_not_approve(name, account, told):
    held = do(case(people=(person(account="p-account"),)), ("submit", AUTHOR), ("approve", FIRST))
    assert any(each.startswith(told) for each in reasons(held, "approve", Who(account, "approver", "org3")))


def test_a_changed_letter_makes_approvals_void():
    held = approved()
    assert not reasons(held, "publish", WORKER)
    text = replace(held.texts[0], headline=held.texts[0].headline + ".")
    changed = cases.revise(held, replace(held, texts=(text,)), SECOND, NOW)
    assert any("R2: two people" in each for each in reasons(changed, "publish", WORKER))
    assert SECOND.id in changed.authors
    by_nobody = cases.revise(held, replace(held, texts=(text,)), WORKER, NOW)
    assert any("(0/2)" in each for each in reasons(by_nobody, "publish", WORKER)), "whoever changed it"
    assert any("R2: whoever wrote" in each for each in reasons(changed, "approve", SECOND))


def test_who_wrote_in_a_text_and_put_it_back_has_approved_nothing():
    held = approved()
    text = replace(held.texts[0], headline="EXERCISE: another")
    written = cases.revise(held, replace(held, texts=(text,)), SECOND, NOW)
    back = cases.revise(written, replace(written, texts=held.texts), WORKER, NOW)
    assert cases.digest(back, NOW) == cases.digest(held, NOW)
    assert any("this very text (1/2)" in each for each in reasons(back, "publish", COORDINATOR))


def test_a_named_person_needs_an_approver_of_another_organisation():
    named = {"people": (person(publication_level="named"),), "consents": (consent(level="public-named"),)}
    here = do(case(**named), ("submit", AUTHOR), ("approve", FIRST), ("approve", replace(SECOND, organisation="org1")))
    assert any("another organisation" in each for each in reasons(here, "publish", WORKER))
    assert not reasons(approved(**named), "publish", WORKER)


def test_writing_changes_no_state_no_approval_and_no_history():
    held = approved()
    forged = replace(held, state="published", approvals=(), authors=(), history=(), alert="x", strategy="quiet")
    kept = cases.revise(held, forged, WORKER, NOW)
    assert (kept.state, kept.approvals, kept.authors, kept.alert, kept.strategy) == (
        held.state, held.approvals, held.authors, held.alert, held.strategy,
    )  # fmt: skip
    assert kept.history[:-1] == held.history


def test_an_embargo_is_kept_to_the_minute():
    held = do(approved(embargo_until=NOW + DAY), ("hold", WORKER))
    assert any(each.startswith("R8") for each in reasons(held, "publish", WORKER))
    assert not reasons(held, "publish", WORKER, at=NOW + DAY)


def test_a_quiet_case_is_never_public():
    held = do(case(state="strategy", strategy=""), ("quiet", WORKER))
    assert held.state == "action"
    assert any(each.startswith("R3") for each in reasons(held, "revise", AUTHOR))
    assert not held.alert


def test_administrators_and_strangers_may_do_nothing():
    for state in STATES:
        for role in ("administrator", "subject", "", "reader"):
            assert acts(state, role) == ()


def test_an_expired_alert_can_be_renewed_only_through_review():
    held = do(published(), ("expire", Who("", "clock")), at=NOW + 50 * DAY)
    assert held.state == "expired"
    assert do(held, ("revise", AUTHOR)).state == "draft"


def test_a_lapsed_case_needs_a_consent_that_stands():
    late = NOW + 91 * DAY
    held = do(published(), ("lapse", Who("", "clock")), at=late)
    assert (held.state, cases.deletes(held, late)) == ("lapsed", cases.next_hour(late + 30 * DAY))
    assert any("R1" in each for each in reasons(held, "renew", WORKER, at=late))
    again = replace(held, consents=(consent(given=late, valid_until=late + DAY),))
    assert do(again, ("renew", WORKER), at=late).state == "consent"


def test_lowering_a_consent_takes_back_what_stands_in_public():
    held = replace(published(), alert="ap+ef61://did:key:exercise/objects/1")
    assert cases.unsupported(held, NOW) == ""
    for lower in (consent(given=NOW, level="private-help-only"), consent(given=NOW, withdrawn=NOW)):
        assert cases.unsupported(replace(held, consents=(*held.consents, lower)), NOW).startswith("R1")
    assert cases.unsupported(held, NOW + 91 * DAY) == "", "what only lapsed stops, and is not withdrawn yet"


def test_the_audit_has_roles_and_hours_and_no_word_of_the_case():
    found = cases.decide(case(), "submit", AUTHOR, NOW, "EXERCISE secret reason")
    assert found.audit == cases.Audit("author", "submit", "c" * 32, NOW.replace(minute=0))


PEOPLE = (AUTHOR, WORKER, COORDINATOR, FIRST, SECOND, Who("p1-account", "approver", "org2"), Who("x", "administrator"))
ACTS = sorted({line.act for line in STEPS})
CHANGES = (
    {"consents": ()},
    {"consents": (consent(),)},
    {"consents": (consent(level="network"),)},
    {"texts": (replace(case().texts[0], link_to_work=""),)},
    {"texts": case().texts},
    {"texts": (replace(case().texts[0], headline="EXERCISE: another"),)},
    {"verification": Verification()},
    {"verification": case().verification},
    {"embargo_until": NOW + DAY},
    {"outcome": result(known=NOW - DAY, lessons="EXERCISE")},
)
MOVES = st.lists(st.tuples(st.sampled_from(ACTS) | st.sampled_from(CHANGES), st.sampled_from(PEOPLE)), max_size=30)
STARTS = st.sampled_from((case(state="request", strategy="", authors=()), case(), approved()))


@settings(max_examples=400, deadline=None)
@given(start=STARTS, moves=MOVES)
def test_no_sequence_of_acts_reaches_the_public_round_the_rules(start, moves):
    held = replace(start, people=(person(account="p1-account"),))
    withdrawn = False
    for what, who in moves:
        if isinstance(what, dict):
            held = cases.revise(held, replace(held, **what), who, NOW)
            continue
        done = cases.perform(held, what, who, NOW, "EXERCISE")
        if isinstance(done, No):
            continue
        assert not withdrawn, "a withdrawn case came back"
        before, held = held, done[0]
        withdrawn = held.state == "withdrawn"
        if held.state == "published":
            assert before.state in ("review", "embargo")
            _hold_the_public(held)


def _hold_the_public(held):
    needed = consents.NETWORK if held.strategy == "network-only" else consents.ANONYMISED
    assert all(each.allows(needed) for each in cases.standings(held, NOW))
    assert held.people and held.texts and all(text.link_to_work for text in held.texts)
    assert held.verification.level
    text = cases.digest(held, NOW)
    approvers = {each.who for each in held.approvals if each.digest == text}
    assert len(approvers - set(held.authors) - {"p1-account"}) >= 2
    assert held.embargo_until is None or held.embargo_until <= NOW

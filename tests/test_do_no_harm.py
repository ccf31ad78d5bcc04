"""The do-no-harm rules of the project, R1 to R18, each with a test that bears its number.

A rule that another file tests whole has its entry in `ELSEWHERE`, and what there is of it here is tested too.
"""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from node import alerts, case_alerts, case_counts, cases, replies
from node.alert_terms import STATUSES
from node.case_terms import SHOWN, STATES
from node.cases import Ask, No, Perpetrator, Person, Retention, Words
from node.effects import Accept, HoldReply, Ignore, Refuse
from node.federation.protocol import ids
from node.federation.protocol.activities import AS2, parse_activity
from node.federation.protocol.messages import parse_document
from node.posts import Facts as PostFacts
from node.posts import decide as decide_post
from tests.support.alert_examples import ACTOR, NOTE_ID, PLACE, PUBLIC
from tests.support.alert_examples import NOW as THEN
from tests.support.alert_examples import note as example_note
from tests.support.case_examples import (
    AUTHOR,
    DAY,
    FIRST,
    LINK,
    NOW,
    WORKER,
    approved,
    case,
    consent,
    do,
    person,
    published,
    result,
)

ELSEWHERE = {
    5: ("tests/test_pictures.py", "pictures lose everything but their pixels: built beside this"),
    7: ("tests/test_flow_withdrawals.py", "a Delete reaches every inbox, or it is said which not: built beside this"),
    18: ("tests/test_endorsements.py", "a text for signatures is frozen: built beside this"),
}  # fmt: skip
"""Rule → (the file that tests it whole, what it is about)."""


def reasons(held, act, who, at=NOW):
    found = cases.decide(held, act, who, at, "EXERCISE")
    return " ".join(found.reasons) if isinstance(found, No) else ""


def public(held, now=NOW):
    """The public words of a case, whole."""
    return json.dumps(case_alerts.public_alert(held, now), ensure_ascii=False)


def notes(held, now=NOW):
    """Every Note that a case would become."""
    alert = alerts.parse_input(case_alerts.public_alert(held, now))
    found = [alerts.render(alert, text.language, PLACE) for text in alert.texts()]
    return json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize("level", ["nothing", "private-help-only", "network"])
def test_r01_nothing_is_published_without_a_consent_that_covers_audience_and_moment(level):
    words = () if level == "nothing" else (consent(level=level),)
    assert "R1" in reasons(replace(approved(), consents=words), "publish", WORKER)
    assert "R1" in reasons(approved(), "publish", WORKER, at=NOW + 91 * DAY)
    live = replace(published(), alert="ap+ef61://did:key:exercise/objects/1")
    lower = replace(live, consents=(*live.consents, consent(given=NOW, level="network")))
    assert cases.unsupported(live, NOW) == ""
    assert cases.unsupported(lower, NOW).startswith("R1"), "lowering un-publishes at once"


def test_r02_the_author_never_approves_and_two_others_do():
    held = do(case(), ("submit", AUTHOR))
    assert "R2" in reasons(held, "publish", WORKER)
    assert "R2" in reasons(held, "approve", replace(FIRST, id=AUTHOR.id))
    assert "R2" in reasons(do(held, ("approve", FIRST)), "publish", WORKER)
    assert "R2" in reasons(do(held, ("approve", FIRST)), "approve", FIRST)
    assert reasons(approved(), "publish", WORKER) == ""


def test_r03_by_default_nobody_is_told_apart_and_the_place_is_a_country():
    held = case(
        people=(Person("p1", name="Amal Exercise"), Person("p2", name="Her Sister", relative=True)),
        travel_plan="EXERCISE by bus at dawn", lawyer="Lawyer Exercise Name",
    )  # fmt: skip
    value = case_alerts.public_alert(held, NOW)
    assert [each["publication_level"] for each in value["subjects"]] == ["collective"], "and no relative"
    assert value["country"] == "IQ"
    for word in ("Amal", "Sister", "Example Quarter", "by bus", "Lawyer", "photo"):
        assert word not in public(held)


def test_r04_case_and_alert_are_two_objects_and_the_alert_is_a_list_of_named_fields():
    known = {
        "status", "audience", "kind", "country", "severity", "urgency", "certainty", "violation_types", "drivers",
        "company_or_project", "endorsement_mode", "republish", "language", "headline", "narrative", "link_to_work",
        "demands", "translations", "subjects", "consent", "targets", "relation_to_network", "verification", "deadline",
        "expires",
    }  # fmt: skip
    assert set(case_alerts.public_alert(case(), NOW)) == known, "the random words stand in test_case_documents"
    copied = case(texts=(Words("en", "EXERCISE", "she lives in Exercise Town", LINK, ("Stop",)),))
    assert "R4" in reasons(copied, "submit", AUTHOR)


def test_r05_a_case_has_no_room_for_a_picture_in_what_is_public():
    assert not [name for name in case_alerts.public_alert(case(), NOW) if re.search("photo|image|media|attach", name)]


@pytest.mark.parametrize(
    ("sources", "official", "said", "named"),
    [
        (0, False, "Alleged", False),
        (1, False, "Alleged", False),
        (2, False, "Responsible", True),
        (0, True, "Responsible", True),
    ],
)
def test_r06_who_is_held_responsible_is_alleged_until_it_is_verified(sources, official, said, named):
    one = Perpetrator("Major Exercise Invented", "a security force", sources=sources, official=official)
    text = notes(case(perpetrators=(one,)))
    assert (said in text, "Major" in text) == (True, named)
    assert "Certainty" in text and "likely" in text, "how sure one is stands in the alert"
    arabic = case(perpetrators=(one,), texts=(Words("ar", "تدريب", "تدريب", "تدريب", ("تدريب",)),))
    assert ("بحسب المعلومات الواردة" in notes(arabic)) is not named
    bare = case(perpetrators=(one,), texts=(Words("en", "EXERCISE", "by Major Exercise Invented", LINK, ("a",)),))
    assert ("R4" in reasons(bare, "submit", AUTHOR)) is not named


def test_r07_a_withdrawal_is_always_possible_and_never_undone():
    for state in SHOWN:
        held = replace(case(), state=state, alert="ap+ef61://did:key:exercise/objects/1")
        found = cases.decide(held, "withdraw", WORKER, NOW)
        assert (found.after, found.unpublish) == ("withdrawn", True)
    gone = do(case(), ("withdraw", WORKER))
    assert all("never comes back" in reasons(gone, act, WORKER) for act in ("submit", "publish", "renew", "reopen"))


def test_r08_an_embargo_holds_and_private_posts_are_kept_nowhere():
    held = do(approved(embargo_until=NOW + DAY), ("hold", WORKER))
    assert "R8" in reasons(held, "publish", WORKER)
    activity = {
        "@context": AS2, "id": f"{NOTE_ID}/create", "type": "Create", "actor": ACTOR, "to": [ACTOR],
        "object": {"id": NOTE_ID, "type": "Note", "attributedTo": ACTOR, "content": "EXERCISE", "to": [ACTOR]},
    }  # fmt: skip
    parsed = parse_activity(parse_document(json.dumps(activity).encode()))
    assert isinstance(decide_post(parsed, PostFacts(org="https://x.example/", followed=True)), Ignore)


def test_r09_sources_and_who_asked_are_in_no_public_byte_and_no_audit():
    held = replace(case(), ask=Ask(what="EXERCISE zq-what", who="zq-who", contact="zq-contact"))
    text = notes(held) + repr(cases.decide(held, "submit", AUTHOR, NOW, "zq-why").audit)
    for word in ("zq-", "EXERCISE neighbour", "court", "case_worker"):
        assert word not in text


def test_r10_a_relative_needs_a_word_of_their_own():
    sister = Person("p2", name="Sister Exercise", relative=True, in_alert=True)
    safe = {"given_by": "family", "family_safe": True, "family_reason": "EXERCISE"}
    held = case(people=(person(), sister), consents=(consent(), consent(subject="p2", **safe)))
    assert "R10" in reasons(held, "submit", AUTHOR)
    assert reasons(replace(held, consents=(consent(), consent(subject="p2"))), "submit", AUTHOR) == ""


@pytest.mark.parametrize("level", ["named", "initials", "pseudonym"])
def test_r11_a_minor_stands_nowhere_by_name(level):
    words = (consent(level="public-named"), consent(given_by="lawyer", level="public-named"))
    held = case(people=(person(minor=True, publication_level=level, public_name="Z"),), consents=words)
    assert "R11" in reasons(held, "submit", AUTHOR)


def test_r12_sensitive_facts_are_off_by_default_and_in_no_small_number():
    grading = replace(case().grading, violation_types=("threat", "sexual-violence"))
    held = case(people=(person(sensitive="EXERCISE zq sensitive words"),), grading=grading)
    assert "zq" not in notes(held) and "sexual" not in notes(held)
    decided = replace(held, people=(replace(held.people[0], sensitive_types=True),))
    assert "sexual-violence" in notes(decided) and "zq" not in notes(decided)
    assert case_counts.by_violation([decided] * 4) == {"threat": case_counts.HIDDEN}
    assert case_counts.by_violation([decided] * 5) == {"sexual-violence": 5, "threat": 5}


def test_r13_counts_under_five_and_places_with_a_single_case_are_not_told():
    def of(**numbers):
        return [
            replace(case(), grading=replace(case().grading, country=name))
            for name, number in numbers.items() for _ in range(number)
        ]  # fmt: skip

    hidden = case_counts.HIDDEN
    assert case_counts.by_country(of(IQ=9, LB=1)) == {"IQ": 9}
    two = {"IQ": 9, "JO": hidden, "LB": hidden}
    assert case_counts.by_country(of(IQ=9, JO=7, LB=3)) == two, "no total gives it away"
    assert case_counts.by_country(of(IQ=9, JO=4, LB=3)) == two
    assert case_counts.by_country(of(IQ=4)) == {"IQ": hidden}


@pytest.mark.parametrize(("imminent", "hours"), [(False, 24), (True, 4)])
def test_r14_every_request_waits_for_a_human_answer_until_it_has_one(imminent, hours):
    held = cases.opened("x", Ask(what="EXERCISE", imminent=imminent), NOW)
    due = NOW.replace(minute=0) + timedelta(hours=hours + 1)
    assert held.due == due and not cases.awaited(held, due - timedelta(minutes=1)) and cases.awaited(held, due)
    worked = do(held, ("take", WORKER), ("accept", WORKER), ("decline", WORKER))
    assert worked.due == due and cases.awaited(worked, due), "declining is no answer"
    assert not cases.awaited(cases.answered(worked, WORKER, NOW), due + 100 * DAY)


@pytest.mark.parametrize("status", [each for each in STATUSES if each != "actual"])
def test_r15_an_exercise_says_so_and_never_goes_to_the_public(status):
    words = example_note(status=status)
    assert words["content"].index("تدريب" if status == "exercise" else "اختبار") < 20
    facts = dict(
        followed=True, frozen=False, own=False, known_author=None, known_updated=None, withdrawn=False, now=THEN
    )  # fmt: skip
    stranger = alerts.decide("Create", ACTOR, NOTE_ID, words, alerts.Facts(member=False, **facts))
    member = alerts.decide("Create", ACTOR, NOTE_ID, words, alerts.Facts(member=True, **facts))
    assert isinstance(stranger, Refuse) and isinstance(member, Accept)


def test_r16_replies_wait_for_review():
    policy = example_note()["interactionPolicy"]["canReply"]
    assert PUBLIC not in policy["automaticApproval"] and PUBLIC in policy["manualApproval"]
    note = {
        "id": "https://s.example/1", "type": "Note", "attributedTo": "https://s.example/u", "content": "EXERCISE",
        "inReplyTo": NOTE_ID,
    }  # fmt: skip
    raw = {
        "@context": AS2, "id": "https://s.example/2", "type": "Create", "actor": "https://s.example/u", "to": [PUBLIC],
        "object": note,
    }  # fmt: skip
    parsed = parse_activity(parse_document(json.dumps(raw).encode()))
    did = ids.portable(NOTE_ID).did
    assert replies.is_for_review(parsed, ACTOR, did)
    done = replies.decide(parsed, replies.Facts(did))
    held = HoldReply("https://s.example/1", "https://s.example/u", ids.canonical(NOTE_ID))
    assert done == Accept((held,)), "sealed, and no object"
    assert decide_post(parsed, PostFacts(org=ACTOR)) == Ignore("nobody here follows the author")


def test_r17_a_closed_case_is_deleted_when_its_time_is_over_and_the_consent_says_how():
    held = do(
        replace(published(), state="action", outcome=result(known=NOW)), ("conclude", WORKER), ("close-quietly", WORKER)
    )
    assert cases.deletes(held, NOW) == cases.next_hour(NOW) + 360 * DAY
    short = replace(held, retention=Retention(months=2, then="archive"))
    assert cases.deletes(short, NOW) == cases.next_hour(NOW) + 60 * DAY
    assert all(cases.deletes(replace(held, state=state), NOW) for state in STATES if state in ("withdrawn", "declined"))


def test_r18_what_was_approved_is_exactly_what_is_published():
    held = approved()
    demand = replace(held.texts[0], demands=("Stop at once",))
    changed = cases.revise(held, replace(held, texts=(demand,)), WORKER, NOW)
    assert "R2" in reasons(changed, "publish", WORKER), "one word more, and every yes is void"


def test_every_rule_has_a_test_that_bears_its_number():
    named = {int(name[6:8]) for name in globals() if re.match(r"test_r\d\d_", name)}
    assert named == set(range(1, 19))
    assert set(ELSEWHERE) <= named
    assert all(Path(path).parts[0] == "tests" and why for path, why in ELSEWHERE.values())

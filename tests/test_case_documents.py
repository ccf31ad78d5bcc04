"""The case document, and what becomes public of it: nothing that is not named."""

import json
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import alerts, case_alerts, cases
from node.case_documents import MAX_CASE, Case, Words
from node.errors import ProtocolError
from tests.support.alert_examples import PLACE
from tests.support.case_examples import DAY, LINK, NOW, approved, case, consent, published

PUBLIC_FIELDS = {
    # the words of the alert
    "Words.language", "Words.headline", "Words.narrative", "Words.link_to_work", "Words.demands",
    # its grading
    *(f"Grading.{each.name}" for each in fields(cases.Grading)),
    # an office, how a person is called in public, what may be said of who did it, how it was checked
    "Office.office", "Office.country", "Office.language", "Person.public_name", "Person.kind",
    "Person.publication_level", "Perpetrator.description", "Verification.level",
    # closed lists that decide, and are no text
    "Case.state", "Case.strategy", "Consent.given_by", "Consent.level", "Consent.subject", "Person.subject",
    "Verification.status", "Person.situation", "Consent.scope", "Retention.then", "Result.kind", "Consent.languages",
}  # fmt: skip
"""Every other text of a case stays inside. A new field is inside until it is written here."""


def filled(kind, marks, where=""):
    """One value of a document's class, with a mark of its own in every text that stays inside."""
    hints = get_type_hints(kind)
    values = {}
    for each in fields(kind):
        made = _value(hints[each.name], f"{kind.__name__}.{each.name}", marks)
        if made is not None:
            values[each.name] = made
    return values


def _value(hint, name, marks):
    if get_origin(hint) is UnionType:
        hint = get_args(hint)[0]
    if get_origin(hint) is tuple:
        inner = _value(get_args(hint)[0], name, marks)
        return None if inner is None else (inner,)
    if is_dataclass(hint):
        return hint(**{**_least(hint), **filled(hint, marks)})
    if hint is str and name not in PUBLIC_FIELDS:
        return marks(name)
    return None


def _least(kind):
    return {
        "Consent": {
            "subject": "p1", "given_by": "self", "level": "public-anonymised", "given": NOW - DAY,
            "valid_until": NOW + 90 * DAY,
        },
        "Person": {"subject": "p1"},
        "Act": {"hour": NOW},
        "Approval": {"hour": NOW},
        "Words": {
            "language": "en", "headline": "EXERCISE", "narrative": "EXERCISE text", "link_to_work": LINK,
            "demands": ("a",),
        },
        "Office": {"office": "Ministry, exercise", "country": "IQ"},
    }.get(kind.__name__, {})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_r04_no_byte_of_a_note_holds_what_stays_inside(seed):
    marks = {}

    def mark(name):
        marks[name] = f"Zq{seed:x}x{len(marks):x}w mark"
        return marks[name]

    base = case(state="request")
    whole = replace(Case(**{"id": "x", "opened": NOW, **filled(Case, mark)}), state="draft", strategy="public")
    whole = replace(whole, grading=base.grading)
    assert len(marks) > 40, "the document was not filled"
    value = case_alerts.public_alert(whole, NOW)
    alert = alerts.parse_input(value)
    for language in [text.language for text in alert.texts()]:
        note = json.dumps(alerts.render(alert, language, PLACE), ensure_ascii=False)
        assert [name for name, words in marks.items() if words.split()[0] in note] == []
    assert [name for name, words in marks.items() if words.split()[0] in json.dumps(value)] == []


def test_the_public_alert_passes_the_rules_of_alerts():
    alert = alerts.parse_input(case_alerts.public_alert(approved(), NOW))
    alerts.check_publishable(alert, NOW, approvals_exist=True, loopback=False)
    assert (alert.audience, alert.country, alert.subjects[0].publication_level) == ("everyone", "IQ", "collective")


def test_an_alert_is_over_when_its_consent_is():
    held = case(consents=(consent(valid_until=NOW + 5 * DAY),))
    assert case_alerts.public_alert(held, NOW)["expires"] == "2026-11-25T10:20:00Z"


def test_a_case_is_read_as_it_was_written():
    for held in (case(), approved(), published(), Case(id="x", opened=NOW)):
        raw = cases.render(held)
        assert cases.parse(raw) == held
        assert len(raw) == len(cases.render(Case(id="x", opened=NOW))), "its size does not tell a long one from a short"


def test_a_case_from_when_approvers_of_a_presumption_were_typed_is_read():
    value = json.loads(cases.render(case()))
    value["case"]["consents"][0]["approved_by"] = ["EXERCISE one", "EXERCISE two"]
    assert cases.parse(json.dumps(value).encode()) == case()


def test_a_document_of_another_shape_is_refused():
    value = json.loads(cases.render(case()))
    for change in (
        {"version": 2},
        {"case": None},
        {"case": value["case"] | {"unknown": 1}},
        {"case": value["case"] | {"state": "anywhere"}},
        {"case": value["case"] | {"people": [{"name": "no subject"}]}},
        {"case": value["case"] | {"opened": "yesterday"}},
        {"case": value["case"] | {"notes": 7}},
        {"case": value["case"] | {"imminent": 1}},
        {"case": value["case"] | {"notes": "x" * (MAX_CASE // 4)}},
        {"case": {name: each for name, each in value["case"].items() if name != "id"}},
    ):
        with pytest.raises(ProtocolError):
            cases.parse(json.dumps(value | change).encode())


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_change_of_a_document_is_read_or_refused(data):
    value = json.loads(cases.render(case()))["case"]
    name = data.draw(st.sampled_from(sorted(value)))
    objects = st.lists(st.dictionaries(st.text(), st.none()))
    value[name] = data.draw(st.none() | st.integers() | st.text(max_size=5) | objects)
    with suppress(ProtocolError):
        cases.parse(json.dumps({"version": 1, "case": value}).encode())


LEAKS = [
    ("the name", "Amal Exercise is held", ["people[0].name"]),
    ("the name in other letters", "AMAL  exercise is held", ["people[0].name"]),
    ("the village", "in Exercise Town there was", ["place_full"]),
    ("the country is public", "in Iraq there was", []),
    ("a telephone number", "call 999-000-111 222", ["contacts"]),
    ("a source's words", "the EXERCISE neighbour told us", ["sources"]),
    ("an unverified name", "by Major Exercise Invented himself", ["perpetrators"]),
    ("nothing", "EXERCISE: somebody was held", []),
]


@pytest.mark.parametrize(("name", "said", "expected"), LEAKS, ids=[each[0] for each in LEAKS])
def test_what_stays_inside_is_found_in_a_public_text(name, said, expected):
    assert list(case_alerts.leaks(case(texts=(Words("en", "EXERCISE", said, LINK, ("Stop",)),)))) == expected


def test_every_class_of_the_document_is_filled_by_the_test():
    marks = []
    filled(Case, lambda name: marks.append(name) or "mark word")
    seen = {name.partition(".")[0] for name in marks}
    assert seen >= {"Case", "Ask", "Person", "Source", "Consent", "Verification", "Perpetrator", "Approval", "Act"}

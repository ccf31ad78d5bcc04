"""What an operator may hand in, and what of it may be published."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import alerts
from node.errors import RefusedError
from tests.support.alert_examples import (
    ANYTHING,
    DID,
    EXAMPLE,
    NAMED,
    NOW,
    PLACE,
    actual,
    consent,
    example,
    subject,
)


def reasons(value):
    with pytest.raises(RefusedError) as caught:
        alerts.parse_input(value)
    return caught.value.reasons


def refusals(value, now=NOW, approvals_exist=False, loopback=True):
    with pytest.raises(RefusedError) as caught:
        alerts.check_publishable(
            alerts.parse_input(value), now, approvals_exist=approvals_exist, loopback=loopback
        )
    return caught.value.reasons


# What an operator hands in


def test_the_example_is_read_whole():
    alert = alerts.parse_input(example())
    assert alert.text.language == "ar"
    assert alert.consent.valid_until == datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
    assert alert.deadline == datetime(2027, 1, 15, 12, tzinfo=UTC)
    assert [text.language for text in alert.translations] == ["en"]
    assert alert.verification_level == "two-independent"
    assert alert.internal["sources"] == EXAMPLE["sources"]


def test_the_default_audience_is_the_network():
    value = example()
    del value["audience"]
    assert alerts.parse_input(value).audience == "network"


@pytest.mark.parametrize(
    "name",
    [
        *("language", "headline", "kind", "country", "narrative", "link_to_work", "demands", "severity"),
        *("urgency", "certainty", "subjects", "consent", "status", "expires"),
    ],
)
def test_a_missing_field_is_named_once(name):
    value = example()
    del value[name]
    found = reasons(value)
    assert len(found) == 1
    assert found[0].startswith(f"{name}: missing")


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"kind": "urgent"}, "kind: 'urgent' is not known"),
        ({"severity": 3}, "severity: 3 is not known"),
        ({"status": "draft"}, "status:"),
        ({"country": "ZZ"}, "country: 'ZZ' is no country"),
        ({"language": "arabic!"}, "language:"),
        ({"audience": ["did:key:no"]}, "audience:"),
        ({"audience": []}, "audience:"),
        ({"headline": "x" * 301}, "headline: 301 characters, 300 allowed"),
        ({"headline": " \u202e\n"}, "headline: empty"),
        ({"headline": ["x"]}, "headline:"),
        ({"narrative": "x" * 20_001}, "narrative: 20001 characters"),
        ({"link_to_work": ""}, "link_to_work: empty"),
        ({"demands": ["x"] * 21}, "demands: 21 written, 20 allowed"),
        ({"demands": []}, "demands: missing"),
        ({"demands": [""]}, "demands[0]: empty"),
        ({"demands": "x"}, "demands: write a list"),
        ({"expires": "tomorrow"}, "expires: 'tomorrow' is no date"),
        ({"expires": "2027-02-30"}, "expires:"),
        ({"expires": "2027-02-03T10:00:00"}, "expires:"),
        ({"expires": "0001-01-01T00:00:00+23:59"}, "expires:"),
        ({"subjects": []}, "subjects: missing"),
        ({"subjects": ["x"]}, "subjects[0]: write an object"),
        ({"subjects": [subject(publication_level="famous")]}, "subjects[0].publication_level:"),
        ({"subjects": [subject(publication_level="pseudonym")]}, "subjects[0].public_name:"),
        ({"subjects": [subject(publication_level="named", name=None)]}, "subjects[0].name: missing"),
        ({"subjects": [subject(minor="yes")]}, "subjects[0].minor:"),
        (
            {"subjects": [subject(publication_levl="named")]},
            "subjects[0].publication_levl: no such field; did you",
        ),
        ({"consent": "yes"}, "consent: not an object"),
        ({"consent": consent(level="public")}, "consent.level:"),
        ({"consent": consent(valid_until=None)}, "consent.valid_until: missing"),
        (
            {"targets": [{"office": "x", "country": "IQ", "emial": "x"}]},
            "targets[0].emial: no such field; did you",
        ),
        ({"violation_types": ["Two Words"]}, "violation_types[0]:"),
        ({"translations": {"en": {"headline": "x"}}}, "translations.en.narrative: missing"),
        ({"translations": {"no language": {}}}, "translations.no language:"),
        ({"hedline": "x"}, "hedline: no such field; did you mean"),
        ({"zzzz": 1}, "zzzz: no such field; leave it out"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_write(changes, start):
    assert any(reason.startswith(start) for reason in reasons(example(**changes))), reasons(
        example(**changes)
    )


def test_every_mistake_is_named_at_once():
    found = reasons({"kind": "x", "status": "y", "hedline": "z"})
    named = {reason.partition(":")[0] for reason in found}
    assert {"kind", "status", "hedline", "headline", "narrative", "consent", "expires", "subjects"} <= named
    assert len(found) == len(set(found))


def test_a_missing_consent_names_its_rule():
    value = example()
    del value["consent"]
    assert "R1" in reasons(value)[0]


def test_a_translation_has_as_many_demands_as_the_main_text():
    value = example()
    value["translations"]["en"]["demands"].pop()
    assert reasons(value)[0].startswith("translations.en.demands: 3 written")


def test_dates_in_arabic_digits_are_read():
    assert alerts.parse_input(example(expires="٢٠٢٧-٠٢-١٥")).expires.year == 2027


def test_marks_that_turn_text_around_are_dropped():
    value = example(headline="a\u202eb\u2067c\x00d\u200fe")
    assert alerts.parse_input(value).text.headline == "abcd\u200fe"


# What may be published


def test_the_example_may_be_published_anywhere():
    alert = alerts.parse_input(example())
    alerts.check_publishable(alert, NOW, approvals_exist=False, loopback=False)


def test_a_real_alert_may_be_published_on_loopback_and_with_approvals():
    alert = alerts.parse_input(actual())
    alerts.check_publishable(alert, NOW, approvals_exist=False, loopback=True)
    alerts.check_publishable(alert, NOW, approvals_exist=True, loopback=False)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (example(consent=consent(valid_until="2026-11-19")), "R1: consent was valid until"),
        (example(consent=consent(level="network")), "R1: consent allows network, below the audience"),
        (example(consent=consent(level="public-named", given_by="presumed")), "R1: consent is presumed"),
        (
            example(audience="network", consent=consent(level="private-help-only")),
            "R1: consent allows private",
        ),
        (example(audience=[DID], consent=consent(level="private-help-only")), "R1: consent allows private"),
        (example(subjects=[NAMED]), "R1: subjects[0] is named"),
        (
            example(subjects=[subject(consent=consent(valid_until="2026-01-01"))]),
            "R1: subjects[0].consent was valid until",
        ),
        (
            example(subjects=[NAMED | {"consent": consent()}], consent=consent(level="public-named")),
            "R1: subjects[0] is named",
        ),
        (example(subjects=[subject(kind="family")]), "R10: subjects[0]"),
        (example(subjects=[subject(relative=True)]), "R10: subjects[0]"),
        (
            example(subjects=[NAMED | {"minor": True}], consent=consent(level="public-named")),
            "R11: subjects[0]",
        ),
        (example(subjects=[subject(minor=True, publication_level="initials")]), "R11: subjects[0]"),
        (example(embargo_until="2026-11-20T10:00:01Z"), "R8: embargo_until is 2026-11-20T10:00:01Z"),
        (example(embargo_until="2026-11-20"), "R8: embargo_until is 2026-11-20T23:59:59Z"),
        (
            example(subjects=[subject(name="أمل التدريبيّة")], narrative="اعتُقلت امل التدريبية أمس."),
            "R4: the name of subjects[0]",
        ),
        (example(expires="2026-11-20T10:00:00Z"), "expires: 2026-11-20 has passed"),
        (actual(country="XX"), "country: XX is for exercises only"),
    ],
)
def test_what_would_harm_is_not_published(value, rule):
    found = refusals(value)
    assert len(found) == 1
    assert found[0].startswith(rule)


def test_a_real_alert_needs_a_second_person_off_loopback():
    assert refusals(actual(), loopback=False)[0].startswith("R2")


def test_an_empty_link_to_work_is_not_published():
    alert = alerts.parse_input(example())
    bare = replace(alert, text=replace(alert.text, link_to_work=" "))
    with pytest.raises(RefusedError, match="link_to_work"):
        alerts.check_publishable(bare, NOW, approvals_exist=True, loopback=True)


def test_several_rules_are_named_together():
    assert len(refusals(example(consent=consent(level="network", valid_until="2026-01-01")))) == 2


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(EXAMPLE)), value=ANYTHING)
def test_any_value_anywhere_in_an_input_is_an_alert_or_a_refusal(name, value):
    with contextlib.suppress(RefusedError):
        alert = alerts.parse_input(example(**{name: value}))
        alerts.render(alert, alert.text.language, PLACE)


def test_an_embargo_that_is_over_forbids_nothing_and_is_told_to_nobody():
    alert = alerts.parse_input(example(embargo_until="2026-11-20T13:00:00+03:00"))
    alerts.check_publishable(alert, NOW, approvals_exist=False, loopback=True)
    assert "mbargo" not in str(alerts.render(alert, "ar", PLACE))
    assert alerts.parse_input(example()).embargo_until is None
    assert "embargo_until" in reasons(example(embargo_until="soon"))[0]

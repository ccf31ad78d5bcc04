"""Letters, made from the public alert alone: their languages, their bounds, their links."""

from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from node import alerts, appeals
from node.alert_bidi import FSI, PDI
from node.errors import ProtocolError, RefusedError
from tests.support.alert_examples import NOW, example, note

OFFICE = {
    "office": "وزارة العدل، بلد تدريبي",
    "body": "Exercise Ministry",
    "country": "XX",
    "language": "ar",
    "honorific": "معالي وزير العدل المحترم",
    "last_checked": "2026-11-01",
    "public_contacts": True,
    "contacts": {
        "email": "exercise@example.org",
        "phone": "+964 000 MARK",
        "post": "شارع التدريب 1",
        "fax": "+1 555 0100",
        "web": "https://example.org/a?b=c",
    },
}
AUTHOR = "منظمة تدريبية"


def public(language="ar", **changes):
    wanted = {"status": "actual", "country": "IQ", "targets": [OFFICE], "actions": ["write"]} | changes
    return alerts.parse(note(language, **wanted))


def letter(language="ar", **changes):
    alert = public(**changes)
    return appeals.write(alert, alert.targets[0], language, AUTHOR, (public("en", **changes),))


def test_a_letter_is_in_the_offices_language_with_its_form_of_address():
    text = letter().text
    assert text.startswith("إلى: وزارة العدل، بلد تدريبي")
    assert "معالي وزير العدل المحترم،\nتحية طيبة وبعد،" in text
    assert "1. الكشف فوراً" in text
    assert "4. وضع حد" in text
    assert f"{FSI}Exercise Ministry{PDI}" in text


def test_the_alerts_own_translation_is_taken_and_the_honorific_of_another_language_is_not():
    text = letter("en").text
    assert "Dear Sir or Madam," in text
    assert "1. Disclose at once" in text
    assert "معالي" not in text


@pytest.mark.parametrize(("language", "says"), [("fr", "arabe"), ("es", "árabe")])
def test_a_letter_without_a_translation_says_so(language, says):
    found = letter(language)
    assert says in found.text
    assert found.facts_language == "ar"


def test_a_person_writes_otherwise_than_an_organisation():
    alert = public()
    ours = appeals.write(alert, alert.targets[0], "ar", AUTHOR, organisation=True)
    assert "تكتب منظمتنا" in ours.text
    assert "أكتب إليكم" in letter().text


@pytest.mark.parametrize("language", list(appeals.FRAMES))
@pytest.mark.parametrize("organisation", [True, False])
def test_the_longest_alert_makes_a_letter_within_bounds(language, organisation):
    long = "كلمة طويلة جداً. "
    text = {"headline": "ع" * 300, "narrative": long * 300, "link_to_work": long * 50, "demands": ["طلب " * 80] * 20}
    office = OFFICE | {"office": "و" * 300, "body": "ه" * 300, "honorific": "س" * 80}
    changes = {**text, "translations": {}, "targets": [office], "status": "exercise", "country": "XX"}
    alert = public(**changes)
    found = appeals.write(alert, alert.targets[0], language, "ن" * 300, organisation=organisation)
    assert len(found.text) <= appeals.MAX_LETTER
    assert "1. " in found.text


def test_a_shortened_text_ends_with_a_sentence():
    assert appeals.shorten("One two. Three four. Five six seven eight.", 24) == "One two. Three four. …"
    assert appeals.shorten("short", 24) == "short"


def test_nobody_writes_about_what_is_over_or_asks_for_something_else():
    alert = public()
    assert appeals.objection(alert, NOW) == ""
    assert appeals.objection(alert, alert.expires + timedelta(seconds=1))
    closed = alerts.with_closure(note(status="actual", country="IQ", targets=[OFFICE]), "انتهى", "ar", NOW)
    assert appeals.objection(alerts.parse(closed), NOW)
    assert appeals.objection(public(actions=["nothing-public"]), NOW)
    assert appeals.objection(public(targets=[]), NOW)
    assert appeals.objection(public(actions=[]), NOW) == ""


def test_an_exercise_says_so_first_and_has_no_link():
    alert = alerts.parse(note(targets=[OFFICE]))
    found = appeals.write(alert, alert.targets[0], "en", AUTHOR)
    assert found.text.startswith("EXERCISE — do not send")
    assert appeals.link(found, alert.targets[0]) == ""


def test_the_link_carries_the_letter_whole():
    alert, found = public(), letter("en")
    parts = urlsplit(appeals.link(found, alert.targets[0]))
    fields = parse_qs(parts.query)
    assert (parts.scheme, unquote(parts.path)) == ("mailto", "exercise@example.org")
    assert set(fields) == {"subject", "body"}
    assert fields["body"][0].replace("\r\n", "\n") == found.text
    assert "\n" not in fields["subject"][0]


def test_a_link_that_would_be_too_long_leaves_the_text_out():
    alert = public(narrative="كلمة طويلة. " * 400)
    found = appeals.write(alert, alert.targets[0], "ar", AUTHOR)
    assert "&body=" not in appeals.link(found, alert.targets[0])


def test_contacts_stay_inside_unless_the_file_says_otherwise():
    told = str(note(targets=[OFFICE | {"public_contacts": False}]))
    assert "exercise@example.org" not in told
    assert "555" not in told
    told = str(note(targets=[OFFICE]))
    assert "exercise@example.org" in told
    assert "MARK" not in told


BAD = [
    ("email", "a@example.org?cc=b@example.org"),
    ("email", "a@example.org&bcc=b@example.org"),
    ("email", "a@example.org,b@example.org"),
    ("email", "a@example.org%0Abcc:b@example.org"),
    ("email", "A <a@example.org>"),
    ("email", "no address"),
    ("web", "javascript:alert(1)"),
    ("web", 'https://example.org/"onload'),
    ("web", "https://user:secret@example.org/"),
    ("web", "data:text/html,x"),
    ("fax", "call me"),
]


@pytest.mark.parametrize(("name", "value"), [*BAD, ("email", "a@example.org\nBcc: b@example.org")])
def test_a_contact_that_is_more_than_one_is_refused(name, value):
    with pytest.raises(RefusedError, match=name):
        alerts.parse_input(example(targets=[OFFICE | {"contacts": {name: value}}]))


@pytest.mark.parametrize(("name", "value"), [*BAD, ("email", "a@example.org\nBcc: b@example.org")])
def test_a_contact_from_outside_that_is_more_than_one_breaks_the_note(name, value):
    received = note(targets=[OFFICE])
    received["targets"][0][f"office{name.capitalize()}"] = value
    with pytest.raises(ProtocolError, match=f"office{name.capitalize()}"):
        alerts.parse(received)


def test_a_translation_without_its_own_warnings_gets_those_of_the_main_language():
    changes = {"do_not": ["لا تذكروا اسم القرية"], "actions": ["write", "call"]}
    for language in ("ar", "en"):
        found = alerts.parse(note(language, **changes))
        assert found.do_not == ("لا تذكروا اسم القرية",)
        assert found.actions == ("write", "call")
        assert "لا تذكروا اسم القرية" in found.content


@pytest.mark.parametrize("actions", [["pray"], ["nothing-public", "share"]])
def test_an_action_that_is_none_or_that_contradicts_is_refused(actions):
    with pytest.raises(RefusedError, match="actions"):
        alerts.parse_input(example(actions=actions))


def answer(**changes):
    return alerts.Answer(**{"by": "وزارة", "kind": "pledge", "day": NOW.date(), "text": "نص"} | changes)


def test_answers_stand_in_order_of_their_days_and_outlive_an_update():
    first = alerts.with_answer(note(), answer(), "ar", NOW)
    second = alerts.with_answer(first, answer(kind="none", day=NOW.date() - timedelta(days=2), text=""), "ar", NOW)
    assert [each.kind for each in alerts.parse(second).answers] == ["none", "pledge"]
    assert "تعهّد" in second["content"]
    renewed = alerts.carry_answers(note(), second, "ar")
    assert alerts.parse(renewed).answers == alerts.parse(second).answers
    assert "proof" not in second


@pytest.mark.parametrize(
    "changes",
    [{"by": " "}, {"by": "a\nb"}, {"kind": "maybe"}, {"text": "x" * 1001}, {"day": NOW.date() + timedelta(days=3)}],
)
def test_an_answer_with_one_thing_broken_is_refused(changes):
    with pytest.raises(RefusedError):
        alerts.with_answer(note(), answer(**changes), "ar", NOW)


def test_an_outcome_is_told_in_a_word_too():
    closed = alerts.with_closure(note(), "أُفرج عنها", "ar", NOW, result="released", attribution="partly")
    found = alerts.parse(closed)
    assert (found.outcome_result, found.outcome_attribution) == ("released", "partly")
    assert alerts.parse(alerts.with_closure(note(), "انتهى", "ar", NOW)).outcome_result == ""
    with pytest.raises(RefusedError):
        alerts.with_closure(note(), "x", "ar", NOW, result="won")

"""What goes out: words, direction, and nothing that belongs to the organisation alone."""

import copy
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pyld import jsonld

from node import alert_bidi, alert_countries, alert_terms, alerts
from node.errors import RefusedError
from node.federation.protocol.messages import MAX_NOTE
from tests.support.alert_examples import (
    BASE,
    DID,
    EXAMPLE,
    NAMED,
    NOW,
    OTHER,
    PLACE,
    PUBLIC,
    TWO_WORDS,
    consent,
    example,
    note,
    subject,
)

AS2_NAMES = {
    *(
        "id",
        "type",
        "attributedTo",
        "content",
        "contentMap",
        "url",
        "published",
        "updated",
        "to",
        "cc",
        "tag",
    ),
    *("name", "href"),
}


def lines_of(content):
    return [re.sub("<[^>]+>", "", line) for line in re.split("<br>|</p>", content) if line]


# What goes out


def test_the_note_says_what_every_server_can_show():
    found = note()
    for word in (
        *("نداء عاجل", "بلد تدريبي", "الخطورة: خطيرة", "درجة الاستعجال: فورية", "درجة اليقين: مرجَّح"),
        *(
            "1. الكشف",
            "4. وضع",
            "كانون الثاني/يناير 2027",
            "صدر عن",
            "الاسم محجوب",
            "org2.example",
            "org3.example",
        ),
        *(EXAMPLE["headline"], EXAMPLE["link_to_work"], "\u2068XXX 003 / 1126 / 3MDWP\u2069"),
    ):
        assert word in found["content"]
    assert found["contentMap"] == {"ar": found["content"]}
    assert "summary" not in found
    assert "proof" not in found
    assert "@context" not in found
    assert "موثّق" not in found["content"]
    assert (found["published"], found["updated"]) == ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z")
    assert (found["to"], found["cc"]) == ([PUBLIC], [f"{BASE}/followers"])


def test_a_translation_is_a_note_of_its_own():
    found = note("en")
    assert found["headline"] == EXAMPLE["translations"]["en"]["headline"]
    assert "Severity: severe" in found["content"]
    assert "15 January 2027, at 12:00 UTC" in found["content"]
    assert list(found["contentMap"]) == ["en"]
    with pytest.raises(RefusedError, match="no text in fr"):
        note("fr")


def test_other_languages_get_english_words_around_their_text():
    found = alerts.render(alerts.parse_input(example(language="fr", translations={})), "fr", PLACE)
    assert "Severity: severe" in found["content"]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(("status", "word"), [("exercise", "EXERCISE"), ("test", "TEST")])
def test_an_exercise_says_so_first_in_both_languages(language, status, word):
    first = lines_of(note(language, status=status)["content"])[:2]
    arabic = next(line for line in first if "ليس نداءً حقيقياً" in line)
    english = next(line for line in first if line.startswith(word))
    assert first == ([arabic, english] if language == "ar" else [english, arabic])


def test_a_real_alert_has_no_banner():
    content = note(status="actual", country="IQ")["content"]
    assert "ليس نداءً حقيقياً" not in content
    assert "نداء عاجل · العراق" in content


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"publication_level": "named"}, TWO_WORDS),
        ({"publication_level": "initials"}, "A. E."),
        ({"publication_level": "pseudonym", "public_name": "Noor"}, "Noor"),
        ({"publication_level": "collective", "public_name": "Water defenders"}, "Water defenders"),
        ({"publication_level": "collective"}, None),
        ({"publication_level": "withheld", "public_name": "Noor"}, None),
    ],
)
def test_a_name_is_shown_only_as_far_as_it_may_be(changes, shown):
    found = note(subjects=[subject(name=TWO_WORDS) | changes])
    assert found["subjects"][0].get("name") == shown
    text = json.dumps(found, ensure_ascii=False)
    assert (TWO_WORDS in text) == (shown == TWO_WORDS)
    assert "Noor" in text or shown != "Noor"
    assert "Noor" not in text or changes["publication_level"] == "pseudonym"


def marked(value, trail="ORG"):
    """The same shape with every text replaced by one that can be searched for."""
    if isinstance(value, dict):
        return {name: marked(item, f"{trail}-{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [marked(item, f"{trail}-{number}") for number, item in enumerate(value)]
    return f"MARK{trail}"


@pytest.mark.parametrize("language", ["ar", "en"])
def test_nothing_of_the_organisations_own_is_in_any_rendered_byte(language):
    deep = {"a": {"b": [{"c": "x"}, "y"]}, "d": "z"}
    value = example(
        sources=marked([deep, "x"], "sources"),
        case_id="MARKcase",
        place_full=marked(deep, "place"),
        publicity_risk="MARKrisk",
        notes=marked(deep, "notes"),
        verification={"level": "document", **marked({"by": "x", "more": deep}, "verification")},
        consent=consent(how="MARKhow", excluded=["MARKexcluded"], **marked({"taken_by": "x", "x": deep})),
        subjects=[
            subject(
                name="MARKname",
                public_name="MARKpublic",
                consent=consent(how="MARKown", unheard_of=marked(deep, "own")),
                **marked({"role": "x", "gender": "x", "organisation": "x", "contact": deep, "notes": deep}),
            )
        ],
        targets=[
            {"office": "Office", "country": "IQ", "language": "ar"}
            | marked(
                dict.fromkeys(("email", "phone", "fax", "post", "social", "name"), "x")
            )
        ],
    )
    found = alerts.render(alerts.parse_input(value), language, PLACE)
    everything = [
        found,
        alerts.with_correction(found, "x", language, NOW),
        alerts.with_closure(found, "x", language, NOW),
    ]
    text = json.dumps(everything, ensure_ascii=False)
    assert "MARK" not in text
    for word in ("given_by", "valid_until", "advance-instruction", "public-anonymised", "consent"):
        assert word not in text


def test_operators_text_is_never_markup():
    nasty = '<script>alert("1")</script>&'
    value = example(headline=nasty, narrative=nasty, link_to_work=nasty, demands=[nasty], translations={})
    value["targets"] = [{"office": nasty, "country": "IQ"}]
    value["subjects"] = [subject(name=nasty, publication_level="named")]
    place = replace(PLACE, author_name=nasty, page_url='https://a.example/"><b>', reference=nasty)
    found = alerts.render(alerts.parse_input(value), "ar", place)["content"]
    found = alerts.with_correction({"content": found}, nasty, "en", NOW)["content"]
    assert set(re.findall(r"</?([a-z]+)", found)) == {"p", "br", "strong", "a"}
    assert "<script" not in found


def test_blank_lines_make_paragraphs():
    assert "<p>one<br>two</p><p>three</p>" in english(narrative="one\ntwo\n\n \n\nthree")["content"]


def english(**changes):
    text = EXAMPLE["translations"]["en"] | changes
    return alerts.render(alerts.parse_input(example(language="en", translations={}, **text)), "en", PLACE)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_line_runs_the_way_of_its_language_however_a_reader_looks_for_it(language):
    rtl = language == "ar"
    words = {"headline": "UNESCO نداء", "narrative": "UN\nنداء\n12", "demands": ["OHCHR نداء", "نداء OHCHR"]}
    value = example(language=language, translations={}, **words, link_to_work="نداء")
    value["subjects"] = [subject(name=name, publication_level="named") for name in ("Amal", "أمل")]
    value["targets"] = [{"office": name, "country": "IQ"} for name in ("Ministry", "وزارة")]
    content = alerts.render(alerts.parse_input(value), language, PLACE)["content"]
    content = alerts.with_correction({"content": content}, "UN\nنداء", language, NOW)["content"]
    for number, line in enumerate(lines_of(content)):
        if number == 4:
            continue  # the banner's second line is in the other language on purpose
        naive = alert_bidi.first_strong(line.replace("\u2068", "").replace("\u2069", ""))
        assert alert_bidi.first_strong(line) in (rtl, None), line
        assert naive == rtl, line


def test_isolates_are_balanced_and_hold_latin_text_in_arabic():
    content = note(narrative="زارت Front Line Defenders المكان، وانظر https://a.example/x?y=1 قبل 12:00.")[
        "content"
    ]
    assert content.count("\u2068") == content.count("\u2069")
    assert "\u2068Front Line Defenders\u2069" in content
    assert "\u2068https://a.example/x?y=1\u2069" in content
    assert " 12:00." in content


def test_a_text_longer_than_peers_take_is_refused():
    with pytest.raises(RefusedError, match="shorten"):
        note(narrative="ن" * 19_000, demands=["ن" * 1_000] * 20, translations={})


@pytest.mark.parametrize(("kind", "quotable"), [("person", False), ("family", False), ("group", True)])
def test_an_alert_about_a_person_is_not_quoted(kind, quotable):
    found = note(subjects=[subject(kind=kind)])["interactionPolicy"]
    assert (PUBLIC in found["canQuote"]["automaticApproval"]) is quotable
    assert PUBLIC not in found["canReply"]["automaticApproval"]


def names_in(value):
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            if name != "contentMap":
                yield from names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


def full_note():
    value = example(company_or_project="A dam (exercise)", subjects=[NAMED | {"kind": "group"}])
    return alerts.with_correction(alerts.render(alerts.parse_input(value), "ar", PLACE), "x", "ar", NOW)


def test_every_property_that_activitystreams_lacks_is_defined_inline():
    assert {name for name in names_in(full_note()) if name not in AS2_NAMES} <= set(alerts.TERMS)


def test_no_term_of_ours_redefines_one_of_activitystreams():
    assert not AS2_NAMES & set(alerts.TERMS)


def test_our_terms_survive_a_json_ld_round_trip():
    context = [
        {"as": "https://www.w3.org/ns/activitystreams#", "id": "@id", "type": "@type", "@version": 1.1},
        {"name": "as:name", "href": {"@id": "as:href", "@type": "@id"}, "tag": "as:tag", "Note": "as:Note"},
        dict(alerts.TERMS),
    ]
    ours = {
        name: item
        for name, item in full_note().items()
        if name in alerts.TERMS or name in ("id", "type", "tag")
    }
    expanded = jsonld.expand({"@context": context, **ours})
    iris = {name for name in expanded[0] if not name.startswith("@")}
    assert len(iris) == len(ours) - 2
    assert all("#" in iri for iri in iris)
    again = jsonld.compact(expanded, {"@context": context}, {"compactArrays": True})
    del again["@context"]
    ours["tag"] = ours["tag"][0]
    # A context that has the prefix writes the public address as as:Public (AP §5.6).
    assert again == json.loads(json.dumps(ours).replace(PUBLIC, "as:Public"))


def test_dates_travel_typed():
    expanded = jsonld.expand({"@context": dict(alerts.TERMS), "expires": "2027-02-15T12:00:00Z"})
    value = expanded[0]["https://tadamun.example/ns#expires"][0]
    assert value["@type"] == "http://www.w3.org/2001/XMLSchema#dateTime"


def test_a_reference_code_is_short_and_from_the_key():
    found = alerts.reference_code("IQ", 3, NOW, DID)
    assert found == "IRQ 003 / 1126 / 3MDWP"
    assert re.fullmatch(r"IRQ 003 / 1126 / [2-9A-HJKMNP-Z]{5}", found)
    assert found != alerts.reference_code("IQ", 3, NOW, OTHER)


def test_every_country_has_two_codes_and_two_names():
    rows = alert_countries.COUNTRIES.values()
    assert len(rows) == 250
    assert len({row.alpha3 for row in rows}) == 250
    for row in rows:
        assert re.fullmatch("[A-Z]{2}", row.alpha2)
        assert re.fullmatch("[A-Z]{3}", row.alpha3)
        assert alert_bidi.first_strong(row.arabic) is True
        assert alert_bidi.first_strong(row.english) is False


def test_every_value_has_a_word_in_both_languages():
    arabic, english = alert_terms.words("ar"), alert_terms.words("en")
    assert set(arabic) == set(english)
    for name in (*alert_terms.KINDS, *alert_terms.SUBJECT_KINDS):
        assert name in arabic
    scales = {"severity": alert_terms.SEVERITIES, "urgency": alert_terms.URGENCIES}
    for scale, values in (scales | {"certainty": alert_terms.CERTAINTIES}).items():
        assert all(f"{scale}:{value}" in arabic for value in values)


def test_a_whole_day_shows_no_hour_and_months_are_doubled():
    moment = datetime(2027, 11, 2, 23, 59, 59, tzinfo=UTC)
    assert alert_terms.readable_date(moment, "ar") == "2 تشرين الثاني/نوفمبر 2027"
    assert alert_terms.readable_date(moment, "fr") == "2 November 2027"


# Corrections and closures


def test_a_correction_is_loud_and_the_text_stays():
    before = note() | {"proof": {}, "@context": []}
    kept = copy.deepcopy(before)
    after = alerts.with_correction(before, "المكان غير صحيح", "ar", NOW + timedelta(days=1))
    assert before == kept
    assert (after["alertState"], after["stateNote"]) == ("corrected", "المكان غير صحيح")
    assert after["updated"] == after["stateChanged"] == "2026-11-21T10:00:00Z"
    assert "proof" not in after
    assert "@context" not in after
    assert after["contentMap"] == {"ar": after["content"]}
    lines = lines_of(after["content"])
    assert "ليس نداءً حقيقياً" in lines[0]
    assert lines[2].startswith("تصحيح — 21 تشرين الثاني/نوفمبر 2026")
    assert lines[3] == "السبب: المكان غير صحيح"
    assert EXAMPLE["headline"] in after["content"]
    assert alerts.parse(after).state == "corrected"


def test_a_closure_says_its_outcome_and_stays_closed():
    closed = alerts.with_closure(note("en"), "Released.", "en", NOW)
    assert "THIS APPEAL IS CLOSED" in closed["content"]
    assert "Outcome: Released." in closed["content"]
    later = alerts.with_correction(closed, "The day was another.", "en", NOW)
    assert alerts.parse(later).state == "closed"
    assert later["content"].index("CORRECTION") < later["content"].index("CLOSED")


@pytest.mark.parametrize("said", ["", " \n", "x" * 2_001])
def test_a_correction_without_a_reason_is_refused(said):
    with pytest.raises(RefusedError, match="reason"):
        alerts.with_correction(note(), said, "ar", NOW)


def test_a_correction_that_makes_the_note_too_long_is_refused():
    with pytest.raises(RefusedError, match="bytes"):
        alerts.with_correction(note() | {"content": "x" * (MAX_NOTE - 10)}, "x", "ar", NOW)

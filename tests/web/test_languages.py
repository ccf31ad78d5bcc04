"""Negotiation, catalogues, dates and names. Start valid, break one thing."""

import re
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from hypothesis import given as fuzz
from hypothesis import strategies as st

from node import alert_terms, charters, group_entries, people
from node.web import languages as module
from node.web.languages import CATALOGUES, Languages, compile_all, compile_catalogue
from node.web.render import TEMPLATES

BOTH = Languages()
ARABIC, ENGLISH = BOTH.locales["ar"], BOTH.locales["en"]
CODES = ("ar", "en")
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
PAGE_WORDS = {
    "severity": alert_terms.SEVERITIES,
    "urgency": alert_terms.URGENCIES,
    "certainty": alert_terms.CERTAINTIES,
    "kind": (*alert_terms.KINDS, "unknown"),
    "endorsement": (*alert_terms.ENDORSEMENT_MODES, "unknown"),
    "subject": (*alert_terms.SUBJECT_KINDS, "unknown"),
    "state": ("updated", "corrected", "closed", "expired"),
    "caveat": ("gap", "fork", "frozen"),
    "facts": ("single-source", "two-independent", "document", "official"),
    "feed": ("atom", "json", "cap"),
    "relation": ("member", "staff", "close-partner"),
    "country": ("XX", "PS"),
    "found": (*group_entries.KINDS, *charters.KINDS, "news"),
    "role": people.ROLES,
    "room": people.ROOMS,
    "person": (people.INVITED, people.JOINED, people.ACTIVE, people.DISABLED),
}


@pytest.mark.parametrize(
    ("header", "choice", "expected"),
    [
        ("ar,en;q=0.8", None, "ar"),
        ("en,ar;q=0.8", None, "en"),
        ("en;q=0.3, ar;q=0.4", None, "ar"),
        ("ar-IQ,en;q=0.9", None, "ar"),
        ("EN-gb", None, "en"),
        ("ckb,en;q=0.8,ar;q=0.1", None, "en"),
        ("fr,de;q=0.5", None, "ar"),
        ("*", None, "ar"),
        ("ar;q=0,*", None, "en"),
        ("ar;q=0,fr", None, "en"),
        ("en;q=0.2,*;q=0.5", None, "ar"),
        ("ar;q=0,en;q=0", None, "ar"),
        ("en;q=nonsense,ar;q=0.5", None, "ar"),
        ("en;q=7,ar;q=0.5", None, "ar"),
        ("en;q=nan,ar;q=0.5", None, "ar"),
        (";;;,,=", None, "ar"),
        ("x," * 600 + "en", None, "ar"),
        (None, None, "ar"),
        ("", None, "ar"),
        ("en", "ar", "ar"),
        ("ar", "en", "en"),
        ("en", "fr", "en"),
        ("en", "../../etc", "en"),
        ("en", "", "en"),
    ],
)
def test_a_reader_gets_the_language_asked_for(header, choice, expected):
    assert BOTH.negotiate(header, choice).code == expected


@fuzz(st.text(max_size=200), st.none() | st.text(max_size=5))
def test_no_header_and_no_choice_can_break_a_page(header, choice):
    assert BOTH.negotiate(header, choice) in BOTH.locales.values()


def test_the_first_language_of_the_list_is_the_nodes_own():
    assert Languages(("en", "ar")).negotiate(None, None).code == "en"


def test_only_a_language_that_exists_is_carried_on_in_links():
    assert BOTH.chosen("en") == "en"
    assert BOTH.chosen("fr") is None
    assert BOTH.chosen(None) is None


def test_a_language_without_a_catalogue_stops_the_start():
    with pytest.raises(OSError, match="No translation file"):
        Languages(("ar", "fr"))


def test_direction_and_own_name():
    assert (ARABIC.dir, ARABIC.own_name) == ("rtl", "العربية")
    assert (ENGLISH.dir, ENGLISH.own_name) == ("ltr", "English")


def test_arabic_months_stand_with_both_names():
    dates = [ARABIC.format_date(datetime(2026, month, 7, tzinfo=UTC)) for month in range(1, 13)]
    assert dates[10] == "7 تشرين الثاني/نوفمبر 2026"
    assert dates[0] == "7 كانون الثاني/يناير 2026"
    assert all(text.count("/") == 1 for text in dates)


def test_english_dates_put_the_day_first():
    assert ENGLISH.format_date(datetime(2026, 11, 7, tzinfo=UTC)) == "7 November 2026"


def test_a_time_of_day_says_its_zone_and_is_in_utc():
    baghdad = datetime(2026, 11, 8, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    assert ENGLISH.format_datetime(baghdad) == "7 November 2026, 22:30 UTC"
    assert ARABIC.format_datetime(baghdad) == "7 تشرين الثاني/نوفمبر 2026، 22:30 بالتوقيت العالمي"


def test_a_datetime_without_a_zone_is_our_bug():
    with pytest.raises(ValueError, match="zone"):
        ENGLISH.format_date(datetime(2026, 11, 7))


def test_arabic_has_six_forms():
    said = [ARABIC.ngettext("%(num)s alert", "%(num)s alerts", n) for n in (0, 1, 2, 3, 11, 100)]
    assert len(set(said)) == 6
    for n, same in ((10, 3), (110, 3), (99, 11), (111, 11), (101, 100), (102, 100), (1000, 100)):
        form = ARABIC.ngettext("%(num)s alert", "%(num)s alerts", n)
        assert form == ARABIC.ngettext("%(num)s alert", "%(num)s alerts", same), n


def test_numbers_and_names():
    assert ARABIC.number(12345) == "12,345"
    assert [ARABIC.country(code) for code in ("IQ", "XX", "PS", "QQ")] == [
        "العراق",
        "بلد تدريبي",
        "فلسطين",
        "QQ",
    ]
    assert ENGLISH.country("XX") == "Exercise country"
    assert [ENGLISH.language_name(code) for code in ("ckb", "ar-IQ", "qqq")] == [
        "Central Kurdish",
        "Arabic",
        "qqq",
    ]


@pytest.mark.parametrize(
    ("vocabulary", "code", "arabic"),
    [
        ("severity", "extreme", "بالغة الخطورة"),
        ("severity", "unknown", "غير محددة"),
        ("urgency", "expected", "وشيكة"),
        ("certainty", "observed", "مشهود"),
        ("certainty", "unknown", "غير معروف"),
        ("kind", "urgent-appeal", "نداء عاجل"),
        ("kind", "new-information", "مستجدات"),
    ],
)
def test_the_terms_are_those_of_the_term_list(vocabulary, code, arabic):
    assert ARABIC.label(vocabulary, code) == arabic


@pytest.mark.parametrize("locale", [ARABIC, ENGLISH], ids=CODES)
@pytest.mark.parametrize("vocabulary", PAGE_WORDS)
def test_every_code_of_a_vocabulary_has_a_word(locale, vocabulary):
    assert [code for code in PAGE_WORDS[vocabulary] if not locale.knows(vocabulary, code)] == []


def test_a_word_we_do_not_know_stays_as_it_came():
    assert ARABIC.label("violation", "something-new") == "something-new"
    assert not ARABIC.knows("violation", "something-new")
    assert not ARABIC.knows("violation", "")


def test_both_catalogues_know_the_same_vocabularies():
    words = [{(m.context, m.id) for m in catalogue(code) if m.context} for code in CODES]
    assert words[0] == words[1]


def test_every_text_of_the_templates_is_in_arabic():
    arabic = catalogue("ar")
    missing = [ids for ids, context in used() if not translated(arabic, ids, context)]
    assert not missing


def test_no_arabic_text_has_lost_its_use():
    known = {ids for ids, _ in used()}
    left = [m.id for m in catalogue("ar") if m.id and not m.context and m.id not in known]
    assert not left


def test_every_translation_keeps_the_places_for_values():
    place = re.compile(r"%\(\w+\)s")
    for message in catalogue("ar"):
        if not message.id or message.context:
            continue
        source = message.id if isinstance(message.id, str) else message.id[1]
        forms = (message.string,) if isinstance(message.string, str) else message.string
        for form in forms:
            wanted, given = set(place.findall(source)), set(place.findall(form))
            assert given == wanted or (len(forms) == 6 and given < wanted), form
            assert "%" not in place.sub("", form), form


def test_no_translation_is_uncertain_or_left_in_english():
    for message in catalogue("ar"):
        assert not message.fuzzy
        forms = (message.string,) if isinstance(message.string, str) else message.string
        if message.id and message.id != "%(headline)s – %(author)s":
            assert all(re.search("[\u0600-\u06ff]", form) for form in forms), message.id


@pytest.mark.parametrize("code", CODES)
def test_the_compiled_catalogue_is_in_step(code):
    source = path(code)
    written = texts(BytesIO(source.with_suffix(".mo").read_bytes()))
    assert written == texts(BytesIO(compile_catalogue(source.read_bytes(), code))), (
        "python -m node.web.languages"
    )


def test_compiling_writes_a_catalogue_beside_its_source(tmp_path):
    source = tmp_path / "ar" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_bytes(path("ar").read_bytes())
    (target,) = compile_all(tmp_path)
    assert target == source.with_suffix(".mo")
    assert texts(BytesIO(target.read_bytes()))[(None, "Home")] == "الرئيسية"


def path(code: str) -> Path:
    return CATALOGUES / code / "LC_MESSAGES" / "messages.po"


def catalogue(code: str) -> Catalog:
    return read_po(BytesIO(path(code).read_bytes()), locale=code)


def texts(file: BytesIO) -> dict[object, object]:
    """By context and id (or first of two ids), without the header, which names Babel's version."""
    messages = [(m.context, m.id if isinstance(m.id, str) else m.id[0], m.string) for m in read_mo(file)]
    return {(context, first): string for context, first, string in messages if first}


def used() -> list[tuple[object, str | None]]:
    """Every literal text that a template or the languages themselves ask for: (id or ids, context)."""
    methods = [("**.html", "jinja2.ext:babel_extract")]
    options = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}
    found = list(extract_from_dir(TEMPLATES, methods, options, KEYWORDS))
    code = extract_from_dir(Path(module.__file__).parent, [("languages.py", "python")], {}, KEYWORDS)
    found += [row for row in code if row[0] == "languages.py"]
    assert len(found) > 60
    return [(ids, context) for _, _, ids, _, context in found]


def translated(arabic: Catalog, ids: object, context: str | None) -> bool:
    message = arabic.get(ids if isinstance(ids, str) else ids[0], context)
    if message is None or message.id != ids:
        return False
    forms = (message.string,) if isinstance(message.string, str) else message.string
    return all(forms) and (isinstance(ids, str) or len(forms) == 6)

"""Negotiation, catalogues, dates and names. Start valid, break one thing."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from gettext import c2py
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from hypothesis import given as fuzz
from hypothesis import strategies as st

from node import alert_terms, charters, group_entries, people
from node.web import languages as module
from node.web.languages import CATALOGUES, Languages, compile_all, compile_catalogue
from node.web.render import TEMPLATES

LANGUAGES = Languages()
ARABIC, ENGLISH, FRENCH = (LANGUAGES.locales[code] for code in ("ar", "en", "fr"))
CODES = LANGUAGES.whole
TRANSLATED = tuple(code for code in CODES if code != "en")
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
PLACE = re.compile(r"%\(\w+\)s")
ARABIC_SCRIPT = re.compile("[\u0600-\u06ff]")
ENGLISH_WORDS = {"the", "of", "and", "this", "that", "with", "which", "from", "are", "were", "have", "who", "not"}
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
        ("fr-CA,en;q=0.8", None, "fr"),
        ("tlh,de;q=0.5", None, "ar"),
        ("*", None, "ar"),
        ("ar;q=0,*", None, "en"),
        ("ar;q=0,tlh", None, "en"),
        ("en;q=0.2,*;q=0.5", None, "ar"),
        ("ar;q=0,en;q=0,fr;q=0,es;q=0", None, "ar"),
        ("en;q=nonsense,ar;q=0.5", None, "ar"),
        ("en;q=7,ar;q=0.5", None, "ar"),
        ("en;q=nan,ar;q=0.5", None, "ar"),
        (";;;,,=", None, "ar"),
        ("x," * 600 + "en", None, "ar"),
        (None, None, "ar"),
        ("", None, "ar"),
        ("en", "ar", "ar"),
        ("ar", "en", "en"),
        ("en", "tlh", "en"),
        ("en", "../../etc", "en"),
        ("en", "", "en"),
    ],
)
def test_a_reader_gets_the_language_asked_for(header, choice, expected):
    assert LANGUAGES.negotiate(header, choice).code == expected


@fuzz(st.text(max_size=200), st.none() | st.text(max_size=5))
def test_no_header_and_no_choice_can_break_a_page(header, choice):
    assert LANGUAGES.negotiate(header, choice) in LANGUAGES.every()


def test_the_first_language_of_the_list_is_the_nodes_own():
    assert Languages(("en", "ar")).negotiate(None, None).code == "en"


def test_only_a_language_that_exists_is_carried_on_in_links():
    assert LANGUAGES.chosen("en") == "en"
    assert LANGUAGES.chosen("ckb.fr") == "ckb.fr"
    assert {LANGUAGES.chosen(code) for code in ("tlh", "ckb.tlh", "fr.ckb", "ckb.ckb", "ckb.", ".fr")} == {None}
    assert LANGUAGES.chosen(None) is None


def test_a_language_without_a_catalogue_stops_the_start():
    with pytest.raises(OSError, match="No translation file"):
        Languages(("ar", "tlh"))


@pytest.mark.parametrize(
    ("header", "home", "expected"),
    [
        (None, "fr", "fr"),
        (None, "fr-CA", "fr"),
        (None, "tlh", "ar"),
        (None, "", "ar"),
        ("de", "en", "en"),
        ("*", "en", "en"),
        ("ar;q=0", "ar", "en"),
        ("en", "fr", "en"),
        (None, "ckb", "ar"),
    ],
)
def test_who_asks_for_nothing_we_have_gets_the_organisations_own_language(header, home, expected):
    assert LANGUAGES.negotiate(header, None, home).key == expected


@pytest.mark.parametrize(
    ("header", "choice", "home", "expected"),
    [
        ("ckb,fr;q=0.8,ar;q=0.1", None, "", "ckb.fr"),
        ("ckb", None, "", "ckb.ar"),
        ("ckb", None, "en", "ckb.en"),
        ("ckb,ar;q=0", None, "", "ckb.en"),
        ("fr", "ckb", "en", "ckb.fr"),
        ("fr", "ckb.en", "", "ckb.en"),
    ],
)
def test_a_reader_of_sorani_chooses_what_the_rest_stands_in(header, choice, home, expected):
    found = LANGUAGES.negotiate(header, choice, home)
    assert (found.key, found.reader, found.code) == (expected, "ckb", expected.partition(".")[2])
    assert LANGUAGES.negotiate("fr,ckb;q=0.9", None).key == "fr"


def test_a_page_of_a_frame_is_announced_as_what_nearly_all_of_it_is():
    found = LANGUAGES.negotiate(None, "ckb.en")
    assert (found.code, found.dir) == ("en", "ltr")
    assert found.label("nav", "home") == "سەرەتا"
    assert found.gettext("Home") == "Home"
    assert LANGUAGES.negotiate(None, "ckb.ar").label("severity", "extreme") == "بالغة الخطورة"
    assert not ENGLISH.knows("nav", "home")


def test_a_text_in_several_languages_is_shown_in_the_readers():
    frame = LANGUAGES.framed["ckb.en"]
    assert frame.best(["ar", "en", "ckb"]) == "ckb"
    assert frame.best(["ar", "en"]) == "en"
    assert frame.best(["ar", "fr"]) == "ar"
    assert ENGLISH.best({"ckb": "", "en": ""}) == "en"


def test_the_switch_leads_to_every_other_language_and_a_frame_to_its_fallbacks():
    others = [door.key for door in LANGUAGES.doors(ENGLISH)]
    assert others == [code for code in LANGUAGES.available if code != "en"]
    frame = LANGUAGES.framed["ckb.en"]
    assert [door.key for door in LANGUAGES.doors(frame)] == list(CODES)
    assert [door.key for door in LANGUAGES.fallbacks(frame)] == [f"ckb.{code}" for code in TRANSLATED]
    assert LANGUAGES.fallbacks(ENGLISH) == ()
    assert "ckb" not in {door.key for door in LANGUAGES.doors(ENGLISH, frames=False)}
    assert LANGUAGES.doors(ENGLISH)[-1].text == "کوردیی ناوەندی"
    assert LANGUAGES.doors(ENGLISH)[-1].dir == "rtl"


def test_every_fallback_is_offered_in_its_own_language():
    offers = [LANGUAGES.locales[code].offer for code in CODES]
    assert len(set(offers)) == len(CODES)


def test_direction_and_own_name():
    assert (ARABIC.dir, ARABIC.own_name) == ("rtl", "العربية")
    assert (ENGLISH.dir, ENGLISH.own_name) == ("ltr", "English")
    assert (FRENCH.dir, FRENCH.own_name) == ("ltr", "Français")


def test_arabic_months_stand_with_both_names():
    dates = [ARABIC.format_date(datetime(2026, month, 7, tzinfo=UTC)) for month in range(1, 13)]
    assert dates[10] == "7 تشرين الثاني/نوفمبر 2026"
    assert dates[0] == "7 كانون الثاني/يناير 2026"
    assert all(text.count("/") == 1 for text in dates)


def test_the_months_doubled_are_those_of_the_levant_and_the_gregorian_ones():
    named = [ARABIC.format_date(datetime(2026, month, 1, tzinfo=UTC)).split(" ", 1)[1] for month in range(1, 13)]
    assert [each.removesuffix(" 2026") for each in named] == [
        "كانون الثاني/يناير", "شباط/فبراير", "آذار/مارس", "نيسان/أبريل", "أيار/مايو", "حزيران/يونيو",
        "تموز/يوليو", "آب/أغسطس", "أيلول/سبتمبر", "تشرين الأول/أكتوبر", "تشرين الثاني/نوفمبر",
        "كانون الأول/ديسمبر",
    ]  # fmt: skip


def test_digits_are_latin_unless_the_node_is_set_otherwise():
    native = Languages(digits="native")
    arabic, moment = native.locales["ar"], datetime(2026, 11, 7, 22, 30, tzinfo=UTC)
    assert arabic.number(12345) == "١٢٬٣٤٥"
    assert arabic.numeral(2026) == "٢٠٢٦"
    assert arabic.format_datetime(moment) == "٧ تشرين الثاني/نوفمبر ٢٠٢٦، ٢٢:٣٠ بالتوقيت العالمي"
    assert arabic.ngettext("%(num)s alert", "%(num)s alerts", 3) == "%(num)s نداءات"
    assert native.framed["ckb.ar"].number(5) == "٥"
    assert native.framed["ckb.fr"].number(5) == native.locales["fr"].number(5) == "5"
    assert ARABIC.numeral(2026) == "2026"


def test_a_code_inside_a_text_keeps_its_digits():
    arabic = Languages(digits="native").locales["ar"]
    assert "AGPL-3.0" in arabic.gettext("Free software: Tadamun (AGPL-3.0).")
    assert "حتى ٤ ميغابايت" in arabic.gettext("The signed file, up to 4 MiB")
    large = arabic.gettext(
        "The file is too large: this page takes files of up to 4 MiB and 1,000 entries. "
        "Larger ones are for the node's operator."
    )
    assert "١٬٠٠٠" in large


def test_french_has_a_space_before_the_colon():
    assert FRENCH.colon("Lieu") == "Lieu\u00a0:"
    assert ENGLISH.colon("Place") == "Place:"
    assert ENGLISH.colon("<b>") == "&lt;b&gt;:"


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


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("vocabulary", PAGE_WORDS)
def test_every_code_of_a_vocabulary_has_a_word(language, vocabulary):
    locale = LANGUAGES.locales[language]
    assert [code for code in PAGE_WORDS[vocabulary] if not locale.knows(vocabulary, code)] == []


def test_a_word_we_do_not_know_stays_as_it_came():
    assert ARABIC.label("violation", "something-new") == "something-new"
    assert not ARABIC.knows("violation", "something-new")
    assert not ARABIC.knows("violation", "")


@pytest.mark.parametrize(
    ("refusal", "pieces"),
    [
        ("nobody counts twice", ["لا يُحتسب أحد مرتين."]),
        ("A4: nobody counts twice", ["A4: لا يُحتسب أحد مرتين."]),
        (
            "R1: what is told of the outcome needs a fresh consent (p1; R1: nobody gave a consent)",
            ["R1: يحتاج ما يُقال عن النتيجة إلى موافقة جديدة.", "<p1>", "R1: لم يمنح أحد موافقة"],
        ),
        ("B3: this step does not follow from here (publish; withdrawn)", ["B3: لا تصحّ", "النشر", "مسحوبة"]),
        ("A4: something new (of this)", ["<A4: something new (of this)>"]),
        ("something new", ["<something new>"]),
    ],
)
def test_a_refusal_is_told_with_what_it_names_apart(refusal, pieces):
    told = [each.text if each.known else f"<{each.text}>" for each in ARABIC.refusal(refusal)]
    assert len(told) == len(pieces) and all(map(str.startswith, told, pieces))


@pytest.mark.parametrize("code", CODES)
def test_all_catalogues_know_the_same_vocabularies(code):
    words, arabic = ({(m.context, m.id) for m in catalogue(each) if m.context} for each in (code, "ar"))
    assert words == arabic


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_of_the_templates_is_translated(code):
    known = catalogue(code)
    assert [ids for ids, context in used() if not translated(known, ids, context)] == []


@pytest.mark.parametrize("code", CODES)
def test_no_text_has_lost_its_use(code):
    known = {ids for ids, _ in used()}
    assert [m.id for m in catalogue(code) if m.id and not m.context and m.id not in known] == []


def test_no_vocabulary_has_lost_its_use():
    sources = [*TEMPLATES.rglob("*.html"), *Path(module.__file__).parent.rglob("*.py")]
    named = set(re.findall(r"""["']([a-z-]+)["']""", "".join(each.read_text() for each in sources)))
    assert {m.context for code in LANGUAGES.available for m in catalogue(code) if m.context} - named == set()


@pytest.mark.parametrize("code", CODES)
def test_every_translation_keeps_the_places_for_values(code):
    """A form that stands for one number alone may say it in words: Arabic has three of them, French none, for it
    counts 0 with 1.
    """
    for message in catalogue(code):
        if not message.id or message.context:
            continue
        source = message.id if isinstance(message.id, str) else message.id[1]
        for index, form in enumerate(forms_of(message)):
            wanted, given = set(PLACE.findall(source)), set(PLACE.findall(form))
            in_words = {"ar": wanted, "fr": set()}.get(code, {"%(num)s"} if index == 0 else set())
            assert wanted - in_words <= given <= wanted, form
            assert "%" not in PLACE.sub("", form), form


@pytest.mark.parametrize("code", CODES)
def test_every_number_has_its_form(code):
    """What gettext counts is what CLDR counts; its `many` of French and Spanish begins at a million."""
    known = catalogue(code)
    assert known.num_plurals == {"ar": 6}.get(code, 2)
    assert known.plural_forms == gettext_header(code)
    which = c2py(re.search("plural=(.*);", known.plural_forms)[1])
    rule = LANGUAGES.locales[code].cldr.plural_form
    pairs = {(which(n), rule(n)) for n in range(1000)}
    assert len(pairs) == known.num_plurals
    for message in known:
        if message.id and not isinstance(message.id, str):
            assert len(forms_of(message)) == known.num_plurals, message.id


@pytest.mark.parametrize("code", LANGUAGES.available)
def test_no_translation_is_uncertain(code):
    assert [m.id for m in catalogue(code) if m.fuzzy] == []
    assert [m.id for m in catalogue(code) if m.id and not all(forms_of(m))] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_translation_is_left_in_english(code):
    for message in catalogue(code):
        if message.id and PLACE.sub("", str(message.id)).strip(" –:,()'"):
            for form in forms_of(message):
                assert not is_english(code, message, form), (message.context, message.id)


def test_french_is_set_as_french_is():
    """A space that does not break before `: ; ? !` and inside guillemets, and a curved apostrophe."""
    for message in catalogue("fr"):
        for form in forms_of(message) if message.id else ():
            assert not re.search(r" [:;?!»]|« |\w'\w|\d \d{3}", form), form


@pytest.mark.parametrize("code", LANGUAGES.frames)
def test_a_frame_holds_words_of_the_navigation_and_nothing_else(code):
    keys = set(re.findall(r'\("(\w+)", "/', (TEMPLATES / "base.html").read_text()))
    assert len(keys) >= 5
    words = {m.id: m.string for m in catalogue(code) if m.id}
    assert set(words) <= keys
    assert {m.context for m in catalogue(code) if m.id} == {"nav"}
    assert all(ARABIC_SCRIPT.search(word) for word in words.values())


@pytest.mark.parametrize("code", LANGUAGES.available)
def test_the_compiled_catalogue_is_in_step(code):
    source = path(code)
    written = texts(BytesIO(source.with_suffix(".mo").read_bytes()))
    assert written == texts(BytesIO(compile_catalogue(source.read_bytes(), code))), "python -m node.web.languages"


def test_compiling_writes_a_catalogue_beside_its_source(tmp_path):
    source = tmp_path / "ar" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_bytes(path("ar").read_bytes())
    (target,) = compile_all(tmp_path)
    assert target == source.with_suffix(".mo")
    assert texts(BytesIO(target.read_bytes()))[(None, "Home")] == "الرئيسية"


def path(code: str) -> Path:
    return CATALOGUES / code / "LC_MESSAGES" / "messages.po"


@cache
def catalogue(code: str) -> Catalog:
    return read_po(BytesIO(path(code).read_bytes()), locale=code)


def texts(file: BytesIO) -> dict[object, object]:
    """By context and id (or first of two ids), without the header, which names Babel's version."""
    messages = [(m.context, m.id if isinstance(m.id, str) else m.id[0], m.string) for m in read_mo(file)]
    return {(context, first): string for context, first, string in messages if first}


@cache
def used() -> list[tuple[object, str | None]]:
    """Every literal text that a template or the languages themselves ask for: (id or ids, context)."""
    methods = [("**.html", "jinja2.ext:babel_extract")]
    options = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}
    found = list(extract_from_dir(TEMPLATES, methods, options, KEYWORDS))
    code = extract_from_dir(Path(module.__file__).parent, [("languages.py", "python")], {}, KEYWORDS)
    found += [row for row in code if row[0] == "languages.py"]
    assert len(found) > 60
    return [(ids, context) for _, _, ids, _, context in found]


def forms_of(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def translated(known: Catalog, ids: object, context: str | None) -> bool:
    message = known.get(ids if isinstance(ids, str) else ids[0], context)
    return message is not None and message.id == ids and all(forms_of(message))


def gettext_header(code: str) -> str:
    """How `.po` files of a language count: GNU gettext's own table."""
    return {
        "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
        "fr": "nplurals=2; plural=(n > 1);",
    }.get(code, "nplurals=2; plural=(n != 1);")


def is_english(code: str, message: Message, form: str) -> bool:
    """Whether a text reads as if nobody had translated it."""
    if code == "ar":
        return not ARABIC_SCRIPT.search(form)
    source = message.id if isinstance(message.id, str) else message.id[1]
    same = form == source and len(re.findall(r"\w+", PLACE.sub("", form))) > 2
    return same or bool(ENGLISH_WORDS.intersection(re.findall(r"\w+", form.lower())))

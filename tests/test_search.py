"""How a search reads words: folding, queries, what answers, where. Tables, and what must hold for any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import search
from node.folding import fold, folded, words
from node.search import BITS, MAX_LENGTH, MAX_TERMS, parse, places, signature, text_of
from node.search_excerpts import ROOM, Piece, excerpt, marked
from node.search_words import GROUPS

PLANE = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)), max_size=60)
SCRIPTS = st.text(
    st.sampled_from(
        "ابتثجحخدرسصطعفقكلمنهويأإآٱةىئؤءپچگڤەێۆڵڕکی\u064e\u064b\u0651\u0640\u200c\u200f ،؛٣۴ABcdéèñçœß19-'’@."
    ),
    max_size=80,
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("مُحَامِيَةٌ", "محاميه"),
        ("أحمد إيمان آمنة ٱلحق", "احمد ايمان امنه الحق"),
        ("مسؤول هيئة شيء", "مسوول هييه شيء"),
        ("على هدى علی", "علي هدي علي"),
        ("مـــجمـوعة", "مجموعه"),
        ("رحمٰن", "رحمن"),
        ("کوردستان كوردستان", "كوردستان كوردستان"),
        ("ڕۆژنامەنووسێک لە هەولێر، گەڵ", "روژنامهنووسيك له ههولير، گهل"),
        ("می\u200cروم \u200fب\u2067ج\u2069", "ميروم بج"),
        ("١٢٣ ۴۵۶ 789", "123 456 789"),
        ("ﻣﺤﺎﻣﻲ ﷲ", "محامي الله"),
        ("Défenseure d’opinion à Œuvre", "defenseure d’opinion a oeuvre"),
        ("Niñez: DESAPARICIÓN, GÜERA", "ninez: desaparicion, guera"),
        ("Straße ISTANBUL İstanbul ſ ﬁ", "strasse istanbul istanbul s fi"),
        ("Sa\u00adlah ʿAlī Ḥusayn", "salah ali husayn"),
        ("full\uff57\uff49dth", "fullwidth"),
    ],
)
def test_ways_to_write_one_word_become_one(written, plain):
    assert fold(written) == plain


TEXT = text_of(
    [
        "نداءٌ عاجل: اعتقال المُحَامِيَة فاطمة في بغداد",
        "وقالت المنظمة إنّ السلطات نقلتها للسجن المركزي، وبمجموعات العمل وكريم على علم. ٣ أيام",
        "GCHR-2026-014, @alerts@gulf.example",
        "L’avocate défenseure des droits; la desaparición forzada de Íñigo",
        "the working group's urgent action in São Tomé",
        "ڕۆژنامەنووس لە کەرکووک ئازاد کرا",
    ]
)


@pytest.mark.parametrize(
    ("query", "answers"),
    [
        # Arabic: forms of letters, tashkeel, the article and what stands before it
        ("محامية", True), ("المحامية", True), ("المحاميه", True), ("محام", True), ("الْمُحَامِيَةُ", True),
        ("والمحامية", True), ("فاطمه", True), ("بغداد", True), ("سجن", True), ("السجن", True), ("للسجن", True),
        ("سجن البصرة", False), ("على", True), ("علي", True), ("حامية", False), ("3 أيام", True), ("٣ ايام", True),
        ("ان السلطات", True), ("ـبغدادـ", True),
        # the price: one letter before a word is passed over in a text, and never in a query
        ("ريم", True), ("كريم", True), ("غداد", True), ("اطمة", True), ("كريمة", False), ("ببغداد", False),
        # Sorani, with its own keyboard and an Arabic one
        ("ڕۆژنامەنووس", True), ("روژنامهنووس", True), ("كەركووك", True), ("ئازاد", True), ("ئازادی", False),
        # French, Spanish, English
        ("avocate", True), ("l'avocate", True), ("L’AVOCATE", True), ("defenseur", True), ("vocate", False),
        ("desaparicion", True), ("iñigo", True), ("ínigo", True), ("work", True), ("orking", False),
        ("sao tome", True), ("urgent bagdad", False), ("urgent ﻓﺎﻃﻤﺔ", True),
        # what the field calls by two names
        ("فريق عامل", True), ("الفريق العامل", True), ("مجموعة عمل", True), ("أفرقة عاملة", True), ("فريق", False),
        ("task force", True), ("working groups", True), ("urgent appeal", True), ("فريق استشاري", False),
        ("disparition forcée", False), ("desapariciones forzadas", True), ("مناشدة عاجلة", True),
        # what stays together
        ('"السلطات نقلتها"', True), ("«نقلتها السلطات»", False), ("“urgent action”", True), ('"urgent act"', False),
        ('"في بغداد" فاطمة', True), ('"بغداد وقالت"', False), ('"working group', True),
        # codes and handles are found whole
        ("GCHR-2026-014", True), ("gchr-2026-01", False), ("٢٠٢٦-٠١٤", True), ("GCHR–2026–014", True),
        ("gchr", True), ("@alerts@gulf.example", True), ("alerts@gulf.example", True), ("alerts@gulf.exam", False),
        ("gulf.example", True),
        # nothing to look for
        ("", False), ("a و 7", False), ("%", False), ("_", False), ("100%", False), ("ا_ب", False), ('""', False),
        ("-- @", False),
    ],
)  # fmt: skip
def test_a_text_answers_a_query_or_not(query, answers):
    assert parse(query).fits(TEXT) is answers


@pytest.mark.parametrize(
    ("months", "other"),
    [("تشرين الثاني", "نوفمبر"), ("نوفمبر", "تشرين الثاني"), ("آب", "أغسطس"), ("كانون الأول", "ديسمبر")],
)
def test_a_month_is_found_by_its_other_name(months, other):
    assert parse(months).fits(text_of([f"وقع ذلك في {other} الماضي"]))
    assert not parse("آب").fits(text_of(["أبواب مفتوحة"])), "a short name is no beginning of others"


def test_every_name_of_a_thing_finds_every_other():
    for group in GROUPS:
        for asked in group:
            for written in group:
                assert parse(" ".join(asked)).fits(text_of([" ".join(written)])), (asked, written)


def test_a_query_is_bounded_and_says_when_it_was_cut():
    assert not parse(" ".join(["word"] * MAX_TERMS)).cut
    many = parse(" ".join(f"word{number}" for number in range(MAX_TERMS + 1)))
    assert many.cut and len(many.terms) == MAX_TERMS
    long = parse("x" * 5_000)
    assert long.cut and len(long.written) == MAX_LENGTH


def test_marked_are_whole_words_as_they_were_written():
    assert marked(parse("محامية فريق عامل"), "قالت المُحَامِيَةُ في مجموعات العمل: نعم") == (
        Piece("قالت "), Piece("المُحَامِيَةُ", hit=True), Piece(" في "), Piece("مجموعات العمل", hit=True), Piece(": نعم"),
    )  # fmt: skip


def test_an_excerpt_is_cut_between_words_around_the_first_place():
    words_before, words_after = "كلمة أولى " * 40, "وكلمة أخرى " * 40
    found = excerpt(parse("فاطمة"), ["عنوان", f"{words_before}فَاطِمَةُ {words_after}", "فاطمة"])
    assert found[0] == Piece("…") == found[-1] and Piece("فَاطِمَةُ", hit=True) in found
    shown = "".join(each.text for each in found[1:-1])
    assert len(shown) <= ROOM and set(shown.split()) <= {"كلمة", "أولى", "فَاطِمَةُ", "وكلمة", "أخرى"}
    assert excerpt(parse("زيد"), ["", "بداية النص"]) == (Piece("بداية النص"),)
    assert excerpt(parse("زيد"), ["", " "]) == ()


def test_an_excerpt_turns_nothing_around():
    found = excerpt(parse("name"), ["a \u202ename\u202c \u2067of\u2069\u200f somebody\u0007"])
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", "".join(each.text for each in found))


@given(PLANE)
def test_folding_once_is_enough_and_letter_by_letter_the_same(text):
    assert fold(fold(text)) == fold(text) == "".join(fold(letter) for letter in text)


@given(PLANE | SCRIPTS)
def test_the_way_back_leads_to_the_same_word(text):
    found = folded(text)
    assert found.text == "".join(f" {each}" for each in words(text)) + " "
    for (start, end), word in zip(found.spans, words(text), strict=True):
        assert words(text[start:end])[0].startswith(word) or word in fold(text[start:end])
        assert 0 <= start < end <= len(text)


@given(SCRIPTS, SCRIPTS)
def test_what_answers_is_never_ruled_out_by_its_signature(written, asked):
    text, query = text_of([written]), parse(asked)
    bits = signature(text)
    assert len(bits) == BITS // 4
    for term in query.terms:
        for needle in term.needles:
            perhaps = all(bits[place - 1 : place] in fitting for place, fitting in places(needle))
            assert perhaps or not needle.stands(text)


@given(SCRIPTS)
def test_every_word_of_a_text_finds_it_and_is_marked(written):
    for word in words(written):
        query = parse(word)
        if query.terms:
            assert query.fits(text_of([written]))
            assert any(piece.hit for piece in marked(query, written))


@given(PLANE, SCRIPTS)
def test_no_text_and_no_query_breaks_an_excerpt(asked, written):
    query = parse(asked)
    assert "".join(each.text for each in marked(query, written)).split() == "".join(
        each.text for each in marked(search.Query(""), written)
    ).split()
    assert len("".join(each.text for each in excerpt(query, [written * 9]))) <= ROOM + len(written) + 2

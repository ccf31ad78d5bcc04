"""The text that is passed on: within 500 characters whatever comes, whole words, closed isolates, link, reference."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import alert_share, alerts
from node.alert_bidi import FSI, PDI
from node.alert_share import MOST, addresses, cut, share_text, teaser
from tests.support.alert_examples import NOW, PLACE, actual

PAGE = "https://org1.example/alerts/0123456789abcdef"
NAME = "منظمة تدريبية"
LONG = " ".join(f"كلمة{n}" for n in range(400))


def public(language="ar", **changes):
    return alerts.parse(alerts.render(alerts.parse_input(actual()), language, PLACE) | changes)


ALERT = public(narrative=LONG)
ODD = st.text(max_size=300) | st.text("\x00\u202e\u2066\u2068\u2069\r\n أبab", max_size=40)


def test_it_says_who_speaks_what_the_reference_and_the_address():
    lines = share_text(ALERT, NAME, PAGE, NOW).split("\n")
    assert NAME in lines[0]
    assert lines[1] == ALERT.headline
    assert ALERT.reference in lines[-2] and FSI in lines[-2]
    assert lines[-1] == PAGE, "alone, for a messenger makes everything near it part of the link"
    assert len("\n".join(lines)) <= MOST
    assert lines[-3].endswith("…") and lines[-3].rstrip("…").split(" ")[-1] in LONG.split(" ")


def test_each_language_has_its_own_words():
    assert "Reference: " in share_text(public("en"), NAME, PAGE, NOW)
    assert "رمز النداء: " in share_text(ALERT, NAME, PAGE, NOW)


@pytest.mark.parametrize(
    ("changes", "later", "first"),
    [
        ({"alertState": "closed", "stateNote": "x"}, 0, "أُنهي هذا النداء"),
        ({"alertState": "corrected", "stateNote": "x"}, 0, "تصحيح"),
        ({"alertState": "corrected", "stateNote": "x"}, 999, "معلومات قديمة"),
        ({}, 999, "معلومات قديمة"),
    ],
)
def test_what_is_old_says_so_first_and_names_no_deadline(changes, later, first):
    text = share_text(public(**changes), NAME, PAGE, NOW + timedelta(days=later))
    assert text.startswith(first)
    assert "الموعد الأخير" not in text
    assert teaser(public(**changes), NOW + timedelta(days=later)).startswith(first)


def test_a_deadline_that_lies_ahead_is_told():
    assert "الموعد الأخير" in share_text(ALERT, NAME, PAGE, NOW)


@given(ODD, ODD, ODD, ODD, st.sampled_from(["ar", "en", ""]), st.integers(0, 900))
def test_whatever_it_is_made_of_it_keeps_its_bounds(name, headline, narrative, reference, language, days):
    alert = replace(
        ALERT, headline=headline, narrative=narrative * 5, reference=reference, language=language, country="IQ"
    )
    text = share_text(alert, name, PAGE, NOW + timedelta(days=days))
    assert len(text) <= MOST
    assert text.endswith(PAGE)
    for line in text.split("\n"):
        assert line.count(FSI) == line.count(PDI)
        assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\x00\r")
    assert len(teaser(alert, NOW)) <= 260


@given(st.text(" abأب", max_size=60), st.integers(-2, 70))
def test_a_cut_falls_between_words(text, most):
    flat = alert_share.flat(text)
    found = cut(flat, most)
    assert len(found) <= max(most, 0) or found == flat
    words = flat.split(" ")
    assert found == flat or found.rstrip("…").split(" ") == words[: len(found.rstrip("…").split(" "))] or not found


def test_one_word_longer_than_all_is_left_out():
    text = share_text(replace(ALERT, headline="x" * 300, narrative="y" * 900), NAME, PAGE, NOW)
    assert "xxx" not in text and "yyy" not in text
    assert PAGE in text


def test_the_addresses_carry_the_whole_text_and_ask_no_web_site():
    text = share_text(ALERT, NAME, PAGE, NOW)
    ways = dict(addresses(text, "title & more"))
    assert list(ways) == ["whatsapp", "telegram", "mail"]
    assert not any(each.startswith("http") for each in ways.values())
    assert unquote(ways["whatsapp"].partition("=")[2]) == text
    query = parse_qs(ways["telegram"].partition("?")[2])
    assert query["text"][0] + "\n" + query["url"][0] == text
    mail = parse_qs(ways["mail"].partition("?")[2])
    assert mail == {"subject": ["title & more"], "body": [text.replace("\n", "\r\n")]}
    assert len(ways["whatsapp"].encode()) < 3 * len(text.encode())

"""The recovery sheet finds every typing error and names its line; an identity keeps its words."""

import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from node import paper, recovery
from node.errors import NodeError, ProtocolError, RefusedError
from node.words import WORDS

KEY = recovery.RecoveryKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = recovery.RecoveryKey(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINES = recovery.render_lines(KEY)
WANTED = "all lines of the sheet are wanted (7 lines of 9 letters are wanted; here are {} letters)"
keys = st.binary(min_size=32, max_size=32).map(
    lambda seed: recovery.RecoveryKey(Ed25519PrivateKey.from_private_bytes(seed))
)


def sheet(key: recovery.RecoveryKey = KEY, language: str = "ar") -> str:
    return recovery.render_sheet(key, "منظمة التمرين", "@exercise@node.example", OTHER.did, MADE, language)


def typed(lines: list[str]) -> str:
    return "\n".join(f"{number}/7 {line}" for number, line in enumerate(lines, 1))


def with_line(number: int, line: str) -> str:
    return typed([line if each == number else old for each, old in enumerate(LINES, 1)])


def reasons(text: str) -> tuple[str, ...]:
    with pytest.raises(RefusedError) as caught:
        recovery.parse_sheet(text)
    return caught.value.reasons


@settings(max_examples=20, deadline=None)
@given(keys, st.sampled_from(["ar", "en", "fr", "ar-IQ"]))
def test_a_printed_sheet_is_read_back(key, language):
    assert recovery.parse_sheet(sheet(key, language)).seed == key.seed


@given(keys)
def test_the_seven_lines_without_numbers_and_the_text_of_the_qr_code_are_read_too(key):
    lines = recovery.render_lines(key)
    assert recovery.parse_sheet("\n".join(lines)).seed == key.seed
    assert recovery.parse_sheet("".join(lines)).seed == key.seed


def test_a_new_key_differs_from_the_last_and_keeps_its_did_on_paper():
    first, second = recovery.generate(), recovery.generate()
    assert first.did != second.did
    assert recovery.parse_sheet(sheet(first)).did == first.did


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: text.replace("0", "O").replace("1", "l"),
        lambda text: text.replace("0", "o").replace("1", "i"),
        lambda text: text.replace(" ", "\t"),
        lambda text: "\ufeff" + text.replace("\n", "\r\n\r\n"),
        lambda text: "\n".join(reversed(text.splitlines())),
        lambda text: text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda text: text.replace("/7 ", "/7: "),
        lambda text: re.sub(r"(\w{3})(?=\w)", r"\1-", text),
        lambda text: text + "\n" + text,
    ],
    ids=["lower", "o-l", "o-i", "tabs", "crlf", "reversed", "arabic-digits", "colons", "dashes", "twice"],
)
def test_a_careless_copy_is_forgiven(change):
    numbers, letters = zip(*(row.split(" ") for row in typed(list(LINES)).splitlines()), strict=True)
    text = change("\n".join(f"{number} {row}" for number, row in zip(numbers, letters, strict=True)))
    text = re.sub(r"(?im)^([oil])/", lambda match: f"{'01'[match[1] != 'o']}/", text)
    assert recovery.parse_sheet(text).seed == KEY.seed


def test_every_single_wrong_letter_is_found_and_its_line_named():
    for number, line in enumerate(LINES, 1):
        for place, right in enumerate(line):
            for wrong in paper.ALPHABET.replace(right, ""):
                found = reasons(with_line(number, line[:place] + wrong + line[place + 1 :]))
                assert found == (f"line {number} does not hold: compare it with the paper, letter by letter",)


def test_every_swap_of_two_unequal_letters_of_a_line_is_found():
    for number, line in enumerate(LINES, 1):
        for first in range(len(line)):
            for second in range(first + 1, len(line)):
                if line[first] != line[second]:
                    letters = list(line)
                    letters[first], letters[second] = letters[second], letters[first]
                    assert reasons(with_line(number, "".join(letters)))[0].startswith(f"line {number} ")


def test_two_lines_in_each_others_place_are_both_named():
    for first in range(7):
        for second in range(first + 1, 7):
            lines = list(LINES)
            lines[first], lines[second] = lines[second], lines[first]
            found = reasons(typed(lines))
            assert [reason[:6] for reason in found] == [f"line {first + 1}", f"line {second + 1}"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", WANTED.format(0)),
        ("".join(LINES)[:-1], WANTED.format(62)),
        (typed(list(LINES[:6])), "line 7 is missing"),
        (with_line(3, LINES[2][:-1]), "line 3 has 8 letters; 9 are wanted"),
        (with_line(3, LINES[2] + "7"), "line 3 has 10 letters; 9 are wanted"),
        (with_line(5, "U" + LINES[4][1:]), "line 5: 'U' is not a letter of the sheet"),
        (with_line(5, "ب" + LINES[4][1:]), "line 5: 'ب' is not a letter of the sheet"),
        (typed(list(LINES)) + "\n2/7 " + LINES[0], "line 2 stands twice, and not the same"),
        (typed(list(LINES)).replace("4/7", "9/7"), "line 4 is missing"),
    ],
)
def test_a_sheet_with_one_thing_broken_is_refused_by_name(text, reason):
    assert reasons(text) == (reason,)


def test_errors_that_one_line_hides_are_found_by_the_whole():
    hidden = 0
    for left in paper.ALPHABET:
        for right in paper.ALPHABET:
            text = with_line(2, left + right + LINES[1][2:])
            try:
                assert recovery.parse_sheet(text).seed == KEY.seed
            except RefusedError as error:
                hidden += error.reasons[0].startswith("each line holds by itself")
    assert hidden == 31


halves = st.builds(lambda head, tail: typed(list(LINES))[:head] + tail, st.integers(0, 90), st.text())


@given(st.text() | halves)
def test_any_text_is_a_key_or_a_refusal(text):
    try:
        recovery.parse_sheet(text)
    except NodeError:
        return


def test_the_sheet_speaks_both_languages_and_the_organisations_comes_first():
    arabic, english = sheet(language="ar"), sheet(language="en")
    for text in (arabic, english):
        for wanted in ("منظمة التمرين", "@exercise@node.example", OTHER.did, "2026-03-01"):
            assert wanted in text
        assert recovery.commitment(KEY) in text
        assert all(word in text for word in recovery.six_words(OTHER.did))
    assert arabic.index("ورقة الاستعادة") < arabic.index("RECOVERY SHEET")
    assert english.index("RECOVERY SHEET") < english.index("ورقة الاستعادة")


def test_a_name_over_two_lines_cannot_pass_for_a_line_of_the_key():
    text = recovery.render_sheet(KEY, "A\n1/7 AAA AAA AAA", "@a@node.example", OTHER.did, MADE, "en")
    assert recovery.parse_sheet(text).seed == KEY.seed


def test_neither_the_keys_did_nor_its_seed_stands_on_the_sheet_in_another_form():
    assert KEY.did not in sheet()
    assert KEY.seed.hex() not in sheet() + repr(KEY)


def test_the_qr_code_is_drawn_for_the_terminal_and_as_svg():
    assert "█" in recovery.render_qr(KEY)
    svg = recovery.render_qr_svg(KEY)
    assert svg.startswith("<svg xmlns=")
    assert "script" not in svg
    assert recovery.render_qr_svg(OTHER) != svg


def test_only_the_committed_key_meets_the_commitment():
    recovery.check_commitment(KEY.did, recovery.commitment(KEY))
    for did, pinned in [
        (OTHER.did, recovery.commitment(KEY)),
        (KEY.did, recovery.commitment(OTHER)),
        (KEY.did, ""),
        (KEY.did + "#" + KEY.multikey, recovery.commitment(KEY)),
        ("did:web:node.example", recovery.commitment(KEY)),
    ]:
        with pytest.raises(ProtocolError):
            recovery.check_commitment(did, pinned)


def test_the_words_and_numbers_of_a_known_did_never_change():
    assert recovery.six_words(KEY.did) == ("biscuit", "corner", "bronze", "happy", "saturday", "north")
    assert recovery.six_numbers(KEY.did) == ("90519", "41965", "04037", "16738", "80840", "42476")


def test_another_did_has_other_words():
    assert recovery.six_words(KEY.did) != recovery.six_words(OTHER.did)
    assert recovery.six_numbers(KEY.did) != recovery.six_numbers(OTHER.did)


def test_all_words_can_be_told_apart_by_ear_and_by_their_first_four_letters():
    assert len(WORDS) == len(set(WORDS)) == 1024
    assert list(WORDS) == sorted(WORDS)
    assert all(re.fullmatch("[a-z]{3,8}", word) for word in WORDS)
    assert len({word[:4] for word in WORDS}) == 1024
    near: dict[str, str] = {}
    for word in WORDS:
        for place in range(len(word)):
            for shape in (word[:place] + word[place + 1 :], word[:place] + "?" + word[place + 1 :]):
                assert near.setdefault(shape, word) == word or "?" not in shape, f"{word} and {near[shape]}"
        assert near.get(word, word) == word

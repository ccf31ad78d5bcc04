"""The recovery key on three sheets: two are the key, one is nothing, and a wrong copy is found before it is used."""

import random
import secrets
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import paper, recovery, recovery_parts
from node.errors import RefusedError

KEY = recovery.generate()
SHEETS = recovery_parts.split(KEY, random.Random(7).randbytes)
MADE = datetime(2026, 11, 28, tzinfo=UTC)


def printed(part, language="ar"):
    return recovery_parts.render_sheet(part, "Exercise (تدريب)", "@exercise@node.example", KEY.did, MADE, language)


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("pair", list(combinations(range(3), 2)))
def test_any_two_printed_sheets_are_the_key(pair, language):
    texts = [printed(SHEETS[number], language) for number in pair]
    assert recovery_parts.read_key(texts).seed == KEY.seed
    assert recovery_parts.read_key(texts[::-1]).seed == KEY.seed


def test_the_text_of_a_qr_code_is_a_sheet_too():
    assert recovery_parts.read("".join(SHEETS[1].lines)) == SHEETS[1]
    assert recovery_parts.read_key(["".join(each.lines).lower() for each in SHEETS[:2]]).seed == KEY.seed
    assert "<svg" in paper.drawing(SHEETS[0].lines)


def test_a_whole_sheet_is_read_by_the_same_door():
    whole = recovery.render_sheet(KEY, "Exercise", "@e@node.example", KEY.did, MADE, "en")
    assert recovery_parts.read_key([whole]).seed == KEY.seed
    assert recovery_parts.read_key(["\n".join(recovery.render_lines(KEY))]).seed == KEY.seed


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ([printed(SHEETS[0])], "two of the three sheets are wanted .A."),
        ([printed(SHEETS[2]), printed(SHEETS[2])], "two of the three sheets are wanted .C."),
        ([printed(SHEETS[0]), "nothing"], "14 lines of 9 letters are wanted; here are 7 letters"),
        (["", ""], "one whole sheet is wanted, or two of three parts"),
    ],
)
def test_what_is_no_pair_is_refused_by_name(texts, reason):
    with pytest.raises(RefusedError, match=reason):
        recovery_parts.read_key(texts)


def test_every_single_wrong_letter_is_found():
    for number, line in enumerate(SHEETS[0].lines):
        for at in range(len(line)):
            wrong = paper.ALPHABET[(paper.ALPHABET.index(line[at]) + 1) % 32]
            lines = [*SHEETS[0].lines]
            lines[number] = line[:at] + wrong + line[at + 1 :]
            with pytest.raises(RefusedError, match=f"line {number + 1} "):
                recovery_parts.read("\n".join(lines))


def test_a_sheet_of_another_set_makes_a_key_that_nobody_committed_to():
    other = recovery_parts.split(KEY, secrets.token_bytes)
    made = recovery_parts.join([SHEETS[0], other[1]])
    assert recovery.commitment(made) != recovery.commitment(KEY)


def test_one_sheet_says_nothing_of_the_key():
    # Whatever key one thinks of, there is a second sheet that makes it with the first.
    thought = secrets.token_bytes(32)
    group = "0-1"
    needed = bytes(a ^ b for a, b in zip(SHEETS[0].parts[group], thought, strict=True))
    forged = recovery_parts.Part("B", {**SHEETS[1].parts, group: needed})
    assert recovery_parts.join([SHEETS[0], forged]).seed == thought


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_a_part_or_a_refusal(text):
    try:
        recovery_parts.read_key([text, printed(SHEETS[1])])
    except RefusedError as error:
        assert error.reasons


def test_a_line_is_checked_as_it_was_typed():
    lines = SHEETS[0].lines
    paper.check_line(f" 3/14  {lines[2][:3].lower()} {lines[2][3:]}", 3, lines)
    paper.check_line(lines[2], 3, lines)
    for typed in (lines[3], lines[2][:-1], "", f"3/14 {lines[2]}0"):
        with pytest.raises(RefusedError, match="compare it with the paper"):
            paper.check_line(typed, 3, lines)

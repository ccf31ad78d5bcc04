"""Bytes on paper: lines of letters that somebody can copy, with a check letter that finds what was copied wrongly.

Rules, in order:

1. Five bytes are a line of eight letters of Crockford's base 32 (no I, L, O, U); O is read as 0, I and L as 1, in
   either case.
2. A ninth letter closes each line. Over GF(32) the letters and the line's number, each with its own weight,
   sum to zero: every wrong letter, every swap of two unequal letters and every misplaced line is found.
3. Case, spaces, dashes and the order of numbered lines do not matter; what else stands on a sheet is passed over.

What the bytes mean, and whether they hold together, is for `recovery` and `recovery_parts`.
"""

import io
import re
import unicodedata

import segno

from node.errors import RefusedError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = 8
"""Letters of a line that carry something; the ninth is the check letter."""
_BYTES = LETTERS * 5 // 8
_READ_AS = str.maketrans("OIL", "011")
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
RULE = "=" * 64
"""Between the parts of a sheet."""


def lines_of(payload: bytes) -> tuple[str, ...]:
    """The lines, without numbers and spaces.

    Args:
        payload: five bytes for each line, 31 lines at most.
    """
    bits = int.from_bytes(payload)
    letters = [ALPHABET[bits >> shift & 31] for shift in range(len(payload) * 8 - 5, -1, -5)]
    lines = ["".join(letters[start : start + LETTERS]) for start in range(0, len(letters), LETTERS)]
    return tuple(line + _check_letter(number, line) for number, line in enumerate(lines, 1))


def numbered(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines as they are printed: `3/7   ABC DEF GH1`; of ten and more, one below the other."""
    count = str(len(lines))
    return tuple(
        f"{number:{len(count)}}/{count}   {line[:3]} {line[3:6]} {line[6:]}" for number, line in enumerate(lines, 1)
    )


def sheet(lines: tuple[str, ...], arabic: str, english: str, language: str) -> str:
    """A whole sheet: the lines, which stay left to right among Arabic, between what they are in two languages.

    Args:
        language: the organisation's; with `ar` the Arabic part stands first.
    """
    first, second = (arabic, english) if language.partition("-")[0].lower() == "ar" else (english, arabic)
    block = "\n".join(f"{LEFT_TO_RIGHT}    {line}" for line in numbered(lines))
    return "\n".join([RULE, first, RULE, "", block, "", RULE, second, RULE, ""])


def drawing(lines: tuple[str, ...]) -> str:
    """The lines as a QR code in SVG, without any script, style or outside reference; `read` reads its text."""
    out = io.BytesIO()
    code(lines).save(out, kind="svg", scale=4, xmldecl=False, nl=False)
    return out.getvalue().decode()


def code(lines: tuple[str, ...]) -> segno.QRCode:
    """The lines as a QR code."""
    return segno.make("".join(lines), error="m", micro=False)


def read(text: str, count: int) -> bytes:
    """What stands on a sheet of so many lines, typed or scanned.

    Raises:
        RefusedError: naming each line that is wrong, missing or there twice.
    """
    lines = _find_lines(_plain(text), count)
    reasons = [reason for number in range(1, count + 1) for reason in _line_faults(number, lines[number])]
    if reasons:
        raise RefusedError(*reasons)
    bits = 0
    for number in range(1, count + 1):
        for letter in lines[number][0][:LETTERS]:
            bits = bits << 5 | ALPHABET.index(letter)
    return bits.to_bytes(count * _BYTES)


def count_of(text: str, counts: tuple[int, ...]) -> int | None:
    """Of how many lines the sheet is that this text is of; `None` where it cannot be told."""
    plain = _plain(text)
    for count in counts:
        if re.search(rf"^\s*[0-9]{{1,2}}\s*/\s*{count}(?![0-9A-Z])", plain, re.M):
            return count
    run = sum(len(_letters(row)) for row in plain.splitlines())
    return next((count for count in counts if run == count * (LETTERS + 1)), None)


def check_line(typed: str, number: int, lines: tuple[str, ...]) -> None:
    """Somebody copied this line of a sheet from paper; its number before it is passed over.

    Raises:
        RefusedError: it is another one, or wrong.
    """
    row = _plain(typed)
    match = re.match(rf"\s*[0-9]{{1,2}}\s*/\s*{len(lines)}(?![0-9A-Z])[\s:.)]*(.*)", row)
    if _letters(match[1] if match else row) != lines[number - 1]:
        raise RefusedError("this is not what stands on the sheet: compare it with the paper, letter by letter")


def _check_letter(number: int, line: str) -> str:
    """The letter that makes the weighted sum over GF(32) zero; the weights are powers of x."""
    total = number
    for letter in line:
        total = _times_x(total) ^ ALPHABET.index(letter)
    return ALPHABET[_times_x(total)]


def _times_x(value: int) -> int:
    """Multiply by x modulo x^5 + x^2 + 1, whose powers of x run through all 31 non-zero values."""
    return value << 1 ^ (0b100101 if value & 16 else 0)


def _plain(text: str) -> str:
    """Upper case, ASCII digits for any script's, and no invisible characters (direction marks)."""
    seen = (char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return "".join(str(unicodedata.decimal(char, char)) for char in seen).upper()


def _find_lines(text: str, count: int) -> dict[int, list[str]]:
    """The candidates for each line: by their numbers, else in their order, else cut from one run."""
    found: dict[int, list[str]] = {number: [] for number in range(1, count + 1)}
    rows = [row for row in text.splitlines() if _letters(row)]
    printed = re.compile(rf"\s*([0-9]{{1,2}})\s*/\s*{count}(?![0-9A-Z])[\s:.)]*(.*)")
    numbered_rows = [match for match in map(printed.match, rows) if match is not None]
    if numbered_rows:
        for match in numbered_rows:
            found.get(int(match[1]), []).append(_letters(match[2]))
        return found
    bare = [_letters(row) for row in rows]
    if len(bare) != count:
        run, width = "".join(bare), LETTERS + 1
        if len(run) != count * width:
            here = f"{count} lines of {width} letters are wanted; here are {len(run)} letters"
            raise RefusedError(f"all lines of the sheet are wanted ({here})")
        bare = [run[start : start + width] for start in range(0, len(run), width)]
    for number, line in enumerate(bare, 1):
        found[number].append(line)
    return found


def _letters(row: str) -> str:
    return re.sub(r"[\s\-_.]", "", row).translate(_READ_AS)


def _line_faults(number: int, candidates: list[str]) -> list[str]:
    if not candidates:
        return [f"line {number} is missing"]
    if len(set(candidates)) > 1:
        return [f"line {number} stands twice, and not the same"]
    line = candidates[0]
    if strange := [char for char in line if char not in ALPHABET]:
        return [f"line {number}: {strange[0]!r} is not a letter of the sheet"]
    if len(line) != LETTERS + 1:
        return [f"line {number} has {len(line)} letters; {LETTERS + 1} are wanted"]
    if _check_letter(number, line[:LETTERS]) != line[LETTERS]:
        return [f"line {number} does not hold: compare it with the paper, letter by letter"]
    return []

"""Numbers, days and codes as our readers' keyboards write them."""

from datetime import UTC, datetime

import pytest

from node import people_factors, people_keys, receipts
from node.alert_forms import latin_digits, parse_moment
from node.web.desk import Fields
from node.web.pages.desk import case_fields, group_views
from node.web.pages.desk.case_fields import Field

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = people_factors.new_totp()
EASTERN, PERSIAN = "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"

in_any_digits = pytest.mark.parametrize("digits", [EASTERN, PERSIAN, "0123456789"], ids=["eastern", "persian", "latin"])


def typed(text, digits):
    """A text as a keyboard with these digits writes it."""
    return text.translate(str.maketrans("0123456789", digits))


@in_any_digits
def test_every_number_day_and_code_may_be_typed_in_them(digits):
    assert latin_digits(typed("2026-11-20 ab", digits)) == "2026-11-20 ab"
    assert parse_moment(typed("2026-11-20", digits)).day == 20
    assert receipts.parse(typed("1234 5678 9012 3456", digits)) == "1234567890123456"
    code = people_factors.totp_code(SECRET, NOON)
    assert people_factors.totp_step(SECRET, typed(code, digits), NOON) is not None
    assert people_keys.code_digest("p", typed("ab23-cd45", digits)) == people_keys.code_digest("p", "AB23 CD45")
    assert group_views.year_of(typed("2027", digits)) == 2027


@in_any_digits
def test_fields_of_a_case_take_them(digits):
    given = Fields({"sources": (typed("12", digits).encode(),), "given": (typed("2026-11-20", digits).encode(),)})
    found = case_fields.read(given, (Field("sources", "number"), Field("given", "day")))
    assert (found["sources"], found["given"].date().isoformat()) == (12, "2026-11-20")


def test_other_signs_stay_what_they_are():
    assert latin_digits("½²③ ab") == "½²③ ab"

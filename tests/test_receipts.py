"""Receipt numbers: what they open, what they do not, and how patient one must be."""

from datetime import timedelta

import pytest

from node import greetings, receipts
from node.errors import ProtocolError
from node.federation.protocol import sealing
from node.greetings import Answered, Ways
from node.receipts import Patience
from tests.support.case_examples import NOW

SALT = b"exercise-salt-01"


def test_a_number_opens_its_own_secret_and_no_other():
    one = receipts.generate(SALT)
    assert one.number not in repr(one) and len(one.number) == 16
    opening = receipts.derive(receipts.parse(receipts.shown(one.number)), SALT)
    assert opening.tag == one.tag
    secret = receipts.unwrap(opening, one.wrapped)
    assert sealing.load(secret).public == one.public
    assert secret.encode() not in one.wrapped and opening.key not in one.wrapped
    wrong = f"{(int(one.number) + 1) % 10**16:016}"
    for other in (receipts.derive(wrong, SALT), receipts.derive(one.number, b"another-salt-001")):
        assert other.tag != one.tag
        with pytest.raises(ProtocolError):
            receipts.unwrap(other, one.wrapped)
    with pytest.raises(ProtocolError):
        receipts.unwrap(opening, bytes(len(one.wrapped)))


@pytest.mark.parametrize(
    "typed",
    [
        "1234 5678 9012 3456", "1234567890123456", "1234-5678–9012.3456", "١٢٣٤ ٥٦٧٨ ٩٠١٢ ٣٤٥٦",
        "\u20661234 5678 9012 3456\u2069",
    ],
)
def test_a_number_is_read_in_any_grouping(typed):
    assert receipts.parse(typed) == "1234567890123456"


@pytest.mark.parametrize("typed", ["", "123", "1234 5678 9012 345x", "1" * 17, "²" * 16])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(ProtocolError):
        receipts.parse(typed)


def test_wrong_numbers_slow_everybody_down_for_ten_minutes_and_never_without_end():
    patience = Patience()
    assert patience.wait(NOW) == 0
    waits = []
    for number in range(100):
        patience.wrong(NOW + timedelta(milliseconds=number))
        waits.append(patience.wait(NOW + timedelta(seconds=1)))
    assert waits[:4] == [0] * 4 and waits == sorted(waits) and waits[-1] == 8.0
    assert patience.wait(NOW + timedelta(minutes=11)) == 0


def test_a_sender_is_answered_once_a_day_and_nobody_without_end():
    answered = Answered()
    assert answered.may("org", "sender", NOW)
    assert not answered.may("org", "sender", NOW + timedelta(hours=23))
    assert answered.may("other org", "sender", NOW)
    assert answered.may("org", "sender", NOW + timedelta(hours=25))
    many = [answered.may("org", f"s{number}", NOW + timedelta(hours=26)) for number in range(100)]
    assert sum(many) == greetings.AN_HOUR


def test_the_answer_names_safe_ways_for_its_sender_alone():
    places = ("https://a/1", "https://a/actor", "https://a", "https://b/u")
    note = greetings.render(*places, Ways("/request", "<Signal>"), NOW)
    assert note["to"] == ["https://b/u"] and "cc" not in note and "inReplyTo" not in note
    assert "https://a/request?lang=ar" in note["content"] and "&lt;Signal&gt;" in note["content"]
    bare = greetings.render(*places, Ways("", ""), NOW)
    assert "/request" not in bare["content"]

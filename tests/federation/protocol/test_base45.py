"""Base45: the standard's examples, there and back, and nothing else is read."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import base45

EXAMPLES = ((b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", ""))


@pytest.mark.parametrize(("data", "text"), EXAMPLES)
def test_the_examples_of_the_standard(data, text):
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@given(st.binary(max_size=200))
def test_bytes_come_back(data):
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.parametrize("text", ["A", "BB8A", "GGW", ":::", "ZZ", "::", "bb8", "BB\n", "بب8"])
def test_what_is_no_base45_is_refused(text):
    with pytest.raises(ProtocolError):
        base45.decode(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text):
    with suppress(ProtocolError):
        assert base45.encode(base45.decode(text)) == text

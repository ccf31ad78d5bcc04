"""Ids: one spelling each, and nobody's id can be written so that it becomes somebody else's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import ids

DID = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
GATEWAY = f"https://node.example/.well-known/apgateway/{DID}"


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        (f"{GATEWAY}/actor", f"ap+ef61://{DID}/actor"),
        (f"{GATEWAY}/actor#main-key", f"ap+ef61://{DID}/actor#main-key"),
        (f"{GATEWAY}", f"ap+ef61://{DID}"),
        (f"HTTPS://NODE.example:8443/.well-known/apgateway/{DID}/actor", f"ap+ef61://{DID}/actor"),
        (f"http://127.2.0.1:8100/.well-known/apgateway/{DID}/actor", f"ap+ef61://{DID}/actor"),
        (f"ap://{DID}/actor", f"ap+ef61://{DID}/actor"),
        (f"AP+EF61://{DID}/actor", f"ap+ef61://{DID}/actor"),
        (f"{DID}", f"ap+ef61://{DID}"),
        (f"{DID}#z6Mk", f"ap+ef61://{DID}#z6Mk"),
        ("https://Exercise.EXAMPLE:443/users/A?b=C#d", "https://exercise.example/users/A?b=C#d"),
        ("HTTP://exercise.example:80", "http://exercise.example/"),
        ("https://exercise.example.:8443/x", "https://exercise.example:8443/x"),
        ("https://exercise.example:/x", "https://exercise.example/x"),
        ("https://exercise.example?x=1", "https://exercise.example/?x=1"),
        ("https://exercise.example#x", "https://exercise.example/#x"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("https://xn--mgbh0fb.example/%D8%AA", "https://xn--mgbh0fb.example/%D8%AA"),
    ],
)
def test_an_id_has_one_spelling(uri: str, wanted: str) -> None:
    assert ids.canonical(uri) == wanted
    assert ids.canonical(wanted) == wanted


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "exercise",
        "//exercise.example/x",
        "https:",
        "https:///x",
        "https:exercise.example/x",
        "ftp://exercise.example/x",
        "javascript:alert(1)",
        "acct:tester@exercise.example",
        "did:web:exercise.example",
        "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
        DID[:-1],
        f"{DID}#a b",
        f"{DID}#<script>",
        f"ap://{DID}/a\nb",
        f"ap://{DID}x/a",
        f"ap://{DID}/{'x' * 2048}",
        "ap://did:key:short/actor",
        "https://user@exercise.example/x",
        "https://user:secret@exercise.example/x",
        "https://exercise.example\\@other.example/x",
        "https://exercise..example/x",
        "https://-exercise.example/x",
        "https://مثال.example/x",
        "https://exercise。example/x",
        "https://exercise.example:port/x",
        "https://exercise.example:65536/x",
        "https://exercise.example/a b",
        "https://exercise.example/\x7f",
        "https://exercise.example/é",
        " https://exercise.example/x",
        "https://exercise.example/x\n",
        "https://[::1/x",
        "https://" + "a." * 130 + "example/x",
        "https://exercise.example/" + "x" * 2048,
    ],
    ids=repr,
)
def test_an_id_that_nobody_can_have_is_refused(uri: str) -> None:
    for read in (ids.canonical, ids.origin, ids.host_of):
        with pytest.raises(ProtocolError):
            read(uri)
    assert not ids.same_origin(uri, uri)


@pytest.mark.parametrize(
    ("uri", "origin", "place"),
    [
        (f"{GATEWAY}/actor", DID, "https://node.example"),
        ("https://Exercise.example:443/x", "https://exercise.example", "https://exercise.example"),
        ("https://exercise.example?x", "https://exercise.example", "https://exercise.example"),
        ("http://127.2.0.1:8100/x", "http://127.2.0.1:8100", "http://127.2.0.1:8100"),
        ("https://[::1]:8443", "https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_id_belongs_to_its_did_or_its_host_and_lies_at_its_place(
    uri: str, origin: str, place: str
) -> None:
    assert (ids.origin(uri), ids.origin_of_location(uri)) == (origin, place)
    assert f"https://{ids.host_of(uri)}".endswith(place.partition("://")[2])


@pytest.mark.parametrize("uri", [DID, f"ap+ef61://{DID}/actor"])
def test_a_portable_id_without_gateway_lies_nowhere(uri: str) -> None:
    assert ids.origin(uri) == DID
    with pytest.raises(ProtocolError):
        ids.origin_of_location(uri)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (f"{GATEWAY}/actor", f"ap://{DID}/other", True),
        (f"{GATEWAY}/actor", "https://node.example/actor", False),
        ("https://a.example/x", "https://A.example:443/y", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "https://a.example:8443/x", False),
        ("https://a.example/x", "https://b.a.example/x", False),
    ],
)
def test_origins_are_compared_whole(first: str, second: str, same: bool) -> None:
    assert ids.same_origin(first, second) is same


def test_a_portable_id_is_taken_apart_and_put_at_another_gateway() -> None:
    found = ids.portable(f"{GATEWAY}/objects/1#x")
    assert found == ids.Portable(DID, "/objects/1#x")
    assert (
        found.at("https://other.example") == f"https://other.example/.well-known/apgateway/{DID}/objects/1#x"
    )
    assert ids.portable("https://node.example/actor") is None
    assert ids.is_did(DID) and not ids.is_did(DID + "\n") and not ids.is_did(DID + "#x")
    assert ids.without_fragment("https://a.example/x#y#z") == "https://a.example/x"


PIECES = st.sampled_from(
    [
        "https://",
        "HTTPS://",
        "http://",
        "ap://",
        "ap+ef61://",
        DID,
        "did:key:",
        "/.well-known/apgateway/",
        "node.example",
    ]
    + [":443", ":", "@", "/", "//", "?", "#", ".", "%2F", "\\", " ", "[::1]", "x", "é", "\n"]
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20).map("https://".__add__))
def test_any_text_is_refused_or_has_one_spelling_and_one_owner(uri: str) -> None:
    try:
        found = ids.canonical(uri)
    except ProtocolError:
        return
    assert ids.canonical(found) == found
    assert ids.origin(found) == ids.origin(uri)
    assert found.startswith((f"ap+ef61://{DID}", "https://", "http://"))

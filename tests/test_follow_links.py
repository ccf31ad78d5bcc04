"""What may become a link to a reader's own server, and what may not."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import RefusedError
from node.follow_links import dialogues, parse_server


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("mastodon.example", "mastodon.example"),
        ("@me@mastodon.example", "mastodon.example"),
        (" me@Mastodon.Example. ", "mastodon.example"),
        ("@أنا@خادم.مثال", "xn--mgbne2g.xn--mgbh0fb"),
        ("@me@xn--mgbne2g.xn--mgbh0fb", "xn--mgbne2g.xn--mgbh0fb"),
        ("@me@social。example", "social.example"),
        ("abcdefghijklmnop.onion", "abcdefghijklmnop.onion"),
    ],
)
def test_the_server_of_a_handle_is_found_in_its_one_spelling(written, host):
    assert parse_server(written) == host


@pytest.mark.parametrize(
    "written",
    [
        "", "@", "@me@", "me", "localhost", "@me@localhost", "printer.local", "router.lan", "me@127.0.0.1", "me@[::1]",
        "me@0x7f.1", "me@mastodon.example:8443", "me@mastodon.example/path", "me@mastodon.example?x", "me@a..example",
        "https://mastodon.example/@me", "javascript:alert(1)", "me@javascript:alert(1)", "me@-a.example",
        "me@a-.example", "me@a_b.example", "me@exa mple.org", "me@mastodon.example\\.evil.example",
        "me@mastodon.example#", "me@strasse-ß.example", "me@نامه\u200cای.مثال", "me@" + "a" * 64 + ".example",
        "me@" + "a." * 127 + "example", "x" * 400 + "@mastodon.example", 'me@"><script>.example', "me@%65xample.org",
    ],
)  # fmt: skip
def test_what_is_no_name_of_a_server_is_refused(written):
    with pytest.raises(RefusedError, match="not the name of a server"):
        parse_server(written)


@given(st.text(alphabet="aZ0.-_@:/?#%[]\\<>\"' \u202eأßxn", max_size=60) | st.text(max_size=60))
def test_anything_is_refused_or_becomes_a_link_to_that_host_alone(written):
    try:
        host = parse_server(written)
    except RefusedError:
        return
    for each in dialogues(host, "@org@drill0.example"):
        parts = urlsplit(each.url)
        assert (parts.scheme in ("https", "http"), parts.netloc, parts.hostname) == (True, host, host)
        assert parts.username is parts.port is None


def test_each_kind_of_server_is_asked_as_it_wants_to_be():
    found = {each.software: each.url for each in dialogues("mastodon.example", "@org@drill0.example")}
    assert found == {
        "mastodon": "https://mastodon.example/authorize_interaction?uri=acct%3Aorg%40drill0.example",
        "pleroma": "https://mastodon.example/ostatus_subscribe?acct=org%40drill0.example",
        "misskey": "https://mastodon.example/authorize-follow?acct=acct%3Aorg%40drill0.example",
    }
    assert parse_qs(urlsplit(found["mastodon"]).query) == {"uri": ["acct:org@drill0.example"]}
    assert all(each.url.startswith("http://a.onion/") for each in dialogues("a.onion", "@o@x.example"))

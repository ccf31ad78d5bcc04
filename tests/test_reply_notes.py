"""What a stranger's reply says, as plain text. Vectors of real shapes, then anything at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import reply_notes
from node.errors import ProtocolError
from node.federation.protocol.activities import AS2
from node.reply_notes import Attachment, may_threaten

AMAL = "https://peer.example/users/amal"
NOTE: dict[str, Any] = {"id": f"{AMAL}/1", "type": "Note", "attributedTo": AMAL, "content": "<p>An exercise</p>"}


def raw(**changes: Any) -> bytes:
    note = {**NOTE, **changes}
    return json.dumps({"@context": AS2, "id": f"{AMAL}/2", "type": "Create", "actor": AMAL, "object": note}).encode()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One<br />two</p><p>three</p>", "One\ntwo\n\nthree"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("<script>alert(1)</script><style>p{}</style>x", "x"),
        (
            '<p><span class="h-card"><a href="https://one.example/@one" class="u-url mention">@<span>one</span></a>'
            "</span> thanks</p>",
            "@one thanks",
        ),
        (
            '<a href="https://news.example/long/path"><span class="invisible">https://</span><span>news.example/long'
            '</span><span class="invisible">/path</span></a>',
            "https://news.example/long/path",
        ),
        ('<a href="https://evil.example/">your bank</a>', "your bank (https://evil.example/)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("a\u202egnp.exe\u2066b\x00c", "agnp.exebc"),
        ("<img src=https://t.example/pixel.gif onerror=x>seen", "seen"),
        ("<p>" * 3000 + "deep", "deep"),
        ("<!--" * 5000 + "x", ""),
        ("x" * 30_000, "x" * 20_000),
    ],
    ids=[
        "lines", "entities", "scripts", "mention", "mastodon's link", "a link that lies", "no web link", "list",
        "turning", "picture", "deep", "comments", "long",
    ],
)  # fmt: skip
def test_html_becomes_text(html, text):
    assert reply_notes.plain(html) == text


def test_everything_of_a_note_is_read_and_nothing_is_a_link():
    found = reply_notes.parse(raw(
        contentMap={"ar": "<p>An exercise</p>"}, summary="careful", url=[{"href": "https://peer.example/@amal/1"}],
        attachment=[
            {"type": "Document", "url": "https://peer.example/fake.png", "name": "a picture"},
            {"type": "Image", "url": [{"type": "Link", "href": "https://peer.example/2.png"}]},
            "https://peer.example/3.png",
        ],
        oneOf=[{"type": "Note", "name": "yes"}, {"type": "Note", "name": "no"}],
    ))  # fmt: skip
    assert found == reply_notes.Words(
        text="An exercise\n\n– yes\n– no", language="ar", warning="careful",
        attachments=(
            Attachment("https://peer.example/fake.png", "a picture"), Attachment("https://peer.example/2.png", ""),
        ),
        page="https://peer.example/@amal/1",
    )  # fmt: skip
    assert reply_notes.author_of(raw()) == AMAL


@pytest.mark.parametrize(
    "text",
    [
        "EXERCISE: we will KILL you", "I know where you live", "على سبيل التدريب: سنقتلكِ", "سَنَقْتُلُك", "أعرف بيتك",
        "دەتکوژین", "ماڵەکەت دەزانین", "on va te tuer", "on sait où tu habites", "sabemos dónde vives",
        "te voy a matar",
    ],
)  # fmt: skip
def test_words_that_threats_hold_close_a_text_further(text):
    assert may_threaten(text)


@pytest.mark.parametrize(
    "text",
    ["Thank you for your work", "شكراً لكم على عملكم", "سوپاس بۆ کارەکەتان", "Merci, courage", "Gracias por todo", ""],
)
def test_thanks_are_thanks(text):
    assert not may_threaten(text)


def test_a_threat_in_a_picture_s_description_counts():
    assert reply_notes.parse(raw(attachment=[{"url": "https://x.example/1", "name": "we will kill you"}])).suspect
    assert not reply_notes.parse(raw()).suspect


THINGS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=30) | st.sampled_from(["<p>", "</a>", "&#x0;"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "url", "href", "name", "ar", "type"]), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = (*NOTE, "contentMap", "summary", "attachment", "url", "oneOf", "anyOf", "name")


@given(st.dictionaries(st.sampled_from(FIELDS), THINGS, max_size=4))
def test_whatever_stands_in_a_note_it_is_read_or_refused(changes):
    try:
        found = reply_notes.parse(raw(**changes))
    except ProtocolError:
        return
    for each in (found.text, found.warning, found.page, *(one.said for one in found.attachments)):
        assert not any(letter < " " and letter != "\n" for letter in each) and "\u202e" not in each
    assert isinstance(found.suspect, bool)


@given(st.text(max_size=300))
def test_any_html_becomes_text_within_bounds(html):
    assert len(reply_notes.plain(html)) <= 20_000
    may_threaten(html)


@given(st.binary(max_size=100))
def test_what_is_no_activity_is_refused(data):
    with pytest.raises(ProtocolError):
        reply_notes.parse(data)
